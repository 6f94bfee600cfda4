"""What a checkpoint was trained on, from the run record beside it."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from pathlib import Path
from typing import Any

from mtl_dm.files import MALFORMED, read_json
from mtl_dm.runs.record import CONFIG_FILE, RECORD_FILE

DRAWN = (
    "synthetic_faces",
    "synthetic_clips",
    "synthetic_people",
    "synthetic_compounds",
    "synthetic_identities",
)
"""The data sets whose faces are drawn: nobody has checked what is learnt there on people."""


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where a checkpoint comes from.

    Attributes:
        datasets: Names of the training data; empty where it is not known.
        record: The file that says so; None: there is none.
        annotated: By task, the number of training images annotated for it.
        unseen: By task, the labels that no training image was annotated for.
        commit: Of the code that trained it.
        judged: By pair of tasks, what labels said of their relatedness, in words.
    """

    datasets: tuple[str, ...] = ()
    record: str | None = None
    annotated: dict[str, int] = dataclasses.field(default_factory=dict)
    unseen: dict[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    commit: str | None = None
    judged: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def drawn(self) -> tuple[str, ...]:
        """The training data sets whose faces are drawn."""
        return tuple(name for name in self.datasets if base_name(name) in DRAWN)

    @property
    def validated_on_people(self) -> bool:
        """Whether it is known that all training images show people (or whatever is real)."""
        return bool(self.datasets) and not self.drawn

    def lines(self) -> list[str]:
        """Return it as plain text, with what a reader must know to use the output."""
        if not self.datasets:
            return [
                "It is not known what this checkpoint was trained on: there is no readable "
                f"{RECORD_FILE} or {CONFIG_FILE} beside it. Take its output as not validated."
            ]
        counts = ", ".join(f"{task} {count:,}" for task, count in self.annotated.items())
        lines = [
            f"Trained on: {', '.join(self.datasets)}"
            + (f" (annotated images: {counts})" if counts else "")
        ]
        if self.drawn:
            part = "" if len(self.drawn) == len(self.datasets) else f"in part ({self.drawn[0]}) "
            lines.append(
                f"NOT VALIDATED ON PEOPLE: {part}trained on drawn faces, so what it says about "
                "people, its action units above all, has never been checked."
            )
        lines += [
            f"No training image was annotated for {task} {', '.join(labels)}: at best a coupling "
            "taught them."
            for task, labels in self.unseen.items()
        ]
        lines += [f"The relatedness of {tasks}: {said}." for tasks, said in self.judged.items()]
        return lines

    def to_dict(self) -> dict[str, Any]:
        """Return it as values that JSON can hold."""
        return {**dataclasses.asdict(self), "validated_on_people": self.validated_on_people}


def base_name(dataset: str) -> str:
    """Return "name" of "name/config:split"."""
    return dataset.partition(":")[0].partition("/")[0]


def origin_of(checkpoint: str | Path) -> Origin:
    """Return what the files beside a checkpoint say; an empty origin if they say nothing."""
    folder = Path(checkpoint).parent
    for name in (RECORD_FILE, CONFIG_FILE):  # A run that has not ended has no record yet.
        try:
            content = read_json(folder / name)
            config = content["config"] if name == RECORD_FILE else content
            if isinstance(config["datasets"], str):
                continue  # A text, no list of names.
            return Origin(
                tuple(map(str, config["datasets"])),
                name,
                {str(task): int(count) for task, count in content.get("annotated", {}).items()},
                _unseen(content.get("base_rates", {})),
                None if content.get("commit") is None else str(content["commit"]),
                _judged(content.get("judged", [])),
            )
        except (OSError, *MALFORMED):
            continue  # Whoever finds the record damaged is told that nothing is known.
    return Origin()


def plugins_of(checkpoint: str | Path) -> dict[str, str]:
    """Return the SHA-256 of a user's own files by name, as the record beside a checkpoint has them.

    Nothing is imported: whoever means to use the checkpoint names the files. What is no plain name
    of a .py file is left out.
    """
    for name in (RECORD_FILE, CONFIG_FILE):
        try:
            found = read_json(Path(checkpoint).parent / name).get("plugins", {})
            return {
                file: str(digest)
                for file, digest in found.items()
                if re.fullmatch(r"[\w. -]+\.py", file)
            }
        except (OSError, *MALFORMED):
            continue
    return {}


def fingerprint(checkpoint: str | Path) -> str:
    """Return the SHA-256 of a checkpoint: a file of the same name may be another model.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    path = Path(checkpoint)
    if not path.is_file():
        raise FileNotFoundError(f"No checkpoint at {path}.")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unseen(base_rates: dict[str, dict[str, float | None]]) -> dict[str, tuple[str, ...]]:
    # A rate that is not a number stands as null in the record.
    found = {
        task: tuple(label for label, rate in rates.items() if rate is None)
        for task, rates in base_rates.items()
    }
    return {task: labels for task, labels in found.items() if labels}


def _judged(couplings: list[dict[str, Any]]) -> dict[str, str]:
    found = {}
    for each in couplings:
        share = each["confirmed"]
        confirmed = "labels did not judge it" if share is None else f"labels confirm {share:.0%}"
        found[f"{each['source']} and {each['target']}"] = f"{confirmed}, {each['verdict']}"
    return found
