"""The flags of train, evaluate and calibrate; the only place that defines any."""

from __future__ import annotations

from absl import flags

from mtl_dm.losses import CO_ANNOTATION_FORMS, MATCHING_FORMS
from mtl_dm.training.config import TrainConfig

FLAGS = flags.FLAGS

_COUPLING_FLAGS = ("matching", "co_annotation", "matching_form", "co_annotation_form", "brake")


def define_shared_flags() -> None:
    """Define what train and evaluate both need."""
    flags.DEFINE_list(
        "datasets",
        None,
        "Data sets as name[/config][:split], comma-separated; each may be annotated for one task "
        "only. Example: synthetic_faces/expression_only,synthetic_faces/action_units_only",
    )
    flags.DEFINE_string(
        "data_dir",
        "build/datasets",
        "Folder of built data sets (see python -m data_prep.build). Synthetic faces are built "
        "on first use.",
    )
    flags.DEFINE_string("output", None, "Folder for everything that the command writes.")
    flags.mark_flags_as_required(["datasets", "output"])


def define_evaluate_flags() -> None:
    """Define what evaluate needs."""
    define_shared_flags()
    flags.DEFINE_string("checkpoint", None, "A .keras file that train wrote.", required=True)
    flags.DEFINE_string(
        "thresholds_from",
        None,
        "Validation data on which the attributes' thresholds are chosen (highest F1); metrics "
        "with them then stand beside those at 0.5.",
    )


def define_calibrate_flags() -> None:
    """Define what calibrate needs."""
    flags.DEFINE_string("checkpoint", None, "A .keras file that train wrote.", required=True)
    flags.DEFINE_string(
        "validation", None, "Data to fit the temperatures on; not the test set.", required=True
    )
    flags.DEFINE_string("data_dir", "build/datasets", "Folder of built data sets.")


def define_advise_flags() -> None:
    """Define what advise needs: the flags of train that decide what is labelled and coupled."""
    define_shared_flags()
    _define_task_flags(TrainConfig(("any",)))


def _define_task_flags(default: TrainConfig) -> None:
    flags.DEFINE_list("tasks", list(default.tasks), "Tasks to train, by their names in the data.")
    flags.DEFINE_string(
        "relatedness",
        None,
        "Switches the coupling of the first multiclass and the first multilabel task on: facs, "
        "aff_wild2, the path of a .json file, inferred:NAME to count it on a data set annotated "
        "for both, or learned (learned:facs and so on: starting from a table) where nothing is.",
    )
    flags.DEFINE_list(
        "shares",
        None,
        "Part of a batch per data set, in any unit; default: proportional to size.",
    )


def define_train_flags() -> None:
    """Define the fields of TrainConfig as flags."""
    default = TrainConfig(("any",))
    define_shared_flags()
    flags.DEFINE_string(
        "validation", None, "Data set to evaluate after every epoch; picks best.keras."
    )
    _define_task_flags(default)
    flags.DEFINE_integer(
        "image_size", None, "Side of the square images in pixels; default: as stored."
    )
    flags.DEFINE_string("backbone", default.backbone, "Shared network, by name.")
    for name, title in (
        ("matching", "distribution matching"),
        ("co_annotation", "soft co-annotation"),
    ):
        flags.DEFINE_float(
            name,
            None,
            f"Weight of {title}; 0 = off. Default: by the share of labels that are missing for "
            "the default form, 1 for others.",
            lower_bound=0.0,
        )
    flags.DEFINE_enum(
        "matching_form",
        default.matching_form,
        list(MATCHING_FORMS),
        "Form of distribution matching; paper is eq. 3 as printed, which suppresses attributes.",
    )
    flags.DEFINE_enum(
        "co_annotation_form",
        default.co_annotation_form,
        list(CO_ANNOTATION_FORMS),
        "Form of soft co-annotation; paper is eq. 6 as printed.",
    )
    flags.DEFINE_bool(
        "brake",
        default.brake,
        "After each epoch, halve a coupling term that raises a task's loss on --validation, and "
        "restore it when it no longer does.",
    )
    flags.DEFINE_list(
        "task_weights", [], "Weights of task losses as task=weight, comma-separated; default 1."
    )
    flags.DEFINE_enum(
        "attribute_reduction",
        default.attribute_reduction,
        ["mean", "sum"],
        "An image's attribute loss: the mean over its annotated attributes (paper) or their sum.",
    )
    flags.DEFINE_float("label_smoothing", default.label_smoothing, "Of multiclass labels.")
    flags.DEFINE_string(
        "balancing", default.balancing, "How loss terms combine: total (eq. 1) or uncertainty."
    )
    _define_optimisation_flags(default)


