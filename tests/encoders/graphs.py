"""A tfjs graph model of every joined operation, its weights stored in every way, and its reference.

Images [B, 4, 4, 3] -> convolution, bias, ReLU6 -> depthwise convolution, bias, PReLU -> mean over
places -> product, bias.
"""

import base64
import json

import numpy as np

SIDE = 4
RNG = np.random.default_rng(0)
KERNEL = RNG.normal(0, 2, (1, 1, 3, 5)).astype(np.float32)
BIAS = np.float16(RNG.normal(size=5)).astype(np.float32)
DEPTHWISE = RNG.normal(size=(1, 1, 5, 1)).astype(np.float32)
SLOPE = np.array([0.5, -1.0, 0.0, 2.0, 0.25], np.float32)
QUANTISED, SCALE, LEAST = RNG.integers(0, 256, (5, 2), np.uint8), 0.01, -1.5
PRODUCT = (QUANTISED * SCALE + LEAST).astype(np.float32)


def mean_of(images):
    """The features by NumPy; kernels of one pixel are products."""
    x = np.clip(images @ KERNEL[0, 0] + BIAS, 0, 6)
    x = x * DEPTHWISE[0, 0, :, 0] + BIAS
    x = np.where(x > 0, x, SLOPE * x)
    return x.mean(axis=(1, 2))


def product_of(images):
    return mean_of(images) @ PRODUCT + BIAS[:2]


def text(value):
    return base64.b64encode(value.encode()).decode()


def joined(name, op, inputs, steps, **attributes):
    attributes |= {"T": {"type": "DT_FLOAT"}, "num_args": {"i": str(len(inputs) - 2)},
                   "fused_ops": {"list": {"s": [text(step) for step in steps]}}}  # fmt: skip
    return {"name": name, "op": op, "input": inputs, "attr": attributes}


def topology():
    spatial = {"strides": {"list": {"i": ["1"] * 4}}, "padding": {"s": text("SAME")},
               "data_format": {"s": text("NHWC")}}  # fmt: skip
    shape = {"dim": [{"size": each} for each in ("-1", "4", "4", "3")]}
    kind = {"type": "DT_FLOAT"}
    constants = [
        {"name": name, "op": "Const", "attr": {"dtype": {"type": type_}}}
        for name, type_ in [
            ("kernel", "DT_FLOAT"), ("bias", "DT_FLOAT"), ("depthwise", "DT_FLOAT"),
            ("slope", "DT_FLOAT"), ("product", "DT_FLOAT"), ("places", "DT_INT32"),
            ("short", "DT_FLOAT"),
        ]
    ]  # fmt: skip
    return {"versions": {"producer": 808}, "node": [
        {"name": "images", "op": "Placeholder",
         "attr": {"shape": {"shape": shape}, "dtype": kind}},
        *constants,
        joined("conv", "_FusedConv2D", ["images", "kernel", "bias"], ["BiasAdd", "Relu6"],
               **spatial),
        joined("each", "FusedDepthwiseConv2dNative", ["conv", "depthwise", "bias", "slope"],
               ["BiasAdd", "Prelu"], **spatial),
        {"name": "mean", "op": "Mean", "input": ["each", "places"], "device": "/device:GPU:7",
         "attr": {"T": kind, "Tidx": {"type": "DT_INT32"}, "keep_dims": {"b": False}}},
        joined("out", "_FusedMatMul", ["mean", "product", "short"], ["BiasAdd"],
               transpose_a={"b": False}, transpose_b={"b": False}),
    ]}  # fmt: skip


def write(folder):
    """Return the path of the model's JSON file; its weights are in two shards."""
    stored = [
        ("kernel", "float32", KERNEL, None),
        ("bias", "float32", BIAS.astype(np.float16), {"dtype": "float16"}),
        ("depthwise", "float32", DEPTHWISE, None),
        ("slope", "float32", SLOPE, None),
        ("product", "float32", QUANTISED, {"dtype": "uint8", "scale": SCALE, "min": LEAST}),
        ("places", "int32", np.array([1, 2], np.int32), None),
        ("short", "float32", BIAS[:2], None),
    ]
    data = b"".join(array.tobytes() for _, _, array, _ in stored)
    weights = [
        {"name": name, "dtype": dtype, "shape": list(array.shape),
         **({} if quantised is None else {"quantization": quantised})}
        for name, dtype, array, quantised in stored
    ]  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    # The cut goes through a number.
    (folder / "group1-shard1of2.bin").write_bytes(data[:57])
    (folder / "group1-shard2of2.bin").write_bytes(data[57:])
    content = {
        "format": "graph-model",
        "modelTopology": topology(),
        "weightsManifest": [
            {"paths": ["group1-shard1of2.bin", "group1-shard2of2.bin"], "weights": weights}
        ],
        "userDefinedMetadata": {"signature": {"outputs": {"out:0": {"name": "out:0"}}}},
    }
    (folder / "graph.json").write_text(json.dumps(content), encoding="utf-8")
    return folder / "graph.json"
