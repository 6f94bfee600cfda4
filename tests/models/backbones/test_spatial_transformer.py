"""Sampling against SciPy, and maps whose effect is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.ndimage import map_coordinates

from mtl_dm.models.backbones._spatial_transformer import (
    IDENTITY,
    AffineSampler,
    sample_bilinear,
    spatial_transformer,
)

TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}  # float32; places have an error of 1e-6 pixels.


def drawn(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def transformed(images, theta):
    theta = np.tile(np.asarray(theta, np.float32), (len(images), 1))
    return keras.ops.convert_to_numpy(AffineSampler()([images, theta]))


def test_sampling_is_that_of_scipy_also_outside():
    images = drawn(2, 7, 9, 2)
    points = np.random.default_rng(1).uniform(-4, 13, (2, 40, 2)).astype(np.float32)
    want = [
        [map_coordinates(channel, each.T, order=1, mode="grid-constant") for channel in channels]
        for channels, each in zip(np.moveaxis(images, -1, 1).astype(float), points, strict=True)
    ]
    got = keras.ops.convert_to_numpy(sample_bilinear(images, points))
    np.testing.assert_allclose(got, np.moveaxis(want, 1, -1), **TOLERANCE)


def test_identity_returns_the_image():
    images = drawn(2, 5, 8, 3)
    np.testing.assert_allclose(transformed(images, IDENTITY), images, **TOLERANCE)


@pytest.mark.parametrize(
    ("theta", "expected"),
    [
        ((-1, 0, 0, 0, 1, 0), lambda images: images[:, :, ::-1]),
        ((1, 0, 0, 0, -1, 0), lambda images: images[:, ::-1]),
        # x takes y's place and y that of x: a transposed image.
        ((0, 1, 0, 1, 0, 0), lambda images: images.transpose(0, 2, 1, 3)),
        # 2 / (5 - 1) is one pixel: each sees its right neighbour, the last one nothing.
        (
            (1, 0, 0.5, 0, 1, 0),
            lambda images: np.pad(images[:, :, 1:], [(0, 0)] * 2 + [(0, 1), (0, 0)]),
        ),
    ],
    ids=["mirrored", "upside_down", "transposed", "shifted"],
)
def test_maps_by_hand(theta, expected):
    images = drawn(2, 5, 5, 3)
    np.testing.assert_allclose(transformed(images, theta), expected(images), **TOLERANCE)


def test_the_gradient_is_that_of_differences():
    images, step = drawn(1, 6, 6, 1), 1e-3
    theta = tf.constant([[0.8, 0.1, 0.05, -0.1, 0.9, 0.07]])

    def value(theta):
        return tf.reduce_sum(tf.square(AffineSampler()([images, theta])))

    with tf.GradientTape() as tape:
        tape.watch(theta)
        total = value(theta)
    got = tape.gradient(total, theta).numpy()[0]
    for place, one in enumerate(np.eye(6, dtype=np.float32)):
        want = (value(theta + step * one) - value(theta - step * one)) / (2 * step)
        assert got[place] == pytest.approx(float(want), rel=0.05, abs=0.05)


def test_samples_in_full_precision():
    keras.config.set_dtype_policy("mixed_float16")
    assert AffineSampler().compute_dtype == "float32"


@pytest.mark.parametrize(("side", "parameters"), [(100, 144_544), (112, 187_744)])
def test_parameters_are_those_of_the_code(side, parameters):
    assert spatial_transformer((side, side, 3)).count_params() == parameters
