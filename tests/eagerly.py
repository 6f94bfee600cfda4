"""Steps that are run one by one: tracing a graph costs more than the few steps of a test."""

import contextlib

import pytest

from mtl_dm.models import MultiTaskModel


@contextlib.contextmanager
def steps():
    """Let whoever trains a model do so without a graph."""
    make_train_function = MultiTaskModel.make_train_function

    def make_eagerly(model, force=False):
        model.run_eagerly = True
        return make_train_function(model, force)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MultiTaskModel, "make_train_function", make_eagerly)
        yield
