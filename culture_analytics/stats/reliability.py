r"""How well the items of a scale hold together: alpha, omega total and item-rest correlations.

All of it is computed from the covariance matrix of the items' points. :func:`item_covariance` makes
that matrix, from complete respondents or pair by pair, and says which; any other will do.

Cronbach's alpha takes every item to measure the same thing equally well; where they do not it is
too low. McDonald's omega total lets items differ, under one factor:
:math:`\omega_t = 1 - \sum_i \psi_i s_i^2 / \sum_{ij} c_{ij}`, with :math:`\psi_i` the part of item
*i*'s variance that the factor leaves (minimum residuals). Neither says that there *is* only one
factor; :attr:`Reliability.residual` says how far one factor is from the correlations.

References
----------
Cronbach LJ (1951). Coefficient alpha and the internal structure of tests. *Psychometrika*
16:297-334.

McDonald RP (1999). *Test theory: a unified treatment*. Erlbaum.

Harman HH, Jones WH (1966). Factor analysis by minimizing residuals (minres). *Psychometrika*
31:351-368.

Feldt LS, Woodruff DJ, Salih FA (1987). Statistical inference for coefficient alpha. *Applied
Psychological Measurement* 11:93-103.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from culture_analytics.errors import AdjustmentError, CultureAnalyticsError
from culture_analytics.stats._covariance import checked_weights
from culture_analytics.stats._quantiles import FloatArray, floats, upper_tail

__all__ = [
    "MISSING",
    "ItemCovariance",
    "Reliability",
    "alpha_limits",
    "item_covariance",
    "reliability",
]

MISSING = ("complete", "pairwise")
"""How respondents with some answers missing are counted: not at all, or in the pairs they have."""

_ROUNDS = 20_000
_STILL = 1e-11


class ItemCovariance(NamedTuple):
    """Covariances of items' points, and how many respondents they rest on."""

    covariance: FloatArray
    """Shape (items, items); sums divided by the base less one."""
    bases: FloatArray
    """Respondents behind each covariance, shape (items, items)."""
    missing: str
    """``"complete"`` or ``"pairwise"``."""
    effective_bases: FloatArray
    """Answers counting alike that weighted ones are worth (Kish), shape (items, items)."""

    @property
    def base(self) -> int:
        """The fewest respondents behind any covariance."""
        return int(self.bases.min())

    @property
    def effective_base(self) -> float:
        """The least effective base of any covariance; unweighted the same as `base`."""
        return float(self.effective_bases.min())


class Reliability(NamedTuple):
    """Internal consistency of one scale."""

    alpha: float
    """Cronbach's alpha of the points as they are; below 0 where items contradict one another."""
    standardised_alpha: float
    """The same with every item's variance set to 1."""
    omega: float
    """McDonald's omega total of the points as they are; NaN for fewer than three items."""
    standardised_omega: float
    """The same with every item's variance set to 1."""
    item_rest: FloatArray
    """Correlation of each item with the sum of the others, shape (items,)."""
    alpha_without: FloatArray
    """Alpha when each item is left out, shape (items,); NaN for two items."""
    loadings: FloatArray
    """Standardised loadings on the one factor, shape (items,); NaN for fewer than three items."""
    residual: float
    """Root mean square of the correlations that one factor leaves; over 0.08 it is a poor fit."""
    improper: bool
    """Whether a loading reached 1: the factor cannot be trusted, nor omega."""


def item_covariance(
    points: ArrayLike, *, missing: str = "complete", weights: ArrayLike | None = None
) -> ItemCovariance:
    """Covariance matrix of items from respondents' points.

    Parameters
    ----------
    points : array_like
        Shape (respondents, items); NaN where there is no answer. All items the same way round.
    missing : {"complete", "pairwise"}, default "complete"
        Whether only those with every item count, or each pair of items has its own base.
    weights : array_like, optional
        Weight of each respondent, shape (respondents,); those of weight 0 are left out. Default:
        everyone counts once.

    Returns
    -------
    ItemCovariance
        Equal to R ``cov(use = "complete.obs")`` or ``cov(use = "pairwise.complete.obs")``; with
        weights to ``cov.wt``, pairwise to that of each pair.

    Raises
    ------
    AdjustmentError
        Fewer than three respondents answered both items of some pair.
    CultureAnalyticsError
        `missing` is not one of `MISSING`, `points` is not a table, or weights are missing,
        infinite, below 0 or not one for each respondent.

    Examples
    --------
    >>> nan = float("nan")
    >>> points = [[2.5, 5], [5, 5], [7.5, 10], [10, 10], [nan, 0]]
    >>> found = item_covariance(points)
    >>> found.covariance.round(2).tolist(), found.base
    ([[10.42, 8.33], [8.33, 8.33]], 4)
    >>> item_covariance(points, missing="pairwise").bases.tolist()
    [[4.0, 4.0], [4.0, 5.0]]
    """
    given = floats(points)
    if given.ndim != 2:
        raise CultureAnalyticsError("Points must be a table: a row a respondent, a column an item.")
    if missing not in MISSING:
        raise CultureAnalyticsError(f"missing={missing!r}: there are {', '.join(MISSING)}.")
    weight = np.ones(len(given)) if weights is None else checked_weights(weights, len(given))
    answered = np.isfinite(given)
    whole = weight > 0
    if missing == "complete":
        whole &= answered.all(axis=1)
    if not whole.all():
        given, answered, weight = given[whole], answered[whole], weight[whole]
    present = answered.astype(np.float64)
    bases = present.T @ present
    if not len(given) or bases.min() < 3:
        raise AdjustmentError(
            f"{int(bases.min())} respondents answered both items of some pair; 3 are needed. "
            "Try: fewer items, or a larger group."
        )
    # Centred first, so that the sums of products keep their digits.
    middle = np.nansum(np.where(answered, given, 0.0), axis=0) / present.sum(axis=0)
    centred = np.where(answered, given - middle, 0.0)
    weighted = weight[:, None] * present
    totals, squares = present.T @ weighted, weighted.T @ weighted
    sums = centred.T @ weighted  # of each item over those who answered the other
    products = (weight[:, None] * centred).T @ centred
    covariance = (products - sums * sums.T / totals) / (totals - squares / totals)
    return ItemCovariance((covariance + covariance.T) / 2, bases, missing, totals**2 / squares)


