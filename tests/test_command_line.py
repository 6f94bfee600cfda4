"""Every command there is, found by looking: a new one, or a new flag, is tested by being there."""

import ast
import importlib
import inspect
import sys
from pathlib import Path

import pytest

from mtl_dm import Relatedness, datasets, relatedness
from mtl_dm.command_line import Parser, expand_flags
from mtl_dm.files import expand_home
from mtl_dm.training import flags, main
from tests.training.command_line import isolated_flags, parse

ROOT = Path(__file__).parents[1]
FILES = [
    path for top in ("mtl_dm", "data_prep", "experiments") for path in (ROOT / top).rglob("*.py")
]


def calls(path, name):
    """The calls of a function or class in a file."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    found = (node for node in nodes if isinstance(node, ast.Call))
    return [node for node in found if ast.unparse(node.func).rpartition(".")[2] == name]


def module(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def file(name):
    return ROOT / f"{name.replace('.', '/')}.py"


COMMANDS = sorted(
    module(path) for path in FILES if '__name__ == "__main__"' in path.read_text(encoding="utf-8")
)
WITH_ABSL = {
    name: ast.unparse(found[0].args[1]).rpartition(".")[2]
    for name in COMMANDS
    if (found := calls(file(name), "start"))
}


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


class Parsed(BaseException):
    """Nothing that a command catches: it ends where its options are parsed."""


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in WITH_ABSL])
def test_home_in_every_option_of_a_command_with_argparse(name, home, monkeypatch):
    real = Parser.parse_known_args
    texts = []

    def give_home(self, args=None, namespace=None):
        if not self.add_help:  # one that looks ahead
            return real(self, args, namespace)
        line = []
        for action in self._actions:
            [option] = action.option_strings[:1] or [None]
            if action.dest == "help" or action.nargs == 0:
                continue
            if option is None:
                line.append(next(iter(action.choices or ["~/stays"])))
            elif action.type in (None, Path) and not action.choices:
                texts.append((action.dest, action.type or str))
                line.append(f"{option}=~/d")
            elif action.required:
                line.append(f"{option}=1")
        found, _ = real(self, line)
        raise Parsed(vars(found))

    monkeypatch.setattr(Parser, "parse_known_args", give_home)
    monkeypatch.setattr(sys, "argv", ["command"])
    if name == "experiments.bench.peers_torch":
        pytest.importorskip("torch", reason="runs in the environment of the bench's peers")
    command = importlib.import_module(name).main
    wanted = any(p.default is p.empty for p in inspect.signature(command).parameters.values())
    # The launcher hands what is behind -- to train as it is.
    with pytest.raises(Parsed) as parsed:
        command(["--", "x"]) if wanted else command()
    [found] = parsed.value.args
    for destination, kind in texts:
        assert found[destination] == kind(f"{home}/d"), destination
        assert type(found[destination]) is type(kind(""))
    if "inputs" in found:
        assert found["inputs"] == [Path("~/stays")]  # a file's name: the shell left it


@pytest.mark.parametrize("define", sorted(set(WITH_ABSL.values())))
def test_home_in_every_flag_of_a_command_with_absl(define, home):
    with isolated_flags():
        before = set(flags.FLAGS)
        getattr(flags, define)()
        new = [flags.FLAGS[name] for name in sorted(set(flags.FLAGS) - before)]
        texts = [flag.name for flag in new if flag.flag_type() == "string"]
        lists = [flag.name for flag in new if "list" in flag.flag_type()]
        assert "data_dir" in texts
        parse(*(f"--{name}=x" for name in lists), *(f"--{name}=~/d" for name in texts))
        expand_flags()
        assert {flags.FLAGS[name].value for name in texts} == {f"{home}/d"}


def test_the_commands_with_absl_are_those_of_training():
    assert {"mtl_dm.train", "mtl_dm.evaluate", "mtl_dm.calibrate", "mtl_dm.advise"} <= set(
        WITH_ABSL
    )


def test_start_expands_flags_of_a_flag_file_too(home, monkeypatch):
    (home / "flags").write_text("--data_dir=~/d\n")
    seen = []

    def run(guarded):
        guarded(["command", *parse("--flagfile=~/flags", "--datasets=x", "--output=~")])

    monkeypatch.setattr(main.app, "run", run)
    with isolated_flags():
        main.start(
            lambda: seen.append((flags.FLAGS.data_dir, flags.FLAGS.output)),
            flags.define_shared_flags,
        )
    assert seen == [(f"{home}/d", str(home))]


def test_no_command_has_a_parser_of_its_own():
    own = [module(path) for path in FILES if calls(path, "ArgumentParser")]
    assert own == []


def test_whoever_lists_exit_statuses_lists_those_of_a_stop_too():
    texts = {name: ast.get_docstring(ast.parse(file(name).read_text("utf-8"))) for name in COMMANDS}
    listed = {name: text for name, text in texts.items() if text and "Exit status" in text}
    assert len(listed) > 5
    for name, text in listed.items():
        assert "130 interrupted, 143 ended by SIGTERM." in " ".join(text.split()), name


@pytest.mark.parametrize("text", ["a/~", "./~", "~nobody-of-this-name/x", "~$table.csv", "", "x=~"])
def test_what_is_no_home_stays(text):
    assert expand_home(text) == text


def test_home_in_python(home):
    assert (
        Path(datasets.make_builder("fer2013", "~/built").data_dir) == home / "built/fer2013/1.0.0"
    )
    relatedness.facs().to_json("~/facs.json")
    assert (home / "facs.json").is_file()
    assert Relatedness.from_json("~/facs.json").classes == relatedness.facs().classes
