"""Learning moments while a model trains, where no image has both labels."""

import keras
import numpy as np
import pytest

from mtl_dm import data
from mtl_dm.models import MultiTaskModel, RelationCoupling
from mtl_dm.relatedness import overall_moments
from mtl_dm.tasks import Task
from mtl_dm.training.learning import LearnRelatedness, unjudged_notices
from mtl_dm.training.observing import observe_values

CLASSES, VALUES = ("a", "b", "c"), ("valence", "arousal")
TASKS = (Task.multiclass("kind", CLASSES), Task.regression("affect", VALUES, bounds=(-1, 1)))
MEANS = np.array([[0.7, 0.3], [-0.6, -0.2], [0.0, 0.8]])
ROWS = 240


@pytest.fixture(scope="module")
def world():
    """A source with classes, one with values, and the true classes of the second."""
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, ROWS)
    values = np.clip(MEANS[classes] + 0.1 * rng.normal(size=(ROWS, 2)), -1, 1)
    inputs = (3.0 * np.eye(3)[classes] + 0.3 * rng.normal(size=(ROWS, 3))).astype(np.float32)
    values[-1, 0] = np.nan
    half = ROWS // 2
    sources = [
        data.from_arrays(inputs[:half], {"kind": classes[:half]}, TASKS),
        data.from_arrays(inputs[half:], {"affect": values[half:]}, TASKS),
    ]
    return sources, values[half:]


@pytest.fixture(scope="module")
def trained(world):
    sources, values = world
    start = overall_moments(values, CLASSES, VALUES)
    coupling = RelationCoupling(
        "affective", "kind", "affect", start, {"moment_matching/conditional": None}, learned=True
    )
    keras.utils.set_random_seed(0)
    backbone = keras.Sequential([keras.Input((3,)), keras.layers.Identity()])
    model = MultiTaskModel(backbone, TASKS, [coupling])
    model.compile(keras.optimizers.Adam(0.2), jit_compile=False)
    scales = []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: scales.append(
            float(model.term_scales["affective_moment_matching"])
        )
    )
    callbacks = [LearnRelatedness(sources, 1, 1, verbose=False), watch]
    batches = data.merge(sources, 48, shares=(1, 1))
    model.fit(batches, epochs=3, verbose=0, callbacks=callbacks, shuffle=False)
    return model, scales


def test_moments_are_off_until_they_are_learned_and_come_near_the_true_ones(trained):
    model, scales = trained
    assert scales == [0, 1, 1]
    found = model.live_relatedness["0"].value()
    np.testing.assert_allclose(found.mean, MEANS, atol=0.2)  # Drawn to their mean.
    assert "Learned during training" in found.citation
    assert unjudged_notices(model, 3) == []


def test_what_is_observed(world, trained):
    sources, values = world
    classes, ids, seen = observe_values(trained[0], sources, trained[0].couplings[0])
    np.testing.assert_allclose(classes.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(ids >= 0, np.arange(ROWS) < ROWS // 2)
    np.testing.assert_allclose(seen[ROWS // 2 :], values, rtol=1e-6)
    assert np.isnan(seen[: ROWS // 2]).all()
