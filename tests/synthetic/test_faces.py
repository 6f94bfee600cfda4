"""Tests of the synthetic faces: what is drawn, what is labelled, what is reproducible."""

import itertools

import cv2
import numpy as np
import pytest

from mtl_dm.relatedness import facs
from mtl_dm.reporting import gallery
from mtl_dm.synthetic import (
    ACTIVE,
    AU_REGIONS,
    FACE_SETS,
    REGIONS,
    SET_NAMES,
    TASKS,
    draw_face,
    example,
    face_set,
    generate,
    sample_identity,
    sample_nuisance,
    true_conditional,
)
from mtl_dm.synthetic.affect import (
    affect_model,
    sample_intensities,
    sample_valence_arousal,
)
from mtl_dm.synthetic.face_sets import EMOTIONET_UNITS, identity_number, scene
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS

REST = np.zeros(len(ACTION_UNITS))
PEOPLE = [sample_identity(np.random.default_rng(seed)) for seed in range(6)]


def unit(name, intensity=0.8):
    return np.where(np.array(ACTION_UNITS) == name, intensity, 0.0)


def change(person, before, after, size):
    """Mean absolute difference of the channels, [size, size]."""
    first, second = (draw_face(person, each, size=size).astype(float) for each in (before, after))
    return np.abs(second - first).mean(axis=-1)


def inside(region, size):
    left, top, right, bottom = (round(edge * size) for edge in REGIONS[region])
    mask = np.zeros((size, size), bool)
    mask[top:bottom, left:right] = True
    return mask


def same(first, second):
    return all(np.array_equal(first[key], second[key]) for key in first)


# Drawing


@pytest.mark.parametrize("size", [64, 112])
@pytest.mark.parametrize("name", ACTION_UNITS)
def test_action_unit_moves_its_own_part(name, size):
    for person in PEOPLE:
        moved = change(person, REST, unit(name), size)
        own = inside(AU_REGIONS[name], size)
        assert moved[own].mean() > 0.7, f"{name} is invisible"
        assert moved[own].sum() > 0.55 * moved.sum(), f"{name} mostly moves another part"
        assert moved[own].mean() > 4 * moved[~own].mean()


@pytest.mark.parametrize("name", ["AU11", "AU15", "AU20", "AU23", "AU24", "AU25"])
def test_mouth_leaves_brows_and_eyes_alone(name):
    for person in PEOPLE:
        moved = change(person, REST, unit(name), 112)
        assert moved[: round(0.5 * 112)].max() == 0


@pytest.mark.parametrize("name", ["AU1", "AU2", "AU5", "AU7"])
def test_brows_and_eyes_leave_mouth_alone(name):
    for person in PEOPLE:
        moved = change(person, REST, unit(name), 112)
        assert moved[round(0.55 * 112) :].max() == 0


def test_no_two_action_units_look_alike():
    person = PEOPLE[0]
    faces = [draw_face(person, unit(name), size=112).astype(float) for name in ACTION_UNITS]
    for (i, first), (j, second) in itertools.combinations(enumerate(faces), 2):
        difference = np.abs(first - second).mean()
        assert difference > 0.1, f"{ACTION_UNITS[i]} looks like {ACTION_UNITS[j]}"


@pytest.mark.parametrize("name", ACTION_UNITS)
def test_stronger_moves_more(name):
    steps = [change(PEOPLE[1], REST, unit(name, value), 112).sum() for value in (0.3, 0.6, 1.0)]
    assert 0 < steps[0] < steps[1] < steps[2]


@pytest.mark.parametrize("size", [32, 48, 64, 112, 224])
def test_any_size(size):
    face = draw_face(PEOPLE[0], REST, size=size)
    assert face.shape == (size, size, 3)
    assert face.dtype == np.uint8
    assert face.std() > 10


def test_sizes_show_the_same_face():
    for person in PEOPLE[:3]:
        large = draw_face(person, unit("AU12"), size=112).astype(float)
        small = draw_face(person, unit("AU12"), size=56).astype(float)
        halved = large.reshape(56, 2, 56, 2, 3).mean(axis=(1, 3))
        assert np.abs(halved - small).mean() < 8
        other = draw_face(PEOPLE[5], unit("AU12"), size=56)
        assert np.abs(halved - other).mean() > 12


@pytest.mark.parametrize("size", [31, 0, -112, 64.0, True, None])
def test_wrong_size(size):
    with pytest.raises(ValueError, match=r"size must be an integer >= 32, got "):
        draw_face(PEOPLE[0], REST, size=size)


@pytest.mark.parametrize("shape", [(16,), (18,), (1, 17), ()])
def test_wrong_shape(shape):
    with pytest.raises(ValueError, match=r"intensities must have shape \(17,\), got"):
        draw_face(PEOPLE[0], np.zeros(shape))


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan, np.inf])
def test_wrong_intensity(value):
    with pytest.raises(ValueError, match=rf"lie in \[0, 1\], got {value} for AU4"):
        draw_face(PEOPLE[0], unit("AU4", value))


