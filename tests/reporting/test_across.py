"""Verdicts paired over columns, against SciPy and by hand."""

import re

import numpy as np
import pytest
from scipy import stats

from mtl_dm.reporting import Baselines, ReportSpec, to_frame, write_html, write_report
from mtl_dm.reporting.across import EACH, across, paired
from mtl_dm.reporting.across_text import across_table, note, sentences
from mtl_dm.reporting.comparisons import comparison_table
from mtl_dm.reporting.findings import warnings
from mtl_dm.reporting.measured import Measured
from mtl_dm.reporting.page.view import ColumnView
from mtl_dm.reporting.quantities import quantity_of
from mtl_dm.reporting.sections import verdicts
from mtl_dm.runs.cells import CellPlan, run_cell
from mtl_dm.runs.schema import Cell

F1 = ("units", "f1")
COLUMNS = ("data / a", "data / b", "data / c", "data / d")
PLAN = {
    "title": "T", "table": "t", "intro": "", "command": "", "main_metrics": {"units": ["f1"]},
    "across": "networks",
}  # fmt: skip
# Points by row, in each column two seeds that lie around its level.
LEVELS = {
    "ST": (80, 70, 60, 75),
    "NC MT": (76, 67, 55, 71),
    "ours": (79, 71, 58, 75),
    "printed": (70, 62, 49, 66),
}


def plan(rows=LEVELS, columns=COLUMNS, **changes):
    return ReportSpec(**(PLAN | {"rows": list(rows), "columns": list(columns)} | changes))


def cells(levels=LEVELS, columns=COLUMNS, seeds=2, metric="f1"):
    return [
        Cell("t", column, row, seed, None, "demo", "x (synthetic)",
             {"units": {metric: (numbers[place] + seed - 0.5) / 100}}, 1.0, 1)
        for place, column in enumerate(columns)
        for row, numbers in levels.items()
        for seed in range(seeds)
    ]  # fmt: skip


def measured(found):
    frame = to_frame(found)
    return {name: Measured(frame, name) for name in dict.fromkeys(cell.column for cell in found)}


def of(found, row, other):
    (each,) = [each for each in found if (each.row, each.other) == (row, other)]
    return each


ROWS = ("ST", "NC MT", "ours")


