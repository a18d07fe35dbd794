r"""Ratio of two proportions, and odds ratio, with limits that never have zero width.

==================  ==============================================  ============================
function            needs                                           use
==================  ==============================================  ============================
log_limits          ratio, standard error of its logarithm, df      ten or more yes on each side
ratio_score         proportions and (effective) bases               a numerator under ten, or 0
odds_ratio_score    proportions and (effective) bases               the same, of odds
==================  ==============================================  ============================

:func:`ratio_limits` and :func:`odds_ratio_limits` choose. On the logarithm, the delta method gives

.. math:: V(\log p_1/p_2) = \frac{s_1^2}{p_1^2} + \frac{s_2^2}{p_2^2}
                            - \frac{2 \rho s_1 s_2}{p_1 p_2}

with the design's standard errors :math:`s` and the correlation :math:`\rho` of the two (a group
and the rest of its organisation share strata; a group and everyone share people). Unweighted and
independent, :math:`s^2 = p (1 - p) / n` gives Katz's interval.

References
----------
Katz D, Baptista J, Azen SP, Pike MC (1978). Obtaining confidence intervals for the risk ratio in
cohort studies. *Biometrics* 34:469-474.

Koopman PAR (1984). Confidence intervals for the ratio of two binomial proportions. *Biometrics*
40:513-517.

Miettinen O, Nurminen M (1985). Comparative analysis of two rates. *Statistics in Medicine*
4:213-226.

Gart JJ, Nam J (1988). Approximate interval estimation of the ratio of binomial parameters: a review
and corrections for skewness. *Biometrics* 44:323-338.

Laud PJ (2017). Equal-tailed confidence intervals for comparison of rates. *Pharmaceutical
Statistics* 16:334-348.

Fagerland MW, Lydersen S, Laake P (2015). Recommended confidence intervals for two independent
binomial proportions. *Statistical Methods in Medical Research* 24:224-254.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from culture_analytics.stats._quantiles import (
    FloatArray,
    Limits,
    floats,
    normal_quantile,
    proportions,
    t_quantile,
)

__all__ = [
    "FEW_UNWEIGHTED",
    "FEW_YES",
    "log_limits",
    "log_odds_ratio_se",
    "log_ratio_se",
    "odds_ratio_limits",
    "odds_ratio_score",
    "ratio_limits",
    "ratio_score",
]

FEW_YES = 5
"""Respondents who said yes, or did not, below which the logarithm misleads: score limits."""
FEW_UNWEIGHTED = 10
"""The same of ratios of unweighted answers: where six of a group of 15 said yes, limits of 95 % on
the logarithm hold the truth 90 times in 100. Under unequal weights these limits are wider already,
by Student's t on the smaller effective base."""

# Roots are looked for between ratios of e^-47 and e^53. Not symmetric: a ratio of exactly 1, the
# first guess otherwise, is 0/0 where everyone on both sides said yes.
_LOG_RANGE = (-47.0, 53.0)
_HALVINGS = 70

Chosen = tuple[FloatArray, FloatArray, NDArray[np.object_]]


def log_ratio_se(
    first: ArrayLike,
    second: ArrayLike,
    se_first: ArrayLike,
    se_second: ArrayLike,
    *,
    correlation: ArrayLike = 0.0,
) -> FloatArray:
    """Standard error of the logarithm of a ratio of two proportions (or means), by delta method.

    Parameters
    ----------
    first, second : array_like
        Proportions, or any two positive estimates.
    se_first, se_second : array_like
        Their design-based standard errors, in the same units.
    correlation : array_like, default 0
        Correlation of the two estimates: see :func:`~culture_analytics.stats.correlation`.

    Returns
    -------
    ndarray
        NaN where either estimate is not above 0.

    References
    ----------
    Katz and others (1978). Equal to R ``svycontrast(..., quote(log(a) - log(b)))``.

    Examples
    --------
    >>> p, n = np.array([0.30, 0.20]), np.array([200, 300])
    >>> se = np.sqrt(p * (1 - p) / n)
    >>> float(log_ratio_se(p[0], p[1], se[0], se[1]).round(4))
    0.1581
    """
    a, b = (np.where(floats(value) > 0, floats(value), np.nan) for value in (first, second))
    return _of_difference(floats(se_first) / a, floats(se_second) / b, correlation)


