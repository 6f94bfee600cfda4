"""Numbers printed in papers, to stand beside measured ones; never measured here.

Those of the tables are of the AAAI 2024 paper, those of "faces" of FaceBehaviorNet (2021) and of
papers that compare themselves with it, those of "dynamic" of Ming et al. 2019, those of
"transfer" of Vielzeuf et al. 2019.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from importlib import resources

import pandas as pd

PUBLISHED_COLUMNS = ("column", "row", "task", "metric", "value", "spread")


def _table1(raw: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "column": raw["source"],
            "row": raw["expression"],
            "task": "action_units",
            "metric": "weight/AU" + raw["au"].astype(str),
            "value": raw["weight"].astype(float),
        }
    )


def _table2(raw: pd.DataFrame) -> pd.DataFrame:
    return raw.assign(column=raw["databases"] + " / " + raw["network"], value=raw["value"] / 100)


def _table3(raw: pd.DataFrame) -> pd.DataFrame:
    tasks = [
        raw.assign(task=task, metric="f1", value=raw[f"{task}_f1"] / 100)
        for task in ("expression", "action_units")
    ]
    return pd.concat(tasks, ignore_index=True).assign(column="Aff-Wild2 / TMIF-FEA")


def _table4(raw: pd.DataFrame) -> pd.DataFrame:
    return raw.assign(
        column=raw["database"] + " / " + raw["network"],
        value=raw["value"] / 100,
        spread=raw["spread"] / 100,
    )


def _table5(raw: pd.DataFrame) -> pd.DataFrame:
    # No network in the column: the NTS rows and the others used different ones.
    return raw.assign(
        column=raw["database"],
        row=raw["method"],
        value=raw["value"] / 100,
        spread=raw["spread"] / 100,
    )


def _faces(raw: pd.DataFrame) -> pd.DataFrame:
    return raw.assign(column=raw["database"] + " / " + raw["network"], value=raw["value"] / 100)


def _dynamic(raw: pd.DataFrame) -> pd.DataFrame:
    return raw.assign(column=raw["database"], value=raw["value"] / 100)


def _transfer(raw: pd.DataFrame) -> pd.DataFrame:
    # Shares in percent; errors of ages and of reconstruction, and counts, as they are.
    percent = raw["metric"].isin(["accuracy", "error_rate"])
    value = raw["value"].where(~percent, raw["value"] / 100)
    return raw.assign(column=raw["knowledge"], task=raw["table"], value=value)


_TABLES: dict[str, tuple[str, Callable[[pd.DataFrame], pd.DataFrame]]] = {
    "table1": ("table1_relatedness.csv", _table1),
    "table2": ("table2.csv", _table2),
    "table3": ("table3.csv", _table3),
    "table4": ("table4.csv", _table4),
    "table5": ("table5.csv", _table5),
    "faces": ("faces.csv", _faces),
    "dynamic": ("dynamic.csv", _dynamic),
    "transfer": ("transfer.csv", _transfer),
}


def published(table: str) -> pd.DataFrame:
    """Return the printed numbers of one table of the paper.

    Args:
        table: "table1" to "table5", "faces", "dynamic", "transfer" (whose tasks are its tables).
            Columns are named "databases / network" (table 1: the source of the relatedness; table
            5, dynamic and transfer: the database alone), rows as printed.

    Returns:
        A frame with `PUBLISHED_COLUMNS`; value and spread are fractions (of transfer also counts
        and errors), spread is NaN where the paper prints none. In the paper's order.

    Raises:
        ValueError: If the paper has no such table; the message lists the known ones.
    """
    if table not in _TABLES:
        raise ValueError(f"Unknown published table {table!r}. Known: {', '.join(_TABLES)}.")
    name, normalise = _TABLES[table]
    file = resources.files("mtl_dm.reporting").joinpath("published", name)
    frame = normalise(pd.read_csv(io.StringIO(file.read_text(encoding="utf-8"))))
    return frame.reindex(columns=list(PUBLISHED_COLUMNS)).astype({"value": float, "spread": float})
