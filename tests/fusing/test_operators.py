"""Operators against references, their counts against the paper, and what cannot be fused."""

import keras
import numpy as np
import pytest
from sklearn import decomposition

from mtl_dm.fusing import OPERATORS, Sources, autoencoder, fuse, normalised_errors, random_errors
from mtl_dm.fusing.autoencoder import Autoencoder, Training
from mtl_dm.fusing.pca import PrincipalComponents
from mtl_dm.fusing.sources import standard_of
from mtl_dm.fusing.stochastic import GaussianCode, MaskingNoise
from mtl_dm.fusing.widths import layer_widths
from tests.fusing import embedded

PAPER = 5488
QUICK = "size=8, steps=120, batch_size=50, learning_rate=0.01"


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return embedded.sources_in(tmp_path_factory.mktemp("sources"))


def everything(sources):
    return np.concatenate([np.concatenate([np.load(p) for p in part.shards]) for part in
                           sources.parts], axis=1).astype(np.float32)  # fmt: skip


def test_rows_in_any_order(sources):
    places = np.array([199, 0, 40, 0])
    np.testing.assert_array_equal(sources.rows(places), everything(sources)[places])
    assert sources.slices == {"one": slice(0, 48), "other": slice(48, 72)}
    batches = list(sources.batches(np.arange(5), 2))
    assert [len(batch) for batch in batches] == [2, 2, 1]


def test_standardised_sources_have_mean_0_and_variance_1_on_average(sources):
    rows, places = everything(sources), np.arange(150)
    standard = standard_of(sources, places)
    found = standard(rows)
    np.testing.assert_allclose(found[places].mean(axis=0), 0, atol=1e-5)
    for part in sources.slices.values():
        assert found[places][:, part].var(axis=0).mean() == pytest.approx(1, rel=1e-4)
        ratio = found[:, part].std(axis=0) / rows[:, part].std(axis=0)
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)  # Within a source nothing changes.
    np.testing.assert_allclose(standard.inverse(found), rows, rtol=1e-4, atol=1e-3)


def test_pca_equals_scikit_learn():
    rng = np.random.default_rng(1)
    rows = (rng.normal(size=(60, 8)) @ rng.normal(size=(8, 8)) + 5).astype(np.float32)
    ours = PrincipalComponents((rows[:25], rows[25:]), 4)
    theirs = decomposition.PCA(4, svd_solver="full").fit(rows)
    np.testing.assert_allclose(ours.components, theirs.components_, atol=1e-5)
    np.testing.assert_allclose(ours.encode(rows), theirs.transform(rows), rtol=1e-4, atol=1e-4)
    restored = theirs.inverse_transform(theirs.transform(rows))
    np.testing.assert_allclose(ours.decode(ours.encode(rows)), restored, rtol=1e-4, atol=1e-4)
    # scikit-learn's own incremental one cuts components off on the way.
    part = decomposition.IncrementalPCA(8, batch_size=30).fit(rows)
    whole = PrincipalComponents([rows], 8)
    np.testing.assert_allclose(np.abs(whole.components), np.abs(part.components_), atol=1e-4)


def test_counts_are_the_papers():
    # SOURCES.md, 5.2: three layers by 4/7 each.
    widths = layer_widths(PAPER)
    assert widths == (3136, 1792, 1024) == layer_widths(PAPER, 1024)
    with keras.StatelessScope(initialize_variables=False):
        network = Autoencoder(PAPER, widths)
        noisy = Autoencoder(PAPER, widths, masked=0.1)
        drawn = Autoencoder(PAPER, widths, deviation=0.25)
    for each in (network, noisy, drawn):
        assert each.encoder.count_params() == 24_671_040
        assert each.decoder.count_params() == 24_675_504


def test_widths_of_a_sweep():
    assert layer_widths(1000, 1) == (100, 10, 1)
    assert layer_widths(8, 7) == (8, 7, 7)
    for size in (0, 8, 9):
        with pytest.raises(ValueError, match=f"below the 8 numbers of the sources, got {size}"):
            layer_widths(8, size)


def test_errors_by_hand():
    true = np.array([[1.0, 0.0], [3.0, 4.0]], np.float32)
    found = np.array([[1.0, 1.0], [2.0, 4.0]], np.float32)
    errors = normalised_errors(
        [(true[:1], found[:1]), (true[1:], found[1:])],
        {"a": slice(0, 1), "b": slice(1, 2), "both": slice(0, 2)},
    )
    # Squares of errors 1 and 1; around the means 2 and 2 they vary by 2 and 8.
    assert errors == pytest.approx({"a": 0.5**0.5, "b": 0.125**0.5, "both": 0.2**0.5})
    with pytest.raises(ValueError, match="'a' does not vary over these 1 rows"):
        normalised_errors([(true[:1], found[:1])], {"a": slice(0, 1)})
    with pytest.raises(ValueError, match="no row"):
        normalised_errors([], {})


def test_random_embeddings_are_off_by_1_4(tmp_path):
    # E(u - v)^2 = 2 var(u) for independent uniform u, v.
    rows = np.random.default_rng(2).uniform(-3, 5, (3000, 4))
    sources = Sources((embedded.written(tmp_path, "even", rows, 1000),))
    assert random_errors(sources, np.arange(3000))["even"] == pytest.approx(2**0.5, abs=0.02)


