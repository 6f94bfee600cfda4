import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import config as tensorflow_config

from mtl_dm import data, processes
from mtl_dm.models import Coupling, MultiTaskModel
from mtl_dm.training import fitting, run
from mtl_dm.training.config import TrainConfig
from tests.models.cases import EXPRESSION, TABLE, UNITS

CONFIG = TrainConfig(
    ("arrays",), augment=False, batch_size=4, epochs=2, steps_per_epoch=3, learning_rate=0.01
)


@pytest.fixture
def deterministic():
    # The public switch has no way back, and it would slow every later test.
    run.make_deterministic()
    yield
    tensorflow_config.disable_op_determinism()


def sources():
    rng = np.random.default_rng(0)
    tasks = (EXPRESSION, UNITS)
    faces = rng.normal(size=(40, 6)).astype(np.float32)
    first = data.from_arrays(faces[:15], {"expression": rng.integers(0, 4, 15)}, tasks)
    second = data.from_arrays(faces[15:], {"action_units": rng.integers(0, 2, (25, 5))}, tasks)
    return [first, second]


def trained(config, **options):
    with fitting.settings(config):
        backbone = keras.Sequential(
            [
                keras.Input((6,)),
                keras.layers.Dense(8, activation="relu"),
                keras.layers.Dropout(0.3),
            ]
        )
        model = MultiTaskModel(backbone, (EXPRESSION, UNITS), [Coupling(relatedness=TABLE)])
        history = fitting.fit(model, sources(), config, **options)
    return model, history


def test_the_seed_decides_the_weights(deterministic):
    del deterministic

    def weights(config):
        return [keras.ops.convert_to_numpy(each) for each in trained(config)[0].trainable_weights]

    first, again = (weights(CONFIG) for _ in range(2))
    other = weights(CONFIG.replace(seed=1))
    assert len(first) == len(again)
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    # Kernels differ in every entry drawn; biases may agree in an entry.
    for one, two in zip(first, other, strict=True):
        assert not np.array_equal(one, two)


class TestSettings:
    @pytest.mark.parametrize(
        ("precision", "policy"),
        [
            ("float32", "float32"),
            ("float16", "mixed_float16"),
            ("bfloat16", "mixed_bfloat16"),
        ],
    )
    def test_precision_inside_and_afterwards(self, precision, policy):
        before = keras.config.dtype_policy()
        with fitting.settings(CONFIG.replace(mixed_precision=precision)):
            assert keras.config.dtype_policy().name == policy
        assert keras.config.dtype_policy() == before

    def test_restored_after_an_error(self):
        before = keras.config.dtype_policy()

        def fail():
            with fitting.settings(CONFIG.replace(mixed_precision="float16")):
                raise KeyError("inside")

        with pytest.raises(KeyError, match="inside"):
            fail()
        assert keras.config.dtype_policy() == before

    def test_an_outer_policy_is_kept(self):
        keras.config.set_dtype_policy("mixed_bfloat16")
        with fitting.settings(CONFIG):
            assert keras.config.dtype_policy().name == "float32"
        assert keras.config.dtype_policy().name == "mixed_bfloat16"

    def test_seeds_everything(self):
        def draws(seed):
            with fitting.settings(CONFIG.replace(seed=seed)):
                layer = keras.layers.Dense(3)
                layer.build((None, 2))
                return np.random.random(), layer.get_weights()[0].tolist()

        assert draws(3) == draws(3)
        assert draws(3) != draws(4)

    def test_mirrored_on_one_device(self, monkeypatch):
        device = tf.config.list_logical_devices("CPU")[0]
        listed = {"GPU": [], "CPU": [device]}
        monkeypatch.setattr(tf.config, "list_logical_devices", listed.get)
        before = keras.config.dtype_policy()
        config = CONFIG.replace(strategy="mirrored", mixed_precision="float16")
        with (
            pytest.raises(ValueError, match=r"at least two devices.*CPU:0.*Use --strategy=none"),
            fitting.settings(config),
        ):
            pass
        assert keras.config.dtype_policy() == before

    def test_unknown_strategy(self):
        with (
            pytest.raises(ValueError, match=r"Unknown strategy 'tpu'. Known: mirrored, none"),
            fitting.settings(CONFIG.replace(strategy="tpu")),
        ):
            pass


