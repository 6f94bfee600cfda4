"""Whether coupling will help.

The rules follow the little evidence there is (experiments/coupling_study.py); each names its
number, so that it can be argued with.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from mtl_dm.advising.findings import Findings

Outlook = Literal["help", "open", "none"]

HARDLY_A_BIT = 0.01
"""Bits; an attribute that says less about the class says nothing that training could notice."""
HARDLY_ANY = 0.01
"""Share of a batch; a term that informs less is as good as off."""
CHANCE = 0.01
"""Level of the test for information, over all attributes together (Bonferroni)."""
ENOUGH_TO_SEE = 0.05
"""Bits; where so much could pass as chance, images are too few to call attributes silent."""


def judge(found: Findings, misfit: str = "") -> tuple[Outlook, str]:
    """Return the outlook and why; `misfit` says why the given table cannot be used."""
    if misfit:
        return "none", misfit
    if max(found.weights.missing_attributes, found.weights.attributes_only) < HARDLY_ANY:
        return "none", (
            "Everything is labelled for both tasks: no label is missing that a coupling could "
            "inform, and the rule for the weights switches both terms off."
        )
    information, best = found.checked.information, found.checked.own or found.checked.by_given
    if information is None:
        return _judge_unseen(found)
    much = information.beyond_chance(CHANCE) & (np.nan_to_num(information.bits) >= HARDLY_A_BIT)
    many = f"{much.sum()} of {len(much)} attributes say something about the class"
    level = "no accuracy can be counted"
    if best is not None:
        level = f"the posterior of the class given its attributes has {best}"
        if best.above:
            return "help", f"The attributes say something about the classes: {level}; {many}."
    if much.any():
        return "open", f"The attributes say little about the classes: {level}; but {many}."
    hidden = information.hidden(CHANCE, found.covered.classes.size)
    if hidden > ENOUGH_TO_SEE:
        return "open", (
            "Images with both labels are too few to say whether attributes inform the class: "
            f"{level}; an attribute could hide {hidden:.2f} bits."
        )
    return "none", (
        f"The attributes say nothing about the classes: {level}, and no attribute carries "
        f"{HARDLY_A_BIT} bits beyond chance. Whatever a table says, it would teach noise."
    )


def _judge_unseen(found: Findings) -> tuple[Outlook, str]:
    """Return the outlook where no image has both labels."""
    unseen = "No image is labelled for both tasks, so labels alone cannot show"
    if found.given is None:
        return "open", (
            f"{unseen} how attributes and classes belong together; training would have to learn it "
            "(`learned`). A published table, or dozens of images with both labels, is worth most."
        )
    # Attributes without a label say nothing of the class of any image.
    most = found.checked.assumed[found.covered.mask.any(axis=0)].max(initial=0.0)
    if most < HARDLY_A_BIT:
        return "none", (
            "The relatedness says (nearly) the same of every class: no attribute carries "
            f"{HARDLY_A_BIT} bits about the class, so it can teach neither task."
        )
    known = [each for each in found.checked.frequencies if each.images]
    wrong = sum(each.impossible for each in known)
    if 2 * wrong > len(known):
        return "open", (
            f"{unseen} whether the relatedness is right, and there is reason for doubt: no shares "
            f"of the classes explain how frequent {wrong} of {len(known)} attributes are."
        )
    start = " It is only where learning starts." if found.learned else ""
    return "open", (
        f"{unseen} whether the relatedness is right. If it is, coupling should help: it claims up "
        f"to {most:.2f} bits an attribute, and the missing labels are the ones it informs.{start}"
    )
