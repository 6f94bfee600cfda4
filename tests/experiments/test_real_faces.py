"""Real photos as a problem: on small files of the same shape, drawn at random."""

import csv
import itertools
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from experiments.engine.networks import configuration
from experiments.engine.problem import Problem
from experiments.problems import facial_movements, real_faces_data
from experiments.problems.real_faces import RealFacesProblem
from experiments.problems.real_faces_data import Faces, digest_of, real_faces, split_training
from experiments.table2 import ROWS
from mtl_dm.relatedness import facs
from tests.experiments.test_facial_movements import scores
from tests.experiments.test_lfw_split import PAIRS

CLASSES = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
EACH = 4
COPIED, COPY = "Training/angry/Training_0.jpg", "PublicTest/angry/PublicTest_0.jpg"
NO_FACE = "PublicTest/happy/PublicTest_0.jpg"
NAMES = ("A1", "A2", "B6", "C10", "")
OPTIONS = {"batch_size": 8, "epochs": 2, "steps_per_epoch": 1}


def picture(path, side, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side), np.uint8)
    Image.fromarray(pixels).save(path, format="PNG")  # Lossless, whatever the name says.


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("faces")
    seeds = itertools.count()
    lines = []
    for split, name, number in itertools.product(("Training", "PublicTest"), CLASSES, range(EACH)):
        path = f"{split}/{name}/{split}_{number}.jpg"
        picture(root / "fer2013" / path, 48, next(seeds))
        if path != NO_FACE:
            lines.append({"path": path, **scores("0.3")})
    (root / "fer2013" / COPY).write_bytes((root / "fer2013" / COPIED).read_bytes())
    write(root / "fer2013_blendshapes.csv", lines)
    lfw = root / "lfw_expressions"
    lines = []
    for place, name in enumerate(NAMES):
        path = f"images/{place}.jpg"
        picture(lfw / path, 112, next(seeds))
        label = "contempt" if name == "C10" else "happiness"
        lines.append({"path": path, "expression": label, "identity": name, **scores(f"0.{place}")})
    write(lfw / "labels.csv", lines)
    (lfw / "pairs.txt").write_text(PAIRS, encoding="utf-8")
    return root


def write(path, lines):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


