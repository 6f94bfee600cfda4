import json

import pytest

from mtl_dm.runs.origin import Origin, base_name, fingerprint, origin_of

PEOPLE = ("fer2013:train",)
DRAWN = ("synthetic_faces/expression_only_64px", "synthetic_faces/action_units_only")


def test_from_the_record_of_a_finished_run(finished):
    found = origin_of(finished.folder / "best.keras")
    assert found.datasets == finished.config.datasets
    assert found.record == "run.json"
    assert found.annotated == {"expression": 48, "action_units": 64}
    # The drawn faces have 11 of the 17 action units annotated.
    assert found.unseen["action_units"] == ("AU7", "AU10", "AU11", "AU15", "AU23", "AU24")
    assert not found.validated_on_people


def test_from_the_configuration_of_a_run_that_goes_on(finished, tmp_path):
    text = (finished.folder / "config.json").read_text(encoding="utf-8")
    (tmp_path / "config.json").write_text(text, encoding="utf-8")
    found = origin_of(tmp_path / "best.keras")
    assert (found.datasets, found.record) == (finished.config.datasets, "config.json")


@pytest.mark.parametrize("text", [None, "", "[]", '{"config": 3}', '{"config": {}}', "{", "null"])
def test_without_a_readable_record_nothing_is_known(tmp_path, text):
    if text is not None:
        (tmp_path / "run.json").write_text(text, encoding="utf-8")
    found = origin_of(tmp_path / "best.keras")
    assert found == Origin()
    assert not found.validated_on_people
    (line,) = found.lines()
    assert "not known what this checkpoint was trained on" in line
    assert "not validated" in line


def test_what_a_reader_is_told():
    assert Origin(PEOPLE).lines() == ["Trained on: fer2013:train"]
    assert Origin(PEOPLE).validated_on_people
    text = "\n".join(Origin(DRAWN, annotated={"expression": 2000}).lines())
    assert "synthetic_faces/action_units_only (annotated images: expression 2,000)" in text
    assert "NOT VALIDATED ON PEOPLE: trained on drawn faces" in text
    mixed = Origin((*PEOPLE, DRAWN[1]), unseen={"action_units": ("AU7", "AU10")})
    assert not mixed.validated_on_people
    text = "\n".join(mixed.lines())
    assert "in part (synthetic_faces/action_units_only) trained on drawn faces" in text
    assert "No training image was annotated for action_units AU7, AU10" in text


def test_what_labels_said_of_a_relatedness(tmp_path):
    pair = {"source": "expression", "target": "action_units"}
    judged = [
        {**pair, "confirmed": 0.041, "verdict": "learned from labels instead"},
        {**pair, "target": "parts", "confirmed": None, "verdict": "believed as given"},
    ]
    record = {"config": {"datasets": PEOPLE}, "judged": judged}
    (tmp_path / "run.json").write_text(json.dumps(record), encoding="utf-8")
    assert origin_of(tmp_path / "best.keras").lines()[1:] == [
        "The relatedness of expression and action_units: labels confirm 4%, learned from labels "
        "instead.",
        "The relatedness of expression and parts: labels did not judge it, believed as given.",
    ]


def test_as_json():
    content = json.loads(json.dumps(Origin(DRAWN).to_dict()))
    assert content["datasets"] == list(DRAWN)
    assert content["validated_on_people"] is False


def test_base_name():
    assert [base_name(name) for name in ("a", "a/b", "a:test", "a/b:test")] == ["a"] * 4


def test_fingerprint(tmp_path):
    path = tmp_path / "x.keras"
    with pytest.raises(FileNotFoundError, match=r"No checkpoint at .*x\.keras"):
        fingerprint(path)
    path.write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    assert fingerprint(path).startswith("ba7816bf8f01cfea")
