"""What learning a relatedness looks at."""

import keras
import numpy as np
import pytest
from scipy.special import expit, softmax

from mtl_dm import data, processes
from mtl_dm.models import Coupling
from mtl_dm.training.observing import observe
from tests.models.cases import ATTRIBUTES, CLASSES, EXPRESSION, TABLE, UNITS, coupled_model

IMAGES = 10
PART = TABLE.restrict(["sadness", "happiness"], ["AU12", "AU1"])


def sources():
    """Classes 0 to 3 in turn, the last without one; attributes of other images, partly."""
    rng = np.random.default_rng(0)
    faces = rng.normal(size=(2 * IMAGES, 3)).astype(np.float32)
    classes = np.arange(IMAGES) % 4
    classes[-1] = -1
    attributes = rng.integers(-1, 2, (IMAGES, 5))
    arrays = faces, classes, attributes
    tasks = (EXPRESSION, UNITS)
    return arrays, [
        data.from_arrays(faces[:IMAGES], {"expression": classes}, tasks),
        data.from_arrays(faces[IMAGES:], {"action_units": attributes}, tasks),
    ]


def observed_by(count, monkeypatch, *arguments, **options):
    """Return what one of so many processes ends up with: each looks, and then they exchange."""
    monkeypatch.setattr(processes, "count", lambda: count)
    seen = []
    for index in range(count):
        own = []
        monkeypatch.setattr(processes, "index", lambda index=index: index)
        monkeypatch.setattr(
            processes, "gathered", lambda rows, own=own: [own.append(rows) or rows[:0]] * count
        )
        observe(*arguments, **options)
        seen.append(own)
    exchanges = iter(zip(*seen, strict=True))
    monkeypatch.setattr(processes, "gathered", lambda rows: next(exchanges))
    return observe(*arguments, **options)


@pytest.fixture
def model():
    return coupled_model()


@pytest.mark.parametrize("count", [1, 2, 3, 12])  # Of twelve processes two have no image.
def test_labels_and_predictions(model, count, monkeypatch):
    (faces, classes, attributes), parts = sources()
    logits = model(faces)
    seen = observed_by(count, monkeypatch, model, parts, Coupling(relatedness=TABLE), batch_size=3)
    np.testing.assert_array_equal(seen.class_labels, [*classes, *[-1] * IMAGES])
    np.testing.assert_array_equal(seen.attribute_labels[:IMAGES], -1.0)
    np.testing.assert_array_equal(seen.attribute_labels[IMAGES:], attributes)
    want = softmax(keras.ops.convert_to_numpy(logits["expression"]), axis=1)
    np.testing.assert_allclose(seen.classes, want, rtol=1e-4)
    want = expit(keras.ops.convert_to_numpy(logits["action_units"]))
    np.testing.assert_allclose(seen.attributes, want, rtol=1e-4)


def test_labels_that_the_relatedness_names_alone(model):
    (faces, classes, attributes), parts = sources()
    seen = observe(model, parts, Coupling(relatedness=PART))
    # Labelled as neutral (0) or fear (3) an image is of neither class: it is left out.
    kept = np.isin(classes, [1, 2, -1])
    names = {CLASSES.index("sadness"): 0, CLASSES.index("happiness"): 1, -1: -1}
    np.testing.assert_array_equal(
        seen.class_labels, [*(names[k] for k in classes[kept]), *[-1] * IMAGES]
    )
    columns = [ATTRIBUTES.index(name) for name in PART.attributes]
    np.testing.assert_array_equal(seen.attribute_labels[kept.sum() :], attributes[:, columns])
    logits = keras.ops.convert_to_numpy(model(faces)["expression"])
    want = softmax(logits[:, [2, 1]], axis=1)[np.append(kept, np.ones(IMAGES, bool))]
    np.testing.assert_allclose(seen.classes, want, rtol=1e-4)
    assert seen.attributes.shape == seen.attribute_labels.shape


@pytest.mark.parametrize(("limit", "images"), [(3, 3), (4, 4), (5, 5), (9, 5), (10, 10), (99, 10)])
def test_of_a_large_source_every_nth_image_is_taken(model, limit, images):
    (_, classes, _), parts = sources()
    seen = observe(model, parts[:1], Coupling(relatedness=TABLE), limit=limit)
    assert len(seen.class_labels) == images <= limit
    np.testing.assert_array_equal(seen.class_labels, classes[:: -(-IMAGES // limit)])
