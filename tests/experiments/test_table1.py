import json
import sys

import numpy as np
import pytest

from data_prep.build import build
from experiments import table1
from experiments.relatedness import ck_plus, comparison, counted, report
from mtl_dm import datasets
from mtl_dm.relatedness import Relatedness, aff_wild2, facs
from mtl_dm.reporting import RESULT_COLUMNS, read_results
from mtl_dm.synthetic import true_conditional
from mtl_dm.tasks import ACTION_UNITS, EXPRESSIONS
from tests.datasets.fakes import aff_wild2 as fakes

HEADER = "subject,video,emotion,AU1,AU4,AU12,AU14,AU25"
# Happiness: AU12 in 3 of 4, AU25 in 2 of 4; contempt and AU14 are none of Table 1's.
SEQUENCES = (
    "S1,S1_1,happy,0,0,1,0,1",
    "S1,S1_2,happy,0,0,1,0,1",
    "S2,S2_1,happy,0,0,1,0,0",
    "S3,S3_1,happy,0,0,0,0,0",
    "S3,S3_2,fear,1,1,0,0,1",
    "S3,S3_3,contempt,0,0,1,1,0",
)


def write_ck_plus(folder, *lines, header=HEADER):
    path = folder / ck_plus.FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *(lines or SEQUENCES)]) + "\n", encoding="utf-8")
    return path


def build_aff_wild2(folder):
    source = fakes.write_challenges(folder / "raw")
    build(datasets.make_builder("aff_wild2", folder), source, folder)


def main(patch, faces, *arguments):
    patch.setattr(counted, "BUILT", faces)
    patch.setattr(sys, "argv", ["table1.py", *arguments])
    table1.main()


