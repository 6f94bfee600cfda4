"""The sums of the gradient gate against NumPy, and what an opening has to be like."""

import numpy as np
import pytest
from keras import ops

from mtl_dm.losses import confirmation
from mtl_dm.losses.confirmation import Evidence

RNG = np.random.default_rng(0)


def evidence_of(u, v, w):
    found = Evidence(*[ops.zeros(())] * len(Evidence._fields))
    for step in zip(u, v, w, strict=True):
        found = confirmation.with_step(found, *(ops.convert_to_tensor(np.float32(x)) for x in step))
    return found


def opened(u, v, w):
    return float(confirmation.opening(evidence_of(u, v, w)))


def kept_open(u, v, w):
    return float(confirmation.remaining(evidence_of(u, v, w)))


def reference(u, v, length, share=0.0):
    """The equations of the docstrings in float64: the standing and the ratio of confirmations."""
    forget = [confirmation.KEPT ** np.arange(k)[::-1] for k in range(len(v))]
    own = [np.average(v[: len(f)], weights=f) if len(f) else v[0] for f in forget]
    w = length * np.maximum(own, 0) ** 2
    worth = w.sum() ** 2 / np.sum(w**2)
    mean = np.average(u, weights=w)
    error = np.sqrt(np.sum(w**2 * (u - mean) ** 2) / (1 - 1 / worth)) / w.sum()
    least = share * max(np.average(v, weights=w), 0)
    return (mean - least) / error, np.clip(np.sum(w * u) / np.sum(w * v), 0, 1)


def ramp(z):
    low, high = confirmation.CLOSED_BELOW, confirmation.OPEN_ABOVE
    return np.clip((z - low) / (high - low), 0, 1)


def until_confirmed(u, v, length):
    z, rho = reference(u, v, length)
    return ramp(z) * rho


def steps(u, v=0.1, noise=0.1, count=30, seed=0):
    rng = np.random.default_rng(seed)
    us, vs = (rng.normal(mean, noise, count) for mean in (u, v))
    return us, vs, rng.uniform(0.5, 2.0, count)


@pytest.mark.parametrize("seed", range(6))
def test_the_opening_is_that_of_the_equations(seed):
    said = steps(0.06, seed=seed)
    np.testing.assert_allclose(opened(*said), until_confirmed(*said), atol=1e-3)


@pytest.mark.parametrize("mean", [-0.12, -0.06, -0.03, -0.01, 0.06])
def test_what_remains_is_that_of_the_equations(mean):
    said = steps(mean, seed=3)
    z, _ = reference(*said, share=0.1)
    np.testing.assert_allclose(kept_open(*said), 1 - ramp(-z), atol=1e-3)
    assert opened(*said) <= kept_open(*said)


def test_what_labels_have_confirmed_stays_open_until_other_images_refute_it():
    assert kept_open([], [], []) == kept_open([-0.9] * 4, [0.9] * 4, [1.0] * 4) == 1
    assert kept_open(*steps(0.0, noise=0.3)) > 0.9, "chance alone refutes nothing"
    assert kept_open(*steps(-0.1)) == 0
    # As good as chance is refuted only where a right table would long have been confirmed.
    clear = steps(0.0, v=0.3, noise=0.02, count=100)
    assert (opened(*clear), kept_open(*clear)) == (0, 0)
    u, v, w = steps(-0.1, noise=0.02, count=400)
    assert kept_open(u, -np.abs(v), w) == 1, "images that are memorised refute nothing"


def test_it_does_not_depend_on_the_units_of_the_gradient():
    drawn = (steps(0.05, seed=seed) for seed in range(50))
    said = next(each for each in drawn if 0.1 < until_confirmed(*each) < 0.9)
    u, v, w = said
    for factor in (1e-4, 1e3):
        np.testing.assert_allclose(opened(u, v, factor * w), until_confirmed(*said), rtol=1e-2)


def test_a_wrong_direction_stays_closed_and_a_confirmed_one_opens_as_far_as_the_task_does():
    assert opened(*steps(-0.1)) == 0
    u, v, w = steps(0.1, noise=0.01)
    assert opened(u, v, w) == pytest.approx(until_confirmed(u, v, w), abs=1e-3)
    assert opened(u, 2 * v, w) == pytest.approx(0.5, abs=0.05)


