"""The page of an advice."""

import re

import numpy as np
import pytest

from mtl_dm.reporting import AdvicePage, Bars, Heat, Section, write_advice
from tests.reporting.test_browser import BROWSER, DARK, LIGHT, browse

needs_browser = pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome in PATH")


def page(classes=3, attributes=4, **changes):
    values = np.linspace(0, 1, classes * attributes).reshape(classes, attributes)
    values[0, 0] = np.nan
    content = {
        "title": "Advice <on> kinds",
        "outlook": "help",
        "headline": "Coupling should help.",
        "reasons": ["Because `it` is so."],
        "recommendation": ["Forms: `conditional`.", "Weights: by the rule."],
        "command": "python -m mtl_dm.train \\\n    --datasets=one,two",
        "classes": [f"class {k}" for k in range(classes)],
        "attributes": [f"attribute {i}" for i in range(attributes)],
        "blank": ["attribute 1"],
        "heats": [Heat("Assumed", values), Heat("Counted", values)],
        "bars": Bars(
            "Bits",
            np.append(np.linspace(0, 0.5, attributes - 1), np.nan),
            np.arange(attributes) < 1,
            "Corrected.",
        ),
        "sections": [
            Section("Classes", ["A line."], [["class", "images"], ["a <b>", "3"]]),
            Section("Long", [], [["x", "y"], *([str(i), "1"] for i in range(30))]),
        ],
        "made_by": "python -m mtl_dm.advise",
    }
    return AdvicePage(**{**content, **changes})


def test_says_the_same_in_both_files(tmp_path):
    html = write_advice(tmp_path, page()).read_text("utf-8")
    markdown = (tmp_path / "advice.md").read_text("utf-8")
    for text in ("Coupling should help.", "--datasets=one,two", "Weights: by the rule."):
        assert text in html
        assert text in markdown
    assert "Because <code>it</code> is so." in html
    assert "Advice &lt;on&gt; kinds" in html
    assert "a &lt;b&gt;" in html
    assert "All 30 lines" in html
    assert html.count('aria-label="heat map') == 2
    assert html.count('class="bits weak"') == 1
    assert "| a <b> | 3 |" in markdown


@pytest.mark.parametrize(
    ("outlook", "mark"), [("help", "good"), ("open", "careful"), ("none", "bad")]
)
def test_the_verdict_has_a_colour(tmp_path, outlook, mark):
    html = write_advice(tmp_path, page(outlook=outlook)).read_text("utf-8")
    assert f'<p class="statement {mark}">' in html


def test_without_pictures(tmp_path):
    html = write_advice(tmp_path, page(heats=[], bars=None)).read_text("utf-8")
    assert "<svg" not in html


def test_a_large_table_is_cut_to_what_can_be_read(tmp_path):
    html = write_advice(tmp_path, page(100, 200)).read_text("utf-8")
    assert "Drawn: 40 classes and the 60 most telling attributes." in html
    # attribute 198 has the most bits, 199 no value.
    assert "attribute 198: " in html
    assert ">attribute 5<" not in html


@needs_browser
@pytest.mark.parametrize(("width", "scheme"), [(400, DARK), (1280, LIGHT)])
def test_a_browser_has_nothing_to_say_and_nothing_sticks_out(tmp_path, width, scheme):
    path = write_advice(tmp_path, page())
    _, messages = browse(path, tmp_path, "--dump-dom", width=width, scheme=scheme)
    assert messages == []
    text = re.sub(r'<meta http-equiv="Content-Security-Policy".*?>', "", path.read_text("utf-8"))
    measure = "<script>document.title = document.documentElement.scrollWidth <= innerWidth</script>"
    copy = tmp_path / "copy.html"
    copy.write_text(text.replace("</body>", f"{measure}</body>"), encoding="utf-8")
    document, _ = browse(copy, tmp_path, "--dump-dom", width=width, scheme=scheme)
    assert "<title>true</title>" in document
