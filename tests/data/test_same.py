import shutil

import pytest

from mtl_dm import data
from mtl_dm.data.same import places_of, shared_examples
from mtl_dm.datasets import SyntheticFaces
from mtl_dm.tasks import Task
from tests.built_faces import ANNOTATED, EXPRESSIONS_ONLY, UNITS_ONLY


def test_names_are_compared_by_the_examples_that_they_stand_for(faces):
    def shared(one, other):
        return shared_examples(*(places_of(name, data_dir=faces) for name in (one, other)))

    validation = f"{ANNOTATED}:validation"
    assert shared(EXPRESSIONS_ONLY, f"{EXPRESSIONS_ONLY}:train") == 48
    assert shared(validation, f"{validation}[:50%]") == 6
    assert shared(f"{validation}[:7]", f"{validation}[5:]") == 2
    assert shared(f"{validation}[:50%]", f"{validation}[50%:]") == 0
    assert shared(validation, f"{ANNOTATED}:test") == 0


def renamed(folder, name, config):
    """Another configuration of a built data set, of the same files of the release."""
    base, _, old = name.partition("/")
    shutil.copytree(folder / name, folder / base / config)
    about = next((folder / base / config).rglob("dataset_info.json"))
    about.write_text(about.read_text().replace(old, config))


def test_configurations_of_one_release_share_what_has_one_path(faces, tmp_path, monkeypatch):
    shutil.copytree(faces, tmp_path, dirs_exist_ok=True)
    other = "synthetic_faces/expression_only"
    renamed(tmp_path, EXPRESSIONS_ONLY, "expression_only")
    others = [UNITS_ONLY, other]
    assert data.sharing(EXPRESSIONS_ONLY, others, data_dir=tmp_path) == [other]
    first, rest = f"{EXPRESSIONS_ONLY}:train[:1]", f"{other}:train[1:]"
    assert data.sharing(first, [rest], data_dir=tmp_path) == []
    monkeypatch.setattr(SyntheticFaces, "ONE_RELEASE", False, raising=False)
    assert data.sharing(EXPRESSIONS_ONLY, others, data_dir=tmp_path) == []


def test_data_that_are_not_there_are_compared_by_name_and_not_built(faces, tmp_path):
    others = ["clothing_attributes", "synthetic_faces/co_annotated_128px", "gone", EXPRESSIONS_ONLY]
    assert data.sharing(EXPRESSIONS_ONLY, others, data_dir=faces) == [EXPRESSIONS_ONLY]


def test_the_same_data_twice(faces):
    data.require_different([f"{ANNOTATED}:test", f"{ANNOTATED}:validation"], data_dir=faces)
    with pytest.raises(ValueError, match=r"named twice: .*_64px' and .*_64px:train'"):
        names = [EXPRESSIONS_ONLY, f"{EXPRESSIONS_ONLY}:train"]
        data.require_different(names, data_dir=faces)


def test_tasks_that_a_data_set_lacks_have_no_images(faces):
    pose = Task.multiclass("pose", ["left", "right"])
    assert data.label_arrays(EXPRESSIONS_ONLY, data_dir=faces, tasks=[pose]) == {}
    assert data.labelled_images(EXPRESSIONS_ONLY, data_dir=faces, tasks=[pose]) == {"pose": 0}
