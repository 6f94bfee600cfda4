"""Losses as pure functions on arrays: float32 values per image, masks before means."""

from mtl_dm.losses._checks import require_shape
from mtl_dm.losses.agreement import bernoulli_divergence, jensen_shannon
from mtl_dm.losses.classification import masked_binary_cross_entropy, masked_cross_entropy
from mtl_dm.losses.co_annotation import EQUATIONS as CO_ANNOTATION_EQUATIONS
from mtl_dm.losses.co_annotation import soft_co_annotation, soft_labels
from mtl_dm.losses.forms import (
    CO_ANNOTATION_FORMS,
    COUPLING_FORMS,
    MATCHING_FORMS,
    MOMENT_CO_ANNOTATION_FORMS,
    MOMENT_MATCHING_FORMS,
    CouplingForm,
    coupling_form,
    option_names,
)
from mtl_dm.losses.linear import LINEAR_FORMS, linear_matching
from mtl_dm.losses.matching import EQUATIONS as MATCHING_EQUATIONS
from mtl_dm.losses.matching import distribution_matching, mixture
from mtl_dm.losses.moment_posterior import class_given_values
from mtl_dm.losses.moments import moment_matching_batch, moment_matching_conditional
from mtl_dm.losses.posterior import class_posterior
from mtl_dm.losses.reduction import weighted_mean
from mtl_dm.losses.regression import concordance_loss, masked_squared_error
from mtl_dm.losses.smoothing import prior_from_votes, smoothed
from mtl_dm.losses.task_losses import TASK_LOSSES, task_loss

__all__ = [
    "COUPLING_FORMS",
    "CO_ANNOTATION_EQUATIONS",
    "CO_ANNOTATION_FORMS",
    "LINEAR_FORMS",
    "MATCHING_EQUATIONS",
    "MATCHING_FORMS",
    "MOMENT_CO_ANNOTATION_FORMS",
    "MOMENT_MATCHING_FORMS",
    "TASK_LOSSES",
    "CouplingForm",
    "bernoulli_divergence",
    "class_given_values",
    "class_posterior",
    "concordance_loss",
    "coupling_form",
    "distribution_matching",
    "jensen_shannon",
    "linear_matching",
    "masked_binary_cross_entropy",
    "masked_cross_entropy",
    "masked_squared_error",
    "mixture",
    "moment_matching_batch",
    "moment_matching_conditional",
    "option_names",
    "prior_from_votes",
    "require_shape",
    "smoothed",
    "soft_co_annotation",
    "soft_labels",
    "task_loss",
    "weighted_mean",
]
