"""What a balancing method sees of a step.

Shapes: T terms, B images, D features.
"""

from __future__ import annotations

import dataclasses
from typing import Any

SHARED = "shared"
"""Under this name a backbone returns what all tasks share, where it gives each its own features.

No term may be called so under a method that looks at it."""


@dataclasses.dataclass(frozen=True)
class Seen:
    """What a method sees of a step, the same on every replica and in every process.

    Attributes:
        names: Of the T terms.
        losses: [T] float32, each over the global batch and times its fixed factor, without a
            gradient; 0 where the term is absent. None for a method that sees nothing.
        present: [T] float32, 1 where the term has anything to act on in this batch, else 0. A
            term that is absent must take no part: its loss and gradient of 0 say nothing. None
            for a method that sees nothing.
        gram: [T, T] float32, the inner products of the terms' gradients over the method's scope,
            without loss scaling; None for a method that sees no gradients.
        features: The backbone's features by task, [B, D] of this replica, and what it returns under
            `SHARED`, for a method that `uses_features`, else None.
        smooth: Of a method that `smooths`: what took the place of the gradients, else None.
    """

    names: tuple[str, ...]
    losses: Any
    present: Any
    gram: Any = None
    features: Any = None
    smooth: Any = None
