"""What a newcomer adds from a file of her own: one of everything, without an edit elsewhere.

    KERAS_BACKEND=jax python -m tests.test_newcomer FOLDER one

trains, saves and resumes the same model in another process: on another backend, or with "two" on
two replicas.
"""

import contextlib
import csv
import functools
import importlib.util
import os
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from keras import ops

from data_prep.build import build
from data_prep.check import check
from mtl_dm import data, datasets
from mtl_dm.balancing import BALANCING, Balancing
from mtl_dm.datasets._check import CHECKERS
from mtl_dm.datasets.reading import Release, ReleaseBuilder, Row
from mtl_dm.losses import COUPLING_FORMS
from mtl_dm.losses.forms import coupling_form
from mtl_dm.losses.task_losses import TASK_LOSSES
from mtl_dm.measuring import evidence
from mtl_dm.models import BACKBONES, MultiTaskModel, RelationCoupling, Term, TermProvider
from mtl_dm.models.backbones import example
from mtl_dm.relatedness import Moments
from mtl_dm.tasks import Task
from tests import progress
from tests.datasets.fakes import write_image
from tests.experiments.engine import tiny

ROOT = Path(__file__).parents[1]
MOOD = Task.multiclass("mood", ("glad", "sad", "calm"))
PITCH = Task.regression("pitch", ("hertz",), loss="newcomer_absolute")
TASKS = (MOOD, PITCH)
TONES = Moments(MOOD.labels, PITCH.labels, [[0.9], [-0.7], [0.1]], np.ones((3, 1, 1)), "her ears")
REGISTRIES = (BACKBONES, BALANCING, COUPLING_FORMS, TASK_LOSSES)
SHAPES = {"face": (5,), "voice": (3,)}


# A backbone: options, several inputs, a loss term of its own.


@keras.saving.register_keras_serializable("newcomer")
class Duet(keras.layers.Layer, TermProvider):
    """Features of each input, joined; both should say the same."""

    def __init__(self, width=4, **options):
        super().__init__(**options)
        self.width = width
        self.parts = {name: keras.layers.Dense(width, name=name) for name in SHAPES}

    def build(self, shapes):
        for name, part in self.parts.items():
            part.build(shapes[name])

    def call(self, inputs):
        parts = {name: part(inputs[name]) for name, part in self.parts.items()}
        joined = ops.concatenate([ops.relu(parts[name]) for name in sorted(parts)], axis=-1)
        return {**{task.name: joined for task in TASKS}, **parts}

    @property
    def term_names(self):
        return ["agreement"]

    def terms(self, context):
        gap = ops.cast(context.extras["face"] - context.extras["voice"], "float32")
        values = ops.mean(ops.square(gap), axis=-1)
        return {"agreement": Term(values, ops.ones_like(values), 0.1)}

    def get_config(self):
        return {**super().get_config(), "width": self.width}


@example(SHAPES, refused=((3,), {"face": (5,)}))
def duet(input_shape, width: int = 4):
    """Two dense layers, one an input."""
    if not isinstance(input_shape, dict) or set(input_shape) != set(SHAPES):
        raise ValueError(f"duet needs {sorted(SHAPES)}, got input_shape {input_shape}.")
    return Duet(width)


# Balancing methods: one that sees losses and remembers, one that sees the Gram matrix.


@keras.saving.register_keras_serializable("newcomer")
class Patience(Balancing):
    """Terms weigh as a running average of their loss to a power, the mean weight 1."""

    def __init__(self, power: float = 0.5, balances: str = "all", **options):
        super().__init__(balances, **options)
        self.power = power

    def prepare(self, names):
        super().prepare(names)
        self.average = self.memory("average", 1.0)

    def weigh(self, seen):
        scores = seen.present * ops.power(self.average.value, self.power)
        return ops.sum(seen.present) * scores / ops.maximum(ops.sum(scores), 1e-6)

    def update(self, seen):
        old = self.average.value
        self.average.assign(ops.where(seen.present > 0, 0.5 * old + 0.5 * seen.losses, old))

    def get_config(self):
        return {**super().get_config(), "power": self.power}


@keras.saving.register_keras_serializable("newcomer")
class Agreeing(Balancing):
    """Terms weigh more the more their gradient agrees with all others."""

    sees = "gradients"

    def weigh(self, seen):
        lengths = ops.sqrt(ops.maximum(ops.diagonal(seen.gram), 1e-12))
        cosines = seen.gram / (lengths[:, None] * lengths[None, :])
        agreed = ops.sum(cosines * seen.present[None, :], axis=-1)
        return seen.present * (1.0 + ops.relu(agreed) / ops.maximum(ops.sum(seen.present), 1.0))


