"""Parses flags in this process and leaves absl as it was."""

import contextlib

from absl.testing import flagsaver

from mtl_dm.training.flags import FLAGS


@contextlib.contextmanager
def isolated_flags():
    """Flags defined and parsed inside are gone afterwards."""
    parsed_before = FLAGS.is_parsed()
    saved = flagsaver.save_flag_values()
    try:
        yield
    finally:
        flagsaver.restore_flag_values(saved)
        if not parsed_before:
            FLAGS.unparse_flags()


def parse(*arguments):
    """Return what is left after the flags."""
    return FLAGS(["command", *map(str, arguments)])[1:]
