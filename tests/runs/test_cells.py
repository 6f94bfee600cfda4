import dataclasses
import json
import math

import pytest

from mtl_dm.runs.cells import CellPlan, is_finished, run_cell
from mtl_dm.runs.reading import read_cells

PLAN = CellPlan(
    table="table2",
    column="faces A / net B",
    row="C MT (DB, bernoulli + distillation)",
    seed=0,
    fold=None,
    preset="demo",
    dataset="synthetic_faces (synthetic)",
    config={"epochs": 2, "datasets": ("a", "b"), "relatedness": None},
)
METRICS = {"expression": {"accuracy": 0.25, "f1": float("nan"), "f1/fear": 0.5}}


class Measure:
    """Counts its calls."""

    def __init__(self, metrics=METRICS):
        self.calls = 0
        self.metrics = metrics

    def __call__(self):
        self.calls += 1
        return self.metrics, 7


def compute(folder, plan=PLAN, metrics=METRICS):
    """Return how often `measure` ran."""
    measure = Measure(metrics)
    computed = run_cell(folder, plan, measure, command="make it", progress="[1/2]")
    assert computed == bool(measure.calls)
    return measure.calls


def changed(**config):
    return dataclasses.replace(PLAN, config={**PLAN.config, **config})


def test_is_read_back(tmp_path, capsys):
    assert compute(tmp_path) == 1
    cells, damaged = read_cells(tmp_path, "table2")
    assert damaged == []
    (cell,) = cells
    for field in ("table", "column", "row", "seed", "fold", "preset", "dataset"):
        assert getattr(cell, field) == getattr(PLAN, field)
    assert cell.metrics["expression"]["accuracy"] == 0.25
    assert cell.metrics["expression"]["f1/fear"] == 0.5
    assert math.isnan(cell.metrics["expression"]["f1"])
    assert cell.steps == 7
    assert cell.seconds >= 0
    assert cell.record["command"] == "make it"
    assert {"commit", "versions"} < set(cell.record)
    assert "[1/2] C MT (DB, bernoulli + distillation)" in capsys.readouterr().out


def test_nan_is_null_in_strict_json(tmp_path):
    compute(tmp_path)

    def no_constant(name):
        raise AssertionError(name)

    text = PLAN.path(tmp_path).read_text(encoding="utf-8")
    content = json.loads(text, parse_constant=no_constant)
    assert content["metrics"]["expression"]["f1"] is None


def test_a_finished_cell_is_not_repeated(tmp_path, capsys):
    compute(tmp_path)
    before = PLAN.path(tmp_path).read_bytes()
    assert compute(tmp_path, metrics={}) == 0
    assert PLAN.path(tmp_path).read_bytes() == before
    assert "finished before" in capsys.readouterr().out


def test_other_cells_are_computed(tmp_path):
    others = [
        dataclasses.replace(PLAN, **changes)
        for changes in (
            {"seed": 1},
            {"fold": 0},
            {"fold": 1},
            {"row": "ST"},
            {"column": "faces A"},
        )
    ]
    assert [compute(tmp_path, plan) for plan in [PLAN, *others]] == [1] * 6
    assert len(read_cells(tmp_path).cells) == 6


def test_an_interrupted_cell_leaves_nothing(tmp_path):
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_cell(tmp_path, PLAN, interrupted, command="")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert compute(tmp_path) == 1


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"epochs": 3}, "epochs is 2 there, 3 now"),
        ({"relatedness": "facs"}, "relatedness is None there, 'facs' now"),
        ({"new": 1}, "new is None there, 1 now"),
        ({"epochs": 3, "datasets": ()}, r"all that differ: \['datasets', 'epochs'\]"),
    ],
)
def test_another_configuration_is_refused(tmp_path, config, message):
    compute(tmp_path)
    with pytest.raises(ValueError, match=message) as error:
        compute(tmp_path, changed(**config))
    assert "another configuration" in str(error.value)
    assert compute(tmp_path) == 0


@pytest.mark.parametrize("off", [None, False, [], {}, ""])
def test_a_cell_may_be_older_than_an_option_that_is_off(tmp_path, off):
    compute(tmp_path)
    assert compute(tmp_path, changed(new=off)) == 0
    assert (
        compute(tmp_path, dataclasses.replace(PLAN, config={"epochs": 2, "datasets": ["a", "b"]}))
        == 0
    )


def test_a_cell_of_before_is_put_into_the_words_of_today(tmp_path):
    compute(tmp_path, changed(brake=True))
    plan = changed(gate=True)
    with pytest.raises(ValueError, match="brake is True there, None now"):
        is_finished(tmp_path, plan)

    def upgraded(config):
        return {{"brake": "gate"}.get(name, name): value for name, value in config.items()}

    assert is_finished(tmp_path, plan, upgraded)
    assert not run_cell(tmp_path, plan, Measure(), command="make it", upgraded=upgraded)


@pytest.mark.parametrize("text", ["", '{"table": "table2", "rec', "[]", "{}", '{"record": {}}'])
def test_a_damaged_cell_is_computed_again(tmp_path, text, capsys):
    path = PLAN.path(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    assert compute(tmp_path) == 1
    assert f"{path} is damaged" in capsys.readouterr().out
    assert len(read_cells(tmp_path).cells) == 1


@pytest.mark.parametrize(
    "damage",
    [
        {"metrics": None},
        {"metrics": {}},
        {"record": {"config": None}},
        {"seconds": "long"},
        {"steps": None},
        {"column": ""},
        {"fold": "0"},
    ],
    ids=str,
)
def test_what_the_report_cannot_read_is_computed_again(tmp_path, damage):
    compute(tmp_path)
    path = PLAN.path(tmp_path)
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | damage), encoding="utf-8")
    assert compute(tmp_path) == 1
    assert read_cells(tmp_path).damaged == []
