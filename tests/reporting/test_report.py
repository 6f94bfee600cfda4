import dataclasses
from xml.etree import ElementTree

import pytest

from mtl_dm.reporting import (
    read_cells,
    read_results,
    summary_text,
    to_frame,
    write_report,
)
from tests.reporting.fake_run import COLUMN, ROWS, cell, spec, write

ALL = [cell(row, seed) for row in ROWS for seed in range(3)]


def report(folder, *cells, **changes):
    return write_report(write(folder, *cells), spec(**changes)).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return folder, report(folder, *ALL)


def test_main_table_holds_the_measured_numbers(full):
    # ST: 50, 51, 52 -> mean 51, s = 1, half width 4.3027 / sqrt(3) = 2.5.
    # NC MT: delta_m of seed 0: mean((45-50)/50, (44-40)/40) = 0; seed 1: (-5/51 + 4/41)/2 =
    # -0.0239 %; seed 2: (-5/52 + 4/42)/2 = -0.0458 %: mean -0.0232 -> -0.0, written +0.0.
    assert "| ST | 51.0 ± 2.5 | 41.0 ± 2.5 | 3 | — |" in full[1]
    assert "| NC MT | 46.0 ± 2.5 | 45.0 ± 2.5 | 3 | +0.0 ± 0.1 |" in full[1]


def test_differences_are_paired_so_that_the_seed_cancels(full):
    # Every seed shifts all rows alike: the difference has no spread, unlike the rows.
    assert "| C MT (DM) | +10.0 ± 0.0 * | -30.0 ± 0.0 * |" in full[1]
    assert "| C MT (DM) | +15.0 ± 0.0 * | -34.0 ± 0.0 * |" in full[1]


def test_collapse_and_negative_transfer_are_flagged(full):
    findings = full[1].split("### Findings")[1]
    lines = [line for line in findings.splitlines() if line.startswith("- **")]
    assert lines == [
        "- **Collapse**: C MT (DM) has action_units f1 11.0 ± 2.5, below half of ST's 41.0 ± 2.5 "
        "and of NC MT's 45.0 ± 2.5.",
        "- **Negative transfer**: NC MT is worse than ST in expression accuracy by 5.0 ± 0.0 "
        "points.",
        "- **Negative transfer**: C MT (DM) is worse than ST in action_units f1 by 30.0 ± 0.0 "
        "points.",
    ]


def test_published_numbers_are_marked(full):
    _, text = full
    mark = "### Published in the paper (other data, other network; not measured here)"
    assert mark in text
    # The printed (33.7 - 35.9)/35.9 and (52.0 - 49.9)/49.9: mean -0.96 %.
    assert "| NC MT | 33.7 / 52.0 (Δm -1.0) |" in text.split(mark)[1]
    assert "33.7" not in text.split(mark)[0]


def test_labels_stand_in_natural_order_with_base_rates(full):
    # 2p / (1 + p): p = 0.1 -> 18.2; p = 0.5 -> 66.7.
    text = full[1]
    assert "| AU2 | 10.0 | 18.2 | 20.0 | 22.0 | 5.0 |" in text
    assert "| AU10 | 50.0 | 66.7 | 41.0 | 45.0 | 11.0 |" in text
    assert text.index("| AU2 |") < text.index("| AU10 |")


def test_origin_is_stated(full):
    for part in (
        "Preset `demo`. **Synthetic data**",
        "- Command: `make reproduce-table2`",
        "- Commit: `abc1234`",
        "- Versions: keras 3.1, python 3.11",
        "- Seeds: 0, 1, 2; folds: none",
        "- Cost: 22.5 seconds and 90 steps for 9 cells",
    ):
        assert part in full[1]
    assert "Not finished" not in full[1]


def test_results_and_pictures_are_written(full):
    folder, text = full
    cells = to_frame(read_cells(folder).cells)
    assert read_results(folder / "results.csv").equals(cells)
    images = sorted(path.name for path in folder.glob("*.svg"))
    assert len(images) == 2
    assert all(f"]({name})" in text for name in images)
    assert all(ElementTree.parse(folder / name).getroot().tag.endswith("svg") for name in images)
    assert list(folder.glob("*.png")) == []


def test_what_is_decided_comes_first(full):
    lines = [line for line in full[1].splitlines() if line]
    assert lines[0] == "# Table 2"
    assert lines[1].startswith("**Decided** (3 seeds, 95% intervals of paired differences): ")
    assert full[1].index("**Decided**") < full[1].index("> Preset")


