import pytest

from mtl_dm.training.same_inputs import require_same_inputs

CLIP = {"image": (48, 48, 3), "words": (9, 50), "words_mask": (9,)}


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({"a": (48, 48, 3), "b": (64, 64, 3)}, "images differ in size: a 48 x 48, b 64 x 64. Give"),
        (
            {"a": CLIP, "b": CLIP | {"image": (64, 64, 3)}},
            "images differ in size: a 48 x 48, b 64 x 64. Give image_size",
        ),
        # Another size of the images would not help these.
        (
            {"a": CLIP, "b": (48, 48, 3)},
            r"same inputs, .*: b lacks \['words', 'words_mask'\]\.$",
        ),
        (
            {"a": (64, 64, 3), "b": CLIP, "c": {"words": (9, 50), "mfcc": (9, 40)}},
            r"a lacks \['mfcc', 'words', 'words_mask'\]; b lacks \['mfcc'\]; c lacks \['image', ",
        ),
        (
            {"a": CLIP, "b": CLIP | {"words": (11, 50), "words_mask": (11,)}},
            r"input 'words' .* differs in shape: a \(9, 50\), b \(11, 50\)\. .* build them alike",
        ),
    ],
)
def test_what_differs_is_named(shapes, message):
    with pytest.raises(ValueError, match=message):
        require_same_inputs(shapes)


def test_alike():
    require_same_inputs({"a": CLIP, "b": dict(reversed(CLIP.items()))})
    require_same_inputs({"a": (48, 48, 3), "b": (48, 48, 3)})
