import shutil
from pathlib import Path

import pytest
import tensorflow_datasets as tfds

from data_prep.build import build
from data_prep.check import check
from mtl_dm import EXPRESSIONS, datasets
from mtl_dm.datasets.abaw4_lsd._reader import CLASSES, read
from tests.datasets.fakes import abaw4_lsd as fakes
from tests.datasets.fakes import write_image

# The release's folder -> id in happiness, sadness, fear, anger, surprise, disgust.
IDS = {
    "ANGRER": 3,
    "ANGERE": 3,
    "ANGER": 3,
    "DISGUST": 5,
    "FEAR": 2,
    "HAPPINESS": 0,
    "SADNESS": 1,
    "SURPRISE": 4,
}


@pytest.fixture
def folder(tmp_path):
    return fakes.write(tmp_path / "raw")


def built(source, data_dir):
    builder = datasets.make_builder("abaw4_lsd", data_dir)
    build(builder, source, data_dir)
    return builder


def records(builder, split):
    decoders = {"image": tfds.decode.SkipDecoding()}
    return list(tfds.as_numpy(builder.as_dataset(split=split, decoders=decoders)))


@pytest.mark.parametrize("anger", ["ANGRER", "ANGERE", "ANGER"])
def test_labels_follow_the_folders(anger, tmp_path):
    source = fakes.write(tmp_path / "raw", anger=anger)
    builder = built(source, tmp_path / "built")
    # Without neutral, the first of the seven.
    assert tuple(builder.info.features["expression"].names) == EXPRESSIONS[1:]
    for split, name, count in [("train", fakes.TRAIN, 12), ("validation", fakes.VALIDATION, 6)]:
        found = records(builder, split)
        assert len(found) == count
        for record in found:
            path = record["path"].decode()
            assert path.split("/")[0] == name
            assert record["expression"] == IDS[path.split("/")[1]]
            assert record["image"] == (source / path).read_bytes()


def test_two_spellings_of_anger_are_one_class(folder):
    write_image(folder / fakes.TRAIN / "ANGER" / "more.jpg", 99)
    rows = [row for row in read(folder).splits["train"]() if row.labels["expression"] == 3]
    assert len(rows) == 3


def test_published_counts(folder):
    assert check("abaw4_lsd", folder).warnings == (
        "12 rows in train where 277,251 were published.",
        "6 rows in validation where 4,670 were published.",
    )


def test_one_set_is_enough(folder):
    shutil.rmtree(folder / fakes.VALIDATION)
    report = check("abaw4_lsd", folder)
    assert report.usable
    assert report.warnings[0] == ("No folder validation_set_real_images: no validation split.")


def test_unknown_and_missing_classes(folder):
    (folder / fakes.TRAIN / "NEUTRAL").mkdir()
    with pytest.raises(ValueError, match=r"images holds \['NEUTRAL'\]; expected only \['ANGRER'"):
        read(folder)
    (folder / fakes.TRAIN / "NEUTRAL").rename(folder / fakes.TRAIN / "__MACOSX")
    read(folder)
    shutil.rmtree(folder / fakes.TRAIN / "ANGRER")
    shutil.rmtree(folder / fakes.TRAIN / "FEAR")
    with pytest.raises(FileNotFoundError, match=r"lacks folders for the classes \['anger', 'fear'"):
        read(folder)


def test_validation_images_without_class_folders_are_refused(folder):
    for path in sorted((folder / fakes.VALIDATION).iterdir()):
        shutil.rmtree(path)
    write_image(folder / fakes.VALIDATION / "1.jpg", 1)
    report = check("abaw4_lsd", folder)
    assert not report.usable
    assert "expected ['ANGRER', 'ANGERE', 'ANGER', 'DISGUST'" in report.errors[0]


def test_image_outside_a_class_folder_is_counted(folder, tmp_path):
    write_image(folder / fakes.TRAIN / "stray.jpg", 1)
    (folder / fakes.TRAIN / "FEAR" / ".DS_Store").write_bytes(b"x")
    builder = built(folder, tmp_path / "built")
    assert builder.info.metadata["unlabelled_images"] == 1
    assert builder.info.metadata["skipped"] == 0


def test_readme_has_the_mapping():
    readme = Path(datasets.__file__).parent / "abaw4_lsd" / "README.md"
    assert CLASSES.table() in readme.read_text(encoding="utf-8")
    assert {name: CLASSES.index(name) for name in IDS} == IDS
