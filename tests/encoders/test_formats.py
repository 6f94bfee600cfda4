"""Every file format gives the numbers of its network, by layer, and says what it lacks."""

import importlib.util
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from mtl_dm.encoders import ENCODERS, Encoder, encoders_of
from mtl_dm.encoders.encoder import Preprocessing
from mtl_dm.encoders.formats import read_network
from mtl_dm.encoders.network import Network
from tests import saved_models
from tests.encoders import graphs, onnx_bytes

IMAGES = np.random.default_rng(1).uniform(-1, 1, (3, 4, 4, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """One network as .keras, as SavedModel and, channels first, as ONNX where it can be written."""
    folder = tmp_path_factory.mktemp("encoders")
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            keras.layers.Conv2D(2, 1, name="map"),
            keras.layers.GlobalAveragePooling2D(name="mean"),
            keras.layers.Dense(3, name="out"),
        ]
    )
    model.save(folder / "net.keras")
    module = tf.Module()
    module.v = tf.Variable(2.0)

    @tf.function(input_signature=[tf.TensorSpec((None, 4, 4, 3), name="x")])
    def serve(x):
        return {"mean": tf.reduce_mean(x, (1, 2)) * module.v, "map": x[:, :2]}

    tf.saved_model.save(module, str(folder / "saved"), signatures=serve)
    graphs.write(folder / "tfjs")
    saved_models.save(folder / "ours")
    return folder, model


def test_a_keras_file_and_its_layers(files):
    folder, model = files
    network = read_network(folder / "net.keras", None)
    assert (network.side, network.channels) == (4, 3)
    np.testing.assert_allclose(network.run(IMAGES), model(IMAGES), rtol=1e-5, atol=1e-6)
    kernel, bias = model.layers[0].get_weights()
    mean = (IMAGES @ kernel[0, 0] + bias).mean(axis=(1, 2))
    for layer in ("map", "mean"):  # A map is averaged over its places.
        found = read_network(folder / "net.keras", layer).run(IMAGES)
        np.testing.assert_allclose(found, mean, rtol=1e-5, atol=1e-6)


def test_a_network_that_is_saved_again_is_the_same_encoder(files, tmp_path):
    folder, model = files
    key = ENCODERS.create(f'file(path="{folder / "net.keras"}")').fingerprint
    # Other counted names, and another file: the date is in it.
    again = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Conv2D(2, 1)])
    again.add(keras.layers.GlobalAveragePooling2D())
    again.add(keras.layers.Dense(3))
    again.set_weights(model.get_weights())
    path = tmp_path / "again.keras"
    again.save(path)
    assert path.read_bytes() != (folder / "net.keras").read_bytes()
    text = f'file(path="{path}")'
    assert ENCODERS.create(text).fingerprint == key
    again.layers[-1].bias.assign([0.0, 0.0, 1e-6])
    again.save(path)
    changed = ENCODERS.create(text).fingerprint
    again.pop()
    again.add(keras.layers.Dense(3, "relu"))
    again.set_weights(model.get_weights())
    again.save(path)
    assert len({key, changed, ENCODERS.create(text).fingerprint}) == 3


def test_a_checkpoint_of_this_package_gives_its_features(files):
    network = read_network(files[0] / "ours" / "best.keras", None)
    images = np.zeros((2, saved_models.SIZE, saved_models.SIZE, 3), np.float32)
    assert network.side == saved_models.SIZE and network.run(images).shape == (2, 8)


def test_a_saved_models_outputs(files):
    named = files[0] / "*[a]"  # TensorFlow would take it for a pattern.
    named.symlink_to(files[0] / "saved")
    network = read_network(named, "mean")
    np.testing.assert_allclose(network.run(IMAGES), 2 * IMAGES.mean(axis=(1, 2)), rtol=1e-5)
    with pytest.raises(ValueError, match=r"2 outputs: .*layer=NAME, one of map, mean"):
        read_network(files[0] / "saved", None)


def test_a_tfjs_graph_is_what_its_operations_say(files):
    path = files[0] / "tfjs" / "graph.json"
    network = read_network(path, None)
    assert (network.side, network.channels) == (4, 3)
    np.testing.assert_allclose(network.run(IMAGES), graphs.product_of(IMAGES), rtol=1e-4, atol=1e-5)
    inside = read_network(path, "mean").run(IMAGES)
    np.testing.assert_allclose(inside, graphs.mean_of(IMAGES), rtol=1e-4, atol=1e-5)


