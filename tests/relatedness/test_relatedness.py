import json

import numpy as np
import pytest

from mtl_dm.relatedness import NothingSharedError, Relatedness, facs

CLASSES = ("a", "b", "c")
ATTRIBUTES = ("x", "y")
CONDITIONAL = [[0.0, 1.0], [0.5, 0.25], [0.1, 0.9]]
WEIGHTS = [[0.0, 0.75], [1.0, 0.5], [0.3, 0.6]]


def build(**changes):
    fields = {
        "classes": CLASSES,
        "attributes": ATTRIBUTES,
        "conditional": CONDITIONAL,
        "weights": WEIGHTS,
        "citation": "typed by hand",
        "prior": [0.5, 0.25, 0.25],
    }
    return Relatedness(**{**fields, **changes})


def test_fields_become_float32_arrays_and_tuples():
    relatedness = build(classes=list(CLASSES))
    assert relatedness.classes == CLASSES
    assert relatedness.conditional.dtype == relatedness.prior.dtype == np.float32
    np.testing.assert_array_equal(relatedness.weights, np.float32(WEIGHTS))


def test_frozen_down_to_the_arrays_and_cut_off_from_its_source():
    source = np.array(CONDITIONAL, dtype=np.float32)
    relatedness = build(conditional=source)
    with pytest.raises(AttributeError):
        relatedness.conditional = source
    for field in ("conditional", "weights", "prior"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(relatedness, field)[0] = 0
    source[0, 0] = 1.0
    assert relatedness.conditional[0, 0] == 0.0


def test_prior_may_be_absent():
    assert build(prior=None).prior is None


@pytest.mark.parametrize("field", ["classes", "attributes"])
@pytest.mark.parametrize(
    ("names", "message"),
    [(("a", "b", "a"), r"unique names, repeated: \['a'\]"), ((), "unique names, got none")],
)
def test_bad_names(field, names, message):
    with pytest.raises(ValueError, match=f"Relatedness {field} must be {message}"):
        build(**{field: names})


@pytest.mark.parametrize("field", ["conditional", "weights"])
@pytest.mark.parametrize(
    "value",
    [np.zeros((2, 3)), np.zeros((3, 3)), np.zeros(6), np.zeros((1, 3, 2)), 0.5, []],
    ids=["transposed", "wide", "flat", "deep", "scalar", "empty"],
)
def test_wrong_shape_of_a_matrix(field, value):
    with pytest.raises(ValueError, match=rf"Relatedness {field} must have shape \(3, 2\)"):
        build(**{field: value})


@pytest.mark.parametrize("prior", [[0.5, 0.5], [[0.5, 0.25, 0.25]], 1.0])
def test_wrong_shape_of_the_prior(prior):
    with pytest.raises(ValueError, match=r"Relatedness prior must have shape \(3,\)"):
        build(prior=prior)


@pytest.mark.parametrize("field", ["conditional", "weights"])
@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan"), float("inf"), float("-inf")])
def test_a_value_outside_0_to_1_is_named(field, value):
    matrix = np.array(CONDITIONAL)
    matrix[1, 0] = value
    with pytest.raises(ValueError, match=rf"Relatedness {field} must lie in \[0, 1\].* b / x"):
        build(**{field: matrix})


@pytest.mark.parametrize("prior", [[-0.5, 1.0, 0.5], [1.5, 0.0, 0.0], [float("nan"), 0.5, 0.5]])
def test_a_prior_outside_0_to_1(prior):
    with pytest.raises(ValueError, match=r"Relatedness prior must lie in \[0, 1\].* for a "):
        build(prior=prior)


@pytest.mark.parametrize("prior", [[0.5, 0.25, 0.2], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
def test_a_prior_must_sum_to_1(prior):
    with pytest.raises(ValueError, match="prior must sum to 1"):
        build(prior=prior)


def test_equality_and_hash_follow_the_values():
    assert build() == build()
    assert hash(build()) == hash(build())
    assert build() != build(prior=None)
    assert build() != build(weights=CONDITIONAL)
    assert build() != "a relatedness"


def test_restrict_keeps_the_given_order():
    part = build().restrict(classes=["c", "a"], attributes=["y"])
    assert part.classes == ("c", "a")
    assert part.attributes == ("y",)
    np.testing.assert_array_equal(part.conditional, np.float32([[0.9], [1.0]]))
    np.testing.assert_array_equal(part.weights, np.float32([[0.6], [0.75]]))
    # p(c) : p(a) = 1/4 : 1/2, made to sum to 1.
    np.testing.assert_allclose(part.prior, [1 / 3, 2 / 3], rtol=1e-6)
    assert part.citation == "typed by hand"


def test_restrict_one_side_or_none():
    assert build().restrict() == build()
    assert build().restrict(attributes=["y", "x"]).classes == CLASSES
    np.testing.assert_array_equal(
        build().restrict(attributes=["y", "x"]).conditional, np.float32(CONDITIONAL)[:, ::-1]
    )
    assert build(prior=None).restrict(classes=["b"]).prior is None


def test_restrict_refuses_unknown_and_repeated_names():
    with pytest.raises(ValueError, match=r"no class \['d'\]. Known: \['a', 'b', 'c'\]"):
        build().restrict(classes=["a", "d"])
    with pytest.raises(ValueError, match=r"no attribute \['a'\]. Known: \['x', 'y'\]"):
        build().restrict(attributes=["a"])
    with pytest.raises(ValueError, match=r"classes must be unique names, repeated: \['a'\]"):
        build().restrict(classes=["a", "a"])
    with pytest.raises(ValueError, match="attributes must be unique names, got none"):
        build().restrict(attributes=[])


def test_within_keeps_what_two_tasks_have_in_its_own_order():
    part = build().within(["c", "other", "a"], ["y"])
    assert (part.classes, part.attributes) == (("a", "c"), ("y",))
    assert part == build().restrict(["a", "c"], ["y"])


@pytest.mark.parametrize(
    ("classes", "attributes", "message"),
    [
        (["p", "q"], ["x"], "it names a, b, c, the task has p, q"),
        (["a", "b"], ["p"], "it names x, y, the task has p"),
        (["p", "b"], ["x"], "a single class of the task, b:"),
    ],
)
def test_within_says_what_is_not_shared(classes, attributes, message):
    with pytest.raises(NothingSharedError, match=message):
        build().within(classes, attributes)


def test_restrict_to_classes_of_prior_0_says_so():
    with pytest.raises(ValueError, match="prior"):
        build(prior=[1.0, 0.0, 0.0]).restrict(classes=["b", "c"])


@pytest.mark.parametrize("relatedness", [build(), build(prior=None), facs()])
def test_json_round_trip_is_exact(tmp_path, relatedness):
    relatedness.to_json(tmp_path / "folder" / "relatedness.json")
    read = Relatedness.from_json(tmp_path / "folder" / "relatedness.json")
    assert read == relatedness
    np.testing.assert_array_equal(read.conditional, relatedness.conditional)
    np.testing.assert_array_equal(read.weights, relatedness.weights)
    assert (read.classes, read.attributes) == (relatedness.classes, relatedness.attributes)


def test_json_round_trip_of_names_beyond_ascii(tmp_path):
    relatedness = build(classes=("α", "naïve", "c"))
    relatedness.to_json(tmp_path / "file")
    assert Relatedness.from_json(str(tmp_path / "file")) == relatedness


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No relatedness file at .*absent\.json"):
        Relatedness.from_json(tmp_path / "absent.json")
    with pytest.raises(FileNotFoundError, match="No relatedness file"):
        Relatedness.from_json(tmp_path)


@pytest.mark.parametrize("content", [b"", b'{"classes": ["a"', b"\xff\xfe", b"classes,a,b"])
def test_a_file_that_is_no_json(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ValueError, match=r"relatedness file .*file is not JSON"):
        Relatedness.from_json(tmp_path / "file")


@pytest.mark.parametrize("content", ["[]", "null", "3"])
def test_a_file_that_is_no_object(tmp_path, content):
    (tmp_path / "file").write_text(content)
    with pytest.raises(ValueError, match="must hold one JSON object"):
        Relatedness.from_json(tmp_path / "file")


def damaged(**changes):
    return {**build().to_dict(), **changes}


def without(field):
    return {name: value for name, value in build().to_dict().items() if name != field}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (without("weights"), r"missing: \['weights'\]"),
        (damaged(colour="red"), r"unknown: \['colour'\]"),
        (damaged(conditional=[[0.0, 2.0]] * 3), r"conditional must lie in \[0, 1\]"),
        (damaged(conditional=[[0.0, float("nan")]] * 3), r"conditional must lie in \[0, 1\]"),
        (damaged(weights=[[0.0]]), "weights must have shape"),
        (damaged(conditional=None), "conditional must"),
        (damaged(classes=["a", "a", "b"]), "repeated"),
        (damaged(weights=[[0.0, 1.0], [0.5]]), "weights"),
        (damaged(weights="0 1"), "weights"),
        (damaged(weights={"a": 1}), "weights"),
        (damaged(classes=3), "classes"),
        (damaged(classes=None), "classes"),
        (damaged(attributes=[["x"], ["y"]]), "attributes"),
    ],
)
def test_damaged_json_is_a_value_error_that_names_the_field(tmp_path, values, message):
    (tmp_path / "file").write_text(json.dumps(values))
    with pytest.raises(ValueError, match=message):
        Relatedness.from_json(tmp_path / "file")


def test_a_file_without_prior_means_none(tmp_path):
    (tmp_path / "file").write_text(json.dumps(without("prior")))
    assert Relatedness.from_json(tmp_path / "file") == build(prior=None)


def test_a_failing_write_leaves_the_old_file(tmp_path, monkeypatch):
    build().to_json(tmp_path / "file")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        build(prior=None).to_json(tmp_path / "file")
    assert Relatedness.from_json(tmp_path / "file") == build()


COUNTS = [[1, 2], [4, 8], [10, 0]]


def test_counts_are_kept_read_only_and_follow_the_labels(tmp_path):
    relatedness = build(counts=COUNTS)
    assert relatedness.counts.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        relatedness.counts[0, 0] = 9
    part = relatedness.restrict(classes=["c", "a"], attributes=["y"])
    np.testing.assert_array_equal(part.counts, [[0], [2]])
    assert build().restrict(classes=["c"]).counts is None
    relatedness.to_json(tmp_path / "file")
    read = Relatedness.from_json(tmp_path / "file")
    assert read == relatedness
    np.testing.assert_array_equal(read.counts, relatedness.counts)
    assert relatedness != build()


def test_counts_may_be_shares_of_images():
    # As after shrinkage by 2.5 pseudo-images.
    np.testing.assert_array_equal(build(counts=np.full((3, 2), 2.5)).counts, 2.5)


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), -0.5])
def test_bad_counts_are_named(value):
    counts = np.array(COUNTS, dtype=float)
    counts[1, 1] = value
    with pytest.raises(ValueError, match=r"Relatedness counts must lie in \[0, inf\].* b / y"):
        build(counts=counts)