def test_what_is_not_decided_is_folded(tmp_path):
    # NC MT - ST in accuracy: +1, -1 points: open. In f1 +4 both times: decided.
    cells = [cell("ST"), cell("ST", 1), cell("NC MT"), cell("NC MT", 1)]
    for each, accuracy in zip(cells, (0.5, 0.5, 0.51, 0.49), strict=True):
        each["metrics"]["expression"]["accuracy"] = accuracy
    text = report(tmp_path, *cells)
    start = text.index("<details><summary>What is not decided</summary>\n\n")
    folded = text[start : text.index("</details>")].splitlines()[2:-1]
    # s = sqrt(2) points, t(0.975, 1) = 12.7062: half width 12.7062.
    assert folded == ["- NC MT minus ST: expression accuracy +0.0 ± 12.7"]
    assert "altogether 1 of 2 comparisons, listed under Findings" in text


def test_the_same_run_gives_the_same_files(full, tmp_path):
    folder, text = full
    assert report(tmp_path, *ALL) == text
    for path in folder.glob("*.svg"):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_missing_damaged_and_other_cells_are_listed(tmp_path):
    write(tmp_path, cell("ST"), cell("ST", 1), cell("NC MT"), cell("ST", column="other"))
    (tmp_path / "cells" / "bad.json").write_text("{", encoding="utf-8")
    text = write_report(tmp_path, spec()).read_text(encoding="utf-8")
    assert f"- {COLUMN}, NC MT: seed 1\n- {COLUMN}, C MT (DM): seed 0, seed 1\n" in text
    assert "| C MT (DM) | — | — | — | — |" in text
    assert "- `cells/bad.json`" in text
    assert "## In results.csv but not shown here\n\n- other, ST" in text


def test_planned_repeats_count_as_missing(tmp_path):
    text = report(tmp_path, cell("ST"), repeats={COLUMN: [(0, None), (0, 1)]}, rows=["ST"])
    assert f"- {COLUMN}, ST: seed 0 fold 1\n" in text


def test_one_seed_has_no_interval(tmp_path):
    text = report(tmp_path, *(cell(row) for row in ROWS))
    assert "**One seed: no confidence interval can be given.**" in text
    assert "| ST | 50.0 | 40.0 | 1 | — |" in text
    assert "**One seed decides nothing**" in text.split("> Preset")[0]
    assert "- C MT (DM) minus NC MT: expression accuracy +15.0, action_units f1 -34.0" in text
    assert "**Negative transfer**" not in text


def test_folds_get_the_corrected_interval(tmp_path):
    # Folds 50, 52: s = sqrt(2), t(0.975, 1) = 12.7062; 12.7062 * sqrt(2) * sqrt(1/2 + 1) = 22.0.
    text = report(tmp_path, cell("ST", 0, 0), cell("ST", 0, 1))
    assert "| ST | 51.0 ± 22.0 |" in text
    assert "Nadeau and Bengio 2003" in text


def test_nothing_measured_is_said(tmp_path):
    text = report(tmp_path)
    assert "**Nothing has been measured yet.**" in text
    assert f"- {COLUMN}, ST: every seed" in text
    assert list(tmp_path.glob("*.svg")) == []


@pytest.mark.parametrize(
    ("datasets", "expected"),
    [
        (["cad (real)"], "**Real data** (`cad (real)`)"),
        (["cad (real)", "faces (synthetic)"], "**Real and synthetic data, column by column**"),
        (["cad"], "**The records do not say whether all data are real**"),
    ],
)
def test_real_synthetic_and_unknown_data(tmp_path, datasets, expected):
    cells = [cell("ST", seed, dataset=name) for seed, name in enumerate(datasets)]
    assert expected in report(tmp_path, *cells)


def test_mixed_presets_and_commits_are_pointed_out(tmp_path):
    other = cell("ST", 1, preset="paper", record={"commit": "def", "command": "make x"})
    text = report(tmp_path, cell("ST"), other)
    assert "Preset `demo`, `paper`. **Different presets are mixed here.**" in text
    assert "- Commit: `abc1234`, `def` (cells of several commits)" in text
    assert "- Cells were trained by: `make x`" in text


