"""What every published relatedness keeps to; a new entry of PUBLISHED is tested by being there."""

import numpy as np
import pytest

from mtl_dm.models import Coupling
from mtl_dm.models.bound_coupling import BoundCoupling
from mtl_dm.relatedness import PUBLISHED, Relatedness, relation_from_json
from mtl_dm.tasks import Task

RELATIONS_MADE = {name: PUBLISHED.get(name)() for name in PUBLISHED}
TABLES = [name for name, made in RELATIONS_MADE.items() if isinstance(made, Relatedness)]
every_relation = pytest.mark.parametrize("name", list(RELATIONS_MADE))
every_table = pytest.mark.parametrize("name", TABLES)


@every_relation
def test_needs_no_argument_and_is_the_same_every_time(name, tmp_path):
    made = RELATIONS_MADE[name]
    assert made == PUBLISHED.get(name)()
    assert hash(made) == hash(PUBLISHED.get(name)())
    made.to_json(tmp_path / "relation.json")
    assert relation_from_json(tmp_path / "relation.json") == made


@every_relation
def test_names_its_source(name):
    table = PUBLISHED.get(name)()
    assert any(character.isdigit() for character in table.citation), "a citation has a year"
    assert PUBLISHED.get(name).__doc__


@every_table
def test_shapes_and_values(name):
    table = PUBLISHED.get(name)()
    shape = len(table.classes), len(table.attributes)
    assert table.conditional.shape == table.weights.shape == shape
    for matrix in (table.conditional, table.weights):
        assert matrix.dtype == np.float32
        assert ((matrix >= 0) & (matrix <= 1)).all()
        assert not matrix.flags.writeable


@every_table
def test_conditional_and_weights_relate_the_same_pairs(name):
    table = PUBLISHED.get(name)()
    np.testing.assert_array_equal(table.conditional > 0, table.weights > 0)


@every_table
def test_every_attribute_is_related_to_a_class(name):
    # One that is not is unknown to the source: it must be left out, not said to be 0.
    table = PUBLISHED.get(name)()
    assert (table.conditional.max(axis=0) > 0).all()


@every_table
def test_json_round_trip(name, tmp_path):
    table = PUBLISHED.get(name)()
    table.to_json(tmp_path / "table.json")
    assert Relatedness.from_json(tmp_path / "table.json") == table


@every_table
def test_restrict_to_itself_and_to_a_part(name):
    table = PUBLISHED.get(name)()
    assert table.restrict(table.classes, table.attributes) == table
    part = table.restrict(table.classes[1:], table.attributes[::-1])
    np.testing.assert_array_equal(part.weights, table.weights[1:, ::-1])


@every_table
def test_couples_tasks_with_more_labels_than_it_names(name):
    table = PUBLISHED.get(name)()
    tasks = {
        "expression": Task.multiclass("expression", [*table.classes, "other"]),
        "action_units": Task.multilabel("action_units", ["extra", *table.attributes]),
    }
    bound = BoundCoupling(Coupling(relatedness=table), tasks)
    assert bound.term_names == ["distribution_matching", "soft_co_annotation"]
