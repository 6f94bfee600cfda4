"""Metrics inside `model.fit`, written with `keras.ops`: one file for each kind of task."""

from mtl_dm.metrics.streaming import multiclass, multilabel, regression  # noqa: F401 (they register)
from mtl_dm.metrics.streaming.base import STREAMING_METRICS, TaskMetric, streaming_metric

__all__ = ["STREAMING_METRICS", "TaskMetric", "streaming_metric"]
