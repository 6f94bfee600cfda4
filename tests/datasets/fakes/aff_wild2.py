"""Writes a tiny Aff-Wild2, by challenge and as lists."""

from pathlib import Path

from tests.datasets.fakes import Layout, write_image

OLD_EXPRESSIONS = "Neutral,Anger,Disgust,Fear,Happiness,Sadness,Surprise"
EXPRESSIONS = f"{OLD_EXPRESSIONS},Other"
UNITS = "AU1,AU2,AU4,AU6,AU7,AU10,AU12,AU15,AU23,AU24,AU25,AU26"
OLD_UNITS = "AU1,AU2,AU4,AU6,AU12,AU15,AU20,AU25"

VA, AU = "VA_Estimation_Challenge", "AU_Detection_Challenge"
EXPR, OLD_EXPR = "EXPR_Recognition_Challenge", "EXPR_Classification_Challenge"

NO_UNITS = ",".join(["-1"] * 12)
SOME_UNITS = "1,0,0,1,1,0,1,0,0,0,1,0"


def write_track(folder: Path, challenge: str, part: str, video: str, header, lines) -> Path:
    path = folder / challenge / part / f"{video}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *map(str, lines)]) + "\n")
    return path


def write_frames(folder: Path, video: str, numbers, images="cropped_aligned") -> None:
    for number in numbers:
        # The seed differs between videos, also of later processes.
        seed = sum(video.encode()) * 100 + number
        write_image(folder / images / video / f"{number:05d}.jpg", seed, 112, 112)


def write_challenges(parent: Path) -> Path:
    """All three challenges; every frame has a label and a file."""
    folder = parent / "Aff-Wild2"
    write_track(folder, VA, "Train_Set", "video1", "valence,arousal", ["0.5,-0.25", "-5,-5", "0,1"])
    write_track(folder, EXPR, "Train_Set", "video1", EXPRESSIONS, [4, 1, 7])
    units = [SOME_UNITS, NO_UNITS, "0" + SOME_UNITS[1:]]
    write_track(folder, AU, "Train_Set", "video1", UNITS, units)
    write_frames(folder, "video1", (1, 2, 3))
    for side in ("left", "right"):  # only expressions
        write_track(folder, EXPR, "Train_Set", f"video2_{side}", EXPRESSIONS, [0, 6])
        write_frames(folder, f"video2_{side}", (1, 2))
    write_track(folder, VA, "Validation_Set", "v-3", "valence,arousal", ["-1,-0.875"] * 3)
    write_track(folder, AU, "Validation_Set", "v-3", UNITS, [SOME_UNITS, NO_UNITS, NO_UNITS])
    write_track(folder, EXPR, "Validation_Set", "v-3", EXPRESSIONS, [7, 5, -1])
    write_frames(folder, "v-3", (1, 2, 3), "cropped_aligned_new_50_vids")
    return folder


def write_old(parent: Path) -> Path:
    """An older release: seven expressions, eight units, annotations in a folder of their own."""
    folder = parent / "affwild2"
    labels = folder / "annotations"
    write_track(labels, OLD_EXPR, "Train_Set", "a", OLD_EXPRESSIONS, [2, 3, 5, 6])
    write_track(labels, AU, "Train_Set", "a", OLD_UNITS, ["1,0,0,0,0,0,1,0"] * 4)
    write_track(labels, OLD_EXPR, "Validation_Set", "b", OLD_EXPRESSIONS, [0, 0, 1])
    write_track(labels, VA, "Validation_Set", "b", "valence,arousal", ["0.125,0.25"] * 3)
    write_frames(folder, "a", range(1, 5))
    write_frames(folder, "b", range(1, 4))
    return folder


LIST_HEADER = "image,valence,arousal,expression,aus"
TRAIN_LINES = [
    f"10-60-1280x720/00001.jpg,0.5,-0.25,4,{SOME_UNITS}",
    f"10-60-1280x720/00004.jpg,-5,-5,6,{NO_UNITS}",
    f"video9_left/00002.jpg,-5,-5,7,{SOME_UNITS}",
    f"video9_left/00003.jpg,0.25,0.75,-1,{NO_UNITS}",
]
VALIDATION_LINES = [f"v/{number:05d}.jpg,0,0,{number},{SOME_UNITS}" for number in range(1, 4)]


def write_list(folder: Path, name: str, lines, header=LIST_HEADER) -> Path:
    path = folder / f"{name}_set_annotations.txt"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*([header] if header else []), *lines]) + "\n")
    return path


def write_lists(parent: Path, header=LIST_HEADER) -> Path:
    folder = parent / "s-Aff-Wild2"
    write_list(folder, "training", TRAIN_LINES, header)
    write_list(folder, "validation", VALIDATION_LINES, header)
    for line in (*TRAIN_LINES, *VALIDATION_LINES):
        video, _, frame = line.partition(",")[0].partition("/")
        write_frames(folder, video, [int(frame[:5])])
    return folder


LAYOUTS = {
    "challenges": Layout(write_challenges, {"train": 7, "validation": 3}),
    "older": Layout(write_old, {"train": 4, "validation": 3}),
    "lists": Layout(write_lists, {"train": 4, "validation": 3}),
}
