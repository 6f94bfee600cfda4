"""SavedModels of TensorFlow: the signature serving_default, whose outputs are its layers."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from mtl_dm.encoders.network import Network, image_size, only_output, require_layer
from mtl_dm.verifying.embedding import flat

_SIGNATURE = "serving_default"


def saved_model(path: Path, layer: str | None) -> Network:
    """Return the network of a SavedModel.

    Args:
        path: Its folder.
        layer: Name of an output of its signature; a SavedModel knows no layers inside it.

    Raises:
        ValueError: If it cannot be loaded, has no such signature or output, or does not take one
            batch of images.
    """
    import tensorflow as tf

    what = f"The encoder {path}"
    try:
        # Held by what runs it: TensorFlow keeps weights of a function only as long as its model.
        loaded = _loaded(path)
        signature = loaded.signatures[_SIGNATURE]
    except Exception as error:  # TensorFlow's are of a dozen types.
        raise ValueError(
            f"{what} is no SavedModel with the signature {_SIGNATURE}: {error}."
        ) from error
    inputs = signature.structured_input_signature[1]
    if len(inputs) != 1:
        raise ValueError(f"{what} must take images alone, its inputs are {', '.join(inputs)}.")
    ((name, spec),) = inputs.items()
    side, channels = image_size(what, spec.shape.as_list()[1:] if spec.shape.rank else ())
    outputs = sorted(signature.structured_outputs)
    chosen = only_output(what, outputs) if layer is None else layer
    require_layer(what, chosen, outputs)

    def run(images: np.ndarray, held: object = loaded) -> np.ndarray:
        del held
        return flat(signature(**{name: tf.constant(images, spec.dtype)})[chosen])

    parameters = sum(int(np.prod(each.shape)) for each in signature.variables)
    return Network(side, channels, run, parameters)


def _loaded(path: Path) -> Any:
    import tensorflow as tf

    # TensorFlow takes a folder called "a*[b]" for a pattern, so it reads one without a name.
    with tempfile.TemporaryDirectory() as plain:
        link = Path(plain) / "saved_model"
        link.symlink_to(path.absolute())
        return tf.saved_model.load(str(link))
