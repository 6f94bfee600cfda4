"""Command lines as pages print them, and what each command's own parser knows."""

import contextlib
import os
import re
import runpy
import shlex
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from experiments.commands import COMMANDS
from mtl_dm.command_line import Parser
from mtl_dm.training import flags, main
from tests.training.command_line import isolated_flags

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^(`{3,})([^\n`]*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(`+)([^`]+)\1(?!`)")
SHELL = ("", "bash", "console", "sh")
SETTING = re.compile(r"[A-Z_]+=.*")
COMMAND = re.compile(r"(^|\s)(python3? |mtl-dm|make\b|--\w)|^[A-Z_]+=\S")
"""What is worth taking apart; all else may hold quotes that no shell would take."""
ABSL = {"--help", "--helpfull", "--helpshort", "--flagfile", "--version"}
TRAIN = "mtl_dm.train"


def typed(text: str) -> Iterator[list[str]]:
    """Yield what a page has its reader type, in words: shell blocks line by line, and code spans.

    Lines of other programs come too; a span may be an option, or a variable, by itself.
    """
    lines = []
    for _, language, body in FENCE.findall(text):
        if language.strip() in SHELL or body.startswith("%%bash\n"):
            lines += body.replace("\\\n", "").splitlines()
    # What is between fences is prose, whose lines are broken anywhere.
    lines += [" ".join(span.split()) for _, span in SPAN.findall(FENCE.sub("", text))]
    for line in lines:
        if not COMMAND.search(line):
            continue
        words: list[str] = []
        for word in shlex.split(line, comments=True):
            if word in ("&&", "|", ";"):
                yield words
                words = []
            else:
                words.append(word)
        yield words


def program(words: list[str]) -> tuple[str, list[str]]:
    """Return the module or "make" that a line starts, "" for another program, and what follows.

    Raises:
        ValueError: If it is a command of `mtl-dm` that does not exist.
    """
    rest = list(words)
    while rest and SETTING.fullmatch(rest[0]):
        rest = rest[1:]
    if rest[:2] in (["python", "-m"], ["python3", "-m"]) and len(rest) > 2:
        return rest[2], rest[3:]
    if rest[:1] == ["make"]:
        return "make", rest[1:]
    if rest[:1] == ["mtl-dm"]:
        name = rest[1] if len(rest) > 1 else "--help"
        if name in COMMANDS:
            return COMMANDS[name].module, rest[2:]
        if name.islower() and not name.startswith("--"):
            raise ValueError(f"mtl-dm has no command {name!r}")
        return "", rest
    # "evaluate --thresholds_from=DATA", as prose names a command.
    if len(rest) > 1 and rest[0] in COMMANDS and rest[1].startswith("--"):
        return COMMANDS[rest[0]].module, rest[1:]
    return "", rest


def options_in(words: list[str]) -> list[str]:
    """Return the options among words, without their values, up to "--"."""
    own = words[: words.index("--")] if "--" in words else words
    return [word.strip("[]").partition("=")[0] for word in own if re.match(r"\[?--\w", word)]


class _Found(BaseException):
    """Ends a command as soon as its parser is complete; no command catches it."""

    def __init__(self, options: set[str], presets: list[str]) -> None:
        super().__init__()
        self.options, self.presets = options, presets


def parser_of(module: str) -> tuple[set[str], list[str]]:
    """Return the options of a command and the presets that it names; runs it up to its parser.

    Args:
        module: What `python -m` runs.

    Raises:
        ImportError: If there is no such module.
        AssertionError: If it parses nothing.
    """

    whole = Parser.parse_known_args

    def parse(parser, *arguments, **options):
        if not parser.add_help:  # It looks ahead for a single option.
            return whole(parser, *arguments, **options)
        known = parser._option_string_actions
        presets = known["--preset"].help if "--preset" in known else ""
        raise _Found(set(known), presets.removeprefix("one of ").split(", "))

    def start(_, define_flags, *__):
        with isolated_flags():
            before = set(flags.FLAGS)
            define_flags()
            names = set(flags.FLAGS) - before | {"logtostderr", "verbosity"}
            no = {f"no{name}" for name in names if flags.FLAGS[name].boolean}
        raise _Found({f"--{name}" for name in names | no} | ABSL, [])

    hooks = contextlib.ExitStack()
    with hooks, warnings.catch_warnings():
        # It may have been imported before; here it runs once more, under another name.
        warnings.simplefilter("ignore", RuntimeWarning)
        hooks.enter_context(mock.patch.object(Parser, "parse_known_args", parse))
        hooks.enter_context(mock.patch.object(main, "start", start))
        hooks.enter_context(mock.patch.object(sys, "argv", [module]))
        hooks.enter_context(mock.patch.dict(os.environ))  # A command may choose its backend.
        try:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        except _Found as found:
            return found.options, found.presets
    raise AssertionError(f"{module} parses no options")
