"""Two small networks in two minutes: the same two tasks, without and with coupling.

    mtl-dm demo [--output=runs/demo] [--open]

Draws 3,000 faces, of which one set is annotated for expressions and one for 11 action units, trains
a compact CNN on both without coupling and with the default one, two seeds each, and measures all
four on faces of other people. Nothing is downloaded. The output folder then holds report.html (one
page without network), report.md and results.csv; a demo that was stopped goes on.

So short a training decides little, and the page says so: it shows how the library is used and what
it measures, not which coupling is best.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import webbrowser
from pathlib import Path

from mtl_dm.command_line import Parser, run_command
from mtl_dm.files import printable
from mtl_dm.memory import require_processes
from mtl_dm.outputs import require_writable

TABLE = "demo"
COLUMN = "drawn faces / compact CNN"
UNCOUPLED, COUPLED = "no coupling", "default coupling (Table 1)"
EPOCHS, STEPS, SEEDS = 3, 100, 2
SECONDS = 30
"""What a cell takes with another beside it on two cores, to say it before the first begins."""

INTRO = (
    "Expressions are learned from one set of drawn faces, action units from another; no face "
    "carries both labels. With coupling, what is known of the two, P(action unit | expression) of "
    "Table 1, is a third source of knowledge, as far as the labels at hand do not contradict it. "
    "`action_units_unseen` are six units that nobody labelled: only a coupling can teach them."
)
NEXT = """
What to do next:
  mtl-dm predict PHOTO         expressions and facial movements of your photo
                               (pip install 'mtl-dm[faces-tiny]' finds the face)
  mtl-dm build --dataset=csv_folder/NAME --source=DIR --data_dir=build/datasets
                               your own images: DIR holds labels.csv and what it names
  mtl-dm advise --datasets=csv_folder/ONE,csv_folder/OTHER --output=runs/advice
                               whether and how to couple their tasks, before training
  mtl-dm train, mtl-dm evaluate, mtl-dm --help
"""


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = Parser(
        prog="mtl-dm demo",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--output", type=Path, default=Path("runs/demo"), help="folder (default %(default)s)")
    add("--seeds", type=int, default=SEEDS, help="repetitions (default %(default)s)")
    add("--workers", type=int, default=2, help="trainings side by side (default %(default)s)")
    add("--open", action="store_true", help="show the page in a browser")
    options = parser.parse_args(arguments)
    if options.seeds < 1:
        parser.error(f"--seeds must be at least 1, got {options.seeds}")
    try:
        require_processes("--workers", options.workers, least=0)
    except ValueError as error:
        parser.error(str(error))
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = parse(arguments)
    return run_command(lambda: _demo(options), "what is finished is kept, the same command goes on")


def _demo(chosen: argparse.Namespace) -> None:
    require_writable(chosen.output)
    from experiments.demo_study import study
    from experiments.engine.options import Options
    from experiments.engine.running import run_study

    command = shlex.join(["mtl-dm", "demo", *map(printable, sys.argv[1:])])
    options = Options(
        TABLE, chosen.seeds, "", "", chosen.output, chosen.workers, command, dry_run=False
    )
    run_study(study(chosen.seeds), options)
    page = (chosen.output / "report.html").absolute()
    print(f"\nThe page for a browser: {page.as_uri()}")
    print(NEXT)
    if chosen.open:
        webbrowser.open(page.as_uri())


if __name__ == "__main__":
    sys.exit(main())
