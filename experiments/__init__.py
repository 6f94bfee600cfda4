"""One file a study of the paper: source, command, expected result, cost."""

import os

# TensorFlow's start-up chatter hides what a study has to say.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
