import pytest

from mtl_dm.models import MultiTaskModel
from tests import built_faces
from tests.experiments import paper


@pytest.fixture(scope="session")
def faces(tmp_path_factory):
    return str(built_faces.built_faces(tmp_path_factory))


@pytest.fixture(scope="session")
def databases(tmp_path_factory):
    return paper.built(tmp_path_factory.mktemp("databases"))


@pytest.fixture(autouse=True, scope="module")
def eager():
    """Run steps one by one: tracing a graph costs more than the two steps of a small study."""
    make_train_function = MultiTaskModel.make_train_function

    def make_eagerly(model, force=False):
        model.run_eagerly = True
        return make_train_function(model, force)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MultiTaskModel, "make_train_function", make_eagerly)
        yield
