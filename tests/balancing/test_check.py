"""Methods that break the contract are refused where the model is made."""

import keras
import numpy as np
import pytest
from keras import ops

from mtl_dm.balancing import Balancing, GradNorm
from tests.models.cases import FEATURES, coupled_model, dataset, random_batch, trunk


class Wrong(Balancing):
    """Returns ones, but for one fault."""

    def __init__(self, fault, signed=False, **options):
        super().__init__(**options)
        self.fault, self._signed = fault, signed

    @property
    def signed(self):
        return self._signed

    def weigh(self, seen):
        ones = np.ones(len(seen.names), np.float32)
        shapes = {"short": ones[1:], "matrix": ones[None], "scalar": ones[0]}
        if isinstance(self.fault, str):
            return ops.convert_to_tensor(shapes[self.fault])
        ones[-1] = self.fault
        return ops.convert_to_tensor(ones)

    def get_config(self):
        return {**super().get_config(), "fault": self.fault, "signed": self._signed}


class Raw(keras.layers.Layer):
    """A backbone that is not built before it sees data."""

    def __init__(self, **options):
        super().__init__(**options)
        self.dense = keras.layers.Dense(4)

    def call(self, inputs):
        return self.dense(inputs)


@pytest.mark.parametrize("backbone", [trunk, Raw])
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (np.nan, r"Wrong must return finite weights, got \[1.0, 1.0, nan\]"),
        (np.inf, "Wrong must return finite weights"),
        (-0.5, r"must not return negative weights unless it is `signed`, got \[1.0, 1.0, -0.5\]"),
        ("short", r"one weight a term, shape \(3,\), got \(2,\)"),
        ("matrix", r"one weight a term, shape \(3,\), got \(1, 3\)"),
        ("scalar", r"one weight a term, shape \(3,\), got \(\)"),
    ],
)
def test_bad_weights_are_refused_at_construction(backbone, fault, message):
    # Two tasks, and a third term in case that the backbone adds losses itself.
    with pytest.raises(ValueError, match=message):
        coupled_model(backbone(), couplings=(), balancing=Wrong(fault))


def test_negative_weights_of_a_signed_method_pass():
    method = Wrong(-1.0, signed=True)
    assert coupled_model(couplings=(), balancing=method).balancing is method


def test_a_method_without_weights_may_have_a_loss_of_its_own():
    class Priced(Balancing):
        def weigh(self, seen):
            return None

        def own_loss(self, seen):
            return ops.sum(seen.present)

    batch = random_batch()
    plain, priced = (coupled_model(couplings=(), balancing=method) for method in (None, Priced()))
    logits = plain(batch[0])
    one, other = (
        float(model.compute_loss(batch[0], batch[1], logits, batch[2])) for model in (plain, priced)
    )
    assert other == pytest.approx(one + 2.0, rel=1e-6)


def test_a_scope_without_a_kernel_says_so():
    class Bias(keras.layers.Layer):
        def build(self, shape):
            self.bias = self.add_weight(shape=(shape[-1],))

        def call(self, inputs):
            return inputs + self.bias

    model = coupled_model(Bias(name="bias"), couplings=(), balancing=GradNorm())
    model(np.zeros((1, FEATURES), np.float32))
    model.compile("sgd", run_eagerly=True)
    with pytest.raises(ValueError, match="needs a backbone with a trainable kernel; 'bias' has no"):
        model.fit(dataset(random_batch(), 20), verbose=0, shuffle=False)
