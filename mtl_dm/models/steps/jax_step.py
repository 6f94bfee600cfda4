"""The step on JAX, where a batch spread over devices or processes is one global array."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax
import keras
import numpy as np
from jax import numpy as jnp

from mtl_dm import processes
from mtl_dm.balancing import Seen
from mtl_dm.models.gradient_gate import GatedLogits
from mtl_dm.models.objective import balanced_names, objective_of, parts_of, seen_of
from mtl_dm.models.steps import gating
from mtl_dm.models.steps.scopes import (
    is_shared,
    last_kernel,
    learn,
    learn_terms,
    minds_finite,
    one_representation,
    remember,
    require_shared,
    safe_weights,
    shared_variables,
)

SCALE = 2.0**10
"""On losses while gradients of single terms are taken, so that float16 keeps the small ones."""


class _Values:
    """Values of a model's variables, which a stateless scope reads and changes."""

    def __init__(self, model: Any, trainable: Any, fixed: Any, metrics: Any) -> None:
        self.variables = [
            *model.trainable_variables,
            *model.non_trainable_variables,
            *model.metrics_variables,
        ]
        self.values = [*trainable, *fixed, *metrics]
        self.sizes = (len(trainable), len(fixed))

    def scope(self) -> Any:
        """Return a scope in which the model's variables have these values."""
        mapping = list(zip(self.variables, self.values, strict=True))
        return keras.StatelessScope(state_mapping=mapping, collect_losses=True)

    def after(self, scope: Any) -> tuple[list[Any], list[Any], list[Any]]:
        """Return trainable, fixed and metric values as a scope left them."""
        found = []
        for variable, old in zip(self.variables, self.values, strict=True):
            new = scope.get_current_value(variable)
            found.append(old if new is None else new)
        first, second = self.sizes[0], sum(self.sizes)
        return found[:first], found[first:second], found[second:]


def train_step(model: Any, state: Any, data: Any) -> Any:
    """Train on a batch; see the package."""
    require_shared(model)
    trainable, fixed, optimizer, metrics = state
    inputs, labels, masks = keras.utils.unpack_x_y_sample_weight(data)
    batch = (inputs, labels, masks)
    scale = _loss_scale(model, optimizer)
    balancing = model.balancing
    by = _by_gradients if balancing.sees == "gradients" else _by_losses
    start = fixed
    gradients, seen, usable, at, fixed, metrics = by(model, trainable, fixed, metrics, batch, scale)
    finite = usable
    if minds_finite(model):
        shown = gradients if seen.losses is None else [*gradients, seen.losses]
        finite = jnp.all(jnp.stack([usable, *(jnp.all(jnp.isfinite(each)) for each in shown)]))
    fixed = _terms_undone(model, start, fixed, finite)
    values = _Values(model, trainable, fixed, metrics)
    with values.scope() as scope:
        remember(balancing, lambda: learn(model, seen), seen, finite)
        gating.learn(model, at, labels, finite)
    _, fixed, _ = values.after(scope)
    before = (trainable, optimizer)
    trainable, optimizer = model.optimizer.stateless_apply(optimizer, gradients, trainable)
    if balancing.wants_losses and not isinstance(
        model.optimizer, keras.optimizers.LossScaleOptimizer
    ):  # The loss scaler skips such a step itself, and remembers it.
        trainable, optimizer = jax.tree.map(
            lambda new, old: jnp.where(finite, new, old), (trainable, optimizer), before
        )
    values = _Values(model, trainable, fixed, metrics)
    if balancing.looks_after:
        with values.scope():
            losses = _losses_now(model, seen.names, batch)
        # Only the method learns from the second look.
        with values.scope() as scope:
            remember(balancing, lambda: balancing.after_step(seen, losses), seen, finite)
        _, fixed, _ = values.after(scope)
    with values.scope():
        logs = model.get_metrics_result()
    return logs, (trainable, fixed, optimizer, metrics)


def _terms_undone(model: Any, before: Any, fixed: Any, finite: Any) -> list[Any]:
    """Return the weights that are not trained, those of terms as before an unusable step.

    Terms learn where their context is, in the forward pass: it does not leave that.
    """
    learned = {id(v) for each in model.learning_terms for v in each.non_trainable_variables}
    return [
        jnp.where(finite, new, old) if id(variable) in learned else new
        for variable, new, old in zip(model.non_trainable_variables, fixed, before, strict=True)
    ]


