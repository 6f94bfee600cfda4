"""From raw downloads to checked, built data sets."""
