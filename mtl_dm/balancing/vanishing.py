"""The vanishing gradient of the dynamic weight unit (Ming et al. 2019, section 5.5), as numbers.

Shapes: T terms.
"""

from __future__ import annotations

import numpy as np


def printed_slopes(sizes: np.ndarray, normalised: bool = False) -> np.ndarray:
    """Return the factor of eq. 8, a_i sum_{j != i} a_j / (sum_j a_j)^2, which is w_i (1 - w_i).

    Section 5.5 says that it vanishes where a_i = exp(f_i) is large, Figure 7 beyond 8e6. It is a
    function of the ratios of the a_i alone: where all are large it is what it is where all are 1,
    and dividing all a_i by their length changes nothing. It vanishes where one is large beside the
    others, and what prevents that is to divide the logits f_i = log a_i by their length, as the
    authors' first code does: two terms then keep at least 0.157. (In float32, with the other a_j
    at 1, it is 0 from 2^24 on, where 1 + a_i rounds to a_i; half of that is 8.4e6.)

    Args:
        sizes: a, [..., T], > 0.
        normalised: Whether the logits are divided by their length; where all a_i are 1 they are 0
            and stay.

    Raises:
        ValueError: If a size is not finite and > 0.
    """
    sizes = np.asarray(sizes, np.float64)
    if not np.all((sizes > 0) & np.isfinite(sizes)):
        raise ValueError("The sizes a_i of vanishing gradients must be finite and > 0.")
    logits = np.log(sizes)
    if normalised:
        lengths = np.linalg.norm(logits, axis=-1, keepdims=True)
        logits = logits / np.where(lengths > 0, lengths, 1.0)
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    weights = shifted / shifted.sum(axis=-1, keepdims=True)
    # Not 1 - w_i, of which little is left where w_i is near 1.
    others = weights @ (1.0 - np.eye(sizes.shape[-1]))
    return weights * others
