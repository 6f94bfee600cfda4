import csv
from collections import defaultdict
from pathlib import Path

import pytest
import tensorflow_datasets as tfds
from hypothesis import given
from hypothesis import strategies as st

from data_prep.build import build
from data_prep.check import check
from mtl_dm import datasets
from mtl_dm.datasets.celeb_a_identity._reader import ATTRIBUTES, TASKS, read
from mtl_dm.datasets.celeb_a_identity._split import subject_dependent
from tests.datasets.fakes import celeb_a_identity as fakes


@pytest.fixture
def folder(tmp_path):
    return fakes.write_released(tmp_path / "raw")


def built(source, data_dir):
    builder = datasets.make_builder("celeb_a_identity", data_dir)
    build(builder, source, data_dir)
    return builder


def records(builder, split):
    found = tfds.as_numpy(builder.as_dataset(split=split))
    return {record["path"].decode(): record for record in found}


def edit(path, number, text):
    """Replace a line, counted from 1."""
    lines = path.read_text().splitlines()
    lines[number - 1 : number] = [text]
    path.write_text("\n".join(lines) + "\n")


def errors(source):
    report = check("celeb_a_identity", source)
    assert not report.usable
    return report.errors


def test_labels(folder, tmp_path):
    builder = built(folder, tmp_path / "built")
    found = {k: v for split in builder.info.splits for k, v in records(builder, split).items()}
    assert len(found) == 15
    first = found["Img/img_align_celeba/000001.jpg"]
    assert first["identity"] == 2879  # 2880, counted from 0
    # Active where 1 + place is divisible by 3: Attractive (place 2), Bangs (5), Black_Hair (8).
    assert first["attributes"].tolist() == [1 if place % 3 == 2 else 0 for place in range(40)]
    assert found["Img/img_align_celeba/000009.jpg"]["identity"] == 10176
    assert found["Img/img_align_celeba/000015.jpg"]["identity"] == 7
    names = builder.info.features["identity"].names
    assert (names[2879], len(names)) == ("2880", 10177)


def test_attribute_order():
    assert " ".join(ATTRIBUTES) == fakes.NAMES
    assert TASKS[1].size == 40


