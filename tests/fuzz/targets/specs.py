"""What is typed into flags: names with options."""

from pathlib import Path

from mtl_dm.spec import parse, parse_several
from tests.fuzz.target import Read, Target

TEXTS = (
    "resnet50",
    "resnet50(variant=paper, weights=imagenet)",
    'file(path="a b.onnx", low=-1.5, on=True, of=None, sides=(1, 2), more=[1e3])',
    "a(b=c(d=1)), e",
)


def prepare(folder: Path) -> tuple[list[bytes], Read]:
    del folder

    def read(data: bytes) -> None:
        text = data.decode("utf-8", "surrogateescape")
        for spec in parse_several(text):
            # What is written is read back.
            if parse(str(spec)) != spec:
                raise AssertionError(f"{text!r} becomes {spec}, which is another one")

    return [text.encode() for text in TEXTS], read


TARGET = Target(prepare)
