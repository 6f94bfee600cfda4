import os
import signal
import sys

import pytest

from mtl_dm import launch, processes
from tests.lightly import STUBS
from tests.progress import Program

TRAIN = ["--", "--output=x"]


def environments(*options, **environment):
    return launch.environments(launch.parse([*options, *TRAIN])[0], environment)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--processes=0", *TRAIN], "--processes must be at least 1, got 0"),
        (["--processes=1000000000", *TRAIN], "--processes must be at most 1,024, got 1,000,000"),
        (["--processes=two", *TRAIN], "--processes: invalid int value: 'two'"),
        (TRAIN, "--processes"),
        (["--processes=2"], "go after --"),
        (["--processes=2", "--"], "go after --"),
        (["--processes=2", "--datasets=a", *TRAIN], "unrecognized arguments: --datasets=a"),
        (["--processes=2", "--hosts=0", *TRAIN], "--hosts must be at least 1, got 0"),
        (["--processes=2", "--hosts=2", *TRAIN], "need --coordinator=HOST:PORT"),
        (["--processes=2", "--host_index=1", *TRAIN], "between 0 and 0, got 1"),
        (["--processes=2", "--coordinator=here", *TRAIN], "HOST:PORT, got 'here'"),
    ],
)
def test_wrong_options_end_with_one_line(arguments, message, capsys):
    assert launch.main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert message in err


def test_flags_of_train_are_passed_on_untouched():
    assert launch.parse(["--processes=1", "--", "--a=1", "--", "b"])[1] == ["--a=1", "--", "b"]


def test_another_backend_is_refused():
    with pytest.raises(ValueError, match="it is set to 'tensorflow'"):
        environments("--processes=2", KERAS_BACKEND="tensorflow")


def test_jax_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(launch.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'mtl-dm\[jax\]'"):
        environments("--processes=2")


class TestEnvironments:
    @pytest.fixture(autouse=True)
    def jax_there(self, monkeypatch):
        monkeypatch.setattr(launch.importlib.util, "find_spec", lambda name: object())

    def test_one_host(self):
        first, second = environments("--processes=2", OTHER="kept")
        assert first["KERAS_BACKEND"] == "jax"
        assert first["OTHER"] == "kept"
        assert first[processes.COORDINATOR].startswith("127.0.0.1:")
        assert first[processes.COORDINATOR] == second[processes.COORDINATOR]
        assert [each[processes.PROCESS] for each in (first, second)] == ["0", "1"]
        assert [each[processes.DEVICE] for each in (first, second)] == ["0", "1"]
        assert first[processes.PROCESSES] == "2"
        assert first["NCCL_SOCKET_IFNAME"] == "lo"
        assert "over loopback" in launch.openness(first[processes.COORDINATOR])

    def test_the_second_of_three_hosts(self):
        made = environments(
            "--processes=2", "--hosts=3", "--host_index=1", "--coordinator=10.0.0.1:99"
        )
        assert [each[processes.PROCESS] for each in made] == ["2", "3"]
        assert [each[processes.DEVICE] for each in made] == ["0", "1"]
        assert {each[processes.PROCESSES] for each in made} == {"6"}
        assert {each[processes.HOSTS] for each in made} == {"3"}
        assert {each[processes.COORDINATOR] for each in made} == {"10.0.0.1:99"}
        assert "NCCL_SOCKET_IFNAME" not in made[0]
        assert "listens on all addresses" in launch.openness("10.0.0.1:99")

    def test_one_process_a_host_takes_all_its_devices(self):
        assert processes.DEVICE not in environments("--processes=1")[0]


def run(script, count=2):
    each = [{**os.environ, processes.PROCESS: str(index)} for index in range(count)]
    return launch.run([sys.executable, "-c", f"import os, signal, sys, time\n{script}"], each)


def test_all_succeed(capfd):
    assert run("print('said', os.environ['MTL_DM_PROCESS'])") == 0
    out, err = capfd.readouterr()
    assert out == "said 0\n"  # The others are quiet.
    assert err == ""


STUBBORN = """
if os.environ['MTL_DM_PROCESS'] == '1':
    print('what happened')
    {end}
signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(600)
print('slept to the end')
"""


@pytest.mark.parametrize(
    ("end", "how"),
    [
        ("sys.exit(3)", "ended with exit code 3"),
        ("sys.stdout.flush(); os.kill(os.getpid(), signal.SIGKILL)", "was ended by SIGKILL"),
        (
            "sys.stdout.flush(); os.abort()",
            "was ended by SIGABRT, as JAX ends one when another has given no sign of life for 100 "
            "s (a host or its network is gone)",
        ),
    ],
)
def test_one_dies_and_the_others_are_ended(end, how, capfd, monkeypatch):
    monkeypatch.setattr(launch, "GRACE_SECONDS", 0.5)
    assert run(STUBBORN.format(end=end), 3) == 1
    out, err = capfd.readouterr()
    assert "slept to the end" not in out
    assert "what happened" in err
    assert f"error: process 1 {how}; the others are ended." in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_launcher_ends_its_processes(number, tmp_path):
    script = (
        f"{STUBS}import pathlib, signal, os; from mtl_dm import launch\n"
        "launch.GRACE_SECONDS = 0.5\n"
        # A shell that runs the tests in the background has them ignore it.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "real, wait = launch.run, launch._first_failures\n"
        "launch.run = lambda command, each: real([sys.executable, '-c', sys.argv[1]], each)\n"
        "launch._first_failures = lambda children: (\n"
        "    pathlib.Path(sys.argv[2], 'waits').touch(), wait(children))[1]\n"
        "launch.importlib.util.find_spec = lambda name: object()\n"
        "sys.exit(launch.main(['--processes=2', '--', 'x']))"
    )
    child = (
        "import os, pathlib, time\n"
        f"pathlib.Path({str(tmp_path)!r}, os.environ['MTL_DM_PROCESS'])"
        ".write_text(str(os.getpid()))\ntime.sleep(9999)"
    )
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    command = [sys.executable, "-c", script, child, tmp_path]
    with Program(command, tmp_path, env=environment) as launcher:
        names = ("0", "1", "waits")
        launcher.until(lambda: all((tmp_path / name).is_file() for name in names))
        launcher.child.send_signal(number)
        assert launcher.finish() == 128 + number
        for name in "01":
            with pytest.raises(ProcessLookupError):
                os.kill(int((tmp_path / name).read_text()), 0)