def log_odds_ratio_se(
    first: ArrayLike,
    second: ArrayLike,
    se_first: ArrayLike,
    se_second: ArrayLike,
    *,
    correlation: ArrayLike = 0.0,
) -> FloatArray:
    """Standard error of the logarithm of an odds ratio, by delta method.

    Parameters
    ----------
    first, second : array_like
        Proportions, 0 to 1.
    se_first, se_second, correlation
        As for :func:`log_ratio_se`.

    Returns
    -------
    ndarray
        NaN where either proportion is 0 or 1.

    Raises
    ------
    CultureAnalyticsError
        If a proportion lies outside 0..1.

    References
    ----------
    Woolf B (1955). On estimating the relation between blood group and disease. *Annals of Human
    Genetics* 19:251-253: unweighted, the root of the sum of the reciprocals of the four counts.

    Examples
    --------
    >>> se = np.sqrt([0.3 * 0.7 / 200, 0.2 * 0.8 / 300])
    >>> float(log_odds_ratio_se(0.3, 0.2, *se).round(4))
    0.2113
    >>> float(np.sqrt(1 / 60 + 1 / 140 + 1 / 60 + 1 / 240).round(4))
    0.2113
    """
    scales = []
    for value in (first, second):
        p = proportions(value)
        scales.append(np.where((p > 0) & (p < 1), p * (1 - p), np.nan))
    return _of_difference(floats(se_first) / scales[0], floats(se_second) / scales[1], correlation)


def _of_difference(first: FloatArray, second: FloatArray, correlation: ArrayLike) -> FloatArray:
    variance = first**2 + second**2 - 2 * floats(correlation) * first * second
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


def log_limits(
    ratio: ArrayLike, se_log: ArrayLike, df: ArrayLike = np.inf, *, level: float = 0.95
) -> Limits:
    r"""Limits of a ratio that are symmetric on the logarithm, :math:`r \exp(\pm t \, se)`.

    Parameters
    ----------
    ratio : array_like
        Ratio or odds ratio.
    se_log : array_like
        Standard error of its logarithm.
    df : array_like, default inf
        Design degrees of freedom; infinite gives Katz's normal limits.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    lower, upper : ndarray
        NaN where the ratio is 0, infinite or unknown, or the standard error is 0.

    Raises
    ------
    CultureAnalyticsError
        If ``level`` is not between 0 and 1.

    Examples
    --------
    >>> lower, upper = log_limits([1.5, 0.0], [0.1581, 0.5])
    >>> lower.round(3).tolist(), upper.round(3).tolist()
    ([1.1, nan], [2.045, nan])
    """
    value, error = np.broadcast_arrays(floats(ratio), floats(se_log))
    usable = (value > 0) & np.isfinite(value) & (error > 0)
    centre, half = np.where(usable, value, np.nan), np.where(usable, error, np.nan)
    half = half * t_quantile(level, df)
    return centre * np.exp(-half), centre * np.exp(half)


