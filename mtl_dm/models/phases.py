"""Backbones that are trained in phases: a stage of the training is told to them by its name."""

from __future__ import annotations


class Phased:
    """A backbone that does something else in each phase of its training.

    What a phase changes must be weights of the backbone, so that checkpoints hold it: the stage is
    told once, before its first epoch, and not again when a stopped training goes on.
    """

    def require_stage(self, name: str) -> None:
        """Check that a stage is a phase of this backbone, before any is trained.

        Args:
            name: Of the stage; empty for a training without stages.

        Raises:
            ValueError: If it is none; says which there are.
        """
        raise NotImplementedError

    def begin_stage(self, name: str) -> None:
        """Go over to the phase of a stage.

        Args:
            name: As for `require_stage`.
        """
        raise NotImplementedError
