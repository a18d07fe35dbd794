r"""Confidence limits of a proportion: Wilson, plain and weighted, logit and beta.

Every function takes arrays (one element a cell, broadcast together), works in proportions from 0
to 1, and returns ``(lower, upper)``. A cell for which limits cannot be worked out gets NaN in
both; no function returns limits of zero width.

===============  ===================================  ==========================================
function         needs                                use
===============  ===================================  ==========================================
wilson           proportion, base                     every answer counts the same
wilson_weighted  proportion, standard error, base,    unequal weights
                 effective base
logit            proportion, standard error, df       strata or population; not 0 or 100 %
beta             proportion, standard error, df,      strata or population; any proportion
                 base
logit_beta       proportion, standard error, df,      logit, and beta at 0 and 100 %
                 base
===============  ===================================  ==========================================

Which of them a result gets: :mod:`~culture_analytics.stats.limits`. How often each holds the true
value: ``docs/reference/intervals.md``.

References
----------
Wilson EB (1927). Probable inference, the law of succession, and statistical inference. *Journal of
the American Statistical Association* 22:209-212.

Clopper CJ, Pearson ES (1934). The use of confidence or fiducial limits illustrated in the case of
the binomial. *Biometrika* 26:404-413.

Korn EL, Graubard BI (1998). Confidence intervals for proportions with small expected number of
positive counts estimated from survey data. *Survey Methodology* 24:193-201.

Franco C, Little RJA, Louis TA, Slud EV (2019). Comparative study of confidence intervals for
proportions in complex sample surveys. *Journal of Survey Statistics and Methodology* 7:334-364.

Lumley T (2010). *Complex Surveys: a guide to analysis using R*. Wiley. Section 2.4 and
``survey::svyciprop``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from culture_analytics.stats._quantiles import (
    FloatArray,
    Limits,
    floats,
    normal_quantile,
    proportions,
    t_quantile,
    upper_tail,
)

__all__ = ["beta", "logit", "logit_beta", "wilson", "wilson_weighted"]


def wilson(p: ArrayLike, n: ArrayLike, *, level: float = 0.95) -> Limits:
    r"""Wilson score limits of a proportion, without continuity correction.

    The limits are the two roots in :math:`\pi` of
    :math:`(p - \pi)^2 = z^2 \, \pi (1 - \pi) / n`:

    .. math:: \frac{2np + z^2 \pm z \sqrt{z^2 + 4np(1-p)}}{2(n + z^2)}

    Parameters
    ----------
    p : array_like
        Proportion, 0 to 1.
    n : array_like
        Base, or effective base (:func:`~culture_analytics.stats.kish`); need not be whole.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    lower, upper : ndarray
        Exactly 0 below ``p = 0`` and exactly 1 above ``p = 1``; NaN where ``n`` is 0 or NaN.

    Raises
    ------
    CultureAnalyticsError
        If a proportion lies outside 0..1 or ``level`` is not between 0 and 1.

    References
    ----------
    Wilson (1927); equal to ``PHEindicatormethods::phe_proportion``.

    Examples
    --------
    >>> lower, upper = wilson([0.2, 0.0], [100, 100])
    >>> lower.round(4).tolist(), upper.round(4).tolist()
    ([0.1334, 0.0], [0.2888, 0.037])
    """
    share, base = proportions(p), floats(n)
    base = np.where(base > 0, base, np.nan)
    z = normal_quantile(level)
    return _wilson_lower(share, base, z), 1 - _wilson_lower(1 - share, base, z)


def _wilson_lower(p: FloatArray, n: FloatArray, z: float) -> FloatArray:
    # The smaller root as (product of the roots) / (larger root): subtracting the square root
    # instead would lose every digit near p = 0. The upper limit is this one's mirror image.
    return 2 * n * p**2 / (2 * n * p + z**2 + z * np.sqrt(z**2 + 4 * n * p * (1 - p)))


def wilson_weighted(
    p: ArrayLike,
    se: ArrayLike,
    n: ArrayLike,
    effective_n: ArrayLike,
    *,
    unsampled: ArrayLike = 1.0,
    level: float = 0.95,
) -> Limits:
    r"""Wilson limits on the number of random answers that unequally weighted answers are worth.

    .. math::

        n^* = \min\left( \frac{n_e}{u},\; \frac{p(1-p)}{se^2} \right)
              \left( \frac{t_{n-1}}{t_{n_e-1}} \right)^2

    with Kish's effective base :math:`n_e` and :math:`u` the share not sampled (1 without finite
    populations). Each part mends one fault of using :math:`n_e` alone:

    * The second term sees what Kish's cannot: answers that go with the weights. Taken alone, as
      logit and beta limits take it, it is itself badly estimated from few answers, and too large
      just when the heavily weighted people happened not to give the answer; the smaller of the
      two is safe from both.
    * The quantiles allow for a variance that rests on :math:`n_e` answers, and not on :math:`n`
      (Korn and Graubard's correction, with the effective base for degrees of freedom). Without it
      a few heavy weights decide the estimate and the limits still look certain.

    Parameters
    ----------
    p : array_like
        Proportion, 0 to 1.
    se : array_like
        Its design-based standard error, as a proportion.
    n : array_like
        Base: the unweighted number of valid answers.
    effective_n : array_like
        Effective base (:func:`~culture_analytics.stats.kish`).
    unsampled : array_like, default 1
        Share of the population not sampled, :math:`\sum w^2 (1 - f) / \sum w^2` over the answers.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    lower, upper : ndarray
        NaN where ``effective_n`` is not above 1, and where ``se`` is 0 or NaN although ``p`` is
        neither 0 nor 1.

    Raises
    ------
    CultureAnalyticsError
        If a proportion lies outside 0..1 or ``level`` is not between 0 and 1.

    References
    ----------
    Wilson (1927); Kish (1965); Korn and Graubard (1998), whose :math:`n^*` has the second term and
    design degrees of freedom; Franco et al. (2019), who find Wilson's the best of the simple
    limits on such effective bases.

    Examples
    --------
    A fifth of 100 answers, weighted to the worth of 50:

    >>> lower, upper = wilson_weighted(0.2, 0.05, 100, 50)
    >>> round(float(lower), 4), round(float(upper), 4)
    (0.1116, 0.3322)
    """
    share, error = proportions(p), floats(se)
    base, effective = floats(n), floats(effective_n)
    at_end = (share == 0) | (share == 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        worth = effective / floats(unsampled)
        seen = np.where(error > 0, share * (1 - share) / error**2, np.nan)
    worth = np.where(at_end, worth, np.minimum(worth, seen))
    worth = worth * (t_quantile(level, base - 1) / t_quantile(level, effective - 1)) ** 2
    return wilson(share, np.where(np.isfinite(worth), worth, np.nan), level=level)


def logit(p: ArrayLike, se: ArrayLike, df: ArrayLike, *, level: float = 0.95) -> Limits:
    r"""Limits symmetric on the log-odds scale, from a design-based standard error.

    .. math:: \mathrm{expit}\left( \mathrm{logit}(p) \pm t_{df} \, \frac{se}{p(1-p)} \right)

    Parameters
    ----------
    p : array_like
        Proportion, 0 to 1.
    se : array_like
        Its standard error, as a proportion.
    df : array_like
        Design degrees of freedom (:func:`~culture_analytics.stats.degrees_of_freedom`); may be
        infinite.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    lower, upper : ndarray
        NaN where ``df`` is not above 0, where ``p`` is 0 or 1 (no log-odds: see
        :func:`logit_beta`), and where ``se`` is 0 (no spread seen, so none can be estimated).

    Raises
    ------
    CultureAnalyticsError
        If a proportion lies outside 0..1 or ``level`` is not between 0 and 1.

    References
    ----------
    Lumley (2010), section 2.4; equal to R ``svyciprop(method = "xlogit")`` and, to the convergence
    of its model fit, ``method = "logit"``.

    Examples
    --------
    >>> lower, upper = logit(0.2, 0.04, 99)
    >>> round(float(lower), 4), round(float(upper), 4)
    (0.1321, 0.2911)
    """
    from scipy.special import expit
    from scipy.special import logit as log_odds

    share, error = proportions(p), floats(se)
    inside = (share > 0) & (share < 1) & (error > 0)
    share, error = np.where(inside, share, np.nan), np.where(inside, error, np.nan)
    margin = t_quantile(level, df) * error / (share * (1 - share))
    odds = log_odds(share)
    return expit(odds - margin), expit(odds + margin)


def beta(
    p: ArrayLike,
    se: ArrayLike,
    df: ArrayLike,
    n: ArrayLike,
    *,
    effective_n: ArrayLike | None = None,
    level: float = 0.95,
) -> Limits:
    r"""Clopper-Pearson limits on the number of random answers the design is worth.

    .. math::

        n^* = \frac{p(1-p)}{se^2} \left( \frac{t_{n-1}}{t_{df}} \right)^2, \qquad
        B_{\alpha/2}(n^* p,\; n^*(1-p) + 1) \;\text{to}\; B_{1-\alpha/2}(n^* p + 1,\; n^*(1-p))

    At 0 and 100 % the standard error says nothing (R gives no limits there), so the first factor
    of :math:`n^*` is ``effective_n``: the exact Clopper-Pearson interval of 0 (or all) out of that
    many when the design costs no degrees of freedom.

    Parameters
    ----------
    p : array_like
        Proportion, 0 to 1.
    se : array_like
        Its standard error, as a proportion.
    df : array_like
        Design degrees of freedom; may be infinite.
    n : array_like
        Base: the unweighted number of valid answers.
    effective_n : array_like, optional
        Effective base (:func:`~culture_analytics.stats.kish`), used only where ``p`` is 0 or 1.
        Default: ``n``.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    lower, upper : ndarray
        NaN where ``df`` is not above 0, ``n`` is not above 1, or ``se`` is 0 although ``p`` is
        neither 0 nor 1.

    Raises
    ------
    CultureAnalyticsError
        If a proportion lies outside 0..1 or ``level`` is not between 0 and 1.

    References
    ----------
    Korn and Graubard (1998); Clopper and Pearson (1934); equal to R
    ``svyciprop(method = "beta")`` where that gives limits.

    Examples
    --------
    >>> lower, upper = beta([0.2, 0.0], [0.04, 0.0], 99, 100)
    >>> lower.round(4).tolist(), upper.round(4).tolist()
    ([0.1267, 0.0], [0.2918, 0.0362])
    """
    share, error, base = proportions(p), floats(se), floats(n)
    at_end = (share == 0) | (share == 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(
            at_end, base if effective_n is None else floats(effective_n), share * (1 - share)
        )
        size = size / np.where(at_end, 1.0, error) ** 2
    size = size * (t_quantile(level, base - 1) / t_quantile(level, df)) ** 2
    high = upper_tail(level)
    return (
        _beta_quantile(size * share, size * (1 - share) + 1, 1 - high),
        _beta_quantile(size * share + 1, size * (1 - share), high),
    )


def _beta_quantile(a: FloatArray, b: FloatArray, q: float) -> FloatArray:
    # betaincinv is not defined for a shape of 0 (the limit is then the end of the scale itself)
    # and answers NaN and infinite shapes with an ordinary number.
    defined = np.isfinite(a) & np.isfinite(b)
    inside = defined & (a > 0) & (b > 0)
    from scipy.special import betaincinv

    quantile = betaincinv(np.where(inside, a, 1.0), np.where(inside, b, 1.0), q)
    end = np.where(a > 0, 1.0, 0.0)
    return np.where(inside, quantile, np.where(defined & ((a == 0) != (b == 0)), end, np.nan))


def logit_beta(
    p: ArrayLike,
    se: ArrayLike,
    df: ArrayLike,
    n: ArrayLike,
    *,
    effective_n: ArrayLike | None = None,
    level: float = 0.95,
) -> Limits:
    """:func:`logit` limits, and :func:`beta` limits where the proportion is 0 or 1.

    Parameters
    ----------
    p, se, df, n, effective_n, level
        As for :func:`beta`.

    Returns
    -------
    lower, upper : ndarray
        NaN where the function that applies gives NaN.

    Raises
    ------
    CultureAnalyticsError
        If a proportion lies outside 0..1 or ``level`` is not between 0 and 1.

    Examples
    --------
    >>> lower, upper = logit_beta([0.2, 1.0], [0.04, 0.0], 99, 100)
    >>> lower.round(4).tolist(), upper.round(4).tolist()
    ([0.1321, 0.9638], [0.2911, 1.0])
    """
    share, error, freedom, base = np.broadcast_arrays(
        proportions(p), floats(se), floats(df), floats(n)
    )
    worth = base if effective_n is None else np.broadcast_to(floats(effective_n), share.shape)
    lower, upper = (np.array(limit) for limit in logit(share, error, freedom, level=level))
    at_end = (share == 0) | (share == 1)
    if at_end.any():  # beta quantiles are slow, and needed here only
        lower[at_end], upper[at_end] = beta(
            share[at_end],
            error[at_end],
            freedom[at_end],
            base[at_end],
            effective_n=worth[at_end],
            level=level,
        )
    return lower, upper
