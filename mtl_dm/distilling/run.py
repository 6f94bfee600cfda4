"""The whole command: encoders and a folder of faces in, a student and a record out."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from mtl_dm.distilling.pictures import pictures
from mtl_dm.distilling.student import Training, agreement, through, train
from mtl_dm.encoders import Encoder, ImageFolder, cached, encoders_of
from mtl_dm.files import strict_json, write_atomically, written_beside
from mtl_dm.fusing import Fusion, Sources, fuse, random_errors
from mtl_dm.fusing.autoencoder import perceptron
from mtl_dm.fusing.operators import OPERATORS
from mtl_dm.fusing.sources import standard_of
from mtl_dm.fusing.widths import layer_widths
from mtl_dm.losses.cosine import cosine_distance
from mtl_dm.memory import require_batch
from mtl_dm.models import BACKBONES
from mtl_dm.models.counting import parameters_of
from mtl_dm.models.finite import require_finite
from mtl_dm.outputs import owned, remove_leftovers
from mtl_dm.progress import progress, spoken
from mtl_dm.runs.record import commit, versions

STUDENT_FILE, RECORD_FILE, _EMBEDDINGS = "student.keras", "distill.json", "embeddings"
LEAST_IMAGES = 20


@dataclasses.dataclass(frozen=True)
class Options:
    """What to distil, and how.

    Args:
        encoders: Specifications of `ENCODERS`, with commas between them.
        images: Folder of aligned faces.
        operator: A specification of `OPERATORS`.
        backbone: The student, a specification of `BACKBONES`; None: `resnet18_narrow`, as wide as
            the common embedding.
        image_size: Of the student's images.
        held_out: Share of the images on which operator and student are measured.
        direct: The control E_MT: student and decoder are trained at once, without an operator.
        training: Of the student.

    Raises:
        ValueError: If a name or a value is none.
    """

    encoders: str
    images: Path
    operator: str = "autoencoder"
    backbone: str | None = None
    image_size: int = 48
    held_out: float = 0.1
    direct: bool = False
    training: Training = dataclasses.field(default_factory=Training)

    def __post_init__(self) -> None:
        OPERATORS.spec(self.operator)
        if self.backbone is not None:
            BACKBONES.spec(self.backbone)
        if not 0 < self.held_out < 1:
            raise ValueError(f"held_out must lie in (0, 1), got {self.held_out}.")
        if self.image_size < 1:
            raise ValueError(f"image_size must be at least 1, got {self.image_size}.")


def distill(
    options: Options, output: Path, made_by: str, say: Callable[[str], object] = print
) -> dict[str, Any]:
    """Distil encoders into a student, and write it with a record of how.

    Args:
        options: What, and how.
        output: Folder; it holds the embeddings too, so that the same command goes on with them.
        made_by: The command, for the record.
        say: Told what each stage found.

    Returns:
        The record.

    Raises:
        FileNotFoundError: If an encoder or the folder of images is not there.
        ValueError: If one of them is none, the images changed since they were embedded, there are
            too few, or a network cannot be trained.
        ImportError: If an encoder needs what is not installed.
        OSError: If the output cannot be written.
    """
    with owned(output, deep=False):
        remove_leftovers(output / _EMBEDDINGS)
        encoders = encoders_of(options.encoders)
        images = ImageFolder(options.images)
        if len(images) < LEAST_IMAGES:
            raise ValueError(
                f"{options.images} must hold at least {LEAST_IMAGES} images, it holds "
                f"{len(images)}."
            )
        side = options.image_size
        require_batch(min(options.training.batch_size, len(images)), (side, side, 3))
        clock = _Clock()
        sources = _embedded(encoders, images, output)
        clock.stage("embeddings")
        say(f"embeddings: {len(images):,} images, {_widths(sources)}")
        # A student is bound by the terms of its teachers.
        say("licences: " + "; ".join(f"{each.name}: {each.licence}" for each in encoders))
        fitted, tested = split(len(images), options.held_out, options.training.seed)
        fusion = None if options.direct else _fused(options.operator, sources, fitted)
        clock.stage("operator")
        content = _measured(fusion, sources, tested, say)
        student, found = _student(options, output, sources, fusion, images, (fitted, tested), say)
        clock.stage("student")
        record = {
            "encoders": [_described(each, sources) for each in encoders],
            "options": {key: _plain(each) for key, each in dataclasses.asdict(options).items()},
            "images": {"fitted": len(fitted), "held_out": len(tested)},
            **content,
            "student": {**found, "parameters": parameters_of(student).trainable},
            "seconds": clock.seconds,
            "made_by": made_by,
            "commit": commit(),
            "versions": versions(),
        }
        _save(student, output / STUDENT_FILE)
        write_atomically(output / RECORD_FILE, strict_json(record))
    return record


def split(count: int, held_out: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the places to fit to and those to measure on, at least two each, drawn and sorted."""
    order = np.random.default_rng(seed).permutation(count)
    tested = min(max(2, round(held_out * count)), count - 2)
    return np.sort(order[tested:]), np.sort(order[:tested])


