"""What each row makes of a target: from frozen features, or as a network trained whole.

Names after Vielzeuf et al. 2019, Tables 3 and 6.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import numpy as np

from experiments.transferring import representations as made
from experiments.transferring.heads import Head, fine_tuned, fit_head, outputs_for
from experiments.transferring.rows import (
    detected_of,
    outputs_of,
    pairs_of,
    testing_rows,
    training_rows,
)
from experiments.transferring.setting import Setting
from experiments.transferring.sources import PUBLIC, logits_of, trunk_of
from experiments.transferring.targets import (
    PEOPLE,
    TASK,
    Target,
    scores,
    told_apart,
    verified,
)
from mtl_dm.distilling.pictures import network_inputs
from mtl_dm.distilling.run import student_of
from mtl_dm.files import MALFORMED, read_json, strict_json, write_atomically
from mtl_dm.fusing.sources import standard_of
from mtl_dm.fusing.widths import layer_widths
from mtl_dm.models.finite import require_finite
from mtl_dm.models.loading import load_keras

CNN, P_CNN, CONCAT, BT, BCT, ORIGINAL = "CNN", "P-CNN", "Concat", "BT", "BCT", "original"
STUDENT_TUNED, CONTROL_TUNED = "student, fine-tuned", "E_MT, fine-tuned"
COMBINED = 3
"""Sources of which BCT tries every combination: the best ones of BT."""
FROZEN = (*made.OPERATORS, made.CONTROL, made.STUDENT, *made.SWEEP)
WHOLE = {STUDENT_TUNED: made.STUDENT, CONTROL_TUNED: made.CONTROL}


class Job(NamedTuple):
    """One target in one run with one seed."""

    setting: Setting
    target: Target
    seed: int


class Ranking(NamedTuple):
    """The sources, the best for a target first.

    Attributes:
        sources: Their names.
        seconds: CPU-seconds that it took to find out.
        is_new: Whether this call has found it out.
    """

    sources: tuple[str, ...]
    seconds: float
    is_new: bool


Measure = Callable[[], dict[str, float]]
"""Says what a row reaches on a target."""


def trained(setting: Setting, target: Target, row: str, seed: int) -> made.Trained:
    """Train a row on a target, and return what measures it.

    Args:
        setting: Of the run.
        target: The target.
        row: One of Tables 3, 4 and 6, or of the sweep.
        seed: Of all that is trained.

    Raises:
        ValueError: If the target lacks training rows.
    """
    job = Job(setting, target, seed)
    earlier = 0.0
    if row == BT:
        # BT's cell has the cost of the search, whoever made it: it may be a run that was killed.
        ranking = ranked(job)
        earlier = 0.0 if ranking.is_new else ranking.seconds
    measure = _trained(job, row)
    return made.Trained(lambda: {TASK: measure()}, earlier)


def _trained(job: Job, row: str) -> Measure:
    if row == ORIGINAL:
        return functools.partial(_original, job)
    if row == BT:
        return _frozen(job, _side_by_side(job, ranked(job).sources[:1]))
    if row == BCT:
        return _frozen(job, _side_by_side(job, _best_combination(job)))
    if row == CONCAT:
        return _concatenated(job)
    if row in FROZEN:
        return _frozen(job, job.setting.features(row, job.seed))
    return _whole(job, row)


def _frozen(job: Job, features: np.ndarray) -> Measure:
    """Return what features reach: of people by themselves, else under an MLP."""
    pool = job.setting.pool
    test = testing_rows(job.target, pool, job.seed)
    if job.target.kind == PEOPLE:
        training_rows(job.target, pool, job.seed)  # Says where there is none.
        return lambda: _verified(job, features[test.places])
    head = _head(job, features)
    return lambda: _scored(job, head(features[test.places]))


def _head(job: Job, features: np.ndarray, widths: Sequence[int] | None = None) -> Head:
    train = training_rows(job.target, job.setting.pool, job.seed)
    return fit_head(
        features[train.places].astype(np.float32),
        train.labels,
        job.target.kind,
        outputs_of(train),
        epochs=job.setting.size.head_epochs,
        seed=job.seed,
        **({} if widths is None else {"widths": widths}),
    )


def _scored(job: Job, outputs: np.ndarray) -> dict[str, float]:
    pool = job.setting.pool
    labels = testing_rows(job.target, pool, job.seed).labels
    return scores(job.target, outputs, labels, detected_of(job.target, pool, job.seed))


def _verified(job: Job, embeddings: np.ndarray) -> dict[str, float]:
    return verified(embeddings, pairs_of(job.target, job.setting.pool, job.seed))


def _side_by_side(job: Job, names: Sequence[str]) -> np.ndarray:
    """Return sources' features of all images, each brought to one scale."""
    sources = job.setting.fused()
    standard = standard_of(sources, job.setting.parts()[0])
    rows = standard(sources.rows(np.arange(len(sources))))
    return np.concatenate([rows[:, sources.slices[name]] for name in names], axis=1)


