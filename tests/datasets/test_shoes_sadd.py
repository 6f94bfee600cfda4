import csv
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from hypothesis import given
from hypothesis import strategies as st

from data_prep.build import build
from data_prep.check import check
from mtl_dm import datasets
from mtl_dm.datasets.shoes_sadd._annotations import ATTRIBUTES, TYPES, Annotations, type_of
from mtl_dm.datasets.shoes_sadd._binarise import binarise
from mtl_dm.datasets.shoes_sadd._reader import in_test, read
from tests.datasets.fakes import shoes_sadd as fakes


@pytest.fixture
def folder(tmp_path):
    return fakes.write_shoes(tmp_path / "raw")


def built(source, data_dir, config=""):
    name = f"shoes_sadd/{config}" if config else "shoes_sadd"
    builder = datasets.make_builder(name, data_dir)
    build(builder, source, data_dir)
    return builder


def records(builder, split="all"):
    found = tfds.as_numpy(builder.as_dataset(split=split))
    return {record["path"].decode(): record for record in found}


def errors(source):
    report = check("shoes_sadd", source)
    assert not report.usable
    return report.errors


def test_names():
    assert {name: type_of(f"img_womens_{name}_12.jpg") for name in TYPES} == {
        "athletic_shoes": 0,
        "boots": 1,
        "clogs": 2,
        "flats": 3,
        "high_heels": 4,
        "pumps": 5,
        "rain_boots": 6,
        "sneakers": 7,
        "stiletto": 8,
        "wedding_shoes": 9,
    }
    assert ATTRIBUTES == (
        "pointy_at_the_front",
        "open",
        "bright_in_color",
        "covered_with_ornaments",
        "shiny",
        "high_at_the_heel",
        "long_on_the_leg",
        "formal",
        "sporty",
        "feminine",
    )


class TestLabels:
    def test_by_class_orders(self, folder, tmp_path):
        found = records(built(folder, tmp_path / "built"))
        assert len(found) == 20
        stiletto = found["womens_stiletto/1/img_womens_stiletto_1.jpg"]
        athletic = found["womens_athletic_shoes/0/img_womens_athletic_shoes_2.jpg"]
        assert (stiletto["category"], athletic["category"]) == (8, 0)
        # Attribute m ranks class c (from 0) as 1 + (c - m) % 10; the median is 5.5. Class 0,
        # stiletto: 1, 10, 9, 8, 7, 6, 5, 4, 3, 2. Class 8, athletic shoes: 9, 8, 7, 6, 5, 4, 3,
        # 2, 1, 10.
        assert stiletto["attributes"].tolist() == [0, 1, 1, 1, 1, 1, 0, 0, 0, 0]
        assert athletic["attributes"].tolist() == [1, 1, 1, 1, 0, 0, 0, 0, 0, 1]

    def test_by_pairs(self, folder, tmp_path):
        found = records(built(folder, tmp_path / "built", "pairs"))
        # Images 1 and 2 are athletic shoes. Attribute 1 (from 1) is answered 2, the second image,
        # attribute 2 is answered 1, and so on in turn.
        first = found["womens_athletic_shoes/0/img_womens_athletic_shoes_1.jpg"]["attributes"]
        second = found["womens_athletic_shoes/0/img_womens_athletic_shoes_2.jpg"]["attributes"]
        assert first.tolist() == [0, 1] * 5
        assert second.tolist() == [1, 0] * 5
        boots = found["womens_boots/0/img_womens_boots_1.jpg"]["attributes"]
        assert boots.tolist() == [-1] * 10

    def test_by_pairs_then_orders(self, folder, tmp_path):
        found = records(built(folder, tmp_path / "built", "pairs_then_orders"))
        first = found["womens_athletic_shoes/0/img_womens_athletic_shoes_1.jpg"]["attributes"]
        stiletto = found["womens_stiletto/1/img_womens_stiletto_1.jpg"]["attributes"]
        assert first.tolist() == [0, 1] * 5
        assert stiletto.tolist() == [0, 1, 1, 1, 1, 1, 0, 0, 0, 0]


