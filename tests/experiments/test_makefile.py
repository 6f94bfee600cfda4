"""The Makefile's targets of studies."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TARGETS = re.findall(
    r"\$\(STUDY\) experiments\.(\w+) \$\((\w+)\)", (ROOT / "Makefile").read_text(encoding="utf-8")
)


def test_every_study_has_a_target():
    assert [name for name, _ in TARGETS] == [
        "coupling_study", "table1", "table2", "table3", "table4", "table5", "real_faces",
        "faces", "dynamic",
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "given"), TARGETS)
def test_only_studies_that_train_take_workers(name, given):
    text = (ROOT / "experiments" / f"{name}.py").read_text(encoding="utf-8")
    assert given == ("OPTIONS" if "trains=False" in text else "TRAINING")
