"""By which metric the paper judges each database."""

from __future__ import annotations

from collections.abc import Mapping

DATABASE_METRICS: Mapping[str, Mapping[str, str]] = {
    "abaw4_lsd": {"expression": "f1"},
    "aff_wild2": {"expression": "f1", "action_units": "f1"},
    "affectnet": {"expression": "accuracy"},
    "emotionet": {"action_units": "afa"},
    "raf_db": {"expression": "average_accuracy"},
}
"""Data set -> task -> metric of `mtl_dm.metrics.evaluate`.

Source: Kollias, Sharmanska, Zafeiriou, AAAI 2024, "Performance Measures" and Table 2. F1 is the
mean over the six classes of LSD, the classes or the annotated action units of Aff-Wild2.
"""
