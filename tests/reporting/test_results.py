import math

import pandas as pd
import pytest

from mtl_dm.reporting import RESULT_COLUMNS, read_cells, read_results, to_frame, write_results
from tests.reporting.fake_run import cell, write


def frame_of(folder, *cells):
    return to_frame(read_cells(write(folder, *cells)).cells)


def with_metric(name, value):
    return cell("ST", metrics={"valence_arousal": {name: value}})


def test_no_cells_give_an_empty_frame():
    assert tuple(to_frame([]).columns) == RESULT_COLUMNS


def test_only_measured_values_become_lines(tmp_path):
    metrics = {"a": {"f1": 0.25, "accuracy": math.nan, "afa": None}}
    frame = frame_of(tmp_path, cell("ST", metrics=metrics))
    assert frame[["task", "metric", "value"]].to_numpy().tolist() == [["a", "f1", 0.25]]


@pytest.mark.parametrize(
    ("metric", "value"), [("f1", -0.1), ("accuracy", 61.0), ("ccc", -1.1), ("f1", math.inf)]
)
def test_values_out_of_range_are_refused_by_name(tmp_path, metric, value):
    with pytest.raises(ValueError, match=f"ST, seed 0.*{metric}.*must lie in"):
        frame_of(tmp_path, with_metric(metric, value))


@pytest.mark.parametrize("metric", ["ccc", "ccc/valence", "ccc_valence"])
def test_ccc_may_be_negative(tmp_path, metric):
    assert frame_of(tmp_path, with_metric(metric, -0.5))["value"].tolist() == [-0.5]


def test_rounding_dust_is_cut_off(tmp_path):
    assert frame_of(tmp_path, with_metric("f1", 1.0 + 1e-7))["value"].tolist() == [1.0]


def test_round_trip_is_exact(tmp_path):
    awkward = cell("ST", metrics={"a": {"f1": 1 / 3}}) | {"row": "None", "column": 'x, "y" / z'}
    frame = frame_of(tmp_path, awkward, cell("NC MT", seed=3, fold=1), cell("ST", seed=2))
    write_results(tmp_path / "results.csv", frame)
    pd.testing.assert_frame_equal(read_results(tmp_path / "results.csv"), frame)


def test_the_same_cells_give_the_same_bytes(tmp_path):
    cells = [cell("ST", seed) for seed in range(3)] + [cell("ST", 0, 1)]
    frame = frame_of(tmp_path, *cells)
    write_results(tmp_path / "a.csv", frame)
    write_results(tmp_path / "b.csv", frame.sample(frac=1.0, random_state=0))
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "results.csv"
    write_results(path, to_frame([]))
    before = path.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_results(path, frame_of(tmp_path, cell("ST")))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["results.csv"]


def test_wrong_columns_are_refused(tmp_path):
    path = tmp_path / "results.csv"
    path.write_text("table,value\na,1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="must have the columns"):
        read_results(path)
    with pytest.raises(ValueError, match="must have the columns"):
        write_results(path, to_frame([]).drop(columns="fold"))


def test_a_value_edited_out_of_range_is_refused(tmp_path):
    path = tmp_path / "results.csv"
    write_results(path, frame_of(tmp_path, with_metric("f1", 0.25)))
    path.write_text(path.read_text(encoding="utf-8").replace("0.25", "25"), encoding="utf-8")
    with pytest.raises(ValueError, match="line 2: 'f1' must lie in"):
        read_results(path)


@pytest.mark.parametrize(
    ("before", "after"),
    [(",0.25", ",a"), (",1,0.25", ",x,0.25"), (",1,0.25", f",{10**30},0.25")],
)
def test_what_is_no_number_is_refused(before, after, tmp_path):
    path = tmp_path / "results.csv"
    measured = cell("ST", metrics={"a": {"f1": 0.25}}, fold=1)
    write_results(path, frame_of(tmp_path, measured))
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(ValueError, match=r"results\.csv holds what is no number of its kind"):
        read_results(path)


def test_what_is_no_table_is_refused(tmp_path):
    path = tmp_path / "results.csv"
    for content in (b"", b"\xff\xfe", b'"'):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"results\.csv (is no table|must have the columns)"):
            read_results(path)


def test_missing_results_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="run the study first"):
        read_results(tmp_path / "results.csv")
