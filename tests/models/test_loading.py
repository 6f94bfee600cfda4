"""Files may ask for no more memory than what they hold is worth."""

import io
import json
import os
import struct
import threading
import zipfile

import h5py
import keras
import numpy as np
import pytest

from mtl_dm.models.backbones._weight_files import input_mode_in, stored_in
from mtl_dm.models.heaps import require_heaps_that_end
from mtl_dm.models.loading import load_keras


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("small") / "small.keras"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="dense")]).save(path)
    return path


def rewritten(small, path, compression=zipfile.ZIP_STORED, **changed):
    with zipfile.ZipFile(small) as old, zipfile.ZipFile(path, "w", compression) as new:
        for name in old.namelist():
            change = changed.get(name.partition(".")[0], lambda data: data)
            new.writestr(name, change(old.read(name)))
    return path


def wide(config):
    content = json.loads(config)
    for layer in content["config"]["layers"]:
        if layer["class_name"] == "Dense":
            layer["config"]["units"] = 10**9
    return json.dumps(content).encode()


def zeros(data):
    del data
    file = io.BytesIO()
    with h5py.File(file, "w") as hdf5:
        hdf5.create_dataset("vars/0", (2**26,), "f4", compression="gzip", chunks=(2**20,))
    return file.getvalue()


def test_what_it_holds_is_loaded(small):
    np.testing.assert_array_equal(load_keras(small).weights[1], np.zeros(3))


def test_a_description_of_a_network_that_is_too_large_for_its_weights(small, tmp_path):
    path = rewritten(small, tmp_path / "wide.keras", config=wide)
    with pytest.raises(ValueError, match=r"wide\.keras cannot be read: .*too few for that"):
        load_keras(path)
    assert keras.Layer.add_weight.__module__.startswith("keras.")


def test_arrays_and_archives_that_are_compressed_beyond_what_weights_can_be(small, tmp_path):
    path = rewritten(small, tmp_path / "arrays.keras", model=zeros)
    for load in (load_keras, stored_in):
        with pytest.raises(ValueError, match="its arrays would take 268,435,456 bytes"):
            load(path)
    path = tmp_path / "archive.keras"
    rewritten(small, path, zipfile.ZIP_DEFLATED, metadata=lambda _: bytes(2**25))
    for load in (load_keras, stored_in):
        with pytest.raises(ValueError, match="it would unpack to 33,5"):
            load(path)


def test_what_another_thread_builds_does_not_count(small, monkeypatch):
    def build(path):
        other = threading.Thread(target=keras.layers.Dense(5000).build, args=((None, 5000),))
        other.start()
        other.join()
        return path

    monkeypatch.setattr(keras.saving, "load_model", build)
    assert load_keras(small) == small
    with pytest.raises(ValueError, match="too few for that"):
        monkeypatch.setattr(
            keras.saving, "load_model", lambda path: keras.layers.Dense(5000).build((None, 5000))
        )
        load_keras(small)


