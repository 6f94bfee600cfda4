"""EmoAffectNet's static network (Ryumina et al. 2022), after the code its authors published."""

from __future__ import annotations

import keras
from keras import layers, regularizers

from mtl_dm.models.backbones._bottlenecks import Bottlenecks, bottleneck_map
from mtl_dm.models.backbones._contract import example, require_image, require_variant
from mtl_dm.models.backbones._library import SHAPES, averaged, with_outputs
from mtl_dm.models.backbones._weights import with_weights

_PAPER = Bottlenecks(64, (3, 4, 6, 3), (1, 2, 2, 2), torch=False, momentum=0.99)
_DEMO = Bottlenecks(8, (1, 1, 2, 1), (1, 2, 1, 1), torch=False, momentum=0.9)


@example(
    (32, 32, 3),
    SHAPES,
    exact={"dropout": 0.0, "noise": 0.0},
    options={"variant": "demo"},
    source="code",
    sizes={"paper": (112, 112, 3), "demo": (48, 48, 3)},
)
def emoaffnet(
    input_shape: tuple[int, ...],
    variant: str = "paper",
    weights: str = "none",
    dropout: float | None = None,
    noise: float = 0.1,
    outputs: tuple[str, ...] = (),
) -> keras.Model:
    """Return a ResNet-50 of VGGFace2's kind with a dense layer of 512 features.

    Source: code. functions/get_models.py of EMO-AffectNetModel: convolutions without bias, a first
    one of 7 x 7 and stride 2, a valid 3 x 3 maximum of stride 2, the stride of a stage on its first
    1 x 1 convolution; average, Gaussian noise 0.1, dense 512 with ReLU and L2 1e-4, dropout 0.5.
    24,557,120 trainable parameters, 24,610,240 with statistics (with seven outputs 24,560,711 and
    24,613,831).

    The source is silent, or we differ:
        - 224 px there. Here any size from 32 px; Table 2 is at 112 px, where the last map is 4 x 4
          and the source's average of 7 x 7 cannot be built. Global averaging alone, which is the
          same at 224 px.
        - It starts from VGGFace2. Those weights come with no library: weights=PATH. The layers'
          names are ours.
        - Input: its own is BGR minus a mean, as far as we know; here [-1, 1] RGB, as the study
          that compares the networks says.
        - Statistics of batch normalisation: epsilon 1e-3 and momentum 0.99 are Keras's defaults;
          over the global batch.
        - The loss of the L2 penalty is the term "auxiliary" of a model around it.
        - The temporal part (two LSTMs over ten frames) is no part of this.

    Own recipe: not in the code. Optimizer, schedule and augmentation are not published with it.

    Demo: an eighth of the channels, blocks 1, 1, 2, 1 instead of 3, 4, 6, 3, dense 128, the last
    two stages without their strides, so that a map of 6 x 6 is left of 48 px, which is averaged
    over a grid of 3 x 3 cells: runs are short, and where a face moves says what moves; momentum
    0.9, dropout 0.2.

    Args:
        input_shape: (height, width, 3), each side at least 32.
        variant: "paper" or "demo".
        weights: none or the path of a file.
        dropout: Share of features dropped in training; None: 0.5, of the demo 0.2.
        noise: Standard deviation of the noise on the averaged map in training.
        outputs: Names of layers whose outputs are given too: the backbone then gives a dictionary
            with "features" and an entry a name.

    Raises:
        ValueError: If an option or the input's shape is none that the network takes, or weights
            do not fit.
        FileNotFoundError: If there is no file of weights.
    """
    is_demo = require_variant("emoaffnet", variant)
    if dropout is None:
        dropout = 0.2 if is_demo else 0.5
    inputs = keras.Input(require_image("emoaffnet", input_shape, 32), name="images")
    x = bottleneck_map(inputs, _DEMO if is_demo else _PAPER)
    x = averaged(x, 3 if is_demo else 1, name="pooled")
    x = layers.GaussianNoise(noise, name="noise")(x) if noise else x
    penalty = regularizers.L2(1e-4)
    dense = layers.Dense(
        128 if is_demo else 512, activation="relu", kernel_regularizer=penalty, name="features"
    )
    model = keras.Model(inputs, dense(x), name="emoaffnet")
    with_weights(model, weights, "emoaffnet")
    return with_outputs(model, outputs, dropout)
