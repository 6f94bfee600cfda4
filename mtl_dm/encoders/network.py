"""What every file format of an encoder is read into, and what their messages share."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

_SHOWN = 40
"""Most names that a message lists."""


class Network(NamedTuple):
    """A network on images, as its file has it.

    Attributes:
        side: Of the square images that it takes; None: of any size.
        channels: 3, or 1 for grey images.
        run: float32 images [B, side, side, channels] -> embeddings [B, D].
        parameters: How many numbers it holds, layers behind the embedding included; None: unknown.
        content: A digest of its layers and weights, where saving it again gives another file; "":
            its files tell.
    """

    side: int | None
    channels: int
    run: Callable[[np.ndarray], np.ndarray]
    parameters: int | None = None
    content: str = ""


def image_size(what: str, shape: Sequence[Any]) -> tuple[int | None, int]:
    """Return side and channels of images.

    Args:
        what: Whose input it is, for the message.
        shape: (height, width, channels); None or a number below 1 where any size will do.

    Raises:
        ValueError: If it is no square image of 1 or 3 channels.
    """
    known = [each if isinstance(each, int) and each > 0 else None for each in shape]
    if len(known) != 3 or known[0] != known[1] or known[2] not in (1, 3):
        raise ValueError(
            f"{what} must take square images [B, H, W, 1 or 3], its input is {list(shape)} without "
            "the batch."
        )
    return known[0], known[2]


def require_layer(what: str, layer: str, known: Sequence[str]) -> None:
    """Check that a layer exists.

    Args:
        what: Whose layers they are.
        layer: The name asked for.
        known: All names; of many the closest ones are listed, then the last ones.

    Raises:
        ValueError: If it does not.
    """
    if layer in known:
        return
    listed = list(known)
    if len(listed) > _SHOWN:
        close = difflib.get_close_matches(layer, listed, _SHOWN // 2, 0.3)
        rest = [name for name in listed[::-1] if name not in close]
        listed = [*close, *rest[: _SHOWN - len(close)], f"... ({len(known)} in all)"]
    raise ValueError(f"{what} has no layer {layer!r}. Known: {', '.join(listed) or 'none'}.")


def only_output(what: str, outputs: Sequence[str]) -> str:
    """Return the name of the one output of a network.

    Raises:
        ValueError: If there are several.
    """
    if len(outputs) != 1:
        raise ValueError(
            f"{what} has {len(outputs)} outputs: say which layer is the embedding, "
            f"layer=NAME, one of {', '.join(outputs)} or one inside it."
        )
    return outputs[0]
