"""Regimes, variants, verdict and figure of the coupling study, by hand."""

import math
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from experiments.coupling import figure, rows, screening, verdict
from experiments.engine.method import Method
from experiments.problems import clothing_regimes, few_expressions, regimes
from experiments.problems.variants import VARIANTS, adversarial, noisy, shifted_prior, wrong
from experiments.relatedness.ck_plus import relatedness as ck_plus
from mtl_dm.losses import CO_ANNOTATION_FORMS, MATCHING_FORMS
from mtl_dm.models import Coupling
from mtl_dm.relatedness import Relatedness, facs
from mtl_dm.reporting import Baselines
from mtl_dm.tasks import EXPRESSIONS

ROWS = range(100, 300)


class TestRegimes:
    @pytest.mark.parametrize("regime", regimes.CLASS_SHARES)
    def test_shares_are_kept_and_no_image_has_both(self, regime):
        kept = regimes.annotated(ROWS, regime, (1, 2))
        assert len(kept.classes) == round(regimes.CLASS_SHARES[regime] * len(ROWS))
        assert not set(kept.classes) & set(kept.attributes)
        assert sorted([*kept.classes, *kept.attributes]) == list(ROWS)
        assert all((np.diff(part) > 0).all() for part in kept)

    def test_all_labels(self):
        kept = regimes.annotated(ROWS, regimes.ALL, (1, 2))
        np.testing.assert_array_equal(kept.classes, ROWS)
        np.testing.assert_array_equal(kept.attributes, ROWS)

    def test_the_seed_decides(self):
        def classes(seed):
            return regimes.annotated(ROWS, "10% of classes", seed).classes.tolist()

        assert classes((1, 2)) == classes((1, 2)) != classes((1, 3))

    def test_what_a_smaller_share_keeps_a_larger_one_keeps(self):
        few, more = (regimes.divided(ROWS, share, (1, 2)) for share in (0.01, 0.1))
        assert (len(few.classes), len(more.classes)) == (2, 20)
        assert set(few.classes) < set(more.classes)
        assert set(more.attributes) < set(few.attributes)

    def test_unknown(self):
        with pytest.raises(ValueError, match=r"Unknown regime 'half'. Known: \['all labels', 'hal"):
            regimes.annotated(ROWS, "half", (0,))


KNOWN = Relatedness(
    tuple("abc"),
    tuple("xy"),
    np.array([[0.1, 0.9], [0.5, 0.5], [0.9, 0.2]]),
    np.array([[0.1, 0.9], [0.5, 0.5], [0.9, 0.2]]),
    "counted",
    np.array([0.2, 0.5, 0.3]),
    np.full((3, 2), 10.0),
)


