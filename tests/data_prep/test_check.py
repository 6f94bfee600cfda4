import os
from pathlib import Path

import pytest

from data_prep.check import check, main
from mtl_dm import progress
from mtl_dm.datasets._check import Report, count_warnings
from tests.datasets.fakes import clothing_attributes as fakes

NAME = "clothing_attributes"


@pytest.fixture
def folder(tmp_path):
    return fakes.write_cad(tmp_path)


def run(folder) -> int:
    return main([f"--dataset={NAME}", f"--source={folder}"])


def test_usable_with_a_warning_for_the_count(folder, capsys):
    assert run(folder.parent) == 0
    output = capsys.readouterr()
    assert output.err == ""
    assert "Found 26 of 26 label files" in output.out
    assert "warning: 4 rows in train where 1,856 were published." in output.out
    assert "Opened 4 images drawn evenly; 0 cannot be used." in output.out
    assert output.out.endswith("clothing_attributes: usable.\n")


def test_a_long_check_says_how_long_it_will_take(folder, monkeypatch, capsys):
    monkeypatch.setattr(progress, "FIRST_SECONDS", 0)
    monkeypatch.setattr(progress, "BETWEEN_SECONDS", 0)
    assert run(folder) == 0
    told = capsys.readouterr().err.splitlines()
    # Published are 1,856 rows; the fake has four.
    assert [line.partition(", about")[0] for line in told[:4]] == [
        f"rows read: {row} of 1,856" for row in (1, 2, 3, 4)
    ]
    assert told[4].startswith("images opened: 1 of 4, about ")


def test_missing_share_of_each_file(folder):
    facts = check(NAME, folder).facts
    # category is 7, NaN, 1, 3; neckline is NaN, 2, 1, 3; red has no NaN.
    assert "category: 25.0% of 4 rows not annotated." in facts
    assert "red: 0.0% of 4 rows not annotated." in facts
    assert sum(fact.endswith("rows not annotated.") for fact in facts) == 26


def test_unusable_images_are_warnings(folder):
    (folder / "images" / "000003.jpg").unlink()
    (folder / "images" / "000002.jpg").write_bytes(b"")
    report = check(NAME, folder)
    assert report.usable
    assert report.warnings[1:] == (
        "1 row(s) without an image file, to be skipped: images/000003.jpg.",
        "images/000002.jpg: empty file",
        "images/000003.jpg: missing",
    )


def test_every_reason_is_named(folder, capsys):
    (folder / "labels" / "red_GT.mat").unlink()
    fakes.write_label(folder, "scarf", [1, 9, 1, 1])
    fakes.write_label(folder, "blue", [1] * 4, variable="X")
    assert run(folder) == 1
    output = capsys.readouterr()
    assert "Missing label file" in output.err
    assert "red_GT.mat" in output.err
    assert "scarf_GT.mat: row 2 of GT is 9" in output.err
    assert "blue_GT.mat: expected the variable 'GT'" in output.err
    assert "Found 23 of 26 label files" in output.out
    assert "NOT usable" in output.out


def test_lengths_and_extra_images_are_errors(folder):
    (folder / "images" / "000005.jpg").write_bytes(fakes.jpeg(5))
    assert "beyond the 4 label rows" in check(NAME, folder).errors[0]
    fakes.write_label(folder, "scarf", [1])
    assert "same number of rows" in check(NAME, folder).errors[0]


def test_empty_label_files(folder):
    for name in fakes.FILES:
        fakes.write_label(folder, name, [])
    assert "data set is empty" in check(NAME, folder).errors[0]


def test_no_such_folder(tmp_path, capsys):
    assert run(tmp_path / "nothing") == 1
    assert "nothing does not exist" in capsys.readouterr().err


def test_another_folder(tmp_path, capsys):
    assert run(tmp_path) == 1
    assert "No Clothing Attribute Dataset at" in capsys.readouterr().err


def test_unknown_data_set_is_wrong_usage(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--dataset=cloths", f"--source={tmp_path}"])
    assert stop.value.code == 2
    assert "'cloths'. Known: " in (message := capsys.readouterr().err)
    assert NAME in message


def test_a_configuration_makes_no_difference(folder):
    assert check(f"{NAME}/any", folder) == check(NAME, folder)


def test_report_and_count():
    assert Report().usable
    assert not Report(errors=("x",)).usable
    assert count_warnings("images", 1856, 1856) == ()
    assert count_warnings("images", 12, 1856) == ("12 images where 1,856 were published.",)


def test_real_data():
    default = Path(__file__).parents[2].parent / "shared" / "data"
    source = Path(os.environ.get("MTL_DM_TEST_DATA", default))
    if not (source / "ClothingAttributeDataset").is_dir():
        pytest.skip("the real data set is not here: set MTL_DM_TEST_DATA to its parent folder")
    report = check(NAME, source)
    assert report.usable
    assert report.warnings == ()
    assert "category: 40.5% of 1,856 rows not annotated." in report.facts  # 752 / 1856
    assert "Opened 64 images drawn evenly; 0 cannot be used." in report.facts
