"""A checkpoint's card: what it is, what was measured and what was not, beside it in card.json.

    {"name": ..., "about": what it predicts, "caution": what a reader must know,
     "tasks": task -> labels, "data": ..., "command": ..., "commit": ..., "limits": [...],
     "evaluate": [commands], "tests": title -> {"images": N, "tasks": task -> measures}}

Measures are those of `mtl_dm.cards.measures`. A card may say more: "licence", "network", "size",
"faces_per_core_second", "choices", "calibration" (checkpoint -> temperatures), and of a test
"conditions" and "size". card.md is the same to read (`mtl_dm.cards.text`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtl_dm.files import MALFORMED, printable, read_json

CARD_FILE = "card.json"
TEXT_FILE = "card.md"


def card_of(checkpoint: str | Path) -> dict[str, Any] | None:
    """Return the card beside a checkpoint, None where there is none.

    Raises:
        ValueError: If the file is no card.
    """
    path = Path(checkpoint).parent / CARD_FILE
    if not path.is_file():
        return None
    try:
        content = dict(read_json(path))
        card_line(content)
    except MALFORMED as error:
        raise ValueError(f"{path} is no card: {error!r}.") from error
    return content


def card_line(card: Mapping[str, Any]) -> str:
    """Return what everybody must know who reads the output, in one line."""
    return f"{card['name']}: {card['about']}; {_quality(card['tests'])}; {card['caution']}."


def shown_lines(checkpoint: str | Path) -> list[str]:
    """Return the card's line and where it is; nothing of a checkpoint without one.

    Raises:
        ValueError: If the file is no card.
    """
    card = card_of(checkpoint)
    if card is None:
        return []
    return [card_line(card), f"Its card: {printable(Path(checkpoint).parent / TEXT_FILE)}"]


def _quality(tests: Mapping[str, Any]) -> str:
    """Return how good a checkpoint is by its first test and that one's first task."""
    for title, test in tests.items():
        for name, measured in test["tasks"].items():
            if measured["kind"] == "multiclass":
                right = measured["accuracy"]
                if right["value"] is None:
                    return f"{right['of']} images of {title}, too few to say how good"
                interval = f"({right['low']:.1%} to {right['high']:.1%})"
                return f"right on {right['value']:.1%} of {title} {interval}"
            what = "mean F1" if measured["kind"] == "multilabel" else "mean CCC"
            value = measured["f1" if measured["kind"] == "multilabel" else "ccc"]
            return f"{what} of {name} {'unknown' if value is None else f'{value:.2f}'} on {title}"
    return "not evaluated"
