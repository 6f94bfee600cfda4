import cv2
import pytest

from mtl_dm.faces import ENGINES
from tests import saved_models
from tests.faces.dots import load_dots_engine, photo, place

# Where faces are planted: (x, y, scale) of the middle of their landmarks.
ONE, OTHER = (80, 90, 1.0), (170, 100, 0.8)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    return saved_models.save(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(autouse=True)
def dots(monkeypatch):
    monkeypatch.setitem(ENGINES._entries, "dots", load_dots_engine)


@pytest.fixture
def write(tmp_path):
    """Writes a photo with the faces planted, and returns its path."""

    def call(name, *planted):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = photo(*(place(*where) for where in planted))
        done, data = cv2.imencode(path.suffix, image[..., ::-1])
        assert done
        path.write_bytes(data.tobytes())
        return path

    return call
