"""Change between two samples, and a straight line through several.

Everything takes arrays, one element (or one row of years) a cell, and works in the unit of what it
is given: proportions from 0 to 1, scores from 0 to 10.

References
----------
Newcombe RG (1998). Interval estimation for the difference between independent proportions.
*Statistics in Medicine* 17:873-890.

Welch BL (1947). The generalization of 'Student's' problem when several different population
variances are involved. *Biometrika* 34:28-35.

Cochran WG (1954). Some methods for strengthening the common chi-squared tests. *Biometrics*
10:417-451. Armitage P (1955). Tests for linear trends in proportions and frequencies. *Biometrics*
11:375-386.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.stats._quantiles import (
    FloatArray,
    Limits,
    floats,
    proportions,
    t_quantile,
)

__all__ = [
    "Change",
    "Line",
    "effective_answers",
    "mover",
    "proportion_trend",
    "score_trend",
    "t_test",
    "two_proportions",
    "welch",
]


@dataclass(frozen=True, eq=False)
class Change:
    """Differences of two samples, later less earlier, with a two-sided test of none.

    Attributes
    ----------
    value, se : ndarray
        Difference and its standard error, in the unit given.
    df : ndarray
        Degrees of freedom; infinite for a normal test.
    p_value : ndarray
        NaN where nothing can be tested; 1 where both samples are all yes or all no.
    """

    value: FloatArray
    se: FloatArray
    df: FloatArray
    p_value: FloatArray

    def limits(self, level: float = 0.95) -> Limits:
        """Limits of the difference on `df`; NaN where the standard error is 0."""
        reach = t_quantile(level, self.df) * np.where(self.se > 0, self.se, np.nan)
        return self.value - reach, self.value + reach


@dataclass(frozen=True, eq=False)
class Line:
    """A straight line through several years, with a two-sided test of a level one.

    Attributes
    ----------
    slope, se : ndarray
        Change a year and its standard error, in the unit given.
    df, p_value : ndarray
        As of `Change`. The test of proportions uses the spread under no trend, `se` does not.
    """

    slope: FloatArray
    se: FloatArray
    df: FloatArray
    p_value: FloatArray

    def limits(self, level: float = 0.95) -> Limits:
        """Limits of the slope on `df`; NaN where the standard error is 0."""
        reach = t_quantile(level, self.df) * np.where(self.se > 0, self.se, np.nan)
        return self.slope - reach, self.slope + reach


def effective_answers(p: ArrayLike, se: ArrayLike, n: ArrayLike, kish: ArrayLike) -> FloatArray:
    r"""How many random answers a weighted proportion is worth.

    :math:`n / d` with the design effect :math:`d = se^2 (n - 1) / (p (1 - p))`: exactly the base
    for unweighted answers.

    Parameters
    ----------
    p, se : array_like
        Proportion, 0 to 1, and its standard error; NaN for a standard error not known.
    n, kish : array_like
        Base; Kish's effective base, used where everyone or nobody said yes.

    Returns
    -------
    ndarray
        The effective base or the base where there is no standard error to go by.

    Examples
    --------
    >>> effective_answers([0.5, 0.5, 0.0], [0.0502519, 0.08, 0.0], 100, 90).round(1).tolist()
    [100.0, 39.5, 90.0]
    """
    share, error, base = proportions(p), floats(se), floats(n)
    spread = share * (1 - share)
    known = (spread > 0) & (error > 0) & (base > 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = base * spread / (error**2 * (base - 1))
    other = np.where(floats(kish) > 0, floats(kish), base)
    return np.asarray(np.where(known, found, np.where(np.isnan(error), base, other)))


def two_proportions(p: ArrayLike, n: ArrayLike, p0: ArrayLike, n0: ArrayLike) -> Change:
    r"""Two-proportion z test, as contractors and official tables use it.

    The spread is that of both samples together, :math:`\bar p (1 - \bar p) (1/n + 1/n_0)`.

    Parameters
    ----------
    p, n : array_like
        Later proportion, 0 to 1, and its base or effective base.
    p0, n0 : array_like
        The earlier ones.

    Returns
    -------
    Change
        `se` is the pooled one of the test.

    Raises
    ------
    CultureAnalyticsError
        A proportion lies outside 0..1.

    References
    ----------
    Equal to R ``prop.test(..., correct = FALSE)``.

    Examples
    --------
    >>> change = two_proportions(0.45, 1000, 0.40, 1000)
    >>> round(float(change.value), 3), round(float(change.p_value), 4)
    (0.05, 0.0237)
    """
    from scipy.special import ndtr

    late, early, n_late, n_early = proportions(p), proportions(p0), floats(n), floats(n0)
    n_late, n_early = (np.where(size > 0, size, np.nan) for size in (n_late, n_early))
    both = (late * n_late + early * n_early) / (n_late + n_early)
    spread = np.clip(both * (1 - both), 0, None)
    se = np.sqrt(spread * (1 / n_late + 1 / n_early))
    value = late - early
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(se > 0, value / se, np.where(np.isnan(se), np.nan, 0.0))
    p_value = np.asarray(2 * ndtr(-np.abs(z)), dtype=np.float64)
    return Change(value, se, np.where(np.isnan(se), np.nan, np.inf), p_value)


def mover(
    value: ArrayLike, lower: ArrayLike, upper: ArrayLike,
    value0: ArrayLike, lower0: ArrayLike, upper0: ArrayLike,
) -> Limits:  # fmt: skip
    r"""Limits of a difference from the limits of both figures, by squaring and adding.

    .. math:: d - \sqrt{(p - l)^2 + (u_0 - p_0)^2}, \quad d + \sqrt{(u - p)^2 + (p_0 - l_0)^2}

    Parameters
    ----------
    value, lower, upper : array_like
        Later figure and its limits, in any unit.
    value0, lower0, upper0 : array_like
        The earlier ones, at the same level.

    Returns
    -------
    lower, upper : ndarray
        NaN where any limit is.

    References
    ----------
    Newcombe (1998), method 10, with Wilson limits; Zou and Donner (2008) Statistics in Medicine
    27:1693.

    Examples
    --------
    Newcombe's own example (his table II a): 56 of 70 and 48 of 80.

    >>> from culture_analytics.stats import wilson
    >>> (l, u), (l0, u0) = wilson(56 / 70, 70), wilson(48 / 80, 80)
    >>> [round(float(x), 4) for x in mover(56 / 70, l, u, 48 / 80, l0, u0)]
    [0.0524, 0.3339]
    """
    late, low, high = floats(value), floats(lower), floats(upper)
    early, low0, high0 = floats(value0), floats(lower0), floats(upper0)
    d = late - early
    return d - np.hypot(late - low, high0 - early), d + np.hypot(high - late, early - low0)


def welch(
    value: ArrayLike, se: ArrayLike, df: ArrayLike,
    value0: ArrayLike, se0: ArrayLike, df0: ArrayLike,
) -> Change:  # fmt: skip
    """Welch's t test of two means, on their standard errors.

    Parameters
    ----------
    value, se, df : array_like
        Later mean, its standard error and degrees of freedom.
    value0, se0, df0 : array_like
        The earlier ones.

    Returns
    -------
    Change
        NaN where a standard error is NaN, or both are 0.

    References
    ----------
    Welch (1947); equal to R ``t.test``.

    Examples
    --------
    >>> change = welch(6.9, 0.03, 3000, 6.8, 0.04, 2500)
    >>> round(float(change.df)), round(float(change.p_value), 4)
    (4830, 0.0456)
    """
    from scipy.special import stdtr

    d = floats(value) - floats(value0)
    late, early = floats(se) ** 2, floats(se0) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = (late + early) ** 2 / (late**2 / floats(df) + early**2 / floats(df0))
        error = np.sqrt(late + early)
        t = np.abs(d) / np.where(error > 0, error, np.nan)
    freedom = np.where(freedom > 0, freedom, np.nan)
    return Change(d, error, freedom, np.asarray(2 * stdtr(freedom, -t), dtype=np.float64))


def t_test(
    value: ArrayLike, sd: ArrayLike, n: ArrayLike,
    value0: ArrayLike, sd0: ArrayLike, n0: ArrayLike,
) -> Change:  # fmt: skip
    """Two-tailed t test of two mean scores with one spread, as official reports use it.

    Parameters
    ----------
    value, sd, n : array_like
        Later mean score, the respondents' standard deviation, and the base.
    value0, sd0, n0 : array_like
        The earlier ones.

    Returns
    -------
    Change
        NaN where a standard deviation is NaN, or both are 0.

    References
    ----------
    Equal to R ``t.test(..., var.equal = TRUE)``.

    Examples
    --------
    >>> change = t_test(7.63, 1.6, 2017, 7.74, 1.6, 2033)
    >>> round(float(change.value), 2), round(float(change.p_value), 3)
    (-0.11, 0.029)
    """
    from scipy.special import stdtr

    n_late, n_early = floats(n), floats(n0)
    freedom = n_late + n_early - 2
    freedom = np.where(freedom > 0, freedom, np.nan)
    d = floats(value) - floats(value0)
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = ((n_late - 1) * floats(sd) ** 2 + (n_early - 1) * floats(sd0) ** 2) / freedom
        error = np.sqrt(pooled * (1 / n_late + 1 / n_early))
        t = np.abs(d) / np.where(error > 0, error, np.nan)
    return Change(d, error, freedom, np.asarray(2 * stdtr(freedom, -t), dtype=np.float64))


def proportion_trend(p: ArrayLike, n: ArrayLike, year: ArrayLike) -> Line:
    r"""Linear trend of proportions over years (Cochran and Armitage).

    The slope is that of least squares weighted by the base. The test statistic is
    :math:`b^2 \sum n (x - \bar x)^2 / (\bar p (1 - \bar p))`, chi-squared on one degree of freedom.

    Parameters
    ----------
    p, n : array_like, shape (..., years)
        Proportions, 0 to 1, and their bases or effective bases; NaN for years without a figure.
    year : array_like, shape (years,)
        The years.

    Returns
    -------
    Line
        Shape (...); NaN with fewer than three years. `se` allows each year its own spread.

    Raises
    ------
    CultureAnalyticsError
        A proportion lies outside 0..1 or the shapes differ.

    References
    ----------
    Cochran (1954), Armitage (1955); p-value equal to R ``prop.trend.test``.

    Examples
    --------
    >>> line = proportion_trend([0.40, 0.42, 0.45], [1000, 1000, 1000], [2022, 2023, 2024])
    >>> round(float(line.slope), 4), round(float(line.p_value), 4)
    (0.025, 0.0236)
    """
    from scipy.special import chdtrc

    share, base, centred, enough = _years(proportions(p), floats(n), year)
    moment = np.sum(base * centred**2, axis=-1)
    # Series of fewer than two years have no moment: their figures are blanked below.
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = np.sum(base * share, axis=-1) / np.sum(base, axis=-1)
        slope = np.sum(base * centred * share, axis=-1) / moment
        variance = np.sum(base * centred**2 * share * (1 - share), axis=-1) / moment**2
        spread = pooled * (1 - pooled)
        chi2 = np.where(spread > 0, slope**2 * moment / spread, 0.0)
    p_value = np.asarray(chdtrc(1, chi2), dtype=np.float64)
    return Line(*(np.where(enough, x, np.nan) for x in (slope, np.sqrt(variance), np.inf, p_value)))


def score_trend(mean: ArrayLike, se: ArrayLike, df: ArrayLike, year: ArrayLike) -> Line:
    r"""Linear trend of mean scores over years, weighted by :math:`1 / se^2`.

    Parameters
    ----------
    mean, se, df : array_like, shape (..., years)
        Mean scores, their standard errors above 0 and degrees of freedom; NaN for years without.
    year : array_like, shape (years,)
        The years.

    Returns
    -------
    Line
        Shape (...); NaN with fewer than three years. Degrees of freedom are those of all years
        together. The line's lack of fit is not part of the standard error.

    Raises
    ------
    CultureAnalyticsError
        The shapes differ.

    References
    ----------
    Equal to R ``lm(mean ~ year, weights = 1 / se^2)`` with the residual scale fixed at 1.

    Examples
    --------
    >>> line = score_trend([6.8, 6.9, 7.0], [0.03] * 3, [900] * 3, [2022, 2023, 2024])
    >>> round(float(line.slope), 3), round(float(line.se), 4)
    (0.1, 0.0212)
    """
    from scipy.special import stdtr

    error = floats(se)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(error > 0, 1 / error**2, np.nan)
    y, w, centred, enough = _years(floats(mean), weight, year)
    moment = np.sum(w * centred**2, axis=-1)
    slope, spread = np.sum(w * centred * y, axis=-1) / moment, 1 / np.sqrt(moment)
    freedom = np.sum(np.where(w > 0, floats(df), 0.0), axis=-1)
    freedom = np.where(freedom > 0, freedom, np.nan)
    p_value = np.asarray(2 * stdtr(freedom, -np.abs(slope / spread)), dtype=np.float64)
    return Line(*(np.where(enough, x, np.nan) for x in (slope, spread, freedom, p_value)))


def _years(
    y: FloatArray, weight: FloatArray, year: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray, NDArray[np.bool_]]:
    """Figures and weights (0 where there is none), centred years, and whether there are three."""
    x = floats(year)
    y, weight = np.broadcast_arrays(y, weight)
    if x.ndim != 1 or not y.ndim or y.shape[-1] != x.size:
        raise CultureAnalyticsError(
            f"{x.size} years for figures of shape {y.shape}. Try: years in the last dimension."
        )
    known = np.isfinite(y) & (weight > 0)
    w = np.where(known, weight, 0.0)
    total = w.sum(axis=-1, keepdims=True)
    w = np.where(total > 0, w, np.nan)
    centred = x - np.sum(w * x, axis=-1, keepdims=True) / np.where(total > 0, total, np.nan)
    return np.where(known, y, 0.0), w, centred, known.sum(axis=-1) >= 3
