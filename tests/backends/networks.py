"""Differentiates the project's backbones on JAX, without running any.

Tracing one step needs every operation and its gradient to exist; to compile them all would take
minutes. `tests.backends.steps` runs one. The networks of keras.applications are left out: Keras
tests them on JAX itself. What is added to their trunks is seen at one of two with such a trunk.
"""

import jax
import keras

from mtl_dm.models import BACKBONES
from mtl_dm.models.backbones import example_of


def of(name):
    return example_of(name, BACKBONES.get(name))


def traced(name):
    """Trace loss and gradients of a training step of a small batch."""
    about = of(name)
    # Without values: to draw them one by one is what takes the time.
    with keras.StatelessScope(initialize_variables=False):
        backbone = BACKBONES.get(name)(about.shape, **about.options)
    trainable, rest = (
        [jax.ShapeDtypeStruct(each.shape, each.dtype) for each in variables]
        for variables in (backbone.trainable_variables, backbone.non_trainable_variables)
    )
    batch = keras.tree.map_shape_structure(
        lambda shape: jax.ShapeDtypeStruct((2, *shape), "float32"), about.shape
    )

    def loss(weights, others, inputs):
        returned, _ = backbone.stateless_call(weights, others, inputs, training=True)
        return sum(keras.ops.sum(each) for each in keras.tree.flatten(returned))

    gradients = jax.eval_shape(jax.grad(loss), trainable, rest, batch)
    assert [each.shape for each in gradients] == [each.shape for each in trainable]


def found():
    """Return what was traced, and what failed, by name."""
    keras.config.set_dtype_policy("float32")
    failed = {}
    names = [name for name in BACKBONES if of(name).source != "library" and name != "effnet_b2"]
    for name in names:
        try:
            traced(name)
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"
    return {"traced": names, "failed": failed}
