"""Backbones by name, one file each: input_shape -> a model from inputs to features [B, D].

Or to a dictionary: features by task name for those tasks that have their own, and what else terms
of the objective may use. An entry is decorated with `example`, an input for the tests.
"""

from collections.abc import Callable

import keras

from mtl_dm.models.backbones._contract import Example, example, example_of, require_image
from mtl_dm.models.backbones.compact_cnn import compact_cnn
from mtl_dm.models.backbones.dense_trunk import dense_trunk
from mtl_dm.models.backbones.tmif_fea import tmif_fea
from mtl_dm.registry import Registry

BACKBONES: Registry[Callable[..., keras.Model]] = Registry("backbone")
BACKBONES.register("compact_cnn")(compact_cnn)
BACKBONES.register("dense_trunk")(dense_trunk)
BACKBONES.register("tmif_fea")(tmif_fea)

__all__ = [
    "BACKBONES",
    "Example",
    "compact_cnn",
    "dense_trunk",
    "example",
    "example_of",
    "require_image",
    "tmif_fea",
]