def reliability(covariance: ArrayLike) -> Reliability:
    """Alpha, omega total and item-rest correlations of the items behind a covariance matrix.

    Parameters
    ----------
    covariance : array_like
        Shape (items, items), at least two items, all the same way round.

    Returns
    -------
    Reliability
        Figures of the scale that sums (or averages) the items' points.

    Raises
    ------
    AdjustmentError
        Some item does not vary, or the sum of all does not.
    CultureAnalyticsError
        The matrix is not square and symmetric, has fewer than two items or gaps.

    References
    ----------
    Cronbach (1951); McDonald (1999); Harman and Jones (1966). Equal to R ``psych::alpha`` and
    ``psych::omega(nfactors = 1)``.

    Examples
    --------
    >>> found = reliability([[4.0, 2.0, 2.4], [2.0, 5.0, 1.8], [2.4, 1.8, 4.5]])
    >>> round(found.alpha, 3), round(found.omega, 3), found.item_rest.round(2).tolist()
    (0.718, 0.723, [0.61, 0.47, 0.55])
    """
    c = floats(covariance)
    k = len(c)
    if c.shape != (k, k) or k < 2 or not np.isfinite(c).all() or not np.allclose(c, c.T):
        raise CultureAnalyticsError(
            "A covariance matrix of at least two items is needed: square, symmetric, without gaps."
        )
    variance = np.diag(c)
    still = int(np.count_nonzero(variance <= 0))
    if still or c.sum() <= 0:
        raise AdjustmentError(
            f"{still} of {k} items do not vary."
            if still
            else f"The sum of the {k} items does not vary: they cancel out. Try: turn items round."
        )
    sd = np.sqrt(variance)
    r = c / np.outer(sd, sd)
    np.fill_diagonal(r, 1.0)
    rows = c.sum(axis=1)
    rest = c.sum() - 2 * rows + variance  # variance of the sum of the others
    with np.errstate(divide="ignore", invalid="ignore"):
        item_rest = np.where(rest > 0, (rows - variance) / (sd * np.sqrt(rest)), np.nan)
        without = (
            (k - 1) / (k - 2) * (1 - (variance.sum() - variance) / rest)
            if k > 2
            else np.full(k, np.nan)
        )
    loadings = _one_factor(r) if k > 2 else np.full(k, np.nan)
    unique = 1 - loadings**2
    left = (r - np.outer(loadings, loadings))[np.triu_indices(k, 1)]
    return Reliability(
        alpha=_alpha(c),
        standardised_alpha=_alpha(r),
        omega=float(1 - np.sum(unique * variance) / c.sum()),
        standardised_omega=float(1 - np.sum(unique) / r.sum()),
        item_rest=item_rest,
        alpha_without=without,
        loadings=loadings,
        residual=float(np.sqrt(np.mean(left**2))),
        improper=bool((np.abs(loadings) >= 1).any()),
    )


def alpha_limits(
    alpha: ArrayLike, base: ArrayLike, items: ArrayLike, *, level: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """Confidence limits of Cronbach's alpha.

    Parameters
    ----------
    alpha, base, items : array_like
        Alpha, number of respondents and number of items.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    lower, upper : ndarray
        NaN with fewer than two respondents or items.

    Raises
    ------
    CultureAnalyticsError
        If ``level`` is not between 0 and 1.

    References
    ----------
    Feldt, Woodruff and Salih (1987); equal to R ``psych::alpha.ci``.

    Examples
    --------
    >>> lower, upper = alpha_limits(0.8, 200, 5)
    >>> lower.round(3).item(), upper.round(3).item()
    (0.753, 0.841)
    """
    from scipy.special import fdtri

    tail = upper_tail(level)
    a, n, k = np.broadcast_arrays(floats(alpha), floats(base), floats(items))
    usable = (n >= 2) & (k >= 2)
    first = np.where(usable, n - 1, np.nan)
    second = first * np.where(usable, k - 1, np.nan)
    lower, upper = (1 - (1 - a) * fdtri(first, second, p) for p in (tail, 1 - tail))
    return np.asarray(lower), np.asarray(upper)


def _alpha(c: FloatArray) -> float:
    k = len(c)
    return float(k / (k - 1) * (1 - np.trace(c) / c.sum()))


def _one_factor(r: FloatArray) -> FloatArray:
    """Loadings that leave the least squared correlations, none beyond 1; most of them positive.

    Given the others, the best loading of one item is a ratio of sums: each in turn until none
    moves. Every step lowers the criterion.
    """
    k = len(r)
    values, vectors = np.linalg.eigh(r)
    loadings = np.clip(vectors[:, -1] * np.sqrt(values[-1]), -0.95, 0.95)
    off = r - np.eye(k)
    for _ in range(_ROUNDS):
        moved = 0.0
        for i in range(k):
            others = float(loadings @ loadings - loadings[i] ** 2)
            best = float(off[i] @ loadings) / others if others > 0 else 0.0
            best = min(max(best, -1.0), 1.0)
            moved = max(moved, abs(best - loadings[i]))
            loadings[i] = best
        if moved < _STILL:
            break
    return np.asarray(loadings if loadings.sum() >= 0 else -loadings)
