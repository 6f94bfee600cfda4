"""Embeddings on disk: each image is encoded once, however often the command is started.

A shard is NUMBER.npy, float16 [rows, D], and NUMBER.json, which names its images with the digests
of their files and the encoder's fingerprint; it is written last, so that a shard with one is whole.
At any time one shard is in memory.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mtl_dm.encoders.encoder import Encoder
from mtl_dm.encoders.images import Images
from mtl_dm.files import MALFORMED, read_array, read_json, strict_json, write_atomically
from mtl_dm.memory import require_batch

ROWS = 2048
"""Images of a shard."""
_LARGEST = float(np.finfo(np.float16).max)


@dataclasses.dataclass(frozen=True)
class Embeddings:
    """Shards of embeddings, one row an image.

    Attributes:
        name: Of the source.
        shards: Their files, in the order of the images.
        starts: The row at which each begins, and behind the last one the number of all.
        width: Numbers of an embedding.
    """

    name: str
    shards: tuple[Path, ...]
    starts: tuple[int, ...]
    width: int

    def __len__(self) -> int:
        return self.starts[-1]

    def rows(self, places: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return the embeddings of some images, float32 [len(places), D], in the order given."""
        places = np.asarray(places, np.int64)
        found = np.empty((len(places), self.width), np.float32)
        shard = np.searchsorted(self.starts, places, side="right") - 1
        for number in np.unique(shard):
            chosen = shard == number
            array = read_array(self.shards[number], mapped=True)
            found[chosen] = array[places[chosen] - self.starts[number]]
        return found


def cached(
    encoder: Encoder,
    images: Images,
    folder: Path,
    *,
    rows: int = ROWS,
    batch_size: int = 64,
    noted: Callable[[int], object] = lambda count: None,
) -> Embeddings:
    """Return the embeddings of all images, computing those that are not in the folder yet.

    Args:
        encoder: Makes them.
        images: Of which.
        folder: For the shards of this encoder and these images.
        rows: Images of a shard.
        batch_size: Images a batch.
        noted: Called with the number of images that a shard brought, for whoever shows progress.

    Raises:
        OSError: If an image cannot be read or the folder not written.
        ValueError: If the folder holds embeddings of another encoder or of other images, an image
            or an embedding is none, or a batch does not fit into memory.
    """
    require_batch(batch_size, (encoder.side, encoder.side, 3))
    shards, starts, width = [], [0], 0
    for start in range(0, len(images), rows):
        names = images.names[start : start + rows]
        path = folder / f"{start // rows:05d}.npy"
        described = path.with_suffix(".json")
        if described.exists():
            width = _require_same(encoder, images, names, path, described)
        else:
            digests, found = _encoded(encoder, images, names, batch_size)
            width = found.shape[1]
            write_atomically(path, _npy(found))
            content = {
                "encoder": encoder.fingerprint,
                "width": width,
                "images": dict(zip(names, digests, strict=True)),
            }
            write_atomically(described, strict_json(content))
        shards.append(path)
        starts.append(start + len(names))
        noted(len(names))
    return Embeddings(encoder.name, tuple(shards), tuple(starts), width)


def _encoded(
    encoder: Encoder, images: Images, names: Sequence[str], batch_size: int
) -> tuple[list[str], np.ndarray]:
    """Return digests of some images and their embeddings, float16 [len(names), D]."""
    digests: list[str] = []
    found = []
    for start in range(0, len(names), batch_size):
        read = [images.read(name, encoder.side) for name in names[start : start + batch_size]]
        digests += [digest for digest, _ in read]
        # Filled up, for a kernel may sum in another order for another size of the batch.
        batch = np.zeros((batch_size, encoder.side, encoder.side, 3), np.float32)
        batch[: len(read)] = [image for _, image in read]
        found.append(encoder(batch)[: len(read)])
    values = np.concatenate(found)
    if np.abs(values).max() > _LARGEST:
        raise ValueError(
            f"Embeddings of {encoder.name!r} reach {np.abs(values).max():.3g}, beyond what float16 "
            f"holds ({_LARGEST:.0f}). Take another layer."
        )
    return digests, values.astype(np.float16)


def _require_same(
    encoder: Encoder, images: Images, names: Sequence[str], path: Path, described: Path
) -> int:
    """Check that a shard is of this encoder and these images as they are now; return its width."""
    how = f"Remove {path.parent} to compute them again, or choose another output."
    try:
        content: Any = read_json(described)
        there, width = dict(content["images"]), int(content["width"])
        maker = content["encoder"]
        shape = read_array(path, mapped=True).shape
    except (FileNotFoundError, *MALFORMED) as error:
        raise ValueError(f"The embeddings {path} cannot be read: {error}. {how}") from error
    if maker != encoder.fingerprint:
        raise ValueError(
            f"The embeddings {path} are of another encoder than {encoder.name!r}, or of another "
            f"layer or preprocessing of it. {how}"
        )
    changed = next(_changed(images, names, there), None)
    if changed is not None:
        raise ValueError(f"Images changed since {path} was computed: {changed}. {how}")
    if shape != (len(names), width):
        raise ValueError(f"The embeddings {path} are damaged: shape {shape}. {how}")
    return width


def _changed(images: Images, names: Sequence[str], there: dict[str, str]) -> Iterator[str]:
    if list(there) != list(names):
        different = sorted(set(there) ^ set(names)) or list(names)
        yield f"{different[0]!r} is new, gone or in another place"
    for name in names:
        if images.digest(name) != there[name]:
            yield f"{name!r} has another content"


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()
