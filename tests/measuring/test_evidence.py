import base64
import dataclasses
import json
import tracemalloc

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, softmax

from mtl_dm import data
from mtl_dm.measuring import predictions
from mtl_dm.measuring.evidence import Fitted, collect
from mtl_dm.measuring.predictions import Predictions
from mtl_dm.measuring.samples import image_place, pick
from mtl_dm.models import Coupling, MultiTaskModel
from mtl_dm.relatedness import Relatedness
from mtl_dm.runs.cells import CellPlan, Measurement, run_cell
from mtl_dm.runs.evidence import read_evidence
from mtl_dm.runs.reading import read_cells
from mtl_dm.tasks import Task

CLASSES = Task.multiclass("expression", ["neutral", "happiness", "sadness"])
UNITS = Task.multilabel("action_units", ["AU1", "AU6", "AU12", "AU15"])
ROWS = 300
RELATED = Relatedness(("sadness", "neutral"), ("AU15",), [[0.9], [0.1]], [[1], [1]], "test")
HISTORY = {
    "loss": [2.0, float("nan")],
    "expression_loss": [1.5, 1.0],
    "val_loss": [3.0, 3.0],
    "expression_accuracy": [0.5, 0.6],
}


class FirstPixels(keras.layers.Layer):
    """Features that are pixels, so that logits are known."""

    def call(self, inputs):
        return keras.ops.reshape(inputs, (-1, int(np.prod(inputs.shape[1:]))))


def model_of(tasks, couplings=(), shape=(4, 4, 3)):
    model = MultiTaskModel(FirstPixels(), tasks, couplings)
    model.build((None, *shape))
    for head in model.heads.values():
        kernel, bias = head.kernel, head.bias
        kernel.assign(np.eye(*kernel.shape) * 4.0)
        bias.assign(np.zeros(bias.shape))
    return model


@pytest.fixture(scope="module")
def case():
    """Images, labels as in a built data set, and the probabilities of `model_of`."""
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (ROWS, 4, 4, 3)).astype(np.float32)
    labels = {
        "expression": rng.integers(-1, 3, ROWS),
        "action_units": rng.integers(-1, 2, (ROWS, 4)).astype(np.int8),
    }
    pixels = 4.0 * images.reshape(ROWS, -1).astype(np.float64)
    return images, labels, softmax(pixels[:, :3], axis=1), expit(pixels[:, :4])


def source_of(case, tasks=(CLASSES, UNITS)):
    images, labels = case[:2]
    return data.from_arrays(images, {task.name: labels[task.name] for task in tasks}, tasks)


def evidence_of(case, couplings=(), **options):
    tasks = (CLASSES, UNITS)
    return collect([Fitted(model_of(tasks, couplings), source_of(case), HISTORY)], **options)


def error_by_loop(stated, true):
    total = 0.0
    for low in range(10):
        inside = [i for i, p in enumerate(stated) if low / 10 < p <= (low + 1) / 10]
        if inside:
            gap = np.mean([true[i] for i in inside]) - np.mean([stated[i] for i in inside])
            total += len(inside) / len(stated) * abs(gap)
    return total


def test_history_keeps_the_training_losses_only(case):
    (history,) = evidence_of(case)["history"]
    assert history == {
        "tasks": ["expression", "action_units"],
        "epochs": [1, 2],
        "terms": {"loss": [2.0, None], "expression": [1.5, 1.0]},
    }


def test_calibration_equals_the_loop(case):
    _, labels, classes, units = case
    found = evidence_of(case)["calibration"]
    known = labels["expression"] >= 0
    right = classes.argmax(axis=1) == labels["expression"]
    assert found["expression"]["error"] == pytest.approx(
        error_by_loop(classes.max(axis=1)[known], right[known]), abs=1e-4
    )
    entries = labels["action_units"] >= 0
    assert found["action_units"]["error"] == pytest.approx(
        error_by_loop(units[entries], labels["action_units"][entries]), abs=1e-4
    )
    assert sum(found["action_units"]["count"]) == entries.sum()


def test_labels_that_are_not_scored_are_left_out(case):
    known = np.array([1.0, 0.0, 1.0, 0.0])
    found = evidence_of(case, columns={"action_units": known})
    count = (case[1]["action_units"][:, [0, 2]] >= 0).sum()
    assert sum(found["calibration"]["action_units"]["count"]) == count
    assert found["relatedness"]["left_out"] == ["AU6", "AU15"]
    for sample in found["samples"]:
        named = sample["tasks"]["action_units"]
        assert not {"AU6", "AU15"} & {*named["true"], *named["predicted"]}


