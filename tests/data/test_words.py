import numpy as np
import pytest

from mtl_dm import data

VECTORS = {"good": np.array([1.0, 2.0]), "day": np.array([3.0, 4.0])}


def test_each_frame_has_the_word_at_its_middle():
    words = [(0.0, 0.2, "good"), (0.25, 0.45, "xyzzy"), (0.3, 0.56, "day"), (2.0, 3.0, "good")]
    # Middles at 0.05, 0.15, ..., 0.75.
    stream = data.word_stream(words, VECTORS, 8, 10.0)
    nothing = [np.nan, np.nan]
    want = [[1, 2], [1, 2], nothing, [3, 4], [3, 4], [3, 4], nothing, nothing]
    np.testing.assert_array_equal(stream, np.array(want))
    assert stream.dtype == np.float32


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"vectors": {}}, "vectors must have at least one word"),
        ({"vectors": {"a": np.zeros(2), "b": np.zeros(3)}}, "one length"),
        ({"words": [(2.0, 1.0, "good")]}, "'good' ends at 1.0 s, before its start at 2.0 s"),
        ({"frames": 0}, "frames must be above 0, got 0"),
        ({"frames_per_second": 0}, "frames_per_second must be above 0, got 0"),
    ],
)
def test_refused(change, match):
    given = {"words": [], "vectors": VECTORS, "frames": 3, "frames_per_second": 10.0, **change}
    with pytest.raises(ValueError, match=match):
        data.word_stream(**given)
