"""Recognise compound expressions with a checkpoint that was not trained for them.

Example:
    python -m mtl_dm.compound --checkpoint=runs/first/best.keras \
        --datasets=synthetic_compounds/64px:test --support=synthetic_compounds/64px:support \
        --output=runs/first/compound

prints the unweighted average recall of each score, of a few examples a class its mean and 95%
interval over the draws, and writes compound.json, with the recall of every compound.
"""

from mtl_dm.compound.run import recognise
from mtl_dm.training import flags
from mtl_dm.training.main import start


def compound() -> None:
    """Recognise as the flags say."""
    values = flags.FLAGS
    recognise(
        values.checkpoint,
        values.datasets,
        values.data_dir,
        values.output,
        values.relatedness,
        values.scores,
        values.support,
        values.draws,
    )


if __name__ == "__main__":
    start(compound, flags.define_compound_flags)
