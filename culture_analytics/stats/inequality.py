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
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.stats._quantiles import FloatArray, floats, t_quantile

__all__ = ["SlopeIndex", "slope_index"]


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
    with np.errstate(invalid="ignore", divide="ignore"):
        share = sizes / sizes.sum(axis=-1, keepdims=True)
        rank = np.cumsum(share, axis=-1) - share / 2 - 0.5
        slope_of = share * rank / np.sum(share * rank**2, axis=-1, keepdims=True)
    slope_of[np.count_nonzero(sizes, axis=-1) < 2] = np.nan
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
    return SlopeIndex(
        sii, sii_se, sii - half, sii + half, rii, rii * np.exp(-factor), rii * np.exp(factor)
    )


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
