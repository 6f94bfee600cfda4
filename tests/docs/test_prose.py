"""Docstrings of plain sentences become reStructuredText that says the same."""

import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "docs" / "_ext" / "prose.py"
SPEC = importlib.util.spec_from_file_location("prose", FILE)
prose = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(prose)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a * b |x| in `a * b`", r"a \* b \|x\| in `a * b`"),
        ("`Task`s and p_i", r"`Task`\ s and p_i"),
        ("the trailing_ one", r"the trailing\_ one"),
    ],
)
def test_what_is_no_markup_is_escaped(text, expected):
    assert prose.spans(text) == expected


def test_an_equation_of_its_own_is_a_block():
    first, last = "The score is", "and no more."
    found = prose.as_rst([first, "    I = a * b", last])
    assert found == [first, "", "::", "", "    I = a * b", "", last]


def test_keys_of_what_is_returned_are_a_list():
    lines = ["Returns:", "    first: One", "        more.", "    second: Two."]
    assert prose.as_rst(lines) == [
        "Returns:",
        "    - ``first`` -- One",
        "      more.",
        "    - ``second`` -- Two.",
    ]
