"""The Keras metrics, against `evaluate`."""

import json

import keras
import numpy as np
import pytest

from mtl_dm.metrics import evaluate, streaming_metric
from mtl_dm.metrics.streaming import STREAMING_METRICS
from mtl_dm.tasks import Task
from tests.metrics.cases import AFFECT, EXPRESSION, TASKS, UNITS, batches, random_set

per_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.kind)
KEYS = {
    "multiclass": ("accuracy", "average_accuracy", "f1"),
    "multilabel": ("accuracy", "f1", "afa"),
    "regression": ("ccc", "rmse", "pearson", "sign_agreement"),
}


def values(metric):
    return {key: float(value) for key, value in metric.result().items()}


def expected(task, *arrays):
    result = evaluate(task, *arrays)
    return {f"{task.name}_{key}": result[key] for key in KEYS[task.kind]}


@per_task
@pytest.mark.parametrize("size", [1, 7, 64, 300])
def test_equals_evaluate_whatever_the_batch_size(task, size):
    arrays = random_set(task, 70 if size == 1 else 300)
    metric = streaming_metric(task)
    for batch in batches(arrays, size):
        metric.update_state(*batch)
    assert values(metric) == pytest.approx(expected(task, *arrays), rel=2e-6)


@per_task
def test_zero_before_any_annotation_and_after_reset(task):
    labels, scores, mask = random_set(task, 10)
    zero = {f"{task.name}_{key}": 0.0 for key in KEYS[task.kind]}
    metric = streaming_metric(task)
    assert values(metric) == zero
    metric.update_state(labels, scores, 0 * mask)
    assert values(metric) == zero
    metric.update_state(labels, scores, mask)
    assert values(metric) != zero
    metric.reset_state()
    assert values(metric) == zero


@per_task
def test_batch_without_annotation_leaves_the_result_unaffected(task):
    labels, scores, mask = random_set(task, 30)
    metric = streaming_metric(task)
    metric.update_state(labels, scores, mask)
    before = values(metric)
    metric.update_state(np.full_like(labels, np.nan), np.full_like(scores, np.nan), 0 * mask)
    assert values(metric) == before


@per_task
def test_without_mask_everything_counts(task):
    labels, scores, mask = random_set(task, 30, annotated=1.0)
    metric = streaming_metric(task)
    metric.update_state(labels, scores)
    assert values(metric) == pytest.approx(expected(task, labels, scores, mask), rel=2e-6)


@per_task
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_scores(task, dtype):
    labels, scores, mask = random_set(task, 200)
    half = keras.ops.cast(scores, dtype)
    metric = streaming_metric(task)
    metric.update_state(labels, half, mask)
    same = keras.ops.convert_to_numpy(keras.ops.cast(half, "float32"))
    assert values(metric) == pytest.approx(expected(task, labels, same, mask), rel=2e-6)


@per_task
def test_extreme_half_precision_scores_stay_finite(task):
    labels, scores, mask = random_set(task, 50)
    metric = streaming_metric(task)
    metric.update_state(labels, np.where(scores > 0, 1e4, -1e4).astype(np.float16), mask)
    assert np.isfinite(list(values(metric).values())).all()


@per_task
def test_state_is_float32_or_integer_under_a_half_precision_policy(task):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        metric = streaming_metric(task)
    finally:
        keras.config.set_dtype_policy(before)
    assert {str(variable.dtype) for variable in metric.variables} <= {"float32", "int32", "int64"}
    assert all(variable.aggregation == "sum" for variable in metric.variables)


@per_task
def test_state_summed_over_replicas_is_the_state_of_all(task):
    # The shards differ in their means, as sorted data does.
    arrays = random_set(task, 200)
    order = np.argsort(arrays[1][:, 0])
    arrays = tuple(array[order] for array in arrays)
    replicas = []
    for shard in batches(arrays, 70):
        replicas.append(streaming_metric(task))
        for batch in batches(shard, 16):
            replicas[-1].update_state(*batch)
    together = streaming_metric(task)
    for total, *parts in zip(together.variables, *(r.variables for r in replicas), strict=True):
        total.assign(sum(part + 0 for part in parts))
    assert values(together) == pytest.approx(expected(task, *arrays), rel=1e-5)


