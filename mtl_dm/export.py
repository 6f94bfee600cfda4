"""Write a checkpoint as a SavedModel and as ONNX, with probabilities as outputs.

    python -m mtl_dm.export --checkpoint=runs/first/best.keras --output=DIR

writes DIR/saved_model, DIR/model.onnx and DIR/labels.json (labels, inputs, preprocessing, training
data, temperatures), and the card of the checkpoint where it has one. Images go in as float32 [B,
side, side, 3] in [-1, 1], aligned as mtl_dm.predict does, other inputs by their names; out comes
one array a task, softmax or sigmoid, divided by the temperature where python -m mtl_dm.calibrate
left one beside the checkpoint. Everything computes in float32, also where the checkpoint was
trained in mixed precision. What was written is run on random inputs and must agree with the Keras
model in float32 as far as rounding goes (1e-5, for deep networks some 1e-4, of probabilities or
relative to large regressions); otherwise nothing is left behind.
ONNX needs the extra `onnx`: pip install 'mtl-dm[onnx]'.

What a checkpoint was trained on is printed. A checkpoint trained on synthetic faces has never been
validated on people. Exit status: 0 done, 1 the input does not allow it, 2 wrong usage, 130
interrupted, 143 ended by SIGTERM.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mtl_dm.cards.card import shown_lines
from mtl_dm.command_line import Parser, run_command
from mtl_dm.pretrained import checkpoint_at
from mtl_dm.runs.origin import origin_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = Parser(
        prog="python -m mtl_dm.export",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        plugins=True,
    )
    add = parser.add_argument
    add(
        "--checkpoint",
        required=True,
        help="a .keras file that train wrote, or the name of a pretrained checkpoint",
    )
    add("--output", required=True, type=Path, help="folder to make")
    add("--formats", default="savedmodel,onnx", help="comma-separated (default %(default)s)")
    options = parser.parse_args(arguments)
    return run_command(lambda: _export(options), "nothing was written")


def _export(options: argparse.Namespace) -> None:
    from mtl_dm.exporting import run

    checkpoint = checkpoint_at(options.checkpoint)
    # Before anything is written: what is no card ends the command.
    about = [*shown_lines(checkpoint), *origin_of(checkpoint).lines()]
    differences = run.export(options.checkpoint, options.output, options.formats.split(","))
    print("\n".join(about))
    for name, difference in differences.items():
        print(f"{name}: equal to the Keras model within {difference:.1e} on random inputs")
    print(f"Written to {options.output}")


if __name__ == "__main__":
    sys.exit(main())
