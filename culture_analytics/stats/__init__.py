"""Statistics on arrays of cell sums: numpy and scipy.special only, one array element a cell."""

from __future__ import annotations

from culture_analytics.stats.difference import (
    Difference,
    correlation,
    difference_se,
    difference_se_coo,
)
from culture_analytics.stats.intervals import INTERVALS, Interval
from culture_analytics.stats.limits import percentage_limits, score_limits
from culture_analytics.stats.mean import logit_t, mean_t
from culture_analytics.stats.proportion import (
    beta,
    logit,
    logit_beta,
    wilson,
    wilson_weighted,
)
from culture_analytics.stats.variance import (
    LONELY,
    RatioSums,
    degrees_of_freedom,
    kish,
    ratio_se,
    ratio_se_coo,
)

__all__ = [
    "INTERVALS",
    "LONELY",
    "Difference",
    "Interval",
    "RatioSums",
    "beta",
    "correlation",
    "degrees_of_freedom",
    "difference_se",
    "difference_se_coo",
    "kish",
    "logit",
    "logit_beta",
    "logit_t",
    "mean_t",
    "percentage_limits",
    "ratio_se",
    "ratio_se_coo",
    "score_limits",
    "wilson",
    "wilson_weighted",
]
