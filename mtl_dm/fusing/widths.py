"""Layer widths of the autoencoder."""

from __future__ import annotations

LAYERS = 3
"""Of the encoder; the decoder mirrors them."""
FACTOR = 4 / 7
"""From each layer to the next, where no size is asked for."""


def layer_widths(inputs: int, size: int | None = None) -> tuple[int, ...]:
    """Return the widths of an encoder's layers, the last one that of the common embedding.

    width_k = inputs * (size / inputs)^(k / LAYERS), rounded: one factor for all layers. Vielzeuf et
    al. 2019, section 4.3, print 5488, 3136, 1792, 1024: the factor is 4/7, and that is what None
    gives for any number of inputs. Section 4.4 calls 1,024 the average width of the sources, which
    is 5488 / 6 = 915; the widths that were trained decide.

    Args:
        inputs: Numbers of all sources together.
        size: Of the common embedding; None: by the factor 4/7.

    Raises:
        ValueError: If the embedding would be as wide as its input, or wider, or is empty.
    """
    if size is None:
        size = max(1, round(inputs * FACTOR**LAYERS))
    if not 1 <= size < inputs:
        raise ValueError(
            f"size must be at least 1 and below the {inputs:,} numbers of the sources, got "
            f"{size:,}: an autoencoder as wide as its input compresses nothing."
        )
    ratio = size / inputs
    return tuple(max(size, round(inputs * ratio ** (k / LAYERS))) for k in range(1, LAYERS + 1))
