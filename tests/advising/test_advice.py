"""Advice on labels whose answer is known."""

import dataclasses

import numpy as np
import pytest

from mtl_dm import data
from mtl_dm.advising import advise
from mtl_dm.losses.weighting import BASE_FACTORS
from mtl_dm.relatedness import from_annotations
from tests.advising.labels import KIND, SIGNS, TASKS, P, drawn, hidden, only, table


def text_of_parts(advice):
    return "\n".join(line for section in advice.sections for line in section.lines)


def test_a_co_annotated_share_is_counted_and_coupled():
    arrays = hidden(drawn(2000), "kind", slice(1000, None))
    advice = advise([arrays], TASKS)
    assert advice.outlook == "help"
    assert advice.origin == "counted"
    ids = np.where(arrays["kind"][1] > 0, arrays["kind"][0].argmax(axis=1), -1)
    want = from_annotations(ids, arrays["signs"][0], classes=KIND.labels, attributes=SIGNS.labels)
    assert advice.coupling.relatedness == want
    assert (advice.coupling.classes, advice.coupling.attributes) == ("kind", "signs")
    assert advice.reduction == "sum"
    assert advice.weights.attributes_only == 0.5
    assert advice.weights.missing_attributes == 0.0
    # Half of the images with attributes have a class too: by the default rule a quarter of it.
    assert advice.weights.co_annotation == pytest.approx(0.5 * BASE_FACTORS["posterior"] / 4)
    assert advice.weights.matching == 0.0
    assert str(advice).startswith("Coupling should help.\n")
    assert "--validation=DATA --validation_gate" in str(advice)


def test_class_ids_do_as_well_as_one_hot_labels():
    arrays = hidden(drawn(400), "kind", slice(200, None))
    ids = {**arrays, "kind": (data.class_ids(*arrays["kind"]), arrays["kind"][1])}
    assert str(advise([ids], TASKS)) == str(advise([arrays], TASKS))


def test_little_is_shrunk_toward_the_table():
    arrays = hidden(drawn(2000), "kind", slice(60, None))
    advice = advise([arrays], TASKS, table())
    assert advice.origin == "shrunk"
    assert "toward [test 2000]" in advice.coupling.relatedness.citation
    assert np.abs(advice.coupling.relatedness.conditional - P).max() < 0.2


def test_shares_decide_the_weights():
    sets = [only(drawn(300), "kind"), only(drawn(700, 1), "signs")]
    weights = advise(sets, TASKS, table()).weights
    assert weights.shares == (0.3, 0.7)
    assert weights.missing_attributes == pytest.approx(0.3)
    assert weights.attributes_only == pytest.approx(0.7)
    weights = advise(sets, TASKS, table(), shares=(1, 1)).weights
    assert weights.missing_attributes == pytest.approx(0.5)
    assert weights.matching == pytest.approx(0.5 * BASE_FACTORS["conditional"])
    assert weights.co_annotation == pytest.approx(0.5 * BASE_FACTORS["posterior"])


def test_few_attribute_labels_are_averaged():
    sets = [only(drawn(300), "kind"), only(drawn(60, 1), "signs")]
    advice = advise(sets, TASKS, table(), shares=(1, 1))
    assert advice.reduction == "mean"
    # The rule divides matching by the number of attributes then.
    assert advice.weights.matching == pytest.approx(0.5 / 4 * BASE_FACTORS["conditional"])


def test_nothing_co_annotated_leaves_the_table_unchecked():
    sets = [only(drawn(300), "kind"), only(drawn(700, 1), "signs")]
    advice = advise(sets, TASKS, table())
    assert (advice.outlook, advice.origin) == ("open", "given")
    assert advice.coupling.relatedness == table()
    assert advice.checked.information is None
    assert advice.checked.own is None
    assert "Assumed, not counted" in text_of_parts(advice)


def test_frequencies_that_no_classes_explain():
    wrong = P.copy()
    wrong[:, 0] = 0.95
    sets = [only(drawn(300), "kind"), only(drawn(700, 1), "signs")]
    advice = advise(sets, TASKS, table(wrong))
    assert [each.attribute for each in advice.checked.frequencies if each.impossible] == ["u"]
    assert "No shares of the classes explain `u`" in text_of_parts(advice)