def test_step(model: Any, state: Any, data: Any) -> Any:
    """Evaluate a batch whose terms see features."""
    trainable, fixed, metrics = state
    inputs, labels, masks = keras.utils.unpack_x_y_sample_weight(data)
    values = _Values(model, trainable, fixed, metrics)
    with values.scope() as scope:
        features, extras = model.extract(inputs, training=False)
        context = model.context(inputs, features, extras, labels, masks)
        _log(model, context, (inputs, labels, masks), model.objective(context))
        logs = model.get_metrics_result()
    return logs, values.after(scope)


def _loss_scale(model: Any, optimizer: Any) -> Any:
    mapping = list(zip(model.optimizer.variables, optimizer, strict=True))
    with keras.StatelessScope(state_mapping=mapping):
        return jnp.asarray(model.optimizer.scale_loss(jnp.ones(())))


def _by_losses(
    model: Any, trainable: Any, fixed: Any, metrics: Any, batch: Any, scale: Any
) -> tuple[Any, ...]:
    """Return scaled gradients of the objective, what the method saw, True, and new values.

    Before the new values what is for the gates: gradients at the logits of gated heads.
    """
    balancing = model.balancing
    before = (fixed, metrics)

    def forward(trainable: Any, probes: Any) -> Any:
        inputs, labels, masks = batch
        values = _Values(model, trainable, fixed, metrics)
        with values.scope() as scope:
            features, extras = model.extract(inputs, training=True)
            context = _probed(model.context(inputs, features, extras, labels, masks), probes)
            terms = model.terms(context)
            parts = parts_of(terms)
            names = balanced_names(balancing, terms)
            seen = seen_of(balancing, names, terms, parts, features=context.representations)
            objective = objective_of(balancing, parts, seen)
            learn_terms(model, context, True)
            model.log_terms(terms)
            _log(model, context, batch, objective)
        shown = (seen.losses, seen.present, context.representations)
        return scale * objective, (shown, values.after(scope)[1:])

    derive = jax.grad(forward, argnums=(0, 1), has_aux=True)
    (gradients, at_gates), found = derive(trainable, _gate_probes(model, batch))
    (losses, present, features), (fixed, metrics) = found
    if model.log_gradients or model.log_weights:
        gram = _logged_gram(model, trainable, before, batch) if model.log_gradients else None
        values = _Values(model, trainable, fixed, metrics)
        with values.scope() as scope:
            seen = _seen(model, losses, present, None, features)
            model.log_balance(balancing.balance(seen), gram)
        _, _, metrics = values.after(scope)
    seen = _seen(model, losses, present, None, features)
    at = gating.at_logits(features, at_gates, scale)
    return gradients, seen, jnp.asarray(True), at, fixed, metrics


def _gate_probes(model: Any, batch: Any) -> dict[str, GatedLogits]:
    """Return zeros to add to the gated logits: gradients of the probes are those at the logits."""
    images = jax.tree_util.tree_leaves(batch[0])[0].shape[0]
    zeros = {name: jnp.zeros((images, gate.size)) for name, gate in model.gates.items()}
    return {name: GatedLogits(each, each) for name, each in zeros.items()}


def _probed(context: Any, probes: Any) -> Any:
    gated = {}
    for name, each in context.gated.items():
        # All parts of a network have one probe: its gradient is the sum of theirs.
        own = probes[name].own if each.own.ndim == 2 else probes[name].own[:, None]
        gated[name] = GatedLogits(each.own + own, each.coupled + probes[name].coupled)
    return dataclasses.replace(context, gated=gated) if gated else context


def _logged_gram(model: Any, trainable: Any, before: Any, batch: Any) -> Any:
    """Return the Gram matrix over the shared weights, for the log alone."""
    names = list(model.balancing.names)

    def vector(trainable: Any) -> Any:
        inputs, labels, masks = batch
        with _Values(model, trainable, *before).scope():
            features, extras = model.extract(inputs, training=True)
            parts = parts_of(model.terms(model.context(inputs, features, extras, labels, masks)))
            return jnp.stack([parts[name] for name in names])

    _, pull = jax.vjp(vector, trainable)
    rows = [pull(unit)[0] for unit in jnp.eye(len(names))]
    shared = is_shared(model)
    return _gram(
        [[each for each, is_one in zip(row, shared, strict=True) if is_one] for row in rows], 1.0
    )


