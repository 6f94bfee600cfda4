"""ONNX Runtime as every engine here uses it."""

from __future__ import annotations

from typing import Any


def one_thread_session(model: bytes | str) -> Any:
    """Return an `onnxruntime.InferenceSession` on one CPU thread.

    One process per core is faster than threads on such small networks, and sums in one thread
    have one order: every run and every runner writes the same bytes.

    Args:
        model: The serialised model, or its path.
    """
    import onnxruntime  # an extra; see setup.py

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