def test_nothing_co_annotated_and_no_table_is_learned():
    sets = [only(drawn(300), "kind"), only(drawn(700, 1), "signs")]
    advice = advise(sets, TASKS)
    assert (advice.outlook, advice.origin, advice.learned) == ("open", "blank", True)
    assert advice.coupling.learned
    assert np.ptp(advice.coupling.relatedness.conditional, axis=0).max() == 0


def test_learning_may_start_from_a_table():
    sets = [only(drawn(300), "kind"), only(drawn(700, 1), "signs")]
    advice = advise(sets, TASKS, table(), learned=True)
    assert advice.coupling.learned
    assert advice.origin == "given"
    assert advice.coupling.relatedness == table()


def test_planted_contradictions_are_named():
    wrong = P.copy()
    wrong[0, 1], wrong[2, 3] = 0.9, 0.05
    advice = advise([hidden(drawn(2000), "kind", slice(1500, None))], TASKS, table(wrong))
    found = [(each.class_name, each.attribute) for each in advice.checked.contradictions]
    assert sorted(found) == [("a", "v"), ("c", "x")]
    assert "v given a: 90% assumed" in text_of_parts(advice)


@pytest.mark.parametrize("given", [None, table()])
def test_shuffled_attributes_will_not_help(given):
    arrays = hidden(drawn(3000, shuffle=True), "kind", slice(2000, None))
    advice = advise([arrays], TASKS, given)
    assert advice.outlook == "none"
    assert advice.coupling is None
    assert "say nothing about the classes" in advice.reason
    assert "Train without coupling" in str(advice)
    assert "--validation_gate" not in str(advice)


def test_few_shuffled_images_do_not_show_that():
    arrays = hidden(drawn(3000, shuffle=True), "kind", slice(20, None))
    advice = advise([arrays], TASKS)
    assert advice.outlook == "open"
    assert "too few" in advice.reason


def test_all_labelled_for_both_will_not_help():
    advice = advise([drawn(500)], TASKS)
    assert (advice.outlook, advice.coupling) == ("none", None)
    assert "Everything is labelled for both" in str(advice)


def test_a_table_that_says_the_same_of_every_class_will_not_help():
    sets = [only(drawn(300), "kind"), only(drawn(700, 1), "signs")]
    advice = advise(sets, TASKS, table(np.full((3, 4), 0.3)))
    assert advice.outlook == "none"
    assert "of every class" in advice.reason


def test_no_shared_label_will_not_help():
    advice = advise([drawn(500)], TASKS, table(classes=("x", "y", "z")))
    assert (advice.outlook, advice.given, advice.coupling) == ("none", None, None)
    assert advice.reason == (
        "Relatedness and task share no label: it names x, y, z, the task has a, b, c."
    )
    assert "Train without coupling" in str(advice)


def test_a_single_shared_class_will_not_help():
    advice = advise([drawn(500)], TASKS, table(P[:2], ("a", "z")))
    assert advice.outlook == "none"
    assert "a single class of the task, a:" in advice.reason


def test_a_table_may_name_more_and_less():
    other = table(P[[0, 1, 2, 0]][:, :3], ("b", "a", "z", "y"), ("v", "u", "t"))
    sets = [only(drawn(300), "kind"), only(drawn(700, 1), "signs")]
    advice = advise(sets, TASKS, other)
    assert advice.coupling.relatedness.classes == ("b", "a")
    assert advice.coupling.relatedness.attributes == ("v", "u")
    assert "does not name `c`" in text_of_parts(advice)
    # Images of c are none of the covered.
    assert advice.covered.class_counts().sum() < advice.labelled.class_counts().sum()


def test_images_of_a_class_that_the_table_does_not_name_lack_nothing():
    """A coupling leaves them alone: everything else is labelled, so there is nothing to teach."""
    advice = advise([drawn(90)], TASKS, table(P[:2], ("a", "b")))
    assert (advice.weights.attributes_only, advice.weights.missing_attributes) == (0, 0)
    assert (advice.weights.matching, advice.weights.co_annotation) == (0, 0)
    assert advice.outlook == "none"