def test_a_pipe_in_a_name_keeps_the_table_whole(tmp_path):
    text = report(tmp_path, cell("ST") | {"row": "a|b"}, rows=["a|b"], baseline_row="a|b")
    assert "| a\\|b | 50.0 |" in text


def test_a_baseline_at_zero_has_no_relative_change(tmp_path):
    zero = cell("ST", metrics={"expression": {"accuracy": 0.0}, "action_units": {"f1": 0.4}})
    assert "| NC MT | 45.0 | 44.0 | 1 | — |" in report(tmp_path, zero, cell("NC MT"))


def test_summary_text_is_aligned(full):
    text = summary_text(to_frame(read_cells(full[0]).cells), spec())
    lines = text.splitlines()
    assert lines[0] == COLUMN
    assert "51.0 ± 2.5" in lines[2]
    assert len({len(line) for line in lines[2:]}) == 1


def test_unknown_published_columns_list_the_known_ones(tmp_path):
    plan = dataclasses.replace(spec(), published_columns={COLUMN: ["nowhere"]})
    with pytest.raises(ValueError, match=r"nowhere.*Known: .*TMIF-FEA"):
        write_report(write(tmp_path, cell("ST")), plan)


TUNED = {"main_metrics": {"expression": ["accuracy"], "action_units": ["f1", "f1_tuned"]}}


def test_chosen_thresholds_stand_beside_one_half(tmp_path):
    lines = [cell(row) for row in ROWS]
    for line in lines:
        line["metrics"]["action_units"] |= {"f1_tuned": 0.55, "f1_tuned/AU2": 0.6}
    text = report(tmp_path, *lines, **TUNED)
    assert "| row | expression accuracy | action_units f1 | action_units f1_tuned | n |" in text
    assert "| C MT (DM) | 60.0 | 10.0 | 55.0 | 1 |" in text
    assert "`_tuned`: at thresholds chosen on data held out of training, never on the test" in text
    results = read_results(tmp_path / "results.csv")
    assert set(results[results["metric"] == "f1_tuned"]["value"]) == {0.55}
    assert "f1_tuned/AU2" in set(results["metric"])
    # Labels of one metric are not taken for those of the other.
    assert text.count("| AU2 |") == 1


def test_a_column_without_chosen_thresholds_says_so(tmp_path):
    text = report(tmp_path, *(cell(row) for row in ROWS), **TUNED)
    assert "| C MT (DM) | 60.0 | 10.0 | — | 1 |" in text
    assert "`_tuned`: no thresholds were chosen in this column, all numbers are at 0.5." in text


def test_a_report_at_one_half_alone_does_not_mention_thresholds(full):
    assert "threshold" not in full[1]


def test_three_tasks_of_other_kinds_need_no_edit(tmp_path):
    main = {"pose": ["ccc"], "gaze": ["rmse"], "identity": ["eer", "accuracy"]}
    levels = {"ST": 0.3, "NC MT": 0.25, "C MT (DM)": 0.4}
    cells = [cell(row, seed) for row in ROWS for seed in (0, 1)]
    for each in cells:
        level = levels[each["row"]] + each["seed"] / 10
        each["metrics"] = {task: dict.fromkeys(names, level) for task, names in main.items()}
    text = report(tmp_path, *cells, main_metrics=main, published_columns={}, per_label=[])
    # Means of 0.3 and 0.4: s = 0.0707, half width 12.7062 * 0.05 = 0.635.
    assert "| ST | 0.350 ± 0.635 | 0.350 ± 0.635 | 35.0 ± 63.5 | 35.0 ± 63.5 | 2 | — |" in text
    assert "| C MT (DM) | +0.100 ± 0.000 * | +0.100 ± 0.000 * | +10.0 ± 0.0 * |" in text
    assert "Fractions in percent, other metrics as they are" in text
    # A correlation that rises is a gain, an error that does is a loss.
    assert "`C MT (DM)` raises gaze rmse by 0.150 ± 0.000 against `NC MT`" in text
    assert "`C MT (DM)` repairs pose ccc, in which `NC MT` loses 0.050 ± 0.000" in text
    assert "worse than ST in gaze rmse by 0.100 ± 0.000, identity eer by 10.0 ± 0.0 points" in text
    # Every two tasks have a picture.
    pictures = [path.read_text("utf-8") for path in tmp_path.glob("changes-*.svg")]
    assert len(pictures) == 3
    assert sum("change in gaze rmse<" in picture for picture in pictures) == 2
