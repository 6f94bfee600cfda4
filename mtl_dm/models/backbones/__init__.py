"""Backbones by name, one file each: input_shape -> a model from inputs to features [B, D]."""

from collections.abc import Callable

import keras

from mtl_dm.models.backbones.compact_cnn import compact_cnn
from mtl_dm.models.backbones.dense_trunk import dense_trunk
from mtl_dm.registry import Registry

BACKBONES: Registry[Callable[..., keras.Model]] = Registry("backbone")
BACKBONES.register("compact_cnn")(compact_cnn)
BACKBONES.register("dense_trunk")(dense_trunk)

__all__ = ["BACKBONES", "compact_cnn", "dense_trunk"]
