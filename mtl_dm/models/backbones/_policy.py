"""The arithmetic of AdaShare's policy (Sun et al. 2020), after the code its authors published.

Shapes: T tasks, L blocks in the order of the network. Logits are [T, L, 2]: execute, skip.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

EXECUTE, SKIP = 0, 1
TINY = 1e-7
"""Keeps the logarithms of uniform numbers finite; float32 knows no larger one below 1."""


def gumbel(uniform: Any) -> Any:
    """Return Gumbel noise -log(-log u) of uniform numbers u in [0, 1)."""
    return -ops.log(-ops.log(ops.clip(uniform, TINY, 1.0 - TINY)))


def gumbel_softmax(logits: Any, noise: Any, temperature: Any) -> Any:
    """Return softmax((logits + noise) / temperature), a soft draw of one of two.

    Args:
        logits: [..., 2].
        noise: Likewise, of `gumbel`.
        temperature: Scalar > 0.
    """
    return ops.softmax((logits + noise) / temperature, axis=-1)


def execution_probabilities(logits: Any) -> Any:
    """Return P(execute) = softmax(logits)_execute, [T, L]."""
    return ops.softmax(logits, axis=-1)[..., EXECUTE]


def likelier(logits: Any) -> Any:
    """Return 1.0 where a block is at least as likely executed as skipped, else 0.0, [T, L]."""
    return ops.cast(logits[..., EXECUTE] >= logits[..., SKIP], "float32")


def temperature_at(rounds: Any, first: float, decay: float) -> Any:
    """Return first * decay^rounds.

    Args:
        rounds: Scalar, how many times weights and policy have taken turns.
        first: tau of the start.
        decay: Factor a round.
    """
    return first * ops.power(ops.convert_to_tensor(decay, "float32"), rounds)


def opened_blocks(rounds: Any, each: int, blocks: int) -> Any:
    """Return [L], 1.0 for blocks whose policy is learned, the last ones first, else 0.0.

    The last min(L, rounds // each + 1) of them (curriculum learning, section 3).

    Args:
        rounds: As for `temperature_at`.
        each: Rounds from one block to the next; 0: all are open from the start.
        blocks: L.
    """
    if not each:
        return ops.ones((blocks,), "float32")
    count = ops.floor(rounds / each) + 1.0
    from_the_end = ops.convert_to_tensor(np.arange(blocks, 0, -1), "float32")
    return ops.cast(from_the_end <= count, "float32")


def sparsity_loss(logits: Any, opened: Any) -> Any:
    """Return sum_t mean_{l open} -log P_t,l(skip), the cross-entropy towards skipping.

    Args:
        logits: [T, L, 2].
        opened: [L], of `opened_blocks`.
    """
    losses = -ops.log_softmax(logits, axis=-1)[..., SKIP]
    return ops.sum(losses * opened) / ops.sum(opened)


def sharing_loss(logits: Any) -> Any:
    """Return sum_{s < t} sum_l (l + 1) / L |a_s,l - a_t,l| of the logits a of execution.

    The weights (l + 1) / L are the code's.
    """
    execute = logits[..., EXECUTE]
    tasks, blocks = execute.shape
    weights = ops.convert_to_tensor(np.arange(1, blocks + 1) / blocks, "float32")
    first, second = np.triu_indices(tasks, 1)
    return ops.sum(weights * ops.abs(ops.take(execute, first, 0) - ops.take(execute, second, 0)))


def sampled_policy(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a policy [T, L] of 0 and 1 that is drawn from P(execute)."""
    return (rng.random(probabilities.shape) < probabilities).astype(np.float32)
