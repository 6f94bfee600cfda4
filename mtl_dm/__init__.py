"""Learning several classification tasks together from data annotated for only one of them."""
