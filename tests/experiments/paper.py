"""Fake files of the paper's databases, built, and the study on them in tiny size."""

import numpy as np

from data_prep.build import build
from experiments import table2, table2_paper
from experiments.engine import running
from mtl_dm import datasets
from tests.datasets import fakes
from tests.experiments.engine import tiny

FAKES = {
    "affectnet/manual": "2021",
    "emotionet/manual": "manual",
    "raf_db/basic": "basic",
    "abaw4_lsd": "released",
    "aff_wild2": "challenges",
}
TINY = table2_paper.Size(
    "compact_cnn", "{}(variant=demo)", 5, {"image_size": 16, "batch_size": 4}, 1, 1
)
PSR, EFFNET = "RAF-DB-EmotioNet / PSR", "AffectNet-EmotioNet / EffNet-B2"
AFF_WILD2 = "Aff-Wild2 / TMIF-FEA"
STREAMS = {"mfcc": ("video1", 3, 2), "words": ("video2_left", 2, 3)}
"""By name, the video that has it, its frames and their numbers."""


def built(folder):
    """Build every database below a folder; return the folder to read them from."""
    for name, layout in FAKES.items():
        source = fakes.layouts(name.partition("/")[0])[layout].write(folder / "raw")
        build(datasets.make_builder(name, folder / "built"), source, folder / "built")
    return str(folder / "built")


def with_streams(folder, databases):
    """Put the built Aff-Wild2 and two streams into a folder, of which one video has one."""
    (folder / "aff_wild2").symlink_to(f"{databases}/aff_wild2")
    rng = np.random.default_rng(0)
    for name, (video, *shape) in STREAMS.items():
        inside = folder / "aff_wild2_streams" / name
        inside.mkdir(parents=True)
        np.save(inside / f"{video}.npy", rng.normal(size=shape).astype(np.float32))
    return folder


def options(folder, data_dir, **changes):
    return tiny.options(folder, data_dir=str(data_dir), **{"preset": "paper", **changes})


def study(chosen, size=TINY):
    return table2_paper.study(chosen, table2.ROWS, size)


def run(monkeypatch, folder, data_dir, size=TINY, **changes):
    """Compute the study, or the part that `only` names, and write its report."""
    tiny.keep(monkeypatch)
    chosen = options(folder, data_dir, **changes)
    running.run_study(study(chosen, size), chosen)
    return folder
