"""An advice in words and tables; Markdown with `code` and **strong** only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from mtl_dm.advising.findings import FEW_FOR_SUM, Findings
from mtl_dm.advising.rules import Outlook
from mtl_dm.models import Coupling
from mtl_dm.relatedness.best_known import FEW_FOR_COUNTING
from mtl_dm.reporting.tables import ABSENT, Table

NOTABLE = 0.1
"""Difference of frequencies that is worth a word; smaller ones are beyond noise in large data."""
_LISTED = 8


HEADLINES = {
    "help": "Coupling should help.",
    "open": "Coupling may help; labels alone cannot show it.",
    "none": "Coupling will not help.",
}


class Section(NamedTuple):
    """Sentences above a table, which may be empty."""

    heading: str
    lines: Sequence[str]
    table: Table


class Told:
    """An advice that can be read as plain lines.

    Attributes:
        outlook: What comes first, as a sentence.
        reason: Why.
        recommendation: What to do, a line a choice.
        sections: What stands behind it.
    """

    outlook: Outlook
    reason: str
    recommendation: Sequence[str]
    sections: Sequence[Section]

    @property
    def headline(self) -> str:
        """The outlook as a sentence."""
        return HEADLINES[self.outlook]

    def __str__(self) -> str:
        chosen = ["Recommended:", *(f"- {line}" for line in self.recommendation)]
        blocks = [self.headline, self.reason, "", *chosen]
        for section in self.sections:
            if section.lines:
                blocks += ["", f"{section.heading}:", *(f"- {line}" for line in section.lines)]
        return "\n".join(blocks)


def recommendation(found: Findings, coupled: bool) -> list[str]:
    """Return what to do, and why, a line a choice."""
    few = "Fewer than" if found.reduction == "mean" else "At least"
    reduction = (
        f"Attribute loss: `{found.reduction}` over an image's attributes. {few} {FEW_FOR_SUM} "
        f"images have attributes ({found.labelled.has_attributes.sum():,}); with many the sum did "
        "better, with few the mean, on one data set: compare both if it matters."
    )
    if not coupled:
        return ["Train without coupling (no `--relatedness`).", reduction]
    weights, temperature = found.weights, found.checked.temperature
    batch = " : ".join(f"{share:.0%}" for share in weights.shares)
    lines = [
        f"Forms: the defaults, `{Coupling.matching_form}` matching (attributes as frequent within "
        "each class as the table says; nothing about a single image) and "
        f"`{Coupling.co_annotation_form}` co-annotation (a posterior of the class for images that "
        "have attributes and no class).",
        "Weights: left to the rule, which fades a term out where little is missing, or where many "
        "images have both labels. In batches of "
        f"{batch}, {weights.missing_attributes:.1%} of attribute labels are missing, which gives "
        f"matching {weights.matching:.3g}; {weights.attributes_only:.1%} of images have attributes "
        f"and no class, which gives co-annotation {weights.co_annotation:.3g}.",
        f"Relatedness: {_origin(found)}.",
        "Validation gate: add `--validation=DATA --validation_gate` where there are images to "
        "spare. After each epoch it halves a term that raises a task's validation loss. On real "
        "clothing, in 40 epochs, that took away nearly all of the harm of a wrong table and hardly "
        "any of the gain of a right one; four epochs were too few.",
        reduction,
    ]
    if temperature is not None:
        lines.append(
            f"Temperature: T = {temperature:.2f} suits the posterior best on the images with both "
            "labels (default 1; above: attributes repeat each other). It is not set: "
            '`Coupling(co_annotation_options={"temperature": T})` does so in Python.'
        )
    return lines


def _origin(found: Findings) -> str:
    counted = f"counted on the {found.checked.tally.co_annotated:,} images with both labels"
    few = f"pair of class and attribute has fewer than {FEW_FOR_COUNTING} images"
    start = "the given table" if found.given else "the attributes' rates over all classes"
    learned = (
        f"`learned` while training, from {start}: nothing can be counted. Below a few dozen "
        "labelled images a class, expect less from it than from a table that is right"
    )
    return {
        "counted": f"{counted}{', instead of the given one' * bool(found.given)}: no {few}",
        "shrunk": f"{counted} and shrunk toward {start} (`relatedness.estimate`), since a {few}",
        "given": learned if found.learned else f"{start}, unchecked: nothing can be counted",
        "blank": learned,
    }[found.origin]


def sections(found: Findings) -> list[Section]:
    """Return the parts of the advice that have something to say."""
    every = [
        Section("Who is labelled", [found.labelled.overlap()], []),
        _classes(found),
        _attributes(found),
        Section("How much attributes say about the class", _evidence(found), []),
        _contradictions(found),
        Section("Frequencies that the given table implies", _frequencies(found), []),
    ]
    return [section for section in every if section.lines or section.table]


def _classes(found: Findings) -> Section:
    names, counts = found.labelled.classes.labels, found.labelled.class_counts()
    both = found.labelled.class_ids[found.labelled.has_class & found.labelled.has_attributes]
    table = [["class", "images", "share", "with attributes"]]
    for name, n, too in zip(names, counts, np.bincount(both, minlength=len(names)), strict=True):
        table.append([name, f"{n:,}", f"{n / counts.sum():.1%}", f"{too:,}"])
    given = found.given.classes if found.given else ()
    return Section("Classes", _left(names, counts, found.relatedness.classes, given), table)


def _attributes(found: Findings) -> Section:
    labelled, kept = found.labelled, found.relatedness.attributes
    names, annotated = labelled.attributes.labels, labelled.mask.sum(axis=0)
    both, active = labelled.mask[labelled.has_class].sum(axis=0), labelled.active.sum(axis=0)
    bits = "bits assumed" if found.checked.information is None else "bits"
    more = {bits: dict(zip(kept, (f"{each:.3f}" for each in found.checked.bits), strict=True))}
    if found.checked.frequencies:
        more["implied"] = {e.attribute: f"{e.implied:.1%}" for e in found.checked.frequencies}
    table = [["attribute", "annotated", "with class", "active", *more]]
    for name, n, too, yes in zip(names, annotated, both, active, strict=True):
        rest = [column.get(name, ABSENT) for column in more.values()]
        table.append([name, f"{n:,}", f"{too:,}", f"{yes / n:.1%}" if n else ABSENT, *rest])
    given = found.given.attributes if found.given else ()
    lines = _left(names, annotated, kept, given)
    constant = np.flatnonzero((annotated > 0) & ((active == 0) | (active == annotated)))
    if constant.size:
        lines.append(f"The same on every labelled image: {_code(names[i] for i in constant)}.")
    return Section("Attributes", lines, table)


def _left(
    names: Sequence[str], images: np.ndarray, kept: Sequence[str], given: Sequence[str]
) -> list[str]:
    """Return what becomes of labels without an image, and of those that the table lacks."""
    never = [name for name, number in zip(names, images, strict=True) if not number]
    said = {
        "No image is labelled for {}: only the coupling can teach them, right or wrong.": [
            name for name in never if name in given
        ],
        "No image is labelled for {}. Nothing teaches them: leave them out of the task.": [
            name for name in never if name not in given
        ],
        "The relatedness does not name {}: left alone.": [
            name for name in names if name not in kept and name not in never
        ],
    }
    return [line.format(_code(of)) for line, of in said.items() if of]


def _evidence(found: Findings) -> list[str]:
    checked, lines = found.checked, []
    if checked.by_given and found.given:
        even = "" if found.given.prior is not None else ", all classes taken as equally frequent"
        lines.append(f"The given table has {checked.by_given}{even}.")
    if checked.own:
        lines.append(f"The {found.origin} table, without the image in question: {checked.own}.")
    if found.origin == "blank":
        return ["Too few images have both labels, and no table was given: labels cannot say."]
    if not lines and np.isfinite(checked.confidence):
        lines.append(
            "Too few images have both labels to count an accuracy. The table itself gives the "
            f"likeliest class {checked.confidence:.0%} on average, right or wrong."
        )
    order = np.argsort(-np.nan_to_num(checked.bits))[:5]
    most = ", ".join(f"`{found.relatedness.attributes[i]}` {checked.bits[i]:.3f}" for i in order)
    how = "**Assumed, not counted**: bits of mutual information under the table itself."
    if checked.information is not None:
        how = "Mutual information in bits, counted, corrected for its bias (Miller and Madow)."
    return [*lines, f"{how} Most: {most}."]


def _contradictions(found: Findings) -> Section:
    pairs, table = found.checked.contradictions, []
    if pairs:
        table = [["class", "attribute", "assumed", "counted", "interval", "images"]]
    for each in pairs:
        shares = f"{each.assumed:.0%}", f"{each.counted:.0%}", f"{each.low:.0%} – {each.high:.0%}"
        table.append([each.class_name, each.attribute, *shares, f"{each.images:,}"])
    of = f"of {(found.checked.tally.annotated > 0).sum()} pairs, beyond 3 standard errors"
    line = f"{len(pairs)} {of}: {_listed(pairs)}." if pairs else f"None {of}."
    judged = found.checked.by_given is not None
    return Section("Where the given table contradicts the labels", [line] if judged else [], table)


def _frequencies(found: Findings) -> list[str]:
    known = [each for each in found.checked.frequencies if each.images]
    if not known:
        return []
    gaps = {each: abs(each.implied - each.observed) for each in known if each.beyond_noise}
    far = sorted((each for each in gaps if gaps[each] > NOTABLE), key=lambda each: -gaps[each])
    lines = [
        f"{len(gaps)} of {len(known)} attributes are not as frequent as the table and the shares "
        f"of the classes imply, beyond noise; {len(far)} by more than {NOTABLE * 100:.0f} points."
    ]
    if far:
        lines.append(
            f"{_listed(far)}. The table may be wrong there (compare with `learned:` before its "
            "path), or the images with attributes hold other shares of the classes."
        )
    wrong = [each.attribute for each in known if each.impossible]
    if wrong:
        lines.append(f"No shares of the classes explain {_code(wrong)}: there the table is off.")
    return lines


def _listed(parts: Sequence[object]) -> str:
    more = [f"and {len(parts) - _LISTED} more"] if len(parts) > _LISTED else []
    return "; ".join([*map(str, parts[:_LISTED]), *more])


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
