r"""Partial pooling of many units' rates and scores, and limits that hold on average over the units.

The true figures of the units are taken as drawn from one distribution; what a unit's own answers
say is weighed against it, so that small units move most. Three things decide how good the limits
are:

**The variance between units is itself uncertain.** With few units, or small ones, its best estimate
is often nought. All standard deviations :math:`\tau` the answers allow are averaged over, each
weighted by its likelihood and a prior density flat on :math:`\tau^2` (Morris and Tang 2011). Alone
that draws units too little and makes limits too wide where they hardly differ. So some prior mass
is put on no difference at all: as much as gives it three tenths of the weight where units differ
just as much as chance makes them.

**The shape of the distribution is unknown.** Log-odds of rates are often not normal: where some
true rates lie near nothing, limits from a normal distribution of log-odds lie too high, and miss a
tenth of the units. So three shapes are averaged over as well: a normal distribution of the
log-odds, of the angle :math:`2 \arcsin \sqrt p`, and of the rate itself, the last two cut off at
0 and 1. All have :math:`h'(p) = (p (1 - p))^{-\lambda}`, with :math:`\lambda` = 1, 1/2 and 0.

**Counts are not normal either.** Likelihoods are exact and integrals are sums over a grid of rates:
what is left open of a rate may lean to one side.

Scores have means that are close to normal: there only the variance is averaged over. How often the
limits hold: ``benchmarks/hotspots.py``.

References
----------
Morris CN, Tang R (2011). Estimating random effects via adjustment for density maximization.
*Statistical Science* 26:271-287.

Morris CN (1983). Parametric empirical Bayes inference: theory and applications. *Journal of the
American Statistical Association* 78:47-55.

Laird NM, Louis TA (1987). Empirical Bayes confidence intervals based on bootstrap samples. *Journal
of the American Statistical Association* 82:739-750.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from culture_analytics.errors import AdjustmentError, CultureAnalyticsError
from culture_analytics.stats._quantiles import FloatArray, floats, upper_tail
from culture_analytics.stats.multilevel import FEWEST_GROUPS

__all__ = ["PooledUnits", "pool_rates", "pool_scores"]

_SHAPES = (0.0, 0.5, 1.0)
_ALIKE = 0.3  # weight of no difference where units differ just as chance makes them
_UNLIKELY = 8.0  # log of the weight, below the best, of what is left out
_SPREADS, _CENTRES = 15, 7  # averaged over, of each shape
_COARSE = 12  # spreads the best centre is looked for at
_ROUNDS, _LONGEST = 25, 4.0  # steps towards the best centre; their length in standard errors
_BLOCK = 200_000  # multiplications in one go
_NEGLIGIBLE = 1e-7  # weights left out of the last average
_FINEST, _COARSEST = 5e-4, 4e-3  # steps of the grid of rates, in radians of arcsin of the root


class PooledUnits(NamedTuple):
    """Pooled figures; arrays of shape (units,)."""

    value: FloatArray
    """Mean of what the answers leave open: of all figures the one of least squared error."""
    lower: FloatArray
    upper: FloatArray
    spread: float
    """Standard deviation between units, averaged over what the answers allow; of rates that of
    the distribution's middle part, as a proportion."""