def test_relatedness(case):
    _, labels, classes, units = case
    found = evidence_of(case, [Coupling(relatedness=RELATED)])["relatedness"]
    assert found["classes"] == list(CLASSES.labels)
    # The relatedness names a part of the labels, in an order of its own.
    prior = [[None] * 3 + [0.1], [None] * 4, [None] * 3 + [0.9]]
    np.testing.assert_allclose(np.array(found["prior"], float), np.array(prior, float), rtol=1e-5)
    implied = [
        [sum(classes[:, k] * units[:, i]) / sum(classes[:, k]) for i in range(4)] for k in range(3)
    ]
    np.testing.assert_allclose(found["implied"], implied, atol=1e-4)
    of_class = labels["expression"] == 1
    annotated = of_class & (labels["action_units"][:, 2] >= 0)
    share = labels["action_units"][annotated, 2].mean()
    assert found["observed"][1][2] == pytest.approx(share, abs=1e-4)


def test_every_coupling_has_its_table_by_name(case):
    images, labels = case[:2]
    other = Relatedness(CLASSES.labels, UNITS.labels, np.full((3, 4), 0.5), np.ones((3, 4)), "t")
    more = Task.multilabel("more_units", UNITS.labels)
    tasks = (CLASSES, UNITS, more)
    couplings = [
        Coupling(relatedness=RELATED),
        Coupling(relatedness=other),
        Coupling("expression", "more_units", other),
    ]
    more_labels = np.roll(labels["action_units"], 1, axis=1)
    source = data.from_arrays(images, {**labels, "more_units": more_labels}, tasks)
    found = collect([Fitted(model_of(tasks, couplings), source, HISTORY)])
    tables = found["couplings"]
    assert list(tables) == [
        "expression_action_units",
        "expression_action_units_2",
        "expression_more_units",
    ]
    first = tables["expression_action_units"]
    assert (first.pop("source"), first.pop("target")) == ("expression", "action_units")
    # The first stands where reports have always read it.
    assert found["relatedness"] == first == evidence_of(case, couplings[:1])["relatedness"]
    assert tables["expression_action_units_2"]["prior"] == [[0.5] * 4] * 3
    last = tables["expression_more_units"]
    assert last["target"] == "more_units"
    assert last["observed"] != first["observed"]
    np.testing.assert_array_equal(
        np.roll(np.array(first["observed"]), 1, axis=1), np.array(last["observed"])
    )


def test_what_training_made_of_a_table_stands_beside_it(case):
    tasks = (CLASSES, UNITS)
    model = model_of(tasks, [Coupling(relatedness=RELATED)])
    half = np.full(RELATED.conditional.shape, 0.5)
    live = model.live_relatedness["0"]
    live.confirm(0.25)
    live.assign(dataclasses.replace(RELATED, conditional=half), half)
    found = collect([Fitted(model, source_of(case), HISTORY)])
    table = found["couplings"]["expression_action_units"]
    assert table["confirmed"] == 0.25
    known = [[value is not None for value in row] for row in table["prior"]]
    assert table["learned"] == [[0.5 if each else None for each in row] for row in known]
    assert found["relatedness"]["learned"] == table["learned"]
    given = evidence_of(case, [Coupling(relatedness=RELATED)])["relatedness"]
    assert not {"learned", "confirmed"} & set(given)


def test_without_couplings_there_are_no_tables_by_name(case):
    assert evidence_of(case)["couplings"] == {}
    assert evidence_of(case)["relatedness"]["prior"] is None


def test_a_coupling_of_tasks_that_are_not_annotated_has_no_table(case):
    model = model_of((CLASSES, UNITS), [Coupling(relatedness=RELATED)])
    found = collect([Fitted(model, source_of(case, (CLASSES,)), HISTORY)])
    assert found["couplings"] == {}
    assert found["relatedness"] is None


def test_of_many_classes_no_table_is_kept(case, monkeypatch):
    few = evidence_of(case)
    monkeypatch.setattr(predictions, "MOST_CLASSES", 2)
    assert evidence_of(case) == {**few, "relatedness": None}