def _by_gradients(
    model: Any, trainable: Any, fixed: Any, metrics: Any, batch: Any, scale: Any
) -> tuple[Any, ...]:
    """Return scaled gradients as weighed, what the method saw, if it is usable, and new values.

    Before the new values what is for the gates, which weighs nothing.
    """
    balancing = model.balancing
    names = list(balancing.names)

    def forward(trainable: Any, probe: Any, probes: Any) -> Any:
        inputs, labels, masks = batch
        values = _Values(model, trainable, fixed, metrics)
        with values.scope() as scope:
            features, extras = model.extract(inputs, training=True)
            if balancing.scope != "shared":
                representation = one_representation(features, balancing.scope)
            if balancing.scope == "features":
                # Gradients of the probe are those of the features.
                features = dict.fromkeys(features, representation + probe)
            context = _probed(model.context(inputs, features, extras, labels, masks), probes)
            terms = model.terms(context)
            parts = parts_of(terms)
            seen = seen_of(balancing, names, terms, parts)
            learn_terms(model, context, True)
            model.log_terms(terms)
            rest = sum(part for name, part in parts.items() if name not in names)
            vector = scale * jnp.stack([*(parts[name] for name in names), jnp.asarray(rest + 0.0)])
        shown = (seen.losses, seen.present, context.representations, dict(context.logits))
        return vector, (shown, values.after(scope)[1:])

    probe = (
        _probe(model, trainable, fixed, metrics, batch) if balancing.scope == "features" else 0.0
    )
    probes = _gate_probes(model, batch)
    vector, pull, found = jax.vjp(forward, trainable, probe, probes, has_aux=True)
    (losses, present, features, logits), (fixed, metrics) = found
    units = jnp.eye(len(names) + 1)
    rows = [pull(units[place])[:2] for place in range(len(names))]
    at = gating.at_logits(features, pull(jnp.ones_like(vector))[2], scale)
    seen = _seen(model, losses, present, None, features)
    values = _Values(model, trainable, fixed, metrics)
    with values.scope() as scope:
        if balancing.smooths:
            seen, rows = _smoothed(model, rows, seen, scale)
        gram = _gram([_in_scope(model, row) for row in rows], scale)
        weights, safe, finite = safe_weights(balancing, dataclasses.replace(seen, gram=gram))
        heads = balancing.balance_heads(weights, safe)
        objective = jnp.sum(jnp.append(weights, 1.0) * vector) / scale
        model.log_balance(weights, gram, finite)
        _log_logits(model, batch, logits, objective)
    gradients = _combined(model, pull, rows, weights, heads, units[-1])
    _, _, metrics = values.after(scope)
    own = _own_gradients(model, trainable, fixed, metrics, safe, scale)
    gradients = [
        mine if mine is not None else each for each, mine in zip(gradients, own, strict=True)
    ]
    return gradients, safe, finite, at, fixed, metrics


def _smoothed(model: Any, rows: list[Any], seen: Any, scale: Any) -> tuple[Any, list[Any]]:
    """Return what was seen with smoothed gradients, and rows with them in their place."""
    places = [place for place, shared in enumerate(is_shared(model)) if shared]
    fresh = [
        jnp.stack([row[0][place] for row in rows]).astype(jnp.float32) / scale for place in places
    ]
    smooth = model.balancing.smooth(shared_variables(model), fresh, seen)
    placed = []
    for term, (of_weights, of_probe) in enumerate(rows):
        parts = list(of_weights)
        for place, each in zip(places, smooth, strict=True):
            parts[place] = scale * each[term]
        placed.append((parts, of_probe))
    return dataclasses.replace(seen, smooth=smooth), placed


def _probe(model: Any, trainable: Any, fixed: Any, metrics: Any, batch: Any) -> Any:
    """Return zeros of the shape of the features."""

    def features(trainable: Any) -> Any:
        with _Values(model, trainable, fixed, metrics).scope():
            return one_representation(model.extract(batch[0], training=True)[0], "features")

    shape = jax.eval_shape(features, trainable)
    return jnp.zeros(shape.shape, shape.dtype)


def _in_scope(model: Any, row: Any) -> list[Any]:
    of_weights, of_probe = row
    scope = model.balancing.scope
    if scope == "features":
        return [of_probe]
    if scope == "last_layer":
        return [of_weights[last_kernel(model)]]
    return [part for part, shared in zip(of_weights, is_shared(model), strict=True) if shared]


