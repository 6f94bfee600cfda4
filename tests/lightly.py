"""Programs that need neither the networks nor what they run on, which take seconds to start."""

import os

import pytest

import mtl_dm

STUBS = f"""
import sys, types
for name in ("keras", "tensorflow", "mtl_dm"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["mtl_dm"].__path__ = {list(mtl_dm.__path__)!r}
"""
"""What such a program runs first: it finds the library's modules, and nothing else is imported."""


@pytest.fixture
def light_children(tmp_path_factory, monkeypatch):
    """Have every Python that the test starts run `STUBS` first."""
    folder = tmp_path_factory.mktemp("light")
    (folder / "sitecustomize.py").write_text(STUBS, encoding="utf-8")
    others = [path for path in [os.environ.get("PYTHONPATH")] if path]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *others]))
