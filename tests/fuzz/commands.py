"""Every command on small data, to be killed or kept from writing: `python -m tests.fuzz.commands`.

What a command is given lies in one folder, made once; what it writes goes into `out` of the
current one, so that every run of it is given the same words.
"""

import os
import runpy
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

OUTPUT = "out"
ROOT = Path(__file__).parents[2]


class _Folders:
    """What `built_faces` takes of pytest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def getbasetemp(self) -> Path:
        return self._folder

    def mktemp(self, name: str) -> Path:
        return self._folder / name


def prepare(given: Path) -> None:
    """Make what the commands are given; what stands is whole."""
    from tests import built_faces, saved_models
    from tests.data_prep.faces.photos import write_people
    from tests.datasets.fakes import csv_folder
    from tests.verifying import listed

    if given.exists():
        return
    made = given.with_name(f"{given.name}.new")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    built_faces.built_faces(_Folders(made))
    saved_models.save(made / "model")
    write_people(made / "photos", 24)
    csv_folder.write_subjects(made)
    listed.write(made / "pairs")
    _compounds(made / "compounds")
    _student(made / "student.keras")
    made.rename(given)


def _student(path: Path) -> None:
    """Save a network with as many features as the encoders are brought to."""
    import keras

    layers = [keras.Input((16, 16, 3)), keras.layers.GlobalAveragePooling2D()]
    keras.Sequential([*layers, keras.layers.Dense(4)]).save(path)


def _compounds(folder: Path) -> None:
    """Build a few compound expressions, and save a network for them."""
    import pytest

    from mtl_dm import data
    from mtl_dm.datasets import SyntheticCompounds
    from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS, Task
    from tests import saved_models

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SyntheticCompounds, "COUNTS", {"support": 22, "test": 22})
        data.load("synthetic_compounds/64px:test", data_dir=folder)
    tasks = (
        Task.multiclass("expression", EXPRESSIONS),
        Task.multilabel("action_units", ACTION_UNITS),
        Task.regression("valence_arousal", ("valence", "arousal")),
    )
    saved_models.save(folder / "model", tasks=tasks)


def _copied(model: Path, folder: Path) -> Path:
    """Return a checkpoint of one's own: what is measured is written beside it, never into it."""
    if not folder.exists():
        made = folder.with_name(f"{folder.name}.new")
        shutil.rmtree(made, ignore_errors=True)
        shutil.copytree(model, made, copy_function=os.link)
        made.rename(folder)
    return folder / "best.keras"


def _program(name: str, *arguments: str) -> None:
    sys.argv = [name, *arguments]
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _train(given: Path, *more: str, start: Sequence[str] = ("mtl_dm.train",)) -> None:
    from tests import built_faces

    _program(
        *start,
        f"--datasets={built_faces.EXPRESSIONS_ONLY},{built_faces.UNITS_ONLY}",
        f"--validation={built_faces.ANNOTATED}:validation",
        f"--data_dir={given / 'built_faces'}",
        "--relatedness=facs",
        "--image_size=16",
        "--batch_size=8",
        "--steps_per_epoch=2",
        f"--output={OUTPUT}",
        *more,
    )


def train(given: Path) -> None:
    """One process, with trust and gate; the table is judged after the first epoch."""
    _train(given, "--epochs=4")


def balance(given: Path) -> None:
    """A method whose weights depend on the epochs before."""
    _train(given, "--epochs=4", "--balancing=dwa")


def stages(given: Path) -> None:
    """Two stages, each with an optimizer of its own."""
    _train(given, "--stage=heads(epochs=2, trainable=heads)", "--stage=all(epochs=2)")


def two_processes(given: Path) -> None:
    """A training that two share."""
    from tests.progress import QUICKLY_COMPILED

    os.environ.update(QUICKLY_COMPILED, KERAS_BACKEND="jax", JAX_PLATFORMS="cpu")
    _train(given, "--epochs=3", start=("mtl_dm.launch", "--processes=2", "--"))


