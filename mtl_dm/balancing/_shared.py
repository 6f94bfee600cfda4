"""A method that sees the one representation which all tasks share."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from keras import ops

from mtl_dm.balancing._base import Balancing
from mtl_dm.balancing._seen import SHARED, Seen
from mtl_dm.losses.lengths import unit_length


class SharedBalancing(Balancing):
    """A `Balancing` that looks at what all tasks share.

    That is what the backbone returns under `SHARED`, the end of its shared layers, or else the
    features that all tasks have in common. A subclass makes its weights in `prepare_shared`.
    """

    uses_features = True

    def prepare(self, names: Sequence[str]) -> None:
        """Learn the names of the terms; where the features are is not known yet."""
        super().prepare(names)
        self._place = ""

    def prepare_features(self, features: Mapping[str, Any]) -> None:
        """Find what all tasks share.

        Raises:
            ValueError: If tasks have features of their own and nothing is shared beside them, or
                a term is called as that is, or its size is not known.
        """
        first = next(iter(features))
        self._place = SHARED if SHARED in features else first
        several = any(each is not features[first] for each in features.values())
        if several and SHARED in self.names:
            raise ValueError(
                f"The balancing method {type(self).__name__} takes what the backbone returns under "
                f"{SHARED!r} for what all tasks share: no term may be called so where tasks have "
                f"features of their own, the terms are {list(self.names)}. Rename that one."
            )
        if several and self._place != SHARED:
            raise ValueError(
                f"The balancing method {type(self).__name__} needs one representation that all "
                f"tasks share; the backbone gives one to each of {sorted(features)}. Let it return "
                f"what they start from under {SHARED!r} too."
            )
        shape = tuple(features[self._place].shape[1:])
        if None in shape:
            raise ValueError(
                f"The balancing method {type(self).__name__} needs features of a known size, "
                f"{self._place!r} has the shape {shape}. Build the backbone for a fixed input size."
            )
        self.prepare_shared(math.prod(shape))

    def prepare_shared(self, width: int) -> None:
        """Make the method's weights.

        Args:
            width: Of what all tasks share, flattened.
        """
        raise NotImplementedError

    def shared(self, seen: Seen) -> Any:
        """Return what all tasks share, [B, D] float32, flattened and of unit length."""
        features = seen.features[self._place]
        return unit_length(ops.reshape(features, (ops.shape(features)[0], -1)))
