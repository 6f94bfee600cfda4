"""How every command ends: by itself, by wrong input, by a signal; each in one line."""

import gc
import os
import signal
import sys
import time

import pytest

from mtl_dm.command_line import run_command


def run(command, **options):
    return run_command(command, "go on", **options)


def test_a_status_and_an_error_of_the_input(capsys):
    def wrong(error):
        raise error

    assert run(lambda: None) == 0
    assert run(lambda: 3) == 3
    assert run(lambda: wrong(ValueError("the reason"))) == 1
    assert run(lambda: wrong(RuntimeError("too")), errors=(RuntimeError,)) == 1
    assert run(lambda: wrong(MemoryError())) == 1
    assert run(lambda: wrong(TimeoutError())) == 1
    lines = ["error: the reason", "error: too", "error: not enough memory (MemoryError)"]
    lines.append("error: TimeoutError")
    assert capsys.readouterr().err.splitlines() == lines
    with pytest.raises(RuntimeError, match="a bug"):
        run(lambda: wrong(RuntimeError("a bug")))
    with pytest.raises(SystemExit):
        run(lambda: wrong(SystemExit(5)))


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("ResourceExhaustedError", "OOM when allocating\nmore", "not enough memory: OOM"),
        ("ResourceExhaustedError", "x/w; No space left on device", "the disk is full: x/w"),
        ("DataLossError", "corrupted record at 12", "the records of a built data set are damaged"),
    ],
)
def test_what_tensorflow_raises_of_a_machine_or_of_data(name, text, line, capsys):
    def fail():
        raise type(name, (Exception,), {})(text)

    assert run(fail) == 1
    [said] = capsys.readouterr().err.splitlines()
    assert said.startswith(f"error: {line}")


def test_a_link_to_itself_is_wrong_input(tmp_path, capsys):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert run(lambda: loop.resolve(strict=True) and None) == 1
    assert run(lambda: (loop / "below").resolve(strict=True) and None) == 1
    for line in capsys.readouterr().err.splitlines():
        assert line.startswith("error: ")
        assert str(loop) in line


@pytest.fixture
def heard():
    """A shell that runs the tests in the background has them ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("swallow", [None, "goes on", "raises another"])
@pytest.mark.parametrize(
    ("number", "line"),
    [
        (signal.SIGINT, "Interrupted; go on."),
        (signal.SIGTERM, "Ended by SIGTERM; go on."),
    ],
)
def test_a_signal_is_told_also_where_a_library_swallows_it(number, line, swallow, capsys):
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]

    def work():
        try:
            os.kill(os.getpid(), number)
        except BaseException as error:
            if swallow is None:
                raise
            if swallow == "raises another":
                raise RuntimeError("of the library") from error

    assert run(work) == 128 + number
    assert capsys.readouterr().err == f"{line}\n"
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


def test_an_ignored_interrupt_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert run(lambda: os.kill(os.getpid(), signal.SIGINT)) == 0
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_python_ignores_is_sent_once_more(number, capsys):
    def collecting(phase, _):
        if phase == "start":
            gc.callbacks.remove(collecting)
            signal.raise_signal(number)

    def command():
        gc.callbacks.append(collecting)
        gc.collect()
        for _ in range(100):  # It goes on, as if nothing had happened.
            time.sleep(0.05)

    before = sys.unraisablehook
    assert run(command) == 128 + number
    assert sys.unraisablehook is before
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith("; go on.")
