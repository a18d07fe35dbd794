"""Which limits a result gets: the table of defaults, and the two functions that follow it.

===========  ==========================================  ===============  =======================
figure       situation                                   method           equal to
===========  ==========================================  ===============  =======================
percentage   equal weights, no strata or population      wilson           R ``PHEindicatormethods``
percentage   unequal weights, no strata or population    wilson_weighted
percentage   strata or population                        logit            R ``svyciprop``
percentage   ... at 0 or 100 %                           beta             (R has none there)
percentage   ... unequal weights, and fewer than 10      wilson_weighted
             effective answers for or against
score        in general                                  t                R ``confint(svymean)``
score        effective base under 100                    logit_t
===========  ==========================================  ===============  =======================

The exceptions are where simulation shows the general method to fail: with a Kish effect of 3,
nominal 95 % logit limits hold the truth in 81 % of samples of 200 where 2 % would say yes, and t
limits in 75 % of samples of 11 (``docs/reference/intervals.md``,
``benchmarks/coverage.py``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from culture_analytics.stats._quantiles import FloatArray, floats
from culture_analytics.stats.mean import logit_t, mean_t
from culture_analytics.stats.proportion import logit_beta, wilson, wilson_weighted

__all__ = ["percentage_limits", "score_limits"]

FEW_ANSWERS = 10
"""Effective answers, for or against, under which a design-based standard error is not trusted."""

FEW_SCORES = 100
"""Effective base under which a mean score is not treated as normal."""

_EQUAL = 1e-9  # weights are equal if the effective base is within this share of the base

Chosen = tuple[FloatArray, FloatArray, NDArray[np.object_]]


def percentage_limits(
    p: ArrayLike,
    se: ArrayLike,
    df: ArrayLike,
    n: ArrayLike,
    effective_n: ArrayLike,
    *,
    by_design: bool = False,
    unsampled: ArrayLike = 1.0,
    level: float = 0.95,
) -> Chosen:
    """Limits of proportions by the default method of each.

    Parameters
    ----------
    p, se, df, n, effective_n
        Proportion (0 to 1), its design-based standard error, degrees of freedom, base and
        effective base; one shape.
    by_design
        Whether the design has strata or finite populations.
    unsampled
        See :func:`~culture_analytics.stats.wilson_weighted`.
    level
        Confidence level.

    Returns
    -------
    lower, upper : ndarray
        Limits, 0 to 1; NaN where there are none.
    method : ndarray of object
        Name of the method of each: see :data:`~culture_analytics.stats.INTERVALS`.

    Raises
    ------
    CultureAnalyticsError
        If a proportion lies outside 0..1 or ``level`` is not between 0 and 1.

    Examples
    --------
    >>> lower, upper, method = percentage_limits([0.2, 0.2], 0.05, 98, 99, [99, 50])
    >>> method.tolist()
    ['wilson', 'wilson_weighted']
    """
    share, error, freedom, base, effective, share_out = np.broadcast_arrays(
        floats(p), floats(se), floats(df), floats(n), floats(effective_n), floats(unsampled)
    )
    unequal = _unequal(base, effective)
    if by_design:
        end = (share <= 0) | (share >= 1)
        lower, upper = logit_beta(share, error, freedom, base, effective_n=effective, level=level)
        method = np.where(end, "beta", "logit").astype(object)
        few = effective * np.minimum(share, 1 - share) < FEW_ANSWERS
        chosen = unequal & few & ~end & (freedom > 0)
    else:
        lower, upper = map(np.array, wilson(share, effective, level=level))
        method = np.full(share.shape, "wilson", dtype=object)
        chosen = unequal
    lower[chosen], upper[chosen] = wilson_weighted(
        share[chosen],
        error[chosen],
        base[chosen],
        effective[chosen],
        unsampled=share_out[chosen],
        level=level,
    )
    method[chosen] = "wilson_weighted"
    return lower, upper, method


def score_limits(
    mean: ArrayLike,
    se: ArrayLike,
    df: ArrayLike,
    n: ArrayLike,
    effective_n: ArrayLike,
    *,
    bounds: tuple[float, float] = (0, 10),
    level: float = 0.95,
) -> Chosen:
    """Limits of mean scores by the default method of each.

    Parameters
    ----------
    mean, se, df, n, effective_n
        Mean score, its design-based standard error, degrees of freedom, base and effective base;
        one shape.
    bounds
        Ends of the scale.
    level
        Confidence level.

    Returns
    -------
    lower, upper : ndarray
        Limits within the bounds; NaN where there are none.
    method : ndarray of object
        ``"t"`` or ``"logit_t"``.

    Raises
    ------
    CultureAnalyticsError
        If ``level`` is not between 0 and 1.

    Examples
    --------
    >>> score_limits([6.1, 6.1], 0.2, 398, 399, [399, 50])[2].tolist()
    ['t', 'logit_t']
    """
    centre, error, freedom, base, effective = np.broadcast_arrays(
        floats(mean), floats(se), floats(df), floats(n), floats(effective_n)
    )
    lower, upper = map(np.array, mean_t(centre, error, freedom, level=level, bounds=bounds))
    method = np.full(centre.shape, "t", dtype=object)
    chosen = effective < FEW_SCORES
    lower[chosen], upper[chosen] = logit_t(
        centre[chosen],
        error[chosen],
        freedom[chosen],
        base[chosen],
        effective[chosen],
        level=level,
        bounds=bounds,
    )
    method[chosen] = "logit_t"
    return lower, upper, method


def _unequal(base: FloatArray, effective: FloatArray) -> NDArray[np.bool_]:
    """Whether the weights of a cell's answers differ."""
    unequal: NDArray[np.bool_] = base - effective > _EQUAL * base
    return unequal
