"""transfer.html: tables and figures of Vielzeuf et al. 2019 beside this study's, as one page."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from experiments.engine.sections import figure, section
from experiments.transferring import figures, tables
from experiments.transferring.cells import COLUMNS, TABLE, UNLABELLED
from experiments.transferring.claim import MARGIN_SAID, claim
from experiments.transferring.setting import Setting
from experiments.transferring.targets import RULED, targets_of
from experiments.transferring.words import (
    CAPTIONS,
    CLAIM,
    FIGURE2,
    FIGURE3,
    INTRO,
    MEANINGLESS,
    NOTES,
    TITLE,
    words,
)
from mtl_dm.files import write_atomically
from mtl_dm.reporting import Cell, read_cells, to_frame
from mtl_dm.reporting.html import document, heading
from mtl_dm.reporting.measured import Measured
from mtl_dm.reporting.page.markup import bullets, note, table
from mtl_dm.reporting.quantities import CORRELATION, ERROR, FRACTION, Quantity

PAGE = "transfer.html"


def write_page(setting: Setting, command: str) -> None:
    """Write the page and its figures from the cells that are there.

    Args:
        setting: Of the run.
        command: What the user typed.
    """
    cells = read_cells(setting.folder, TABLE).cells
    if cells:
        body = "\n".join(_parts(setting, cells, command))
        write_atomically(setting.folder / PAGE, document(TITLE, body))


def _parts(setting: Setting, cells: list[Cell], command: str) -> Iterator[str]:
    frame = to_frame(cells, _quantities(cells))
    targets = targets_of(setting.data_dir)
    names = [*COLUMNS, *(target.name for target in targets)]
    every = {name: Measured(frame, name) for name in names}
    columns = {name: Measured(unswapped(frame), name) for name in names}
    known = [target for target in targets if target.source in setting.sources]
    said = words(setting)
    state = f"{len(cells)} cells of preset {setting.preset}."
    if setting.preset == "quick":
        state += MEANINGLESS
    yield heading(TITLE, state, INTRO, "careful")
    yield section(
        "The claim: a student at least its teacher, where no source knows the task",
        table(claim(every, targets, setting.sources))
        + note(CLAIM.format(margin=MARGIN_SAID))
        + bullets(list(tables.sizes(columns, setting.sources))),
    )
    yield section("Table 1: knowledge", table(tables.knowledge(setting)))
    yield section("Table 2: faces that were found", table(tables.detected(setting.pool)))
    yield section(
        "Table 3: targets",
        table(tables.performance(columns, targets, tables.TABLE3)) + note(said.table3),
    )
    yield _printed("table3", tables.TABLE3)
    yield section(
        "Table 4: what sources know already",
        table(tables.performance(columns, known, tables.TABLE4)),
    )
    yield _printed("table4", tables.TABLE4)
    yield section(
        "Table 5: normalised RMSE of held-out unlabelled faces",
        table(tables.reconstruction(columns[UNLABELLED], setting.sources)),
    )
    yield section("Table 5, printed", table(_printed_errors()))
    yield section(
        "Table 6: fusing or choosing",
        table(tables.performance(columns, targets, tables.TABLE6)) + note(said.table6),
    )
    yield _printed("table6", tables.TABLE6)
    width = columns[UNLABELLED].summary("AE", "size", "width")
    drawings = {
        FIGURE2: figures.sweep(columns, targets, int(width.mean)) if width else "",
        FIGURE3: figures.times(tables.seconds(columns, targets, setting.sources)),
    }
    for name, drawing in drawings.items():
        if drawing:
            write_atomically(setting.folder / name, drawing)
            yield figure(setting.folder / name, CAPTIONS[name])
    yield section("Notes", bullets([*NOTES, said.seen, f"Made by `{command}`."]))


def unswapped(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame without swapped halves, which the claim's rows have and no others."""
    return frame[[fold != 1 for fold in frame["fold"].fillna(-1)]]


def _quantities(cells: list[Cell]) -> dict[str, Quantity]:
    """Return what metrics are: those of costs, sizes and errors have no upper end."""
    metrics = {metric for cell in cells for values in cell.metrics.values() for metric in values}
    fixed = {**tables.QUANTITIES, "auc": FRACTION, "eer": FRACTION}
    fixed |= {"cosine": CORRELATION, "cosine_of_constant": CORRELATION}
    names = {metric: metric.removesuffix(RULED).partition("/")[0] for metric in metrics}
    return {metric: fixed.get(name, ERROR) for metric, name in names.items()}


def _printed(name: str, rows: tuple[str, ...]) -> str:
    title = f"Table {name.removeprefix('table')}, printed"
    frame = tables.printed(name)
    shown = [row for row in rows if row in set(frame["row"])]
    return section(title, table(tables.printed_performance(name, shown)))


def _printed_errors() -> list[list[str]]:
    frame = tables.printed("table5")
    rows = list(dict.fromkeys(frame["row"]))
    lines = [["source (printed)", *rows]]
    for name, part in frame.groupby("column", sort=False):
        values = dict(zip(part["row"], part["value"], strict=True))
        lines.append([str(name), *(f"{values[r]:.2f}" if r in values else "—" for r in rows)])
    return lines
