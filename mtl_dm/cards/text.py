"""A card's numbers as a page to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mtl_dm.cards.card import card_line
from mtl_dm.cards.measures import LEAST

CONDITIONS = {
    "luminance": "Mean luminance of the face, 0 to 255",
    "contrast": "Contrast of the face (standard deviation of the luminance)",
    "turned": "Head turned aside (nose from the middle of the eyes, in distances of the eyes)",
}


def as_markdown(card: Mapping[str, Any]) -> str:
    """Return the card as Markdown."""
    lines = [f"# {card['name']}", "", f"> {card_line(card)}", "", *_about(card)]
    for name, test in card["tests"].items():
        lines += [f"## {name}: {test['images']:,} images", "", *_test(test)]
    return "\n".join(lines)


def _about(card: Mapping[str, Any]) -> Iterator[str]:
    choices = f"; {card['choices']}" if "choices" in card else "."
    said = {
        "Data": card["data"],
        "Licence": card.get("licence"),
        "Network": _network(card),
        "Made by": f"`{card['command']}` at {card['commit']}{choices}",
        "Calibration": _calibration(card.get("calibration", {})),
    }
    for title, text in said.items():
        if text:
            yield from (f"**{title}{'' if title == 'Made by' else '.'}** {text}", "")
    yield from ("**Limits.**", "", *(f"- {limit}" for limit in card["limits"]), "")
    again = "**Measure it again**" if card["tests"] else "**Measure it**"
    yield from (f"{again}:", "", "```", *card["evaluate"], "```", "")


def _network(card: Mapping[str, Any]) -> str:
    size = card.get("size", {})
    numbers = [f"{size['parameters']:,} parameters"] if "parameters" in size else []
    if "multiply_adds" in size:
        numbers.append(f"{size['multiply_adds'] / 1e6:.1f} million multiply-adds a face")
    numbers += [f"{size['bytes']:,} bytes"] if "bytes" in size else []
    text = f"{card.get('network', '')} {', '.join(numbers)}".strip()
    if "faces_per_core_second" in card:
        text += f"; {card['faces_per_core_second']:.0f} aligned faces a second of one core"
    return f"{text}." if text else ""


def _calibration(found: Mapping[str, Any]) -> str:
    if not found:
        return "None: probabilities are as the network gives them."
    return " ".join(
        f"{checkpoint} on {each['fitted_on']}: "
        + "; ".join(
            f"{task} temperature {fit['temperature']:.2f}, calibration error "
            f"{fit['calibration_error_before']:.1%} to {fit['calibration_error_after']:.1%}"
            for task, fit in each["tasks"].items()
        )
        + "."
        for checkpoint, each in found.items()
    )


def _test(test: Mapping[str, Any]) -> Iterator[str]:
    for name, measured in test["tasks"].items():
        yield from _task(name, measured)
    for key, title in CONDITIONS.items():
        if key in test.get("conditions", {}):
            groups = {line["group"]: line for line in test["conditions"][key]}
            yield from _table(f"{title} | from, to | accuracy", "---|---|---", groups, _group)
    if "size" in test:
        yield from _table(
            "Side of the visible face, pixels | accuracy",
            "---:|---",
            test["size"],
            lambda name, each: f"{name} | {_share(each)}",
        )


def _task(name: str, measured: Mapping[str, Any]) -> Iterator[str]:
    labels = measured["labels"]
    if measured["kind"] == "multiclass":
        yield (
            f"{name}: accuracy {_share(measured['accuracy'])}; mean recall of the classes "
            f"{_percent(measured['average_accuracy'])}; calibration error "
            f"{_percent(measured['calibration_error'])}."
        )
        yield ""
        yield from _table(f"{name} | recall | test images", "---|---|---:", labels, _recall)
    elif measured["kind"] == "multilabel":
        first = f"mean F1 {_percent(measured['f1'])}; " if "f1" in measured else ""
        yield (
            f"{name}: {first}mean average precision {_percent(measured['average_precision'])}; "
            f"calibration error {_percent(measured['calibration_error'])}."
        )
        yield ""
        whole = "f1" in measured
        head = f"{name} | {'F1 at 0.5 | ' if whole else ''}average precision | base rate"
        rule = f"---|{'---|' if whole else ''}---:|---:|---:"
        yield from _table(f"{head} | images that show it", rule, labels, _attribute)
    else:
        yield f"{name}: mean CCC {_number(measured['ccc'])}; mean RMSE {_number(measured['rmse'])}."
        yield ""
        yield from _table(f"{name} | CCC | test images", "---|---|---:", labels, _value)


def _table(
    head: str, rule: str, rows: Mapping[str, Any], line: Callable[[str, Any], str]
) -> Iterator[str]:
    if rows:
        yield from (f"| {head} |", f"|{rule}|")
        yield from (f"| {line(name, each)} |" for name, each in rows.items())
        yield ""


def _recall(name: str, each: Mapping[str, Any]) -> str:
    return f"{name} | {_share(each)} | {each['of']:,}"


def _attribute(name: str, each: Mapping[str, Any]) -> str:
    first = f"{_share(each['f1'])} | " if "f1" in each else ""
    precision, rate = each["average_precision"], each["base_rate"]
    return f"{name} | {first}{_percent(precision)} | {_percent(rate)} | {each['positives']:,}"


def _value(name: str, each: Mapping[str, Any]) -> str:
    found = each["ccc"]
    if found["low"] is None:
        text = _few() if found["value"] is None else _number(found["value"])
    else:
        text = f"{found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f})"
    return f"{name} | {text} | {found['of']:,}"


def _group(name: str, each: Mapping[str, Any]) -> str:
    ends = "" if each["from"] is None else f"{each['from']:.3g}, {each['to']:.3g}"
    return f"{name} | {ends} | {_share(each['accuracy'])}"


def _share(each: Mapping[str, Any]) -> str:
    if each["value"] is None:
        return _few()
    return f"{each['value']:.1%} ({each['low']:.1%} to {each['high']:.1%})"


def _few() -> str:
    return f"no verdict: fewer than {LEAST} images"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