class TestVariants:
    @pytest.mark.parametrize("name", VARIANTS)
    def test_are_fixed_by_their_seed_and_say_what_they_are(self, name):
        one = VARIANTS[name](KNOWN, 1)
        assert one == VARIANTS[name](KNOWN, 1)
        assert one != KNOWN
        assert one.citation.startswith("counted ")
        np.testing.assert_array_equal(one.weights, one.conditional)

    def test_noisy(self):
        large = Relatedness(
            tuple(map(str, range(50))),
            tuple(map(str, range(60))),
            np.full((50, 60), 0.5),
            np.full((50, 60), 0.5),
            "flat",
        )
        error = noisy(large, 0).conditional - 0.5
        # Clipping at 0 and 1 cuts the tails beyond 2.5 standard deviations.
        assert error.std() == pytest.approx(0.2, abs=0.01)
        assert abs(error.mean()) < 0.01
        assert noisy(KNOWN, 0) != noisy(KNOWN, 1)

    @pytest.mark.parametrize("seed", range(5))
    def test_wrong_gives_no_class_its_own_row(self, seed):
        got = wrong(KNOWN, seed)
        for own, other in zip(KNOWN.conditional, got.conditional, strict=True):
            assert not np.array_equal(own, other)
        np.testing.assert_array_equal(np.sort(got.conditional, 0), np.sort(KNOWN.conditional, 0))

    def test_adversarial_exchanges_the_attributes_within_each_class(self):
        table = Relatedness(
            tuple("ab"),
            tuple("wxyz"),
            np.array([[0.1, 0.9, 0.3, 0.6], [0.2, 0.8, 0.0, 1.0]]),
            np.zeros((2, 4)),
            "counted",
        )
        got = adversarial(table, 0).conditional
        np.testing.assert_allclose(got, [[0.9, 0.1, 0.6, 0.3], [0.8, 0.2, 1.0, 0.0]])

    def test_shifted_prior(self):
        got = shifted_prior(KNOWN, 0)
        np.testing.assert_allclose(got.prior, [0.5, 0.2, 0.3])
        np.testing.assert_array_equal(got.conditional, KNOWN.conditional)
        with pytest.raises(ValueError, match="only where there is one"):
            shifted_prior(facs(), 0)

    def test_ck_plus(self, tmp_path):
        lines = ["subject,video,emotion,AU1,AU12", "S1,1,happy,0,1", "S2,1,happy,1,1"]
        others = [name for name in EXPRESSIONS if name not in ("neutral", "happiness")]
        lines += [f"S3,{name},{name},1,0" for name in others] + ["S4,1,contempt,1,1"]
        path = tmp_path / "ck.csv"
        path.write_text("\n".join(lines), encoding="utf-8")
        got = ck_plus(str(path), ("AU12", "AU1", "AU99"))
        assert got.classes == EXPRESSIONS
        assert got.attributes == ("AU12", "AU1")
        assert got.conditional[EXPRESSIONS.index("happiness")].tolist() == [1.0, 0.5]
        assert got.conditional[EXPRESSIONS.index("neutral")].tolist() == [0.0, 0.0]
        assert got.conditional[EXPRESSIONS.index("fear")].tolist() == [0.0, 1.0]
        with pytest.raises(FileNotFoundError):
            ck_plus(str(tmp_path / "none.csv"), ("AU1",))


class TestRows:
    def test_names_are_known(self):
        for group in (rows.EVERYWHERE, rows.FEW, rows.ROBUSTNESS):
            assert set(group) <= set(rows.ROWS)
        for pair in rows.BASELINES.values():
            assert set(pair) <= set(rows.ROWS)

    def test_forms_are_known_and_the_default_is_the_default(self):
        for name, row in rows.ROWS.items():
            if rows.baselines(name).uncoupled is not None:
                assert row.changes["matching_form"] in MATCHING_FORMS
                assert row.changes["co_annotation_form"] in CO_ANNOTATION_FORMS
        default = rows.ROWS["default"].changes
        for field in ("matching_form", "co_annotation_form", "matching", "co_annotation"):
            assert default.get(field) == getattr(Coupling(), field)

    def test_baselines_have_the_reduction_of_their_rows(self):
        for reduction, (single, uncoupled) in rows.BASELINES.items():
            # Problems of the study sum where a row does not say.
            changes = {"attribute_reduction": "mean"} if reduction == "mean" else {}
            assert rows.ROWS[single] == Method(changes, single_task=True)
            assert rows.ROWS[uncoupled] == Method(changes)
            assert rows.baselines(single) == Baselines()
            assert rows.baselines(uncoupled) == Baselines(single)
        assert rows.baselines("default (mean)") == Baselines("ST (mean)", "NC MT (mean)")
        assert rows.baselines("default, gated") == Baselines("ST", "NC MT (sum)")
        coupled = [row for row, method in rows.ROWS.items() if "relatedness" in method.changes]
        assert list(verdict._COUPLED) == coupled

    def test_every_relatedness_of_a_row_is_known_to_a_problem(self):
        known = {*clothing_regimes.NAMES, *VARIANTS, "counted", "ck+"}
        used = {row.changes.get("relatedness", "known") for row in rows.ROWS.values()}
        assert used <= known
        described = [*clothing_regimes.NAMES.values(), few_expressions.CK_PLUS]
        assert len(set(described)) == len(described)


def frame(values, column="CAD / all labels", folded=True):
    """Long results: values[row][metric] one number a cell, seeds of two folds each."""
    lines = []
    for row, metrics in values.items():
        for (task, metric), numbers in metrics.items():
            for place, value in enumerate(numbers):
                seed, fold = divmod(place, 2) if folded else (place, None)
                lines.append((column, row, seed, fold, task, metric, value))
    names = ["column", "row", "seed", "fold", "task", "metric", "value"]
    return pd.DataFrame(lines, columns=names)


CLASSES = ("category", "accuracy")
BALANCED = ("category", "average_accuracy")
F1, AP = ("attributes", "f1"), ("attributes", "average_precision")


