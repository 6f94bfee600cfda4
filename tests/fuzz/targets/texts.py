"""Label files of plain text."""

from tests.fuzz.targets import _releases

TARGET = _releases.target(".txt")
