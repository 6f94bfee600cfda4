import csv
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from hypothesis import given
from hypothesis import strategies as st

from data_prep import build as command
from data_prep.check import check
from mtl_dm import ACTION_UNITS, EXPRESSIONS, data, datasets
from mtl_dm.datasets.csv_folder._reader import open_folder
from mtl_dm.datasets.csv_folder._splits import ByImage
from mtl_dm.datasets.reading.subjects import by_subject
from tests.datasets.fakes import csv_folder as fakes
from tests.datasets.fakes import write_image


def run(data_dir, name="csv_folder/mine", source=None):
    arguments = [f"--dataset={name}", f"--data_dir={data_dir}"]
    return command.main([*arguments, f"--source={source}"] if source else arguments)


def records(data_dir, name="csv_folder/mine"):
    builder = datasets.make_builder(name, data_dir)
    found = tfds.as_numpy(builder.as_dataset(split="all"))
    return {record["path"].decode(): record for record in found}


def table(folder, header, rows, **options):
    """Write a table and an image for every row."""
    fakes.write_images(folder, rows)
    return fakes.write_table(folder, header, rows, **options)


def errors(source):
    report = check("csv_folder", source)
    assert not report.usable
    return report.errors


LETTERS = [(f"{n}.jpg", "ab"[n % 2]) for n in range(20)]


class TestLabels:
    def test_canonical_order_and_missing(self, tmp_path, capsys):
        assert run(tmp_path / "built", source=fakes.write_subjects(tmp_path)) == 0
        assert "train 12, validation 3; 0 image(s) skipped" in capsys.readouterr().out
        found = records(tmp_path / "built")
        first, second = found["images/anna 1.jpg"], found["images/anna 2.jpg"]
        assert (first["expression"], second["expression"]) == (1, -1)
        assert found["images/bjørn.jpg"]["expression"] == 0
        assert found["images/deep/bjørn 2.jpg"]["expression"] == 6
        # fog, rain, sun: sorted.
        assert (first["weather"], second["weather"]) == (2, 1)
        units = dict(zip(ACTION_UNITS, first["action_units"].tolist(), strict=True))
        assert (units.pop("AU1"), units.pop("AU12")) == (0, 1)
        assert set(units.values()) == {-1}
        assert found["images/cy.jpg"]["action_units"][0] == 1  # written 1.0
        assert second["looks"].tolist() == [1]
        np.testing.assert_array_equal(first["valence_arousal"], np.float32([0.8, 0.5]))
        np.testing.assert_array_equal(
            found["images/bjørn.jpg"]["valence_arousal"], np.float32([-0.25, np.nan])
        )
        assert first["subject"] == b"anna"

    def test_tasks_come_back_from_what_was_built(self, tmp_path):
        run(tmp_path / "built", source=fakes.write_subjects(tmp_path))
        tasks = data.tasks_in("csv_folder/mine:train", data_dir=tmp_path / "built")
        assert {task.name: task.kind for task in tasks} == {
            "expression": "multiclass",
            "weather": "multiclass",
            "action_units": "multilabel",
            "looks": "multilabel",
            "valence_arousal": "regression",
        }
        assert tasks[0].labels == EXPRESSIONS
        loaded = tfds.load("csv_folder/mine", data_dir=str(tmp_path / "built"), split="test")
        assert len(loaded) == 3

    def test_a_row_without_labels_is_skipped_and_listed(self, tmp_path):
        table(tmp_path / "s", ("path", "class:letter"), [*LETTERS, ("none.jpg", "")])
        assert run(tmp_path / "built", source=tmp_path / "s") == 0
        listed = tmp_path / "built/csv_folder/mine/1.0.0/skipped.csv"
        assert listed.read_text() == 'path,reason\nnone.jpg,"labels.csv, line 22: no label"\n'


def with_letters(folder, rows, header=("path", "class:letter")):
    """A table whose rows follow the usual ones."""
    table(folder, header, [*LETTERS, *rows])
    return folder


