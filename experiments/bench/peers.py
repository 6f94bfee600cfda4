"""Others' balancing methods on the same network, measured where they are installed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.bench.timing import Row

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-peers" / "bin" / "python"
"""Of an environment of their own, which `make bench` makes where it can."""

PROGRAM = "experiments.bench.peers_torch"
SECONDS = 600
"""After which a peer is given up."""

RECORDED: Mapping[str, Mapping[str, Mapping[int, float]]] = {
    "mgda": {
        "TorchJD": {2: 2.2, 10: 13.0, 40: 58.0},
        "LibMTL": {2: 1.9, 10: 7.5, 40: 27.0},
    },
    "pcgrad": {
        "TorchJD": {2: 2.4, 10: 11.0, 40: 53.0},
        "LibMTL": {2: 1.9, 10: 8.1, 40: 38.0},
    },
    "upgrad": {"TorchJD": {2: 1.8, 10: 6.9, 40: 25.0}},
    "gradnorm(scope=features)": {"LibMTL": {2: 1.0, 10: 1.1, 40: 3.0}},
    "mgda(scope=features)": {"LibMTL": {2: 1.0, 10: 1.3, 40: 3.7}},
}
"""Ratios over their own plain step, by method, library and number of tasks: recorded once, on two
cores, with TorchJD (UPGrad one gradient at a time, the others, by their size, all at once) and
LibMTL."""


def recorded(method: str, count: int) -> Row:
    """Return what is known of peers beforehand, as the column "recorded" of a row.

    Args:
        method: Its specification.
        count: Of the tasks.
    """
    known = RECORDED.get(method, {})
    found = [f"{library} {ratios[count]:g}" for library, ratios in known.items() if count in ratios]
    return {"recorded": ", ".join(found)} if found else {}


def steps(count: int, pairs: int) -> list[Row]:
    """Time TorchJD's steps over the plain ones of PyTorch, or say why there are none.

    Args:
        count: Of the tasks.
        pairs: Of steps of each method.
    """
    return measured(f"TorchJD, {count} tasks", ["steps", str(count), f"--pairs={pairs}"])


def memory(count: int) -> list[Row]:
    """Measure how TorchJD's process grows in training over PyTorch's, or say why it was not.

    Args:
        count: Of the tasks.
    """
    name = f"TorchJD's memory, {count} tasks"
    # Each in a process of its own: a peak never falls.
    plain, method = (
        measured(name, ["memory", str(count), f"--method={each}"])[0] for each in ("plain", "mgda")
    )
    if "note" in plain or "note" in method:
        return [plain if "note" in plain else method]
    of_plain = plain["megabytes"]
    return [{**method, "ratio": method["megabytes"] / of_plain, "megabytes_of_other": of_plain}]


def measured(name: str, arguments: Sequence[str]) -> list[Row]:
    """Return the rows of the peers' program, or one with a note that says what went wrong.

    Args:
        name: Of that one row.
        arguments: Of the program.
    """
    try:
        done = subprocess.run(
            [str(PYTHON), "-m", PROGRAM, *arguments],
            check=True,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            cwd=ROOT,
        )
        return parsed(done.stdout)
    except FileNotFoundError:
        note = "not installed"
    except subprocess.TimeoutExpired:
        note = f"given up after {SECONDS} s"
    except subprocess.CalledProcessError as error:
        note = (error.stderr.splitlines() or [f"ended with {error.returncode}"])[-1]
    except ValueError as error:
        note = str(error)
    return [{"name": name, "note": note}]


def parsed(text: str) -> list[Row]:
    """Return the rows that a peer's program printed, a JSON list in its last line.

    Args:
        text: All that it printed.

    Raises:
        ValueError: If the line is no list of rows with a name and a measurement.
    """
    line = (text.splitlines() or [""])[-1]
    try:
        rows = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"printed no JSON but {line[:80]!r}") from error
    if not isinstance(rows, list) or not rows or not all(_is_row(row) for row in rows):
        raise ValueError(f"printed no list of rows but {line[:80]!r}")
    return rows


def _is_row(row: Any) -> bool:
    fields = ("seconds", "megabytes")
    return isinstance(row, dict) and "name" in row and any(field in row for field in fields)