@pytest.mark.parametrize("name", list(OPERATORS))
def test_every_operator_keeps_more_than_chance(sources, name):
    options = {"pca": "size=3", "concatenation": ""}.get(name, QUICK)
    train, test = np.arange(150), np.arange(150, 200)
    fusion = fuse(f"{name}({options})", sources, train)
    rows = sources.rows(test)
    codes = fusion.embed(rows)
    assert codes.shape == (50, fusion.size) and np.isfinite(codes).all()
    errors = fusion.errors(sources, test)
    assert set(errors) == {"one", "other"}
    # Three factors, so that three components hold all but rounding; networks are trained a second.
    limit = 0.01 if name in ("concatenation", "pca") else 0.6
    assert max(errors.values()) < limit
    if name == "concatenation":
        assert fusion.size == sources.width


def test_a_seed_makes_the_same_network():
    rows = np.ones((1, 6), np.float32)
    one, same, other = (Autoencoder(6, (4, 3, 2), seed=seed).encode(rows) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_embeddings_have_mean_0_where_they_were_fitted(sources):
    train = np.arange(150)
    told = []
    fusion = fuse(f"autoencoder({QUICK})", sources, train, lambda *each: told.append(each))
    rows = sources.rows(train)
    np.testing.assert_allclose(fusion.embed(rows).mean(axis=0), 0, atol=1e-4)
    assert np.abs(fusion.centre).max() > 1e-3
    restored = fusion.standard.inverse(fusion.operator.decode(fusion.embed(rows) + fusion.centre))
    np.testing.assert_array_equal(fusion.restore(fusion.embed(rows)), restored)
    assert told[0][1] == 120 and [step for step, _, _ in told] == [3 * (n + 1) for n in
                                                                   range(len(told))]  # fmt: skip


def test_few_rows_have_few_steps():
    assert Training().steps_of(100) == 60 and Training().steps_of(100_000) == 2000
    assert Training(steps=7).steps_of(10**6) == 7


def test_training_stops_when_held_out_rows_are_restored_no_better(monkeypatch):
    rows = np.random.default_rng(3).normal(size=(40, 6)).astype(np.float32)
    network = Autoencoder(6, (5, 4, 3))
    monkeypatch.setattr(autoencoder, "PATIENCE", 2)
    # Noise cannot be restored; so fast a training only harms.
    options = Training(steps=200, batch_size=36, learning_rate=0.5, passes=200)
    errors = network.fit(lambda at: rows[at], np.arange(40), options)
    assert len(errors) < 40
    held = autoencoder._parts(np.arange(40), 0)[1]
    assert len(held) == 4
    kept = np.square(network.decode(network.encode(rows[held])) - rows[held]).mean()
    assert kept == pytest.approx(min(errors), rel=1e-4)


def test_masking_noise_sets_a_share_to_0_in_training_alone():
    layer, ones = MaskingNoise(0.25), np.ones((100, 50), np.float32)
    np.testing.assert_array_equal(layer(ones, training=False), ones)
    found = keras.ops.convert_to_numpy(layer(ones, training=True))
    assert set(np.unique(found)) == {0.0, 1.0}
    assert (found == 0).mean() == pytest.approx(0.25, abs=0.03)


def test_divergence_of_a_gaussian_code_by_hand():
    layer = GaussianCode(deviation=0.5, inputs=4)
    mean, log_variance = np.array([[1.0, 0.0]], np.float32), np.array([[0.0, 2.0]], np.float32)
    np.testing.assert_array_equal(layer([mean, log_variance], training=False), mean)
    # KL = (1 + 1 - 0 - 1)/2 + (0 + e^2 - 2 - 1)/2; times 2 * 0.25 / 4.
    expected = (0.5 + (np.exp(2) - 3) / 2) * 0.125
    assert float(layer.losses[0]) == pytest.approx(expected, rel=1e-5)
    many = np.zeros((4000, 1), np.float32)
    drawn = keras.ops.convert_to_numpy(layer([many + 3, many + np.log(4)], training=True))
    assert drawn.mean() == pytest.approx(3, abs=0.15) and drawn.std() == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("umap", "Unknown operator 'umap'. Known: autoencoder, concatenation, denoising, pca, var"),
        ("pca(size=72)", "below the 72 numbers of the sources, got 72"),
        ("autoencoder(size=99)", "below the 72 numbers of the sources, got 99"),
        ("autoencoder(steps=0)", "steps must be above 0, got 0"),
        ("denoising(masked=1.0)", r"must lie in \[0, 1\), got 1.0"),
        ("variational(deviation=0.0)", "deviation must be above 0, got 0.0"),
    ],
)
def test_what_cannot_be_an_operator(sources, text, message):
    with pytest.raises(ValueError, match=message):
        fuse(text, sources, np.arange(100))


def test_what_cannot_be_fused(sources, tmp_path):
    with pytest.raises(ValueError, match="at least two images to fit to, got 1"):
        fuse("pca", sources, np.arange(1))
    one = sources.parts[0]
    short = embedded.written(tmp_path, "short", np.ones((3, 2)))
    for parts in ((), (one, one), (one, short)):
        with pytest.raises(ValueError, match="at least one, of different names, and of the same"):
            Sources(parts)
    with pytest.raises(ValueError, match="'short' gives the same embedding for all 3 images"):
        fuse("concatenation", Sources((short,)), np.arange(3))
    with pytest.raises(ValueError, match="size must be 1 to 4 for 4 rows of 72 numbers, got 6"):
        fuse("pca(size=6)", sources, np.arange(4))
