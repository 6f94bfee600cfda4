import numpy as np
import pytest

from mtl_dm.data import labelled_pair
from mtl_dm.tasks import Task

KIND = Task.multiclass("kind", ["a", "b", "c"])
PARTS = Task.multilabel("parts", ["x", "y"])


def arrays(labels, masks):
    return np.float32(labels), np.float32(masks)


SETS = [
    # Classes a, b, c and none; x of the first two, y of the last two.
    {
        "kind": arrays(np.eye(3)[[0, 1, 2, 0]], [1, 1, 1, 0]),
        "parts": arrays([[1, np.nan], [0, -1], [5, 1], [5, 0]], [[1, 0], [1, 0], [0, 1], [0, 2]]),
    },
    {"kind": arrays(np.eye(3)[[2]], [1])},
    {"size": arrays([[1.0]], [[1]])},
]


def test_labels_of_all_data_sets_one_after_the_other():
    pair = labelled_pair(SETS, KIND, PARTS)
    assert pair.sizes == (4, 1, 1)
    assert pair.class_ids.tolist() == [0, 1, 2, -1, 2, -1]
    # What stands under a zero mask is ignored, and a mask that weighs an image is a label.
    assert pair.mask.tolist() == [[1, 0], [1, 0], [0, 1], [0, 1], [0, 0], [0, 0]]
    assert pair.active.tolist() == [[1, 0], [0, 0], [0, 1], [0, 0], [0, 0], [0, 0]]
    assert pair.class_counts().tolist() == [1, 1, 2]
    assert pair.tally().annotated.tolist() == [[1, 0], [1, 0], [0, 1]]
    assert pair.overlap() == (
        "6 images, labelled for both 3 (50.0%); `kind` only 1 (16.7%); `parts` only 1 (16.7%); "
        "neither 1 (16.7%)."
    )


def test_images_of_another_class_count_as_unlabelled():
    pair = labelled_pair(SETS, KIND, PARTS).restrict(["b", "a"], ["y"])
    assert (pair.classes.labels, pair.attributes.labels) == (("b", "a"), ("y",))
    assert pair.class_ids.tolist() == [1, 0, -1, -1, -1, -1]
    # The third image is of class c; the fourth may be of any.
    assert pair.mask[:, 0].tolist() == [0, 0, 0, 1, 0, 0]
    assert pair.active.sum() == 0


def test_a_data_set_without_any_task():
    with pytest.raises(ValueError, match="Data set 2 of 2 has none of the tasks"):
        labelled_pair([SETS[0], {}], KIND, PARTS)
