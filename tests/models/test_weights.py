import h5py
import keras
import numpy as np
import pytest
from keras import layers

from mtl_dm.models import BACKBONES, MultiTaskModel
from mtl_dm.models.backbones import _library
from mtl_dm.models.backbones._weights import with_weights
from mtl_dm.models.backbones.normalization import GlobalBatchNormalization
from mtl_dm.tasks import Task


def network(width=4, names=("one", "two"), norm=layers.BatchNormalization, dropout=0.0):
    inputs = keras.Input((3,))
    x = norm(name="norm")(layers.Dense(width, name=names[0])(inputs))
    x = layers.Dropout(dropout)(x)
    return keras.Model(inputs, layers.Dense(2, name=names[1])(x))


def unnamed(width=4):
    inputs = keras.Input((3,))
    return keras.Model(inputs, layers.Dense(2)(layers.Dense(width)(inputs)))


def keras_2_file(model, path, without=()):
    """Write weights as Keras 2 does, which keras.applications' own files are."""
    with h5py.File(path, "w") as file:
        kept = [layer for layer in model.layers if layer.name not in without]
        file.attrs["layer_names"] = [layer.name.encode() for layer in kept]
        for layer in kept:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{place}:0".encode() for place in range(len(layer.weights))]
            group.attrs["weight_names"] = names
            for name, weight in zip(names, layer.weights, strict=True):
                group[name.decode()] = weight.numpy()
    return str(path)


def assert_same(one, two):
    for a, b in zip(one.weights, two.weights, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5", ".h5"])
@pytest.mark.parametrize("make", [network, unnamed])
def test_a_file_of_the_same_network(make, suffix, home):
    saved = make()
    path = home / f"w{suffix}"
    if suffix == ".keras":
        saved.save(path)
    elif suffix == ".h5":
        if make is unnamed:
            pytest.skip("Keras 2 knows layers by name alone.")
        keras_2_file(saved, path)
    else:
        saved.save_weights(path)
    assert_same(with_weights(make(), f"~/w{suffix}", "net"), saved)


def in_branches(*names):
    """Two branches, built in the order given, whose layers have the same names."""
    inputs, found = keras.Input((3,)), {}
    for name in names:
        inner = keras.Input((3,))
        found[name] = keras.Model(inner, layers.Dense(3, name="dense1")(inner), name=name)(inputs)
    return keras.Model(inputs, [found["one"], found["two"]])


def test_names_that_repeat_in_branches_are_told_apart_by_the_branch(tmp_path):
    saved, loaded = in_branches("one", "two"), in_branches("two", "one")
    saved.save(tmp_path / "w.keras")
    with_weights(loaded, str(tmp_path / "w.keras"), "net")
    for name in ("one", "two"):
        assert_same(loaded.get_layer(name), saved.get_layer(name))


def test_dropout_and_another_kind_of_normalisation_change_nothing(tmp_path):
    saved = network(norm=GlobalBatchNormalization, dropout=0.5)
    saved.save(tmp_path / "w.keras")
    loaded = with_weights(network(), str(tmp_path / "w.keras"), "net")
    assert_same(loaded, saved)


def test_the_backbone_of_a_trained_model(tmp_path):
    model = MultiTaskModel(network(), [Task.multiclass("expression", ["a", "b"])])
    model(np.zeros((1, 3)))
    model.compile("adam", jit_compile=False)
    model.save(tmp_path / "best.keras")
    loaded = with_weights(network(), str(tmp_path / "best.keras"), "net")
    assert_same(loaded, model.backbone)


@pytest.mark.parametrize(
    ("model", "other", "found"),
    [
        (
            network(),
            network(5),
            r"8 weights, .*shape \(file, network\): .*one/0 \(3, 5\), \(3, 4\)",
        ),
        (
            network(),
            network(norm=layers.ReLU),
            r"4 not in the file and left as initialised: norm/0",
        ),
        (network(norm=layers.ReLU), network(), r"Of 4 weights, 4 not in the network: norm/0.*/3\."),
    ],
)
def test_a_file_that_does_not_fit_lists_what(model, other, found, tmp_path):
    path = str(tmp_path / "w.weights.h5")
    other.save_weights(path)
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"do not fit net\..* " + found):
        with_weights(model, path, "net")
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_partial_file(tmp_path):
    path = keras_2_file(network(), tmp_path / "w.h5", without=("norm",))
    with pytest.raises(ValueError, match=r"4 not in the file and left as initialised: norm/0"):
        with_weights(network(), path, "net")


def test_a_classifier_in_the_file_is_not_needed(tmp_path):
    saved = network()
    whole = keras.Model(saved.input, layers.Dense(9, name="predictions")(saved.output))
    assert_same(with_weights(network(), keras_2_file(whole, tmp_path / "w.h5"), "net"), saved)


