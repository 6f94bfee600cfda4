"""The step on TensorFlow, on one device and under `tf.distribute`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mtl_dm.losses import weighted_mean
from mtl_dm.losses.reduction import global_sum
from mtl_dm.models.objective import balanced_names, objective_of, parts_of, seen_of
from mtl_dm.models.steps import gating
from mtl_dm.models.steps.scopes import (
    groups,
    is_shared,
    keeps_rows,
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
from mtl_dm.models.steps.tensorflow_passes import (
    Passes,
    apart,
    gradients_of,
    passes_of,
    rows_at,
)

SCALE = 2.0**10
"""On losses while gradients of single terms are taken, so that float16 keeps the small ones."""


def train_step(model: Any, data: Any) -> Any:
    """Train on a batch; see the package."""
    require_shared(model)
    inputs, labels, masks = keras.utils.unpack_x_y_sample_weight(data)
    balancing = model.balancing
    by = _by_gradients if balancing.sees == "gradients" else _by_losses
    gradients, seen, usable, at, context = by(model, inputs, labels, masks)
    finite = usable
    several = tf.distribute.get_strategy().num_replicas_in_sync > 1
    if several or minds_finite(model):
        finite = tf.logical_and(usable, _all_finite(gradients, seen.losses))
    gating.learn(model, at, labels, finite)
    learn_terms(model, context, finite)
    if balancing.non_trainable_variables:
        remember(balancing, lambda: learn(model, seen), seen, finite)
    _apply(model, gradients, finite)
    if balancing.looks_after:
        losses = _losses_now(model, seen.names, inputs, labels, masks)
        remember(balancing, lambda: balancing.after_step(seen, losses), seen, finite)
    return model.get_metrics_result()


def test_step(model: Any, data: Any) -> Any:
    """Evaluate a batch whose terms see features."""
    inputs, labels, masks = keras.utils.unpack_x_y_sample_weight(data)
    features, extras = model.extract(inputs, training=False)
    context = model.context(inputs, features, extras, labels, masks)
    _log(model, context, labels, masks, model.objective(context))
    return model.get_metrics_result()


def _by_losses(model: Any, inputs: Any, labels: Any, masks: Any) -> tuple[Any, ...]:
    """Return the scaled gradients of the objective, what the method saw, True, and for others.

    What is for the gates are gradients at the logits of gated heads, for terms the context.
    """
    balancing = model.balancing
    with tf.GradientTape(persistent=model.log_gradients) as tape:
        features, extras = apart(model.extract(inputs, training=True))
        context = _apart(model.context(inputs, features, extras, labels, masks))
        terms = model.terms(context)
        parts = parts_of(terms)
        names = balanced_names(balancing, terms)
        seen = seen_of(balancing, names, terms, parts, features=context.representations)
        objective = objective_of(balancing, parts, seen)
        scaled = model.optimizer.scale_loss(objective)
    model.log_terms(terms)
    variables = [variable.value for variable in model.trainable_variables]
    gated = dict(context.gated)
    gradients, at_gates = tape.gradient(scaled, (variables, gated), unconnected_gradients="zero")
    scale = model.optimizer.scale_loss(tf.ones(()))
    at = gating.at_logits(features, at_gates, scale)
    if model.log_gradients:
        targets = {name: parts[name] for name in names}
        passes = passes_of(model, tape, targets, features, extras)
        rows = _one_after_another(passes, _chosen(variables, is_shared(model)))
        # A frozen backbone has no rows.
        gram = tf.zeros((len(names), len(names))) + _gram(rows, 1.0, reduce_rows=True)
        model.log_balance(balancing.balance(seen), gram)
    elif model.log_weights:
        model.log_balance(balancing.balance(seen), None)
    _log(model, context, labels, masks, objective)
    return gradients, seen, tf.constant(True), at, context


def _apart(context: Any) -> Any:
    """Return a context whose gated logits are tensors of their own, which gradients end at."""
    if not context.gated:
        return context
    return dataclasses.replace(context, gated=tf.nest.map_structure(tf.identity, context.gated))


def _by_gradients(model: Any, inputs: Any, labels: Any, masks: Any) -> tuple[Any, ...]:
    """Return the scaled gradients as the method weighs them, what it saw, if that is usable.

    And what is for the gates and for terms, which weighs nothing.
    """
    balancing = model.balancing
    variables = [variable.value for variable in model.trainable_variables]
    shared = is_shared(model)
    with tf.GradientTape(persistent=True) as tape:
        returned = model.extract(inputs, training=True)
        features, extras = apart(returned)
        context = _apart(model.context(inputs, features, extras, labels, masks))
        terms = model.terms(context)
        parts = parts_of(terms)
        names = balanced_names(balancing, terms)
        scale = model.optimizer.scale_loss(tf.ones(()))
        targets = {name: scale * parts[name] for name in names}
        vector = tf.stack(list(targets.values()))
        rest = scale * sum(part for name, part in parts.items() if name not in names)
    rows: list[Any] = []
    judged: Any = None
    if balancing.scope != "shared":
        representation = one_representation(returned[0], balancing.scope)
    if balancing.scope == "features":
        judged = [[rows_at(tape, targets, representation)]]
    else:
        passes = passes_of(model, tape, targets, features, extras)
        if keeps_rows(model, len(names)):
            rows = passes.rows(_chosen(variables, shared))
        else:
            judged = _one_after_another(passes, _scope(model, variables))
    seen = seen_of(balancing, names, terms, parts, None, context.representations)
    if balancing.smooths:
        seen, rows = _smoothed(model, rows, seen, scale)
    # Features are of this replica's images: their products add up over replicas, not they.
    gram = _gram(judged or [rows], scale, reduce_rows=balancing.scope != "features")
    weights, safe, finite = safe_weights(balancing, dataclasses.replace(seen, gram=gram))
    factors = (weights, balancing.balance_heads(weights, safe))
    combined = _combined(tape, vector, rest, variables, shared, factors, rows)
    own = _own_gradients(balancing, safe, scale)
    targets_of_all = [vector, rest] if tf.is_tensor(rest) else [vector]
    at_gates = tape.gradient(targets_of_all, dict(context.gated), unconnected_gradients="zero")
    model.log_terms(terms)
    model.log_balance(weights, gram, finite)
    for place, variable in enumerate(model.trainable_variables):
        if id(variable) in own:
            combined[place] = own[id(variable)]
    place_of = {name: place for place, name in enumerate(names)}
    objective = sum(
        weights[place_of[name]] * part if name in place_of else part for name, part in parts.items()
    )
    _log(model, context, labels, masks, objective)
    return combined, safe, finite, gating.at_logits(features, at_gates, scale), context


def _smoothed(model: Any, rows: list[Any], seen: Any, scale: Any) -> tuple[Any, list[Any]]:
    """Return what was seen with smoothed gradients, and these as rows."""
    fresh = [global_sum(row) / scale for row in rows]
    smooth = model.balancing.smooth(shared_variables(model), fresh, seen)
    # Each replica's part, scaled, as those of the heads are.
    part = scale / tf.distribute.get_strategy().num_replicas_in_sync
    return dataclasses.replace(seen, smooth=smooth), [part * each for each in smooth]


def _scope(model: Any, variables: Sequence[Any]) -> list[Any]:
    if model.balancing.scope == "last_layer":
        return [variables[last_kernel(model)]]
    return _chosen(variables, is_shared(model))


def _chosen(parts: Sequence[Any], chosen: Sequence[bool]) -> list[Any]:
    return [part for part, is_chosen in zip(parts, chosen, strict=True) if is_chosen]


def _one_after_another(passes: Passes, sources: Sequence[Any]) -> Iterator[list[Any]]:
    """Yield the gradients of groups of sources that may be kept at once, of each when it is due."""
    done: list[Any] = []
    for group in groups(sources, passes.count):
        with tf.control_dependencies(done):
            rows = passes.rows(group)
        yield rows
        done = rows


def _combined(
    tape: tf.GradientTape,
    vector: Any,
    rest: Any,
    variables: Sequence[Any],
    shared: Sequence[bool],
    factors: tuple[Any, Any],
    rows: Sequence[Any],
) -> list[Any]:
    """Return the scaled gradient of every trainable weight.

    Of the shared ones from the rows, if they were kept, else by another backward pass; the heads
    have a short one of their own.

    Args:
        tape: Of the forward pass.
        vector: [T], the balanced terms.
        rest: The sum of the others; no tensor where there are none.
        variables: The trainable weights.
        shared: Which of them are the backbone's.
        factors: [T] of the shared ones and of the others.
        rows: [T, ...] of the shared ones, or nothing.
    """

    def weighed(by: Any, sources: Sequence[Any]) -> list[Any]:
        if not tf.is_tensor(rest):
            return gradients_of(tape, [vector], sources, [by])
        return gradients_of(tape, [vector, rest], sources, [by, tf.ones(())])

    of_trunk = _chosen(variables, shared)
    apart = _chosen(variables, [not each for each in shared])
    if not rows and factors[0] is factors[1]:
        return weighed(factors[0], variables)
    if rows:
        trunk = [tf.tensordot(factors[0], row, 1) for row in rows]
        if tf.is_tensor(rest):
            others = gradients_of(tape, rest, of_trunk)
            trunk = [mine + other for mine, other in zip(trunk, others, strict=True)]
    else:
        trunk = weighed(factors[0], of_trunk)
    found, heads = iter(trunk), iter(weighed(factors[1], apart))
    return [next(found if each else heads) for each in shared]


def _gram(parts: Iterable[Sequence[Any]], scale: Any, reduce_rows: bool) -> Any:
    """Return the Gram matrix of the terms' unscaled gradients over the global batch."""
    gram: Any = 0.0
    for rows in parts:
        for row in rows:
            matrix = tf.reshape(row, [row.shape[0], -1]) / scale
            if reduce_rows:
                matrix = global_sum(matrix)
            gram += tf.matmul(matrix, matrix, transpose_b=True)
    return gram if reduce_rows else global_sum(gram)


