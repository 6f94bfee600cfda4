"""Unseen people verified: who trains, what is measured, LFW's halves by file and in truth."""

import csv
import os
import types
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from scipy.spatial.distance import cosine
from sklearn.metrics import roc_auc_score

from experiments.engine.building import build
from experiments.engine.cell import problem_of
from experiments.engine.method import Method
from experiments.engine.networks import configuration, groups_of, own_config
from experiments.problems import faces_compared, lfw_people
from experiments.problems.face_verification import (
    IDENTITY,
    PRETRAINING,
    VERIFICATION,
    Faces,
    FaceVerification,
    embeddings,
    source,
)
from experiments.problems.faces_compared import numbered
from experiments.problems.people import SIDE, People, classes_of
from mtl_dm.training import fitting
from tests.experiments.test_lfw_split import PAIRS

OPTIONS = {"batch_size": 4, "epochs": 2, "steps_per_epoch": 1, "backbone": "compact_cnn"}
CLASSES = ("neutral", "happy")


def people(person, seed, expression=None):
    count = len(person)
    pixels = np.random.default_rng(seed).integers(0, 256, (count, SIDE, SIDE), np.uint8)
    labels = np.arange(count) % 2 if expression is None else np.array(expression)
    return People(pixels, np.array(person), labels)


def tiny(**changes):
    """Five people to pretrain on, three and one unknown to train on, four to compare."""
    test = people([0, 0, 1, 1, 2, 2, 3, 3], 2)
    faces = Faces(
        people([0, 0, 1, 1, 2, 2, 3, 3, 4, 4], 0),
        people([5, 5, 6, 6, 7, -1], 1, [0, 1, 0, 1, 0, -1]),
        test,
        *numbered(test, 2),
        CLASSES,
    )
    return faces._replace(**changes)


@pytest.fixture(scope="module")
def problem():
    return FaceVerification(tiny(), OPTIONS, {"steps_per_epoch": 3})


def labels_of(dataset, name):
    found = list(dataset.as_numpy_iterator())
    return [int(label[name].argmax()) if mask[name] else -1 for _, label, mask in found]


def test_training_images_have_both_labels(problem):
    (train,) = problem.sources(problem.tasks)
    assert problem.tasks[0].size == 2  # 7 has one image.
    assert labels_of(train, "identity") == [0, 0, 1, 1, -1, -1]
    assert labels_of(train, "expression") == [0, 1, 0, 1, 0, -1]
    (alone,) = problem.sources(problem.tasks[1:])
    assert list(alone.element_spec[1]) == ["expression"]


def test_who_test_people_are_is_no_label(problem):
    assert list(problem.test(problem.tasks).element_spec[1]) == ["expression"]
    assert not problem.test(problem.tasks[:1]).element_spec[1]
    assert len(list(problem.test(problem.tasks[:1]))) == 8


def test_a_pretraining_learns_identities_of_others(problem):
    other = problem_of(problem, Method(pretraining=True))
    assert problem_of(problem, Method()) is problem
    assert [task.name for task in other.tasks] == [IDENTITY]
    assert other.tasks[0].size == 5
    assert other.config.datasets == (PRETRAINING,)
    assert other.config.steps_per_epoch == 3
    assert other.config.backbone == problem.config.backbone
    (images,) = other.sources(other.tasks)
    assert labels_of(images, "identity") == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    # It is tested on the same people.
    assert len(list(other.test(other.tasks))) == 8
    assert problem.tasks[0].size == 2


def test_verification_against_scipy_and_scikit_learn(problem):
    with fitting.settings(problem.config):
        model = build(problem, problem.config, problem.tasks, problem.sources(problem.tasks)[0])
    faces = tiny()
    found = embeddings(model, source(faces.test, {}, problem.tasks))
    pairs = faces.pairs
    first, second = (np.array([int(pairs.images[p]) for p in side])
                     for side in (pairs.first, pairs.second))  # fmt: skip
    distances = [cosine(found[a], found[b]) for a, b in zip(first, second, strict=True)]
    own = faces.test.person[first] == faces.test.person[second]
    np.testing.assert_array_equal(own, pairs.same)
    scores = problem.beyond([model])[VERIFICATION]
    assert 0 <= scores["accuracy/low"] <= scores["accuracy/high"] <= 1
    assert scores["auc"] == pytest.approx(roc_auc_score(own, -np.array(distances)), abs=1e-6)
    keras.backend.clear_session()


def test_a_test_image_that_trains_is_an_error():
    faces = tiny()
    copied = faces.train._replace(images=faces.train.images.copy())
    copied.images[3] = faces.test.images[5]
    with pytest.raises(ValueError, match="1 images of train are test images too, first in row 3"):
        FaceVerification(faces._replace(train=copied), OPTIONS, {})


def test_a_test_person_who_trains_is_an_error():
    faces = tiny(train=people([5, 5, 3, 3, 2, -1], 1))
    with pytest.raises(ValueError, match="2 people of train are test people too, first 2"):
        FaceVerification(faces, OPTIONS, {})
    # The numbers of a pretraining are those of other people.
    assert faces.pretraining.people & faces.test.people


def test_a_pair_of_an_unknown_image_is_an_error():
    faces = tiny(files=tuple(f"other {place}" for place in range(8)))
    with pytest.raises(ValueError, match=r"Pairs name \d unknown images, first '0'"):
        FaceVerification(faces, OPTIONS, {})


def test_nobody_to_tell_apart():
    faces = tiny(train=people([5, 5, -1], 5))
    with pytest.raises(ValueError, match="Two people with two images each are needed"):
        FaceVerification(faces, OPTIONS, {})


