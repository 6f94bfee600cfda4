"""Training and evaluation as users run them."""