@pytest.fixture(scope="module")
def finished(faces, tmp_path_factory):
    """The folder of a study on all three sources."""
    folder = tmp_path_factory.mktemp("table1")
    write_ck_plus(folder)
    build_aff_wild2(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MTL_DM_COMMAND", raising=False)
        main(patch, faces, f"--data_dir={folder}")
    return folder / "runs" / "table1"


class TestFinished:
    def test_results(self, finished):
        frame = read_results(finished / "results.csv")
        assert list(frame.columns) == list(RESULT_COLUMNS)
        assert set(frame["column"]) == set(counted.COLUMNS)
        assert set(frame["task"]) == {"action_units"}
        assert frame["metric"].str.fullmatch(r"p/AU\d+").all()
        kinds = dict(zip(frame["column"], frame["dataset"], strict=True))
        assert kinds == {
            "Aff-Wild2": "aff_wild2 (real)",
            "CK+": "ckplus (real)",
            "synthetic faces": "synthetic_faces (synthetic)",
        }

    def test_values_counted_by_hand(self, finished):
        frame = read_results(finished / "results.csv").set_index(["column", "row", "metric"])
        assert frame["value"]["CK+", "happiness", "p/AU12"] == 0.75
        assert frame["value"]["CK+", "happiness", "p/AU25"] == 0.5
        assert frame["value"]["CK+", "fear", "p/AU4"] == 1.0
        # Video 1 is the only one of the training split with both: happiness with SOME_UNITS;
        # its frame of anger has no units, its third one is Other.
        wild = frame.loc["Aff-Wild2"]
        assert set(wild.index.get_level_values("row")) == {"happiness"}
        units = dict(zip(fakes.UNITS.split(","), fakes.SOME_UNITS.split(","), strict=True))
        assert {metric: value for (_, metric), value in wild["value"].items()} == {
            f"p/{unit}": float(active) for unit, active in units.items()
        }

    def test_nothing_is_said_where_nothing_was_counted(self, finished):
        frame = read_results(finished / "results.csv")
        rows = set(frame.loc[frame["column"] == "CK+", "row"])
        assert rows == {"happiness", "fear"}
        assert "AU14" not in "".join(frame["metric"])

    def test_relatedness_files_are_ready_to_train_with(self, finished):
        table = Relatedness.from_json(finished / "ckplus.json")
        assert table.classes == EXPRESSIONS
        assert table.attributes == ("AU1", "AU4", "AU12", "AU25")
        assert table.counts.sum(axis=1).tolist() == [0, 16, 0, 4, 0, 0, 0]
        # Not counted is not known: neither present nor absent.
        assert (table.likelihood[0] == 0.5).all()
        assert Relatedness.from_json(finished / "aff-wild2.json").attributes == tuple(
            unit for unit in ACTION_UNITS if unit in fakes.UNITS.split(",")
        )

    @pytest.mark.parametrize("name", ["report.md", "report.html"])
    def test_report_says_what_is_counted_and_what_is_printed(self, finished, name):
        text = (finished / name).read_text(encoding="utf-8")
        assert "Real and synthetic data, column by column" in text
        assert "published in the paper, not measured here" in text
        assert "python -m experiments.table1 --data_dir=" in text
        assert "Commit:" in text
        assert "Versions:" in text
        assert "seconds to read and count" in text
        for column in counted.COLUMNS:
            assert f"on {column}" in text or column in text
        assert "nan" not in text.lower().replace("&nan", "")

    def test_pictures_are_beside_the_report(self, finished):
        text = (finished / "report.md").read_text(encoding="utf-8")
        for stem, number in {"aff-wild2": 2, "ckplus": 2, "synthetic-faces": 3}.items():
            for place in range(1, number + 1):
                assert f"({stem}-{place}.svg)" in text
                assert (finished / f"{stem}-{place}.svg").read_text("utf-8").count("P(") > 10
        page = (finished / "report.html").read_text(encoding="utf-8")
        assert page.count("<svg") == 3 * 7
        assert "<script" not in page

    def test_json_is_strict(self, finished):
        for path in finished.glob("*.json"):
            json.loads(path.read_text(encoding="utf-8"), parse_constant=pytest.fail)


class TestSources:
    def test_without_data_dir_only_faces(self, faces, tmp_path, monkeypatch, capsys):
        monkeypatch.chdir(tmp_path)
        main(monkeypatch, faces)
        frame = read_results(tmp_path / "runs" / "table1" / "results.csv")
        assert set(frame["column"]) == {"synthetic faces"}
        assert "**Synthetic data**" in (tmp_path / "runs/table1/report.md").read_text()
        assert "synthetic faces: 80 images annotated for both" in capsys.readouterr().out

    def test_only_one(self, faces, tmp_path, monkeypatch):
        write_ck_plus(tmp_path)
        monkeypatch.chdir(tmp_path)
        main(monkeypatch, faces, f"--data_dir={tmp_path}", "--only=CK+")
        frame = read_results(tmp_path / "runs" / "table1" / "results.csv")
        assert set(frame["column"]) == {"CK+"}
        assert "**Real data**" in (tmp_path / "runs/table1/report.md").read_text()

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--data_dir=nowhere"], "DATA_DIR: no folder nowhere"),
            (["--data_dir=."], "holds neither a built Aff-Wild2"),
            (["--only=CK+"], "CK\\+ needs DATA_DIR, DATA_DIR/ckplus/ckplus_aus_emotions.csv"),
            (["--only=CK+", "--data_dir=."], "No file ckplus/ckplus_aus_emotions.csv"),
            (["--only=Aff-Wild2", "--data_dir=."], "'aff_wild2' is not built in ."),
        ],
    )
    def test_what_is_missing_is_named(self, faces, tmp_path, monkeypatch, arguments, message):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(FileNotFoundError, match=message):
            main(monkeypatch, faces, *arguments)
        assert not (tmp_path / "runs").exists()

    @pytest.mark.parametrize(
        ("argument", "message"),
        [
            ("--preset=paper", "Unknown preset 'paper'. Known: demo"),
            ("--only=EmotioNet", "Known: Aff-Wild2; CK\\+; synthetic faces"),
        ],
    )
    def test_wrong_arguments(self, faces, tmp_path, monkeypatch, argument, message):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(ValueError, match=message):
            main(monkeypatch, faces, argument)

    def test_a_database_without_both_labels(self):
        with pytest.raises(ValueError, match="X: none of 3 images is annotated for"):
            counted._count(
                "X", "x (real)", np.array([-1, 0, 1]), np.array([[1], [-1], [-1]]), ["AU1"], ""
            )


