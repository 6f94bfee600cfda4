"""What the methods have in common that weigh terms by the inner products of their gradients."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from keras import ops

from mtl_dm.balancing._base import Balancing

Scope = Literal["shared", "last_layer", "features"]


class GradientBalancing(Balancing):
    """A method that sees the Gram matrix G = J J' of the terms' gradients over a scope.

    Attributes:
        scopes: What it can take, the default first. A method whose source or whose reasoning
            rules one out leaves it away.

    Args:
        scope: "shared" (all weights of the backbone), "last_layer" (its last kernel) or "features"
            (what it returns: one short backward pass a term, and valid only where the terms share
            their images); None: the method's own default.
        **kwargs: As for `Balancing`.

    Raises:
        ValueError: If the method cannot take the scope.
    """

    sees = "gradients"
    scopes: ClassVar[tuple[str, ...]] = ("shared", "last_layer", "features")

    def __init__(self, scope: Scope | None = None, **kwargs: Any) -> None:
        self.scope = self.scopes[0] if scope is None else scope
        if self.scope not in self.scopes:
            raise ValueError(
                f"The scope of {type(self).__name__} must be one of {self.scopes}, got {scope!r}."
            )
        super().__init__(**kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the scope too."""
        return {**super().get_config(), "scope": self.scope}


def normalised(gram: Any, present: Any) -> tuple[Any, Any]:
    """Return the Gram matrix of the present terms in units of their mean squared length.

    Most methods' weights do not change with the unit, but tolerances and float32 do.

    Args:
        gram: [T, T].
        present: [T], 1 for terms that take part; rows and columns of the others become 0.

    Returns:
        [T, T] float32, and the unit, a scalar, 1 where no gradient has a length.
    """
    gram = ops.cast(gram, "float32") * present[:, None] * present[None, :]
    count = ops.maximum(ops.sum(present), 1.0)
    mean = ops.sum(ops.maximum(ops.diagonal(gram), 0.0)) / count
    unit = ops.where(mean > 0, mean, 1.0)
    return gram / unit, unit
