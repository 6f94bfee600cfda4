"""What a face does: action units, valence and arousal given an expression.

The action units follow Table 1 of the paper (`mtl_dm.relatedness.facs`), but only roughly, as in
life: each seed perturbs the table, every action unit is active now and then without a reason,
and action units of one muscle group come together.
"""

from __future__ import annotations

import dataclasses
import functools
from statistics import NormalDist

import numpy as np

from mtl_dm.relatedness import Relatedness, facs
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS

ACTIVE = 0.2
"""An action unit is labelled active where its intensity is above this."""

_PROTOTYPICAL = 0.9  # P(active | expression) where Table 1 has weight 1, before the perturbation
_BACKGROUND = (0.02, 0.12)  # range of P(active | expression) where Table 1 has nothing
_SPREAD = 0.5  # standard deviation of the perturbation, in logits
_FAINT = 0.3  # share of inactive action units that still move a little, below the threshold

# Correlation of the normal scores behind two action units, given the expression.
_TOGETHER = {
    (1, 2): 0.6, (6, 12): 0.6, (25, 26): 0.5, (4, 7): 0.3, (9, 10): 0.4, (15, 17): 0.4,
    (23, 24): 0.3, (6, 7): 0.3, (2, 5): 0.3, (4, 9): 0.3, (10, 11): 0.3,
    (24, 25): -0.7, (24, 26): -0.5, (12, 15): -0.5, (17, 26): -0.4, (5, 7): -0.4, (23, 25): -0.3,
}  # fmt: skip

# Valence and arousal of a full-blown expression, on Russell's circumplex.
_CIRCUMPLEX = {
    "neutral": (0.0, 0.0), "happiness": (0.75, 0.35), "sadness": (-0.70, -0.35),
    "fear": (-0.55, 0.70), "anger": (-0.60, 0.60), "surprise": (0.15, 0.75),
    "disgust": (-0.70, 0.25),
}  # fmt: skip
_CENTRES = np.array([_CIRCUMPLEX[name] for name in EXPRESSIONS])
# What an action unit at full intensity adds to (valence, arousal).
_PULLS = {"AU5": (0.0, 0.12), "AU12": (0.12, 0.0), "AU15": (-0.12, 0.0), "AU26": (0.0, 0.10)}
_PULL = np.array([_PULLS.get(name, (0.0, 0.0)) for name in ACTION_UNITS])


@dataclasses.dataclass(frozen=True, eq=False)
class AffectModel:
    """How action units depend on the expression, for one seed.

    Symbols: k indexes K expressions (7 basic ones, or compounds), i the 17 action units.

    Attributes:
        conditional: [K, 17], the exact P(action unit i active | expression k).
        thresholds: [K, 17], the normal score above which i is active under k.
        mixing: [17, 17], maps independent normal scores to correlated ones.
    """

    conditional: np.ndarray
    thresholds: np.ndarray
    mixing: np.ndarray


@functools.lru_cache(maxsize=8)
def affect_model(seed: int) -> AffectModel:
    """Return the model of one seed.

    Raises:
        ValueError: If `seed` is negative.
    """
    checked_seed(seed)
    return model_around(facs().weights, np.random.default_rng([seed, 0xAFFEC7]))


def model_around(weights: np.ndarray, rng: np.random.Generator) -> AffectModel:
    """Return a model whose conditional is a table's, perturbed.

    Args:
        weights: [K, 17] in [0, 1]: 1 prototypical, between a share, 0 nothing said.
        rng: Source of the perturbation.
    """
    table = np.array(weights, dtype=np.float64)
    background = rng.uniform(*_BACKGROUND, table.shape)
    expected = np.where(table == 1.0, _PROTOTYPICAL, np.where(table > 0, table, background))
    logits = np.log(expected / (1 - expected)) + _SPREAD * rng.standard_normal(table.shape)
    conditional = 1 / (1 + np.exp(-logits))
    conditional.setflags(write=False)
    normal = NormalDist()
    thresholds = np.vectorize(lambda share: normal.inv_cdf(1.0 - share))(conditional)
    return AffectModel(conditional, thresholds, _mixing())


