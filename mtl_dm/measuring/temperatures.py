"""The temperatures that are kept beside a checkpoint."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mtl_dm.files import MALFORMED, read_json
from mtl_dm.runs.origin import fingerprint


def calibration_file(checkpoint: str | Path) -> Path:
    """Return where the temperatures of a checkpoint are kept: best.keras, best.calibration.json."""
    return Path(checkpoint).with_suffix(".calibration.json")


def read_temperatures(checkpoint: str | Path) -> dict[str, float]:
    """Return the temperatures kept beside a checkpoint by task; empty where there are none.

    Raises:
        ValueError: If the file cannot be read or belongs to another model of the same name.
    """
    path = calibration_file(checkpoint)
    if not path.is_file():
        return {}
    try:
        content = read_json(path)
        found = {task: float(values["temperature"]) for task, values in content["tasks"].items()}
        owner = content["sha256"]
        if not all(0 < temperature < np.inf for temperature in found.values()):
            raise ValueError("a temperature is no number above 0")
    except MALFORMED as error:
        raise ValueError(f"{path} holds no temperatures: {error!r}. Delete it.") from error
    if owner != fingerprint(checkpoint):
        raise ValueError(
            f"{path} was fitted to another model than {Path(checkpoint).name} now is. Delete it, "
            "or fit it again with python -m mtl_dm.calibrate."
        )
    return found
