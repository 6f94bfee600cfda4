"""MATLAB files."""

from tests.fuzz.targets import _releases

TARGET = _releases.target(".mat")
