"""VGGFACE, VGG-16 for faces (Kollias et al. 2020), after its paper: no code was found."""

from __future__ import annotations

import keras

from mtl_dm.models.backbones._contract import example
from mtl_dm.models.backbones._library import SHAPES
from mtl_dm.models.backbones._vgg_face import vgg_face


@example(
    (32, 32, 3),
    SHAPES,
    exact={"dropout": 0.0},
    options={"variant": "demo"},
    source="paper",
    sizes={"paper": (112, 112, 3), "demo": (48, 48, 3)},
)
def vggface(
    input_shape: tuple[int, ...],
    variant: str = "paper",
    weights: str = "none",
    dropout: float | None = None,
    outputs: tuple[str, ...] = (),
) -> keras.Model:
    """Return thirteen convolutions and two dense layers of 4096 features.

    Source: paper. The thirteen convolutions and two layers of 4096 units of VGG-Face.
    50,374,464 parameters at 112 px and at 96 px, which both leave a map of 3 x 3; 134,260,544 at
    224 px (with seven outputs 28,679 more).

    The source is silent, or we differ:
        - Input: 96 px, as far as we know; Table 2 is at 112 px. [-1, 1] RGB as it comes, where
          VGG-Face itself takes BGR minus a mean.
        - It starts from VGG-Face, whose weights come with no library: weights=PATH. Convolutions
          are called as in Keras's VGG-16, the dense layers fc6 and fc7.
        - ReLU after every layer, no batch normalisation, maxima of 2 x 2 behind each of the five
          groups, as in VGG-16.
        - Dropout 0.5 behind both dense layers, as VGG-16 has; the paper states none that we know.
        - Initialisation: He's, since without it and without normalisation a start from scratch
          stands still.

    Own recipe: not known.

    Demo: an eighth of the channels, convolutions 1, 1, 2, 2, 2 instead of 2, 2, 3, 3, 3, dense
    layers of 128, the first three maxima alone, so that a map of 6 x 6 is left of 48 px; dropout
    0.2.

    Args:
        input_shape: (height, width, 3), each side at least 32.
        variant: "paper" or "demo".
        weights: none or the path of a file.
        dropout: Share of units dropped behind each dense layer in training; None: 0.5, of the
            demo 0.2.
        outputs: Names of layers whose outputs are given too: the backbone then gives a dictionary
            with "features" and an entry a name.

    Raises:
        ValueError: If an option or the input's shape is none that the network takes, or weights
            do not fit.
        FileNotFoundError: If there is no file of weights.
    """
    return vgg_face("vggface", input_shape, variant, weights, dropout, outputs)
