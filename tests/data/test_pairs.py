"""Lists of pairs, by hand and by the counts of the real one; pairs drawn."""

import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from mtl_dm.data import Pairs, draw_pairs, read_author_pairs, read_lfw_pairs, read_ytf_pairs
from mtl_dm.data.pairs import drawn
from mtl_dm.data.pairs.drawn import possible, same_pairs, unordered

LFW = "2\t1\nAnn\t1\t2\nAnn\t3\tBob\t1\nCy\t10\t2\nCy\t2\tDee\t1\n"
YTF = "1, 1, Ann/0, Ann/3, 1\n1, 2, Ann/0, Bob/1, 0\n2, 3, Cy/2, Cy/4, 1\n2, 4, Cy/2, Dee/0, 0\n"
HEAD = "No.  Input_img    Ref_img    IdentityIssame  Expression_actual\n"
ROW = "{}  /data/ck/{}/002/{}.png  /data/ck/{}/003/{}.png  {}  5  5  0  True\n"


@pytest.fixture
def listed(tmp_path):
    def write(text):
        path = tmp_path / "pairs.txt"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def named(pairs):
    """Every pair as one would write it down."""
    return [
        (pairs.images[one], pairs.images[other], bool(same), int(fold))
        for one, other, same, fold in zip(
            pairs.first, pairs.second, pairs.same, pairs.fold, strict=True
        )
    ]


def test_lfw(listed):
    pairs = read_lfw_pairs(listed(LFW))
    assert named(pairs) == [
        ("Ann_0001", "Ann_0002", True, 1),
        ("Ann_0003", "Bob_0001", False, 1),
        ("Cy_0010", "Cy_0002", True, 2),
        ("Cy_0002", "Dee_0001", False, 2),
    ]
    first, second = pairs.people()
    assert first.tolist() == ["Ann", "Ann", "Cy", "Cy"]
    assert second.tolist() == ["Ann", "Bob", "Cy", "Dee"]
    assert pairs.in_several_folds() == []


@pytest.mark.parametrize("change", [str, lambda text: "split number, pair, first, second\n" + text])
def test_ytf(listed, change):
    pairs = read_ytf_pairs(listed(change(YTF)))
    assert named(pairs)[1:3] == [("Ann/0", "Bob/1", False, 1), ("Cy/2", "Cy/4", True, 2)]
    assert pairs.identities == ("Ann", "Ann", "Bob", "Cy", "Cy", "Dee")


def test_ytf_corrected_takes_the_last_mark(listed):
    pairs = read_ytf_pairs(listed("1, 1, Ann/0, Ann/3, 1, 0\n2, 2, Bob/0, Bob/1, 1, 1\n"))
    assert pairs.same.tolist() == [False, True]


def test_author_rows(listed):
    rows = [ROW.format(0, "S085", "S085_002_12", "S085", "S085_003_01", True)]
    rows += [ROW.format(n, "S085", f"S085_002_{n}", "S089", "S089_003_01", False) for n in (1, 2)]
    pairs = read_author_pairs(listed(HEAD + "".join(rows)), folds=2)
    assert named(pairs)[0] == ("S085/002/S085_002_12.png", "S085/003/S085_003_01.png", True, 1)
    assert pairs.fold.tolist() == [1, 1, 2]
    assert [side.tolist() for side in pairs.people()] == [["S085"] * 3, ["S085", "S089", "S089"]]
    assert pairs.in_several_folds() == ["S085", "S089"]
    with pytest.raises(ValueError, match="folds must be 1 to 3, its pairs, got 10"):
        read_author_pairs(listed(HEAD + "".join(rows)))


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (read_lfw_pairs, "", r"must begin with the numbers of folds and pairs, got \[\]"),
        (read_lfw_pairs, LFW.replace("2\t1\n", "2\t2\n", 1), "must have 2 x 4 pairs, got 4"),
        (read_lfw_pairs, LFW.replace("Cy\t10\t2", "Cy\t10"), "line 4: a pair must have 'person"),
        (read_lfw_pairs, LFW.replace("Bob", "Ann"), "line 3: a pair must have two people"),
        (read_lfw_pairs, LFW.replace("Dee", "Bob"), "'Bob' is in 1 and 2"),
        (read_ytf_pairs, YTF.replace("Cy/4, 1", "Cy/4, 2"), "line 3: a pair must have fold"),
        (read_ytf_pairs, YTF.replace("Cy/4", "Cy"), "line 3: a pair must have fold"),
        (read_ytf_pairs, YTF.replace("Dee", "Ann"), "'Ann' is in 1 and 2"),
        (read_ytf_pairs, "split, first\n", "holds no pair"),
        (read_author_pairs, HEAD + "0  a/b/c.png  a/b/d.png  Yes  5  5  0  True\n" * 10, "line 2"),
    ],
)
def test_a_list_that_is_none(listed, read, text, message):
    with pytest.raises(ValueError, match=message):
        read(listed(text))


