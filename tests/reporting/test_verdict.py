"""What is decided is computed from paired repeats; the numbers are derived by hand.

Differences of 4, 5 and 6 points: mean 5, s = 1; t(0.975, 2) = 4.3027, so that the half width is
4.3027 / sqrt(3) = 2.4841.
"""

import numpy as np
import pytest
from scipy import stats

from mtl_dm.reporting import Baselines
from mtl_dm.reporting.comparisons import compare
from mtl_dm.reporting.findings import collapses, undecided, warnings
from mtl_dm.reporting.verdict import verdict
from tests.reporting.long_frame import measured, plan

F1 = ("units", "f1")
ST, NC = (80, 80, 80), (74, 75, 76)
OVER = "(3 seeds, 95% intervals of paired differences)"


def said(values, **changes):
    folds, ratio = changes.pop("folds", None), changes.get("test_train_ratio", 1.0)
    return verdict(measured(values, folds=folds, test_train_ratio=ratio), plan(values, **changes))


def of(pair=F1, **rows):
    """Rows by name, "_" for a space, in one metric."""
    return {name.replace("_", " "): {pair: values} for name, values in rows.items()}


def test_a_loss_that_is_repaired():
    found = said(of(ST=ST, NC_MT=NC, ours=(78, 80, 82)))
    assert found.sentence == (
        f"**Decided** {OVER}: `ours` repairs units f1, in which `NC MT` loses 5.0 ± 2.5 points "
        "against `ST`: it is 5.0 ± 2.5 points better than `NC MT` and not decidedly worse than "
        "`ST`."
    )
    # What is left is ours against ST: -2, 0, 2.
    assert found.more == ["**Not decided**: altogether 1 of 3 comparisons, listed under Findings."]


def test_a_loss_that_is_repaired_in_part():
    # 1 point better each time, still 4 worse.
    found = said(of(ST=ST, NC_MT=NC, ours=(75, 76, 77)))
    assert "`ours` repairs units f1 in part, in which `NC MT` loses" in found.sentence
    assert "it is 1.0 ± 0.0 points better than `NC MT` and still worse than `ST`" in found.sentence
    assert found.more == []


def test_a_coupling_that_harms():
    found = said(of(ST=ST, NC_MT=NC, printed=(62, 64, 66)))
    # printed - NC MT: -12, -11, -10.
    assert found.sentence.endswith(": `NC MT` lowers units f1 by 5.0 ± 2.5 points against `ST`.")
    assert found.more == ["`printed` lowers units f1 by 11.0 ± 2.5 points against `NC MT`."]


def test_losses_stand_before_gains():
    values = of(ST=(75, 76, 77), NC_MT=NC, worse=(70, 71, 72), better=(78, 80, 82))
    found = said(values, baselines={"NC MT": Baselines()})
    assert "`worse` lowers units f1 by 4.0 ± 0.0 points against `NC MT`" in found.sentence
    assert found.more[0] == "`better` raises units f1 by 5.0 ± 2.5 points against `NC MT`."


def test_several_rows_stand_together():
    two = of(ST=ST, NC_MT=NC, a=(62, 64, 66), b=(70, 71, 72))
    assert said(two).more == [
        "`a` and `b` lower units f1 by 11.0 ± 2.5 and 4.0 ± 0.0 points against `NC MT`."
    ]
    three = two | of(c=(54, 55, 56))
    assert said(three).more == [
        "`a`, `b` and `c` lower units f1 by 4.0 to 20.0 points against `NC MT`."
    ]


def test_nothing_decided():
    # 1, -1, 0: s = 1, so that 2.5 is more than 0.
    found = said(of(ST=(50, 50, 50), NC_MT=(51, 49, 50)))
    assert found.text == (
        f"**Not decided** {OVER}: units f1 of `NC MT` against `ST`; altogether 1 of 1 comparisons, "
        "listed under Findings."
    )


def test_one_seed_decides_nothing():
    found = said(of(ST=(50,), NC_MT=(10,)))
    assert found.sentence.startswith("**One seed decides nothing**: there is no interval")
    assert found.more == []
    assert undecided(measured(of(ST=(50,), NC_MT=(10,))), plan(of(ST=(50,), NC_MT=(10,)))) == [
        "NC MT minus ST: units f1 -40.0"
    ]


def test_nothing_in_common():
    assert "**Nothing can be compared yet**" in said(of(ST=(50,), NC_MT=(None, 10))).text


def test_folds_have_the_corrected_interval():
    # 4, 6: s = sqrt(2), t(0.975, 1) = 12.7062; seeds: 12.7062, folds: * sqrt((1/2 + 1) / (1/2)).
    # 14, 16 is decided over seeds (15 > 12.7) and open over two folds (15 < 22.0).
    values = of(ST=(50, 50), NC_MT=(64, 66))
    assert said(values).sentence.startswith("**Decided** (2 seeds")
    assert said(values, folds=2).sentence.startswith("**Not decided** (2 folds")
    # Ten folds train on nine times what they test: * sqrt((1/2 + 1/9) / (1/2)) = 14.0.
    few = said(values, folds=2, test_train_ratio=1 / 9)
    assert "by 15.0 ± 14.0 points" in few.sentence


