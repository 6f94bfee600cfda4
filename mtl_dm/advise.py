"""Say from labels alone, before training, whether and how to couple two tasks.

Example, on synthetic faces that are made on first use:

    python -m mtl_dm.advise \
        --datasets=synthetic_faces/expression_only,synthetic_faces/action_units_only \
        --relatedness=facs --output=runs/advice

prints the advice and writes it as a page (advice.html, advice.md) with relatedness.json, the table
it recommends, and coupling.json, all of `mtl_dm.Coupling`. Without --relatedness a table is counted
where images are labelled for both tasks. In a notebook:

    from mtl_dm.training.advice import advise
    advise([mtl_dm.data.label_arrays(name, data_dir=folder) for name in names], tasks)
"""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from mtl_dm.files import expand_home, strict_json, write_atomically
from mtl_dm.training import flags
from mtl_dm.training.main import start

if TYPE_CHECKING:
    from mtl_dm.reporting import AdvicePage
    from mtl_dm.training.advice import Advice
    from mtl_dm.training.config import TrainConfig

RELATEDNESS_FILE, COUPLING_FILE = "relatedness.json", "coupling.json"


def advise() -> None:
    """Advise as the flags say."""
    from mtl_dm import reporting  # TensorFlow only once the flags parse
    from mtl_dm.training import advice as advising
    from mtl_dm.training import assembly

    config, folder = flags.advise_config(), Path(flags.FLAGS.output)
    _require_other_file(config, folder)
    tasks = assembly.tasks_of(config)
    assembly.coupled_pair(tasks)
    learned, given = assembly.given_relatedness(config, tasks)
    advice = advising.advise(
        assembly.annotations_of(config, tasks),
        tasks,
        given,
        learned=learned,
        shares=config.shares,
    )
    command = training_command(advice, config, folder)
    coupling = None if advice.coupling is None else advice.coupling.to_dict()
    content = {
        "outlook": advice.outlook,
        "coupling": coupling,
        "attribute_reduction": advice.reduction,
        "command": command,
    }
    write_atomically(folder / COUPLING_FILE, strict_json(content))
    if advice.relatedness is not None:
        advice.relatedness.to_json(folder / RELATEDNESS_FILE)
    page = page_of(advice, config, command)
    path = reporting.write_advice(folder, page)
    print(f"{advice}\n\nTrain with:\n{command}\n\nThe whole advice is in {path}")


def _require_other_file(config: TrainConfig, folder: Path) -> None:
    path = (config.relatedness or "").removeprefix("learned:")
    if path and Path(expand_home(path)).resolve() == (folder / RELATEDNESS_FILE).resolve():
        raise ValueError(
            f"The output folder {folder} holds the relatedness to judge, {path}, which the "
            "recommended one would replace; choose another --output."
        )


def training_command(advice: Advice, config: TrainConfig, folder: Path) -> str:
    """Return the command line that trains as advised."""
    from mtl_dm import data

    options = {"datasets": ",".join(config.datasets), "tasks": ",".join(config.tasks)}
    if config.data_dir != type(config).data_dir:
        options["data_dir"] = config.data_dir
    if config.shares is not None:
        options["shares"] = ",".join(f"{share:g}" for share in config.shares)
    sides = {data.image_side(name, data_dir=config.data_dir) for name in config.datasets}
    if len(sides) > 1 or None in sides:
        options["image_size"] = "64"
    if advice.coupling is not None:
        path = str(folder / RELATEDNESS_FILE)
        learned = "learned" if advice.blank else f"learned:{path}"
        options["relatedness"] = learned if advice.coupling.learned else path
    options["attribute_reduction"] = advice.reduction
    options["output"] = str(folder / "run")
    lines = [f"--{name}={shlex.quote(value)}" for name, value in options.items()]
    return " \\\n    ".join(["python -m mtl_dm.train", *lines])


def page_of(advice: Advice, config: TrainConfig, command: str) -> AdvicePage:
    """Return the page that shows the advice."""
    import numpy as np

    from mtl_dm import reporting
    from mtl_dm.training import advice_rules, advice_text

    pair = advice.labelled.classes.name, advice.labelled.attributes.name
    made_by = f"python -m mtl_dm.advise --datasets={','.join(config.datasets)}"
    if config.relatedness is not None:
        made_by += f" --relatedness={config.relatedness}"
    page = reporting.AdvicePage(
        title=f"Coupling {pair[0]} and {pair[1]}: advice before training",
        outlook=advice.outlook,
        headline=advice_text.HEADLINES[advice.outlook],
        reasons=advice.reasons,
        recommendation=advice_text.recommendation(advice),
        command=command,
        sections=[reporting.Section(*part) for part in advice_text.parts(advice)],
        made_by=made_by,
    )
    table, covered, checked = advice.relatedness, advice.covered, advice.checked
    if table is None or covered is None or checked is None:
        return page
    tally = covered.tally()
    both = tally.co_annotated > 0
    heats = []
    if advice.given is not None:
        heats.append(reporting.Heat("Assumed: the given table", advice.given.conditional))
    if both:
        share = tally.active / np.maximum(tally.annotated, 1.0)
        counted = np.where(tally.annotated > 0, share, np.nan)
        heats.append(reporting.Heat("Counted on images with both labels", counted))
    if advice.origin == "shrunk":
        heats.append(reporting.Heat("Recommended: shrunk", table.conditional))
    if advice.blank and not both:
        heats.append(reporting.Heat("Start of learning: frequencies", table.conditional))
    bars = None
    if checked.information is not None:
        weak = ~advice_rules.beyond_chance(checked.information)
        caption = "Counted on images with both labels, bias corrected. Grey: no more than chance."
        bars = reporting.Bars(
            "Bits that each attribute says about the class", checked.bits, weak, caption
        )
    elif not advice.blank:
        caption = "**Assumed, not counted**: under the table itself. Grey: without a single label."
        weak = covered.mask.max(axis=0) == 0
        bars = reporting.Bars(
            "Bits that the table claims for each attribute", checked.bits, weak, caption
        )
    annotated = covered.mask.sum(axis=0).tolist()
    blank = [name for name, some in zip(table.attributes, annotated, strict=True) if not some]
    return dataclasses.replace(
        page,
        classes=table.classes,
        attributes=table.attributes,
        blank=blank,
        heats=heats,
        bars=bars,
    )


if __name__ == "__main__":
    start(advise, flags.define_advise_flags)
