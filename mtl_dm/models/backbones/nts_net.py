"""NTS-Net (Yang et al. 2018): a network that looks again at the parts it finds informative."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from mtl_dm.models.backbones._anchors import LEVELS, anchors_a_place, frame_of, framed_boxes
from mtl_dm.models.backbones._bottlenecks import Bottlenecks, bottleneck_map
from mtl_dm.models.backbones._contract import example, require_image, require_variant
from mtl_dm.models.backbones._library import SHAPES
from mtl_dm.models.backbones._nts_terms import IMAGE, PARTS, SCORES, TERMS, NtsTerms, guide_among
from mtl_dm.models.backbones._proposals import best_boxes, crops_of
from mtl_dm.models.backbones._weights import with_weights
from mtl_dm.models.backbones.preprocessing import ImageNetInput
from mtl_dm.models.heads import FEATURES
from mtl_dm.models.policies import under_policy
from mtl_dm.models.terms import TermProvider
from mtl_dm.tasks import Task

PROPOSED, JOINED = 6, 4
"""Parts that are looked at, and those of them whose features join the image's."""
OVERLAP = 0.25
"""From which on a box is passed over for a better one."""


@dataclasses.dataclass(frozen=True)
class _Layout:
    """Sizes of a variant: the trunk, its stride, filters of the proposal net, side of a crop."""

    trunk: Bottlenecks
    stride: int
    filters: int
    crop: int


def _trunk(channels: int, repeats: Sequence[int], strides: Sequence[int]) -> Bottlenecks:
    return Bottlenecks(
        channels,
        tuple(repeats),
        tuple(strides),
        torch=True,
        momentum=0.9,
        epsilon=1e-5,
        initializer="he_normal",
    )


_PAPER = _Layout(_trunk(64, (3, 4, 6, 3), (1, 2, 2, 2)), stride=32, filters=128, crop=224)
_DEMO = _Layout(_trunk(8, (1, 1, 1, 1), (1, 2, 1, 1)), stride=8, filters=16, crop=48)


