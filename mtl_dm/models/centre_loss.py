"""The centre loss of a task's classes as a term with a state."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import keras
from keras import ops

from mtl_dm.losses.centres import FORMS, centre_loss, moved_centres
from mtl_dm.losses.lengths import unit_length
from mtl_dm.losses.virtual import VIRTUAL
from mtl_dm.models.terms import Context, Term, TermProvider
from mtl_dm.tasks import Task, by_name

NAME = "centre"


@keras.saving.register_keras_serializable("mtl_dm")
class CentreLoss(keras.layers.Layer, TermProvider):
    """Pulls embeddings towards the centres of their classes, a part of their task's loss.

    Source: Ming et al. 2019, eq. 2 and 4 (L_1 = L_s1 + alpha L_c), after Wen et al. 2016; the
    equations are those of `mtl_dm.losses.centres`. The term is logged by itself and balanced with
    its task: whatever weight a method gives that holds for both. Centres start at 0, are no
    trainable weights, move in every step of training that is taken, by the images of all replicas,
    and are saved with the model. Images without a label of the task and blends of two images have
    no part.
    The defaults are the authors' code; the paper has weight=1e-4 and form=norm.

    Args:
        task: A multiclass task.
        embedding: What has centres: the name of something that the backbone returns, [B, D];
            empty: the features of the task.
        form: "squared" or "norm".
        weight: alpha >= 0.
        rate: How far centres move in a step, in (0, 1].
        normalised: Whether embeddings are scaled to unit length first.
        name: Of the term.
        **kwargs: As for `keras.layers.Layer`.

    Raises:
        ValueError: If an option is unknown or out of its range.
    """

    needs_sizes = True

    def __init__(
        self,
        *,
        task: str,
        embedding: str = "",
        form: Literal["squared", "norm"] = "squared",
        weight: float = 0.1,
        rate: float = 0.5,
        normalised: bool = True,
        name: str = NAME,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(name=name, **kwargs)
        if form not in FORMS:
            raise ValueError(f"form of centre_loss must be one of {FORMS}, got {form!r}.")
        if not 0 <= weight < math.inf:
            raise ValueError(f"weight of centre_loss must be finite and >= 0, got {weight}.")
        if not 0 < rate <= 1:
            raise ValueError(f"rate of centre_loss must be in (0, 1], got {rate}.")
        self.task, self.embedding = task, embedding
        self.form, self.weight, self.rate = form, weight, rate
        self.normalised = normalised

    @property
    def term_names(self) -> Sequence[str]:
        """The one term, by the layer's name."""
        return [self.name]

    @property
    def within(self) -> Mapping[str, str]:
        """It is a part of its task's loss."""
        return {self.name: self.task}

    def prepare(self, tasks: Sequence[Task], returned: Mapping[str, Any]) -> None:
        """Create the centres.

        Raises:
            ValueError: If there is no such multiclass task or embedding, or that has no fixed size.
        """
        who = f"The loss term {self.name!r}"
        task = by_name(tuple(tasks)).get(self.task)
        if task is None or task.kind != "multiclass":
            kinds = {each.name: each.kind for each in tasks}
            raise ValueError(f"{who} needs a multiclass task, got {self.task!r} of {kinds}.")
        source = self.embedding or self.task
        if source not in returned:
            raise ValueError(
                f"{who}: the backbone returns no {source!r}. There are: {sorted(returned)}."
            )
        shape = tuple(returned[source].shape)
        if len(shape) != 2 or shape[1] is None:
            raise ValueError(f"{who} needs an embedding [B, D], {source!r} is {shape}.")
        self.centres = self.add_weight(
            name="centres",
            shape=(task.size, shape[1]),
            initializer="zeros",
            trainable=False,
            dtype="float32",
            # Every replica comes to the same values by itself.
            aggregation="only_first_replica",
        )
        self.built = True

    def terms(self, context: Context) -> Mapping[str, Term]:
        """Return the distances of the images whose class is known."""
        labels, counted = self._labels(context)
        values = centre_loss(self._embeddings(context), self.centres.value, labels, self.form)
        return {self.name: Term(values, counted, self.weight)}

    def learn(self, context: Context) -> None:
        """Move the centres."""
        labels, counted = self._labels(context)
        embeddings = self._embeddings(context)
        moved = moved_centres(self.centres.value, embeddings, labels, counted, self.rate)
        self.centres.assign(moved)

    def _labels(self, context: Context) -> tuple[Any, Any]:
        """Return labels [B, K] and weights [B] of images; those of blends are 0."""
        labels, weights = context.labels[self.task], context.masks[self.task]
        if VIRTUAL in context.labels:
            weights = weights * (1.0 - ops.cast(context.labels[VIRTUAL], "float32"))
        return labels, weights

    def _embeddings(self, context: Context) -> Any:
        source = self.embedding or self.task
        found = context.features if source in context.features else context.extras
        return unit_length(found[source]) if self.normalised else ops.cast(found[source], "float32")

    def get_config(self) -> dict[str, Any]:
        """Return the options too."""
        return {
            **super().get_config(),
            "task": self.task,
            "embedding": self.embedding,
            "form": self.form,
            "weight": self.weight,
            "rate": self.rate,
            "normalised": self.normalised,
        }