def _define_optimisation_flags(default: TrainConfig) -> None:
    flags.DEFINE_integer("batch_size", default.batch_size, "Images per step over all data sets.")
    flags.DEFINE_integer("epochs", default.epochs, "Epochs.")
    flags.DEFINE_integer(
        "steps_per_epoch",
        None,
        "Steps of an epoch; default: until the largest data set (per its share) was seen once.",
    )
    flags.DEFINE_float("learning_rate", default.learning_rate, "Of Adam.")
    flags.DEFINE_bool("augment", default.augment, "Mirror, shift and relight training images.")
    flags.DEFINE_enum(
        "mixed_precision",
        default.mixed_precision,
        ["float32", "float16", "bfloat16"],
        "Arithmetic of the network; float16 scales the loss by itself. Weights stay float32.",
    )
    flags.DEFINE_bool("jit", default.jit, "Compile the step with XLA; under JAX always on.")
    flags.DEFINE_enum(
        "strategy", default.strategy, ["none", "mirrored"], "Spread batches over all devices."
    )
    flags.DEFINE_integer("seed", default.seed, "Fixes data order, weights and result (on CPU).")


def advise_config() -> TrainConfig:
    """Return the configuration that the parsed flags of advise describe.

    Raises:
        ValueError: If a value breaks its rule.
    """
    return TrainConfig(
        datasets=tuple(FLAGS.datasets),
        tasks=tuple(FLAGS.tasks),
        data_dir=FLAGS.data_dir,
        relatedness=FLAGS.relatedness,
        shares=_shares(),
    )


def train_config() -> TrainConfig:
    """Return the configuration that the parsed flags describe.

    Raises:
        ValueError: If a value breaks its rule or flags contradict each other.
    """
    idle = [name for name in _COUPLING_FLAGS if FLAGS[name].present]
    if FLAGS.relatedness is None and idle:
        raise ValueError(
            f"--{idle[0]} has no effect without --relatedness, which switches the coupling on."
        )
    if FLAGS.relatedness is not None and FLAGS.matching == FLAGS.co_annotation == 0:
        raise ValueError(
            "--relatedness couples nothing with --matching=0 and --co_annotation=0; leave it out "
            "to train without coupling."
        )
    return TrainConfig(
        datasets=tuple(FLAGS.datasets),
        validation=FLAGS.validation,
        tasks=tuple(FLAGS.tasks),
        data_dir=FLAGS.data_dir,
        image_size=FLAGS.image_size,
        backbone=FLAGS.backbone,
        relatedness=FLAGS.relatedness,
        matching=FLAGS.matching,
        co_annotation=FLAGS.co_annotation,
        matching_form=FLAGS.matching_form,
        co_annotation_form=FLAGS.co_annotation_form,
        brake=FLAGS.brake,
        task_weights=_pairs("task_weights", FLAGS.task_weights),
        attribute_reduction=FLAGS.attribute_reduction,
        label_smoothing=FLAGS.label_smoothing,
        balancing=FLAGS.balancing,
        batch_size=FLAGS.batch_size,
        shares=_shares(),
        epochs=FLAGS.epochs,
        steps_per_epoch=FLAGS.steps_per_epoch,
        learning_rate=FLAGS.learning_rate,
        augment=FLAGS.augment,
        mixed_precision=FLAGS.mixed_precision,
        jit=FLAGS.jit,
        strategy=FLAGS.strategy,
        seed=FLAGS.seed,
    )


def _shares() -> tuple[float, ...] | None:
    return None if FLAGS.shares is None else tuple(_number("shares", n) for n in FLAGS.shares)


def _pairs(flag: str, items: list[str]) -> dict[str, float]:
    pairs = {}
    for item in items:
        key, equals, value = item.partition("=")
        if not equals:
            raise ValueError(f"--{flag} needs task=weight, got {item!r}.")
        pairs[key] = _number(flag, value)
    return pairs


def _number(flag: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f"--{flag} needs numbers, got {text!r}.") from error