def test_nuisance_strength():
    calm = sample_nuisance(np.random.default_rng(0), 0.0)
    assert calm.pose.yaw == calm.blur == calm.noise == 0
    assert calm.occluder is None
    with pytest.raises(ValueError, match=r"strength must lie in \[0, 2\], got -1"):
        sample_nuisance(np.random.default_rng(0), -1.0)


def test_every_nuisance_draws():
    kinds = set()
    for seed in range(120):
        nuisance = sample_nuisance(np.random.default_rng(seed), 2.0)
        kinds.add(nuisance.occluder.kind if nuisance.occluder else None)
        face = draw_face(PEOPLE[seed % 6], REST, nuisance, 32)
        assert 3 < face.mean() < 252
    assert kinds == {None, "hand", "cloth", "bar"}


# Affect


def test_empirical_share_is_the_true_conditional():
    model, rng = affect_model(0), np.random.default_rng(1)
    truth = true_conditional(0)
    drawn = 3000
    for expression in range(len(EXPRESSIONS)):
        active = np.mean(
            [sample_intensities(model, expression, rng) > ACTIVE for _ in range(drawn)], axis=0
        )
        # 4.5 standard errors: 119 comparisons, so about 1 chance in 1,000 for an unlucky seed.
        allowed = 4.5 * np.sqrt(truth.conditional[expression] / drawn) + 1e-3
        np.testing.assert_array_less(np.abs(active - truth.conditional[expression]), allowed)


def test_table_1_is_only_roughly_right():
    table, truth = facs().weights, true_conditional(0).conditional
    deviation = np.abs(truth - table).mean()
    assert 0.03 < deviation < 0.15
    assert truth[table == 1].min() > 0.5  # prototypical ones stay likely
    assert truth[table == 0].mean() < 0.15  # and the rest rare
    assert (truth > 0).all()
    assert (truth < 1).all()
    assert not np.allclose(truth, true_conditional(1).conditional, atol=0.05)


def test_correlated_units():
    model, rng = affect_model(0), np.random.default_rng(0)
    drawn = np.array([sample_intensities(model, 0, rng) for _ in range(4000)])
    active = (drawn > ACTIVE).astype(int)
    joint = {
        (a, b): active[:, ACTION_UNITS.index(a)] @ active[:, ACTION_UNITS.index(b)]
        for a, b in (("AU1", "AU2"), ("AU6", "AU12"), ("AU24", "AU25"))
    }
    counts = dict(zip(ACTION_UNITS, active.sum(axis=0), strict=True))
    independent = {pair: counts[pair[0]] * counts[pair[1]] / 4000 for pair in joint}
    assert joint["AU1", "AU2"] > 2 * independent["AU1", "AU2"]
    assert joint["AU6", "AU12"] > 2 * independent["AU6", "AU12"]
    assert joint["AU24", "AU25"] < 0.5 * independent["AU24", "AU25"]


def test_intensities_are_graded():
    model, rng = affect_model(0), np.random.default_rng(0)
    drawn = np.array([sample_intensities(model, 5, rng) for _ in range(500)])
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    active = drawn[drawn > ACTIVE]
    assert active.min() < 0.35
    assert active.max() > 0.85
    assert ((drawn > 0) & (drawn < ACTIVE)).any()  # faint ones that count as inactive
    assert drawn.astype(np.float32)[drawn > ACTIVE].min() > np.float32(ACTIVE)


def test_valence_arousal_lie_on_the_circumplex():
    model, rng = affect_model(0), np.random.default_rng(0)
    means = {}
    for index, name in enumerate(EXPRESSIONS):
        values = np.array(
            [
                sample_valence_arousal(index, sample_intensities(model, index, rng), rng)
                for _ in range(200)
            ]
        )
        assert np.abs(values).max() <= 1
        means[name] = values.mean(axis=0)
    assert means["happiness"][0] > 0.3 > 0 > means["sadness"][0]
    assert means["anger"][1] > 0.2 > 0 > means["sadness"][1]
    assert np.abs(means["neutral"]).max() < 0.15


@pytest.mark.parametrize("expression", [-1, 7])
def test_unknown_expression(expression):
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=rf"expression must be 0\.\.6, got {expression}"):
        sample_intensities(affect_model(0), expression, rng)
    with pytest.raises(ValueError, match=rf"expression must be 0\.\.6, got {expression}"):
        sample_valence_arousal(expression, REST, rng)


# Sets


def test_same_seed_same_pixels():
    first, second = (list(generate("co_annotated", "train", 6, 48, seed=3)) for _ in range(2))
    assert all(itertools.starmap(same, zip(first, second, strict=True)))
    other = list(generate("co_annotated", "train", 6, 48, seed=4))
    for mine, theirs in zip(first, other, strict=True):
        assert not np.array_equal(mine["image"], theirs["image"])


