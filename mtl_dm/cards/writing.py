"""Cards on the disk: written by training, added to by whoever measures or calibrates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from absl import logging

from mtl_dm import pretrained
from mtl_dm.cards.card import CARD_FILE, TEXT_FILE, card_of
from mtl_dm.cards.text import as_markdown
from mtl_dm.files import strict_json, write_atomically
from mtl_dm.outputs import owned
from mtl_dm.runs.origin import fingerprint

USUAL = "best.keras"
LOCK = ".card.lock"


def write_card(folder: str | Path, card: Mapping[str, Any]) -> None:
    """Write a card, as numbers and to read.

    Raises:
        OSError: If it cannot be written.
    """
    write_atomically(Path(folder) / CARD_FILE, strict_json(card))
    write_atomically(Path(folder) / TEXT_FILE, as_markdown(card))


def add_test(
    checkpoint: Path, dataset: str, images: int, tasks: Mapping[str, Mapping[str, Any]]
) -> None:
    """Put what was measured on a data set into the card beside a checkpoint, if it has one.

    Args:
        checkpoint: What was measured.
        dataset: On what.
        images: Of it.
        tasks: By task, what `TaskCount.result` gives.
    """
    owner = {"checkpoint": checkpoint.name, "sha256": fingerprint(checkpoint)}
    of_another = "" if checkpoint.name == USUAL else f" with {checkpoint.name}"
    test = {**owner, "images": images, "tasks": dict(tasks)}
    _change(checkpoint, lambda card: card["tests"].update({f"{dataset}{of_another}": test}))


def add_calibration(checkpoint: Path, found: Mapping[str, Any]) -> None:
    """Put temperatures into the card beside a checkpoint, if it has one.

    Args:
        checkpoint: What they belong to.
        found: What `mtl_dm.measuring.calibration.calibrate` writes.
    """
    kept = {name: found[name] for name in ("sha256", "fitted_on", "tasks")}
    _change(checkpoint, lambda card: card.setdefault("calibration", {}).update({
        checkpoint.name: kept,
    }))  # fmt: skip


def still_true(folder: str | Path, found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the tests or calibrations of a card whose checkpoints are as they were then.

    Args:
        folder: Of the checkpoints.
        found: By title or name, each with "sha256" and the checkpoint, by itself or as the name.
    """
    kept = {}
    for name, each in found.items():
        path = Path(folder) / each.get("checkpoint", name)
        if path.is_file() and each.get("sha256") == fingerprint(path):
            kept[name] = dict(each)
    return kept


def _change(checkpoint: Path, change: Callable[[dict[str, Any]], None]) -> None:
    folder = checkpoint.parent
    # What came with the package stays as it came.
    if folder.resolve().is_relative_to(pretrained.FOLDER) or not (folder / CARD_FILE).is_file():
        return
    try:
        with owned(folder, LOCK, wait=True, deep=False):
            card = card_of(checkpoint)
            if card is not None:
                change(card)
                write_card(folder, card)
    except (OSError, ValueError) as error:  # A measurement is worth more than its note.
        logging.warning("The card beside %s stays as it was: %s", checkpoint, error)
