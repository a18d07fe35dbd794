r"""Slope and relative index of inequality: one gradient across groups that have an order.

Comparing the lowest pay band with the highest ignores everyone between them. The slope index ranks
all staff from the first group to the last, on a scale from 0 to 1, places every group at the middle
of its own people, and fits a straight line through the groups' percentages by least squares
weighted by their sizes. Its slope is the difference between the two ends of the scale; the relative
index is the ratio of the fitted values at the two ends.

References
----------
Wagstaff A, Paci P, van Doorslaer E (1991). On the measurement of inequalities in health. *Social
Science and Medicine* 33:545-557.

Low A, Low A (2004). Measuring the gap: quantifying and comparing local health inequalities.
*Journal of Public Health* 26:388-395.

PHEindicatormethods (Department of Health and Social Care): ``phe_sii``.

Zou GY, Huang W, Zhang X (2009). A note on confidence interval estimation for a linear function of
binomial proportions. *Computational Statistics & Data Analysis* 53:1080-1085.

Newcombe RG (2016). MOVER-R confidence intervals for ratios and products of two independently
estimated quantities. *Statistical Methods in Medical Research* 25:1774-1778.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.stats._quantiles import FloatArray, floats, t_quantile

__all__ = ["GradientLimits", "SlopeIndex", "gradient_limits", "slope_coefficients", "slope_index"]


class SlopeIndex(NamedTuple):
    """Gradient across ordered groups; arrays of shape (...,), the shape without the groups."""

    sii: FloatArray
    """Slope index: fitted value at the last end less that at the first, in the units given."""
    sii_se: FloatArray
    """Its standard error; NaN when none was given for the groups."""
    sii_lower: FloatArray
    sii_upper: FloatArray
    rii: FloatArray
    """Relative index: fitted value at the last end over that at the first; NaN where the line
    reaches 0 or below inside the scale, where a ratio means nothing."""
    rii_lower: FloatArray
    rii_upper: FloatArray


def slope_index(
    value: ArrayLike,
    population: ArrayLike,
    *,
    se: ArrayLike | None = None,
    covariance: ArrayLike | None = None,
    df: ArrayLike = np.inf,
    level: float = 0.95,
) -> SlopeIndex:
    r"""Slope and relative index of inequality across ordered groups.

    Parameters
    ----------
    value : array_like
        Percentage, proportion or mean of each group, in order, shape (..., groups).
    population : array_like
        Size of each group, same shape: the (weighted) base, or all staff in the group. A group of
        size 0 takes no part.
    se : array_like, optional
        Standard error of each value, in its units: groups estimated independently.
    covariance : array_like, optional
        Instead of `se`, covariance of the values, shape (..., groups, groups).
    df : array_like, default inf
        Degrees of freedom of the standard errors, shape (...,).
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    SlopeIndex
        NaN where fewer than two groups have people, or a group with people has no value; limits
        are NaN without `se` or `covariance`, and where they would have no width.

    Raises
    ------
    CultureAnalyticsError
        If both `se` and `covariance` are given, or `level` is not between 0 and 1.

    Notes
    -----
    The limits of the slope are :math:`sii \pm t \, se`; those of the relative index are worked
    out on the logarithm, by the delta method. Sizes are taken as known.
    ``PHEindicatormethods`` draws values at random instead, and agrees up to that noise.

    References
    ----------
    Low and Low (2004).

    Examples
    --------
    >>> found = slope_index([20.0, 24.0, 31.0], [100, 250, 150], se=[4.0, 2.7, 3.8])
    >>> float(found.sii.round(2)), float(found.rii.round(3))
    (15.07, 1.848)
    >>> float(found.sii_lower.round(2)), float(found.sii_upper.round(2))
    (0.63, 29.52)
    """
    if se is not None and covariance is not None:
        raise CultureAnalyticsError("Give the standard errors or the covariance, not both.")
    sizes = floats(population)
    y, sizes = np.broadcast_arrays(floats(value), np.where(sizes > 0, sizes, 0.0))
    y = np.where(sizes > 0, y, 0.0)
    share, slope_of = _share_and_slope(sizes)
    # Both ends of the fitted line, as weights of the groups' values; the mean rank is 1/2.
    first_of, last_of = share - slope_of / 2, share + slope_of / 2
    sii, first, last = (np.sum(of * y, axis=-1) for of in (slope_of, first_of, last_of))
    usable = (first > 0) & (last > 0)
    rii = np.where(usable, last, np.nan) / np.where(usable, first, np.nan)
    sii_se, log_se = np.full(sii.shape, np.nan), np.full(sii.shape, np.nan)
    if se is not None or covariance is not None:
        v = _covariance(y, sizes, se, covariance)
        sii_se = np.where(np.isnan(sii), np.nan, _standard_error(slope_of, v))
        ends = np.where(usable, first, np.nan)[..., None], np.where(usable, last, np.nan)[..., None]
        log_se = _standard_error(last_of / ends[1] - first_of / ends[0], v)
    t = t_quantile(level, df)
    half, factor = (t * np.where(error > 0, error, np.nan) for error in (sii_se, log_se))
    with np.errstate(over="ignore"):  # a line that all but touches 0 has no upper ratio
        below, above = rii * np.exp(-factor), rii * np.exp(factor)
    return SlopeIndex(sii, sii_se, sii - half, sii + half, rii, below, above)


class GradientLimits(NamedTuple):
    """Limits of both indices from those of the groups; arrays of shape (...,)."""

    sii_lower: FloatArray
    sii_upper: FloatArray
    rii_lower: FloatArray
    rii_upper: FloatArray
    """Infinite where the answers set no upper limit to the ratio."""


def slope_coefficients(population: ArrayLike) -> FloatArray:
    """What each group's value is multiplied by in the slope index; the shape of `population`.

    They add up to 0. NaN where fewer than two groups have people.

    Examples
    --------
    >>> slope_coefficients([100, 100]).tolist()
    [-2.0, 2.0]
    """
    sizes = floats(population)
    return _share_and_slope(np.where(sizes > 0, sizes, 0.0))[1]


def gradient_limits(
    value: ArrayLike,
    population: ArrayLike,
    limits: tuple[ArrayLike, ArrayLike],
    mean_limits: tuple[ArrayLike, ArrayLike],
) -> GradientLimits:
    r"""Limits of the slope and relative index that hold for small groups and rare answers.

    Parameters
    ----------
    value, population : array_like
        As for :func:`slope_index`: values of 0 or more of groups estimated independently.
    limits : pair of array_like
        Lower and upper limits of the values, same shape, such as Wilson's.
    mean_limits : pair of array_like
        Of the mean of all groups together, shape (...,).

    Returns
    -------
    GradientLimits
        NaN where :func:`slope_index` is.

    Notes
    -----
    With coefficients :math:`c_i` and limits :math:`l_i, u_i` of the values :math:`p_i` the slope
    :math:`S = \sum c_i p_i` reaches :math:`\sqrt{\sum c_i^2 (p_i - l_i)^2}` downwards, with
    :math:`u_i - p_i` for those whose :math:`c_i` is negative, and likewise upwards (MOVER).
    The fitted ends are :math:`\bar p \pm S / 2`, so the relative index rises with
    :math:`\theta = S / \bar p` alone, whose limits are those at which
    :math:`S - \theta \bar p` may be 0. Mean and slope are uncorrelated where all groups
    vary alike. A group in which nobody said yes has limits, where its standard error is 0.

    References
    ----------
    Zou, Huang and Zhang (2009); Newcombe (2016).

    Examples
    --------
    >>> from culture_analytics.stats import wilson
    >>> p, n = np.array([0.20, 0.24, 0.31]), np.array([100, 250, 150])
    >>> found = gradient_limits(p, n, wilson(p, n), wilson(p @ n / 500, 500))
    >>> [round(float(x), 3) for x in found]
    [0.005, 0.291, 1.019, 3.857]
    """
    sizes, p, low, high = np.broadcast_arrays(
        floats(population), floats(value), *(floats(x) for x in limits)
    )
    sizes = np.where(sizes > 0, sizes, 0.0)
    p, low, high = (np.where(sizes > 0, x, 0.0) for x in (p, low, high))
    share, c = _share_and_slope(sizes)
    slope, mean = np.sum(c * p, axis=-1), np.sum(share * p, axis=-1)
    rising = c > 0
    down, up = (
        np.sqrt(np.sum((c * np.where(rising, near, far)) ** 2, axis=-1))
        for near, far in ((p - low, high - p), (high - p, p - low))
    )
    lower, upper = slope - down, slope + up
    below, above = mean - floats(mean_limits[0]), floats(mean_limits[1]) - mean
    # Where theta is positive its lower limit goes with the mean's upper one, and the other way.
    least = _lowest_ratio(slope, mean, lower, np.where(lower > 0, above, below))
    most = -_lowest_ratio(-slope, mean, -upper, np.where(upper > 0, below, above))
    return GradientLimits(lower, upper, _ratio_of_ends(least), _ratio_of_ends(most))


def _lowest_ratio(
    slope: FloatArray, mean: FloatArray, lower: FloatArray, reach: FloatArray
) -> FloatArray:
    """Least theta of ``(slope - theta mean)^2 = (slope - lower)^2 + theta^2 reach^2``."""
    square = mean**2 - reach**2
    constant = lower * (2 * slope - lower)
    root = np.sqrt(np.maximum((slope * mean) ** 2 - square * constant, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (slope * mean - root) / square
    return np.asarray(np.where(square > 0, found, np.where(np.isnan(slope), np.nan, -np.inf)))


def _ratio_of_ends(theta: FloatArray) -> FloatArray:
    """Fitted value at the last end over that at the first; 0 or infinite beyond the scale."""
    inside = np.clip(theta, -2, 2)
    with np.errstate(divide="ignore"):
        return np.asarray((2 + inside) / (2 - inside), dtype=np.float64)


def _share_and_slope(sizes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Each group's share of all people, and its coefficient in the slope."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = sizes / sizes.sum(axis=-1, keepdims=True)
        rank = np.cumsum(share, axis=-1) - share / 2 - 0.5
        slope_of = share * rank / np.sum(share * rank**2, axis=-1, keepdims=True)
    slope_of[np.count_nonzero(sizes, axis=-1) < 2] = np.nan
    return share, slope_of


def _covariance(
    y: FloatArray, sizes: FloatArray, se: ArrayLike | None, covariance: ArrayLike | None
) -> FloatArray:
    """Covariance of the groups' values, shape (..., groups, groups); 0 for groups of nobody."""
    there = sizes > 0
    if se is not None:
        variance = np.where(there, np.broadcast_to(floats(se), y.shape) ** 2, 0.0)
        return variance[..., None] * np.eye(y.shape[-1])
    both = there[..., :, None] & there[..., None, :]
    return np.where(both, np.asarray(covariance, dtype=np.float64), 0.0)


def _standard_error(weights: FloatArray, covariance: FloatArray) -> FloatArray:
    variance = np.einsum("...i,...ij,...j->...", weights, covariance, weights)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))
