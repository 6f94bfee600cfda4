"""One shared backbone, one head a task, and the losses that couple them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from mtl_dm.balancing import Balancing, EqualWeighting, check_balancing
from mtl_dm.losses import weighted_mean
from mtl_dm.losses.task_losses import require_task_loss
from mtl_dm.losses.virtual import VIRTUAL, mixed_in
from mtl_dm.metrics import streaming_metric
from mtl_dm.models import balance_log, heads, judging, steps, watching
from mtl_dm.models.added_losses import adds_losses, known_inputs
from mtl_dm.models.annotations import completed
from mtl_dm.models.bound_coupling import BoundCoupling
from mtl_dm.models.coupling import (
    AnyCoupling,
    coupling_from_dict,
    coupling_names,
)
from mtl_dm.models.frozen import Frozen, freeze, frozen_parts, learnable_weights
from mtl_dm.models.gradient_gate import GradientGate, gated_logits
from mtl_dm.models.live_moments import live_of
from mtl_dm.models.objective import balanced_names, objective_of, parts_of, seen_of
from mtl_dm.models.terms import (
    Context,
    CouplingTerms,
    TaskTerms,
    Term,
    TermProvider,
    context_of,
    of_mixed_batch,
    provided,
    remembering,
)
from mtl_dm.spec import repeated
from mtl_dm.tasks import Task, by_name

AUXILIARY = "auxiliary"
"""Name of the term that sums what layers add themselves (`add_loss`, regularisers)."""


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
            of [B, D], under "features" those of tasks without their own; what else that holds are
            extras, for terms. Features [B, P, D] are of P parts that share a head: the model
            predicts the mean of their probabilities, and a task's loss is the mean of theirs.
            Losses that it adds itself (`add_loss`) are one more term, "auxiliary"; a backbone that
            is a `mtl_dm.models.terms.TermProvider` brings terms by name.
        tasks: The tasks, one linear head each, in float32.
        couplings: Which tasks teach each other.
        balancing: How the terms combine; None: their sum (eq. 1).
        terms: Providers of further loss terms.
        chain: Tasks whose heads form a chain: each also sees the logits of those before it.
        log_gradients: Log the terms' weights and the cosines between their gradients, the mean
            over the steps of an epoch; takes a backward pass a term.
        log_weights: Log the weights alone, which takes nothing.
        **kwargs: As for `keras.Model`.

    Raises:
        ValueError: If tasks, couplings, terms, chain or the balancing method contradict each other.
    """

    def __init__(
        self,
        backbone: keras.layers.Layer,
        tasks: Sequence[Task],
        couplings: Sequence[AnyCoupling] = (),
        balancing: Balancing | None = None,
        terms: Sequence[TermProvider] = (),
        chain: Sequence[str] = (),
        log_gradients: bool = False,
        log_weights: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.backbone = backbone
        self.tasks = tuple(tasks)
        self.couplings = tuple(couplings)
        self.balancing = EqualWeighting() if balancing is None else balancing
        self._tasks_by_name = by_name(self.tasks)
        if VIRTUAL in self._tasks_by_name:
            raise ValueError(f"No task may be called {VIRTUAL!r}: batches name virtual rows so.")
        self.log_gradients = log_gradients
        self.log_weights = log_weights
        self.balance_trackers: dict[str, keras.metrics.Mean] = {}
        self.chain = heads.require_chain(chain, [task.name for task in self.tasks])
        for task in self.tasks:
            require_task_loss(task)
        # What training learns about relatedness is among the weights, so that checkpoints hold it.
        self.live_relatedness = {
            str(index): live_of(coupling.relation, coupling.trusts, f"relatedness_{index}")
            for index, coupling in enumerate(self.couplings)
            if coupling.learned or coupling.trusts
        }
        self._bound = [
            BoundCoupling(
                coupling, self._tasks_by_name, self.live_relatedness.get(str(index)), name
            )
            for index, (coupling, name) in enumerate(
                zip(self.couplings, coupling_names(self.couplings), strict=True)
            )
        ]
        # Logits in float32 also under mixed precision: losses exponentiate them.
        self.heads = {
            task.name: keras.layers.Dense(task.size, dtype="float32", name=task.name)
            for task in self.tasks
        }
        self.term_providers = list(terms)
        own = [backbone.for_tasks(self.tasks)] if isinstance(backbone, TermProvider) else []
        self._extra_terms: list[Any] = [*own, *self.term_providers]
        self._providers: list[Any] = [
            TaskTerms(self.tasks),
            *(CouplingTerms(bound) for bound in self._bound),
            *self._extra_terms,
        ]
        self.learning_terms = remembering(self._extra_terms)
        names = self._names()
        # Factors on top of the terms' own, which training may move (warm-up, validation gate).
        self.term_scales = {
            name: self.add_weight(
                name=f"{name}_scale", shape=(), initializer="ones", trainable=False, dtype="float32"
            )
            for name in names[len(self.tasks) :]
        }
        self.term_trackers = {
            name: keras.metrics.Mean(name=f"{name}_loss", dtype="float32") for name in names
        }
        self.task_metrics = {task.name: streaming_metric(task) for task in self.tasks}
        self._prepared = False
        self._in_parts = False
        self._frozen: Frozen = {}
        # Last, so that a model without them has everything else in the same order.
        self.gates = {
            task.name: GradientGate(task.size, name=f"{task.name}_gate")
            for task in self.tasks
            if any(
                coupling.gated and task.name in (coupling.source, coupling.target)
                for coupling in self.couplings
            )
        }
        check_balancing(self.balancing, self._balanced([*names, AUXILIARY]))
        inputs = known_inputs(backbone)
        if inputs is not None:
            self._prepare(keras.tree.map_structure(self._symbol, inputs))

    def _names(self) -> list[str]:
        """Return the names of all terms but the auxiliary one.

        Raises:
            ValueError: If two terms have one name, or one is within a term that there is not.
        """
        names = [name for provider in self._providers for name in provider.term_names]
        twice = repeated([*names, AUXILIARY])
        if twice:
            raise ValueError(
                f"Loss terms must have different names, repeated: {twice}. Terms: {names}."
            )
        for name, whole in self._within().items():
            if whole not in self._tasks_by_name:
                raise ValueError(
                    f"The loss term {name!r} is a part of that of the task {whole!r}, but the "
                    f"tasks are {list(self._tasks_by_name)}."
                )
        return names

    def _within(self) -> dict[str, str]:
        """Return the terms that are a part of a task's, by name."""
        return {name: whole for each in self._extra_terms for name, whole in each.within.items()}

    def _symbol(self, input_like: Any) -> keras.KerasTensor:
        """Return what stands for an input of a shape, or of the shape of another one."""
        shape = getattr(input_like, "shape", input_like)
        return keras.KerasTensor((None, *shape[1:]), dtype=self.compute_dtype)

    def _prepare(self, inputs: Any, returned: Any = None) -> None:
        """Finish what depends on the losses that the backbone adds itself, and on what it returns.

        Args:
            inputs: Symbols.
            returned: Of the backbone, features and extras; None: it is asked where that matters.
        """
        if self._prepared:
            return
        self._prepared = True
        names = self._names()
        if adds_losses(self.backbone, inputs) or self.losses:
            names.append(AUXILIARY)
            self.term_trackers[AUXILIARY] = keras.metrics.Mean(
                name=f"{AUXILIARY}_loss", dtype="float32"
            )
        providers = [each for each in self._extra_terms if each.needs_sizes]
        if returned is None and (self.balancing.uses_features or providers):
            returned = heads.split(self.backbone(inputs), list(self.heads))
        features, extras = returned or ({}, {})
        for provider in providers:
            provider.prepare(self.tasks, {**extras, **features})
        self.balancing.prepare(self._balanced(names))
        if self.log_gradients or self.log_weights:
            logged = balance_log.trackers_of(self.balancing.names, cosines=self.log_gradients)
            self.balance_trackers.update(logged)
        if self.balancing.uses_features:
            self.balancing.prepare_features(heads.representations(features, extras))
        if self.balancing.smooths:
            # Of frozen weights too: a later stage may train them.
            self.balancing.prepare_gradients(learnable_weights(self.backbone))

    def _balanced(self, names: Sequence[str]) -> list[str]:
        """Return those of the terms that the balancing method gives weights to."""
        if self.balancing.balances == "tasks":
            return [task.name for task in self.tasks]
        return [name for name in names if name not in self._within()]

    def coupling_names(self, index: int | None = None) -> list[str]:
        """Return the names of the coupling terms, as their losses are logged (without "_loss").

        Args:
            index: Place of a coupling among `couplings`; None: the terms of all.
        """
        bound = self._bound if index is None else [self._bound[index]]
        return [name for each in bound for name in each.term_names]

    def build(self, input_shape: Any) -> None:
        """Create the weights of backbone and heads.

        Args:
            input_shape: Shape with the batch dimension, or a structure of them.
        """
        inputs = keras.tree.map_shape_structure(self._symbol, input_shape)
        features, extras = heads.split(self.backbone(inputs), list(self.heads))
        for name, task in self._tasks_by_name.items():
            shape = tuple(features[name].shape)
            if self.heads[name].built:  # By a look at logits before the model was built.
                continue
            self.heads[name].build(heads.width(task, shape, self.chain, self._tasks_by_name))
        self._build_gates(features)
        self._in_parts = any(len(each.shape) == 3 for each in features.values())
        self._prepare(inputs, (features, extras))
        self.built = True
        freeze(self, self._frozen)

    def call(self, inputs: Any, training: bool | None = None) -> dict[str, Any]:
        """Return the logits [B, size] of every task, by name."""
        return self.logits_of(self.extract(inputs, training)[0])

    def extract(
        self, inputs: Any, training: bool | None = None
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Return the features [B, D] by task, and what else the backbone returned, by name."""
        return heads.split(self.backbone(inputs, training=training), list(self.heads))

    def logits_of(self, features: Mapping[str, Any]) -> dict[str, Any]:
        """Return the logits [B, size] of every task, by name, from its features."""
        return heads.logits_of(self.heads, features, self.chain, self._tasks_by_name).whole

    def compile(self, optimizer: Any = "rmsprop", **kwargs: Any) -> None:
        """Configure training, as `keras.Model.compile` does: the optimizer is enough.

        Args:
            optimizer: As for `keras.Model.compile`.
            **kwargs: Likewise, but for losses and metrics, which the tasks bring.

        Raises:
            ValueError: If a loss, loss weights or metrics are given; says what to use instead.
        """
        instead = {
            "loss": "a task's loss (`Task.regression(loss=...)`, `mtl_dm.losses.TASK_LOSSES`), a "
            "coupling, or a term provider (`MultiTaskModel(..., terms=[...])`)",
            "loss_weights": "`Task(weight=...)`, a coupling's factors, or "
            "`balancing=StaticWeighting(...)`",
            "metrics": "the metrics that every task brings, or `mtl_dm.metrics.evaluate`",
            "weighted_metrics": "the metrics that every task brings, which count annotated labels",
        }
        for name, use in instead.items():
            if kwargs.get(name) is not None:
                raise ValueError(
                    f"MultiTaskModel.compile takes no {name}, got {kwargs[name]!r}. Use {use}."
                )
        super().compile(optimizer, **kwargs)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile a model that was saved as it was compiled, its optimizer's state to be loaded."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.optimizer is not None and self.built:
            self.optimizer.build(self.trainable_variables)

    @property
    def head_terms(self) -> frozenset[str]:
        """Names of the terms that depend on the backbone through what it returns alone."""
        return frozenset([*self._tasks_by_name, *self.coupling_names()])

    @property
    def sees_features(self) -> bool:
        """Whether the objective needs more than logits: terms or a method that see features."""
        return bool(self._extra_terms) or self._in_parts or self.balancing.uses_features

    def context(
        self,
        inputs: Any,
        features: Mapping[str, Any],
        extras: Mapping[str, Any],
        labels: Any,
        masks: Any,
    ) -> Context:
        """Return what the terms of a batch see, labels and masks completed.

        Raises:
            ValueError: If labels or masks are no dictionaries or do not fit the tasks.
        """
        logits = heads.logits_of(self.heads, features, self.chain, self._tasks_by_name)
        full = completed(self._tasks_by_name, labels, masks, logits.whole)
        context = context_of(inputs, features, extras, logits.whole, *full, logits.parts)
        self._build_gates(features)
        return self._with_gates(context)

    def _build_gates(self, features: Mapping[str, Any]) -> None:
        for name, gate in self.gates.items():
            if not gate.built:
                gate.build(tuple(features[name].shape))

    def _with_gates(self, context: Context) -> Context:
        if not self.gates:
            return context
        gated = gated_logits(self.gates, context.logits, context.part_logits)
        return dataclasses.replace(context, gated=gated)

    def terms(self, context: Context) -> dict[str, Term]:
        """Return every term of the objective, in its order."""
        terms: dict[str, Term] = {}
        mixed = mixed_in(context.labels, context.masks)
        for provider in self._providers:
            for name, term in provided(provider, context).items():
                scale = self.term_scales.get(name)
                if scale is not None:
                    term = term._replace(factor=term.factor * scale)
                terms[name] = of_mixed_batch(term, mixed)
        if AUXILIARY in self.term_trackers or self.losses:
            # Layers may add a loss in training only: the term is then absent elsewhere.
            there = ops.cast(bool(self.losses), "float32")
            added = sum((ops.cast(loss, "float32") for loss in self.losses), ops.zeros(()))
            terms[AUXILIARY] = Term(added, there)
        return terms

    def log_terms(self, terms: Mapping[str, Term]) -> None:
        """Update the logs of the terms' losses."""
        for name, term in terms.items():
            if name in self.term_trackers:
                self.term_trackers[name].update_state(term.values, sample_weight=term.weights)

    def log_balance(self, weights: Any, gram: Any, usable: Any = True) -> None:
        """Update the logs of weights and gradients, where they are logged."""
        if self.balance_trackers:
            shown = gram if self.log_gradients else None
            names = self.balancing.names
            balance_log.log(self.balance_trackers, names, weights, shown, usable)

    def objective(self, context: Context) -> Any:
        """Return this replica's part of the objective of a batch and log its terms.

        A method that sees gradients weighs nothing here: `fit` gives them to it. What a method
        remembers is changed by `fit` alone.
        """
        terms = self.terms(context)
        parts = parts_of(terms)
        self.log_terms(terms)
        if self.balancing.sees == "gradients":
            return objective_of(self.balancing, parts, None)
        names = balanced_names(self.balancing, terms)
        seen = seen_of(self.balancing, names, terms, parts, features=context.representations)
        return objective_of(self.balancing, parts, seen)

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
            x: Inputs; used where terms see features, which are then computed again.
            y: Labels by task name.
            y_pred: Logits by task name.
            sample_weight: Masks by task name.
            training: Whether those are features in training.
        """
        if self.sees_features:
            return self.objective(
                self.context(x, *self.extract(x, training=training), y, sample_weight)
            )
        full = completed(self._tasks_by_name, y, sample_weight, y_pred)
        return self.objective(self._with_gates(context_of(x, {}, {}, y_pred, *full)))

    def term_losses(self, inputs: Any, labels: Any, masks: Any) -> dict[str, Any]:
        """Return every loss term of a batch, a scalar each, without its factor.

        The network is as it predicts: no dropout, running averages.

        Args:
            inputs: As the backbone takes them.
            labels: By task name.
            masks: By task name.
        """
        features, extras = self.extract(inputs, training=False)
        terms = self.terms(self.context(inputs, features, extras, labels, masks))
        return {name: weighted_mean(term.values, term.weights) for name, term in terms.items()}

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Train, as `keras.Model.fit` does.

        Tables of couplings are judged by labels, or learned from them, between epochs, as
        `mtl_dm.models.judging` says where.

        Raises:
            ValueError: If a loss is NaN or infinite; names the terms. Where the balancing method
                sees losses that is at once, and on one device the weights are those before that
                batch; else at the end of the epoch, before a callback that is given saves it.
        """
        if judging.is_stream(x):
            kwargs.setdefault("shuffle", False)  # True, Keras's default, is a warning for these.
        there = isinstance(callbacks, keras.callbacks.CallbackList)
        given = callbacks.callbacks if there else callbacks
        given = given if isinstance(given, (list, tuple)) else [given]
        given = [each for each in given if each is not None and not judging.is_made_here(each)]
        own = [
            *watching.callbacks_of(self, given),
            *judging.judge_of(
                self,
                x,
                epochs,
                kwargs.get("steps_per_epoch"),
                bool(verbose),
                given,
                kwargs.get("initial_epoch", 0),
            ),
        ]
        if there:  # The list may be given to `fit` again.
            kinds = {type(each) for each in given}
            further = [each for each in own if type(each) not in kinds]
            for callback in further:
                callback.set_model(self)
            callbacks.callbacks = [*given, *further]
        elif own:
            callbacks = [*own, *given]
        return super().fit(x, y, batch_size, epochs, verbose, callbacks, **kwargs)

    def train_step(self, *arguments: Any) -> Any:
        """Train on a batch: Keras's own step, or, where that will not do, `models.steps`."""
        self._build_for(arguments[-1])
        if self.sees_features or steps.needed_for(self):
            return steps.backend().train_step(self, *arguments)
        return super().train_step(*arguments)

    def test_step(self, *arguments: Any) -> Any:
        """Evaluate a batch, likewise."""
        self._build_for(arguments[-1])
        by = steps.backend().test_step if self.sees_features else None
        found = super().test_step(*arguments) if by is None else by(self, *arguments)
        # JAX's step returns what it changed too.
        logs, *state = found if isinstance(found, tuple) else (found,)
        # Nothing is balanced here.
        logs = {name: log for name, log in logs.items() if name not in self.balance_trackers}
        return (logs, *state) if state else logs

    def _build_for(self, data: Any) -> None:
        """Build a model that is trained as it was made: which step it needs is known then."""
        if not self.built:
            self(keras.utils.unpack_x_y_sample_weight(data)[0], training=False)

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Update the tasks' metrics with the real rows of a batch and return all logs."""
        del x
        real = None if VIRTUAL not in y else 1.0 - ops.cast(y[VIRTUAL], "float32")
        for name in self._tasks_by_name:
            if name in y:
                mask = None if sample_weight is None else sample_weight.get(name)
                if real is not None and mask is not None:
                    mask = mask * (real if len(mask.shape) == 1 else real[:, None])
                self.task_metrics[name].update_state(y[name], y_pred[name], sample_weight=mask)
        return self.get_metrics_result()

    def load_own_variables(self, store: Any) -> None:
        """Load the scales of terms; a model saved before there were any keeps them at 1."""
        if store.keys():
            super().load_own_variables(store)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to build the same model."""
        config = {
            **super().get_config(),
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "tasks": [task.to_dict() for task in self.tasks],
            "couplings": [coupling.to_dict() for coupling in self.couplings],
            "balancing": keras.saving.serialize_keras_object(self.balancing),
        }
        if self.chain:
            config["chain"] = list(self.chain)
        if self.log_gradients:
            config["log_gradients"] = True
        if self.log_weights:
            config["log_weights"] = True
        if self.built and frozen_parts(self):
            config["frozen"] = frozen_parts(self)
        if self.term_providers:
            config["terms"] = [
                keras.saving.serialize_keras_object(provider) for provider in self.term_providers
            ]
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> MultiTaskModel:
        """Return the model that `get_config` described."""

        def made(part: Any) -> Any:
            return keras.saving.deserialize_keras_object(part, custom_objects=custom_objects)

        config = dict(config)
        config["backbone"] = made(config["backbone"])
        config["balancing"] = made(config["balancing"])
        config["terms"] = [made(part) for part in config.get("terms", [])]
        config["tasks"] = [Task.from_dict(task) for task in config["tasks"]]
        config["couplings"] = [coupling_from_dict(each) for each in config["couplings"]]
        frozen = config.pop("frozen", {})
        model = cls(**config)
        model._frozen = frozen  # Once it is built.
        return model
