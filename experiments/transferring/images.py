"""Every image of the study in one array on disk, with what is known of each.

Shapes: R images of 48 pixels a side.
"""

from __future__ import annotations

import functools
import io
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from experiments.problems.people import classes_of
from experiments.transferring import photos
from experiments.transferring.photos import USED, Part
from experiments.transferring.sizes import Size
from mtl_dm.data.pairs import draw_pairs
from mtl_dm.encoders.drawn import DRAWN_SIDE, face_of
from mtl_dm.encoders.encoder import fingerprint_of
from mtl_dm.files import read_json, strict_json, write_atomically
from mtl_dm.progress import counted
from mtl_dm.synthetic import generate
from mtl_dm.synthetic.identities import COUNTS, generate_identities

IMAGES, LABELS, MADE = "images.npy", "labels.npz", "images.json"
UNLABELLED = ("fer_unlabelled", "lfw_train", "drawn_unlabelled")
PAIRS = ("first", "second", "same", "fold")
FOLDS = 5


class Pool(NamedTuple):
    """All images.

    Attributes:
        images: uint8 [R, 48, 48, 3], mapped from a file.
        places: By part, where its images are.
        known: By part and name, what is known.
        digest: The same for the same images and labels alone.
    """

    images: np.ndarray
    places: Mapping[str, np.ndarray]
    known: Mapping[str, Mapping[str, np.ndarray]]
    digest: str

    @property
    def unlabelled(self) -> np.ndarray:
        """Places of the images that sources are fused on."""
        return np.concatenate([self.places[name] for name in UNLABELLED if name in self.places])


def make(folder: Path, data_dir: str, size: Size) -> None:
    """Write the images of a study, unless they are there.

    Args:
        folder: Of the study.
        data_dir: Folder of `USED`: FER2013 and LFW, CMU's faces, clothes; "": drawn faces alone.
        size: Of the study.

    Raises:
        FileNotFoundError: If data are not there.
        ValueError: If data are malformed.
    """
    wanted = {"data": data_of(data_dir), **size.record()}
    if _made(folder).get("of") == json.loads(strict_json(wanted)):
        return
    # First, so that a run which is killed leaves no record of other images than there are.
    (folder / MADE).unlink(missing_ok=True)
    read.cache_clear()
    parts = dict(_parts(data_dir, size))
    arrays = {
        f"{name}/{key}": value for name, part in parts.items() for key, value in part.known.items()
    }
    ends = np.cumsum([len(part.images) for part in parts.values()])
    bounds = {f"{name}/end": np.array(end) for name, end in zip(parts, ends, strict=True)}
    write_atomically(folder / IMAGES, _npy(np.concatenate([p.images for p in parts.values()])))
    write_atomically(folder / LABELS, _npz({**bounds, **arrays}))
    digest = fingerprint_of((folder / IMAGES, folder / LABELS))
    write_atomically(folder / MADE, strict_json({"of": wanted, "digest": digest[:16]}))


def data_of(data_dir: str) -> str:
    """Return what tells data apart: where they lie, and names, sizes and times of all files.

    Args:
        data_dir: Folder of `USED`; "": none, and so is the text.
    """
    if not data_dir:
        return ""
    root = Path(data_dir).resolve()
    files = []
    for name in USED:
        for folder, _, names in os.walk(root / name, followlinks=True):
            there = (Path(folder, each) for each in names)
            found = ((str(each), each.stat()) for each in there if each.exists())
            files += [(path, status.st_size, status.st_mtime_ns) for path, status in found]
    return fingerprint_of((), str(root), sorted(files))[:16]


def _made(folder: Path) -> dict[str, Any]:
    """Return what a folder's images were made of, and their digest; nothing where none are."""
    return dict(read_json(folder / MADE)) if (folder / MADE).is_file() else {}


@functools.lru_cache(maxsize=1)
def read(folder: Path) -> Pool:
    """Return the images of a study; they are mapped, not in memory."""
    images = np.load(folder / IMAGES, mmap_mode="r")
    with np.load(folder / LABELS) as file:
        arrays = {name: file[name] for name in file.files}
    names = {key.partition("/")[0] for key in arrays}
    names_in_order = sorted(names, key=lambda name: int(arrays[f"{name}/end"]))
    places, known, start = {}, {}, 0
    for name in names_in_order:
        end = int(arrays[f"{name}/end"])
        places[name] = np.arange(start, end)
        known[name] = {
            key.partition("/")[2]: value
            for key, value in arrays.items()
            if key.startswith(f"{name}/") and key != f"{name}/end"
        }
        start = end
    return Pool(images, places, known, _made(folder)["digest"])


def _parts(data_dir: str, size: Size) -> Iterator[tuple[str, Part]]:
    drawn = size.unlabelled[-1]
    yield "drawn_unlabelled", _faces("action_units_only", "train", drawn)
    yield "drawn_train", _faces("fully_annotated", "validation", min(1000, size.train))
    yield "drawn_test", _faces("fully_annotated", "test", min(2000, size.test))
    yield "people_train", _people("train", min(1500, size.train))
    yield "people_test", _paired(_people("test", COUNTS["test"]))
    if not data_dir:
        return
    yield from photos.parts(data_dir, size)


def _faces(name: str, split: str, count: int) -> Part:
    drawn = generate(name, split, count, DRAWN_SIDE)
    examples = list(counted(drawn, "faces drawn", count))
    keys = ("expression", "action_units", "valence_arousal")
    known = {key: np.stack([each[key] for each in examples]) for key in keys}
    return Part(np.stack([face_of(each["image"]) for each in examples]), known)


def _people(split: str, count: int) -> Part:
    drawn = generate_identities(split, count, DRAWN_SIDE)
    examples = list(counted(drawn, "people drawn", count))
    person = np.array([each["identity"] for each in examples], np.int64)
    images = np.stack([face_of(each["image"]) for each in examples])
    return Part(images, {"person": classes_of(person)})


def _paired(part: Part) -> Part:
    pairs = draw_pairs(part.known["person"], folds=FOLDS, seed=0)
    return part._replace(known={name: np.asarray(getattr(pairs, name)) for name in PAIRS})


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()
