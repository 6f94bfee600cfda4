"""An advice in words and tables; Markdown with `code` only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mtl_dm.advising.rules import FEW_FOR_COUNTING, FEW_FOR_SUM, NOTABLE
from mtl_dm.relatedness import Frequency

if TYPE_CHECKING:
    from mtl_dm.advising.advice import Advice, Weights

HEADLINES = {
    "help": "Coupling should help.",
    "open": "Coupling may help; labels alone cannot show it.",
    "none": "Coupling will not help.",
}
_LISTED = 8


class Part(NamedTuple):
    """A part of the advice.

    Attributes:
        heading: Its title.
        lines: What it says in sentences.
        table: The numbers, the header first; empty: none.
    """

    heading: str
    lines: list[str]
    table: list[list[str]]


def text_of(advice: Advice) -> str:
    """Return the advice as text, without the tables."""
    blocks = [HEADLINES[advice.outlook], *advice.reasons, "", "Recommended:"]
    blocks += [f"- {line}" for line in recommendation(advice)]
    for part in parts(advice):
        if part.lines:
            blocks += ["", f"{part.heading}:", *(f"- {line}" for line in part.lines)]
    return "\n".join(blocks)


def recommendation(advice: Advice) -> list[str]:
    """Return what to train with, and why, a line a choice."""
    images = int(advice.labelled.has_attributes.sum())
    about = "fewer than" if advice.reduction == "mean" else "at least"
    reduction = (
        f"Attribute loss: `{advice.reduction}` over an image's attributes, since {about} "
        f"{FEW_FOR_SUM} images have attributes ({images:,}). With many labels the sum did better, "
        "with few the mean; the evidence is small (one data set), so compare both if it matters."
    )
    weights, checked = advice.weights, advice.checked
    if advice.coupling is None or weights is None or checked is None:
        return ["Train without coupling (no `--relatedness`).", reduction]
    lines = [
        f"Forms: `{advice.coupling.matching_form}` matching (attributes as frequent within each "
        f"class as the table says; nothing about a single image) and "
        f"`{advice.coupling.co_annotation_form}` co-annotation (a posterior of the class for "
        "images that have attributes and no class): the defaults.",
        "Weights: left to the rule, which fades a term out where little is missing. "
        + _rule(weights),
        f"Relatedness: {_origin(advice)}",
        "Brake: add `--validation=DATA --brake` where there are images to spare. It halves, after "
        "each epoch, a term that raises a task's validation loss, until it no longer does: on real "
        "clothing, in 40 epochs, that took away nearly all of the harm of a wrong table and hardly "
        "any of the gain of a right one; four epochs were too few.",
        reduction,
    ]
    if checked.temperature is not None:
        lines.append(
            f"Temperature: T = {checked.temperature:.2f} suits the posterior best on the images "
            "with both labels (1 is the default; above 1: attributes repeat each other). It is "
            'reported, not set: `Coupling(co_annotation_options={"temperature": T})` in Python.'
        )
    return lines


def _rule(weights: Weights) -> str:
    parts = " : ".join(f"{100 * share:.0f}%" for share in weights.shares)
    batch = f"batches of {parts}" if len(weights.shares) > 1 else "an average batch"
    return (
        f"In {batch}, {100 * weights.missing_attributes:.1f}% of attribute labels are missing, "
        f"which gives matching {weights.matching:.3g}; {100 * weights.attributes_only:.1f}% of "
        "images have attributes and no class, which gives co-annotation "
        f"{weights.co_annotation:.3g}."
    )


def _origin(advice: Advice) -> str:
    covered = advice.covered
    both = 0 if covered is None else covered.tally().co_annotated
    given = "the given table"
    if advice.origin == "counted":
        instead = f", instead of {given}" if advice.given is not None else ""
        return (
            f"counted on the {both:,} images with both labels{instead}: every class has at least "
            f"{FEW_FOR_COUNTING} images with each attribute."
        )
    if advice.origin == "shrunk":
        toward = given if advice.given is not None else "the attributes' rates over all classes"
        return (
            f"counted on the {both:,} images with both labels and shrunk toward {toward} "
            "(`relatedness.estimate`), since a class has fewer than "
            f"{FEW_FOR_COUNTING} images with an attribute."
        )
    if advice.origin == "given":
        doubt = ""
        if advice.checked is not None and _notable(advice.checked.frequencies):
            doubt = (
                " Since it does not fit some frequencies (below), compare with `learned:` before "
                "its path."
            )
        return f"{given}, unchecked: nothing can be counted.{doubt}"
    start = "the attributes' frequencies, the same for every class" if advice.blank else given
    return (
        f"`learned` while training, from {start}: nothing can be counted. Below a few dozen "
        "labelled images a class, expect less from it than from a table that is right."
    )


def parts(advice: Advice) -> list[Part]:
    """Return the parts of the advice that have something to say."""
    found = [_overlap(advice), _classes(advice), _attributes(advice)]
    if advice.checked is not None:
        found += [_accuracy(advice), _information(advice), _contradictions(advice)]
        found.append(_frequencies(advice))
    return [part for part in found if part.lines or part.table]


def _overlap(advice: Advice) -> Part:
    has_class, has_attributes = advice.labelled.has_class, advice.labelled.has_attributes
    total = len(has_class)
    names = advice.labelled.classes.name, advice.labelled.attributes.name
    rows = {
        "both": has_class & has_attributes,
        f"`{names[0]}` only": has_class & ~has_attributes,
        f"`{names[1]}` only": ~has_class & has_attributes,
        "neither": ~has_class & ~has_attributes,
    }
    text = "; ".join(f"{name} {rows_of.sum():,}" for name, rows_of in rows.items())
    table = [["labelled for", "images", "share"]]
    table += [
        [name.replace("`", ""), f"{each.sum():,}", f"{100 * each.mean():.1f}%"]
        for name, each in rows.items()
    ]
    return Part("Who is labelled", [f"Of {total:,} images are labelled for {text}."], table)


def _classes(advice: Advice) -> Part:
    labelled = advice.labelled
    counts, both = labelled.class_counts(), labelled.has_class & labelled.has_attributes
    with_attributes = np.bincount(labelled.class_ids[both], minlength=labelled.classes.size)
    table = [["class", "images", "share", "with attributes"]]
    for name, images, too in zip(labelled.classes.labels, counts, with_attributes, strict=True):
        share = f"{100 * images / counts.sum():.1f}%"
        table.append([name, f"{images:,}", share, f"{too:,}"])
    lines = []
    blank = [n for n, images in zip(labelled.classes.labels, counts, strict=True) if images == 0]
    if blank:
        named = advice.given is not None and set(blank) <= set(advice.given.classes)
        lines.append(
            f"No image is labelled {_code(blank)}. "
            + (
                "Coupled, only co-annotation can teach it, on images with attributes and no class, "
                "as far as the table is right; nothing here can check it."
                if named and advice.coupling is not None
                else "Nothing teaches it, coupled or not: leave it out of the task."
            )
        )
    if advice.relatedness is not None:
        apart = [n for n in labelled.classes.labels if n not in advice.relatedness.classes]
        if apart:
            lines.append(
                f"The relatedness does not name {_code(apart)}: images of it are left alone."
            )
    return Part("Classes", lines, table)


def _attributes(advice: Advice) -> Part:
    labelled = advice.labelled
    annotated, active = labelled.mask.sum(axis=0), labelled.active.sum(axis=0)
    both = labelled.mask[labelled.has_class].sum(axis=0)
    table = [["attribute", "annotated", "active", "share", "with class"]]
    for i, name in enumerate(labelled.attributes.labels):
        share = f"{100 * active[i] / annotated[i]:.1f}%" if annotated[i] else "—"
        table.append([name, f"{annotated[i]:,.0f}", f"{active[i]:,.0f}", share, f"{both[i]:,.0f}"])
    lines = []
    named = () if advice.coupling is None else advice.coupling.relatedness.attributes
    blank = [
        n for n, images in zip(labelled.attributes.labels, annotated, strict=True) if not images
    ]
    told = [name for name in blank if name in named]
    untold = [name for name in blank if name not in named]
    if told:
        lines.append(
            f"No image is labelled for {_code(told)}. Coupled, only matching can teach it, from "
            "the classes: its output is what the table says of the class, and nothing here can "
            "check it."
        )
    if untold:
        lines.append(
            f"No image is labelled for {_code(untold)}. Nothing teaches it: leave it out of the "
            "task."
        )
    constant = [
        name
        for i, name in enumerate(labelled.attributes.labels)
        if annotated[i] and active[i] in (0, annotated[i])
    ]
    if constant:
        lines.append(f"The same on every labelled image: {_code(constant)}.")
    if advice.relatedness is not None:
        apart = [
            n
            for n in labelled.attributes.labels
            if n not in advice.relatedness.attributes and n not in blank
        ]
        if apart:
            lines.append(f"The relatedness does not name {_code(apart)}: they are left alone.")
    return Part("Attributes", lines, table)


def _accuracy(advice: Advice) -> Part:
    checked = advice.checked
    if checked is None or (checked.given is None and checked.own is None):
        confidence = np.nan if checked is None else checked.confidence
        lines = []
        if np.isfinite(confidence):
            none = checked is None or checked.information is None
            few = "No image has" if none else "Too few images have"
            lines.append(
                f"{few} both labels, so no accuracy can be counted. The table itself gives "
                f"the likeliest class of an image with attributes {100 * confidence:.0f}% on "
                "average, right or wrong."
            )
        return Part("How much attributes say about the class", lines, [])
    table = [["posterior of the class by", "accuracy", "images", "above the majority"]]
    lines = []
    named = {
        "the given table": checked.given,
        f"the {advice.origin} table, each image left out of its own count": checked.own,
    }
    for name, found in named.items():
        if found is None:
            continue
        mark = f"yes (z = {found.z:.1f})" if found.above else f"no (z = {found.z:.1f})"
        table.append([name, f"{100 * found.accuracy:.1f}%", f"{found.images:,}", mark])
        lines.append(
            f"By {name}: {100 * found.accuracy:.1f}%, the most frequent class "
            f"{100 * found.majority:.1f}%, on {found.images:,} images."
        )
        last = found.majority
    table.append(["nothing: the most frequent class", f"{100 * last:.1f}%", "", ""])
    if checked.given is not None and advice.given is not None and advice.given.prior is None:
        lines.append(
            "The given table has no prior: its posterior takes all classes as equally frequent."
        )
    return Part("How much attributes say about the class", lines, table)


def _information(advice: Advice) -> Part:
    checked, relatedness = advice.checked, advice.relatedness
    if checked is None or relatedness is None or (advice.blank and checked.information is None):
        return Part("Information of each attribute", [], [])
    order = np.argsort(-np.nan_to_num(checked.bits))
    top = ", ".join(f"`{relatedness.attributes[i]}` {checked.bits[i]:.3f}" for i in order[:5])
    if checked.information is None:
        lines = [
            "**Assumed, not counted**: no image has both labels; bits under the table itself. "
            f"Most: {top}."
        ]
        table = [["attribute", "bits assumed"]]
        table += [[relatedness.attributes[i], f"{checked.assumed[i]:.3f}"] for i in order]
        return Part("Information of each attribute", lines, table)
    found = checked.information
    lines = [
        "Mutual information with the class in bits, on images with both labels, corrected for its "
        f"bias after Miller and Madow (uncorrected, few images look informative). Most: {top}."
    ]
    table = [["attribute", "bits", "uncorrected", "images", "p (if independent)", "bits assumed"]]
    for i in order:
        table.append(
            [
                relatedness.attributes[i],
                f"{found.bits[i]:.3f}" if found.images[i] else "—",
                f"{found.plug_in[i]:.3f}" if found.images[i] else "—",
                f"{found.images[i]:,.0f}",
                f"{found.p_values[i]:.2g}",
                f"{checked.assumed[i]:.3f}",
            ]
        )
    return Part("Information of each attribute", lines, table)


def _contradictions(advice: Advice) -> Part:
    checked, covered = advice.checked, advice.covered
    heading = "Where the given table contradicts the labels"
    if checked is None or covered is None or advice.given is None or checked.information is None:
        return Part(heading, [], [])
    pairs = int((covered.tally().annotated > 0).sum())
    found = checked.contradictions
    if not found:
        return Part(heading, [f"Nowhere beyond noise (3 standard errors), of {pairs} pairs."], [])
    first = "; ".join(
        f"{each.attribute} given {each.class_name}: {100 * each.assumed:.0f}% assumed, "
        f"{100 * each.counted:.0f}% of {each.images:,}"
        for each in found[:_LISTED]
    )
    more = f"; and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    table = [["class", "attribute", "assumed", "counted", "interval", "images"]]
    table += [
        [
            each.class_name,
            each.attribute,
            f"{100 * each.assumed:.0f}%",
            f"{100 * each.counted:.0f}%",
            f"{100 * each.low:.0f}–{100 * each.high:.0f}%",
            f"{each.images:,}",
        ]
        for each in found
    ]
    return Part(
        heading, [f"{len(found)} of {pairs} pairs, beyond 3 standard errors: {first}{more}."], table
    )


def _frequencies(advice: Advice) -> Part:
    checked = advice.checked
    heading = "Frequencies that the given table implies"
    if checked is None or not checked.frequencies:
        return Part(heading, [], [])
    known = [each for each in checked.frequencies if each.images]
    off = [each for each in known if each.beyond_noise]
    notable = _notable(checked.frequencies)
    wrong = [each.attribute for each in known if each.impossible]
    lines = [
        f"{len(off)} of {len(known)} attributes are not as frequent as the table and the shares of "
        f"the classes imply, beyond noise; {len(notable)} by more than {100 * NOTABLE:.0f} points."
    ]
    if notable:
        listed = "; ".join(
            f"`{each.attribute}` {100 * each.implied:.0f}% implied, {100 * each.observed:.0f}% "
            "observed"
            for each in notable[:_LISTED]
        )
        lines.append(
            f"{listed}. The table may be wrong there, or the images with attributes hold other "
            "shares of the classes."
        )
    if wrong:
        lines.append(
            f"No shares of the classes explain {_code(wrong)}: there the table itself is off."
        )
    table = [["attribute", "implied", "observed", "images", "verdict"]]
    for each in sorted(known, key=lambda each: -abs(each.implied - each.observed)):
        verdict = "fits"
        if each.beyond_noise:
            verdict = "no shares explain it" if each.impossible else "other than implied"
        table.append(
            [
                each.attribute,
                f"{100 * each.implied:.0f}%",
                f"{100 * each.observed:.0f}%",
                f"{each.images:,}",
                verdict,
            ]
        )
    return Part(heading, lines, table)


def _notable(frequencies: Sequence[Frequency]) -> list[Frequency]:
    """Return those that differ by more than a word's worth, the largest difference first."""
    found = [
        each
        for each in frequencies
        if each.beyond_noise and abs(each.implied - each.observed) > NOTABLE
    ]
    return sorted(found, key=lambda each: -abs(each.implied - each.observed))


def _code(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
