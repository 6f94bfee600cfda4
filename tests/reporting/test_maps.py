import numpy as np
import pytest

from mtl_dm.reporting import Panel, map_plot
from mtl_dm.reporting.page.heat import heat_drawing, heat_map

CLASSES, UNITS = ("fear", "anger"), ("AU1", "AU2", "AU4")
VALUES = np.array([[0.25, 1.0, np.nan], [-0.5, 0.0, 0.7]])


def test_differences_carry_their_sign():
    page = heat_map(CLASSES, UNITS, VALUES, signed=True)
    assert [text for text in (">+25<", ">+100<", ">-50<", ">0<", ">+70<") if text not in page] == []
    assert page.count('class="heat less"') == 1
    assert page.count('class="heat"') == 4
    assert page.count('class="empty"') == 1
    assert "Difference of P(AU1 | anger) = -0.500" in page
    # Strong colours take light letters, whatever the sign.
    assert page.count("high") == 2


def test_shares_carry_none():
    page = heat_map(CLASSES, UNITS, np.abs(VALUES))
    assert ">50<" in page
    assert "+" not in page
    assert "P(AU1 | anger) = 0.500" in page


def test_picture(tmp_path):
    panels = [Panel("shares", np.abs(VALUES)), Panel("differences", VALUES, signed=True)]
    map_plot(panels, CLASSES, UNITS, tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text("utf-8")
    # The drawings of the page, side by side under their titles.
    for panel in panels:
        assert heat_drawing(CLASSES, UNITS, panel.values, signed=panel.signed).content in text
    assert [text.count(f">{name}</text>") for name in ("shares", "differences", "fear")] == [
        1,
        1,
        2,
    ]


def test_another_kind_of_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"path must end in \.svg, got '.*a\.png'"):
        map_plot([Panel("", VALUES)], CLASSES, UNITS, tmp_path / "a.png")
