"""Centre loss and its centres, against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.losses.centres import centre_loss, moved_centres

RNG = np.random.default_rng(0)
EMBEDDINGS = RNG.normal(size=(6, 3)).astype(np.float32)
CENTRES = RNG.normal(size=(4, 3)).astype(np.float32)
CLASSES = np.array([0, 2, 2, 0, 1, 2])
LABELS = np.eye(4, dtype=np.float32)[CLASSES]


@pytest.mark.parametrize("form", ["squared", "norm"])
def test_the_distance_to_the_own_centre(form):
    far = np.linalg.norm(EMBEDDINGS - CENTRES[CLASSES], axis=1)
    want = far**2 / 2 if form == "squared" else far
    np.testing.assert_allclose(centre_loss(EMBEDDINGS, CENTRES, LABELS, form), want, rtol=1e-5)


@pytest.mark.parametrize("form", ["squared", "norm"])
def test_centres_are_constants_and_a_centre_itself_has_no_gradient(form):
    embeddings, centres = tf.constant(EMBEDDINGS), tf.constant(CENTRES)
    embeddings = tf.tensor_scatter_nd_update(embeddings, [[0]], CENTRES[:1])
    with tf.GradientTape() as tape:
        tape.watch([embeddings, centres])
        total = tf.reduce_sum(centre_loss(embeddings, centres, tf.constant(LABELS), form))
    by_embedding, by_centre = tape.gradient(total, [embeddings, centres])
    assert by_centre is None
    np.testing.assert_allclose(by_embedding[0], 0, atol=1e-6)
    away = EMBEDDINGS[1] - CENTRES[2]
    want = away if form == "squared" else away / np.linalg.norm(away)
    np.testing.assert_allclose(by_embedding[1], want, rtol=1e-4)


def test_centres_move_towards_the_mean_of_their_images():
    weights = np.array([1, 1, 0, 2, 0, 1], np.float32)
    found = moved_centres(CENTRES, EMBEDDINGS, LABELS, weights, 0.25)
    want = CENTRES.copy()
    want[0] += 0.25 * (EMBEDDINGS[[0, 3]].mean(axis=0) - CENTRES[0])
    want[2] += 0.25 * (EMBEDDINGS[[1, 5]].mean(axis=0) - CENTRES[2])
    np.testing.assert_allclose(found, want, rtol=1e-5, atol=1e-6)
    # Classes without an image stay, to the bit.
    np.testing.assert_array_equal(np.asarray(found)[[1, 3]], CENTRES[[1, 3]])


def test_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match=r"must be one of \('squared', 'norm'\), got 'cosine'"):
        centre_loss(EMBEDDINGS, CENTRES, LABELS, "cosine")
    with pytest.raises(ValueError, match=r"labels must have shape \(6, 4\), got \(6, 3\)"):
        centre_loss(EMBEDDINGS, CENTRES, LABELS[:, :3])
