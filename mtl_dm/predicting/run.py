"""The whole command: inputs in, lines and annotated pictures out."""

from __future__ import annotations

import collections
import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path, PurePath

from mtl_dm import faces
from mtl_dm.files import open_atomically, strict_json, write_atomically
from mtl_dm.measuring.scoring import load_model
from mtl_dm.measuring.temperatures import read_temperatures
from mtl_dm.outputs import prepare_output
from mtl_dm.predicting.ahead import map_ahead
from mtl_dm.predicting.inputs import list_inputs
from mtl_dm.predicting.notices import notices
from mtl_dm.predicting.options import Options
from mtl_dm.predicting.pictures import annotated
from mtl_dm.predicting.pipeline import Detected, Result, run_pipeline
from mtl_dm.predicting.predictor import Prediction, Predictor
from mtl_dm.predicting.rows import Row, header, line
from mtl_dm.predicting.telling import Telling
from mtl_dm.pretrained import checkpoint_at
from mtl_dm.runs.origin import Origin, fingerprint, origin_of
from mtl_dm.runs.record import commit, versions
from mtl_dm.tasks import Task

PICTURES = "annotated"
ABOUT_FILE = "about.json"


def predict(
    checkpoint: str | Path, paths: Sequence[Path], output: Path, options: Options
) -> dict[str, int]:
    """Predict the faces of photos, folders and videos, and write what was found.

    Args:
        checkpoint: A `.keras` file of this package, or the name of a pretrained checkpoint.
        paths: Photos, folders, videos.
        output: Folder to write to.
        options: How.

    Returns:
        Counts of images, faces, images without a face, and by reason.

    Raises:
        FileNotFoundError: If a path or the checkpoint does not exist.
        ValueError: If there is nothing to look at or the checkpoint does not fit.
        ImportError: If the engine is not installed.
        OSError: If the output cannot be written.
    """
    inputs = list_inputs(paths, output)
    prepare_output(output, PICTURES)
    engine = faces.load_engine(options.engine)  # First: a model takes seconds to load.
    checkpoint = checkpoint_at(checkpoint)
    model = load_model(checkpoint)
    temperatures = read_temperatures(checkpoint)
    predictor = Predictor(model, temperatures, options.batch_size)
    origin = origin_of(checkpoint)
    for text in notices(checkpoint, origin, temperatures, predictor.size, inputs):
        print(text, flush=True)
    telling = Telling(predictor.tasks, origin.unseen)
    counts: collections.Counter[str] = collections.Counter()
    with open_atomically(output / f"predictions.{options.form}") as file:
        file.write(header(predictor.tasks, options.form))
        results = run_pipeline(inputs, predictor, engine, options)
        if options.pictures:
            threads = options.threads_that_fit()
            draw = functools.partial(_draw, tasks=predictor.tasks, origin=origin, output=output)
            results = map_ahead(draw, results, threads, threads)
        for detected, predictions in results:
            counts.update(_counts(detected))
            for row in _rows(detected, predictions):
                file.write(line(row, predictor.tasks, options.form))
                telling.add(row)
    for text in telling.lines():
        print(text)
    about = {
        "checkpoint": str(checkpoint),
        "sha256": fingerprint(checkpoint),
        "trained_on": origin.to_dict(),
        "temperatures": temperatures,
        "options": dataclasses.asdict(options),
        "counts": dict(counts),
        "commit": commit(),
        "versions": versions(),
    }
    write_atomically(output / ABOUT_FILE, strict_json(about))
    return dict(counts)


def _draw(result: Result, tasks: Sequence[Task], origin: Origin, output: Path) -> Result:
    """Write the annotated photo, where there is to be one, and return the result as it is."""
    detected, predictions = result
    picture = _picture(detected, predictions, tasks, origin)
    if picture is not None:
        write_atomically(output / PICTURES / _jpeg_name(detected.frame.item.place), picture)
    return result


def _rows(detected: Detected, predictions: Sequence[Prediction]) -> list[Row]:
    frame = detected.frame
    common = Row(frame.item.name, frame.index, frame.time)
    if not detected.found:
        return [dataclasses.replace(common, reason=detected.reason)]
    return [
        dataclasses.replace(
            common, face=number, box=face.box, score=face.score, prediction=prediction
        )
        for number, (face, prediction) in enumerate(
            zip((found.face for found in detected.found), predictions, strict=True), start=1
        )
    ]


def _counts(detected: Detected) -> dict[str, int]:
    if detected.frame.remark:
        return {"remarks on videos": 1}
    if detected.found:
        return {"images": 1, "images with faces": 1, "faces": len(detected.found)}
    return {"images": 1, str(detected.reason): 1}


def _picture(
    detected: Detected, predictions: Sequence[Prediction], tasks: Sequence[Task], origin: Origin
) -> bytes | None:
    if detected.canvas is None:
        return None
    # What nothing was annotated for is in the table, for the coupling may have taught it; in a
    # picture, where nobody reads how it came about, it would look like a finding.
    shown = [
        {
            task: {name: p for name, p in values.items() if name not in origin.unseen.get(task, ())}
            for task, values in each.items()
        }
        for each in predictions
    ]
    notes = [] if detected.reason is None else [detected.reason]
    notes += [] if origin.validated_on_people else ["Not validated on people."]
    notes += [
        f"Not shown, never annotated: {', '.join(names)}." for names in origin.unseen.values()
    ]
    return annotated(detected.canvas, detected.found, shown, tasks, "  ".join(notes) or None)


def _jpeg_name(place: PurePath) -> PurePath:
    # x.png and x.jpg of one folder must not become one file.
    return (
        place if place.suffix.lower() in (".jpg", ".jpeg") else place.with_name(f"{place.name}.jpg")
    )
