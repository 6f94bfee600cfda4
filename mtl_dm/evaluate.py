"""Measure a checkpoint on data sets.

Example:
    python -m mtl_dm.evaluate --checkpoint=runs/first/best.keras \
        --datasets=synthetic_faces/fully_annotated:test --output=runs/first/test

prints the main metrics and writes metrics.json: by data set and task, every metric, per label and
averaged, with base rates; the card beside the checkpoint takes up what was measured. With
--thresholds_from=synthetic_faces/fully_annotated:validation the attributes' thresholds are chosen
there, and what they give stands beside the metrics at 0.5.
"""

from mtl_dm.training import flags
from mtl_dm.training.main import start


def evaluate() -> None:
    """Evaluate as the flags say."""
    from mtl_dm.measuring import scoring

    scoring.score(
        flags.FLAGS.checkpoint,
        flags.FLAGS.datasets,
        flags.FLAGS.data_dir,
        flags.FLAGS.output,
        flags.FLAGS.thresholds_from,
    )


if __name__ == "__main__":
    start(evaluate, flags.define_evaluate_flags)