@pytest.mark.parametrize(
    ("read", "text"), [(read_lfw_pairs, LFW), (read_ytf_pairs, YTF), (read_author_pairs, HEAD)]
)
def test_a_list_in_another_encoding(tmp_path, read, text):
    path = tmp_path / "pairs.txt"
    path.write_bytes(text.replace("Ann", "Zoë").replace("No.", "Nº").encode("latin-1"))
    with pytest.raises(ValueError, match=r"pairs\.txt: not UTF-8 text \(.*\); save it as UTF-8"):
        read(path)


@pytest.mark.parametrize(("read", "text"), [(read_lfw_pairs, LFW), (read_ytf_pairs, YTF)])
def test_a_list_with_a_byte_order_mark(tmp_path, read, text):
    path = tmp_path / "pairs.txt"
    path.write_bytes(text.encode("utf-8-sig"))
    assert len(read(path).same) == 4


def test_an_unknown_image(listed):
    pairs = read_lfw_pairs(listed(LFW))
    known = set(pairs.images) - {"Bob_0001"}
    with pytest.raises(ValueError, match="1 of 4 pairs name an unknown image; the first one is"):
        pairs.among(known)
    kept = pairs.among(known, skip=True)
    assert named(kept) == [each for each in named(pairs) if each[1] != "Bob_0001"]
    assert "Ann_0003" not in kept.images
    assert kept.people()[0].tolist() == ["Ann", "Cy", "Cy"]
    assert pairs.among(pairs.images) is pairs
    with pytest.raises(ValueError, match="4 of 4 pairs name an unknown image"):
        pairs.among([], skip=True)


def test_some_folds(listed):
    pairs = read_lfw_pairs(listed(LFW))
    assert named(pairs.of_folds([2])) == named(pairs)[2:]
    with pytest.raises(ValueError, match=r"Folds must be some of \[1, 2\], got \[2, 3\]"):
        pairs.of_folds([3, 2])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"same": np.array([True, False])}, "as many in every array"),
        ({"second": np.array([3])}, r"must lie in \[0, 1\], got 0 to 3"),
        ({"images": ("a", "a")}, "name every image once"),
        ({"identities": ("A",)}, "one identity an image, got 1 for 2"),
    ],
)
def test_pairs_that_are_none(changes, message):
    one = {"first": np.array([0]), "second": np.array([1]), "same": np.array([True])}
    with pytest.raises(ValueError, match=message):
        Pairs(**{"images": ("a", "b"), **one, "fold": np.array([1]), **changes})


@pytest.fixture(scope="module")
def identities():
    return np.append(np.random.default_rng(0).integers(0, 30, 200), [-1] * 10)


def test_drawn_pairs_hold_the_protocol(identities):
    pairs = draw_pairs(identities, folds=5, per_fold=20, seed=3)
    sides = np.stack([identities[pairs.first], identities[pairs.second]])
    np.testing.assert_array_equal(sides[0] == sides[1], pairs.same)
    assert (sides >= 0).all() and (pairs.first != pairs.second).all()
    unordered = {frozenset(each) for each in zip(pairs.first, pairs.second, strict=True)}
    assert len(unordered) == len(pairs.same) == 200
    for fold in range(1, 6):
        inside = pairs.fold == fold
        assert inside.sum() == 40 and pairs.same[inside].sum() == 20
        assert not set(sides[:, inside].ravel()) & set(sides[:, ~inside].ravel())
    again = draw_pairs(identities, folds=5, per_fold=20, seed=3)
    assert named(again) == named(pairs)
    assert named(draw_pairs(identities, folds=5, per_fold=20, seed=4)) != named(pairs)


def test_names_serve_as_ids(identities):
    names = np.array([f"p{each:02d}" if each >= 0 else "" for each in identities])
    images = [f"{place}.jpg" for place in range(len(names))]
    pairs = draw_pairs(names, folds=2, per_fold=5, images=images)
    ids = draw_pairs(identities, folds=2, per_fold=5)
    assert pairs.first.tolist() == ids.first.tolist()
    assert pairs.images[7] == "7.jpg" and ids.images[7] == "7"
    assert pairs.identities[-1] == "" and pairs.people()[0][0] == names[pairs.first[0]]


def test_every_pair_there_is_can_be_drawn():
    # Two folds of two people with two images: 2 pairs of one person, 4 of two.
    pairs = draw_pairs(np.repeat(np.arange(4), 2), folds=2)
    assert len(pairs.same) == 8 and possible([2, 2]) == (2, 4)


def test_people_are_drawn_alike_however_many_images_they_have():
    who = np.repeat(np.arange(8), [40, 4, 4, 4, 4, 4, 4, 4])
    found = [draw_pairs(who, folds=2, per_fold=3, seed=seed) for seed in range(40)]
    pairs = np.concatenate([who[pairs.first[pairs.same]] for pairs in found])
    # One of four people a fold: a quarter of its 3 x 40 pairs, 30, and 98% if by pairs.
    assert 15 < (pairs == 0).sum() < 50


