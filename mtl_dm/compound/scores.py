"""Scores of compound expressions that a model was never trained for, by name.

A score is a function of `Evidence` to [N, K], with options; the compound of the highest is
predicted. Another one registers itself in `SCORES`.

Shapes: N images, K compounds, M action units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from keras import ops

from mtl_dm.compound.evidence import Evidence
from mtl_dm.losses.posterior import class_posterior
from mtl_dm.registry import Registry

Score = Callable[..., np.ndarray]
SCORES: Registry[Score] = Registry("score of compounds")
POSITIVE = ("happily surprised", "happily disgusted")
"""The compounds whose score counts a positive valence."""


def zero_shot_score(
    units: np.ndarray,
    shares: np.ndarray,
    components: tuple[np.ndarray, np.ndarray],
    valence: np.ndarray | None = None,
    positive: np.ndarray | None = None,
) -> np.ndarray:
    """Return the zero-shot score of every compound.

    Source: FaceBehaviorNet (Kollias, Sharmanska, Zafeiriou, arXiv 2105.03790), second-hand: no
    text of the equation was at hand.

        C(c) = sum_m p(au_m | x) p(au_m | c) / sum_m p(au_m | c) + p(e1 | x) + p(e2 | x)
               + [c positive] (sign(valence) + 1) / 2

    with e1, e2 the components of c. Each of the first three addends is in [0, 1]; the last is 0,
    0.5 (valence exactly 0) or 1, and 0 for compounds that are not positive.

    Args:
        units: p(au_m | x), [N, M] in [0, 1].
        shares: p(au_m | c), [K, M] in [0, 1], in every row one that is not 0.
        components: p(e1 | x) and p(e2 | x), [N, K] each.
        valence: [N]; None: the last term is left out.
        positive: bool [K], the compounds that have the last term; needed with `valence`.

    Returns:
        [N, K].

    Raises:
        ValueError: If shapes do not fit each other, a compound has no unit, or valence comes
            without `positive`.
    """
    units, shares = (np.asarray(each, np.float64) for each in (units, shares))
    first, second = (np.asarray(each, np.float64) for each in components)
    whole = (len(units), len(shares))
    if units.shape[1:] != shares.shape[1:] or first.shape != whole or second.shape != whole:
        raise ValueError(
            f"Units [N, M], shares [K, M] and components [N, K] do not fit each other: "
            f"{units.shape}, {shares.shape}, {first.shape}, {second.shape}."
        )
    total = shares.sum(axis=1)
    if not (total > 0).all():
        raise ValueError(
            f"Every compound needs an action unit; row {int(total.argmin())} of the shares is 0."
        )
    score = units @ shares.T / total + first + second
    if valence is None:
        return score
    if positive is None:
        raise ValueError("valence counts for some compounds: positive [K] must say which.")
    pleasant = (np.sign(np.asarray(valence, np.float64)) + 1.0) / 2.0
    return score + pleasant[:, None] * np.asarray(positive, bool)


def is_positive(names: Sequence[str]) -> np.ndarray:
    """Return bool [K], the compounds that count a positive valence."""
    return np.isin(names, POSITIVE)


@SCORES.register("zero_shot")
def zero_shot(evidence: Evidence, *, valence: bool = True) -> np.ndarray:
    """Return `zero_shot_score` with the table's weights as p(au | c).

    Args:
        evidence: Of a model with action units, expressions and valence.
        valence: Whether the term of valence counts; a model without a valence needs False.
    """
    return zero_shot_score(
        evidence.units,
        evidence.table.weights,
        evidence.components,
        evidence.valence if valence else None,
        is_positive(evidence.table.classes),
    )


@SCORES.register("posterior")
def posterior(evidence: Evidence) -> np.ndarray:
    """Return P(compound | action units) by Bayes' rule over the predicted units.

    Source: this project; `mtl_dm.losses.posterior.class_posterior` with the predicted
    probabilities for annotated attributes. Absent units count too, expressions and valence do
    not.

    Args:
        evidence: Of a model with action units.
    """
    units, table = evidence.units, evidence.table
    found = class_posterior(
        np.asarray(units, np.float32),
        np.ones(units.shape, np.float32),
        table.likelihood,
        table.prior,
    )
    return ops.convert_to_numpy(found)


@SCORES.register("product")
def product(evidence: Evidence) -> np.ndarray:
    """Return p(e1 | x) p(e2 | x), the product of a compound's components.

    Source: this project. It is highest where a model is torn between just these two; action units
    and valence do not count.

    Args:
        evidence: Of a model with expressions.
    """
    first, second = evidence.components
    return first * second
