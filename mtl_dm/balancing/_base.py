"""The contract of a balancing method: it sees numbers, never a model, and returns weights.

Shapes: T terms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import keras
import numpy as np
from keras import ops

from mtl_dm.balancing import _missing
from mtl_dm.balancing._seen import Seen

Sees = Literal["nothing", "losses", "gradients"]
Initializer = Callable[..., Any]
SCOPES = ("shared", "last_layer", "features")
BALANCES = ("all", "tasks")


class Balancing(keras.layers.Layer):
    """Turns what it sees of the loss terms into a weight for each: L = sum_i w_i L_i + own loss.

    A subclass overrides `weigh`, and what else it needs. What it must remember from step to step
    are weights of the layer, made in `prepare` with `memory`, so that checkpoints hold them and
    replicas agree. Register it in `mtl_dm.balancing.BALANCING`.

    Attributes:
        sees: "nothing": the weights are constants; "losses"; or "gradients": their Gram matrix
            too, which takes a backward pass a term.
        scope: Of the gradients: "shared" (all weights of the backbone), "last_layer" (its last
            kernel) or "features" (what it returns).
        weighs_heads: Whether the weights apply to the heads too. Without it they get the plain sum
            of the terms' gradients (Sener, Koltun 2018, algorithm 2). Of methods that see no
            gradients the weights always apply to everything.
        uses_features: Whether `Seen.features` is wanted, and `prepare_features` is called.
        looks_after: Whether `after_step` is called; it takes a second forward pass.
        smooths: Whether `smooth` is called: its result is seen, and weighed, instead of gradients.
        counts_epochs: Whether `begin_epoch` is called.
        learns_whole: Whether, unbiased, `update` too gets the batch as if every term were in it:
            what it remembers are choices among the terms, not means of what was there.
        signed: Whether weights may be negative.

    Args:
        balances: "all" terms, or "tasks" alone: coupling and auxiliary terms then count with their
            factors, unweighted.
        unbiased: Make the expected direction that of fully annotated batches, by label rates and
            by what earlier batches said of absent terms (`mtl_dm.balancing._missing`). Without it
            an absent term takes no part in a step.
        **kwargs: As for `keras.layers.Layer`.

    Raises:
        ValueError: If `balances` is unknown.
    """

    sees: ClassVar[Sees] = "losses"
    scope: str = "shared"
    weighs_heads: ClassVar[bool] = True
    uses_features: ClassVar[bool] = False
    looks_after: ClassVar[bool] = False
    smooths: ClassVar[bool] = False
    counts_epochs: ClassVar[bool] = False
    learns_whole: ClassVar[bool] = False
    signed: ClassVar[bool] = False

    def __init__(
        self, balances: Literal["all", "tasks"] = "all", unbiased: bool = False, **kwargs: Any
    ) -> None:
        kwargs.setdefault("dtype", "float32")  # Weights of losses are never halved.
        super().__init__(**kwargs)
        if balances not in BALANCES:
            raise ValueError(f"balances must be one of {BALANCES}, got {balances!r}.")
        if self.scope not in SCOPES:
            raise ValueError(f"The scope of gradients must be one of {SCOPES}, got {self.scope!r}.")
        self.balances = balances
        self.unbiased = unbiased
        self.names: tuple[str, ...] = ()

    @property
    def wants_losses(self) -> bool:
        """Whether `Seen.losses` and `Seen.present` are wanted; they take a sum over replicas."""
        return self.sees != "nothing" or self.unbiased

    def prepare(self, names: Sequence[str]) -> None:
        """Learn the names of the terms and make what the method remembers; called once.

        Args:
            names: Of the terms, in the order of the objective.
        """
        self.names = tuple(names)
        self.built = True
        if self.unbiased:
            self._known = self._memory_of_missing()

    def memory(
        self, name: str, initial: float | Initializer, shape: tuple[int, ...] | None = None
    ) -> Any:
        """Return a weight of the layer that `update` and `after_step` may assign.

        Args:
            name: Of the weight.
            initial: Its value at the start, or what makes it of shape and dtype.
            shape: None: one number a term.
        """
        make = initial if callable(initial) else keras.initializers.Constant(initial)
        return self.add_weight(
            name=name,
            shape=(len(self.names),) if shape is None else shape,
            initializer=make,
            trainable=False,
            dtype="float32",
            # Every replica comes to the same values by itself.
            aggregation="only_first_replica",
        )

    def _memory_of_missing(self) -> dict[str, Any]:
        count = len(self.names)
        shapes: dict[str, tuple[int, ...] | None] = {
            "rates": None,
            "steps": (1,),
            "losses": None,
            "counts": None,
        }
        if self.sees == "gradients":
            shapes |= {"gram": (count, count), "pairs": (count, count)}
        return {name: self.memory(f"known_{name}", 0.0, shape) for name, shape in shapes.items()}

    def _before(self) -> _missing.Known:
        return _missing.Known(**{name: each.value for name, each in self._known.items()})

    def balance(self, seen: Seen) -> Any:
        """Return the weights of a step; see `weigh`, which it asks."""
        if not self.unbiased:
            return self.weigh(seen)
        known = self._before()
        weights = self.weigh(_missing.whole(known, seen))
        factors = _missing.inverse_rates(known, seen)
        return factors if weights is None else weights * factors

    def balance_heads(self, weights: Any, seen: Seen) -> Any:
        """Return the weights of a step for the heads; see `for_heads`, which it asks.

        Args:
            weights: Of `balance`.
            seen: Of the step.
        """
        found = self.for_heads(weights, seen)
        if not self.unbiased or found is weights:  # Those have the rates in them.
            return found
        return found * _missing.inverse_rates(self._before(), seen)

    def added_loss(self, seen: Seen) -> Any:
        """Return the method's own loss of a step; see `own_loss`, which it asks."""
        return self.own_loss(_missing.whole(self._before(), seen) if self.unbiased else seen)

    def learn(self, seen: Seen) -> None:
        """Remember a step; see `update`, which it calls."""
        if not self.unbiased:
            self.update(seen)
            return
        before = self._before()
        self.update(_missing.whole(before, seen) if self.learns_whole else seen)
        known = _missing.after(before, seen)
        for name, each in self._known.items():
            each.assign(getattr(known, name))

    def weigh(self, seen: Seen) -> Any:
        """Return the weights [T] float32, or None if all are 1; changes nothing.

        Their gradient reaches the method's trainable weights, and, where the method sees no
        gradients of its own, whatever else they were computed from.
        """
        raise NotImplementedError

    def own_loss(self, seen: Seen) -> Any:
        """Return a scalar that is added to the objective, the same on every replica; None: 0."""
        del seen

    def update(self, seen: Seen) -> None:
        """Change what the method remembers; called in training, after `weigh`."""

    def after_step(self, seen: Seen, losses: Any) -> None:
        """Change what the method remembers, by the losses after the step.

        Args:
            seen: Before the step.
            losses: [T], of the same batch with the new weights of the network.
        """

    def prepare_features(self, features: Mapping[str, Any]) -> None:
        """Make what depends on the features; called once after `prepare`, where they are used.

        Args:
            features: Symbols with the shapes of `Seen.features`, by the same names.
        """

    def prepare_gradients(self, shared: Sequence[Any]) -> None:
        """Make what is remembered of gradients; called once, where the method `smooths`.

        Args:
            shared: The backbone's weights that are there to be trained, frozen ones too.
        """

    def smooth(self, variables: Sequence[Any], gradients: Sequence[Any], seen: Seen) -> list[Any]:
        """Return what takes the place of the gradients; changes nothing.

        Args:
            variables: The shared weights that are trained.
            gradients: [T, ...] of each, over the global batch, without loss scaling.
            seen: Of the step, without a Gram matrix.
        """
        raise NotImplementedError

    def keep(self, variables: Sequence[Any], gradients: Sequence[Any]) -> None:
        """Remember what `smooth` returned."""
        raise NotImplementedError

    def for_heads(self, weights: Any, seen: Seen) -> Any:
        """Return the weights [T] for weights that are not the backbone's."""
        del seen
        return weights if self.weighs_heads else ops.ones_like(weights)

    def begin_epoch(self) -> None:
        """Change what the method remembers; `fit` calls it before every epoch, not in the step."""

    def check(self) -> None:
        """Check on one plausible step that the method keeps the contract.

        One that uses features is not: nobody knows yet what they are like.

        Raises:
            ValueError: If its weights have a wrong shape, are not finite, or are negative and the
                method is not `signed`.
        """
        if self.uses_features:
            return
        count = len(self.names)
        seen = Seen(
            self.names,
            ops.ones((count,)),
            ops.ones((count,)),
            ops.eye(count) if self.sees == "gradients" else None,
            None,
        )
        weights = self.weigh(seen)
        if weights is None:
            return
        weights = ops.convert_to_numpy(weights)
        method = f"The balancing method {type(self).__name__}"
        if weights.shape != (count,):
            raise ValueError(
                f"{method} must return one weight a term, shape ({count},), got {weights.shape}."
            )
        if not np.isfinite(weights).all():
            raise ValueError(f"{method} must return finite weights, got {weights.tolist()}.")
        if not self.signed and (weights < 0).any():
            raise ValueError(
                f"{method} must not return negative weights unless it is `signed`, got "
                f"{weights.tolist()}."
            )

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make the same method."""
        return {**super().get_config(), "balances": self.balances, "unbiased": self.unbiased}


def check_balancing(method: Balancing, names: Sequence[str]) -> None:
    """Check that a method keeps the contract, on a copy, before it has a part in a model.

    A model may be built while it is traced, where no weight has a value to look at.

    Args:
        method: As it was made.
        names: Of the terms.

    Raises:
        ValueError: As `Balancing.prepare` and `Balancing.check` do.
    """
    copy = type(method).from_config(method.get_config())
    copy.prepare(names)
    copy.check()
