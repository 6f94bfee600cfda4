"""ONNX files, run by onnxruntime; images go in as the file has them, channels last or first."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from mtl_dm.encoders.network import Network, image_size, only_output, require_layer
from mtl_dm.verifying.embedding import flat


def onnx_file(path: Path, layer: str | None) -> Network:
    """Return the network of an ONNX file.

    Args:
        path: The file.
        layer: Name of an output, or of what any node of the graph gives out.

    Raises:
        ValueError: If it cannot be read, has no such layer, or does not take one batch of images.
        ImportError: If onnxruntime is missing, or onnx where the layer is inside the network.
    """
    what = f"The encoder {path}"
    runtime = _package("onnxruntime")
    session = _session(runtime, what, path.read_bytes())
    outputs = [each.name for each in session.get_outputs()]
    chosen = only_output(what, outputs) if layer is None else layer
    if chosen not in outputs:
        session = _session(runtime, what, _with_output(what, path, chosen))
    if len(session.get_inputs()) != 1:
        raise ValueError(f"{what} must take images alone, it has several inputs.")
    entry = session.get_inputs()[0]
    shape = list(entry.shape[1:])
    first = len(shape) == 3 and shape[0] in (1, 3) and shape[2] not in (1, 3)
    side, channels = image_size(what, [*shape[1:], shape[0]] if first else shape)

    def run(images: np.ndarray) -> np.ndarray:
        given = np.ascontiguousarray(images.transpose(0, 3, 1, 2)) if first else images
        (found,) = session.run([chosen], {entry.name: given})
        # A map has its channels where the images have them.
        return flat(np.moveaxis(found, 1, -1) if first and found.ndim > 2 else found)

    return Network(side, channels, run)


def _session(runtime: Any, what: str, content: bytes) -> Any:
    try:
        return runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    except Exception as error:  # Its errors are of a dozen types, all its own.
        raise ValueError(f"{what} is no ONNX file that can be run: {error}") from error


def _with_output(what: str, path: Path, layer: str) -> bytes:
    """Return the file's network with one more output, from inside it."""
    onnx = _package("onnx")
    model = onnx.load(str(path))
    require_layer(what, layer, [name for node in model.graph.node for name in node.output if name])
    model.graph.output.append(onnx.ValueInfoProto(name=layer))
    return bytes(model.SerializeToString())


def _package(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(f"An ONNX encoder needs {name}: pip install 'mtl-dm[onnx]'.") from error
