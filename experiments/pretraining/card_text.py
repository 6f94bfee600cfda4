"""A card's numbers as a page to read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from experiments.pretraining.measures import LEAST
from mtl_dm.pretrained.card import card_line

TITLES = {
    "luminance": "Mean luminance of the face, 0 to 255",
    "contrast": "Contrast of the face (standard deviation of the luminance)",
    "turned": "Head turned aside (nose from the middle of the eyes, in distances of the eyes)",
}


def as_markdown(card: Mapping[str, Any]) -> str:
    """Return the card as Markdown."""
    lines = [f"# {card['name']}", "", f"> {card_line(card)}", "", *_about(card), ""]
    for name, test in card["tests"].items():
        lines += [f"## {name}: {test['images']:,} images", "", *_test(test), ""]
    return "\n".join(lines)


def _about(card: Mapping[str, Any]) -> Iterator[str]:
    size = card["size"]
    yield f"**Data.** {card['data']}"
    yield ""
    yield f"**Licence.** {card['licence']}"
    yield ""
    yield (
        f"**Network.** {card['network']} {size['parameters']:,} parameters, "
        f"{size['multiply_adds'] / 1e6:.1f} million multiply-adds a face, {size['bytes']:,} bytes; "
        f"{card['faces_per_core_second']:.0f} aligned faces a second of one core."
    )
    yield ""
    yield f"**Made by** `{card['command']}` at {card['commit']}; {card['choices']}"
    yield ""
    yield "**Limits.**"
    yield ""
    yield from (f"- {limit}" for limit in card["limits"])
    yield ""
    yield "**Measure it again** (the recipe leaves the test images there):"
    yield ""
    yield "```"
    yield from card["evaluate"]
    yield "```"


def _test(test: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"Expression: accuracy {_share(test['accuracy'])}; mean recall of the classes "
        f"{_percent(test['average_accuracy'])}. Calibration error "
        + ", ".join(f"{name} {_percent(each)}" for name, each in test["calibration_error"].items())
        + f". Movements: mean average precision {_percent(test['mean_average_precision'])}."
    )
    yield ""
    yield from _table("expression | recall | test images", "---|---|---:", test["recall"], _recall)
    yield ""
    yield from _table(
        "movement | average precision | base rate | images that show it",
        "---|---:|---:|---:",
        test["movements"],
        _movement,
    )
    for key, title in TITLES.items():
        yield ""
        groups = {line["group"]: line for line in test["conditions"][key]}
        yield from _table(f"{title} | from, to | accuracy", "---|---|---", groups, _group)
    yield ""
    yield from _table(
        "Side of the visible face, pixels | accuracy",
        "---:|---",
        test["size"],
        lambda name, each: f"{name} | {_share(each)}",
    )


def _table(head: str, rule: str, rows: Mapping[str, Any], line: Any) -> Iterator[str]:
    yield f"| {head} |"
    yield f"|{rule}|"
    yield from (f"| {line(name, each)} |" for name, each in rows.items())


def _recall(name: str, each: Mapping[str, Any]) -> str:
    return f"{name} | {_share(each)} | {each['of']:,}"


def _movement(name: str, each: Mapping[str, Any]) -> str:
    precision, rate = each["average_precision"], each["base_rate"]
    return f"{name} | {_percent(precision)} | {_percent(rate)} | {each['positives']:,}"


def _group(name: str, each: Mapping[str, Any]) -> str:
    ends = "" if each["from"] is None else f"{each['from']:.3g}, {each['to']:.3g}"
    return f"{name} | {ends} | {_share(each['accuracy'])}"


def _share(each: Mapping[str, Any]) -> str:
    if each["value"] is None:
        return f"no verdict: fewer than {LEAST} images"
    return f"{each['value']:.1%} ({each['low']:.1%} to {each['high']:.1%})"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
