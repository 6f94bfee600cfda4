"""Label files of raw databases, read as `check` and `build` do, from the fakes of the tests."""

import itertools
from collections.abc import Callable
from pathlib import Path

from mtl_dm import datasets
from mtl_dm.datasets.reading.comparison import compare
from mtl_dm.datasets.reading.images import load_jpeg
from mtl_dm.datasets.reading.items import Row
from mtl_dm.datasets.reading.paths import clean, inside
from mtl_dm.datasets.reading.survey import survey
from tests.datasets import fakes
from tests.fuzz.target import Read, Target, exchanged

EACH = 4
"""Files of one layout and name that are damaged: a release has many that are alike."""
IMAGES = 2


class Layout:
    """A fake release and its reader."""

    def __init__(self, folder: Path, name: str, layout: fakes.Layout) -> None:
        self.source = layout.write(folder / "raw")
        # A reader may look beside a folder that it is given, no further.
        self._folder, self._config = folder / "built", layout.config
        full = f"{name}/{layout.config}" if layout.config else name
        self._builder = datasets.make_builder(full, self._folder, self.source)

    def files(self, suffix: str) -> list[Path]:
        """Return some files of each kind."""
        found = sorted(self.source.parent.rglob(f"*{suffix}"))
        kinds = itertools.groupby(found, key=lambda path: (path.parent, path.name[-8:]))
        return [path for _, same in kinds for path in itertools.islice(same, EACH)]

    def read(self) -> None:
        """Read all labels and some images."""
        if hasattr(self._builder, "config_for"):
            self._builder.config_for(self._config, self._folder, self.source)
        release = self._builder.release(self.source)
        found = survey(release)
        if found.problems:
            raise ValueError("\n".join(found.problems))
        compare(release, found)
        for start in release.splits.values():
            for item in itertools.islice(start(), IMAGES):
                if isinstance(item, Row):
                    load_jpeg(inside(release.root, clean(item.path)), item.box)


def target(suffix: str, **options: object) -> Target:
    """Return the target of all label files with an ending.

    Args:
        suffix: ".csv".
        **options: Of `Target`.
    """
    return Target(lambda folder: prepare(folder, suffix), **options)


def prepare(
    folder: Path, suffix: str, wanted: Callable[[str], bool] = lambda name: True
) -> tuple[list[bytes], Read]:
    """Return inputs and reader of the label files with an ending, of the builders wanted."""
    owners: dict[Path, Layout] = {}
    for entry in datasets.BUILDERS:
        if not entry.MANUAL_DOWNLOAD_INSTRUCTIONS or not wanted(entry.name):
            continue
        for number, layout in enumerate(fakes.layouts(entry.name).values()):
            made = Layout(folder / f"{entry.name}{number}", entry.name, layout)
            owners.update(dict.fromkeys(made.files(suffix), made))
    return exchanged(list(owners), lambda path: owners[path].read())
