"""FER2013 and Labeled Faces in the Wild in memory, split once for every seed and row.

FER2013's Training: images whose file equals one of PublicTest are dropped. Files that repeat each
other stay together. A random tenth is held out for choices (steps, thresholds); 1,000 measured
images are kept for counting and train nothing; the rest trains. LFW is split by person.
"""

from __future__ import annotations

import csv
import functools
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from experiments.problems.facial_movements import MOVEMENTS, measured
from experiments.problems.facial_movements import thresholds as thresholds_of
from experiments.problems.lfw_split import split_by_person
from mtl_dm.datasets.fer2013._reader import CLASSES
from mtl_dm.progress import counted
from mtl_dm.tasks import EXPRESSIONS

SIDE = 48
CROP = (8, 16, 104, 112)
"""Left, top, right, bottom of what is used of an aligned LFW image of 112 px, halved to 48 px.

Of all square crops in steps of 4 px it makes the mean face of 1,500 training images most like the
mean face of 1,500 of FER2013's Training (correlation 0.86; the whole image 0.54): eyes and mouth
are then at the same height and as large. It also takes off most of the black border that alignment
leaves (16% of the pixels, then 2%). Both sets are grey, so that colour tells nobody the source.
"""
SPLIT_SEED = 0
HELD_OUT = 0.1
CO_ANNOTATED = 1000
HOW = (
    "DATA_DIR must hold fer2013/ (folders Training and PublicTest), fer2013_blendshapes.csv, and "
    "lfw_expressions/ (images/, labels.csv, pairs.txt); docs/guide/faces_data.md says where "
    "they come from and what is in them"
)
_STORED = {"images": "<u1", "expression": "<i8", "scores": "<f4"}
"""Types of the arrays in a digest, the same on every machine."""


class Faces(NamedTuple):
    """Images with what is known of them.

    Attributes:
        images: uint8 [N, 48, 48].
        expression: int64 [N], -1 where there is none of the seven.
        scores: float32 [N, M], of the movements; NaN where no face was found.
    """

    images: np.ndarray
    expression: np.ndarray
    scores: np.ndarray

    def take(self, rows: np.ndarray) -> Faces:
        """Return some of the images, in the order of `rows`."""
        return Faces(*(part[rows] for part in self))

    @property
    def is_measured(self) -> np.ndarray:
        """Whether a face was found, bool [N]."""
        return ~np.isnan(self.scores).any(axis=1)


class RealFaces(NamedTuple):
    """Both databases, split.

    Attributes:
        train: FER2013, to learn expressions from.
        held_out: FER2013, to choose on.
        co_annotated: FER2013, to count on.
        test: FER2013's PublicTest.
        lfw_train: LFW's training people, measured.
        lfw_test: LFW's test people.
        thresholds: [M], fixed on `lfw_train`.
        dropped: Training images that equal one of `test`.
        unnamed: Images of LFW that are not used, for nobody's name is known.
        unmeasured: Images of LFW's training people that are not used, for no face was found.
        digest: The same for two sets of files only if all of the above parts are the same.
    """

    train: Faces
    held_out: Faces
    co_annotated: Faces
    test: Faces
    lfw_train: Faces
    lfw_test: Faces
    thresholds: np.ndarray
    dropped: int
    unnamed: int
    unmeasured: int
    digest: str

    @property
    def parts(self) -> dict[str, Faces]:
        """The images by what they are for."""
        return {name: part for name, part in self._asdict().items() if isinstance(part, Faces)}


class Lfw(NamedTuple):
    """LFW, split by person; what is not used is counted."""

    train: Faces
    test: Faces
    unnamed: int
    unmeasured: int


class Split(NamedTuple):
    """Rows of FER2013's Training, each in random order."""

    train: np.ndarray
    held_out: np.ndarray
    co_annotated: np.ndarray
    dropped: int


def split_training(
    contents: Sequence[str],
    tested: Sequence[str],
    is_measured: np.ndarray,
    co_annotated: int,
) -> Split:
    """Return FER2013's Training, split so that no image is on two sides.

    Args:
        contents: A digest of each file of Training.
        tested: Those of PublicTest.
        is_measured: Whether each image of Training has its movements measured, bool [N].
        co_annotated: How many measured images without a repeat are kept for counting.

    Raises:
        ValueError: If there are not so many.
    """
    own = np.array([content not in set(tested) for content in contents], bool)
    groups: dict[str, list[int]] = {}
    for row in np.flatnonzero(own):
        groups.setdefault(contents[int(row)], []).append(int(row))
    names = sorted(groups)
    shuffled = [groups[names[place]] for place in _order(len(names))]
    ends = np.cumsum([len(group) for group in shuffled])
    first = int(np.searchsorted(ends, HELD_OUT * own.sum()))
    held, rest = shuffled[:first], shuffled[first:]
    alone = [group[0] for group in rest if len(group) == 1 and is_measured[group[0]]]
    counted = set(alone[:co_annotated])
    if len(counted) < co_annotated:
        raise ValueError(f"{co_annotated} measured images are wanted, {len(alone)} are there.")
    train = [row for group in rest for row in group if row not in counted]
    # Groups stand together and folders are classes: mixed, for whoever reads a part.
    train = [train[place] for place in _order(len(train))]
    return Split(
        np.array(train, np.int64),
        np.array([row for group in held for row in group], np.int64),
        np.array(sorted(counted), np.int64),
        int((~own).sum()),
    )


