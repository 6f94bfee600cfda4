"""Run records -> tables and plots; reads run records only, trains nothing."""

from mtl_dm.reporting.baselines import Baselines
from mtl_dm.reporting.console import summary_text
from mtl_dm.reporting.html import write_html
from mtl_dm.reporting.maps import Panel, map_plot
from mtl_dm.reporting.markdown import write_report
from mtl_dm.reporting.published import published
from mtl_dm.reporting.quantities import Quantity
from mtl_dm.reporting.results import RESULT_COLUMNS, read_results, to_frame, write_results
from mtl_dm.reporting.spec import ReportSpec
from mtl_dm.reporting.statistics import (
    corrected_interval,
    mean_interval,
    relative_change,
    wilson_interval,
)
from mtl_dm.runs.reading import CellFiles, read_cells
from mtl_dm.runs.schema import Cell

__all__ = [
    "RESULT_COLUMNS",
    "Baselines",
    "Cell",
    "CellFiles",
    "Panel",
    "Quantity",
    "ReportSpec",
    "corrected_interval",
    "map_plot",
    "mean_interval",
    "published",
    "read_cells",
    "read_results",
    "relative_change",
    "summary_text",
    "to_frame",
    "wilson_interval",
    "write_html",
    "write_report",
    "write_results",
]
