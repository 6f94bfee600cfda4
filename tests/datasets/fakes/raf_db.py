"""Writes a tiny RAF-DB in the released layout."""

import functools
from pathlib import Path

from tests.datasets.fakes import Layout, write_image

BASIC = {"train": [1, 2, 3, 4, 5, 6, 7, 4], "test": [7, 4, 5]}
COMPOUND = {"train": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], "test": [11, 1, 7]}


def names(splits):
    return {
        f"{split}_{number:0{5 if split == 'train' else 4}d}": label
        for split, labels in splits.items()
        for number, label in enumerate(labels, start=1)
    }


def write_list(folder: Path, lines) -> Path:
    path = folder / "EmoLabel" / "list_patition_label.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def write(parent: Path, subset="basic", images=("aligned",)) -> Path:
    root = parent / "RAF-DB"
    labels = names(BASIC if subset == "basic" else COMPOUND)
    write_list(root / subset, (f"{name}.jpg {label}" for name, label in labels.items()))
    for kind in images:
        end = "_aligned" if kind == "aligned" else ""
        for seed, name in enumerate(labels):
            write_image(root / subset / "Image" / kind / f"{name}{end}.jpg", seed)
    return root


def write_both(parent: Path) -> Path:
    """Basic and compound, aligned and original."""
    for subset in ("basic", "compound"):
        write(parent, subset, ("aligned", "original"))
    return parent / "RAF-DB"


BASIC_COUNTS = {"train": 8, "test": 3}
COMPOUND_COUNTS = {"train": 11, "test": 3}

LAYOUTS = {
    "basic": Layout(lambda parent: write(parent).parent, BASIC_COUNTS, "basic"),
    "basic original": Layout(
        functools.partial(write, images=("original",)), BASIC_COUNTS, "basic_original"
    ),
    "compound": Layout(functools.partial(write, subset="compound"), COMPOUND_COUNTS, "compound"),
    "compound original": Layout(
        functools.partial(write, subset="compound", images=("original",)),
        COMPOUND_COUNTS,
        "compound_original",
    ),
}
