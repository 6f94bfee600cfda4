"""The whole command: pairs and a checkpoint in, metrics, a page and a record out."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from absl import logging

from mtl_dm import data
from mtl_dm.data import Pairs, draw_pairs, read_author_pairs, read_lfw_pairs, read_ytf_pairs
from mtl_dm.data.pairs.drawn import FOLDS
from mtl_dm.draws import require_seed
from mtl_dm.files import strict_json, write_atomically
from mtl_dm.measuring.scoring import load_model
from mtl_dm.memory import require_batch
from mtl_dm.metrics import DISTANCES, pair_distances
from mtl_dm.models import MultiTaskModel
from mtl_dm.outputs import prepare_output
from mtl_dm.pretrained import checkpoint_at
from mtl_dm.progress import counted
from mtl_dm.registry import Registry
from mtl_dm.runs.origin import Origin, fingerprint, origin_of
from mtl_dm.runs.record import commit, versions
from mtl_dm.verifying import page
from mtl_dm.verifying.embedding import embed, image_side, network_of
from mtl_dm.verifying.images import FRAMES, DataSet, Folder, Source
from mtl_dm.verifying.verified import Verified, require_judgeable, verified

RECORD_FILE = "verification.json"

LISTS: Registry[Any] = Registry("list of pairs")
LISTS.register("lfw")(read_lfw_pairs)
LISTS.register("ytf")(read_ytf_pairs)
LISTS.register("authors")(read_author_pairs)


@dataclasses.dataclass(frozen=True)
class Options:
    """What to verify, and how.

    Args:
        pairs: A list of pairs; with `images`.
        form: How it is written, a specification of `LISTS`.
        images: Folder of aligned faces.
        dataset: Instead of both, a built data set from which pairs are drawn.
        data_dir: Folder of built data sets.
        folds: To verify; empty: all.
        skip_missing: Whether to leave out pairs of images that are not there.
        layer: Of the backbone; None: its features.
        task: Whose features.
        distance: A name of `DISTANCES`.
        frames: Images of a video to average.
        draws: For the intervals.
        seed: Of all that is drawn.
        batch_size: Images a batch, at most; of fewer images it is that many.

    Raises:
        ValueError: If it is not one of a list with its images and a data set, or a value is none.
    """

    pairs: Path | None = None
    form: str = "lfw"
    images: Path | None = None
    dataset: str | None = None
    data_dir: str = "build/datasets"
    folds: tuple[int, ...] = ()
    skip_missing: bool = False
    layer: str | None = None
    task: str | None = None
    distance: str = "cosine"
    frames: int = FRAMES
    draws: int = 1000
    seed: int = 0
    batch_size: int = 64

    def __post_init__(self) -> None:
        listed = (self.pairs is not None, self.images is not None)
        if listed not in ((True, True), (False, False)) or listed[0] == (self.dataset is not None):
            raise ValueError("Give --pairs with --images, or --dataset.")
        if self.layer is not None and self.task is not None:
            raise ValueError("Give --layer or --task, not both.")
        LISTS.spec(self.form)
        DISTANCES.get(self.distance)
        for name, least in {"batch_size": 1, "draws": 2, "frames": 1}.items():
            if getattr(self, name) < least:
                raise ValueError(f"--{name} must be at least {least}, not {getattr(self, name)}.")
        require_seed("all that is drawn", self.seed)


def verify(checkpoint: str | Path, output: str | Path, options: Options, made_by: str) -> Verified:
    """Verify pairs with a checkpoint, and write page, pairs, picture and record.

    Args:
        checkpoint: A `.keras` file of this package, or the name of a pretrained checkpoint.
        output: Folder to write to.
        options: What, and how.
        made_by: The command, for the page.

    Raises:
        FileNotFoundError: If the checkpoint, the list, the folder or the data set is not there.
        ValueError: If one of them is none, they do not fit each other, an image cannot be read, or
            the pairs cannot be judged: fewer than two folds, pairs of one kind.
        OSError: If the output cannot be written.
    """
    start = time.monotonic()
    prepare_output(output)
    pairs, source, listed = _pairs(options)
    require_judgeable(pairs)
    path = checkpoint_at(checkpoint)
    model = load_model(path)
    origin = origin_of(path)
    learned = _learned(options, origin)
    for name in learned:
        logging.warning(
            "%s has images that the checkpoint was trained on (%s).", options.dataset, name
        )
    found = verified(pairs, _distances(model, pairs, source, options), options.draws, options.seed)
    told = [" ".join(origin.lines()), *map(_seen, learned), *_told(found, listed, options)]
    content = {
        "checkpoint": str(path),
        "sha256": fingerprint(path),
        "trained_on": origin.to_dict(),
        "has_training_images_of": learned,
        "options": {name: _plain(each) for name, each in dataclasses.asdict(options).items()},
        "pairs": {
            "listed": listed,
            "verified": len(pairs.same),
            "of_one_person": int(pairs.same.sum()),
            "images": len(set(pairs.first.tolist()) | set(pairs.second.tolist())),
        },
        "scores": found.scores,
        "intervals": found.intervals,
        "folds": [
            {"fold": int(fold), "threshold": float(limit), "accuracy": float(right)}
            for fold, limit, right in zip(*found.folds, strict=True)
        ],
        "seconds": round(time.monotonic() - start, 1),
        "commit": commit(),
        "versions": versions(),
    }
    images = dict(source.read(page.pictured(found), image_side(model)))
    page.write(output, found, images, told, made_by)
    write_atomically(Path(output) / RECORD_FILE, strict_json(content))
    return found


def _pairs(options: Options) -> tuple[Pairs, Source, int]:
    """Return the pairs to verify, where their images are, and how many pairs were listed."""
    if options.pairs is None or options.images is None:
        stored = DataSet(str(options.dataset), options.data_dir)
        drawn = draw_pairs(stored.identities, seed=options.seed)
        return _of_folds(drawn, options.folds), stored, len(drawn.same)
    read = LISTS.create(options.form, options.pairs)
    listed = _of_folds(read, options.folds)
    folder = Folder(options.images, listed.images, options.frames)
    kept = listed.among(folder.names(), skip=options.skip_missing)
    return kept, folder, len(listed.same)


def _learned(options: Options, origin: Origin) -> list[str]:
    """Return the training data that share images with the data set that pairs are drawn from."""
    if options.dataset is None:
        return []
    return data.sharing(options.dataset, origin.datasets, data_dir=options.data_dir)


def _seen(name: str) -> str:
    return (
        f"**The checkpoint was trained on images of these data** ({name}): on other people it may "
        "be right far less often."
    )


def _of_folds(pairs: Pairs, folds: Collection[int]) -> Pairs:
    return pairs.of_folds(folds) if folds else pairs


def _distances(model: MultiTaskModel, pairs: Pairs, source: Source, options: Options) -> np.ndarray:
    network = network_of(model, options.layer, options.task)
    names = [pairs.images[place] for place in np.unique([pairs.first, pairs.second])]
    side = image_side(model)
    # More rows than there are images would be grey alone.
    batch = min(options.batch_size, source.count(names))
    require_batch(batch, (side, side, 3))
    images = counted(source.read(names, side), "images embedded", source.count(names))
    found = embed(network, images, batch)
    first, second = (
        np.stack([found[pairs.images[place]] for place in places])
        for places in (pairs.first, pairs.second)
    )
    return pair_distances(first, second, options.distance)


def _told(found: Verified, listed: int, options: Options) -> list[str]:
    pairs = found.pairs
    count, same = len(pairs.same), int(pairs.same.sum())
    where = f"drawn from `{options.dataset}`" if options.pairs is None else f"of `{options.pairs}`"
    folds = f"{len(found.folds.fold)} folds"
    if options.folds:
        folds += f" ({', '.join(map(str, found.folds.fold))})"
    elif options.pairs is None and len(found.folds.fold) < FOLDS:
        folds += f" instead of {FOLDS}, as many as there are people for"
    lines = [f"{count:,} pairs {where}, {same:,} of one person; {folds}."]
    if count < listed:
        lines.append(
            f"**{listed - count:,} of {listed:,} pairs are left out**: an image is missing."
        )
    shared = [] if pairs.identities is None else pairs.in_several_folds()
    if shared:
        lines.append(
            f"**{len(shared):,} people are in several folds**: the thresholds have seen whom they "
            "are tested on."
        )
    seen = f"the layer `{options.layer}`" if options.layer else "the features of the network"
    lines.append(f"Embedding: {seen}; distance: {options.distance}.")
    lines.append("Whether the checkpoint was trained on people of these pairs is not checked.")
    return lines


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value
