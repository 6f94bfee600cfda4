"""Photos of people and a list of pairs of them."""

import cv2
import numpy as np

PEOPLE = [f"P{number}" for number in range(8)]


def write(folder):
    """Write two folds of four people with three photos: 4 pairs of one person and of two each."""
    rng = np.random.default_rng(0)
    for person in PEOPLE:
        own = rng.integers(0, 200, (16, 16, 3))
        for number in (1, 2, 3):
            image = (own + rng.integers(0, 56, own.shape)).astype(np.uint8)
            path = folder / "images" / person / f"{person}_{number:04d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), image)
    lines = ["2\t4"]
    for four in (PEOPLE[:4], PEOPLE[4:]):
        lines += [f"{person}\t1\t2" for person in four]
        lines += [f"{one}\t1\t{other}\t3" for one, other in zip(four, four[1:] + four[:1])]  # noqa: B905
    (folder / "pairs.txt").write_text("\n".join(lines), encoding="utf-8")
