"""dynamic.html and its figures from cells with numbers by rule."""

import re

import numpy as np
import pytest

from experiments import dynamic, dynamic_figures
from experiments.dynamic_curves import Curve, lines
from experiments.dynamic_history import Course, course_of, larger
from experiments.dynamic_page import PAGE, write_page
from experiments.dynamic_rows import (
    DYNAMIC,
    EQUAL,
    FULL,
    NAIVE,
    PRETRAINED,
    ROWS,
    SWEPT,
    SWEPT_ONCE,
    TUNED,
    UNCERTAINTY,
    WHOLE,
    static,
)
from experiments.dynamic_tables import data_table, results, weights_table
from mtl_dm.reporting import published, read_cells, to_frame
from mtl_dm.reporting.measured import Measured
from tests.experiments import dynamic_cells as cells

COLUMNS = (dynamic.DRAWN, dynamic.DRAWN_ONCE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("dynamic")
    cells.write(root, dynamic.DRAWN, WHOLE, (0, 1, 2))
    cells.write(root, dynamic.DRAWN_ONCE, (PRETRAINED, *SWEPT_ONCE))
    write_page(dynamic.TABLE, COLUMNS, SWEPT_ONCE, root)
    return root


@pytest.fixture(scope="module")
def measured(folder):
    frame = to_frame(read_cells(folder, dynamic.TABLE).cells)
    return {column: Measured(frame, column) for column in COLUMNS}


def test_page_and_figures_are_there(folder):
    page = (folder / PAGE).read_text(encoding="utf-8")
    for name in (
        dynamic_figures.SWEEP,
        dynamic_figures.WEIGHTS,
        dynamic_figures.LOSSES,
        dynamic_figures.EFFICIENT,
        dynamic_figures.VANISHING,
    ):
        assert (folder / name).read_text(encoding="utf-8").startswith("<svg")
    for number in (2, 4, 5, 6, 7):
        assert f"Figure {number}" in page
    for number in ("Table 1", "Table 2", "Tables 3 and 4"):
        assert number in page
    assert "http:" not in page.replace("http://www.w3.org", "")


def test_ten_folds_have_narrower_intervals_than_two_halves(tmp_path, monkeypatch):
    for fold in (0, 1):
        cells.write(tmp_path, dynamic.DRAWN, (PRETRAINED, TUNED), (fold,), fold)
    monkeypatch.setattr(dynamic_figures, "vanishing", lambda path: False)
    pages = []
    for ratio in (1.0, 1 / 9):
        write_page(dynamic.TABLE, COLUMNS, SWEPT_ONCE, tmp_path, test_train_ratio=ratio)
        pages.append((tmp_path / PAGE).read_text(encoding="utf-8"))
    # 50 and 51%: t(1) times 0.707 points times sqrt(1/2 + 1), and sqrt(1/2 + 1/9).
    assert "± 11.0" in pages[0] and "± 7.0" in pages[1] and "± 7.0" not in pages[0]


def test_nothing_to_draw_yet(tmp_path):
    write_page(dynamic.TABLE, COLUMNS, SWEPT_ONCE, tmp_path)
    page = (tmp_path / PAGE).read_text(encoding="utf-8")
    assert "No weights yet." in page
    assert "Figure 7" in page
    assert "Figure 2" not in page


def test_the_sweep_has_all_weights_with_bars_where_there_are_seeds(folder):
    drawn = (folder / dynamic_figures.SWEEP).read_text(encoding="utf-8")
    # A dot for each of eleven weights in two panels.
    assert len(re.findall(r'class="dot c\d"', drawn)) == 22
    assert len(re.findall(r'class="bar c\d"', drawn)) == 2 * len(FULL)


def test_databases_are_swept_apart(measured, tmp_path):
    (of_people, *_), path = measured.values(), tmp_path / "sweep.svg"
    assert dynamic_figures.sweep({"CK+": [of_people], "Oulu-CASIA": [of_people]}, path)
    titles = re.findall(r'class="title">([^<]*)<', path.read_text(encoding="utf-8"))
    assert [title.partition(":")[0] for title in titles[1:]] == ["CK+"] * 2 + ["Oulu-CASIA"] * 2


def test_a_panel_for_every_row_whose_weights_move(folder):
    drawn = (folder / dynamic_figures.WEIGHTS).read_text(encoding="utf-8")
    titles = re.findall(r'class="title">([^<]*)<', drawn)
    assert f"synthetic people: {NAIVE}" in titles
    assert not [title for title in titles if EQUAL in title or TUNED in title]


def test_results_stand_beside_what_is_printed(measured):
    tables = dict(results(measured))
    (first, second) = tables.values()
    heads = first[0]
    by_row = {line[0]: dict(zip(heads, line, strict=True)) for line in first[1:]}
    # Row n of ROWS has 50 + n, plus 0, 1, 2 points by seed: mean 51 + n, half width 2.48.
    place = list(ROWS).index(DYNAMIC)
    assert by_row[DYNAMIC]["synthetic people"] == f"{51 + place:.1f} ± 2.5"
    assert by_row[DYNAMIC]["Oulu-CASIA, printed"] == "99.14"
    assert by_row[UNCERTAINTY]["LFW, printed"] == "—"
    # Of one seed, from the other column.
    assert by_row[static(0.2)]["synthetic people"] == f"{50 + list(ROWS).index(static(0.2))}.0"
    assert by_row["FaceNet, printed"]["LFW, printed"] == "99.63"
    assert len(first) == 1 + len(ROWS) + 6
    printed = published("dynamic")
    others = set(printed[printed["task"] == "expression"]["row"])
    assert {"LBPSVM, printed", "HOG3D, printed"} <= {line[0] for line in second}
    assert len(second) == 1 + len(ROWS) + len(others) - 4


def test_who_is_in_it(folder):
    found = data_table(read_cells(folder, dynamic.TABLE).cells, COLUMNS)
    assert found[1][:5] == ["synthetic people", "240 / 2,400", "90 / 2,520", "60 / 1,260", "6,000"]
    assert found[1][5:8] == ["360", "—", "—"]
    assert found[-1][0] == "Oulu-CASIA, printed"
    assert {len(line) for line in found} == {13}
    assert len(found) == 4


def test_who_got_the_larger_weight(measured):
    course = course_of([cells.evidence(NAIVE)] * 3)
    table = weights_table({dynamic.DRAWN: {NAIVE: course}}, measured)
    # Identity is harder in two of three epochs; weights are equal in the first, which is left out,
    # identity has the larger one in the second, rightly, and in the third, wrongly.
    assert table[1][:4] == [f"synthetic people: {NAIVE}", "0.60", "0.70", "50"]
    gap = list(ROWS).index(NAIVE) - list(ROWS).index(EQUAL)
    assert table[1][4] == f"+{gap:.1f} ± 0.0"


def test_weights_are_over_their_sum():
    course = Course(np.ones((1, 2, 2)), np.full((1, 2, 2), 0.5))
    found = larger(course)
    assert found.identity == 0.5
    assert np.isnan(found.to_harder)
    assert larger(Course(np.ones((1, 2, 2)), None)) is None
    content = cells.evidence(UNCERTAINTY)
    (part,) = content["history"]
    part["balance"] = {"identity_weight": [3.0, 1.0, 0.0], "expression_weight": [1.0, 1.0, 2.0]}
    np.testing.assert_allclose(course_of([content]).weights[0, :, 0], [0.75, 0.5, 0.0])


def test_losses_of_single_networks_are_put_together():
    parts = [
        {"epochs": [1, 2], "terms": {"identity": [2.0, 1.0], "loss": [2.0, 1.0]}},
        {"epochs": [1, 2], "terms": {"expression": [4.0, None], "loss": [4.0, None]}},
    ]
    losses = course_of([{"history": parts}]).losses
    np.testing.assert_array_equal(losses, [[[2.0, 4.0], [1.0, np.nan]]])
    assert course_of([]) is None


def test_a_frame_without_a_point():
    with pytest.raises(ValueError, match="Nothing to draw: 'nothing' has no point"):
        lines([Curve("a", "c1", [], [], [], [])], "epoch", "nothing")
    assert all(row in ROWS for row in SWEPT)