class TestStream:
    def test_shares_and_batch_size_apply(self):
        stream, steps = fitting.training_stream(
            sources(), CONFIG.replace(shares=(3.0, 1.0), datasets=("a", "b"))
        )
        assert steps == 3
        assert stream.cardinality() == tf.data.INFINITE_CARDINALITY
        for _, _, masks in stream.take(4):
            assert masks["expression"].numpy().sum() == 3
            assert (masks["action_units"].numpy().max(axis=1) == 1).sum() == 1

    def test_without_steps_an_epoch_is_one_pass(self):
        config = CONFIG.replace(steps_per_epoch=None)
        _, steps = fitting.training_stream(sources(), config)
        assert steps == len(list(data.merge(sources(), config.batch_size)))

    def test_augment_changes_images_only_where_asked(self):
        images = np.linspace(-1, 1, 6 * 16 * 16 * 3, dtype=np.float32).reshape(6, 16, 16, 3)
        source = data.from_arrays(images, {"expression": np.arange(6) % 4}, (EXPRESSION,))

        def batch(augment):
            config = CONFIG.replace(augment=augment, batch_size=6)
            stream, _ = fitting.training_stream([source], config)
            pictures, labels, _ = next(iter(stream))
            return pictures.numpy(), labels["expression"].numpy()

        plain, changed = batch(False), batch(True)
        np.testing.assert_array_equal(plain[1], changed[1])
        assert {image.tobytes() for image in plain[0]} == {image.tobytes() for image in images}
        assert not np.allclose(plain[0], changed[0])

    def test_mix_adds_blends_of_the_rows_behind_them(self):
        config = CONFIG.replace(mix="mix_augment(real=1.0)", datasets=("a", "b"))
        stream, steps = fitting.training_stream(sources(), config)
        assert stream.element_spec[0].shape[0] == 6
        whole = [inputs.numpy() for inputs, _, _ in stream.take(steps + 1)]
        later, _ = fitting.training_stream(sources(), config, epochs=1)
        np.testing.assert_array_equal(next(iter(later))[0], whole[steps])

    @pytest.mark.parametrize(
        "mix", ["none", "mix_augment", "mix_augment(blocks=2)", "mix_augment(blocks=4)"]
    )
    @pytest.mark.parametrize(("devices", "local", "epochs"), [(2, 1, 0), (4, 2, 1)])
    def test_processes_divide_every_batch(self, mix, devices, local, epochs, monkeypatch):
        config = CONFIG.replace(mix=mix, datasets=("a", "b"), batch_size=8, augment=True)
        faces = [
            each.map(lambda inputs, *rest: (tf.reshape(inputs, [1, 2, 3]), *rest))
            for each in sources()
        ]
        stream, _ = fitting.training_stream(faces, config, epochs)
        whole = list(stream.take(3).as_numpy_iterator())
        monkeypatch.setenv(processes.PROCESSES, str(devices // local))
        parts = []
        for first in range(0, devices, local):
            monkeypatch.setattr(processes, "_devices", lambda first=first: (devices, local, first))
            stream, _ = fitting.training_stream(faces, config, epochs)
            parts.append(list(stream.take(3).as_numpy_iterator()))
            divided = "blocks" in mix or mix == "none"
            said = [] if divided else ["every process makes whole batches, for mix_augment blends"]
            assert [line[:57] for line in fitting.undivided_notices(config)] == said
        for number, batch in enumerate(whole):
            joined = [part[number] for part in parts]
            got = tf.nest.map_structure(lambda *rows: np.concatenate(rows), *joined)
            tf.nest.map_structure(np.testing.assert_array_equal, got, batch)


@pytest.mark.parametrize(
    ("mix", "hosts", "rows"), [("none", 1, 8), ("none", 2, 4), ("mix_augment", 2, 16)]
)
def test_a_host_holds_the_rows_of_its_own_processes(mix, hosts, rows, monkeypatch):
    config = CONFIG.replace(mix=mix, datasets=("a", "b"), batch_size=8)
    assert fitting.rows_on_host(config) == 8
    monkeypatch.setenv(processes.PROCESSES, "4")
    monkeypatch.setenv(processes.HOSTS, str(hosts))
    monkeypatch.setattr(processes, "_devices", lambda: (4, 1, 0))
    assert fitting.rows_on_host(config) == rows


def test_nothing_is_written_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, history = trained(CONFIG.replace(epochs=1, steps_per_epoch=1))
    assert list(tmp_path.iterdir()) == []
    assert np.isfinite(history.history["loss"]).all()
    assert model.optimizer.learning_rate.numpy() == pytest.approx(0.01)
    assert isinstance(model.optimizer, keras.optimizers.Adam)


def test_a_batch_that_does_not_divide_among_processes(monkeypatch):
    monkeypatch.setenv(processes.PROCESSES, "2")
    monkeypatch.setattr(processes, "_devices", lambda: (2, 1, 0))
    monkeypatch.setattr(processes, "require_agreement", lambda *_: None)
    with pytest.raises(ValueError, match=r"batch_size must be a multiple of the 2 .*got 7"):
        trained(CONFIG.replace(batch_size=7))
