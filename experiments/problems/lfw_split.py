"""One split of Labeled Faces in the Wild by person, for every study that uses these photos.

The rule is all there is; nothing is stored. People of the official pair folds 6 to 10 are test
people, so that all who are compared in these folds are unseen by whatever was trained. Everybody
else with a name trains. Images without a name train nothing and test nothing: whom they show is
not known.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

TEST_FOLDS = range(6, 11)


def people_by_fold(pairs: str) -> list[set[str]]:
    """Return the people of every fold of the official pairs, the first fold first.

    Args:
        pairs: Text of `pairs.txt`: a line "folds, n"; then for each fold n lines "person, image,
            image" and n lines "person, image, person, image"; between them tabs.

    Raises:
        ValueError: If the text is no such list.
    """
    lines = [line.split("\t") for line in pairs.splitlines() if line.strip()]
    head = lines[0] if lines else []
    if len(head) != 2 or not all(part.isdecimal() for part in head):
        raise ValueError(f"pairs must begin with the numbers of folds and pairs, got {head}.")
    folds, size = int(head[0]), 2 * int(head[1])
    if len(lines) != 1 + folds * size:
        raise ValueError(
            f"pairs must have {folds} folds of {size} lines, got {len(lines) - 1} lines."
        )
    wrong = next((line for line in lines[1:] if len(line) not in (3, 4)), None)
    if wrong is not None:
        raise ValueError(f"A pair must have 3 or 4 fields, got {wrong}.")
    people = [{line[0], line[-2]} if len(line) == 4 else {line[0]} for line in lines[1:]]
    return [set().union(*people[start : start + size]) for start in range(0, len(people), size)]


def people_tested(pairs: str, tested: Collection[int] = TEST_FOLDS) -> frozenset[str]:
    """Return the people of some folds.

    Args:
        pairs: As for `people_by_fold`.
        tested: Numbers of the folds, from 1.

    Raises:
        ValueError: As `people_by_fold`, or if there are fewer folds.
    """
    folds = people_by_fold(pairs)
    if len(folds) < max(tested):
        raise ValueError(f"pairs must have {max(tested)} folds, got {len(folds)}.")
    return frozenset().union(*(folds[fold - 1] for fold in tested))


def split_by_person(
    names: Sequence[str], pairs: str, tested: Collection[int] = TEST_FOLDS
) -> np.ndarray:
    """Return "train", "test" or "" (neither) for every image.

    Args:
        names: Of the person on each image; "" where it is not known.
        pairs: As for `people_by_fold`.
        tested: As for `people_tested`.

    Raises:
        ValueError: As `people_tested`.
    """
    test = people_tested(pairs, tested)
    return np.array([("test" if name in test else "train") if name else "" for name in names])
