"""A folder of photos of every kind, and the command on it with the engine of dots."""

import csv
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from data_prep import align
from mtl_dm import faces
from tests.faces.dots import load_dots_engine, photo, place

ENGINE = "dots"


def png(image):
    return cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()


def register():
    if ENGINE not in faces.ENGINES:
        faces.ENGINES.register(ENGINE)(load_dots_engine)


def write(folder, name, data):
    path = Path(folder) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def person(number):
    """A photo of one face; each number gives another place and turn."""
    random = np.random.default_rng(number)
    return photo(place(*random.uniform(95, 115, 2), random.uniform(0.9, 1.2), number % 30))


def write_people(folder, count):
    for number in range(count):
        write(folder, f"{number % 3}/{number:03}.png", png(person(number)))
    return folder


def run(source, target, *others, processes=1):
    register()
    return align.main(
        [
            f"--source={source}",
            f"--target={target}",
            f"--engine={ENGINE}",
            f"--processes={processes}",
            *others,
        ]
    )


def rows(path):
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tree(folder):
    """Path -> content of all files but the journals, whose names have process numbers."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file() and path.suffix != ".jsonl"
    }


def slow_dots_engine():
    """Dots, at a pace at which a test can kill the run."""
    engine = load_dots_engine()

    def slow(image, min_score):
        time.sleep(0.05)
        return engine(image, min_score)

    return slow


if __name__ == "__main__":
    # Of the file that a test starts as a program; spawned workers import this module by name.
    from tests.data_prep.faces import photos as importable

    faces.ENGINES.register(ENGINE)(importable.slow_dots_engine)
    sys.exit(align.main([*sys.argv[1:], f"--engine={ENGINE}"]))
