"""Writes a tiny Aff-Wild: annotations, boxes, and frames taken out of the videos."""

from pathlib import Path

from tests.datasets.fakes import Layout, write_image

# Video -> valence and arousal of its frames.
VIDEOS = {
    "105": [(-1, 1), (0.25, -0.125), (0, 0.5)],
    "106": [(0.1, 0.2)] * 3,
    "318": [(0.3, 0.4)] * 4,
}

PTS = "version: 1\nn_points: 4\n{\n2 3\n2 20.5\n14.25 20.5\n14.25 3\n}\n"


def write_track(root: Path, name: str, video: str, lines) -> Path:
    path = root / "annotations/train" / name / f"{video}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def write_box(root: Path, video: str, number: int, text: str = PTS) -> Path:
    path = root / "bboxes/train" / video / f"{number}.pts"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def write(parent: Path) -> Path:
    root = parent / "Aff-Wild"
    for video, labels in VIDEOS.items():
        for name, values in zip(("valence", "arousal"), zip(*labels, strict=True), strict=True):
            write_track(root, name, video, values)
        for number in range(1, len(labels) + 1):
            write_box(root, video, number)
            seed = int(video) * 10 + number
            write_image(root / "frames/train" / video / f"{number:05d}.jpg", seed)
    return parent


LAYOUTS = {"frames": Layout(write, {"train": 4, "validation": 3, "test": 3}, "faces")}
