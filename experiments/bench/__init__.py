"""How fast the library is beside the obvious alternatives: `python -m experiments.bench`."""

import mtl_dm  # noqa: F401 - first, since it brings Keras without its chatter