@pytest.mark.parametrize("counts", [np.zeros((2, 3)), np.zeros(6), 7])
def test_wrong_shape_of_the_counts(counts):
    with pytest.raises(ValueError, match=r"Relatedness counts must have shape \(3, 2\)"):
        build(counts=counts)


def test_a_file_without_counts_means_none(tmp_path):
    # Files of runs made before there were counts.
    (tmp_path / "file").write_text(json.dumps(without("counts")))
    read = Relatedness.from_json(tmp_path / "file")
    assert read == build()
    assert read.counts is None


def test_likelihood_of_a_counted_table_is_laplaces_rule_of_succession():
    # (n P + 1) / (n + 2): a / x 0 of 1 -> 1/3; a / y 2 of 2 -> 3/4; b / x 2 of 4 -> 3/6;
    # b / y 2 of 8 -> 3/10; c / x 1 of 10 -> 2/12; c / y none of none -> 1/2, whatever P says.
    got = build(counts=COUNTS).likelihood
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, [[1 / 3, 3 / 4], [1 / 2, 3 / 10], [1 / 6, 1 / 2]], rtol=1e-6)


def test_likelihood_of_many_images_is_clipped():
    # 0 of 1000: 1/1002; 1000 of 1000: 1001/1002.
    got = build(counts=np.full((3, 2), 1000)).likelihood
    np.testing.assert_allclose(got[0], [0.02, 0.98], rtol=1e-6)
    np.testing.assert_allclose(got[1], [501 / 1002, 251 / 1002], rtol=1e-6)


def test_likelihood_of_a_table_not_counted_is_drawn_in_from_0_and_1():
    got = build().likelihood
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, [[0.05, 0.95], [0.5, 0.275], [0.14, 0.86]], rtol=1e-6)
