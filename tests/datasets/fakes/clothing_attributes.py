"""Writes a tiny Clothing Attribute Dataset in the released layout."""

from pathlib import Path

import numpy as np
import scipy.io

from tests.datasets.fakes import Layout, jpeg

# The 26 released files, written out here so that the tests do not lean on the reader's own list.
BINARY = [
    "necktie",
    "collar",
    "gender",
    "placket",
    "skin_exposure",
    "scarf",
    "pattern_solid",
    "pattern_floral",
    "pattern_spot",
    "pattern_graphics",
    "pattern_plaid",
    "pattern_stripe",
    "red",
    "yellow",
    "green",
    "cyan",
    "blue",
    "purple",
    "brown",
    "white",
    "gray",
    "black",
    "many_colors",
]
FILES = (*BINARY, "sleevelength", "neckline", "category")

NAN = float("nan")
ROWS = 4
GENDER = [1, 2, NAN, 2]
SLEEVES = [1, 3, NAN, 2]
NECKLINE = [NAN, 2, 1, 3]
CATEGORY = [7, NAN, 1, 3]


def write_label(folder: Path, name: str, values, variable: str = "GT") -> Path:
    path = folder / "labels" / f"{name}_GT.mat"
    column = np.asarray(values, dtype=np.float64).reshape(-1, 1)
    scipy.io.savemat(path, {variable: column})
    return path


def write_cad(parent: Path, rows: int = ROWS) -> Path:
    """Write `rows` images and labels; the first four rows are those above. Return the folder."""
    folder = parent / "ClothingAttributeDataset"
    (folder / "labels").mkdir(parents=True)
    (folder / "images").mkdir()
    values = {name: [1] * rows for name in BINARY}
    named = {
        "gender": GENDER,
        "sleevelength": SLEEVES,
        "neckline": NECKLINE,
        "category": CATEGORY,
    }
    values |= {name: (column + [1] * rows)[:rows] for name, column in named.items()}
    for name in FILES:
        write_label(folder, name, values[name])
    for number in range(1, rows + 1):
        (folder / "images" / f"{number:06d}.jpg").write_bytes(jpeg(number))
    return folder


LAYOUTS = {"released": Layout(write_cad, {"train": ROWS})}
