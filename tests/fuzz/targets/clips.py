"""JSON label files of clips."""

from tests.fuzz.targets import _releases

TARGET = _releases.target(".json")
