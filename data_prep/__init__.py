"""From raw downloads to checked, built data sets."""

import os
import runpy
import sys
from pathlib import Path

# TensorFlow's start-up chatter hides what a command has to say.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# Pandas, Keras and others take seconds before mtl_dm, whose own guard this is, is imported: it is
# run from its file. Another program that imports this package keeps its handlers.
_stopping = runpy.run_path(str(Path(__file__).parents[1] / "mtl_dm" / "stopping.py"))
if _stopping["runs_a_command"](sys.orig_argv):
    _stopping["stop_in_one_line"]()
