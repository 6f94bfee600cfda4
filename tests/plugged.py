"""Plugins of a test: what they register is gone afterwards, since other suites ask for all."""

import contextlib
import sys

import keras
import pytest
from tensorflow_datasets.core import registered

from mtl_dm import datasets, losses, plugins
from mtl_dm.balancing import BALANCING
from mtl_dm.data import MIXING
from mtl_dm.datasets._check import CHECKERS
from mtl_dm.faces import ENGINES
from mtl_dm.losses import CO_ANNOTATION_EQUATIONS, COUPLING_FORMS, MATCHING_EQUATIONS
from mtl_dm.models import BACKBONES, TERMS

REGISTRIES = (
    BACKBONES,
    BALANCING,
    CHECKERS,
    COUPLING_FORMS,
    ENGINES,
    CO_ANNOTATION_EQUATIONS,
    MATCHING_EQUATIONS,
    MIXING,
    TERMS,
    losses.TASK_LOSSES,
)


@contextlib.contextmanager
def apart():
    """As in a process of its own, which has imported none so far."""
    custom = keras.saving.get_custom_objects()
    kept = [each for each in custom if "my_" not in each]
    with pytest.MonkeyPatch.context() as patch:
        for registry in REGISTRIES:
            patch.setattr(registry, "_entries", dict(registry._entries))
        patch.setattr(datasets, "BUILDERS", datasets.BUILDERS)
        patch.setattr(registered, "_DATASET_REGISTRY", dict(registered._DATASET_REGISTRY))
        patch.setattr(plugins, "_loaded", {})
        try:
            yield
        finally:
            for name in [each for each in custom if each not in kept]:
                del custom[name]
            for name in [each for each in sys.modules if each.startswith(plugins.PREFIX)]:
                del sys.modules[name]
