"""The two columns of the paper's Table 1."""

import csv

import numpy as np
import pytest

from mtl_dm.relatedness import aff_wild2, facs
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS


def printed(folder, source):
    with (folder / "table1_relatedness.csv").open(newline="") as file:
        return {
            (row["expression"], f"AU{row['au']}"): float(row["weight"])
            for row in csv.DictReader(file)
            if row["source"] == source
        }


def entries(relatedness, field):
    """{(class, attribute): value} of what is not 0."""
    matrix = getattr(relatedness, field)
    return {
        (relatedness.classes[k], relatedness.attributes[i]): pytest.approx(float(matrix[k, i]))
        for k, i in np.argwhere(matrix)
    }


def at(relatedness, field, name, attribute):
    row, column = relatedness.classes.index(name), relatedness.attributes.index(attribute)
    return getattr(relatedness, field)[row, column]


def test_facs_weights_are_the_printed_ones(paper_folder):
    want = printed(paper_folder, "cognitive_study")
    assert len(want) == 32
    assert entries(facs(), "weights") == want


def test_facs_conditional_is_1_where_a_weight_is_printed(paper_folder):
    want = dict.fromkeys(printed(paper_folder, "cognitive_study"), 1.0)
    assert entries(facs(), "conditional") == want


@pytest.mark.parametrize("field", ["conditional", "weights"])
def test_aff_wild2_is_the_printed_column(paper_folder, field):
    want = printed(paper_folder, "aff_wild2")
    assert len(want) == 28
    assert entries(aff_wild2(), field) == want


def test_facs_covers_every_label_in_order():
    relatedness = facs()
    assert relatedness.classes == EXPRESSIONS
    assert relatedness.attributes == ACTION_UNITS
    assert relatedness.conditional.shape == relatedness.weights.shape == (7, 17)
    assert relatedness.prior is None
    assert "Du, Tao, Martinez" in relatedness.citation


@pytest.mark.parametrize(
    ("name", "attribute", "weight"),
    [
        ("happiness", "AU12", 1.0),
        ("happiness", "AU6", 0.51),
        ("sadness", "AU11", 0.26),
        ("sadness", "AU17", 0.67),
        ("fear", "AU20", 1.0),
        ("fear", "AU26", 0.33),
        ("anger", "AU23", 0.29),
        ("surprise", "AU5", 0.66),
        ("disgust", "AU9", 1.0),
        ("disgust", "AU24", 0.26),
        ("happiness", "AU1", 0.0),
        ("neutral", "AU12", 0.0),
    ],
)
def test_facs_spot_values_typed_from_the_paper(name, attribute, weight):
    assert at(facs(), "weights", name, attribute) == pytest.approx(weight)
    assert at(facs(), "conditional", name, attribute) == float(weight > 0)


@pytest.mark.parametrize(
    ("name", "attribute", "share"),
    [
        ("happiness", "AU7", 0.83),
        ("sadness", "AU15", 0.42),
        ("fear", "AU25", 0.85),
        ("anger", "AU10", 0.33),
        ("surprise", "AU5", 0.5),
        ("surprise", "AU26", 0.3),
        ("disgust", "AU25", 0.8),
        ("disgust", "AU12", 0.0),
        ("neutral", "AU25", 0.0),
    ],
)
def test_aff_wild2_spot_values_typed_from_the_paper(name, attribute, share):
    assert at(aff_wild2(), "weights", name, attribute) == pytest.approx(share)
    assert at(aff_wild2(), "conditional", name, attribute) == pytest.approx(share)
    assert at(aff_wild2(binarize=True), "conditional", name, attribute) == float(share > 0)
    assert at(aff_wild2(binarize=True), "weights", name, attribute) == pytest.approx(share)


def test_aff_wild2_covers_only_the_units_that_its_column_names():
    assert aff_wild2().classes == EXPRESSIONS
    assert aff_wild2().attributes == (
        "AU1", "AU2", "AU4", "AU5", "AU6", "AU7", "AU10", "AU12", "AU15", "AU25", "AU26",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "prototypical", "observational"),
    [
        ("happiness", 2, 1),
        ("sadness", 2, 4),
        ("fear", 4, 3),
        ("anger", 3, 3),
        ("surprise", 4, 1),
        ("disgust", 3, 2),
        ("neutral", 0, 0),
    ],
)
def test_facs_counts_of_units_as_printed(name, prototypical, observational):
    row = facs().weights[EXPRESSIONS.index(name)]
    assert np.count_nonzero(row == 1) == prototypical
    assert np.count_nonzero((row > 0) & (row < 1)) == observational
