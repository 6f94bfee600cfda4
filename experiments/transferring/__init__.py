"""The parts of `experiments.transfer`: images, sources, targets, what is trained, what is shown."""
