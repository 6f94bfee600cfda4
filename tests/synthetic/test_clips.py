import numpy as np
import pytest

from mtl_dm.streams import STREAMS, mask_of
from mtl_dm.synthetic import CLIP_LENGTH, CLIP_SETS, FACE_SETS, example, generate_clips
from mtl_dm.synthetic.clip_streams import sample_streams, sample_strengths
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS

SET = CLIP_SETS[2]
UNITS = len(ACTION_UNITS)


def streams(count, intensities=None, expression=0, affect=(0, 0), seed=0):
    rng = np.random.default_rng(seed)
    intensities = np.zeros(UNITS) if intensities is None else intensities
    return [sample_streams(expression, intensities, np.array(affect), rng) for _ in range(count)]


def test_a_clip_is_a_drawn_face_with_streams():
    (entry,) = list(generate_clips(SET, 1))
    face = example(SET, 0, 48)
    for name, value in face.items():
        np.testing.assert_array_equal(entry[name], value)
    names = {part for name in STREAMS for part in (name, mask_of(name))}
    assert set(entry) - set(face) == names
    for name, size in STREAMS.items():
        values, mask = entry[name], entry[mask_of(name)]
        assert values.shape == (CLIP_LENGTH, size)
        assert values.dtype == mask.dtype == np.float32
        assert mask.shape == (CLIP_LENGTH,)


def test_depends_on_seed_and_number_alone():
    first, again = (next(generate_clips(SET, 1)) for _ in range(2))
    other = next(generate_clips(SET, 1, seed=1))
    for name in STREAMS:
        np.testing.assert_array_equal(first[name], again[name])
        assert np.any(first[name] != other[name])


def test_goes_from_neutral_to_the_centre_and_back():
    rng = np.random.default_rng(0)
    for _ in range(50):
        strengths = sample_strengths(rng)
        centre = CLIP_LENGTH // 2
        assert strengths[centre] == strengths.max() == 1
        assert (np.diff(strengths[: centre + 1]) >= 0).all()
        assert (np.diff(strengths[centre:]) <= 0).all()
        assert max(strengths[0], strengths[-1]) < 0.05


def test_masks():
    drawn = streams(300)
    for each in drawn:
        for values, mask in each.values():
            assert set(np.unique(mask)) <= {0.0, 1.0}
            assert (values[mask == 0] == 0).all()
        # The centre of the clip is always there; sound and words never outlast it.
        inside = each["coefficients"][1]
        assert inside[CLIP_LENGTH // 2] == 1
        np.testing.assert_array_equal(each["embedding"][1], inside)
        assert (each["mfcc"][1] <= inside).all()
        assert (each["words"][1] <= inside).all()
    silent = np.mean([not each["mfcc"][1].any() for each in drawn])
    wordless = np.mean([not each["words"][1].any() for each in drawn])
    cut = np.mean([not each["coefficients"][1].all() for each in drawn])
    np.testing.assert_allclose([silent, wordless, cut], [0.25, 0.25, 0.2], atol=0.08)


@pytest.mark.parametrize("name", ["coefficients", "embedding"])
def test_follows_the_action_units(name):
    active = np.zeros(UNITS)
    active[ACTION_UNITS.index("AU12")] = 1.0
    centre = CLIP_LENGTH // 2
    calm, smiling = (
        np.mean([each[name][0] for each in streams(150, intensities, seed=seed)], axis=0)
        for seed, intensities in enumerate((None, active))
    )
    moved = np.linalg.norm(smiling - calm, axis=1)
    assert moved[centre] > 3 * moved[0]
    assert moved[centre] > 0.5


def test_sound_and_words_follow_the_expression():
    happy, sad = (EXPRESSIONS.index(name) for name in ("happiness", "sadness"))
    for name in ("mfcc", "words"):
        means = [
            np.mean(
                [each[name][0][4] for each in streams(250, None, expression, seed=seed)], axis=0
            )
            for seed, expression in enumerate((happy, happy, sad))
        ]
        same, different = (np.linalg.norm(means[0] - means[place]) for place in (1, 2))
        assert different > 1.5 * same


def test_sets_are_those_of_the_faces_with_counts_of_their_own():
    counts = {(entry.name, entry.split): entry.count for entry in CLIP_SETS}
    assert counts == {
        ("expression_only", "train"): 1500,
        ("action_units_only", "train"): 3000,
        ("co_annotated", "train"): 600,
        ("fully_annotated", "validation"): 500,
        ("fully_annotated", "test"): 1500,
    }
    for clips, faces in zip(CLIP_SETS, FACE_SETS, strict=True):
        assert (clips.number, clips.units, clips.prior) == (faces.number, faces.units, faces.prior)
        assert clips.count < faces.count


@pytest.mark.parametrize(
    ("options", "match"),
    [({"count": -1}, "count must be >= 0"), ({"size": 3}, "size must be"), ({"seed": -1}, "seed")],
)
def test_refused(options, match):
    with pytest.raises(ValueError, match=match):
        generate_clips(SET, **options)
