"""What is stopped before a command has begun, or after it has ended, says so in one line."""

import os
import signal
import subprocess
import sys

import pytest

import mtl_dm
from mtl_dm import stopping

QUIET = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
"""What is written during the imports is put aside."""

CODE = """
import os, signal, sys
sys.orig_argv = [sys.executable, "-m", "mtl_dm.train", "--output=x"]
signal.signal(signal.SIGINT, signal.default_int_handler)
class Stop:
    def find_spec(self, name, path=None, target=None):
        if name == "keras":  # The first import that takes long.
            os.kill(os.getpid(), int(sys.argv[1]))
sys.meta_path.insert(0, Stop())
print("kept")
import mtl_dm
"""


@pytest.mark.parametrize(
    ("number", "line"),
    [(signal.SIGINT, "Interrupted.\n"), (signal.SIGTERM, "Ended by SIGTERM.\n")],
)
def test_during_the_imports(number, line):
    command = [sys.executable, "-c", CODE, str(int(number))]
    done = subprocess.run(command, env=QUIET, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "kept\n", line)


LEFT = """
import atexit, signal, sys
sys.orig_argv = [sys.executable, "-m", "mtl_dm.train"]
signal.signal(signal.SIGTERM, signal.SIG_DFL)
atexit.register(print, "never")  # For Python goes on with its end here.
from mtl_dm.command_line import run_command
atexit.register(print, "told")
run_command(lambda: signal.raise_signal(signal.SIGTERM), "so")
"""


def test_what_was_stopped_ends_before_python_takes_itself_down():
    command = [sys.executable, "-c", LEFT]
    done = subprocess.run(command, env=QUIET, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (143, "told\n")
    assert done.stderr == "Ended by SIGTERM; so.\n"


EARLY = """
import os, runpy, signal, sys
module, slow = sys.argv[1:3]
sys.orig_argv = [sys.executable, "-m", module]
sys.argv = ["-m"]
signal.signal(signal.SIGINT, signal.default_int_handler)
class Stop:
    def find_spec(self, name, path=None, target=None):
        if name == slow:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Stop())
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize(
    ("module", "slow"),
    [
        ("experiments.bench.balancing_memory", "keras"),
        ("experiments.bench.__main__", "pandas"),
        ("experiments.bench.peers_torch", "torch"),
        ("experiments.coupling.front", "mtl_dm"),
        ("data_prep.build", "tensorflow_datasets"),
        ("data_prep.align", "cv2"),
    ],
)
def test_during_imports_before_those_of_the_library(module, slow):
    command = [sys.executable, "-c", EARLY, module, slow]
    done = subprocess.run(command, env=QUIET, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted.\n")


@pytest.mark.parametrize(
    ("words", "ours"),
    [
        ("python -m mtl_dm.train --output=x", True),
        ("python -X dev -W error -m data_prep.check", True),
        ("python -um experiments.table1", True),
        ("python /env/bin/mtl-dm train", True),
        ("python train.py -m mtl_dm.train", False),
        ("python -m mine.train -m mtl_dm.train", False),
        ("python -m pytest tests", False),
        ("python -c import -m mtl_dm.train", False),
        ("python mtl_dm", False),
        ("python", False),
        ("", False),
    ],
)
def test_somebodys_own_program_is_none_of_our_commands(words, ours):
    assert stopping.runs_a_command(words.split()) == ours


def test_a_program_that_imports_the_library_keeps_its_handlers():
    assert mtl_dm.VERSION
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_signals_that_somebody_handles_are_left(monkeypatch):
    taken = {}
    now = {signal.SIGINT: signal.SIG_IGN, signal.SIGTERM: signal.SIG_DFL}
    monkeypatch.setattr(stopping.signal, "getsignal", now.get)
    monkeypatch.setattr(stopping.signal, "signal", taken.setdefault)
    monkeypatch.setattr(stopping.os, "dup", lambda handle: handle)
    monkeypatch.setattr(stopping.atexit, "register", lambda function: None)
    stopping.stop_in_one_line()
    assert set(taken) == {signal.SIGTERM}
