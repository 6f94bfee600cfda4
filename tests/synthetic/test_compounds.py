"""Drawn compounds: what the table says, other people than anywhere else, read as drawn."""

import numpy as np
import pytest

from mtl_dm import data
from mtl_dm.datasets import SyntheticCompounds
from mtl_dm.datasets.raf_db._reader import COMPOUND
from mtl_dm.relatedness import compound_emotionet
from mtl_dm.synthetic import compounds
from mtl_dm.synthetic.affect import ACTIVE, affect_model, centre_between, sample_intensities
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS


def drawn(split, count=12, size=32, seed=0):
    return list(compounds.generate_compounds(split, count, size, seed))


def test_classes_are_those_of_raf_db_and_take_turns():
    assert COMPOUND.task.labels == compounds.COMPOUNDS
    assert [entry["compound_expression"] for entry in drawn("test")] == [*range(11), 0]
    assert all(count % 11 == 0 for count in compounds.COUNTS.values())


def test_units_follow_the_table_roughly():
    model = compounds.compound_model(0)
    table = compound_emotionet().restrict(classes=compounds.COMPOUNDS)
    shares = model.conditional[:, [ACTION_UNITS.index(unit) for unit in table.attributes]]
    assert shares[table.weights == 1].min() > 0.6
    assert shares[table.weights == 0].max() < 0.4
    rng = np.random.default_rng(0)
    active = np.mean([sample_intensities(model, 3, rng) > ACTIVE for _ in range(2000)], axis=0)
    np.testing.assert_allclose(active, model.conditional[3], atol=0.04)
    with pytest.raises(ValueError, match=r"expression must be 0\.\.10, got 11"):
        sample_intensities(model, 11, rng)


def test_the_basic_law_is_as_it_was():
    # Every drawn face hangs on these numbers.
    assert affect_model(0).conditional[1, 9] == pytest.approx(0.8815282342336257, abs=1e-12)


def test_affect_lies_around_the_mean_of_the_components():
    happy, surprised = EXPRESSIONS.index("happiness"), EXPRESSIONS.index("surprise")
    np.testing.assert_allclose(centre_between(happy, surprised), [0.45, 0.55])
    entries = drawn("test", 66)
    affect = np.array([entry["valence_arousal"] for entry in entries])
    shown = np.array([entry["compound_expression"] for entry in entries])
    assert affect[shown == 0].mean(axis=0).min() > 0.2  # Happily surprised.
    assert affect[shown == 3, 0].mean() < -0.2  # Sadly angry.
    assert (np.abs(affect) <= 1).all()


def test_seed_and_split_draw_others():
    first = drawn("test", 1)[0]
    for other in (drawn("test", 1, seed=1)[0], drawn("support", 1)[0]):
        assert not np.array_equal(first["image"], other["image"])
    np.testing.assert_array_equal(first["image"], drawn("test", 1)[0]["image"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("dev",), "no split 'dev'. Known: support"), (("test", -1), "count must be >= 0, got -1")],
)
def test_what_is_not_drawn(arguments, message):
    with pytest.raises(ValueError, match=message):
        compounds.generate_compounds(*arguments)


def test_reads_back_what_was_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(SyntheticCompounds, "COUNTS", {"test": 3})
    name = "synthetic_compounds/64px:test"
    source = data.load(name, data_dir=tmp_path, image_size=32)
    paths = data.raw_features(name, ["path"], data_dir=tmp_path)["path"]
    entries = {entry["path"]: entry for entry in drawn("test", 3, 64)}
    for path, (image, labels, masks) in zip(paths, source.as_numpy_iterator(), strict=True):
        entry = entries[path.decode()]
        assert image.shape == (32, 32, 3)
        assert labels["compound_expression"].argmax() == entry["compound_expression"]
        np.testing.assert_array_equal(labels["action_units"], entry["action_units"])
        np.testing.assert_array_equal(labels["valence_arousal"], entry["valence_arousal"])
        assert masks["action_units"].all()
