"""The card of a run of `mtl_dm.train`, before anything was measured on test data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mtl_dm.cards.card import card_of
from mtl_dm.cards.measures import LEAST
from mtl_dm.cards.writing import USUAL, still_true, write_card
from mtl_dm.files import printable
from mtl_dm.runs.origin import DRAWN, base_name, origin_of
from mtl_dm.runs.record import commit
from mtl_dm.tasks import Task

_COUNTED = {
    "multiclass": ("class", "classes"),
    "multilabel": ("attribute", "attributes"),
    "regression": ("value", "values"),
}
_LIMITS = (
    "Not validated on anything but the tests below: neither on other people, cameras and places "
    "nor on labels that others gave by other rules.",
    "Intervals (95%) take test images as independent. Many images of a person, or frames of a "
    "video, make them too narrow.",
    f"Nothing is said of a label with fewer than {LEAST} test images.",
)


def write_trained_card(
    folder: Path,
    tasks: Sequence[Task],
    *,
    backbone: str,
    parameters: int,
    validation: str | None,
    command: str,
) -> None:
    """Write the card of a finished run; what was measured of the same checkpoints is kept.

    Args:
        folder: Of the run, with its record.
        tasks: What it predicts.
        backbone: The network, as it was named.
        parameters: Of the whole model.
        validation: The data by which the best epoch was chosen; None: the training data.
        command: That trains it.

    Raises:
        OSError: If it cannot be written.
    """
    checkpoint = folder / USUAL
    origin, before = origin_of(checkpoint), _before(checkpoint)
    kinds = "; ".join(f"{name} ({_kind(name)})" for name in origin.datasets)
    counts = ", ".join(f"{task} {count:,}" for task, count in origin.annotated.items())
    chosen = "on the training data" if validation is None else f"by {validation}"
    caution = (
        "trained on drawn faces, NOT VALIDATED ON PEOPLE"
        if origin.drawn
        else "not validated on anything that is not named here"
    )
    place = printable(folder)
    write_card(
        folder,
        {
            "name": printable(folder.absolute().name),
            "about": ", ".join(map(_about, tasks)),
            "caution": caution,
            "tasks": {task.name: list(task.labels) for task in tasks},
            "data": f"{kinds}. Annotated images: {counts}. {USUAL} was chosen {chosen}.",
            "network": f"`{backbone}`,",
            "size": {"parameters": parameters},
            "command": command,
            "commit": commit(),
            "limits": [*origin.lines()[1:], *_LIMITS],
            "evaluate": [
                f"python -m mtl_dm.evaluate --checkpoint={place}/{USUAL} --datasets=NAME:test "
                f"--output={place}/test"
            ],
            "calibration": still_true(folder, before.get("calibration", {})),
            "tests": still_true(folder, before.get("tests", {})),
        },
    )


def _about(task: Task) -> str:
    return f"{task.name} ({task.size} {_COUNTED[task.kind][task.size > 1]})"


def _before(checkpoint: Path) -> dict[str, Any]:
    try:
        return card_of(checkpoint) or {}
    except ValueError:
        return {}


def _kind(dataset: str) -> str:
    name = base_name(dataset)
    if name in DRAWN:
        return "synthetic"
    return "your own files" if name == "csv_folder" else "real"
