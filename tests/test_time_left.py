"""What commands say of the time that is left, where nobody watches a bar."""

import re
import sys

import pytest

from mtl_dm import progress
from mtl_dm.training.time_left import TimeLeft


class Clock:
    """A clock that a test moves."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_lines_are_seldom_and_say_what_is_left(clock):
    said = []
    lines = progress.Lines("images measured", 1000, say=said.append, clock=clock)
    for _ in range(100):
        clock.now += 1
        lines.update(10)
    # The first after 5 seconds, then one each 30; nothing where all is done.
    assert said == [
        "images measured: 50 of 1,000, about 2 min left",
        "images measured: 350 of 1,000, about 65 s left",
        "images measured: 650 of 1,000, about 35 s left",
        "images measured: 950 of 1,000, about 5 s left",
    ]


def test_what_an_earlier_start_did_is_no_measure_of_speed(clock):
    said = []
    lines = progress.Lines("images done", 300, 200, said.append, clock)
    clock.now += 10
    lines.update(10)
    assert said == ["images done: 210 of 300, about 2 min left"]


def test_without_a_total(clock):
    said = []
    lines = progress.Lines("frames", None, say=said.append, clock=clock)
    clock.now += 6
    lines.update(7)
    assert said == ["frames: 7, 6 s so far"]


def test_more_than_was_expected(clock):
    said = []
    lines = progress.Lines("rows", 5, say=said.append, clock=clock)
    clock.now += 6
    lines.update(7)
    assert said == ["rows: 7, 6 s so far"]


def test_quick_work_says_nothing_and_a_terminal_has_a_bar(capsys, monkeypatch):
    assert list(progress.counted(range(3), "items", 3)) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert list(progress.counted(range(3), "items", 3)) == [0, 1, 2]
    assert re.search(r"items: 100%.*3/3", capsys.readouterr().err)


def test_epochs_of_a_training(clock):
    said = []
    callback = TimeLeft(12, said.append, clock)
    callback.on_train_begin()
    for epoch, seconds in enumerate([40, *[10] * 11]):
        clock.now += seconds
        callback.on_epoch_end(epoch)
    assert said == [
        "1 of 12 epochs, about 7 min left",  # All that is known yet.
        "4 of 12 epochs, about 80 s left",  # Without the epoch that compiled.
        "7 of 12 epochs, about 50 s left",
        "10 of 12 epochs, about 20 s left",
    ]


def test_a_training_that_goes_on_counts_its_own_epochs(clock):
    said = []
    callback = TimeLeft(10, said.append, clock)
    callback.on_train_begin()
    for epoch in (8, 9):
        clock.now += 20
        callback.on_epoch_end(epoch)
    assert said == ["9 of 10 epochs, about 20 s left"]
