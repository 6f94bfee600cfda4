"""Writes a tiny EmotioNet in its released formats."""

import functools
from pathlib import Path

from tests.datasets.fakes import Layout, write_image

UNITS = range(1, 61)
HEADER = ("URL", "URL orig", *(f"'AU {unit}'" for unit in UNITS))
SITE = "https://images.example.org/v1"

# Number of the image -> action units that are 1, and those that are 0; all others are 999.
ROWS = {
    1: ((1, 2, 25), (4, 5, 6, 9, 12, 17, 20, 26)),
    2: ((6, 12, 25), (1, 2, 4)),
    3: ((), (1, 2, 4, 5, 6, 9, 12, 17, 20, 25, 26)),
    4: ((10, 24, 26, 43), (15,)),
    1001: ((4, 17), (12, 51)),
}


def name(number: int) -> str:
    """Image 1001 is the first of the second folder."""
    return f"N_{number // 1000 + 1:010d}_{number % 1000:05d}.jpg"


def url(number: int) -> str:
    return f"{SITE}/{name(number)[:12]}/{name(number)}"


def cells(active, inactive):
    return [1 if unit in active else 0 if unit in inactive else 999 for unit in UNITS]


def row(number: int, active, inactive) -> list:
    return [f"'{url(number)}'", f"'http://example.org/{number}'", *cells(active, inactive)]


def write_images(folder: Path, numbers, under=lambda number: "") -> None:
    for number in numbers:
        write_image(folder / under(number) / name(number), number)


def write_csv(folder: Path, rows, header=HEADER, file="EmotioNet_FACS_aws_2020_24600.csv") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [",".join(map(str, cells)) for cells in (header, *rows)]
    (folder / file).write_text("\r\n".join(lines) + "\r\n", encoding="utf-8", newline="")
    return folder / file


def rows():
    return [row(number, *labels) for number, labels in ROWS.items()]


def write_manual(parent: Path) -> Path:
    """All images in one folder."""
    root = parent / "EmotioNet"
    write_csv(root, rows())
    write_images(root / "images", ROWS)
    return root


def write_as_in_url(parent: Path) -> Path:
    """The table in a folder of its own, images in folders as in their URLs."""
    root = parent / "emotio net"
    write_csv(root / "labels", rows(), file="emotionet_facs_24600.csv")
    write_images(root / "imgs", ROWS, lambda number: name(number)[:12])
    return root


def write_lists(parent: Path, by_list: bool = True) -> Path:
    """Two automatic lists, without header, and images in a folder each, or all beside the lists."""
    root = parent / "EmotioNet"
    root.mkdir(parents=True)
    numbers = sorted(ROWS)
    for stem, part in {"dataFile_0001": numbers[:3], "dataFile_0002": numbers[3:]}.items():
        lines = [
            "\t".join(map(str, [url(n), f"http://example.org/{n}", *cells(*ROWS[n])])) for n in part
        ]
        (root / f"{stem}.txt").write_text("\n".join(lines) + "\n")
        write_images(root / stem if by_list else root, part)
    return root


CATEGORIES = [
    "angrily_disgusted",
    "angrily_surprised",
    "angry",
    "appalled",
    "awed",
    "disgusted",
    "fearful",
    "fearfully_angry",
    "fearfully_surprised",
    "happily_disgusted",
    "happily_surprised",
    "happy",
    "sad",
    "sadly_angry",
    "sadly_disgusted",
    "surprised",
]


def category_row(number: int, *shown: str, other=0) -> list:
    return [url(number), "", *(1 if name in shown else other for name in CATEGORIES)]


def write_categories(root: Path, rows, first="url_server") -> Path:
    header = (first, "url_original", *CATEGORIES)
    return write_csv(root, rows, header, "URLsWithEmotionCat_aws.csv")


def write_compound(parent: Path, shown=("happy", "awed", "sadly_angry", "surprised")) -> Path:
    """One image a category."""
    root = parent / "EmotioNet"
    write_categories(root, [category_row(n, name) for n, name in enumerate(shown)])
    write_images(root / "images", range(len(shown)))
    return root


LAYOUTS = {
    "manual": Layout(lambda parent: write_manual(parent).parent, {"train": 5}, "manual"),
    "as in the URL": Layout(write_as_in_url, {"train": 5}, "manual_2020"),
    "compound": Layout(write_compound, {"train": 4}, "compound"),
    "lists": Layout(write_lists, {"train": 5}, "automatic"),
    "lists flat": Layout(functools.partial(write_lists, by_list=False), {"train": 5}, "automatic"),
}
