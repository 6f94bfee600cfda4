"""Drawings as files of their own."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mtl_dm.reporting.page.picture import Key, Titled, picture
from mtl_dm.reporting.page.svg import Drawing, line, rect
from tests.reporting.test_browser import BROWSER, browse

ROOT = Path(__file__).parents[2]
DRAWING = Drawing(100, 50, rect(0, 0, 10, 10, "fill c3", "a <tip>") + line(0, 0, 1, 1, "rule"), "x")


def positions(text):
    return [tuple(map(float, pair)) for pair in re.findall(r"translate\(([\d.]+) ([\d.]+)\)", text)]


def test_is_whole_by_itself():
    text = picture([Titled("One & two", DRAWING)], legend=[Key(3, "c3", "row <3>")], title="All")
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert {"width", "height", "viewBox"} <= set(root.attrib)
    shown = "".join(root.itertext())
    for part in ("One & two", "row <3>", "All", "a <tip>"):
        assert part in shown
    # Programs that know no variables show it too: no reference is left, and no other colours.
    assert "var(" not in text
    assert "svg .fill.c3{fill: #0d8560;}" in text
    assert ".c1" not in text


def test_panels_stand_in_a_grid():
    places = positions(picture([Titled("", DRAWING)] * 3, columns=2))
    # Each panel moves, then its drawing below its title; two beside each other, one below.
    assert places[:6:2] == [(18, 9), (136, 9), (18, 68)]


@pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome in PATH")
def test_a_browser_shows_it_in_its_colours(tmp_path):
    import cv2

    path, shot = tmp_path / "a.svg", tmp_path / "a.png"
    square = Drawing(100, 100, rect(0, 0, 100, 100, "fill c2"), "square")
    path.write_text(picture([Titled("", square)]), encoding="utf-8")
    _, messages = browse(path, tmp_path, f"--screenshot={shot}", width=400)
    assert messages == []
    blue, green, red = cv2.imread(str(shot))[60, 60]
    assert (red, green, blue) == (0xC6, 0x54, 0x00)


def test_nothing_is_drawn_in_a_second_way():
    sources = (ROOT / "mtl_dm").rglob("*.py")
    assert [path.name for path in sources if "matplotlib" in path.read_text("utf-8")] == []
