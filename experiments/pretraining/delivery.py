"""From the trained model to the folder in the package: files, measurements, card."""

from __future__ import annotations

import argparse
import json
import shlex
from pathlib import Path
from typing import Any

from experiments.pretraining import measuring, recipe, sets
from experiments.pretraining.card import card_of
from experiments.pretraining.recipe import Photos, labels_of
from experiments.pretraining.shipping import calibrate, framed, ship
from experiments.problems.real_faces_data import RealFaces
from mtl_dm import data, faces
from mtl_dm.cards.writing import write_card
from mtl_dm.data.arrays import encode
from mtl_dm.measuring.scoring import METRICS_FILE, load_model, score
from mtl_dm.measuring.temperatures import calibration_file, read_temperatures
from mtl_dm.models import MultiTaskModel
from mtl_dm.pretrained import DEFAULT
from mtl_dm.runs.record import write_record
from mtl_dm.training.resuming import Progress

RUNS = Path("runs/pretrain")
"""Where the recipe leaves what it makes, unless it is told another folder."""
HELD_OUT = "a tenth of FER2013's Training"
MAIN_TEST, LFW = "FER2013 PublicTest", "unseen people of LFW"


def deliver(model: MultiTaskModel, progress: Progress, photos: Photos, target: Path) -> Path:
    """Write checkpoint, temperatures and run record; return the checkpoint's path.

    Args:
        model: The trained one.
        progress: How it got there.
        photos: What it was trained on.
        target: Folder of the shipped files.
    """
    path = target / f"{DEFAULT}.keras"
    ship(model, path)
    held_out = photos.held_out
    labels = labels_of(held_out, photos.thresholds)
    source = data.from_arrays(framed(held_out.images), labels, recipe.TASKS)
    calibrate(path, source.map(_as_taken), HELD_OUT)
    annotations = [_annotations(labels_of(part, photos.thresholds)) for part in photos.train]
    summary = data.summarize(annotations, recipe.TASKS)
    write_record(
        target,
        config=recipe.config_of().to_dict(),
        annotated=summary.annotated,
        base_rates=summary.base_rates,
        seconds=progress.seconds,
    )
    return path


def _as_taken(image: Any, labels: Any, masks: Any) -> tuple[Any, Any, Any]:
    return data.network_input(image, faces.SIZE), labels, masks


def _annotations(labels: dict[str, Any]) -> dict[str, Any]:
    return {
        task.name: encode(task, labels[task.name], len(labels[task.name])) for task in recipe.TASKS
    }


def measure(
    path: Path,
    photos: Photos,
    of: RealFaces,
    engine: faces.Engine,
    options: argparse.Namespace,
    command: str,
) -> dict[str, Any]:
    """Measure the shipped file, write its card and return it.

    Args:
        path: The file.
        photos: Has the thresholds of the movements.
        of: Has the test images.
        engine: Finds landmarks.
        options: `data_dir` of the photos and `output` of the run.
        command: What was typed.
    """
    root = options.output / "test"
    sources = {name: root / name for name in (sets.PUBLIC_TEST, sets.LFW_PEOPLE)}
    sets.write_public_test(of.test, photos.thresholds, sources[sets.PUBLIC_TEST])
    lfw = Path(options.data_dir) / "lfw_expressions"
    sets.write_lfw(lfw, photos.thresholds, sources[sets.LFW_PEOPLE])
    built = root / "datasets"
    names = [sets.built(name, source, built) for name, source in sources.items()]
    score(str(path), names, str(built), root)
    said = json.loads((root / METRICS_FILE).read_text(encoding="utf-8"))["metrics"]
    model, temperatures = load_model(path), read_temperatures(path)
    tests = {}
    speed = 0.0
    for title, name in zip((MAIN_TEST, LFW), names, strict=True):
        test = measuring.read(model, name, str(built))
        tests[title] = measuring.measured(model, test, temperatures, engine, said[name])
        right = tests[title]["tasks"][recipe.EXPRESSION.name]["accuracy"]["value"]
        _require_same(title, right, said[name][recipe.EXPRESSION.name]["accuracy"])
        speed = speed or measuring.faces_per_second(model, test.images)
    evaluate = ["python", "-m", "mtl_dm.evaluate", f"--checkpoint={DEFAULT}"]
    # A place on this machine is nobody else's.
    shown = RUNS / "test" if root.is_absolute() else root
    evaluate += [f"--datasets={','.join(names)}", f"--data_dir={shown / 'datasets'}"]
    evaluate += [f"--output={shown}"]
    fits = json.loads(calibration_file(path).read_text(encoding="utf-8"))
    fits = {name: fits[name] for name in ("sha256", "fitted_on", "tasks")}
    again = [shlex.join(evaluate)]
    card = card_of(DEFAULT, model, path, photos, of, tests, speed, fits, command, again)
    write_card(path.parent, card)
    return card


def _require_same(title: str, ours: float, evaluated: float) -> None:
    """Check that the card says what `python -m mtl_dm.evaluate` does; a logit may tie.

    Raises:
        ValueError: If not.
    """
    if abs(ours - evaluated) > 1e-3:
        raise ValueError(
            f"{title}: the card would say {ours:.4f}, but mtl_dm.evaluate {evaluated:.4f}."
        )
