"""Relations with a regression task: what they hold, what they refuse, their round trip."""

import json

import numpy as np
import pytest

from mtl_dm.relatedness import (
    RELATIONS,
    Linear,
    Moments,
    NothingSharedError,
    facs,
    relation_from_json,
)

CLASSES, VALUES = ("happy", "sad"), ("valence", "arousal")
COVARIANCE = np.array([[[0.2, 0.1], [0.1, 0.3]], [[0.1, 0.0], [0.0, 0.05]]])


def moments(**changes):
    fields = {
        "classes": CLASSES,
        "values": VALUES,
        "mean": [[0.8, 0.3], [-0.6, -0.2]],
        "covariance": COVARIANCE,
        "citation": "made up, 2024",
        **changes,
    }
    return Moments(**fields)


def linear(**changes):
    fields = {
        "attributes": ["AU6", "AU12", "AU4"],
        "values": VALUES,
        "coefficients": np.arange(6).reshape(3, 2),
        "intercept": [0.1, 0.2],
        "citation": "made up, 2024",
        **changes,
    }
    return Linear(**fields)


RELATED = {"moments": moments, "linear": linear, "probabilities": facs}


def test_every_kind_has_a_case_here():
    assert set(RELATED) == set(RELATIONS)


@pytest.mark.parametrize("kind", list(RELATIONS))
def test_every_kind_names_its_sides_and_comes_back_from_json(kind):
    relation = RELATED[kind]()
    assert isinstance(relation, RELATIONS.get(kind))
    assert relation.kind == kind
    for side, of_task in relation.sides:
        assert of_task in ("multiclass", "multilabel", "regression")
        assert all(isinstance(name, str) for name in getattr(relation, side))
    copy = RELATIONS.get(kind).from_dict(json.loads(json.dumps(relation.to_dict())))
    assert copy == relation
    assert hash(copy) == hash(relation)


def test_arrays_are_float32_and_read_only():
    for array in (moments().mean, moments().covariance, linear().coefficients, linear().intercept):
        assert array.dtype == np.float32
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_what_differs_is_not_equal():
    assert moments() != moments(mean=[[0.8, 0.3], [-0.6, -0.1]])
    assert moments() != moments(citation="another")
    assert moments() != linear()
    assert linear() != "linear"


def test_small_variances_make_a_covariance_as_large_ones_do():
    for size in (1e-6, 1e6):
        assert moments(covariance=size * COVARIANCE).covariance.max() == np.float32(0.3 * size)


def test_whitening():
    related = moments()
    got = related.whitening @ related.covariance @ np.swapaxes(related.whitening, 1, 2)
    np.testing.assert_allclose(got, np.tile(np.eye(2), (2, 1, 1)), atol=1e-6)


def test_what_two_tasks_share():
    related = moments(classes=("happy", "calm", "sad"), mean=[[1, 2], [3, 4], [5, 6]],
                      covariance=[COVARIANCE[0]] * 3, prior=[0.5, 0.25, 0.25])  # fmt: skip
    part = related.within(("sad", "happy", "angry"), ("arousal", "dominance"))
    assert (part.classes, part.values) == (("happy", "sad"), ("arousal",))
    np.testing.assert_array_equal(part.mean, [[2], [6]])
    np.testing.assert_allclose(part.covariance, np.full((2, 1, 1), 0.3))
    np.testing.assert_allclose(part.prior, [2 / 3, 1 / 3], rtol=1e-6)
    with pytest.raises(NothingSharedError, match=r"share 1 class\(es\) with \['sad'\]"):
        related.within(("sad",), ("arousal",))


@pytest.mark.parametrize("kind", list(RELATIONS))
def test_a_file_says_which_kind_of_relation_it_holds(kind, tmp_path):
    relation = RELATED[kind]()
    relation.to_json(tmp_path / "relation.json")
    assert relation_from_json(tmp_path / "relation.json") == relation


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ('{"kind": "moment"}', "Unknown kind of relation 'moment'. Known: linear, moments"),
        ('{"kind": "moments", "classes": []}', "holds no moments"),
    ],
)
def test_a_file_that_holds_none(text, message, tmp_path):
    (tmp_path / "relation.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        relation_from_json(tmp_path / "relation.json")
    with pytest.raises(FileNotFoundError, match="No relatedness file at"):
        relation_from_json(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": ("happy", "happy")}, "Moments classes must be unique"),
        ({"classes": "happy"}, "Moments classes must be a list of names, got 'happy'"),
        ({"values": []}, "Moments values must be a list of names"),
        ({"values": [1, 2]}, "Moments values must be a list of names"),
        ({"mean": [[1, 2]]}, r"Moments mean must be .* of shape \(2, 2\), got shape \(1, 2\)"),
        ({"mean": [[1, np.nan], [0, 0]]}, "with values that are not finite"),
        ({"mean": [["a", 1], [0, 0]]}, "Moments mean must hold numbers"),
        ({"covariance": np.zeros((2, 2))}, r"covariance must be .* of shape \(2, 2, 2\)"),
        ({"covariance": -COVARIANCE}, "positive definite .* of 'happy' .* least eigenvalue is -0"),
        (
            {"covariance": [COVARIANCE[0], [[1, 1], [1, 1]]]},
            "positive definite for every class; that of 'sad' .* eigenvalue is",
        ),
        ({"covariance": 0 * COVARIANCE}, "least eigenvalue is 0 beside entries up to 0"),
        ({"prior": [0.5, 0.4]}, "prior must be >= 0 and sum to 1, got"),
        ({"prior": [1.5, -0.5]}, "prior must be >= 0 and sum to 1"),
        (
            {"covariance": [[[1, 0.5], [0, 1]]] * 2},
            "must be symmetric .* of 'happy' differs from its transpose by 0.5",
        ),
    ],
)
def test_moments_that_are_none(changes, message):
    with pytest.raises(ValueError, match=message):
        moments(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"attributes": ["AU6", "AU6", "AU4"]}, "Linear attributes must be unique"),
        ({"coefficients": np.zeros((2, 3))}, r"Linear coefficients .* of shape \(3, 2\)"),
        ({"intercept": 1.0}, r"Linear intercept must be finite numbers of shape \(2,\)"),
        ({"intercept": [np.inf, 0]}, "with values that are not finite"),
    ],
)
def test_a_linear_relation_that_is_none(changes, message):
    with pytest.raises(ValueError, match=message):
        linear(**changes)
