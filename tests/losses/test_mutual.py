"""Parts that teach each other, against SciPy and by hand."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import rel_entr, softmax

from mtl_dm.losses.mutual import mutual_class_distillation, mutual_value_distillation


@pytest.mark.parametrize(("parts", "temperature"), [(2, 1.0), (3, 4.0)])
def test_classes_equal_the_reference(parts, temperature):
    logits = np.random.default_rng(0).normal(0, 3, (4, parts, 5))
    p = softmax(logits / temperature, axis=-1)
    pairs = [(t, s) for t in range(parts) for s in range(parts) if t != s]
    want = np.mean([rel_entr(p[:, t], p[:, s]).sum(axis=-1) for t, s in pairs], axis=0)
    got = mutual_class_distillation(logits, temperature)
    assert got.dtype == "float32"
    np.testing.assert_allclose(got, temperature**2 * want, rtol=1e-4)


def test_values_by_hand():
    # Differences 1 and 3: (1 + 9) / 2 labels / 2, the same both ways.
    outputs = np.array([[[0.0, 1.0], [1.0, 4.0]]])
    np.testing.assert_allclose(mutual_value_distillation(outputs), [2.5])


@pytest.mark.parametrize("loss", [mutual_class_distillation, mutual_value_distillation])
def test_no_gradient_reaches_the_teacher(loss):
    """With one part held, the other's gradient is as if the first were a constant target."""
    logits = tf.constant([[[2.0, -1.0, 0.5], [0.0, 0.5, 1.0]]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = loss(logits)
    got = tape.gradient(value, logits).numpy()[0]
    if loss is mutual_class_distillation:
        # d KL(q || softmax(z)) / dz = softmax(z) - q, over the two pairs.
        p = softmax(logits.numpy()[0], axis=-1)
        want = [(p[0] - p[1]) / 2, (p[1] - p[0]) / 2]
    else:
        gap = logits.numpy()[0, 0] - logits.numpy()[0, 1]
        want = [gap / 3 / 2, -gap / 3 / 2]
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-7)


def test_one_part_alone_has_no_teacher():
    with pytest.raises(ValueError, match=r"two parts .* got logits \(2, 1, 3\)"):
        mutual_class_distillation(np.zeros((2, 1, 3), np.float32))


def test_bad_temperature():
    with pytest.raises(ValueError, match=r"temperature must be > 0, got 0"):
        mutual_class_distillation(np.zeros((2, 2, 3), np.float32), 0.0)
