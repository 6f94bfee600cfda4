"""Optimizers by name: learning rate and options -> a Keras optimizer. One function each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from mtl_dm.registry import Registry

OPTIMIZERS: Registry[Callable[..., keras.optimizers.Optimizer]] = Registry("optimizer")


@OPTIMIZERS.register("adam")
def adam(
    learning_rate: Any,
    *,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    global_clipnorm: float | None = None,
) -> keras.optimizers.Optimizer:
    """Return Adam (Kingma and Ba 2015), by default with that paper's values but epsilon."""
    return keras.optimizers.Adam(
        learning_rate, beta_1, beta_2, epsilon, global_clipnorm=global_clipnorm
    )


@OPTIMIZERS.register("adamw")
def adamw(
    learning_rate: Any,
    *,
    weight_decay: float = 0.004,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
    global_clipnorm: float | None = None,
) -> keras.optimizers.Optimizer:
    """Return Adam with decoupled weight decay (Loshchilov and Hutter 2019)."""
    return keras.optimizers.AdamW(
        learning_rate, weight_decay, beta_1, beta_2, epsilon, global_clipnorm=global_clipnorm
    )


@OPTIMIZERS.register("rmsprop")
def rmsprop(
    learning_rate: Any,
    *,
    rho: float = 0.9,
    momentum: float = 0.0,
    epsilon: float = 1e-7,
    global_clipnorm: float | None = None,
) -> keras.optimizers.Optimizer:
    """Return RMSprop (Tieleman and Hinton 2012); epsilon stands under the root, as in Keras."""
    return keras.optimizers.RMSprop(
        learning_rate, rho, momentum, epsilon, global_clipnorm=global_clipnorm
    )


@OPTIMIZERS.register("sgd")
def sgd(
    learning_rate: Any,
    *,
    momentum: float = 0.0,
    nesterov: bool = False,
    weight_decay: float | None = None,
    global_clipnorm: float | None = None,
) -> keras.optimizers.Optimizer:
    """Return stochastic gradient descent; weight decay is decoupled from the gradient."""
    return keras.optimizers.SGD(
        learning_rate,
        momentum,
        nesterov,
        weight_decay=weight_decay,
        global_clipnorm=global_clipnorm,
    )