def _error(job: Job, features: np.ndarray) -> float:
    """Return how features do on training rows that were held back, smaller is better."""
    if job.target.kind != PEOPLE:
        return _head(job, features).error
    train = training_rows(job.target, job.setting.pool, job.seed)
    return 1.0 - told_apart(features[train.places], train.labels)


def ranked(job: Job) -> Ranking:
    """Return the sources, the best for a target first; found once for all rows that ask.

    Raises:
        ValueError: If what was found is damaged; names the file.
    """
    path = job.setting.path("rankings", job.target.name, job.seed, ".json")
    if path.is_file():
        try:
            kept = read_json(path)
            return Ranking(tuple(kept["sources"]), float(kept["cpu_seconds"]), False)
        except MALFORMED as error:
            raise ValueError(f"The ranking {path} is damaged ({error}); delete it.") from error
    started = time.process_time()
    errors = {n: _error(job, _side_by_side(job, [n])) for n in job.setting.sources}
    found = Ranking(
        tuple(sorted(errors, key=lambda name: errors[name])), time.process_time() - started, True
    )
    content = {"sources": found.sources, "errors": errors, "cpu_seconds": found.seconds}
    write_atomically(path, strict_json(content))
    return found


def _best_combination(job: Job) -> tuple[str, ...]:
    best = ranked(job).sources[:COMBINED]
    tried = [
        names for count in range(1, len(best) + 1) for names in itertools.combinations(best, count)
    ]
    return min(tried, key=lambda names: _error(job, _side_by_side(job, names)))


def _concatenated(job: Job) -> Measure:
    """Return what an MLP of G's layers reaches on all sources; of people its last hidden layer."""
    features = _side_by_side(job, job.setting.sources)
    head = _head(job, features, layer_widths(features.shape[1]))
    test = testing_rows(job.target, job.setting.pool, job.seed)
    if job.target.kind == PEOPLE:
        return lambda: _verified(job, head(features[test.places], layer=-2))
    return lambda: _scored(job, head(features[test.places]))


def _whole(job: Job, row: str) -> Measure:
    """Return what a network reaches that is trained whole; of people its features."""
    setting, pool = job.setting, job.setting.pool
    train = training_rows(job.target, pool, job.seed)
    test = testing_rows(job.target, pool, job.seed)
    backbone = _start(job, row)
    network = fine_tuned(
        backbone,
        pool.images,
        train,
        job.target.kind,
        outputs_of(train),
        steps=setting.size.steps,
        seed=job.seed,
        rectified=row == P_CNN,
    )
    if job.target.kind == PEOPLE:
        # What the MLP had of them.
        rectified = functools.partial(np.maximum, 0.0) if row == P_CNN else np.asarray
        return lambda: _verified(job, rectified(outputs_for(backbone, pool.images, test.places)))
    return lambda: _scored(job, outputs_for(network, pool.images, test.places))


def _start(job: Job, row: str) -> keras.Model:
    setting = job.setting
    if row == P_CNN:
        return trunk_of(best_to_train(job), setting.size)
    if row in WHOLE:
        path = setting.path("networks", WHOLE[row], job.seed, ".keras")
        network = load_keras(path, compile=False)
        require_finite(f"The network {path}", network)
        return network
    keras.utils.set_random_seed(job.seed)
    return student_of(None, made.SIDE, setting.width())


def best_to_train(job: Job) -> str:
    """Return the best source of those that can be trained on: public graphs are frozen."""
    return next(name for name in ranked(job).sources if name not in PUBLIC)


def _original(job: Job) -> dict[str, float]:
    """Return what the source that was trained for a target says itself; of people its embedding."""
    pool, name = job.setting.pool, job.target.source
    test = testing_rows(job.target, pool, job.seed)
    if job.target.kind == PEOPLE:
        return _verified(job, job.setting.features(name, 0)[test.places])
    images = network_inputs(pool.images[test.places])
    return _scored(job, logits_of(name, job.setting.size, images))
