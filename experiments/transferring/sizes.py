"""How large the study is."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class Size:
    """Images and steps.

    Attributes:
        unlabelled: Of FER2013, of LFW's training people and drawn, at most.
        train: Labelled images of a target, at most.
        test: Test images of a target, at most.
        operator_steps: Of an autoencoder, at most.
        student_epochs: Passes of the student, and of the control, over the unlabelled images.
        head_epochs: Passes of an MLP over a target's features, at most.
        steps: Of a network that is trained whole on a target, in batches of 64.
        encoder_images: That a drawn encoder is trained on.
        encoder_epochs: Passes over them.
    """

    unlabelled: tuple[int, int, int] = (6000, 4000, 2000)
    train: int = 3000
    test: int = 4000
    operator_steps: int = 1500
    student_epochs: int = 6
    head_epochs: int = 40
    steps: int = 250
    encoder_images: int = 4000
    encoder_epochs: int = 8

    def record(self) -> Mapping[str, Any]:
        """Return all of it, as JSON values."""
        return dataclasses.asdict(self)


SIZES = {
    "demo": Size(),
    "public": Size(),
    "quick": Size((300, 200, 300), 200, 200, 40, 1, 3, 6, 256, 1),
}
"""By preset. `quick` shows in minutes what the report will look like; its numbers mean nothing."""
