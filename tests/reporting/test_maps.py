import cv2
import numpy as np

from mtl_dm.reporting import Panel, map_plot
from mtl_dm.reporting.page.heat import heat_map

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
    map_plot(panels, CLASSES, UNITS, tmp_path / "a.png")
    map_plot(panels, CLASSES, UNITS, tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    pixels = cv2.imread(str(tmp_path / "a.png")).astype(int)
    assert pixels.shape[1] > pixels.shape[0]
    blue, _, red = np.moveaxis(pixels, -1, 0)
    assert (blue - red > 100).any()  # more
    assert (red - blue > 30).any()  # less
