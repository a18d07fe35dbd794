"""Statistics on arrays of cell sums: numpy and scipy.special only, one array element a cell."""

from __future__ import annotations

from culture_analytics.stats.association import RaoScott, rao_scott
from culture_analytics.stats.difference import (
    Difference,
    correlation,
    difference_se,
    difference_se_coo,
)
from culture_analytics.stats.drivers import (
    CrossProducts,
    cluster_bootstrap,
    cross_products,
    lmg,
    r_squared,
    relative_weights,
)
from culture_analytics.stats.fisher import fisher_exact
from culture_analytics.stats.inequality import SlopeIndex, slope_index
from culture_analytics.stats.intervals import INTERVALS, Interval
from culture_analytics.stats.limits import percentage_limits, score_limits
from culture_analytics.stats.mean import logit_t, mean_t
from culture_analytics.stats.multilevel import (
    GaussianIntercepts,
    LogisticIntercepts,
    Maihda,
    ShrunkenEstimates,
    ShrunkenRates,
    gaussian_intercepts,
    logistic_intercepts,
    maihda,
    shrink_estimates,
    shrunken_rates,
    variance_limits,
    variance_share,
)
from culture_analytics.stats.pooling import PooledUnits, pool_rates, pool_scores
from culture_analytics.stats.power import (
    DetectableChange,
    Equivalence,
    SampleNeeded,
    equivalence,
    minimum_detectable_change,
    sample_needed,
)
from culture_analytics.stats.proportion import (
    beta,
    logit,
    logit_beta,
    wilson,
    wilson_weighted,
)
from culture_analytics.stats.raking import Raked, post_stratify, rake
from culture_analytics.stats.ratio import (
    log_limits,
    log_odds_ratio_se,
    log_ratio_se,
    odds_ratio_limits,
    odds_ratio_score,
    ratio_limits,
    ratio_score,
)
from culture_analytics.stats.regression import (
    LogisticFit,
    LogisticSums,
    StandardisedGap,
    StandardisedPercentages,
    logistic_regression,
    standardised_gap,
    standardised_percentages,
    treatment_coding,
)
from culture_analytics.stats.reliability import (
    ItemCovariance,
    Reliability,
    alpha_limits,
    item_covariance,
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
    "CrossProducts",
    "DetectableChange",
    "Difference",
    "Equivalence",
    "GaussianIntercepts",
    "Interval",
    "ItemCovariance",
    "LogisticFit",
    "LogisticIntercepts",
    "LogisticSums",
    "Maihda",
    "PooledUnits",
    "Raked",
    "RaoScott",
    "RatioSums",
    "Reliability",
    "SampleNeeded",
    "ShrunkenEstimates",
    "ShrunkenRates",
    "SlopeIndex",
    "StandardisedGap",
    "StandardisedPercentages",
    "alpha_limits",
    "beta",
    "cluster_bootstrap",
    "correlation",
    "cross_products",
    "degrees_of_freedom",
    "difference_se",
    "difference_se_coo",
    "equivalence",
    "fisher_exact",
    "gaussian_intercepts",
    "item_covariance",
    "kish",
    "lmg",
    "log_limits",
    "log_odds_ratio_se",
    "log_ratio_se",
    "logistic_intercepts",
    "logistic_regression",
    "logit",
    "logit_beta",
    "logit_t",
    "maihda",
    "mean_t",
    "minimum_detectable_change",
    "odds_ratio_limits",
    "odds_ratio_score",
    "percentage_limits",
    "pool_rates",
    "pool_scores",
    "post_stratify",
    "r_squared",
    "rake",
    "rao_scott",
    "ratio_limits",
    "ratio_score",
    "ratio_se",
    "ratio_se_coo",
    "relative_weights",
    "sample_needed",
    "score_limits",
    "shrink_estimates",
    "shrunken_rates",
    "slope_index",
    "standardised_gap",
    "standardised_percentages",
    "treatment_coding",
    "variance_limits",
    "variance_share",
    "wilson",
    "wilson_weighted",
]