@pytest.fixture(scope="module")
def lfw_folder(tmp_path_factory):
    """Two images of A and C of every fold, one person in no pair, one without a name."""
    root = tmp_path_factory.mktemp("lfw") / "lfw_expressions"
    (root / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines = []
    names = [f"{letter}{fold}" for fold in range(1, 11) for letter in "AC"]
    for name in [*names, "Nobody_Paired", ""]:
        for number in (1, 2, 3):
            path = f"images/{name or 'x'}_{number:04d}.jpg"
            pixels = rng.integers(0, 256, (112, 112), np.uint8)
            Image.fromarray(pixels).save(root / path, format="PNG")
            lines.append({"path": path, "expression": "happiness", "identity": name})
    # The same photo under two names.
    for suffix in ("1",):
        copy = (root / f"images/A1_000{suffix}.jpg").read_bytes()
        (root / f"images/A7_000{suffix}.jpg").write_bytes(copy)
    with (root / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    (root / "pairs.txt").write_text(PAIRS, encoding="utf-8")
    return root.parent


@pytest.mark.parametrize(("half", "folds"), [(0, range(6, 11)), (1, range(1, 6))])
def test_nobody_of_the_tested_folds_trains(lfw_folder, half, folds):
    found = lfw_people.photos(str(lfw_folder))
    part = lfw_people.half_of(found, half)
    tested = {f"{letter}{fold}" for fold in folds for letter in "AC"}
    assert {found.names[n] for n in part.test.people} == tested
    assert {found.names[n] for n in part.train.people} == set(found.names) - tested
    # 11 people of three images; the copy of a test image does not train.
    assert len(part.train.images) == 32
    assert len(part.test.images) == len(part.files) == 30
    assert {name.partition("_")[0] for name in part.files} == tested
    pairs = lfw_people.pairs_of(str(lfw_folder)).of_folds(folds).among(part.files, skip=True)
    # Pairs of B lack an image.
    assert pairs.same.all()
    assert len(pairs.same) == 5


def test_the_real_photos():
    default = Path(__file__).parents[2].parent / "shared" / "data"
    data = Path(os.environ.get("MTL_DM_TEST_DATA", default))
    if not (data / "faces" / "lfw_expressions").is_dir():
        pytest.skip("the photos are not here: set MTL_DM_TEST_DATA to the folder of the data")
    root = lfw_people.root_of(str(data))
    with (root / "labels.csv").open(encoding="utf-8", newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["identity"]]
    names = tuple(sorted({line["identity"] for line in lines}))
    blank = People(
        np.arange(len(lines), dtype=np.int64)[:, None, None],  # Without reading a photo.
        np.array([names.index(line["identity"]) for line in lines]),
        np.zeros(len(lines), np.int64),
    )
    files = tuple(Path(line["path"]).stem for line in lines)
    text = (root / "pairs.txt").read_text(encoding="utf-8")
    found = lfw_people.Photos(blank, names, files, text)
    every = lfw_people.pairs_of(str(data))
    sizes, used = [], 0
    for half, folds in enumerate(lfw_people.FOLDS):
        part = lfw_people.half_of(found, half)
        assert not part.train.people & part.test.people
        pairs = every.of_folds(folds).among(part.files, skip=True)
        assert not {*pairs.identities} & {names[number] for number in part.train.people}
        used += len(pairs.same)
        classes = int(classes_of(part.train.person).max()) + 1
        sizes.append((len(part.train.images), len(part.train.people), classes))
    assert used == 5603
    assert sizes == [(6688, 3469, 791), (7610, 3575, 879)]


def test_drawn_faces_are_cropped_to_the_side_of_all():
    left, top, right, bottom = faces_compared.CROP
    assert right - left == bottom - top == SIDE


SMALL = "inception_resnet_small(bottleneck=4, variant=demo)"


def test_a_network_has_the_branches_of_its_tasks():
    found = FaceVerification(tiny(), {**OPTIONS, "backbone": SMALL}, {})
    single = Method(single_task=True)
    config = configuration(found, single)
    groups = groups_of(found, config, single)
    own = [own_config(found, config, group, [6]).backbone for group in groups]
    assert own == [
        f"inception_resnet_small(bottleneck=4, tasks=[{name}], variant=demo)"
        for name in ("identity", "expression")
    ]
    assert found.pretraining().config.backbone == own[0]
    assert found.config.backbone == SMALL


def network(*tasks):
    """What a backbone with branches has, as small as can be, with weights of its own."""
    parts = {name: keras.layers.Dense(1) for name in ("shared", *tasks)}
    for part in parts.values():
        part.build((None, 2))
    branches = {name: parts[name] for name in tasks}
    backbone = types.SimpleNamespace(shared=parts["shared"], branches=branches)
    return types.SimpleNamespace(backbone=backbone)


def test_the_first_branch_starts_from_that_of_identity(problem):
    keras.utils.set_random_seed(0)
    pretrained, both, alone = (
        network(*tasks) for tasks in (["identity"], ["identity", "expression"], ["expression"])
    )
    shared = pretrained.backbone.shared.get_weights()
    identity = pretrained.backbone.branches["identity"].get_weights()
    other = both.backbone.branches["expression"].get_weights()
    for model in (both, alone):
        problem.start(model, pretrained)
        same(model.backbone.shared.get_weights(), shared)
        same(next(iter(model.backbone.branches.values())).get_weights(), identity)
    # The stage "transfer" copies it further.
    same(both.backbone.branches["expression"].get_weights(), other)


def same(one, two):
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def test_another_backbone_is_the_same_for_every_network(problem):
    assert problem.backbone_of(problem.config, ("identity",)) == "compact_cnn"
