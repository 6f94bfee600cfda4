"""Problems that several studies share: real clothing, synthetic faces with few labels."""

import mtl_dm as mtl_dm  # Before anything else: it starts TensorFlow without chatter.
