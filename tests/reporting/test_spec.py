"""A plan names what things mean."""

import pytest

from mtl_dm.reporting import Baselines
from tests.reporting.fake_run import COLUMN, ROWS, spec

OTHER = "other"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": []}, "rows must be distinct"),
        ({"columns": ["a", "a"]}, "columns must be distinct"),
        ({"main_metrics": {"a": []}}, "main_metrics must give"),
        ({"published_rows": {"x": "ST"}}, "published_rows names"),
        ({"published_tasks": {"x": "classes"}}, r"published_tasks names \['x'\]"),
        ({"repeats": {"x": []}}, "repeats names"),
        ({"baselines": {"x": Baselines()}}, r"baselines names \['x'\]"),
        ({"baselines": {"ST": Baselines("x")}}, r"baselines names \['x'\]"),
        ({"baselines": {"ST": Baselines(None, "ST")}}, "compares 'ST' with itself"),
        ({"headline": {"x": "f1"}}, r"headline names \['x'\]"),
        ({"across_without": ["x"]}, r"across_without names \[.x.\]"),
        ({"watched": [("x", "f1")]}, r"watched names \['x'\]"),
        ({"change_metrics": {"x": ["f1"]}}, r"change_metrics names \['x'\]"),
    ],
)
def test_a_wrong_plan_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        spec(**changes)


def test_what_rows_are_compared_with():
    found = spec()
    assert [found.baselines_of(row) for row in ROWS] == [
        Baselines(),
        Baselines("ST"),
        Baselines("ST", "NC MT"),
    ]
    assert found.single_task_rows == ["ST"]
    assert found.compared == ["ST", "NC MT"]
    assert [found.baselines_of(row).nearest for row in ROWS] == [None, "ST", "NC MT"]


def test_a_row_may_be_compared_with_others():
    found = spec(baselines={"C MT (DM)": Baselines(uncoupled="ST", others=("NC MT", "ST"))})
    assert found.baselines_of("C MT (DM)").all == ("ST", "NC MT")
    assert found.single_task_rows == ["ST"]


def test_a_column_keeps_what_it_has():
    found = spec(
        columns=[COLUMN, OTHER],
        column_rows={OTHER: ["NC MT", "C MT (DM)"]},
        column_metrics={OTHER: {"pose": ["ccc"]}},
        watched=[("pose", "ccc"), ("expression", "accuracy")],
        headline={"expression": "accuracy", "pose": "ccc"},
        change_metrics={"expression": ["accuracy"]},
    ).for_column(OTHER)
    assert (found.rows, found.pairs) == (["NC MT", "C MT (DM)"], [("pose", "ccc")])
    # ST has no cell here: the others are not compared with it.
    assert found.baselines_of("NC MT") == Baselines()
    assert found.baselines_of("C MT (DM)") == Baselines(None, "NC MT")
    assert found.watched == [("pose", "ccc")]
    assert found.headlines == [("pose", "ccc")]
    assert found.changes == {"pose": ["ccc"]}
    assert found.published_columns == {}


def test_the_metric_that_speaks_for_a_task():
    main = {"a": ["f1", "accuracy"], "b": ["ccc"]}
    assert spec(main_metrics=main).headlines == [("a", "f1"), ("b", "ccc")]
    chosen = {"a": ["accuracy"]}
    assert spec(main_metrics=main, change_metrics=chosen).headlines == [("a", "accuracy")]
    assert spec(main_metrics=main, headline={"b": "ccc"}).headlines == [("b", "ccc")]
