"""How fast the library is beside the obvious alternatives: `python -m experiments.bench`."""
