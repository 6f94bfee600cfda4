"""A short Inception-ResNet with a branch for each task (Ming et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from mtl_dm.balancing import SHARED
from mtl_dm.models.backbones._contract import (
    example,
    require_image,
    require_tasks,
    require_variant,
)
from mtl_dm.models.backbones._inception_resnet_v1 import LEAST_SIDE, Blocks
from mtl_dm.models.backbones._weights import with_weights
from mtl_dm.models.phases import Phased
from mtl_dm.models.policies import under_policy

NAME = "inception_resnet_small"
TRANSFER = "transfer"
"""Of the stage at whose start the first branch is copied into the others."""
LEAST_DEMO_SIDE = 32
_PAPER = Blocks(gamma=False, momentum=0.995)
_DEMO = Blocks(width=1 / 8, gamma=False)


@keras.saving.register_keras_serializable("mtl_dm")
class InceptionResnetSmall(keras.Model, Phased):
    """The network; see `inception_resnet_small`.

    Args:
        input_shape: (height, width, 3).
        variant: "paper" or "demo".
        tasks: Names of the tasks, a branch each.
        bottleneck: Features of a branch; 0: the means of its map.
        dropout: Share of the means dropped in training.
        **options: As for `keras.Model`.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        variant: str,
        tasks: Sequence[str],
        bottleneck: int,
        dropout: float,
        **options: Any,
    ) -> None:
        super().__init__(**{"name": NAME, **options})
        self._own = {
            "input_shape": tuple(input_shape),
            "variant": variant,
            "tasks": list(tasks),
            "bottleneck": bottleneck,
            "dropout": dropout,
        }
        demo = require_variant(NAME, variant)
        shape = require_image(NAME, input_shape, LEAST_DEMO_SIDE if demo else LEAST_SIDE)
        blocks = _DEMO if demo else _PAPER
        # Not the policy of whoever loads it: its layers are not stored, this model's policy is.
        with under_policy(self.dtype_policy):
            self.shared = _shared(shape, blocks, demo)
            self.flat = layers.Flatten()
            self.branches = {
                task: _branch(self.shared.output.shape[1:], blocks, bottleneck, dropout, task)
                for task in tasks
            }
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> dict[str, Any]:
        """Return the features of each task, and flat what the branches start from."""
        start = self.shared(inputs, training=training)
        found = {task: branch(start, training=training) for task, branch in self.branches.items()}
        return {**found, SHARED: self.flat(start)}

    def require_stage(self, name: str) -> None:
        """Check that there is a branch to copy and one to copy it into.

        Raises:
            ValueError: If the stage is `TRANSFER` and there is one branch alone.
        """
        if name == TRANSFER and len(self.branches) < 2:
            raise ValueError(
                f"The stage {TRANSFER!r} copies the first branch of {NAME} into the others, but "
                f"there is only one: {list(self.branches)}."
            )

    def begin_stage(self, name: str) -> None:
        """Copy the first branch into the others where the stage is `TRANSFER`.

        Raises:
            ValueError: As `require_stage`.
        """
        self.require_stage(name)
        if name == TRANSFER:
            first, *others = self.branches.values()
            for branch in others:
                branch.set_weights(first.get_weights())

    def get_config(self) -> dict[str, Any]:
        """Return the arguments; the weights say the rest."""
        return {**super().get_config(), **self._own}


@example(
    (32, 32, 3),
    refused=((32, 32), (16, 32, 3), (32, 16, 3), (32, 32, 1), (None, None, 3), (32,)),
    exact={"dropout": 0.0},
    options={"variant": "demo", "tasks": ("expression", "action_units", "affect")},
    source="code",
    sizes={"paper": (160, 160, 3), "demo": (64, 64, 3)},
)
def inception_resnet_small(
    input_shape: tuple[int, ...],
    variant: str = "paper",
    tasks: tuple[str, ...] = ("identity", "expression"),
    bottleneck: int = 128,
    dropout: float = 0.5,
    weights: str = "none",
) -> InceptionResnetSmall:
    """Return a short InceptionResnetV1 that branches by task after its second reduction.

    Source: Ming, Xia, Luqman, Burie, Zhao 2019, section 3 ("13 million parameters of about 20
    hidden layers"), and their code: of each kind of block before a reduction one instead of 5 and
    10, and two last blocks a branch; batch normalisation without a scale; a linear map to 128
    numbers, which is the embedding. Shared layers 6,434,992 parameters and a branch 3,200,000, with
    two of these 12,834,992 without linear maps, at 160 x 160 pixels.

    What the branches start from, 3 x 3 x 1,792 numbers in a row, is returned under "shared": the
    dynamic weight unit (`mtl_dm.balancing.Dynamic`) looks at it. A stage called "transfer" begins
    with a copy of the first branch in the others, as the paper transfers face recognition to
    expressions; "backbone/shared/*" and "backbone/<task>/*" are what a stage may train. Frozen
    parts keep their statistics, as the authors' shared layers and verification branch do.

    Where the sources are silent, and what we chose:
        - Each image is brought to mean 0 and variance 1, as in their code, with 1e-3 added to the
          variance. Their expression logits pass a ReLU, which is left out: it cuts half of them.
        - Demo: an eighth of the channels and, for images of 48 to 64 pixels, a stem that halves the
          side twice instead of three times.

    Args:
        input_shape: (height, width, 3), each side at least 75, in the demo 32.
        variant: "paper" or "demo".
        tasks: Names of the tasks of the model around it, a branch each.
        bottleneck: Features of a branch; 0: the means of its map.
        dropout: Share of the means dropped in training.
        weights: none or the path of a file.

    Raises:
        ValueError: If an option breaks its rule, `input_shape` is no such image, or weights do
            not fit.
        FileNotFoundError: If there is no file of weights.
    """
    names = require_tasks(NAME, tasks)
    if SHARED in names:
        raise ValueError(f"{NAME}: no task may be called {SHARED!r}: the shared layers are.")
    if bottleneck < 0:
        raise ValueError(f"{NAME}: bottleneck must be >= 0, got {bottleneck}.")
    if not 0 <= dropout < 1:
        raise ValueError(f"{NAME}: dropout must be in [0, 1), got {dropout}.")
    model = InceptionResnetSmall(input_shape, variant, names, bottleneck, dropout)
    return with_weights(model, weights, NAME)


def _shared(shape: tuple[int, int, int], blocks: Blocks, demo: bool) -> keras.Model:
    images = keras.Input(shape)
    x = layers.LayerNormalization(axis=(1, 2, 3), center=False, scale=False)(images)
    x = _short_stem(x, blocks) if demo else blocks.stem(x)
    return keras.Model(images, blocks.trunk(x, 1, 1), name=SHARED)


def _short_stem(x: Any, blocks: Blocks) -> Any:
    x = blocks.convolution(x, 64, 3, strides=2)
    x = layers.MaxPooling2D(3, strides=2)(x)
    return blocks.convolution(x, 256, 3)


def _branch(
    shape: tuple[int, ...], blocks: Blocks, bottleneck: int, dropout: float, task: str
) -> keras.Model:
    start = keras.Input(shape)
    x = layers.GlobalAveragePooling2D()(blocks.last(start, 2))
    x = layers.Dropout(dropout)(x)
    if bottleneck:
        x = blocks.normalised(layers.Dense(bottleneck, use_bias=False)(x))
    return keras.Model(start, x, name=task)
