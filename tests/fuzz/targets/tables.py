"""Tables of comma-separated values."""

from tests.fuzz.targets import _releases

TARGET = _releases.target(".csv")