def test_memory_does_not_grow_with_the_classes_of_every_image():
    classes = Task.multiclass("expression", [str(k) for k in range(4000)])
    inputs = np.random.default_rng(0).normal(size=(1000, 12)).astype(np.float32)
    labels = {"expression": np.arange(1000), "action_units": np.ones((1000, 4), int)}
    source = data.from_arrays(inputs, labels, (classes, UNITS))
    model = model_of((classes, UNITS), shape=(12,))
    tracemalloc.start()
    found = collect([Fitted(model, source, HISTORY)])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(found["calibration"]["expression"]["count"]) == 1000
    # Four arrays of one batch in float64, not of 1,000 images.
    assert peak < 4 * 256 * 4000 * 8 + 5_000_000


def test_single_task_models_share_their_images(case):
    whole = evidence_of(case)
    parts = [Fitted(model_of((t,)), source_of(case, (t,)), HISTORY) for t in (CLASSES, UNITS)]
    both = collect(parts)
    for part in ("calibration", "relatedness", "samples"):
        assert both[part] == whole[part]
    assert [history["tasks"] for history in both["history"]] == [["expression"], ["action_units"]]
    assert both["relatedness"]["prior"] is None


def test_other_images_are_refused(case):
    parts = [Fitted(model_of((t,)), source_of(case, (t,)), {}) for t in (CLASSES, UNITS)]
    parts[1] = parts[1]._replace(source=parts[1].source.take(7))
    with pytest.raises(ValueError, match="'expression': 300, 'action_units': 7"):
        collect(parts)


def test_one_task_has_no_relatedness(case):
    found = collect([Fitted(model_of((UNITS,)), source_of(case, (UNITS,)), {})])
    assert found["relatedness"] is None
    assert found["samples"] == []
    assert found["history"] == [{"tasks": ["action_units"], "epochs": [], "terms": {}}]


def test_a_sample_without_an_image_is_shown_without_one():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(9, 12)).astype(np.float32)
    source = data.from_arrays(inputs, {"expression": np.arange(9) % 3}, [CLASSES])
    found = collect([Fitted(model_of((CLASSES,), shape=(12,)), source, HISTORY)], sample_count=4)
    assert sum(found["calibration"]["expression"]["count"]) == 9
    assert [sample["image"] for sample in found["samples"]] == [None] * 4
    for sample in found["samples"]:
        predicted = CLASSES.labels[inputs[sample["index"], :3].argmax()]
        assert sample["tasks"]["expression"]["predicted"] == [predicted]


class OneOfSeveral(keras.layers.Layer):
    """Features of one of several inputs."""

    def call(self, inputs):
        return keras.ops.reshape(inputs["face"], (-1, 48))


def test_inputs_by_name(case):
    images, labels = case[:2]
    whole = evidence_of(case, sample_count=5)
    sound = np.zeros((ROWS, 7), np.float32)
    source = data.from_arrays({"sound": sound, "face": images}, labels, (CLASSES, UNITS))
    model = MultiTaskModel(OneOfSeveral(), (CLASSES, UNITS))
    model.build({"sound": (None, 7), "face": (None, 4, 4, 3)})
    for name, head in model.heads.items():
        head.set_weights(model_of((CLASSES, UNITS)).heads[name].get_weights())
    found = collect([Fitted(model, source, HISTORY)], sample_count=5)
    assert found == whole


@pytest.mark.parametrize(
    ("shapes", "place"),
    [
        ((4, 4, 3), ""),
        ((4, 3), None),
        ((9, 4, 4, 3), None),  # A clip is no image.
        ({"b": (4, 4, 3), "a": (4, 4, 3), "0": (3,)}, "a"),
        ({"a": (4, 4, 3), "image": (4, 4, 3)}, "image"),
        ({"a": (4, 4, 1), "b": ()}, None),
    ],
)
def test_where_the_image_is(shapes, place):
    if isinstance(shapes, dict):
        spec = {name: tf.TensorSpec(shape) for name, shape in shapes.items()}
    else:
        spec = tf.TensorSpec(shapes)
    assert image_place(spec) == place


