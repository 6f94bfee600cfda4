"""The loss terms of a step: what they see, what they are, who provides them.

Tasks, couplings and whatever a backbone or a user adds are providers of terms. One loop over all
terms logs, balances and gates them.

Shapes: B images of this replica, D features.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

import keras

from mtl_dm.losses import task_loss
from mtl_dm.losses.virtual import Mixed, batch_value_in_parts, in_parts, mixed_in
from mtl_dm.models import heads
from mtl_dm.models.bound_coupling import BoundCoupling
from mtl_dm.models.gradient_gate import GatedLogits
from mtl_dm.tasks import Task

Group = Literal["task", "coupling", "auxiliary"]


class Term(NamedTuple):
    """One term of the objective: factor times the weighted mean of its values.

    Attributes:
        values: [B], or a scalar that is the same on every replica.
        weights: [B] >= 0, or a scalar; where all are 0 the term is absent.
        factor: Scalar >= 0.
        group: What kind of term it is.
        within: Name of the term that it is a part of (`TermProvider.within`); empty: its own.
    """

    values: Any
    weights: Any
    factor: Any = 1.0
    group: Group = "auxiliary"
    within: str = ""


class Named(dict[str, Any]):
    """A dictionary whose missing keys are told with those that are there.

    Args:
        what: What it holds, in the words of an error message.
        values: The content.
    """

    def __init__(self, what: str, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self._what = what

    def __missing__(self, key: str) -> Any:
        raise ValueError(f"This batch has no {self._what} {key!r}. There are: {sorted(self)}.")


@dataclasses.dataclass(frozen=True)
class Context:
    """What a term may see of a step.

    Attributes:
        inputs: As the backbone got them: an array, or components by name.
        features: By task, [B, D], as the heads get them.
        extras: What else the backbone returned, by name.
        logits: By task, [B, size].
        part_logits: By task whose features have parts, [B, P, size]; `logits` are of their mean.
        labels: By task, [B, size], finite, 0 under a zero mask; labels that no task of the model
            has are there too, as given.
        masks: By task, [B] for multiclass, else [B, size]; and those of other labels.
        gated: By task whose couplings are gated, its logits for each who looks.
    """

    inputs: Any
    features: Mapping[str, Any]
    extras: Mapping[str, Any]
    logits: Mapping[str, Any]
    labels: Mapping[str, Any]
    masks: Mapping[str, Any]
    part_logits: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    gated: Mapping[str, GatedLogits] = dataclasses.field(default_factory=dict)

    @property
    def representations(self) -> dict[str, Any]:
        """The features by task, and what all tasks share where the backbone returns it apart."""
        return heads.representations(self.features, self.extras)

    @property
    def coupled(self) -> Mapping[str, Any]:
        """The logits by task as gated couplings see them."""
        return {**self.logits, **{name: each.coupled for name, each in self.gated.items()}}

    def own(self, task: str) -> Any:
        """Return the logits of a task as its own loss sees them, [B, size] or [B, P, size]."""
        if task in self.gated:
            return self.gated[task].own
        return self.part_logits[task] if task in self.part_logits else self.logits[task]


def context_of(
    inputs: Any,
    features: Mapping[str, Any],
    extras: Mapping[str, Any],
    logits: Mapping[str, Any],
    labels: Mapping[str, Any],
    masks: Mapping[str, Any],
    part_logits: Mapping[str, Any] | None = None,
) -> Context:
    """Return a context that names what a batch lacks when a provider asks for it."""
    return Context(
        Named("input", inputs) if isinstance(inputs, Mapping) else inputs,
        Named("features of the task", features),
        Named("extra of the backbone", extras),
        Named("logits of the task", logits),
        Named("label", labels),
        Named("mask", masks),
        Named("parts' logits of the task", part_logits or {}),
    )


class TermProvider:
    """Gives a model loss terms of its own: `MultiTaskModel(..., terms=[provider])`.

    Derive from this and, if the terms have weights or the model is to be saved, from
    `keras.layers.Layer` with `register_keras_serializable`. A backbone that derives from it brings
    its terms along, and where they need weights of a task's size, `for_tasks` makes them.

    Attributes:
        needs_sizes: Whether `prepare` is called.
    """

    needs_sizes: ClassVar[bool] = False

    def for_tasks(self, tasks: Sequence[Task]) -> TermProvider:
        """Return what provides the terms of a model that a backbone is in: it, or heads of it.

        Args:
            tasks: Of the model.
        """
        del tasks
        return self

    @property
    def term_names(self) -> Sequence[str]:
        """Names of the terms, as their losses are logged (without "_loss")."""
        raise NotImplementedError

    @property
    def within(self) -> Mapping[str, str]:
        """Terms that are a part of a task's, by name: balanced with it, logged by themselves.

        They must depend on the backbone through what it returns alone, as a task's term does.
        """
        return {}

    def prepare(self, tasks: Sequence[Task], returned: Mapping[str, Any]) -> None:
        """Make weights whose shapes depend on what the backbone returns; called once.

        Args:
            tasks: Of the model.
            returned: Symbols of the features by task, and of the extras by name.
        """

    def terms(self, context: Context) -> Mapping[str, Term]:
        """Return the terms of a batch, those of `term_names`."""
        raise NotImplementedError

    def learn(self, context: Context) -> None:
        """Change what is remembered, weights that are not trained; called in training.

        That is after `terms`, on every replica, which must come to the same values; of a step that
        is not taken the change is undone.
        """


class TaskTerms(TermProvider):
    """The supervised losses, one a task."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = tuple(tasks)

    @property
    def term_names(self) -> Sequence[str]:
        """The tasks' names."""
        return [task.name for task in self._tasks]

    def terms(self, context: Context) -> Mapping[str, Term]:
        """Return the loss of every task, with its weight as factor."""
        return {task.name: _task_term(task, context) for task in self._tasks}


