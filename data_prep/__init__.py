"""From raw downloads to checked, built data sets."""

import os

# TensorFlow's start-up chatter hides what a command has to say.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
