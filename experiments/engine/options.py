"""What a user types to run a study."""

from __future__ import annotations

import argparse
import dataclasses
import os
import shlex
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from mtl_dm.command_line import Parser, run_command
from mtl_dm.memory import require_processes
from mtl_dm.outputs import require_writable

COMMAND = "MTL_DM_COMMAND"
"""Environment variable with what the user typed, where that was `make ...`."""


@dataclasses.dataclass(frozen=True)
class Options:
    """The options of a study.

    Attributes:
        preset: How large it is.
        seeds: Repetitions; 1 where a study fixes its own.
        only: Row, column or group of columns to run; empty: all.
        data_dir: Folder of data.
        folder: Folder of the study.
        workers: Processes that compute cells side by side; 0: this process does.
        command: What was typed.
        dry_run: Only say what would be done.
    """

    preset: str
    seeds: int
    only: str
    data_dir: str
    folder: Path
    workers: int
    command: str
    dry_run: bool = False


def options(
    description: str | None,
    table: str,
    presets: Collection[str],
    *,
    default_preset: str = "demo",
    data_dir: str | None = "build/datasets",
    seeds: int | None = None,
    trains: bool = True,
) -> Options:
    """Return the parsed command line of a study.

    Args:
        description: Shown by --help.
        table: Names the default output folder, runs/<table>. Presets other than the default one
            have folders of their own, runs/<table>-<preset>.
        presets: Names that --preset may have.
        default_preset: Used where --preset is not given.
        data_dir: Default of --data_dir; None: it must be given.
        seeds: Default of --seeds. None: a study that fixes its repetitions refuses the option.
        trains: Offer --workers and --dry_run.

    Raises:
        ValueError: If a value breaks its rule.
    """
    parser = Parser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        plugins=True,
    )
    parser.add_argument("--preset", default=default_preset, help=f"one of {', '.join(presets)}")
    if seeds is not None:
        parser.add_argument(
            "--seeds", type=int, default=seeds, help="repetitions; 2 and more give intervals"
        )
    parser.add_argument("--only", default="", help="a row, a column or what stands before its ' /'")
    parser.add_argument("--data_dir", default=data_dir, required=data_dir is None)
    parser.add_argument(
        "--output",
        help=f"folder of the study; runs/{table}, of another preset runs/{table}-PRESET",
    )
    if trains:
        parser.add_argument(
            "--workers",
            type=int,
            default=min(2, os.cpu_count() or 1),
            help="cells side by side, a process of one thread each; 0: none, in this process",
        )
        parser.add_argument(
            "--dry_run",
            action="store_true",
            help="print what each cell would train, on what and how long, and do nothing",
        )
    found = parser.parse_args()
    typed = shlex.join(["python", *_program(table), *sys.argv[1:]])
    if found.preset not in presets:
        raise ValueError(f"Unknown preset {found.preset!r}. Known: {', '.join(presets)}.")
    if getattr(found, "seeds", 1) < 1:
        raise ValueError(f"seeds must be at least 1, got {found.seeds}.")
    require_processes("workers", getattr(found, "workers", 0), least=0)
    own = table if found.preset == default_preset else f"{table}-{found.preset}"
    folder = Path(found.output or f"runs/{own}")
    if not getattr(found, "dry_run", False):
        require_writable(folder)  # Before hours of work.
    return Options(
        found.preset,
        getattr(found, "seeds", 1),
        found.only,
        found.data_dir,
        folder,
        getattr(found, "workers", 0),
        os.environ.get(COMMAND) or typed,
        getattr(found, "dry_run", False),
    )


def _program(table: str) -> list[str]:
    """Return what runs a study: a file of a user's own, or a module of this package."""
    main = sys.modules["__main__"]
    own = getattr(main, "__spec__", None) is None and getattr(main, "__file__", None) is not None
    if own and Path(str(main.__file__)).resolve() == Path(sys.argv[0]).resolve():
        return [sys.argv[0]]
    return ["-m", f"experiments.{table}"]


def require_known(only: str, names: Collection[str]) -> None:
    """Check what --only names.

    Raises:
        ValueError: If it is unknown.
    """
    if only and only not in names:
        raise ValueError(f"Unknown row or column {only!r}. Known: {'; '.join(names)}.")


def main_guard(main: Callable[[], Any]) -> None:
    """Run a study; wrong input ends it with one line instead of a stack trace."""
    status = run_command(main, "what is finished is kept, the same command goes on")
    if status:
        sys.exit(status)