def pool_rates(n: ArrayLike, yes: ArrayLike, *, level: float = 0.95) -> PooledUnits:
    r"""Pooled rates of units.

    Parameters
    ----------
    n, yes : array_like
        Answers of each unit, and those that are yes, shape (units,); need not be whole (effective
        answers).
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    PooledUnits
        As proportions.

    Raises
    ------
    AdjustmentError
        Fewer than five units, or all answers the same.
    CultureAnalyticsError
        Counts that cannot be, arrays that differ in shape, or a level not between 0 and 1.

    Notes
    -----
    On the scale of each shape, :math:`h(p)` with :math:`h'(\bar p) = 1` at the rate of all units
    together, true rates are normal with mean :math:`\mu` and standard deviation :math:`\tau`. The
    prior is flat on :math:`\mu` between :math:`h(0)` and :math:`h(1)`, and on :math:`\tau^2` up to
    :math:`\bar p (1 - \bar p)`, which the variance of no set of rates exceeds; a part of it lies on
    :math:`\tau = 0`. Shapes count the same.

    References
    ----------
    Morris and Tang (2011). Equal to sums over a finer grid by
    ``tests/reference/pooling.R``.

    Examples
    --------
    The unit of 12, of whom 17 % said yes, moves most.

    >>> n, yes = [120, 80, 45, 200, 30, 12, 60, 95], [30, 36, 9, 44, 15, 2, 12, 40]
    >>> found = pool_rates(n, yes)
    >>> found.value.round(2).tolist()
    [0.26, 0.43, 0.22, 0.22, 0.45, 0.23, 0.22, 0.41]
    """
    size, said = floats(n).ravel(), floats(yes).ravel()
    if size.shape != said.shape:
        raise CultureAnalyticsError("Try: one count of yes for each count of answers.")
    wrong = int(np.count_nonzero(~(size > 0) | ~(said >= 0) | (said > size)))
    if wrong:
        raise CultureAnalyticsError(
            f"{wrong} of {size.size} units cannot be: nobody, or more yes than answers."
        )
    _enough(size.size)
    if not 0 < said.sum() < size.sum():
        raise AdjustmentError("All answers are the same: nothing varies.")
    tail = 1 - upper_tail(level)
    rates = _Rates(size, said)
    return rates.averaged(_allowed(rates), tail)


def pool_scores(mean: ArrayLike, se: ArrayLike, *, level: float = 0.95) -> PooledUnits:
    """Pooled scores of units, or of any estimates with known standard errors.

    Parameters
    ----------
    mean, se : array_like
        Estimates and their standard errors, shape (units,).
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    PooledUnits
        In the unit of the scores.

    Raises
    ------
    AdjustmentError
        Fewer than five units.
    CultureAnalyticsError
        Estimates or standard errors that are missing or not above 0, arrays that differ in shape,
        or a level not between 0 and 1.

    References
    ----------
    Morris and Tang (2011). Equal to sums over a finer grid by
    ``tests/reference/pooling.R``.

    Examples
    --------
    >>> estimates, errors = [30.0, 22.0, 41.0, 27.0, 25.0, 36.0], [6.0, 2.0, 9.0, 3.0, 2.5, 5.0]
    >>> found = pool_scores(estimates, errors)
    >>> found.value.round(1).tolist()
    [29.1, 22.7, 33.8, 27.1, 25.4, 33.1]
    """
    y, error = floats(mean), floats(se)
    if y.shape != error.shape or y.ndim != 1:
        raise CultureAnalyticsError("Try: one standard error for each estimate.")
    wrong = int(np.count_nonzero(~np.isfinite(y) | ~(error > 0) | ~np.isfinite(error)))
    if wrong:
        raise CultureAnalyticsError(
            f"{wrong} of {y.size} estimates are missing or have no standard error above 0."
        )
    _enough(y.size)
    tail = 1 - upper_tail(level)
    scale, origin = float(np.median(error)), float(np.median(y))
    scores = _Scores((y - origin) / scale, (error / scale) ** 2)
    spreads = scores.spreads()
    prior = np.append(_no_spread(scores.variance), (spreads[1] - spreads[0]) * spreads)
    height, value, variance = scores.at(np.append(0.0, spreads))
    weights = np.exp(height - height.max()) * prior
    weights /= weights.sum()
    sd = np.sqrt(variance)
    lower, upper = (_mixture_quantile(weights, value, sd, share) for share in (tail, 1 - tail))
    return PooledUnits(
        origin + scale * (weights @ value),
        origin + scale * lower,
        origin + scale * upper,
        scale * float(weights[1:] @ spreads),
    )


