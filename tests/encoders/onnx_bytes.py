"""An ONNX file by hand: protobuf fields are a key (number * 8 + kind), then a varint or bytes."""


def varint(value):
    low = value & 0x7F
    return bytes([low]) if value < 128 else bytes([low | 0x80]) + varint(value >> 7)


def field(number, value):
    if isinstance(value, int):
        return varint(number * 8) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number * 8 + 2) + varint(len(content)) + content


def attribute(name, values):
    ints = isinstance(values, list)
    items = values if ints else [values]
    numbers = b"".join(field(8 if ints else 3, value) for value in items)
    return field(5, field(1, name) + numbers + field(20, 7 if ints else 2))


def node(op, entry, out, *attributes):
    return field(1, field(1, entry) + field(2, out) + field(4, op) + b"".join(attributes))


def array(number, name, shape):
    sides = [field(1, field(2 if isinstance(side, str) else 1, side)) for side in shape]
    tensor = field(1, 1) + field(2, b"".join(sides))  # float32
    return field(number, field(1, name) + field(2, field(1, tensor)))


def minus_mean(first):
    """x -> map = -x -> out, its mean over places; channels first or last."""
    nodes = node("Neg", "x", "map") + node(
        "ReduceMean", "map", "out",
        attribute("axes", [2, 3] if first else [1, 2]), attribute("keepdims", 0),
    )  # fmt: skip
    shape = ["B", 3, 4, 4] if first else ["B", 4, 4, 3]
    graph = nodes + field(2, "graph") + array(11, "x", shape) + array(12, "out", ["B", 3])
    opset = field(8, field(1, "") + field(2, 13))
    return field(1, 8) + field(7, graph) + opset
