import csv
import sys
import types
import zipfile
from pathlib import Path

import pytest
import tensorflow_datasets as tfds

from data_prep.build import build
from data_prep.check import check
from mtl_dm import ACTION_UNITS, datasets
from mtl_dm.datasets._check import CHECKERS
from mtl_dm.datasets.emotionet._categories import (
    BASIC_CLASSES,
    COMPOUND_CLASSES,
    TASKS,
    read_compound,
)
from mtl_dm.datasets.emotionet._images import find_images
from mtl_dm.datasets.emotionet._reader import FLAGS, read_automatic, read_manual
from tests.datasets.fakes import emotionet as fakes
from tests.datasets.fakes import write_image

UNITS_2017 = {1, 2, 4, 5, 6, 9, 12, 17, 20, 25, 26}
UNITS_2020 = UNITS_2017 | {10, 15, 24}


def built(source, data_dir, name="emotionet"):
    builder = datasets.make_builder(name, data_dir)
    build(builder, source, data_dir)
    return builder


def records(builder):
    found = tfds.as_numpy(builder.as_dataset(split="train"))
    return {record["path"].decode(): record["action_units"].tolist() for record in found}


def skipped(builder):
    with (Path(builder.data_dir) / "skipped.csv").open(encoding="utf-8", newline="") as file:
        return {row["path"]: row["reason"] for row in csv.DictReader(file)}


def expected(number, units):
    """The 17 values, by hand: 1 active, 0 not, -1 unknown or not of the list."""
    active, inactive = fakes.ROWS[number]
    values = {f"AU{unit}": 1 for unit in units & set(active)}
    values |= {f"AU{unit}": 0 for unit in units & set(inactive)}
    return [values.get(unit, -1) for unit in ACTION_UNITS]


def errors(source, name="emotionet"):
    report = CHECKERS.get(name)(source)
    assert not report.usable
    return report.errors


def manual(parent, rows, header=fakes.HEADER, images=(1,), **options):
    fakes.write_csv(parent, rows, header, **options)
    fakes.write_images(parent / "images", images)
    return parent


class TestLabels:
    def test_one_row_spelled_out(self, tmp_path):
        found = records(built(fakes.write_manual(tmp_path / "raw"), tmp_path / "built"))
        units = dict(zip(ACTION_UNITS, found["images/N_0000000001_00001.jpg"], strict=True))
        assert units == {
            "AU1": 1,
            "AU2": 1,
            "AU4": 0,
            "AU5": 0,
            "AU6": 0,
            "AU7": -1,
            "AU9": 0,
            "AU10": -1,
            "AU11": -1,
            "AU12": 0,
            "AU15": -1,
            "AU17": 0,
            "AU20": 0,
            "AU23": -1,
            "AU24": -1,
            "AU25": 1,
            "AU26": 0,
        }

    @pytest.mark.parametrize(
        ("write", "config", "units", "path"),
        [
            (fakes.write_manual, "manual", UNITS_2017, "images/{name}"),
            (fakes.write_manual, "manual_2020", UNITS_2020, "images/{name}"),
            (fakes.write_as_in_url, "manual_2020", UNITS_2020, "imgs/{folder}/{name}"),
            (fakes.write_lists, "automatic", UNITS_2017, "dataFile_{list}/{name}"),
        ],
    )
    def test_every_format(self, write, config, units, path, tmp_path):
        found = records(built(write(tmp_path / "raw"), tmp_path / "built", f"emotionet/{config}"))
        lists = {1: "0001", 2: "0001", 3: "0001", 4: "0002", 1001: "0002"}
        assert found == {
            path.format(
                name=fakes.name(number), folder=fakes.name(number)[:12], list=lists[number]
            ): expected(number, units)
            for number in fakes.ROWS
        }

    def test_a_row_without_an_annotation_is_skipped(self, tmp_path):
        rows = [fakes.row(1, (7, 43), (10,)), fakes.row(2, (1,), ())]
        source = manual(tmp_path / "raw", rows, images=(1, 2))
        builder = built(source, tmp_path / "built")
        assert skipped(builder) == {
            "images/N_0000000001_00001.jpg": (
                "EmotioNet_FACS_aws_2020_24600.csv, line 2: none of the 11 action units is "
                "annotated"
            )
        }
        assert len(records(built(source, tmp_path / "built", "emotionet/manual_2020"))) == 2

    def test_empty_cells_and_real_numbers(self, tmp_path):
        row = [fakes.row(1, (), ())[0], "", *["1.0", "0.0", "999.0", "", *[""] * 56]]
        [item] = read_manual(manual(tmp_path, [row])).splits["train"]()
        values = dict(zip(ACTION_UNITS, item.labels["action_units"], strict=True))
        assert (values.pop("AU1"), values.pop("AU2")) == (1, 0)
        assert set(values.values()) == {-1}

    def test_header_without_quotes_and_in_another_order(self, tmp_path):
        header = ("URL", *(f"AU{unit}" for unit in reversed(fakes.UNITS)), "note")
        row = [fakes.url(1), *reversed(fakes.cells((4,), (12,))), "x"]
        [item] = read_manual(manual(tmp_path, [row], header)).splits["train"]()
        values = dict(zip(ACTION_UNITS, item.labels["action_units"], strict=True))
        assert (values["AU4"], values["AU12"], values["AU1"]) == (1, 0, -1)


