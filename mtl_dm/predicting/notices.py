"""What a user must know before reading the output."""

from __future__ import annotations

from pathlib import Path

from mtl_dm.cards.card import shown_lines
from mtl_dm.files import printable
from mtl_dm.measuring.temperatures import calibration_file
from mtl_dm.predicting.finding import crop_size
from mtl_dm.predicting.inputs import Inputs
from mtl_dm.runs.origin import Origin


def notices(
    checkpoint: str | Path,
    origin: Origin,
    temperatures: dict[str, float],
    size: int,
    inputs: Inputs,
) -> list[str]:
    """Return the notices, a line each.

    Args:
        checkpoint: Its path.
        origin: What it was trained on.
        temperatures: By task, those in use.
        size: Side of the network's input.
        inputs: What there is to look at.

    Raises:
        ValueError: If what lies beside the checkpoint as its card is none.
    """
    calibrated = ", ".join(f"{task} {value:.2f}" for task, value in temperatures.items())
    lines = [
        *shown_lines(checkpoint),
        f"Checkpoint: {printable(checkpoint)}",
        *origin.lines(),
        f"Probabilities calibrated by temperatures: {calibrated} "
        f"({printable(calibration_file(checkpoint))})"
        if temperatures
        else "Probabilities are not calibrated (see python -m mtl_dm.calibrate --help).",
        f"Faces are aligned at {crop_size(size)} x {crop_size(size)}"
        + (f", then resized to the network's {size} x {size}." if size < crop_size(size) else "."),
    ]
    if inputs.others:
        what = ", ".join(
            f"{number} {printable(suffix)}" for suffix, number in inputs.others.items()
        )
        lines.append(f"Left out, neither photos nor videos: {what}")
    if inputs.repeated:
        lines.append(f"Named more than once, looked at once: {inputs.repeated} file(s)")
    return lines
