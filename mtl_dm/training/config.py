"""Everything that decides the result of a training, as one value."""

from __future__ import annotations

import copy
import dataclasses
import math
import os
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np

from mtl_dm.balancing import BALANCING
from mtl_dm.data.mixing import MIXING, require_mix
from mtl_dm.losses.families import ANY_CO_ANNOTATION_FORM, ANY_MATCHING_FORM
from mtl_dm.losses.rules import DEFAULT_RULE, RULES
from mtl_dm.models import BACKBONES, TERMS
from mtl_dm.models.form_use import OLDER
from mtl_dm.models.heads import require_chain
from mtl_dm.options import converted
from mtl_dm.spec import Spec, Value, parse, repeated
from mtl_dm.training.coupling_choice import (
    CouplingChoice,
    canonical_coupling,
    parse_coupling,
    recorded_coupling,
)
from mtl_dm.training.fields import REQUIRED, option
from mtl_dm.training.optimizers import OPTIMIZERS
from mtl_dm.training.schedules import SCHEDULES

STAGE_FIELDS = (
    "datasets",
    "shares",
    "batch_size",
    "epochs",
    "steps_per_epoch",
    "optimizer",
    "schedule",
    "learning_rate",
    "trainable",
    "init_from",
    "augment",
    "mix",
    "validation_gate",
)
"""What a stage of its own may set; the rest holds for the whole run."""

SEED_STRIDE = 7919
"""Between the seeds of two stages: more than anyone repeats a training with seeds in a row."""

