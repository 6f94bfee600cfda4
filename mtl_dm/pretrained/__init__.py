"""The checkpoints that come with this package, by name.

Each has a folder here: the checkpoint, its temperatures, the run record that says what it was
trained on, and its card, as numbers (card.json) and to read (card.md). `predict`, `evaluate`,
`calibrate` and `export` take a name where they take a checkpoint's path; `--init_from=NAME` and
`--backbone=pretrained` of `train` start from one. Nothing here needs Keras.
"""

from __future__ import annotations

import re
from pathlib import Path

from mtl_dm.files import expand_home, printable
from mtl_dm.registry import Registry

DEFAULT = "small_faces"
FOLDER = Path(__file__).parent
HOW = "`make pretrain DATA_DIR=<folder of faces>` makes it"

PRETRAINED: Registry[Path] = Registry("pretrained checkpoint")
PRETRAINED.register(DEFAULT)(FOLDER / DEFAULT / f"{DEFAULT}.keras")


def checkpoint_at(checkpoint: str | Path) -> Path:
    """Return the file of a checkpoint.

    Args:
        checkpoint: A path, or the name of a pretrained checkpoint. What is spelt like a name (one
            word, neither suffix nor folder) is a path where a file of that name is there.

    Raises:
        ValueError: If there is no pretrained checkpoint of that name; the known ones are listed.
        FileNotFoundError: If the checkpoint of that name is not in this installation, or a folder
            is given: which of its checkpoints is meant it does not say. A file is not looked up:
            whoever opens it says so.
    """
    path = Path(expand_home(str(checkpoint)))
    if path.is_dir():
        held = ", ".join(sorted(file.name for file in path.glob("*.keras"))) or "no checkpoint"
        raise FileNotFoundError(f"{printable(path)} is a folder, which holds {held}: name a file.")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", str(checkpoint)) or path.exists():
        return path
    found = PRETRAINED.get(str(checkpoint))
    if not found.is_file():
        raise FileNotFoundError(
            f"The pretrained checkpoint {str(checkpoint)!r} is not in this installation ({HOW}); "
            "name a checkpoint of your own instead."
        )
    return found
