"""The parts of `experiments.transfer`: images, sources, targets, what is trained, what is shown."""

import mtl_dm as mtl_dm  # Before anything else: it starts TensorFlow without chatter.
