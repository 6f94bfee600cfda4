"""Figure 7: the vanishing gradient, before and after."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from mtl_dm.reporting.vanishing import POWERS, curves, vanishing_plot


def test_one_large_vanishes_and_both_large_do_not():
    one, both = curves(normalised=False)
    assert one[POWERS > 7].max() < 1e-6
    np.testing.assert_allclose(both, 2 / 9)
    assert min(each.min() for each in curves(normalised=True)) > 0.157


def test_draws_both_panels(tmp_path):
    vanishing_plot(tmp_path / "figure7.svg")
    text = (tmp_path / "figure7.svg").read_text()
    ElementTree.fromstring(text)
    assert text.count('class="curve') == 4
    assert "8e6" in text
    assert "logits of unit length" in text


def test_refuses_other_files(tmp_path):
    with pytest.raises(ValueError, match=r"path must end in \.svg"):
        vanishing_plot(tmp_path / "figure7.png")
