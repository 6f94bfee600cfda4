"""The same work on a cluster, under Apache Beam (extra `beam`).

Source and target must be folders that every machine of the cluster sees under the same path.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import Any

from data_prep.faces.worker import Job, Setup, Worker

RUNNERS = ("DirectRunner", "FlinkRunner", "SparkRunner", "DataflowRunner")


def run_on_beam(
    jobs: Sequence[Job], setup: Setup, runner: str, arguments: Sequence[str] = ()
) -> None:
    """Do all jobs with a Beam runner and wait for the end; the records are in the journals.

    A bundle that a runner repeats writes the same files again and a second record of the same
    content.

    Args:
        jobs: What to do.
        setup: How.
        runner: One of `RUNNERS`.
        arguments: Options of Beam and of the runner, as on its command line.

    Raises:
        ImportError: If Apache Beam is not installed.
    """
    try:
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError as error:
        raise ImportError(
            f"--runner={runner} needs Apache Beam, in an environment of its own: "
            "pip install 'mtl-dm[beam,faces-tiny]'"
        ) from error

    class Align(beam.DoFn):
        """A worker for each instance; the runner makes one for every process or thread."""

        def __init__(self, setup: Setup) -> None:
            self._told = setup
            self._worker: Worker | None = None

        def setup(self) -> None:
            self._worker = Worker(self._told)

        def process(self, job: Job) -> Iterable[Any]:
            if self._worker is not None:
                yield self._worker.do(job).path

        def teardown(self) -> None:
            if self._worker is not None:
                with contextlib.suppress(OSError):
                    self._worker.close()

    options = PipelineOptions([f"--runner={runner}", *arguments], save_main_session=False)
    with beam.Pipeline(options=options) as pipeline:
        (
            pipeline
            | "Images" >> beam.Create(jobs)
            # Else one process gets them all.
            | "Spread" >> beam.Reshuffle()
            | "Align" >> beam.ParDo(Align(setup))
        )
