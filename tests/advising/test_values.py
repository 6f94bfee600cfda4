"""What advice says of real values, on labels whose answer is known."""

import numpy as np
import pytest
from scipy.stats import f_oneway

from mtl_dm.advising import advise, advise_values
from mtl_dm.advising.values import explained_share
from mtl_dm.relatedness import russell
from mtl_dm.tasks import Task
from tests.advising.labels import KIND, SIGNS, drawn

AFFECT = Task.regression("affect", ("valence", "arousal"), bounds=(-1, 1))
TASKS = (KIND, SIGNS, AFFECT)


def annotated(rows=600, effect=0.5, together=slice(None)):
    """Values that depend on the class; only `together` have both labels."""
    arrays, rng = drawn(rows), np.random.default_rng(1)
    ids = arrays["kind"][0].argmax(axis=1)
    values = np.stack([effect * (ids - 1) / 2, np.zeros(rows)], axis=1)
    values = np.clip(values + 0.2 * rng.normal(size=(rows, 2)), -1, 1)
    mask = np.zeros((rows, 2))
    mask[together] = 1
    return {**arrays, "affect": (values.astype(np.float32), mask.astype(np.float32))}


def test_the_share_between_classes_is_that_of_an_analysis_of_variance():
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 3, 100)
    values = 0.3 * ids + rng.normal(size=100)
    f = f_oneway(*(values[ids == k] for k in range(3))).statistic
    eta = 2 * f / (2 * f + 97)
    assert explained_share(ids, values) == pytest.approx(1 - (1 - eta) * 99 / 97)
    missing = np.where(np.arange(100) < 20, -1, ids)
    cut = np.where(np.arange(100) >= 90, np.nan, values)
    assert explained_share(missing, cut) == pytest.approx(
        explained_share(ids[20:90], values[20:90])
    )
    assert np.isnan(explained_share(ids, np.ones(100)))
    assert np.isnan(explained_share(np.full(100, -1), values))


def test_values_that_depend_on_the_class_are_to_be_coupled_by_counted_moments():
    advice = advise([annotated()], TASKS)
    text = str(advice)
    assert "Values of affect" in text
    assert "600 of 600 images have a value, 600 of these a class of `kind` too." in text
    assert "Couple `kind` and `affect` by moments counted on the 600 images" in text
    (section,) = [each for each in advice.sections if each.heading == "Values of affect"]
    _, valence, arousal = section.table
    assert valence[:3] == ["valence", "600", "600"]
    assert int(valence[-1].rstrip("%")) > 30
    assert abs(int(arousal[-1].rstrip("%"))) < 3


def test_values_that_classes_say_nothing_of():
    assert "Leave `kind` and `affect` uncoupled" in str(advise([annotated(effect=0.0)], TASKS))


def test_without_both_labels_moments_are_to_be_learned():
    arrays = annotated()
    kinds = {name: arrays[name] for name in ("kind", "signs")}
    advice = advise([kinds, {"affect": arrays["affect"]}], TASKS)
    assert "too few images have both labels to count moments." in str(advice)
    assert "`learned:russell`, published coordinates, unchecked" in str(advice)


def test_a_constant_value_is_said():
    arrays = annotated()
    arrays["affect"][0][:, 1] = 0.25
    assert "`arousal` is the same on every labelled image" in str(advise([arrays], TASKS))


def test_a_value_outside_its_bounds_is_refused():
    arrays = annotated()
    arrays["affect"][0][7] = -2.0
    with pytest.raises(ValueError, match=r"'affect' must lie in \[-1, 1\] .* got -2\.0 in row 7"):
        advise([arrays], TASKS)


def test_moments_are_no_table():
    with pytest.raises(ValueError, match=r"from classes to attributes, got .* the kind moments"):
        advise([annotated()], TASKS, russell())


def test_classes_and_values_alone():
    arrays = annotated()
    del arrays["signs"]
    advice = advise_values([arrays], TASKS[::2], ["set"])
    assert advice.outlook == "open"
    share = explained_share(arrays["kind"][0].argmax(axis=1), arrays["affect"][0][:, 0])
    assert f"Up to {share:.0%} of a value's variance lies between classes" in str(advice)
    assert advice.couplings == ["kind_affect(relation=inferred:set, source=kind, target=affect)"]
    apart = [{"kind": arrays["kind"]}, {"affect": arrays["affect"]}]
    advice = advise_values(apart, TASKS[::2], ["one", "two"])
    assert "Too few images have a class and a value" in advice.reason
    assert advice.couplings == ["kind_affect(relation=learned, source=kind, target=affect)"]
    advice = advise_values([annotated(effect=0.0)], TASKS[::2])
    assert (advice.outlook, advice.couplings) == ("none", [])
    with pytest.raises(ValueError, match="Advice needs a multiclass task and a multilabel task or"):
        advise_values([arrays], TASKS[2:])
