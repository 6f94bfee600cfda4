"""Apache Beam's own runner over two processes writes what the local run writes."""

import sys

import pytest

from data_prep import align
from mtl_dm import faces
from tests.data_prep.faces.photos import register, run, tree, write, write_people

MULTI = (
    "--runner=DirectRunner",
    "--direct_running_mode=multi_processing",
    "--direct_num_workers=2",
)


@pytest.fixture
def beam():
    return pytest.importorskip(
        "apache_beam",
        reason="the extra 'beam' is not installed (it pins older packages than 'dev')",
        exc_type=ImportError,
    )


# Beam's and its dependencies' own, and what its worker processes leave open.
pytestmark = pytest.mark.filterwarnings("ignore")


def test_files_equal_the_local_ones(beam, tmp_path):
    source = write_people(tmp_path / "photos", 12)
    write(source, "empty.png", b"")
    assert run(source, tmp_path / "local") == 0
    assert run(source, tmp_path / "beam", *MULTI) == 0
    assert tree(tmp_path / "local") == tree(tmp_path / "beam")
    journals = list((tmp_path / "beam" / "_align" / "journal").iterdir())
    # Each name has the number of its process; none is this one's.
    processes = {path.name.split("-")[-2] for path in journals if path.stat().st_size}
    assert len(processes) == 2


def test_goes_on_where_a_local_run_ended(beam, tmp_path, capsys):
    source = write_people(tmp_path / "photos", 4)
    assert run(source, tmp_path / "faces") == 0
    write(source, "new.png", (source / "0" / "000.png").read_bytes())
    capsys.readouterr()
    assert run(source, tmp_path / "faces", "--runner=DirectRunner") == 0
    assert "4 of 5 image(s) are done already." in capsys.readouterr().out
    assert (tmp_path / "faces" / "new.jpg").is_file()


def test_the_real_engine(beam, tmp_path):
    try:
        faces.load_engine()
    except ImportError as error:
        pytest.skip(str(error))
    source = write_people(tmp_path / "photos", 3)  # nobody whom a real engine knows
    folders = [f"--source={source}"]
    assert align.main([*folders, f"--target={tmp_path / 'a'}", "--processes=1"]) == 0
    assert align.main([*folders, f"--target={tmp_path / 'b'}", *MULTI]) == 0
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_beam_is_missing(tmp_path, capsys, monkeypatch):
    register()
    source = write_people(tmp_path / "photos", 1)
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    assert run(source, tmp_path / "faces", "--runner=FlinkRunner") == 1
    assert "--runner=FlinkRunner needs Apache Beam" in capsys.readouterr().err
