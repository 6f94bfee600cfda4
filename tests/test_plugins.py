"""Files of a user's own: imported once, where they are named, with errors that say where."""

import hashlib
import importlib
import json
import pickle
import sys

import numpy as np
import pytest

from data_prep import align
from experiments.commands import COMMANDS
from experiments.engine.pool import Pool
from experiments.engine.scheduling import Schedule
from mtl_dm import MultiTaskModel, Task, datasets, launch, load_model, plugins, predict
from mtl_dm.command_line import Parser
from mtl_dm.losses import MATCHING_FORMS
from mtl_dm.losses.families import ANY_MATCHING_FORM
from mtl_dm.losses.task_losses import require_task_loss
from mtl_dm.models import BACKBONES
from mtl_dm.models.loading import _unknown_name
from mtl_dm.registry import unknown
from mtl_dm.runs.origin import plugins_of
from mtl_dm.runs.record import CONFIG_FILE, RECORD_FILE, claim_folder, plugins_named, write_record
from mtl_dm.training import flags, main
from mtl_dm.training.assembly import relatedness_of
from tests import plugged
from tests.test_command_line import WITH_ABSL
from tests.training.command_line import isolated_flags

NETWORK = """
from __future__ import annotations

import dataclasses

import keras

from mtl_dm.models import BACKBONES


@dataclasses.dataclass
class Size:
    width: int = 3


@keras.saving.register_keras_serializable("my_own")
class Own(keras.layers.Dense):
    pass


@BACKBONES.register("my_own")
def my_own(input_shape, width: int = 3):
    inputs = keras.Input(input_shape)
    return keras.Model(inputs, Own(width)(inputs))
"""


@pytest.fixture(autouse=True)
def alone():
    with plugged.apart():
        yield


def written(folder, text, name="my_own.py"):
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def own(tmp_path):
    return written(tmp_path, NETWORK)


def test_a_file_is_imported_once_however_it_is_spelled(own, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    module = plugins.load("my_own.py")
    assert plugins.load(own) is plugins.load("~/my_own.py") is module
    assert plugins.load(tmp_path / ".." / tmp_path.name / "my_own.py") is module
    assert "my_own" in BACKBONES
    (found,) = plugins.loaded()
    assert (found.path, found.file) == ("my_own.py", own)
    assert plugins.digests() == {"my_own.py": hashlib.sha256(own.read_bytes()).hexdigest()}


def test_what_it_holds_is_pickled_by_a_name_without_its_folder(own):
    module = plugins.load(own)
    assert module.__name__ == "mtl_dm_plugin_my_own"
    assert sys.modules[module.__name__] is module
    assert pickle.loads(pickle.dumps(module.my_own)) is module.my_own
    assert pickle.loads(pickle.dumps(module.Size(4))) == module.Size(4)
    assert str(own.parent).encode() not in pickle.dumps(module.my_own)


def test_another_file_of_its_name_is_refused(own, tmp_path):
    plugins.load(own)
    other = written(tmp_path / "other", "", "my_own.py")
    with pytest.raises(ValueError, match=f"The plugins {own} and {other} have one name"):
        plugins.load(other)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("import keras\n\n\ndef f():\n    raise KeyError('two\\nlines')\n\n\nf()\n", 5, "KeyError"),
        ("x = (\n", 1, "SyntaxError: '(' was never closed"),
        ("import sys\nsys.exit(3)\n", 2, "SystemExit: 3"),
        ("import no_such_module\n", 1, "ModuleNotFoundError: No module named 'no_such_module'"),
        ("import keras\nkeras.Input(batch_size='x', shape=3)\n", 2, ""),
        (
            NETWORK.replace('"my_own")\ndef', '"vgg16")\ndef'),
            21,
            "ValueError: The backbone 'vgg16' is registered already.",
        ),
    ],
)
def test_what_it_raises_is_told_in_one_line_with_its_own(text, line, message, tmp_path):
    path = written(tmp_path, text)
    with pytest.raises(ValueError) as error:
        plugins.load(path)
    assert str(error.value).startswith(f"The plugin {path}:{line} raises {message}")
    assert "\n" not in str(error.value)
    assert plugins.loaded() == ()
    assert "mtl_dm_plugin_my_own" not in sys.modules


