"""Writes a tiny DISFA: twelve label files a person, and frames taken out of the videos."""

from pathlib import Path

from tests.datasets.fakes import Layout, write_image

UNITS = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
PEOPLE = ("SN001", "SN002", "SN016")
FRAMES = 3


def intensity(person: str, frame: int, unit: int) -> int:
    """From 0 to 5, different for every frame."""
    return (int(person[2:]) + frame + unit) % 6


def write_unit(root: Path, person: str, unit: int, lines) -> Path:
    path = root / "ActionUnit_Labels" / person / f"{person}_au{unit}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def write(parent: Path, cameras=("left",)) -> Path:
    root = parent / "DISFA"
    for person in PEOPLE:
        frames = range(1, FRAMES + 1)
        for unit in UNITS:
            lines = (f"{frame},{intensity(person, frame, unit)}" for frame in frames)
            write_unit(root, person, unit, lines)
        for camera in cameras:
            for frame in frames:
                path = root / "frames" / camera / person / f"{frame:05d}.jpg"
                write_image(path, int(person[2:]) * 10 + frame)
    return parent


LAYOUTS = {"frames": Layout(write, dict.fromkeys(("train", "validation", "test"), 3), "left")}
