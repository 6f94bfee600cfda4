"""The ResNet of AdaShare: each task goes through blocks as far as it is told to execute them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from mtl_dm.draws import seed_of
from mtl_dm.models.backbones import _task_resnet as resnet
from mtl_dm.models.backbones.normalization import PartialBatchNormalization


def policy_network(
    shape: tuple[int, int, int], size: resnet.Size, tasks: Sequence[str]
) -> keras.Model:
    """Return the network from images and how far blocks are executed to features by task.

    Args:
        shape: (height, width, 3).
        size: Of the network.
        tasks: Their names, in the order of the rows of the second input, [T, L] in [0, 1].
    """
    blocks = resnet.blocks_of(size)
    images = keras.Input(shape, name="images")
    executed = keras.Input(batch_shape=(len(tasks), len(blocks)), dtype="float32", name="executed")
    shared = resnet.SharedLayers()

    def counted(share: Any) -> resnet.Normalise:
        def normalise(x: Any, name: str) -> Any:
            options = {"momentum": resnet.MOMENTUM, "epsilon": resnet.EPSILON}
            return shared(f"{name}_bn", PartialBatchNormalization, **options)(x, share)

        return normalise

    whole = counted(ops.ones_like(executed[0, 0]))
    seen = resnet.stem(shared, images, size, whole)
    features = {}
    for row, task in enumerate(tasks):
        x = seen
        for place, block in enumerate(blocks):
            share = executed[row, place]
            short = resnet.shortcut(shared, x, block, whole)
            inner = resnet.residual(shared, x, block, counted(share))
            x = _mixed(share, resnet.added(shared, block, short, inner), short)
        features[task] = shared("features", layers.GlobalAveragePooling2D)(x)
    return keras.Model([images, executed], features, name="network")


def _mixed(share: Any, executed: Any, skipped: Any) -> Any:
    share = ops.cast(share, executed.dtype)
    return share * executed + (1 - share) * skipped


def restart(network: keras.Model, seed: int) -> None:
    """Give a network of convolutions and normalisations new weights, the same for a seed."""
    for layer in network.layers:
        for variable in layer.variables:
            if len(variable.shape) == 4:
                start = keras.initializers.HeNormal(seed=seed_of(seed, layer.name))
                variable.assign(start(variable.shape))
            else:
                ones = variable.name in ("gamma", "moving_variance")
                variable.assign((ops.ones if ones else ops.zeros)(variable.shape))
