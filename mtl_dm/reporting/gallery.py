"""Contact sheets of the synthetic faces: `python -m mtl_dm.reporting.gallery --output=DIR`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from mtl_dm.command_line import Parser, run_command
from mtl_dm.files import write_atomically
from mtl_dm.memory import require_batch
from mtl_dm.outputs import prepare_output
from mtl_dm.relatedness import facs
from mtl_dm.synthetic import FACE_SETS, Identity, draw_face, generate, sample_identity
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS

_MARGIN = 96  # pixels for the labels at the left
_HEADER = 22
_INTENSITY = 0.85
_MOST_FACES = len(ACTION_UNITS) * 10
"""On one sheet."""


def identities(count: int, seed: int = 0) -> list[Identity]:
    """Return people who are in no data set.

    Raises:
        ValueError: If `count` is below 1.
    """
    if count < 1:
        raise ValueError(f"count must be >= 1, got {count}.")
    # Set number 0 is used by no face set.
    return [sample_identity(np.random.default_rng([seed, 0, 0, index])) for index in range(count)]


def expression_sheet(count: int = 9, size: int = 112, seed: int = 0) -> np.ndarray:
    """Return one row per expression, one column per person, RGB.

    An expression shows the action units that Table 1 gives it with weight 0.5 or more.
    """
    people = identities(count, seed)
    rows = [
        [draw_face(person, _INTENSITY * (weights >= 0.5), size=size) for person in people]
        for weights in facs().weights
    ]
    return _sheet(rows, EXPRESSIONS, [f"person {index + 1}" for index in range(count)])


def action_unit_sheet(count: int = 5, size: int = 112, seed: int = 0) -> np.ndarray:
    """Return one row per action unit with pairs off | on, one pair per person, RGB."""
    people = identities(count, seed)
    resting = [draw_face(person, np.zeros(len(ACTION_UNITS)), size=size) for person in people]
    rows = []
    for unit in np.eye(len(ACTION_UNITS)):
        moved = [draw_face(person, _INTENSITY * unit, size=size) for person in people]
        rows.append([face for pair in zip(resting, moved, strict=True) for face in pair])
    return _sheet(rows, ACTION_UNITS, ["off", "on"] * count)


def sample_sheet(count: int = 10, size: int = 112, seed: int = 0) -> np.ndarray:
    """Return one row per set with its first images, as a model sees them, RGB."""
    rows = [
        [example["image"] for example in generate(chosen.name, chosen.split, count, size, seed)]
        for chosen in FACE_SETS
    ]
    names = [chosen.name.replace("_", " ").replace(" only", "") for chosen in FACE_SETS]
    splits = [chosen.split for chosen in FACE_SETS]
    labels = [f"{name}\n{split}" for name, split in zip(names, splits, strict=True)]
    return _sheet(rows, labels, [str(index) for index in range(count)])


def write(output: str | Path, size: int = 112, seed: int = 0) -> list[Path]:
    """Write the sheets as PNG files into the folder `output` and return their paths.

    Raises:
        ValueError: If a sheet of such faces does not fit into memory.
        OSError: If the folder cannot be written.
    """
    require_batch(_MOST_FACES, (size, size, 3), bytes_each=1)
    prepare_output(output)
    sheets = {
        "expressions.png": expression_sheet(size=size, seed=seed),
        "action_units.png": action_unit_sheet(size=size, seed=seed),
        "samples.png": sample_sheet(size=size, seed=seed),
    }
    paths = []
    for name, sheet in sheets.items():
        path = Path(output) / name
        write_atomically(path, cv2.imencode(".png", sheet[..., ::-1])[1].tobytes())
        paths.append(path)
    return paths


def _sheet(
    rows: Sequence[Sequence[np.ndarray]], labels: Sequence[str], columns: Sequence[str]
) -> np.ndarray:
    faces = np.concatenate([np.concatenate(row, axis=1) for row in rows])
    sheet = np.full((len(faces) + _HEADER, faces.shape[1] + _MARGIN, 3), 255, np.uint8)
    sheet[_HEADER:, _MARGIN:] = faces
    size = len(rows[0][0])
    for number, label in enumerate(labels):
        for line, text in enumerate(label.split("\n")):
            _write_text(sheet, text, 4, _HEADER + number * size + size // 2 + 16 * line)
    for number, label in enumerate(columns):
        _write_text(sheet, label, _MARGIN + number * size + 4, _HEADER - 7)
    return sheet


def _write_text(sheet: np.ndarray, text: str, x: int, y: int) -> None:
    cv2.putText(sheet, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (20, 20, 20), 1, cv2.LINE_AA)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the sheets.

    Args:
        arguments: Command-line arguments; None: those of the process.
    """
    parser = Parser(prog="mtl_dm.reporting.gallery", description=__doc__)
    parser.add_argument("--output", default="runs/gallery", help="folder for the PNG files")
    parser.add_argument("--size", type=int, default=112, help="pixels along a side of a face")
    parser.add_argument("--seed", type=int, default=0, help="other people under another seed")
    options = parser.parse_args(arguments)
    for path in write(options.output, options.size, options.seed):
        print(path)


if __name__ == "__main__":
    sys.exit(run_command(main, "nothing more is written"))
