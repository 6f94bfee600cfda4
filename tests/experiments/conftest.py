import pytest

from tests import built_faces, eagerly
from tests.experiments import paper


@pytest.fixture(scope="session")
def faces(tmp_path_factory):
    return str(built_faces.built_faces(tmp_path_factory))


@pytest.fixture(scope="session")
def databases(tmp_path_factory):
    return paper.built(tmp_path_factory.mktemp("databases"))


@pytest.fixture(autouse=True, scope="module")
def eager():
    with eagerly.steps():
        yield