def metrics(first, second=(0.5, 0.5, 0.5, 0.5)):
    return {CLASSES: first, BALANCED: first, F1: second, AP: second}


BASE = (0.50, 0.52, 0.54, 0.50)


def study(default, attributes=(0.5, 0.5, 0.5, 0.5), **options):
    return frame(
        {
            "ST": metrics(BASE),
            "NC MT (sum)": metrics(BASE),
            "default": metrics(default, attributes),
        },
        **options,
    )


class TestVerdict:
    def difference(self, cells):
        return verdict.difference(cells, "CAD / all labels", "default", "NC MT (sum)", *CLASSES)

    def test_by_hand(self):
        got = self.difference(study((0.52, 0.55, 0.53, 0.50)))
        gaps = np.array([0.02, 0.03, -0.01, 0.0])
        assert got.mean == pytest.approx(0.01)
        # Half widths: t s sqrt(1/4) and t s sqrt(1/4 + 1 / 0.85), two halves each, 15% of the
        # training one held out.
        quantile, spread = stats.t.ppf(0.975, 3), gaps.std(ddof=1)
        assert got.plain == pytest.approx(quantile * spread * 0.5)
        assert got.corrected == pytest.approx(quantile * spread * math.sqrt(0.25 + 1 / 0.85))
        t = gaps.mean() / (spread * math.sqrt(0.25 + 1 / 0.85))
        assert got.p == pytest.approx(2 * stats.t.sf(t, 3))

    def test_seeds_without_folds_have_no_corrected_interval(self):
        got = self.difference(study((0.52, 0.55, 0.53, 0.50), folded=False))
        assert math.isnan(got.corrected)
        gaps = [0.02, 0.03, -0.01, 0.0]
        assert got.p == pytest.approx(stats.ttest_1samp(gaps, 0.0).pvalue)

    def test_cells_that_only_one_row_has_are_left_out(self):
        cells = study((0.52, 0.55, 0.53, 0.50))
        part = cells[~((cells["row"] == "default") & (cells["seed"] == 1))]
        assert self.difference(part).mean == pytest.approx(0.025)
        assert self.difference(cells[cells["row"] != "default"]) is None
        other = cells[~((cells["row"] == "default") ^ (cells["seed"] == 1))]
        assert self.difference(other) is None

    def test_p_is_adjusted_over_the_rows_of_a_column(self, monkeypatch):
        rows_of = dict.fromkeys(("default", "another"), ("ST", "NC MT (sum)"))
        monkeypatch.setattr(verdict, "_COUPLED", rows_of)
        cells = pd.concat(
            [
                study((0.52, 0.55, 0.53, 0.50)),
                frame({"another": metrics((0.60, 0.63, 0.645, 0.60))}),
                frame({"default": metrics((0.1, 0.2, 0.3, 0.4))}, column="another column"),
            ]
        )
        found = verdict.judged(cells, "CAD / all labels")
        assert list(found) == list(rows_of)
        by = {row: {(e.other, e.task, e.metric): e for e in every} for row, every in found.items()}
        key = ("NC MT (sum)", *BALANCED)
        one, two = by["default"][key], by["another"][key]
        # The smaller p of two counts twice, the larger once.
        assert two.gap.p < one.gap.p
        assert two.p == pytest.approx(2 * two.gap.p)
        assert one.p == pytest.approx(one.gap.p)
        assert (one.decided, two.decided) == (False, True)
        assert len(found["default"]) == 2 * 4

    def line(self, cells):
        (line,) = verdict.verdict_table(cells, ["CAD / all labels"]).splitlines()[2:]
        return line

    def test_table(self):
        line = self.line(study((0.52, 0.55, 0.53, 0.50)))
        assert line.startswith(
            "| CAD / all labels | default | +1.0 ± 2.9 (6.9) | +1.0 ± 2.9 (6.9) | +0.0 ± 0.0 (0.0)"
        )
        assert " | 4 | yes | 0, 0, 8 | attributes f1 against " in line
        better = study((0.60, 0.63, 0.645, 0.60))
        assert " | 4 | yes | 4, 0, 8 | " in self.line(better)
        assert " | 4 | open | 2, 0, 4 | " in self.line(better[better["row"] != "ST"])
        # Lower on average, but not decided.
        line = self.line(study((0.52, 0.55, 0.53, 0.50), attributes=(0.4, 0.5, 0.4, 0.5)))
        assert " | 4 | open | 0, 0, 8 | attributes " in line
        assert line.endswith("-5.0 |")

    def test_a_decided_loss_in_balanced_accuracy_alone_is_one(self):
        cells = study((0.52, 0.55, 0.53, 0.50))
        chosen = (cells["row"] == "default") & (cells["metric"] == "average_accuracy")
        cells.loc[chosen, "value"] = [0.40, 0.425, 0.44, 0.40]
        line = self.line(cells)
        assert " | 4 | no | 0, 2, 8 | category average_accuracy against " in line

    def test_of_an_unfinished_study(self):
        cells = study((0.52, 0.55, 0.53, 0.50))
        for part in (cells[cells["row"] == "ST"], cells[:0]):
            text = verdict.verdict_table(part, ["CAD / all labels"])
            assert len(text.splitlines()) == 2  # the head alone
            assert verdict.gains(part, ["CAD / all labels"]).empty

    def test_gains_are_in_points(self):
        found = verdict.gains(study((0.52, 0.55, 0.53, 0.50)), ["CAD / all labels", "absent"])
        assert found["row"].tolist() == ["default"]
        assert found["x"].tolist() == pytest.approx([1.0])
        assert found["y"].tolist() == [0.0]


