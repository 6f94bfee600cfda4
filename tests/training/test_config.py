import json

import numpy as np
import pytest

from mtl_dm.models import Coupling
from mtl_dm.training.config import TrainConfig

TWO = ("first", "second")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"datasets": ()}, "at least one data set"),
        ({"tasks": ()}, "at least one task"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"steps_per_epoch": 0}, "steps_per_epoch must be at least 1, got 0"),
        ({"image_size": -1}, "image_size must be at least 1, got -1"),
        ({"learning_rate": 0.0}, "learning_rate must be finite and > 0, got 0.0"),
        ({"learning_rate": -1e-3}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"learning_rate": float("inf")}, "learning_rate"),
        ({"task_weights": {"pose": 1.0, "action_units": 2.0}}, r"task_weights name \['pose'\]"),
        ({"shares": (1.0,)}, "one number per data set, 2, got 1"),
        ({"shares": (1.0, 1.0, 1.0)}, "one number per data set, 2, got 3"),
        ({"relatedness": "facs", "tasks": ("expression",)}, r"tasks are \['expression'\] only"),
        (
            {"relatedness": "facs", "matching": 0.0, "co_annotation": 0},
            "relatedness 'facs' couples nothing with matching 0 and co_annotation 0",
        ),
        ({"validation_gate": True, "relatedness": "facs"}, "it needs validation, got None"),
        ({"validation_gate": True}, "it needs validation, got None"),
        ({"stages": ("a(validation_gate=True)",)}, "Stage 'a': validation_gate judges"),
        ({"balancing": "upgrad(scope=features)"}, "scope"),
        ({"balancing": "equal(balances=some)"}, "some"),
        ({"relatedness": "learned", "epochs": 1}, "needs at least 2, got epochs 1"),
        ({"relatedness": "learned:facs", "epochs": 1}, "needs at least 2, got epochs 1"),
        ({"couplings": ("a(relation=learned)",), "epochs": 1}, "needs at least 2, got epochs 1"),
        ({"task_losses": {"pose": "ccc"}}, r"task_losses name \['pose'\]"),
        ({"trainable": ()}, "trainable must name what is trained"),
        ({"backbone": "vgg"}, "Unknown backbone 'vgg'. Known: .*compact_cnn, dense_trunk"),
        ({"matching_form": "conditional(x=1)"}, "form 'conditional' has no option 'x'. Known: "),
        ({"matching_form": "paper(epsilon=2)"}, "must lie between 0 and 1.0, got 2.0"),
        ({"backbone": 3}, "backbone must be text, got 3"),
        ({"epochs": "3"}, "epochs must be an integer, got '3'"),
        ({"epochs": 2.5}, "epochs must be an integer, got 2.5"),
        ({"learning_rate": "high"}, "learning_rate must be a number, got 'high'"),
        ({"datasets": "first"}, r"datasets must be a list \(text\), got 'first'"),
        ({"augment": 1}, "augment must be True or False, got 1"),
        ({"strategy": None}, "strategy must be text, got None"),
        ({"task_weights": {"expression": "2"}}, "task_weights of 'expression' must be a number"),
        ({"task_losses": ["ccc"]}, "task_losses must be a dictionary"),
        ({"backbone": "compact_cnn(dropout=high)"}, "must be a number, got 'high'"),
        ({"balancing": "equal(alpha=1)"}, "'equal' has no option 'alpha'. Known: balances"),
        ({"optimizer": "lion"}, "Unknown optimizer 'lion'. Known: adam, adamw, rmsprop, sgd"),
        ({"schedule": "step(factor=0.1)"}, r"'step' needs the option\(s\) every"),
        ({"schedule": "step(every=0)"}, "needs every > 0, got 0"),
        ({"schedule": "cosine(warmup=10)"}, "less than the 10 epochs, got 10.0"),
        ({"schedule": "cosine(final=2)"}, r"final in \[0, 1\], got 2.0"),
        ({"couplings": ("a(relation=facs)",) * 2}, r"Two couplings have the same name: \['a'\]"),
        ({"couplings": ("a(relation=facs, source=pose)",)}, "'a' names the unknown task 'pose'"),
        ({"couplings": ("a(relation=facs, target=pose)",)}, "'a' names the unknown task 'pose'"),
        ({"couplings": ("a",)}, r"coupling 'a' needs the option\(s\) relation"),
        ({"couplings": ("a(relation=facs, factor=1)",)}, "has no option 'factor'. Known: co_ann"),
        ({"couplings": ("a(relation=facs, matching=-1)",)}, "'a': matching must be finite and >="),
        ({"couplings": ("a(relation=facs, matching_form=x)",)}, "'a': Unknown matching form 'x'"),
        (
            {"couplings": ("a(relation=facs, matching=0, co_annotation=0)",)},
            "'a': relatedness 'facs' couples nothing",
        ),
        ({"couplings": ("a-b(relation=facs)",)}, "must be an identifier, got 'a-b'"),
        ({"stages": ("a", "a(epochs=2)")}, r"Two stages have the same name: \['a'\]"),
        ({"stages": ("a(epochs=0)",)}, "Stage 'a': epochs must be at least 1, got 0"),
        ({"stages": ("a(seed=1)",)}, "Stage 'a': it has no option 'seed'. Known: augment"),
        ({"stages": ("a(epochs=few)",)}, "Stage 'a': option 'epochs' must be an integer"),
        ({"stages": ("a(datasets=third)",)}, r"'a': datasets \['third'\] are none of the run's"),
        ({"stages": ("a(datasets=[])",)}, "Stage 'a': datasets must name at least one"),
        ({"stages": ("a(optimizer=lion)",)}, "Stage 'a': Unknown optimizer 'lion'"),
        ({"stages": ("a(schedule=cosine(warmup=2), epochs=2)",)}, "less than the 2 epochs"),
        ({"stages": ("a(trainable=[])",)}, "Stage 'a': trainable must name what is trained"),
        ({"stages": ("a(mix=mix_augment(real=0, virtual=0))",)}, "Stage 'a': .* both 0"),
        ({"mix": "mix_augment(alpha=-1)"}, "alpha must be finite and > 0, got -1"),
        (
            {"mix": "mix_augment(start=1)"},
            "Known: alpha, blocks, real, virtual",
        ),
    ],
)
def test_refuses(changes, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**{"datasets": TWO, **changes})


