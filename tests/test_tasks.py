import json

import pytest

from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task, by_name


def test_label_order_is_the_contract():
    assert EXPRESSIONS == (
        "neutral", "happiness", "sadness", "fear", "anger", "surprise", "disgust",
    )  # fmt: skip
    assert ACTION_UNITS == (
        "AU1", "AU2", "AU4", "AU5", "AU6", "AU7", "AU9", "AU10", "AU11", "AU12", "AU15", "AU17",
        "AU20", "AU23", "AU24", "AU25", "AU26",
    )  # fmt: skip


def test_multiclass():
    task = Task.multiclass("expression", ["a", "b", "c"], label_smoothing=0.3, weight=2.0)
    assert (task.kind, task.size, task.mask_shape) == ("multiclass", 3, ())
    assert task.labels == ("a", "b", "c")
    assert (task.label_smoothing, task.weight) == (0.3, 2.0)


def test_multilabel():
    task = Task.multilabel("units", ["a", "b"], reduction="sum", weight=0.5)
    assert (task.kind, task.size, task.mask_shape) == ("multilabel", 2, (2,))
    assert (task.reduction, task.weight) == ("sum", 0.5)


def test_regression():
    task = Task.regression("affect", ["valence", "arousal"], weight=3.0)
    assert (task.kind, task.size, task.mask_shape) == ("regression", 2, (2,))
    assert task.weight == 3.0


def test_defaults_are_the_printed_objective():
    task = Task.multilabel("units", ["a"])
    assert (task.weight, task.reduction, task.label_smoothing) == (1.0, "mean", 0.0)


def test_a_task_cannot_be_changed():
    task = Task.multiclass("expression", ["a", "b"])
    with pytest.raises(AttributeError):
        task.name = "other"


def test_tasks_are_values():
    one, two = (Task.multiclass("expression", labels) for labels in (["a", "b"], ("a", "b")))
    assert one == two
    assert hash(one) == hash(two)
    assert one != Task.multiclass("expression", ["b", "a"])


@pytest.mark.parametrize("name", ["", "two words", "1st", "a-b", None, 3])
def test_bad_name(name):
    with pytest.raises(ValueError, match="name must be a Python identifier"):
        Task.multiclass(name, ["a", "b"])


def test_bad_kind_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'multiclass', 'multilabel' or 'regression'.*'ranking'"):
        Task("x", "ranking", ("a", "b"))


@pytest.mark.parametrize(
    ("build", "labels"),
    [
        (Task.multiclass, []),
        (Task.multiclass, ["only"]),
        (Task.multilabel, []),
        (Task.regression, []),
    ],
)
def test_too_few_labels(build, labels):
    with pytest.raises(ValueError, match=r"Task 'x': .* needs at least"):
        build("x", labels)


@pytest.mark.parametrize("build", [Task.multilabel, Task.regression])
def test_one_label_is_enough_for_independent_labels(build):
    assert build("x", ["only"]).size == 1


@pytest.mark.parametrize("labels", [["a", ""], ["a", 3], ["a", None]])
def test_labels_must_be_non_empty_strings(labels):
    with pytest.raises(ValueError, match="Task 'x': labels must be non-empty strings"):
        Task.multiclass("x", labels)


@pytest.mark.parametrize("build", [Task.multiclass, Task.multilabel, Task.regression])
def test_repeated_labels_are_named(build):
    with pytest.raises(ValueError, match=r"labels must be unique, repeated: \['a', 'c'\]"):
        build("x", ["c", "a", "b", "a", "c"])


@pytest.mark.parametrize("weight", [-0.1, float("nan"), float("inf"), float("-inf")])
def test_bad_weight(weight):
    with pytest.raises(ValueError, match="Task 'x': weight must be finite and >= 0"):
        Task.regression("x", ["a"], weight=weight)


def test_a_weight_of_zero_is_allowed():
    assert Task.regression("x", ["a"], weight=0.0).weight == 0.0


@pytest.mark.parametrize("smoothing", [-0.1, 1.0, 1.5, float("nan")])
def test_bad_label_smoothing(smoothing):
    with pytest.raises(ValueError, match=r"label_smoothing must be in \[0, 1\)"):
        Task.multiclass("x", ["a", "b"], label_smoothing=smoothing)