class TestNamesOfLabels:
    def test_check_and_build_say_them_with_counts(self, tmp_path, capsys):
        source = fakes.write_subjects(tmp_path)
        facts = check("csv_folder", source).facts
        assert "weather: fog 1, rain 1, sun 2; 14 not annotated." in facts
        assert (
            "expression: neutral 1, happiness 1, sadness 12, fear 1, anger 1, surprise 0, "
            "disgust 1; 1 not annotated." in facts
        )
        assert "action_units: AU1 2 of 3, AU12 2 of 3; 15 not annotated." in facts
        assert (
            "valence_arousal: valence 3 from -0.25 to 0.8, arousal 2 from 0 to 0.5; 15 not "
            "annotated." in facts
        )
        run(tmp_path / "built", source=source)
        assert "\nweather: fog 1, rain 1, sun 2; 14 not annotated.\n" in capsys.readouterr().out
        run(tmp_path / "built")  # built before
        assert "\nweather: fog 1, rain 1, sun 2; 14 not annotated.\n" in capsys.readouterr().out

    def test_what_a_build_skips_is_not_counted(self, tmp_path):
        source = with_letters(tmp_path / "s", [])
        (source / "0.jpg").unlink()
        run(tmp_path / "built", source=source)
        metadata = datasets.make_builder("csv_folder/mine", tmp_path / "built").info.metadata
        assert metadata["labels"] == ["letter: a 9, b 10; 0 not annotated."]

    def test_missing_as_r_writes_it_is_no_class(self, tmp_path, capsys):
        source = with_letters(tmp_path / "s", [("x.jpg", "NA"), ("y.jpg", "NA")])
        [error] = errors(source)
        assert error == (
            f"{source}/labels.csv: the column 'class:letter' names 'NA' (2), which marks missing "
            "values: leave a cell empty where nothing is annotated; what is a name, spell out."
        )
        assert run(tmp_path / "built", source=source) == 1
        assert "names 'NA' (2), which marks missing" in capsys.readouterr().err
        assert not (tmp_path / "built/csv_folder/mine/1.0.0").exists()

    @pytest.mark.parametrize(
        ("names", "message"),
        [
            (("1", "1.0"), "'1' (1), '1.0' (1): one number in several spellings"),
            (("hip hop", "hip  hop"), "the same but for white space"),
        ],
    )
    def test_one_class_in_two_spellings(self, tmp_path, names, message):
        rows = [(f"x{n}.jpg", name) for n, name in enumerate(names)]
        [error] = errors(with_letters(tmp_path, rows))
        assert message in error

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("A", "'A' (1), 'a' (10): the same but for case"),
            ("none", "'none' (1), taken for a label like any other"),
        ],
    )
    def test_doubts_are_warnings_of_check_and_build(self, tmp_path, name, message, caplog):
        source = with_letters(tmp_path / "s", [("x.jpg", name)])
        report = check("csv_folder", source)
        assert report.usable
        assert message in report.warnings[0]
        assert run(tmp_path / "built", source=source) == 0
        assert message in caplog.text

    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            (("attribute:looks:hat", "attribute:looks:nan"), "names 'nan', which marks missing"),
            (("value:age:1", "value:age:1.0"), "one number in several spellings"),
        ],
    )
    def test_names_in_the_header(self, tmp_path, columns, message):
        table(tmp_path, ("path", *columns), [(f"{n}.jpg", 1, 0) for n in range(9)])
        [error] = errors(tmp_path)
        assert f"the header, for {columns[0].rpartition(':')[0]}, names " in error
        assert message in error

    def test_a_known_task_in_other_case_is_a_task_of_its_own(self, tmp_path):
        table(tmp_path, ("path", "class:Expression"), LETTERS)
        [warning, _] = check("csv_folder", tmp_path).warnings
        assert "'Expression', 'expression': the same but for case" in warning

    def test_a_number_for_missing_among_values(self, tmp_path):
        rows = [(f"{n}.jpg", -999 if n < 3 else n) for n in range(20)]
        table(tmp_path, ("path", "value:age:years"), rows)
        found = check("csv_folder", tmp_path).warnings
        assert any("years is -999 in 3 row(s), and from 3 to 19" in line for line in found)


