"""Writes a tiny AFEW-VA: a folder a clip, with or without folders of clips."""

import functools
import json
from pathlib import Path

import cv2
import numpy as np

from tests.datasets.fakes import Layout

# Clip -> actor, and valence and arousal of its frames.
CLIPS = {
    "001": ("Ada", [(-10, 10), (3, -2), (0, 7.0)]),
    "002": ("Bo", [(1, 2), (-1, -2), (10, 0)]),
    "003": ("Cy", [(5, 5), (6, 6), (7, 7)]),
    "004": ("Ada", [(-4, 8)]),
}

# Their box is 4 to 12 across and 5 to 21 down.
LANDMARKS = [[4.0 + 8 * (n % 2), 5.0 + 16 * n / 67] for n in range(68)]


def entry(valence, arousal, landmarks=LANDMARKS):
    return {"valence": valence, "arousal": arousal, "landmarks": landmarks}


def write_json(folder: Path, clip: str, actor, frames) -> Path:
    folder = folder / clip
    folder.mkdir(parents=True, exist_ok=True)
    content = {"video_id": clip, "frames": frames} | ({"actor": actor} if actor else {})
    (folder / f"{clip}.json").write_text(json.dumps(content))
    return folder / f"{clip}.json"


def write_clip(folder: Path, clip: str, actor, labels) -> None:
    frames = {f"{n:05d}": entry(*pair) for n, pair in enumerate(labels)}
    write_json(folder, clip, actor, frames)
    for name in frames:
        seed = int(clip) * 100 + int(name)
        noise = np.random.default_rng(seed).integers(0, 256, (24, 16, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / clip / f"{name}.png"), noise)


def write(parent: Path, below: str = "") -> Path:
    for clip, content in CLIPS.items():
        write_clip(parent / "AFEW-VA" / below, clip, *content)
    return parent


LAYOUTS = {
    # Ada, Bo and Cy are in a split each.
    "in a folder": Layout(
        functools.partial(write, below="01"), {"train": 3, "validation": 4, "test": 3}, "faces"
    ),
}
