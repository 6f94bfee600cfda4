import json
import subprocess
from importlib import metadata

import pytest

from mtl_dm.runs import record
from mtl_dm.version import VERSION

CONFIG = {"seed": 0, "datasets": ["a", "b"], "relatedness": None}


def test_claims_and_recognises_its_folder(tmp_path):
    folder = tmp_path / "runs" / "first"
    assert record.claim_folder(folder, CONFIG) == folder
    assert json.loads((folder / "config.json").read_text(encoding="utf-8")) == {
        "format": record.FORMAT,
        **CONFIG,
    }
    # Tuples become lists in JSON; that is no other configuration.
    record.claim_folder(folder, {**CONFIG, "datasets": ("a", "b")})


def test_a_folder_with_other_files_may_be_claimed(tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    record.claim_folder(tmp_path, CONFIG)
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"seed": 1}, "(seed: 0 there, 1 now)"),
        ({"relatedness": "facs"}, "(relatedness: None there, 'facs' now)"),
        ({"new": 3}, "(new: None there, 3 now)"),
        ({"seed": 1, "datasets": []}, "(datasets: ['a', 'b'] there, [] now; seed: 0 there, 1 now)"),
    ],
)
def test_refuses_another_configuration(tmp_path, changes, difference):
    record.claim_folder(tmp_path, CONFIG)
    with pytest.raises(ValueError) as error:
        record.claim_folder(tmp_path, {**CONFIG, **changes})
    assert str(tmp_path) in str(error.value)
    assert difference in str(error.value)
    # What is there stays.
    record.claim_folder(tmp_path, CONFIG)


def test_record_has_commit_and_versions(tmp_path):
    record.write_record(tmp_path, seconds=1.5, config=CONFIG)
    content = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert content["seconds"] == 1.5
    assert content["config"] == CONFIG
    assert content["commit"] == record.commit()
    assert content["versions"]["tensorflow"] == metadata.version("tensorflow")
    assert content["versions"]["keras"] == metadata.version("keras")
    assert content["versions"]["python"].startswith("3.")


def test_versions_leave_out_what_is_not_installed(monkeypatch):
    monkeypatch.setattr(record, "_PACKAGES", ("keras", "no-such-package"))
    assert set(record.versions()) == {"python", "keras"}


class TestCommit:
    @pytest.mark.parametrize(("status", "mark"), [("", ""), (" M file.py", "+")])
    def test_says_whether_files_were_changed(self, monkeypatch, status, mark):
        answers = {"ls-files": "", "status": f"{status}\n", "rev-parse": "0123456789ab\n"}

        def git(command, **options):
            assert options["check"]
            return subprocess.CompletedProcess(command, 0, stdout=answers[command[1]])

        monkeypatch.setattr(record.subprocess, "run", git)
        assert record.commit() == f"0123456789ab{mark}"

    @pytest.mark.parametrize(
        "error", [FileNotFoundError("git"), subprocess.CalledProcessError(128, "git")]
    )
    def test_unknown_outside_a_checkout(self, monkeypatch, error):
        def git(*_, **__):
            raise error

        monkeypatch.setattr(record.subprocess, "run", git)
        assert record.commit() == f"release {VERSION}"
