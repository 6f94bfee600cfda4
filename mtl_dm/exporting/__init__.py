"""A checkpoint as a file that needs neither this package nor Keras."""
