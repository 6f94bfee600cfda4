"""What the report of dynamic weights says beside the numbers."""

from __future__ import annotations

INTRO = (
    "Two tasks of the same faces: who it is (which people of the training) and which of seven "
    "expressions. `verification` is of people that no network has seen: do two images show the "
    "same person, by the distance of their identity features? **ST, pretrained** learns identities "
    "of other people alone; every other row starts from it, both branches from its one (branch "
    "transfer), and takes the same number of steps on the same images. **ST, fine-tuned**: one "
    "network a task. **static**: w1 for identity, 1 - w1 for expression. **naive dynamic**: a "
    "softmax unit on the shared features gives the weights and learns by the total loss. "
    "**dynamic**: the same unit, by a loss of its own that raises the weight of the hard task, in "
    "three readings: of the paper, of the authors' code, and with eq. 8 as printed. Then three "
    "methods of others. `dynamic.html` beside this file has the paper's tables and figures "
    "beside these."
)

NOTES = [
    "Verification accuracy of a pair fold is at the threshold that is best on the other folds. "
    "eer: equal error rate, lower is better. In `results.csv` stand `accuracy/low` and "
    "`accuracy/high`: the 95% interval of one network over other people. ± is over trainings.",
    "The paper pretrains on 1.1 million photos at 160 px; here 2,400 drawn faces, with LFW also "
    "its training people, at 48 px: no level compares, differences between rows may.",
    "`Static MTL` of the paper is its best static weight; beside it stands equal weights here. The "
    "paper does not say on what it was chosen.",
    "w1 is the weight of identity, as in the paper's section 4; its Figures 4 and 5 call "
    "expression Task 1.",
    "With w1 = 0 nobody is told apart in training, and with w1 = 1 no expression learned: what is "
    "measured there is the pretrained branch on a trunk that expressions moved, or chance.",
    "Images of people with one photo train expressions alone in LFW, for they are no class of "
    "identity.",
    "LFW's test photos of folds 6 to 10, then 1 to 5, show disgust 3 and 8 times and fear 7 and 2 "
    "times: there expressions are judged by accuracy alone, and recalls of these two say little.",
]
