"""Task Routing (Strezoski et al. 2019): each task sees its own part of the channels."""

from __future__ import annotations

import functools
import math
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from mtl_dm.draws import require_seed, seed_of
from mtl_dm.models.backbones import _task_resnet as resnet
from mtl_dm.models.backbones._contract import (
    example,
    require_image,
    require_tasks,
    require_variant,
)
from mtl_dm.models.backbones._library import SHAPES
from mtl_dm.models.backbones._weights import with_weights
from mtl_dm.models.backbones.normalization import GlobalBatchNormalization


def routing_masks(tasks: int, channels: int, sigma: float, seed: int) -> np.ndarray:
    """Return masks [tasks, channels] of 0 and 1, floor(sigma * channels) of them 0 for each task.

    Args:
        tasks: T.
        channels: C.
        sigma: Share of the channels that are switched off for a task.
        seed: The same gives the same masks.
    """
    order = np.random.default_rng(seed).random((tasks, channels)).argsort(axis=1).argsort(axis=1)
    return (order >= math.floor(sigma * channels)).astype(np.float32)


@keras.saving.register_keras_serializable("mtl_dm")
class TaskRoute(keras.layers.Layer):
    """Multiplies channels by a fixed random mask of the task, so that gradients are masked too.

    Args:
        tasks: How many there are.
        sigma: As for `routing_masks`.
        seed: Likewise.
        **kwargs: As for `keras.layers.Layer`.
    """

    def __init__(self, tasks: int, sigma: float, seed: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tasks, self.sigma, self.seed = tasks, sigma, seed

    def build(self, input_shape: Any) -> None:
        """Draw the masks; they are weights, so that checkpoints hold them."""
        masks = routing_masks(self.tasks, input_shape[-1], self.sigma, self.seed)
        self.masks = self.add_weight(
            name="masks",
            shape=masks.shape,
            initializer=lambda shape, dtype=None: ops.convert_to_tensor(masks, dtype),
            trainable=False,
        )

    def call(self, inputs: Any, task: int) -> Any:
        """Return inputs [B, H, W, C] as the task of this number sees them."""
        return inputs * ops.cast(self.masks[task], inputs.dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the same shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        own = {"tasks": self.tasks, "sigma": self.sigma, "seed": self.seed}
        return {**super().get_config(), **own}


@example(
    (32, 32, 3),
    SHAPES,
    options={"variant": "demo", "tasks": ("expression", "action_units", "affect")},
    source="code",
    sizes={"paper": (224, 224, 3), "demo": (64, 64, 3)},
)
def task_routing(
    input_shape: tuple[int, ...],
    variant: str = "paper",
    tasks: tuple[str, ...] = ("expression", "action_units"),
    sigma: float = 0.5,
    seed: int = 0,
    weights: str = "none",
) -> keras.Model:
    """Return a ResNet-50 whose channels are routed by task: a dictionary of features by task.

    Source: Strezoski, van Noord, Worring 2019, "Many Task Learning With Task Routing", and the
    layer that its authors published. After each convolution and its normalisation the channels are
    multiplied by m_t in {0, 1}^C of task t, drawn once from a seed, of which floor(sigma C) are 0.
    Train it with `balancing=one_task`: the source trains one task a step. Any other method trains
    all tasks in every step through their routes.

    The source is silent, or we differ:
        - Network: its own are without shortcuts. Here the mask is behind every convolution of the
          ResNet, those of shortcuts too; identity shortcuts hand on what they got.
        - Its layer multiplies the data and leaves gradients as they are, which then reach channels
          that the task does not see. Here they are masked too: 0 there.
        - Every image passes on the routes of all tasks in every step, at a cost of T passes behind
          the stem: the backbone does not know which task is active, and the
          metrics of all want logits. Statistics of normalisations, which all tasks share, are
          those of every pass, one after another.
        - sigma = 0 is the same ResNet, shared as a whole, in one pass.
        - Momentum of the statistics 0.9. Demo: a quarter of the channels, one block a stage and
          two in the third, the last stage without its stride.

    Args:
        input_shape: (height, width, 3), each side at least 32.
        variant: "paper" or "demo".
        tasks: Names of the tasks of the model around it, each of which gets its features.
        sigma: Share of the channels that are switched off for a task, in [0, 1).
        seed: Of the masks.
        weights: none or the path of a file.

    Raises:
        ValueError: If an option breaks its rule, `input_shape` is no such image, or weights do
            not fit.
        FileNotFoundError: If there is no file of weights.
    """
    names = require_tasks("task_routing", tasks)
    if not 0 <= sigma < 1:
        raise ValueError(f"task_routing: sigma must be in [0, 1), got {sigma}.")
    require_seed("task_routing", seed)
    size = resnet.DEMO if require_variant("task_routing", variant) else resnet.PAPER
    images = keras.Input(require_image("task_routing", input_shape, 32), name="images")
    shared = resnet.SharedLayers()

    seen = resnet.stem(shared, images, size, functools.partial(_normalised, shared))

    def features_of(task: int) -> Any:
        def routed(x: Any, name: str) -> Any:
            if not sigma:
                return x
            route = (len(names), sigma, seed_of(seed, name))
            return shared(f"{name}_route", TaskRoute, *route)(x, task=task)

        def normalise(x: Any, name: str) -> Any:
            return routed(_normalised(shared, x, name), name)

        # Behind ReLU and pooling a mask is what it is in front of them.
        x = routed(seen, "stem")
        for block in resnet.blocks_of(size):
            short = resnet.shortcut(shared, x, block, normalise)
            x = resnet.added(shared, block, short, resnet.residual(shared, x, block, normalise))
        return shared("features", layers.GlobalAveragePooling2D)(x)

    if sigma:
        features = {name: features_of(task) for task, name in enumerate(names)}
    else:
        features = dict.fromkeys(names, features_of(0))
    model = keras.Model(images, features, name="task_routing")
    return with_weights(model, weights, "task_routing")


def _normalised(shared: resnet.SharedLayers, x: Any, name: str) -> Any:
    options = {"momentum": resnet.MOMENTUM, "epsilon": resnet.EPSILON}
    return shared(f"{name}_bn", GlobalBatchNormalization, **options)(x)
