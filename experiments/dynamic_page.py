"""dynamic.html: the tables and figures of Ming et al. beside this study's, as one page."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

from experiments import dynamic_figures as figures
from experiments.dynamic_history import course_of
from experiments.dynamic_tables import Courses, data_table, grouped, results, weights_table
from experiments.engine.sections import figure, section
from mtl_dm.files import write_atomically
from mtl_dm.reporting import Cell, read_cells, to_frame
from mtl_dm.reporting.html import document
from mtl_dm.reporting.measured import Measured
from mtl_dm.reporting.page.markup import escape, note, table
from mtl_dm.runs.evidence import read_evidence

PAGE = "dynamic.html"
TITLE = "Dynamic weights of tasks, after Ming et al. 2019"
CAPTIONS = {
    figures.SWEEP: "Figure 2. Accuracy against the static weight w1 of identity. Bars: Student's "
    "95% interval over seeds; points without one have one seed. The paper's best weights differ "
    "between tasks and databases; it prints no numbers, and no curve of its figures is drawn "
    "here.",
    figures.WEIGHTS: "Figure 4. Weights in training, each over the sum of both, means of the steps "
    "of an epoch; lines are means over repeats, bands their range. In the paper naive weights "
    "leave verification below 0.2, and those of the proposed unit change sides with the losses.",
    figures.LOSSES: "Figure 5. Losses of the same trainings, unweighted.",
    figures.EFFICIENT: "Figure 6. The loss of each task under equal, naive and dynamic weights. In "
    "the paper the proposed weights lower the hard task's loss faster.",
    figures.VANISHING: "Figure 7. The factor of eq. 8. It does not vanish because a1 is large, as "
    "the paper says, but because it is large beside a2.",
}
WEIGHTS = (
    "Weights are over the sum of both, means of an epoch's steps. The harder task is the one with "
    "the larger training loss; ahead: in how many epochs it weighs more. Verification and "
    "expression: points above equal weights, paired over repeats, mean ± half width of the 95% "
    "interval, not adjusted for the number of rows."
)


def write_page(
    table_name: str,
    columns: Sequence[str],
    once: Sequence[str],
    folder: Path,
    *,
    test_train_ratio: float = 1.0,
) -> None:
    """Write figures and dynamic.html from the cells that are there.

    Args:
        table_name: Of the study.
        columns: Of the study.
        once: Rows with one seed, which are in Figure 2 alone.
        folder: Folder of the study.
        test_train_ratio: As for `mtl_dm.reporting.ReportSpec`.
    """
    cells = read_cells(folder, table_name).cells
    frame = to_frame(cells)
    measured = {column: Measured(frame, column, test_train_ratio) for column in columns}
    courses = _courses(folder, cells, columns, once)
    makers: dict[str, Callable[[Path], bool]] = {
        figures.SWEEP: functools.partial(figures.sweep, grouped(measured)),
        figures.WEIGHTS: functools.partial(figures.courses, courses, "weights"),
        figures.LOSSES: functools.partial(figures.courses, courses, "losses"),
        figures.EFFICIENT: functools.partial(figures.efficiency, courses),
        figures.VANISHING: figures.vanishing,
    }
    drawn = [name for name, make in makers.items() if make(folder / name)]
    weights = weights_table(courses, measured)
    said = table(weights) + note(WEIGHTS) if len(weights) > 1 else note("No weights yet.")
    parts = [
        f"<header><h1>{escape(TITLE)}</h1></header>",
        section("Table 1: who is in it", table(data_table(cells, columns))),
        *(section(title, table(lines)) for title, lines in results(measured)),
        section("Which task got the larger weight, and what it did", said),
        *(figure(folder / name, CAPTIONS[name]) for name in drawn),
    ]
    write_atomically(folder / PAGE, document(TITLE, "\n".join(parts)))


def _courses(
    folder: Path, cells: Sequence[Cell], columns: Sequence[str], once: Sequence[str]
) -> Courses:
    """Return the courses of the trainings by column and row, in the order of the columns."""
    contents = read_evidence(folder, list(cells)).contents
    found: dict[str, dict] = {column: {} for column in columns}
    for (column, row), each in contents.items():
        course = course_of(each)
        if course is not None and row not in once and column in found:
            found[column][row] = course
    return {column: rows for column, rows in found.items() if rows}
