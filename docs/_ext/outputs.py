"""What the pages' code printed, as a terminal shows it.

A program writes in pieces, which end anywhere. Myst-nb puts a new line behind each of them, also
inside a word. And where the sources lie on the machine that builds the site is nobody's business.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from myst_nb.core import render

ROOT = Path(__file__).parents[2]


def joined(outputs: list[Any]) -> list[Any]:
    """Return a cell's outputs with one text of each stream, what was printed before what failed."""
    texts: dict[str, Any] = {}
    others = []
    for output in outputs:
        if output["output_type"] != "stream":
            others.append(output)
        elif output["name"] in texts:
            texts[output["name"]]["text"] += output["text"]
        else:
            texts[output["name"]] = output
    for output in texts.values():
        # Of a line that was written over and over, a bar for example, the last state.
        lines = output["text"].rstrip().replace("\r\n", "\n").split("\n")
        output["text"] = "\n".join(line.rpartition("\r")[2] for line in lines) + "\n"
        output["text"] = output["text"].replace(f"{ROOT}/", "")
    # Empty lines alone would be an empty box.
    said = [texts[name] for name in ("stdout", "stderr") if name in texts]
    return [output for output in said if output["text"].strip()] + others


def setup(app: Any) -> dict[str, bool]:
    """Have myst-nb join by this."""
    del app
    render.coalesce_streams = joined
    return {"parallel_read_safe": True, "parallel_write_safe": True}
