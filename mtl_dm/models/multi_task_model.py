"""One shared backbone, one head a task, and the losses that couple them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from mtl_dm.balancing import LossBalancing, Total
from mtl_dm.losses import require_shape, task_loss, weighted_mean
from mtl_dm.metrics import streaming_metric
from mtl_dm.models.coupling import BoundCoupling, Coupling
from mtl_dm.models.live_relatedness import LiveRelatedness
from mtl_dm.tasks import Task, by_name


@keras.saving.register_keras_serializable("mtl_dm")
class MultiTaskModel(keras.Model):
    """A network that learns several tasks from images annotated for any of them.

    `compile(optimizer=...)` is enough, then `fit` on (x, labels, masks) as
    `mtl_dm.data.merge` yields them: labels and masks are dictionaries by task name. A task that
    a batch does not mention counts as not annotated; labels without masks as all annotated.
    `fit` logs every loss term ("<task>_loss", "distribution_matching_loss",
    "soft_co_annotation_loss") and the tasks' metrics. Terms are logged unweighted; "loss" is the
    objective.

    Args:
        backbone: Layer or model from inputs to features [B, D], or to a dictionary by task name
            of [B, D]. Losses it adds itself (`add_loss`) join the objective.
        tasks: The tasks, one linear head each, in float32.
        couplings: Which tasks teach each other.
        balancing: How the terms combine; None: their sum (eq. 1).
        **kwargs: As for `keras.Model`.

    Raises:
        ValueError: If tasks or couplings contradict each other.
    """

    def __init__(
        self,
        backbone: keras.layers.Layer,
        tasks: Sequence[Task],
        couplings: Sequence[Coupling] = (),
        balancing: LossBalancing | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.backbone = backbone
        self.tasks = tuple(tasks)
        self.couplings = tuple(couplings)
        self.balancing = Total() if balancing is None else balancing
        self._tasks_by_name = by_name(self.tasks)
        # What training learns about relatedness is among the weights, so that checkpoints hold it.
        self.live_relatedness = {
            str(index): LiveRelatedness(coupling.relatedness, name=f"relatedness_{index}")
            for index, coupling in enumerate(self.couplings)
            if coupling.learned
        }
        self._bound = [
            BoundCoupling(coupling, self._tasks_by_name, self.live_relatedness.get(str(index)))
            for index, coupling in enumerate(self.couplings)
        ]
        # Logits in float32 also under mixed precision: losses exponentiate them.
        self.heads = {
            task.name: keras.layers.Dense(task.size, dtype="float32", name=task.name)
            for task in self.tasks
        }
        # Factors on top of the couplings' own, which training may move (warm-up, brake).
        self.coupling_scales = {
            name: self.add_weight(
                name=f"{name}_scale", shape=(), initializer="ones", trainable=False, dtype="float32"
            )
            for name in self.coupling_names()
        }
        names = [*self._tasks_by_name, *self.coupling_names()]
        self.balancing.prepare(names)
        self.term_trackers = {
            name: keras.metrics.Mean(name=f"{name}_loss", dtype="float32") for name in names
        }
        self.task_metrics = {task.name: streaming_metric(task) for task in self.tasks}

    def coupling_names(self, index: int | None = None) -> list[str]:
        """Return the names of the coupling terms, as their losses are logged (without "_loss").

        Args:
            index: Place of a coupling among `couplings`; None: the terms of all.
        """
        places = range(len(self._bound)) if index is None else [index]
        return [
            self._coupling_name(place, term)
            for place in places
            for term in self._bound[place].term_names
        ]

    def _coupling_name(self, index: int, term: str) -> str:
        if len(self._bound) == 1:
            return term
        coupling = self._bound[index].coupling
        return f"{term}_{index}_{coupling.classes}_{coupling.attributes}"

    def build(self, input_shape: Any) -> None:
        """Create the weights of backbone and heads.

        Args:
            input_shape: Shape with the batch dimension, or a structure of them.
        """
        inputs = keras.tree.map_shape_structure(
            lambda shape: keras.KerasTensor((None, *shape[1:]), dtype=self.compute_dtype),
            input_shape,
        )
        features = self._features_by_task(self.backbone(inputs))
        for name, head in self.heads.items():
            head.build(features[name].shape)
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> dict[str, Any]:
        """Return the logits [B, size] of every task, by name."""
        features = self._features_by_task(self.backbone(inputs, training=training))
        return {name: head(features[name]) for name, head in self.heads.items()}

    def _features_by_task(self, features: Any) -> Mapping[str, Any]:
        if not isinstance(features, Mapping):
            return dict.fromkeys(self.heads, features)
        missing = [name for name in self.heads if name not in features]
        if missing:
            raise ValueError(
                f"The backbone returns features for {sorted(features)}, none for the tasks "
                f"{missing}."
            )
        return features

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the objective of a batch and log its terms.

        Args:
            x: Not used.
            y: Labels by task name.
            y_pred: Logits by task name.
            sample_weight: Masks by task name.
            training: Not used.
        """
        del x, training
        labels, masks = self._complete(y, sample_weight, y_pred)
        losses = {}
        for name, (values, weights, factor) in self._terms(y_pred, labels, masks).items():
            losses[name] = factor * weighted_mean(values, weights)
            self.term_trackers[name].update_state(values, sample_weight=weights)
        objective = self.balancing.combine(losses)
        for auxiliary in self.losses:
            # Every replica adds its own: their parts must sum to the mean.
            objective = objective + weighted_mean(
                ops.cast(auxiliary, "float32"), ops.ones((), "float32")
            )
        return objective

    def losses_by_term(
        self, labels: Mapping[str, Any], logits: Mapping[str, Any], masks: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return every loss term of a batch, a scalar each, without its factor.

        Args:
            labels: By task name.
            logits: By task name, of all tasks.
            masks: By task name.
        """
        full_labels, full_masks = self._complete(labels, masks, logits)
        return {
            name: weighted_mean(values, weights)
            for name, (values, weights, _) in self._terms(logits, full_labels, full_masks).items()
        }

    def _terms(
        self, logits: Mapping[str, Any], labels: Mapping[str, Any], masks: Mapping[str, Any]
    ) -> dict[str, tuple[Any, Any, Any]]:
        """Return values, weights and factor of every term of the objective."""
        terms: dict[str, tuple[Any, Any, Any]] = {}
        for name, task in self._tasks_by_name.items():
            values, weights = task_loss(task, labels[name], logits[name], masks[name])
            terms[name] = (values, weights, task.weight)
        for index, bound in enumerate(self._bound):
            for term, (values, weights, factor) in bound.terms(logits, labels, masks).items():
                name = self._coupling_name(index, term)
                terms[name] = (values, weights, factor * self.coupling_scales[name])
        return terms

    def _complete(
        self, labels: Mapping[str, Any], masks: Mapping[str, Any] | None, logits: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return finite labels and masks for every task of the model."""
        for what, value in (("Labels", labels), ("Masks", {} if masks is None else masks)):
            if not isinstance(value, Mapping):
                raise ValueError(
                    f"{what} must be a dictionary by task name, got {type(value).__name__}; "
                    f"tasks: {list(self._tasks_by_name)}."
                )
        full_labels, full_masks = {}, {}
        for name, task in self._tasks_by_name.items():
            scores = logits[name]
            mask_like = scores[:, 0] if task.kind == "multiclass" else scores
            label = labels.get(name)
            mask = None if masks is None else masks.get(name)
            if label is None:
                label, mask = ops.zeros_like(scores), ops.zeros_like(mask_like)
            elif mask is None:
                mask = ops.ones_like(mask_like)
            require_shape(f"labels[{name!r}]", label, tuple(scores.shape))
            require_shape(f"masks[{name!r}]", mask, tuple(mask_like.shape))
            mask = ops.cast(mask, "float32")
            annotated = mask[:, None] > 0 if task.kind == "multiclass" else mask > 0
            full_labels[name] = ops.where(annotated, ops.cast(label, "float32"), 0.0)
            full_masks[name] = mask
        return full_labels, full_masks

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Update the tasks' metrics with a batch and return all logs."""
        del x
        for name in self._tasks_by_name:
            if name in y:
                mask = None if sample_weight is None else sample_weight.get(name)
                self.task_metrics[name].update_state(y[name], y_pred[name], sample_weight=mask)
        return self.get_metrics_result()

    def load_own_variables(self, store: Any) -> None:
        """Load the scales of couplings; a model saved before there were any keeps them at 1."""
        if store.keys():
            super().load_own_variables(store)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to build the same model."""
        return {
            **super().get_config(),
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "tasks": [task.to_dict() for task in self.tasks],
            "couplings": [coupling.to_dict() for coupling in self.couplings],
            "balancing": keras.saving.serialize_keras_object(self.balancing),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> MultiTaskModel:
        """Return the model that `get_config` described."""
        config = dict(config)
        for part in ("backbone", "balancing"):
            config[part] = keras.saving.deserialize_keras_object(
                config[part], custom_objects=custom_objects
            )
        config["tasks"] = [Task.from_dict(task) for task in config["tasks"]]
        config["couplings"] = [Coupling.from_dict(each) for each in config["couplings"]]
        return cls(**config)
