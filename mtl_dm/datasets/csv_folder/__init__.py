"""A user's own data: images and a table of labels."""

from mtl_dm.datasets.csv_folder.builder import CsvFolder, CsvFolderConfig

__all__ = ["CsvFolder", "CsvFolderConfig"]
