"""Files of encoders: the manifest and the shards of a tfjs model, and ONNX."""

from pathlib import Path

from mtl_dm.encoders.formats import files_of, read_network
from tests.encoders import graphs, onnx_bytes
from tests.fuzz.target import Read, Target, exchanged


def prepare(folder: Path) -> tuple[list[bytes], Read]:
    graph = graphs.write(folder / "tfjs")
    onnx = folder / "net.onnx"
    onnx.write_bytes(onnx_bytes.minus_mean(True))
    files = dict.fromkeys(sorted(graph.parent.iterdir()), graph)
    files[onnx] = onnx

    def read(path: Path) -> None:
        encoder = files[path]
        read_network(encoder, None)
        files_of(encoder)

    return exchanged(list(files), read)


TARGET = Target(prepare)