RENAMED = {"brake": "validation_gate"}
"""Fields of earlier versions by name, with what they are called now."""


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """One training run. Every field is a flag of `python -m mtl_dm.train`, explained here.

    A field with a registry is a specification, "NAME" or "NAME(option=value, ...)", kept in one
    spelling.

    Raises:
        ValueError: If a value breaks its rule, a specification names something unknown, or two
            values contradict each other.
    """

    datasets: tuple[str, ...] = option(
        REQUIRED,
        "Data sets as name[/config][:split], comma-separated; each may be annotated for one task "
        "only. Example: synthetic_faces/expression_only,synthetic_faces/action_units_only",
    )
    validation: str | None = option(
        None, "Data set to evaluate after every epoch; picks best.keras."
    )
    tasks: tuple[str, ...] = option(
        ("expression", "action_units"), "Tasks to train, by their names in the data."
    )
    data_dir: str = option(
        "build/datasets",
        "Folder of built data sets (see python -m data_prep.build). Synthetic faces are built "
        "on first use.",
    )
    image_size: int | None = option(
        None, "Side of the square images in pixels; default: as stored.", least=1
    )
    backbone: str = option(
        "compact_cnn", "Shared network, by name, with options.", registry=BACKBONES
    )
    chain: tuple[str, ...] = option(
        (),
        "Tasks whose heads form a chain: each also sees the logits of those named before it.",
    )
    relatedness: str | None = option(
        None,
        "Switches the coupling of the first multiclass and the first multilabel task on: facs, "
        "aff_wild2, the path of a .json file, inferred:NAME to count it on a data set annotated "
        "for both, or learned (learned:facs and so on: starting from a table) where nothing is.",
    )
    matching: float | None = option(
        None,
        "Weight of distribution matching; 0 = off. Default: by the rule for the default form, 1 "
        "for others.",
        least=0.0,
    )
    co_annotation: float | None = option(
        None,
        "Weight of soft co-annotation; 0 = off. Default: by the rule for the default form, 1 for "
        "others.",
        least=0.0,
    )
    matching_form: str = option(
        "conditional",
        "Form of distribution matching; paper is eq. 3 as printed, which suppresses attributes.",
        registry=ANY_MATCHING_FORM,
    )
    co_annotation_form: str = option(
        "posterior",
        "Form of soft co-annotation; paper is eq. 6 as printed.",
        registry=ANY_CO_ANNOTATION_FORM,
    )
    trust: bool | None = option(
        None,
        "Whether labels judge the table of --relatedness, at the latest after a quarter of the "
        "training: as far as they do not confirm it, it is learned from them instead. Until then "
        "the coupling is off. Default: unless a printed form is in use.",
    )
    gate: bool | None = option(
        None,
        "Give heads the coupling's gradient by what other labelled images say of it: of a table "
        "that labels confirm until these refute it, else as far as they confirm it. Default: "
        "unless a printed form is in use.",
    )
    rule: str = option(
        DEFAULT_RULE,
        "How the labels of a batch give the weights of coupling terms that are left open: apart "
        "counts a term less, the more images have both labels; first does not look at that.",
        registry=RULES,
    )
    couplings: tuple[str, ...] = option(
        (),
        "A coupling NAME(relation=facs, source=expression, target=action_units, matching=1.0, "
        "co_annotation=1.0, matching_form=..., co_annotation_form=..., trust=..., gate=..., "
        "rule=...); all but relation may be left out. May be given several times. --relatedness is "
        "short for one. Of a regression, target=valence_arousal, the relation is russell, "
        "inferred:NAME, learned, or a .json file; from attributes it is linear.",
        repeated="coupling",
    )
    validation_gate: bool = option(
        False,
        "After each epoch, halve a coupling term that raises a task's loss on --validation, and "
        "restore it when it no longer does.",
        old="brake",
    )
    task_weights: Mapping[str, float] = option(
        dict,
        "Weights of task losses as task=weight, comma-separated; default 1.",
        pairs="task=weight",
    )
    task_losses: Mapping[str, str] = option(
        dict,
        "Losses of tasks as task=loss, comma-separated (valence_arousal=ccc); default: the usual "
        "one of its kind.",
        pairs="task=loss",
    )
    attribute_reduction: Literal["mean", "sum"] = option(
        "mean",
        "An image's attribute loss: the mean over its annotated attributes (paper) or their sum.",
    )
    label_smoothing: float = option(0.0, "Of multiclass labels.")
    terms: tuple[str, ...] = option(
        (),
        "A further loss term NAME(option=value, ...), as centre_loss(task=identity). May be given "
        f"several times. There are: {', '.join(TERMS)}.",
        repeated="term",
    )
    balancing: str = option("equal", "How loss terms combine; equal is eq. 1.", registry=BALANCING)
    log_gradients: bool = option(
        False,
        "Log the terms' weights and the cosines between their gradients, epoch by epoch; takes a "
        "backward pass a term.",
    )
    log_weights: bool = option(False, "Log the terms' weights alone, which takes nothing.")
    batch_size: int = option(64, "Images per step over all data sets.", least=1)
    shares: tuple[float, ...] | None = option(
        None, "Part of a batch per data set, in any unit; default: proportional to size."
    )
    epochs: int = option(10, "Epochs.", least=1)
    steps_per_epoch: int | None = option(
        None,
        "Steps of an epoch; default: until the largest data set (per its share) was seen once.",
        least=1,
    )
    optimizer: str = option("adam", "The optimizer, with options.", registry=OPTIMIZERS)
    schedule: str = option(
        "constant",
        "How the learning rate changes over the epochs, by step: cosine(warmup=1) has a warm-up "
        "of one epoch, step(every=10, factor=0.1).",
        registry=SCHEDULES,
    )
    learning_rate: float = option(1e-3, "Learning rate; under a schedule the highest.")
    trainable: tuple[str, ...] = option(
        ("all",),
        "What is trained: all, backbone, heads, or patterns of names as in backbone/conv2d*. "
        "The rest is frozen, also in the checkpoints that are saved meanwhile: set trainable on "
        "a loaded model to train all of it.",
    )
    init_from: str | None = option(
        None,
        "A .keras file, or the name of a pretrained checkpoint, whose weights are taken over where "
        "name and shape are the same.",
    )
    stages: tuple[str, ...] = option(
        (),
        "A stage NAME(option=value, ...) of training, one after another in the order given. "
        f"Options, by default those of the run: {', '.join(STAGE_FIELDS)}; datasets are some of "
        "--datasets. May be given several times.",
        repeated="stage",
    )
    augment: bool = option(True, "Mirror, shift and relight training images.")
    mix: str = option(
        "none",
        "Blends of training images beside them: mix_augment(alpha=0.2, virtual=1.0, real=2.0, "
        "blocks=1) is MixAugment, with half as many virtual images as real ones in every batch; "
        "several processes divide the work where blocks, within which images are blended, is a "
        "multiple of them; each should hold several images of every data set.",
        registry=MIXING,
    )
    mixed_precision: Literal["float32", "float16", "bfloat16"] = option(
        "float32",
        "Arithmetic of the network; float16 scales the loss by itself. Weights stay float32.",
    )
    jit: bool = option(False, "Compile the step with XLA; under JAX always on.")
    strategy: Literal["none", "mirrored"] = option("none", "Spread batches over all devices.")
    seed: int = option(0, "Fixes data order, weights and result (on CPU).")

    def __post_init__(self) -> None:
        self._unify_types()
        self._unify_specs()
        self._check_values()
        # Options may break a rule; nothing is kept.
        BALANCING.create(self.balancing)
        for text in self.terms:
            TERMS.create(text)
        self._check_couplings()
        self._check_stages()

    def _unify_types(self) -> None:
        for name, kind in get_type_hints(TrainConfig).items():
            value = getattr(self, name)
            if get_origin(kind) is Literal:
                kind = str  # Which ones there are is said where they are used: more may be filed.
            if get_origin(kind) is Mapping:
                item = get_args(kind)[1]
                if not isinstance(value, Mapping):
                    raise ValueError(f"{name} must be a dictionary, got {value!r}.")
                result: Any = {
                    key: converted(f"{name} of {key!r}", item, _plain(each))
                    for key, each in value.items()
                }
            else:
                result = converted(name, kind, _plain(value))
            object.__setattr__(self, name, result)

    def _unify_specs(self) -> None:
        for field in dataclasses.fields(self):
            registry = field.metadata["registry"]
            if registry is not None:
                value = getattr(self, field.name)
                object.__setattr__(self, field.name, str(registry.spec(value)))
        object.__setattr__(self, "terms", tuple(str(TERMS.spec(text)) for text in self.terms))

    def _check_values(self) -> None:
        if not self.datasets:
            raise ValueError("datasets must name at least one data set, got none.")
        if not self.tasks:
            raise ValueError("tasks must name at least one task, got none.")
        for field in ("batch_size", "epochs", "steps_per_epoch", "image_size"):
            value = getattr(self, field)
            if value is not None and value < 1:
                raise ValueError(f"{field} must be at least 1, got {value}.")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ValueError(f"learning_rate must be finite and > 0, got {self.learning_rate}.")
        for field in ("task_weights", "task_losses"):
            unknown = sorted(set(getattr(self, field)) - set(self.tasks))
            if unknown:
                raise ValueError(f"{field} name {unknown}, but tasks are {list(self.tasks)}.")
        require_chain(self.chain, self.tasks)
        require_mix(self.mix)
        if self.shares is not None and len(self.shares) != len(self.datasets):
            raise ValueError(
                f"shares needs one number per data set, {len(self.datasets)}, "
                f"got {len(self.shares)}."
            )
        if not self.trainable:
            raise ValueError("trainable must name what is trained, got nothing.")
        if not self.stages:  # Each of which has a schedule and epochs of its own.
            # Its options may not fit the epochs; nothing is kept.
            steps = self.steps_per_epoch or 1
            SCHEDULES.create(self.schedule, self.learning_rate, self.epochs, steps)

    def _check_couplings(self) -> None:
        if self.relatedness is not None and len(self.tasks) < 2:
            raise ValueError(
                f"relatedness couples two tasks, but tasks are {list(self.tasks)} only."
            )
        choices = self.coupling_choices()
        names = [choice.name for choice in choices]
        twice = repeated(map(str, names))
        if twice:
            raise ValueError(f"Two couplings have the same name: {twice}.")
        for choice in choices:
            unknown = {choice.source, choice.target} - {None, *self.tasks}
            if unknown:
                raise ValueError(
                    f"The coupling {choice.name!r} names the unknown task "
                    f"{sorted(map(str, unknown))[0]!r}; tasks are {list(self.tasks)}."
                )
        if self.validation_gate and self.validation is None:
            raise ValueError(
                "validation_gate judges coupling terms on validation data: it needs validation, "
                "got None."
            )
        object.__setattr__(self, "couplings", tuple(map(canonical_coupling, self.couplings)))

    def _check_stages(self) -> None:
        parts = self.stage_configs()
        names = [name for name, _ in parts]
        twice = repeated(names)
        if twice:
            raise ValueError(f"Two stages have the same name: {twice}.")
        epochs = sum(part.epochs for _, part in parts)
        if epochs < 2 and any(choice.learned for choice in self.coupling_choices()):
            raise ValueError(
                "A relatedness is learned between epochs: it needs at least 2, got epochs "
                f"{epochs}."
            )
        object.__setattr__(self, "stages", tuple(map(_canonical_stage, self.stages)))

    def coupling_choices(self) -> list[CouplingChoice]:
        """Return the couplings that are asked for, the one of the flat fields first."""
        chosen = [parse_coupling(text) for text in self.couplings]
        if self.relatedness is None:
            return chosen
        flat = CouplingChoice(
            None,
            relation=self.relatedness,
            matching=self.matching,
            co_annotation=self.co_annotation,
            matching_form=self.matching_form,
            co_annotation_form=self.co_annotation_form,
            trust=self.trust,
            gate=self.gate,
            rule=self.rule,
        )
        return [flat, *chosen]

    def stage_configs(self) -> list[tuple[str, TrainConfig]]:
        """Return the name and the configuration of every stage; without stages "all" alone."""
        if not self.stages:
            return [("all", self)]
        return [self._stage(index, parse(text)) for index, text in enumerate(self.stages)]

    def _stage(self, index: int, spec: Spec) -> tuple[str, TrainConfig]:
        try:
            changes = {name: _stage_value(name, each) for name, each in spec.options.items()}
            if index:
                changes.setdefault("init_from", None)  # It would undo the stage before.
            # Its own order of images, which otherwise would be the one of the stage before.
            changes["seed"] = self.seed + SEED_STRIDE * index
            part = self._part(**self._of_chosen(changes), stages=())
        except ValueError as error:
            raise ValueError(f"Stage {spec.name!r}: {error}") from error
        return spec.name, part

    def _of_chosen(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Return the changes with the shares of the data sets that they choose."""
        chosen = changes.get("datasets", self.datasets)
        unknown = [name for name in chosen if name not in self.datasets]
        if unknown:
            raise ValueError(f"datasets {unknown} are none of the run's {list(self.datasets)}.")
        if self.shares is None or "shares" in changes:
            return changes
        shares = tuple(self.shares[self.datasets.index(name)] for name in chosen)
        return {**changes, "shares": shares}

    def _part(self, **changes: Any) -> TrainConfig:
        """Return a copy whose values are checked by themselves, as a part of this run."""
        part = copy.copy(self)
        for name, value in changes.items():
            object.__setattr__(part, name, value)
        part._unify_specs()
        part._check_values()
        part._check_couplings()
        return part

    def to_dict(self) -> dict[str, Any]:
        """Return what decides the result as values that JSON can hold: all but `data_dir`.

        `trust`, `gate` and `rule` say what they come to: what is off leaves no trace in older
        records, as no `terms` do.
        """
        values = dataclasses.asdict(self)
        del values["data_dir"]
        flat = next((each for each in self.coupling_choices() if each.name is None), None)
        values.update(OLDER if flat is None else flat.meant)
        values["couplings"] = tuple(map(recorded_coupling, self.couplings))
        if values["rule"] == OLDER["rule"]:
            del values["rule"]
        if not values["terms"]:
            del values["terms"]
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in values.items()
        }

    @classmethod
    def upgraded(cls, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return a record that `to_dict` of an earlier version wrote in today's words.

        Args:
            record: Its values by name; others stay as they are.
        """
        values = {RENAMED.get(name, name): value for name, value in record.items()}
        known = cls(("any",)).to_dict()
        for field in dataclasses.fields(cls):
            if field.name not in values and field.name in known and field.name != "datasets":
                values[field.name] = known[field.name]  # An option that is newer than the record.
            registry, value = field.metadata["registry"], values.get(field.name)
            if registry is not None and isinstance(value, str):
                values[field.name] = registry.canonical(value)
        return values

    def replace(self, **changes: Any) -> TrainConfig:
        """Return a copy with the given fields changed."""
        return dataclasses.replace(self, **changes)


def _plain(value: Any) -> Any:
    """Return paths as text, NumPy's numbers as Python's."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value.item() if isinstance(value, np.generic) else value


def _stage_value(name: str, value: Value) -> Any:
    if name not in STAGE_FIELDS:
        raise ValueError(f"it has no option {name!r}. Known: {', '.join(sorted(STAGE_FIELDS))}.")
    kind = get_type_hints(TrainConfig)[name]
    if kind == tuple[str, ...] and isinstance(value, str):
        return (value,)
    return converted(f"option {name!r}", kind, value)


def _canonical_stage(text: str) -> str:
    """Return the one spelling of a stage that is known to be right."""
    spec = parse(text)
    registries = {each.name: each.metadata["registry"] for each in dataclasses.fields(TrainConfig)}
    options = {}
    for name, value in spec.options.items():
        result = _stage_value(name, value)
        if registries[name] is not None:
            result = str(registries[name].spec(result))
        elif get_type_hints(TrainConfig)[name] == tuple[str, ...] and len(result) == 1:
            (result,) = result
        options[name] = result
    return str(Spec(spec.name, options))