def _own_gradients(balancing: Any, seen: Any, scale: Any) -> dict[int, Any]:
    """Return the scaled gradients of the method's own loss, by id of its weights."""
    variables = balancing.trainable_variables
    if not variables:
        return {}
    with tf.GradientTape() as tape:
        own = balancing.added_loss(seen)
        if own is None:
            return {}
        part = scale * weighted_mean(own, tf.ones(()))
    found = tape.gradient(part, [each.value for each in variables], unconnected_gradients="zero")
    return {id(each): gradient for each, gradient in zip(variables, found, strict=True)}


def _all_finite(gradients: Sequence[Any], losses: Any) -> Any:
    """Return whether the losses and the gradients of all replicas are finite."""
    losses = [] if losses is None else [losses]
    tensors = [each.values if isinstance(each, tf.IndexedSlices) else each for each in gradients]
    finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(each)) for each in [*losses, *tensors]])
    return global_sum(1.0 - tf.cast(finite, "float32")) < 0.5


def _apply(model: Any, gradients: Sequence[Any], finite: Any) -> None:
    """Hand this replica's gradients on, if they are finite; the optimizer adds up over replicas."""
    pairs = list(zip(gradients, model.trainable_variables, strict=True))
    scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    several = tf.distribute.get_strategy().num_replicas_in_sync > 1
    if several:
        # The loss scaler looks at one replica's gradients only. Without one there is no skipping
        # a step in a replica: nothing is added up, momentum alone may move the weights.
        keep = tf.where(finite, 1.0, np.nan if scaled else 0.0)
        pairs = [(_kept(each, finite, keep), variable) for each, variable in pairs]
    if several or scaled or not model.balancing.wants_losses:
        model.optimizer.apply_gradients(pairs)
        return
    model.optimizer.build(model.trainable_variables)  # Not in a branch of the graph.
    tf.cond(finite, lambda: _applied(model, pairs), lambda: tf.constant(False))


