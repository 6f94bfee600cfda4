"""The bench's bookkeeping; how fast something is, no test says."""

import pytest

from experiments.bench.report import described, markdown
from experiments.bench.timing import Goal, pair


@pytest.mark.parametrize(
    ("goal", "ratio", "text", "met"),
    [
        (Goal(1.03), 1.03, "<= 1.03", "met"),
        (Goal(1.03), 1.031, "<= 1.03", "missed"),
        (Goal(0.95, at_least=True), 0.95, ">= 0.95", "met"),
        (Goal(0.95, at_least=True), 0.9, ">= 0.95", "missed"),
    ],
)
def test_a_goal_is_met_up_to_its_bound(goal, ratio, text, met):
    assert goal.fields(ratio) == {"goal": text, "met": met}


def test_a_pair_takes_turns_in_changing_order():
    calls = []
    row = pair(
        "a / b",
        lambda: calls.append("a"),
        lambda: calls.append("b"),
        repeats=3,
        before=lambda index: calls.append(f"before {'ab'[index]}"),
    )
    expected = [call for name in "baabba" for call in (f"before {name}", name)]
    assert calls == expected
    assert row["ratio"] == row["seconds"] / row["seconds_of_other"]
    assert row["pairs"] == 3


def test_the_table_shows_what_a_row_has():
    rows = [
        {"name": "first", "seconds": 2.0},
        {"name": "speed", "ratio": 0.9, **Goal(0.95, at_least=True).fields(0.9), "pairs": 7,
         "seconds": 1.0, "images_per_second": 1234.5},
        {"name": "memory", "ratio": 1.0, "megabytes": 1300.0, "megabytes_of_other": 1300.0},
    ]  # fmt: skip
    lines = markdown(rows).splitlines()[-3:]
    assert lines == [
        "| first |  |  |  | 2.000 s |  |  |",
        "| speed | 0.900 | >= 0.95 | missed | 1.000 s | 1,234 | 7 |",
        "| memory | 1.000 |  |  | 1,300 MB |  |  |",
    ]
    assert described(rows[0]) == "first: 2.000 s"
    assert described(rows[1]).startswith("speed: 0.900 (goal >= 0.95: missed), 1.000 s, 1,234 im")
