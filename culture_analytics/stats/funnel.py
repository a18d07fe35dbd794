r"""Funnel plots of organisations: arcsine with over-dispersion, plain limits, ratios.

Organisations differ by more than chance, in ways no table explains. A funnel drawn from chance
alone would flag most large ones. So the spread of all organisations about their common value is
measured robustly and added to each one's sampling variance:

.. math::

    z_i = \frac{y_i - y_0}{s_i}, \qquad
    \phi = \frac{1}{I} \sum_i w(z_i)^2, \qquad
    \tau^2 = \max\left(0, \frac{I \phi - (I - 1)}{\sum_i s_i^{-2} -
    \sum_i s_i^{-4} / \sum_i s_i^{-2}} \right), \qquad
    z_i^{od} = \frac{y_i - y_0}{\sqrt{s_i^2 + \tau^2}}

with :math:`w` drawing in the outer tenth of the z-scores on either side, so that the outliers that
the funnel is to find do not widen it.

References
----------
Spiegelhalter DJ (2005). Funnel plots for comparing institutional performance. *Statistics in
Medicine* 24:1185-1202.

Spiegelhalter D, Sherlaw-Johnson C, Bardsley M, Blunt I, Wood C, Grigg O (2012). Statistical methods
for healthcare regulation. *Journal of the Royal Statistical Society A* 175:1-47.
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
    normal_quantile,
    proportions,
    upper_tail,
)

__all__ = [
    "TRIMS",
    "Funnel",
    "arcsine_limits",
    "calibrated_funnel",
    "plain_limits",
    "poisson_limits",
    "proportion_funnel",
    "ratio_funnel",
]

# How the tails of the z-scores are kept from widening the funnel.
TRIMS = ("winsorise", "truncate", "none")
TAIL = 0.1
# Mean square of a standard normal variable whose outer tenths are drawn in to its deciles.
WINSORISED_NORMAL = 0.6787
LEAST_CALIBRATED = 10


@dataclass(frozen=True, eq=False)
class Funnel:
    """A funnel over organisations.

    Attributes
    ----------
    target : float
        The common value: a proportion, or a ratio (1).
    y, s : ndarray
        Each organisation's value and sampling standard error on the funnel's scale.
    z : ndarray
        Distance from the target in sampling standard errors.
    z_trimmed : ndarray
        The same with the tails drawn in (or NaN, cut off), from which `phi` comes.
    phi : float
        Mean of their squares: 1 where organisations differ by chance alone.
    tau2 : float
        Variance between organisations on the funnel's scale; 0 without over-dispersion.
    z_od : ndarray
        Distance from the target when that variance is allowed for.
    df : float
        Degrees of freedom of `p_value`: infinite where the spread is taken as known.
    """

    target: float
    y: FloatArray
    s: FloatArray
    z: FloatArray
    z_trimmed: FloatArray
    phi: float
    tau2: float
    z_od: FloatArray
    df: float = np.inf

    @property
    def p_value(self) -> FloatArray:
        """Two-sided p-value of each organisation, over-dispersion allowed for."""
        from scipy.special import ndtr, stdtr

        below = -np.abs(self.z_od)
        tail = ndtr(below) if np.isinf(self.df) else stdtr(self.df, below)
        return np.asarray(2 * tail, dtype=np.float64)


def proportion_funnel(
    p: ArrayLike,
    n: ArrayLike,
    *,
    target: float | None = None,
    trim: str = "winsorise",
    tail: float = TAIL,
) -> Funnel:
    r"""Over-dispersed funnel of proportions, on the scale :math:`\arcsin\sqrt p`.

    Parameters
    ----------
    p : array_like
        Each organisation's proportion, 0 to 1; NaN for none, which takes no part.
    n : array_like
        Its base, or effective base.
    target : float, optional
        The common proportion. Default: of all organisations together, by base.
    trim : {"winsorise", "truncate", "none"}, default "winsorise"
        What is done with the tails of the z-scores before the spread is measured.
    tail : float, default 0.1
        Share in each tail.

    Returns
    -------
    Funnel
        NaN for organisations without figures, and for all if fewer than three have any.

    Raises
    ------
    CultureAnalyticsError
        A proportion or the target lies outside 0..1, or `trim` or `tail` is not possible.

    References
    ----------
    Spiegelhalter et al. (2012); equal to R ``FunnelPlotR`` (``data_type = "PR"``).

    Examples
    --------
    >>> found = proportion_funnel([0.40, 0.45, 0.38, 0.60, 0.42], [900, 400, 1500, 800, 600])
    >>> round(found.phi, 2), found.z_od.round(2).tolist()
    (10.54, [-0.61, 0.17, -0.95, 2.53, -0.29])
    """
    share, base = proportions(p), floats(n)
    base = np.where((base > 0) & ~np.isnan(share), base, np.nan)
    share = np.where(np.isnan(base), np.nan, share)
    if target is None:
        total = np.nansum(base)
        target = float(np.nansum(share * base) / total) if total > 0 else np.nan
    middle = float(np.arcsin(np.sqrt(proportions(target))))
    return _funnel(
        float(target), np.arcsin(np.sqrt(share)), middle, 1 / (2 * np.sqrt(base)), trim, tail
    )


def calibrated_funnel(p: ArrayLike, n: ArrayLike) -> Funnel:
    r"""Over-dispersed funnel of proportions whose p-values hold their error rate.

    Drawing the tails in makes the spread of ordinary organisations look smaller than it is: where
    all differ by a normal spread and none is unusual, :func:`proportion_funnel` has one in nine,
    not one in twenty, beyond 1.96. Here :math:`\tau^2` is what makes the winsorised squares of
    :math:`(y_i - \mu) / \sqrt{s_i^2 + \tau^2}` as large on average as those of normal
    values, :math:`(0.679 + 0.4 / I)(I - 1) / I`; :math:`\mu` is the mean weighted by
    :math:`1 / (s_i^2 + \tau^2)` of the values so drawn in; distances allow for its own error;
    and p-values are of Student's t on :math:`0.7 (I - 1)` degrees of freedom, as the spread is
    itself estimated from the :math:`I` organisations.

    Parameters
    ----------
    p, n : array_like
        As for :func:`proportion_funnel`.

    Returns
    -------
    Funnel
        `target` is the proportion at :math:`\mu`; `z`, `z_trimmed` and `phi` are about it.
        NaN for organisations without figures, and for all if fewer than ten have any.

    Raises
    ------
    CultureAnalyticsError
        A proportion lies outside 0..1.

    References
    ----------
    Paule RC, Mandel J (1982). Consensus values and weighting factors. *Journal of Research of the
    National Bureau of Standards* 87:377-385, with the winsorising of Spiegelhalter et al. (2012).
    The constants 0.4 and 0.7 are by simulation: ``benchmarks/false_flags.py``.

    Examples
    --------
    >>> n = [900, 400, 1500, 800, 600, 700, 1100, 950, 500, 1200]
    >>> found = calibrated_funnel([0.40, 0.45, 0.38, 0.60, 0.42, 0.41, 0.39, 0.44, 0.4, 0.37], n)
    >>> found.p_value.round(3).tolist()[3] < 0.01 < found.p_value.round(3).tolist()[0]
    True
    """
    share, base = proportions(p), floats(n)
    base = np.where((base > 0) & ~np.isnan(share), base, np.nan)
    y, s = np.arcsin(np.sqrt(np.where(np.isnan(base), np.nan, share))), 1 / (2 * np.sqrt(base))
    known = np.flatnonzero(np.isfinite(y))
    count = len(known)
    if count < LEAST_CALIBRATED:
        none = np.full(y.shape, np.nan)
        return Funnel(np.nan, y, s, none, none, np.nan, np.nan, none)
    normal = (WINSORISED_NORMAL + 0.4 / count) * (count - 1) / count
    tau2, (middle, error2) = _spread_between(y[known], s[known] ** 2, normal)
    z = (y - middle) / s
    trimmed = _trimmed(z, np.isfinite(z), "winsorise", TAIL)
    own = s**2 + tau2 - error2  # an organisation pulls the middle towards itself
    return Funnel(
        target=float(np.sin(middle) ** 2),
        y=y,
        s=s,
        z=z,
        z_trimmed=trimmed,
        phi=float(np.mean(trimmed[known] ** 2)),
        tau2=tau2,
        z_od=(y - middle) / np.sqrt(own),
        df=0.7 * (count - 1),
    )


def _spread_between(
    y: FloatArray, s2: FloatArray, normal: float
) -> tuple[float, tuple[float, float]]:
    """Variance between organisations by bisection, and their middle with its variance."""

    def at(tau2: float) -> tuple[float, tuple[float, float]]:
        w = 1 / (s2 + tau2)
        root, total = np.sqrt(w), w.sum()
        middle = float((w * y).sum() / total)
        drawn_in = _winsorised((y - middle) * root)
        middle += float((drawn_in * root).sum() / total)
        squares = _winsorised((y - middle) * root) ** 2
        return float(squares.mean()) - normal, (middle, float(1 / total))

    excess, found = at(0.0)
    if excess <= 0:
        return 0.0, found
    low, high = 0.0, float(np.ptp(y)) ** 2 + float(s2.max())
    for _ in range(40):
        tau2 = (low + high) / 2
        excess, found = at(tau2)
        low, high = (tau2, high) if excess > 0 else (low, tau2)
    return high, at(high)[1]


def _winsorised(z: FloatArray) -> FloatArray:
    """The outer tenths drawn in, as by `numpy.quantile`, which is slow for short arrays."""
    ordered = np.sort(z)
    place = TAIL * (len(z) - 1)
    whole = int(place)
    part = place - whole
    low = ordered[whole] + part * (ordered[whole + 1] - ordered[whole])
    high = ordered[-1 - whole] - part * (ordered[-1 - whole] - ordered[-2 - whole])
    return np.asarray(np.minimum(np.maximum(z, low), high))


def ratio_funnel(
    observed: ArrayLike,
    expected: ArrayLike,
    *,
    scale: str = "root",
    trim: str = "winsorise",
    tail: float = TAIL,
) -> Funnel:
    """Over-dispersed funnel of ratios of observed to expected counts, about 1.

    Parameters
    ----------
    observed, expected : array_like
        Counts; an expected count of 0 or NaN takes no part.
    scale : {"root", "log"}, default "root"
        Square root of the ratio (the Care Quality Commission's way) or its logarithm.
    trim, tail
        As for :func:`proportion_funnel`.

    Returns
    -------
    Funnel
        Observed counts of 0 are NaN on the logarithmic scale.

    Raises
    ------
    CultureAnalyticsError
        `scale`, `trim` or `tail` is not possible.

    References
    ----------
    Spiegelhalter et al. (2012); equal to R ``FunnelPlotR`` (``data_type = "SR"``).

    Examples
    --------
    >>> round(ratio_funnel([100, 150, 180, 80, 120, 225], [108, 112, 165, 95, 100, 220]).phi, 3)
    2.327
    """
    if scale not in ("root", "log"):
        raise CultureAnalyticsError(f"scale={scale!r}: there are 'root' and 'log'.")
    count, base = floats(observed), floats(expected)
    base = np.where(base > 0, base, np.nan)
    if scale == "root":
        return _funnel(1.0, np.sqrt(count / base), 1.0, 1 / (2 * np.sqrt(base)), trim, tail)
    ratio = np.where(count > 0, count, np.nan) / base
    return _funnel(1.0, np.log(ratio), 0.0, 1 / np.sqrt(base), trim, tail)


def arcsine_limits(
    target: float, n: ArrayLike, *, tau2: float = 0.0, level: float = 0.95
) -> Limits:
    """Control limits of a proportion on each base.

    Parameters
    ----------
    target : float
        The common proportion.
    n : array_like
        Bases.
    tau2 : float, default 0
        `Funnel.tau2`; 0 gives the limits of chance alone.
    level : float, default 0.95
        0.95 for warning limits, 0.998 for control limits.

    Returns
    -------
    lower, upper : ndarray
        Proportions within 0..1; NaN where the base is not above 0.

    Raises
    ------
    CultureAnalyticsError
        The target lies outside 0..1 or ``level`` is not between 0 and 1.

    References
    ----------
    Spiegelhalter (2005).

    Examples
    --------
    >>> lower, upper = arcsine_limits(0.4, [100, 1000])
    >>> lower.round(3).tolist(), upper.round(3).tolist()
    ([0.307, 0.37], [0.497, 0.431])
    """
    middle = np.arcsin(np.sqrt(proportions(target)))
    base = floats(n)
    base = np.where(base > 0, base, np.nan)
    reach = normal_quantile(level) * np.sqrt(1 / (4 * base) + tau2)
    # Beyond the ends of the scale the sine would turn back.
    low, high = np.clip([middle - reach, middle + reach], 0, np.pi / 2)
    return np.sin(low) ** 2, np.sin(high) ** 2


def plain_limits(target: float, n: ArrayLike, *, level: float = 0.95) -> Limits:
    r"""Limits of chance alone, :math:`p_0 \pm z \sqrt{p_0 (1 - p_0) / n}`, within 0..1.

    Parameters
    ----------
    target : float
        The common proportion.
    n : array_like
        Bases.
    level : float, default 0.95
        0.95 and 0.998 are usual.

    Returns
    -------
    lower, upper : ndarray
        NaN where the base is not above 0.

    Raises
    ------
    CultureAnalyticsError
        The target lies outside 0..1 or ``level`` is not between 0 and 1.

    References
    ----------
    Spiegelhalter (2005); equal to R ``PHEindicatormethods::calculate_funnel_limits``.

    Examples
    --------
    >>> lower, upper = plain_limits(0.4, [100, 1000])
    >>> lower.round(3).tolist(), upper.round(3).tolist()
    ([0.304, 0.37], [0.496, 0.43])
    """
    share, base = proportions(target), floats(n)
    base = np.where(base > 0, base, np.nan)
    reach = normal_quantile(level) * np.sqrt(share * (1 - share) / base)
    return np.clip(share - reach, 0, 1), np.clip(share + reach, 0, 1)


def poisson_limits(expected: ArrayLike, *, level: float = 0.95) -> Limits:
    """Exact limits of chance alone of the ratio of observed to expected counts, about 1.

    Parameters
    ----------
    expected : array_like
        Expected counts.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    lower, upper : ndarray
        Ratios; NaN where nothing is expected.

    Raises
    ------
    CultureAnalyticsError
        If ``level`` is not between 0 and 1.

    References
    ----------
    Spiegelhalter (2005), from the chi-squared quantiles of a Poisson count.

    Examples
    --------
    >>> lower, upper = poisson_limits([15.0])
    >>> lower.round(4).tolist(), upper.round(4).tolist()
    ([0.5597], [1.6493])
    """
    from scipy.special import gammaincinv

    count, tail = floats(expected), upper_tail(level)
    count = np.where(count > 0, count, np.nan)
    lower = np.asarray(gammaincinv(count, 1 - tail), dtype=np.float64)
    upper = np.asarray(gammaincinv(count + 1, tail), dtype=np.float64)
    return lower / count, upper / count


def _funnel(
    target: float, y: FloatArray, middle: float, s: FloatArray, trim: str, tail: float
) -> Funnel:
    if trim not in TRIMS:
        raise CultureAnalyticsError(f"trim={trim!r}: there are {', '.join(map(repr, TRIMS))}.")
    if not 0 <= tail < 0.5:
        raise CultureAnalyticsError(f"tail={tail}: give a share from 0 to below 0.5, as 0.1.")
    z = (y - middle) / s
    known = np.isfinite(z)
    if np.count_nonzero(known) < 3:
        none = np.full(z.shape, np.nan)
        return Funnel(target, y, s, z, none, np.nan, np.nan, none)
    trimmed = _trimmed(z, known, trim, tail)
    kept = np.isfinite(trimmed)
    count = int(np.count_nonzero(kept))
    phi = float(np.sum(trimmed[kept] ** 2) / count)
    w = 1 / s[kept] ** 2
    tau2 = max(0.0, float((count * phi - (count - 1)) / (w.sum() - (w**2).sum() / w.sum())))
    return Funnel(target, y, s, z, trimmed, phi, tau2, (y - middle) / np.sqrt(s**2 + tau2))


def _trimmed(z: FloatArray, known: NDArray[np.bool_], trim: str, tail: float) -> FloatArray:
    if trim == "none":
        return z
    if trim == "winsorise":
        return np.clip(z, *np.quantile(z[known], [tail, 1 - tail]))
    # Whole organisations are cut off: none of fewer than ten at a tenth.
    off = int(tail * np.count_nonzero(known))
    order = np.argsort(np.where(known, z, np.inf), kind="stable")[: np.count_nonzero(known)]
    kept = np.full(z.shape, np.nan)
    inner = order[off : len(order) - off]
    kept[inner] = z[inner]
    return kept
