import os
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds

from data_prep.build import build
from data_prep.check import check
from mtl_dm import datasets
from mtl_dm.datasets.fer2013._reader import CLASSES, read
from tests.datasets.fakes import fer2013 as fakes

# The release's folder -> id in neutral, happiness, sadness, fear, anger, surprise, disgust.
IDS = {"angry": 4, "disgust": 6, "fear": 3, "happy": 1, "neutral": 0, "sad": 2, "surprise": 5}


@pytest.fixture
def folder(tmp_path):
    return fakes.write_fer2013(tmp_path / "raw")


def built(source, data_dir):
    builder = datasets.make_builder("fer2013", data_dir)
    build(builder, source, data_dir)
    return builder


def records(builder, split):
    decoders = {"image": tfds.decode.SkipDecoding()}
    return list(tfds.as_numpy(builder.as_dataset(split=split, decoders=decoders)))


def test_labels_follow_the_folders_and_images_are_copied(folder, tmp_path):
    found = records(built(folder, tmp_path / "built"), "validation")
    assert len(found) == 7
    for record in found:
        path = record["path"].decode()
        assert path.startswith("PublicTest/")
        assert record["expression"] == IDS[path.split("/")[1]]
        assert record["image"] == (folder / path).read_bytes()


def test_stored_size_is_known(folder, tmp_path):
    builder = built(folder.parent, tmp_path / "built")  # the parent is as good
    assert builder.info.features["image"].shape == (48, 48, 3)
    [first, *_] = tfds.as_numpy(builder.as_dataset(split="train"))
    assert first["image"].shape == (48, 48, 3)
    assert np.array_equal(first["image"][..., 0], first["image"][..., 2])  # grey


def test_another_size_is_skipped(folder, tmp_path):
    path = next((folder / "Training" / "happy").iterdir())
    path.write_bytes(fakes.grey(0, side=64))
    builder = built(folder, tmp_path / "built")
    assert builder.info.metadata["skipped"] == 1
    listed = (Path(builder.data_dir) / "skipped.csv").read_text()
    assert listed.endswith(f'happy/{path.name},"64 x 64 pixels, expected 48 x 48"\n')


def test_image_outside_a_class_folder_is_counted(folder, tmp_path):
    (folder / "Training" / "stray.jpg").write_bytes(fakes.grey(0))
    builder = built(folder, tmp_path / "built")
    assert builder.info.metadata["unlabelled_images"] == 1
    [warning] = [line for line in check("fer2013", folder).warnings if "without a row" in line]
    assert warning == "1 image(s) without a row, left out: Training/stray.jpg."


def test_unknown_and_missing_classes(folder):
    (folder / "Training" / "contempt").mkdir()
    with pytest.raises(ValueError, match=r"Training holds \['contempt'\]; expected only"):
        read(folder)
    (folder / "Training" / "contempt").rename(folder / "Training" / ".hidden")
    read(folder)
    for path in (folder / "Training" / "fear").iterdir():
        path.unlink()
    (folder / "Training" / "fear").rmdir()
    with pytest.raises(FileNotFoundError, match=r"Training lacks the class folders \['fear'\]"):
        read(folder)


def test_readme_has_the_mapping():
    readme = Path(datasets.__file__).parent / "fer2013" / "README.md"
    assert CLASSES.table() in readme.read_text(encoding="utf-8")
    assert {name: CLASSES.index(name) for name in IDS} == IDS


def test_real_data(tmp_path):
    default = Path(__file__).parents[2].parent / "shared" / "data"
    source = Path(os.environ.get("MTL_DM_TEST_DATA", default))
    if not (source / "fer2013").is_dir():
        pytest.skip("the real data set is not here: set MTL_DM_TEST_DATA to its parent folder")
    report = check("fer2013", source)
    assert report.usable
    # What was handed out is a subset: counted in the folders.
    assert report.facts[1:3] == ("train: 4,636 rows.", "validation: 3,589 rows.")
    assert report.warnings == (
        "No folder PrivateTest: no test split.",
        "4,636 rows in train where 28,709 were published.",
    )
    builder = built(source, tmp_path)
    labels = [record["expression"] for record in records(builder, "validation")]
    # Images by class in canonical order: neutral 607, happy 895, sad 653, ...
    assert np.bincount(labels).tolist() == [607, 895, 653, 496, 467, 415, 56]
    assert builder.info.metadata["skipped"] == 0
