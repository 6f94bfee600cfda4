"""The short Inception-ResNet: its size, its branches, and stages over them."""

import keras
import numpy as np
import pytest

from mtl_dm.balancing import BALANCING
from mtl_dm.models import BACKBONES
from mtl_dm.models.counting import parameters_of
from mtl_dm.training.parts import named_weights

TASKS = ("identity", "expression")
DEMO = "inception_resnet_small(variant=demo, bottleneck=8)"
SHAPE = (32, 32, 3)


@pytest.fixture(scope="module")
def backbone():
    return BACKBONES.create(DEMO, SHAPE)


def test_has_the_parameters_of_the_authors_code():
    # Without values: to draw them is what takes the time.
    with keras.StatelessScope(initialize_variables=False):
        backbone = BACKBONES.create("inception_resnet_small(bottleneck=0)", (160, 160, 3))
    counts = [parameters_of(each).trainable for each in backbone.branches.values()]
    assert parameters_of(backbone.shared).trainable == 6_434_992
    assert counts == [3_200_000, 3_200_000]
    assert parameters_of(backbone).trainable == 12_834_992
    assert backbone.shared.output.shape == (None, 3, 3, 1792)
    assert backbone.branches["identity"].output.shape == (None, 1792)


def test_a_transfer_copies_the_first_branch_and_only_it(backbone):
    before = [each.copy() for each in backbone.get_weights()]
    first, other = backbone.branches.values()
    for stage in ("", "single", "transfer_not"):
        backbone.begin_stage(stage)
    for one, two in zip(backbone.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, two)
    assert np.any(first.get_weights()[0] != other.get_weights()[0])
    backbone.begin_stage("transfer")
    for one, two in zip(first.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    kept = len(backbone.shared.get_weights()) + len(first.get_weights())
    for one, two in zip(backbone.get_weights()[:kept], before[:kept], strict=True):
        np.testing.assert_array_equal(one, two)


def test_parts_are_called_by_task_and_the_unit_sees_the_shared_one(backbone):
    assert {name.split("/")[1] for name in named_weights(backbone)} == {"shared", *TASKS}
    method = BALANCING.create("dynamic")
    method.prepare(TASKS)
    with keras.StatelessScope():
        method.prepare_features(backbone(keras.KerasTensor((None, *SHAPE))))
    assert method.kernel.shape == (backbone.shared.output.shape[-1], 2)


def test_one_branch_has_nothing_to_transfer():
    with keras.StatelessScope(initialize_variables=False):
        one = BACKBONES.create(f"{DEMO[:-1]}, tasks=[identity])", SHAPE)
    with pytest.raises(ValueError, match="there is only one"):
        one.require_stage("transfer")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("tasks=[shared, a]", "no task may be called 'shared'"),
        ("bottleneck=-1", "bottleneck must be >= 0, got -1"),
        ("dropout=1", r"dropout must be in \[0, 1\), got 1"),
        ("variant=own", "Unknown variant 'own'"),
    ],
)
def test_refuses_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        BACKBONES.create(f"inception_resnet_small({options})", (160, 160, 3))
