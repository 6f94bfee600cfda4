"""Scatter and circumplex of a page."""

import re

import numpy as np
import pytest

from mtl_dm.reporting import write_html
from mtl_dm.reporting.page.values import circumplex
from tests.reporting import fake_evidence
from tests.reporting.fake_run import ROWS, cell, spec, write
from tests.reporting.test_html import read

TITLE = "Values: predicted against true"


def values(labels=("valence", "arousal"), rows=70, bounds=(-1, 1)):
    rng = np.random.default_rng(0)
    true = rng.uniform(-1, 1, (rows, len(labels))).round(3)
    said = (0.7 * true + rng.normal(0, 0.2, true.shape)).round(3)
    found = {"labels": list(labels), "bounds": bounds, "true": true.tolist()}
    found["predicted"] = said.tolist()
    found["true"][0][0] = found["predicted"][0][0] = None
    return found


def page(folder, found):
    for row in ROWS:
        content = fake_evidence.evidence(values=found)
        fake_evidence.write(folder, row, 0, content=content)
    cells = [cell(row, seed) for row in ROWS for seed in range(2)]
    return write_html(write(folder, *cells), spec()).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def affect(tmp_path_factory):
    return page(tmp_path_factory.mktemp("values"), {"valence_arousal": values()})


def test_a_dot_an_image_and_value_and_a_circle_a_row(affect):
    assert re.findall("<h3>(Values.*?)</h3>", affect) == [TITLE]
    section = affect.split(f"<h3>{TITLE}</h3>")[1].split("</section>")[0]
    assert section.count('aria-label="prediction against label"') == 2 * len(ROWS)
    assert section.count('aria-label="valence and arousal, true and predicted"') == len(ROWS)
    # 69 labels of valence and 70 of arousal; of the 69 images with both every second one.
    dots = section.count('class="cloud')
    assert dots == (69 + 70 + 35) * len(ROWS)
    assert section.count('class="truth"') == 35 * len(ROWS)
    assert "predicted" in read(affect).text


def test_other_values_have_no_circumplex(tmp_path):
    text = page(tmp_path, {"pose": values(("yaw",), bounds=None)})
    assert "prediction against label" in text
    assert "valence and arousal" not in text


def test_without_values_there_is_no_section(tmp_path):
    assert TITLE not in page(tmp_path, {})


def test_a_prediction_beyond_the_circle_is_drawn_inside_the_figure():
    drawn = circumplex("c1", [((0.5, 0.5), (2.0, -3.0))])
    places = [float(place) for place in re.findall(r'c[xy]="([-\d.]+)"', drawn)]
    assert min(places) > 0
    assert max(places) < 210


def test_a_sample_says_values(tmp_path):
    found = fake_evidence.evidence()
    told = {"kind": "regression", "labels": ["valence", "arousal"]}
    told |= {"true": [0.5, None], "predicted": [0.423, -0.2]}
    found["samples"][0]["tasks"]["valence_arousal"] = told
    fake_evidence.write(tmp_path, ROWS[0], 0, content=found)
    cells = [cell(row, seed) for row in ROWS for seed in range(2)]
    text = read(write_html(write(tmp_path, *cells), spec()).read_text(encoding="utf-8")).text
    assert "valence +0.42 (is +0.50)" in text
    assert "arousal \N{MINUS SIGN}0.20" in text