class TestSubjectsInGivenSplits:
    HEADER = ("path", "class:letter", "subject", "split")

    def rows(self, subjects, splits):
        pairs = zip(subjects, splits, strict=True)
        return [(f"{n}.jpg", "ab"[n % 2], *pair) for n, pair in enumerate(pairs)]

    def test_said_by_check_and_build(self, tmp_path, caplog):
        splits = ["train", "test", "train", "validation", "test", "train"]
        rows = self.rows(["anna", "anna", "ben", "cy", "cy", ""], splits)
        table(tmp_path / "s", self.HEADER, rows)
        report = check("csv_folder", tmp_path / "s")
        assert report.usable
        assert report.warnings == (
            "2 of 3 subject(s) are in more than one split of the column 'split': 'anna' (train, "
            "test), 'cy' (validation, test). What is measured on validation or test is then not "
            "measured on unseen people; without that column, splits are made that share no "
            "subject.",
            "1 row(s) have no subject: whether theirs is in another split, too, cannot be told.",
        )
        run(tmp_path / "built", source=tmp_path / "s")
        assert "2 of 3 subject(s) are in more than one split" in caplog.text

    def test_nothing_to_say(self, tmp_path):
        rows = self.rows(["anna", "anna", "ben", "cy"], ["train", "train", "test", "test"])
        table(tmp_path, self.HEADER, rows)
        assert check("csv_folder", tmp_path).warnings == ()

    def test_many_are_counted(self, tmp_path):
        subjects = [f"s{n // 2}" for n in range(40)]
        table(tmp_path, self.HEADER, self.rows(subjects, ["train", "test"] * 20))
        [warning] = check("csv_folder", tmp_path).warnings
        assert warning.startswith("20 of 20 subject(s)")
        assert "'s11' (train, test), 's12' (train, test) and 15 more. " in warning

    @pytest.mark.parametrize("given", [True, False])
    def test_one_subject_in_two_spellings(self, tmp_path, given):
        subjects = ["1", "01", "anna", "Anna", "unknown", "x"]
        rows = self.rows(subjects, ["train", "test"] * 3)
        header = self.HEADER if given else self.HEADER[:-1]
        table(tmp_path, header, [row[: len(header)] for row in rows])
        found = check("csv_folder", tmp_path).warnings
        assert [
            line.partition(":")[0].partition(" names ")[2].split(" (")[0] for line in found
        ] == [
            "'01', '1'" if given else "'01'",
            "'Anna', 'anna'" if given else "'Anna'",
            "'unknown', taken for one person each." if given else "'unknown'",
        ]


class TestTheTrueReason:
    @pytest.mark.parametrize("column", ["class:letter", "class:expression"])
    def test_a_cell_too_many_in_every_line(self, tmp_path, column):
        (tmp_path / "labels.csv").write_text(
            f"path,{column}\n" + "".join(f"{n},{n}.jpg,fear\n" for n in range(12))
        )
        found = errors(tmp_path)
        line = f"{tmp_path}/labels.csv, line 2: expected 2 column(s) (path, {column}), got 3"
        assert found[0].startswith(line)
        assert found[10] == "... and 2 more bad lines, of 12."
        assert "every line has one cell more than the header: row names" in found[11]

    def test_a_cell_too_many_in_some_lines(self, tmp_path):
        table(tmp_path, ("path", "class:letter"), [("0.jpg", "a"), ("1.jpg", "b", "c")])
        [error] = errors(tmp_path)
        assert "line 3: expected 2 column(s)" in error

    def test_absolute_paths_of_windows(self, tmp_path, capsys):
        rows = [(rf"C:\photos\{n}.jpg", "ab"[n % 2]) for n in range(20)]
        fakes.write_table(tmp_path, ("path", "class:letter"), rows)
        found = errors(tmp_path)
        assert found[0] == (
            rf"{tmp_path}/labels.csv, line 2: the path 'C:\\photos\\0.jpg' is absolute; expected "
            "one relative to the source folder"
        )
        assert found[-1] == "... and 10 more bad lines, of 20."
        assert run(tmp_path / "built", source=tmp_path) == 1
        assert "is absolute" in capsys.readouterr().err

    @pytest.mark.parametrize(("text", "what"), [("", "empty"), ("NA", "'NA'")])
    def test_no_subject_in_any_line(self, tmp_path, text, what):
        table(tmp_path, ("path", "class:letter", "subject"), [(*row, text) for row in LETTERS])
        found = errors(tmp_path)
        assert found[0] == (
            f"{tmp_path}/labels.csv, line 2: subject is {what}; expected one in every row (or no "
            "column 'subject')"
        )
        assert found[-1] == "... and 10 more bad lines, of 20."

    @pytest.mark.parametrize("columns", [("class:x",), ("value:y:z",), ("class:x", "subject")])
    def test_a_header_alone(self, tmp_path, columns):
        fakes.write_table(tmp_path, ("path", *columns), [])
        assert errors(tmp_path) == (f"{tmp_path}/labels.csv: there is a header, and no row.",)

    def test_an_empty_column_of_classes(self, tmp_path):
        table(tmp_path, ("path", "class:x", "class:y"), [(*row, "") for row in LETTERS])
        [error] = errors(tmp_path)
        assert error == f"{tmp_path}/labels.csv: the column 'class:y' is empty in every row."


