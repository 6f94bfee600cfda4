"""Every command line that a page prints exists, with every option, target, variable and preset.

Nothing is run: each command's own parser is asked what it knows.
"""

import functools
import re

import pytest

from experiments.commands import COMMANDS
from tests.docs.commands import ROOT, SETTING, TRAIN, options_in, parser_of, program, typed

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PAGES = [
    ROOT / "README.md",
    ROOT / "SECURITY.md",
    ROOT / "data_prep" / "README.md",
    *sorted((ROOT / "mtl_dm").rglob("README.md")),
    *sorted((ROOT / "mtl_dm" / "pretrained").rglob("*.md")),
    *sorted(each for each in (ROOT / "docs").rglob("*.md") if "_build" not in each.parts),
]
LINES = [
    (path, words) for path in PAGES for words in typed(path.read_text(encoding="utf-8")) if words
]
OURS = re.compile(r"(mtl_dm|data_prep|experiments)\b")
TARGETS = re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE)
VARIABLES = re.findall(r"^(\w+) \?=", MAKEFILE, re.MULTILINE)
STUDIES = dict(re.findall(r"^([a-z0-9-]+):.*\n\t\$\(STUDY\) (experiments\.\w+)", MAKEFILE, re.M))
IN_SHELL = {"HUMAN", "FACES"}
"""Variables that pages set in the reader's shell."""
NAMED = {"MODULE", "NAME"}
"""What stands for a name that the reader fills in."""
OTHERS = {"--direct_running_mode", "--direct_num_workers", "--requeue"}
"""Options of Beam's runners and of Slurm."""

known = functools.cache(parser_of)


def words_of(case):
    return f"{case[0].relative_to(ROOT)}: {' '.join(case[1])}"[:90]


def started(case):
    """Return what a line starts and what follows, or fail with the line."""
    try:
        return program(case[1])
    except ValueError as error:
        pytest.fail(f"{words_of(case)}: {error}")


def check_options(module, rest, line):
    unknown = set(options_in(rest)) - known(module)[0]
    if module == "data_prep.align" and any(word.startswith("--runner") for word in rest):
        unknown -= OTHERS
    assert not unknown, f"{line}: {module} has no {', '.join(sorted(unknown))}"
    if "--" in rest:  # Of launch: what follows is for train.
        check_options(TRAIN, rest[rest.index("--") + 1 :], line)


def test_pages_print_commands():
    seen = {program(words)[0] for _, words in LINES}
    assert {"make", TRAIN, "mtl_dm.predict", "data_prep.build", "experiments.demo"} <= seen


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_know_the_options_that_are_printed(path):
    for case in (case for case in LINES if case[0] == path):
        module, rest = started(case)
        if OURS.match(module) and not NAMED & set(module.split(".")):
            check_options(module, rest, words_of(case))


def test_options_by_themselves_are_those_of_some_command():
    every = set().union(*(known(each.module)[0] for each in COMMANDS.values())) | OTHERS
    for case in LINES:
        if case[1][0].startswith("--"):
            assert set(options_in(case[1])) <= every, words_of(case)


def test_variables_by_themselves_are_those_of_make_or_keras():
    for case in LINES:
        if all(SETTING.fullmatch(word) for word in case[1]):
            names = {word.partition("=")[0] for word in case[1]}
            assert names <= {*VARIABLES, *IN_SHELL, "KERAS_BACKEND"}, words_of(case)


def test_targets_and_their_variables_exist():
    for case in LINES:
        name, rest = started(case)
        if name != "make":
            continue
        target, *settings = [word.strip("[]") for word in rest if not word.startswith("-")] or [""]
        assert target in ["", *TARGETS], words_of(case)
        for setting in settings:
            variable, equals, value = setting.partition("=")
            assert variable in VARIABLES or not equals, words_of(case)
            if variable == "PRESET" and target in STUDIES:
                presets = known(STUDIES[target])[1]
                assert set(value.split("|")) <= set(presets), words_of(case)


def test_a_wrong_line_is_found():
    page = (
        "```\npython -m mtl_dm.train \\\n    --dataset=x --notrust\n```\n`make it OUT=1` and "
        "`predict\n--outputs=x`; ```` ```python ````\n```python\nmake(--this)\n```\n"
    )
    lines = [*typed(page)]
    assert lines == [
        ["python", "-m", "mtl_dm.train", "--dataset=x", "--notrust"],
        ["make", "it", "OUT=1"],
        ["predict", "--outputs=x"],
    ]
    module, rest = program(lines[0])
    assert set(options_in(rest)) - known(module)[0] == {"--dataset"}
    assert program(lines[2]) == ("mtl_dm.predict", ["--outputs=x"])
    with pytest.raises(ValueError, match="no command 'trian'"):
        program(["mtl-dm", "trian"])
