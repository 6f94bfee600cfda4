"""What is made of the unlabelled faces: the sources' features, operators, student and control.

Each row leaves its features of every image, and the student's rows their network too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from experiments.transferring.heads import fit_head, outputs_for
from experiments.transferring.setting import Setting
from experiments.transferring.sources import encoder_of, file_of
from experiments.transferring.targets import NUMBERS
from mtl_dm.distilling.run import student_of
from mtl_dm.distilling.student import Training, agreement, through, train
from mtl_dm.encoders import ImageArray, cached
from mtl_dm.fusing import Fusion, fuse, normalised_errors, random_errors
from mtl_dm.fusing.autoencoder import perceptron
from mtl_dm.fusing.sources import BATCH, standard_of
from mtl_dm.fusing.widths import layer_widths
from mtl_dm.losses.cosine import cosine_distance
from mtl_dm.models.counting import parameters_of

PCA, AE, VAE, DAE = "PCA", "AE", "VAE", "DAE"
OPERATORS = {PCA: "pca", AE: "autoencoder", VAE: "variational", DAE: "denoising"}
STUDENT, CONTROL, RANDOM = "student", "E_MT", "random"
SWEPT = (8, 32, 64, 256)
"""Sizes of the common embedding beside the paper's factor, which is the row AE."""
RECONSTRUCTION, COST, SIZE = "reconstruction", "cost", "size"
NRMSE = "nrmse"
TRAINING, MEASURING = "cpu_seconds", "measuring_cpu_seconds"
SIDE = 48
Metrics = dict[str, Mapping[str, float]]


class Trained(NamedTuple):
    """A row that is ready to be measured: what training takes and what measuring takes is apart.

    Attributes:
        measure: Measures it, and leaves what only that brings.
        earlier: CPU-seconds of what it needs and an earlier process has computed.
    """

    measure: Callable[[], Metrics]
    earlier: float = 0.0


def swept(size: int) -> str:
    """Return the row of an autoencoder of some size."""
    return f"{AE}, {size} numbers"


SWEEP = {swept(size): size for size in SWEPT}


def trained(setting: Setting, row: str, seed: int) -> Trained:
    """Make what a row leaves, and return what measures it.

    Args:
        setting: Of the run.
        row: A source, an operator, the student, its control, or random embeddings.
        seed: Of all that is trained.
    """
    if row in setting.sources:
        return _source(setting, row)
    if row == RANDOM:
        return Trained(lambda: _errors(random_errors(setting.fused(), setting.parts()[1], seed)))
    if row == STUDENT:
        return _student(setting, seed)
    if row == CONTROL:
        return _control(setting, seed)
    return _operator(setting, row, seed)


def _source(setting: Setting, name: str) -> Trained:
    encoder = encoder_of(name, setting.size)
    folder = setting.path("embeddings", name, 0, "")
    found = cached(encoder, ImageArray(setting.pool.images), folder)
    rows = found.rows(np.arange(len(found)))
    _save(setting, name, 0, rows.astype(np.float16))
    held = encoder.network.parameters
    own = file_of(name, setting.size) is not None
    known = {
        "width": float(found.width),
        "parameters": float("nan") if held is None else float(held),
        "trainable": float(own),
    }
    return Trained(lambda: {SIZE: known})


def _operator(setting: Setting, row: str, seed: int) -> Trained:
    sources, (fitted, tested) = setting.fused(), setting.parts()
    fusion = fuse(_text(setting, row, seed), sources, fitted)
    every = np.arange(len(sources))
    codes = np.concatenate([fusion.embed(rows) for rows in sources.batches(every)])
    _save(setting, row, seed, codes)
    known = {"width": float(fusion.size), "parameters": _parameters(fusion)}
    return Trained(lambda: {**_errors(fusion.errors(sources, tested)), SIZE: known})