class TestNumbers:
    @pytest.mark.parametrize("seed", range(5))
    def test_against_scipy(self, seed):
        rng = np.random.default_rng(seed)
        ours, theirs = rng.random((2, 7))
        found = paired("ours", "NC MT", F1, list(ours - theirs), quantity_of("f1"))
        test = stats.ttest_rel(ours, theirs)
        assert found.t_test == pytest.approx(test.pvalue)
        low, high = test.confidence_interval(0.95)
        mean, half, n = found.difference
        assert (mean - half, mean + half, n) == pytest.approx((low, high, 7))
        assert found.signed_rank == pytest.approx(stats.wilcoxon(ours, theirs).pvalue)
        assert found.better == (ours > theirs).sum()

    def test_lower_may_be_better(self):
        found = paired("ours", "NC MT", F1, [-0.2, -0.1, 0.3], quantity_of("nll"))
        assert found.better == 2

    def test_without_spread_there_is_no_test(self):
        same = paired("ours", "NC MT", F1, [0.0, 0.0, 0.0], quantity_of("f1"))
        assert np.isnan([same.t_test, same.signed_rank]).all()
        assert not same.decided
        assert "p = -" in same.text

    def test_each_column_counts_once_whatever_its_seeds(self):
        # Column a has two seeds, the others one: it must not weigh more.
        found = [c for c in cells() if c.seed == 0 or c.column == COLUMNS[0]]
        each = of(across(measured(found), plan()), "NC MT", "ST")
        assert each.difference.mean == pytest.approx(-(4 + 3 + 5 + 4) / 4 / 100)
        assert each.difference.n == 4

    def test_seeds_are_paired(self):
        # Seed 1 of NC MT is missing in column a; seed 0 of both remains, 4 points apart.
        found = [c for c in cells() if (c.column, c.row, c.seed) != (COLUMNS[0], "NC MT", 1)]
        each = of(across(measured(found), plan()), "NC MT", "ST")
        assert each.difference.mean == pytest.approx(-0.04)

    def test_two_columns_say_nothing(self):
        assert across(measured(cells(columns=COLUMNS[:2])), plan(columns=COLUMNS[:2])) == []

    def test_columns_may_be_left_out(self):
        asked = plan(across_without=[COLUMNS[1]])
        each = of(across(measured(cells()), asked), "NC MT", "ST")
        assert each.difference.mean == pytest.approx(-(4 + 5 + 4) / 3 / 100)
        assert note(asked).endswith(f" Not counted: `{COLUMNS[1]}`.")
        two = plan(across_without=COLUMNS[:2])
        assert across(measured(cells()), two) == []

    @pytest.mark.parametrize(
        ("metric", "names"),
        [("recall", [EACH]), ("rmse", ["f1", "rmse"])],
        ids=["of one kind", "of another kind"],
    )
    def test_columns_may_have_metrics_of_their_own(self, metric, names):
        # Three columns of each database; an error is not averaged with a fraction.
        places = [f"{data} / {name}" for data in ("one", "two") for name in "abc"]
        levels = {"ST": (80, 70, 60) * 2, "NC MT": (76, 67, 55, 78, 69, 57)}
        found = [
            cell for which, part in (("f1", places[:3]), (metric, places[3:]))
            for cell in cells(levels, places, metric=which) if cell.column in part
        ]  # fmt: skip
        own = {column: {"units": [metric]} for column in places[3:]}
        asked = plan(levels, places, column_metrics=own)
        each = across(measured(found), asked)
        assert [one.pair[1] for one in each] == names
        assert each[0].difference.n == 6 / len(names)
        wanted = [-4, -3, -5, -2, -1, -3][: each[0].difference.n]
        assert each[0].difference.mean == pytest.approx(np.mean(wanted) / 100)
        assert "differ in data too (one, two)" in note(asked)

    def test_a_row_of_one_column_is_left_out(self):
        rows = {column: list(LEVELS)[:2] for column in COLUMNS[1:]}
        found = [c for c in cells() if c.column == COLUMNS[0] or c.row in ("ST", "NC MT")]
        pairs = {(e.row, e.other) for e in across(measured(found), plan(column_rows=rows))}
        assert pairs == {("NC MT", "ST")}


class TestSentences:
    def test_what_held_and_what_did_not(self):
        asked = plan(baselines={"ours": Baselines("ST", "NC MT", ("printed",))})
        found = sentences(across(measured(cells()), asked), asked)
        # -4, -3, -5, -4: mean 4, s = 0.816; t(0.975, 3) = 3.182; half width 1.3.
        assert found[0] == (
            "Negative transfer under `NC MT` against `ST`: yes in units f1 "
            "(-4.0 ± 1.3 points, better in 0 of 4, p = 0.002)."
        )
        # 3, 4, 3, 4 against NC MT; -1, 1, -2, 0 against ST.
        assert found[2].startswith("`ours` against `NC MT`: better in units f1 (+3.5 ± 0.9 points")
        assert ". Negative transfer: repaired in part (against `ST` not" in found[2]
        assert found[1].startswith("`ours` against `ST`: not decided in units f1 (-0.5 ± ")
        assert found[3].startswith("`ours` against `printed`: better in units f1 (+9.0 ± ")
        assert found[5].endswith(". Negative transfer: not repaired in units f1.")
        assert len(found) == 6

    @pytest.mark.parametrize(
        ("ours", "outcome"),
        [
            # Against ST: above, not decided below, decided below.
            ((80, 71, 60, 76), "repaired"),
            ((79, 71, 58, 75), "repaired in part (against `ST` not decided)"),
            ((78, 68.8, 57, 73.1), "repaired in part"),
            # Against NC MT: not decided, decided below.
            ((78, 69, 52, 70), "repair not decided"),
            ((70, 62, 49, 66), "not repaired"),
        ],
    )
    def test_what_becomes_of_negative_transfer(self, ours, outcome):
        found = sentences(across(measured(cells({**LEVELS, "ours": ours})), plan()), plan())
        assert found[2].endswith(f". Negative transfer: {outcome} in units f1.")

    def test_no_negative_transfer(self):
        levels = {"ST": LEVELS["NC MT"], "NC MT": LEVELS["ST"], "ours": LEVELS["ours"]}
        found = sentences(across(measured(cells(levels)), plan(levels)), plan(levels))
        assert found[0].startswith("Negative transfer under `NC MT` against `ST`: no, a gain, in ")
        assert not any("Negative transfer:" in line for line in found[1:])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("across")
    for cell in cells({row: LEVELS[row] for row in ROWS}, COLUMNS[1:], seeds=1):
        asked = CellPlan("t", cell.column, cell.row, 0, None, "demo", cell.dataset, {})
        run_cell(made, asked, lambda cell=cell: (cell.metrics, 1), command="")
    return made


