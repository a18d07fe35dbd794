r"""What goes with an outcome: shares of explained variance, from correlations.

Predictors that go together (elements of one culture) share most of what they explain, and a
regression coefficient hands the shared part to whichever happens to be first past the post. Two
ways of sharing it out fairly, both adding up to R-squared:

* **LMG** (Shapley value): the rise in R-squared when a predictor joins, averaged over all orders in
  which predictors can join.
* **Johnson's relative weights**: predictors are replaced by the uncorrelated variables nearest to
  them, and what those explain is handed back. Close to LMG, for many predictors far cheaper.

Neither says that changing a predictor changes the outcome: answers of one person on one day go
together for many reasons.

:class:`CrossProducts` holds sums of products unit by unit, all that a correlation needs:
:func:`cluster_bootstrap` draws units, not people, again, because people of one unit answer alike.

References
----------
Lindeman RH, Merenda PF, Gold RZ (1980). *Introduction to bivariate and multivariate analysis*.
Scott Foresman.

Groemping U (2006). Relative importance for linear regression in R: the package relaimpo. *Journal
of Statistical Software* 17(1):1-27.

Johnson JW (2000). A heuristic method for estimating the relative weight of predictor variables in
multiple regression. *Multivariate Behavioral Research* 35:1-19.

Davison AC, Hinkley DV (1997). *Bootstrap methods and their application*. Cambridge, section 3.8.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import factorial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from culture_analytics.errors import AdjustmentError, CultureAnalyticsError
from culture_analytics.stats._covariance import checked_weights
from culture_analytics.stats._quantiles import FloatArray, floats, upper_tail

__all__ = [
    "FEWEST_UNITS",
    "MOST_PREDICTORS",
    "Bootstrapped",
    "CrossProducts",
    "cluster_bootstrap",
    "cross_products",
    "lmg",
    "r_squared",
    "relative_weights",
]

MOST_PREDICTORS = 14
"""Predictors up to which LMG goes through every subset: 16,384 of them."""

FEWEST_UNITS = 10
"""Units below which drawing them again says little about how far figures scatter."""

_SINGULAR = 1e-10


@dataclass(frozen=True, repr=False)
class CrossProducts:
    """Sums over the respondents of each unit, from which any covariance of units follows."""

    n: FloatArray
    """Respondents with every variable, shape (units,)."""
    weight: FloatArray
    """Sums of their weights, shape (units,); `n` where none are given."""
    squares: FloatArray
    """Sums of their squared weights, shape (units,)."""
    sums: FloatArray
    """Weighted sums of the centred variables, shape (units, variables)."""
    products: FloatArray
    """Weighted sums of products of the centred variables, (units, variables, variables)."""
    centre: FloatArray
    """What was taken off each variable first, so that the products keep their digits."""

    def __repr__(self) -> str:
        return f"<CrossProducts: {self.n.size} units, {self.centre.size} variables>"

    def covariance(self, counts: ArrayLike | None = None) -> FloatArray:
        """Covariance matrix when each unit is counted so many times.

        Parameters
        ----------
        counts : array_like, optional
            Shape (units,) or (draws, units). Default: each once.

        Returns
        -------
        ndarray
            Shape (variables, variables), or (draws, variables, variables); equal to R ``cov.wt``.
        """
        times = np.ones(self.n.size) if counts is None else floats(counts)
        k = self.centre.size
        total = (times @ self.weight)[..., None]
        freedom = total - (times @ self.squares)[..., None] / total  # unweighted: one less
        sums = times @ self.sums
        products = (times @ self.products.reshape(self.n.size, k * k)).reshape(*sums.shape, k)
        return np.asarray(
            (products - sums[..., :, None] * sums[..., None, :] / total[..., None])
            / freedom[..., None]
        )

    def correlation(self, counts: ArrayLike | None = None) -> FloatArray:
        """Correlation matrix; as :meth:`covariance`. NaN where a variable does not vary."""
        c = self.covariance(counts)
        variance = np.diagonal(c, axis1=-2, axis2=-1)
        # In a variable that does not vary only rounding is left, small beside what was squared.
        squares = np.diag(self.products.sum(axis=0)) / self.weight.sum()
        least = 1e-12 * squares + 1e-26 * self.centre**2
        with np.errstate(divide="ignore", invalid="ignore"):
            sd = np.sqrt(np.where(variance > least, variance, np.nan))
            return np.asarray(c / (sd[..., :, None] * sd[..., None, :]))


class Bootstrapped(NamedTuple):
    """A statistic, and limits from drawing units again."""

    value: FloatArray
    lower: FloatArray
    upper: FloatArray
    draws: int
    """Draws in which it could be calculated."""


def cross_products(
    values: ArrayLike,
    unit: ArrayLike,
    *,
    n_units: int | None = None,
    weights: ArrayLike | None = None,
) -> CrossProducts:
    """Sums of products unit by unit.

    Parameters
    ----------
    values : array_like
        Shape (respondents, variables); those with any gap (NaN) are left out.
    unit : array_like of int
        Unit of each respondent, from 0; below 0 is left out.
    n_units : int, optional
        Default: the highest in `unit` and one.
    weights : array_like, optional
        Weight of each respondent, shape (respondents,); those of weight 0 are left out. Default:
        everyone counts once.

    Returns
    -------
    CrossProducts
        Sums only; no respondent can be told from them unless a unit has one.

    Raises
    ------
    CultureAnalyticsError
        The two differ in length, or weights are missing, infinite or below 0.
    AdjustmentError
        Nobody has every variable.

    Examples
    --------
    >>> found = cross_products([[1, 2], [2, 4], [3, 5], [4, 9]], [0, 0, 1, 1])
    >>> found.n.tolist(), found.covariance().round(2).tolist()
    ([2.0, 2.0], [[1.67, 3.67], [3.67, 8.67]])
    """
    given, at = floats(values), np.asarray(unit, dtype=np.intp)
    if given.ndim != 2 or at.shape != given.shape[:1]:
        raise CultureAnalyticsError("Try: a row of values and one unit for each respondent.")
    weight = np.ones(len(given)) if weights is None else checked_weights(weights, len(given))
    whole = np.isfinite(given).all(axis=1) & (at >= 0) & (weight > 0)
    if not whole.any():
        raise AdjustmentError(
            f"None of {len(given):,} respondents has all {given.shape[1]} variables and a unit."
        )
    given, at, weight = given[whole], at[whole], weight[whole]
    units = int(at.max()) + 1 if n_units is None else n_units
    centre = given.mean(axis=0)
    centred = given - centre
    k = given.shape[1]
    sums = np.empty((units, k))
    products = np.empty((units, k, k))
    for i in range(k):
        weighted = weight * centred[:, i]
        sums[:, i] = np.bincount(at, weighted, units)
        for j in range(i, k):
            products[:, i, j] = np.bincount(at, weighted * centred[:, j], units)
            products[:, j, i] = products[:, i, j]
    return CrossProducts(
        np.bincount(at, minlength=units).astype(np.float64),
        floats(np.bincount(at, weight, units)),
        floats(np.bincount(at, weight**2, units)),
        sums,
        products,
        centre,
    )


def r_squared(correlation: ArrayLike) -> FloatArray:
    """Share of the outcome's variance that all predictors together explain.

    Parameters
    ----------
    correlation : array_like
        Shape (variables, variables) or (draws, variables, variables); the outcome comes first.

    Returns
    -------
    ndarray
        Shape () or (draws,), 0 to 1; NaN where predictors are collinear or do not vary.

    Raises
    ------
    CultureAnalyticsError
        The matrices are not square or hold no predictor.

    Examples
    --------
    >>> r_squared([[1, 0.5, 0.4], [0.5, 1, 0.3], [0.4, 0.3, 1]]).round(3).item()
    0.319
    """
    r = _matrices(correlation)
    return np.asarray(_explained(r, np.arange(1, r.shape[-1])))


def lmg(correlation: ArrayLike) -> FloatArray:
    """Rise in R-squared with each predictor, averaged over all orders of joining.

    Parameters
    ----------
    correlation : array_like
        Shape (variables, variables) or (draws, variables, variables); the outcome comes first.

    Returns
    -------
    ndarray
        Shape (predictors,) or (draws, predictors): parts of R-squared, which they add up to. NaN
        where predictors are collinear or do not vary.

    Raises
    ------
    CultureAnalyticsError
        The matrices are not square, hold no predictor or more than `MOST_PREDICTORS`.

    References
    ----------
    Lindeman, Merenda and Gold (1980); equal to R ``relaimpo::calc.relimp(type = "lmg")``,
    Groemping (2006).

    Examples
    --------
    >>> lmg([[1, 0.5, 0.4], [0.5, 1, 0.3], [0.4, 0.3, 1]]).round(3).tolist()
    [0.204, 0.114]
    """
    r = _matrices(correlation)
    p = r.shape[-1] - 1
    if p > MOST_PREDICTORS:
        raise CultureAnalyticsError(
            f"{p} predictors: LMG takes up to {MOST_PREDICTORS}. Try: relative_weights()."
        )
    sets = np.arange(2**p)
    size = np.array([int(s).bit_count() for s in sets])
    explained = np.zeros((2**p, *r.shape[:-2]))
    for s in sets[1:]:
        explained[s] = _explained(r, 1 + np.flatnonzero([s >> i & 1 for i in range(p)]))
    share = np.array([factorial(k) * factorial(p - k - 1) / factorial(p) for k in range(p)])
    found = np.empty((*r.shape[:-2], p))
    for i in range(p):
        without = sets[(sets >> i & 1) == 0]
        rise = explained[without | 1 << i] - explained[without]
        found[..., i] = np.tensordot(share[size[without]], rise, axes=1)
    return found


def relative_weights(correlation: ArrayLike) -> FloatArray:
    """Johnson's relative weights: parts of R-squared by way of uncorrelated stand-ins.

    Parameters
    ----------
    correlation : array_like
        Shape (variables, variables) or (draws, variables, variables); the outcome comes first.

    Returns
    -------
    ndarray
        Shape (predictors,) or (draws, predictors), never below 0, adding up to R-squared; with two
        predictors equal to LMG. NaN where predictors are collinear or do not vary.

    Raises
    ------
    CultureAnalyticsError
        The matrices are not square or hold no predictor.

    References
    ----------
    Johnson (2000).

    Examples
    --------
    >>> relative_weights([[1, 0.5, 0.4], [0.5, 1, 0.3], [0.4, 0.3, 1]]).round(3).tolist()
    [0.204, 0.114]
    """
    r = _matrices(correlation)
    among, with_outcome = r[..., 1:, 1:], r[..., 1:, 0]
    known = np.asarray(np.isfinite(r).all(axis=(-2, -1)))
    safe = np.where(known[..., None, None], among, np.eye(among.shape[-1]))
    values, vectors = np.linalg.eigh(safe)
    known = np.asarray(known & (values[..., 0] > _SINGULAR))
    root = np.sqrt(np.maximum(values, _SINGULAR))
    turned = np.swapaxes(vectors, -1, -2)
    loading = (vectors * root[..., None, :]) @ turned  # correlations with the stand-ins
    inverse = (vectors / root[..., None, :]) @ turned
    slope = (inverse @ with_outcome[..., None])[..., 0]  # of the outcome on the stand-ins
    found = ((loading**2) @ (slope**2)[..., None])[..., 0]
    return np.asarray(np.where(known[..., None], found, np.nan))


def cluster_bootstrap(
    sums: CrossProducts,
    statistic: Callable[[FloatArray], FloatArray],
    *,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 1,
) -> Bootstrapped:
    """Limits of a statistic of correlations, from drawing whole units again.

    Parameters
    ----------
    sums : CrossProducts
        Of the units.
    statistic : callable
        Of correlation matrices of shape (draws, variables, variables), as :func:`lmg` and
        :func:`relative_weights`; must give NaN where it cannot be calculated.
    draws : int, default 1000
        Samples of units with replacement.
    level : float, default 0.95
        Confidence level of the percentile limits.
    seed : int, default 1
        The same seed gives the same limits on every machine.

    Returns
    -------
    Bootstrapped
        Value from all units, and percentile limits.

    Raises
    ------
    AdjustmentError
        Fewer than `FEWEST_UNITS` units have respondents.
    CultureAnalyticsError
        Fewer than 100 draws, or ``level`` is not between 0 and 1.

    References
    ----------
    Davison and Hinkley (1997), section 3.8.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.sin(np.arange(600.0)).reshape(200, 3)
    >>> found = cluster_bootstrap(cross_products(x, np.arange(200) % 20), lmg, draws=200)
    >>> bool((found.lower <= found.value).all() and (found.value <= found.upper).all())
    True
    """
    upper_tail_share = upper_tail(level)
    if draws < 100:
        raise CultureAnalyticsError(f"draws={draws}: at least 100 are needed for limits.")
    used = np.flatnonzero(sums.n > 0)
    m = used.size
    if m < FEWEST_UNITS:
        raise AdjustmentError(
            f"{m} units have answers; drawing units again needs {FEWEST_UNITS}. "
            "Try: smaller units (teams)."
        )
    # numpy keeps these bits for ever, which it does not promise of its distributions.
    bits = np.random.PCG64(seed).random_raw(draws * m)
    drawn = (np.asarray(bits, dtype=np.uint64) >> np.uint64(32)) * np.uint64(m) >> np.uint64(32)
    place = np.repeat(np.arange(draws), m) * m + drawn.astype(np.intp)
    counts = np.zeros((draws, sums.n.size))
    counts[:, used] = np.bincount(place, minlength=draws * m).reshape(draws, m)
    found = statistic(sums.correlation(counts))
    good = found[np.isfinite(found).reshape(draws, -1).all(axis=1)]
    value = statistic(sums.correlation())
    if len(good) < draws / 2:  # the rest says nothing of those that could not be calculated
        nothing = np.full(value.shape, np.nan)
        return Bootstrapped(value, nothing, nothing.copy(), len(good))
    lower, upper = np.quantile(good, [1 - upper_tail_share, upper_tail_share], axis=0)
    return Bootstrapped(value, lower, upper, len(good))


def _matrices(correlation: ArrayLike) -> FloatArray:
    r = floats(correlation)
    if r.ndim < 2 or r.shape[-1] != r.shape[-2] or r.shape[-1] < 2:
        raise CultureAnalyticsError(
            "Square correlation matrices are needed: the outcome first, then the predictors."
        )
    return r


def _explained(r: FloatArray, predictors: NDArray[np.intp]) -> FloatArray:
    """R-squared of the outcome on some of the variables; NaN where these are collinear."""
    among = r[..., predictors[:, None], predictors]
    with_outcome = r[..., predictors, 0]
    known = np.asarray(np.isfinite(r).all(axis=(-2, -1)))
    safe = np.where(known[..., None, None], among, np.eye(predictors.size))
    known = np.asarray(known & (np.linalg.eigvalsh(safe)[..., 0] > _SINGULAR))
    safe = np.where(known[..., None, None], safe, np.eye(predictors.size))
    weights = np.linalg.solve(safe, with_outcome[..., None])[..., 0]
    return np.asarray(np.where(known, np.sum(weights * with_outcome, axis=-1), np.nan))
