import pytest

from data_prep.faces.boxes import read_boxes


def write(tmp_path, text):
    path = tmp_path / "boxes.csv"
    path.write_bytes(text.encode("utf-8-sig"))
    return path


def test_any_order_quotes_crlf_and_other_columns(tmp_path):
    path = write(
        tmp_path,
        'label,right,path,left,top,bottom\r\n"a, b",30,"x/é, 1.jpg",10.5,-2,40\r\n'
        ",2,y\\z.png,1,1,2\r\n",
    )
    assert read_boxes(path) == {"x/é, 1.jpg": (10.5, -2, 30, 40), "y/z.png": (1, 1, 2, 2)}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.jpg,1,2,3", r"line 3: the box must be four numbers, not \['1', '2', '3', None\]"),
        ("a.jpg,1,2,x,4", r"line 3: the box must be four numbers"),
        ("a.jpg,5,2,5,4", r"line 3: left < right and top < bottom must hold"),
        ("a.jpg,1,2,nan,4", r"line 3: left < right"),
        ("../a.jpg,1,2,3,4", r"line 3: the path '../a.jpg' must lie inside the source"),
        ("/a.jpg,1,2,3,4", r"must lie inside the source"),
        (r"C:\x\a.jpg,1,2,3,4", r"line 3: the path 'C:.* must lie inside the source"),
        (",1,2,3,4", r"must lie inside the source"),
        ("ok.jpg,1,2,3,4", r"line 3: a second box for ok.jpg"),
    ],
)
def test_bad_rows(tmp_path, row, message):
    path = write(tmp_path, f"path,left,top,right,bottom\nok.jpg,1,2,3,4\n{row}\n")
    with pytest.raises(ValueError, match=message):
        read_boxes(path)


def test_missing_columns_and_file(tmp_path):
    with pytest.raises(ValueError, match="missing: right, bottom"):
        read_boxes(write(tmp_path, "path,left,top\na,1,2\n"))
    with pytest.raises(ValueError, match="missing: path"):
        read_boxes(write(tmp_path, ""))
    with pytest.raises(FileNotFoundError, match="--boxes: the file"):
        read_boxes(tmp_path / "nothing.csv")
