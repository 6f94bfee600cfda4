"""Predictions on test images, the wrong ones first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mtl_dm.reporting.page.markup import details, escape, grid, note
from mtl_dm.reporting.page.view import ColumnView


def sample_cards(view: ColumnView) -> str:
    """Return a fold of samples for each row, of its first repeat; "" where there are none."""
    folds: list[str] = []
    pictured = False
    for row in view.spec.rows:
        contents = view.evidence.get(row, ())
        samples = contents[0]["samples"] if contents else []
        if samples:
            pictured |= any(sample["image"] is not None for sample in samples)
            cards = [_card(sample) for sample in samples]
            content = grid(cards, "samples")
            folds.append(details(view.named(row), content, opened=not folds))
    if not folds:
        return ""
    licence = " **Its licence holds for this page too.**" if view.real else ""
    images = f" The images come from the data set.{licence}" if pictured else ""
    marks = " ".join(
        _chip(kind, name, "")
        for kind, name in (("hit", "found"), ("missed", "missed"), ("false", "not there"))
    )
    text = (
        f"Test {'images' if pictured else 'examples'} of the first repeat: the wrong predictions "
        "the model was surest of, then the right ones it was surest of; attributes are counted "
        f"present above 0.5. A choice that shows mistakes, not a fair sample.{images}"
    )
    return f'<p class="note">Attributes: {marks}</p>{"".join(folds)}{note(text)}'


def _card(sample: Mapping[str, Any]) -> str:
    right = sample["correct"]
    word = "✓ right" if right else "✗ wrong"
    lines = []
    for task, judged in sample["tasks"].items():
        if judged["kind"] == "multiclass":
            lines.append(_class_lines(judged))
        elif judged["kind"] == "regression":
            lines.append(_value_lines(judged))
        else:
            lines.append(_attribute_chips(task, judged))
    return (
        f'<figure class="card sample {"right" if right else "wrong"}">{_picture(sample)}'
        f'<div><span class="verdict">{word}</span>{"".join(lines)}</div>'
        "</figure>"
    )


def _picture(sample: Mapping[str, Any]) -> str:
    """Return the image; of inputs that hold none, which test example it is."""
    index = escape(sample["index"])
    if sample["image"] is None:
        return f"<small>no. {index}</small>"
    return f'<img src="{escape(sample["image"])}" alt="test image {index}" width="96" height="96">'


def _class_lines(judged: Mapping[str, Any]) -> str:
    (said,) = judged["predicted"]
    sure = judged["probabilities"]
    text = f"says <strong>{escape(said)}</strong> {_percent(sure[said])}"
    if judged["true"] and judged["true"] != judged["predicted"]:
        (true,) = judged["true"]
        text += f"<br>is <strong>{escape(true)}</strong> {_percent(sure[true])}"
    return f'<p class="says">{text}</p>'


def _value_lines(judged: Mapping[str, Any]) -> str:
    """Return "valence <strong>+0.42</strong> (is +0.50)", a line a value."""
    lines = []
    for name, true, said in zip(judged["labels"], judged["true"], judged["predicted"], strict=True):
        text = f"{escape(name)} <strong>{_signed(said)}</strong>"
        lines.append(text if true is None else f"{text} (is {_signed(true)})")
    return f'<p class="says">{"<br>".join(lines)}</p>'


def _signed(value: float | None) -> str:
    return "no number" if value is None else f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def _attribute_chips(task: str, judged: Mapping[str, Any]) -> str:
    true, said = set(judged["true"]), set(judged["predicted"])
    chips = []
    for name, probability in judged["probabilities"].items():
        kind = "hit" if name in true & said else "missed" if name in true else "false"
        chips.append(_chip(kind, name, f"{task} {name}: {kind}, {_percent(probability)}"))
    return f'<p class="chips">{" ".join(chips) or "no attribute"}</p>'


def _chip(kind: str, name: str, tip: str) -> str:
    title = f' title="{escape(tip)}"' if tip else ""
    return f'<span class="chip {kind}"{title}>{escape(name)}</span>'


def _percent(value: float) -> str:
    return f"{100 * value:.0f}%"
