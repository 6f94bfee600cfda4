"""One task a step: who is chosen, who is owed a turn, and that memory is all there is to know."""

import keras
import numpy as np
import pytest

from mtl_dm.balancing import OneTask
from mtl_dm.balancing.one_task import after_turn, chosen
from tests.balancing.alone import memory_of, seen, take

NAMES = ("expression", "action_units", "distribution_matching")


def prepared(**options):
    method = OneTask(**options)
    method.prepare(NAMES)
    return method


def array(*values):
    return keras.ops.convert_to_tensor(np.array(values, np.float32))


def test_the_largest_draw_of_those_whose_turn_it_is():
    draws, all_here = array(0.9, 0.5, 0.7), array(1, 1, 1)
    np.testing.assert_array_equal(chosen(draws, array(0, 0, 0), all_here), [1, 0, 0])
    np.testing.assert_array_equal(chosen(draws, array(1, 0, 0), all_here), [0, 0, 1])
    np.testing.assert_array_equal(chosen(draws, array(1, 0, 0), array(1, 1, 0)), [0, 1, 0])
    # All had a turn: all are asked again; of those that are not there, nothing.
    np.testing.assert_array_equal(chosen(draws, array(1, 1, 1), all_here), [1, 0, 0])
    np.testing.assert_array_equal(chosen(draws, array(1, 1, 0), array(0, 1, 0)), [0, 1, 0])
    np.testing.assert_array_equal(chosen(draws, array(0, 0, 0), array(0, 0, 0)), [0, 0, 0])


def test_who_has_had_a_turn():
    one = array(1, 0, 0)
    np.testing.assert_array_equal(after_turn(one, array(0, 1, 0), array(1, 1, 1)), [1, 1, 0])
    # The present ones begin anew; what the absent third is owed or has had stays.
    np.testing.assert_array_equal(after_turn(one, array(1, 1, 0), array(1, 1, 0)), [1, 0, 0])
    np.testing.assert_array_equal(after_turn(one, array(1, 1, 1), array(1, 1, 0)), [1, 0, 1])


def test_each_has_one_turn_in_three_steps_in_an_order_that_changes():
    method = prepared(seed=3)
    turns = [int(take(method, seen(seed=step)).argmax()) for step in range(30)]
    rounds = [tuple(turns[place : place + 3]) for place in range(0, 30, 3)]
    assert all(sorted(each) == [0, 1, 2] for each in rounds)
    assert len(set(rounds)) > 3


def test_count_and_turns_go_on_where_they_were():
    one, other = prepared(), prepared()
    for step in range(4):
        take(one, seen(seed=step))
    for variable, value in zip(other.non_trainable_variables, memory_of(one), strict=True):
        variable.assign(value)
    for step in range(6):
        np.testing.assert_array_equal(take(one, seen(seed=step)), take(other, seen(seed=step)))


@pytest.mark.parametrize("seed", [-1, 2**31, True, 0.5])
def test_no_seed(seed):
    with pytest.raises(ValueError, match="seed of one_task must be an integer from 0 to"):
        OneTask(seed=seed)
