"""One training on several hosts, which are network namespaces of one machine."""

import mtl_dm as mtl_dm  # Before anything else: it starts TensorFlow without chatter.