def _enough(units: int) -> None:
    if units < FEWEST_GROUPS:
        raise AdjustmentError(
            f"{units} units; differences between units need at least {FEWEST_GROUPS}. Try: the "
            "units' own figures."
        )


def _no_spread(variance: FloatArray) -> float:
    r"""Prior mass of no variance between units, beside the density :math:`\tau` of others.

    Such that it has the share `_ALIKE` of the weight where as many units, of the average answers
    each, differ by as much as chance makes them; an incomplete gamma function.
    """
    from scipy.special import gammainc, gammaln

    half = (variance.size - 1) / 2
    others = half - (half - 1) * np.log(half) + gammaln(half - 1)
    others = np.exp(others) * gammainc(half - 1, half) / np.mean(1 / variance) / 2
    return float(_ALIKE / (1 - _ALIKE) * others)


def _product(first: FloatArray, second: FloatArray) -> FloatArray:
    """``first @ second``, in blocks small enough for one thread.

    Of matrices this small the linear-algebra library's threads cost more than they save: ten times
    as much on a machine with other work to do.
    """
    (rows, inner), columns = first.shape, second.shape[1]
    most = max(_BLOCK // inner, 1)
    high = min(rows, max(int(np.sqrt(most)), most // columns))
    wide = min(columns, max(most // max(high, 1), 1))
    total = np.empty((rows, columns))
    for top in range(0, rows, high):
        for left in range(0, columns, wide):
            total[top : top + high, left : left + wide] = (
                first[top : top + high] @ second[:, left : left + wide]
            )
    return total


class _Scores(NamedTuple):
    """Scores about their median in units of their median standard error, and their variances."""

    y: FloatArray
    variance: FloatArray

    def at(self, spread: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Log-likelihood of each spread; means and variances of the units, (spreads, units)."""
        weight = 1 / (self.variance + spread[:, None] ** 2)
        total = weight.sum(axis=1)
        centre = (weight @ self.y) / total
        away = self.y - centre[:, None]
        height = (np.log(weight).sum(axis=1) - np.log(total) - (weight * away**2).sum(axis=1)) / 2
        part = self.variance * weight
        value = self.y - part * away
        return (
            height,
            value,
            self.variance * (1 - part) + part**2 / total[:, None],
        )

    def spreads(self) -> FloatArray:
        """Standard deviations that are worth averaging over, evenly spaced."""
        low, high = 0.0, 3 * float(np.std(self.y, ddof=1)) + 3.0
        while True:  # the tail is long where units are few
            height = self._weighed(_even(low, high, 60))
            if height.max() - height[-1] > _UNLIKELY:
                break
            high *= 2
        for _ in range(3):
            at = _even(low, high, 60)
            low, high = _likely(at, self._weighed(at), low, high)
        return _even(low, high, 4 * _SPREADS)

    def _weighed(self, spread: FloatArray) -> FloatArray:
        return np.asarray(self.at(spread)[0] + np.log(spread))


def _even(low: float, high: float, count: int) -> FloatArray:
    """The middles of equal parts of a range."""
    return np.asarray(low + (high - low) * (np.arange(count) + 0.5) / count)


def _likely(at: FloatArray, height: FloatArray, low: float, high: float) -> tuple[float, float]:
    """The part of a range that is not unlikely, with the points next to it."""
    inside = np.flatnonzero(height > height.max() - _UNLIKELY)
    first, last = int(inside[0]) - 1, int(inside[-1]) + 1
    return (
        float(at[first]) if first >= 0 else low,
        float(at[last]) if last < at.size else high,
    )


def _mixture_quantile(
    weights: FloatArray, value: FloatArray, sd: FloatArray, share: float
) -> FloatArray:
    """What this share of each unit's averaged distribution lies below."""
    from scipy.special import ndtr, ndtri

    each = value + ndtri(share) * sd
    low, high = each.min(axis=0), each.max(axis=0)
    for _ in range(45):
        middle = (low + high) / 2
        less = weights @ ndtr((middle - value) / sd) < share
        low, high = np.where(less, middle, low), np.where(less, high, middle)
    return np.asarray((low + high) / 2)


class _Shape:
    """Normal distributions on the scale of one shape, whose slope is 1 at the common rate."""

    def __init__(self, power: float, common: float, edges: FloatArray) -> None:
        slope = (common * (1 - common)) ** -power
        with np.errstate(divide="ignore"):
            scales = {
                0.0: lambda p: p,
                0.5: lambda p: 2 * np.arcsin(np.sqrt(p)),
                1.0: lambda p: np.log(p) - np.log1p(-p),
            }
            place = scales[power](np.append(edges, common)) / slope
        self.centre = float(place[-1])
        self.edges = place[:-1] - self.centre
        self.low, self.high = float(self.edges[0]), float(self.edges[-1])

    def masses(self, centre: FloatArray, spread: FloatArray) -> FloatArray:
        """Share of each distribution between neighbouring edges, shape (cells, distributions)."""
        from scipy.special import ndtr

        z = (self.edges[:, None] - centre) / spread
        # From the nearer end, so that small shares keep their digits.
        above = z[:-1] > 0
        near = ndtr(np.where(z > 0, -z, z))
        mass = np.where(above, near[:-1] - near[1:], near[1:] - near[:-1])
        across = ~above & (z[1:] > 0)
        mass = np.where(across, 1 - near[:-1] - near[1:], mass)
        return np.asarray(mass / mass.sum(axis=0))


class _Rates:
    """Likelihoods of the units' counts on a grid of rates that is even in arcsin of the root."""

    def __init__(self, n: FloatArray, yes: FloatArray) -> None:
        from scipy.special import xlogy

        self.common = float(yes.sum() / n.sum())
        step = min(1 / (2 * np.sqrt(n.sum())), 1 / (6 * np.sqrt(n.max())))
        cells = int(np.ceil(np.pi / 2 / np.clip(step, _FINEST, _COARSEST)))
        self.angle = np.linspace(0, np.pi / 2, cells + 1)
        self.rate = np.sin((self.angle[1:] + self.angle[:-1]) / 2) ** 2
        log = xlogy(yes[:, None], self.rate) + xlogy((n - yes)[:, None], 1 - self.rate)
        self.likelihood = np.exp(log - log.max(axis=1, keepdims=True))
        edges = np.sin(self.angle) ** 2
        edges[-1] = 1.0
        self.shapes = [_Shape(power, self.common, edges) for power in _SHAPES]
        self.most = float(np.sqrt(self.common * (1 - self.common)))
        self.chance = self.most**2 / n

    def height(self, masses: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Log-likelihood of each distribution, and the likelihood of each unit under it."""
        of_units = _product(self.likelihood, masses)
        with np.errstate(divide="ignore"):
            return np.log(of_units).sum(axis=0), of_units

    def best_centres(
        self, shape: _Shape, spread: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Likeliest centre at each spread, its standard error and height: Newton's method."""
        step = 1 / np.sqrt((1 / (self.chance[:, None] + spread**2)).sum(axis=0))
        centre, error = np.zeros(spread.size), step.copy()
        for _ in range(_ROUNDS):
            around = centre + step * np.array([[-1.0], [0.0], [1.0]])
            masses = shape.masses(around.ravel(), np.tile(spread, 3))
            height = self.height(masses)[0].reshape(3, -1)
            with np.errstate(invalid="ignore", divide="ignore"):
                rise = (height[2] - height[0]) / (2 * step)
                bend = (2 * height[1] - height[2] - height[0]) / step**2
                move = np.where(bend > 0, rise / bend, np.sign(rise) * np.inf)
                error = np.where(bend > 0, 1 / np.sqrt(bend), step)
            known = np.isfinite(rise)  # at next to no spread counts that differ cannot be
            move = np.clip(np.where(known, move, 0.0), -_LONGEST * step, _LONGEST * step)
            moved = np.clip(centre + move, shape.low, shape.high)
            done = np.all(np.abs(moved - centre) < 0.2 * step)
            centre = moved
            if done:
                break
        return centre, np.clip(error, step / 3, 3 * step), height[1]

    def alike(self) -> tuple[FloatArray, FloatArray]:
        """Log-likelihood of one rate for all units, and how much of the shapes' scales it takes."""
        variance = self.rate * (1 - self.rate) / self.most**2
        wide = np.diff(np.sin(self.angle) ** 2) * sum(variance**-power for power in _SHAPES)
        with np.errstate(divide="ignore"):
            return np.log(self.likelihood).sum(axis=0), wide

    def averaged(self, allowed: _Allowed, tail: float) -> PooledUnits:
        """What is left open of each unit's rate."""
        of_units = _product(self.likelihood, allowed.masses)
        left = self.likelihood * _product(allowed.weights / of_units, allowed.masses.T)
        left += allowed.alike
        below = np.cumsum(left, axis=1)
        below /= below[:, -1:]
        value = np.sum(left * self.rate, axis=1) / left.sum(axis=1)
        lower, upper = (self._quantile(below, share) for share in (tail, 1 - tail))
        return PooledUnits(value, lower, upper, allowed.spread)

    def _quantile(self, below: FloatArray, share: float) -> FloatArray:
        """Rate that this share lies below, straight lines drawn within the cells."""
        unit = np.arange(len(below))
        cell = np.minimum((below < share).sum(axis=1), below.shape[1] - 1)
        before = np.where(cell > 0, below[unit, np.maximum(cell - 1, 0)], 0.0)
        part = (share - before) / (below[unit, cell] - before)
        at = self.angle[cell] + part * (self.angle[cell + 1] - self.angle[cell])
        return np.asarray(np.sin(at) ** 2)


class _Allowed(NamedTuple):
    """What the answers allow; weights add up to 1 with those of units all alike."""

    weights: FloatArray  # of each distribution
    masses: FloatArray  # (cells, distributions)
    alike: FloatArray  # weight of each rate, that of all units
    spread: float


def _allowed(rates: _Rates) -> _Allowed:
    low, high = 0.0, rates.most
    spread = high * ((np.arange(_COARSE) + 0.5) / _COARSE) ** 2
    for _ in range(2):
        best = [rates.best_centres(shape, spread) for shape in rates.shapes]
        height = np.max([h for _, _, h in best], axis=0) + np.log(spread)
        low, high = _likely(spread, height, low, high)
        coarse, spread = spread, _even(low, high, _COARSE)
    heights, priors = [], []
    spread = _even(low, high, _SPREADS)
    every = np.tile(spread, _CENTRES)
    part = (np.arange(_CENTRES) + 0.5)[:, None] / _CENTRES
    density = np.log(spread) + np.log((high - low) / _SPREADS / _CENTRES)
    for shape, (mode, error, _) in zip(rates.shapes, best, strict=True):
        middle, wide = np.interp(spread, coarse, mode), 3 * np.interp(spread, coarse, error)
        first, last = np.maximum(middle - wide, shape.low), np.minimum(middle + wide, shape.high)
        masses = shape.masses((first + part * (last - first)).ravel(), every)
        prior = np.tile(density + np.log(last - first), _CENTRES)
        heights.append(rates.height(masses)[0] + prior)
        priors.append(masses)
    logs = np.concatenate(heights)
    same, width = rates.alike()
    top = max(logs.max(), same.max())
    weight, alike = np.exp(logs - top), np.exp(same - top) * width * _no_spread(rates.chance)
    total = weight.sum() + alike.sum()
    weight, alike = weight / total, alike / total
    kept = weight > _NEGLIGIBLE
    spreads = np.tile(every, len(_SHAPES))
    masses = np.concatenate(priors, axis=1)
    return _Allowed(weight[kept], masses[:, kept], alike, float(weight @ spreads))
