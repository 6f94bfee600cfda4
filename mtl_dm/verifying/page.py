"""Verified pairs -> verification.html, roc.svg and pairs.csv."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mtl_dm.files import write_atomically
from mtl_dm.measuring.samples import thumbnail
from mtl_dm.reporting.html import document, heading
from mtl_dm.reporting.page.markup import bullets, card, details, escape, grid, inline, note, table
from mtl_dm.reporting.page.picture import Titled, picture
from mtl_dm.reporting.tables import Table
from mtl_dm.verifying.plots import distances_drawing, low_rates_drawing, roc_drawing
from mtl_dm.verifying.verified import Verified

SHOWN = 12
"""Pairs of each kind of mistake that the page shows."""
_RATE = "tar_at_far_"


def shown(found: Verified) -> dict[bool, list[int]]:
    """Return the mistakes that the page shows, by kind of pair: the worst ones."""
    return {same: found.wrong(same)[:SHOWN].tolist() for same in (False, True)}


def pictured(found: Verified) -> list[str]:
    """Return the names of the images on these, each once."""
    places = [place for kind in shown(found).values() for place in kind]
    sides = (found.pairs.first[places], found.pairs.second[places])
    return [found.pairs.images[place] for place in np.unique(np.concatenate(sides))]


def write(
    folder: str | Path,
    found: Verified,
    images: Mapping[str, np.ndarray],
    told: Sequence[str],
    made_by: str,
) -> Path:
    """Write the page, the ROC as a picture and every pair as a line.

    Args:
        folder: Where to.
        found: What to show.
        images: Those of `pictured`, in [-1, 1].
        told: Lines on what was verified; the first one stands out.
        made_by: The command.

    Returns:
        The path of the page.

    Raises:
        OSError: If a file cannot be written.
    """
    folder = Path(folder)
    different = int((~found.pairs.same).sum())
    drawings = {
        "ROC": roc_drawing(found.curve, found.scores["eer"]),
        "ROC at low false accept rates": low_rates_drawing(found.curve, different),
        "Distances": distances_drawing(found.distances, found.pairs.same, found.folds.threshold),
    }
    panels = [Titled(title, drawing) for title, drawing in drawings.items()]
    write_atomically(folder / "roc.svg", picture(panels, columns=3))
    write_atomically(folder / "pairs.csv", lines_of(found))
    cards = [card(escape(title), drawing.markup) for title, drawing in drawings.items()]
    title = "Face verification"
    blocks = [
        heading(
            title,
            told[0],
            "Do two photos show the same person?",
            "careful",
            f"<p>{inline(decided(found))}</p>",
        ),
        f"<section><h3>Pairs</h3>{bullets(told[1:])}</section>",
        f"<section><h3>Measured</h3>{table(numbers(found))}{_how(found)}"
        f"{details('Fold by fold', table(_folds(found)))}</section>",
        f"<section><h3>Curves</h3>{grid(cards, 'wide')}</section>",
        *_mistakes(found, images),
        note(f"Made by `{made_by}`. All pairs are in `pairs.csv`."),
    ]
    path = folder / "verification.html"
    write_atomically(path, document(title, "\n".join(blocks)))
    return path


def numbers(found: Verified) -> Table:
    """Return the metrics in words and percent, with their intervals."""
    lines = [["percent", "measured", "95% interval"]]
    for name, value in found.scores.items():
        if name == "accuracy_error":
            continue
        stated = "too few pairs to say" if math.isnan(value) else _percent(value)
        if name == "accuracy":
            stated += f" ± {_percent(found.scores['accuracy_error'])}"
        lines.append([_words(name), stated, _interval(found, name)])
    return lines


def decided(found: Verified) -> str:
    """Return the accuracy beside what a coin or a constant answer would reach, in Markdown."""
    share = float(found.pairs.same.mean())
    interval = _interval(found, "accuracy")
    around = f" (95% interval: {interval})" if interval else ""
    return (
        f"**{_percent(found.scores['accuracy'])}%** of {len(found.distances):,} pairs are judged "
        f"right{around}; always giving the same answer, "
        f"{_percent(max(share, 1 - share))}% would be."
    )


def lines_of(found: Verified) -> str:
    """Return every pair as a line of CSV."""
    pairs, file = found.pairs, io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["first", "second", "same", "fold", "distance", "threshold", "accepted"])
    for place in range(len(pairs.same)):
        writer.writerow(
            [
                pairs.images[pairs.first[place]],
                pairs.images[pairs.second[place]],
                int(pairs.same[place]),
                pairs.fold[place],
                f"{found.distances[place]:.6g}",
                f"{found.thresholds[place]:.6g}",
                int(found.accepted[place]),
            ]
        )
    return file.getvalue()


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _interval(found: Verified, name: str) -> str:
    """Return it in percent; "none" of a metric that no draw changed, "" where there is none."""
    low, high = found.intervals.get(name, (math.nan, math.nan))
    if math.isnan(low):
        return "" if name not in found.intervals or math.isnan(found.scores[name]) else "none"
    return f"{_percent(low)} to {_percent(high)}"


def _words(name: str) -> str:
    if name.startswith(_RATE):
        return (
            f"true accept rate at a false accept rate of {100 * float(name.removeprefix(_RATE)):g}%"
        )
    return {
        "accuracy": "accuracy, threshold of the other folds",
        "auc": "area under the ROC",
        "eer": "equal error rate",
    }[name]


def _how(found: Verified) -> str:
    text = (
        "Accuracy: mean over the folds ± its standard error, each fold at the threshold that is "
        "best on the others. The other numbers are of all pairs together, at thresholds of their "
        "own. "
    )
    if found.intervals:
        text += "Intervals: other people, by a bootstrap over them; not another training."
        if any(_interval(found, name) == "none" for name in found.scores):
            text += (
                " None: whichever of these people are drawn, the number is the same; that of other "
                "people may be another."
            )
    else:
        text += "No interval: it is not known who is on the images."
    return note(text)


def _folds(found: Verified) -> Table:
    rows = zip(*found.folds, strict=True)
    return [
        ["fold", "accuracy", "accepted up to a distance of"],
        *([str(fold), f"{right:.1%}", f"{limit:.4g}"] for fold, limit, right in rows),
    ]


def _mistakes(found: Verified, images: Mapping[str, np.ndarray]) -> list[str]:
    titles = {False: "Two people, taken for one", True: "One person, taken for two"}
    blocks = []
    for same, places in shown(found).items():
        all_wrong, kind = len(found.wrong(same)), int((found.pairs.same == same).sum())
        cards = [_pair(found, place, images) for place in places]
        text = f"{all_wrong:,} of {kind:,} such pairs"
        text += f"; the {len(places)} farthest from the threshold are shown." if places else "."
        content = grid(cards, "samples") + note(text)
        blocks.append(f"<section><h3>{escape(titles[same])}</h3>{content}</section>")
    blocks.append(
        note(
            "Photos as the network sees them; they come from the data, **whose licence holds for "
            "this page too**. The worst mistakes are no fair sample."
        )
    )
    return blocks


def _pair(found: Verified, place: int, images: Mapping[str, np.ndarray]) -> str:
    pairs = found.pairs
    names = [pairs.images[side[place]] for side in (pairs.first, pairs.second)]
    pictures = "".join(
        f'<img src="{thumbnail(images[name])}" alt="{escape(name)}" width="84" height="84">'
        for name in names
    )
    said = "".join(f'<p class="says">{escape(name)}</p>' for name in names)
    distance = f"{found.distances[place]:.3f}, accepted up to {found.thresholds[place]:.3f}"
    return (
        f'<figure class="card wrong"><div class="photos">{pictures}</div>'
        f'{said}<p class="caption">distance {distance}; fold {pairs.fold[place]}</p></figure>'
    )
