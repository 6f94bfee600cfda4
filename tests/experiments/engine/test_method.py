import pytest

from experiments.engine.cell import problem_of
from experiments.engine.method import Method
from tests.experiments.engine.tiny import Animals


def test_what_belongs_to_the_problem_is_no_change_of_a_row():
    with pytest.raises(ValueError, match=r"\['image_size', 'seed'\] belong to the problem"):
        Method({"seed": 1, "image_size": 32, "epochs": 2})


def test_needs_and_record():
    assert Method().needs == ()
    assert Method().record() == {}
    method = Method({"epochs": 2}, teachers="ST", starts_from="pretrained")
    assert method.needs == ("ST", "pretrained")
    assert method.record() == {"teachers": "ST", "starts_from": "pretrained"}
    assert Method(single_task=True).record() == {"single_task": True}
    assert Method(pretraining=True).record() == {"pretraining": True}


def test_a_problem_without_a_pretraining():
    problem = Animals()
    assert problem_of(problem, Method()) is problem
    with pytest.raises(ValueError, match="Animals has nothing to pretrain on"):
        problem_of(problem, Method(pretraining=True))


def test_but_changes_further():
    method = Method({"epochs": 2, "augment": False}, single_task=True).but(epochs=3, matching=0.0)
    assert method == Method({"epochs": 3, "augment": False, "matching": 0.0}, single_task=True)
