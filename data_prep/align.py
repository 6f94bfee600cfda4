"""Finds and aligns the faces of a folder of photos.

    python -m data_prep.align --source=DIR --target=DIR

writes one aligned face a photo as JPEG into the same tree below the target, `faces.csv` (path, box,
five landmarks in pixels of the upright photo, score), `undetected.csv` (path, reason), and contact
sheets to look at: `_align/aligned.png`, `_align/failures.png`. Of several faces, the one is
taken whose centre is closest to the image's, or to the annotated box's with --boxes. Every image is
in one of the two CSV files. A run that was stopped or killed goes on with the same command.

Other options go to Apache Beam where --runner is given, as in
--runner=DirectRunner --direct_running_mode=multi_processing --direct_num_workers=2.
Exit status: 0 done, 1 the data do not allow it, 2 wrong usage, 130 interrupted, 143
ended by SIGTERM.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    # Before mtl_dm brings Keras, which would bring TensorFlow, which finds no faces.
    os.environ["KERAS_BACKEND"] = "numpy"

from data_prep.faces.beam import RUNNERS, run_on_beam
from data_prep.faces.boxes import read_boxes
from data_prep.faces.folder import Plan, begin, finish, plan, summary
from data_prep.faces.listing import RESERVED
from data_prep.faces.one_image import UNDETECTED, Options
from data_prep.faces.own_engine import loader_of
from data_prep.faces.pool import run_local
from data_prep.faces.worker import Setup
from mtl_dm import faces
from mtl_dm.command_line import Parser, import_plugins, run_command
from mtl_dm.files import printable
from mtl_dm.memory import require_processes
from mtl_dm.outputs import owned, require_writable
from mtl_dm.progress import counted


def _parse(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, list[str]]:
    import_plugins(arguments)  # Before the help lists engines.
    parser = Parser(
        prog="python -m data_prep.align",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        plugins=True,
    )
    default = Options()
    add = parser.add_argument
    add("--source", required=True, type=Path, help="folder of photos")
    add("--target", required=True, type=Path, help="folder to write to")
    add(
        "--engine",
        default=faces.DEFAULT,
        help=f"detector: {', '.join(faces.ENGINES)} (default {faces.DEFAULT})",
    )
    add("--boxes", type=Path, help="CSV of annotated faces: path,left,top,right,bottom")
    add(
        "--undetected",
        default=default.undetected,
        help=f"policy for images without a face: {', '.join(UNDETECTED)} (default skip)",
    )
    add("--size", type=int, default=default.size, help="side of the faces (default 112)")
    add(
        "--sides",
        default=",".join(map(str, default.sides)),
        help="long sides at which a face is looked for, in turn (default %(default)s); the "
        "landmarks are then refined at full resolution",
    )
    add("--min_score", type=float, default=default.min_score, help="(default %(default)s)")
    add("--quality", type=int, default=default.quality, help="of the JPEGs (default %(default)s)")
    add("--processes", type=int, default=os.cpu_count() or 1, help="(default: all cores)")
    add("--runner", choices=RUNNERS, help="an Apache Beam runner instead of local processes")
    options, others = parser.parse_known_args(arguments)
    if others and options.runner is None:
        parser.error(f"unknown option(s): {' '.join(others)}")
    try:
        require_processes("--processes", options.processes)
        sides = tuple(int(side) for side in options.sides.split(","))
        options.how = Options(
            options.size, sides, options.min_score, options.undetected, options.quality
        )
        faces.ENGINES.get(options.engine)
    except ValueError as error:
        parser.error(str(error))
    return options, others


def align(
    options: argparse.Namespace, beam_arguments: Sequence[str], held: contextlib.ExitStack
) -> Plan:
    """Do what the options say, up to the records in the journals.

    Args:
        options: As parsed.
        beam_arguments: For Apache Beam.
        held: Holds the target until what follows is done, too.

    Raises:
        OSError: If a folder cannot be read or written.
        ValueError: If the folders or boxes do not allow it.
        ImportError: If the engine or Beam is not installed.
        RuntimeError: If a worker process died.
    """
    work = plan(options.source, options.target, read_boxes(options.boxes) if options.boxes else {})
    load_engine = loader_of(options.engine)
    load_engine()  # says at once what is missing, and downloads once, not in every process
    held.enter_context(owned(options.target / RESERVED))
    begin(work, options.engine, options.how)
    setup = Setup(options.source.absolute(), options.target.absolute(), load_engine, options.how)
    pending = work.pending
    if work.done:
        print(f"{len(work.done):,} of {len(work.jobs):,} image(s) are done already.")
    if options.runner is not None:
        run_on_beam(pending, setup, options.runner, beam_arguments)
        return work
    processes = min(options.processes, max(1, len(pending)))
    found = run_local(pending, setup, processes)
    for _ in counted(found, "images done", len(work.jobs), len(work.done)):
        pass
    return work


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options, others = _parse(arguments)
    return run_command(
        lambda: _run(options, others),
        "the same command goes on from here",
        errors=(RuntimeError,),
    )


def _run(options: argparse.Namespace, others: Sequence[str]) -> None:
    start = time.monotonic()
    require_writable(options.target)
    with contextlib.ExitStack() as held:
        work = align(options, others, held)
        records = finish(work)
    seconds = time.monotonic() - start
    print("\n".join(summary(work, records)))
    done_now = len(work.pending)
    print(f"{done_now:,} image(s) in {seconds:.1f} s, into {printable(options.target)}")


if __name__ == "__main__":
    sys.exit(main())
