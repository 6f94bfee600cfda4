"""How many parameters a network has and how many multiply-adds an input costs it.

Counted are the multiply-adds of convolutions, dense and recurrent layers and of attention, which
are nearly all of a network's; normalisation, activations, pooling and resampling are left out.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import keras
from keras import layers

from mtl_dm.models.added_losses import known_inputs
from mtl_dm.models.backbones._recurrence import ParallelGRU


class Parameters(NamedTuple):
    """How many numbers a network holds.

    Attributes:
        trainable: Those that an optimizer moves.
        total: These and the statistics of normalisation layers; not the states of random draws.
    """

    trainable: int
    total: int


class Macs(NamedTuple):
    """What one input costs in inference.

    Attributes:
        known: Multiply-adds of the layers whose kind is known.
        unknown: Names of layers that have weights and are of another kind.
    """

    known: int
    unknown: tuple[str, ...]


def parameters_of(model: keras.layers.Layer) -> Parameters:
    """Return the number of parameters of a model or layer that is built."""
    counts = [
        sum(math.prod(weight.shape) for weight in weights)
        for weights in (model.trainable_weights, model.weights)
    ]
    return Parameters(*counts)


def macs_of(model: keras.layers.Layer, input_shape: Any = None) -> Macs:
    """Return the multiply-adds of one input; nothing is computed.

    Args:
        model: A model or layer that is built, a `MultiTaskModel` included.
        input_shape: Shape of an input without the batch, or shapes by name; None: the model's own.

    Raises:
        ValueError: If the input's shape is not known from the model and not given.
    """
    if input_shape is None:
        inputs = known_inputs(getattr(model, "backbone", model))
        if inputs is None:
            raise ValueError(f"The inputs of {model.name!r} are unknown: give input_shape.")
        input_shape = keras.tree.map_structure(lambda each: tuple(each.shape[1:]), inputs)
    one = keras.tree.map_shape_structure(
        lambda shape: keras.KerasTensor((1, *shape), dtype=model.compute_dtype), input_shape
    )
    calls: list[tuple[Any, tuple[Any, ...], Any]] = []
    with _watched(list(_counted(model)), calls):
        _Call(model).compute_output_spec(one)
    known = sum(_macs(*call) for call in calls)
    return Macs(known, tuple(dict.fromkeys(layer.name for layer in _unknown(model))))


class _Call(keras.Operation):
    """Calls a model on symbols of its backend, so that the `call` of every layer is run."""

    def __init__(self, model: keras.layers.Layer) -> None:
        super().__init__()
        self._model = model

    def call(self, inputs: Any) -> Any:
        with keras.StatelessScope():
            return self._model(inputs, training=False)


def _convolution(layer: Any, inputs: Sequence[Any], output: Any) -> int:
    return _positions(output.shape) * math.prod(layer.kernel.shape)


def _transposed(layer: Any, inputs: Sequence[Any], output: Any) -> int:
    return _positions(inputs[0].shape) * math.prod(layer.kernel.shape)


def _separable(layer: Any, inputs: Sequence[Any], output: Any) -> int:
    kernels = (layer.depthwise_kernel, layer.pointwise_kernel)
    return _positions(output.shape) * sum(math.prod(kernel.shape) for kernel in kernels)


def _einsum(layer: Any, inputs: Sequence[Any], output: Any) -> int:
    """Return the product of the sizes of all letters of the equation."""
    data, _, kernel = layer.equation.partition("->")[0].partition(",")
    sizes = dict(zip(reversed(data), reversed(inputs[0].shape), strict=False))
    sizes |= dict(zip(kernel, layer.kernel.shape, strict=True))
    rest = math.prod(inputs[0].shape[: len(inputs[0].shape) - len(data.replace("...", ""))])
    return rest * math.prod(size for letter, size in sizes.items() if letter != ".")


def _recurrent(layer: Any, inputs: Sequence[Any], output: Any) -> int:
    kernels = (layer.cell.kernel, layer.cell.recurrent_kernel)
    return inputs[0].shape[1] * sum(math.prod(kernel.shape) for kernel in kernels)


def _parallel(layer: Any, inputs: Sequence[Any], output: Any) -> int:
    return inputs[0][0].shape[1] * sum(math.prod(kernel.shape) for kernel in layer.kernels)


def _attention(layer: Any, inputs: Sequence[Any], output: Any) -> int:
    """Return scores and weighted sum alone: the projections are layers of their own."""
    query, value = (math.prod(each.shape[1:-1]) for each in inputs[:2])
    return layer.num_heads * query * value * (layer.key_dim + (layer.value_dim or layer.key_dim))


_KINDS: Sequence[tuple[tuple[type, ...], Callable[[Any, Sequence[Any], Any], int]]] = (
    ((layers.SeparableConv1D, layers.SeparableConv2D), _separable),
    ((layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose), _transposed),
    ((layers.Conv1D, layers.Conv2D, layers.Conv3D), _convolution),
    ((layers.DepthwiseConv1D, layers.DepthwiseConv2D), _convolution),
    ((layers.Dense,), _convolution),
    ((layers.EinsumDense,), _einsum),
    ((layers.GRU, layers.LSTM, layers.SimpleRNN), _recurrent),
    ((ParallelGRU,), _parallel),
    ((layers.MultiHeadAttention,), _attention),
)
_LEFT_OUT = (
    layers.BatchNormalization,
    layers.LayerNormalization,
    layers.GroupNormalization,
    layers.Normalization,
    layers.PReLU,
    layers.Embedding,
)


def _kind(layer: Any) -> Callable[[Any, Sequence[Any], Any], int] | None:
    return next((count for kinds, count in _KINDS if isinstance(layer, kinds)), None)


def _macs(layer: Any, inputs: tuple[Any, ...], output: Any) -> int:
    count = _kind(layer)
    return count(layer, inputs, output) if count else 0


def _positions(shape: Sequence[int]) -> int:
    """Return at how many places a kernel is applied: all dimensions but the last."""
    return math.prod(shape[:-1])


def _counted(model: keras.layers.Layer) -> Iterator[Any]:
    return (layer for layer in _parts(model) if _kind(layer))


def _unknown(model: keras.layers.Layer) -> Iterator[Any]:
    for layer in _parts(model):
        # Not what its parts hold.
        own = layer._trainable_variables
        if own and not isinstance(layer, _LEFT_OUT) and not _kind(layer):
            yield layer


def _parts(layer: Any) -> Iterator[Any]:
    """Yield a layer and all in it, but for the cells of recurrent layers."""
    yield layer
    if _kind(layer) is not _recurrent:
        for inner in layer._flatten_layers(include_self=False, recursive=False):
            yield from _parts(inner)


@contextlib.contextmanager
def _watched(
    watched: Sequence[Any], calls: list[tuple[Any, tuple[Any, ...], Any]]
) -> Iterator[None]:
    """Note every call of some layers: layer, inputs, output."""

    def noting(layer: Any) -> Callable[..., Any]:
        call = layer.call

        def noted(*args: Any, **options: Any) -> Any:
            output = call(*args, **options)
            # Some layers pass on by name what others pass by position.
            named = [options[name] for name in ("query", "value") if name in options]
            calls.append((layer, (*args, *named), output))
            return output

        return noted

    watched = list({id(layer): layer for layer in watched}.values())
    for layer in watched:
        layer.__dict__["call"] = noting(layer)
    try:
        yield
    finally:
        for layer in watched:
            del layer.__dict__["call"]
