"""ResNet-18 at less than half its width: the student of multi-source transfer."""

from __future__ import annotations

import keras
from keras import layers

from mtl_dm.models.backbones._contract import example, require_image
from mtl_dm.models.backbones._resnet_branch import convolved, residual_stage

WIDTH, PROJECTION = 27, 1024


@example(
    (16, 16, 3),
    refused=((16, 16), (16, 16, 1), (8, 16, 3), (None, None, 3), (2, 16, 16, 3)),
    options={"width": 4, "projection": 8, "blocks": 1},
    source="paper",
    sizes={"": (48, 48, 3)},
)
def resnet18_narrow(
    input_shape: tuple[int, ...],
    width: int = WIDTH,
    projection: int = PROJECTION,
    blocks: int = 2,
) -> keras.Model:
    """Return ResNet-18 (He et al. 2016, table 1) with a linear projection as its features.

    Source: Vielzeuf et al. 2019, section 3.3, take "a ResNet-18" of 2.2 million parameters that
    projects to 1,024 numbers. The standard width of 64 has 11.7 million; a width of 27 is the one
    that gives 2.2, so that width is what the paper must have meant: 2,216,023 (28: 2,374,332).
    Deviation: the running statistics of the normalisation have a memory of 10 batches, as in all
    small networks here.

    Args:
        input_shape: (height, width, 3), each side at least 16.
        width: Channels of the first stage; each later one has twice as many.
        projection: Numbers of the features.
        blocks: Residual blocks of a stage; 1 is ResNet-10, for less than half the time.

    Raises:
        ValueError: If `input_shape` is no such image, or a number is below 1.
    """
    for name, value in (("width", width), ("projection", projection), ("blocks", blocks)):
        if value < 1:
            raise ValueError(f"resnet18_narrow needs a {name} of at least 1, got {value}.")
    inputs = keras.Input(require_image("resnet18_narrow", input_shape, 16))
    x = layers.ReLU()(convolved(inputs, "stem", width, size=7, strides=2))
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    for stage in range(4):
        x = residual_stage(x, f"stage{stage + 1}", width * 2**stage, blocks, min(stage, 1) + 1)
    x = layers.GlobalAveragePooling2D()(x)
    features = layers.Dense(projection, name="projection")(x)
    return keras.Model(inputs, features, name="resnet18_narrow")
