"""From a photo to aligned faces: detection by RetinaFace, five landmarks, similarity alignment."""

from mtl_dm.faces.choosing import choose
from mtl_dm.faces.detection import MIN_SCORE, SIDES, Engine, detect, refine
from mtl_dm.faces.engines import DEFAULT, ENGINES, load_engine
from mtl_dm.faces.face import LANDMARKS, Box, Face, Image, Points
from mtl_dm.faces.geometry import SIZE, align, centre_crop, similarity, template
from mtl_dm.faces.reading import SUFFIXES, decode_image, decode_scaled, read_image, read_scaled
from mtl_dm.faces.turning import find
from mtl_dm.faces.videos import open_video

__all__ = [
    "DEFAULT",
    "ENGINES",
    "LANDMARKS",
    "MIN_SCORE",
    "SIDES",
    "SIZE",
    "SUFFIXES",
    "Box",
    "Engine",
    "Face",
    "Image",
    "Points",
    "align",
    "centre_crop",
    "choose",
    "decode_image",
    "decode_scaled",
    "detect",
    "find",
    "load_engine",
    "open_video",
    "read_image",
    "read_scaled",
    "refine",
    "similarity",
    "template",
]
