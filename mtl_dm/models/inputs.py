"""What a built model takes: one array, or a dictionary of arrays by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
import numpy as np

from mtl_dm.models.multi_task_model import MultiTaskModel


class InputSpec(NamedTuple):
    """One array that a model takes.

    Attributes:
        shape: Without the batch; None where a length is free.
        dtype: Name of its type.
    """

    shape: tuple[int | None, ...]
    dtype: str = "float32"

    @property
    def is_image(self) -> bool:
        """Whether it is a colour image [H, W, 3]."""
        return len(self.shape) == 3 and self.shape[-1] == 3

    @property
    def side(self) -> int | None:
        """The side of a square colour image of fixed size; None: it is none."""
        return self.shape[0] if self.is_image and self.shape[0] == self.shape[1] else None


Inputs = InputSpec | dict[str, InputSpec]


def inputs_of(model: MultiTaskModel) -> Inputs:
    """Return what a model takes, as it was built or, of one array, as its backbone says.

    Raises:
        ValueError: If the model is not built, or takes anything but one array or a dictionary of
            arrays by name.
    """
    built = (model.get_build_config() or {}).get("input_shape")
    if isinstance(built, Mapping) and all(map(_is_shape, built.values())):
        dtypes = _dtypes(model.backbone, len(built))
        # Keras flattens dictionaries by sorted names.
        ordered = dict(zip(sorted(built), dtypes, strict=True))
        return {name: InputSpec(_sizes(shape), ordered[name]) for name, shape in built.items()}
    shape = getattr(model.backbone, "input_shape", built)
    if not _is_shape(shape):
        raise ValueError(
            "The model must take one array or a dictionary of arrays by name; its input is "
            f"{built or shape}."
        )
    return InputSpec(_sizes(shape), *_dtypes(model.backbone, 1))


def single_image_side(inputs: Inputs) -> int | None:
    """Return the side of the square colour images that are all a model takes; None: it is not."""
    return inputs.side if isinstance(inputs, InputSpec) else None


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, (tuple, list)) and all(
        size is None or isinstance(size, int) for size in shape
    )


def _sizes(shape: Any) -> tuple[int | None, ...]:
    return tuple(shape[1:])


def _dtypes(backbone: Any, count: int) -> list[str]:
    """Return the types of a backbone's inputs; networks that do not say take float32."""
    inputs = getattr(backbone, "inputs", None) or []
    if len(inputs) != count:
        return ["float32"] * count
    # Arrays of any precision go in as float32.
    kinds = [keras.backend.standardize_dtype(each.dtype) for each in inputs]
    return ["float32" if "float" in kind else kind for kind in kinds]


def random_inputs(inputs: Inputs, count: int, seed: int) -> Any:
    """Return random arrays [count, ...] as a model takes them: in [-1, 1], of integers 0 or 1.

    Args:
        inputs: What the model takes, all sizes fixed.
        count: Rows.
        seed: The same gives the same.
    """
    rng = np.random.default_rng(seed)
    if isinstance(inputs, InputSpec):
        return _random(inputs, count, rng)
    return {name: _random(spec, count, rng) for name, spec in inputs.items()}


def _random(spec: InputSpec, count: int, rng: np.random.Generator) -> np.ndarray:
    shape = (count, *(size or 0 for size in spec.shape))
    if spec.dtype.startswith("float"):
        return rng.uniform(-1, 1, shape).astype(spec.dtype)
    return rng.integers(0, 2, shape).astype(spec.dtype)
