"""What all commands do with their flags, whoever parses them: "~" is the home folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from absl import flags

from mtl_dm.files import expand_home


class Parser(argparse.ArgumentParser):
    """The parser of every command that uses argparse: values of options have their "~" replaced.

    What stands alone, such as the photos of predict, is left: a shell has replaced "~" there, and
    what still begins with one is the name of a file.
    """

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Return what argparse finds, paths expanded."""
        found, others = super().parse_known_args(args, namespace)
        for action in self._actions:
            if action.option_strings and hasattr(found, action.dest):
                setattr(found, action.dest, _expanded(getattr(found, action.dest)))
        return found, others


def expand_flags() -> None:
    """Replace "~" in the values of absl's parsed flags, those of a flag file included."""
    for name in flags.FLAGS:
        flag = flags.FLAGS[name]
        value = _expanded(flag.value)
        if value is not flag.value:
            flag.value = value


def _expanded(value: Any) -> Any:
    if not isinstance(value, (str, Path)) or not str(value).startswith("~"):
        return value
    return type(value)(expand_home(str(value)))
