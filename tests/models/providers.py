"""Providers of terms and backbones as users write them."""

import keras
from keras import ops

from mtl_dm.models import Term, TermProvider
from mtl_dm.models.backbones import example


@keras.saving.register_keras_serializable("tests")
class Centre(keras.layers.Layer, TermProvider):
    """Pulls the features of a task towards a learned centre; has a weight of its own."""

    def __init__(self, task="expression", size=6, factor=0.1, **options):
        super().__init__(**options)
        self.task, self.size, self.factor = task, size, factor
        self.centre = self.add_weight(shape=(size,), initializer="ones", name="centre")
        self.built = True

    @property
    def term_names(self):
        return ["centre"]

    def terms(self, context):
        features = ops.cast(context.features[self.task], "float32")
        values = ops.sum(ops.square(features - self.centre), axis=-1)
        return {"centre": Term(values, context.masks[self.task], self.factor)}

    def get_config(self):
        own = {"task": self.task, "size": self.size, "factor": self.factor}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("tests")
class Parts(keras.layers.Layer, TermProvider):
    """A backbone on a dictionary, with extras for a term of its own."""

    def __init__(self, width=6, **options):
        super().__init__(**options)
        self.width = width
        self.dense = keras.layers.Dense(width, activation="relu")
        self.part = keras.layers.Dense(2)

    @staticmethod
    @example({"face": (3,), "voice": (2,)}, refused=({"face": (3,)}, (3,)))
    def of_shapes(input_shape, width: int = 6):
        """The backbone as an entry of BACKBONES."""
        if not isinstance(input_shape, dict) or set(input_shape) != {"face", "voice"}:
            raise ValueError(f"Parts needs face and voice, got input_shape {input_shape}.")
        backbone = Parts(width)
        backbone.build({name: (None, *shape) for name, shape in input_shape.items()})
        return backbone

    def build(self, shapes):
        self.dense.build((None, sum(shape[-1] for shape in shapes.values())))
        self.part.build((None, self.width))

    def call(self, inputs):
        whole = ops.concatenate([inputs["face"], inputs["voice"]], axis=-1)
        features = self.dense(whole)
        return {
            "expression": features,
            "action_units": features,
            "affect": features,
            "parts": self.part(features),
        }

    @property
    def term_names(self):
        return ["parts"]

    def terms(self, context):
        parts = ops.cast(context.extras["parts"], "float32")
        gap = ops.sum(ops.square(parts - ops.cast(context.inputs["voice"], "float32")), axis=-1)
        return {"parts": Term(gap, ops.ones_like(gap), 0.5)}

    def get_config(self):
        return {**super().get_config(), "width": self.width}


@keras.saving.register_keras_serializable("tests")
class Raw(keras.layers.Layer):
    """A backbone that is not built before it sees data, and adds a loss in training."""

    def __init__(self, penalty=1.0, **options):
        super().__init__(**options)
        self.penalty = penalty
        self.dense = keras.layers.Dense(6, activation="relu")

    def build(self, shape):
        self.dense.build(shape)

    def call(self, inputs, training=False):
        features = self.dense(inputs)
        if training and self.penalty:
            self.add_loss(self.penalty * ops.mean(ops.square(ops.cast(features, "float32"))))
        return features

    def get_config(self):
        return {**super().get_config(), "penalty": self.penalty}


@keras.saving.register_keras_serializable("tests")
class Ancestor(keras.layers.Layer):
    """A backbone that returns what others of its outputs are made of too."""

    def __init__(self, **options):
        super().__init__(**options)
        self.start = keras.layers.Dense(6, activation="tanh")
        self.branch = keras.layers.Dense(6, activation="tanh")

    def build(self, shape):
        self.start.build(shape)
        self.branch.build((None, 6))

    def call(self, inputs):
        shared = self.start(inputs)
        return {"expression": self.branch(shared), "features": shared, "shared": shared}
