"""How well a task is predicted: exact, streaming and mask-aware.

`evaluate` and `Evaluator` measure a whole set in NumPy; `streaming_metric` measures inside
`model.fit`. Both are tested against each other and against scikit-learn. `verification_scores`
measures pairs of images.
"""

from mtl_dm.metrics.evaluator import Evaluator, evaluate
from mtl_dm.metrics.main import MAIN_METRICS, main_metric
from mtl_dm.metrics.streaming import streaming_metric
from mtl_dm.metrics.temperature import best_temperature, negative_log_likelihood, probabilities
from mtl_dm.metrics.thresholds import TUNED, best_f1_thresholds, with_tuned
from mtl_dm.metrics.undetected import correct_where_detected, mid_range_where_undetected
from mtl_dm.metrics.verification import DISTANCES, pair_distances, verification_scores
from mtl_dm.metrics.verification_intervals import identity_intervals

__all__ = [
    "DISTANCES",
    "MAIN_METRICS",
    "TUNED",
    "Evaluator",
    "best_f1_thresholds",
    "best_temperature",
    "correct_where_detected",
    "evaluate",
    "identity_intervals",
    "main_metric",
    "mid_range_where_undetected",
    "negative_log_likelihood",
    "pair_distances",
    "probabilities",
    "streaming_metric",
    "verification_scores",
    "with_tuned",
]
