"""What a program must know to use an exported model: labels, input, training data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mtl_dm import faces
from mtl_dm.exporting.probabilities import INPUT
from mtl_dm.runs.origin import fingerprint, origin_of
from mtl_dm.runs.record import commit, versions
from mtl_dm.tasks import Task

LABELS_FILE = "labels.json"
_MEANING = {
    "multiclass": "probabilities that sum to 1 (softmax)",
    "multilabel": "a probability each (sigmoid)",
    "regression": "values",
}


def sidecar(
    checkpoint: str | Path,
    tasks: Sequence[Task],
    size: int,
    temperatures: Mapping[str, float],
    differences: Mapping[str, float],
) -> dict[str, Any]:
    """Return the content of labels.json.

    Args:
        checkpoint: What was exported.
        tasks: Its tasks.
        size: Side of its input.
        temperatures: By task, applied inside the exported model.
        differences: By format, the largest difference from the Keras model in the check.
    """
    aligned = max(faces.SIZE, size)
    origin = origin_of(checkpoint)
    return {
        "input": {
            "name": INPUT,
            "shape": [None, size, size, 3],
            "dtype": "float32",
            "channels": "red, green, blue",
            "preprocessing": "value / 127.5 - 1, so that 0 ... 255 becomes -1 ... 1",
            "face": f"five landmarks aligned by similarity to landmarks_at_{aligned}px in a "
            f"{aligned} x {aligned} picture"
            + (f", resized with antialiasing to {size} x {size}" if size < aligned else ""),
            f"landmarks_at_{aligned}px": dict(
                zip(faces.LANDMARKS, faces.template(aligned).tolist(), strict=True)
            ),
        },
        "outputs": {
            task.name: {
                "kind": task.kind,
                "labels": list(task.labels),
                "values": _MEANING[task.kind],
                "temperature": None
                if task.kind == "regression"
                else temperatures.get(task.name, 1.0),
                "calibrated": task.name in temperatures,
                "never_annotated_in_training": list(origin.unseen.get(task.name, ())),
            }
            for task in tasks
        },
        "trained_on": origin.to_dict(),
        "read_this": origin.lines(),
        "largest_difference_from_keras": dict(differences),
        "checkpoint": Path(checkpoint).name,
        "sha256": fingerprint(checkpoint),
        "commit": commit(),
        "versions": versions(),
    }
