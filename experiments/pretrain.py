"""Train, ship and measure the checkpoint that comes with the package.

    make pretrain DATA_DIR=<folder of faces>

needs the folder that docs/guide/faces_data.md describes. It trains
`small_resnet` on FER2013's Training and LFW's training people, seeded, through the library's own
stream, augmentation and default coupling (`experiments.pretraining.recipe`), writes
mtl_dm/pretrained/small_faces/ (kernels in float16, temperatures, run record, card) and measures
that file on FER2013's PublicTest and on LFW's test people. A run that was stopped goes on after its
last finished epoch. Expected: above 63% of PublicTest, a file below 2 MB. Cost: about an hour of
two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

from experiments.engine.options import COMMAND, main_guard
from mtl_dm.command_line import Parser
from mtl_dm.outputs import owned, require_writable
from mtl_dm.pretrained import DEFAULT, FOLDER


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--data_dir", required=True, help="folder of FER2013 and LFW")
    add("--output", type=Path, default=Path("runs/pretrain"), help="(default %(default)s)")
    add(
        "--target",
        type=Path,
        default=FOLDER / DEFAULT,
        help="folder of the shipped files (default: in the package)",
    )
    return parser.parse_args(arguments)


def main() -> None:
    """Run the recipe.

    Raises:
        FileNotFoundError: If a file of the data is not there.
        ValueError: If one is malformed, or the output folder holds another training.
    """
    options = parse()
    typed = shlex.join(["python", "-m", "experiments.pretrain", *sys.argv[1:]])
    from mtl_dm import faces as detectors

    try:
        engine = detectors.load_engine()  # Before an hour of work.
    except ImportError as error:
        raise ValueError(f"The card measures turned heads by a face detector. {error}") from error
    require_writable(options.target)
    from mtl_dm.training.run import make_deterministic

    make_deterministic()
    with owned(options.output):
        _deliver(options, engine, os.environ.get(COMMAND) or typed)


def _deliver(options: argparse.Namespace, engine: Any, command: str) -> None:
    from experiments.pretraining import delivery, recipe
    from experiments.pretraining.training import train
    from experiments.problems.real_faces_data import real_faces

    faces = real_faces(options.data_dir)
    photos = recipe.photos_of(faces)
    model, progress = train(recipe.config_of(), photos, faces, options.output)
    path = delivery.deliver(model, progress, photos, options.target)
    card = delivery.measure(path, photos, faces, engine, options, command)
    print(json.dumps({name: summary(test) for name, test in card["tests"].items()}, indent=1))


def summary(test: dict[str, Any]) -> dict[str, Any]:
    """Return the main numbers of a test set."""
    expression, movements = test["tasks"].values()
    return {
        "images": test["images"],
        "accuracy": expression["accuracy"],
        "mean_average_precision": movements["average_precision"],
    }


if __name__ == "__main__":
    main_guard(main)