class TestSplits:
    @given(counts=st.dictionaries(st.text(max_size=3), st.integers(1, 9), min_size=3, max_size=40))
    def test_every_subject_is_in_one_split_and_no_split_is_empty(self, counts):
        splits = by_subject(counts)
        assert splits.keys() == counts.keys()
        assert set(splits.values()) == {"train", "validation", "test"}
        assert by_subject(dict(reversed(counts.items()))) == splits  # not the order of the rows

    def test_shares(self):
        splits = list(by_subject({f"s{n}": 1 + n % 5 for n in range(400)}).values())
        assert 260 <= splits.count("train") <= 300  # 70% of the images, about so of the subjects
        assert by_subject(dict.fromkeys("abcdef", 1), seed=1) != by_subject(
            dict.fromkeys("abcdef", 1), seed=2
        )

    @given(count=st.integers(7, 200))
    def test_images_are_split_exactly(self, count):
        images = ByImage()
        for number in range(count):
            images.add(str(number))
        rule = images.rule()
        splits = [rule(str(number)) for number in range(count)]
        assert splits.count("train") == round(0.7 * count)
        assert splits.count("test") == count - round(0.85 * count)

    def test_saved_with_the_data_set(self, tmp_path):
        source = fakes.write_subjects(tmp_path)
        run(tmp_path / "built", source=source)
        with (tmp_path / "built/csv_folder/mine/1.0.0/splits.csv").open(newline="") as file:
            saved = {row["path"]: row["split"] for row in csv.DictReader(file)}
        for split in ("train", "validation", "test"):
            builder = datasets.make_builder("csv_folder/mine", tmp_path / "built")
            built = {r["path"].decode() for r in tfds.as_numpy(builder.as_dataset(split=split))}
            assert built == {path for path, where in saved.items() if where == split}
        # Three of anna's and bjørn's images each would show here.
        assert saved["images/anna 1.jpg"] == saved["images/anna 2.jpg"]
        assert saved["images/bjørn.jpg"] == saved["images/deep/bjørn 2.jpg"]

    def test_given_splits_are_kept_and_not_written(self, tmp_path):
        source = fakes.write_given_splits(tmp_path)
        run(tmp_path / "built", source=source)
        assert not (tmp_path / "built/csv_folder/mine/1.0.0/splits.csv").exists()
        train = {row[0] for row in fakes.ROWS[:3]}
        builder = datasets.make_builder("csv_folder/mine", tmp_path / "built")
        assert train == {
            r["path"].decode() for r in tfds.as_numpy(builder.as_dataset(split="train"))
        }

    def test_split_by_image_warns(self, tmp_path):
        table(tmp_path, ("path", "class:letter"), LETTERS)
        [warning] = check("csv_folder", tmp_path).warnings
        assert warning.startswith("No column 'subject': images are split at random")

    def test_too_few(self, tmp_path):
        table(tmp_path, ("path", "class:letter"), LETTERS[:3])
        assert "3 image(s) are too few for 3 splits" in errors(tmp_path)[0]
        rows = [(*row, "ab"[n % 2]) for n, row in enumerate(LETTERS)]
        table(tmp_path, ("path", "class:letter", "subject"), rows)
        assert "3 splits without sharing; add a column 'split'." in errors(tmp_path)[0]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("file,class:x", "no column 'path' (found ['file', 'class:x'])"),
        ("path;class:x", "the columns seem to be separated by ';'"),
        ("path,subject", "no column has labels"),
        ("path,class:x,age", "unknown column 'age'; expected path, class:TASK"),
        ("path,class:x,Split", "unknown column 'Split'"),
        ("path,class:x:y", "unknown column 'class:x:y'"),
        ("path,attribute:x", "unknown column 'attribute:x'"),
        ("path,class:my task", "'my task' cannot be a task"),
        ("path,class:image", "'image' cannot be a task"),
        ("path,class:x,value:x:y", "the task 'x' has columns of another kind"),
        ("path,class:x,class:x", "the header names 'class:x' twice"),
        ("path,class:action_units", "is known as a task of attribute: columns"),
        ("path,attribute:action_units:AU3", "'action_units' knows only AU1, AU2"),
        ("path,class:x,path", "names columns twice: ['path']"),
        (",path,class:x", "a column has no name: row numbers"),
        ("path,class:x,", "a comma at the end?"),
    ],
)
def test_header(tmp_path, header, message):
    (tmp_path / "labels.csv").write_text(f"{header}\na.jpg,a,a\n")
    write_image(tmp_path / "a.jpg", 0)
    [error] = errors(tmp_path)
    assert message in error
    assert "labels.csv, line 1: " in error


