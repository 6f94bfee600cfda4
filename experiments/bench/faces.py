"""Data sets for the bench alone: as many records as wanted, from a few drawn faces."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import tensorflow_datasets as tfds

from mtl_dm import datasets
from mtl_dm.datasets.synthetic_faces.builder import SyntheticFaces, SyntheticFacesConfig

DRAWN = 100
"""Different faces; drawing them takes longer than all writing all the records."""

FEW, MANY = "few_112px", "many_112px"
LARGE = "few_280px"
# Both well beyond the 1,783 images that the shuffle buffer holds: a set that hardly fills it
# empties it at the end of every pass, and the peak is then a little lower.
RECORDS = {FEW: 6_000, MANY: 60_000, LARGE: 1_000}


def _config(name: str) -> SyntheticFacesConfig:
    return SyntheticFacesConfig(
        name=name,
        description="Records for the bench.",
        face_set="action_units_only",
        image_size=280 if name == LARGE else 112,
        counts={"train": RECORDS[name]},
    )


class BenchFaces(SyntheticFaces):
    """Synthetic faces of which each is stored many times, under a path of its own."""

    name = "bench_faces"
    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar[dict[str, str]] = {"1.0.0": "First version."}
    BUILDER_CONFIGS: ClassVar[list[SyntheticFacesConfig]] = [_config(name) for name in RECORDS]

    def _generate_examples(self, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
        wanted = self.builder_config.counts[split]
        drawn = [
            example for _, example in itertools.islice(super()._generate_examples(split), DRAWN)
        ]
        encoded = [example["image"].getvalue() for example in drawn]
        for number in range(wanted):
            path = f"{number:06d}.jpg"
            image = encoded[number % DRAWN]
            yield path, {**drawn[number % DRAWN], "path": path, "image": image}


def register() -> None:
    """Make `mtl_dm.data.load` know the data sets of the bench, in this process."""
    if BenchFaces not in datasets.BUILDERS:
        datasets.BUILDERS = (*datasets.BUILDERS, BenchFaces)


def prepare(data_dir: str | Path) -> None:
    """Write all of them."""
    tfds.disable_progress_bar()
    for name in RECORDS:
        BenchFaces(config=name, data_dir=data_dir).download_and_prepare(
            download_config=tfds.download.DownloadConfig(try_download_gcs=False)
        )
