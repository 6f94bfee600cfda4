"""Prediction over thousands of photos and an hour of video: rate, memory and handles.

Source: this project.
Command: python -m experiments.bench.load FOLDER
    FOLDER holds photos (at least a few hundred, so that no cache makes them cheap); it needs the
    extra faces-tiny.
Method: copies of the photos, in turn, make as many as are asked for; a film shows them at 25 frames
    a second. `mtl_dm.predict` runs over either as a process of its own, without annotated
    pictures. Its resident memory and open files are looked at every second: of each quarter of the
    time the largest is shown, and how much of the output was written in it. The detector's own rate
    is that of as many threads as there are cores, on photos that are decoded already, before and
    after.
Goals: images a second at least 0.9 of the detector's own rate; memory and handles of the last
    quarter as in the second.
Cost: about five minutes on two cores.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2

from experiments.engine.options import main_guard
from mtl_dm import faces
from mtl_dm.command_line import Parser
from mtl_dm.predicting.finding import find

ALONE = 400
"""Photos that the detector alone is timed on."""

RATE, SIDE = 25, 256
"""Frames a second of the film, and its width and height."""


class Sample(NamedTuple):
    """A look at a process: seconds since it began, megabytes, open files, bytes written."""

    seconds: float
    megabytes: float
    handles: int
    written: int


def detector_rate(photos: Sequence[Path]) -> float:
    """Return photos a second that the detector finds the faces of, on all cores."""
    engine = faces.load_engine(faces.DEFAULT)
    images = [faces.read_image(path) for path in photos[:ALONE]]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        start = time.perf_counter()
        for _ in pool.map(lambda image: find(image, engine, faces.SIZE), images):
            pass
        return len(images) / (time.perf_counter() - start)


def copy_photos(photos: Sequence[Path], folder: Path, number: int) -> Path:
    """Return a folder of so many copies of the photos, in turn: links would count once."""
    folder.mkdir()
    for index, path in enumerate(itertools.islice(itertools.cycle(photos), number)):
        shutil.copyfile(path, folder / f"{index:06d}{path.suffix}")
    return folder


def write_film(photos: Sequence[Path], path: Path, seconds: int) -> Path:
    """Return a film that shows each photo for a second."""
    code = cv2.VideoWriter.fourcc(*"MJPG")
    film = cv2.VideoWriter(str(path), code, RATE, (SIDE, SIDE))
    for photo in itertools.islice(itertools.cycle(photos), seconds):
        frame = cv2.resize(faces.read_image(photo)[..., ::-1], (SIDE, SIDE))
        for _ in range(RATE):
            film.write(frame)
    film.release()
    return path


def watched(source: Path, output: Path) -> list[Sample]:
    """Predict the faces of a folder or film in a process; return what was seen of it.

    Raises:
        subprocess.CalledProcessError: If it failed.
    """
    command = [sys.executable, "-m", "mtl_dm.predict", "--no_pictures"]
    command += [f"--output={output}", str(source)]
    samples = []
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        start = time.monotonic()
        while process.poll() is None:
            try:
                samples.append(_look(process.pid, time.monotonic() - start, output))
            except (OSError, IndexError):  # It ended meanwhile.
                break
            time.sleep(1)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return samples


def _look(pid: int, seconds: float, output: Path) -> Sample:
    about = Path(f"/proc/{pid}")
    pages = int((about / "statm").read_text(encoding="ascii").split()[1])
    handles = len(list((about / "fd").iterdir()))
    written = sum(path.stat().st_size for path in output.glob("**/*") if path.is_file())
    return Sample(seconds, pages * os.sysconf("SC_PAGE_SIZE") / 2**20, handles, written)


def table(samples: Sequence[Sample]) -> list[str]:
    """Return lines that show each quarter of the time in which something was written.

    Args:
        samples: In the order of time.

    Raises:
        ValueError: If nothing was seen to be written.
    """
    begun = [sample for sample in samples if sample.written]
    if len(begun) < 8:
        raise ValueError("The process ended too soon to say anything: give it more photos.")
    bounds = [round(place * (len(begun) - 1) / 4) for place in range(5)]
    lines = ["quarter  MB at most  handles at most  KB written a second"]
    for number, (low, high) in enumerate(itertools.pairwise(bounds), start=1):
        part = begun[low : high + 1]
        rate = (part[-1].written - part[0].written) / (part[-1].seconds - part[0].seconds) / 1024
        most = max(each.megabytes for each in part), max(each.handles for each in part)
        lines.append(f"{number:7}  {most[0]:10,.0f}  {most[1]:15}  {rate:19,.1f}")
    return lines


def main() -> None:
    """Measure photos and a film, and print what was seen.

    Raises:
        ValueError: If the folder holds no photo.
    """
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=20_000, help="(default %(default)s)")
    parser.add_argument("--seconds", type=int, default=3600, help="of film (default %(default)s)")
    options = parser.parse_args()
    suffixes = faces.SUFFIXES
    photos = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in suffixes)
    if not photos:
        raise ValueError(f"{options.folder} holds no photo ({', '.join(suffixes)}).")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sources = {
            f"{options.photos:,} photos": copy_photos(photos, folder / "photos", options.photos),
            f"{options.seconds:,} s of film": write_film(
                photos, folder / "film.avi", options.seconds
            ),
        }
        print(f"detector alone: {detector_rate(photos):.1f} photos a second", flush=True)
        for place, (title, source) in enumerate(sources.items()):
            samples = watched(source, folder / f"out{place}")
            seconds = samples[-1].seconds - next(each.seconds for each in samples if each.written)
            print(f"\n{title}: {seconds:.0f} s after the first line")
            print("\n".join(table(samples)), flush=True)
        print(f"\ndetector alone: {detector_rate(photos):.1f} photos a second")


if __name__ == "__main__":
    main_guard(main)
