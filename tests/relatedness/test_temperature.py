"""The temperature of the posterior, against brute force and on data of a known model."""

import keras
import numpy as np
import pytest

from mtl_dm.losses import class_posterior
from mtl_dm.relatedness import Relatedness, best_temperature, facs, from_annotations, shrink
from mtl_dm.relatedness.temperature import TEMPERATURES
from tests.losses import references

K, M = 4, 6
CLASSES, ATTRIBUTES = tuple("abcd"), tuple("uvwxyz")


def model(seed=0, prior=True):
    rng = np.random.default_rng(seed)
    conditional = rng.uniform(0.1, 0.9, (K, M))
    return Relatedness(
        CLASSES,
        ATTRIBUTES,
        conditional,
        conditional,
        "model",
        rng.dirichlet(np.full(K, 5.0)) if prior else None,
    )


def sample(relatedness, rows, seed=0):
    """Classes and attributes as the relatedness has them, a third of the attributes missing."""
    rng = np.random.default_rng(seed)
    classes = rng.choice(len(relatedness.classes), rows, p=relatedness.prior)
    likelihood = relatedness.likelihood[classes]
    labels = (rng.random(likelihood.shape) < likelihood).astype(float)
    return classes, labels, (rng.random(labels.shape) < 2 / 3).astype(int)


def mean_log_posterior(classes, labels, mask, relatedness, temperature):
    rows = (classes >= 0) & mask.any(axis=1)
    q = references.class_posterior(
        labels[rows], mask[rows], relatedness.likelihood, relatedness.prior, temperature
    )
    return np.mean(np.log(q[np.arange(rows.sum()), classes[rows]]))


@pytest.mark.parametrize("prior", [True, False])
def test_data_of_the_model_itself_give_1(prior):
    relatedness = model(prior=prior)
    got = best_temperature(*sample(relatedness, 20_000), relatedness)
    assert got == pytest.approx(1.0, abs=0.05)


def twice(relatedness):
    names = (*ATTRIBUTES, *(f"{name} again" for name in ATTRIBUTES))
    conditional = np.concatenate([relatedness.conditional] * 2, axis=1)
    return Relatedness(CLASSES, names, conditional, conditional, "twice", relatedness.prior, None)


@pytest.mark.parametrize("seed", range(3))
def test_attributes_given_twice_double_the_temperature(seed):
    # Their evidence doubles exactly, so that T does.
    relatedness = model(seed)
    classes, labels, mask = sample(relatedness, 2000, seed)
    one = best_temperature(classes, labels, mask, relatedness)
    two = best_temperature(
        classes, np.tile(labels, (1, 2)), np.tile(mask, (1, 2)), twice(relatedness)
    )
    assert two == pytest.approx(2 * one, rel=1e-4)
    assert two == pytest.approx(2.0, abs=0.4)


@pytest.mark.parametrize("seed", range(4))
def test_is_the_best_of_a_grid(seed):
    # The data of one model under the table of another, more or less confident one.
    relatedness = model(seed)
    classes, labels, mask = sample(model(seed + 1 if seed % 2 else seed), 60, seed)
    classes[::7] = -1
    mask[::5] = 0
    got = best_temperature(classes, labels, mask, relatedness)
    best = max(
        mean_log_posterior(classes, labels, mask, relatedness, t)
        for t in np.geomspace(*TEMPERATURES, 400)
    )
    assert mean_log_posterior(classes, labels, mask, relatedness, got) >= best - 1e-7
    assert TEMPERATURES[0] <= got <= TEMPERATURES[1]


def test_is_the_temperature_of_the_losses_posterior():
    relatedness = model()
    classes, labels, mask = sample(relatedness, 200)
    got = best_temperature(classes, labels, mask, relatedness)

    def cost(temperature):
        q = class_posterior(labels, mask, relatedness.likelihood, relatedness.prior, temperature)
        q = keras.ops.convert_to_numpy(q)[np.arange(200), classes]
        return -np.mean(np.log(q)[mask.any(axis=1)])

    assert cost(got) <= min(cost(got * 1.1), cost(got / 1.1))


def test_bounds_are_kept():
    # Two classes told apart without fail, T -> 0; labels against the table, T -> infinity.
    conditional = np.array([[0.9] * 3, [0.1] * 3])
    relatedness = Relatedness(("a", "b"), ("x", "y", "z"), conditional, conditional, "plain")
    labels = np.array([[1, 1, 1], [0, 0, 0]] * 5)
    low = best_temperature([0, 1] * 5, labels, None, relatedness)
    high = best_temperature([1, 0] * 5, labels, None, relatedness)
    assert (low, high) == pytest.approx(TEMPERATURES, rel=1e-3)
    assert TEMPERATURES[0] <= low
    assert high <= TEMPERATURES[1]


def test_attributes_that_say_nothing_leave_1():
    conditional = np.full((2, 3), 0.4)
    relatedness = Relatedness(("a", "b"), ("x", "y", "z"), conditional, conditional, "plain")
    labels = np.random.default_rng(0).integers(0, 2, (20, 3))
    assert best_temperature(np.arange(20) % 2, labels, None, relatedness) == 1.0