def ratio_score(
    first: ArrayLike,
    n_first: ArrayLike,
    second: ArrayLike,
    n_second: ArrayLike,
    *,
    level: float = 0.95,
    corrected: bool = True,
    skewness: bool = False,
) -> Limits:
    r"""Score limits of the ratio of two independent proportions.

    The limits are the two ratios :math:`\phi` that a two-sided score test does not quite reject:

    .. math:: \frac{(p_1 - \phi p_2)^2}{\tilde p_1 (1 - \tilde p_1) / n_1
              + \phi^2 \, \tilde p_2 (1 - \tilde p_2) / n_2} = c z^2

    with :math:`\tilde p_1 = \phi \tilde p_2` the most likely proportions at that ratio.

    Parameters
    ----------
    first, second : array_like
        Proportions, 0 to 1.
    n_first, n_second : array_like
        Bases, or effective bases; need not be whole.
    level : float, default 0.95
        Confidence level.
    corrected : bool, default True
        Miettinen and Nurminen's :math:`c = N / (N - 1)`; without it :math:`c = 1`, Koopman's.
    skewness : bool, default False
        Allow for the skewness of the statistic (Gart and Nam, Laud), which matters where one group
        is small: see Notes.

    Returns
    -------
    lower, upper : ndarray
        0 below a first proportion of 0; infinite above a second of 0; 0 to infinity where both
        are 0. NaN where either base is not above 0.

    Raises
    ------
    CultureAnalyticsError
        If a proportion lies outside 0..1 or ``level`` is not between 0 and 1.

    Notes
    -----
    With :math:`\gamma` the third standardised moment of :math:`\tilde p_1` less
    :math:`\phi \tilde p_2`'s estimates at their most likely values, the statistic :math:`Z` is
    replaced by the :math:`z` of :math:`Z = z + \gamma (z^2 - 1) / 6`. One yes of 15 beside
    3,000 would otherwise rule out too much below it: limits of 95 % hold the truth 88 times in 100.

    References
    ----------
    Koopman (1984); Miettinen and Nurminen (1985); Gart and Nam (1988); Laud (2017).

    Examples
    --------
    Seven of 34 against one of 34, and none of 20 against 6 of 80.

    >>> lower, upper = ratio_score([7 / 34, 0], [34, 20], [1 / 34, 6 / 80], [34, 80])
    >>> lower.round(2).tolist(), upper.round(2).tolist()
    ([1.21, 0.0], [43.03, 2.31])
    """
    p1, n1, p2, n2 = _sides(first, n_first, second, n_second)
    z = _score_quantile(n1 + n2, level, corrected)
    inflated = (z / normal_quantile(level)) ** 2

    def statistic(log_ratio: FloatArray) -> FloatArray:
        phi = np.exp(log_ratio)
        yes1, yes2 = n1 * p1, n2 * p2
        b = phi * (n1 + yes2) + yes1 + n2
        root = np.sqrt(np.maximum(b**2 - 4 * (n1 + n2) * phi * (yes1 + yes2), 0.0))
        common = 2 * (yes1 + yes2) / (b + root)
        r1, r2 = np.clip(phi * common, 0, 1), np.clip(common, 0, 1)
        # Divided by phi, so that neither side overflows or drowns the other.
        variance = r1 * (1 - r1) / (n1 * phi**2) + r2 * (1 - r2) / n2
        found = np.asarray((p1 / phi - p2) / np.sqrt(variance))
        if not skewness:
            return found
        third = r1 * (1 - r1) * (1 - 2 * r1) / (n1**2 * phi**3)
        third = third - r2 * (1 - r2) * (1 - 2 * r2) / n2**2
        return _without_skewness(found, third / variance**1.5, inflated)

    return _solve(
        statistic, z, none_below=p1 == 0, none_above=p2 == 0, unknown=_unknown(p1, n1, p2, n2)
    )


def odds_ratio_score(
    first: ArrayLike,
    n_first: ArrayLike,
    second: ArrayLike,
    n_second: ArrayLike,
    *,
    level: float = 0.95,
    corrected: bool = True,
) -> Limits:
    """Score limits of the odds ratio of two independent proportions.

    Parameters
    ----------
    first, n_first, second, n_second, level, corrected
        As for :func:`ratio_score`.

    Returns
    -------
    lower, upper : ndarray
        0 or infinite on the side where a proportion is 0 or 1; 0 to infinity where both are 0 or
        both are 1. NaN where either base is not above 0.

    Raises
    ------
    CultureAnalyticsError
        If a proportion lies outside 0..1 or ``level`` is not between 0 and 1.

    References
    ----------
    Miettinen and Nurminen (1985), section 4.

    Examples
    --------
    >>> lower, upper = odds_ratio_score(7 / 34, 34, 1 / 34, 34)
    >>> float(lower.round(2)), float(upper.round(2))
    (1.25, 56.46)
    """
    p1, n1, p2, n2 = _sides(first, n_first, second, n_second)
    z = _score_quantile(n1 + n2, level, corrected)
    yes, no = n1 * p1 + n2 * p2, n1 * (1 - p1) + n2 * (1 - p2)

    def statistic(log_ratio: FloatArray) -> FloatArray:
        psi = np.exp(log_ratio)
        # Each share and its complement by itself: near 1, subtracting would leave no digits.
        r1, not1 = _share(1 / psi, n2, n1, yes), _share(psi, n2, n1, no)
        r2, not2 = _share(psi, n1, n2, yes), _share(1 / psi, n1, n2, no)
        excess = np.where(p1 > 0.5, not1 - (1 - p1), p1 - r1)
        return np.asarray(n1 * excess * np.sqrt(1 / (n1 * r1 * not1) + 1 / (n2 * r2 * not2)))

    return _solve(
        statistic,
        z,
        none_below=(p1 == 0) | (p2 == 1),
        none_above=(p2 == 0) | (p1 == 1),
        unknown=_unknown(p1, n1, p2, n2),
    )