@pytest.mark.parametrize("seed", range(20))
def test_decided_is_what_a_paired_test_rejects(seed):
    random = np.random.default_rng(seed)
    ours = random.normal(50, 3, 5)
    theirs = ours + random.normal(2, 2, 5)
    values = of(ST=ours.tolist(), NC_MT=theirs.tolist())
    (found,) = compare(measured(values), plan(values), "NC MT", "ST", [F1])
    assert found.decided == (stats.ttest_rel(theirs, ours).pvalue < 0.05)


def test_where_lower_is_better():
    pair = ("gaze", "rmse")
    values = of(pair, ST=(80, 80, 80), NC_MT=(84, 85, 86), ours=(80, 80, 80))
    found = said(values)
    # In its own unit, and a higher value is the loss.
    assert found.sentence.endswith(
        "`ours` repairs gaze rmse, in which `NC MT` loses 0.050 ± 0.025 against `ST`: it is "
        "0.050 ± 0.025 better than `NC MT` and not decidedly worse than `ST`."
    )
    lines = warnings(measured(values), plan(values))
    assert lines == ["**Negative transfer**: NC MT is worse than ST in gaze rmse by 0.050 ± 0.025."]
    double = of(pair, ST=(20, 20), NC_MT=(41, 41))
    assert collapses(measured(double), plan(double)) == [
        "**Collapse**: NC MT has gaze rmse 0.410 ± 0.000, above the double of ST's 0.200 ± 0.000."
    ]


@pytest.mark.parametrize(("rates", "said"), [((1, 6), 0), ((10, 25), 1), ((10, 18), 0)])
def test_the_double_of_a_small_rate_is_no_collapse(rates, said):
    single, shared = rates
    values = of(("gaze", "ece"), ST=(single, single), NC_MT=(shared, shared))
    assert len(collapses(measured(values), plan(values))) == said


def test_three_tasks_and_baselines_of_ones_own():
    pairs = [("a", "accuracy"), ("b", "ccc"), ("c", "eer")]
    rows = ("ST, sum", "NC, sum", "ours, sum")
    levels = {"ST, sum": 50, "NC, sum": 45, "ours, sum": 60}
    values = {row: dict.fromkeys(pairs, (levels[row], levels[row] + 1)) for row in rows}
    baselines = {
        "ST, sum": Baselines(),
        "NC, sum": Baselines("ST, sum"),
        "ours, sum": Baselines("ST, sum", "NC, sum"),
    }
    found = said(values, baselines=baselines)
    assert "`ours, sum` repairs a accuracy, in which `NC, sum` loses 5.0 ± 0.0" in found.sentence
    assert any("repairs b ccc, in which" in line for line in found.more)
    # An error rate that rises is a loss.
    assert "`ours, sum` raises c eer by 15.0 ± 0.0 points against `NC, sum`." in found.more
    assert "`NC, sum` lowers c eer by 5.0 ± 0.0 points against `ST, sum`." in found.more


def test_only_the_headlines_speak():
    values = {
        row: {F1: (level, level), ("units", "accuracy"): (level, level)}
        for row, level in {"ST": 50, "NC MT": 40}.items()
    }
    assert "units f1" in said(values).text
    assert "accuracy" not in said(values).text
    named = said(values, headline={"units": "accuracy"}).text
    assert "units accuracy" in named
    assert "f1" not in named


def test_many_intervals_that_stand_alone_say_what_they_are_worth():
    methods = {f"method_{place}": (78, 80, 82) for place in range(40)}
    found = said(of(ST=ST, NC_MT=NC, **methods))
    # NC MT against ST and each method against NC MT.
    assert (
        "differences, each alone: of 41 comparisons without a difference about 2 would be decided)"
        in found.sentence
    )


def test_balanced_accuracy_speaks_beside_accuracy_where_it_is_shown():
    accuracy, balanced = ("pose", "accuracy"), ("pose", "average_accuracy")
    values = {
        row: {accuracy: (level, level), balanced: (60 - level, 60 - level)}
        for row, level in {"ST": 20, "NC MT": 40}.items()
    }
    both = {"pose": ["accuracy", "average_accuracy"]}
    text = said(values, main_metrics=both).text
    assert "`NC MT` lowers pose average_accuracy by 20.0 ± 0.0 points against `ST`" in text
    assert "raises pose accuracy" in text
    assert "average_accuracy" not in said(values, main_metrics={"pose": ["accuracy"]}).text
    # It does not speak where accuracy does not.
    alone = said(values, main_metrics=both, headline={"pose": "average_accuracy"}).text
    assert "pose accuracy" not in alone


def test_many_open_comparisons_are_counted_not_named():
    rows = {f"row_{number}": (73, 75, 77) for number in range(30)}
    found = said(of(ST=ST, NC_MT=NC, **rows))
    # NC MT against ST is decided; row - NC MT: -1, 0, 1.
    assert len(found.more) == 1
    assert found.more[0].startswith("**Not decided**: 30 of these 31 comparisons; altogether ")
    assert "row 0" not in found.text