def test_what_is_no_file_of_python(tmp_path):
    for path, message in (
        (tmp_path / "none.py", "cannot be read: No such file or directory"),
        (written(tmp_path, "", "own.txt"), "is no .py file"),
        (tmp_path, "is no .py file"),
    ):
        with pytest.raises(ValueError, match=message):
            plugins.load(path)


def test_ctrl_c_is_no_error_of_the_file(tmp_path):
    path = written(tmp_path, "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        plugins.load(path)
    assert "mtl_dm_plugin_my_own" not in sys.modules


# On the command line.


def test_a_parser_imports_what_it_is_given(own):
    options = Parser(plugins=True).parse_args([f"--plugin={own}", "--plugin", str(own)])
    assert options.plugin == [str(own), str(own)]
    assert "my_own" in BACKBONES
    assert Parser(plugins=True).parse_args([]).plugin == []


def test_a_parser_ends_with_one_line(tmp_path, capsys):
    path = written(tmp_path, "raise ValueError('why')")
    with pytest.raises(SystemExit) as stop:
        Parser(plugins=True).parse_args([f"--plugin={path}"])
    assert stop.value.code == 1
    assert capsys.readouterr().err == f"error: The plugin {path}:1 raises ValueError: why\n"


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"demo", "gallery"}))
def test_every_command_that_resolves_names_takes_plugins(name, capsys):
    module = COMMANDS[name].module
    if define := WITH_ABSL.get(module) or WITH_ABSL.get(f"{module}.__main__"):
        with isolated_flags():
            getattr(flags, define)()
            assert flags.FLAGS["plugin"].value == []
        return
    with pytest.raises(SystemExit):
        importlib.import_module(module).main(["--help"])
    assert "--plugin" in capsys.readouterr().out


@pytest.mark.parametrize("command", [align, predict])
def test_the_help_of_what_finds_faces_lists_its_names(command, tmp_path, capsys):
    own = written(tmp_path, "from mtl_dm.faces import ENGINES\nENGINES.register('my_eyes')(dict)\n")
    with pytest.raises(SystemExit):
        command.main([f"--plugin={own}", "--help"])
    assert "my_eyes" in capsys.readouterr().out


def test_a_name_that_is_unknown_may_be_one_of_a_file():
    for ask in (
        lambda: BACKBONES.get("my_own"),
        lambda: ANY_MATCHING_FORM.full("my_own"),
        lambda: MATCHING_FORMS.full("my_own"),
        lambda: datasets.find("my_own"),
        lambda: relatedness_of("my_own", (), ""),
        lambda: require_task_loss(Task.multiclass("mood", ("glad", "sad"), loss="my_own")),
    ):
        with pytest.raises(ValueError, match=r"'my_own'.* Known: .*--plugin=FILE\.py"):
            ask()


@pytest.mark.parametrize("how", ["--plugin={}", "--flagfile={}"])
def test_the_help_of_train_lists_its_names(how, own, tmp_path, monkeypatch):
    given = own
    if "flagfile" in how:
        given = written(tmp_path, f"--seed=1\n--plugin={own}\n", "flags")
    seen = []
    monkeypatch.setattr(sys, "argv", ["train", how.format(given)])
    monkeypatch.setattr(main.app, "run", lambda guarded: seen.append(flags.FLAGS["backbone"].help))
    with isolated_flags():
        main.start(lambda: None, flags.define_train_flags)
    assert "my_own" in seen[0]


def test_a_command_of_absl_ends_with_one_line(tmp_path, monkeypatch, capsys):
    path = tmp_path / "none.py"
    monkeypatch.setattr(sys, "argv", ["train", f"--plugin={path}"])
    with isolated_flags(), pytest.raises(SystemExit) as stop:
        main.start(lambda: None, flags.define_train_flags)
    assert stop.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"error: The plugin {path} cannot be read: No such file or directory."


def test_the_launcher_hands_them_on_and_imports_none(own):
    _, train = launch.parse(["--processes=2", f"--plugin={own}", "--", "--output=x"])
    assert train == [f"--plugin={own}", "--output=x"]
    assert plugins.loaded() == ()


# Workers of a study.


class Named:
    """A job that holds a name alone."""

    key = title = "job"
    needs = ()


def unprepared():
    pass


def use(job):
    assert "my_own" in BACKBONES
    assert job.size.width == 4


