"""Face verification: how well a checkpoint tells whether two photos show the same person.

    python -m mtl_dm.verify --checkpoint=runs/first/best.keras --pairs=pairs.txt --images=FOLDER
    python -m mtl_dm.verify --checkpoint=runs/first/best.keras --dataset=NAME:test

Two photos are taken for one person where the distance of their embeddings is at most a threshold.
Prints and writes accuracy (each fold at the threshold of the others), ROC, AUC, equal error rate
and true accept rates at low false accept rates, with 95% intervals by a bootstrap over people:
verification.html with the ROC and the pairs that are judged wrong, roc.svg, pairs.csv with every
pair and its distance, verification.json.

--pairs is a list as Labeled Faces in the Wild (pairs.txt), YouTube Faces (splits.txt) or Ming et
al. publish it; its images are searched below --images by path or name: faces aligned as
data_prep.align writes them and as the checkpoint was trained on. What a list calls an image may be
a folder, a video: the embeddings of some frames are averaged. From a --dataset with the feature
identity pairs are drawn, ten folds of different people, or fewer where people are few.

What the checkpoint was trained on is told, and whether images of a --dataset are among it; whether
people of the pairs are is not checked.
--folds verifies some folds alone. A checkpoint that was not trained to tell people apart hardly
does. Exit status: 0 done, 1 the input does not allow it, 2 wrong usage, 130 interrupted, 143 ended
by SIGTERM.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from mtl_dm.command_line import Parser, import_plugins, run_command
from mtl_dm.files import printable

_STOPPED = "every file in the output folder is whole, but some may be missing or an earlier run's"


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    import_plugins(arguments)  # Before the help lists names.
    from mtl_dm.metrics import DISTANCES
    from mtl_dm.verifying.run import LISTS, Options

    default = Options(dataset="")
    parser = Parser(
        prog="python -m mtl_dm.verify",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        plugins=True,
    )
    add = parser.add_argument
    add("--checkpoint", required=True, help="a .keras file, or the name of a pretrained checkpoint")
    add("--pairs", type=Path, help="a list of pairs")
    add("--format", default=default.form, help=f"{', '.join(LISTS)} (default %(default)s)")
    add("--images", type=Path, help="the folder of its images")
    add("--dataset", help="draw pairs from a built data set instead, as NAME[/CONFIG][:SPLIT]")
    add("--data_dir", default=default.data_dir, help="built data sets (default %(default)s)")
    add("--folds", default="", help="numbers of the folds to verify, 6,7,8 (default: all)")
    add("--skip_missing", action="store_true", help="leave out pairs of which an image is missing")
    add("--layer", help="the layer that is the embedding (default: the network's features)")
    add("--task", help="whose features, where tasks have their own (default: identity)")
    add("--distance", default=default.distance, help=f"{', '.join(DISTANCES)} (%(default)s)")
    add("--frames", type=int, default=default.frames, help="of a video (default %(default)s)")
    add("--draws", type=int, default=default.draws, help="for the intervals (default %(default)s)")
    add("--seed", type=int, default=default.seed, help="of all draws (default %(default)s)")
    add("--batch_size", type=int, default=default.batch_size, help="(default %(default)s)")
    add("--output", type=Path, default=Path("runs/verified"), help="folder (default %(default)s)")
    options = parser.parse_args(arguments)
    try:
        given = vars(options)
        given["form"] = options.format
        names = set(Options.__dataclass_fields__) - {"folds"}
        options.how = Options(**{name: given[name] for name in names}, folds=_folds(options.folds))
    except ValueError as error:
        parser.error(str(error))
    return options


def _folds(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(fold) for fold in text.split(",") if fold.strip())
    except ValueError:
        raise ValueError(f"--folds must be numbers between commas, not {text!r}.") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    options = parse(arguments)
    given = sys.argv[1:] if arguments is None else arguments
    made_by = shlex.join(["python", "-m", "mtl_dm.verify", *map(printable, given)])
    return run_command(lambda: _verify(options, made_by), _STOPPED)


def _verify(options: argparse.Namespace, made_by: str) -> None:
    from mtl_dm.verifying import run
    from mtl_dm.verifying.page import decided, numbers

    found = run.verify(options.checkpoint, options.output, options.how, made_by)
    for name, value, interval in numbers(found)[1:]:
        print(f"{name}: {value}" + (f" (95% interval: {interval})" if interval else ""))
    print(decided(found).replace("*", ""))
    print(f"Everything is in {printable(options.output)}")


if __name__ == "__main__":
    sys.exit(main())
