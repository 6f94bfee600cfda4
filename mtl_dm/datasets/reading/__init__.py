"""What readers of raw databases share: tables, labels, paths, images, and the builder."""

from mtl_dm.datasets.reading.builder import ReleaseBuilder
from mtl_dm.datasets.reading.checking import check_release
from mtl_dm.datasets.reading.frames import Frames
from mtl_dm.datasets.reading.images import large_images, load_jpeg
from mtl_dm.datasets.reading.items import BadLine, Box, Item, Row, Skipped, parse, strict
from mtl_dm.datasets.reading.matlab import read_matlab
from mtl_dm.datasets.reading.paths import clean, image_files, inside, locate
from mtl_dm.datasets.reading.release import Release
from mtl_dm.datasets.reading.skips import SKIPPED_FILE
from mtl_dm.datasets.reading.splits import SPLIT_FILE, save_split
from mtl_dm.datasets.reading.subjects import by_subject
from mtl_dm.datasets.reading.tables import Line, read_header, read_table, table_lines
from mtl_dm.datasets.reading.values import MISSING, ClassMap, flag, in_order, integer, number

__all__ = [
    "MISSING",
    "SKIPPED_FILE",
    "SPLIT_FILE",
    "BadLine",
    "Box",
    "ClassMap",
    "Frames",
    "Item",
    "Line",
    "Release",
    "ReleaseBuilder",
    "Row",
    "Skipped",
    "by_subject",
    "check_release",
    "clean",
    "flag",
    "image_files",
    "in_order",
    "inside",
    "integer",
    "large_images",
    "load_jpeg",
    "locate",
    "number",
    "parse",
    "read_header",
    "read_matlab",
    "read_table",
    "save_split",
    "strict",
    "table_lines",
]