def test_workers_of_a_study_import_them_before_their_jobs(own, tmp_path):
    job = Named()
    job.size = plugins.load(own).Size(4)
    with Pool(1, use, unprepared, tmp_path / "logs") as pool:
        outcomes = list(pool.outcomes(Schedule([job]), lambda job: None))
    assert [error for _, error in outcomes] == [""]


# Records and checkpoints.


def test_a_run_with_a_changed_file_does_not_go_on(own, tmp_path):
    plugins.load(own)
    folder, config = tmp_path / "run", {"seed": 1}
    claim_folder(folder, {**config, **plugins_named()})
    claim_folder(folder, {**config, **plugins_named()})
    assert plugins_of(folder / "best.keras") == plugins.digests()
    own.write_text(f"{NETWORK}\n", encoding="utf-8")
    with plugged.apart():
        BACKBONES._entries.pop("my_own")
        plugins.load(own)
        with pytest.raises(ValueError, match=r"another configuration \(plugins: .*my_own\.py"):
            claim_folder(folder, {**config, **plugins_named()})


def test_a_record_has_the_hash_and_without_plugins_no_entry(own, tmp_path):
    write_record(tmp_path, history={})
    assert "plugins" not in json.loads((tmp_path / RECORD_FILE).read_text())
    plugins.load(own)
    write_record(tmp_path, history={})
    record = json.loads((tmp_path / RECORD_FILE).read_text())
    assert record["plugins"] == {"my_own.py": hashlib.sha256(NETWORK.encode()).hexdigest()}


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"plugins": 3}',
        '{"plugins": [1]}',
        "no JSON",
        '{"plugins": {"../up.py": "", "/a.py": "", "a\\u001b.py": "", "a.sh": ""}}',
    ],
)
def test_a_record_that_is_damaged_names_none(text, tmp_path):
    (tmp_path / RECORD_FILE).write_text(text)
    assert plugins_of(tmp_path / "best.keras") == {}


@pytest.fixture
def checkpoint(own, tmp_path):
    """A checkpoint of a network of a plugin that this process has no longer."""
    with plugged.apart():
        plugins.load(own)
        backbone = BACKBONES.create("my_own(width=2)", (4,))
        model = MultiTaskModel(backbone, [Task.multiclass("kind", ("a", "b"))])
        model(np.zeros((1, 4)))
        path = tmp_path / "run" / "best.keras"
        claim_folder(path.parent, plugins_named())
        model.save(path)
    return path


def refused(path):
    with pytest.raises(ValueError) as error:
        load_model(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_checkpoint_of_a_class_that_nothing_registers_says_how_to_name_it(checkpoint, own):
    named = f"The checkpoint {checkpoint} cannot be read: Could not locate class 'Own'. "
    assert refused(checkpoint) == named + (
        "It was trained with a file that registers more: give --plugin=my_own.py."
    )
    (checkpoint.parent / CONFIG_FILE).unlink()
    assert refused(checkpoint) == named + (
        "If a file of yours registers it, name that: --plugin=FILE.py (in Python, import it)."
    )
    plugins.load(own)
    assert load_model(checkpoint).backbone.layers[-1].units == 2


def test_a_name_that_a_checkpoint_needs_is_told_of_a_file_once(tmp_path):
    error = ValueError(f"Exception encountered: {unknown('form', 'my_own', ('one', 'two'))}")
    said = _unknown_name(tmp_path / "best.keras", error)
    assert said == unknown("form", "my_own", ("one", "two"))


def test_no_record_imports_a_plugin(checkpoint, own, monkeypatch):
    # Not even from the folder that Python looks in first.
    monkeypatch.chdir(own.parent)
    monkeypatch.syspath_prepend(str(own.parent))
    written(own.parent, "raise SystemExit('imported')", "mtl_dm_plugin_my_own.py")
    own.write_text("raise SystemExit('imported')", encoding="utf-8")
    assert "--plugin=my_own.py" in refused(checkpoint)
    assert plugins.loaded() == ()


def test_a_changed_file_is_told_where_a_checkpoint_is_loaded(checkpoint, own, caplog):
    own.write_text(f"{NETWORK}\n", encoding="utf-8")
    plugins.load(own)
    load_model(checkpoint)
    assert "The plugin my_own.py has changed since" in caplog.text
