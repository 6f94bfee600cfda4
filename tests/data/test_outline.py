import pytest

from mtl_dm import data
from tests.built_faces import ANNOTATED, COUNTS, EXPRESSIONS_ONLY, UNITS_ONLY


class TestBuilt:
    def test_sizes_of_splits_and_of_parts(self, faces):
        for split, count in COUNTS["fully_annotated"].items():
            assert data.outline(f"{ANNOTATED}:{split}", data_dir=faces).size == count
        assert data.outline(UNITS_ONLY, data_dir=faces).size == 64
        part = data.outline(f"{UNITS_ONLY}:train[:25%]", data_dir=faces)
        assert (part.size, part.built, part.side) == (16, True, 64)
        assert part.name == UNITS_ONLY

    def test_parts_of_a_split_are_disjoint_and_whole(self, faces):
        paths = [
            set(data.raw_features(f"{UNITS_ONLY}:train{part}", ["path"], data_dir=faces)["path"])
            for part in ("[:25%]", "[25%:]", "")
        ]
        assert not paths[0] & paths[1]
        assert paths[0] | paths[1] == paths[2]
        assert int(data.load(f"{UNITS_ONLY}:train[25%:]", data_dir=faces).cardinality()) == 48

    def test_an_unknown_split(self, faces):
        with pytest.raises(ValueError, match=r"has the splits \['train'\], got 'test\[:1%\]'"):
            data.load(f"{UNITS_ONLY}:test[:1%]", data_dir=faces)
        # What a dry run asks.
        with pytest.raises(ValueError, match=r"has the splits \['train'\], got 'test\[:1%\]'"):
            data.outline(f"{UNITS_ONLY}:test[:1%]", data_dir=faces)
        with pytest.raises(ValueError, match=r"has the splits \['validation', 'test'\], got ''"):
            data.outline(ANNOTATED, data_dir=faces)


class TestUnbuilt:
    def test_what_a_drawn_data_set_says(self, tmp_path):
        found = data.outline(EXPRESSIONS_ONLY, data_dir=tmp_path)
        assert (found.built, found.by_itself) == (False, True)
        assert "expression" in found.labelled
        assert "action_units" not in found.labelled
        assert "action_units" in [task.name for task in found.tasks]
        with pytest.raises(ValueError, match=r"has the splits \['train'\], got 'tran'"):
            data.outline(f"{EXPRESSIONS_ONLY}:tran", data_dir=tmp_path)
        assert not list(tmp_path.iterdir())

    def test_what_a_download_says(self, tmp_path):
        found = data.outline("raf_db/basic:train", data_dir=tmp_path)
        assert (found.built, found.by_itself, found.size, found.side) == (False, False, None, None)
        assert found.labelled == ("expression",)
        with pytest.raises(FileNotFoundError) as error:
            data.load(found.name, data_dir=tmp_path)
        assert data.how_to_build(found.name, tmp_path) in str(error.value)

    def test_unknown(self, tmp_path):
        with pytest.raises(ValueError, match="Unknown data set 'imagenet'"):
            data.outline("imagenet", data_dir=tmp_path)