def test_published_count_and_facts(tmp_path):
    source = fakes.write_manual(tmp_path / "a")
    report = check("emotionet", source)
    assert report.warnings == ("5 rows in train where 24,600 were published.",)
    assert report.facts[:2] == (
        "EmotioNet, manually annotated (1 table(s): EmotioNet_FACS_aws_2020_24600.csv), in "
        f"{source}.",
        "Images: images/N_<digits>_<digits>.jpg. Action units: 11 of 17.",
    )
    report = check("emotionet", fakes.write_lists(tmp_path / "b"))
    assert report.warnings == ()
    assert report.facts[1].startswith("Images: dataFile_<digits>/N_<digits>_<digits>.jpg.")


def test_manual_comes_before_automatic(tmp_path):
    fakes.write_lists(tmp_path, by_list=False)
    source = tmp_path / "EmotioNet"
    fakes.write_csv(source, fakes.rows()[:2])
    assert "train: 2 rows." in check("emotionet", source).facts
    assert "train: 5 rows." in CHECKERS.get("emotionet/automatic")(source).facts


def test_two_tables_and_their_duplicates(tmp_path):
    source = fakes.write_manual(tmp_path / "raw")
    fakes.write_csv(source, [fakes.row(1, (12,), ())], file="EmotioNet_FACS_b.csv")
    builder = built(source, tmp_path / "built")
    assert skipped(builder) == {
        "images/N_0000000001_00001.jpg": (
            "EmotioNet_FACS_b.csv, line 2: duplicate of EmotioNet_FACS_aws_2020_24600.csv, line 2,"
            " with other labels; the first is kept"
        )
    }


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        (0, "'http://example.org/face.jpg'", "expected one that ends in N_<digits>_<digits>.jpg"),
        (0, "''", "the URL is \"''\"; expected one that ends in"),
        (0, "../N_1_1.jpg/..", "expected one that ends in"),
        (2, "2", "AU1 is '2'; expected one of 1, 0, 999"),
        (2, "-1", "AU1 is '-1'; expected one of 1, 0, 999"),
        (1, "'http://example.org/a,b'", "got 63 column(s)"),
    ],
)
def test_bad_lines(column, text, reason, tmp_path):
    row = fakes.row(1, (1,), (2,))
    row[column] = text
    [error] = errors(manual(tmp_path, [row, fakes.row(1, (1,), ())]))
    assert "EmotioNet_FACS_aws_2020_24600.csv, line 2: " in error
    assert reason in error


def test_a_table_that_lacks_columns(tmp_path):
    header = [cell for cell in fakes.HEADER if cell not in ("'AU 10'", "'AU 24'")]
    row = [fakes.url(1), "", *[1] * 58]
    source = manual(tmp_path, [row], header)
    assert check("emotionet", source).usable
    [error] = errors(source, "emotionet/manual_2020")
    assert "line 1: the header lacks ['AU10', 'AU24']" in error


def test_an_automatic_list_with_a_column_too_few(tmp_path):
    source = fakes.write_lists(tmp_path)
    path = source / "dataFile_0002.txt"
    path.write_text(path.read_text().replace("\t999\n", "\n", 1))
    [error] = errors(source)
    assert "dataFile_0002.txt, line 1: expected 62 column(s) (URL, URLorig, AU1" in error