def test_the_order_of_images_and_what_is_missing_do_not_matter():
    relatedness = model()
    classes, labels, mask = sample(relatedness, 100)
    want = best_temperature(classes, labels, mask, relatedness)
    order = np.random.default_rng(1).permutation(100)
    got = best_temperature(classes[order], labels[order], mask[order], relatedness)
    assert got == pytest.approx(want, rel=1e-5)
    spoilt = np.where(mask == 1, labels, np.nan)
    assert best_temperature(classes, spoilt, None, relatedness) == want
    more = np.append(classes, [-1, 0]), np.vstack([labels, np.ones((2, M))])
    mask = np.vstack([mask, np.ones(M, int), np.zeros(M, int)])  # no class; no attribute
    assert best_temperature(*more, mask, relatedness) == want


# --- leave one out -------------------------------------------------------------------------------


def leave_one_out_by_loop(classes, labels, mask, temperature, prior):
    """Each image against a table counted on all others, the prior that of all."""
    logs = []
    for n in range(len(classes)):
        if classes[n] < 0 or not mask[n].any():
            continue
        rest = np.arange(len(classes)) != n
        likelihood = np.zeros((K, M))
        for k in range(K):
            # Only the image's own class loses it.
            seen = mask[rest & (classes == k)]
            active = (labels[rest & (classes == k)] * seen).sum(axis=0)
            likelihood[k] = np.clip((active + 1) / (seen.sum(axis=0) + 2), 0.02, 0.98)
        q = references.class_posterior(labels[[n]], mask[[n]], likelihood, prior, temperature)
        logs.append(np.log(q[0, classes[n]]))
    return np.mean(logs)


@pytest.mark.parametrize("seed", range(3))
def test_leave_one_out_equals_counting_without_each_image(seed):
    classes, labels, mask = sample(model(seed), 50, seed)
    classes[:K], mask[:K] = np.arange(K), 1  # every pair is counted
    relatedness = from_annotations(classes, labels, mask, classes=CLASSES, attributes=ATTRIBUTES)
    got = best_temperature(classes, labels, mask, relatedness, leave_one_out=True)

    def quality(temperature):
        return leave_one_out_by_loop(classes, labels, mask, temperature, relatedness.prior)

    grid = np.geomspace(*TEMPERATURES, 60)
    assert quality(got) >= max(quality(t) for t in grid) - 1e-6
    # On the images it was counted on, a table seems surer than it is.
    assert got > best_temperature(classes, labels, mask, relatedness)


def test_leave_one_out_of_a_shrunk_relatedness_keeps_the_pseudo_images():
    classes, labels, mask = sample(model(), 50)
    classes[:K], mask[:K] = np.arange(K), 1
    counted = from_annotations(classes, labels, mask, classes=CLASSES, attributes=ATTRIBUTES)
    strong = shrink(counted, model(), 1e5)
    got = best_temperature(classes, labels, mask, strong, leave_one_out=True)
    assert got == pytest.approx(best_temperature(classes, labels, mask, strong), rel=1e-2)


def test_leave_one_out_of_many_images_changes_little():
    classes, labels, mask = sample(model(), 5000)
    counted = from_annotations(classes, labels, mask, classes=CLASSES, attributes=ATTRIBUTES)
    one = best_temperature(classes, labels, mask, counted)
    two = best_temperature(classes, labels, mask, counted, leave_one_out=True)
    assert one < two < one * 1.05


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("classes", "mask"), [([-1, -1], np.ones((2, M))), ([0, 1], np.zeros((2, M))), ([], None)]
)
def test_no_co_annotated_image_is_refused(classes, mask):
    labels = np.ones((len(classes), M))
    with pytest.raises(ValueError, match="No image has both a class and an annotated attribute"):
        best_temperature(np.array(classes, int), labels, mask, model())


def test_images_apart_for_each_task_are_refused():
    with pytest.raises(ValueError, match="No image has both"):
        best_temperature([0, -1], [[-1] * M, [1] * M], None, model())


def test_leave_one_out_needs_counts():
    with pytest.raises(ValueError, match="this one has no counts"):
        best_temperature([0], np.ones((1, 17)), None, facs(), leave_one_out=True)


def test_leave_one_out_needs_counts_of_these_images():
    labels = np.array([[1.0] * M] * K)
    counted = from_annotations(np.arange(K), labels, classes=CLASSES, attributes=ATTRIBUTES)
    with pytest.raises(ValueError, match="counted on these very images"):
        best_temperature(np.arange(K), 1 - labels, None, counted, leave_one_out=True)


def test_a_class_of_prior_0_that_occurs_is_named():
    conditional = np.full((2, 1), 0.4)
    relatedness = Relatedness(("a", "b"), ("x",), conditional, conditional, "odd", [1.0, 0.0])
    with pytest.raises(ValueError, match=r"classes \['b'\] prior 0, but they occur"):
        best_temperature([0, 1], [[1], [0]], None, relatedness)
    # One that does not occur is no reason to stop.
    assert best_temperature([0, 0], [[1], [0]], None, relatedness) > 0


def test_bad_arrays_are_refused_as_by_from_annotations():
    with pytest.raises(ValueError, match=r"class_labels must lie in \[-1, 3\], got 4"):
        best_temperature([K], np.ones((1, M)), None, model())
    with pytest.raises(ValueError, match="attribute_mask must be 0 or 1"):
        best_temperature([0], np.ones((1, M)), np.full((1, M), 2), model())
