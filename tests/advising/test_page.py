"""The page of an advice."""

import re

import numpy as np
import pytest

from mtl_dm.advising import advise, page
from mtl_dm.tasks import Task
from tests.advising.labels import TASKS, P, drawn, hidden, only, table
from tests.reporting.test_browser import BROWSER, DARK, LIGHT, browse

needs_browser = pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome in PATH")
COMMAND = "python -m mtl_dm.train \\\n    --datasets=one,two"
APART = [only(drawn(300), "kind"), only(drawn(700, 1), "signs")]
SOME_TOGETHER = [hidden(drawn(2000), "kind", slice(60, None))]


def written(folder, advice):
    path = page.write(folder, advice, COMMAND, "python -m mtl_dm.advise")
    return path.read_text("utf-8"), (folder / "advice.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("sets", "given", "mark", "titles"),
    [
        (
            SOME_TOGETHER,
            table(),
            "good",
            ["Assumed", "Counted on", "Recommended", "Bits that each"],
        ),
        (SOME_TOGETHER, None, "good", ["Counted on", "Recommended: shrunk", "Bits that each"]),
        (APART, table(), "careful", ["Assumed", "Bits that the table claims"]),
        (APART, None, "careful", ["Start of learning"]),
        ([drawn(300)], None, "bad", ["Counted on", "Bits that each"]),
        ([drawn(300)], table(classes=("x", "y", "z")), "bad", ["Counted on", "Bits that each"]),
    ],
)
def test_shows_what_is_known(tmp_path, sets, given, mark, titles):
    advice = advise(sets, TASKS, given)
    html, markdown = written(tmp_path, advice)
    assert f'<p class="statement {mark}">' in html
    found = re.findall(r"<figcaption>(.*?)</figcaption>", html)
    assert len(found) == len(titles)
    assert all(name.startswith(title) for name, title in zip(found, titles, strict=True))
    for text in (advice.headline, "--datasets=one,two", "Attribute loss:"):
        assert text in html
        assert text in markdown
    for section in advice.sections:
        assert f"<h3>{section.heading}</h3>" in html
        assert f"## {section.heading}" in markdown


def test_names_are_escaped(tmp_path):
    kind = Task.multiclass("kind", ("<a>", "b", "c"))
    html, markdown = written(tmp_path, advise([drawn(300)], (kind, TASKS[1])))
    assert "&lt;a&gt;" in html
    assert "<a>" not in html
    assert "| <a> |" in markdown
    assert "counted on" not in html  # Nothing to couple: `code` and text come through all the same.
    assert "<code>--relatedness</code>" in html


def test_a_large_table_is_cut_to_what_can_be_read(tmp_path):
    conditional = np.full((50, 70), 0.5)
    conditional[:25, 66] = 0.0  # Says most; those beside it nothing.
    tasks = (
        Task.multiclass("kind", [f"class {k}" for k in range(50)]),
        Task.multilabel("signs", [f"sign {i}" for i in range(70)]),
    )
    labels = drawn(2000, conditional=conditional)
    html, _ = written(tmp_path, advise([labels, only(labels, "signs")], tasks))
    assert "Drawn: 40 classes, the 60 attributes that say most." in html
    assert "All 70 lines" in html
    assert html.index("sign 66: ") < html.index("</figure>", html.index("Bits that each"))
    assert "sign 66 | class 39" in html
    assert "class 40)" not in html


def test_attributes_without_a_label_are_in_italics_and_those_of_chance_in_grey(tmp_path):
    labels, mask = (each.copy() for each in APART[1]["signs"])
    labels[:, 3], mask[:, 3] = 0, 0
    html, _ = written(tmp_path, advise([APART[0], {"signs": (labels, mask)}], TASKS, table()))
    assert "Italic: without a single label." in html
    assert html.count('class="bits weak"') == 1
    # P of x is 0.5 whatever the class.
    html, _ = written(tmp_path, advise([drawn(2000)], TASKS, table(P)))
    assert html.count('class="bits weak"') == 1


@needs_browser
@pytest.mark.parametrize(("width", "scheme"), [(400, DARK), (1280, LIGHT)])
def test_a_browser_has_nothing_to_say_and_nothing_sticks_out(tmp_path, width, scheme):
    written(tmp_path, advise(SOME_TOGETHER, TASKS, table()))
    path = tmp_path / "advice.html"
    _, messages = browse(path, tmp_path, "--dump-dom", width=width, scheme=scheme)
    assert messages == []
    text = re.sub(r'<meta http-equiv="Content-Security-Policy".*?>', "", path.read_text("utf-8"))
    measure = "<script>document.title = document.documentElement.scrollWidth <= innerWidth</script>"
    copy = tmp_path / "copy.html"
    copy.write_text(text.replace("</body>", f"{measure}</body>"), encoding="utf-8")
    document, _ = browse(copy, tmp_path, "--dump-dom", width=width, scheme=scheme)
    assert "<title>true</title>" in document
