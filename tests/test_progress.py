"""The tests' own waiting: patient with slow programs, not with those that hang."""

import subprocess
import sys

import pytest

from tests.progress import Program, cpu_seconds, run, wait_until


class Time:
    """A clock that only waiting moves."""

    now = 0.0

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.mark.parametrize(("every", "hangs"), [(50, False), (150, True)])
def test_silence_counts_and_not_the_whole_time(every, hangs):
    time = Time()

    def wait():
        wait_until(
            lambda: time.now > 5000,
            lambda: time.now // every,
            100,
            poll=1,
            clock=time.clock,
            sleep=time.sleep,
        )

    if hangs:
        with pytest.raises(pytest.fail.Exception, match="Nothing has happened for 100 s"):
            wait()
    else:
        wait()
        assert time.now > 5000


def test_a_program_is_heard_and_what_is_left_of_it_is_killed(tmp_path):
    script = "import sys, time; print('said', flush=True); sys.stderr.write('why'); time.sleep(999)"
    with Program([sys.executable, "-c", script], watched=tmp_path) as program:
        program.until(lambda: program.output == "said\n")
        before = program.progress()
        (tmp_path / "file").touch()
        assert program.progress() != before
    assert program.child.returncode == -9


def test_a_program_that_ends_too_early_or_fails():
    with pytest.raises(AssertionError, match="what went wrong"):
        run([sys.executable, "-c", "raise SystemExit('what went wrong')"])
    program = Program([sys.executable, "-c", "import sys; sys.exit('gone')"])
    with program, pytest.raises(AssertionError, match="gone"):
        program.until(lambda: False)
    assert run([sys.executable, "-c", "print(1)"]) == ("1\n", "")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_work_counts_where_nothing_is_printed():
    script = "while True: pass"
    child = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
    try:
        wait_until(lambda: cpu_seconds(child.pid) > 0.1, lambda: None, 60)
    finally:
        child.kill()
        child.wait()
