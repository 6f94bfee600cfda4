"""What the numbers of a metric are."""

import math

import pytest

from mtl_dm.reporting import Quantity, read_results, to_frame, write_results
from mtl_dm.reporting.measured import Summary
from mtl_dm.reporting.quantities import CORRELATION, ERROR, ERROR_RATE, FRACTION, quantity_of
from mtl_dm.reporting.tables import shown
from mtl_dm.runs.reading import read_cells
from tests.reporting.fake_run import cell, write


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("accuracy", FRACTION),
        ("f1/AU1", FRACTION),
        ("base_rate/AU1", FRACTION),
        ("ccc", CORRELATION),
        ("ccc_valence", CORRELATION),
        ("ccc/arousal", CORRELATION),
        ("rmse_arousal", ERROR),
        ("squared_error", ERROR),
        ("eer", ERROR_RATE),
        ("error_rate", ERROR_RATE),
    ],
)
def test_the_name_says_it(metric, expected):
    assert quantity_of(metric) == expected


@pytest.mark.parametrize(
    ("metric", "signed", "expected"),
    [
        ("accuracy", False, "25.0 ± 1.0"),
        ("accuracy", True, "+25.0 ± 1.0"),
        ("ccc", False, "0.250 ± 0.010"),
        ("rmse", True, "+0.250 ± 0.010"),
    ],
)
def test_shown_in_its_unit(metric, signed, expected):
    assert shown(Summary(0.25, 0.01, 3), quantity_of(metric), signed) == expected
    assert shown(Summary(0.25, math.nan, 1), FRACTION) == "25.0"


def test_errors_stand_in_the_results_in_their_unit(tmp_path):
    metrics = {"valence_arousal": {"rmse": 1.75, "ccc": -0.5, "degrees": 12.5}}
    cells = read_cells(write(tmp_path, cell("ST", metrics=metrics))).cells
    with pytest.raises(ValueError, match=r"'degrees' must lie in \[0, 1\], got 12.5"):
        to_frame(cells)
    kinds = {"degrees": Quantity(0.0, 180.0, higher_is_better=False)}
    frame = to_frame(cells, kinds)
    assert dict(zip(frame["metric"], frame["value"], strict=True)) == metrics["valence_arousal"]
    write_results(tmp_path / "results.csv", frame)
    assert read_results(tmp_path / "results.csv", kinds).equals(frame)


@pytest.mark.parametrize("value", [-0.1, math.inf])
def test_an_error_that_is_none(tmp_path, value):
    cells = read_cells(write(tmp_path, cell("ST", metrics={"a": {"mae": value}}))).cells
    with pytest.raises(ValueError, match="'mae' must lie in"):
        to_frame(cells)
