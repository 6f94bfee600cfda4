"""XLSX files, of which EmotioNet's labels may be."""

from pathlib import Path

from mtl_dm.datasets.emotionet._sheets import read_sheets
from tests.fuzz.target import Read, Target, members


def prepare(folder: Path) -> tuple[list[bytes], Read]:
    import openpyxl

    path = folder / "EmotioNet_FACS.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["URL", "AU1", "AU2"])
    book.active.append(["a.jpg", 1, 0.0])
    book.create_sheet("two").append(["URL", None, "x"])
    book.save(path)

    def read() -> None:
        for _, rows in read_sheets(path):
            for _ in rows:
                pass

    return members(path, read)


TARGET = Target(prepare)