def _embedded(encoders: Sequence[Encoder], images: ImageFolder, output: Path) -> Sources:
    parts = []
    for encoder in encoders:
        with progress(f"{encoder.name}: images embedded", len(images)) as done:
            folder = output / _EMBEDDINGS / encoder.name
            parts.append(cached(encoder, images, folder, noted=done))
    return Sources(tuple(parts))


def _fused(operator: str, sources: Sources, fitted: np.ndarray) -> Fusion:
    shown: list[Callable[[int], object]] = []
    told = 0
    with contextlib.ExitStack() as stack:

        def noted(step: int, steps: int, error: float) -> None:
            nonlocal told
            del error
            if not shown:
                shown.append(stack.enter_context(progress("steps of the operator", steps)))
            shown[0](step - told)
            told = step

        return fuse(operator, sources, fitted, noted)


def _measured(
    fusion: Fusion | None, sources: Sources, tested: np.ndarray, say: Callable[[str], object]
) -> dict[str, Any]:
    """Return what the operator loses on held-out images, beside what chance does."""
    if fusion is None:
        return {"operator": None}
    errors, chance = fusion.errors(sources, tested), random_errors(sources, tested)
    listed = ", ".join(f"{name} {errors[name]:.2f} ({chance[name]:.2f})" for name in errors)
    say(f"operator: {sources.width:,} -> {fusion.size:,} numbers; normalised RMSE of held-out "
        f"images, of random embeddings in brackets: {listed}")  # fmt: skip
    return {"operator": {"size": fusion.size, "nrmse": errors, "nrmse_of_random": chance}}


def _student(
    options: Options,
    output: Path,
    sources: Sources,
    fusion: Fusion | None,
    images: ImageFolder,
    places: tuple[np.ndarray, np.ndarray],
    say: Callable[[str], object],
) -> tuple[keras.Model, dict[str, Any]]:
    """Return the trained student and what it reaches."""
    fitted, tested = places
    size = fusion.size if fusion is not None else layer_widths(sources.width)[-1]
    keras.utils.set_random_seed(options.training.seed)
    student = student_of(options.backbone, options.image_size, size)

    started, epochs = time.monotonic(), options.training.epochs

    def noted(epoch: int, loss: float) -> None:
        left = (time.monotonic() - started) / epoch * (epochs - epoch)
        rest = f", about {spoken(left)} left" if epoch < epochs else ""
        say(f"student: epoch {epoch} of {epochs}, loss {loss:.4f}{rest}")

    with pictures(images, options.image_size, output) as stored:
        if fusion is None:
            standard = standard_of(sources, fitted)
            decoder = perceptron(
                "decoder", size, [*layer_widths(sources.width, size)[-2::-1], sources.width]
            )
            network = through(student, decoder)
            losses = train(
                network, "mse", stored, lambda at: standard(sources.rows(at)), fitted,
                options.training, noted,
            )  # fmt: skip
            return student, {"losses": losses}

        def wanted(at: np.ndarray) -> np.ndarray:
            return fusion.embed(sources.rows(at))

        losses = train(student, cosine_distance, stored, wanted, fitted, options.training, noted)
        cosine, constant = agreement(student, stored, wanted, tested, fitted)
    say(
        f"student: mean cosine with the teacher {cosine:.3f} on held-out images (the best "
        f"constant: {constant:.3f})"
    )
    if not math.isfinite(cosine):
        raise ValueError(
            "The student gives what is not finite, and is not saved: a smaller learning_rate may "
            "help."
        )
    if cosine <= constant:
        say(
            "student: no better than a constant: it needs more steps (--epochs) or more images; it "
            f"had {len(losses) * max(1, len(fitted) // options.training.batch_size)} steps"
        )
    return student, {"losses": losses, "cosine": cosine, "cosine_of_constant": constant}


def student_of(backbone: str | None, image_size: int, size: int) -> keras.Model:
    """Return a student whose features are a common embedding.

    Args:
        backbone: A specification of `BACKBONES`; None: `resnet18_narrow`.
        image_size: Pixels a side.
        size: Numbers of the embedding.

    Raises:
        ValueError: If the backbone gives features of another size, or none for all tasks.
    """
    text = backbone or f"resnet18_narrow(projection={size})"
    student = BACKBONES.create(text, (image_size, image_size, 3))
    shape = getattr(student, "output_shape", None)
    if shape != (None, size):
        raise ValueError(
            f"The student {text} must give {size} features, as the operator does; it gives {shape}."
        )
    return student


def _save(student: keras.Model, path: Path) -> None:
    require_finite("The student", student)
    with written_beside(path) as written:
        student.save(written)


def _described(encoder: Encoder, sources: Sources) -> dict[str, Any]:
    part = next(each for each in sources.parts if each.name == encoder.name)
    return {
        "name": encoder.name,
        "width": part.width,
        "side": encoder.side,
        "parameters": encoder.network.parameters,
        "sha256": encoder.fingerprint,
        "licence": encoder.licence,
    }


def _widths(sources: Sources) -> str:
    return ", ".join(f"{part.name} {part.width:,}" for part in sources.parts)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


class _Clock:
    """Seconds of each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.monotonic()

    def stage(self, name: str) -> None:
        now = time.monotonic()
        self.seconds[name], self._since = round(now - self._since, 1), now
