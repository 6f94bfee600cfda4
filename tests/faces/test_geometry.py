import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mtl_dm import faces
from mtl_dm.faces.geometry import inverse, move, rescale, similarity, template, warp
from tests.faces.dots import dots_engine, photo, place

points = arrays(np.float64, (5, 2), elements=st.floats(-100, 100, width=32)).filter(
    lambda values: np.var(values, axis=0).sum() > 1
)
angles = st.floats(-180, 180)
scales = st.floats(0.1, 10)
shifts = st.tuples(st.floats(-500, 500), st.floats(-500, 500))


def as_transform(degrees, scale, shift):
    angle = np.deg2rad(degrees)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[cos, -sin, shift[0]], [sin, cos, shift[1]]])


def linear_least_squares(source, target):
    """Without Umeyama: x' = a x - b y + c and y' = b x + a y + d are linear in a, b, c, d."""
    one, zero = np.ones(len(source)), np.zeros(len(source))
    x, y = source.T
    rows = np.concatenate([np.stack([x, -y, one, zero], 1), np.stack([y, x, zero, one], 1)])
    (a, b, c, d), *_ = np.linalg.lstsq(rows, target.T.ravel(), rcond=None)
    return np.array([[a, -b, c], [b, a, d]])


@given(points, points)
def test_equals_linear_least_squares(source, target):
    expected = linear_least_squares(source, target)
    np.testing.assert_allclose(similarity(source, target), expected, atol=1e-6, rtol=1e-6)


@given(points, angles, scales, shifts)
def test_finds_the_similarity_that_was_applied(source, degrees, scale, shift):
    transform = as_transform(degrees, scale, shift)
    found = similarity(source, move(transform, source))
    np.testing.assert_allclose(found, transform, atol=1e-6)


@given(points, angles, scales, shifts)
def test_alignment_does_not_depend_on_turn_size_and_place(landmarks, degrees, scale, shift):
    moved = move(as_transform(degrees, scale, shift), landmarks)
    one = move(similarity(landmarks, template()), landmarks)
    other = move(similarity(moved, template()), moved)
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_never_a_mirror_image():
    # The mirrored points would be met exactly by a reflection; det = scale^2 > 0 forbids it.
    source = np.array([[0.0, 0], [1, 0], [1, 2]])
    found = similarity(source, source * (-1, 1))
    assert np.linalg.det(found[:, :2]) > 0
    np.testing.assert_allclose(found, linear_least_squares(source, source * (-1, 1)), atol=1e-9)


def test_by_hand():
    # A quarter turn with y down: (1, 0) -> (0, 1); twice as long; shifted by (3, 4).
    source = np.array([[0.0, 0], [1, 0]])
    found = similarity(source, np.array([[3.0, 4], [3, 6]]))
    np.testing.assert_allclose(found, [[0, -2, 3], [2, 0, 4]], atol=1e-12)


@given(points, angles, scales, shifts)
def test_inverse(source, degrees, scale, shift):
    transform = as_transform(degrees, scale, shift)
    np.testing.assert_allclose(move(inverse(transform), move(transform, source)), source, atol=1e-6)


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        (np.zeros((5, 2)), np.zeros((4, 2)), r"not \(5, 2\) and \(4, 2\)"),
        (np.zeros((5, 3)), np.zeros((5, 3)), "N, 2"),
        (np.zeros((1, 2)), np.zeros((1, 2)), "N >= 2"),
        (np.full((5, 2), 7.0), template(), r"two different points; all are \[7.0, 7.0\]"),
        (np.full((5, 2), np.nan), template(), "finite"),
    ],
)
def test_what_has_no_similarity(source, target, message):
    with pytest.raises(ValueError, match=message):
        similarity(source, target)


def test_no_inverse():
    with pytest.raises(ValueError, match="no inverse"):
        inverse(np.zeros((2, 3)))


def test_template_scales_the_square_of_pixels():
    assert template()[0].tolist() == pytest.approx([38.2946, 51.6963])
    # Twice the side: pixel centre 38.2946 is 38.7946 from the edge, 77.5892 in the larger one.
    assert template(224)[0, 0] == pytest.approx(77.5892 - 0.5)


def test_warp_by_whole_pixels():
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    moved = warp(image, np.array([[1.0, 0, 1], [0, 1, 0]]), 4)
    np.testing.assert_array_equal(moved[:, 1:], image[:, :3])
    assert not moved[:, 0].any()  # black beyond the image


def test_warp_averages_where_it_shrinks():
    # A chequerboard of single pixels is grey from afar; bilinear sampling alone gives 0 or 255.
    board = (np.indices((400, 400)).sum(axis=0) % 2 * 255).astype(np.uint8)
    image = np.repeat(board[..., None], 3, axis=2)
    small = warp(image, np.array([[0.25, 0, 0.1], [0, 0.25, 0.1]]), 90)
    np.testing.assert_allclose(small[2:-2, 2:-2], 127, atol=2)


@pytest.mark.parametrize("degrees", [-170, -30, 0, 45])
@pytest.mark.parametrize("scale", [0.5, 1, 2.6])
def test_landmarks_land_on_the_template(degrees, scale):
    side = 400
    image = photo(place(200, 190, scale, degrees), width=side, height=side, radius=4 * scale)
    aligned = faces.align(image, place(200, 190, scale, degrees))
    assert aligned.shape == (112, 112, 3)
    assert aligned.dtype == np.uint8
    (face,) = dots_engine(aligned, 0.5)
    np.testing.assert_allclose(face.landmarks, template(), atol=0.5)


def test_rescale():
    image = np.zeros((30, 60, 3), np.uint8)
    same, scales = rescale(image, 60)
    assert same is image
    assert scales.tolist() == [1, 1]
    smaller, scales = rescale(image, 20)
    assert smaller.shape == (10, 20, 3)
    np.testing.assert_allclose(scales, 1 / 3)
    assert rescale(image, 90)[0].shape == (45, 90, 3)
    assert rescale(np.zeros((1, 500, 3), np.uint8), 10)[0].shape == (1, 10, 3)


class TestCentreCrop:
    def test_middle_square(self):
        image = np.zeros((100, 300, 3), np.uint8)
        image[:, 100:200] = 255
        assert faces.centre_crop(image, 50).min() == 255

    def test_around_a_box(self):
        image = np.zeros((100, 100, 3), np.uint8)
        image[20:40, 50:80] = 255
        crop = faces.centre_crop(image, 30, (50, 20, 80, 40))  # the square is y = 15 to 45
        assert crop[5:25].min() == 255
        assert crop[:5].max() == 0
        assert crop[25:].max() == 0