def test_accepts_the_smallest_values():
    config = TrainConfig(
        TWO, batch_size=1, epochs=1, steps_per_epoch=1, image_size=1, shares=(1.0, 3.0)
    )
    assert config.shares == (1.0, 3.0)


def test_what_every_stage_replaces_is_not_checked():
    config = TrainConfig(
        TWO, epochs=1, schedule="cosine(warmup=2)", stages=("a(epochs=3)", "b(schedule=constant)")
    )
    assert [part.epochs for _, part in config.stage_configs()] == [3, 1]
    with pytest.raises(ValueError, match=r"Stage 'b'.*less than the 1 epochs"):
        config.replace(stages=("a(epochs=3)", "b"))


def test_a_gate_may_judge_terms_that_no_coupling_brings():
    assert TrainConfig(TWO, validation="v", validation_gate=True).validation_gate


def test_values_are_of_the_types_of_their_fields(tmp_path):
    config = TrainConfig(list(TWO), seed=np.int64(3), learning_rate=1, data_dir=tmp_path)
    assert (config.datasets, config.seed, config.data_dir) == (TWO, 3, str(tmp_path))
    assert type(config.seed) is int
    assert type(config.learning_rate) is float


def test_defaults():
    config = TrainConfig(("any",))
    assert config.learning_rate == 1e-3
    coupling = Coupling()
    assert (config.matching, config.co_annotation) == (None, None)
    for field in ("matching", "co_annotation", "matching_form", "co_annotation_form", "rule"):
        assert getattr(config, field) == getattr(coupling, field)
    assert not config.validation_gate
    assert config.attribute_reduction == "mean"
    assert config.relatedness is None


def test_replace_checks_again():
    config = TrainConfig(TWO)
    assert config.replace(seed=3).seed == 3
    assert config.seed == 0
    with pytest.raises(ValueError, match="epochs"):
        config.replace(epochs=0)


