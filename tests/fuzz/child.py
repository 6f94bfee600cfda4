"""Fuzzes one target in this process, whose memory is bounded: `python -m tests.fuzz.child`.

What ends the process (a crash, a hang) is told by its exit status; everything else is written down
and the next input taken.
"""

import hashlib
import importlib
import mmap
import resource
import struct
import sys
import tempfile
import traceback
from pathlib import Path

COUNTS = struct.Struct("<4q")
"""Inputs that were tried, read without an error and refused, and the memory that one may take; kept
in a file that a kill leaves."""


class Counts:
    """Numbers in a file, each of them right at any moment."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(COUNTS.size))
        with path.open("r+b") as file:
            self._kept = mmap.mmap(file.fileno(), COUNTS.size)

    def add(self, tried: int = 0, read: int = 0, refused: int = 0) -> None:
        """Count an input."""
        now = COUNTS.unpack(self._kept[:])
        self._kept[:] = COUNTS.pack(now[0] + tried, now[1] + read, now[2] + refused, now[3])

    def bound(self, memory: int) -> None:
        """Note how many bytes an input may take."""
        self._kept[:] = COUNTS.pack(*COUNTS.unpack(self._kept[:])[:3], memory)

    @staticmethod
    def read(path: Path) -> tuple[int, int, int, int]:
        """Return the numbers; zeros where nothing was tried."""
        return COUNTS.unpack(path.read_bytes()) if path.exists() else (0, 0, 0, 0)


def note(findings: Path, what: str, data: bytes) -> None:
    """Keep an input that showed something; of one kind the first alone."""
    name = hashlib.sha256(what.encode("utf-8", "replace")).hexdigest()[:12]
    if not (findings / f"{name}.txt").exists():
        (findings / f"{name}.input").write_bytes(data)
        (findings / f"{name}.txt").write_text(what, encoding="utf-8", errors="replace")


def where(error: BaseException) -> str:
    """Return what tells one kind of error from another: its type and the lines it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return "\n".join([type(error).__name__, *lines[2:]])


def judged(target, read, guard, counts, findings):
    """Return what the fuzzer calls with every input."""

    def one(data: bytes) -> None:
        counts.add(tried=1)
        try:
            with guard:
                read(data)
            counts.add(read=1)
        except target.explained:
            counts.add(refused=1)
        except MemoryError as error:
            note(findings, f"memory: more than {target.memory:,} bytes\n{where(error)}", data)
        except Exception as error:
            note(findings, f"exception: {where(error)}", data)
        if guard.seen:
            note(findings, "\n".join(["outside:", *sorted(set(guard.seen))]), data)

    return one


def bound_memory(more: int) -> None:
    """Let this process have so many bytes beside those that it has."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(name: str, output: str, files: str, runs: str, seed: str) -> None:
    """Fuzz one target; the fuzzer ends the process.

    Args:
        name: Of `TARGETS`.
        output: Folder for what is found, counted and kept.
        files: An empty folder for the files that are read; nothing else is to be opened.
        runs: How many inputs.
        seed: Of the fuzzer.
    """
    import atheris

    from tests.fuzz.guard import Guard

    with atheris.instrument_imports(include=["mtl_dm", "data_prep"], enable_loader_override=False):
        target = importlib.import_module("tests.fuzz.target").load(name)
    findings, corpus = Path(output, "findings", name), Path(output, "corpus", name)
    for made in (corpus, findings):
        made.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = files
    seeds, read = target.prepare(Path(files))
    for content in seeds:  # What is imported late is imported now.
        read(content)
        path = corpus / f"whole-{hashlib.sha256(content).hexdigest()[:16]}"
        path.write_bytes(content)
    counts = Counts(Path(output, f"{name}.counts"))
    counts.bound(target.memory)
    one = judged(target, read, Guard(Path(files)), counts, findings)
    bound_memory(target.memory)
    options = {
        "runs": runs,
        "seed": seed,
        "timeout": target.seconds,
        "report_slow_units": target.seconds,  # By the clock; a busy machine makes any input slow.
        "rss_limit_mb": 0,  # The limit above is exact.
        "max_len": 2**16,
        "artifact_prefix": f"{findings}/",
        "verbosity": 0,
    }
    arguments = [f"-{option}={value}" for option, value in options.items()]
    atheris.Setup([sys.argv[0], str(corpus), *arguments], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