def test_every_shard_counts_for_the_fingerprint(tmp_path):
    path = graphs.write(tmp_path)
    (before,) = encoders_of(f'file(path="{path}")')
    assert before.network.parameters == 15 + 5 + 5 + 5 + 10 + 2
    shard = tmp_path / "group1-shard2of2.bin"
    shard.write_bytes(shard.read_bytes()[:-4] + np.float32(7).tobytes())
    (after,) = encoders_of(f'file(path="{path}")')
    assert before.fingerprint != after.fingerprint


@pytest.mark.parametrize("first", [False, True])
def test_an_onnx_file_and_what_is_inside_it(tmp_path, first):
    pytest.importorskip("onnxruntime")
    path = tmp_path / "net.onnx"
    path.write_bytes(onnx_bytes.minus_mean(first))
    network = read_network(path, None)
    assert (network.side, network.channels) == (4, 3)
    np.testing.assert_allclose(network.run(IMAGES), -IMAGES.mean(axis=(1, 2)), rtol=1e-5)
    if importlib.util.find_spec("onnx") is None:
        with pytest.raises(ImportError, match="An ONNX encoder needs onnx: pip install"):
            read_network(path, "map")
        return
    np.testing.assert_allclose(
        read_network(path, "map").run(IMAGES), -IMAGES.mean(axis=(1, 2)), rtol=1e-5
    )
    with pytest.raises(ValueError, match=r"no layer 'fc'\. Known: map, out"):
        read_network(path, "fc")


@pytest.mark.parametrize(
    ("file", "layer", "error", "message"),
    [
        ("none.keras", None, FileNotFoundError, "No encoder at"),
        ("", None, ValueError, "must be a file .keras, .h5, .onnx, .json or the folder"),
        ("net.keras", "fc", ValueError, r"no layer 'fc'\. Known: map, mean, out"),
        ("saved", "fc", ValueError, r"no layer 'fc'\. Known: map, mean"),
        ("tfjs/graph.json", "fc", ValueError, r"no layer 'fc'\. Known: conv, each, mean, out"),
        ("broken.keras", None, ValueError, "cannot be read"),
        ("broken.onnx", None, ValueError, "no ONNX file"),
        ("empty", None, ValueError, "no SavedModel with the signature"),
        ("broken.json", None, ValueError, "no tfjs graph model"),
    ],
)
def test_what_is_no_encoder(files, file, layer, error, message):
    folder = files[0]
    if file == "broken.onnx":
        pytest.importorskip("onnxruntime")
    if file == "empty":
        (folder / "empty").mkdir()
        (folder / "empty" / "saved_model.pb").write_bytes(b"no graph")
    if file.startswith("broken"):
        (folder / file).write_bytes(b"{}")
    with pytest.raises(error, match=message):
        read_network(folder / file, layer)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda content: content["weightsManifest"][0]["paths"].pop(), ValueError, "ends behind"),
        (lambda content: content["weightsManifest"][0]["weights"].pop(), ValueError, "shards hold"),
        (
            lambda content: content["weightsManifest"][0].update(paths=["../group1-shard1of2.bin"]),
            ValueError,
            "beside the manifest",
        ),
        (
            lambda content: content["weightsManifest"][0].update(paths=["graph9.bin"]),
            FileNotFoundError,
            "graph9.bin are missing",
        ),
        (
            lambda content: content["modelTopology"]["node"][-1]["attr"]["fused_ops"][
                "list"
            ].update(s=[graphs.text("Erf")]),
            ValueError,
            "joined with Erf",
        ),
        (
            lambda content: content["modelTopology"]["node"][-2].update(op="Unheard"),
            ValueError,
            "no graph that TensorFlow runs",
        ),
    ],
)
def test_a_tfjs_graph_that_does_not_fit_its_weights(tmp_path, change, error, message):
    path = graphs.write(tmp_path)
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(error, match=message):
        read_network(path, None)


