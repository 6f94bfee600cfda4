"""Print every registered backbone with its size and cost, one line a variant.

Example:
    python -m mtl_dm.models.summary --only=compact_cnn,vgg16 --steps=3

prints, for each: on what it stands (own, library, code, paper, abstract), its usual input,
parameters, multiply-adds of one input (`mtl_dm.models.counting` says what is counted), and with
--steps the seconds of a training step of a small batch here. "paper" variants are large: their
steps take minutes on a CPU.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import keras

from mtl_dm.command_line import Parser, run_command
from mtl_dm.memory import require_batch
from mtl_dm.models import BACKBONES, MultiTaskModel
from mtl_dm.models.backbones import example_of
from mtl_dm.models.counting import Macs, Parameters, macs_of, parameters_of
from mtl_dm.progress import counted
from mtl_dm.tasks import Task

__all__ = ["Line", "Macs", "Parameters", "as_text", "line_of", "macs_of", "main", "parameters_of"]


class Line(NamedTuple):
    """What is said of a variant of a backbone.

    Attributes:
        name: Of the backbone.
        variant: "" where there are none.
        source: What it stands on.
        size: Shape of the usual input, or shapes by name.
        parameters: Without heads.
        macs: Of one input.
        seconds: Of a training step; None: not measured.
    """

    name: str
    variant: str
    source: str
    size: Any
    parameters: Parameters
    macs: Macs
    seconds: float | None


def variants(only: Sequence[str] = ()) -> Iterator[tuple[str, str]]:
    """Yield name and variant of every registered backbone, or of some.

    Args:
        only: Names; none: all.

    Raises:
        ValueError: If a name is unknown.
    """
    for name in only or BACKBONES:
        for variant in example_of(name, BACKBONES.get(name)).sizes:
            yield name, variant


def line_of(name: str, variant: str, steps: int = 0, batch: int = 16) -> Line:
    """Return what is said of a variant, built at its usual input.

    Args:
        name: Of the backbone.
        variant: One of its example's sizes.
        steps: Training steps to time; 0: none.
        batch: Inputs of a step.
    """
    entry = BACKBONES.get(name)
    about = example_of(name, entry)
    size = about.sizes[variant]
    options = {"variant": variant} if variant else {}
    if "weights" in about.options:
        options["weights"] = about.options["weights"]  # A network without them is as large.
    backbone = entry(size, **options)
    seconds = step_seconds(backbone, size, steps, batch) if steps else None
    return Line(
        name,
        variant,
        about.source,
        size,
        parameters_of(backbone),
        macs_of(backbone, size),
        seconds,
    )


def step_seconds(backbone: keras.layers.Layer, size: Any, steps: int, batch: int) -> float:
    """Return the seconds of the fastest of some training steps with one head of ten classes.

    Args:
        backbone: Built.
        size: Shape of an input, or shapes by name.
        steps: How many are timed, after one that compiles.
        batch: Inputs of a step.

    Raises:
        ValueError: If they do not fit into memory.
    """
    for shape in size.values() if isinstance(size, Mapping) else [size]:
        require_batch(batch, [length or 1 for length in shape])
    task = Task.multiclass("classes", [str(label) for label in range(10)])
    model = MultiTaskModel(backbone, [task])
    model.compile(keras.optimizers.Adam(1e-3), jit_compile=keras.backend.backend() == "jax")
    inputs = keras.tree.map_shape_structure(
        lambda shape: keras.random.uniform((batch, *shape), -1, 1), size
    )
    labels = {task.name: keras.ops.one_hot(keras.ops.arange(batch) % task.size, task.size)}
    model.train_on_batch(inputs, labels)
    taken = []
    for _ in range(steps):
        start = time.perf_counter()
        model.train_on_batch(inputs, labels)
        taken.append(time.perf_counter() - start)
    return min(taken)


def as_text(lines: Sequence[Line], batch: int = 16) -> str:
    """Return lines as a table of text.

    Args:
        lines: What is known.
        batch: Inputs of the steps that were timed.
    """
    head = ("backbone", "variant", "source", "input", "trainable", "total", "mult-adds")
    timed = any(line.seconds is not None for line in lines)
    rows = [(*head, *([f"step of {batch}"] if timed else []))]
    rows += [_cells(line)[: len(rows[0])] for line in lines]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _cells(line: Line) -> tuple[str, ...]:
    macs = f"{line.macs.known / 1e6:,.1f} M"
    if line.macs.unknown:
        macs = f"{macs} and {', '.join(line.macs.unknown)}"
    return (
        line.name,
        line.variant or "-",
        line.source,
        _size(line.size),
        *(f"{count:,}" for count in line.parameters),
        macs,
        "-" if line.seconds is None else f"{line.seconds:.3f} s",
    )


def _size(size: Any) -> str:
    if isinstance(size, dict):
        return ", ".join(f"{name} {_size(shape)}" for name, shape in size.items())
    return "x".join("any" if length is None else str(length) for length in size)


def main(argv: Sequence[str] | None = None) -> None:
    """Print the table.

    Args:
        argv: Options; None: those of the command line.
    """
    parser = Parser(description=__doc__.partition("\n")[0] if __doc__ else "", plugins=True)
    parser.add_argument("--only", default="", help="names of backbones, by commas; all if empty")
    parser.add_argument("--steps", type=int, default=0, help="training steps to time (0: none)")
    parser.add_argument("--batch", type=int, default=16, help="inputs of such a step")
    options = parser.parse_args(argv)
    names = [name for name in options.only.split(",") if name]
    try:
        found = list(variants(names))
    except ValueError as error:
        parser.error(str(error))
    lines = []
    for name, variant in counted(found, "networks measured", len(found)):
        lines.append(line_of(name, variant, options.steps, options.batch))
        keras.backend.clear_session()
    text = as_text(lines, options.batch)
    print(text)


if __name__ == "__main__":
    sys.exit(run_command(main, "nothing more is written"))
