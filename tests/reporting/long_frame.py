"""Long results from values by row, to compare rows without files."""

from mtl_dm.reporting import ReportSpec, to_frame
from mtl_dm.reporting.measured import Measured
from mtl_dm.runs.schema import Cell

COLUMN = "data / net"


def measured(values, *, folds=None, test_train_ratio=1.0):
    """`Measured` of row -> (task, metric) -> values in points, one a seed.

    With `folds`, consecutive values are folds of one seed. None: not measured.
    """
    cells = []
    for row, metrics in values.items():
        for place in range(max(map(len, metrics.values()))):
            found = {}
            for (task, metric), numbers in metrics.items():
                if place < len(numbers) and numbers[place] is not None:
                    found.setdefault(task, {})[metric] = numbers[place] / 100
            seed, fold = divmod(place, folds) if folds else (place, None)
            cells.append(Cell("t", COLUMN, row, seed, fold, "demo", "x (synthetic)", found, 1.0, 1))
    return Measured(to_frame(cells), COLUMN, test_train_ratio)


def plan(values, **changes):
    """A plan that shows every metric of the first row."""
    metrics = {}
    for task, metric in next(iter(values.values())):
        metrics.setdefault(task, []).append(metric)
    given = {
        "title": "T", "table": "t", "intro": "", "command": "", "main_metrics": metrics,
        "rows": list(values), "columns": [COLUMN],
    }  # fmt: skip
    return ReportSpec(**(given | changes)).for_column(COLUMN)
