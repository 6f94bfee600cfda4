"""The card of `small_faces`: what was measured, and what must be said beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.pretraining.recipe import EPOCHS, TASKS, Photos
from experiments.problems.real_faces_data import RealFaces
from mtl_dm.models import MultiTaskModel
from mtl_dm.models.counting import macs_of, parameters_of
from mtl_dm.runs.record import commit

LICENCE = (
    "For research. FER2013 (ICML 2013 challenge in representation learning) and Labeled Faces in "
    "the Wild are released for research; the weights are passed on under the same condition, and "
    "no image is."
)
NETWORK = "The part of an aligned face (112 px) that FER2013 shows, as luminance at 48 px, through "
LIMITS = (
    "Not validated for any decision about people. What a face shows is not what a person feels.",
    "Facial movements are what MediaPipe's face landmarker measures, above a threshold; no coder "
    "has confirmed them, and they are no action units.",
    "Seven expressions; contempt is left out. Nothing is said of a class with fewer than 30 test "
    "images.",
    "Labels of both databases are noisy, and the expressions of LFW are nearly all neutral or "
    "happiness.",
    "Skin tone is not labelled in these data. Measured is the luminance of the face alone, in "
    "which light, exposure and skin go together. There are no labels of gender or age at hand: "
    "nothing was measured by them.",
    "Probabilities are calibrated on FER2013; on other photos they are off by what the calibration "
    "error on LFW says, or more.",
)


def card_of(
    name: str,
    model: MultiTaskModel,
    path: Path,
    photos: Photos,
    faces: RealFaces,
    tests: Mapping[str, Any],
    speed: float,
    calibration: Mapping[str, Any],
    command: str,
    evaluate: Sequence[str],
) -> dict[str, Any]:
    """Return the card.

    Args:
        name: Of the checkpoint.
        model: The shipped one.
        path: Its file.
        photos: What it was trained on.
        faces: What they were taken of.
        tests: By title, as `measuring.measured` gives them.
        speed: Aligned faces a second of one core.
        calibration: "fitted_on" and the fits of the "tasks".
        command: That makes it.
        evaluate: Commands that measure it.
    """
    fer2013, lfw = (len(part.images) for part in photos.train)
    return {
        "name": name,
        "about": f"{len(TASKS[0].labels)} expressions, and {len(TASKS[1].labels)} facial movements "
        "as MediaPipe measures them",
        "caution": "for research, not validated for any decision about people",
        "tasks": {task.name: list(task.labels) for task in TASKS},
        "thresholds": dict(
            zip(TASKS[1].labels, map(float, photos.thresholds.round(4)), strict=True)
        ),
        "data": (
            f"{fer2013:,} images of FER2013's Training ({faces.dropped} that equal a PublicTest "
            f"image left out, {len(photos.held_out.images):,} held out for the learning curve and "
            f"the temperatures) and {lfw:,} images of LFW's training people; expressions by people,"
            " facial movements by MediaPipe's face landmarker, present above the upper quartile of "
            "the training images, at least 0.1."
        ),
        "licence": LICENCE,
        "network": NETWORK + "`small_resnet`; kernels in float16, computed in float32.",
        "size": {
            "parameters": parameters_of(model).total,
            "multiply_adds": macs_of(model).known,
            "bytes": path.stat().st_size,
        },
        "faces_per_core_second": speed,
        "command": command,
        "commit": commit(),
        "choices": (
            f"one seed, {EPOCHS} epochs, the last weights; no choice was made on a test image."
        ),
        "limits": list(LIMITS),
        "evaluate": list(evaluate),
        "calibration": {path.name: dict(calibration)},
        "tests": dict(tests),
    }
