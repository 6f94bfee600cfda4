"""What a checkpoint's card says: measured numbers, beside the checkpoint in card.json."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtl_dm.files import MALFORMED, read_json

CARD_FILE = "card.json"
TEXT_FILE = "README.md"
MAIN_TEST = "FER2013 PublicTest"


def card_of(checkpoint: str | Path) -> dict[str, Any] | None:
    """Return the card beside a checkpoint, None where there is none.

    Raises:
        ValueError: If the file is no card.
    """
    path = Path(checkpoint).parent / CARD_FILE
    if not path.is_file():
        return None
    try:
        content = read_json(path)
        card_line(content)
    except MALFORMED as error:
        raise ValueError(f"{path} is no card: {error!r}.") from error
    return content


def card_line(card: Mapping[str, Any]) -> str:
    """Return what everybody must know who reads the output, in one line."""
    tasks, right = card["tasks"], card["tests"][MAIN_TEST]["accuracy"]
    return (
        f"{card['name']}: {len(tasks['expression'])} expressions, and "
        f"{len(tasks['facial_movements'])} facial movements as MediaPipe measures them; right on "
        f"{right['value']:.1%} of {MAIN_TEST} ({right['low']:.1%} to {right['high']:.1%}); for "
        "research, not validated for any decision about people."
    )
