"""Test images of another kind are measured under names of their own."""

from experiments.engine import measuring
from experiments.engine.building import build
from mtl_dm.measuring.evaluation import choose_thresholds, evaluate_tuned
from mtl_dm.training import fitting
from tests.experiments.engine.tiny import Animals


class Farther(Animals):
    def further(self, tasks):
        return {"far": self._source(tasks, 12), "farther": self._source(tasks, 13)}


def test_each_has_the_metrics_that_it_would_have_alone():
    problem = Farther()
    with fitting.settings(problem.config):
        model = build(problem, problem.config, problem.tasks, problem.sources(problem.tasks)[0])
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
