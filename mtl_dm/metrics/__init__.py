"""How well a task is predicted: exact, streaming and mask-aware.

`evaluate` and `Evaluator` measure a whole set in NumPy; `streaming_metric` measures inside
`model.fit`. Both are tested against each other and against scikit-learn.
"""

from mtl_dm.metrics.evaluator import Evaluator, evaluate
from mtl_dm.metrics.main import MAIN_METRICS, main_metric
from mtl_dm.metrics.streaming import streaming_metric
from mtl_dm.metrics.temperature import best_temperature, negative_log_likelihood, probabilities
from mtl_dm.metrics.thresholds import TUNED, best_f1_thresholds, with_tuned

__all__ = [
    "MAIN_METRICS",
    "TUNED",
    "Evaluator",
    "best_f1_thresholds",
    "best_temperature",
    "evaluate",
    "main_metric",
    "negative_log_likelihood",
    "probabilities",
    "streaming_metric",
    "with_tuned",
]
