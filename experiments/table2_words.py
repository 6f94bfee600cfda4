"""What the reports of Table 2 say beside the numbers, counted from what was planned and read."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from experiments.problems.facial_movements import LEAST, MOVEMENTS, binary
from experiments.problems.real_faces_data import Faces, RealFaces
from mtl_dm.tasks import EXPRESSIONS

RARE = 0.1


def intro(rows: Collection[str]) -> str:
    """Return what the rows of a report are.

    Args:
        rows: Their names; of others nothing is said.
    """
    both = " or counted on a co-annotated database (DB)" if "C MT (DB)" in rows else ""
    forms = ", and once more with two other forms" if _any(rows, "bernoulli") else ""
    relatedness = "both relatednesses" if "default (DB)" in rows else "the same relatedness"
    learned = (
        " and with one that it learns while it trains, from no co-annotated image"
        if _any(rows, "learned relatedness")
        else ""
    )
    lines = {
        "ST": "ST: one network a task.",
        "NC MT": "NC MT: one network for both, no coupling.",
        "S-T NC MT": "S-T NC MT: the single-task networks label each other's data.",
        "C MT (DM)": (
            "C MT: coupling by the printed losses, with relatedness from domain knowledge "
            f"(DM: Table 1){both}{forms}."
        ),
        "default (DM)": (
            "Then this library's default coupling (experiments/coupling_study.py), with "
            f"{relatedness}{learned}."
        ),
        "NC MT, chained heads": (
            "NC MT, chained heads: TMIF-FEA's head of expressions also sees what its head of "
            "action units says, as in its authors' code; this is itself a coupling, so that the "
            "other rows do without."
        ),
        "NC MT, attribute loss summed": (
            "NC MT, attribute loss summed: the attributes' losses are added up, not averaged. The "
            "paper explains negative transfer by the size of EmotioNet; but by its own counts "
            "EmotioNet (50,000 images) is smaller than AffectNet (350,000) and ABAW4 LSD "
            "(280,000). The scale of this loss is another explanation, which this row tests."
        ),
    }
    return " ".join(line for row, line in lines.items() if row in rows)


def _any(rows: Collection[str], word: str) -> bool:
    return any(word in row for row in rows)


def photo_notes(faces: RealFaces) -> list[str]:
    """Return what the photos are and what their numbers cannot say.

    Args:
        faces: As they are read.
    """
    movement, here, there = _most_apart(faces)
    rarest, few = _rarest(faces.co_annotated)
    return [
        "`facial_movements` are measured by MediaPipe's face landmarker (blendshapes, mean of "
        "left and right), not coded by people: twelve with a near-equivalent in Table 1, each "
        f"there above the upper quartile of LFW's training images, at least {LEAST}. The paper's "
        "numbers beside them are of action units on its own databases: no level compares.",
        f"FER2013's Training trains expressions alone ({len(faces.train.images):,} images; "
        f"{faces.dropped:,} that equal one of PublicTest are dropped), LFW's training people "
        f"facial movements alone ({len(faces.lfw_train.images):,} images; {faces.unmeasured:,} "
        "in which no face was found are dropped). `expression` and `facial_movements` are tested "
        f"on PublicTest, all {len(faces.test.images):,} images (movements: the "
        f"{int(faces.test.is_measured.sum()):,} in which a face was found); `_lfw` on LFW's test "
        f"people ({len(faces.lfw_test.images):,} images), those of the official pair folds 6 to "
        f"10, of whom no image trains. {faces.unnamed:,} images of LFW without a name are not "
        f"used. The two sets differ in how often movements occur, most in {movement}: "
        f"{here:.0%} of PublicTest, {there:.0%} of LFW's test people.",
        _rare_movements(faces),
        f"The expressions of LFW's test people are {_two_most(faces.lfw_test.expression)}: "
        "`expression_lfw` says little of the other five.",
        f"DM is Table 1 by near-equivalents; DB is counted on {len(faces.co_annotated.images):,} "
        f"images of FER2013 that have both labels and train nothing (rarest: {rarest}, {few}).",
        "All photos are grey and 48 px; LFW is cropped so that its mean "
        "face lies on FER2013's. What black border is left (2% of the pixels), its softer contrast "
        "and its sharpness still tell it from FER2013.",
    ]


def _rates(faces: Faces, thresholds: np.ndarray) -> np.ndarray:
    """Return how often each movement occurs where it was measured."""
    return binary(faces.scores[faces.is_measured], thresholds).mean(axis=0)


def _most_apart(faces: RealFaces) -> tuple[str, float, float]:
    here, there = (_rates(part, faces.thresholds) for part in (faces.test, faces.lfw_test))
    place = int(np.abs(here - there).argmax())
    return MOVEMENTS[place], float(here[place]), float(there[place])


def _rare_movements(faces: RealFaces) -> str:
    rates = _rates(faces.lfw_train, faces.thresholds)
    rare = [
        f"{name} {rate:.0%}" for name, rate in zip(MOVEMENTS, rates, strict=True) if rate < RARE
    ]
    return (
        f"{int((faces.thresholds <= LEAST).sum())} of the {len(MOVEMENTS)} thresholds are {LEAST}, "
        "for the quartile is no higher. Seldom in LFW's training images, so that little is learned "
        f"of them, and AFA averages them in: {', '.join(rare) or 'none'}."
    )


def _two_most(expressions: np.ndarray) -> str:
    """Return the share of the two most frequent classes together, by name."""
    counts = _counts(expressions)
    first, second = np.argsort(-counts, kind="stable")[:2]
    share = (counts[first] + counts[second]) / counts.sum()
    return f"{share:.0%} {EXPRESSIONS[first]} and {EXPRESSIONS[second]}"


def _rarest(faces: Faces) -> tuple[str, int]:
    counts = _counts(faces.expression)
    return EXPRESSIONS[int(counts.argmin())], int(counts.min())


def _counts(expressions: np.ndarray) -> np.ndarray:
    return np.bincount(expressions[expressions >= 0], minlength=len(EXPRESSIONS))
