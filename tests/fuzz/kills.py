"""Kill every command at random moments, and keep it from writing: `python -m tests.fuzz.kills`.

After a kill (SIGKILL, of all its processes) the same command must end and leave what an unbroken
run leaves. On a full disk, a read-only one and without permission it must end with status 1 and
one line; where it may fit, on a disk that fills and with small files, that or what an unbroken run
leaves. Moments are drawn by what the command has used of the processor, so that they are the
same however busy the machine is. The same command goes on where it was stopped.
"""

import argparse
import ctypes
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from mtl_dm.command_line import Parser, run_command
from mtl_dm.files import write_atomically
from tests.fuzz.commands import BESIDE, COMMANDS, OUTPUT, ROOT
from tests.fuzz.results import left
from tests.progress import cpu_seconds

POLL = 0.1
"""Seconds between two looks at what a command has used: to look costs something, too."""
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2
"""Of Linux' prctl."""
OF_PROCESSES = re.compile(r"error: (process \d+ |Process \d+ lost another)")
FITS = ("disk that fills", "files of 20 kB")
"""Faults in spite of which a command that writes little may be done."""


def start(name: str, given: Path, folder: Path, **options: object) -> subprocess.Popen:
    """Start a command in a session of its own; what it says goes into `folder`/said."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    with (folder / "said").open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.commands", name, str(given)],
            cwd=folder,
            env=environment,
            stdout=said,
            stderr=said,
            start_new_session=True,
            **options,
        )


def unbroken(name: str, given: Path, folder: Path) -> tuple[float, float]:
    """Run a command to its end; return the processor seconds at its first file and at the end."""
    child, first = start(name, given, folder), 0.0
    used = 0.0
    while child.poll() is None:
        used = max(used, cpu_seconds(child.pid))
        if not first and (folder / OUTPUT).exists():
            first = used
        time.sleep(POLL)
    require(child.returncode == 0, name, folder)
    return first, used


def killed(name: str, given: Path, folder: Path, after: float) -> bool:
    """Kill a command after so many processor seconds; return whether it was still running."""
    child = start(name, given, folder)
    while child.poll() is None and cpu_seconds(child.pid) < after:
        time.sleep(POLL)
    running = child.poll() is None
    if running:
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    while cpu_seconds(child.pid):  # All of it.
        time.sleep(POLL)
    return running


def require(right: bool, name: str, folder: Path) -> None:
    """Raise where a command did not do what it should have."""
    if not right:
        said = (folder / "said").read_text(encoding="utf-8", errors="replace")[-2000:]
        raise ValueError(f"{name} in {folder} did not end as it should have: {said}")


def kill(name: str, given: Path, folder: Path, moments: int, seed: int) -> dict:
    """Kill a command at some moments; return how often the next run left the same.

    Raises:
        ValueError: If it ends by itself with an error.
    """
    whole = folder / name / "whole"
    shutil.rmtree(whole, ignore_errors=True)
    first, end = unbroken(name, given, whole)
    wanted = left(whole / OUTPUT)
    found = {"moments": 0, "killed": 0, "same": 0, "different": []}
    for moment in range(moments):
        place = folder / name / f"moment{moment}"
        shutil.rmtree(place, ignore_errors=True)
        after = random.Random(f"{seed} {name} {moment}").uniform(0.9 * first, end)
        found["killed"] += killed(name, given, place, after)
        require(start(name, given, place).wait() == 0, name, place)
        differing = different(left(place / OUTPUT), wanted)
        found["moments"] += 1
        found["same"] += not differing
        if differing:
            found["different"].append(f"after {after:.1f} s: {differing[:5]}")
        else:
            shutil.rmtree(place)
    return found


def different(have: Mapping[str, object], wanted: Mapping[str, object]) -> list[str]:
    """Return the paths that only one of two runs left, or with another content."""
    return sorted(key for key in {*have, *wanted} if have.get(key) != wanted.get(key))


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """Have a file system in memory at a folder meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def kept_from_writing(name: str, given: Path, folder: Path) -> dict[str, str]:
    """Return by fault how a command ended: "one line", "done", or what is wrong with its end.

    Raises:
        ValueError: If a run that nothing keeps from writing does not end well.
    """
    found, whole = {}, folder / name / "whole"
    if not (whole / OUTPUT).exists():
        unbroken(name, given, whole)
    wanted = left(whole / OUTPUT)
    for fault, options, size in (
        ("full disk", "size=32k", None),
        ("disk that fills", "size=400k", None),
        ("read-only", "ro", None),
        ("files of 20 kB", "size=64m", 20_000),
    ):
        place = folder / name / fault.replace(" ", "_")
        shutil.rmtree(place, ignore_errors=True)
        with mounted(place / OUTPUT, options):
            limit = None if size is None else _limited(size)
            how = _how(start(name, given, place, preexec_fn=limit), place)
            found[fault] = _judged(fault, how, place / OUTPUT, wanted)
    place = folder / name / "no_permission"
    shutil.rmtree(place, ignore_errors=True)
    (place / OUTPUT).mkdir(parents=True)
    (place / OUTPUT).chmod(0o555)
    lesser = _without_privileges if os.geteuid() == 0 else None
    how = _how(start(name, given, place, preexec_fn=lesser), place)
    found["no permission"] = _judged("no permission", how, place / OUTPUT, wanted)
    return found