def test_to_dict_is_json_without_the_place_of_the_data():
    config = TrainConfig(TWO, task_weights={"expression": 2.0}, shares=(1.0, 2.0))
    values = config.to_dict()
    assert values["datasets"] == ["first", "second"]
    assert values["shares"] == [1.0, 2.0]
    assert json.loads(json.dumps(values)) == values
    # The same training from another copy of the data is the same training.
    assert values == config.replace(data_dir="elsewhere").to_dict()
    assert "data_dir" not in values
    # What is newer than old records is off, or not there, unless a coupling makes use of it.
    newer = ("trust", "gate", "rule")
    assert [values.get(name) for name in newer] == [False, False, None]
    coupled = config.replace(relatedness="facs")
    assert [coupled.to_dict()[name] for name in newer] == [True, True, "apart"]
    older = coupled.replace(trust=False, gate=False, rule="first").to_dict()
    assert older == {**values, "relatedness": "facs"}
    for changes in ({"seed": 1}, {"task_weights": {}}, {"relatedness": "facs"}, {"jit": True}):
        assert config.replace(**changes).to_dict() != values


def test_specifications_have_one_spelling():
    config = TrainConfig(
        TWO,
        backbone="compact_cnn( dropout=0 )",
        balancing="total",
        couplings=("a( relation = facs )",),
        stages=("s(learning_rate=0.1,epochs=2)",),
    )
    assert config.backbone == "compact_cnn(dropout=0.0)"
    assert config.balancing == "equal"
    assert config.couplings == ("a(relation=facs)",)
    assert config.stages == ("s(epochs=2, learning_rate=0.1)",)


@pytest.mark.parametrize(
    ("field", "one", "other", "kept"),
    [
        (
            "stages",
            "a(learning_rate=1, optimizer=sgd( momentum=0 ))",
            "a(optimizer=sgd(momentum=0.0), learning_rate=1.0)",
            "a(learning_rate=1.0, optimizer=sgd(momentum=0.0))",
        ),
        ("stages", "a(trainable=[heads])", "a(trainable=heads)", "a(trainable=heads)"),
        ("stages", "a(shares=[1, 2])", "a(shares=[1.0, 2.0])", "a(shares=[1.0, 2.0])"),
        ("stages", "a(init_from='x.keras')", "a(init_from=x.keras)", "a(init_from=x.keras)"),
        (
            "stages",
            "a(steps_per_epoch=None)",
            "a(steps_per_epoch = None)",
            "a(steps_per_epoch=None)",
        ),
        (
            "couplings",
            "a(relation=facs, matching=1, matching_form=paper(epsilon=1e-5))",
            "a(matching=1.0, matching_form=paper( epsilon=0.00001 ), relation='facs')",
            "a(matching=1.0, matching_form=paper(epsilon=1e-05), relation=facs)",
        ),
    ],
)
def test_stages_and_couplings_have_one_spelling(field, one, other, kept):
    configs = [TrainConfig(TWO, **{field: (text,)}) for text in (one, other, kept)]
    assert [getattr(config, field) for config in configs] == [(kept,)] * 3


def test_couplings_of_the_flat_fields_and_of_their_own():
    config = TrainConfig(
        TWO,
        relatedness="facs",
        matching=0.5,
        couplings=("other(relation=learned, source=expression, matching_form=js)",),
    )
    flat, other = config.coupling_choices()
    assert (flat.name, flat.relation, flat.matching, flat.learned) == (None, "facs", 0.5, False)
    assert (other.name, other.relation, other.matching, other.learned) == (
        "other", "learned", None, True,
    )  # fmt: skip
    assert (other.source, other.target, other.matching_form) == ("expression", None, "js")


def test_a_stage_has_the_values_of_the_run_but_its_own():
    config = TrainConfig(
        TWO,
        shares=(1.0, 3.0),
        init_from="start.keras",
        epochs=3,
        relatedness="learned",
        stages=("one(epochs=1, datasets=second, trainable=heads)", "two(optimizer=sgd)"),
    )
    (one, first), (two, second) = config.stage_configs()
    assert (one, two) == ("one", "two")
    assert (first.epochs, first.relatedness) == (1, "learned")
    assert (first.datasets, first.shares, first.trainable) == (("second",), (3.0,), ("heads",))
    assert first.init_from == "start.keras"
    # Loaded once: again it would undo the stage before.
    assert second == config.replace(stages=(), optimizer="sgd", init_from=None, seed=second.seed)
    assert first.seed == config.seed != second.seed


