"""CK+ as a table of its sequences: emotion and action units."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from mtl_dm.relatedness import Relatedness
from mtl_dm.tasks import EXPRESSIONS

FILE = "ckplus/ckplus_aus_emotions.csv"
CITATION = "CK+ (Lucey et al. 2010)"
_NAMES = {"happy": "happiness"}
_NO_CLASS = ("contempt",)


class Annotations(NamedTuple):
    """What CK+ says about its sequences.

    Attributes:
        expressions: int [N], ids of `EXPRESSIONS`, -1 for contempt. There is no neutral one.
        units: float [N, M], 1 active, 0 not.
        names: The M action units.
    """

    expressions: np.ndarray
    units: np.ndarray
    names: tuple[str, ...]


def sequences(path: str | Path, attributes: Sequence[str]) -> Annotations:
    """Read the file of sequences.

    Args:
        path: The CSV file.
        attributes: The AUs to keep; those that the file lacks are left out.

    Raises:
        FileNotFoundError: If the file is not there.
        ValueError: If it lacks columns, names an unknown emotion or holds another AU value than
            0 and 1; the message names the line.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No file {path}: CK+ needs DATA_DIR/{FILE}.")
    try:
        frame = pd.read_csv(path)
    except (ValueError, pd.errors.ParserError) as error:  # also no text, or nothing in it
        raise ValueError(f"{path} is no CSV file: {error}") from error
    names = tuple(name for name in attributes if name in frame)
    if "emotion" not in frame or not names:
        raise ValueError(
            f"{path} needs a column emotion and columns of action units ({', '.join(attributes)}), "
            f"got {list(frame.columns)}."
        )
    emotions = frame["emotion"].replace(_NAMES)
    ids = {name: number for number, name in enumerate(EXPRESSIONS)} | dict.fromkeys(_NO_CLASS, -1)
    known = emotions.isin(list(ids))
    if not known.all():
        line = int(np.flatnonzero(~known)[0])
        raise ValueError(
            f"{path}, line {line + 2}: unknown emotion {frame['emotion'][line]!r}. "
            f"Known: {', '.join(ids)}."
        )
    wrong = np.argwhere(~frame[list(names)].isin((0, 1)).to_numpy())
    if len(wrong):
        line, column = map(int, wrong[0])
        raise ValueError(
            f"{path}, line {line + 2}: {names[column]} must be 0 or 1, got "
            f"{frame[names[column]][line]!r}."
        )
    units = frame[list(names)].to_numpy(dtype=np.float64)
    return Annotations(emotions.map(ids).to_numpy(dtype=np.int64), units, names)


def relatedness(path: str | Path, attributes: Sequence[str]) -> Relatedness:
    """Return P(AU | expression) of CK+; contempt is left out, neutral taken to have no AUs.

    Args:
        path: As for `sequences`.
        attributes: As for `sequences`.

    Raises:
        FileNotFoundError: If the file is not there.
        ValueError: If it is malformed.
    """
    expressions, units, names = sequences(path, attributes)
    table = np.zeros((len(EXPRESSIONS), len(names)))
    for row, expression in enumerate(EXPRESSIONS):
        if expression != "neutral":
            table[row] = units[expressions == row].mean(axis=0)
    return Relatedness(
        EXPRESSIONS,
        names,
        table,
        table,
        f"{CITATION}, {len(units)} sequences; neutral taken to have no action units.",
    )