def test_many_pairs_are_drawn_without_listing_them():
    tracemalloc.start()
    people = [np.arange(20_000), np.arange(20_000, 20_003)]
    pairs = same_pairs(people, 300, np.random.default_rng(0))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**20  # 200 million pairs would be 3 GB.
    assert len({frozenset(pair) for pair in pairs.tolist()}) == 300
    # The one with three pairs is drawn as often, until none is left.
    assert (pairs >= 20_000).all(axis=1).sum() == 3
    assert ((pairs < 20_000).all(axis=1)).sum() == 297


def test_pairs_that_are_not_listed_are_drawn_alike(monkeypatch):
    people = [np.arange(6), np.array([7, 9]), np.array([11]), np.arange(20, 23)]

    def counts(listed):
        monkeypatch.setattr(drawn, "_LISTED", listed)
        rng = np.random.default_rng(1)
        found = np.concatenate([same_pairs(people, 4, rng) for _ in range(400)])
        return np.bincount(found.min(axis=1) * 23 + found.max(axis=1), minlength=530)

    one, other = counts(100), counts(0)
    assert ((one == 0) == (other == 0)).all()
    # 19 pairs: their chi-squared numbers are above 45 once in 2,000 draws.
    there = one > 0
    assert ((one - other)[there] ** 2 / (one + other)[there]).sum() < 45


def test_the_codes_of_pairs():
    assert {*map(tuple, unordered(np.arange(6)).tolist())} == {
        (0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)
    }  # fmt: skip
    second = np.array([3, 94_906_267, 30_000_000])
    codes = second * (second - 1) // 2
    np.testing.assert_array_equal(unordered(codes), np.stack([0 * second, second], axis=1))
    below = np.stack([second - 2, second - 1], axis=1)
    np.testing.assert_array_equal(unordered(codes - 1), below)


@pytest.mark.parametrize(
    "as_stored",
    [
        lambda names: np.array(names, object),
        lambda names: np.array([name.encode() for name in names]),
        lambda names: np.array([name.encode() for name in names], object),
        lambda names: np.array([name or None for name in names], object),
    ],
)
def test_names_in_any_array(as_stored):
    names = ["", *(name for name in ("Zoë", "b", "c", "d") for _ in range(2))]
    found = draw_pairs(as_stored(names), folds=2)
    assert found.identities == tuple(names)
    assert named(found) == named(draw_pairs(names, folds=2))


def test_ids_in_an_array_of_objects():
    who = np.append(np.repeat(np.arange(4), 2), -1)
    assert named(draw_pairs(who.astype(object))) == named(draw_pairs(who))
    assert draw_pairs(who.astype(object)).identities[-1] == ""


@pytest.mark.parametrize(
    ("images", "folds"), [([2] * 12, 6), ([2] * 50, 10), ([2] * 5 + [1] * 40, 5), ([2] * 4, 2)]
)
def test_as_many_folds_as_there_are_people_for(images, folds):
    pairs = draw_pairs(np.repeat(np.arange(len(images)), images))
    assert pairs.fold.max() == folds


@pytest.mark.parametrize(
    ("who", "options", "message"),
    [
        ([0, 0, 1, 1], {}, "2 folds need 4 people, 2 of them with two images; there are 2"),
        ([-1, -1], {}, "of 2 none has one"),
        ([""], {}, "of 1 none has one"),
        ([0, 0, 1, 1], {"folds": 1}, "at least two folds, got 1"),
        ([0, 0, 1, 1], {"folds": 2}, "2 folds need 4 people, 2 of them with two images; there are"),
        ([0, 0, 1, 2, 3], {"folds": 2}, "there are 4, and 1 with two"),
        (np.repeat(range(4), 2), {"folds": 2, "per_fold": 3}, "per_fold must be 1 to 2, .*got 3"),
        (np.repeat(range(4), 2), {"folds": 2, "seed": -1}, "The seed of the pairs"),
    ],
)
def test_pairs_that_cannot_be_drawn(who, options, message):
    with pytest.raises(ValueError, match=message):
        draw_pairs(who, **options)


def test_the_real_list():
    default = Path(__file__).parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("MTL_DM_TEST_DATA", default)) / "faces" / "lfw_expressions"
    if not folder.is_dir():
        pytest.skip("the photos are not here: set MTL_DM_TEST_DATA to the folder of the data")
    pairs = read_lfw_pairs(folder / "pairs.txt")
    assert len(pairs.same) == 6000 and pairs.same.sum() == 3000
    assert len(set(pairs.identities)) == 4281
    there = pairs.among({path.stem for path in (folder / "images").iterdir()}, skip=True)
    # The photos are not all of LFW's.
    assert len(there.same) == 5603 and len(there.images) == 7291
