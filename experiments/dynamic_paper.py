"""The study of dynamic weights at full size on built databases: PRESET=paper of dynamic.py.

Data: CK+ and Oulu-CASIA (visible camera, strong light), faces cropped, as `data_prep.build` makes
    them; ten folds by person. Pretrained on drawn people: the paper's 1.1 million photos are no
    longer handed out.
Rules of evidence: nothing was run. Batch, optimizer and centre loss are the authors' code's; rate
    and steps are ours. In their code the shared layers and the verification branch keep the
    statistics of their pretraining; here all parts learn.
Cost: DRY_RUN=1 estimates it; the data must be built.
"""

from __future__ import annotations

import functools

from experiments.dynamic_rows import ONCE, ROWS, static
from experiments.engine.options import Options
from experiments.engine.study import Column
from experiments.problems import faces_compared
from experiments.problems.face_verification import FaceVerification
from mtl_dm import data

PRESET = "paper"
DATABASES = {"CK+": "ck_plus", "Oulu-CASIA": "oulu_casia/visible_strong"}
"""By name of the column, the built data set."""
FOLDS = 10
SIDE = 160
BACKBONE = "inception_resnet_small"
FIELDS = {
    "backbone": BACKBONE,
    "batch_size": 90,
    "optimizer": "rmsprop(momentum=0.9, epsilon=1.0, global_clipnorm=5.0)",
    "learning_rate": 1e-2,
    "schedule": "step(every=5, factor=0.1)",
    "terms": ("centre_loss(task=identity)",),
    "epochs": 20,
    "steps_per_epoch": 100,
}
PRETRAINED = {"epochs": 40}
PUBLISHED = {name: (name,) for name in DATABASES}
NOTES = (
    "Ten folds by person; in each, pairs of the test people are drawn, in folds of their own, "
    "nobody in two. The authors' pair lists are read by `mtl_dm.data.pairs.read_author_pairs`.",
    "Table 1 of the paper prints 147 images of happiness in CK+, three of each sequence; 69 "
    "sequences of the release are happy, which makes 207.",
    "Of the static weights there are five, 0.1 to 0.9. In static and dynamic rows the weights sum "
    "to 1, in the others each task has 1: with this optimizer, whose epsilon is 1, a step of those "
    "is up to twice as long, and `equal weights` is not `static, w1 = 0.5`.",
)


def problem(name: str, data_dir: str, seed: int, fold: int | None) -> FaceVerification:
    """Return a fold of a database.

    Args:
        name: Of the built data set.
        data_dir: Folder of built data sets.
        seed: Of weights and data order.
        fold: Whose people are compared.
    """
    faces = faces_compared.folded(name, data_dir, fold or 0, FOLDS, SIDE)
    return FaceVerification(faces, {**FIELDS, "seed": seed}, PRETRAINED)


def columns(chosen: Options) -> list[Column]:
    """Return the databases that are built.

    Raises:
        FileNotFoundError: If none is.
    """
    built = {
        name: dataset
        for name, dataset in DATABASES.items()
        if data.outline(f"{dataset}:train", data_dir=chosen.data_dir).built
    }
    if not built:
        how = "; ".join(data.how_to_build(name, chosen.data_dir) for name in DATABASES.values())
        raise FileNotFoundError(f"PRESET={PRESET} needs one of its databases built: {how}.")
    rows = tuple(row for row in ROWS if row not in map(static, ONCE))
    return [
        Column(
            name,
            f"{name} (real)",
            functools.partial(problem, dataset, chosen.data_dir),
            [(0, fold) for fold in range(FOLDS)],
            rows,
        )
        for name, dataset in built.items()
    ]
