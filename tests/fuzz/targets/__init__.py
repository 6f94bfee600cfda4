"""One file a kind of reader, each with a `TARGET`."""
