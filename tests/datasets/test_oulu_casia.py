import itertools

import pytest

from mtl_dm.datasets._check import CHECKERS
from mtl_dm.datasets.oulu_casia._reader import TASKS, read
from mtl_dm.datasets.oulu_casia.builder import CONFIGS
from mtl_dm.datasets.reading import Skipped
from tests.datasets.fakes import oulu_casia as fakes


@pytest.fixture
def root(tmp_path):
    fakes.write(tmp_path)
    return tmp_path / "Oulu_CASIA"


def items(root, **options):
    splits = read(root, **options).splits.values()
    return list(itertools.chain.from_iterable(start() for start in splits))


def test_the_first_frame_is_neutral_and_the_last_three_show_the_expression(root):
    people, expressions = (task.labels for task in TASKS)
    found = {
        row.path: (people[row.labels["identity"]], expressions[row.labels["expression"]])
        for row in items(root)
    }
    assert found == {
        f"OriginalImg/VL/Strong/{person}/{name}/00{number}.jpeg": (
            person,
            name.lower() if number else "neutral",
        )
        for person, names in fakes.PEOPLE.items()
        for name in names
        for number in range(4)
    }


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_every_camera_and_light(config, tmp_path):
    camera = "VL" if config.name.startswith("visible") else "NI"
    fakes.write(tmp_path, "", camera, config.light)
    rows = itertools.chain.from_iterable(start() for start in config.read(tmp_path).splits.values())
    assert {row.path.rpartition("/P")[0] for row in rows} == {f"{camera}/{config.light}"}
    assert CHECKERS.get("oulu_casia")(tmp_path).usable


def test_no_person_is_in_two_splits(root):
    people = [{row.labels["identity"] for row in start()} for start in read(root).splits.values()]
    assert sorted(map(sorted, people)) == [[0], [1], [79]]


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("P081/Anger", "expected a person from P001 to P080"),
        ("Peter/Anger", "expected a person from P001 to P080"),
        ("P003/Boredom", "expected one of Anger, Disgust"),
    ],
)
def test_a_folder_that_is_none(folder, message, root):
    (root / "OriginalImg/VL/Strong" / folder).mkdir(parents=True)
    with pytest.raises(ValueError, match=message):
        read(root)


def test_a_sequence_of_one_frame_is_skipped(root):
    place = root / "OriginalImg/VL/Strong/P002/Fear"
    for path in sorted(place.iterdir())[1:]:
        path.unlink()
    [skipped] = [item for item in items(root) if isinstance(item, Skipped)]
    assert skipped.reason == "1 frame(s), of which none is the height"


def test_what_is_not_there_is_named(root):
    assert read(root).warnings == ("3 people where 80 were published.",)
    with pytest.raises(FileNotFoundError, match=r"expected NI/Weak/P\*/\* or OriginalImg/NI/Weak"):
        read(root, camera="infrared", light="Weak")