class TestImages:
    def test_the_source_itself(self, tmp_path):
        fakes.write_images(tmp_path, [1])
        assert find_images(tmp_path).path("N_1_2.jpg", "table") == "N_1_2.jpg"

    def test_below_several_folders(self, tmp_path):
        fakes.write_images(tmp_path / "a/b c", [1001], lambda number: fakes.name(number)[:12])
        place = find_images(tmp_path)
        assert place.path("N_0000000007_00002.jpg", "table") == (
            "a/b c/N_0000000007/N_0000000007_00002.jpg"
        )

    def test_several_places_are_an_error(self, tmp_path):
        source = fakes.write_manual(tmp_path)
        fakes.write_images(source / "aligned", [1])
        [error] = errors(source)
        assert "images in several places (aligned/N_<digits>_<digits>.jpg; images/N_" in error

    def test_none(self, tmp_path):
        fakes.write_csv(tmp_path, fakes.rows())
        write_image(tmp_path / "images/other.jpg", 1)
        (tmp_path / ".hidden").mkdir()
        fakes.write_images(tmp_path / ".hidden", [1])
        [error] = errors(tmp_path)
        assert "expected N_<digits>_<digits>.jpg below it" in error

    def test_dead_urls_and_images_without_a_row(self, tmp_path):
        source = fakes.write_as_in_url(tmp_path / "raw")
        folder = source / "imgs/N_0000000001"
        (folder / "N_0000000001_00002.jpg").unlink()
        fakes.write_images(folder, [5])
        builder = built(source, tmp_path / "built")
        assert skipped(builder) == {"imgs/N_0000000001/N_0000000001_00002.jpg": "missing"}
        assert builder.info.metadata["unlabelled_images"] == 1


# What the release writes -> task and class.
CATEGORIES = {
    "angry": ("expression", "anger"),
    "disgusted": ("expression", "disgust"),
    "fearful": ("expression", "fear"),
    "happy": ("expression", "happiness"),
    "sad": ("expression", "sadness"),
    "surprised": ("expression", "surprise"),
} | {
    name: ("compound_expression", name.replace("_", " "))
    for name in fakes.CATEGORIES
    if "_" in name or name in ("awed", "appalled")
}


class TestCategories:
    def test_a_row_has_one_of_the_two_tasks(self, tmp_path):
        rows = list(read_compound(fakes.write_compound(tmp_path, CATEGORIES)).splits["train"]())
        labels = {task.name: task.labels for task in TASKS}
        found = [(name, labels[name][label]) for row in rows for name, label in row.labels.items()]
        assert len(CATEGORIES) == 16
        assert found == list(CATEGORIES.values())

    @pytest.mark.parametrize("other", ["-1", "999", "", "0.0"])
    @pytest.mark.parametrize("first", ["'URL'", "url_server"])
    def test_what_is_not_shown(self, other, first, tmp_path):
        fakes.write_images(tmp_path, [1])
        fakes.write_categories(tmp_path, [fakes.category_row(1, "awed", other=other)], first)
        [row] = read_compound(tmp_path).splits["train"]()
        assert row.labels == {"compound_expression": 8}

    def test_several_and_none(self, tmp_path):
        fakes.write_images(tmp_path, [1, 2])
        rows = [fakes.category_row(1, "happy", "awed"), fakes.category_row(2)]
        fakes.write_categories(tmp_path, rows)
        file = "URLsWithEmotionCat_aws.csv"
        assert [item.reason for item in read_compound(tmp_path).splits["train"]()] == [
            f"{file}, line 2: several categories (happy, awed)",
            f"{file}, line 3: no category",
        ]

    def test_bad_lines(self, tmp_path):
        fakes.write_images(tmp_path, [1])
        fakes.write_categories(tmp_path, [fakes.category_row(1, "happy", other=2)])
        [error] = errors(tmp_path, "emotionet/compound")
        assert "line 2: angry is '2'; expected one of 1, 1.0, 0, -1, 999" in error
        path = fakes.write_categories(tmp_path, [])
        path.write_text(path.read_text().replace("awed", "awe"))
        [error] = errors(tmp_path, "emotionet/compound")
        assert "line 1: the header lacks ['awed']" in error

    def test_the_check_takes_them_where_nothing_else_is(self, tmp_path):
        source = fakes.write_compound(tmp_path)
        assert "6 basic and 10 compound expressions" in check("emotionet", source).facts[0]
        fakes.write_csv(source, fakes.rows()[:1])
        assert "manually annotated" in check("emotionet", source).facts[0]

    def test_readme_has_the_mapping(self):
        readme = Path(datasets.__file__).parent / "emotionet" / "README.md"
        for classes in (BASIC_CLASSES, COMPOUND_CLASSES):
            assert classes.table() in readme.read_text(encoding="utf-8")


class Sheet:
    """What openpyxl's read-only sheet offers."""

    def __init__(self, title, rows):
        self.title = title
        self._rows = rows

    def iter_rows(self, values_only):
        assert values_only
        yield from self._rows


class Book:
    """What openpyxl's read-only workbook offers."""

    def __init__(self, *sheets):
        self.worksheets = sheets
        self.closed = False

    def close(self):
        self.closed = True


def write_zip(path, content):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", content)


