"""The objective of real and virtual rows, against NumPy; who sees virtual rows and who does not."""

import keras
import numpy as np
import pytest

from mtl_dm.losses.virtual import VIRTUAL
from mtl_dm.models import Coupling, MultiTaskModel
from mtl_dm.tasks import Task
from tests.losses import references
from tests.models.cases import EXPRESSION, TABLE, UNITS, coupled_model, random_batch, trunk

ROWS, W_VIRTUAL, W_REAL = 24, 0.7, 1.9
FORMS = [("conditional", "posterior"), ("batch", "posterior_distillation"), ("paper", "paper")]


def with_parts(batch):
    """Every third row is virtual, as few of them annotated as of the first quarter: hardly any."""
    inputs, labels, masks = batch
    virtual = (np.arange(len(inputs)) % 3 == 2).astype(np.float32)
    weights = np.where(virtual > 0, W_VIRTUAL, W_REAL).astype(np.float32)
    return inputs, {**labels, VIRTUAL: virtual}, {**masks, VIRTUAL: weights}


def rows_of(batch, keep):
    return tuple(
        {name: each[keep] for name, each in part.items()} if isinstance(part, dict) else part[keep]
        for part in batch
    )


def objective(model, batch):
    inputs, labels, masks = batch
    return float(model.compute_loss(inputs, labels, model(inputs), masks))


def part_means(logits, labels, masks, keep):
    """Means over some rows of both tasks' losses."""
    e, u = "expression", "action_units"
    known = masks[u].max(axis=1)
    return (
        references.weighted_mean(
            references.cross_entropy(labels[e], logits[e], masks[e])[keep], masks[e][keep]
        ),
        references.weighted_mean(
            references.binary_cross_entropy(labels[u], logits[u], masks[u])[keep], known[keep]
        ),
    )


@pytest.fixture(scope="module")
def uncoupled():
    return coupled_model(couplings=[])


@pytest.mark.parametrize("seed", range(3))
def test_the_objective_is_the_weighted_sum_of_the_means_of_both_parts(uncoupled, seed):
    batch = with_parts(random_batch(ROWS, seed))
    inputs, labels, masks = batch
    # Of the virtual rows hardly any is annotated; they count as a whole all the same.
    masks["expression"][5:23:3] = 0
    virtual = labels[VIRTUAL] > 0
    logits = {name: keras.ops.convert_to_numpy(x) for name, x in uncoupled(inputs).items()}
    want = sum(
        W_VIRTUAL * of_virtual + W_REAL * of_real
        for of_virtual, of_real in zip(
            part_means(logits, labels, masks, virtual),
            part_means(logits, labels, masks, ~virtual),
            strict=True,
        )
    )
    assert objective(uncoupled, batch) == pytest.approx(want, rel=1e-5)


def test_without_an_annotated_virtual_row_the_real_part_is_left(uncoupled):
    inputs, labels, masks = with_parts(random_batch(ROWS))
    real = labels[VIRTUAL] == 0
    bare = {name: (each.T * real).T for name, each in masks.items() if name != VIRTUAL}
    got = objective(uncoupled, (inputs, labels, {**bare, VIRTUAL: masks[VIRTUAL]}))
    labels_alone = {name: each for name, each in labels.items() if name != VIRTUAL}
    alone = objective(uncoupled, (inputs, labels_alone, bare))
    assert got == pytest.approx(W_REAL * alone, rel=1e-5)


@pytest.mark.parametrize("loss", ["squared", "ccc"])
def test_a_loss_of_the_whole_batch_is_computed_part_by_part(loss):
    task = Task.regression("affect", ["valence", "arousal"], loss=loss)
    model = MultiTaskModel(trunk(), [task])
    batch = with_parts(random_batch(ROWS, 1, tasks=[task]))
    parts = []
    for is_virtual in (1, 0):
        inputs, labels, masks = rows_of(batch, batch[1][VIRTUAL] == is_virtual)
        labels.pop(VIRTUAL), masks.pop(VIRTUAL)
        parts.append(objective(model, (inputs, labels, masks)))
    want = W_VIRTUAL * parts[0] + W_REAL * parts[1]
    assert objective(model, batch) == pytest.approx(want, rel=1e-5)
    assert parts[0] != pytest.approx(parts[1])


@pytest.mark.parametrize(("matching", "co_annotation"), FORMS)
@pytest.mark.parametrize("table", [TABLE, TABLE.restrict(TABLE.classes[1:])], ids=["all", "part"])
def test_couplings_see_real_rows_alone(matching, co_annotation, table):
    coupling = Coupling(relatedness=table, matching_form=matching, co_annotation_form=co_annotation)
    model = coupled_model(couplings=[coupling])
    batch = with_parts(random_batch(ROWS, 2))
    inputs, labels, masks = rows_of(batch, batch[1][VIRTUAL] == 0)
    labels.pop(VIRTUAL), masks.pop(VIRTUAL)
    got, alone = (terms_of(model, each) for each in (batch, (inputs, labels, masks)))
    for name in model.coupling_names():
        value, factor = got[name]
        assert value == pytest.approx(alone[name][0], rel=1e-5)
        assert factor == pytest.approx(W_REAL * alone[name][1], rel=1e-5)


def terms_of(model, batch):
    """By name of the term: weighted mean and factor."""
    inputs, labels, masks = batch
    features, extras = model.extract(inputs)
    terms = model.terms(model.context(inputs, features, extras, labels, masks))
    numpy = keras.ops.convert_to_numpy
    return {
        name: (
            references.weighted_mean(numpy(term.values), numpy(term.weights)),
            float(term.factor),
        )
        for name, term in terms.items()
    }


def test_metrics_count_real_rows_alone(uncoupled):
    batch = with_parts(random_batch(ROWS, 3))
    inputs, labels, masks = rows_of(batch, batch[1][VIRTUAL] == 0)
    found = []
    for part in (batch, (inputs, labels, masks)):
        for metric in uncoupled.task_metrics.values():
            metric.reset_state()
        x, y, sample_weight = part
        uncoupled.compute_metrics(x, y, uncoupled(x), sample_weight)
        found.append({name: metric.result() for name, metric in uncoupled.task_metrics.items()})
    keras.tree.map_structure(lambda a, b: np.testing.assert_allclose(a, b), *found)


@pytest.mark.parametrize("part", [1, 2])
def test_the_label_needs_its_weights(uncoupled, part):
    batch = with_parts(random_batch(ROWS))
    batch[part].pop(VIRTUAL)
    with pytest.raises(ValueError, match="'virtual' says which rows"):
        objective(uncoupled, batch)


def test_no_task_may_be_called_as_the_label():
    with pytest.raises(ValueError, match="No task may be called 'virtual'"):
        MultiTaskModel(trunk(), [EXPRESSION, UNITS.replace(name=VIRTUAL)])
