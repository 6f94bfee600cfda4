"""The preset that tests the protection of the default: tables good and bad, with and without it.

Every table at 40 epochs in three regimes; the right, a counted and a permuted one at 4 and 10 too,
where little time is left to notice; and all labels, where coupling has nothing to teach, in twice
as many folds, since what it costs there is small.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from experiments.coupling.rows import FIRST_RULE, TABLES, protection_row
from experiments.engine.problem import Problem
from experiments.engine.study import Column
from experiments.problems.clothing_data import DATASET, REPEATS
from experiments.problems.regimes import ALL

PRESET = "protection"
GROUP = "CAD, protection / "
REGIMES = ("halves, disjoint", "10% of classes", "10% of attributes")
SHORT = (4, 10)
SHORT_REGIME = "halves, disjoint"
SHORT_TABLES = ("known", "10% co-annotated", "permuted")
ALL_TABLES = ("known", "learned", "permuted")
BASELINES = ("ST", "NC MT (sum)")
SECONDS = 6.0
"""A cell, about: 5 and a little for the protection."""

SIX = [(repeat, fold) for repeat in (1, 2, 3) for fold in (0, 1)]
"""Not repeat 0: on a training half of it forms, factors and rules were chosen. Settings of the
protection were chosen later, `per_label` and `ANOTHER` on parts of the first training half of
repeats 0 to 4, which is the test half of fold 1, when gates open on parts of both halves."""
TWELVE = [(repeat, fold) for repeat in range(REPEATS) for fold in (0, 1)]


def columns(clothing: Callable[[str, bool, int, int | None], Problem]) -> list[Column]:
    """Return the columns of the preset.

    Args:
        clothing: From regime, whether on images, repeat and fold to the problem.
    """

    def column(name: str, regime: str, rows: Sequence[str], epochs: int | None = None) -> Column:
        return Column(
            GROUP + name,
            DATASET,
            functools.partial(clothing, regime, False),
            TWELVE if regime == ALL else SIX,
            (*BASELINES, *rows),
            changes={} if epochs is None else {"epochs": epochs},
        )

    return [
        *(column(regime, regime, _rows(tuple(TABLES))) for regime in REGIMES),
        *(
            column(f"{SHORT_REGIME}, {epochs} epochs", SHORT_REGIME, _rows(SHORT_TABLES), epochs)
            for epochs in SHORT
        ),
        column(ALL, ALL, (*_rows(ALL_TABLES), FIRST_RULE)),
    ]


def _rows(tables: Sequence[str]) -> list[str]:
    return [protection_row(table, protected) for table in tables for protected in (True, False)]
