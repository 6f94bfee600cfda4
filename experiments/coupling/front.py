"""The picture of the README, drawn from the tables of docs/results/protection.md.

`python -m experiments.coupling.front` draws it again; a test says when the tables moved on.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from experiments.engine.options import main_guard
from mtl_dm.command_line import Parser
from mtl_dm.files import write_atomically
from mtl_dm.reporting.page.picture import Key, Titled, picture
from mtl_dm.reporting.page.svg import Drawing, Scale, circle, line, short, text, ticks

ROOT = Path(__file__).parents[2]
TABLES = ROOT / "docs" / "results" / "protection.md"
PICTURE = ROOT / "docs" / "figures" / "protection.svg"

ROWS = {
    "right": "right",
    "counted on a tenth of the images": "few images",
    "another class's attributes for each class": "wrong",
    "none: learned": "none: learned",
}
"""Row of the tables, and its name in the picture: those that all three tables have."""

KEYS = (Key(1, "c1", "protected, the default"), Key(2, "c2", "believed as given"))
TITLE = "Change against no coupling, points; real clothing, six folds"
_WIDTH, _ROW, _LEFT, _RIGHT, _BOTTOM = 275.0, 24.0, 88.0, 10.0, 24.0


class Panel(NamedTuple):
    """A table of the page, and which of its four metrics is drawn."""

    head: str
    title: str
    metric: int


PANELS = (
    Panel("table, halves", "half have classes: class accuracy", 0),
    Panel("table, 10% of classes", "10% have classes: class accuracy", 0),
    Panel("table, 10% of attributes", "10% have attributes: their F1", 2),
)


class Change(NamedTuple):
    """What a coupling changed with the gates and the judgement of the labels, and without."""

    row: str
    protected: float
    believed: float


def changes(page: str, panel: Panel) -> list[Change]:
    """Return the changes of one table of a Markdown page, in points.

    Raises:
        ValueError: If the page lacks the table or one of `ROWS` in it.
    """
    found = {}
    inside = False
    for each in page.splitlines():
        cells = [cell.strip() for cell in each.strip("|").split("|")]
        if each.startswith(f"| {panel.head} |"):
            inside = True
        elif inside and not each.startswith("|"):
            break
        elif inside and cells[0] in ROWS:
            found[cells[0]] = Change(ROWS[cells[0]], *(_value(cell, panel) for cell in cells[1:3]))
    missing = sorted(set(ROWS) - set(found))
    if missing:
        raise ValueError(f"The table {panel.head!r} must have the rows {sorted(ROWS)}; {missing}.")
    return [found[name] for name in ROWS]


def _value(cell: str, panel: Panel) -> float:
    return float(re.sub(r"\*", "", cell).split("/")[panel.metric])


def drawn(page: str) -> str:
    """Return the picture of a page's tables, an SVG file."""
    panels = [Titled(panel.title, _drawing(changes(page, panel), panel)) for panel in PANELS]
    return picture(panels, columns=3, legend=KEYS, title=TITLE)


def _drawing(found: list[Change], panel: Panel) -> Drawing:
    values = [0.0, *(each.protected for each in found), *(each.believed for each in found)]
    reach = 0.06 * (max(values) - min(values))
    x = Scale(min(values) - reach, max(values) + reach, _LEFT, _WIDTH - _RIGHT)
    end = _ROW * len(found)
    parts = []
    for value in ticks(x.low, x.high, 4):
        parts.append(line(x(value), 0, x(value), end, "rule" if value else "mark"))
        parts.append(text(x(value), end + 16, short(value), "tick middle"))
    for place, each in enumerate(found):
        y = _ROW * (place + 0.5)
        parts.append(text(_LEFT - 10, y + 4, each.row, "name end"))
        parts.append(line(x(each.believed), y, x(each.protected), y, "rule"))
        parts.append(circle(x(each.believed), y, 5, "dot c2", f"believed {each.believed:+}"))
        parts.append(circle(x(each.protected), y, 5, "dot c1", f"protected {each.protected:+}"))
    return Drawing(_WIDTH, end + _BOTTOM, "".join(parts), panel.title)


def main() -> None:
    """Draw the picture."""
    Parser(prog="python -m experiments.coupling.front", description=__doc__).parse_args()
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(PICTURE, drawn(TABLES.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main_guard(main)
