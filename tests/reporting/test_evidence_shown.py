"""What the page shows of evidence that not every cell has."""

import json

import pytest

from mtl_dm.reporting import read_cells, write_html
from mtl_dm.runs.evidence import read_evidence
from tests.reporting import fake_evidence
from tests.reporting.fake_run import cell, spec, write

TABLE = fake_evidence.evidence()["relatedness"]
COUPLINGS = {
    "faces": {"source": "expression", "target": "action_units", **TABLE},
    "more": {
        "source": "expression",
        "target": "poses",
        **TABLE,
        "attributes": ["left", "right", "up"],
        "left_out": [],
    },
}


def page(folder, content):
    fake_evidence.write(folder, "ST", content=content)
    return write_html(write(folder, cell("ST")), spec()).read_text("utf-8")


def test_of_several_couplings_each_has_its_maps(tmp_path):
    text = page(tmp_path, fake_evidence.evidence(couplings=COUPLINGS))
    assert "<h4>faces: expression and action_units</h4>" in text
    assert "<h4>more: expression and poses</h4>" in text
    assert text.index("AU2 | fear") < text.index("<h4>more") < text.index("left | fear")


@pytest.mark.parametrize("couplings", [None, {}, {"faces": COUPLINGS["faces"]}])
def test_of_one_coupling_the_maps_need_no_heading(tmp_path, couplings):
    content = fake_evidence.evidence()
    plain = page(tmp_path / "plain", content)
    if couplings is not None:
        content["couplings"] = couplings
    assert page(tmp_path / "named", content) == plain
    assert "AU2 | fear" in plain
    assert "<h4>faces" not in plain


def test_evidence_of_older_versions_has_no_couplings_by_name(tmp_path):
    path = fake_evidence.write(tmp_path, "ST")
    assert "couplings" not in json.loads(path.read_text("utf-8"))["evidence"]
    found = read_evidence(write(tmp_path, cell("ST")), read_cells(tmp_path).cells)
    ((content,),) = found.contents.values()
    assert content["couplings"] == {}
    assert found.damaged == []


def test_a_sample_without_an_image(tmp_path):
    content = fake_evidence.evidence()
    for sample in content["samples"]:
        sample["image"] = None
    text = page(tmp_path, content)
    assert "<img" not in text
    assert "<small>no. 3</small>" in text
    assert "Test examples of the first repeat" in text
    assert "The images come from the data set" not in text


def test_what_training_made_of_a_prior_stands_beside_it(tmp_path):
    content = fake_evidence.evidence()
    assert "<h5>learned</h5>" not in page(tmp_path / "as given", content)
    content["relatedness"] |= {"learned": [[0.75, 0.1, None]] * 2, "confirmed": 0.042}
    text = page(tmp_path / "judged", content)
    assert text.count("<h5>learned</h5>") == 1
    assert "P(AU2 | fear) = 0.750" in text
    assert "labels confirm 4% of the prior; implied: 30 points" in text
