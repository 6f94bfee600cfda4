import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtl_dm.datasets.reading import names


def errors(*found):
    return names.errors("the column", dict.fromkeys(found))


def warnings(*found):
    return names.warnings("the column", dict.fromkeys(found))


# What pandas reads as missing (pandas.io.parsers: STR_NA_VALUES), "None" left out; R's, MySQL's,
# Weka's, Stata's and the spreadsheets' marks.
MARKS = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "n/a", "nan", "null",
    "NaT", "na", r"\N", "?", ".", "..", "-", "--", "\u2013", "\u2014", "_", " N/A ", "#NULL!",
    "#DIV/0!", "#REF!", "#NAME?", "#VALUE!", "#NUM!",
]  # fmt: skip


@pytest.mark.parametrize("text", MARKS)
def test_marks_of_programs_are_refused(text):
    assert names.is_missing_mark(text)
    [error] = errors("cat", "dog", text)
    assert repr(text) in error
    assert "leave a cell empty" in error


@pytest.mark.parametrize(
    "text", ["nation", "Nancy", "nab", "annul", "+", "0", "a.b", "-1", "n", "#happy", "*", "\u2639"]
)
def test_names_are_no_marks(text):
    assert not names.is_missing_mark(text)
    assert errors("cat", "dog", text) == warnings("cat", "dog", text) == []


def test_a_dash_beside_a_plus_is_a_sign():
    assert errors("+", "-") == []
    assert len(errors("+", "?")) == 1


@pytest.mark.parametrize("text", ["none", "None", "unknown", "Not  annotated", "undefined"])
def test_what_may_be_a_class_is_a_warning(text):
    assert errors("cap", text) == []
    [warning] = warnings("cap", text)
    assert warning.startswith(f"the column names {text!r}, taken for a label like any other")


@pytest.mark.parametrize(
    ("found", "doubtful"),
    [
        (["-1", "0", "1", "2"], True),
        (["-1.0", "0.0", "3.0"], True),
        (["-999", "0", "1"], True),
        (["-1", "0", "1"], False),  # signs
        (["-1", "1"], False),
        (["-2", "-1", "0", "1", "2"], False),
        (["-1", "a", "b"], False),
        (["-1"], False),
    ],
)
def test_minus_one_where_all_others_count_from_zero(found, doubtful):
    assert bool(warnings(*found)) == doubtful


@pytest.mark.parametrize("twice", [("1", "1.0"), ("1", "01"), ("+2", "2."), (".5", "0.50")])
def test_a_number_in_two_spellings_is_refused(twice):
    [error] = errors("7", *twice)
    assert all(repr(name) in error for name in twice)
    assert "one number in several spellings" in error
    assert "7" not in error


def test_long_numbers_and_codes_are_not_rounded():
    assert errors("10000000000000001", "10000000000000000", "1e5", "100000", "1_0", "10") == []


def test_white_space_is_refused_and_case_is_a_warning():
    [error] = errors("hip hop", "hip  hop", "rock")
    assert "'hip  hop', 'hip hop': the same but for white space" in error
    assert len(errors("caf\u00e9", "cafe\u0301")) == 1  # one letter, or letter and accent
    for other in ("Hip Hop", "hiphop", "HIPHOP"):
        assert errors("hip hop", other) == []
        [warning] = warnings("hip hop", other)
        assert "the same but for case or white space" in warning


def test_counts_are_shown_and_many_are_not_listed_all():
    assert "'NA' (12)" in names.errors("x", {"NA": 12, "a": 3})[0]
    letters = [chr(place) for place in range(ord("a"), ord("z") + 1)]
    [warning] = warnings(*letters, *(letter.upper() for letter in letters))
    assert "'A', 'a'; 'B', 'b'" in warning
    assert "; 21 more: " in warning
    assert names.listed("abcdefghijkl", {}).endswith("'j' and 2 more")


@given(st.sets(st.text(), max_size=6))
def test_any_names_are_judged(found):
    for line in (*errors(*found), *warnings(*found), *names.spelt_twice("x", dict.fromkeys(found))):
        assert line


def test_a_hundred_thousand_names_are_looked_at_once():
    many = {f"c{number}": 1 for number in range(100_000)}
    assert names.errors("x", many) == names.warnings("x", many) == []