@pytest.fixture(scope="module")
def problem(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(real_faces_data, "CO_ANNOTATED", 14)
        yield RealFacesProblem(str(folder), "test", OPTIONS)


def arrays(source):
    inputs, labels, masks = zip(*source.as_numpy_iterator(), strict=True)
    names = list(labels[0])
    return (
        np.stack(inputs),
        {name: np.stack([each[name] for each in labels]) for name in names},
        {name: np.stack([each[name] for each in masks]) for name in names},
    )


class TestSplit:
    def test_no_content_is_on_two_sides(self):
        rng = np.random.default_rng(0)
        contents = [f"{number}" for number in rng.integers(0, 300, 400)]
        tested = [f"{number}" for number in range(20)]
        is_measured = rng.random(400) < 0.9
        split = split_training(contents, tested, is_measured, 50)
        sides = [{contents[row] for row in rows} for rows in split[:3]]
        for one, other in itertools.combinations([*sides, set(tested)], 2):
            assert not one & other
        rows = np.concatenate(split[:3])
        assert len(rows) == len(set(rows)) == 400 - split.dropped
        assert split.dropped == sum(content in set(tested) for content in contents)
        # Whole groups: at most one fewer than a tenth.
        assert 0.1 * len(rows) - 8 < len(split.held_out) <= 0.1 * len(rows)
        assert len(split.co_annotated) == 50
        assert is_measured[split.co_annotated].all()
        again = split_training(contents, tested, is_measured, 50)
        assert all(np.array_equal(a, b) for a, b in zip(split[:3], again[:3], strict=True))

    def test_too_few_measured_images(self):
        with pytest.raises(ValueError, match="3 measured images are wanted, 2 are there"):
            split_training(["a", "b"], [], np.ones(2, bool), 3)


class TestSources:
    def test_each_set_trains_one_task(self, problem):
        photos, lfw = problem.sources(problem.tasks)
        assert list(photos.element_spec[1]) == ["expression"]
        assert list(lfw.element_spec[1]) == ["facial_movements"]
        assert problem.sources(problem.tasks[1:])[0] is None
        images, labels, masks = arrays(photos)
        # 28 images, one a copy of a test image, 14 kept for counting, 2 (of 2.7) held out.
        assert len(images) == 28 - 1 - 14 - 2
        assert images.shape[1:] == (48, 48, 3)
        assert -1 <= images.min() < images.max() <= 1
        assert masks["expression"].all()
        assert labels["expression"].sum(axis=1).tolist() == [1] * len(images)

    def test_test_images_carry_both_labels(self, problem):
        images, _, masks = arrays(problem.test(problem.tasks))
        assert len(images) == 28
        assert masks["expression"].all()
        assert (masks["facial_movements"].min(axis=1) == 0).sum() == 1
        assert list(problem.test(problem.tasks[:1]).element_spec[1]) == ["expression"]

    def test_people_are_apart(self, problem):
        (name, source), *rest = problem.further(problem.tasks).items()
        assert (name, rest) == ("lfw", [])
        images, _, masks = arrays(source)
        assert len(images) == 2  # B6 and C10
        assert masks["expression"].tolist() == [1, 0]  # Contempt is none of the seven.
        assert len(arrays(problem.sources(problem.tasks)[1])[0]) == 2  # A1 and A2

    def test_lfw_is_cropped_and_halved(self, problem, folder):
        whole = np.asarray(Image.open(folder / "lfw_expressions/images/2.jpg"), np.float64)
        images, _, _ = arrays(problem.further(problem.tasks)["lfw"])
        corner = np.rint(whole[16:18, 8:10].mean()) / 127.5 - 1
        assert images[0, 0, 0] == pytest.approx([corner] * 3, abs=1e-6)
        end = np.rint(whole[110:, 102:104].mean()) / 127.5 - 1
        assert images[0, -1, -1] == pytest.approx([end] * 3, abs=1e-6)

    def test_choosing_looks_at_no_test_image(self, problem, folder):
        held = arrays(problem.validation(problem.tasks))[0]
        choosing = RealFacesProblem(str(folder), "validation", OPTIONS)
        np.testing.assert_array_equal(arrays(choosing.test(choosing.tasks))[0], held)
        assert choosing.validation(choosing.tasks) is None
        assert choosing.further(choosing.tasks) == {}


class TestRelatedness:
    def test_each_row_has_its_own(self, problem):
        names = {row: configuration(problem, method).relatedness for row, method in ROWS.items()}
        table = problem.given(names["default (DM)"])
        assert table.relatedness.weights.sum() == facial_movements.near_table().weights.sum()
        assert 0 < table.relatedness.weights.sum() < facs().weights.sum()
        counted = problem.given(names["C MT (DB)"]).relatedness
        assert counted.counts[:, 0].sum() == 14
        learned = problem.given(names["default, learned relatedness"])
        assert learned.learned
        assert problem.given("facs") is None


def test_thresholds_are_of_training_people(problem):
    # A1 has 0.0 and A2 0.1 everywhere: the upper quartile 0.075 is raised to 0.1.
    assert problem.record["thresholds"] == [0.1] * 12


@pytest.mark.parametrize(
    "path", ["fer2013_blendshapes.csv", "fer2013/Training/sad", "lfw_expressions/pairs.txt"]
)
def test_what_is_missing_is_named(folder, tmp_path, path):
    root = tmp_path / "faces"
    shutil.copytree(folder, root)
    gone = root / path
    gone.rename(tmp_path / "away")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(real_faces_data, "CO_ANNOTATED", 14)
        with pytest.raises(FileNotFoundError, match=rf"^{gone} is not there\. DATA_DIR must hold"):
            real_faces(str(root))


class TestIdentity:
    def test_counts_and_digest_are_recorded(self, problem):
        said = problem.record["data"]
        assert said["images"] == {
            "train": 11, "held_out": 2, "co_annotated": 14, "test": 28,
            "lfw_train": 2, "lfw_test": 2,
        }  # fmt: skip
        assert said["dropped"] == 1
        assert said["movements"] == facial_movements.NEAR
        json.dumps(said)

    @pytest.mark.parametrize("field", Faces._fields)
    def test_any_other_value_is_other_data(self, field):
        faces = Faces(
            np.zeros((2, 48, 48), np.uint8), np.arange(2), np.full((2, 12), np.nan, np.float32)
        )
        array = getattr(faces, field).copy()
        array.reshape(-1)[-1] = 5
        one, other = ({"train": faces, "test": changed}
                      for changed in (faces, faces._replace(**{field: array})))  # fmt: skip
        assert digest_of(one) == digest_of(
            {name: part.take(np.arange(2)) for name, part in one.items()}
        )
        assert digest_of(one) != digest_of(other)
        assert digest_of(one) != digest_of({"train": faces, "held_out": faces})
        # On another machine whole numbers may be shorter.
        small = faces._replace(expression=faces.expression.astype(np.int32))
        assert digest_of({"train": small}) == digest_of({"train": faces})

    def test_it_is_that_of_the_files(self, problem, folder, tmp_path):
        for entry in folder.iterdir():
            (tmp_path / entry.name).symlink_to(entry)
        (tmp_path / "fer2013_blendshapes.csv").unlink()
        text = (folder / "fer2013_blendshapes.csv").read_text(encoding="utf-8")
        before, _, after = text.rpartition("0.3")
        (tmp_path / "fer2013_blendshapes.csv").write_text(f"{before}0.4{after}", encoding="utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(real_faces_data, "CO_ANNOTATED", 14)
            changed = real_faces(str(tmp_path))
        assert changed.digest != problem.record["data"]["digest"]
        assert (changed.unnamed, changed.unmeasured) == (1, 0)


def test_a_problem_has_no_further_images_by_itself():
    assert Problem.further(None, ()) == {}