@functools.cache
def real_faces(data_dir: str, movements: tuple[str, ...] = MOVEMENTS) -> RealFaces:
    """Return both databases, read once in a process (10 to 20 seconds).

    Args:
        data_dir: Folder with `fer2013`, `fer2013_blendshapes.csv` and `lfw_expressions`.
        movements: M names of those whose scores are read.

    Raises:
        FileNotFoundError: If something is not there; it is named.
        ValueError: If a file is malformed.
    """
    root = Path(data_dir)
    lines = _lines(root / "fer2013_blendshapes.csv")
    scores = {line["path"]: measured(line, movements) for line in lines}
    absent = [float("nan")] * len(movements)
    training, contents = _fer2013(root / "fer2013", "Training", scores, absent)
    test, tested = _fer2013(root / "fer2013", "PublicTest", scores, absent)
    split = split_training(contents, tested, training.is_measured, CO_ANNOTATED)
    lfw = _lfw(root / "lfw_expressions", movements)
    parts = {
        "train": training.take(split.train),
        "held_out": training.take(split.held_out),
        "co_annotated": training.take(split.co_annotated),
        "test": test,
        "lfw_train": lfw.train,
        "lfw_test": lfw.test,
    }
    return RealFaces(
        **parts,
        thresholds=thresholds_of(lfw.train.scores),
        dropped=split.dropped,
        unnamed=lfw.unnamed,
        unmeasured=lfw.unmeasured,
        digest=digest_of(parts),
    )


def digest_of(parts: Mapping[str, Faces]) -> str:
    """Return a digest of pixels, labels and scores, of which part they are and of their order.

    Args:
        parts: By name.
    """
    found = hashlib.sha256()
    for name, faces in parts.items():
        for field, values in faces._asdict().items():
            stored = np.ascontiguousarray(values, _STORED[field])
            found.update(f"{name} {field} {stored.shape}\n".encode())
            found.update(stored.tobytes())
    return found.hexdigest()


def _order(size: int) -> np.ndarray:
    return np.random.default_rng(SPLIT_SEED).permutation(size)


def _fer2013(
    root: Path, folder: str, scores: Mapping[str, list[float]], absent: list[float]
) -> tuple[Faces, list[str]]:
    """Return the images of a folder in the order of their paths, and a digest of each file."""
    paths, ids = [], []
    for name in CLASSES.names:
        found = sorted(existing(root / folder / name).glob("*.jpg"))
        paths += found
        ids += [CLASSES.index(name)] * len(found)
    contents = [
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in counted(paths, f"files of {folder} read", len(paths))
    ]
    known = [scores.get(path.relative_to(root).as_posix(), absent) for path in paths]
    seen = counted(paths, f"images of {folder} read", len(paths))
    images = np.stack([_grey(path, (SIDE, SIDE)) for path in seen])
    return Faces(images, np.array(ids, np.int64), np.array(known, np.float32)), contents


def _lfw(root: Path, movements: Sequence[str]) -> Lfw:
    """Return the measured images of training people, and all of test people."""
    lines = list(_lines(root / "labels.csv"))
    pairs = existing(root / "pairs.txt").read_text(encoding="utf-8")
    side = split_by_person([line["identity"] for line in lines], pairs)
    scores = np.array([measured(line, movements) for line in lines], np.float32)
    ids = np.array(
        [
            EXPRESSIONS.index(line["expression"]) if line["expression"] in EXPRESSIONS else -1
            for line in lines
        ]
    )
    parts = []
    for name in ("train", "test"):
        rows = np.flatnonzero(side == name)
        seen = counted(rows, f"images of LFW read ({name})", len(rows))
        images = np.stack([cropped_lfw(existing(root / lines[row]["path"])) for row in seen])
        parts.append(Faces(images, ids[rows], scores[rows]))
    train, test = parts
    rows = np.flatnonzero(train.is_measured)
    unnamed = len(lines) - len(train.images) - len(test.images)
    mixed = train.take(rows[_order(len(rows))])
    return Lfw(mixed, test, unnamed, len(train.images) - len(rows))


def cropped_lfw(path: Path) -> np.ndarray:
    """Return what is used of an aligned LFW image, uint8 [48, 48], grey; see `CROP`.

    Raises:
        ValueError: If it has another size.
    """
    left, top, right, bottom = CROP
    pixels = _grey(path, (112, 112))[top:bottom, left:right].astype(np.float32)
    # The mean of every 2 x 2 pixels.
    return np.rint(pixels.reshape(SIDE, 2, SIDE, 2).mean(axis=(1, 3))).astype(np.uint8)


def _grey(path: Path, size: tuple[int, int]) -> np.ndarray:
    try:
        with Image.open(path) as image:
            there = image.size
            pixels = np.asarray(image.convert("L")) if there == size else None
    except Image.DecompressionBombError as error:
        raise ValueError(f"{path} must have {size[0]} x {size[1]} pixels: {error}") from error
    if pixels is None:
        raise ValueError(f"{path} must have {size[0]} x {size[1]} pixels, got {there}.")
    return pixels


def _lines(path: Path) -> Iterator[dict[str, str]]:
    with existing(path).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def existing(path: Path) -> Path:
    """Return a path.

    Raises:
        FileNotFoundError: If nothing is there.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there. {HOW}.")
    return path