HEADER = ("path", "class:expression", "attribute:looks:hat", "value:taste:salt", "subject", "split")
GOOD = [(f"{n}.jpg", "fear", 1, 0.5, "s", "train") for n in range(3)]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (("../x.jpg", "fear", 1, 1, "s", "train"), "the path contains '..'"),
        (("/x.jpg", "fear", 1, 1, "s", "train"), "the path '/x.jpg' is absolute"),
        (("", "fear", 1, 1, "s", "train"), "the path is empty"),
        (("x.jpg", "happy", 1, 1, "s", "train"), "is 'happy'; expected one of neutral, happiness"),
        (("x.jpg", "NA", 1, 1, "s", "train"), "leave the cell empty where nothing is annotated"),
        (("x.jpg", "fear", "NA", 1, "s", "train"), "0.0, (empty); leave the cell empty"),
        (("x.jpg", "fear", -1, 1, "s", "train"), "0.0, (empty); leave the cell empty"),
        (("x.jpg", "fear", 1, "NaN", "s", "train"), "expected a number; leave the cell empty"),
        (("x.jpg", "fear", 2, 1, "s", "train"), "attribute:looks:hat is '2'; expected one of 1, 0"),
        (("x.jpg", "fear", 1, "a", "s", "train"), "value:taste:salt is 'a'; expected a number"),
        (("x.jpg", "fear", 1, 1, "s", "dev"), "split is 'dev'; expected one of train, validation"),
        (("x.jpg", "fear", 1, 1, "s", ""), "split is ''"),
        (("x.jpg", "fear", 1, 1, "s"), "expected 6 column(s)"),
        (("x.jpg", "fear", 1, 1, "s", "train", ""), "got 7 column(s)"),
    ],
)
def test_bad_line_is_named_and_nothing_is_built(tmp_path, cells, reason, capsys):
    source = tmp_path / "s"
    fakes.write_images(source, GOOD)
    fakes.write_table(source, HEADER, [*GOOD[:2], cells, GOOD[2]])
    [error] = errors(source)
    assert f"{source}/labels.csv, line 4: " in error
    assert reason in error
    assert run(tmp_path / "built", source=source) == 1
    assert f"line 4: {error.split('line 4: ')[1]}" in capsys.readouterr().err
    assert not (tmp_path / "built/csv_folder").exists()


@pytest.mark.parametrize("valence", ["-5", "-2", "1.01", "nan"])
def test_valence_keeps_its_range(tmp_path, valence):
    rows = [(f"{n}.jpg", valence if n == 3 else 0.5) for n in range(20)]
    table(tmp_path, ("path", "value:valence_arousal:valence"), rows)
    [error] = errors(tmp_path)
    assert (
        f"line 5: value:valence_arousal:valence is {valence!r}; expected a number from -1 to 1"
        in error
    )


def test_empty_subject(tmp_path):
    table(tmp_path, ("path", "class:l", "subject"), [(*row, row[0]) for row in LETTERS])
    with (tmp_path / "labels.csv").open("a") as file:
        file.write("x.jpg,a,\n")
    [error] = errors(tmp_path)
    assert "line 22: subject is empty" in error


def test_many_bad_lines_are_counted(tmp_path):
    rows = [(*row[:-1], "dev") for row in GOOD * 5]
    fakes.write_table(tmp_path, HEADER, [*rows, GOOD[0]])
    found = errors(tmp_path)
    assert len(found) == 11
    assert found[0].startswith(f"{tmp_path}/labels.csv, line 2: ")
    assert found[-1] == "... and 5 more bad lines."


def test_no_table_and_no_rows(tmp_path):
    assert "has no labels.csv; expected the columns path, class:TASK" in errors(tmp_path)[0]
    fakes.write_table(tmp_path, HEADER, [])
    assert errors(tmp_path) == ("The data set is empty: no row has a usable label.",)
    fakes.write_table(tmp_path, ("path", "class:letter"), [("a.jpg", "a")])
    assert "'class:letter' names 1 class(es), expected at least 2" in errors(tmp_path)[0]


