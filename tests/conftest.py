"""What every test shares: fixed seeds and an unchanged precision policy."""

import os
from pathlib import Path

import hypothesis
import keras
import pytest

# The same examples on every run, and no database of failures beside the code.
hypothesis.settings.register_profile(
    "mtl_dm", deadline=None, derandomize=True, database=None, max_examples=25
)
hypothesis.settings.load_profile("mtl_dm")


@pytest.fixture(autouse=True)
def reproducible():
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
