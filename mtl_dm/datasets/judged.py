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

"f1" is this mean where the model has the classes of the data set. One that was trained on more, as
on seven beside LSD's six, may predict a class that no test image has: its F1 is 0 and is in the
mean. The mean over the six is then that of their own values, "f1/happiness" and so on.
"""
