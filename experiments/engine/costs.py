"""What a network costs to train, before it is trained: estimates from its layers."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from experiments.engine.building import shared_network
from mtl_dm.models.counting import macs_of, parameters_of
from mtl_dm.spec import parse
from mtl_dm.tasks import Task
from mtl_dm.training.config import TrainConfig

PEAK = {"float32": 15.7e12, "float16": 112e12, "bfloat16": 15.7e12}
"""Operations a second that a V100 is said to reach; it has no units for bfloat16."""
REACHED = 0.3
BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}
VIRTUAL = {"mix_augment": 0.5}
"""Virtual images beside a real one, by way of mixing."""
_STATES = 4
"""Numbers a trained weight has: itself, its gradient and Adam's two moments."""
_NOTHING_NEW = (
    "Const", "ExpandDims", "Identity", "Placeholder", "ReadVariableOp", "Reshape", "Squeeze",
    "StopGradient",
)  # fmt: skip
FORMULAS = (
    f"Hours: 3 x multiply-adds of one image x 2 x images / ({REACHED:.0%} of "
    f"{PEAK['float32'] / 1e12:g} TFLOP/s; {PEAK['float16'] / 1e12:g} in float16), for a step costs "
    "about three forward passes. Virtual images of MixAugment count. Reading images and measuring "
    "do not, nor does what the teachers of S-T NC MT predict.",
    f"Memory: {_STATES * 4} bytes a trained weight (itself, its gradient, Adam's moments), and all "
    "that one forward pass of a batch computes. That is rough: some of it is freed, its gradients "
    "come on top, and the inside of loops is not seen.",
)


class Network(NamedTuple):
    """A network in numbers.

    Attributes:
        trained: Weights that are trained.
        parameters: All weights.
        multiply_adds: Of one input, forward.
        activations: Numbers that one input's forward pass computes.
        unknown: Names of layers whose multiply-adds are not known and not counted.
    """

    trained: int
    parameters: int
    multiply_adds: int
    activations: int
    unknown: tuple[str, ...] = ()


def network_of(config: TrainConfig, input_shape: Any, tasks: Sequence[Task]) -> Network:
    """Return a network in numbers: the backbone of a configuration with a head a task.

    Args:
        config: Names the backbone.
        input_shape: Without the batch, or shapes by name.
        tasks: The heads'.

    Raises:
        ValueError: If the backbone is unknown or does not take the input.
    """
    shared, features = _shared(config.backbone, json.dumps(input_shape))
    weights = products = 0
    for task in tasks:
        shape = features.get(task.name, features.get("features", (0,)))
        weights += (shape[-1] + 1) * task.size
        products += math.prod(shape) * task.size
    return Network(
        shared.trained + weights,
        shared.parameters + weights,
        shared.multiply_adds + products,
        shared.activations,
        shared.unknown,
    )


@functools.cache
def _shared(specification: str, shape: str) -> tuple[Network, Mapping[str, tuple[int, ...]]]:
    """Return a backbone in numbers, and the shapes of its features by name; counted once."""
    given = json.loads(shape)
    input_shape = (
        {name: tuple(each) for name, each in given.items()}
        if isinstance(given, dict)
        else tuple(given)
    )
    network = shared_network(specification, input_shape)
    # A network is large, and only its numbers are wanted.
    found = _counted(network, input_shape)
    keras.backend.clear_session()
    return found


def _counted(
    network: keras.layers.Layer, input_shape: Any
) -> tuple[Network, dict[str, tuple[int, ...]]]:
    one = keras.tree.map_shape_structure(
        lambda each: tf.TensorSpec((1, *each), tf.float32), input_shape
    )
    traced = tf.function(lambda inputs: network(inputs, training=True)).get_concrete_function(one)
    outputs = traced.structured_outputs
    named = outputs if isinstance(outputs, Mapping) else {"features": outputs}
    parameters, macs = parameters_of(network), macs_of(network, input_shape)
    counts = Network(
        parameters.trainable,
        parameters.total,
        macs.known,
        _activations(traced.graph),
        macs.unknown,
    )
    return counts, {name: tuple(each.shape[1:]) for name, each in named.items()}


def _activations(graph: tf.Graph) -> int:
    outputs = [
        output
        for operation in graph.get_operations()
        if operation.type not in _NOTHING_NEW
        for output in operation.outputs
        if output.dtype.is_floating and output.shape.is_fully_defined()
    ]
    return sum(output.shape.num_elements() for output in outputs)


def rows(config: TrainConfig) -> float:
    """Return the images that a step computes for each that it reads."""
    return 1 + VIRTUAL.get(parse(config.mix).name, 0.0)


def gibibytes(network: Network, config: TrainConfig) -> float:
    """Return the memory that a training takes, as `FORMULAS` says."""
    states = 4 * (_STATES * network.trained + network.parameters - network.trained)
    batch = max(rows(part) * part.batch_size for _, part in config.stage_configs())
    return (states + batch * network.activations * BYTES[config.mixed_precision]) / 2**30


def hours(network: Network, images: float, precision: str) -> float:
    """Return the hours that training on so many images takes, as `FORMULAS` says."""
    return 3 * 2 * network.multiply_adds * images / (REACHED * PEAK[precision]) / 3600
