import json

import pytest

from mtl_dm.cards.card import CARD_FILE, card_line, card_of
from mtl_dm.pretrained import DEFAULT, FOLDER, PRETRAINED, checkpoint_at
from tests.pretrained.conftest import CARD


def test_a_name_is_its_file(shipped):
    assert checkpoint_at(DEFAULT) == shipped


def test_every_name_has_a_folder_of_its_own_in_the_package():
    for name in PRETRAINED:
        assert PRETRAINED.get(name) == FOLDER / name / f"{name}.keras"


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"Unknown pretrained checkpoint 'big'\. Known: small_f"):
        checkpoint_at("big")


def test_a_checkpoint_that_did_not_come_is_said(absent):
    with pytest.raises(FileNotFoundError, match=r"'small_faces' is not in this .*make pretrain"):
        checkpoint_at(DEFAULT)


@pytest.mark.parametrize("path", ["a/b", "x.keras", "./small_faces"])
def test_a_path_stays_one(path):
    assert str(checkpoint_at(path)) == path.removeprefix("./")


def test_a_file_of_that_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / DEFAULT).write_bytes(b"")
    assert str(checkpoint_at(DEFAULT)) == DEFAULT


def test_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert checkpoint_at("~/x.keras") == tmp_path / "x.keras"


class TestCard:
    def test_the_line_says_how_good_and_what_not(self):
        line = card_line(CARD)
        assert line.count("\n") == 0
        assert "7 expressions, and 12 facial movements as MediaPipe measures them" in line
        assert "64.1% of FER2013 PublicTest (62.5% to 65.7%)" in line
        assert line.endswith("for research, not validated for any decision about people.")

    def test_none_beside_other_checkpoints(self, tmp_path):
        assert card_of(tmp_path / "best.keras") is None

    @pytest.mark.parametrize("content", ["{", "[]", json.dumps({"name": "x"})])
    def test_a_damaged_one(self, tmp_path, content):
        (tmp_path / CARD_FILE).write_text(content, encoding="utf-8")
        with pytest.raises(ValueError, match=r"card\.json is no card"):
            card_of(tmp_path / "best.keras")


def test_a_folder_is_told_what_it_holds(tmp_path):
    (tmp_path / "best.keras").touch()
    with pytest.raises(
        FileNotFoundError, match=r"is a folder, which holds best\.keras: name a file"
    ):
        checkpoint_at(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="holds no checkpoint"):
        checkpoint_at(tmp_path / "empty")
