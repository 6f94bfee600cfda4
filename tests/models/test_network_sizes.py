"""Published networks have the parameters that their sources say, and cost what is known."""

import keras
import numpy as np
import pytest
from keras import layers

from mtl_dm.models import BACKBONES, MultiTaskModel
from mtl_dm.models.backbones._recurrence import ParallelGRU
from mtl_dm.models.counting import macs_of, parameters_of
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task

# Trainable parameters and all, without heads: as the sources count them, at 112 px. Keras counts
# seven more numbers in an EfficientNet, the input's statistics, which are constants here. Those of
# keras.applications are the trunks of hse_nn (B0) and effnet_b2, and are not built again.
COUNTS = {
    "vgg16": (14_714_688, 14_714_688),
    "resnet50": (23_534_592, 23_587_712),
    "densenet121": (6_953_856, 7_037_504),
    "mobilenet_v2": (2_223_872, 2_257_984),
    "emoaffnet": (23_508_032 + 1_049_088, 23_508_032 + 53_120 + 1_049_088),
    "effnet_b2": (7_700_994, 7_768_569 - 7),
    "hse_nn": (4_007_548, 4_049_571 - 7),
    "vggface": (50_374_464, 50_374_464),
    "resnet18_narrow": (2_216_023, 2_216_023 + 2 * 2025),
}
FEATURES = {
    "vgg16": 512,
    "resnet50": 2048,
    "densenet121": 1024,
    "mobilenet_v2": 1280,
    "emoaffnet": 512,
    "effnet_b2": 1408,
    "hse_nn": 1280,
    "vggface": 4096,
    "resnet18_narrow": 1024,
}


def test_output_layer_of_faces_behaviour_has_three_groups():
    tasks = (
        Task.multiclass("expression", EXPRESSIONS),
        Task.multilabel("action_units", ACTION_UNITS),
        Task.regression("valence_arousal", ("valence", "arousal")),
    )
    with keras.StatelessScope(initialize_variables=False):
        trunk = BACKBONES.get("faces_behaviour")((96, 96, 3))
    assert parameters_of(trunk) == COUNTS["vggface"]
    assert trunk.output.shape == (None, FEATURES["vggface"])
    with keras.StatelessScope(initialize_variables=False):
        model = MultiTaskModel(keras.layers.Identity(), tasks)
        model.build((None, FEATURES["vggface"]))
    heads = {name: head.count_params() for name, head in model.heads.items()}
    assert heads == {"expression": 7 * 4097, "action_units": 17 * 4097, "valence_arousal": 2 * 4097}
    assert sum(heads.values()) == 106_522
    with keras.StatelessScope(initialize_variables=False):
        large = BACKBONES.get("faces_behaviour")((224, 224, 3))
    assert parameters_of(large).trainable == 134_260_544


@pytest.mark.parametrize("name", COUNTS)
def test_parameters_of_the_paper_variant(name):
    # Without values: to draw them is what takes the time.
    with keras.StatelessScope(initialize_variables=False):
        backbone = BACKBONES.get(name)((112, 112, 3))
    assert parameters_of(backbone) == COUNTS[name]
    assert backbone.output.shape == (None, FEATURES[name])


def test_multiply_adds_of_every_kind_of_layer():
    inputs = keras.Input((7, 10))
    x = layers.MultiHeadAttention(2, 5)(inputs, inputs)
    x = layers.Bidirectional(layers.GRU(3, return_sequences=True))(x)
    x = layers.BatchNormalization()(layers.EinsumDense("...x,xy->...y", 4)(x))
    x = layers.Reshape((4, 7, 1))(layers.Dense(4)(x))
    x = layers.Conv2DTranspose(4, 2, strides=2)(layers.SeparableConv2D(5, 3)(x))
    x = layers.Conv2D(6, 3, padding="same", groups=2)(layers.DepthwiseConv2D(3)(x))
    model = keras.Model(inputs, x)
    attention = 4 * 7 * 10 * 10 + 2 * 2 * 7 * 7 * 5  # four projections, scores, weighted sum
    recurrent = 2 * 7 * (10 * 9 + 3 * 9)
    dense = 7 * 6 * 4 + 7 * 4 * 4
    # Maps of 4 x 7, 2 x 5, 4 x 10, 2 x 8.
    separable, transposed = 10 * (9 + 5), 10 * 4 * 5 * 4
    convolutions = 16 * 9 * 4 + 16 * 9 * 2 * 6
    total = attention + recurrent + dense + separable + transposed + convolutions
    assert macs_of(model) == (total, ())


def test_recurrent_layers_that_run_together_cost_what_they_do_alone():
    sequences = [keras.Input((7, width)) for width in (10, 4)]
    alone = [layers.Bidirectional(layers.GRU(3))(each) for each in sequences]
    present = [keras.Input((7,), dtype="bool") for _ in sequences]
    together = ParallelGRU(3)(sequences, present)
    want = macs_of(keras.Model(sequences, alone))
    assert macs_of(keras.Model([*sequences, *present], together)) == want
    assert want.known == 2 * 7 * (10 * 9 + 4 * 9 + 2 * 3 * 9)


def test_layers_used_twice_cost_twice_and_unknown_ones_are_named():
    class Own(keras.layers.Layer):
        def build(self, shape):
            self.scale = self.add_weight(shape=shape[1:], name="scale")

        def call(self, inputs):
            return inputs * self.scale

    dense = keras.layers.Dense(8)
    inputs = keras.Input((8,))
    model = keras.Model(inputs, Own(name="own")(dense(dense(inputs))))
    assert macs_of(model) == (2 * 64, ("own",))
    # What watched the layers is gone.
    assert "call" not in vars(dense)
    np.testing.assert_allclose(model(np.zeros((1, 8))), 0)


def test_a_model_without_known_inputs_needs_their_shape():
    layer = keras.layers.Dense(3)
    layer.build((None, 5))
    with pytest.raises(ValueError, match="give input_shape"):
        macs_of(layer)
    assert macs_of(layer, (5,)).known == 15
