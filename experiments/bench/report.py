"""Rows of the bench for people."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from experiments.bench.timing import Row
from mtl_dm.files import write_atomically

_HEAD = """\
# Bench

Median ratios of pairs timed in turn, on {machine}, with 95% intervals of the median, all
of which have to keep the goal. "Measured" is of the first of the two. "Recorded" are ratios of
others' libraries over their own plain step, not of this run.

| what | ratio | 95% interval | goal | | measured | images/s | pairs | recorded |
|---|---:|---:|---:|---|---:|---:|---:|---|
"""


def write(rows: Sequence[Row], output: Path, machine: str) -> None:
    """Write rows as a table and as a report.

    Args:
        rows: What was measured.
        output: Folder for both.
        machine: That it was measured on, in words.
    """
    buffer = io.StringIO()
    pd.DataFrame(rows).to_csv(buffer, index=False)
    write_atomically(output / "results.csv", buffer.getvalue())
    write_atomically(output / "report.md", markdown(rows, machine))


def markdown(rows: Sequence[Row], machine: str) -> str:
    """Return the table of all rows, measured on a machine."""
    lines = [
        f"| {row['name']} | {_number(row, 'ratio', '.3f')} | {_interval(row)} "
        f"| {row.get('goal', '')} "
        f"| {row.get('met', '')} | {_measured(row)} | {_number(row, 'images_per_second', ',.0f')} "
        f"| {row.get('pairs', '')} | {row.get('recorded', '')} |\n"
        for row in rows
    ]
    return _HEAD.format(machine=machine) + "".join(lines)


def described(row: Row) -> str:
    """Return one row as one line."""
    if "ratio" not in row:
        return f"{row['name']}: {_measured(row)}"
    goal = f" (goal {row['goal']}: {row['met']})" if "goal" in row else ""
    spread = f" [{_interval(row)}]" if "low" in row else ""
    speed = f", {_number(row, 'images_per_second', ',.0f')} images/s"
    return (
        f"{row['name']}: {row['ratio']:.3f}{spread}{goal}, {_measured(row)}"
        f"{speed if 'images_per_second' in row else ''}"
        f"{'; recorded: ' + row['recorded'] if 'recorded' in row else ''}"
    )


def _measured(row: Row) -> str:
    if "note" in row:
        return str(row["note"])
    if "megabytes" in row:
        return f"{row['megabytes']:,.0f} MB"
    return f"{row['seconds']:.3f} s"


def _number(row: Row, field: str, form: str) -> str:
    return format(row[field], form) if field in row else ""


def _interval(row: Row) -> str:
    return f"{row['low']:.3f} to {row['high']:.3f}" if "low" in row else ""