def test_samples_are_the_images_they_speak_of(case):
    images, labels, classes, units = case
    samples = evidence_of(case, sample_count=6)["samples"]
    assert [sample["correct"] for sample in samples] == [False] * 4 + [True] * 2
    for sample in samples:
        row = sample["index"]
        data_url = sample["image"].removeprefix("data:image/jpeg;base64,")
        pixels = cv2.imdecode(np.frombuffer(base64.b64decode(data_url), np.uint8), 1)
        assert pixels.shape == (4, 4, 3)
        expected = (images[row] + 1) * 127.5
        assert abs(pixels[..., ::-1].mean() - expected.mean()) < 20
        named = sample["tasks"]["expression"]
        assert named["true"] == [CLASSES.labels[labels["expression"][row]]]
        assert named["predicted"] == [CLASSES.labels[classes[row].argmax()]]
        said = sample["tasks"]["action_units"]
        known = labels["action_units"][row] >= 0
        assert said["predicted"] == [
            name for i, name in enumerate(UNITS.labels) if known[i] and units[row, i] > 0.5
        ]


def test_large_images_become_thumbnails():
    images = np.zeros((3, 128, 256, 3), np.float32)
    source = data.from_arrays(images, {"expression": np.arange(3)}, [CLASSES])
    model = model_of((CLASSES,), shape=(128, 256, 3))
    sample = collect([Fitted(model, source, {})], sample_count=1)["samples"][0]
    pixels = base64.b64decode(sample["image"].split(",")[1])
    assert cv2.imdecode(np.frombuffer(pixels, np.uint8), 1).shape == (48, 96, 3)


@pytest.mark.parametrize(
    ("right", "count", "expected"),
    [
        ([0, 0, 0, 0, 0, 0], 3, [5, 4, 3]),  # Wrong ones only, the surest first.
        ([1, 1, 1, 1, 1, 1], 3, [5, 4, 3]),
        ([0, 0, 0, 1, 1, 1], 3, [2, 1, 5]),
        ([1, 0, 1, 1, 1, 1], 3, [1, 5, 4]),
        ([0, 1, 0, 0, 0, 0], 5, [5, 4, 3, 2, 1]),
        ([0, 1, 0, 1, 0, 1], 9, [4, 2, 0, 5, 3, 1]),
    ],
)
def test_pick(right, count, expected):
    sure = 0.5 + 0.05 * np.arange(6)
    labels, predicted = np.where(right, 0, 2), np.zeros(6, int)
    stated = np.stack([np.where(right, sure, 0), sure], axis=1)
    found = Predictions(CLASSES, labels, np.ones(6), predicted, stated, np.ones(3, bool))
    assert pick(found, count) == expected
    unknown = found._replace(mask=np.zeros(6))
    assert pick(unknown, count) == []


class TestStored:
    PLAN = CellPlan("table2", "a / b", "ST", 0, 1, "demo", "x (synthetic)", {"epochs": 1})
    METRICS = {"expression": {"accuracy": 0.5}}  # noqa: RUF012

    def run(self, folder, evidence, plan=PLAN):
        run_cell(folder, plan, lambda: Measurement(self.METRICS, 3, evidence), command="make it")
        return plan.path(folder).with_suffix(".evidence.json")

    def test_beside_the_cell(self, case, tmp_path):
        evidence = evidence_of(case)
        path = self.run(tmp_path, evidence)
        assert path.is_file()
        cells, damaged = read_cells(tmp_path)
        assert (len(cells), damaged) == (1, [])
        contents, damaged = read_evidence(tmp_path, cells)
        assert damaged == []
        # Thresholds are for whoever opens the file; no report draws them.
        shown = {part: evidence[part] for part in evidence if part != "thresholds"}
        assert contents == {("a / b", "ST"): [json.loads(json.dumps(shown))]}
        assert "evidence" not in json.loads(self.PLAN.path(tmp_path).read_text("utf-8"))

    def test_old_evidence_goes_with_its_cell(self, case, tmp_path):
        path = self.run(tmp_path, evidence_of(case))
        self.PLAN.path(tmp_path).unlink()
        self.run(tmp_path, None)
        assert not path.exists()

    def test_what_json_cannot_hold_is_refused_before_the_cell_is_written(self, tmp_path):
        with pytest.raises(ValueError, match="JSON"):
            self.run(tmp_path, {"history": float("nan")}, dataclasses.replace(self.PLAN, seed=5))
        assert read_cells(tmp_path).cells == []


def test_thresholds_are_kept_by_label_and_unrounded(case):
    assert evidence_of(case)["thresholds"] == {}
    chosen = {"action_units": np.array([0.25, 1e-9, 0.5, 0.125])}
    found = evidence_of(case, thresholds=chosen)["thresholds"]
    assert found == {"action_units": {"AU1": 0.25, "AU6": 1e-9, "AU12": 0.5, "AU15": 0.125}}
    json.dumps(found, allow_nan=False)