class TestSplit:
    def test_who_is_where(self, folder, tmp_path):
        builder = built(folder, tmp_path / "built")
        people = defaultdict(dict)
        for split in builder.info.splits:
            for record in records(builder, split).values():
                identity = int(record["identity"]) + 1
                people[identity][split] = people[identity].get(split, 0) + 1
        assert people == {
            2880: {"train": 3, "validation": 1, "test": 1},
            1: {"train": 1, "validation": 1, "test": 1},
            10177: {"train": 2, "validation": 1, "test": 1},
            77: {"train": 1, "test": 1},
            8: {"train": 1},
        }

    def test_is_saved_with_the_data_set(self, folder, tmp_path):
        builder = built(folder, tmp_path / "built")
        with (Path(builder.data_dir) / "split.csv").open(newline="") as file:
            saved = {row["path"]: row["split"] for row in csv.DictReader(file)}
        assert len(saved) == 15
        for split in builder.info.splits:
            paths = {path for path, where in saved.items() if where == split}
            assert set(records(builder, split)) == paths

    def test_check_says_who_is_not_in_all(self, folder):
        report = check("celeb_a_identity", folder)
        assert report.facts[1] == (
            "Every identity is in all three splits (seed 0), except 1 with two images (train and "
            "test) and 1 with one (train)."
        )

    @given(counts=st.lists(st.integers(1, 45), min_size=1, max_size=12))
    def test_rule(self, counts):
        identities = [who for who, count in enumerate(counts) for _ in range(count)]
        names = [f"{number:06d}.jpg" for number in range(len(identities))]
        splits = subject_dependent(identities, names)
        for who, count in enumerate(counts):
            own = [split for split, other in zip(splits, identities, strict=True) if other == who]
            numbers = [own.count(split) for split in range(3)]
            # Halves are rounded up: 15 images hold out 2 and 2, 25 hold out 3 and 3.
            held_out = max(1, (count + 5) // 10)
            expected = {1: [1, 0, 0], 2: [1, 0, 1]}.get(
                count, [count - 2 * held_out, held_out, held_out]
            )
            assert numbers == expected

    def test_draws_by_name_and_seed_only(self):
        names = [f"{number:06d}.jpg" for number in range(200)]
        one = [7] * 100 + [8] * 100
        splits = dict(zip(names, subject_dependent(one, names), strict=True))
        shuffled = subject_dependent(one[::-1], names[::-1])
        assert dict(zip(names[::-1], shuffled, strict=True)) == splits
        assert (subject_dependent([7] * 100, names[:100]) == list(splits.values())[:100]).all()
        other = subject_dependent(one, names, seed=1)
        assert (other != list(splits.values())).any()


class TestCounts:
    def test_published(self, folder):
        assert read(folder).warnings == (
            "15 images where 202,599 were published.",
            "5 identities where 10,177 were published.",
        )

    def test_truncated_attribute_file(self, folder):
        path = folder / "Anno" / "list_attr_celeba.txt"
        path.write_text("\n".join(path.read_text().splitlines()[:-4]) + "\n")
        report = check("celeb_a_identity", folder)
        assert report.usable
        assert "list_attr_celeba.txt announces 15 images and lists 11." in report.warnings
        assert any("identity_CelebA.txt lists 15 images, list_attr" in w for w in report.warnings)
        assert any(w.startswith("4 image(s) without a row") for w in report.warnings)


class TestBadFiles:
    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("000004.jpg 1 -1", "expected an image and 40 values, got 3 column(s)"),
            (fakes.attribute_line(4) + " 1", "got 42 column(s)"),
            (fakes.attribute_line(4).replace(" 1", " 0", 1), "is '0'; expected one of 1, -1"),
            (fakes.attribute_line(99), "000099.jpg has no identity in identity_CelebA.txt"),
            ("../" + fakes.attribute_line(4), "the path contains '..'"),
        ],
    )
    def test_attribute_line(self, folder, line, reason):
        path = folder / "Anno" / "list_attr_celeba.txt"
        edit(path, 6, line)
        [error] = errors(folder)
        assert error.startswith(f"{path}, line 6: ")
        assert reason in error

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("000002.jpg 10178", "identity is '10178'; expected a whole number from 1 to 10177"),
            ("000002.jpg 0", "identity is '0'"),
            ("000002.jpg", "expected an image and an identity, got 1 column(s)"),
            ("000002.jpg 5 5", "got 3 column(s)"),
        ],
    )
    def test_identity_line(self, folder, line, reason):
        path = folder / "Anno" / "identity_CelebA.txt"
        edit(path, 2, line)
        [error] = errors(folder)
        assert error.startswith(f"{path}, line 2: ")
        assert reason in error

    def test_two_identities(self, folder):
        edit(folder / "Anno" / "identity_CelebA.txt", 2, "000001.jpg 3")
        assert "000001.jpg has two identities" in errors(folder)[0]

    @pytest.mark.parametrize(
        ("number", "line", "reason"),
        [
            (1, "many", "line 1: expected the number of images"),
            (1, fakes.NAMES, "line 1: expected the number of images"),
            (2, "Young Male", "in this order; found 2 names."),
            (2, fakes.NAMES.replace("Male", "Mail"), "found 40 names, unknown: ['Mail']"),
            (2, " ".join(reversed(fakes.NAMES.split())), "in this order; found 40 names."),
        ],
    )
    def test_header(self, folder, number, line, reason):
        edit(folder / "Anno" / "list_attr_celeba.txt", number, line)
        assert reason in errors(folder)[0]

    def test_missing_parts(self, folder):
        (folder / "Img" / "img_align_celeba").rename(folder / "Img" / "other")
        assert "expected Img/img_align_celeba or img_align_celeba there" in errors(folder)[0]
        (folder / "Anno" / "identity_CelebA.txt").unlink()
        assert "has no identity_CelebA.txt: expected it beside" in errors(folder)[0]

    def test_a_line_twice_is_skipped(self, folder, tmp_path):
        with (folder / "Anno" / "list_attr_celeba.txt").open("a") as file:
            file.write(fakes.attribute_line(3) + "\r\n\n")
        metadata = built(folder, tmp_path / "built").info.metadata
        assert (metadata["rows"], metadata["skipped"]) == (16, 1)


def test_the_parent_folder_is_as_good(folder):
    assert read(folder.parent).root == folder
