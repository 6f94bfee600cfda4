"""Dynamic weights: who gets the larger weight, what the unit's loss reaches, what is refused."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.balancing import BALANCING, SHARED, Dynamic, NaiveDynamic, Seen
from mtl_dm.balancing.dynamic import VARIANTS
from tests.balancing.steps import numpy, tensor
from tests.models.cases import EXPRESSION, UNITS, coupled_model, dataset, random_batch

WIDTH = 6
FEATURES = tensor(np.random.default_rng(0).normal(size=(4, WIDTH)))
every_variant = pytest.mark.parametrize("variant", list(VARIANTS))


def prepared(method, names=("a", "b")):
    method.prepare(names)
    method.prepare_features(dict.fromkeys(names, keras.KerasTensor((None, WIDTH))))
    return method


def step(losses, names=("a", "b"), features=FEATURES):
    return Seen(
        names, tensor(losses), tf.ones(len(losses)), features=dict.fromkeys(names, features)
    )


def after(method, losses, steps):
    for _ in range(steps):
        method.update(step(losses))
    return numpy(method.weigh(step(losses)))


@every_variant
def test_equal_losses_give_equal_weights_from_zero(variant):
    method = prepared(Dynamic(variant, start="zeros"))
    np.testing.assert_allclose(after(method, [0.7, 0.7], 5), [0.5, 0.5], rtol=1e-6)


@every_variant
def test_the_hard_task_gets_the_larger_weight(variant):
    method = prepared(Dynamic(variant, start="zeros"))
    weights = after(method, [2.0, 0.5], 5)
    assert weights[0] > 0.52
    assert weights.sum() == pytest.approx(1)
    assert after(method, [0.5, 2.0], 30)[0] < 0.5


def test_the_papers_variant_is_a_switch_from_zero_and_smooth_otherwise():
    paper = prepared(Dynamic())
    np.testing.assert_allclose(after(paper, [1.0, 0.9], 1), [0.80443, 0.19557], atol=1e-4)
    np.testing.assert_allclose(after(paper, [1.0, 0.9], 50), [0.80443, 0.19557], atol=1e-4)
    smooth = prepared(Dynamic(start="normal"))
    found = [after(smooth, [1.0, 0.9], 1)[0] for _ in range(5)]
    assert np.all(np.diff(found) > 0)
    assert found[-1] < 0.8


@pytest.mark.parametrize(("variant", "ends"), [("paper", 0.80443), ("printed", 0.0)])
def test_one_batch_with_a_loss_near_0(variant, ends):
    # A logit's gradient is w_1 w_2 (1/L_1 - 1/L_2), the product 0.157. With 0.01 added to a loss
    # the difference is about 99 in the one batch, -1/2 in others: less than 198 of them undo it.
    method = prepared(Dynamic(variant))
    usual = tf.function(lambda: method.update(step([2.0, 1.0])))
    for _ in range(20):
        usual()
    method.update(step([1e-6, 1.0]))
    assert numpy(method.weigh(step([2.0, 1.0])))[0] < 0.2
    for _ in range(220):
        usual()
    np.testing.assert_allclose(numpy(method.weigh(step([2.0, 1.0])))[0], ends, atol=1e-4)


def test_printed_saturates():
    assert after(prepared(Dynamic("printed", learning_rate=5.0)), [2.0, 0.2], 60)[0] > 0.99


def test_the_naive_unit_gives_the_hard_task_the_smaller_weight():
    method = prepared(NaiveDynamic())
    for _ in range(10):
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(method.weigh(step([2.0, 0.5])) * [2.0, 0.5])
        variables = [each.value for each in method.trainable_variables]
        for variable, gradient in zip(variables, tape.gradient(total, variables), strict=True):
            variable.assign_sub(gradient)
    assert numpy(method.weigh(step([2.0, 0.5])))[0] < 0.3


@pytest.mark.parametrize(
    ("spec", "reaches"),
    [
        ("dynamic(start=normal)", False),
        ("dynamic(variant=printed, start=normal)", False),
        ("dynamic(variant=author)", True),
        ("naive_dynamic", True),
    ],
)
def test_whether_the_total_loss_reaches_the_network_through_the_weights(spec, reaches):
    method = prepared(BALANCING.create(spec))
    if isinstance(method, NaiveDynamic):
        method.kernel.assign(np.random.default_rng(1).normal(size=(WIDTH, 2)))
    with tf.GradientTape() as tape:
        tape.watch(FEATURES)
        total = tf.reduce_sum(method.weigh(step([2.0, 0.5])) * [2.0, 0.5])
    found = tape.gradient(total, FEATURES)
    assert bool(found is not None and np.abs(numpy(found)).max() > 1e-4) is reaches
    # L_3 is no part of what the optimizer sees.
    assert method.own_loss(step([2.0, 0.5])) is None
    assert bool(method.trainable_variables) is isinstance(method, NaiveDynamic)


@every_variant
def test_a_loss_of_0_takes_no_part(variant):
    method = prepared(Dynamic(variant), ("a", "b", "c"))
    before = [numpy(each).copy() for each in method.variables]
    seen = step([0.0, 1.0, 2.0], ("a", "b", "c"))
    method.update(seen)
    weights = numpy(method.weigh(seen))
    assert weights[0] == 0
    assert weights.sum() == pytest.approx(1)
    for old, new in zip(before, method.variables, strict=True):
        np.testing.assert_array_equal(numpy(new)[..., 0], old[..., 0])
        assert np.any(numpy(new)[..., 1:] != old[..., 1:])


def test_unbiased_an_absent_term_counts_as_it_was_seen():
    method = prepared(Dynamic(unbiased=True, start="normal"))
    method.learn(step([2.0, 0.5]))
    before = numpy(method.kernel).copy()
    alone = dataclasses.replace(step([2.0, 0.0]), present=tensor([1.0, 0.0]))
    weights = numpy(method.balance(alone))
    assert 0 < weights[0] < 1
    assert weights[1] == 0
    method.learn(alone)
    # It learns as if the other were there, with the loss that it had.
    assert np.all(numpy(method.kernel).std(axis=0) > 0)
    assert np.abs(numpy(method.kernel) - before).max(axis=0).min() > 0


@pytest.mark.parametrize("name", ["dynamic", "naive_dynamic"])
def test_a_loss_that_is_not_a_number_ends_the_training_and_leaves_the_unit(name):
    model = coupled_model(couplings=(), balancing=BALANCING.create(name))
    x, labels, masks = random_batch(8)
    model(x)
    before = model.get_weights()
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    x[0] = np.nan
    with pytest.raises(ValueError, match="is not finite in step 1 of epoch 1"):
        model.fit(dataset((x, labels, masks), 8), verbose=0, shuffle=False)
    for got, want in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(got, want)


def test_draws_are_those_of_a_term_whatever_else_there_is():
    one = prepared(Dynamic("author"), ("a", "b", "c"))
    other = prepared(Dynamic("author"), ("c", "a"))
    np.testing.assert_array_equal(numpy(one.kernel)[:, [2, 0]], numpy(other.kernel))
    assert 0.02 < numpy(one.kernel).std() < 0.15
    assert np.any(numpy(one.kernel) != numpy(prepared(Dynamic("author", seed=1), "abc").kernel))


def branches(*more):
    image = keras.Input((3,))
    shared = keras.layers.Dense(5)(image)
    ends = {task.name: keras.layers.Dense(4)(shared) for task in (EXPRESSION, UNITS)}
    return keras.Model(image, {**ends, **dict.fromkeys(more, shared)})


def test_sees_what_the_branches_start_from():
    model = coupled_model(branches(SHARED), (), balancing=Dynamic())
    assert model.balancing.kernel.shape == (5, 2)


@pytest.mark.parametrize("name", ["dynamic", "naive_dynamic"])
def test_refuses_branches_that_hide_what_they_share(name):
    with pytest.raises(ValueError, match=r"each of \['action_units', 'expression'\].*'shared'"):
        coupled_model(branches(), (), balancing=BALANCING.create(name))


def test_a_task_called_as_what_all_share_is_refused():
    method = Dynamic()
    method.prepare(("a", SHARED))
    with pytest.raises(
        ValueError, match=r"Dynamic .* 'shared'.* features of their own.* \['a', 's"
    ):
        method.prepare_features({each: keras.KerasTensor((None, 4)) for each in ("a", SHARED)})
    # One representation for all is what they share, whatever they are called.
    assert prepared(Dynamic(), ("a", SHARED)).kernel.shape == (WIDTH, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variant": "own"}, "variant of dynamic must be one of .*'paper', 'author', 'printed'.*"),
        ({"learning_rate": 0.0}, "learning_rate of dynamic must be finite and > 0, got 0.0"),
        ({"start": "ones"}, "start of dynamic must be one of .*, got 'ones'"),
        ({"seed": -1}, "The seed of dynamic must be an integer from 0 .* got -1"),
    ],
)
def test_refuses_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        Dynamic(**options)
