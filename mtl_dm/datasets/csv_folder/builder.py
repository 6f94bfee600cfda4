"""TFDS builder of a user's own folder."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import re
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from mtl_dm.datasets._check import CHECKERS, Report
from mtl_dm.datasets._features import tasks_of
from mtl_dm.datasets.csv_folder._reader import open_folder, tasks_in
from mtl_dm.datasets.csv_folder._schema import COLUMNS, TABLE
from mtl_dm.datasets.reading import Release, ReleaseBuilder, check_release
from mtl_dm.files import expand_home
from mtl_dm.tasks import Task

SPLITS_FILE = "splits.csv"


@dataclasses.dataclass(kw_only=True)
class CsvFolderConfig(tfds.core.BuilderConfig):
    """One of the user's data sets.

    Attributes:
        tasks: What its table labels.
    """

    tasks: tuple[Task, ...]


class CsvFolder(ReleaseBuilder):
    """A user's own data: images and `labels.csv`; each is a configuration of its own name."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}  # noqa: RUF012 - a TFDS class attribute
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"""\
    The manual directory holds {TABLE} and the images whose paths it gives. Its columns are
    {COLUMNS}; an empty cell is not annotated. See mtl_dm/datasets/csv_folder/README.md.
    """

    EXTRA_FEATURES = {"subject": tfds.features.Text()}  # noqa: RUF012 - a constant
    ONE_RELEASE = False  # Each is a folder of its own.
    DESCRIPTION = f"A folder of images with labels in {TABLE}."
    LICENSE = "Whatever its owner says."
    CITATION = "None: the user's own data."

    def __init__(self, *, config: Any = None, data_dir: Any = None, **options: Any) -> None:
        """Make the builder of a configuration; `tfds.load` gives its name alone."""
        data_dir = expand_home(str(data_dir or tfds.core.constants.DATA_DIR))
        if not isinstance(config, CsvFolderConfig):
            config = self.config_for(str(config or ""), Path(data_dir), None)
        super().__init__(config=config, data_dir=data_dir, **options)

    @classmethod
    def config_for(cls, name: str, data_dir: Path, source: Path | None) -> CsvFolderConfig:
        """Return the configuration of a data set: as it was built, or else as `source` says.

        Raises:
            FileNotFoundError: If it is not built and there is no source, or no table in it.
            ValueError: If the name cannot be one, or the table's header or classes break a rule.
        """
        cls.check_name(name)
        built = data_dir / cls.name / name / str(cls.VERSION)
        if built.is_dir():
            tasks = tasks_of(tfds.builder_from_directory(str(built)).info)
        elif source is not None:
            tasks = tasks_in(source)
        else:
            raise FileNotFoundError(
                f"The data set '{cls.name}/{name}' is not built in {data_dir}. Build it with: "
                f"python -m data_prep.build --dataset={cls.name}/{name} --source=DIR "
                f"--data_dir={data_dir}"
            )
        return CsvFolderConfig(name=name, tasks=tasks, description="A user's own data.")

    @classmethod
    def check_name(cls, name: str) -> None:
        """Check that a configuration may be called so.

        Raises:
            ValueError: If not.
        """
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
            raise ValueError(
                f"Give your data set a name of letters, digits, '_' and '-': {cls.name}/NAME; got "
                f"the name {name!r}."
            )

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks of this data set."""
        return self.builder_config.tasks

    def changed(self, source: Path) -> bool:
        """Return whether this data set was built from another table than that in `source`."""
        return self.info.metadata["labels_sha256"] != _digest(source)

    def release(self, source: Path) -> Release:
        """Return what is in the source folder."""
        return open_folder(source).release()

    def _split_generators(self, dl_manager: Any) -> Any:
        source = Path(dl_manager.manual_dir)
        splits = super()._split_generators(dl_manager)
        self.info.metadata["labels_sha256"] = _digest(source)
        folder = open_folder(source)
        if folder.makes_splits:
            with (Path(self.data_dir) / SPLITS_FILE).open(
                "w", encoding="utf-8", newline=""
            ) as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(["path", "split"])
                writer.writerows(folder.assignments())
        return splits


def _digest(source: Path) -> str:
    with (source / TABLE).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@CHECKERS.register("csv_folder")
def check(source: Path) -> Report:
    """Report whether a folder holds usable data of the user's own."""
    return check_release(source, lambda folder: open_folder(folder).release())