@pytest.fixture
def workbook(tmp_path, monkeypatch):
    """A source with an XLSX file, whose content openpyxl is made to see."""

    def make(*sheets):
        source = tmp_path / "raw"
        fakes.write_images(source / "images", [1, 2])
        write_zip(source / "EmotioNet_FACS.xlsx", b"any")
        book = Book(*sheets)
        module = types.SimpleNamespace(load_workbook=lambda path, **options: book)
        monkeypatch.setitem(sys.modules, "openpyxl", module)
        return source, book

    return make


class TestSheets:
    def test_rows_of_all_sheets(self, workbook):
        empty = [None] * 64
        first = [(*fakes.HEADER, None, None), empty, [*fakes.row(1, (1,), (2,)), None, None]]
        second = [fakes.HEADER, [fakes.row(2, (), ())[0], None, 1.0, *[None] * 59]]
        source, book = workbook(Sheet("one", first), Sheet("two", second), Sheet("none", [empty]))
        rows = list(read_manual(source).splits["train"]())
        assert [(row.path, row.where) for row in rows] == [
            ("images/N_0000000001_00001.jpg", "EmotioNet_FACS.xlsx [one], line 3"),
            ("images/N_0000000001_00002.jpg", "EmotioNet_FACS.xlsx [two], line 2"),
        ]
        assert rows[0].labels["action_units"].tolist()[:3] == [1, 0, -1]
        assert rows[1].labels["action_units"].tolist()[:3] == [1, -1, -1]
        assert book.closed

    def test_bad_lines_name_the_sheet(self, workbook):
        row = [*fakes.row(1, (), ())[:2], 3, *[999] * 59]
        source, _ = workbook(Sheet("one", [fakes.HEADER, row, [*row, "more"]]))
        first, second = errors(source)
        assert "EmotioNet_FACS.xlsx [one], line 2: AU1 is '3'" in first
        assert "EmotioNet_FACS.xlsx [one], line 3: expected 62 column(s)" in second

    def test_the_csv_of_the_same_name_is_preferred(self, workbook):
        source, _ = workbook()
        fakes.write_csv(source, fakes.rows()[:2], file="EmotioNet_FACS.csv")
        assert len(list(read_manual(source).splits["train"]())) == 2

    def test_without_openpyxl_the_message_says_what_to_do(self, workbook, monkeypatch):
        source, _ = workbook()
        monkeypatch.setitem(sys.modules, "openpyxl", None)
        [error] = errors(source)
        assert "reading an XLSX file needs openpyxl. Install it (pip install openpyxl), or" in error

    def test_what_unpacks_to_many_times_its_size_is_not_opened(self, workbook):
        source, book = workbook(Sheet("one", [fakes.HEADER]))
        write_zip(source / "EmotioNet_FACS.xlsx", bytes(2**25))
        [error] = errors(source)
        assert "EmotioNet_FACS.xlsx: not an XLSX file that can be read (it would unpack" in error
        assert not book.closed

    def test_with_the_real_openpyxl(self, tmp_path):
        openpyxl = pytest.importorskip("openpyxl")
        book = openpyxl.Workbook()
        for row in [fakes.HEADER, [], *fakes.rows()]:
            book.active.append(row)
        book.create_sheet("empty")
        fakes.write_images(tmp_path / "images", fakes.ROWS)
        book.save(tmp_path / "EmotioNet_FACS.xlsx")
        rows = list(read_manual(tmp_path).splits["train"]())
        assert [row.labels["action_units"].tolist() for row in rows] == [
            expected(number, UNITS_2017) for number in fakes.ROWS
        ]
        (tmp_path / "EmotioNet_FACS.xlsx").write_bytes(b"not a workbook")
        assert "not an XLSX file that can be read" in errors(tmp_path)[0]


def test_missing_parts_say_what_was_expected(tmp_path):
    source = fakes.write_lists(tmp_path)
    assert "expected EmotioNet_FACS*.csv or" in errors(source, "emotionet/manual")[0]
    for path in source.glob("*.txt"):
        path.unlink()
    assert "expected dataFile_*.txt or" in errors(source, "emotionet/automatic")[0]


def test_lists_may_lie_in_a_folder_of_their_own(tmp_path):
    source = fakes.write_lists(tmp_path)
    (source / "txts").mkdir()
    for path in source.glob("*.txt"):
        path.rename(source / "txts" / path.name)
    assert len(list(read_automatic(source).splits["train"]())) == 5


def test_readme_has_the_mapping():
    readme = (Path(datasets.__file__).parent / "emotionet" / "README.md").read_text()
    assert "| `999` or empty | not annotated | -1 |" in readme
    assert FLAGS == {"1": 1, "0": 0, "999": -1, "": -1}
    assert f"the 17 AUs {', '.join(unit[2:] for unit in ACTION_UNITS)} in this order" in readme
