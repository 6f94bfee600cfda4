"""TFDS builders, one folder a database; importing this package registers them."""

import functools
import tempfile
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf import json_format

from mtl_dm.datasets._check import CHECKERS, Report
from mtl_dm.datasets._features import inputs_of, task_features, task_metadata, tasks_of
from mtl_dm.datasets.abaw4_lsd import Abaw4Lsd
from mtl_dm.datasets.afew_va import AfewVa
from mtl_dm.datasets.aff_wild import AffWild
from mtl_dm.datasets.aff_wild2 import AffWild2
from mtl_dm.datasets.affectnet import AffectNet
from mtl_dm.datasets.bp4d import Bp4d
from mtl_dm.datasets.celeb_a_identity import CelebAIdentity
from mtl_dm.datasets.ck_plus import CkPlus
from mtl_dm.datasets.clothing_attributes import ClothingAttributes
from mtl_dm.datasets.csv_folder import CsvFolder
from mtl_dm.datasets.cub_200_2011 import Cub2002011
from mtl_dm.datasets.disfa import Disfa
from mtl_dm.datasets.emotionet import EmotioNet
from mtl_dm.datasets.fer2013 import Fer2013
from mtl_dm.datasets.judged import DATABASE_METRICS
from mtl_dm.datasets.oulu_casia import OuluCasia
from mtl_dm.datasets.raf_db import RafDb
from mtl_dm.datasets.shoes_sadd import ShoesSadd
from mtl_dm.datasets.synthetic_clips import SyntheticClips
from mtl_dm.datasets.synthetic_compounds import SyntheticCompounds
from mtl_dm.datasets.synthetic_faces import SyntheticFaces
from mtl_dm.datasets.synthetic_identities import SyntheticIdentities
from mtl_dm.datasets.synthetic_people import SyntheticPeople
from mtl_dm.files import expand_home
from mtl_dm.registry import unknown

BUILDERS: tuple[Any, ...] = (
    Abaw4Lsd,
    AfewVa,
    AffWild,
    AffWild2,
    AffectNet,
    Bp4d,
    CelebAIdentity,
    CkPlus,
    ClothingAttributes,
    CsvFolder,
    Cub2002011,
    Disfa,
    EmotioNet,
    Fer2013,
    OuluCasia,
    RafDb,
    ShoesSadd,
    SyntheticClips,
    SyntheticCompounds,
    SyntheticFaces,
    SyntheticIdentities,
    SyntheticPeople,
)

B = TypeVar("B", bound=type)


def register(builder: B) -> B:
    """File a builder of a user's own, under the name that TFDS gives it; a decorator of the class.

    A `mtl_dm.datasets.reading.ReleaseBuilder` brings its check along, for `data_prep.check`.

    Args:
        builder: The class.

    Raises:
        ValueError: If the name is taken.
    """
    global BUILDERS
    given: Any = builder
    if given.name in names():
        raise ValueError(f"The data set {given.name!r} is registered already.")
    BUILDERS = (*BUILDERS, builder)
    _file_checks(builder)
    return builder


def _file_checks(builder: Any) -> None:
    """File the check that a builder carries, and one for each of its configurations."""
    for config in ("", *(each.name for each in builder.BUILDER_CONFIGS)):
        name = f"{builder.name}/{config}" if config else builder.name
        if hasattr(builder, "check") and name not in CHECKERS:
            CHECKERS.register(name)(functools.partial(_checked, builder, config))


def _checked(builder: Any, config: str, source: Path) -> Report:
    with tempfile.TemporaryDirectory() as unused:  # TFDS wants to know where it would build.
        return builder(data_dir=unused, config=config or None).check(source)


for _builder in BUILDERS:
    _file_checks(_builder)


def names() -> list[str]:
    """Return the names of the data sets of this package."""
    return sorted(builder.name for builder in BUILDERS)


def find(name: str) -> tuple[Any, str]:
    """Return the builder class and the configuration that "name" or "name/config" stands for.

    Raises:
        ValueError: If there is no such builder or configuration; the message lists the known.
    """
    name, _, config = name.partition("/")
    if name not in names():
        raise ValueError(unknown("data set", name, names()))
    builder = next(builder for builder in BUILDERS if builder.name == name)
    if hasattr(builder, "config_for"):  # the user names its configurations
        builder.check_name(config)
        return builder, config
    configs = [entry.name for entry in builder.BUILDER_CONFIGS]
    if config and config not in configs:
        raise ValueError(
            f"Unknown configuration {config!r} of {name!r}. Known: {', '.join(configs) or 'none'}."
        )
    return builder, config


def make_builder(
    name: str,
    data_dir: str | Path,
    source: str | Path | None = None,
    file_format: str | None = None,
) -> Any:
    """Return the builder called "name" or "name/config".

    Args:
        name: A name of `names`, and a configuration where there are some.
        data_dir: Folder that holds built data sets.
        source: Folder of the raw data; only a data set that the user describes, and that is not
            built yet, needs it here.
        file_format: In which it builds, as TFDS calls it; None: TFDS's own choice, or that which is
            there already.

    Raises:
        ValueError: If there is no such builder or configuration (the message lists the known), or
            what TFDS wrote about a built one is damaged.
        FileNotFoundError: If the user's description is needed and not there.
    """
    builder, config = find(name)
    data_dir = expand_home(str(data_dir))
    chosen: Any = config or None
    if hasattr(builder, "config_for"):
        folder = source and Path(expand_home(str(source)))
        chosen = builder.config_for(config, Path(data_dir), folder)
    try:
        return builder(data_dir=data_dir, config=chosen, file_format=file_format)
    except json_format.ParseError as error:  # Of a file that was cut short.
        raise ValueError(
            f"The built data set {name!r} in {data_dir} is damaged: its dataset_info.json cannot "
            f"be read ({error}). Remove its folder there and build it again."
        ) from error


__all__ = [
    "BUILDERS",
    "DATABASE_METRICS",
    "Abaw4Lsd",
    "AfewVa",
    "AffWild",
    "AffWild2",
    "AffectNet",
    "Bp4d",
    "CelebAIdentity",
    "CkPlus",
    "ClothingAttributes",
    "CsvFolder",
    "Cub2002011",
    "Disfa",
    "EmotioNet",
    "Fer2013",
    "OuluCasia",
    "RafDb",
    "ShoesSadd",
    "SyntheticClips",
    "SyntheticCompounds",
    "SyntheticFaces",
    "SyntheticIdentities",
    "SyntheticPeople",
    "find",
    "inputs_of",
    "make_builder",
    "names",
    "register",
    "task_features",
    "task_metadata",
    "tasks_of",
]
