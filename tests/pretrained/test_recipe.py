"""What the recipe trains on, and the test images as data sets, on a few drawn images."""

import csv

import numpy as np
import pytest
from PIL import Image

from experiments.pretraining import recipe, sets, training
from experiments.pretraining.shipping import framed
from experiments.problems.facial_movements import MOVEMENTS
from experiments.problems.real_faces_data import Faces, RealFaces
from mtl_dm.datasets.csv_folder._reader import open_folder
from mtl_dm.models import BACKBONES
from mtl_dm.tasks import EXPRESSIONS
from mtl_dm.training import fitting
from mtl_dm.training.resuming import Progress
from tests.experiments.test_facial_movements import scores
from tests.experiments.test_lfw_split import PAIRS

RNG = np.random.default_rng(0)


def drawn(size, least=0.0):
    images = RNG.integers(0, 256, (size, 48, 48), np.uint8)
    measured = RNG.uniform(least, 1, (size, len(MOVEMENTS))).astype(np.float32)
    return Faces(images, np.arange(size) % len(EXPRESSIONS), measured)


@pytest.fixture(scope="module")
def faces():
    parts = [drawn(size) for size in (14, 7, 21, 7, 14, 7)]
    parts[0].scores[3] = np.nan
    return RealFaces(*parts, np.full(len(MOVEMENTS), 0.5), 2, 0, 0, "digest")


@pytest.fixture(scope="module")
def photos(faces):
    return recipe.photos_of(faces)


def test_no_image_that_is_looked_at_trains(faces, photos):
    fer2013, lfw = photos.train
    assert len(fer2013.images) == 14 + 21  # What Table 2 counts on trains here.
    assert lfw is faces.lfw_train
    assert photos.held_out is faces.held_out
    trained = {image.tobytes() for part in photos.train for image in part.images}
    for part in (faces.held_out, faces.test, faces.lfw_test):
        assert not trained & {image.tobytes() for image in part.images}


def test_thresholds_are_of_both_databases(photos):
    every = np.concatenate([part.scores for part in photos.train])
    assert np.allclose(photos.thresholds, np.nanquantile(every, 0.75, axis=0))


def test_a_source_has_both_tasks(photos):
    part = photos.train[0]
    image, labels, masks = next(iter(recipe.source_of(part, photos.thresholds).skip(3)))
    np.testing.assert_allclose(image[..., 0], part.images[3] / 127.5 - 1, atol=1e-6)
    assert np.argmax(labels["expression"]) == 3
    assert masks["expression"] == 1
    assert not masks["facial_movements"].numpy().any()  # No face was found in it.


def test_the_table_is_counted_on_training_rows(photos):
    table = recipe.coupling_of(photos).relatedness
    labels = [recipe.labels_of(part, photos.thresholds) for part in photos.train]
    ids, movements = (
        np.concatenate([each[name] for each in labels])
        for name in ("expression", "facial_movements")
    )
    rows = (ids == 2) & (movements[:, 0] >= 0)
    assert table.conditional[2, 0] == pytest.approx(movements[rows, 0].mean())


def test_the_training_is_that_of_the_library(faces, photos, tmp_path, monkeypatch):
    given = {}

    def fit(model, sources, config, **options):
        given.update(model=model, sources=sources, **options)
        return Progress(1)

    monkeypatch.setattr(fitting, "fit", fit)
    config = recipe.config_of(epochs=2, steps_per_epoch=1).replace(backbone="small_resnet(width=1)")
    model, progress = training.train(config, photos, faces, tmp_path)
    assert progress.epochs == 1
    assert model is given["model"]
    assert [task.label_smoothing for task in model.tasks] == [0.1, 0.0]
    assert len(model.couplings) == 1
    assert [int(source.cardinality()) for source in given["sources"]] == [35, 14]
    assert int(given["validation"].cardinality()) == 7
    assert given["output"] == tmp_path
    with pytest.raises(ValueError, match="another configuration"):
        training.train(config.replace(seed=1), photos, faces, tmp_path)


def test_the_file_will_be_small_enough():
    backbone = BACKBONES.create(recipe.config_of().backbone, (48, 48, 1))
    heads = backbone.output.shape[-1] * sum(task.size for task in recipe.TASKS)
    assert 2 * (backbone.count_params() + heads) < 2_000_000  # bytes in float16


class TestSets:
    def test_public_test(self, tmp_path):
        part = drawn(8)
        part.scores[0] = np.nan
        part.expression[1] = -1
        sets.write_public_test(part, np.full(len(MOVEMENTS), 0.5), tmp_path)
        with Image.open(tmp_path / "images" / "00005.jpg") as image:
            pixels = np.asarray(image)
        assert np.abs(pixels.astype(int) - framed(part.images[5:6])[0]).max() <= 6
        rows = rows_of(tmp_path)
        assert [row["class:expression"] for row in rows] == [
            EXPRESSIONS[place] if place >= 0 else "" for place in part.expression
        ]
        assert rows[0]["attribute:facial_movements:jawOpen"] == ""
        present = part.scores[5, MOVEMENTS.index("jawOpen")] > 0.5
        assert rows[5]["attribute:facial_movements:jawOpen"] == str(int(present))
        tasks = {task.name: task.labels for task in open_folder(tmp_path).release().tasks}
        assert tasks == {"expression": EXPRESSIONS, "facial_movements": MOVEMENTS}

    def test_lfw_has_test_people_alone_as_they_are(self, tmp_path):
        root = tmp_path / "lfw"
        (root / "images").mkdir(parents=True)
        lines = []
        for name, label in (("A1", "fear"), ("B6", "happiness"), ("C10", "contempt"), ("", "fear")):
            path = f"images/{name or 'nobody'}.jpg"
            (root / path).write_bytes(f"photo of {name}".encode())
            lines.append({"path": path, "expression": label, "identity": name, **scores("0.7")})
        with (root / "labels.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(lines[0]))
            writer.writeheader()
            writer.writerows(lines)
        (root / "pairs.txt").write_text(PAIRS, encoding="utf-8")
        sets.write_lfw(root, np.full(len(MOVEMENTS), 0.5), tmp_path / "out")
        rows = rows_of(tmp_path / "out")
        assert [row["path"] for row in rows] == ["images/B6.jpg", "images/C10.jpg"]
        assert [row["class:expression"] for row in rows] == ["happiness", ""]
        assert {row["split"] for row in rows} == {"test"}
        assert rows[1]["attribute:facial_movements:mouthSmile"] == "1"
        assert (tmp_path / "out" / "images" / "B6.jpg").read_bytes() == b"photo of B6"


def rows_of(folder):
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
