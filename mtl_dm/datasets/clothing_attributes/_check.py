"""Whether a folder holds a usable Clothing Attribute Dataset."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from mtl_dm.datasets._check import CHECKERS, Report
from mtl_dm.datasets.clothing_attributes._labels import (
    MISSING,
    Ids,
    label_path,
    locate,
    missing_files,
    read_values,
)
from mtl_dm.datasets.clothing_attributes._schema import VALUES
from mtl_dm.datasets.clothing_attributes.builder import read
from mtl_dm.datasets.reading import check_release


@CHECKERS.register("clothing_attributes")
def check(source: Path) -> Report:
    """Report what is there, what is missing and what cannot be read.

    Args:
        source: The folder that a build would be given.
    """
    try:
        folder = locate(source)
    except FileNotFoundError as error:
        return Report(errors=(str(error),))
    ids, errors = _read_all(folder)
    facts = [f"Found {len(ids)} of {len(VALUES)} label files in {folder / 'labels'}."]
    facts += [_missing_share(name, values) for name, values in ids.items() if len(values)]
    if errors:
        return Report(errors=tuple(errors), facts=tuple(facts))
    report = check_release(source, read)
    return dataclasses.replace(report, facts=(*facts, *report.facts))


def _read_all(folder: Path) -> tuple[dict[str, Ids], list[str]]:
    """Return what could be read and every reason why something could not."""
    ids: dict[str, Ids] = {}
    absent = missing_files(folder)
    errors = [f"Missing label file: {folder / 'labels' / name}" for name in absent]
    for name, values in VALUES.items():
        path = label_path(folder, name)
        if path.name in absent:
            continue
        try:
            ids[name] = read_values(path, values)
        except ValueError as error:
            errors.append(str(error))
    return ids, errors


def _missing_share(name: str, ids: Ids) -> str:
    return f"{name}: {np.mean(ids == MISSING):.1%} of {len(ids):,} rows not annotated."
