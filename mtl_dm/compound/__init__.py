"""Compound expressions, such as happily surprised, from models that were never trained for them.

Zero-shot: scores made of what a model says of basic expressions, action units and valence, and a
table of the compounds' action units. Few-shot: a few labelled images of each, on frozen features.
"""

from mtl_dm.compound.evidence import Evidence, compounds_of
from mtl_dm.compound.few_shot import CLASSIFIERS, SHOTS, few_shot
from mtl_dm.compound.judging import judged, unweighted_average_recall
from mtl_dm.compound.observing import Observed, observe
from mtl_dm.compound.run import compound_task, few_shots, recognise, zero_shots
from mtl_dm.compound.scores import SCORES, zero_shot_score

__all__ = [
    "CLASSIFIERS",
    "SCORES",
    "SHOTS",
    "Evidence",
    "Observed",
    "compound_task",
    "compounds_of",
    "few_shot",
    "few_shots",
    "judged",
    "observe",
    "recognise",
    "unweighted_average_recall",
    "zero_shot_score",
    "zero_shots",
]