def _share(psi: FloatArray, n1: FloatArray, n2: FloatArray, yes: FloatArray) -> FloatArray:
    """Most likely second proportion at an odds ratio of first to second, by a quadratic."""
    a, b = n2 * (psi - 1), psi * (n1 - yes) + n2 + yes
    root = np.sqrt(np.maximum(b**2 + 4 * a * yes, 0.0))
    return np.asarray(np.where(b >= 0, 2 * yes / (b + root), (root - b) / (2 * a)))


def ratio_limits(
    first: ArrayLike,
    second: ArrayLike,
    se_log: ArrayLike,
    df: ArrayLike,
    *,
    yes: tuple[ArrayLike, ArrayLike],
    base: tuple[ArrayLike, ArrayLike],
    effective_base: tuple[ArrayLike, ArrayLike] | None = None,
    level: float = 0.95,
) -> Chosen:
    """Limits of ratios of proportions by the default method of each.

    Parameters
    ----------
    first, second : array_like
        Proportions, 0 to 1; all arguments broadcast together.
    se_log : array_like
        Standard error of the logarithm of the ratio: :func:`log_ratio_se`.
    df : array_like
        Design degrees of freedom of the comparison; under unequal weights no more than the
        smaller effective base less 1, as the standard error rests on that side's few answers.
    yes, base : tuple of array_like
        Unweighted numerators and bases, of the first and of the second: score limits where fewer
        than :data:`FEW_UNWEIGHTED` on either side said yes, or fewer than that did not; under
        unequal weights fewer than :data:`FEW_YES`.
    effective_base : tuple of array_like, optional
        Effective bases (:func:`~culture_analytics.stats.kish`). Default: `base`, unweighted.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    lower, upper : ndarray
        NaN where either side has nobody; upper may be infinite.
    method : ndarray of object
        ``"log"`` or ``"score"``. Score limits allow for skewness and treat the sides as
        independent.

    Raises
    ------
    CultureAnalyticsError
        If a proportion lies outside 0..1 or ``level`` is not between 0 and 1.

    Notes
    -----
    The second half of the rule matters in small groups that nearly all said yes: the logarithm of
    11 of 12 looks far more certain than it is (its 95 % limits hold the truth 7 times in 10).

    Examples
    --------
    >>> lower, upper, method = ratio_limits(
    ...     [0.3, 0.2], 0.2, [0.1581, 0.51], [498, 318], yes=([60, 4], 60), base=([200, 20], 300))
    >>> method.tolist(), lower.round(2).tolist(), upper.round(2).tolist()
    (['log', 'score'], [1.1, 0.34], [2.05, 2.15])
    """
    p1, p2 = proportions(first), proportions(second)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = p1 / p2
    n1, n2 = base if effective_base is None else effective_base
    log = log_limits(ratio, se_log, df, level=level)
    score = partial(ratio_score, skewness=True)
    worth = [floats(n) < floats(of) * (1 - 1e-9) for n, of in zip((n1, n2), base, strict=True)]
    fewest = np.where(worth[0] | worth[1], FEW_YES, FEW_UNWEIGHTED)
    return _choose(log, _few(yes, base, fewest), score, (p1, n1, p2, n2), level)


def odds_ratio_limits(
    first: ArrayLike,
    second: ArrayLike,
    se_log: ArrayLike,
    df: ArrayLike,
    *,
    yes: tuple[ArrayLike, ArrayLike],
    base: tuple[ArrayLike, ArrayLike],
    effective_base: tuple[ArrayLike, ArrayLike] | None = None,
    level: float = 0.95,
) -> Chosen:
    """Limits of odds ratios by the default method of each.

    Parameters
    ----------
    first, second, df, yes, base, effective_base, level
        As for :func:`ratio_limits`.
    se_log : array_like
        Standard error of the logarithm of the odds ratio: :func:`log_odds_ratio_se`.

    Returns
    -------
    lower, upper : ndarray
        NaN where either side has nobody; upper may be infinite.
    method : ndarray of object
        ``"log"`` or ``"score"``.

    Raises
    ------
    CultureAnalyticsError
        If a proportion lies outside 0..1 or ``level`` is not between 0 and 1.

    Examples
    --------
    >>> limits = odds_ratio_limits(0.3, 0.2, 0.2113, 498, yes=(60, 60), base=(200, 300))
    >>> float(limits[0].round(3)), float(limits[1].round(3)), limits[2].item()
    (1.132, 2.596, 'log')
    """
    p1, p2 = proportions(first), proportions(second)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = p1 * (1 - p2) / (p2 * (1 - p1))
    n1, n2 = base if effective_base is None else effective_base
    log = log_limits(ratio, se_log, df, level=level)
    return _choose(log, _few(yes, base, FEW_YES), odds_ratio_score, (p1, n1, p2, n2), level)


