import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_dm.datasets.reading import BadLine, Line, parse, read_header, read_table, strict

COLUMNS = ["path", "label"]


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def cells(path, **options):
    return [(line.number, *line.cells) for line in read_table(path, COLUMNS, **options)]


@pytest.mark.parametrize(
    "content",
    [
        b"path,label\na.jpg,1\nb.jpg,2\n",
        b"\xef\xbb\xbfpath,label\na.jpg,1\nb.jpg,2\n",  # byte order mark
        b"path,label\r\na.jpg,1\r\nb.jpg,2\r\n",
        b"path,label\na.jpg,1\nb.jpg,2",  # no end of line at the end
        b'"path","label"\n"a.jpg","1"\n"b.jpg","2"\n',
        b" path , label \n a.jpg , 1 \nb.jpg,2\n",
    ],
)
def test_the_same_table_however_it_was_saved(write, content):
    assert cells(write(content)) == [(2, "a.jpg", "1"), (3, "b.jpg", "2")]


def test_line_numbers_count_empty_lines_and_lines_inside_quotes(write):
    path = write('path,label\n\n"a\nb.jpg",1\n  \nc.jpg,2\n')
    assert cells(path) == [(3, "a\nb.jpg", "1"), (6, "c.jpg", "2")]


def test_columns_in_any_order_and_optional_ones(write):
    [line] = read_table(write("x,label,path\n7,1,a.jpg\n"), COLUMNS, optional=["x", "y"])
    assert (line["path"], line["label"], line.get("x"), line.get("y")) == ("a.jpg", "1", "7", "")
    assert line.where == "table.csv, line 2"


def test_header_absent_or_optional(write):
    without, with_header = "a.jpg,1\n", "path,label\na.jpg,1\n"
    assert cells(write(without), header="absent") == [(1, "a.jpg", "1")]
    assert cells(write(without), header="optional") == [(1, "a.jpg", "1")]
    assert cells(write(with_header), header="optional") == [(2, "a.jpg", "1")]
    assert cells(write(""), header="absent") == []


def test_header_names_can_be_rewritten(write):
    path = write("'path', 'label'\na.jpg,1\n")
    [line] = read_table(path, COLUMNS, rename=lambda text: text.strip().strip("'"))
    assert line["label"] == "1"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"table.csv, line 1: expected a header naming 2 column\(s\).*file is empty"),
        ("path,x\na,1\n", r"line 1: the header lacks \['label'\]"),
        ("path,label,x\na,1,2\n", r"line 1: unknown columns \['x'\]"),
        ("path,label,path\na,1,2\n", r"line 1: the header names columns twice: \['path'\]"),
        ("path;label\na;1\n", r"The columns seem to be separated by ';'"),
        ('path,label\na.jpg,1\n"b.jpg,2\n', r"table.csv, line 3: unexpected end of data"),
        (b"path,label\nb\xf8rn.jpg,1\n", r"not UTF-8 text.*save it as UTF-8"),
        ("path,label\n".encode("utf-16"), r"not UTF-8 text"),
    ],
)
def test_what_is_wrong_with_a_file(write, content, message):
    with pytest.raises(ValueError, match=message):
        list(read_table(write(content), COLUMNS))


def test_unknown_columns_may_be_allowed(write):
    [line] = read_table(write("path,label,x\na,1,2\n"), COLUMNS, others=True)
    assert line["x"] == "2"


def test_a_line_of_another_length_is_bad_and_the_rest_is_read(write):
    path = write("path,label\na,1\nb\nc,1,2\nd,4\n")
    first, second, third, last = read_table(path, COLUMNS)
    assert (first.number, last.number) == (2, 5)
    assert second == BadLine(path, 3, "expected 2 column(s) (path, label), got 1 column(s)")
    assert str(third) == f"{path}, line 4: expected 2 column(s) (path, label), got 3 column(s)"


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.csv"):
        list(read_table(tmp_path / "nothing.csv", COLUMNS))


def test_parse_turns_errors_into_bad_lines(write):
    path = write("path,label\na,1\nb,x\nc\nd,2\n")
    lines = read_table(path, COLUMNS)
    items = list(parse(lines, lambda line: int(line["label"])))
    assert items[0] == 1
    assert items[1].line == 3
    assert "invalid literal" in items[1].reason
    assert items[2].line == 4
    assert items[3] == 2


def test_strict_raises_at_the_first_bad_line(write):
    items = strict(read_table(write("path,label\na,1\nb\n"), COLUMNS))
    assert next(items)["path"] == "a"
    with pytest.raises(ValueError, match="line 3: expected 2"):
        next(items)


def test_read_header(write):
    assert read_header(write("\ufeffa, b\n1,2\n")) == ["a", "b"]
    assert read_header(write("")) == []


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=8)


@given(rows=st.lists(st.tuples(TEXT, TEXT), max_size=8), ending=st.sampled_from(["\n", "\r\n"]))
def test_any_text_comes_back(tmp_path_factory, rows, ending):
    path = tmp_path_factory.mktemp("t") / "table.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator=ending).writerows([COLUMNS, *rows])
    assert [tuple(line.cells) for line in read_table(path, COLUMNS)] == rows


@given(content=st.binary(max_size=60))
def test_no_bytes_do_anything_but_read_or_say_why(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("t") / "table.csv"
    path.write_bytes(content)
    try:
        found = list(read_table(path, COLUMNS, header="absent"))
    except ValueError as error:
        assert str(path) in str(error)
    else:
        assert all(isinstance(item, (Line, BadLine)) for item in found)
