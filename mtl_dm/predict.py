r"""From photos and videos to predictions: finds the faces, aligns them, predicts.

    python -m mtl_dm.predict PHOTO|FOLDER|VIDEO ...
    python -m mtl_dm.predict --checkpoint=runs/first/best.keras --output=DIR PHOTO|FOLDER|VIDEO ...

says of a few photos what their faces show, and writes predictions.csv (or .jsonl): one line a face
with file, frame and time of a video, face number (best score first), box in pixels of the upright
photo, detection score, and for every task of the checkpoint the probability of each label (the
value, for a regression); an image without a face, or that cannot be read, has one line with the
reason. Bytes of a file's name that are not UTF-8 are spelled \xNN. annotated/ holds each photo
with its faces boxed and a card a face (bars of the classes, attributes from 0.5 on, valence and
arousal as a dot on the circumplex). Values of a regression are clipped to what its labels lie
between. about.json says what
made it.

Faces are aligned at 112 x 112 as by data_prep.align (at the network's input where that is larger)
and resized to the network's input as in training. Videos: --fps frames for each second are looked
at, by the time stamps of the frames (seconds; a video without usable stamps has a line that says
so, and is timed by its frame rate). Probabilities are calibrated where python -m mtl_dm.calibrate
left temperatures beside the checkpoint.

Without a --checkpoint it is the one that comes with this package; its card, beside it, says what it
was measured on, and where it fails. Faces are found by the extra faces-tiny.

What a checkpoint was trained on is printed by each run, and below where --help comes with a
--checkpoint. A checkpoint trained on synthetic faces has never been validated on people.
Exit status: 0 done, 1 the input does not allow it, 2 wrong usage, 130 interrupted, 143 ended
by SIGTERM.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from mtl_dm import faces
from mtl_dm.command_line import Parser, import_plugins, run_command
from mtl_dm.files import printable
from mtl_dm.predicting.options import Options
from mtl_dm.predicting.rows import FORMATS
from mtl_dm.pretrained import DEFAULT, PRETRAINED, checkpoint_at
from mtl_dm.runs.origin import origin_of


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    import_plugins(arguments)  # Before the help lists names.
    parser = Parser(
        prog="python -m mtl_dm.predict",
        description=__doc__,
        epilog=_about_checkpoint(arguments),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        plugins=True,
    )
    default = Options()
    _add_files(parser, default)
    _add_search(parser, default)
    _add_work(parser, default)
    options = parser.parse_args(arguments)
    try:
        options.how = _how(options)
    except ValueError as error:
        parser.error(str(error))
    return options


def _add_files(parser: Parser, default: Options) -> None:
    """Add what is read, and what is written where."""
    parser.add_argument("inputs", nargs="+", type=Path, metavar="PHOTO|FOLDER|VIDEO")
    parser.add_argument(
        "--checkpoint",
        default=DEFAULT,
        help="a .keras file that train wrote, or the name of a pretrained checkpoint: "
        f"{', '.join(PRETRAINED)} (default %(default)s)",
    )
    parser.add_argument(
        "--output",
        default=Path("runs/predicted"),
        type=Path,
        help="folder to write to (default %(default)s)",
    )
    parser.add_argument(
        "--format", default=default.form, help=f"{' or '.join(FORMATS)} (default %(default)s)"
    )


def _add_search(parser: Parser, default: Options) -> None:
    """Add where and how faces are looked for."""
    parser.add_argument(
        "--fps",
        type=float,
        default=default.fps,
        help="frames to take of a second of video (default %(default)s; 0: all)",
    )
    parser.add_argument(
        "--engine",
        default=default.engine,
        help=f"detector: {', '.join(faces.ENGINES)} (default %(default)s)",
    )
    parser.add_argument(
        "--sides",
        default=",".join(map(str, default.sides)),
        help="long sides to which a photo is shrunk to look for faces, in turn until one shows "
        "any (default %(default)s); larger ones find smaller faces and take longer",
    )
    parser.add_argument(
        "--min_score", type=float, default=default.min_score, help="(default %(default)s)"
    )


def _add_work(parser: Parser, default: Options) -> None:
    """Add how much is done at a time, and what need not be done."""
    parser.add_argument(
        "--batch_size",
        type=int,
        default=default.batch_size,
        help="faces a batch (default %(default)s)",
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=default.threads,
        help="that look for faces while as many predict others and draw (default: one a core)",
    )
    parser.add_argument("--no_pictures", action="store_true", help="write no annotated photos")


def _how(options: argparse.Namespace) -> Options:
    """Return how to predict; raises as `Options`, and where a side is no number."""
    return Options(
        engine=options.engine,
        form=options.format,
        fps=options.fps,
        sides=tuple(int(side) for side in options.sides.split(",")),
        min_score=options.min_score,
        batch_size=options.batch_size,
        pictures=not options.no_pictures,
        threads=options.threads,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = parse(arguments)
    return run_command(lambda: _predict(options), "no predictions were written")


def _predict(options: argparse.Namespace) -> None:
    from mtl_dm.predicting import cores, run

    start = time.monotonic()
    cores.one_core_a_call()
    counts = run.predict(options.checkpoint, options.inputs, options.output, options.how)
    for what, number in counts.items():
        print(f"{number:7,} {what}")
    where = printable(options.output)
    print(f"Done in {time.monotonic() - start:.1f} s; everything is in {where}")


def _about_checkpoint(arguments: Sequence[str] | None) -> str | None:
    early = Parser(add_help=False, allow_abbrev=False)
    early.add_argument("--checkpoint")
    known, _ = early.parse_known_args(arguments)
    if known.checkpoint is None:
        return None
    try:
        lines = origin_of(checkpoint_at(known.checkpoint)).lines()
    except (OSError, ValueError) as error:
        lines = [str(error)]
    return "\n".join([f"The checkpoint {known.checkpoint}:", *lines])


if __name__ == "__main__":
    sys.exit(main())
