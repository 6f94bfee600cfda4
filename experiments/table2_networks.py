"""The seven networks of Table 2 in demo size, as columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from experiments.engine.problem import Problem
from experiments.engine.study import Column
from mtl_dm.reporting import Baselines

ROWS = ("ST", "NC MT", "C MT (DM)", "default (DM)")
CHAINED = "NC MT, chained heads"
SUMMED = "NC MT, attribute loss summed"
"""The paper explains negative transfer by the size of EmotioNet; another cause would be a scale."""
SEEDS = 2
EPOCHS = 5
CPU_SECONDS = {"real": (90, 150), "demo-full": (30, 40)}
"""By preset, what a training of a named network takes, about, and what it may take."""

BASELINES = {
    f"default ({kind})": Baselines("ST", "NC MT", (f"C MT ({kind})",)) for kind in ("DM", "DB")
}


@dataclasses.dataclass(frozen=True)
class Network:
    """One network.

    Attributes:
        backbone: What trains.
        published: The paper's column of it.
        steps: By preset, the steps of a training.
    """

    backbone: str
    published: str
    steps: Mapping[str, int]


def _network(name: str, published: str, real: int = 1000, synthetic: int = 300) -> Network:
    """Return a network that trains so many steps, as long as `CPU_SECONDS` says."""
    return Network(f"{name}(variant=demo)", published, {"real": real, "demo-full": synthetic})


IMAGES = {
    "EmoAffNet": _network("emoaffnet", "AffectNet-EmotioNet / EmoAffNet", real=1200),
    "EffNet-B2": _network("effnet_b2", "AffectNet-EmotioNet / EffNet-B2", real=700),
    "PSR": _network("psr", "RAF-DB-EmotioNet / PSR", real=550),
    "VGGFACE": _network("vggface", "RAF-DB-EmotioNet / VGGFACE", real=1500),
    "MTER-KDTD": _network("mter_kdtd", "ABAW4-LSD-EmotioNet / MTER-KDTD", real=1100),
    "HSE-NN": _network("hse_nn", "ABAW4-LSD-EmotioNet / HSE-NN", real=800),
}
CLIPS = {"TMIF-FEA": _network("tmif_fea", "Aff-Wild2 / TMIF-FEA")}


def columns(
    networks: Mapping[str, Network],
    group: str,
    dataset: str,
    problem: Callable[[int, int | None], Problem],
    preset: str,
    seeds: int,
    rows: Sequence[str] = ROWS,
) -> list[Column]:
    """Return a column for each of some networks.

    Args:
        networks: By the paper's name.
        group: What they train on; begins the names of the columns.
        dataset: As of a column.
        problem: As of a column.
        preset: Says how many steps.
        seeds: How many were asked for; more than two are not run.
        rows: Of each column.
    """
    return [
        Column(
            f"{group} / {name}",
            dataset,
            problem,
            [(seed, None) for seed in range(min(seeds, SEEDS))],
            rows,
            changes={
                "backbone": network.backbone,
                "epochs": EPOCHS,
                "steps_per_epoch": network.steps[preset] // EPOCHS,
            },
        )
        for name, network in networks.items()
    ]


def published(names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return, by name of a column, the paper's column of its network; others are left out."""
    every = {**IMAGES, **CLIPS}
    found = {name: every.get(name.partition(" / ")[2]) for name in names}
    return {name: (network.published,) for name, network in found.items() if network is not None}


def steps_note(preset: str, networks: Mapping[str, Network]) -> str:
    """Return how many steps each of some networks trains, and why so many."""
    listed = ", ".join(f"{name} {network.steps[preset]:,}" for name, network in networks.items())
    about, most = CPU_SECONDS[preset]
    return (
        f"Steps of a training, the same for every row of a column: {listed}. Time alone chose "
        f"them: about {about} CPU-seconds a training, of {most} that it may take. The networks are "
        "their demo variants: the structure of the sources, few channels, nothing pretrained."
    )


def seeds_note(asked: int) -> list[str]:
    """Return what becomes of more seeds than named networks are given; empty if none are lost."""
    if asked <= SEEDS:
        return []
    return [f"The paper's networks have {SEEDS} seeds each, not the {asked} that were asked for."]
