"""Train several tasks together from data sets annotated for only one of them.

Example, on synthetic faces that are made on first use:

    python -m mtl_dm.train \
        --datasets=synthetic_faces/expression_only,synthetic_faces/action_units_only \
        --validation=synthetic_faces/fully_annotated:validation \
        --relatedness=facs --output=runs/first

The output folder then holds best.keras and last.keras, TensorBoard logs, the relatedness used,
run.json (flags, seed, commit, versions, seconds, history) and card.md, which says to whoever uses
the checkpoint what it is, what was measured of it and what was not. --flagfile=FILE reads flags
from a file.
"""

from absl import logging

from mtl_dm.training import flags
from mtl_dm.training.main import start


def train() -> None:
    """Train as the flags say."""
    from mtl_dm import processes
    from mtl_dm.training import run  # TensorFlow only once the flags parse

    config = flags.train_config()
    run.make_deterministic()
    with processes.joined():
        run.train(config, flags.FLAGS.output)
    logging.info("Finished; everything is in %s", flags.FLAGS.output)


if __name__ == "__main__":
    start(train, flags.define_train_flags, "the same command goes on after the last finished epoch")
