"""Parts of a page of a study that is no table of cells."""

from __future__ import annotations

import base64
from pathlib import Path

from mtl_dm.reporting.page.markup import card, escape


def section(title: str, content: str) -> str:
    """Return a part with its title; `content` is markup."""
    return f"<section><h3>{escape(title)}</h3>{content}</section>"


def figure(path: Path, caption: str) -> str:
    """Return an SVG file within the page, so that the page is one file.

    Args:
        path: Of the file.
        caption: Its first sentence is the title.
    """
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    image = f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(caption)}">'
    title, _, rest = caption.partition(". ")
    return card(escape(title), image, escape(rest))