def _task_term(task: Task, context: Context) -> Term:
    mask = context.masks[task.name]
    values, weights = _supervised(task, context, mask)
    mixed = mixed_in(context.labels, context.masks)
    if mixed is None or keras.ops.ndim(values):
        return Term(values, weights, task.weight, "task")
    values, weights, factor = batch_value_in_parts(
        lambda part: _supervised(task, context, part), mask, mixed
    )
    return Term(values, weights, task.weight * factor, "task")


def _supervised(task: Task, context: Context, mask: Any) -> tuple[Any, Any]:
    """Return a task's loss under a mask; of a network in parts the mean of the parts' losses."""
    labels, parts = context.labels[task.name], context.own(task.name)
    if task.name not in context.part_logits:
        return task_loss(task, labels, parts, mask)
    found = [task_loss(task, labels, parts[:, part], mask) for part in range(parts.shape[1])]
    return sum(values for values, _ in found) / len(found), found[0][1]


class CouplingTerms(TermProvider):
    """The terms of one coupling."""

    def __init__(self, bound: BoundCoupling) -> None:
        self.bound = bound

    @property
    def term_names(self) -> Sequence[str]:
        """Names of its terms that are on."""
        return self.bound.term_names

    def terms(self, context: Context) -> Mapping[str, Term]:
        """Return its terms with their factors."""
        logits = context.coupled if self.bound.coupling.gated else context.logits
        found = self.bound.terms(logits, context.labels, context.masks)
        return {name: Term(*parts, "coupling") for name, parts in found.items()}


def of_mixed_batch(term: Term, mixed: Mixed | None) -> Term:
    """Return a term as it counts in a batch of real and virtual rows: the two parts as weighed.

    A term with a value an image is the weighted sum of its means over both parts. One with a value
    a batch is, for a coupling, of real rows alone and weighed as they are; a task's has been
    computed in parts; any other is left as it is.
    """
    if mixed is None:
        return term
    if keras.ops.ndim(term.values):
        weights, factor = in_parts(keras.ops.cast(term.weights, "float32"), mixed)
        return term._replace(weights=weights, factor=term.factor * factor)
    if term.group == "coupling":
        return term._replace(factor=term.factor * mixed.weight_of(mixed.real))
    return term


def provided(provider: TermProvider, context: Context) -> Mapping[str, Term]:
    """Return the terms of a provider.

    Raises:
        ValueError: If it makes weights while it is called, too late for a step that is compiled,
            or does not keep its word; see `checked`.
    """
    before = len(getattr(provider, "weights", ()))
    terms = checked(provider, provider.terms(context))
    if len(getattr(provider, "weights", ())) != before:
        raise ValueError(
            f"The term provider {type(provider).__name__} makes weights when it is called, which "
            "no optimizer knows then. Make or build its layers in `__init__`."
        )
    return {
        name: term._replace(within=provider.within[name]) if name in provider.within else term
        for name, term in terms.items()
    }


def remembering(providers: Sequence[TermProvider]) -> list[TermProvider]:
    """Return the providers that learn from a step."""
    return [each for each in providers if type(each).learn is not TermProvider.learn]


def checked(provider: TermProvider, terms: Any) -> Mapping[str, Term]:
    """Return what a provider gave if it keeps its word.

    Raises:
        ValueError: If terms are missing or unknown, or one has a wrong shape; it is named.
    """
    who = f"The term provider {type(provider).__name__}"
    if not isinstance(terms, Mapping) or set(terms) != set(provider.term_names):
        got = sorted(terms) if isinstance(terms, Mapping) else type(terms).__name__
        raise ValueError(f"{who} must return the terms {list(provider.term_names)}, got {got}.")
    for name, term in terms.items():
        shapes = [tuple(keras.ops.shape(part)) for part in (term.values, term.weights)]
        # Lengths that only the step knows are no numbers yet.
        known = [[size for size in shape if isinstance(size, int)] for shape in shapes]
        unlike = all(known) and known[0] != known[1]
        if max(map(len, shapes)) > 1 or len(shapes[0]) != len(shapes[1]) or unlike:
            raise ValueError(
                f"{who}: term {name!r} must have values and weights of shape [B], or a scalar "
                f"each, got {shapes[0]} and {shapes[1]}."
            )
        if keras.ops.ndim(term.factor):
            raise ValueError(f"{who}: the factor of term {name!r} must be a scalar.")
    return terms
