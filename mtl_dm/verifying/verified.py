"""What verifying pairs found: every pair judged, and the metrics with their intervals.

Shapes: P pairs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from mtl_dm.data import Pairs
from mtl_dm.metrics import identity_intervals, verification_scores
from mtl_dm.metrics.verification import checked_kinds
from mtl_dm.metrics.verification_folds import FoldAccuracies, fold_accuracies
from mtl_dm.metrics.verification_roc import Roc, roc


@dataclasses.dataclass(frozen=True, eq=False)
class Verified:
    """Pairs that were judged, each at the threshold of the folds that it is not in.

    Attributes:
        pairs: The pairs.
        distances: [P].
        thresholds: The largest distance that is accepted, by pair, [P].
        scores: Metrics by name.
        intervals: Their 95% intervals; empty where it is not known who is on the images.
        folds: Accuracy and threshold by fold.
        curve: The ROC of all pairs.
    """

    pairs: Pairs
    distances: np.ndarray
    thresholds: np.ndarray
    scores: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    folds: FoldAccuracies
    curve: Roc

    @property
    def accepted(self) -> np.ndarray:
        """Whether a pair was taken for one person, bool [P]."""
        return np.asarray(self.distances <= self.thresholds)

    def wrong(self, same: bool) -> np.ndarray:
        """Return the places of pairs of one kind that were judged wrong, the worst ones first.

        Args:
            same: Those of one person that were rejected; else those of two that were accepted.
        """
        wrong = (self.pairs.same == same) & (self.accepted != same)
        # Relative to the threshold: the folds' thresholds differ little, but they do.
        off = np.abs(self.distances - self.thresholds)
        order = np.argsort(-off, kind="stable")
        return order[wrong[order]]


def require_judgeable(pairs: Pairs) -> None:
    """Check, before there are distances, that `verified` can judge pairs.

    Raises:
        ValueError: As for `verified`.
    """
    checked_kinds(pairs.same, pairs.fold)
    if pairs.identities is not None:
        pairs.people()


def verified(pairs: Pairs, distances: np.ndarray, draws: int, seed: int = 0) -> Verified:
    """Judge pairs by their distances.

    Args:
        pairs: In at least two folds, of both kinds.
        distances: [P].
        draws: For the intervals.
        seed: Of these draws.

    Raises:
        ValueError: As for `verification_scores` and `identity_intervals`.
    """
    arrays = (distances, pairs.same, pairs.fold)
    scores, folds = verification_scores(*arrays), fold_accuracies(*arrays)
    intervals: Mapping[str, tuple[float, float]] = {}
    if pairs.identities is not None:
        intervals = identity_intervals(*arrays, pairs.people(), draws=draws, seed=seed)
    return Verified(
        pairs,
        distances,
        folds.threshold[np.searchsorted(folds.fold, pairs.fold)],
        scores,
        intervals,
        folds,
        roc(distances, pairs.same),
    )
