import pytest

from tests import built_faces


@pytest.fixture(scope="session")
def faces(tmp_path_factory):
    return str(built_faces.built_faces(tmp_path_factory))
