import math
from pathlib import Path

import pandas as pd
import pytest

from mtl_dm.reporting import published

PAPER = Path(__file__).parents[3] / "shared" / "paper"
NAMES = {
    "table1": "table1_relatedness.csv",
    "table2": "table2.csv",
    "table3": "table3.csv",
    "table4": "table4.csv",
    "table5": "table5.csv",
}
COLUMNS = ["column", "row", "task", "metric", "value", "spread"]


def value(table, column, row, task, metric, name="value"):
    frame = published(table)
    keys = {"column": column, "row": row, "task": task, "metric": metric}
    for key, wanted in keys.items():
        frame = frame[frame[key] == wanted]
    assert len(frame) == 1
    return frame[name].item()


@pytest.mark.parametrize("table", NAMES)
def test_numbers_are_those_of_the_paper_folder(table):
    source = PAPER / NAMES[table]
    if not source.is_file():
        pytest.skip("the folder with the paper's numbers is not beside this checkout")
    raw = pd.read_csv(source)
    frame = published(table)
    if table == "table3":
        expected = raw["expression_f1"].tolist() + raw["action_units_f1"].tolist()
    else:
        expected = raw["weight" if table == "table1" else "value"].tolist()
    scale = 1 if table == "table1" else 100
    assert (frame["value"] * scale).tolist() == pytest.approx(expected)
    if "spread" in raw:
        spreads = (frame["spread"] * 100).tolist()
        assert spreads == pytest.approx(raw["spread"].tolist(), nan_ok=True)


@pytest.mark.parametrize("table", [*NAMES, "faces", "dynamic", "transfer"])
def test_every_table_has_one_shape(table):
    frame = published(table)
    assert list(frame.columns) == COLUMNS
    whole = frame["metric"].isin(["faces", "mae", "nrmse"])  # Counts and errors.
    assert frame.loc[~whole, "value"].between(0, 1).all()
    assert not frame[COLUMNS[:5]].isna().any(axis=None)
    assert not frame.duplicated(COLUMNS[:4]).any()


def test_a_number_of_each_table():
    # Read off the printed tables.
    assert value("table1", "aff_wild2", "happiness", "action_units", "weight/AU12") == 0.82
    psr = ("RAF-DB-EmotioNet / PSR", "C MT (DM)", "action_units", "afa")
    assert value("table2", *psr) == pytest.approx(0.781)
    ablation = ("Aff-Wild2 / TMIF-FEA", "both (DB)", "expression", "f1")
    assert value("table3", *ablation) == pytest.approx(0.399)
    cad = ("CAD / ResNet-50", "C MT", "classes", "f1")
    assert value("table4", *cad) == pytest.approx(0.55)
    assert value("table4", *cad, name="spread") == pytest.approx(0.06)
    assert value("table5", "SADD", "TR", "attributes", "accuracy") == pytest.approx(0.787)
    behaviour = ("RAF-DB / FaceBehaviorNet", "FaceBehaviorNet", "expression", "average_accuracy")
    assert value("faces", *behaviour) == pytest.approx(0.78)
    assert math.isnan(value("table5", "SADD", "TR", "attributes", "accuracy", name="spread"))


def test_an_unknown_table_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'table6'\. Known: table1, table2"):
        published("table6")