def _mixing() -> np.ndarray:
    numbers = [int(name.removeprefix("AU")) for name in ACTION_UNITS]
    wanted = np.eye(len(numbers))
    for (first, second), value in _TOGETHER.items():
        a, b = numbers.index(first), numbers.index(second)
        wanted[a, b] = wanted[b, a] = value
    # The pairs need not fit together: drop negative eigenvalues, then restore the unit variances
    # on which the exactness of the conditional rests.
    values, vectors = np.linalg.eigh(wanted)
    root = vectors * np.sqrt(np.maximum(values, 1e-6))
    return root / np.linalg.norm(root, axis=1, keepdims=True)


def sample_intensities(model: AffectModel, expression: int, rng: np.random.Generator) -> np.ndarray:
    """Return intensities [17] in [0, 1]; those above `ACTIVE` are active.

    Correlated normal scores are cut at the threshold of each action unit, so the shares of active
    ones are exactly `model.conditional` whatever the correlations. How strong the active ones are
    depends on a strength of the whole face, so that subtle faces are subtle all over.

    Args:
        model: From `affect_model` or `model_around`.
        expression: Class id, 0 to K - 1.
        rng: Source of randomness.

    Raises:
        ValueError: If `expression` is out of range.
    """
    checked_expression(expression, len(model.thresholds))
    scores = model.mixing @ rng.standard_normal(len(ACTION_UNITS))
    active = scores > model.thresholds[expression]
    strength = rng.beta(2.0, 1.6)
    graded = 0.55 * strength + 0.45 * rng.random(len(ACTION_UNITS))
    faint = (rng.random(len(ACTION_UNITS)) < _FAINT) * rng.random(len(ACTION_UNITS))
    lowest = ACTIVE + 0.02  # clear of the threshold in float32, too
    return np.where(active, lowest + (1.0 - lowest) * graded, 0.8 * ACTIVE * faint)


def sample_valence_arousal(
    expression: int, intensities: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return float32 (valence, arousal) in [-1, 1].

    Args:
        expression: Class id, 0 to 6.
        intensities: [17] as drawn by `sample_intensities`.
        rng: Source of randomness.

    Raises:
        ValueError: If `expression` is out of range.
    """
    checked_expression(expression)
    return valence_arousal_around(_CENTRES[expression], intensities, rng)


def centre_between(first: int, second: int) -> np.ndarray:
    """Return valence and arousal [2] of a full-blown mixture of two expressions: their mean.

    Raises:
        ValueError: If one is out of range.
    """
    return _CENTRES[[checked_expression(first), checked_expression(second)]].mean(axis=0)


def valence_arousal_around(
    centre: np.ndarray, intensities: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return float32 (valence, arousal) in [-1, 1].

    Args:
        centre: [2], where the full-blown expression is.
        intensities: [17] as drawn by `sample_intensities`.
        rng: Source of randomness.
    """
    active = intensities[intensities > ACTIVE]
    strength = 0.45 + 0.65 * (active.mean() if len(active) else 0.0)
    values = strength * centre + intensities @ _PULL
    return np.clip(values + 0.07 * rng.standard_normal(2), -1.0, 1.0).astype(np.float32)


def true_conditional(seed: int = 0) -> Relatedness:
    """Return the exact P(action unit active | expression) of the synthetic faces.

    Raises:
        ValueError: If `seed` is negative.
    """
    conditional = affect_model(seed).conditional
    return Relatedness(
        EXPRESSIONS,
        ACTION_UNITS,
        conditional,
        conditional,
        f"The law from which the synthetic faces of seed {seed} are drawn (exact).",
    )


def checked_expression(expression: int, count: int = len(EXPRESSIONS)) -> int:
    """Return `expression`.

    Args:
        expression: Class id.
        count: Of the classes.

    Raises:
        ValueError: If it is no class id.
    """
    if not 0 <= expression < count:
        raise ValueError(f"expression must be 0..{count - 1}, got {expression}.")
    return expression


def checked_seed(seed: int) -> int:
    """Return `seed`.

    Raises:
        ValueError: If it is negative.
    """
    if seed < 0:
        raise ValueError(f"seed must be >= 0, got {seed}.")
    return seed
