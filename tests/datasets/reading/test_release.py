"""Survey, comparison and generation on hand-made releases."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.check import print_report
from mtl_dm.datasets.reading import BadLine, Release, Row, Skipped, check_release
from mtl_dm.datasets.reading.comparison import compare
from mtl_dm.datasets.reading.duplicates import Duplicates
from mtl_dm.datasets.reading.keys import Keys, contains, digest, repeated
from mtl_dm.datasets.reading.parallel import AHEAD, ordered_map
from mtl_dm.datasets.reading.skips import SkipList
from mtl_dm.datasets.reading.survey import survey
from tests.datasets.fakes import write_image

LABEL = {"x": 0}


def release(root, *items, **more):
    return Release(root, {"train": lambda: iter(items)}, **more)


def rows(*paths):
    return [Row(path, LABEL, f"line {number}") for number, path in enumerate(paths, start=1)]


def test_how_many_rows_to_expect(tmp_path):
    assert release(tmp_path).expected is None
    assert release(tmp_path, published={"test": 5}).expected is None
    assert release(tmp_path, published={"train": 7, "test": 5}).expected == 7
    assert release(tmp_path, published={"train": 7}, lines=9).expected == 9


class TestSurvey:
    def test_everything_is_counted(self, tmp_path):
        bad = BadLine(tmp_path / "t.csv", 7, "x")
        found = survey(release(tmp_path, *rows("a", "b", "a"), Skipped("c", "no label"), bad))
        assert found.rows == {"train": 5}
        assert (found.skipped, found.bad_count, found.bad) == (1, 1, (bad,))
        assert found.repeated == {digest("a")}
        assert (len(found.images), len(found.known)) == (3, 4)
        assert found.problems == (f"{tmp_path}/t.csv, line 7: x",)

    def test_a_file_that_ends_early_is_an_error_and_other_splits_are_read(self, tmp_path):
        def broken():
            yield from rows("a")
            raise ValueError("t.csv, line 3: not UTF-8 text")

        splits = {"train": broken, "test": lambda: iter(rows("b"))}
        found = survey(Release(tmp_path, splits))
        assert found.rows == {"train": 1, "test": 1}
        assert found.problems == ("t.csv, line 3: not UTF-8 text",)

    def test_keys_tell_rows_of_one_image_apart(self, tmp_path):
        crops = [Row("a", LABEL, key=f"a/{face}") for face in range(2)]
        assert survey(release(tmp_path, *crops)).repeated == frozenset()

    def test_the_sample_is_drawn_by_the_seed(self, tmp_path):
        many = release(tmp_path, *rows(*map(str, range(500))))
        first, again, other = (survey(many, 20, seed).sample for seed in (0, 0, 1))
        assert len(first) == 20
        assert first == again != other
        # Spread over the rows: a uniform draw of 20 leaves a half empty once in a million.
        assert {int(row.path) // 250 for row in first} == {0, 1}
        assert len(survey(release(tmp_path, *rows("a", "b")), 20).sample) == 2


class TestComparison:
    def test_examples_are_the_first_names(self, tmp_path):
        for number in range(9):
            write_image(tmp_path / f"z{number}.jpg", number)
        here = release(tmp_path, *rows("z0.jpg", "z8.jpg", "gone/1.jpg", "gone/2.jpg"))
        compared = compare(here, survey(here))
        assert (compared.missing, compared.unlabelled) == (2, 7)
        assert compared.missing_examples == ("gone/1.jpg", "gone/2.jpg")
        assert compared.unlabelled_examples == tuple(f"z{number}.jpg" for number in range(1, 6))
        assert compared.warnings == (
            "2 row(s) without an image file, to be skipped: gone/1.jpg, gone/2.jpg.",
            "7 image(s) without a row, left out: z1.jpg, z2.jpg, z3.jpg, z4.jpg, z5.jpg, ....",
        )

    def test_an_item_that_the_reader_skips_has_a_row(self, tmp_path):
        write_image(tmp_path / "a.jpg", 0)
        here = release(tmp_path, Skipped("a.jpg", "contempt"))
        assert compare(here, survey(here)).warnings == ()


class TestDuplicates:
    def test_the_first_is_kept_and_the_others_say_of_which(self):
        real = {"x": np.float32([np.nan, 1])}
        items = [Row("a", real, "line 1"), Row("b", LABEL, "line 2"), Row("a", real, "line 3")]
        kept = list(Duplicates(frozenset({digest("a")})).without(items))
        assert kept[:2] == items[:2]
        assert kept[2] == Skipped("a", "line 3: duplicate of line 1; the first is kept")

    def test_other_labels_are_mentioned(self):
        items = [Row("a", {"x": 0}), Row("a", {"x": 1}), Row("a", {"y": 0})]
        _, second, third = Duplicates(frozenset({digest("a")})).without(items)
        assert (
            second == third == Skipped("a", "duplicate row, with other labels; the first is kept")
        )

    def test_a_bad_line_stops(self, tmp_path):
        with pytest.raises(ValueError, match="line 4: changed"):
            list(Duplicates(frozenset()).without([BadLine(tmp_path, 4, "changed")]))


@given(st.lists(st.text(max_size=2)))
def test_keys_agree_with_sets(texts):
    keys = Keys()
    for text in texts:
        keys.add(digest(text))
    hashes = keys.sorted()
    assert repeated(hashes) == {digest(text) for text in texts if texts.count(text) > 1}
    for text in [*texts, "abc"]:
        assert contains(hashes, digest(text)) == (text in texts)


def test_ordered_map_keeps_order_and_reads_ahead_a_little():
    taken = []
    threads = set()

    def work(number):
        threads.add(threading.get_ident())
        time.sleep(0.002 if number % 2 else 0)
        return number

    def numbers():
        for number in range(1000):
            taken.append(number)
            yield number

    results = ordered_map(work, numbers(), workers=4)
    assert next(results) == 0
    assert len(taken) == AHEAD
    assert list(results) == list(range(1, 1000))
    assert len(threads) > 1


def test_ordered_map_passes_errors_on():
    with pytest.raises(ZeroDivisionError):
        list(ordered_map(lambda number: 1 // number, [1, 0, 1]))


def test_names_that_are_no_text_are_reported_as_escapes(tmp_path, capsys):
    write_image(tmp_path / "a.jpg", 0)
    write_image(tmp_path / "b\udce9.jpg", 1)
    here = release(tmp_path, *rows("a.jpg", "b\udce9.jpg"))
    report = check_release(tmp_path, lambda source: here)
    print_report("x", report)
    escaped = "b\\xe9.jpg: the path has characters that no text can hold"
    assert f"warning: {escaped}" in capsys.readouterr().out
    strangers = release(tmp_path, *rows("a.jpg"))
    assert "left out: b\\xe9.jpg." in compare(strangers, survey(strangers)).warnings[0]


def test_skip_list_holds_any_name(tmp_path):
    skips = SkipList(tmp_path)
    skips.add(Skipped('a, "b" é.jpg', "missing"))
    skips.add(Skipped("not-utf8-\udce9.jpg", "missing"))
    assert skips.count == 2
    assert (tmp_path / "skipped.csv").read_text(encoding="utf-8").splitlines() == [
        "path,reason",
        '"a, ""b"" é.jpg",missing',
        "not-utf8-\\xe9.jpg,missing",
    ]


class TestCheck:
    def test_counts_beside_the_published(self, tmp_path):
        write_image(tmp_path / "a.jpg", 0)
        here = release(tmp_path, *rows("a.jpg"), Skipped("b.jpg", "x"), published={"train": 3})
        report = check_release(tmp_path, lambda source: here)
        assert report.usable
        assert report.warnings == ("2 rows in train where 3 were published.",)
        assert report.facts == (
            "train: 2 rows.",
            "1 rows have no label for this data set, to be skipped.",
            "Opened 1 images drawn evenly; 0 cannot be used.",
        )

    def test_no_image_at_all(self, tmp_path):
        here = release(tmp_path, *rows("a.jpg", "b.jpg"), listed=("images",))
        report = check_release(tmp_path, lambda source: here)
        assert report.errors == (
            f"None of the 2 images that the labels name is under {tmp_path}/images.",
        )
