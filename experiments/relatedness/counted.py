"""P(action unit | expression) as each database at hand gives it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from data_prep.build import is_built
from experiments.relatedness import ck_plus
from mtl_dm import data, datasets
from mtl_dm.relatedness import Relatedness
from mtl_dm.relatedness.annotations import count
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS

AFF_WILD2 = "Aff-Wild2"
CK_PLUS = "CK+"
FACES = "synthetic faces"
COLUMNS = (AFF_WILD2, CK_PLUS, FACES)
"""The paper's own source first."""

BUILT = "build/datasets"
"""Where synthetic faces are built on first use."""


@dataclasses.dataclass(frozen=True)
class Counted:
    """One column of the table.

    Attributes:
        column: Its name, one of `COLUMNS`.
        dataset: The data with their kind in parentheses.
        relatedness: Counted; over the action units that the database annotates. A pair without
            an image has P = 0 and count 0.
        images: int [K], images (CK+: sequences) of an expression with any action unit annotated.
        note: What to know about this database; Markdown.
        seconds: What reading and counting took.
    """

    column: str
    dataset: str
    relatedness: Relatedness
    images: np.ndarray
    note: str
    seconds: float = 0.0

    @property
    def conditional(self) -> np.ndarray:
        """P(action unit | expression), float64 [K, M], NaN where nothing was counted."""
        undefined = np.full(self.counts.shape, np.nan)
        return np.divide(self.active, self.counts, out=undefined, where=self.counts > 0)

    @property
    def active(self) -> np.ndarray:
        """Images of the expression with the action unit active, int [K, M]."""
        shares = self.relatedness.conditional.astype(np.float64)
        return np.rint(shares * self.counts).astype(np.int64)

    @property
    def counts(self) -> np.ndarray:
        """Images that P was counted on, int [K, M]."""
        return np.asarray(self.relatedness.counts, dtype=np.int64)


def count_all(data_dir: Path | None, selected: Sequence[str]) -> list[Counted]:
    """Return what is counted on the selected databases that are there, in the order of `COLUMNS`.

    Args:
        data_dir: Folder that holds a built Aff-Wild2, CK+ or both; None: synthetic faces only.
        selected: Names of `COLUMNS`. One that is selected alone must be there.

    Raises:
        FileNotFoundError: If there is nothing in `data_dir`, or the one wanted is not.
        ValueError: If a database is malformed or has no image annotated for both tasks.
    """
    if data_dir is not None and not data_dir.is_dir():
        raise FileNotFoundError(f"DATA_DIR: no folder {data_dir}.")
    alone = len(selected) == 1
    real = [name for name in selected if name != FACES]
    present = [name for name in real if alone or (data_dir and _is_there(name, data_dir))]
    if data_dir is None and alone and real:
        raise FileNotFoundError(f"{real[0]} needs DATA_DIR, {_WHERE[real[0]]}.")
    if data_dir is not None and real and not present:
        raise FileNotFoundError(
            f"{data_dir} holds neither a built Aff-Wild2 ({_WHERE[AFF_WILD2]}) nor CK+ "
            f"({_WHERE[CK_PLUS]}). Without DATA_DIR only synthetic faces are counted."
        )
    chosen = [name for name in selected if name == FACES or name in present]
    return [_timed(_COUNT[name], data_dir or Path(BUILT)) for name in chosen]


def _timed(counter: Callable[[Path], Counted], folder: Path) -> Counted:
    started = time.perf_counter()
    counted = counter(folder)
    return dataclasses.replace(counted, seconds=time.perf_counter() - started)


def _is_there(column: str, data_dir: Path) -> bool:
    if column == AFF_WILD2:
        return is_built(datasets.make_builder("aff_wild2", data_dir))
    return (data_dir / ck_plus.FILE).is_file()


def count_aff_wild2(data_dir: Path) -> Counted:
    """Return the counts of a built Aff-Wild2, training split only.

    Raises:
        FileNotFoundError: If it is not built in `data_dir`.
        ValueError: If no frame is annotated for both tasks.
    """
    raw = data.raw_features("aff_wild2:train", ["expression", "action_units"], data_dir=data_dir)
    return _count(
        AFF_WILD2,
        "aff_wild2 (real)",
        raw["expression"],
        raw["action_units"],
        ACTION_UNITS,
        "Built Aff-Wild2, training split only. Frames of one video resemble each other: the "
        "intervals, which take images as independent, are much too narrow here.",
    )


def count_ck_plus(data_dir: Path) -> Counted:
    """Return the counts of CK+.

    Raises:
        FileNotFoundError: If the file is not there.
        ValueError: If it is malformed.
    """
    found = ck_plus.sequences(data_dir / ck_plus.FILE, ACTION_UNITS)
    return _count(
        CK_PLUS,
        "ckplus (real)",
        found.expressions,
        found.units,
        found.names,
        "Posed in a laboratory, one label a sequence (its last frame), none of them neutral; "
        "contempt, which Table 1 lacks, is left out. Jaw drops are split between AU26 and the "
        "wider AU27, which Table 1 lacks (99% of the surprised show one of them): "
        "P(AU26 | surprise) is low for that reason.",
    )


def count_faces(data_dir: Path) -> Counted:
    """Return the counts of the co-annotated synthetic faces, built on first use in `BUILT`."""
    del data_dir  # Synthetic faces do not live among the user's data.
    # The labels are those of the 112 px images; the small ones are what Table 2 uses.
    raw = data.raw_features(
        "synthetic_faces/co_annotated_64px", ["expression", "action_units"], data_dir=BUILT
    )
    return _count(
        FACES,
        "synthetic_faces (synthetic)",
        raw["expression"],
        raw["action_units"],
        ACTION_UNITS,
        "Drawn by a law that follows Table 1 roughly, on purpose not exactly, so closeness to the "
        "cognitive study is put in, not found. What can be learned here is how well counting "
        "finds the law: see the comparison with the truth.",
    )


def _count(
    column: str,
    dataset: str,
    expressions: np.ndarray,
    units: np.ndarray,
    names: Sequence[str],
    note: str,
) -> Counted:
    both = (units >= 0).any(axis=1) & (expressions >= 0)
    if not both.any():
        raise ValueError(
            f"{column}: none of {len(units)} images is annotated for an expression and an action "
            "unit."
        )
    annotated = np.any(units[both] >= 0, axis=0)
    kept = [name for name, there in zip(names, list(annotated), strict=True) if there]
    # Images with one kind of label only must not move the prior.
    tally = count(expressions[both], units[both][:, annotated], None, EXPRESSIONS, kept)
    relatedness = tally.relatedness(EXPRESSIONS, kept)
    images = np.bincount(expressions[both], minlength=len(EXPRESSIONS))
    return Counted(
        column,
        dataset,
        dataclasses.replace(relatedness, citation=f"{relatedness.citation} Data: {dataset}."),
        images,
        note,
    )


_COUNT = {AFF_WILD2: count_aff_wild2, CK_PLUS: count_ck_plus, FACES: count_faces}
_WHERE = {
    AFF_WILD2: "DATA_DIR/aff_wild2, made by python -m data_prep.build --dataset=aff_wild2",
    CK_PLUS: f"DATA_DIR/{ck_plus.FILE}",
}
