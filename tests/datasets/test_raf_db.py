from pathlib import Path

import pytest
import tensorflow_datasets as tfds

from data_prep.build import build
from data_prep.check import check
from mtl_dm import EXPRESSIONS, datasets
from mtl_dm.datasets._check import CHECKERS
from mtl_dm.datasets.raf_db._reader import BASIC, COMPOUND, read
from tests.datasets.fakes import raf_db as fakes
from tests.datasets.fakes import write_image

# The release's id -> id in neutral, happiness, sadness, fear, anger, surprise, disgust.
IDS = {1: 5, 2: 3, 3: 6, 4: 1, 5: 2, 6: 4, 7: 0}

COMPOUND_NAMES = [
    "happily surprised",
    "happily disgusted",
    "sadly fearful",
    "sadly angry",
    "sadly surprised",
    "sadly disgusted",
    "fearfully angry",
    "fearfully surprised",
    "angrily surprised",
    "angrily disgusted",
    "disgustedly surprised",
]


def built(source, data_dir, name="raf_db"):
    builder = datasets.make_builder(name, data_dir)
    build(builder, source, data_dir)
    return builder


def labels(builder, split, feature):
    found = tfds.as_numpy(builder.as_dataset(split=split))
    return {record["path"].decode(): record[feature] for record in found}


def errors(source, name="raf_db"):
    report = CHECKERS.get(name)(source)
    assert not report.usable
    return report.errors


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("raf_db", "basic/Image/aligned/{}_aligned.jpg"),
        ("raf_db/basic_original", "basic/Image/original/{}.jpg"),
    ],
)
def test_basic(name, path, tmp_path):
    builder = built(fakes.write_both(tmp_path / "raw"), tmp_path / "built", name)
    assert tuple(builder.info.features["expression"].names) == EXPRESSIONS
    for split, given in fakes.BASIC.items():
        expected = {path.format(n): IDS[label] for n, label in fakes.names({split: given}).items()}
        assert labels(builder, split, "expression") == expected


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("raf_db/compound", "compound/Image/aligned/{}_aligned.jpg"),
        ("raf_db/compound_original", "compound/Image/original/{}.jpg"),
    ],
)
def test_compound(name, path, tmp_path):
    builder = built(fakes.write_both(tmp_path / "raw"), tmp_path / "built", name)
    feature = builder.info.features["compound_expression"]
    assert feature.names == COMPOUND_NAMES
    assert "expression" not in builder.info.features
    for split, given in fakes.COMPOUND.items():
        expected = {path.format(n): label - 1 for n, label in fakes.names({split: given}).items()}
        assert labels(builder, split, "compound_expression") == expected


def test_published_counts(tmp_path):
    source = fakes.write_both(tmp_path)
    assert check("raf_db", source).warnings == (
        "8 rows in train where 12,271 were published.",
        "3 rows in test where 3,068 were published.",
    )
    assert CHECKERS.get("raf_db/compound")(source).warnings == (
        "11 rows in train where 3,162 were published.",
        "3 rows in test where 792 were published.",
    )


def test_every_configuration_has_a_check(tmp_path):
    source = fakes.write_both(tmp_path)
    facts = {
        config.name: CHECKERS.get(f"raf_db/{config.name}")(source).facts[0]
        for config in datasets.RafDb.BUILDER_CONFIGS
    }
    assert facts == {
        "basic": f"RAF-DB, basic expressions, aligned images, in {source}.",
        "basic_original": f"RAF-DB, basic expressions, original images, in {source}.",
        "compound": f"RAF-DB, compound expressions, aligned images, in {source}.",
        "compound_original": f"RAF-DB, compound expressions, original images, in {source}.",
    }


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("train_00002.jpg 0", "expression is '0'; expected one of 1, 2, 3, 4, 5, 6, 7"),
        ("train_00002.jpg 8", "expression is '8'; expected one of 1, 2"),
        ("train_00002.jpg", "expected a name and an id (train_00001.jpg 5), got 1 part(s)"),
        ("train_00002.jpg 5 6", "got 3 part(s)"),
        ("train_00002.jpg\t5", "got 2 column(s)"),
        ("00002.jpg 5", "the name is '00002.jpg'; expected train_00001.jpg, test_0001.jpg or so"),
        ("../train_00002.jpg 5", "the name is '../train_00002.jpg'"),
    ],
)
def test_bad_lines_are_named_once(line, reason, tmp_path):
    source = fakes.write(tmp_path)
    fakes.write_list(source / "basic", ["train_00001.jpg 5", line, "test_0001.jpg 5"])
    [error] = errors(source)
    assert "list_patition_label.txt, line 2: " in error
    assert reason in error


def test_an_id_of_the_other_subset(tmp_path):
    source = fakes.write(tmp_path, "compound")
    fakes.write_list(source / "compound", ["train_00001.jpg 12"])
    assert "compound_expression is '12'; expected one of 1, 2" in errors(source)[0]


def test_white_space_crlf_and_the_other_spelling(tmp_path):
    source = fakes.write(tmp_path)
    path = fakes.write_list(source / "basic", [])
    path.write_text("\ufefftrain_00001.jpg  5 \r\n\r\ntest_0001.jpg 6\r\n", newline="")
    path.rename(path.with_name("list_partition_label.txt"))
    splits = read(source).splits
    rows = [row for start in splits.values() for row in start()]
    assert [(row.path, row.labels["expression"]) for row in rows] == [
        ("basic/Image/aligned/train_00001_aligned.jpg", 2),
        ("basic/Image/aligned/test_0001_aligned.jpg", 4),
    ]
    assert rows[1].where == "list_partition_label.txt, line 3"


def test_missing_parts_say_what_was_expected(tmp_path):
    source = fakes.write(tmp_path)
    [error] = errors(source, "raf_db/basic_original")
    assert error == (
        f"{source}: expected the original images in basic/Image/original. "
        "Only the aligned ones are there."
    )
    [error] = errors(source, "raf_db/compound")
    assert "expected compound/EmoLabel/list_patition_label.txt or" in error


def test_duplicates_missing_images_and_images_without_a_row(tmp_path):
    source = fakes.write(tmp_path / "raw")
    lines = [f"{name}.jpg {label}" for name, label in fakes.names(fakes.BASIC).items()]
    fakes.write_list(source / "basic", [*lines, "train_00001.jpg 2", "train_00009.jpg 3"])
    write_image(source / "basic/Image/aligned/test_0009_aligned.jpg", 9)
    builder = built(source, tmp_path / "built")
    listed = (Path(builder.data_dir) / "skipped.csv").read_text().splitlines()
    assert listed[1:] == [
        'basic/Image/aligned/train_00001_aligned.jpg,"list_patition_label.txt, line 12: duplicate '
        'of list_patition_label.txt, line 1, with other labels; the first is kept"',
        "basic/Image/aligned/train_00009_aligned.jpg,missing",
    ]
    assert builder.info.metadata["unlabelled_images"] == 1


def test_readme_has_the_mappings():
    readme = (Path(datasets.__file__).parent / "raf_db" / "README.md").read_text(encoding="utf-8")
    assert BASIC.classes.table() in readme
    assert COMPOUND.classes.table() in readme
    assert {number: BASIC.classes.index(str(number)) for number in IDS} == IDS
