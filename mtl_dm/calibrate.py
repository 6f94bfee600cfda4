"""Make a checkpoint's probabilities mean what they say: one temperature a task.

Example:
    python -m mtl_dm.calibrate --checkpoint=runs/first/best.keras \
        --validation=synthetic_faces/fully_annotated:validation

writes runs/first/best.calibration.json, which predict and export use, and says so in the card.
Validation data only: a test split and data that the checkpoint was trained on are refused. No
decision at 0.5 and no predicted class changes.
"""

from mtl_dm.training import flags
from mtl_dm.training.main import start


def calibrate() -> None:
    """Calibrate as the flags say."""
    from mtl_dm.measuring import calibration

    values = flags.FLAGS
    content = calibration.calibrate(values.checkpoint, values.validation, values.data_dir)
    for task, found in content["tasks"].items():
        print(
            f"{task}  temperature {found['temperature']:.3f}"
            f"  NLL {found['nll_before']:.4f} -> {found['nll_after']:.4f}"
            f"  calibration error {found['calibration_error_before']:.4f}"
            f" -> {found['calibration_error_after']:.4f}"
        )
    print(f"Written to {calibration.calibration_file(values.checkpoint)}")


if __name__ == "__main__":
    start(calibrate, flags.define_calibrate_flags)