def test_images_of_a_class_that_the_table_does_not_name_are_none_of_its_frequencies():
    sets = [only(drawn(400), "kind"), only(drawn(400, 1), "signs")]
    ids = np.full(100, 2)
    beside = {
        "kind": (np.eye(3, dtype=np.float32)[ids], np.ones(100, np.float32)),
        "signs": (np.ones((100, 4), np.float32), np.ones((100, 4), np.float32)),
    }
    some = table(P[:2], ("a", "b"))
    alone, both = (advise(each, TASKS, some).checked for each in (sets, [*sets, beside]))
    assert both.frequencies == alone.frequencies
    assert both.confidence == alone.confidence


def test_what_stands_under_a_zero_mask_is_ignored():
    arrays = hidden(drawn(400), "signs", slice(200, None))
    labels, mask = arrays["signs"]
    wild = {**arrays, "signs": (np.where(mask > 0, labels, np.nan), mask)}
    assert advise([wild], TASKS).sections == advise([arrays], TASKS).sections


def test_a_single_image_with_both_labels_is_not_none():
    sets = [hidden(drawn(300), "signs", slice(1, None)), only(drawn(300, 1), "signs")]
    said = text_of_parts(advise(sets, TASKS))
    assert "labelled for both 1" in said.replace("**", "")
    assert advise(sets, TASKS).checked.information is not None


def test_labels_that_never_occur_are_named():
    arrays = drawn(600)
    ids = arrays["kind"][0].argmax(axis=1)
    arrays = {each: (pair[0][ids < 2], pair[1][ids < 2]) for each, pair in arrays.items()}
    labels, mask = arrays["signs"]
    mask[:, 3] = 0
    sets = [only(arrays, "kind"), only({"signs": (labels * mask, mask)}, "signs")]
    said = text_of_parts(advise(sets, TASKS, table()))
    assert "No image is labelled for `c`: only the coupling can teach them" in said
    assert "No image is labelled for `x`: only the coupling can teach them" in said
    said = text_of_parts(advise(sets, TASKS))
    assert "No image is labelled for `x`. Nothing teaches them" in said


def test_a_table_counted_on_these_images_is_judged_without_each():
    arrays = hidden(drawn(2000), "kind", slice(1000, None))
    first = advise([arrays], TASKS)
    again = advise([arrays], TASKS, first.relatedness)
    assert again.checked.by_given == first.checked.own
    assert again.checked.contradictions == ()


def test_a_class_with_prior_0_that_occurs():
    with pytest.raises(ValueError, match=r"\['a'\] prior 0, but they occur"):
        advise([drawn(500)], TASKS, table(prior=[0, 0.5, 0.5]))


def test_a_prior_of_zeros_on_the_tasks_classes():
    other = table(P, ("a", "b", "z"), prior=[0, 0, 1])
    with pytest.raises(ValueError, match="prior 0"):
        advise([drawn(500)], TASKS, other)


def test_a_table_whose_classes_never_occur():
    task = KIND.replace(labels=("a", "b", "c", "d", "e"))
    arrays = drawn(500)
    labels, mask = arrays["kind"]
    arrays = {**arrays, "kind": (np.pad(labels, ((0, 0), (0, 2))), mask)}
    with pytest.raises(ValueError, match=r"No image is labelled with a class .* \['d', 'e'\]"):
        advise([arrays], (task, SIGNS), table(P[:2], ("d", "e")))


@pytest.mark.parametrize("shares", [(1,), (1, 0), (1, float("nan"))])
def test_bad_shares(shares):
    sets = [only(drawn(300), "kind"), only(drawn(700, 1), "signs")]
    with pytest.raises(ValueError, match="one positive number per data set, 2"):
        advise(sets, TASKS, shares=shares)


def test_a_data_set_with_none_of_the_tasks():
    with pytest.raises(ValueError, match="Data set 2 of 2 has none"):
        advise([drawn(50), {}], TASKS)


def test_an_advice_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        advise([drawn(500)], TASKS).outlook = "help"