def test_it_starts_closed():
    assert opened([], [], []) == 0
    few = int(confirmation.LEAST_STEPS) - 1
    for count, want in ((few, 0), (few + 2, 1)):
        assert opened([0.9] * count, [0.9] * count, [1.0] * count) == pytest.approx(want, abs=1e-4)


def test_images_that_confirm_nothing_judge_nothing():
    u, v, w = steps(0.1, noise=0.02)
    memorised = np.full(400, -0.03), np.full(400, -0.02), np.full(400, 1.0)
    both = [np.concatenate(pair) for pair in zip((u, v, w), memorised, strict=True)]
    assert opened(*both) > 0.5
    both[1][30:] = 0.1  # They confirm the task, so they count.
    assert opened(*both) == 0


def test_discounted_evidence_is_that_of_smaller_weights():
    # v is constant, so that its running mean is, whatever came before.
    u, v, w = steps(0.05, noise=0.05)
    v[:] = 0.1
    first = confirmation.discounted(evidence_of(u[:20], v[:20], w[:20]), 0.25)
    whole = evidence_of(u, v, np.concatenate([0.25 * w[:20], w[20:]]))
    for k in range(20, 30):
        first = confirmation.with_step(
            first, *(ops.convert_to_tensor(np.float32(x[k])) for x in (u, v, w))
        )
    np.testing.assert_allclose(first, whole, rtol=1e-4)
    assert float(confirmation.opening(confirmation.discounted(whole, 0.0))) == 0


def test_features_are_centred_over_the_images_that_count():
    features = RNG.normal(3, 1, (6, 4)).astype(np.float32)
    np.testing.assert_allclose(
        confirmation.centred(features), features - features.mean(0), atol=1e-6
    )
    counted = np.array([1, 1, 0, 1, 0, 1], np.float32)
    features[2] = np.inf
    seen = np.array(confirmation.centred(features, counted))
    assert not seen[[2, 4]].any()
    rows = counted > 0
    np.testing.assert_allclose(seen[rows], features[rows] - features[rows].mean(0), atol=1e-6)


def test_a_head_gradient_is_blind_to_what_all_images_share():
    features = RNG.normal(size=(6, 4)).astype(np.float32)
    at_logits = RNG.normal(size=(6, 3)).astype(np.float32)
    centred = np.array(confirmation.centred(features))
    found = np.array(confirmation.head_gradients(centred, at_logits))
    np.testing.assert_allclose(found, at_logits.T @ centred, atol=1e-5)
    # A gradient that is the same on every image moves the marginals alone.
    moved = confirmation.head_gradients(centred, at_logits + 5)
    np.testing.assert_allclose(moved, found, atol=1e-4)


def test_gradients_are_compared_by_their_cosines():
    rows = RNG.normal(size=(2, 4, 12)).astype(np.float32)
    rows[1, 1] = 0  # This head has no coupling yet.
    found = confirmation.compared(rows @ rows.transpose(0, 2, 1))
    last_own, last_coupled, own, coupled = rows[0].astype(float)

    def cosine(one, other):
        return np.sum(one * other) / np.linalg.norm(one) / np.linalg.norm(other)

    np.testing.assert_allclose(found.u, [cosine(last_coupled, own), 0], rtol=1e-5)
    np.testing.assert_allclose(found.v[0], cosine(last_own, own), rtol=1e-5)
    np.testing.assert_allclose(found.own[0], np.linalg.norm(own), rtol=1e-5)
    np.testing.assert_allclose(found.coupled[0], np.linalg.norm(coupled), rtol=1e-5)
    assert list(np.array(found.judged)) == [True, False]
    assert not np.any(found.unasked)
    rows[0, [0, 2]] = 0
    assert list(np.array(confirmation.compared(rows @ rows.transpose(0, 2, 1)).unasked)) == [
        True, False,
    ]  # fmt: skip


def test_shapes_are_checked():
    with pytest.raises(ValueError, match="features"):
        confirmation.centred(np.zeros((2, 3, 4), np.float32))
    with pytest.raises(ValueError, match="gradient at the logits"):
        confirmation.head_gradients(np.zeros((2, 3), np.float32), np.zeros((3, 4), np.float32))
