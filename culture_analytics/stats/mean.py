"""Confidence limits of a mean score: Student t, and t on the log-odds scale for few answers.

References
----------
Kish L (1965). *Survey Sampling*. Wiley. Section 11.7.

Lumley T (2010). *Complex Surveys: a guide to analysis using R*. Wiley. Section 2.3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from culture_analytics.stats._quantiles import Limits, floats, t_quantile
from culture_analytics.stats.proportion import logit

__all__ = ["logit_t", "mean_t"]


def mean_t(
    mean: ArrayLike,
    se: ArrayLike,
    df: ArrayLike,
    *,
    level: float = 0.95,
    bounds: tuple[float, float] | None = None,
) -> Limits:
    r"""Student t limits of a mean, :math:`\bar y \pm t_{df} \, se`.

    Parameters
    ----------
    mean : array_like
        Mean, in the units of the scale.
    se : array_like
        Its standard error, in the same units.
    df : array_like
        Design degrees of freedom; may be infinite.
    level : float, default 0.95
        Confidence level.
    bounds : tuple of float, optional
        Ends of the scale, ``(0, 10)`` for a People Promise score: limits beyond them are moved to
        them. Default: limits are left alone.

    Returns
    -------
    lower, upper : ndarray
        NaN where ``df`` is not above 0 or ``se`` is 0 (everyone had the same score: no spread was
        seen, so none can be estimated).

    Raises
    ------
    CultureAnalyticsError
        If ``level`` is not between 0 and 1.

    References
    ----------
    Equal to R ``confint(svymean(...), df = degf(design))``.

    Examples
    --------
    >>> lower, upper = mean_t([6.5, 9.8], [0.1, 0.2], [200, 20], bounds=(0, 10))
    >>> lower.round(3).tolist(), upper.round(3).tolist()
    ([6.303, 9.383], [6.697, 10.0])
    """
    centre, error = floats(mean), floats(se)
    margin = t_quantile(level, df) * np.where(error > 0, error, np.nan)
    lower, upper = centre - margin, centre + margin
    if bounds is not None:
        lower, upper = np.clip(lower, *bounds), np.clip(upper, *bounds)
    return lower, upper


def logit_t(
    mean: ArrayLike,
    se: ArrayLike,
    df: ArrayLike,
    n: ArrayLike,
    effective_n: ArrayLike,
    *,
    level: float = 0.95,
    bounds: tuple[float, float] = (0, 10),
) -> Limits:
    r"""Limits of a mean score from few answers, symmetric in log-odds of the scale.

    The mean's place between the ends of the scale is treated as a proportion
    (:func:`~culture_analytics.stats.logit`), with

    .. math::

        se^* = se \sqrt{1 + \frac{2 n / n_e - 1}{n_e}}, \qquad df^* = df \, \frac{n_e}{n}

    The log-odds scale follows the skewness that a mean near an end of its scale must have. The
    spread around a weighted mean is too small on average: :math:`\sum w^2 (y - \bar y)^2` has
    expectation :math:`\sigma^2 \sum w^2 (1 - 2 \sum w^3 / (\sum w \sum w^2) + 1 / n_e)`, and for
    log-normal weights the part in brackets is :math:`1 - (2 n / n_e - 1) / n_e`. With equal weights
    the two corrections are :math:`1 + 1/n` and none.

    Parameters
    ----------
    mean, se, df : array_like
        As for :func:`mean_t`.
    n : array_like
        Base: the unweighted number of valid answers.
    effective_n : array_like
        Effective base (:func:`~culture_analytics.stats.kish`).
    level : float, default 0.95
        Confidence level.
    bounds : tuple of float, default (0, 10)
        Ends of the scale.

    Returns
    -------
    lower, upper : ndarray
        Within the bounds; NaN where ``df`` or ``effective_n`` is not above 0 or ``se`` is 0.

    Raises
    ------
    CultureAnalyticsError
        If a mean lies outside the bounds or ``level`` is not between 0 and 1.

    References
    ----------
    Kish (1965); simulated beside :func:`mean_t` in ``docs/reference/intervals.md``.

    Examples
    --------
    >>> lower, upper = logit_t(8.1, 0.6, 14, 15, 7.5)
    >>> round(float(lower), 2), round(float(upper), 2)
    (5.89, 9.27)
    """
    bottom, top = bounds
    base, effective = floats(n), floats(effective_n)
    effective = np.where(effective > 0, effective, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = effective / np.where(base > 0, base, np.nan)
        error = floats(se) * np.sqrt(1 + (2 / share - 1) / effective)
    place = (floats(mean) - bottom) / (top - bottom)
    lower, upper = logit(place, error / (top - bottom), floats(df) * share, level=level)
    return bottom + (top - bottom) * lower, bottom + (top - bottom) * upper
