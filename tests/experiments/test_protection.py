"""The plan that puts the default's protection to the test."""

import pytest

from experiments import coupling_study
from experiments.coupling import protection, rows, verdict
from experiments.problems import clothing_regimes
from experiments.problems.regimes import ALL
from mtl_dm.reporting import Baselines
from tests.experiments.engine import tiny


def no_problem(regime, images, repeat, fold):
    raise AssertionError("A plan makes no problem.")


@pytest.fixture(scope="module")
def columns():
    return {
        column.name.removeprefix(protection.GROUP): column
        for column in protection.columns(no_problem)
    }


def test_every_table_is_there_with_protection_and_without():
    assert set(rows.PROTECTION) <= set(verdict._COUPLED)
    for table, relatedness in rows.TABLES.items():
        assert relatedness in clothing_regimes.NAMES
        with_it, without = (rows.ROWS[rows.protection_row(table, on)] for on in (True, False))
        assert with_it.changes["relatedness"] == relatedness
        # Protected is what a user gets who says nothing.
        assert not {"trust", "gate", "rule"} & set(with_it.changes)
        assert without == with_it.but(trust=False, gate=False)
    known = rows.ROWS[rows.protection_row("known", False)]
    assert rows.ROWS[rows.FIRST_RULE] == known.but(rule="first")
    assert rows.baselines(rows.FIRST_RULE) == Baselines(*protection.BASELINES)


def test_regimes_epochs_and_folds(columns):
    assert list(columns) == [
        "halves, disjoint",
        "10% of classes",
        "10% of attributes",
        "halves, disjoint, 4 epochs",
        "halves, disjoint, 10 epochs",
        "all labels",
    ]
    for name, column in columns.items():
        assert column.group + " / " == protection.GROUP
        assert len(set(column.repeats)) == len(column.repeats) == (12 if name == ALL else 6)
        assert set(protection.BASELINES) < set(column.rows) <= set(rows.ROWS)
        assert column.problem.args[1:] == (False,)
    # On a half of repeat 0 everything was chosen.
    assert {repeat for repeat, _ in protection.SIX} == {1, 2, 3}
    assert columns["halves, disjoint, 4 epochs"].changes == {"epochs": 4}
    assert columns["halves, disjoint, 4 epochs"].problem.args[0] == "halves, disjoint"
    for name in protection.REGIMES:
        assert set(columns[name].rows) == {*protection.BASELINES, *rows.PROTECTION}
        assert columns[name].changes == {}
    assert rows.FIRST_RULE in columns[ALL].rows


def test_cost_is_that_of_the_header(columns):
    cells = sum(len(column.repeats) * len(column.rows) for column in columns.values())
    minutes = cells * protection.SECONDS / 2 / 60
    assert f"protection: {cells} cells" in coupling_study.__doc__
    assert f"{protection.SECONDS:g} seconds, two at a time: 25 minutes" in coupling_study.__doc__
    assert minutes == pytest.approx(25, abs=1)


def test_without_data_there_is_nothing_to_run(tmp_path):
    chosen = tiny.options(tmp_path, preset=protection.PRESET)
    with pytest.raises(ValueError, match="protection is of real clothing: it needs DATA_DIR"):
        coupling_study.study(chosen)
    assert list(tmp_path.iterdir()) == []
