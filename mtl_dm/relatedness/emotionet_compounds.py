"""Action units of compound expressions as EmotioNet defines them."""

from __future__ import annotations

from collections.abc import Mapping

from mtl_dm.relatedness._published import tabulate
from mtl_dm.relatedness._relatedness import Relatedness
from mtl_dm.relatedness.compounds import named_in, units_in
from mtl_dm.tasks import ACTION_UNITS

CITATION = (
    "Benitez-Quiroz, Srinivasan, Martinez: EmotioNet, CVPR 2016; the compound rows as a public "
    "reader of the challenge's files lists them."
)

UNITS: Mapping[str, tuple[int, ...]] = {
    "happily sad": (4, 6, 12, 25),
    "happily surprised": (1, 2, 12, 25),
    "happily disgusted": (10, 12, 25),
    "happily fearful": (1, 2, 12, 25, 26),
    "sadly fearful": (1, 4, 15, 25),
    "sadly angry": (4, 7, 15),
    "sadly surprised": (1, 4, 25, 26),
    "sadly disgusted": (4, 10),
    "fearfully angry": (4, 20, 25),
    "fearfully surprised": (1, 2, 5, 20, 25),
    "fearfully disgusted": (1, 4, 10, 20, 25),
    "angrily surprised": (4, 25, 26),
    "angrily disgusted": (4, 10, 17),
    "disgustedly surprised": (1, 2, 5, 10),
    "awed": (1, 2, 5, 25),
    "appalled": (4, 9, 10),
    "hatred": (4, 7, 10),
}
"""FACS numbers by compound expression."""

_TABLE = {name: {f"AU{unit}": 1.0 for unit in units} for name, units in UNITS.items()}


def compound_emotionet() -> Relatedness:
    """Return the relatedness of 17 compound expressions and the 14 action units that define them.

    `conditional` and `weights` are 1 where a unit defines the compound, else 0. It differs from
    `compound_du` in sadly fearful, sadly angry, appalled and hatred. Action units that no row
    names are unknown to it and left out.
    """
    classes, attributes = named_in(_TABLE), units_in(_TABLE, ACTION_UNITS)
    weights = tabulate(_TABLE, classes, attributes)
    return Relatedness(classes, attributes, weights, weights, CITATION)