class TestFigure:
    def test_is_written(self, tmp_path):
        points = pd.DataFrame(
            [("one", "default", 1.0, 2.0), ("two", "printed (sum)", 3.0, -9.0)],
            columns=["column", "row", "x", "y"],
        )
        figure.draw(points, tmp_path / "deep" / "verdict.svg")
        text = (tmp_path / "deep" / "verdict.svg").read_text(encoding="utf-8")
        ElementTree.fromstring(text)
        assert "default: class accuracy +1.0, attribute average precision +2.0<" in text
        assert "printed (sum): class accuracy +3.0, attribute average precision -9.0<" in text
        assert text.count("<circle") == 2
        assert [name in text for name in (">one<", ">two<", ">js + posterior<")] == [
            True, True, False,
        ]  # fmt: skip

    @pytest.mark.parametrize("row", [None, "a row that is not shown"])
    def test_nothing_to_show_writes_nothing(self, row, tmp_path):
        lines = [] if row is None else [("one", row, 1.0, 2.0)]
        points = pd.DataFrame(lines, columns=["column", "row", "x", "y"])
        figure.draw(points, tmp_path / "verdict.svg")
        assert list(tmp_path.iterdir()) == []

    def test_nothing_is_drawn_in_a_second_way(self):
        root = Path(figure.__file__).parents[2]
        sources = [
            path for top in ("experiments", "data_prep") for path in (root / top).rglob("*.py")
        ]
        assert [path.name for path in sources if "matplotlib" in path.read_text("utf-8")] == []

    def test_shows_rows_of_the_study(self):
        assert set(figure.SHOWN) <= set(rows.ROWS)


class TestScreening:
    def frame(self):
        values = {"NC MT (sum)": 0.5, "default": 0.53, **dict.fromkeys(screening.CANDIDATES, 0.5)}
        winner = list(screening.CANDIDATES)[3]
        cells = [
            ("regime", row, seed, None, task, metric, value + 0.1 * seed)
            for row, value in values.items()
            for seed in (0, 1)
            for task, metrics in screening.METRICS.items()
            for metric in metrics
        ]
        frame = pd.DataFrame(
            cells, columns=["column", "row", "seed", "fold", "task", "metric", "value"]
        )
        # Gains 0.08 in one metric of the class task: 4 points for the task, 2 for both.
        chosen = (frame["row"] == winner) & (frame["metric"] == "average_accuracy")
        frame.loc[chosen, "value"] += 0.08
        return frame, winner

    def test_gain_is_the_mean_over_tasks_of_the_mean_over_metrics(self):
        frame, winner = self.frame()
        found = screening.gains(frame, "regime")
        assert set(found) == {"default", *screening.CANDIDATES}
        assert found["default"] == pytest.approx(3.0)
        assert found[winner] == pytest.approx(2.0)
        assert sum(found.values()) == pytest.approx(5.0)
        # The rule is no candidate, however good it is.
        assert screening.best(found) == winner
