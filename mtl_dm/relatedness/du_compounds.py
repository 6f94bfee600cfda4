"""Action units of compound expressions after Du, Tao and Martinez (2014): second-hand."""

from __future__ import annotations

from collections.abc import Mapping

from mtl_dm.relatedness._published import tabulate
from mtl_dm.relatedness._relatedness import Relatedness
from mtl_dm.relatedness.compounds import named_in, units_in
from mtl_dm.tasks import ACTION_UNITS

CITATION = (
    "Du, Tao, Martinez: Compound facial expressions of emotion, PNAS 111(15), 2014, Table 1; "
    "second-hand: the numbers were not read off the printed table."
)

SHARES: Mapping[str, Mapping[int, float]] = {
    "happily surprised": {1: 1, 2: 1, 12: 1, 25: 1, 5: 0.64, 26: 0.67},
    "happily disgusted": {10: 1, 12: 1, 25: 1, 4: 0.32, 6: 0.61, 9: 0.59},
    "sadly fearful": {1: 1, 4: 1, 20: 1, 25: 1, 2: 0.46, 5: 0.24, 6: 0.34, 15: 0.3},
    "sadly angry": {4: 1, 15: 1, 6: 0.26, 7: 0.48, 11: 0.2, 17: 0.5},
    "sadly surprised": {1: 1, 4: 1, 25: 1, 26: 1, 2: 0.27, 6: 0.31},
    "sadly disgusted": {
        4: 1, 10: 1, 1: 0.49, 6: 0.61, 9: 0.2, 11: 0.35, 15: 0.54, 17: 0.47, 25: 0.43,
    },
    "fearfully angry": {4: 1, 20: 1, 25: 1, 5: 0.4, 7: 0.39, 10: 0.3, 11: 0.33},
    "fearfully surprised": {1: 1, 2: 1, 5: 1, 20: 1, 25: 1, 4: 0.47, 10: 0.35, 11: 0.22, 26: 0.51},
    "fearfully disgusted": {
        1: 1, 4: 1, 10: 1, 20: 1, 25: 1, 2: 0.64, 5: 0.5, 6: 0.26, 9: 0.28, 15: 0.33,
    },
    "angrily surprised": {4: 1, 25: 1, 26: 1, 5: 0.35, 7: 0.5, 10: 0.34},
    "angrily disgusted": {4: 1, 10: 1, 17: 1, 7: 0.6, 9: 0.57, 24: 0.36},
    "disgustedly surprised": {1: 1, 2: 1, 5: 1, 10: 1, 4: 0.45, 9: 0.37, 17: 0.66, 24: 0.33},
    "appalled": {4: 1, 10: 1, 6: 0.25, 9: 0.56, 17: 0.67, 24: 0.36},
    "hatred": {4: 1, 10: 1, 7: 0.57, 9: 0.27, 17: 0.63, 24: 0.37},
    "awed": {1: 1, 2: 1, 5: 1, 25: 1, 4: 0.21, 20: 0.62, 26: 0.56},
}  # fmt: skip
"""By FACS number: 1 where a unit is prototypical, else the share of people who showed it."""

_TABLE = {
    name: {f"AU{unit}": float(share) for unit, share in shares.items()}
    for name, shares in SHARES.items()
}


def compound_du() -> Relatedness:
    """Return the relatedness of 15 compound expressions and the 16 action units of their rows.

    Second-hand: nobody has checked these numbers against the printed table yet; those of
    `compound_emotionet` stand in a public file. `conditional` and `weights` are 1 where a unit is
    prototypical and the share where it is observational, unlike `facs`, whose `conditional` is 1
    there too: a unit that a fifth of the people showed does not define a compound.
    """
    classes, attributes = named_in(_TABLE), units_in(_TABLE, ACTION_UNITS)
    weights = tabulate(_TABLE, classes, attributes)
    return Relatedness(classes, attributes, weights, weights, CITATION)
