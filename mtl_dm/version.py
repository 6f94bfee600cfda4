"""The version, here and nowhere else; setup.py reads it from this file.

Versions follow semver.org: the public names, listed in tests/public_names.txt, are what a version
promises. Before 1.0.0 a second number says that one was removed or means something else.
"""

VERSION = "0.2.0"