def build(given: Path) -> None:
    """A folder of one's own."""
    _program(
        "data_prep.build",
        "--dataset=csv_folder/faces",
        f"--source={given / 'my data'}",
        f"--data_dir={OUTPUT}",
    )


def align(given: Path) -> None:
    """Photos, with the engine of dots, in two processes."""
    arguments = [f"--source={given / 'photos'}", f"--target={OUTPUT}", "--processes=2"]
    _program("tests.data_prep.faces.photos", *arguments)


def predict(given: Path) -> None:
    """Photos and the engine of dots."""
    from tests.data_prep.faces.photos import ENGINE, register

    register()
    checkpoint, photos = str(given / "model" / "best.keras"), str(given / "photos")
    options = [f"--checkpoint={checkpoint}", f"--output={OUTPUT}", f"--engine={ENGINE}"]
    _program("mtl_dm.predict", *options, photos)


def evaluate(given: Path) -> None:
    """Metrics, thresholds of other data, and the card."""
    from tests import built_faces

    _program(
        "mtl_dm.evaluate",
        f"--checkpoint={_copied(given / 'compounds' / 'model', Path('model'))}",
        f"--datasets={built_faces.ANNOTATED}:test",
        f"--thresholds_from={built_faces.ANNOTATED}:validation",
        f"--data_dir={given / 'built_faces'}",
        f"--output={OUTPUT}",
    )


def calibrate(given: Path) -> None:
    """Temperatures, which lie beside the checkpoint."""
    from tests import built_faces

    _program(
        "mtl_dm.calibrate",
        f"--checkpoint={_copied(given / 'compounds' / 'model', Path(OUTPUT))}",
        f"--validation={built_faces.ANNOTATED}:validation",
        f"--data_dir={given / 'built_faces'}",
    )


def verify(given: Path) -> None:
    """A list of pairs."""
    _program(
        "mtl_dm.verify",
        f"--checkpoint={given / 'model' / 'best.keras'}",
        f"--pairs={given / 'pairs' / 'pairs.txt'}",
        f"--images={given / 'pairs' / 'images'}",
        f"--output={OUTPUT}",
    )


def compound(given: Path) -> None:
    """Compound expressions, by every score."""
    from mtl_dm.compound import run

    run.SHOTS = (1, 2)
    _program(
        "mtl_dm.compound",
        f"--checkpoint={given / 'compounds' / 'model' / 'best.keras'}",
        "--datasets=synthetic_compounds/64px:test",
        "--support=synthetic_compounds/64px:support",
        f"--data_dir={given / 'compounds'}",
        f"--output={OUTPUT}",
    )


def export(given: Path) -> None:
    """A SavedModel."""
    checkpoint = given / "model" / "best.keras"
    options = [f"--checkpoint={checkpoint}", f"--output={OUTPUT}", "--formats=savedmodel"]
    _program("mtl_dm.export", *options)


def distill(given: Path) -> None:
    """A student of one encoder, the checkpoint."""
    _program(
        "mtl_dm.distill",
        f'--encoders=file(path="{given / "model" / "best.keras"}")',
        f"--images={given / 'photos'}",
        "--operator=pca(size=4)",
        "--image_size=16",
        "--epochs=1",
        "--batch_size=10",
        f"--backbone={given / 'student.keras'}",
        f"--output={OUTPUT}",
    )


def table(given: Path) -> None:
    """A study of two cells side by side."""
    from experiments.engine import running
    from experiments.engine.options import main_guard
    from tests.experiments.engine import tiny

    del given
    main_guard(lambda: running.run_study(tiny.study(), tiny.options(Path(OUTPUT), workers=2)))


COMMANDS = {
    each.__name__: each
    for each in (
        train, balance, stages, two_processes, build, align, predict, evaluate, calibrate, verify,
        compound, export, distill, table,
    )
}  # fmt: skip
BESIDE = {"calibrate"}
"""Those that write beside what they read, so that no disk of their own can be full."""

if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if sys.argv[1] == "prepare":
        prepare(Path(sys.argv[2]))
    else:
        COMMANDS[sys.argv[1]](Path(sys.argv[2]))