# A coupling form between a class task and a regression task, and a task loss.


def expected_tone(source, target, relation, labels, masks, *, sharpness: float = 1.0):
    """The prediction is near the mean of the predicted classes, where the value is unknown."""
    share = ops.softmax(sharpness * source, axis=-1)
    values = ops.sum(ops.square(target - ops.matmul(share, relation.mean)), axis=-1)
    return values, 1.0 - ops.max(masks["values"], axis=-1)


def absolute(task, labels, outputs, mask):
    """The mean absolute error of the annotated values."""
    mask = ops.cast(mask, "float32")
    error = ops.abs(ops.where(mask > 0, labels - outputs, 0.0))
    return ops.sum(error, axis=-1) / ops.maximum(ops.sum(mask, axis=-1), 1.0), ops.max(mask, -1)


def register():
    """File everything under names, as her module does when it is imported."""
    BACKBONES.register("newcomer_duet")(duet)
    BALANCING.register("newcomer_patience")(Patience)
    BALANCING.register("newcomer_agreeing")(Agreeing)
    coupling_form("newcomer_tone", ("moments",), "tone")(expected_tone)
    TASK_LOSSES.register("regression/newcomer_absolute")(absolute)


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    # Taken back afterwards: other suites ask registries for all there is.
    for registry in REGISTRIES:
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    register()


METHODS = ("newcomer_patience(power=2.0)", "newcomer_agreeing")
ELSEWHERE = tuple(zip(METHODS, ("float32", "mixed_float16"), strict=True))
"""What is trained in other processes too, which takes time."""


def model_of(method):
    coupling = RelationCoupling(
        "tones", "mood", "pitch", TONES, {"newcomer_tone": 0.5}, {"newcomer_tone": {"sharpness": 2}}
    )
    return MultiTaskModel(
        BACKBONES.create("newcomer_duet(width=3)", SHAPES),
        TASKS,
        [coupling],
        BALANCING.create(method),
    )


def arrays(rows=24):
    """Half of the images have one task's label, half the other's."""
    rng = np.random.default_rng(0)
    inputs = {
        name: rng.normal(size=(rows, *shape)).astype(np.float32) for name, shape in SHAPES.items()
    }
    mood = np.eye(3, dtype=np.float32)[rng.integers(0, 3, rows)]
    first = (np.arange(rows) % 2).astype(np.float32)
    labels = {"mood": mood, "pitch": inputs["voice"][:, :1]}
    return inputs, labels, {"mood": first, "pitch": 1 - first[:, None]}


def stream(batch=8):
    return tf.data.Dataset.from_tensor_slices(arrays()).batch(batch)


def fit(model):
    """Three steps."""
    return model.fit(stream(), verbose=0, shuffle=False).history


def weights_of(model):
    return [ops.convert_to_numpy(weight) for weight in model.weights]


def trained(method, precision):
    """Return a model after three steps, and their history."""
    keras.config.set_dtype_policy(precision)
    keras.utils.set_random_seed(0)
    model = model_of(method)
    optimizer = keras.optimizers.SGD(0.05)
    if precision == "mixed_float16":
        # Small enough that no step is skipped: half a batch would overflow later than a whole one.
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=128.0)
    model.compile(optimizer, run_eagerly=keras.backend.backend() != "jax")
    return model, fit(model)


def train_save_and_resume(method, folder, precision="float32"):
    """Return the history of three steps; resumed, three more must equal those without a break."""
    model, history = trained(method, precision)
    logged = {"loss", "mood_loss", "pitch_loss", "agreement_loss", "tones_tone_loss"}
    assert logged <= set(history), sorted(history)
    assert all(np.isfinite(values).all() for values in history.values())
    path = folder / "model.keras"
    model.save(path)
    copy = keras.saving.load_model(path)
    copy.run_eagerly = model.run_eagerly
    assert copy.couplings == model.couplings
    assert copy.backbone.width == 3
    assert copy.balancing.get_config() == model.balancing.get_config()
    assert fit(copy) == fit(model)
    for got, want in zip(weights_of(copy), weights_of(model), strict=True):
        np.testing.assert_array_equal(got, want)
    return history


def main(folder, how):
    """Train with both methods in this process."""
    register()
    scope = contextlib.nullcontext()
    if how == "two":
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * 2
        )
        # As in tests/models/steps/program.py.
        sums = tf.distribute.ReductionToOneDevice()
        scope = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], cross_device_ops=sums).scope()
    with scope:
        for method, precision in ELSEWHERE:
            history = train_save_and_resume(method, Path(folder), precision)
            print(method, precision, history["loss"][0])


