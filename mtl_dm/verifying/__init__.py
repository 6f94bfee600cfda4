"""Face verification with a checkpoint: pairs of photos in, how well it tells people apart out."""