@pytest.mark.parametrize(
    ("prior", "match"),
    [
        ([[1.0, 0.0]], r"2 rows of 2 numbers, got rows of \[2\]"),
        ([[1.0, 0.0], [1.0]], r"got rows of \[2, 1\]"),
        ([], r"got rows of \[\]"),
        ([[1.0, 0.0], [-0.1, 0.5]], r"entries >= 0 .* got \[-0.1, 0.5\] for 'b'"),
        ([[0.7, 0.4], [0.5, 0.5]], r"a sum in \(0, 1\], got \[0.7, 0.4\] for 'a'"),
        ([[0.0, 0.0], [0.5, 0.5]], r"a sum in \(0, 1\]"),
        ([[float("nan"), 0.0], [0.5, 0.5]], r"for 'a'"),
    ],
)
def test_bad_smoothing_prior(prior, match):
    with pytest.raises(ValueError, match=f"Task 'x': smoothing_prior.*{match}"):
        Task.multiclass("x", ["a", "b"], label_smoothing=0.1, smoothing_prior=prior)


def test_a_smoothing_prior_without_smoothing_would_do_nothing():
    prior = [[0.9, 0.1], [0.3, 0.5]]
    with pytest.raises(ValueError, match=r"smoothing_prior spreads label_smoothing, .* got 0"):
        Task.multiclass("x", ["a", "b"], smoothing_prior=prior)


def test_a_smoothing_prior_is_for_classes():
    with pytest.raises(ValueError, match="is for multiclass tasks, not for a regression one"):
        Task.regression("x", ["a"]).replace(smoothing_prior=((1.0,),))


def test_a_task_without_a_smoothing_prior_is_written_as_it_always_was():
    assert "smoothing_prior" not in Task.multiclass("x", ["a", "b"]).to_dict()


def test_bad_reduction():
    with pytest.raises(ValueError, match="reduction must be 'mean' or 'sum', got 'max'"):
        Task.multilabel("x", ["a"], reduction="max")


@pytest.mark.parametrize(
    "task",
    [
        Task.multiclass("x", ["a", "b"], label_smoothing=0.1, weight=2.0),
        Task.multiclass("x", ["a", "b"], 0.1, smoothing_prior=[[0.9, 0.1], [0.3, 0.5]]),
        Task.multilabel("x", ["a", "b"], reduction="sum", weight=0.0),
        Task.regression("x", ["a"], weight=0.25),
        Task.regression("x", ["a"], bounds=(-1, 1)),
    ],
    ids=lambda task: task.kind,
)
def test_round_trip_through_json(task):
    assert Task.from_dict(json.loads(json.dumps(task.to_dict()))) == task


def test_a_task_without_bounds_is_written_as_it_always_was():
    assert "bounds" not in Task.regression("x", ["a"]).to_dict()


@pytest.mark.parametrize("bounds", [(1, -1), (0, 0), (0, float("inf")), (0,), (0, 1, 2)])
def test_bounds_are_two_numbers(bounds):
    with pytest.raises(ValueError, match="bounds must be two finite numbers, low < high, got"):
        Task.regression("x", ["a"], bounds=bounds)


def test_bounds_are_for_regressions():
    with pytest.raises(ValueError, match="bounds are for regression tasks, not for a multilabel"):
        Task.multilabel("x", ["a"]).replace(bounds=(0.0, 1.0))


def test_from_dict_checks():
    values = {**Task.multiclass("x", ["a", "b"]).to_dict(), "labels": ["a", "a"]}
    with pytest.raises(ValueError, match="labels must be unique"):
        Task.from_dict(values)


def test_replace_changes_a_copy_and_checks():
    task = Task.multiclass("x", ["a", "b"])
    assert task.replace(weight=0.5) == Task.multiclass("x", ["a", "b"], weight=0.5)
    assert task.weight == 1.0
    with pytest.raises(ValueError, match="weight"):
        task.replace(weight=-1.0)


def test_by_name_keeps_the_order():
    tasks = [Task.multilabel("b", ["l"]), Task.regression("a", ["l"])]
    assert list(by_name(tasks)) == ["b", "a"]
    assert by_name(tasks)["a"] is tasks[1]


def test_by_name_refuses_no_task():
    with pytest.raises(ValueError, match="At least one task"):
        by_name([])


def test_by_name_names_what_repeats():
    tasks = [Task.multilabel(name, ["l"]) for name in ("a", "b", "a")]
    with pytest.raises(ValueError, match=r"unique, repeated: \['a'\]"):
        by_name(tasks)
