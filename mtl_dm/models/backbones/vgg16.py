"""VGG-16 without its classifier (Simonyan, Zisserman 2015)."""

from __future__ import annotations

import keras

from mtl_dm.models.backbones._contract import example
from mtl_dm.models.backbones._library import SHAPES, library_backbone
from mtl_dm.models.backbones._narrow import Size

_DEMO = Size(width=0.125, dropped="block[45]_pool")


@example(
    (32, 32, 3),
    SHAPES,
    options={"variant": "demo"},
    source="library",
    sizes={"paper": (224, 224, 3), "demo": (48, 48, 3)},
)
def vgg16(
    input_shape: tuple[int, ...],
    variant: str = "paper",
    weights: str = "none",
    dropout: float = 0.0,
    outputs: tuple[str, ...] = (),
) -> keras.Model:
    """Return VGG-16, its last map averaged to 512 features.

    Source: `keras.applications.VGG16` without its classifier. 14,714,688 parameters; 224 px, any
    size from 32 px. Ours: the last map is averaged, not flattened for two layers of 4096, so that
    the size is free and a map of every size gives 512 features (`vggface` has the two layers).
    Weights of ImageNet see BGR in 0 to 255 minus a mean. Without weights, and in the demo, the
    network sees [-1, 1] and starts as He et al. 2015 do: without normalisation a start at random
    from 0 to 255, or from Glorot's weights, does not train.
    Demo: an eighth of the channels, since sixteen layers of a quarter are too slow for a CPU, and
    the first three poolings alone, so that a map of 6 x 6 is left of 48 px.

    Args:
        input_shape: (height, width, 3), each side at least 32.
        variant: "paper" or "demo".
        weights: none, imagenet (variant paper) or the path of a file. A .keras file says what its
            network took; others are taken for keras.applications' own, in BGR.
        dropout: Share of features dropped in training.
        outputs: Names of layers whose outputs are given too: the backbone then gives a dictionary
            with "features" and an entry a name.

    Raises:
        ValueError: If an option or the input's shape is none that the network takes, or weights
            do not fit.
        FileNotFoundError: If there is no file of weights.
        OSError: If the weights of ImageNet cannot be fetched.
    """
    return library_backbone(
        "vgg16",
        keras.applications.VGG16,
        "caffe",
        input_shape,
        variant,
        _DEMO,
        weights=weights,
        dropout=dropout,
        outputs=outputs,
    )
