"""What a program must know to use an exported model: labels, input, training data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtl_dm import faces
from mtl_dm.exporting.probabilities import input_name
from mtl_dm.models import MultiTaskModel
from mtl_dm.models.inputs import Inputs, InputSpec
from mtl_dm.runs.origin import fingerprint, origin_of
from mtl_dm.runs.record import commit, versions

LABELS_FILE = "labels.json"
_MEANING = {
    "multiclass": "probabilities that sum to 1 (softmax)",
    "multilabel": "a probability each (sigmoid)",
    "regression": "values",
}


def sidecar(
    checkpoint: str | Path,
    model: MultiTaskModel,
    inputs: Inputs,
    temperatures: Mapping[str, float],
    differences: Mapping[str, float],
) -> dict[str, Any]:
    """Return the content of labels.json.

    Args:
        checkpoint: What was exported.
        model: Its model.
        inputs: What it takes.
        temperatures: By task, applied inside the exported model.
        differences: By format, the largest difference from the Keras model in the check.

    Returns:
        JSON values. "inputs" describes each input by name; the only one stands also as "input".
    """
    origin = origin_of(checkpoint)
    return {
        **_inputs(inputs),
        "outputs": {
            task.name: {
                "kind": task.kind,
                "labels": list(task.labels),
                "values": _MEANING[task.kind],
                "temperature": None
                if task.kind == "regression"
                else temperatures.get(task.name, 1.0),
                "calibrated": task.name in temperatures,
                # Of labels; outputs are clipped to them.
                **({} if task.bounds is None else {"label_bounds": list(task.bounds)}),
                "never_annotated_in_training": list(origin.unseen.get(task.name, ())),
            }
            for task in model.tasks
        },
        "trained_on": origin.to_dict(),
        "read_this": origin.lines(),
        "computes_in": "float32",
        "trained_in": model.dtype_policy.name,
        # Of probabilities absolute, of larger values relative to their size.
        "largest_difference_from_keras": dict(differences),
        "checkpoint": Path(checkpoint).name,
        "sha256": fingerprint(checkpoint),
        "commit": commit(),
        "versions": versions(),
    }


def _inputs(inputs: Inputs) -> dict[str, Any]:
    if not isinstance(inputs, InputSpec):
        return {"inputs": {name: _described(spec) for name, spec in inputs.items()}}
    name, described = input_name(inputs), _described(inputs)
    return {"input": {"name": name, **described}, "inputs": {name: described}}


def _described(spec: InputSpec) -> dict[str, Any]:
    described = {"shape": [None, *spec.shape], "dtype": spec.dtype}
    if not spec.is_image:
        return described
    described |= {
        "channels": "red, green, blue",
        "preprocessing": "value / 127.5 - 1, so that 0 ... 255 becomes -1 ... 1",
    }
    return described if spec.side is None else described | _alignment(spec.side)


def _alignment(side: int) -> dict[str, Any]:
    aligned = max(faces.SIZE, side)
    return {
        "face": f"five landmarks aligned by similarity to landmarks_at_{aligned}px in a "
        f"{aligned} x {aligned} picture"
        + (f", resized with antialiasing to {side} x {side}" if side < aligned else ""),
        f"landmarks_at_{aligned}px": dict(
            zip(faces.LANDMARKS, faces.template(aligned).tolist(), strict=True)
        ),
    }
