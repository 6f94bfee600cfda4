import keras
import numpy as np
import pytest

from mtl_dm.models.backbones import example_of, tmif_fea
from mtl_dm.models.backbones._recurrence import ParallelGRU
from mtl_dm.models.backbones._sequences import PresentMean, positions
from mtl_dm.streams import STREAMS, mask_of

T = 4
SHAPES = {"image": (16, 16, 3)} | {
    name: shape for each in STREAMS for name, shape in ((each, (T, 5)), (mask_of(each), (T,)))
}


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return tmif_fea(SHAPES, variant="demo")


def clips(rows=3, seed=0):
    rng = np.random.default_rng(seed)
    drawn = {name: rng.normal(size=(rows, *shape)) for name, shape in SHAPES.items()}
    masks = {mask_of(each): rng.random((rows, T)) < 0.6 for each in STREAMS}
    return {name: np.float32(value) for name, value in {**drawn, **masks}.items()}


def features(network, batch):
    return keras.ops.convert_to_numpy(network(batch, training=False))


def count(layer):
    return sum(int(np.prod(weight.shape)) for weight in layer.trainable_weights)


class TestParameters:
    def test_of_the_paper(self):
        # Without values: to draw them is what takes the time.
        with keras.StatelessScope(initialize_variables=False):
            network = tmif_fea(example_of("tmif_fea", tmif_fea).sizes["paper"])
        face = network.get_layer("inception_resnet_v1")
        assert count(face) == 23_482_624
        assert sum(count(layer) for layer in face.layers[-2:]) == 23_482_624 - 22_564_096
        # What the authors' code lists beside: a linear layer 32 -> 32 with batch normalisation a
        # stream that is never run, and queries and keys of two attentions a stream to one token.
        unused = 4 * (32 * 32 + 32 + 2 * 32)
        of_one_key = 4 * 2 * 2 * (32 * 32 + 32)
        assert count(network) - count(face) + unused + of_one_key == 1_445_760
        assert network.output_shape == (None, 32)


class TestMissingFrames:
    def test_what_stands_there_changes_nothing(self, network):
        batch, other = clips(), clips(seed=1)
        want = features(network, batch)
        for name in STREAMS:
            there = batch[mask_of(name)][..., None] > 0
            batch[name] = np.where(there, batch[name], other[name])
        np.testing.assert_array_equal(features(network, batch), want)
        for name in STREAMS:
            batch[name][batch[mask_of(name)] == 0] = np.nan
        np.testing.assert_array_equal(features(network, batch), want)

    def test_what_is_there_counts(self, network):
        batch = clips()
        want = features(network, batch)
        for name in STREAMS:
            changed = {**batch, name: batch[name] + 1}
            assert (np.abs(features(network, changed) - want).max(axis=1) > 1e-4).all()

    def test_a_clip_without_any_frame_is_its_image(self, network):
        batch, other = clips(), clips(seed=1)
        without = {mask_of(name): 0 * batch[mask_of(name)] for name in STREAMS}
        want = features(network, {**batch, **without})
        assert np.isfinite(want).all()
        assert (np.ptp(want, axis=0) > 0).any()
        got = features(network, {**other, **without, "image": batch["image"]})
        np.testing.assert_array_equal(got, want)

    def test_any_subset_of_streams_builds_and_starts_from_a_file(self, tmp_path):
        shapes = {name: SHAPES[name] for name in ("image", "words", mask_of("words"))}
        network = tmif_fea(shapes, variant="demo")
        batch = {name: each for name, each in clips().items() if name in shapes}
        want = features(network, batch)
        assert want.shape == (3, 32)
        network.save_weights(tmp_path / "w.weights.h5")
        again = tmif_fea(shapes, variant="demo", weights=str(tmp_path / "w.weights.h5"))
        np.testing.assert_array_equal(features(again, batch), want)


class TestParallelGRU:
    @pytest.mark.parametrize("length", [5, 18])  # one after the other, and as a loop
    def test_is_keras_own(self, length):
        rng = np.random.default_rng(0)
        sequences = [np.float32(rng.normal(size=(2, length, size))) for size in (3, 4)]
        present = [rng.random((2, length)) < 0.6 for _ in sequences]
        layer = ParallelGRU(6)
        layer(sequences, present)
        for place, (sequence, there) in enumerate(zip(sequences, present, strict=True)):
            weights = layer.trainable_weights[6 * place : 6 * place + 6]
            gru = keras.layers.GRU(6, return_sequences=True, use_cudnn=False)
            reference = keras.layers.Bidirectional(gru)
            reference.build(sequence.shape)
            values = [rng.normal(size=weight.shape) for weight in weights]
            for weight, value in zip(weights, values, strict=True):
                weight.assign(value)
            reference.set_weights(values)
            want = reference(sequence, mask=there) * there[..., None]
            got = layer(sequences, present)[place]
            np.testing.assert_allclose(
                *map(keras.ops.convert_to_numpy, (got, want)), rtol=1e-4, atol=1e-5
            )


def test_positions_are_the_formula():
    table = positions(7, 6)
    for t in range(7):
        for i in range(3):
            angle = t / 10_000 ** (2 * i / 6)
            np.testing.assert_allclose(table[t, 2 * i : 2 * i + 2], [np.sin(angle), np.cos(angle)],
                                       atol=1e-6)  # fmt: skip


def test_mean_of_the_frames_that_are_there():
    sequence = np.float32([[[1, 2], [3, 4], [9, 9]], [[5, 5], [5, 5], [5, 5]]])
    present = np.array([[True, True, False], [False, False, False]])
    mean = keras.ops.convert_to_numpy(PresentMean()(sequence, present))
    np.testing.assert_array_equal(mean, [[2, 3], [0, 0]])


def test_unknown_variant():
    with pytest.raises(ValueError, match=r"Unknown variant 'small' of tmif_fea"):
        tmif_fea(SHAPES, variant="small")
