"""Where the images of pairs come from: a folder of aligned faces, or a built data set."""

from __future__ import annotations

import collections
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

import keras
import numpy as np

from mtl_dm import data, faces
from mtl_dm.data.deferred import elements_at
from mtl_dm.datasets.reading import image_files
from mtl_dm.datasets.reading.paths import require_inside

FRAMES = 10
"""Images of a video that are looked at where nothing is said."""


class Source(Protocol):
    """Images by name."""

    def names(self) -> Collection[str]:
        """Return the names of the images that are there."""

    def count(self, names: Collection[str]) -> int:
        """Return how many images `read` yields of those named."""

    def read(self, names: Collection[str], side: int) -> Iterator[tuple[str, np.ndarray]]:
        """Yield name and image, float32 [side, side, 3] in [-1, 1], of those named.

        A name comes once, or, of a video, once for each image of it; in whatever order is quick.
        """


class Folder:
    """Files below a folder.

    Args:
        root: The folder.
        names: Of images as pairs name them.
        frames: Images of a video to look at.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If a name means several files.
    """

    def __init__(self, root: str | Path, names: Iterable[str], frames: int = FRAMES) -> None:
        self._files = files_of(Path(root), names, frames)

    def names(self) -> Collection[str]:
        """Return the names that were found."""
        return self._files.keys()

    def count(self, names: Collection[str]) -> int:
        """Return how many images some names have."""
        return sum(len(self._files[name]) for name in names)

    def read(self, names: Collection[str], side: int) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the images of some names; see `Source`.

        Raises:
            OSError: If a file cannot be read.
            ValueError: If it holds no whole image.
        """
        for name in names:
            for path in self._files[name]:
                try:
                    image = data.network_input(faces.read_image(path), side)
                except ValueError as error:
                    raise ValueError(f"{path}: {error}.") from error
                yield name, keras.ops.convert_to_numpy(image)


class DataSet:
    """The images of a built data set, called "0", "1", ... in its order.

    Args:
        name: As for `mtl_dm.data.load`.
        data_dir: Folder of built data sets.

    Raises:
        FileNotFoundError: If it must be built first.
        ValueError: If there is none of that name, or it has no feature `identity`.
    """

    def __init__(self, name: str, data_dir: str | Path) -> None:
        self._name, self._data_dir = name, data_dir
        self.identities: np.ndarray = data.raw_features(name, ["identity"], data_dir=data_dir)[
            "identity"
        ]

    def names(self) -> Collection[str]:
        """Return all names."""
        return {str(place) for place in range(len(self.identities))}

    def count(self, names: Collection[str]) -> int:
        """Return how many images some names have: one each."""
        return len(names)

    def read(self, names: Collection[str], side: int) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the images of some names; see `Source`. No other is decoded."""
        if not names:
            return
        stream = data.load(
            self._name, data_dir=self._data_dir, tasks=(), image_size=side, inputs=("image",)
        )
        chosen = elements_at(stream, [int(name) for name in names])
        for place, (inputs, _, _) in chosen.as_numpy_iterator():
            yield str(place), inputs["image"]


def files_of(root: Path, names: Iterable[str], frames: int) -> dict[str, tuple[Path, ...]]:
    """Return the files of every name that has some.

    A name is a path below the folder, with its suffix or without; the name of one file in any
    folder, without its suffix; or a folder, whose images are a video's: of these some are taken,
    evenly spaced. Links and hidden files are taken as by `image_files`.

    Args:
        root: The folder.
        names: To look for.
        frames: Images of a video, at least 1.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If a name means several files or a link out of the folder, or frames are fewer
            than 1.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"There is no folder of images at {root}.")
    if frames < 1:
        raise ValueError(f"frames must be at least 1, got {frames}.")
    exact, loose, inside = _index(root)
    found: dict[str, tuple[Path, ...]] = {}
    for name in names:
        if name in exact:
            found[name] = (exact[name],)
        elif name in inside:
            found[name] = _spaced(inside[name], frames)
        elif len({path.resolve() for path in loose.get(name, ())}) > 1:
            several = ", ".join(str(path) for path in loose[name][:2])
            raise ValueError(f"{name!r} must be one image below {root}, it may be {several}.")
        elif name in loose:
            found[name] = (loose[name][0],)
    chosen = [path for paths in found.values() for path in paths]
    require_inside(root, [path.relative_to(root).as_posix() for path in chosen])
    return found


def _index(
    root: Path,
) -> tuple[dict[str, Path], Mapping[str, list[Path]], Mapping[str, list[Path]]]:
    """Return files by path, by path or name without suffix, and by folder."""
    exact = {}
    loose: dict[str, list[Path]] = collections.defaultdict(list)
    inside: dict[str, list[Path]] = collections.defaultdict(list)
    for name in image_files(root):
        path, below = root / name, PurePosixPath(name)
        if not path.is_file():  # A link to nothing.
            continue
        exact[name] = path
        inside[below.parent.as_posix()].append(path)
        for short in {below.with_suffix("").as_posix(), path.stem}:
            loose[short].append(path)
    return exact, loose, inside


def _spaced(paths: Sequence[Path], count: int) -> tuple[Path, ...]:
    places = np.linspace(0, len(paths) - 1, min(count, len(paths))).round().astype(int)
    return tuple(paths[place] for place in places)
