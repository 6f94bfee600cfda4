"""What every test shares: fixed seeds and an unchanged precision policy."""

import gc
import os
from pathlib import Path

import hypothesis
import pytest

from tests.progress import QUICKLY_COMPILED

# XLA reads them once in a process, whichever test is its first.
for name, value in QUICKLY_COMPILED.items():
    os.environ.setdefault(name, value)

# The same examples on every run, and no database of failures beside the code.
hypothesis.settings.register_profile(
    "mtl_dm", deadline=None, derandomize=True, database=None, max_examples=25
)
hypothesis.settings.load_profile("mtl_dm")


def pytest_collection_finish():
    """Keep the collector of garbage away from the modules, which stay: most objects are theirs."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)


@pytest.fixture(autouse=True)
def reproducible():
    # Not above: the process that hands the tests to others, which wait for it, runs none.
    import keras

    policy = keras.config.dtype_policy()
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy(policy)


@pytest.fixture(scope="session")
def paper_folder():
    """The folder with the paper's printed tables; skips where there is none."""
    beside = Path(__file__).resolve().parents[1].parent / "shared" / "paper"
    folder = Path(os.environ.get("MTL_DM_TEST_PAPER", beside))
    if not folder.is_dir():
        pytest.skip(f"The paper's tables are not in {folder}; set MTL_DM_TEST_PAPER.")
    return folder
