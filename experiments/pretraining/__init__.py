"""How the checkpoints in mtl_dm/pretrained are made and measured."""

import mtl_dm as mtl_dm  # Before anything else: it starts TensorFlow without chatter.
