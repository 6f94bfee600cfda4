"""What labels alone say about coupling, before training."""
