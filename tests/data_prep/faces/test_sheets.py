import numpy as np

from data_prep.faces.records import Record
from data_prep.faces.sheets import COLUMNS, TILE, aligned_sheet, failures_sheet, sample
from mtl_dm import faces
from tests.data_prep.faces.photos import png, write


def test_sample_is_spread():
    records = [Record(f"{number:04}", 1) for number in range(1000)]
    chosen = sample(records, 100)
    assert len(chosen) == 100
    assert (chosen[0], chosen[-1]) == (records[0], records[-1])
    assert sample(records[:7], 100) == records[:7]


def test_tiles_are_in_order(tmp_path):
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250)]
    records = []
    for number, colour in enumerate(colours * 4):
        write(tmp_path, f"{number}.png", png(np.full((112, 112, 3), colour, np.uint8)))
        records.append(Record(f"{number}.png", 1, aligned=f"{number}.png", score=0.9))
    sheet = faces.decode_image(aligned_sheet(records, tmp_path))
    height = sheet.shape[0] // 2
    assert sheet.shape[1] == COLUMNS * TILE
    for number in range(12):
        y, x = number // COLUMNS * height, number % COLUMNS * TILE
        assert tuple(sheet[y + 60, x + 60]) == colours[number % 3]
    assert sheet[-1, -1].tolist() == [255, 255, 255]  # no thirteenth


def test_failures_that_cannot_be_shown_have_a_tile(tmp_path):
    write(tmp_path, "tall.png", png(np.full((400, 2, 3), 200, np.uint8)))
    records = [Record("tall.png", 1, reason="no face"), Record("é.jpg", 1, reason="empty")]
    sheet = faces.decode_image(failures_sheet(records, tmp_path))
    assert sheet.shape[1] == 2 * TILE
    assert (sheet[:TILE, TILE:] == 96).all()


def test_nothing_to_show(tmp_path):
    assert aligned_sheet([], tmp_path) is None
    assert failures_sheet([Record("a", 1, aligned="a.jpg")], tmp_path) is None