def test_without_stages_the_run_is_one():
    config = TrainConfig(TWO)
    assert config.stage_configs() == [("all", config)]


def test_a_record_of_an_earlier_version_means_the_same():
    config = TrainConfig(TWO, relatedness="facs", validation="v", validation_gate=True)
    now = config.to_dict()
    old = {**now, "brake": True, "balancing": "total"}
    for name in (
        "validation_gate", "couplings", "task_losses", "optimizer", "schedule", "trainable",
        "init_from", "stages",
    ):  # fmt: skip
        del old[name]
    assert TrainConfig.upgraded(old) == now
    assert TrainConfig.upgraded(now) == now
    # What differs still does.
    assert TrainConfig.upgraded({**old, "brake": False}) != now
    assert TrainConfig.upgraded(old) != config.replace(optimizer="sgd").to_dict()
    assert TrainConfig.upgraded({**old, "gone": 1})["gone"] == 1
    assert TrainConfig.upgraded({"seed": 1})["seed"] == 1


FACS = "relation=facs"
ONE = f"one({FACS})"


@pytest.mark.parametrize(
    ("fields", "recorded"),
    [
        ({}, (False, ())),
        ({"relatedness": "facs"}, (True, ())),
        ({"relatedness": "facs", "trust": True}, (True, ())),
        ({"relatedness": "facs", "trust": False}, (False, ())),
        ({"relatedness": "learned"}, (False, ())),
        ({"relatedness": "facs", "matching_form": "paper"}, (False, ())),
        ({"relatedness": "facs", "matching_form": "paper", "matching": 0.0}, (True, ())),
        ({"relatedness": "facs", "co_annotation_form": "paper", "trust": True}, (True, ())),
        ({"couplings": (ONE,)}, (False, (f"one(gate=True, {FACS}, rule=apart, trust=True)",))),
        (
            {"couplings": ("one(relation=facs, trust=False)",)},
            (False, (f"one(gate=True, {FACS}, rule=apart)",)),
        ),
        (
            {"couplings": ("one(gate=False, relation=facs, rule=first, trust=False)",)},
            (False, (ONE,)),
        ),
    ],
)
def test_a_record_says_whether_labels_judge(fields, recorded):
    """What they do not is as it was before they could: no record of it has become stale."""
    record = TrainConfig(TWO, **fields).to_dict()
    trust, couplings = recorded
    assert (record["trust"], record["couplings"]) == (trust, list(couplings))
    older = {name: value for name, value in record.items() if name != "trust"}
    assert (TrainConfig.upgraded(older) == record) == (not trust)


def test_what_is_learned_is_not_judged():
    with pytest.raises(ValueError, match="'learned:facs' is learned anyway"):
        TrainConfig(TWO, relatedness="learned:facs", trust=True)


def test_trust_reaches_the_coupling_that_the_flat_fields_describe():
    config = TrainConfig(TWO, relatedness="facs", couplings=(ONE,), trust=False)
    assert [choice.trust for choice in config.coupling_choices()] == [False, None]
    assert [choice.trusts for choice in config.coupling_choices()] == [False, True]


def test_terms_are_specifications_that_leave_no_trace_where_there_are_none():
    config = TrainConfig(("a/x",), terms=("centre_loss( task=expression )",))
    assert config.terms == ("centre_loss(task=expression)",)
    assert config.to_dict()["terms"] == ["centre_loss(task=expression)"]
    assert "terms" not in TrainConfig(("a/x",)).to_dict()
    with pytest.raises(ValueError, match="Unknown loss term 'luck'"):
        TrainConfig(("a/x",), terms=("luck",))
    with pytest.raises(ValueError, match="weight of centre_loss must be finite and >= 0"):
        TrainConfig(("a/x",), terms=("centre_loss(task=expression, weight=-1)",))