def _gram(rows: Sequence[Sequence[Any]], scale: Any) -> Any:
    """Return the Gram matrix of the terms' unscaled gradients."""
    gram = jnp.zeros((len(rows), len(rows)))
    for parts in zip(*rows, strict=True):
        matrix = jnp.stack([part.astype(jnp.float32).ravel() for part in parts]) / scale
        gram = gram + matrix @ matrix.T
    return gram


def _combined(model: Any, pull: Any, rows: Any, weights: Any, heads: Any, last: Any) -> list[Any]:
    """Return the scaled gradient of every trainable weight; `last` selects what is not balanced."""
    rest, *_ = pull(last)
    combined = []
    for place, shared in enumerate(is_shared(model)):
        by = weights if shared else heads
        combined.append(
            sum(by[index] * row[0][place] for index, row in enumerate(rows)) + rest[place]
        )
    return combined


def _own_gradients(
    model: Any, trainable: Any, fixed: Any, metrics: Any, seen: Any, scale: Any
) -> list[Any]:
    """Return the scaled gradients of the method's own loss, None for all other weights."""
    balancing = model.balancing
    own = {id(each) for each in balancing.trainable_variables}
    if not own:
        return [None] * len(trainable)

    def loss(trainable: Any) -> Any:
        with _Values(model, trainable, fixed, metrics).scope():
            found = balancing.added_loss(seen)
        return jnp.zeros(()) if found is None else scale * found

    gradients = jax.grad(loss)(trainable)
    return [
        gradient if id(variable) in own else None
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True)
    ]


def _seen(model: Any, losses: Any, present: Any, gram: Any, features: Any) -> Any:
    wanted = features if model.balancing.uses_features else None
    return Seen(tuple(model.balancing.names), losses, present, gram, wanted)


def _losses_now(model: Any, names: Sequence[str], batch: Any) -> Any:
    """Return the losses [T] of the same batch with the weights as they are."""
    inputs, labels, masks = batch
    features, extras = model.extract(inputs, training=True)
    parts = parts_of(model.terms(model.context(inputs, features, extras, labels, masks)))
    return jnp.stack([parts[name] for name in names])


def _log(model: Any, context: Any, batch: Any, objective: Any) -> None:
    _log_logits(model, batch, dict(context.logits), objective)


def _log_logits(model: Any, batch: Any, logits: Any, objective: Any) -> None:
    """Update the logs: the objective, weighted by images, and the tasks' metrics."""
    inputs, labels, masks = batch
    images = jax.tree_util.tree_leaves(inputs)[0].shape[0]
    model._loss_tracker.update_state(objective, sample_weight=images)
    model.compute_metrics(None, labels, logits, masks)


def term_gradients(model: Any) -> Callable[[Any, Sequence[str]], dict[str, np.ndarray]]:
    """Return the gradients of a model's terms as a compiled function of a batch and term names.

    Terms are without their factors, the network as it predicts. A gradient is one vector over all
    trainable weights. Every process of several computes the same by itself.
    """
    groups = (model.trainable_variables, model.non_trainable_variables)

    def loss(trainable: Any, fixed: Any, factors: Any, batch: Any) -> Any:
        values = zip([*groups[0], *groups[1]], [*trainable, *fixed], strict=True)
        with keras.StatelessScope(state_mapping=list(values)):
            losses = model.term_losses(*batch)
        return SCALE * sum(factor * losses[name] for name, factor in factors.items())

    # The factors are arguments, so that all terms share one compilation.
    compiled = jax.jit(jax.grad(loss))

    def gradients(batch: Any, names: Sequence[str]) -> dict[str, np.ndarray]:
        arrays = jax.tree_util.tree_map(np.asarray, tuple(batch))
        weights = [[_local(variable) for variable in group] for group in groups]
        terms = list(model.term_trackers)
        return {
            name: _vector(compiled(*weights, {term: float(term == name) for term in terms}, arrays))
            for name in names
        }

    return gradients


def _local(variable: Any) -> Any:
    """Return a weight where it can meet images that this process has to itself."""
    if processes.count() == 1:
        return variable.value
    return keras.ops.convert_to_numpy(variable)


def _vector(parts: Any) -> np.ndarray:
    return np.concatenate([np.asarray(part, np.float32).ravel() for part in parts]) / SCALE
