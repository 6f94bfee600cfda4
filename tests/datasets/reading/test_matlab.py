"""MATLAB files as SciPy reads them, where it does not crash; and what is none."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from mtl_dm.datasets.reading.matlab import read_matlab

RNG = np.random.default_rng(0)


def cells(*values):
    found = np.empty((1, len(values)), object)
    found[0] = values
    return found


VARIABLES = {
    "numbers": RNG.normal(size=(3, 4)),
    "cube": RNG.integers(-5, 5, (2, 3, 4)).astype(np.int16),
    **{f"of_{kind}": np.arange(6).reshape(2, 3).astype(kind) for kind in ("u1", "i8", "u4", "f4")},
    "flags": np.array([[True, False]]),
    "one": np.array([[7.0]]),
    "nothing": np.empty((0, 0)),
    "text": "größer",
    "rows": np.array(["ab", "cd"]),
    "names": cells("a.jpg", "b", np.array([[1.5]])),
    "nested": cells(cells("x"), cells()),
}


def equal(found, wanted):
    if wanted.dtype == object:
        assert found.shape == wanted.shape
        for one, other in zip(found.ravel(), wanted.ravel(), strict=True):
            equal(one, other)
    else:
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("compressed", [False, True])
def test_what_scipy_writes_is_read_as_it_reads_it(compressed, tmp_path):
    path = tmp_path / "a.mat"
    thin = scipy.sparse.csc_matrix(np.eye(2))
    further = {"structure": {"a": 1}, "waves": np.array([1j]), "thin": thin}
    scipy.io.savemat(path, VARIABLES | further, do_compression=compressed)
    wanted, found = scipy.io.loadmat(path), read_matlab(path, list(VARIABLES))
    assert list(found) == list(VARIABLES)
    for name, array in found.items():
        equal(array, wanted[name])
        assert array.dtype.kind == wanted[name].dtype.kind
    with pytest.raises(ValueError, match=r"expected the variable 'absent', found \['cube'"):
        read_matlab(path, ["absent"])
    for name, kind in {"structure": "a structure", "waves": "complex", "thin": "sparse"}.items():
        with pytest.raises(ValueError, match=f"the variable '{name}' is {kind}, which is not read"):
            read_matlab(path, [name])


def test_the_real_label_files(tmp_path):
    folder = Path(os.environ.get("MTL_DM_TEST_DATA", tmp_path), "ClothingAttributeDataset/labels")
    if not folder.is_dir():
        pytest.skip("The labels of CAD are not here; set MTL_DM_TEST_DATA.")
    for path in sorted(folder.glob("*.mat")):
        equal(read_matlab(path, ["GT"])["GT"], scipy.io.loadmat(path)["GT"])


def big_endian(element):
    return bytes(124) + struct.pack(">H", 0x0100) + b"MI" + element


def element(kind, content):
    return struct.pack(">II", kind, len(content)) + content + bytes(-len(content) % 8)


def matrix(sides, kind, values):
    parts = element(6, struct.pack(">II", 6, 0)), element(5, struct.pack(">ii", *sides))
    return element(14, b"".join(parts) + struct.pack(">HH4s", 1, 1, b"a") + element(kind, values))


def test_another_order_of_bytes(tmp_path):
    path = tmp_path / "a.mat"
    path.write_bytes(big_endian(matrix((2, 1), 4, struct.pack(">HH", 3, 500))))
    np.testing.assert_array_equal(read_matlab(path, ["a"])["a"], [[3.0], [500.0]])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "its header"),
        (b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM", "HDF5 file: save it with -v7"),
        (big_endian(b"abc"), "cut off"),
        (big_endian(struct.pack(">II", 14, 10**6)), "cut off"),
        (big_endian(struct.pack(">HH4s", 9, 14, b"")), "cut off"),
        (big_endian(element(14, struct.pack(">II", 6, 0))), "unpack"),
        (big_endian(matrix((10**6, 10**6), 9, bytes(8))), "reshape"),
        (big_endian(matrix((-1, -1), 9, bytes(8))), "has the shape"),
        (big_endian(matrix((1, 1), 99, bytes(8))), "99"),
        (big_endian(element(15, b"no zip")), "header check"),
    ],
)
def test_what_is_none(content, reason, tmp_path):
    path = tmp_path / "a.mat"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"a.mat: not a readable MATLAB 5 file .*{reason}"):
        read_matlab(path, ["a"])


def test_what_unpacks_to_many_times_its_size_is_not_unpacked(tmp_path):
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"a": np.zeros((2300, 1000))}, do_compression=True)
    with pytest.raises(ValueError, match="many times its size"):
        read_matlab(path, ["a"])


def test_cells_in_cells_have_an_end(tmp_path):
    path, value = tmp_path / "a.mat", cells("x")
    for _ in range(20):
        value = cells(value)
    scipy.io.savemat(path, {"a": value})
    with pytest.raises(ValueError, match="nested too deep"):
        read_matlab(path, ["a"])
