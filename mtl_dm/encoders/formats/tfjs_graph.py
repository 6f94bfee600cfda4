"""tfjs graph models: a TensorFlow graph as JSON, with operations that TensorFlow itself lacks.

The converter of tfjs joins a convolution or product with what follows it into one operation. Such
a one is taken apart again, so that any TensorFlow runs the graph.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mtl_dm.encoders.formats.tfjs_weights import weights_of
from mtl_dm.encoders.network import Network, image_size, only_output, require_layer
from mtl_dm.files import MALFORMED, read_json
from mtl_dm.verifying.embedding import flat

_SPATIAL = ("T", "strides", "padding", "explicit_paddings", "dilations", "data_format")
_JOINED = {
    "_FusedConv2D": ("Conv2D", _SPATIAL),
    "FusedDepthwiseConv2dNative": ("DepthwiseConv2dNative", _SPATIAL),
    "_FusedMatMul": ("MatMul", ("T", "transpose_a", "transpose_b")),
}
"""What an operation starts with, and which of its attributes belong to that."""
_PLAIN = ("Relu", "Relu6", "Elu", "Sigmoid", "Tanh")


def tfjs_graph(path: Path, layer: str | None) -> Network:
    """Return the network of a tfjs graph model.

    Args:
        path: Its JSON file, the shards beside it.
        layer: Name of a node of the graph; None: its only output.

    Raises:
        FileNotFoundError: If a shard is missing.
        ValueError: If it is no graph model that can be run, has no such node, or does not take
            images alone.
    """
    import tensorflow as tf

    what = f"The encoder {path}"
    try:
        content = read_json(path)
        graph = _graph(content["modelTopology"])
        weights = weights_of(content["weightsManifest"], path.parent)
        plain = _plain_graph(graph, weights)
    except MALFORMED as error:
        raise ValueError(f"{what} is no tfjs graph model that can be run: {error}") from error
    entries = [node for node in graph.node if node.op == "Placeholder"]
    if len(entries) != 1:
        raise ValueError(f"{what} must take images alone, it has {len(entries)} inputs.")
    sides = [each.size for each in entries[0].attr["shape"].shape.dim]
    side, channels = image_size(what, sides[1:])
    known = [node.name for node in graph.node if node.op not in ("Const", "Placeholder")]
    chosen = layer or only_output(what, _outputs(content, known))
    require_layer(what, chosen, known)
    try:
        run = _function(plain, entries[0].name, chosen)
    except Exception as error:  # Of an unknown operation, a circle, shapes that do not fit.
        raise ValueError(f"{what} is no graph that TensorFlow runs: {error}") from error
    parameters = sum(each.size for each in weights.values() if each.dtype.kind == "f")
    return Network(side, channels, lambda images: flat(run(tf.constant(images))), parameters)


def _graph(topology: Mapping[str, Any]) -> Any:
    import tensorflow as tf
    from google.protobuf import json_format

    try:
        return json_format.ParseDict(
            dict(topology), tf.compat.v1.GraphDef(), ignore_unknown_fields=True
        )
    except json_format.ParseError as error:
        raise ValueError(str(error)) from error


def _outputs(content: Mapping[str, Any], known: list[str]) -> list[str]:
    """Return the nodes that are outputs, which versions of the converter say in two ways."""
    beside = content.get("userDefinedMetadata") or {}
    signature = content.get("signature") or beside.get("signature") or {}
    named = [each["name"].split(":")[0] for each in signature.get("outputs", {}).values()]
    return named or known[-1:]


def _function(graph: Any, entry: str, layer: str) -> Any:
    import tensorflow as tf

    wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph, name=""), signature=[])
    return wrapped.prune(f"{entry}:0", f"{layer}:0")


def _plain_graph(graph: Any, weights: Mapping[str, np.ndarray]) -> Any:
    """Return the graph with its weights in it and joined operations taken apart."""
    import tensorflow as tf

    plain = tf.compat.v1.GraphDef(versions=graph.versions)
    for node in graph.node:
        plain.node.extend(_plain_nodes(node, weights))
    return plain


def _plain_nodes(node: Any, weights: Mapping[str, np.ndarray]) -> Iterator[Any]:
    import tensorflow as tf

    if node.op in _JOINED:
        yield from _taken_apart(node)
    elif node.op == "Prelu":
        yield from _prelu(node.name, node.input[0], node.input[1], node.attr["T"])
    else:
        copied = type(node)()
        copied.CopyFrom(node)
        copied.device = ""  # Of the machine that converted it.
        if node.op == "Const" and node.name in weights:
            value = tf.make_tensor_proto(weights[node.name])
            copied.attr["value"].tensor.CopyFrom(value)
            copied.attr["dtype"].type = value.dtype
        yield copied


def _taken_apart(node: Any) -> Iterator[Any]:
    op, attributes = _JOINED[node.op]
    steps = [each.decode() for each in node.attr["fused_ops"].list.s]
    given = list(node.input)
    name = f"{node.name}/{op}" if steps else node.name
    kept = {key: node.attr[key] for key in attributes if key in node.attr}
    yield _node(op, name, given[:2], kept)
    further = iter(given[2:])
    kind = node.attr["T"]
    for place, step in enumerate(steps):
        before, name = name, f"{node.name}/{place}_{step}"
        name = node.name if place == len(steps) - 1 else name
        if step == "BiasAdd":
            form = {key: node.attr[key] for key in ("data_format",) if key in node.attr}
            yield _node(step, name, [before, next(further)], {"T": kind, **form})
        elif step in _PLAIN:
            yield _node(step, name, [before], {"T": kind})
        elif step == "LeakyRelu":
            yield _node(step, name, [before], {"T": kind, "alpha": node.attr["leakyrelu_alpha"]})
        elif step == "Prelu":
            yield from _prelu(name, before, next(further), kind)
        else:
            raise ValueError(f"{node.name} is joined with {step}, which is not known.")


def _prelu(name: str, x: str, slope: str, kind: Any) -> Iterator[Any]:
    """Yield relu(x) - slope * relu(-x), He et al. 2015."""
    of = {"T": kind}
    yield _node("Relu", f"{name}/positive", [x], of)
    yield _node("Neg", f"{name}/mirrored", [x], of)
    yield _node("Relu", f"{name}/negative", [f"{name}/mirrored"], of)
    yield _node("Mul", f"{name}/scaled", [slope, f"{name}/negative"], of)
    yield _node("Sub", name, [f"{name}/positive", f"{name}/scaled"], of)


def _node(op: str, name: str, inputs: list[str], attributes: Mapping[str, Any]) -> Any:
    import tensorflow as tf

    made = tf.compat.v1.NodeDef(op=op, name=name, input=inputs)
    for key, value in attributes.items():
        made.attr[key].CopyFrom(value)
    return made
