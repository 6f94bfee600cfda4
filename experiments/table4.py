"""Table 4: classes and attributes beyond expressions: people, birds, shoes, clothes.

Source: Kollias, Sharmanska, Zafeiriou, AAAI 2024, Table 4.
Command: make reproduce-table4 [PRESET=demo|cad|paper] [DATA_DIR=folder] [ONLY=row or column]
Data: demo: the Clothing Attribute Dataset (CAD, real; DATA_DIR is the folder that holds
    ClothingAttributeDataset, without it these columns are left out) and synthetic people in the
    role of CelebA. cad: CAD in all 12 folds (experiments/table4_cad.py). paper: CelebA, CUB, SADD
    and CAD, of which DATA_DIR holds those that are built (experiments/table4_paper.py).
Networks: demo: VGG-16, ResNet-50 and DenseNet-121 at 64 px, NTS-Net at 96 px, their demo variants.
Thresholds: 0.5 after training on all of the training images, as in the paper.
Relatedness: counted on the annotations of the training images alone.
Expected: demo gives levels, no verdict: two folds or seeds a network, few steps. What is decided
    on CAD is decided by cad and by Table 5.
    Measured there: attribute F1 is lower under NC MT than under ST with every network, and 0 to 5
    under the printed losses on CAD; where all images carry both labels (people) the default is
    NC MT to the last bit.
Cost (two cores): demo 71 minutes with other work beside it (64 cells of one to five minutes, two at
    a time); cad 38 minutes, an estimate; paper: DRY_RUN=1 says it, nothing of it was run here.
"""

from __future__ import annotations

from experiments import table4_cad, table4_demo, table4_paper
from experiments.engine.options import Options, main_guard, options
from experiments.engine.running import run_study
from experiments.engine.study import Study

TABLE = "table4"
STUDIES = {
    "demo": table4_demo.study,
    "cad": table4_cad.study,
    "paper": table4_paper.study,
}


def study(chosen: Options) -> Study:
    """Return the table.

    Raises:
        ValueError: If the preset needs a folder of data that is not given.
        FileNotFoundError: If there is nothing to train on.
    """
    return STUDIES[chosen.preset](chosen)


def main() -> None:
    """Run what is missing of the table and write its report."""
    chosen = options(__doc__, TABLE, STUDIES, data_dir="")
    run_study(study(chosen), chosen)


if __name__ == "__main__":
    main_guard(main)
