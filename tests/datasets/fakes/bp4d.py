"""Writes a tiny BP4D and a tiny BP4D+."""

from pathlib import Path

from tests.datasets.fakes import Layout, write_image

# As in the release: neither 25 nor 26; 14 is none of the task's; 99 flags a whole frame.
UNITS = (1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 17, 20, 23, 24, 99)

SESSIONS = ("F001_T1", "F002_T1", "M001_T8")
SESSIONS_PLUS = ("F001_T1", "F024_T6", "M058_T7")
FIRST = 9  # so that names of images get longer
COUNT = 3


def code(session: str, frame: int, unit: int) -> int:
    return 0 if unit == 99 else [0, 1, 1, 0, 9][(sum(session.encode()) + frame + unit) % 5]


def write_table(root: Path, session: str, lines, header=(0, *UNITS), place="AUCoding/AU_OCC"):
    path = root / place / f"{session}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(map(str, line)) + "\n" for line in (header, *lines)))
    return path


def write_sessions(root: Path, sessions, images, place, first, header) -> None:
    for session in sessions:
        frames = range(FIRST, FIRST + COUNT)
        lines = [(frame, *(code(session, frame, unit) for unit in UNITS)) for frame in frames]
        write_table(root, session, lines, header, place)
        for frame in frames:
            name = f"{frame - 1 + first:04d}.jpg" if first == 0 else f"{frame}.jpg"
            path = root / images / session.replace("_", "/") / name
            write_image(path, sum(session.encode()) * 100 + frame)


def write(parent: Path) -> Path:
    root = parent / "bp4d"
    write_sessions(root, SESSIONS, "BP4D-training", "AUCoding", 1, (0, *UNITS))
    return root


def write_plus(parent: Path) -> Path:
    root = parent / "BP4D+"
    write_sessions(root, SESSIONS_PLUS, "2D+3D", "AUCoding/AU_OCC", 0, (1, *UNITS))
    return parent


LAYOUTS = {
    "BP4D": Layout(write, {"train": 6, "validation": 3}, "original"),
    "BP4D+": Layout(write_plus, {"train": 3, "validation": 3, "test": 3}, "plus"),
}
