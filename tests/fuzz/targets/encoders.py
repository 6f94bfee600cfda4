"""Files of encoders: the manifest and the shards of a tfjs model, ONNX, SavedModel."""

from pathlib import Path

import tensorflow as tf

from mtl_dm.encoders.formats import files_of, read_network
from tests.encoders import graphs, onnx_bytes
from tests.fuzz.target import Read, Target, exchanged


def prepare(folder: Path) -> tuple[list[bytes], Read]:
    graph = graphs.write(folder / "tfjs")
    onnx = folder / "net.onnx"
    onnx.write_bytes(onnx_bytes.minus_mean(True))
    module = tf.Module()
    module.v = tf.Variable(2.0)

    @tf.function(input_signature=[tf.TensorSpec((None, 4, 4, 3), name="x")])
    def serve(x):
        return {"mean": tf.reduce_mean(x, (1, 2)) * module.v}

    saved = folder / "saved"
    tf.saved_model.save(module, str(saved), signatures=serve)
    files = dict.fromkeys(sorted(graph.parent.iterdir()), graph)
    files[onnx] = onnx

    def read(path: Path) -> None:
        encoder = files[path]
        read_network(encoder, None)
        files_of(encoder)

    return exchanged(list(files), read)


TARGET = Target(prepare)
