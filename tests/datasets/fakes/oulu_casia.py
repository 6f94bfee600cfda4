"""Writes a tiny Oulu-CASIA: sequences of four frames of three people."""

from pathlib import Path

from tests.datasets.fakes import Layout, write_image

PEOPLE = {"P001": ("Anger", "Happiness"), "P002": ("Fear",), "P080": ("Surprise",)}
FRAMES = 4


def write(parent: Path, below: str = "OriginalImg/", camera: str = "VL", light: str = "Strong"):
    for person, expressions in PEOPLE.items():
        for name in expressions:
            for number in range(FRAMES):
                path = f"{below}{camera}/{light}/{person}/{name}/{number:03d}.jpeg"
                seed = int(person[1:]) * 100 + len(name) * 10 + number
                write_image(parent / "Oulu_CASIA" / path, seed)
    return parent


# P001 has two sequences, P002 and P080 one each.
LAYOUTS = {
    "visible": Layout(
        write, {"train": 8, "validation": 4, "test": 4}, "visible_strong", labels_in_files=False
    )
}