def test_preprocessing_by_hand():
    images = np.array([[[[-1.0, 0.0, 1.0]]]], np.float32)
    of = {
        ("rgb", 0.0, 255.0): [0, 127.5, 255],
        ("bgr", -1.0, 1.0): [1, 0, -1],
        # 0.299 * 0 + 0.587 * 0.5 + 0.114 * 1, of white = 1.
        ("grey", 0.0, 1.0): [0.4075],
    }
    for options, expected in of.items():
        np.testing.assert_allclose(Preprocessing(*options)(images)[0, 0, 0], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("colours=cmyk", "colours must be one of rgb, bgr, grey, got 'cmyk'"),
        ("low=1.0", "low must be below high, got 1.0 and 1.0"),
        ('name="a/b"', r"must be letters, digits.*, got 'a/b': give name=NAME"),
        ("side=5", "images of 4 pixels a side, got side=5"),
        ("colours=grey", "images of 3 channels, colours=grey gives 1"),
    ],
)
def test_options_that_do_not_fit_the_file(files, options, message):
    with pytest.raises(ValueError, match=message):
        encoders_of(f'file(path="{files[0] / "net.keras"}", {options})')


def test_encoders_are_named_after_their_files_and_different(files):
    one = f'file(path="{files[0] / "net.keras"}"'
    net, mean = encoders_of(f"{one}),{one}, name=mean, layer=mean)")
    assert (net.name, mean.name) == ("net", "mean")
    assert net.fingerprint != mean.fingerprint
    with pytest.raises(ValueError, match="different names, got net more than once"):
        encoders_of(f"{one}),{one}, layer=mean)")
    with pytest.raises(ValueError, match="expected ',' or the end, got 'x'"):
        encoders_of(f"{one}) x")


def test_nan_and_images_of_another_size_are_told():
    network = Network(4, 3, lambda images: np.log(images.mean(axis=(1, 2))))
    encoder = Encoder("logs", network, 4, Preprocessing(), "")
    with np.errstate(invalid="ignore"), pytest.raises(ValueError, match="NaN or infinity for 3 of"):
        encoder(-np.ones((3, 4, 4, 3), np.float32))
    with pytest.raises(ValueError, match=r"takes images \[B, 4, 4, 3\], got \[1, 5, 5, 3\]"):
        encoder(np.ones((1, 5, 5, 3), np.float32))
    failing = Encoder("failing", Network(4, 3, lambda images: {}["x"]), 4, Preprocessing(), "")
    with pytest.raises(ValueError, match=r"'failing' cannot be run on images \[1, 4, 4, 3\]: 'x'"):
        failing(np.ones((1, 4, 4, 3), np.float32))


def test_public_encoders_say_that_their_files_are_missing(tmp_path):
    public = [name for name in ENCODERS if name.startswith("human_")]
    assert len(public) == 5
    for name in public:
        with pytest.raises(FileNotFoundError, match="No encoder at"):
            encoders_of(f'{name}(models="{tmp_path}")')


def test_mobilenet_of_a_file_of_weights(tmp_path):
    keras.utils.set_random_seed(0)
    made = keras.applications.MobileNetV2((32, 32, 3), include_top=False, weights=None)
    path = tmp_path / "objects.weights.h5"
    made.save_weights(path)
    encoder = ENCODERS.create(f'mobilenet_v2(weights="{path}", side=32)')
    images = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    want = made(images, training=False).numpy().mean(axis=(1, 2))
    np.testing.assert_allclose(encoder.network.run(images), want, rtol=1e-4, atol=1e-5)
    assert want.shape == (2, 1280)
    with pytest.raises(ValueError, match="needs weights"):
        ENCODERS.create("mobilenet_v2(weights=none)")


def test_a_keras_file_of_several_outputs_needs_a_layer(tmp_path):
    faces = keras.Input((4, 4, 3))
    flat = keras.layers.Flatten(name="flat")(faces)
    heads = [keras.layers.Dense(2, name=name)(flat) for name in ("one", "two")]
    keras.Model(faces, heads).save(tmp_path / "two.keras")
    with pytest.raises(ValueError, match="has 2 outputs: say which layer is the embedding"):
        read_network(tmp_path / "two.keras", None)
    assert read_network(tmp_path / "two.keras", "one").run(IMAGES).shape == (3, 2)
