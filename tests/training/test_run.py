import json
import shutil

import keras
import numpy as np
import pytest

from mtl_dm import data
from mtl_dm.measuring import evaluation, scoring
from mtl_dm.relatedness import Relatedness, facs
from mtl_dm.training import assembly, run
from mtl_dm.training.judgement_words import verdict
from tests.built_faces import ANNOTATED, CO_ANNOTATED, EXPRESSIONS_ONLY, UNITS_ONLY

pytestmark = pytest.mark.usefixtures("eager")

TERMS = ("expression", "action_units", "distribution_matching", "soft_co_annotation")


def strict(path):
    def no_constant(name):
        raise AssertionError(f"{name} is no JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=no_constant)


@pytest.fixture(scope="module")
def record(finished):
    return json.loads((finished.folder / "run.json").read_text(encoding="utf-8"))


def test_what_a_run_leaves(finished):
    assert sorted(path.name for path in finished.folder.iterdir()) == [
        "best.keras",
        "card.json",
        "card.md",
        "config.json",
        "last.keras",
        "relatedness_0.json",
        "run.json",
        "state",
        "tensorboard",
    ]
    events = list((finished.folder / "tensorboard").rglob("*tfevents*"))
    assert {path.parent.name for path in events} == {"train", "validation"}
    assert strict(finished.folder / "config.json") == {"format": 1, **finished.config.to_dict()}
    saved = Relatedness.from_json(finished.folder / "relatedness_0.json")
    np.testing.assert_array_equal(saved.conditional, facs().conditional)
    assert saved.citation == facs().citation


def test_history_has_every_term(record):
    history = record["history"]
    for prefix in ("", "val_"):
        for name in (*(f"{term}_loss" for term in TERMS), "loss"):
            values = history[f"{prefix}{name}"]
            assert len(values) == 2, name
            assert np.isfinite(values).all(), name
        for metric in ("expression_accuracy", "action_units_afa"):
            assert len(history[f"{prefix}{metric}"]) == 2
    # Equation 1: with weights of 1 the objective is the sum of what is logged, here on one batch.
    total = sum(history[f"val_{term}_loss"][0] for term in TERMS)
    assert history["val_loss"][0] == pytest.approx(total, rel=1e-4)


def test_record(finished, record):
    assert record["config"] == finished.config.to_dict()
    assert record["annotated"] == {"expression": 48, "action_units": 64}
    assert record["seconds"] > 0
    assert record["commit"]
    assert {"python", "keras", "tensorflow"} <= set(record["versions"])
    source = data.label_arrays(EXPRESSIONS_ONLY, data_dir=finished.config.data_dir)
    rates = list(record["base_rates"]["expression"].values())
    np.testing.assert_allclose(rates, source["expression"][0].mean(axis=0), rtol=1e-6)


def test_record_is_strict_json(finished):
    assert strict(finished.folder / "run.json")["base_rates"]["action_units"]["AU10"] is None


def test_last_is_the_trained_model(finished):
    source = data.load(
        f"{ANNOTATED}:test",
        data_dir=finished.config.data_dir,
        tasks=finished.model.tasks,
        image_size=16,
    )
    loaded = scoring.load_model(finished.folder / "last.keras")
    assert loaded.tasks == finished.model.tasks
    before, after = (evaluation.predict(model, source) for model in (finished.model, loaded))
    for name, logits in before.items():
        np.testing.assert_allclose(after[name], logits, rtol=1e-5, atol=1e-6)


def test_best_is_one_of_the_epochs(finished, record):
    history = record["history"]
    scores = np.add(history["val_expression_accuracy"], history["val_action_units_afa"]) / 2
    source = data.load(
        finished.config.validation,
        data_dir=finished.config.data_dir,
        tasks=finished.model.tasks,
        image_size=16,
    )
    best = evaluation.evaluate(scoring.load_model(finished.folder / "best.keras"), source)
    mean = (best["expression"]["accuracy"] + best["action_units"]["afa"]) / 2
    assert mean == pytest.approx(max(scores), abs=1e-5)


def test_another_configuration_is_refused(finished):
    before = (finished.folder / "run.json").read_bytes()
    with pytest.raises(ValueError, match=r"learning_rate: 0.001 there, 0.01 now"):
        run.train(finished.config.replace(learning_rate=0.01), finished.folder)
    assert (finished.folder / "run.json").read_bytes() == before


def test_the_folder_of_an_earlier_version_goes_on(finished, tmp_path):
    shutil.copytree(finished.folder, tmp_path / "run")
    path = tmp_path / "run" / "config.json"
    config = strict(path)
    for name in ("validation_gate", "couplings", "task_losses", "optimizer", "schedule", "stages"):
        del config[name]
    path.write_text(json.dumps({**config, "brake": False, "balancing": "total"}), encoding="utf-8")
    model = run.train(finished.config, tmp_path / "run")
    for have, want in zip(model.get_weights(), finished.model.get_weights(), strict=True):
        np.testing.assert_array_equal(have, want)
    with pytest.raises(ValueError, match="optimizer: 'adam' there, 'sgd' now"):
        run.train(finished.config.replace(optimizer="sgd"), tmp_path / "run")


def test_a_run_of_two_stages(finished, tmp_path):
    config = finished.config.replace(
        steps_per_epoch=1,
        stages=(
            f"warmup(datasets={EXPRESSIONS_ONLY}, epochs=1, trainable=heads)",
            "main(epochs=2, optimizer=sgd)",
        ),
    )
    model = run.train(config, tmp_path)
    record = strict(tmp_path / "run.json")
    assert [(each["name"], each["epochs"]) for each in record["stages"]] == [
        ("warmup", 1),
        ("main", 2),
    ]
    assert record["config"]["stages"] == list(config.stages)
    assert len(record["history"]["loss"]) == 3
    assert record["seconds"] == pytest.approx(sum(each["seconds"] for each in record["stages"]))
    assert {path.name for path in tmp_path.iterdir()} == {
        "best.keras", "card.json", "card.md", "config.json", "last.keras",
        "relatedness_0.json", "run.json", "stages",
        "tensorboard",
    }  # fmt: skip
    loaded = scoring.load_model(tmp_path / "last.keras")
    for have, want in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(have, want)


def test_inferred_relatedness_and_options_reach_the_model(faces, finished):
    from mtl_dm.training import assembly

    config = finished.config.replace(
        relatedness=f"inferred:{CO_ANNOTATED}",
        matching=0.5,
        co_annotation=0.25,
        matching_form="bernoulli",
        co_annotation_form="distillation",
        task_weights={"action_units": 3.0},
        attribute_reduction="sum",
        label_smoothing=0.1,
        balancing="uncertainty",
    )
    tasks = assembly.tasks_of(config)
    model = assembly.model_of(config, tasks, (16, 16, 3))
    expression, units = model.tasks
    assert (expression.weight, units.weight) == (1.0, 3.0)
    assert expression.label_smoothing == 0.1
    assert units.reduction == "sum"
    (coupling,) = model.couplings
    assert (coupling.matching, coupling.co_annotation) == (0.5, 0.25)
    assert (coupling.matching_form, coupling.co_annotation_form) == ("bernoulli", "distillation")
    assert type(model.balancing).__name__ == "Uncertainty"
    # Counted by hand for one pair.
    arrays = data.label_arrays(CO_ANNOTATED, data_dir=faces)
    happy = arrays["expression"][0][:, 1] == 1
    share = arrays["action_units"][0][happy, units.labels.index("AU12")].mean()
    relatedness = coupling.relatedness
    counted = relatedness.conditional[1, relatedness.attributes.index("AU12")]
    assert counted == pytest.approx(share)
    assert CO_ANNOTATED in relatedness.citation


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tasks": ("expression", "pose")}, r"Unknown task \['pose'\].*'action_units'"),
        ({"datasets": (EXPRESSIONS_ONLY,)}, "No training image is annotated.*'action_units'"),
        ({"relatedness": "hearsay"}, "Unknown relatedness 'hearsay'. Known: .*facs"),
        ({"relatedness": f"inferred:{UNITS_ONLY}"}, "never annotated|'neutral'"),
        ({"backbone": "vgg"}, "Unknown backbone 'vgg'. Known: .*compact_cnn, dense_trunk"),
        ({"balancing": "luck"}, "Unknown .*'luck'. Known: .*equal, .*uncertainty"),
        ({"matching_form": "new"}, "Unknown .*'new'. Known: .*paper"),
        ({"co_annotation_form": "new"}, "Unknown .*'new'. Known: .*paper"),
        ({"trainable": ("neck",)}, "no trainable weight is called 'neck'"),
        ({"strategy": "spread"}, "Unknown strategy 'spread'. Known: mirrored, none"),
        ({"validation": f"{ANNOTATED}:train"}, r"\['validation', 'test'\], got 'train'"),
        ({"validation": ANNOTATED}, r"\['validation', 'test'\], got ''"),
        (
            {
                "tasks": ("action_units",),
                "datasets": (UNITS_ONLY,),
                "relatedness": None,
                "validation": EXPRESSIONS_ONLY,
            },
            r"annotated for none of the tasks \['action_units'\]",
        ),
        (
            {"tasks": ("action_units", "attributes"), "datasets": (UNITS_ONLY,)},
            "A coupling needs a multiclass and a multilabel task",
        ),
    ],
)
def test_wrong_input_leaves_no_folder(finished, tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        run.train(finished.config.replace(**changes), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("field", ["relatedness", "init_from"])
def test_a_missing_file_leaves_no_folder(finished, tmp_path, field):
    config = finished.config.replace(**{field: str(tmp_path / "none.json")})
    with pytest.raises(FileNotFoundError, match=r"none\.json"):
        run.train(config, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shares": (0.0, 1.0)}, "shares must be finite and > 0"),
        ({"batch_size": 1}, "batch_size must be an integer of at least the number of sources"),
    ],
)
def test_wrong_batches_leave_no_folder(finished, tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        run.train(finished.config.replace(**changes), tmp_path / "out")
    # With the folder claimed, the corrected command would be refused.
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("relatedness", ["learned", "facs"])
def test_a_learned_relatedness_stands_beside_the_assumed_one(finished, tmp_path, relatedness):
    config = finished.config.replace(
        relatedness=relatedness,
        matching_form="conditional",
        co_annotation_form="posterior",
        validation_gate=True,
    )
    model = run.train(config, tmp_path)
    assumed = Relatedness.from_json(tmp_path / "relatedness_0.json")
    learned = Relatedness.from_json(tmp_path / "relatedness_0_learned.json")
    assert (learned.classes, learned.attributes) == (assumed.classes, assumed.attributes)
    if relatedness == "learned":
        assert (assumed.conditional == assumed.conditional[0]).all()
        # Action units without a single label are left out: nothing can be learned of them.
        assert "AU10" not in assumed.attributes
    else:
        assert assumed == facs()
    assert learned == model.live_relatedness["0"].value()
    assert scoring.load_model(tmp_path / "last.keras").live_relatedness["0"].value() == learned
    record = strict(tmp_path / "run.json")
    assert record["config"]["relatedness"] == relatedness
    assert record["config"]["matching"] is None
    if relatedness == "learned":
        assert "judged" not in record
    else:
        (judged,) = record["judged"]
        assert (judged["source"], judged["target"]) == ("expression", "action_units")
        assert judged["confirmed"] == model.live_relatedness["0"].confirmed
        assert judged["verdict"] == verdict(judged["confirmed"])
    for term in TERMS:
        assert np.isfinite(record["history"][f"{term}_loss"]).all()


def test_labels_without_an_image_and_idle_terms_are_said_once(finished, tmp_path, caplog):
    def warned(**changes):
        caplog.clear()
        config = finished.config.replace(epochs=1, steps_per_epoch=1, validation=None, **changes)
        run.train(config, tmp_path / str(len(list(tmp_path.iterdir()))))
        ours = [each for each in caplog.records if each.name == "absl"]
        return [each.getMessage() for each in ours if each.levelname == "WARNING"]

    (line,) = warned()
    assert line.startswith("No training image is labelled with ['AU")
    assert "of 'action_units': the coupling alone teaches them" in line
    both = {"datasets": (CO_ANNOTATED,), "co_annotation_form": "posterior"}
    idle = [line for line in warned(**both) if "nothing to act on" in line]
    assert idle == [
        "The soft co-annotation (posterior) has nothing to act on: no image with attribute labels "
        "lacks its class."
    ]
    assert warned(relatedness=None) == []


def test_what_a_table_is_counted_on_draws_nothing_from_the_seed(finished, tmp_path, monkeypatch):
    # A data set that has to be built first draws its own numbers while it is.
    counted = assembly.couplings_of

    def built_first(*arguments):
        keras.utils.set_random_seed(99)
        return counted(*arguments)

    monkeypatch.setattr(assembly, "couplings_of", built_first)
    model = run.train(finished.config, tmp_path)
    for got, want in zip(model.weights, finished.model.weights, strict=True):
        np.testing.assert_array_equal(got, want)