def test_no_such_weights(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"weights of net must be .* got '.*absent\.h5'"):
        with_weights(network(), str(tmp_path / "absent.h5"), "net")
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(ValueError, match=r"text\.h5' is no file of weights"):
        with_weights(network(), str(tmp_path / "text.h5"), "net")
    with pytest.raises(ValueError, match="net has no weights of ImageNet in this variant"):
        with_weights(network(), "imagenet", "net")
    with pytest.raises(ValueError, match="vggface has no weights of ImageNet"):
        BACKBONES.create("vggface(variant=demo, weights=imagenet)", (32, 32, 3))


def test_imagenet():
    source = network()
    assert_same(with_weights(network(), "imagenet", "net", imagenet=lambda: source), source)

    def fails():
        raise Exception("URL fetch failure")

    with pytest.raises(OSError, match=r"could not be fetched \(URL.*weights=PATH"):
        with_weights(network(), "imagenet", "net", imagenet=fails)


@pytest.mark.parametrize("mode", ["caffe", "torch", "tf"])
def test_preprocessing_is_that_of_keras(mode):
    images = np.random.default_rng(0).uniform(0, 255, (2, 4, 4, 3)).astype(np.float32)
    want = keras.applications.imagenet_utils.preprocess_input(images.copy(), mode=mode)
    got = _library.ImageNetInput(mode)(images / 127.5 - 1)
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="mode must be caffe, torch or tf, got 'x'"):
        _library.ImageNetInput("x")


def tiny(include_top, weights, input_tensor):
    """As `keras.applications` build networks."""
    (images,) = keras.utils.get_source_inputs(input_tensor)
    return keras.Model(images, layers.Conv2D(4, 3, name="conv")(input_tensor))


def caffe(weights="none", variant="paper"):
    options = {"weights": weights, "dropout": 0.0, "outputs": ()}
    shape, size = (32, 32, 3), _library.Size()
    made = _library.library_backbone("tiny", tiny, "caffe", shape, variant, size, **options)
    return made, made.get_layer("imagenet_input").mode


def test_a_start_at_random_is_no_start_from_0_to_255(tmp_path):
    made, mode = caffe()
    assert mode == "tf"
    assert isinstance(made.get_layer("conv").kernel_initializer, keras.initializers.HeUniform)
    model = MultiTaskModel(made, [Task.multiclass("expression", ["a", "b"])])
    model(np.zeros((1, 32, 32, 3)))
    model.save(tmp_path / "w.keras")
    made.save_weights(tmp_path / "w.weights.h5")
    # Who trained at [-1, 1] goes on so; files that do not say are those of keras.applications.
    for file, variant, want in (
        ("w.keras", "paper", "tf"),
        ("w.weights.h5", "paper", "caffe"),
        ("w.weights.h5", "demo", "tf"),
    ):
        found, mode = caffe(str(tmp_path / file), variant)
        assert mode == want
        assert_same(found, made)
    with pytest.raises(FileNotFoundError):
        caffe(str(tmp_path / "absent.keras"))


@pytest.fixture(scope="module")
def vgg():
    return BACKBONES.create("vgg16(variant=demo)", (32, 32, 3))


def test_outputs_of_layers(vgg):
    images = np.zeros((1, 32, 32, 3), np.float32)
    both = _library.with_outputs(vgg, ("block1_pool", "block5_conv3"), dropout=0.5)
    found = both(images)
    assert {name: each.shape for name, each in found.items()} == {
        "features": (1, 64),
        "block1_pool": (1, 16, 16, 8),
        "block5_conv3": (1, 4, 4, 64),
    }
    np.testing.assert_allclose(found["features"], vgg(images))
    wrong = r"vgg16 has no layers \['x'\] .* among them: .*block1_conv1"
    with pytest.raises(ValueError, match=wrong):
        _library.with_outputs(vgg, ("x",))
    model = MultiTaskModel(both, [Task.multiclass("expression", ["a", "b"])])
    assert set(model.extract(images)[1]) == {"block1_pool", "block5_conv3"}


def test_a_network_as_the_library_builds_it_gives_the_same_features(tmp_path):
    library = keras.applications.VGG16(
        include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg"
    )
    path = keras_2_file(library, tmp_path / "w.h5")
    backbone = BACKBONES.create(f"vgg16(weights={path})", (32, 32, 3))
    images = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    prepared = keras.applications.vgg16.preprocess_input((images + 1) * 127.5)
    np.testing.assert_allclose(backbone(images), library(prepared), rtol=1e-3, atol=1e-3)
