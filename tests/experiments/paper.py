"""Fake files of the paper's databases, built, and the study on them in tiny size."""

import dataclasses

import keras
import numpy as np

from data_prep.build import build
from experiments import table2, table2_paper
from experiments.engine import running
from mtl_dm import data, datasets
from mtl_dm.models import BACKBONES
from mtl_dm.training import fitting
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
SMALLEST = dataclasses.replace(TINY, backbone="pooled", clips="pooled", window=3)
PSR, EFFNET = "RAF-DB-EmotioNet / PSR", "AffectNet-EmotioNet / EffNet-B2"
AFF_WILD2 = "Aff-Wild2 / TMIF-FEA"
STREAMS = {"mfcc": ("video1", 3, 2), "words": ("video2_left", 2, 3)}
"""By name, the video that has it, its frames and their numbers."""


def pooled(input_shape):
    """The cheapest network of images or clips: the mean colour, all else, and one layer."""
    shapes = input_shape if isinstance(input_shape, dict) else {"image": input_shape}
    named = {name: keras.Input(shape, name=name) for name, shape in shapes.items()}
    colour = keras.layers.GlobalAveragePooling2D()(named["image"])
    rest = [keras.layers.Flatten()(each) for name, each in named.items() if name != "image"]
    seen = keras.layers.Concatenate()([colour, *rest]) if rest else colour
    inputs = named if isinstance(input_shape, dict) else named["image"]
    return keras.Model(inputs, keras.layers.Dense(8)(seen))


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


def run(monkeypatch, folder, data_dir, rows=table2.ROWS, size=SMALLEST, **changes):
    """Compute the study, or the part that `only` names, and write its report.

    Networks that read the same read it by the same pipelines: tracing them takes longest.
    """
    tiny.keep(monkeypatch)
    load, stream = data.load, fitting.training_stream
    loaded, streams = {}, {}

    def load_once(name, *, tasks, **settings):
        key = (name, tuple(tasks), *settings.items())
        return (
            loaded[key]
            if key in loaded
            else loaded.setdefault(key, load(name, tasks=tasks, **settings))
        )

    def stream_once(sources, config, epochs=0):
        key = (*map(id, sources), config.batch_size, config.mix, epochs)
        if key not in streams:
            # With the sources, so that no other one gets their ids.
            streams[key] = sources, stream(sources, config, epochs)
        return streams[key][1]

    monkeypatch.setitem(BACKBONES._entries, "pooled", pooled)
    monkeypatch.setattr(data, "load", load_once)
    monkeypatch.setattr(fitting, "training_stream", stream_once)
    chosen = options(folder, data_dir, **changes)
    whole = table2_paper.study(chosen, rows, size)
    running.run_study(dataclasses.replace(whole, detailed=False), chosen)
    return folder
