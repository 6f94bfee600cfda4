"""FaceBehaviorNet's trunk (Kollias et al. 2021), after its papers: no code was found."""

from __future__ import annotations

import keras

from mtl_dm.models.backbones._contract import example
from mtl_dm.models.backbones._library import SHAPES
from mtl_dm.models.backbones._vgg_face import vgg_face


@example(
    (32, 32, 3),
    SHAPES,
    exact={"dropout": 0.0},
    options={"variant": "demo"},
    source="paper",
    sizes={"paper": (96, 96, 3), "demo": (48, 48, 3)},
)
def faces_behaviour(
    input_shape: tuple[int, ...],
    variant: str = "paper",
    weights: str = "none",
    dropout: float | None = None,
    outputs: tuple[str, ...] = (),
) -> keras.Model:
    """Return the trunk that seven expressions, action units and valence-arousal share.

    Source: paper. Kollias, Sharmanska, Zafeiriou, arXiv 2105.03790 and 1910.11111, of which their
    first pages alone were at hand; the structure is second-hand. Thirteen convolutions of VGG-Face
    and two dense layers of 4096, on which one output layer stands in three groups: a softmax of 7,
    17 sigmoids and 2 linear units. Here each task has its linear head, which together are that
    layer: (4096 + 1) x 26 = 106,522 parameters on 50,374,464 of the trunk at 96 px (134,260,544 at
    224 px).

    The source is silent, or we differ:
        - Input of 96 px as far as we know; [-1, 1] RGB as it comes.
        - It starts from VGG-Face, whose weights come with no library: weights=PATH.
        - Layers, dropout and initialisation as those of `vggface`, from which this network differs
          in its heads alone; heads come with the tasks, so the number of action units is theirs.
        - Valence and arousal are coupled to the other tasks through the trunk alone there; any
          further coupling is this project's.

    Own recipe: cross-entropy of expressions, masked binary cross-entropy averaged over annotated
    action units, 1 - (CCC of valence + CCC of arousal) / 2, distribution matching and soft
    co-annotation, all second-hand; optimiser and schedule not known.

    Demo: that of `vggface`.

    Args:
        input_shape: (height, width, 3), each side at least 32.
        variant: "paper" or "demo".
        weights: none or the path of a file.
        dropout: Share of units dropped behind each dense layer in training; None: 0.5, of the
            demo 0.2.
        outputs: Names of layers whose outputs are given too: the backbone then gives a dictionary
            with "features" and an entry a name.

    Raises:
        ValueError: If an option or the input's shape is none that the network takes, or weights
            do not fit.
        FileNotFoundError: If there is no file of weights.
    """
    return vgg_face("faces_behaviour", input_shape, variant, weights, dropout, outputs)