class TestBinarise:
    def annotations(self, orders, pairs=()):
        """Four images of two types, one attribute."""
        return Annotations(
            ("a", "b", "c", "d"),
            np.array([0, 0, 1, 2]),
            np.array([orders], dtype=float),
            np.array(pairs, dtype=np.int64).reshape(-1, 4),
        )

    def test_ties_with_the_median_are_not_active(self):
        found = binarise(self.annotations([2, 2, 3]), "class_orders")
        assert found[:, 0].tolist() == [0, 0, 0, 1]
        assert binarise(self.annotations([4, 4, 4]), "class_orders").sum() == 0

    def test_a_type_without_images_has_no_say(self):
        # The median of 1, 2 and 3; not of 1, 2, 3 and a number that no image asks for.
        found = binarise(self.annotations([1, 3, 2, np.nan]), "class_orders")
        assert found[:, 0].tolist() == [0, 0, 1, 0]

    def test_majority_of_comparisons(self):
        pairs = [
            (0, 1, 0, 1),  # a wins
            (1, 0, 0, 2),  # a wins
            (0, 2, 0, 2),  # c wins
            (1, 2, 0, 3),  # similar
            (2, 3, 0, 2),  # d wins
        ]
        # a: 2 won, 1 lost; b: 0 and 2; c: 1 and 1; d: 1 and 0.
        found = binarise(self.annotations([1, 2, 3], pairs), "pairs")
        assert found[:, 0].tolist() == [1, 0, -1, 1]

    def test_unknown_rule(self):
        with pytest.raises(ValueError, match=r"Unknown rule 'mean'\. Known: class_orders, pairs,"):
            binarise(self.annotations([1, 2, 3]), "mean")

    def test_unknown_configuration(self, tmp_path):
        with pytest.raises(ValueError, match="Unknown configuration 'mean' of 'shoes_sadd'"):
            datasets.make_builder("shoes_sadd/mean", tmp_path)


class TestSplit:
    @given(count=st.integers(2, 300))
    def test_shares(self, count):
        names = tuple(f"{number}.jpg" for number in range(count))
        testing = in_test(names)
        assert testing.sum() == round(count * 73 / 147)
        assert (in_test(names[::-1])[::-1] == testing).all()

    def test_the_published_size(self):
        # As many as WhittleSearch has: both counts round to the published ones.
        testing = in_test(tuple(map(str, range(14_658))))
        assert (int((~testing).sum()), int(testing.sum())) == (7379, 7279)

    def test_is_saved_and_the_same_for_all_rules(self, folder, tmp_path):
        saved = {}
        for config in ("class_orders", "pairs"):
            builder = built(folder, tmp_path / "built", config)
            with (Path(builder.data_dir) / "split.csv").open(newline="") as file:
                saved[config] = {row["path"]: row["split"] for row in csv.DictReader(file)}
            for split in ("train", "test"):
                paths = {path for path, where in saved[config].items() if where == split}
                assert set(records(builder, split)) == paths
        assert saved["pairs"] == saved["class_orders"]

    def test_does_not_move_when_an_image_is_missing(self, folder, tmp_path):
        before = records(built(folder, tmp_path / "a"), "test")
        gone = next(iter(before))
        (folder / gone).unlink()
        builder = built(folder, tmp_path / "b")
        assert set(records(builder, "test")) == set(before) - {gone}
        assert builder.info.metadata["skipped"] == 1


