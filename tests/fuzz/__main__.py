"""Fuzz every kind of reader: `python -m tests.fuzz`, or `make fuzz` for this and the kills.

Every target runs in a process of its own, whose memory is bounded. What was tried is counted in
the output folder, so that the same command goes on where it was stopped. Needs the extra `fuzz`.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mtl_dm.command_line import Parser, run_command
from mtl_dm.files import write_atomically
from tests.fuzz.child import Counts
from tests.fuzz.target import TARGETS

MOST_ENDS = 20
"""Crashes and hangs of one target after which it is given up: each is a finding anyway."""


def options_of(arguments: list[str]) -> argparse.Namespace:
    """Return what the command line says."""
    parser = Parser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000, help="Of every target.")
    parser.add_argument("--only", default="", help=f"Of {', '.join(TARGETS)}; all.")
    parser.add_argument("--seed", type=int, default=0, help="Of the fuzzer.")
    parser.add_argument("--output", type=Path, default=Path("runs/fuzz"), help="Folder.")
    options = parser.parse_args(arguments)
    options.only = [name for name in options.only.split(",") if name] or list(TARGETS)
    unknown = sorted(set(options.only) - set(TARGETS))
    if unknown:
        raise ValueError(f"Unknown target {unknown[0]!r}. Known: {', '.join(TARGETS)}.")
    if options.inputs < 1:
        raise ValueError(f"--inputs must be at least 1, got {options.inputs}.")
    return options


def fuzz(name: str, wanted: int, seed: int, output: Path) -> None:
    """Give a target as many inputs as are wanted of it, those of earlier runs counted."""
    ends = 0
    while (tried := Counts.read(output / f"{name}.counts")[0]) < wanted and ends < MOST_ENDS:
        with tempfile.TemporaryDirectory(dir=_memory()) as made:
            inside = Path(made) / "inside"
            inside.mkdir()
            command = ["-m", "tests.fuzz.child", name, str(output), str(inside)]
            command += [str(wanted - tried), str(1 + seed + tried)]
            with (output / f"{name}.log").open("ab") as log:
                # Every arena of memory is reserved whole, and counts.
                given = {"MALLOC_ARENA_MAX": "2", "KERAS_BACKEND": TARGETS[name]}
                ended = subprocess.run(
                    [sys.executable, *command], stdout=log, stderr=log, env=os.environ | given
                ).returncode
        if Counts.read(output / f"{name}.counts")[0] == tried:
            raise ValueError(f"The target {name} does not start: see {output / name}.log.")
        if ended:
            ends += 1


def _memory() -> str | None:
    """Return a folder in memory, where there is one: files are written for every input."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def record(name: str, output: Path, seconds: float) -> dict:
    """Return what became of a target's inputs, and keep it beside that of the others."""
    path = output / "fuzz.json"
    content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    before = content.get(name, {}).get("seconds", 0)
    tried, read, refused, memory = Counts.read(output / f"{name}.counts")
    found = [each.read_text(encoding="utf-8") for each in _of(name, output, "*.txt")]
    # What ended the process is named by the fuzzer: crash-DIGEST, timeout-DIGEST.
    ends = [each.name.partition("-")[0] for each in _of(name, output, "*-*")]
    content[name] = {
        "inputs": tried,
        "read": read,
        "refused": refused,
        "memory_bound": memory,
        "seconds": round(before + seconds),
        "findings": [text.splitlines()[0] for text in found] + ends,
    }
    write_atomically(path, json.dumps(content, indent=1))
    return content[name]


def _of(name: str, output: Path, pattern: str) -> list[Path]:
    return sorted((output / "findings" / name).glob(pattern))


def main(arguments: list[str]) -> int:
    """Fuzz the targets; return 1 where anything was found."""
    options = options_of(arguments)
    if importlib.util.find_spec("atheris") is None:
        raise ValueError("Fuzzing needs atheris: pip install 'mtl-dm[fuzz]' (Linux).")
    options.output.mkdir(parents=True, exist_ok=True)
    found = 0
    for name in options.only:
        started = time.monotonic()
        fuzz(name, options.inputs, options.seed, options.output)
        result = record(name, options.output, time.monotonic() - started)
        found += len(result["findings"])
        print(
            f"{name}: {result['inputs']:,} inputs, {result['read']:,} read, "
            f"{result['refused']:,} refused, {len(result['findings'])} found, "
            f"{result['seconds']:,} s",
            flush=True,
        )
        for line in result["findings"]:
            print(f"  {line}")
    print(f"{found} found; {options.output / 'fuzz.json'} has the counts.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(
        run_command(lambda: main(sys.argv[1:]), "the same command goes on where it was stopped")
    )
