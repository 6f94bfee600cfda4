import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.faces.records import FACES_HEADER, Record, faces_csv, undetected_csv

FACE = Record(
    "b.png", 7, None, "b.jpg", None, (1.0, 2.0, 3.5, 4.0), tuple(map(float, range(10))), 0.98765, 2,
    plausible=True,
)  # fmt: skip
NONE = Record("a.png", 3, (0.0, 1.0, 2.0, 3.0), reason='a "quoted", reason')


@pytest.mark.parametrize("record", [FACE, NONE])
def test_lines_round_trip(record):
    assert Record.from_line(record.to_line()) == record
    assert record.to_line().count("\n") == 1


@given(st.integers(0, 400))
def test_a_cut_line_is_no_record(length):
    line = FACE.to_line()
    record = Record.from_line(line[:length])
    assert record == (FACE if length >= len(line) - 1 else None)


@pytest.mark.parametrize("line", ["", "\n", "[]", "1", "{}", '{"path": "a", "other": 1}'])
def test_other_lines_are_no_records(line):
    assert Record.from_line(line) is None


def test_faces_csv_by_hand():
    lines = faces_csv([FACE, NONE]).decode().splitlines()
    assert lines[0] == ",".join(FACES_HEADER)
    assert lines[0].startswith("path,left,top,right,bottom,left_eye_x,left_eye_y,right_eye_x")
    assert lines[1:] == [
        "b.png,1.00,2.00,3.50,4.00,0.00,1.00,2.00,3.00,4.00,5.00,6.00,7.00,8.00,9.00,0.9877,2,1,b.jpg"
    ]


def test_undetected_csv_and_order():
    other = Record("Z.png", 3, aligned="Z.jpg", reason="no face")
    text = undetected_csv([NONE, FACE, other]).decode()
    assert list(csv.reader(io.StringIO(text))) == [
        ["path", "reason", "aligned"],
        ["Z.png", "no face", "Z.jpg"],
        ["a.png", 'a "quoted", reason', ""],
    ]


def test_a_name_that_is_no_text_keeps_its_bytes():
    name = b"\xff.jpg".decode("utf-8", "surrogateescape")
    record = Record.from_line(Record(name, 1, reason="no face").to_line())
    assert b"\n\xff.jpg,no face,\n" in undetected_csv([record])
