"""One process's part of the work: it reads, aligns, writes, and keeps its own journal."""

from __future__ import annotations

import dataclasses
import os
import socket
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2

from data_prep.faces.listing import RESERVED
from data_prep.faces.one_image import Options, Outcome, align_image
from data_prep.faces.records import Record
from mtl_dm import faces
from mtl_dm.files import require_regular_file, write_atomically


@dataclasses.dataclass(frozen=True)
class Job:
    """An image to do.

    Args:
        path: Relative to the source.
        output: Where its face goes, relative to the target.
        box: The annotated face.
    """

    path: str
    output: str
    box: faces.Box | None = None


@dataclasses.dataclass(frozen=True)
class Setup:
    """What a worker process is told once; can be pickled.

    Args:
        source: Folder of photos.
        target: Folder of faces.
        load_engine: Makes the detector, in the process that uses it.
        options: How images are aligned.
    """

    source: Path
    target: Path
    load_engine: Callable[[], faces.Engine]
    options: Options


class Worker:
    """Does jobs, one after the other.

    Each finished image is in the journal before the next one starts. The journal is a file of
    this worker alone, so that no line mixes with another's, and a line that a kill cut is a last
    one.
    """

    def __init__(self, setup: Setup) -> None:
        cv2.setNumThreads(1)  # one process a core; more threads would only wait for each other
        self._setup = setup
        self._engine = setup.load_engine()
        folder = journal_folder(setup.target)
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}.jsonl"
        self._journal = (folder / name).open("a", encoding="utf-8")

    def do(self, job: Job) -> Record:
        """Return what became of the image, after its face and its journal line are written.

        Raises:
            OSError: If the target cannot be written. An unreadable image is a record instead.
        """
        output = self._setup.target / job.output
        try:
            path = self._setup.source / job.path
            require_regular_file(path)  # It may have been exchanged since it was listed.
            data = path.read_bytes()
        except ValueError as error:
            data, outcome = b"", Outcome(reason=str(error))
        except OSError as error:
            data, outcome = b"", Outcome(reason=f"the file cannot be read ({error.strerror})")
        else:
            outcome = self._align(data, job)
        if outcome.jpeg is not None:
            write_atomically(output, outcome.jpeg)
        else:
            output.unlink(missing_ok=True)  # of a run before the photo was exchanged
        record = to_record(job, len(data), outcome)
        self._journal.write(record.to_line())
        self._journal.flush()  # to the system: a killed process loses nothing
        return record

    def _align(self, data: bytes, job: Job) -> Outcome:
        try:
            return align_image(data, job.box, self._engine, self._setup.options)
        except (cv2.error, ValueError, MemoryError) as error:
            # One odd image out of a million is not the end of the run.
            text = " ".join(str(error).split())
            return Outcome(reason=f"failed: {type(error).__name__} {text}"[:300])

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()


def to_record(job: Job, size: int, outcome: Outcome) -> Record:
    """Return an outcome as a record."""
    aligned = None if outcome.jpeg is None else job.output
    record = Record(job.path, size, job.box, aligned, outcome.reason, found=outcome.found)
    face = outcome.face
    if face is None:
        return record
    return dataclasses.replace(
        record,
        box=face.box,
        landmarks=tuple(face.landmarks.ravel().tolist()),
        score=face.score,
        plausible=face.plausible,
    )


def journal_folder(target: Path) -> Path:
    """Return the folder of journals."""
    return target / RESERVED / "journal"


def read_journals(target: Path) -> Iterator[Record]:
    """Yield the records of all journals of a target."""
    for path in sorted(journal_folder(target).glob("*.jsonl")):
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                record = Record.from_line(line)
                if record is not None:
                    yield record