class TestCkPlus:
    def test_neutral_is_taken_to_have_none(self, tmp_path):
        table = ck_plus.relatedness(
            write_ck_plus(tmp_path, *(f"S,V,{name},0,1,0,0,0" for name in NAMES)), ACTION_UNITS
        )
        assert table.attributes == ("AU1", "AU4", "AU12", "AU25")
        assert table.conditional[0].tolist() == [0, 0, 0, 0]
        assert table.conditional[1:].tolist() == [[0, 1, 0, 0]] * 6
        assert table.counts is None

    @pytest.mark.parametrize(
        ("lines", "header", "message"),
        [
            (["S1,V,bored,0,0,0,0,0"], HEADER, "line 2: unknown emotion 'bored'"),
            (["S1,V,happy,0,0,0,0,0", "S1,V,fear,0,2,0,0,0"], HEADER, "line 3: AU4 must be 0 or 1"),
            (["S1,V,happy,0,,0,0,0"], HEADER, "line 2: AU4 must be 0 or 1, got"),
            (["happy,1"], "feeling,AU1", "needs a column emotion"),
            (["happy,1"], "emotion,unit", "columns of action units"),
            (["happy,1,2,3"], "emotion", "is no CSV file|needs a column"),
        ],
    )
    def test_bad_files(self, tmp_path, lines, header, message):
        path = write_ck_plus(tmp_path, *lines, header=header)
        with pytest.raises(ValueError, match=message):
            ck_plus.sequences(path, ACTION_UNITS)

    def test_an_empty_file(self, tmp_path):
        path = write_ck_plus(tmp_path)
        path.write_text("")
        with pytest.raises(ValueError, match="is no CSV file"):
            ck_plus.sequences(path, ACTION_UNITS)


NAMES = ("happy", "sadness", "fear", "anger", "surprise", "disgust")


@pytest.fixture
def small():
    """400 happy and 100 fearful images: AU12 in 82% of the happy, AU1 in 52% of the fearful."""
    expressions = np.repeat([1, 3], [400, 100])
    units = np.zeros((500, 2), np.int8)
    units[:328, 1] = 1
    units[400:452, 0] = 1
    return counted._count("CK+", "x (real)", expressions, units, ["AU1", "AU12"], "")


class TestComparison:
    def test_a_reference_names_what_it_names(self, small):
        study, wild = comparison.references(small)
        np.testing.assert_array_equal(study.values[1], facs().weights[1, [0, 9]])
        assert np.isnan(study.values[0]).all()  # Table 1 has no line for neutral.
        assert study.printed[3].tolist() == [True, False]
        assert wild.values[3, 0] == aff_wild2().weights[3, 0]

    def test_gaps(self, small):
        study, wild = comparison.references(small)
        # Printed by the study: AU12 given happiness 1, AU1 given fear 1.
        gap = comparison.mean_gap(small, study, study.printed)
        assert gap == pytest.approx((0.18 + 0.48) / 2)
        assert comparison.mean_gap(small, wild, wild.printed) == pytest.approx(0, abs=1e-6)
        assert np.isnan(comparison.mean_gap(small, study, study.printed & False))

    def test_contradictions_are_outside_the_interval_and_sorted(self, small):
        study, wild = comparison.references(small)
        found = comparison.contradictions(small, study, 8)
        assert [(each.expression, each.unit) for each in found] == [
            ("fear", "AU1"),
            ("happiness", "AU12"),
        ]
        assert (found[0].active, found[0].images) == (52, 100)
        assert found[0].low < 0.52 < found[0].high < found[0].reference == 1
        assert len(comparison.contradictions(small, study, 1)) == 1
        # Counted as printed: nothing contradicts.
        assert comparison.contradictions(small, wild, 8) == []
        # Two classes were counted, on two units.
        assert comparison.covered(small, wild) == (4, 4)
        assert comparison.covered(small, study) == (2, 4)

    def test_no_table_without_contradictions(self, small):
        _, wild = comparison.references(small)
        assert len(report._contradiction_table(small, wild)) == 1
        assert "farthest" not in report._summary(small, wild)

    def test_faces_stand_beside_their_law(self, faces, monkeypatch):
        monkeypatch.setattr(counted, "BUILT", faces)
        [column] = counted.count_all(None, ["synthetic faces"])
        law = comparison.references(column)[-1]
        assert not law.published
        np.testing.assert_array_equal(law.values, true_conditional(0).conditional)
        inside, pairs = comparison.covered(column, law)
        assert pairs == 7 * 17
        # 95% of the intervals should hold the law; 80 images are few, but no excuse.
        assert inside / pairs > 0.9