def _text(setting: Setting, row: str, seed: int) -> str:
    if row == PCA:
        return OPERATORS[PCA]
    size = f"size={SWEEP[row]}, " if row in SWEEP else ""
    name = OPERATORS.get(row, OPERATORS[AE])
    return f"{name}({size}steps={setting.size.operator_steps}, seed={seed})"


def _parameters(fusion: Fusion) -> float:
    """Return the parameters of G, without its decoder."""
    encoder = getattr(fusion.operator, "encoder", None)
    if encoder is not None:
        return float(encoder.count_params())
    return float(getattr(fusion.operator, "components", np.empty(0)).size)


def _student(setting: Setting, seed: int) -> Trained:
    wanted = setting.features(AE, seed)
    fitted, tested = setting.parts()
    keras.utils.set_random_seed(seed)
    student = student_of(None, SIDE, wanted.shape[1])
    images = setting.pool.images
    training = Training(setting.size.student_epochs, seed=seed)
    train(student, cosine_distance, images, lambda at: wanted[at], fitted, training)
    kept = _kept(setting, STUDENT, seed, student)

    def measure() -> Metrics:
        cosine, constant = agreement(student, images, lambda at: wanted[at], tested, fitted)
        agreed = {"cosine": cosine, "cosine_of_constant": constant}
        return {**kept.measure(), "distillation": agreed}

    return Trained(measure)


def _control(setting: Setting, seed: int) -> Trained:
    sources, size = setting.fused(), setting.width()
    fitted, _ = setting.parts()
    standard = standard_of(sources, fitted)
    keras.utils.set_random_seed(seed)
    student = student_of(None, SIDE, size)
    widths = [*layer_widths(sources.width, size)[-2::-1], sources.width]
    network = through(student, perceptron("decoder", size, widths))
    training = Training(setting.size.student_epochs, seed=seed)
    images = setting.pool.images
    train(network, "mse", images, lambda at: standard(sources.rows(at)), fitted, training)
    return _kept(setting, CONTROL, seed, student)


def _kept(setting: Setting, row: str, seed: int, student: keras.Model) -> Trained:
    setting.keep("networks", row, seed, ".keras", student.save)

    def measure() -> Metrics:
        images = setting.pool.images
        features = outputs_for(student, images, np.arange(len(images)))
        _save(setting, row, seed, features)
        parameters = float(parameters_of(student).trainable)
        known = {"width": float(features.shape[1]), "parameters": parameters}
        return {**_errors(decoded(setting, features, seed)), SIZE: known}

    return Trained(measure)


def decoded(setting: Setting, features: np.ndarray, seed: int) -> dict[str, float]:
    """Return the normalised RMSE of a decoder that is trained to restore the sources.

    Vielzeuf et al. 2019, section 4.3: of the student's and the control's features, of the same
    layers as G's mirror.

    Args:
        setting: Of the run.
        features: [R, K] of all images.
        seed: Of the decoder.
    """
    sources, (fitted, tested) = setting.fused(), setting.parts()
    standard = standard_of(sources, fitted)
    head = fit_head(
        features[fitted],
        standard(sources.rows(fitted)),
        NUMBERS,
        sources.width,
        widths=layer_widths(sources.width, features.shape[1])[-2::-1],
        epochs=setting.size.head_epochs,
        seed=seed,
    )
    pairs = (
        (sources.rows(at), standard.inverse(head(features[at])))
        for at in np.array_split(tested, -(-len(tested) // BATCH))
    )
    return normalised_errors(pairs, sources.slices)


def _errors(errors: Mapping[str, float]) -> Metrics:
    mean = float(np.mean(list(errors.values())))
    return {RECONSTRUCTION: {NRMSE: mean, **{f"{NRMSE}/{n}": e for n, e in errors.items()}}}


def _save(setting: Setting, row: str, seed: int, features: np.ndarray) -> None:
    setting.keep("features", row, seed, ".npy", lambda path: _write(path, features))


def _write(path: Path, features: np.ndarray) -> None:
    with path.open("wb") as file:  # By its name np.save would add a suffix.
        np.save(file, features)
