"""TorchJD's steps and memory on the reference network; a program for an environment of its own.

Source: Quinton, Rey 2024 (arXiv 2406.16232); `mtl_backward` and `jac_to_grad` as TorchJD's
    documentation uses them for multi-task learning.
Method: one gradient at a time (`parallel_chunk_size=1`). All at once, its default, took twice as
    long on a CPU with 10 and 40 tasks (MGDA 14 and 54 plain steps against 7 and 27).
"""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable

import torch
from torch import nn
from torchjd import aggregation
from torchjd.autojac import jac_to_grad, mtl_backward

from experiments.bench.peak import peak
from experiments.bench.reference import BATCH, FILTERS, LEARNING_RATE, SIZE
from experiments.bench.timing import Row, pair
from mtl_dm.command_line import Parser

METHODS = {"mgda": "MGDA", "pcgrad": "PCGrad", "upgrad": "UPGrad"}
"""Names of this project and of TorchJD."""

PLAIN = "plain"
MEMORY_STEPS = 3


def steps(count: int, pairs: int) -> list[Row]:
    """Return a row of every method's step over the plain one, timed in turn."""
    plain = _step(PLAIN, count)
    return [
        pair(f"step {_label(method, count)}", _step(method, count), plain, pairs)
        for method in METHODS
    ]


def memory(method: str, count: int) -> list[Row]:
    """Return, as one row, by how much a few steps raise the peak of this process."""
    step = _step(method, count)
    before = peak()
    for _ in range(MEMORY_STEPS):
        step()
    name = f"memory of training {_label(method, count)}, reference"
    return [{"name": name, "megabytes": peak() - before}]


def _label(method: str, count: int) -> str:
    version = importlib.metadata.version("torchjd")
    return f"{method} / plain, {count} tasks, TorchJD {version}"


def _step(method: str, count: int) -> Callable[[], float]:
    """Return a training step of a network of its own that returns the sum of the losses."""
    backbone = _backbone()
    heads = nn.ModuleList(nn.Linear(FILTERS[-1], 1) for _ in range(count))
    optimizer = torch.optim.Adam([*backbone.parameters(), *heads.parameters()], LEARNING_RATE)
    images = torch.randn(BATCH, 3, SIZE, SIZE)
    labels = torch.randint(0, 2, (count, BATCH, 1)).float()
    aggregator = None if method == PLAIN else getattr(aggregation, METHODS[method])()

    def step() -> float:
        optimizer.zero_grad()
        features = backbone(images)
        losses = [
            nn.functional.binary_cross_entropy_with_logits(head(features), wanted)
            for head, wanted in zip(heads, labels, strict=True)
        ]
        total = torch.stack(losses).sum()
        if aggregator is None:
            total.backward()
        else:
            mtl_backward(losses, features=features, parallel_chunk_size=1)
            jac_to_grad(backbone.parameters(), aggregator)
        optimizer.step()
        return float(total.detach())

    return step


def _backbone() -> nn.Module:
    layers: list[nn.Module] = []
    for before, filters in zip((3, *FILTERS), FILTERS, strict=False):
        layers += [nn.Conv2d(before, filters, 3, stride=2, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def main() -> None:
    """Measure what is asked for and print its rows as JSON."""
    parser = Parser(description=main.__doc__)
    parser.add_argument("what", choices=("steps", "memory"))
    parser.add_argument("tasks", type=int)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--method", choices=(PLAIN, *METHODS), default=PLAIN)
    options = parser.parse_args()
    if options.what == "steps":
        rows = steps(options.tasks, options.pairs)
    else:
        rows = memory(options.method, options.tasks)
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
