"""What relates a class to its attributes, as numbers with a source."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from mtl_dm.files import MALFORMED, expand_home, read_json, write_atomically
from mtl_dm.spec import repeated


class NothingSharedError(ValueError):
    """A relatedness and two tasks have too few labels in common to couple them."""


@dataclasses.dataclass(frozen=True, eq=False)
class Relatedness:
    """Prior knowledge that couples a multiclass task (K classes) to a multilabel one (M).

    Symbols: k indexes classes, i attributes; all values are probabilities in [0, 1].

    Attributes:
        classes: K class names.
        attributes: M attribute names.
        conditional: [K, M], p(attribute i | class k) of eq. 2.
        weights: [K, M], the w of the indicator score, eq. 4.
        citation: Where the numbers come from.
        prior: [K], p(class k), summing to 1; None stands for uniform.
        counts: [K, M], how many images of class k with attribute i annotated `conditional` was
            counted on; None: it was not counted, a published table for example.

    Raises:
        ValueError: If names repeat, a shape does not fit, or a value is NaN or out of its range.
    """

    kind: ClassVar[str] = "probabilities"
    sides: ClassVar[tuple[tuple[str, str], tuple[str, str]]] = (
        ("classes", "multiclass"),
        ("attributes", "multilabel"),
    )

    classes: tuple[str, ...]
    attributes: tuple[str, ...]
    conditional: np.ndarray
    weights: np.ndarray
    citation: str
    prior: np.ndarray | None = None
    counts: np.ndarray | None = None

    def __post_init__(self) -> None:
        for field in ("classes", "attributes"):
            names = getattr(self, field)
            listed = isinstance(names, Sequence) and not isinstance(names, str)
            if not listed or not all(isinstance(name, str) for name in names):
                raise ValueError(f"Relatedness {field} must be a list of names, got {names!r}.")
            names = tuple(names)
            twice = repeated(names)
            if not names or twice:
                problem = f"repeated: {twice}" if names else "got none"
                raise ValueError(f"Relatedness {field} must be unique names, {problem}.")
            object.__setattr__(self, field, names)
        shape = (len(self.classes), len(self.attributes))
        for field in ("conditional", "weights"):
            object.__setattr__(self, field, self._probabilities(field, shape))
        if self.prior is not None:
            prior = self._probabilities("prior", shape[:1])
            if not np.isclose(prior.sum(), 1.0, atol=1e-4):
                raise ValueError(f"Relatedness prior must sum to 1, got {prior.sum():.6g}.")
            object.__setattr__(self, "prior", prior)
        if self.counts is not None:
            object.__setattr__(self, "counts", self._values("counts", shape, math.inf))

    def _probabilities(self, field: str, shape: tuple[int, ...]) -> np.ndarray:
        return self._values(field, shape, 1.0)

    def _values(self, field: str, shape: tuple[int, ...], highest: float) -> np.ndarray:
        """Return a field as a read-only float32 array of finite values in [0, highest]."""
        try:
            array = np.array(getattr(self, field), dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise ValueError(f"Relatedness {field} must hold numbers: {error}.") from error
        if array.shape != shape:
            raise ValueError(
                f"Relatedness {field} must have shape {shape} for {len(self.classes)} classes and "
                f"{len(self.attributes)} attributes, got {array.shape}."
            )
        # NaN fails both comparisons.
        wrong = np.argwhere(~((array >= 0) & (array <= highest) & (array < math.inf)))
        if len(wrong):
            names = [self.classes[wrong[0][0]]]
            if len(shape) == 2:
                names.append(self.attributes[wrong[0][1]])
            raise ValueError(
                f"Relatedness {field} must lie in [0, {highest:g}], got {array[tuple(wrong[0])]} "
                f"for {' / '.join(names)} ({len(wrong)} such value(s))."
            )
        array.setflags(write=False)
        return array

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Relatedness) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.classes, self.attributes, self.conditional.tobytes()))

    def restrict(
        self, classes: Sequence[str] | None = None, attributes: Sequence[str] | None = None
    ) -> Relatedness:
        """Return the part that concerns the given labels, in the given order.

        Args:
            classes: Class names to keep; None keeps all.
            attributes: Attribute names to keep; None keeps all.

        Raises:
            ValueError: If a name is unknown here.
        """
        rows = _positions("class", classes, self.classes)
        columns = _positions("attribute", attributes, self.attributes)
        prior = None if self.prior is None else self.prior[rows]
        if prior is not None:
            if prior.sum() == 0:
                raise ValueError(f"The classes {classes} all have prior 0; keep another one.")
            prior = prior / prior.sum()
        return Relatedness(
            tuple(self.classes[row] for row in rows),
            tuple(self.attributes[column] for column in columns),
            self.conditional[np.ix_(rows, columns)],
            self.weights[np.ix_(rows, columns)],
            self.citation,
            prior,
            None if self.counts is None else self.counts[np.ix_(rows, columns)],
        )

    def within(self, classes: Sequence[str], attributes: Sequence[str]) -> Relatedness:
        """Return the part over labels that two tasks have, in its own order.

        Args:
            classes: All labels of the multiclass task.
            attributes: All labels of the multilabel task.

        Raises:
            NothingSharedError: If they share no attribute, or fewer than two classes.
            ValueError: As `restrict`.
        """
        there = frozenset(classes), frozenset(attributes)
        rows = [name for name in self.classes if name in there[0]]
        columns = [name for name in self.attributes if name in there[1]]
        for shared, own, others in (
            (rows, self.classes, classes),
            (columns, self.attributes, attributes),
        ):
            if not shared:
                raise NothingSharedError(
                    f"Relatedness and task share no label: it names {', '.join(own)}, the task "
                    f"has {', '.join(others)}."
                )
        if len(rows) == 1:
            raise NothingSharedError(
                f"The relatedness names a single class of the task, {rows[0]}: no choice."
            )
        return self.restrict(rows, columns)

    @property
    def likelihood(self) -> np.ndarray:
        """P(attribute i | class k) away from 0 and 1, [K, M] float32: for logarithms.

        A counted table is smoothed after Laplace, (n P + 1) / (n + 2), and clipped to [0.02, 0.98];
        any other, whose zeros and ones mean "hardly ever" and "nearly always", becomes
        0.9 P + 0.05.
        """
        if self.counts is None:
            return 0.9 * self.conditional + 0.05
        return smoothed(self.counts * self.conditional, self.counts)

    def to_dict(self) -> dict[str, Any]:
        """Return the relatedness as values that JSON can hold."""
        return {
            "classes": list(self.classes),
            "attributes": list(self.attributes),
            "conditional": self.conditional.tolist(),
            "weights": self.weights.tolist(),
            "citation": self.citation,
            "prior": None if self.prior is None else self.prior.tolist(),
            "counts": None if self.counts is None else self.counts.tolist(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Relatedness:
        """Return the relatedness that `to_dict` described.

        Raises:
            ValueError: If a field is missing or unknown, or breaks its rule.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        missing = sorted(known - {"prior", "counts"} - set(values))
        unknown = sorted(set(values) - known)
        if missing or unknown:
            raise ValueError(
                f"A relatedness has the fields {sorted(known)}; missing: {missing}, "
                f"unknown: {unknown}."
            )
        return cls(**values)

    def to_json(self, path: str | Path) -> None:
        """Write the relatedness to a JSON file, atomically."""
        write_atomically(expand_home(str(path)), json.dumps(self.to_dict(), indent=1))

    @classmethod
    def from_json(cls, path: str | Path) -> Relatedness:
        """Read what `to_json` wrote.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If the file is no JSON object with the fields of a relatedness.
        """
        path = Path(expand_home(str(path)))
        if not path.is_file():
            raise FileNotFoundError(f"No relatedness file at {path}.")
        try:
            values = read_json(path)
        except ValueError as error:
            raise ValueError(f"The relatedness file {path} is not JSON: {error}.") from error
        if not isinstance(values, dict):
            raise ValueError(f"The relatedness file {path} must hold one JSON object.")
        try:
            return cls.from_dict(values)
        except ValueError:
            raise
        except MALFORMED as error:
            raise ValueError(f"The relatedness file {path} is damaged: {error}.") from error


def smoothed(active: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the likelihood of counted annotations, see `Relatedness.likelihood`."""
    return np.clip((active + 1.0) / (counts + 2.0), 0.02, 0.98)


def _positions(kind: str, names: Sequence[str] | None, known: tuple[str, ...]) -> list[int]:
    if names is None:
        return list(range(len(known)))
    places = {name: place for place, name in enumerate(known)}
    unknown = [name for name in names if name not in places]
    if unknown:
        raise ValueError(f"The relatedness has no {kind} {unknown}. Known: {list(known)}.")
    return [places[name] for name in names]
