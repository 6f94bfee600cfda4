"""What NTS-Net learns beside its tasks: to predict from the image, from each part, and to rank.

Shapes: B images, M parts, D features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from keras import layers, ops

from mtl_dm.losses import task_loss
from mtl_dm.losses.ranking import pairwise_ranking_loss
from mtl_dm.models.terms import Context, Term, TermProvider
from mtl_dm.tasks import Task, by_name

RAW, PART, RANKING = TERMS = ("nts_raw", "nts_part", "nts_ranking")
IMAGE, PARTS, SCORES = "nts_image", "nts_parts", "nts_scores"
"""Extras of the network: features [B, D] and [B, M, D], scores [B, M] of the parts' boxes."""


def guide_among(tasks: Sequence[Task], name: str) -> Task:
    """Return the task that says which parts are good.

    Args:
        tasks: Of the model.
        name: Of the task; empty: the first class task, or where there is none the first task.

    Raises:
        ValueError: If there is no such task.
    """
    known = by_name(tasks)
    if name and name not in known:
        raise ValueError(f"nts_net: guide must be one of the tasks {list(known)}, got {name!r}.")
    classes = [task for task in tasks if task.kind == "multiclass"]
    return known[name] if name else [*classes, *tasks][0]


class NtsTerms(layers.Layer, TermProvider):
    """The heads on the image and on each part, and the three terms of them.

    Args:
        task: Whose labels they learn, by its own loss; what it does not annotate takes no part.
        width: D.
        **options: As for `keras.layers.Layer`.
    """

    def __init__(self, task: Task, width: int, **options: Any) -> None:
        super().__init__(**{"name": "nts_terms", **options})
        self.task = task
        self.raw = layers.Dense(task.size, dtype="float32", name="raw")
        self.part = layers.Dense(task.size, dtype="float32", name="part")
        for head in (self.raw, self.part):
            head.build((None, width))
        self.built = True

    @property
    def term_names(self) -> Sequence[str]:
        """Names of the three."""
        return TERMS

    def terms(self, context: Context) -> Mapping[str, Term]:
        """Return the losses of the image alone, of the mean part, and of the parts' order.

        Raises:
            ValueError: If the task's loss has no value for a single image.
        """
        raw, weights = self._loss(context, self.raw(context.extras[IMAGE]))
        if not ops.ndim(raw):
            raise ValueError(
                f"nts_net orders parts by their loss, but {self.task.loss!r} of the task "
                f"{self.task.name!r} has none for a single image. Take another loss or guide."
            )
        logits = self.part(context.extras[PARTS])
        losses = ops.stack(
            [self._loss(context, logits[:, part])[0] for part in range(logits.shape[1])], axis=1
        )
        ranking = pairwise_ranking_loss(context.extras[SCORES], losses)
        values = (raw, ops.mean(losses, axis=1), ranking)
        return {name: Term(each, weights) for name, each in zip(TERMS, values, strict=True)}

    def _loss(self, context: Context, logits: Any) -> tuple[Any, Any]:
        name = self.task.name
        return task_loss(self.task, context.labels[name], logits, context.masks[name])
