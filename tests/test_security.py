"""What SECURITY.md promises is tested where it says."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (ROOT / "SECURITY.md").read_text("utf-8"))


@pytest.mark.parametrize(("file", "name"), NAMED, ids="::".join)
def test_every_promise_names_a_test_that_is_there(file, name):
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    names = {each.name for each in ast.walk(tree) if hasattr(each, "name")}
    assert not name or name in names


def test_every_promise_names_one():
    promised = (ROOT / "SECURITY.md").read_text("utf-8").partition("## Promised")[2]
    promises = re.split(r"\n(?=- )", promised.partition("## Not promised")[0])[1:]
    assert len(promises) > 10
    assert [each for each in promises if "`tests/" not in each] == []
