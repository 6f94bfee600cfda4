"""What the report of heterogeneous tasks on faces says beside the numbers."""

from __future__ import annotations

import numpy as np

from experiments.problems.behaviour import DRAWS, MAIN_SHOTS, ON_ANNOTATED
from mtl_dm.compound import SCORES, Evidence, compounds_of, judged
from mtl_dm.relatedness import compound_emotionet
from mtl_dm.synthetic.affect import ACTIVE, sample_intensities
from mtl_dm.synthetic.compounds import COMPOUNDS as DRAWN
from mtl_dm.synthetic.compounds import compound_model
from mtl_dm.tasks import ACTION_UNITS, Task

INTRO = (
    "Expressions (classification), action units (detection) and valence-arousal (regression), each "
    "from a database of its own. ST: one network a task. Then one network for all three: without "
    "coupling; with expressions and action units coupled by the printed losses, which is as far as "
    "FaceBehaviorNet couples; the same by this library's default; and with expressions coupled to "
    "valence-arousal too, by moments, which is this project's. Then compound expressions, which no "
    "network was trained for: `compounds.md` beside this file has their tables with intervals. "
    "The paper's case ii, attributes and identities, is the column of people in Table 4."
)

COMPOUNDS = [
    "`compound_zero_shot`: unweighted average recall (UAR) of compound expressions from what a "
    "network says of expressions, action units and valence, with EmotioNet's table: the score of "
    "FaceBehaviorNet (zero_shot; second-hand), the posterior over action units and the product of "
    f"the components (ours). `{ON_ANNOTATED}` leaves out units that no training image is annotated "
    "for. ST asks three networks. Guessing gives 100 / the number of compounds.",
    f"`compound_few_shot`: UAR after {DRAWS} draws of k labelled images of each compound, on "
    "features that are not trained further (scaled to length 1; of ST those of three networks side "
    "by side). The protocol is ours. In the main table: "
    f"{MAIN_SHOTS[0]}, k={MAIN_SHOTS[1]}. `half_width` in `results.csv` is half the width of the "
    "95% interval over draws within a training (Student's t); ± beside a UAR is over seeds, of the "
    "draws' means.",
]

PUBLISHED = (
    "Published for RAF-DB's compounds, never measured here (UAR, second-hand): FaceBehaviorNet "
    "48.3 (whether without or with a few examples is not said); of other networks C-EXPR-NET 55.3 "
    "and 60.1, PSR 46.5, DLP-CNN 44.6, VGG with mSVM 31.6."
)

DEMO = [
    "All faces are drawn: valence and arousal too follow a law of this project (a point for each "
    "expression, its strength, pulls of single action units, noise). No real valence-arousal data "
    "was at hand.",
    "`action_units_unseen`: the six action units that no training image is annotated for.",
    "All rows train for the same number of steps, on 32 images of each database a step (ST: its "
    "own 32). The last weights count; F1 is at 0.5; nothing is selected on the test set.",
    "Steps follow from CPU-seconds alone (at most about 100 a training); they were not tried. The "
    "row `coupled all` was trained again after its matching of moments was mended on validation "
    "images: see the head of experiments/faces.py.",
]


def ceiling(images: int = 2_200) -> str:
    """Return what the posterior reaches on drawn compounds whose action units are all known.

    Args:
        images: How many are sampled, undrawn.
    """
    rng = np.random.default_rng(0)
    ids = np.arange(images) % len(DRAWN)
    model = compound_model(0)
    active = np.array([sample_intensities(model, each, rng) > ACTIVE for each in ids.tolist()])
    task = Task.multilabel("action_units", ACTION_UNITS)
    table = compounds_of(compound_emotionet(), DRAWN)
    scores = SCORES.create("posterior", Evidence((task,), {task.name: active}, table))
    return (
        f"With every action unit known, the posterior reaches a UAR of "
        f"{100 * judged(ids, scores, DRAWN)['uar']:.0f} on drawn compounds ({images:,} sampled)."
    )