def _few(
    yes: tuple[ArrayLike, ArrayLike], base: tuple[ArrayLike, ArrayLike], fewest: ArrayLike
) -> NDArray[np.bool_]:
    """Whether few on either side said yes, or few did not."""
    rarer = [
        np.minimum(floats(said), floats(n) - floats(said))
        for said, n in zip(yes, base, strict=True)
    ]
    few: NDArray[np.bool_] = ~(np.minimum(*rarer) >= fewest)
    return few


def _choose(
    log: Limits,
    few: NDArray[np.bool_],
    score: Callable[..., Limits],
    sides: tuple[ArrayLike, ...],
    level: float,
) -> Chosen:
    """Score limits where there are few, and where the logarithm gives none."""
    below, above, few, *of = np.broadcast_arrays(*log, few, *map(floats, sides))
    at = few | np.isnan(below)
    lower, upper = below.copy(), above.copy()
    lower[at], upper[at] = score(*(values[at] for values in of), level=level)
    return lower, upper, np.where(at, "score", "log").astype(object)


def _sides(
    first: ArrayLike, n_first: ArrayLike, second: ArrayLike, n_second: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    bases = [np.where(floats(n) > 0, floats(n), np.nan) for n in (n_first, n_second)]
    p1, n1, p2, n2 = np.broadcast_arrays(
        proportions(first), bases[0], proportions(second), bases[1]
    )
    return p1, n1, p2, n2


def _unknown(p1: FloatArray, n1: FloatArray, p2: FloatArray, n2: FloatArray) -> NDArray[np.bool_]:
    unknown: NDArray[np.bool_] = np.isnan(p1 + p2) | ~(n1 * n2 > 0)
    return unknown


def _score_quantile(n: FloatArray, level: float, corrected: bool) -> FloatArray:
    z = normal_quantile(level)
    if not corrected:
        return np.full(n.shape, z)
    with np.errstate(divide="ignore", invalid="ignore"):
        # A total effective base of 1 or less says nothing: limits run from 0 to infinity.
        return np.where(n > 1, z * np.sqrt(n / (n - 1)), np.where(np.isnan(n), np.nan, np.inf))


def _without_skewness(score: FloatArray, gamma: FloatArray, inflated: FloatArray) -> FloatArray:
    """The z of ``score = z + gamma (z^2 - 1) / 6``, on the scale of `score`; itself if none is."""
    spread = np.sqrt(inflated)
    a, z = gamma / inflated**1.5 / 6, score / spread
    square = 1 + 4 * a * (a + z)
    found = 2 * (a + z) / (1 + np.sqrt(np.maximum(square, 0.0)))
    return np.asarray(np.where(square >= 0, found, z) * spread)


def _solve(
    statistic: Callable[[FloatArray], FloatArray],
    z: FloatArray,
    *,
    none_below: NDArray[np.bool_],
    none_above: NDArray[np.bool_],
    unknown: NDArray[np.bool_],
) -> Limits:
    """Ratios at which a statistic that falls with the ratio passes z and -z, by halving."""

    def root(target: FloatArray) -> FloatArray:
        low, high = (np.full(z.shape, end) for end in _LOG_RANGE)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            above = statistic(middle) > target
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return floats(np.exp((low + high) / 2))

    with np.errstate(divide="ignore", invalid="ignore"):
        lower = np.where(none_below | np.isinf(z), 0.0, root(z))
        upper = np.where(none_above | np.isinf(z), np.inf, root(-z))
    return np.where(unknown, np.nan, lower), np.where(unknown, np.nan, upper)
