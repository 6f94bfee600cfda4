"""The pipeline: frames, their faces, batches of faces, predictions, in order."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence

from mtl_dm import faces
from mtl_dm.predicting.ahead import map_ahead
from mtl_dm.predicting.finding import Found, crop_size, find
from mtl_dm.predicting.frames import Frame, count, readers
from mtl_dm.predicting.inputs import Inputs
from mtl_dm.predicting.options import Options
from mtl_dm.predicting.pictures import Canvas
from mtl_dm.predicting.predictor import Prediction, Predictor
from mtl_dm.progress import progress

_WAITING = 64  # images without faces that may wait for a batch to fill
_AHEAD = 32  # images that are looked at while a batch is predicted and written


@dataclasses.dataclass(eq=False)
class Detected:
    """An image and the faces detected in it.

    Args:
        frame: Where it comes from; without the image.
        found: Its faces.
        reason: Why there are none.
        canvas: The photo to annotate; None: it is not to be.
    """

    frame: Frame
    found: list[Found]
    reason: str | None
    canvas: Canvas | None


Result = tuple[Detected, list[Prediction]]
"""An image, and a prediction for each of its faces."""


def run_pipeline(
    inputs: Inputs, predictor: Predictor, engine: faces.Engine, options: Options
) -> Iterator[Result]:
    """Yield every image, in order, with a prediction for each of its faces.

    Faces of several images share a batch; memory does not grow with the number of images.

    Args:
        inputs: What to predict.
        predictor: Predicts aligned faces.
        engine: Finds faces.
        options: How.
    """
    looked_at = _detect(inputs, crop_size(predictor.size), engine, options)
    work = functools.partial(_predict, predictor=predictor)
    groups = batches(looked_at, predictor.batch_size)
    threads = options.threads_that_fit()
    for predicted in map_ahead(work, groups, threads, threads):
        yield from predicted


def batches(looked_at: Iterable[Detected], size: int) -> Iterator[list[Detected]]:
    """Yield images in groups that have a batch of faces at most, if not one image has more.

    A face beyond a batch would cost a second one, filled up with grey.

    Args:
        looked_at: Images, taken one by one.
        size: Faces a batch.
    """
    waiting: list[Detected] = []
    ready = 0
    for detected in looked_at:
        if waiting and (ready + len(detected.found) > size or len(waiting) >= _WAITING):
            yield waiting
            waiting, ready = [], 0
        waiting.append(detected)
        ready += len(detected.found)
    if waiting:
        yield waiting


def _predict(batch: Sequence[Detected], predictor: Predictor) -> list[Result]:
    predictions = iter(predictor([face.crop for detected in batch for face in detected.found]))
    return [(detected, [next(predictions) for _ in detected.found]) for detected in batch]


def _detect(
    inputs: Inputs, size: int, engine: faces.Engine, options: Options
) -> Iterator[Detected]:
    """Yield every image with its faces; the next ones are looked at while these are predicted."""

    def look(read: Callable[[], Frame]) -> Detected:
        return _look(read(), size, engine, options)

    total = count(inputs.items, options.fps)
    reads = readers(inputs.items, options.fps)
    with progress("images looked at", total) as done:
        for detected in map_ahead(look, reads, options.threads_that_fit(), _AHEAD):
            yield detected
            done(1)


def _look(frame: Frame, size: int, engine: faces.Engine, options: Options) -> Detected:
    found: list[Found] = []
    reason, canvas = frame.reason, None
    if frame.image is not None:
        seen, reason = find(frame.image, engine, size, options.sides, options.min_score)
        found = [each.magnified(frame.scale) for each in seen]
        if options.pictures and not frame.item.is_video:
            canvas = Canvas.of(frame.image, frame.scale)
    # Without the image itself: 64 large photos in waiting would fill the memory.
    return Detected(dataclasses.replace(frame, image=None), found, reason, canvas)
