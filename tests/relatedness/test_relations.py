"""Relations with a regression task: what they hold, what they refuse, their round trip."""

import json

import numpy as np
import pytest

from mtl_dm.relatedness import RELATIONS, Linear, Moments, facs

CLASSES, VALUES = ("happy", "sad"), ("valence", "arousal")
COVARIANCE = np.array([[[0.2, 0.1], [0.1, 0.3]], [[0.1, 0.0], [0.0, 0.0]]])


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


def test_a_covariance_of_rank_0_or_1_is_one():
    ones = np.ones((2, 2, 2))
    assert moments(covariance=ones).covariance.shape == (2, 2, 2)
    moments(covariance=0 * ones)


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
        ({"covariance": -COVARIANCE}, "positive semi-definite .* least eigenvalue is -0"),
        (
            {"covariance": [[[1, 0.5], [0, 1]]] * 2},
            "must be symmetric .* differs from its transpose by 0.5",
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