def _kept(gradient: Any, finite: Any, keep: Any) -> Any:
    if isinstance(gradient, tf.IndexedSlices):
        values = _kept(gradient.values, finite, keep)
        return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)
    # Not a product: 0 * NaN is NaN.
    return tf.where(finite, gradient, tf.cast(keep, gradient.dtype))


def _applied(model: Any, pairs: Sequence[tuple[Any, Any]]) -> Any:
    model.optimizer.apply_gradients(pairs)
    return tf.constant(True)


def _losses_now(model: Any, names: Sequence[str], inputs: Any, labels: Any, masks: Any) -> Any:
    """Return the losses [T] of the same batch with the weights as they are; changes nothing."""
    # Running averages and the state of random draws are those of one look at a batch.
    with keras.StatelessScope(collect_losses=True):
        features, extras = model.extract(inputs, training=True)
        parts = parts_of(model.terms(model.context(inputs, features, extras, labels, masks)))
    return tf.stack([global_sum(parts[name]) for name in names])


def _log(model: Any, context: Any, labels: Any, masks: Any, objective: Any) -> None:
    """Update the logs: the objective of the global batch, weighted by images, and metrics."""
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    images = tf.shape(tf.nest.flatten(context.inputs)[0])[0]
    # A replica's part of the objective is over the images of all replicas, however many it has.
    all_images = global_sum(tf.cast(images, tf.float32))
    model._loss_tracker.update_state(replicas * objective, sample_weight=all_images / replicas)
    model.compute_metrics(None, labels, dict(context.logits), masks)


def term_gradients(model: Any) -> Callable[[Any, Sequence[str]], dict[str, np.ndarray]]:
    """Return the gradients of a model's terms as a compiled function of a batch and term names.

    Terms are without their factors, the network as it predicts. A gradient is one vector over all
    trainable weights.
    """

    @tf.function(reduce_retracing=True)
    def vectors(batch: Any, names: tuple[str, ...]) -> dict[str, Any]:
        inputs, labels, masks = batch
        # Of replicas the first: outside a step the network reads the weights there.
        strategy = model.distribute_strategy
        variables = [
            strategy.experimental_local_results(variable.value)[0]
            for variable in model.trainable_variables
        ]
        with tf.GradientTape(persistent=True) as tape:
            losses = model.term_losses(inputs, labels, masks)
            scaled = {name: SCALE * losses[name] for name in names}
        return {
            name: tf.concat(
                [tf.reshape(part, [-1]) for part in gradients_of(tape, scaled[name], variables)], 0
            )
            / SCALE
            for name in names
        }

    def gradients(batch: Any, names: Sequence[str]) -> dict[str, np.ndarray]:
        found = vectors(tuple(batch), tuple(names))
        return {name: np.asarray(found[name], np.float32) for name in names}

    return gradients