@keras.saving.register_keras_serializable("mtl_dm")
class NtsNet(keras.Model, TermProvider):
    """The network; see `nts_net`.

    Args:
        input_shape: (height, width, 3).
        variant: "paper" or "demo".
        guide: Name of the task that says which parts are good; empty: the first class task.
        dropout: Share of features dropped in training.
        **options: As for `keras.Model`.
    """

    def __init__(
        self, input_shape: Sequence[int], variant: str, guide: str, dropout: float, **options: Any
    ) -> None:
        super().__init__(**{"name": "nts_net", **options})
        self._own: dict[str, Any] = {
            "input_shape": tuple(input_shape),
            "variant": variant,
            "guide": guide,
            "dropout": dropout,
        }
        demo = require_variant("nts_net", variant)
        height, width, _ = require_image("nts_net", input_shape, 32)
        self._layout = _DEMO if demo else _PAPER
        self._boxes = framed_boxes(height, width, self._layout.stride)
        with under_policy(self.dtype_policy):
            self.imagenet_input = ImageNetInput("torch")
            # Before the trunk, whose last kernel is then the last one: it is what tasks share.
            self.proposal_net = _proposal_net(self._layout)
            self.trunk = _features(self._layout.trunk, dropout)
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> dict[str, Any]:
        """Return features [B, 5 D] of parts and image, and by name what the terms see."""
        images = self.imagenet_input(inputs)
        seen, image = self.trunk(images, training=training)
        scores = self.proposal_net(ops.stop_gradient(seen), training=training)
        chosen = best_boxes(ops.stop_gradient(scores), self._boxes, PROPOSED, OVERLAP)
        crops = self.crops(images, chosen)
        side = self._layout.crop
        _, parts = self.trunk(ops.reshape(crops, (-1, side, side, 3)), training=training)
        parts = ops.reshape(parts, (-1, PROPOSED, parts.shape[-1]))
        joined = ops.reshape(parts[:, :JOINED], (-1, JOINED * parts.shape[-1]))
        return {
            FEATURES: ops.concatenate([joined, image], axis=-1),
            IMAGE: image,
            PARTS: parts,
            SCORES: ops.take_along_axis(scores, chosen, axis=1),
        }

    def crops(self, images: Any, chosen: Any) -> Any:
        """Return the regions [B, M, S, S, 3] of images that chosen boxes [B, M] show."""
        boxes = ops.take(ops.convert_to_tensor(self._boxes), chosen, axis=0)
        frame = frame_of(self._layout.stride)
        return ops.stop_gradient(crops_of(images, boxes, self._layout.crop, frame))

    @property
    def term_names(self) -> Sequence[str]:
        """Names of the terms that it brings."""
        return TERMS

    def for_tasks(self, tasks: Sequence[Task]) -> NtsTerms:
        """Return the heads of image and parts for one of the tasks, and their terms."""
        return NtsTerms(guide_among(tasks, self._own["guide"]), self._layout.trunk.width)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments; the weights say the rest."""
        return {**super().get_config(), **self._own}


@example(
    (32, 32, 3),
    SHAPES,
    exact={"dropout": 0.0},
    options={"variant": "demo"},
    source="code",
    sizes={"paper": (448, 448, 3), "demo": (96, 96, 3)},
)
def nts_net(
    input_shape: tuple[int, ...],
    variant: str = "paper",
    guide: str = "",
    dropout: float | None = None,
    weights: str = "none",
) -> NtsNet:
    """Return the network whose features are those of four parts and of the whole image.

    Source: Yang et al. 2018, "Learning to Navigate for Fine-grained Classification", after the
    authors' code. A ResNet-50 as torchvision has it (no bias, the stride on the 3 x 3; 23,508,032
    trainable parameters) sees the image. A proposal net (2,657,301) scores the boxes of
    `_anchors` on its last map, of which no gradient goes back: 1614 of 448 pixels, 717 of 280,
    426 of 224, 129 of 112. Non-maximum suppression at 0.25 leaves 6 parts; each is cut out,
    resized and seen by the same ResNet. The features of the best 4, in their order, and of the
    image are what every task's head gets, attributes too.

    Terms of its own, each of factor 1 as in the code, logged and balanced by name; the loss of the
    features that are joined is the task's own:
        - nts_raw: the guiding task's loss from the image's features alone;
        - nts_part: from each part's features alone, the mean over the 6;
        - nts_ranking: `mtl_dm.losses.ranking`, the one term that moves the proposal net, and that
          alone.
    An image that the guiding task does not annotate takes no part in them. Their heads are as wide
    as that task, which only a model knows: `for_tasks` makes them there, beside the tasks' heads,
    so that one specification of the network serves every set of tasks, and the balancing methods
    do not take them for weights that tasks share. With CUB-200's 200 classes 29,033,133 trainable
    parameters in all.

    Geometry: boxes are in pixels, not in shares of the image, as the trunk's stride of 32 is. So
    are the 224 pixels (7 strides) of zeros around the image and the crops of 224 pixels, at every
    input size. Zeros are those of the image as the trunk gets it.

    Where the code is silent or differs:
        - 448 pixels there, 280 in the multi-task paper. Any size from 32 is taken.
        - A box that ends beyond the frame (at 280 pixels) is cut there, for the overlap too.
        - Attributes are not in it. Where no task is of classes, the first task guides: the same
          three terms by that task's own loss, such as the mean over its attributes. Label
          smoothing of the guiding task holds in all of them.
        - Dropout 0.5 on the features of image and parts is left on in evaluation there, by the way
          it is made. Here it is in training alone.
        - It starts from ImageNet. Those weights come with no library: weights=PATH, else at random
          (He et al. 2015).
        - Too few boxes that do not overlap (small images) end its program; here the best of the
          others follow.
        - It steps each part of the network with an optimizer of its own, of one setting; here one.
    No part of it needs TensorFlow: it trains on JAX too.

    Demo (ours): a stride of 8, so that boxes and frame are a quarter of theirs; crops of 48 pixels,
    half of its 96; an eighth of the channels, one block a stage; dropout 0.2. A quarter of the
    channels takes more than twice as long.

    Args:
        input_shape: (height, width, 3), each side at least 32.
        variant: "paper" or "demo".
        guide: Name of the task that says which parts are good; empty: the first class task, or
            where there is none the first task.
        dropout: Share of the features dropped in training; None: 0.5, of the demo 0.2.
        weights: none or the path of a file.

    Raises:
        ValueError: If the variant is unknown, `input_shape` is no such image, or weights do not
            fit.
        FileNotFoundError: If there is no file of weights.
    """
    demo = require_variant("nts_net", variant)
    require_image("nts_net", input_shape, 32)
    if dropout is None:
        dropout = 0.2 if demo else 0.5
    return with_weights(NtsNet(input_shape, variant, guide, dropout), weights, "nts_net")


def _features(layout: Bottlenecks, dropout: float) -> keras.Model:
    """Return the network from an image, of any size, to its last map and that map's mean."""
    images = keras.Input((None, None, 3))
    seen = bottleneck_map(images, layout)
    mean = layers.GlobalAveragePooling2D(name="features")(seen)
    return keras.Model(images, [seen, layers.Dropout(dropout)(mean)], name="trunk")


def _proposal_net(layout: _Layout) -> keras.Model:
    """Return the network from a last map to the scores of all boxes, [B, A] float32."""
    seen = keras.Input((None, None, layout.trunk.width))
    x, scores = seen, []
    for number, level in enumerate(LEVELS, start=1):
        if number > 1:
            x = layers.ZeroPadding2D(1, name=f"down{number}_pad")(x)
        strides, padding = (1, "same") if number == 1 else (2, "valid")
        down = layers.Conv2D(
            layout.filters, 3, strides, padding, activation="relu", name=f"down{number}"
        )
        x = down(x)
        # In float32: half precision gives many boxes the same score.
        tidy = layers.Conv2D(anchors_a_place(level), 1, dtype="float32", name=f"tidy{number}")
        scores.append(layers.Flatten(name=f"scores{number}")(tidy(x)))
    return keras.Model(seen, layers.Concatenate(axis=1, dtype="float32")(scores), name="proposals")
