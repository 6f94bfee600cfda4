"""The network that balancing methods and those of peers are compared on, in numbers.

Convolutions of 3 x 3 with stride 2 and ReLU, the mean over places, a head of one unit for every
task with binary cross-entropy.
"""

FILTERS = (32, 64, 128, 128)
SIZE, BATCH = 64, 64
LEARNING_RATE = 1e-3