def test_an_image_needs_no_other():
    chosen = face_set("fully_annotated", "test")
    drawn = list(generate("fully_annotated", "test", 12, 48))
    for index in (11, 3, 7):
        assert same(example(chosen, index, 48), drawn[index])


def test_sizes_agree_on_labels():
    pairs = zip(generate("co_annotated", count=8, split="train", size=48),
                generate("co_annotated", count=8, split="train", size=64), strict=True)  # fmt: skip
    for small, large in pairs:
        assert same({**small, "image": 0}, {**large, "image": 0})


@pytest.mark.parametrize("chosen", FACE_SETS, ids=lambda chosen: f"{chosen.name}-{chosen.split}")
def test_what_is_annotated(chosen):
    drawn = list(generate(chosen.name, chosen.split, 30, 32))
    expressions = np.array([entry["expression"] for entry in drawn])
    units = np.array([entry["action_units"] for entry in drawn])
    assert units.dtype == np.int8
    named = {
        "expression_only": (),
        "action_units_only": EMOTIONET_UNITS,
        "co_annotated": ACTION_UNITS,
        "fully_annotated": ACTION_UNITS,
    }[chosen.name]
    has = np.isin(ACTION_UNITS, named)
    assert np.isin(units[:, has], (0, 1)).all()
    assert (units[:, ~has] == -1).all()
    if chosen.name == "action_units_only":
        assert (expressions == -1).all()
    else:
        assert ((expressions >= 0) & (expressions < 7)).all()
        assert len(set(expressions.tolist())) > 3
    for entry in drawn:
        assert np.isfinite(entry["valence_arousal"]).all()
        assert np.isin(entry["attributes"], (0, 1)).all()
        assert entry["attributes"].shape == (TASKS[3].size,)


def test_sets_share_nobody_and_people_recur():
    people = {
        (chosen.name, chosen.split): [
            entry["identity"] for entry in generate(chosen.name, chosen.split, 35, 32)
        ]
        for chosen in FACE_SETS
    }
    for first, second in itertools.combinations(people.values(), 2):
        assert not set(first) & set(second)
    for numbers in people.values():
        _, counts = np.unique(numbers, return_counts=True)
        assert counts[0] == 4  # 4 + 5 + 6 + 7 + 8 images, then again
        assert counts[:5].tolist() == [4, 5, 6, 7, 8]
    largest = max(chosen.count for chosen in FACE_SETS)
    assert identity_number(largest) < 1_000_000  # numbers of the sets cannot run into each other


def test_priors_differ_between_sets():
    for chosen in FACE_SETS:
        assert sum(chosen.prior) == pytest.approx(1.0)
    train = {chosen.prior for chosen in FACE_SETS if chosen.split == "train"}
    assert len(train) == 3
    assert face_set("fully_annotated", "test").prior == (1 / 7,) * 7


def test_empirical_prior():
    chosen = face_set("expression_only", "train")
    shown = [scene(chosen, index).expression for index in range(2_000)]  # Undrawn, as is enough.
    shares = np.bincount(shown, minlength=7) / 2_000
    np.testing.assert_allclose(shares, chosen.prior, atol=0.035)
    first = next(generate(chosen.name, "train", 1, 32))
    assert first["expression"] == shown[0]


def test_unknown_set_and_split():
    with pytest.raises(ValueError, match=f"Unknown face set 'faces'. Known: {SET_NAMES[0]}"):
        generate("faces", "train")
    with pytest.raises(ValueError, match=r"no split 'train'\. Known: validation, test"):
        generate("fully_annotated", "train")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": -1}, "count must be >= 0, got -1"),
        ({"seed": -1}, "seed must be >= 0, got -1"),
        ({"size": 16}, "size must be an integer >= 32, got 16"),
    ],
)
def test_wrong_arguments_fail_at_once(arguments, message):
    with pytest.raises(ValueError, match=message):
        generate("co_annotated", "train", **arguments)  # not yet iterated


# Gallery


def test_gallery_writes_sheets(tmp_path, capsys):
    gallery.main([f"--output={tmp_path / 'sheets'}", "--size=48"])
    names = ["expressions.png", "action_units.png", "samples.png"]
    assert capsys.readouterr().out.split() == [str(tmp_path / "sheets" / name) for name in names]
    rows = {"expressions.png": 7, "action_units.png": 17, "samples.png": 5}
    for name in names:
        sheet = cv2.imread(str(tmp_path / "sheets" / name))
        assert sheet.shape[0] == 22 + 48 * rows[name]
        assert sheet[:, :96].min() < 100  # the labels are written


def test_gallery_people_are_in_no_set():
    people = gallery.identities(3)
    assert people[0] != people[1]
    with pytest.raises(ValueError, match="count must be >= 1, got 0"):
        gallery.identities(0)
