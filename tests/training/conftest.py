import pytest

from tests import eagerly
from tests.finished_run import faces, finished

__all__ = ["eager", "faces", "finished"]


@pytest.fixture(scope="module")
def eager():
    """For files in which no step has to be compiled."""
    with eagerly.steps():
        yield
