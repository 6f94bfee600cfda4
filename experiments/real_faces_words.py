"""What the report of real faces with few labels says beside the numbers, as counted on the data."""

from __future__ import annotations

from collections.abc import Mapping

from experiments.problems.face_regimes import TWO_DATABASES
from experiments.problems.facial_movements import EVERY, LEAST, MOVEMENTS
from experiments.problems.real_faces_data import RealFaces

INTRO = (
    "Each column is a regime of annotation: who carries which labels is in the notes. ST: one "
    "network a task. NC MT: one network for both, no coupling. printed: the losses of the paper, "
    "default: this library's coupling, both with a table counted on co-annotated images that train "
    "no row. Then the default with Table 1 read for the nearest movements, with a relatedness that "
    "is learned from no co-annotated image, and with the counted table's rows exchanged between "
    "classes, which is wrong on purpose. believed: the same where neither the labels judge the "
    "table nor the gradient gate what it does, with 1% of labels alone. `verdict.md` beside this "
    "file has the differences, adjusted for the number of rows, and says which goals are reached."
)


def notes(faces: RealFaces, carried: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return what the images are, who carries what, and what the numbers cannot say.

    Args:
        faces: As they are read.
        carried: By regime, how many training images carry the labels of each task.
    """
    return [
        f"`facial_movements` are {len(EVERY)} that MediaPipe's face landmarker measured "
        "(blendshapes, mean of left and right), not coded by people and never an input. A movement "
        f"is there above the upper quartile, at least {LEAST}, of all training images of the "
        "database that carries it: two databases has other thresholds than the other columns.",
        f"Table 1 says something of {len(MOVEMENTS)} of them; no coupling term of that row sees "
        f"the other {len(EVERY) - len(MOVEMENTS)} ({', '.join(EVERY[len(MOVEMENTS) :])}).",
        *(_carried(regime, counts) for regime, counts in carried.items()),
        f"{len(faces.co_annotated.images):,} images of FER2013 have both labels for the counted "
        "table alone. Whoever has them would also train on them; here no row does.",
        f"Tested on PublicTest ({len(faces.test.images):,} images, movements on the "
        f"{int(faces.test.is_measured.sum()):,} in which a face was found; {faces.dropped:,} "
        "images of Training that equal one of them are dropped) and, under names with `_lfw`, on "
        f"LFW's test people ({len(faces.lfw_test.images):,} images), of whom no image trains.",
        "All rows train for the same number of steps, on 32 images of each kind a step (ST: its "
        "own 32). The last weights count. F1 is at 0.5: few labels choose no thresholds.",
        "`ece` is the expected calibration error of the predicted class, of movements that of "
        "every probability; lower is better.",
    ]


def _carried(regime: str, counts: Mapping[str, int]) -> str:
    classes, movements = counts.values()
    if regime == TWO_DATABASES:
        return (
            f"{regime}: {classes:,} images of FER2013 carry their expression alone, {movements:,} "
            "of LFW's training people their movements alone."
        )
    return (
        f"{regime}: of FER2013's training images, each content once, {classes:,} carry their "
        f"expression alone and {movements:,} their movements alone (counts of seed 0; every seed "
        "draws its own; images for movements in which no face was found are left out)."
    )
