"""PSR: its parameters, counted by hand, and that its branches see what they should."""

import keras
import numpy as np
import pytest

from mtl_dm.models.backbones import _weights, psr
from mtl_dm.models.backbones._edsr import edsr
from mtl_dm.models.backbones._weight_files import stored_in


def trainable(model):
    return sum(int(np.prod(each.shape)) for each in model.trainable_variables)


def vgg(channels, *blocks):
    """Weights and biases of 3x3 convolutions, gamma and beta of each."""
    total = 0
    for filters, convolutions in blocks:
        for _ in range(convolutions):
            total += 9 * channels * filters + filters + 2 * filters
            channels = filters
    return total


# Batch normalisation of average and maximum, dense, batch normalisation; then 7 classes.
HEAD = 2 * 1024 + (1024 * 512 + 512) + 2 * 512
CLASSES = 512 * 7 + 7
CONVOLUTION = 9 * 64 * 64 + 64
EDSR = (9 * 3 * 64 + 64) + 33 * CONVOLUTION + 4 * CONVOLUTION + (9 * 64 * 3 + 3)
OWN = vgg(3, (64, 2), (128, 2), (256, 3))
SHARED = vgg(256, (512, 3), (512, 3))


def test_the_hand_made_counts_are_those_of_the_source():
    assert (OWN, SHARED, HEAD + CLASSES, EDSR) == (1_737_792, 12_985_344, 531_463, 1_369_859)


def test_parameters_are_those_of_the_code():
    network = psr((100, 100, 3))
    assert network.output_shape == (None, 3, 512)
    assert trainable(network) + CLASSES == 20_244_586
    parts = {layer.name: trainable(layer) for layer in network.layers if layer.weights}
    assert {name: parts[name] for name in parts if name != "spatial_transformer"} == {
        **dict.fromkeys(("branch_half", "branch_restored", "branch_full"), OWN),
        "super_resolution": EDSR,
        "shared": SHARED,
        "head": HEAD,
    }


def test_super_resolution_shuffles_channels_into_pixels():
    # No block and a width of 1: what the upsampling gives in its channels stands in 2 x 2 pixels.
    network = edsr((1, 1, 3), blocks=0, width=1)
    for layer in network.layers:
        if layer.weights:
            layer.set_weights([np.zeros_like(each) for each in layer.get_weights()])
    network.get_layer("upsample").bias.assign([1.0, 2.0, 3.0, 4.0])
    tail = np.zeros((3, 3, 1, 3))
    tail[1, 1] = 1.0
    network.get_layer("tail").kernel.assign(tail)
    got = keras.ops.convert_to_numpy(network(np.zeros((1, 1, 1, 3))))
    np.testing.assert_array_equal(got[0, :, :, 0], [[1.0, 2.0], [3.0, 4.0]])


@pytest.fixture(scope="module")
def demo():
    return psr((35, 44, 3), variant="demo")


def test_demo_has_the_same_parts_where_sides_differ_and_are_odd(demo):
    assert demo.output_shape == (None, 3, 64)
    assert demo.get_layer("half").output.shape == (None, 17, 22, 3)
    assert demo.get_layer("super_resolution").output_shape == (None, 34, 44, 3)


def test_weights_of_a_file_go_to_the_branch_of_their_name(demo, tmp_path):
    path = tmp_path / "w.weights.h5"
    demo.save_weights(path)
    names = _weights._named(demo)
    assert set(names) == set(stored_in(path).by_name)
    assert {"branch_half/block1_conv1/0", "branch_full/block1_conv1/0"} <= set(names)
    loaded = psr((35, 44, 3), variant="demo", weights=str(path))
    for one, two in zip(loaded.weights, demo.weights, strict=True):
        if "seed_generator" not in one.path:
            np.testing.assert_array_equal(one, two)


def test_an_unknown_variant():
    with pytest.raises(ValueError, match=r"Unknown variant 'tiny' of psr"):
        psr((48, 48, 3), variant="tiny")