def test_counts_grow_beyond_two_to_the_24():
    metric = streaming_metric(UNITS)
    metric.counts.assign(np.full((4, 3), 2**24))
    metric.update_state(np.ones((1, 3)), np.ones((1, 3)), np.ones((1, 3)))
    counts = keras.ops.convert_to_numpy(metric.counts + 0)
    assert (counts == 2**24 + 1).all()


def test_ccc_far_from_zero_is_accurate_in_float32():
    labels, scores, mask = random_set(AFFECT, 640)
    labels, scores = labels + 1000, scores + 1000
    metric = streaming_metric(AFFECT)
    for batch in batches((labels, scores, mask), 64):
        metric.update_state(*batch)
    assert values(metric) == pytest.approx(expected(AFFECT, labels, scores, mask), rel=1e-3)


def test_ccc_of_one_constant_is_zero():
    metric = streaming_metric(AFFECT)
    for size in (3, 7, 64):
        constant = np.full((size, 2), 0.1, np.float32)
        metric.update_state(constant, constant)
    found = values(metric)
    assert (found["valence_arousal_ccc"], found["valence_arousal_pearson"]) == (0.0, 0.0)
    assert (found["valence_arousal_rmse"], found["valence_arousal_sign_agreement"]) == (0.0, 1.0)


@per_task
def test_config_round_trips_through_json(task):
    metric = streaming_metric(task)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(metric)))
    copy = keras.saving.deserialize_keras_object(config)
    assert type(copy) is type(metric)
    assert copy.task == task
    assert copy.name == metric.name
    arrays = random_set(task, 20)
    metric.update_state(*arrays)
    copy.update_state(*arrays)
    assert values(copy) == values(metric)


@pytest.mark.parametrize(
    ("task", "shapes", "message"),
    [
        (UNITS, ((2, 4), (2, 3), (2, 3)), r"y_true must have shape \('B', 3\), got \(2, 4\)"),
        (UNITS, ((2, 3), (2, 1), (2, 3)), r"y_pred must have shape \('B', 3\), got \(2, 1\)"),
        (UNITS, ((2, 3), (2, 3), (2,)), r"sample_weight must have shape \('B', 3\), got \(2,\)"),
        (EXPRESSION, ((2, 4), (2, 4), (2, 1)), r"sample_weight must have shape \('B',\)"),
    ],
)
def test_bad_shapes(task, shapes, message):
    with pytest.raises(ValueError, match=message):
        streaming_metric(task).update_state(*(np.ones(shape, np.float32) for shape in shapes))


def test_every_kind_has_a_metric():
    assert set(STREAMING_METRICS) == {task.kind for task in TASKS}


class TwoHeads(keras.Model):
    """The least model that streams metrics of dict outputs, as a multi-task model does."""

    def __init__(self, tasks):
        super().__init__()
        self.heads = {task.name: keras.layers.Dense(task.size) for task in tasks}
        self.streams = {task.name: streaming_metric(task) for task in tasks}

    def call(self, inputs):
        return {name: head(inputs) for name, head in self.heads.items()}

    def compute_loss(self, x, y, y_pred, sample_weight, training=True):
        return sum(keras.ops.mean(keras.ops.square(logits)) for logits in y_pred.values())

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        for name, metric in self.streams.items():
            metric.update_state(y[name], y_pred[name], sample_weight[name])
        return self.get_metrics_result()


def test_inside_fit_and_evaluate():
    tasks = (EXPRESSION, UNITS, AFFECT)
    arrays = {task.name: random_set(task, 20) for task in tasks}
    x = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    y = {name: labels for name, (labels, _, _) in arrays.items()}
    mask = {name: mask for name, (_, _, mask) in arrays.items()}
    model = TwoHeads(tasks)
    model.compile(optimizer="sgd", jit_compile=False)
    history = model.fit(x, y, sample_weight=mask, batch_size=6, verbose=0).history
    logs = model.evaluate(x, y, sample_weight=mask, batch_size=7, verbose=0, return_dict=True)
    logits = model.predict_on_batch(x)
    for task in tasks:
        wanted = expected(task, y[task.name], logits[task.name], mask[task.name])
        assert set(wanted) <= set(history)
        assert {key: logs[key] for key in wanted} == pytest.approx(wanted, rel=1e-5, abs=1e-7)


@per_task
def test_the_state_grows_with_the_labels_not_with_their_square(task):
    many = Task(task.name, task.kind, tuple(map(str, range(1000))))
    for variable in streaming_metric(many).variables:
        assert np.prod(variable.shape) <= 10 * 1000