def test_duplicates_missing_and_unlabelled_add_up(tmp_path):
    rows = [(f"{n}.jpg", "ab"[n % 2], "test" if n > 15 else "train") for n in range(20)]
    source = tmp_path / "s"
    table(source, ("path", "class:letter", "split"), rows)
    write_image(source / "stray ü.jpg", 99)
    (source / "3.jpg").unlink()
    again = [("0.jpg", "a", "train"), ("./1.jpg", "a", "test")]
    fakes.write_table(source, ("path", "class:letter", "split"), [*rows, *again])
    report = check("csv_folder", source)
    assert report.usable
    assert report.warnings == (
        "2 duplicate row(s), to be skipped:",
        "0.jpg: labels.csv, line 22: duplicate of labels.csv, line 2; the first is kept",
        "1.jpg: labels.csv, line 23: duplicate of labels.csv, line 3, with other labels; "
        "the first is kept",
        "1 row(s) without an image file, to be skipped: 3.jpg.",
        "1 image(s) without a row, left out: stray ü.jpg.",
        "3.jpg: missing",
    )
    assert run(tmp_path / "built", source=source) == 0
    metadata = datasets.make_builder("csv_folder/mine", tmp_path / "built").info.metadata
    assert (metadata["rows"], metadata["skipped"], metadata["unlabelled_images"]) == (22, 3, 1)
    assert len(records(tmp_path / "built")) == 19


class TestNames:
    def test_several_live_side_by_side(self, tmp_path):
        assert run(tmp_path / "built", "csv_folder/one", fakes.write_subjects(tmp_path)) == 0
        assert run(tmp_path / "built", "csv_folder/two", fakes.write_images_only(tmp_path)) == 0
        assert len(records(tmp_path / "built", "csv_folder/one")) == 18
        assert records(tmp_path / "built", "csv_folder/two").keys() == {
            f"{n}.jpg" for n in range(20)
        }

    @pytest.mark.parametrize(
        "name", ["csv_folder", "csv_folder/", "csv_folder/a b", "csv_folder/.."]
    )
    def test_a_name_is_needed(self, tmp_path, name, capsys):
        with pytest.raises(SystemExit) as stop:
            run(tmp_path, name, tmp_path)
        assert stop.value.code == 2
        assert "Give your data set a name" in capsys.readouterr().err

    def test_not_built(self, tmp_path, capsys):
        with pytest.raises(FileNotFoundError, match=r"csv_folder/x' is not built.*data_prep.build"):
            data.load("csv_folder/x:train", data_dir=tmp_path)
        with pytest.raises(SystemExit):
            run(tmp_path, "csv_folder/x")
        assert "needs --source" in capsys.readouterr().err

    def test_built_again_from_the_same_and_from_another_table(self, tmp_path, capsys):
        source = fakes.write_images_only(tmp_path)
        assert run(tmp_path / "built", source=source) == 0
        assert run(tmp_path / "built", source=source) == 0
        assert run(tmp_path / "built") == 0
        assert "Already built: csv_folder/mine/1.0.0" in capsys.readouterr().out
        with (source / "labels.csv").open("a") as file:
            file.write("0.jpg,b\n")
        assert run(tmp_path / "built", source=source) == 1
        error = capsys.readouterr().err
        assert "was built from another table than the one in" in error


def test_facts_say_tasks_and_how_it_is_split(tmp_path):
    source = fakes.write_subjects(tmp_path)
    release = open_folder(source).release()
    assert "expression (multiclass, 7)" in release.facts[0]
    assert release.facts[1] == "Splits are made here, by subject, with seed 0."
    assert release.expected == len((source / "labels.csv").read_text().splitlines()) - 1


def test_readme_shows_a_table_that_builds(tmp_path):
    readme = (Path(datasets.__file__).parent / "csv_folder" / "README.md").read_text()
    start = readme.index("path,class:expression")
    lines = readme[start : readme.index("```", start)]
    (tmp_path / "labels.csv").write_text(lines + "images/c.jpg,fear,,,,cy\n")
    for number, name in enumerate(("anna 1.jpg", "ben_2.png", "c.jpg")):
        write_image(tmp_path / "images" / name, number)
    assert check("csv_folder", tmp_path).usable
