"""Sources of annotated images, and the one stream that training reads."""

from mtl_dm.data.arrays import from_arrays
from mtl_dm.data.augmentation import augment
from mtl_dm.data.batch_parts import Part
from mtl_dm.data.built import (
    image_side,
    label_arrays,
    load,
    network_input,
    raw_features,
    split_in,
    tasks_in,
)
from mtl_dm.data.clips import clips
from mtl_dm.data.distillation import with_predicted_labels, with_soft_labels
from mtl_dm.data.joining import joined
from mtl_dm.data.labelled import LabelledPair, labelled_pair
from mtl_dm.data.merging import merge, steps_per_epoch
from mtl_dm.data.mixing import MIXING, mix_augment, mixes_in_parts
from mtl_dm.data.outline import Outline, how_to_build, outline
from mtl_dm.data.pairs import (
    Pairs,
    draw_pairs,
    read_author_pairs,
    read_lfw_pairs,
    read_ytf_pairs,
)
from mtl_dm.data.same import labelled_images, require_different, sharing
from mtl_dm.data.sound import mfcc
from mtl_dm.data.subset import widest
from mtl_dm.data.summary import Annotations, Summary, class_ids, summarize
from mtl_dm.data.windows import Recording
from mtl_dm.data.words import word_stream
from mtl_dm.losses.virtual import VIRTUAL

__all__ = [
    "MIXING",
    "VIRTUAL",
    "Annotations",
    "LabelledPair",
    "Outline",
    "Pairs",
    "Part",
    "Recording",
    "Summary",
    "augment",
    "class_ids",
    "clips",
    "draw_pairs",
    "from_arrays",
    "how_to_build",
    "image_side",
    "joined",
    "label_arrays",
    "labelled_images",
    "labelled_pair",
    "load",
    "merge",
    "mfcc",
    "mix_augment",
    "mixes_in_parts",
    "network_input",
    "outline",
    "raw_features",
    "read_author_pairs",
    "read_lfw_pairs",
    "read_ytf_pairs",
    "require_different",
    "sharing",
    "split_in",
    "steps_per_epoch",
    "summarize",
    "tasks_in",
    "widest",
    "with_predicted_labels",
    "with_soft_labels",
    "word_stream",
]
