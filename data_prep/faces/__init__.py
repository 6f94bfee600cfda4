"""A folder of photos -> the same folder of aligned faces, with a record of every image."""
