"""Relatedness made worse on purpose."""

from __future__ import annotations

import dataclasses

import numpy as np

from mtl_dm.relatedness import Relatedness


def noisy(known: Relatedness, seed: int) -> Relatedness:
    """Return every P moved by a normal error of 0.2, kept in [0, 1]."""
    error = np.random.default_rng([seed, 1]).normal(0.0, 0.2, known.conditional.shape)
    return _with(known, np.clip(known.conditional + error, 0.0, 1.0), "noise of 0.2 added")


def wrong(known: Relatedness, seed: int) -> Relatedness:
    """Return the table with the classes' rows exchanged: each has another one's attributes."""
    rows = np.roll(np.arange(len(known.classes)), 1 + seed % (len(known.classes) - 1))
    return _with(known, known.conditional[rows], "rows of the classes exchanged")


def adversarial(known: Relatedness, seed: int) -> Relatedness:
    """Return the table with each class's attributes exchanged: its likeliest for its least likely.

    The second likeliest for the second least, and so on: the order within a class is reversed.
    """
    del seed
    order = np.argsort(known.conditional, axis=1, kind="stable")
    conditional = np.empty_like(known.conditional)
    np.put_along_axis(
        conditional, order, np.take_along_axis(known.conditional, order[:, ::-1], axis=1), axis=1
    )
    return _with(known, conditional, "attributes of each class exchanged, likeliest for least")


def shifted_prior(known: Relatedness, seed: int) -> Relatedness:
    """Return the table with the classes' shares in reverse: the frequent are called rare.

    Raises:
        ValueError: If the table has no prior.
    """
    del seed
    if known.prior is None:
        raise ValueError("A prior can be shifted only where there is one.")
    order = np.argsort(known.prior)
    prior = np.empty_like(known.prior)
    prior[order] = known.prior[order[::-1]]
    return dataclasses.replace(known, prior=prior, citation=f"{known.citation} Prior reversed.")


def _with(known: Relatedness, conditional: np.ndarray, what: str) -> Relatedness:
    return dataclasses.replace(
        known,
        conditional=conditional,
        weights=conditional,
        citation=f"{known.citation} Changed: {what}.",
    )


VARIANTS = {
    "noisy": noisy,
    "wrong": wrong,
    "adversarial": adversarial,
    "shifted prior": shifted_prior,
}