def test_loads_at_the_same_time_leave_nothing_behind(small):
    made = keras.Layer.add_weight
    threads = [threading.Thread(target=load_keras, args=(small,)) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert keras.Layer.add_weight is made


def test_damage_of_any_kind_is_no_file_of_weights(small, tmp_path, monkeypatch):
    path = tmp_path / "damaged.keras"
    whole = small.read_bytes()
    inside = whole.index(b"\x89HDF") + 600
    for place, reads in {
        whole.rindex(b"PK\x01\x02") + 1: (load_keras, stored_in),  # The list of its contents.
        whole.index(b"config.json{") + 16: (load_keras,),
        inside: (load_keras, stored_in),
    }.items():
        path.write_bytes(whole[:place] + b"?" + whole[place + 1 :])
        assert input_mode_in(str(path)) is None
        for load in reads:
            with pytest.raises(ValueError, match=r"damaged\.keras"):
                load(path)

    def raises(*_):
        raise RuntimeError("Object visitation failed")

    monkeypatch.setattr(h5py.Group, "visititems", raises)  # As of a damaged group.
    with pytest.raises(ValueError, match=r"no file of weights .*visitation failed"):
        stored_in(small)


def with_a_heap():
    """An HDF5 file with a text, and where its heap begins and what is free in it."""
    file = io.BytesIO()
    with h5py.File(file, "w") as hdf5:
        hdf5.attrs["layer_names"] = "a text that is no array"
    content = bytearray(file.getvalue())
    heap = content.index(b"GCOL")
    return content, heap, heap + 16 + 16 + 24  # Behind its header and the text.


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_heap_of_texts_without_an_end(suffix, tmp_path):
    path = tmp_path / f"endless{suffix}"
    content, heap, free = with_a_heap()
    content[free + 8 : free + 16] = bytes(8)  # h5py would look for the text for ever.
    content[heap + 5 : heap + 8] = b"any"  # Reserved: HDF5 does not look.
    if suffix == ".h5":
        path.write_bytes(content)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("model.weights.h5", bytes(content))
    for load in (load_keras, stored_in):
        with pytest.raises(ValueError, match="a heap of texts takes 0 of 4040 bytes"):
            load(path)


@pytest.mark.parametrize(
    ("number", "room"),
    # Modulo 2^64 the steps of the first three are 0 or 8; HDF5 refuses the last two.
    [(2, 2**64 - 16), (2, 2**64 - 8), (0, 8), (0, 4048), (1, 4032)],
)
def test_objects_that_a_heap_cannot_hold(number, room):
    content, _, free = with_a_heap()
    assert struct.unpack_from("<HHIQ", content, free) == (0, 0, 0, 4040)
    require_heaps_that_end(bytes(content))
    struct.pack_into("<HHIQ", content, free, number, 0, 0, room)
    with pytest.raises(ValueError, match=f"takes {room + 16 * (number > 0)} of 4040"):
        require_heaps_that_end(bytes(content))


@pytest.mark.parametrize("size", [4088, 2**20])
def test_a_heap_that_hdf5_refuses_is_left_to_it(size):
    content, heap, free = with_a_heap()
    struct.pack_into("<Q", content, free + 8, 0)
    struct.pack_into("<Q", content, heap + 8, size)
    require_heaps_that_end(bytes(content))
    with h5py.File(io.BytesIO(content), "r") as file, pytest.raises(OSError, match=r"heap|EOA"):
        file.attrs["layer_names"]


@pytest.mark.parametrize("block", [0, 512])
def test_sizes_of_another_length(block, tmp_path):
    path, made = tmp_path / "short.h5", h5py.h5p.create(h5py.h5p.FILE_CREATE)
    made.set_sizes(8, 4)
    made.set_userblock(block)
    h5py.h5f.create(bytes(path), h5py.h5f.ACC_TRUNC, made).close()
    with pytest.raises(ValueError, match="its sizes are of 4 bytes"):
        require_heaps_that_end(path.read_bytes())


def calling(name):
    """A description whose layer has any function for an activation."""

    def change(config):
        content = json.loads(config)
        called = {"module": "os", "class_name": "function", "config": name}
        (dense,) = (each for each in content["config"]["layers"] if each["class_name"] == "Dense")
        dense["config"]["activation"] = {**called, "registered_name": name}
        return json.dumps(content).encode()

    return change


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_checkpoint_runs_no_code(suffix, tmp_path, monkeypatch):
    path, ran = tmp_path / f"lambda{suffix}", []
    monkeypatch.setattr(keras, "ran_by_a_checkpoint", ran, raising=False)
    # Keras keeps the code of such a layer in the file.
    touch = keras.layers.Lambda(lambda x: __import__("keras").ran_by_a_checkpoint.append(1) or x)
    keras.Sequential([keras.Input((4,)), touch]).save(path)
    assert ran
    ran.clear()
    with pytest.raises(ValueError, match="cannot be read"):
        load_keras(path)
    assert not ran


@pytest.mark.parametrize("name", ["system", "Popen"])
def test_a_checkpoint_calls_nothing_but_layers(small, name, tmp_path, monkeypatch):
    ran = []

    def call(value, *_, **__):
        ran.append(name)
        return value

    monkeypatch.setattr(os, name, call, raising=False)
    path = rewritten(small, tmp_path / "calls.keras", config=calling(name))
    load_keras(path, custom_objects={name: call})(np.zeros((1, 4)))
    assert ran  # Keras calls what stands there, where it is told what the name is.
    ran.clear()
    with pytest.raises(ValueError, match="cannot be read"):
        load_keras(path)(np.zeros((1, 4)))
    assert not ran
