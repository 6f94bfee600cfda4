"""Makes the frozen features that the studies on clothing train on.

    python -m experiments.clothing_features --source=DATA_DIR

reads DATA_DIR/ClothingAttributeDataset/images and writes
DATA_DIR/features/cad_mobilenetv2_224_gap.npy: row i, the pooled features that MobileNet v2 has of
image i + 1 at 224 px. Its weights of ImageNet are fetched; --weights=FILE takes yours.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from experiments.problems.clothing_data import FEATURES
from mtl_dm import data
from mtl_dm.command_line import Parser, run_command
from mtl_dm.files import write_atomically
from mtl_dm.models import BACKBONES
from mtl_dm.outputs import require_writable
from mtl_dm.progress import counted

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

SIDE = 224
BATCH = 32
IMAGES = Path("ClothingAttributeDataset", "images")


def images_of(source: Path) -> list[Path]:
    """Return the images by number.

    Raises:
        FileNotFoundError: If there are none, or a number is missing.
    """
    found = sorted((source / IMAGES).glob("*.jpg"))
    wanted = [f"{number + 1:06d}.jpg" for number in range(max(1, len(found)))]
    missing = sorted(set(wanted) - {path.name for path in found})
    if missing:
        path = source / IMAGES / missing[0]
        raise FileNotFoundError(f"Features of clothing need the image {path}.")
    return found


def features(network: keras.Model, images: Sequence[Path], side: int = SIDE) -> np.ndarray:
    """Return what a network has of images, float16 [N, D].

    Args:
        network: Takes images as `mtl_dm.data.network_input` makes them.
        images: JPEGs.
        side: Of what the network sees, in pixels.
    """
    import tensorflow as tf  # After mtl_dm, which starts it without chatter.

    def read(path: tf.Tensor) -> tf.Tensor:
        image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
        return data.network_input(image, side)

    paths = tf.data.Dataset.from_tensor_slices([str(path) for path in images])
    batches = paths.map(read, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH)
    seen = counted(batches, "batches", int(batches.cardinality()))
    return np.concatenate(
        [np.asarray(network(batch, training=False), np.float16) for batch in seen]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = Parser(description=__doc__.partition("\n")[0])
    parser.add_argument("--source", type=Path, required=True, help="folder of the raw data")
    parser.add_argument("--weights", default="imagenet", help="imagenet, or a file of weights")
    chosen = parser.parse_args(arguments)

    def run() -> None:
        images = images_of(chosen.source)
        require_writable((chosen.source / FEATURES).parent)  # Before minutes of work.
        network = BACKBONES.get("mobilenet_v2")((SIDE, SIDE, 3), weights=chosen.weights)
        kept = io.BytesIO()
        np.save(kept, features(network, images))
        write_atomically(chosen.source / FEATURES, kept.getvalue())
        print(f"The features of {len(images):,} images are in {chosen.source / FEATURES}.")

    return run_command(run, "nothing was written")


if __name__ == "__main__":
    sys.exit(main())