class TestShown:
    def test_in_both_reports(self, folder):
        asked = plan(ROWS, COLUMNS[1:])
        text = write_report(folder, asked).read_text(encoding="utf-8")
        page = write_html(folder, asked).read_text(encoding="utf-8")
        assert "\n## Over 3 networks\n" in text
        assert "<h2>Over 3 networks</h2>" in page
        assert "| ours minus NC MT | units f1 | +3.3 ± 1.4 * | 3 of 3 |" in text
        assert "3 of 3" in page
        assert note(asked) in text
        assert text.index("## Over 3 networks") < text.index(f"## {COLUMNS[1]}")

    def test_two_seeds_of_a_column_decide_nothing(self, tmp_path):
        # Without three networks too: a part of them was run, or the study has just begun.
        for cell in cells({row: LEVELS[row] for row in ROWS}, COLUMNS[:1]):
            ran = CellPlan("t", cell.column, cell.row, cell.seed, None, "demo", cell.dataset, {})
            run_cell(tmp_path, ran, lambda cell=cell: (cell.metrics, 1), command="")
        asked = plan(ROWS, COLUMNS[:1])
        text = write_report(tmp_path, asked).read_text(encoding="utf-8")
        page = write_html(tmp_path, asked).read_text(encoding="utf-8")
        assert text.startswith("# T\n\n- **Nothing is decided over networks yet**: ")
        for shown in (text, page):
            assert "Nothing is decided over networks yet" in shown
            assert "This column gives levels: what is decided is decided over networks." in shown
            assert "Negative transfer" not in shown
            assert "Decided" not in shown
            assert not re.search(r"± [\d.]+ \*", shown)
        assert "minus ST" not in text
        alone = plan(ROWS, COLUMNS[:1], across="")
        text = write_report(tmp_path, alone).read_text(encoding="utf-8")
        assert "**Negative transfer**: NC MT is worse than ST" in text
        assert "-4.0 ± 0.0 *" in text

    def test_columns_may_give_levels_alone(self):
        found = cells()
        asked = plan(across="", levels=[COLUMNS[0]])
        each = measured(found)[COLUMNS[0]]
        assert not comparison_table(each, asked.for_column(COLUMNS[0]), "ST")
        assert warnings(each, asked.for_column(COLUMNS[0]))[-1] == (
            "This column gives levels: no verdict."
        )
        other = measured(found)[COLUMNS[1]]
        assert comparison_table(other, asked.for_column(COLUMNS[1]), "ST")

    def test_not_where_columns_are_no_samples(self, folder):
        silent = plan(ROWS, COLUMNS[1:], across="")
        assert "## Over" not in write_report(folder, silent).read_text(encoding="utf-8")
        assert "<h2>Over" not in write_html(folder, silent).read_text(encoding="utf-8")

    def test_three_seeds_have_a_verdict_of_their_own_too(self):
        views = [
            ColumnView(plan().for_column(name), name, values)
            for name, values in measured(cells(seeds=3)).items()
        ]
        first, listed = verdicts(views, ["Over networks."])
        assert first == []
        assert listed[0] == "Over networks."
        assert [line.partition(":")[0] for line in listed[1:]] == list(COLUMNS)
        assert verdicts(views[:1], ["Over networks."])[0] == []

    def test_no_table_without_a_comparison(self):
        assert across_table([]) == []
