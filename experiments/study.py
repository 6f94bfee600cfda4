"""What the studies share: their arguments, the loop over cells, the report at the end."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from mtl_dm.command_line import Parser
from mtl_dm.reporting import (
    ReportSpec,
    read_cells,
    summary_text,
    to_frame,
    write_html,
    write_report,
)
from mtl_dm.runs.cells import CellPlan, Measurement, run_cell
from mtl_dm.training.run import make_deterministic

SECONDS_BETWEEN_REPORTS = 60

Job = tuple[CellPlan, Callable[[], Measurement]]


def arguments(
    description: str,
    table: str,
    presets: Collection[str],
    names: Sequence[str],
    *,
    default_preset: str = "demo",
    data_dir: str | None = "build/datasets",
    seeds: bool = False,
) -> argparse.Namespace:
    """Return the parsed arguments of a study; `selected` holds the rows or columns to run.

    Args:
        description: Shown by --help.
        table: Names the default output folder.
        presets: Names that --preset may have.
        names: Rows and columns that --only may name.
        default_preset: Used where --preset is not given.
        data_dir: Default of --data_dir; None: it must be given.
        seeds: Offer --seeds. Without it a study that fixes its repetitions refuses the option.

    Raises:
        ValueError: If a value breaks its rule.
    """
    parser = Parser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default=default_preset, help=f"one of {', '.join(presets)}")
    if seeds:
        parser.add_argument(
            "--seeds", type=int, default=1, help="repetitions; 2 and more give intervals"
        )
    parser.add_argument("--only", default="", help=f"one of: {'; '.join(names)}")
    parser.add_argument("--data_dir", default=data_dir, required=data_dir is None)
    parser.add_argument("--output", default=f"runs/{table}", help="folder of the study")
    options = parser.parse_args()
    if options.preset not in presets:
        raise ValueError(f"Unknown preset {options.preset!r}. Known: {', '.join(presets)}.")
    if seeds and options.seeds < 1:
        raise ValueError(f"seeds must be at least 1, got {options.seeds}.")
    if options.only and options.only not in names:
        raise ValueError(f"Unknown row or column {options.only!r}. Known: {'; '.join(names)}.")
    options.selected = [options.only] if options.only else list(names)
    # What the user typed, `make ...` where the Makefile says so.
    options.command = os.environ.get("MTL_DM_COMMAND") or shlex.join(
        ["python", "-m", f"experiments.{table}", *sys.argv[1:]]
    )
    return options


def run_study(folder: str | Path, jobs: Sequence[Job], specification: ReportSpec) -> None:
    """Compute the cells that are missing, then write and print the report.

    The report is written every minute, so that a long study can be watched.

    Args:
        folder: Folder of the study.
        jobs: Cells with the functions that compute them.
        specification: The report.
    """
    make_deterministic()
    written = time.monotonic()
    for number, (plan, measure) in enumerate(jobs, start=1):
        run_cell(
            folder,
            plan,
            measure,
            command=specification.command,
            progress=f"[{number}/{len(jobs)}]",
        )
        if time.monotonic() - written > SECONDS_BETWEEN_REPORTS:
            write_report(folder, specification)
            write_html(folder, specification)
            written = time.monotonic()
    report = write_report(folder, specification)
    page = write_html(folder, specification)
    cells, _ = read_cells(folder, specification.table)
    text = summary_text(to_frame(cells), specification)
    print(f"\n{text}\n\nThe report is {report}, as a page {page}")


def main_guard(main: Callable[[], Any]) -> None:
    """Run a study; wrong input ends it with one line instead of a stack trace."""
    try:
        main()
    except (ValueError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
