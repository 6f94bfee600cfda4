"""Says whether a raw download is usable.

    python -m data_prep.check --dataset=clothing_attributes --source=DIR

Exit status: 0 usable, 1 not usable (the reasons are on stderr), 2 wrong usage, 130 interrupted, 143
ended by SIGTERM.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import mtl_dm.datasets  # noqa: F401 - importing the builders files their checks
from mtl_dm.command_line import Parser, import_plugins, run_command
from mtl_dm.datasets._check import CHECKERS, Checker, Report
from mtl_dm.files import expand_home


def checker_of(name: str) -> Checker:
    """Return the check of a data set, with its configuration where that has one of its own.

    Raises:
        ValueError: If no data set of that name has a check; the message lists those that have.
    """
    return CHECKERS.get(name if name in CHECKERS else name.partition("/")[0])


def check(name: str, source: str | Path) -> Report:
    """Return what the data set's own check finds in a folder.

    Args:
        name: Name of the builder, with its configuration where that has a check of its own.
        source: Folder of the raw download.

    Raises:
        ValueError: If no data set of that name has a check; the message lists those that have.
    """
    checker = checker_of(name)
    source = Path(expand_home(str(source)))
    if not source.is_dir():
        return Report(errors=(f"The folder {source} does not exist.",))
    return checker(source)


def print_report(name: str, report: Report) -> None:
    """Print facts, warnings and the verdict to stdout, errors to stderr."""
    for fact in report.facts:
        print(fact)
    for warning in report.warnings:
        print(f"warning: {warning}")
    for error in report.errors:
        print(f"error: {error}", file=sys.stderr)
    print(f"{name}: {'usable' if report.usable else 'NOT usable'}.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    import_plugins(arguments)  # Before the help lists names.
    parser = Parser(
        prog="python -m data_prep.check",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        plugins=True,
    )
    parser.add_argument("--dataset", required=True, help=f"one of: {', '.join(CHECKERS)}")
    parser.add_argument("--source", required=True, type=Path, help="folder of the raw download")
    options = parser.parse_args(arguments)
    try:
        checker_of(options.dataset)
    except ValueError as error:
        parser.error(str(error))

    def run() -> int:
        report = check(options.dataset, options.source)
        print_report(options.dataset, report)
        return 0 if report.usable else 1

    return run_command(run, "nothing was decided")


if __name__ == "__main__":
    sys.exit(main())
