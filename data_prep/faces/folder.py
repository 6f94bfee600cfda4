"""The alignment of a folder: what is to do, what is done already, and the files at the end."""

from __future__ import annotations

import collections
import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from data_prep.faces.listing import RESERVED, Listing, list_photos, output_names
from data_prep.faces.one_image import Options
from data_prep.faces.records import Record, faces_csv, undetected_csv
from data_prep.faces.sheets import aligned_sheet, failures_sheet
from data_prep.faces.worker import Job, read_journals
from mtl_dm import faces
from mtl_dm.files import MALFORMED, parse_json, printable, write_atomically
from mtl_dm.outputs import remove_leftovers
from mtl_dm.runs.record import plugins_named


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is to do.

    Args:
        source: Folder of photos.
        target: Folder of faces.
        listing: What the source holds.
        jobs: One for each photo, sorted by path.
        done: Those that an earlier run finished, by path.
        boxes_without_photo: Paths of the boxes that no photo has.
    """

    source: Path
    target: Path
    listing: Listing
    jobs: tuple[Job, ...]
    done: Mapping[str, Record]
    boxes_without_photo: tuple[str, ...]

    @property
    def pending(self) -> list[Job]:
        """The jobs that are left."""
        return [job for job in self.jobs if job.path not in self.done]


def plan(source: Path, target: Path, boxes: Mapping[str, faces.Box]) -> Plan:
    """Return what is to do; looks at both folders and changes nothing.

    Raises:
        FileNotFoundError: If the source does not exist.
        ValueError: If one folder lies in the other, or two photos would become one file.
    """
    inside, outside = target.resolve(), source.resolve()
    if inside.is_relative_to(outside) or outside.is_relative_to(inside):
        raise ValueError(f"--target={target} and --source={source} must not contain each other.")
    listing = list_photos(source)
    outputs = output_names(listing.photos)
    jobs = [Job(photo.path, outputs[photo.path], boxes.get(photo.path)) for photo in listing.photos]
    sizes = {photo.path: photo.size for photo in listing.photos}
    return Plan(
        source,
        target,
        listing,
        tuple(jobs),
        _done(jobs, sizes, target),
        tuple(sorted(set(boxes) - set(sizes))),
    )


def _done(jobs: Sequence[Job], sizes: Mapping[str, int], target: Path) -> dict[str, Record]:
    by_path = {job.path: job for job in jobs}
    done = {}
    for record in read_journals(target):
        job = by_path.get(record.path)
        if job is None or record.size != sizes[job.path] or record.annotated != job.box:
            continue  # the photo or its box was exchanged since
        if record.aligned in (None, job.output):
            done[record.path] = record
    return {
        path: record
        for path, record in done.items()
        if record.aligned is None or (target / record.aligned).is_file()
    }


def begin(plan: Plan, engine: str, options: Options) -> None:
    """Claim the target for these options, and remove what a killed run left half written.

    Raises:
        ValueError: If the target holds faces that were aligned in another way.
    """
    path = plan.target / RESERVED / "options.json"
    # Changed, a plugin may be another engine.
    values = {"engine": engine, **dataclasses.asdict(options), **plugins_named()}
    text = json.dumps(values, indent=1)
    if not path.is_file():
        write_atomically(path, text)
        return
    before = path.read_bytes()
    if before != text.encode():
        try:
            known = dict(parse_json(before))
        except MALFORMED as error:
            raise ValueError(f"{path} is damaged ({error}); delete it.") from error
        differing = [
            f"{name} {known.get(name)!r}, now {value!r}"
            for name, value in json.loads(text).items()
            if known.get(name) != value
        ]
        raise ValueError(
            f"--target={plan.target} was made with other options ({'; '.join(differing)}): use "
            "them again, or another target."
        )
    remove_leftovers(plan.target)


def finish(plan: Plan, sheets: bool = True) -> list[Record]:
    """Write both CSV files and the contact sheets; return all records, sorted by path.

    Raises:
        RuntimeError: If an image has no record: the runner lost it.
    """
    sizes = {photo.path: photo.size for photo in plan.listing.photos}
    done = _done(plan.jobs, sizes, plan.target)
    # What could not be read was given no size, so that the next run tries again.
    unread = {
        record.path: record
        for record in read_journals(plan.target)
        if record.reason and not record.size
    }
    records = [Record(path, 0, reason=reason) for path, reason in plan.listing.refused.items()]
    for job in plan.jobs:
        record = done.get(job.path) or unread.get(job.path)
        if record is None:
            raise RuntimeError(f"{job.path} has no record; the same command goes on from here.")
        records.append(record)
    records.sort(key=lambda record: record.path)
    write_atomically(plan.target / "faces.csv", faces_csv(records))
    write_atomically(plan.target / "undetected.csv", undetected_csv(records))
    if sheets:
        _write_sheet(plan, "aligned.png", lambda: aligned_sheet(records, plan.target))
        _write_sheet(plan, "failures.png", lambda: failures_sheet(records, plan.source))
    return records


def _write_sheet(plan: Plan, name: str, draw: Callable[[], bytes | None]) -> None:
    path = plan.target / RESERVED / name
    picture = draw()
    if picture is None:
        path.unlink(missing_ok=True)
    else:
        write_atomically(path, picture)


def summary(plan: Plan, records: Iterable[Record]) -> list[str]:
    """Return lines that account for every file of the source."""
    records = list(records)
    aligned = [record for record in records if record.reason is None]
    reasons = collections.Counter(
        # Numbers and details would make a line of their own of every image.
        re.sub(r"^none of \d+", "none of the", record.reason.split(" (")[0])
        for record in records
        if record.reason is not None
    )
    odd = sum(not record.plausible for record in aligned)
    lines = [f"{len(records):,} image(s): {len(aligned):,} with an aligned face"]
    lines += [f"  {count:,} without: {reason}" for reason, count in reasons.most_common()]
    if odd:
        lines.append(f"  {odd:,} of the aligned have unlikely landmarks (plausible = 0)")
    if plan.listing.others:
        others = ", ".join(
            f"{count:,} {printable(suffix)}" for suffix, count in plan.listing.others.items()
        )
        lines.append(f"not images by their suffix, left alone: {others}")
    if plan.boxes_without_photo:
        lines.append(
            f"{len(plan.boxes_without_photo):,} box(es) without an image, the first of "
            f"{printable(plan.boxes_without_photo[0])}"
        )
    return lines
