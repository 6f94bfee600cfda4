"""Test images of another kind are measured under names of their own."""

import numpy as np
import pytest
from scipy.special import softmax

from experiments.engine import measuring
from experiments.engine.building import build
from mtl_dm.measuring.evaluation import choose_thresholds, evaluate_tuned, predict
from mtl_dm.training import fitting
from tests.experiments.engine.tiny import Animals


class Farther(Animals):
    def further(self, tasks):
        return {"far": self._source(tasks, 12), "farther": self._source(tasks, 13)}


@pytest.fixture(scope="module")
def model():
    problem = Farther()
    with fitting.settings(problem.config):
        return build(problem, problem.config, problem.tasks, problem.sources(problem.tasks)[0])


def test_each_has_the_metrics_that_it_would_have_alone(model):
    problem = Farther()
    chosen = choose_thresholds(model, problem.validation(problem.tasks))
    found = measuring.tested(problem, model, chosen)
    names = ("kind", "marks", "weight")
    assert set(found) == {
        *names, *(f"{name}_far" for name in names), *(f"{name}_farther" for name in names)
    }  # fmt: skip
    for place, source in problem.further(problem.tasks).items():
        alone = evaluate_tuned(model, source, chosen)
        assert {name: found[f"{name}_{place}"] for name in names} == alone
    assert "f1_tuned" in found["marks_far"]
    assert found["kind_far"] != found["kind_farther"]


class Calibrated(Farther):
    calibrated = True


def test_calibration_errors_are_measured_where_they_are_asked_for(model):
    problem = Calibrated()
    found = measuring.tested(problem, model, {})
    plain = measuring.tested(Farther(), model, {})
    assert {task for task, metrics in found.items() if "ece" in metrics} == {
        name for name in found if not name.startswith("weight")
    }
    for task, metrics in found.items():
        assert {name: each for name, each in metrics.items() if name != "ece"} == plain[task]
    # Guo et al. 2017, eq. 3, bin by bin.
    source = problem.further(problem.tasks)["far"]
    logits = predict(model, source)["kind"].astype(np.float64)
    labels = np.stack([labels["kind"] for _, labels, _ in source.as_numpy_iterator()])
    stated = softmax(logits, axis=1)
    right = stated.argmax(axis=1) == labels.argmax(axis=1)
    error = 0.0
    for low in np.arange(10) / 10:
        rows = (stated.max(axis=1) > low) & (stated.max(axis=1) <= low + 0.1)
        if rows.any():
            error += rows.mean() * abs(right[rows].mean() - stated.max(axis=1)[rows].mean())
    assert found["kind_far"]["ece"] == pytest.approx(error)