def _judged(fault: str, how: str, output: Path, wanted: Mapping[str, object]) -> str:
    """Return how a command ended; one that is done must have left everything, where it could."""
    if how != "done":
        return how
    if fault not in FITS:
        return "status 0, though nothing can be written"
    differing = different(left(output), wanted)
    return f"status 0, but other results: {differing[:5]}" if differing else how


def _without_privileges() -> None:
    """Take from root what lets it write everywhere."""
    library = ctypes.CDLL(None)
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        library.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def _limited(size: int):
    import resource

    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def _how(child: subprocess.Popen, folder: Path) -> str:
    status = child.wait()
    said = (folder / "said").read_text(encoding="utf-8", errors="replace")
    errors = [line for line in said.splitlines() if line.startswith("error: ")]
    if any(map(OF_PROCESSES.match, errors)):  # Each may say it, and the launcher who ended.
        errors = list({line for line in errors if not OF_PROCESSES.match(line)})
    if status == 0:
        return "done"
    if status == 1 and len(errors) == 1 and "Traceback" not in said:
        return "one line"
    return f"status {status}: {said[-500:]}"


def broken_promises(entry: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the counts of a command, a line each.

    A command that was mostly done before its moment has shown nothing of kills.
    """
    lines = list(entry["different"])
    if 2 * entry["killed"] < entry["moments"]:
        lines.append(f"of {entry['moments']} moments only {entry['killed']} killed it")
    faults = entry["faults"].items()
    right = ("one line", "done")
    return lines + [f"{fault}: {how}" for fault, how in faults if how not in right]


def main(arguments: list[str]) -> int:
    """Kill commands, and keep them from writing; return 1 where a promise was broken."""
    parser = Parser(prog="python -m tests.fuzz.kills", description=__doc__)
    parser.add_argument("--moments", type=int, default=20, help="Kills of every command.")
    parser.add_argument("--only", default="", help=f"Of {', '.join(COMMANDS)}; all.")
    parser.add_argument("--seed", type=int, default=0, help="Of the moments.")
    parser.add_argument("--output", type=Path, default=Path("runs/fuzz"), help="Folder.")
    options: argparse.Namespace = parser.parse_args(arguments)
    folder = options.output.absolute() / "kills"
    path, given = options.output / "kills.json", folder / "given"
    told = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    require(start("prepare", given, folder).wait() == 0, "prepare", folder)
    broken = 0
    for name in [each for each in options.only.split(",") if each] or list(COMMANDS):
        entry = told.setdefault(name, {})
        if entry.get("moments", 0) < options.moments:
            entry |= kill(name, given, folder, options.moments, options.seed)
            write_atomically(path, json.dumps(told, indent=1))
        if "faults" not in entry:
            entry["faults"] = {} if name in BESIDE else kept_from_writing(name, given, folder)
            write_atomically(path, json.dumps(told, indent=1))
        lines = broken_promises(entry)
        broken += len(lines)
        print(
            f"{name}: {entry['moments']} moments, {entry['killed']} killed, {entry['same']} the "
            f"same afterwards; faults: {entry['faults']}",
            flush=True,
        )
        for line in lines:
            print(f"  {line}")
    print(f"{broken} promises broken; {path} has the counts.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(
        run_command(lambda: main(sys.argv[1:]), "the same command goes on where it was stopped")
    )
