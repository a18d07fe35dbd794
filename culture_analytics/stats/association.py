r"""Is there any association between two classifications? Rao and Scott's corrected chi-square.

Pearson's chi-square takes every respondent as an independent draw. Under weights and strata it is a
mixture of chi-squares with weights that depend on the design. Rao and Scott's second-order
correction matches the mean and the spread of that mixture: the statistic is divided by the sum of
the generalised design effects and referred to an F distribution whose degrees of freedom are those
effects' own.

References
----------
Rao JNK, Scott AJ (1984). On chi-squared tests for multiway contingency tables with cell proportions
estimated from survey data. *Annals of Statistics* 12:46-60.

Thomas DR, Rao JNK (1987). Small-sample comparisons of level and power for simple goodness-of-fit
statistics under cluster sampling. *Journal of the American Statistical Association* 82:630-636.

Lumley T (2010). *Complex Surveys: a guide to analysis using R*. Wiley. Section 2.5.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.stats._covariance import stratum_factors
from culture_analytics.stats._quantiles import FloatArray, floats

__all__ = ["RaoScott", "rao_scott"]


class RaoScott(NamedTuple):
    """Test of no association in a two-way table; NaN throughout where there is nothing to test."""

    f: float
    """Pearson's chi-square over the sum of the design effects: refer to F(`ndf`, `ddf`)."""
    ndf: float
    """Numerator degrees of freedom: (rows - 1)(columns - 1) at most, seldom whole."""
    ddf: float
    """Denominator degrees of freedom: `ndf` x (base less strata)."""
    p_value: float
    """Second-order corrected p: the one to report."""
    chisq: float
    """Pearson's chi-square of the weighted table, scaled to the base."""
    df: float
    """(rows - 1)(columns - 1) of the rows and columns with answers."""
    p_chisq: float
    """First-order corrected p: `chisq` over the mean design effect, against chi-square."""


_NOTHING = RaoScott(*[float("nan")] * 7)


def rao_scott(
    n: ArrayLike,
    sw: ArrayLike,
    sw2: ArrayLike,
    n_h: ArrayLike,
    *,
    population_h: ArrayLike | None = None,
    lonely: str = "fail",
) -> RaoScott:
    """Rao-Scott test of a two-way table, from sums over each (stratum, row, column).

    Parameters
    ----------
    n, sw, sw2 : array_like
        Answers, sum of their weights and of their squared weights, shape (strata, rows, columns);
        for a breakdown by a yes/no measure, (strata, groups, 2). Unweighted, give `n` three times.
        Rows and columns without answers are left out.
    n_h : array_like
        Respondents of the **whole** design in each stratum, shape (strata,).
    population_h, lonely
        As for :func:`~culture_analytics.stats.ratio_se`.

    Returns
    -------
    RaoScott
        Statistic, degrees of freedom and p of both corrections.

    Raises
    ------
    CultureAnalyticsError
        If the three tables are not of one shape (strata, rows, columns) with the strata of `n_h`.
    DesignError
        As :func:`~culture_analytics.stats.ratio_se`.

    References
    ----------
    Equal to R ``svychisq(~row + column, subset(design, answered), statistic = "F")`` and
    ``statistic = "Chisq"``.

    Examples
    --------
    One stratum; 10 of 40 yes in one group, 30 of 60 in another.

    >>> table = [[[30, 10], [30, 30]]]
    >>> test = rao_scott(table, table, table, [100])
    >>> round(test.chisq, 3), round(test.f, 3), round(test.p_value, 4)
    (6.25, 6.188, 0.0145)
    """
    count, weight, squares = (floats(table) for table in (n, sw, sw2))
    strata = np.size(n_h)
    if not count.shape == weight.shape == squares.shape or count.shape[:-2] != (strata,):
        raise CultureAnalyticsError(
            f"Tables of shape {count.shape}, {weight.shape} and {squares.shape} with {strata} "
            "strata. Try: (strata, rows, columns) for all three."
        )
    rows, columns = weight.sum(axis=(0, 2)) > 0, weight.sum(axis=(0, 1)) > 0
    shape = int(rows.sum()), int(columns.sum())
    occupied = count.sum(axis=(1, 2)) > 0
    base = float(count.sum())
    nu = base - int(occupied.sum())
    if min(shape) < 2 or nu <= 0:
        return _NOTHING
    flat = (strata, shape[0] * shape[1])
    weight, squares = (table[:, rows][:, :, columns].reshape(flat) for table in (weight, squares))
    share = weight.sum(axis=0) / weight.sum()
    factors = stratum_factors(n_h, occupied, population_h=population_h, lonely=lonely)
    covariance = _covariance_of_shares(share, weight, squares, *factors)
    expected = _expected(share.reshape(shape)).ravel()
    chisq = base * float(np.sum((share - expected) ** 2 / expected))
    effects = _design_effects(share, covariance, shape, base)
    total = float(np.trace(effects))
    if not total > 0:
        return _NOTHING
    return _refer(chisq, effects, total, nu)


def _refer(chisq: float, effects: FloatArray, total: float, nu: float) -> RaoScott:
    """P-values of Pearson's chi-square under the matrix of generalised design effects."""
    from scipy.special import chdtrc, fdtrc

    df = len(effects)
    ndf = total**2 / float(np.sum(effects * effects.T))
    return RaoScott(
        f=chisq / total,
        ndf=ndf,
        ddf=ndf * nu,
        p_value=float(fdtrc(ndf, ndf * nu, chisq / total)),
        chisq=chisq,
        df=float(df),
        p_chisq=float(chdtrc(df, chisq / (total / df))),
    )


def _expected(share: FloatArray) -> FloatArray:
    """Cell shares if rows and columns had nothing to do with each other."""
    return np.outer(share.sum(axis=1), share.sum(axis=0))


def _covariance_of_shares(
    share: FloatArray,
    weight: FloatArray,
    squares: FloatArray,
    square_factor: FloatArray,
    total_factor: FloatArray,
) -> FloatArray:
    """Covariance of the cells' shares of all weight; z of a respondent is w (here - share) / W."""
    inside = square_factor @ squares
    outer = np.outer(share, inside)
    spread = np.diag(inside) - outer - outer.T + np.outer(share, share) * inside.sum()
    totals = weight - share * weight.sum(axis=1, keepdims=True)
    between = (total_factor[:, None] * totals).T @ totals
    return floats((spread - between) / weight.sum() ** 2)


def _design_effects(
    share: FloatArray, covariance: FloatArray, shape: tuple[int, int], base: float
) -> FloatArray:
    """Generalised design effects of the interaction contrasts, shape (df, df)."""
    contrasts = np.kron(_contrasts(shape[0]), _contrasts(shape[1]))
    # A cell nobody is in takes part with weight 0, as in R.
    scaled = contrasts / np.where(share > 0, share, np.inf)[:, None]
    simple = contrasts.T @ scaled / base
    return np.asarray(np.linalg.lstsq(simple, scaled.T @ covariance @ scaled, rcond=None)[0])


def _contrasts(size: int) -> FloatArray:
    """Orthonormal contrasts between `size` categories, shape (size, size - 1)."""
    return floats(np.linalg.qr(np.eye(size)[:, 1:] - 1 / size)[0])
