"""The demo: its faces, its study, what it says; nothing is trained here."""

import re
import webbrowser

import numpy as np
import pytest

from experiments import demo, demo_study
from experiments.commands import COMMANDS
from experiments.engine import running
from experiments.problems import drawn_faces
from mtl_dm.synthetic.face_sets import EMOTIONET_UNITS


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(drawn_faces, "COUNTS", dict.fromkeys(drawn_faces.COUNTS, 3))
    drawn_faces.drawn.cache_clear()
    yield
    drawn_faces.drawn.cache_clear()


def test_each_set_carries_the_labels_of_one_task(few):
    problem = demo_study.problem(0, None)
    expressions, units = (list(source) for source in problem.sources(problem.tasks))
    image, labels, masks = expressions[0]
    assert image.shape == (48, 48, 3)
    assert -1 <= float(image.numpy().min()) < float(image.numpy().max()) <= 1
    assert list(labels) == ["expression"]
    assert float(masks["expression"]) == 1
    assert units[0][2]["action_units"].numpy().sum() == len(EMOTIONET_UNITS)
    # A network of one task has one source.
    assert [source is None for source in problem.sources(problem.tasks[:1])] == [False, True]
    tested = next(iter(problem.test(problem.tasks)))[2]
    assert tested["action_units"].numpy().all()
    assert float(tested["expression"]) == 1


def test_what_is_measured_apart_are_the_units_that_nobody_labels():
    problem = demo_study.problem(0, None)
    apart = problem.apart[drawn_faces.UNSEEN]
    np.testing.assert_array_equal(apart.labels + problem.scored["action_units"], 1)
    assert apart.labels.sum() == 6


def test_the_study_has_two_rows_and_a_page(tmp_path):
    study = demo_study.study(2)
    cells = study.cells(tmp_path, "mtl-dm demo")
    assert [(cell.plan.row, cell.plan.seed) for cell in cells] == [
        (row, seed) for seed in (0, 1) for row in (demo.UNCOUPLED, demo.COUPLED)
    ]
    assert cells[0].plan.config["relatedness"] is None
    assert cells[1].plan.config["relatedness"] == "facs"
    assert study.specification("mtl-dm demo").rows == (demo.UNCOUPLED, demo.COUPLED)


def test_it_says_where_the_page_is_and_what_comes_next(tmp_path, monkeypatch, capsys):
    asked, opened = [], []
    monkeypatch.setattr(running, "run_study", lambda study, options: asked.append(options))
    monkeypatch.setattr(webbrowser, "open", opened.append)
    assert demo.main([f"--output={tmp_path / 'made'}", "--workers=0", "--open"]) == 0
    page = (tmp_path / "made" / "report.html").as_uri()
    assert opened == [page]
    assert (asked[0].folder, asked[0].workers) == (tmp_path / "made", 0)
    said = capsys.readouterr().out
    assert f"The page for a browser: {page}" in said
    assert set(re.findall(r"mtl-dm ([a-z]+)", said)) <= set(COMMANDS)


def test_wrong_usage(capsys):
    with pytest.raises(SystemExit) as ended:
        demo.main(["--seeds=0"])
    assert ended.value.code == 2
    assert "--seeds must be at least 1, got 0" in capsys.readouterr().err
