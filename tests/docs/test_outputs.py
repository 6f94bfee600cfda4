"""What tutorials printed stands on the pages as it was printed."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def stream(name, text):
    return {"output_type": "stream", "name": name, "text": text}


def test_pieces_are_joined_where_they_were_cut():
    pytest.importorskip("myst_nb", reason="the site's: pip install -e '.[dev]'")
    spec = importlib.util.spec_from_file_location("outputs", ROOT / "docs" / "_ext" / "outputs.py")
    outputs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(outputs)
    shown = {"output_type": "display_data"}
    pieces = [
        stream("stderr", "why"),
        stream("stdout", "Its ca"),
        stream("stdout", f"rd: {ROOT}/mtl_dm/card.md\nhalf\rwhole\n"),
        shown,
        stream("stdout", "\n\n"),
    ]
    assert outputs.joined([stream("stdout", "\n\n"), shown]) == [shown]
    assert outputs.joined(pieces) == [
        stream("stdout", "Its card: mtl_dm/card.md\nwhole\n"),
        stream("stderr", "why\n"),
        shown,
    ]
