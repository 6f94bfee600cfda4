"""Methods as a user writes them, one for each thing that a method may ask for."""

import keras
from keras import ops

from mtl_dm.balancing import BALANCING, Balancing


@keras.saving.register_keras_serializable("tests")
class Descent(Balancing):
    """Sees losses: a term that fell less since the last step weighs more (dynamic averages)."""

    def prepare(self, names):
        super().prepare(names)
        self.last = self.memory("last", 0.0)

    def weigh(self, seen):
        last = self.last.value
        ratio = ops.where(last > 0, seen.losses / ops.maximum(last, 1e-6), 1.0)
        scores = ops.exp(ops.clip(ratio, 0.0, 4.0)) * seen.present
        count = ops.sum(seen.present)
        return count * scores / ops.maximum(ops.sum(scores), 1e-6)

    def update(self, seen):
        self.last.assign(ops.where(seen.present > 0, seen.losses, self.last.value))


@keras.saving.register_keras_serializable("tests")
class EqualNorms(Balancing):
    """Sees the Gram matrix: every gradient gets the same length."""

    sees = "gradients"

    def weigh(self, seen):
        return seen.present / ops.sqrt(ops.maximum(ops.diagonal(seen.gram), 1e-6))


@keras.saving.register_keras_serializable("tests")
class Famous(Balancing):
    """Looks after the step: what fell less gets more (in the manner of FAMO, Liu et al. 2023)."""

    looks_after = True

    def prepare(self, names):
        super().prepare(names)
        self.logits = self.memory("logits", 0.0)

    def weigh(self, seen):
        scores = ops.exp(self.logits.value) * seen.present
        share = scores / ops.maximum(ops.sum(scores), 1e-6)
        return ops.sum(seen.present) * share

    def after_step(self, seen, losses):
        fell = ops.log(seen.losses + 1e-8) - ops.log(losses + 1e-8)
        self.logits.assign_sub(0.5 * seen.present * ops.clip(fell, -1.0, 1.0))


@keras.saving.register_keras_serializable("tests")
class ByFeatures(Balancing):
    """Uses the features of a replica: a weight unit with weights of its own."""

    uses_features = True

    def prepare(self, names):
        super().prepare(names)
        self.slopes = self.add_weight(name="slopes", shape=(len(names),), initializer="zeros")

    def weigh(self, seen):
        size = ops.mean(ops.cast(seen.features["expression"], "float32"))
        return ops.exp(self.slopes.value) * (1.0 + 0.0 * ops.stop_gradient(size))

    def own_loss(self, seen):
        return -0.5 * ops.sum(seen.present * self.slopes.value)


USERS = {"losses": Descent, "gram": EqualNorms, "after": Famous, "features": ByFeatures}
ALL = {**{name: BALANCING.get(name) for name in BALANCING}, **USERS}


def asked_by(method):
    """What a method asks of a training step; the rest of it is arithmetic on a few numbers."""
    overridden = (
        getattr(type(method), name) is not getattr(Balancing, name)
        for name in ("own_loss", "update", "for_heads")
    )
    return (
        method.sees,
        method.scope,
        method.weighs_heads,
        method.uses_features,
        method.looks_after,
        method.smooths,
        method.counts_epochs,
        *overridden,
    )


def one_a_kind(methods):
    """The first of the methods that ask the same of a step, by name: their steps are the same."""
    found = {}
    for name, make in methods.items():
        found.setdefault(asked_by(make()), (name, make))
    return dict(found.values())
