"""MTER-KDTD: this project's reading of an abstract, an emotion and an appearance branch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import layers, ops

from mtl_dm.losses.mutual import mutual_class_distillation, mutual_value_distillation
from mtl_dm.models.backbones._contract import example, require_image, require_variant
from mtl_dm.models.backbones._resnet_branch import convolved, residual_branch, residual_stage
from mtl_dm.models.backbones._weights import with_weights
from mtl_dm.models.policies import under_policy
from mtl_dm.models.terms import Context, Term, TermProvider

DISTILLATION = "mter_distillation"


@keras.saving.register_keras_serializable("mtl_dm")
class MterKdtd(keras.Model, TermProvider):
    """The network and its term; see `mter_kdtd`.

    Args:
        input_shape: (height, width, 3).
        variant: "paper" or "demo".
        temperature: Of the classes that the branches teach each other.
        distillation: Weight of that term, >= 0.
        dropout: Share of features dropped in training.
        **options: As for `keras.Model`.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        variant: str,
        temperature: float,
        distillation: float,
        dropout: float,
        **options: Any,
    ) -> None:
        super().__init__(**{"name": "mter_kdtd", **options})
        self._own = {
            "input_shape": tuple(input_shape),
            "variant": variant,
            "temperature": temperature,
            "distillation": distillation,
            "dropout": dropout,
        }
        self.temperature, self.distillation = temperature, distillation
        demo = require_variant("mter_kdtd", variant)
        shape = require_image("mter_kdtd", input_shape, 32)
        # Not the policy of whoever loads it: its layers are not stored, this model's policy is.
        with under_policy(self.dtype_policy):
            self.network = _network(shape, demo, dropout)
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return features [B, 2, D]: of the emotion branch, then of the appearance branch."""
        return self.network(inputs, training=training)

    @property
    def term_names(self) -> Sequence[str]:
        """The distillation, unless it is switched off."""
        return [DISTILLATION] if self.distillation else []

    def terms(self, context: Context) -> Mapping[str, Term]:
        """Return how much the branches differ in what they predict, the mean over tasks."""
        if not self.distillation:
            return {}
        values = [
            # A mask of an image, not of its labels, is that of classes.
            mutual_class_distillation(logits, self.temperature)
            if len(context.masks[task].shape) == 1
            else mutual_value_distillation(logits)
            for task, logits in context.part_logits.items()
        ]
        mean = sum(values) / len(values)
        return {DISTILLATION: Term(mean, ops.ones_like(mean), self.distillation)}

    def get_config(self) -> dict[str, Any]:
        """Return the arguments; the weights say the rest."""
        return {**super().get_config(), **self._own}


@example(
    (32, 32, 3),
    refused=((32, 32), (16, 32, 3), (32, 16, 3), (32, 32, 1), (None, None, 3), (32,)),
    exact={"dropout": 0.0},
    options={"variant": "demo"},
    source="abstract",
    sizes={"paper": (112, 112, 3), "demo": (48, 48, 3)},
)
def mter_kdtd(
    input_shape: tuple[int, ...],
    variant: str = "paper",
    temperature: float = 4.0,
    distillation: float = 1.0,
    dropout: float = 0.0,
    weights: str = "none",
) -> MterKdtd:
    """Return OUR reading of an abstract: two branches that share a stem and teach each other.

    Source: Jeong, Hong, Lim et al. 2022 (arXiv 2207.10025), whose abstract is all there was to
    read: an emotion and an appearance perspective are learned jointly, and an ensemble predicts.
    Everything else below is this project's, so that no number of this network is theirs. Images
    of 112 x 112 pixels; 22,195,520 parameters in training without heads.

    Where the abstract is silent, and what was chosen:
        - Backbone: ResNet-18. Its stem and first stage are shared, as the low levels of all
          faces are alike; each branch has stages 2 to 4 of its own (64, 128, 256, 512 channels).
        - Emotion branch: the map as it is. An expression is small movements at known places.
        - Appearance branch: the map at half the resolution, so that each of its units sees twice
          as far. Who somebody is, age, pose and light show in the face as a whole; they are what
          an expression is to be told from, and a branch that cannot see fine detail learns them.
          No label names them: both branches learn every task.
        - Ensemble: the branches are parts, which share each task's head; the prediction is the
          mean of their probabilities, the task's loss the mean of their losses.
        - Distillation: each branch learns from the other, with no gradient into the one that
          teaches (Zhang et al. 2018), on every image, labelled or not, as neither branch is known
          to be the better. Classes at a temperature of 4, attributes and values by the squared
          difference of the outputs; the mean over tasks is the term "mter_distillation".
        - Weights start at random. Adam and the learning rate are the run's.
        - Demo (ours too): channels 16, 24, 48, 96, one block a stage, and a stem that strides once.

    Args:
        input_shape: (height, width, 3), each side at least 32.
        variant: "paper" or "demo".
        temperature: T > 0 of the classes in the distillation.
        distillation: Weight of the distillation; 0: off.
        dropout: Share of features dropped in training.
        weights: none or the path of a file.

    Raises:
        ValueError: If an option breaks its rule, `input_shape` is no such image, or weights do
            not fit.
        FileNotFoundError: If there is no file of weights.
    """
    if not temperature > 0:
        raise ValueError(f"mter_kdtd: temperature must be > 0, got {temperature}.")
    if not distillation >= 0:
        raise ValueError(f"mter_kdtd: distillation must be >= 0, got {distillation}.")
    require_image("mter_kdtd", input_shape, 32)
    model = MterKdtd(input_shape, variant, temperature, distillation, dropout)
    return with_weights(model, weights, "mter_kdtd")


def _network(shape: tuple[int, int, int], demo: bool, dropout: float) -> keras.Model:
    width, widths, blocks = (16, (24, 48, 96), 1) if demo else (64, (128, 256, 512), 2)
    images = keras.Input(shape)
    x = convolved(images, "stem", width, size=3 if demo else 7, strides=2)
    x = layers.ReLU()(x)
    x = x if demo else layers.MaxPooling2D(3, strides=2, padding="same")(x)
    x = residual_stage(x, "shared", width, blocks, strides=1)
    coarse = layers.AveragePooling2D(2, padding="same", name="coarse")(x)
    features = [
        residual_branch(x, "emotion", widths, blocks),
        residual_branch(coarse, "appearance", widths, blocks),
    ]
    parts = layers.Concatenate(axis=1)([layers.Reshape((1, widths[-1]))(each) for each in features])
    return keras.Model(images, layers.Dropout(dropout)(parts), name="network")