class TestCheck:
    def test_facts_and_counts(self, folder):
        report = check("shoes_sadd", folder)
        assert report.facts[1:3] == (
            "Attributes are binary by the rule class_orders (by type: 1 where the type ranks in "
            "the upper half of the types, else 0): 100.0% known.",
            "The split is made here, with seed 0.",
        )
        assert report.warnings == (
            "10 rows in train where about 7,400 were published.",
            "10 rows in test where about 7,300 were published.",
        )

    def test_an_image_that_the_file_does_not_name(self, folder):
        fakes.write_images(folder, ["img_womens_boots_99.jpg"])
        assert check("shoes_sadd", folder).warnings[-1] == (
            "1 image(s) without a row, left out: womens_boots/0/img_womens_boots_99.jpg."
        )

    def test_a_constant_attribute_warns(self, folder):
        fakes.write_mat(folder, orders=np.ones((10, 10)))
        warnings = check("shoes_sadd", folder).warnings
        assert (
            "The attribute open is 0 wherever it is known; another rule may split it better."
            in (warnings)
        )

    def test_a_missing_type_warns(self, folder):
        images = [name for name in fakes.names() if "clogs" not in name]
        for path in list(folder.rglob("*clogs_*.jpg")):
            path.unlink()
        for path in (*folder.glob("womens_clogs/*"), folder / "womens_clogs"):
            path.rmdir()
        fakes.write_mat(folder, images=images)
        report = check("shoes_sadd", folder)
        assert report.usable
        assert "No folder womens_clogs." in report.warnings

    def test_the_parent_folder_is_as_good(self, folder):
        assert read(folder.parent).root == folder


class TestBadFile:
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"orders": None}, "expected the variable 'orders', found ['class_labels', 'im_names'"),
            ({"orders": np.ones((10, 9))}, "orders must be numbers of shape (10, 10)"),
            ({"orders": np.full((10, 10), np.nan)}, "orders must be finite numbers"),
            ({"class_labels": np.ones((3, 1))}, "class_labels has 3 entries, im_names 20"),
            ({"class_labels": np.full((20, 1), 11)}, "class_labels: entry 1 is 11; expected whole"),
            ({"class_labels": np.ones((20, 1))}, "class 1 stands for athletic_shoes, boots, clogs"),
            ({"mturk_labels": np.ones((5, 3))}, "mturk_labels must be rows of image 1, image 2"),
            ({"mturk_labels": [[1, 21, 1, 1]]}, "column 2: entry 1 is 21; expected whole numbers"),
            ({"mturk_labels": [[1, 2, 0, 1]]}, "column 3: entry 1 is 0"),
            ({"mturk_labels": [[1, 2, 1, 1], [1, 2, 1, 1.5]]}, "column 4: entry 2 is 1.5"),
            ({"im_names": np.ones((1, 20))}, "im_names must be a cell array of names"),
            ({"im_names": fakes.cells(["a.jpg"])}, "the image is called 'a.jpg'; expected"),
            ({"im_names": fakes.cells(["img_womens_hats_1.jpg"])}, "'img_womens_hats_1.jpg'"),
        ],
    )
    def test_variables(self, folder, changes, reason):
        path = fakes.write_mat(folder, **changes)
        [error] = errors(folder)
        assert error.startswith(f"{path}: ")
        assert reason in error

    def test_names_twice(self, folder):
        images = [fakes.names()[0], *fakes.names()]
        fakes.write_mat(folder, images=images)
        assert "im_names has 1 name(s) twice" in errors(folder)[0]

    def test_further_columns_and_folders_in_names_are_fine(self, folder):
        names = [f"shoes/womens/{name}" for name in fakes.names()]
        pairs = [(*pair, 0.5) for pair in fakes.PAIRS]
        fakes.write_mat(folder, im_names=fakes.cells(names), mturk_labels=pairs)
        assert check("shoes_sadd", folder).usable

    def test_truncated(self, folder):
        path = folder / "shoes_attributes.mat"
        path.write_bytes(path.read_bytes()[:200])
        assert "not a readable MATLAB 5 file" in errors(folder)[0]

    def test_absent(self, folder):
        (folder / "shoes_attributes.mat").unlink()
        assert "has no shoes_attributes.mat: expected it there" in errors(folder)[0]