def losses_of(folder, how, **environment):
    output, _ = progress.run(
        [sys.executable, "-m", "tests.test_newcomer", str(folder), how],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", **environment},
    )
    lines = [line.split() for line in output.splitlines() if line.startswith("newcomer")]
    return {(method, precision): float(loss) for method, precision, loss in lines}


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
@pytest.mark.parametrize("method", METHODS)
def test_trains_is_saved_and_resumed(method, precision, tmp_path):
    train_save_and_resume(method, tmp_path, precision)


def test_on_two_replicas_as_on_one_device(tmp_path):
    two = losses_of(tmp_path, "two")
    assert set(two) == set(ELSEWHERE)
    for (method, precision), loss in two.items():
        want = trained(method, precision)[1]["loss"][0]
        assert loss == pytest.approx(want, rel=1e-5 if precision == "float32" else 5e-3)


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="needs JAX")
def test_on_jax(tmp_path):
    # What is read back steps as what was saved does, and is compiled once.
    quickly = {**progress.QUICKLY_COMPILED, **progress.compiled_once(tmp_path)}
    found = losses_of(tmp_path, "one", KERAS_BACKEND="jax", JAX_PLATFORMS="cpu", **quickly)
    assert set(found) == set(ELSEWHERE)


def test_its_evidence_is_collected():
    model = model_of(METHODS[0])
    model.compile("sgd", run_eagerly=True)
    history = fit(model)
    source = tf.data.Dataset.from_tensor_slices(arrays())
    found = evidence.collect([evidence.Fitted(model, source, history)])
    terms = found["history"][0]["terms"]
    assert {"mood", "pitch", "agreement", "tones_tone"} <= set(terms)
    assert found["calibration"]["mood"]["kind"] == "multiclass"


# A database.


class Postcards(ReleaseBuilder):
    """Images with a mood, listed in a file."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 - a TFDS class attribute
    MANUAL_DOWNLOAD_INSTRUCTIONS = "Put moods.csv (path, mood) beside the images."
    TASKS = (MOOD,)
    IMAGE_SIZE = (16, 24)
    DESCRIPTION = "Postcards of a newcomer."
    LICENSE = "Hers."
    CITATION = "@misc{postcards, title = {Postcards}, year = {2024}}"

    def release(self, source):
        """Return what is in the source folder."""
        return Release(
            source, {"train": functools.partial(postcards, source)}, listed=(".",), tasks=self.TASKS
        )


def postcards(source):
    with (source / "moods.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield Row(row["path"], {"mood": MOOD.labels.index(row["mood"])})


def test_a_database(tmp_path, monkeypatch):
    # Taken back afterwards.
    monkeypatch.setattr(datasets, "BUILDERS", datasets.BUILDERS)
    monkeypatch.setattr(CHECKERS, "_entries", dict(CHECKERS._entries))
    assert datasets.register(Postcards) is Postcards
    with pytest.raises(ValueError, match="The data set 'postcards' is registered already"):
        datasets.register(Postcards)
    raw, built = tmp_path / "raw", tmp_path / "built"
    for seed in range(6):
        write_image(raw / f"{seed}.jpg", seed)
    rows = [f"{seed}.jpg,{MOOD.labels[seed % 3]}" for seed in range(6)]
    (raw / "moods.csv").write_text("\n".join(["path,mood", *rows]), encoding="utf-8")
    report = check("postcards", raw)
    assert report.usable
    assert "train: 6 rows." in report.facts
    assert check("postcards", built.parent).errors
    build(datasets.make_builder("postcards", built, raw), raw, built)
    source = data.load("postcards:train", data_dir=built, image_size=16)
    assert source.cardinality() == 6
    model = MultiTaskModel(BACKBONES.create("compact_cnn", (16, 16, 3)), (MOOD,))
    model.compile("sgd", run_eagerly=True)
    history = model.fit(source.batch(2), verbose=0, shuffle=False).history
    assert np.isfinite(history["mood_loss"]).all()


# A study of two rows.


def test_a_study_of_two_rows(tmp_path, monkeypatch):
    from experiments.engine import running
    from experiments.engine.method import Method

    tiny.keep(monkeypatch)
    rows = {"equal": Method(), "patient": Method({"balancing": "newcomer_patience(power=1.0)"})}
    running.run_study(tiny.study(rows), tiny.options(tmp_path))
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "patient" in text
    assert "Not finished" not in text
    assert (tmp_path / "report.html").is_file()


if __name__ == "__main__":
    main(*sys.argv[1:])
