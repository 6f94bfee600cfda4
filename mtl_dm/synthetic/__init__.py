"""Synthetic faces with known expressions and action units: data that needs no licence."""

from mtl_dm.synthetic.affect import ACTIVE, true_conditional
from mtl_dm.synthetic.clip_sets import CLIP_SETS, CLIP_SIZE, generate_clips
from mtl_dm.synthetic.clip_streams import CLIP_LENGTH
from mtl_dm.synthetic.face import AU_REGIONS, REGIONS, draw_face
from mtl_dm.synthetic.face_sets import (
    FACE_SETS,
    IMAGE_SIZES,
    SET_NAMES,
    TASKS,
    FaceSet,
    example,
    face_set,
    generate,
)
from mtl_dm.synthetic.identity import ATTRIBUTES, Identity, sample_identity
from mtl_dm.synthetic.nuisance import Nuisance, sample_nuisance

__all__ = [
    "ACTIVE",
    "ATTRIBUTES",
    "AU_REGIONS",
    "CLIP_LENGTH",
    "CLIP_SETS",
    "CLIP_SIZE",
    "FACE_SETS",
    "IMAGE_SIZES",
    "REGIONS",
    "SET_NAMES",
    "TASKS",
    "FaceSet",
    "Identity",
    "Nuisance",
    "draw_face",
    "example",
    "face_set",
    "generate",
    "generate_clips",
    "sample_identity",
    "sample_nuisance",
    "true_conditional",
]
