r"""Random intercepts from sums: intersections of characteristics (MAIHDA), and partial pooling.

A crossing of two or three characteristics has many strata, most of them small: raw percentages
scatter widely by chance. A random-intercept model estimates how much the strata really differ and
draws each one towards what is expected of it, the more the smaller it is (shrinkage).

**Intersections.** The *null* model has nothing but the intercept: its share of variance between
strata (VPC) says how much of all variation in the answers goes with the strata,
:math:`\sigma^2 / (\sigma^2 + \pi^2 / 3)` on the log-odds scale. The *main-effects* model adds each
characteristic by itself: the proportional change in variance (PCV) is the part of the differences
between strata that adds up from single characteristics; what stays, :math:`u_s`, is how far a
stratum differs from the sum of its parts.

The likelihood of stratum *s*, :math:`\int \prod_j \mu_{sj}^{y}(1 - \mu_{sj})^{n - y} \phi(v) dv`
with :math:`\text{logit}\, \mu_{sj} = x_{sj}'\beta + \sigma v`, is taken by Laplace's approximation
or adaptive Gauss-Hermite quadrature, from counts of each (stratum, pattern): 775,000 respondents
cost as much as 775. Its gradient is exact, the movement of the quadrature points included.

**Partial pooling.** :func:`gaussian_intercepts` (REML, from groups' sizes, means and sums of
squares) and :func:`shrink_estimates` (any estimates with known standard errors) in closed form;
limits that allow for all that is unknown are those of :mod:`~culture_analytics.stats.pooling`.

References
----------
Evans CR, Williams DR, Onnela JP, Subramanian SV (2018). A multilevel approach to modeling health
inequalities at the intersection of multiple social identities. *Social Science and Medicine*
203:64-73.

Merlo J (2018). Multilevel analysis of individual heterogeneity and discriminatory accuracy (MAIHDA)
within an intersectional framework. *Social Science and Medicine* 203:74-80.

Goldstein H, Browne W, Rasbash J (2002). Partitioning variation in multilevel models. *Understanding
Statistics* 1:223-231.

Pinheiro JC, Bates DM (1995). Approximations to the log-likelihood function in the nonlinear
mixed-effects model. *Journal of Computational and Graphical Statistics* 4:12-35.

Bates D, Maechler M, Bolker B, Walker S (2015). Fitting linear mixed-effects models using lme4.
*Journal of Statistical Software* 67(1):1-48.

Self SG, Liang KY (1987). Asymptotic properties of maximum likelihood estimators and likelihood
ratio tests under nonstandard conditions. *Journal of the American Statistical Association*
82:605-610.

Morris CN (1983). Parametric empirical Bayes inference: theory and applications. *Journal of the
American Statistical Association* 78:47-55.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from culture_analytics.errors import AdjustmentError, CultureAnalyticsError
from culture_analytics.stats._quantiles import FloatArray, floats, normal_quantile, upper_tail
from culture_analytics.stats.regression import check_rank, expit, maximise

__all__ = [
    "FEWEST_GROUPS",
    "GaussianIntercepts",
    "LogisticIntercepts",
    "Maihda",
    "ShrunkenEstimates",
    "ShrunkenRates",
    "gaussian_intercepts",
    "logistic_intercepts",
    "maihda",
    "shrink_estimates",
    "shrunken_rates",
    "variance_limits",
    "variance_share",
]

FEWEST_GROUPS = 5
"""Groups below which a variance between them is not worth estimating."""

LATENT_VARIANCE = float(np.pi**2 / 3)
"""Variance of the standard logistic distribution: people within a stratum, in log-odds."""

_NO_VARIANCE = 1e-3  # standard deviation in log-odds; below it the likelihood is flat
_START = 0.4
_STEP = 1e-4
_BLOCK = 200_000
_GRID = 15
_WIDEST = 50.0  # standard deviation in log-odds: everyone or no one in each group
_UNLIKELY = 5.0  # log-likelihood below the best: e^-5 of its weight


@dataclass(frozen=True, repr=False)
class LogisticIntercepts:
    """A fitted random-intercept logistic model."""

    names: tuple[str, ...]
    """Name of each coefficient."""
    coefficients: FloatArray
    """Fixed effects in log-odds, shape (parameters,)."""
    variance: float
    """Variance between groups, in squared log-odds; 0 when the answers show none."""
    covariance: FloatArray
    """Of the coefficients and, last, the standard deviation between groups (NaN at 0)."""
    loglik: float
    """Log-likelihood, binomial constants included."""
    loglik_without: float
    """The same without variance between groups."""
    p_value: float
    """Is there any variance between groups? Half a chi-square's tail (Self and Liang 1987)."""
    mode: FloatArray
    """Most likely intercept of each group less that expected, log-odds, shape (groups,); 0 for a
    group without answers."""
    mode_variance: FloatArray
    """Variance of each given the model's parameters."""
    points: int
    """Quadrature points; 1 is Laplace's approximation."""
    _likelihood: _Likelihood = field(compare=False)

    @property
    def se(self) -> FloatArray:
        """Standard errors of the coefficients."""
        return np.sqrt(np.diag(self.covariance)[:-1])

    def __repr__(self) -> str:
        return (
            f"<LogisticIntercepts: {len(self.names)} parameters, {self.mode.size} groups, "
            f"{'Laplace' if self.points == 1 else f'{self.points} points'}>"
        )


class ShrunkenRates(NamedTuple):
    """Rates of the groups under the model; arrays of shape (groups,), NaN for a group of nobody."""

    observed: FloatArray
    """Proportion that said yes."""
    rate: FloatArray
    """Shrunken proportion, averaged over the variances that the answers allow."""
    lower: FloatArray
    upper: FloatArray
    expected: FloatArray
    """Proportion from the coefficients alone: the sum of its parts."""
    residual: FloatArray
    """Log-odds beyond what is expected."""
    residual_se: FloatArray
    """Its standard error, that of the coefficients included."""
    p_value: FloatArray
    """Twice the probability that the residual has the other sign."""


class Maihda(NamedTuple):
    """Multilevel analysis of intersections: both models and what they say about variance."""

    null: LogisticIntercepts
    main: LogisticIntercepts
    vpc: float
    """Share of variance between strata in the null model, 0 to 1."""
    vpc_lower: float
    vpc_upper: float
    vpc_main: float
    """Share of variance between strata beyond main effects."""
    vpc_main_lower: float
    vpc_main_upper: float
    pcv: float
    """Part of the null model's variance that main effects account for; at most 1, below 0 where
    main effects hide differences, NaN where the null model has none."""
    rates: ShrunkenRates
    """Of the main-effects model: residuals are what strata have beyond their parts."""


@dataclass(frozen=True, repr=False)
class GaussianIntercepts:
    """A fitted random-intercept linear model (REML)."""

    coefficients: FloatArray
    covariance: FloatArray
    """Of the coefficients, shape (parameters, parameters)."""
    variance: float
    """Between groups, squared units."""
    residual: float
    """Within groups, squared units."""
    loglik: float
    """REML log-likelihood."""
    mode: FloatArray
    """Each group's intercept less that expected, shape (groups,); 0 for a group of nobody."""
    mode_variance: FloatArray
    """Variance of each given the variances and coefficients."""
    mean: FloatArray
    """Shrunken mean of each group at the mean of its own covariates; NaN for a group of nobody."""
    mean_se: FloatArray
    """Its standard error given the variances, that of the coefficients included."""

    @property
    def se(self) -> FloatArray:
        """Standard errors of the coefficients."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def icc(self) -> float:
        """Share of variance between groups (intra-class correlation)."""
        return self.variance / (self.variance + self.residual)

    def __repr__(self) -> str:
        return f"<GaussianIntercepts: {self.coefficients.size} parameters, {self.mode.size} groups>"


class ShrunkenEstimates(NamedTuple):
    """Estimates drawn towards their common mean."""

    value: FloatArray
    se: FloatArray
    lower: FloatArray
    upper: FloatArray
    shrinkage: FloatArray
    """Part of the way towards the common mean each has moved, 0 to 1."""
    mean: float
    """The common mean."""
    variance: float
    """Variance of the true values."""


def logistic_intercepts(
    n: ArrayLike,
    yes: ArrayLike,
    group: ArrayLike,
    x: ArrayLike | None = None,
    *,
    n_groups: int | None = None,
    names: Sequence[str] | None = None,
    points: int = 1,
) -> LogisticIntercepts:
    """Fit a random-intercept logistic model to counts.

    Parameters
    ----------
    n, yes : array_like
        Answers of each cell, and those that are yes; need not be whole (effective counts).
    group : array_like of int
        Group (stratum) of each cell, from 0. A group may have several cells, of different `x`.
    x : array_like, optional
        Columns of each cell, intercept included, shape (cells, parameters). Default: an intercept.
    n_groups : int, optional
        Number of groups. Default: the highest in `group` and one.
    names : sequence of str, optional
        Names of the columns, for messages.
    points : int, default 1
        Quadrature points of each group. 1 is Laplace's approximation, near enough unless most
        groups have only a few answers; then try 10.

    Returns
    -------
    LogisticIntercepts
        Maximum likelihood estimates.

    Raises
    ------
    AdjustmentError
        If fewer than five groups, or no more than parameters, have answers; if columns are
        collinear; if all answers are the same or the columns split them completely.
    CultureAnalyticsError
        If arrays differ in length or counts cannot be.

    References
    ----------
    Pinheiro and Bates (1995). Equal to R ``lme4::glmer(cbind(yes, n - yes) ~ x + (1 | group),
    binomial, nAGQ = points)``.

    Examples
    --------
    >>> n = [120, 80, 45, 200, 30, 12, 60, 95]
    >>> yes = [30, 36, 9, 44, 15, 2, 12, 40]
    >>> fit = logistic_intercepts(n, yes, range(8))
    >>> fit.coefficients.round(2).tolist(), round(fit.variance, 2)
    ([-0.86], 0.22)
    """
    cells = _cells(n, yes, group, x, n_groups, names)
    if points < 1:
        raise CultureAnalyticsError(f"points must be 1 or more, not {points}.")
    start, _ = maximise(cells.x, cells.n, cells.yes, cells.names)
    likelihood = _Likelihood(cells, points)
    theta, value = likelihood.highest(start, _START)
    without = likelihood.value(np.append(start, 0.0))
    none = abs(theta[-1]) < _NO_VARIANCE or value <= without + 1e-9
    theta = np.append(start, 0.0) if none else np.append(theta[:-1], abs(theta[-1]))
    value = without if none else value
    state = likelihood.state(theta)
    mode, spread = np.zeros(cells.n_groups), np.full(cells.n_groups, theta[-1] ** 2)
    mode[cells.present] = theta[-1] * state.mode
    spread[cells.present] = theta[-1] ** 2 / state.curvature
    from scipy.special import chdtrc

    return LogisticIntercepts(
        names=cells.names,
        coefficients=theta[:-1],
        variance=float(theta[-1] ** 2),
        covariance=likelihood.covariance(theta),
        loglik=value + cells.constant,
        loglik_without=without + cells.constant,
        p_value=1.0 if none else float(chdtrc(1, 2 * (value - without))) / 2,
        mode=mode,
        mode_variance=spread,
        points=points,
        _likelihood=likelihood,
    )


def variance_limits(fit: LogisticIntercepts, *, level: float = 0.95) -> tuple[float, float]:
    """Profile-likelihood limits of the variance between groups.

    Parameters
    ----------
    fit : LogisticIntercepts
        What :func:`logistic_intercepts` returned.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    lower, upper : float
        Squared log-odds; the lower limit is 0 where no variance cannot be ruled out, the upper
        infinite where groups are too small to rule any variance out.

    Raises
    ------
    CultureAnalyticsError
        If ``level`` is not between 0 and 1.

    References
    ----------
    Bates and others (2015), section 5.2.

    Examples
    --------
    >>> fit = logistic_intercepts([120, 80, 45, 200, 30, 12, 60, 95],
    ...                           [30, 36, 9, 44, 15, 2, 12, 40], range(8))
    >>> [round(limit, 3) for limit in variance_limits(fit)]
    [0.051, 0.965]
    """
    from scipy.optimize import brentq

    target = normal_quantile(level) ** 2 / 2
    best, likelihood = fit.loglik - fit._likelihood.cells.constant, fit._likelihood
    beta = fit.coefficients

    def short(sd: float) -> float:
        nonlocal beta
        beta, value = likelihood.highest_at(beta, sd)
        return best - value - target

    sd = float(np.sqrt(fit.variance))
    lower, upper = 0.0, max(2 * sd, 0.25)
    if fit.loglik - fit.loglik_without > target:
        lower = float(brentq(short, _NO_VARIANCE, sd, xtol=1e-5, rtol=1e-6))
    beta = fit.coefficients
    while short(upper) < 0:
        upper *= 2
        if upper > _WIDEST:
            return lower**2, float("inf")
    upper = float(brentq(short, sd, upper, xtol=1e-5, rtol=1e-6))
    return lower**2, upper**2


def variance_share(variance: ArrayLike) -> FloatArray:
    r"""Variance partition coefficient of a logistic model, on the latent (log-odds) scale.

    Parameters
    ----------
    variance : array_like
        Variance between groups, squared log-odds.

    Returns
    -------
    ndarray
        :math:`\sigma^2 / (\sigma^2 + \pi^2 / 3)`, 0 to 1.

    References
    ----------
    Goldstein, Browne and Rasbash (2002), method D.

    Examples
    --------
    >>> variance_share([0.0, 0.2, 3.29]).round(3).tolist()
    [0.0, 0.057, 0.5]
    """
    between = floats(variance)
    return np.asarray(between / (between + LATENT_VARIANCE))


def shrunken_rates(fit: LogisticIntercepts, *, level: float = 0.95) -> ShrunkenRates:
    """Shrunken rate of every group, with limits, and its residual beyond the coefficients.

    Parameters
    ----------
    fit : LogisticIntercepts
        What :func:`logistic_intercepts` returned.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    ShrunkenRates
        Proportions over each group's own cells.

    Raises
    ------
    CultureAnalyticsError
        If ``level`` is not between 0 and 1.

    Notes
    -----
    The standard deviation between groups is itself uncertain, and with few or small groups its best
    estimate is often 0, where limits that take it as known would have next to no width. Rates,
    residuals and limits are therefore averaged over the standard deviations that the answers allow,
    each weighted by its likelihood with the coefficients integrated out (and a flat prior: Gelman
    2006), and the coefficients' own variance is added; limits are quantiles of that average.
    `fit.mode` holds the modes at the best estimate.

    References
    ----------
    Gelman A (2006). Prior distributions for variance parameters in hierarchical models. *Bayesian
    Analysis* 1:515-534.

    Kass RE, Steffey D (1989). Approximate Bayesian inference in conditionally independent
    hierarchical models. *Journal of the American Statistical Association* 84:717-726.

    Examples
    --------
    The small group moves most.

    >>> fit = logistic_intercepts([120, 80, 45, 200, 30, 12, 60, 95],
    ...                           [30, 36, 9, 44, 15, 2, 12, 40], range(8))
    >>> found = shrunken_rates(fit)
    >>> found.observed[5].round(3).item(), found.rate[5].round(3).item()
    (0.167, 0.234)
    """
    from scipy.special import ndtr

    cells = fit._likelihood.cells
    base = cells.over_groups(cells.n)
    weights, parts = _allowed(fit)
    log_odds, residual = weights @ parts.log_odds, weights @ parts.residual
    tail = upper_tail(level)
    lower, upper = (_mixture_quantile(weights, parts, side) for side in (1 - tail, tail))
    residual_spread = weights @ (parts.residual_variance + (parts.residual - residual) ** 2)
    below = weights @ ndtr(-parts.residual / np.sqrt(parts.residual_variance))

    def everyone(values: FloatArray) -> FloatArray:
        out = np.full(cells.n_groups, np.nan)
        out[cells.present] = values
        return out

    expected = cells.n * expit(cells.x @ fit.coefficients)
    return ShrunkenRates(
        observed=everyone(cells.over_groups(cells.yes) / base),
        rate=everyone(expit(log_odds)),
        lower=everyone(expit(lower)),
        upper=everyone(expit(upper)),
        expected=everyone(cells.over_groups(expected) / base),
        residual=everyone(residual),
        residual_se=everyone(np.sqrt(residual_spread)),
        p_value=everyone(2 * np.minimum(below, 1 - below)),
    )


class _Parts(NamedTuple):
    """Log-odds and residuals at several standard deviations, shape (several, groups)."""

    log_odds: FloatArray
    variance: FloatArray
    residual: FloatArray
    residual_variance: FloatArray


def _mixture_quantile(weights: FloatArray, parts: _Parts, share: float) -> FloatArray:
    """Log-odds of each group below which this share of the averaged distribution lies."""
    from scipy.special import ndtr, ndtri

    sd = np.sqrt(parts.variance)
    each = parts.log_odds + ndtri(share) * sd
    low, high = each.min(axis=0), each.max(axis=0)
    for _ in range(50):
        middle = (low + high) / 2
        less = weights @ ndtr((middle - parts.log_odds) / sd) < share
        low, high = np.where(less, middle, low), np.where(less, high, middle)
    return np.asarray((low + high) / 2)


def _allowed(fit: LogisticIntercepts) -> tuple[FloatArray, _Parts]:
    """Weights of the standard deviations the answers allow, and the groups at each of them."""
    likelihood, best = fit._likelihood, fit.loglik - fit._likelihood.cells.constant
    sd, error = float(np.sqrt(fit.variance)), float(np.sqrt(fit.covariance[-1, -1]))
    low = max(sd - 4 * error, 0.0) if error > 0 else 0.0
    high = sd + (4 * error if error > 0 else 0.1)
    beta, value = likelihood.highest_at(fit.coefficients, high)
    while best - value < _UNLIKELY and high < _WIDEST:
        high += max(high - sd, 0.1) / 2
        beta, value = likelihood.highest_at(beta, high)
    while best - value > 4 * _UNLIKELY:  # a poor guess: the likelihood is far from a parabola
        high = (sd + high) / 2
        beta, value = likelihood.highest_at(fit.coefficients, high)
    found: list[_Parts] = []
    heights: list[float] = []
    for at in low + (high - low) * (np.arange(_GRID) + 0.5) / _GRID:
        beta, value = likelihood.highest_at(beta if found else fit.coefficients, float(at))
        part, log_determinant = _groups_at(likelihood, np.append(beta, at))
        found.append(part)
        heights.append(value - log_determinant / 2)
    weight = np.exp(np.array(heights) - max(heights))
    return weight / weight.sum(), _Parts(*(np.array(part) for part in zip(*found, strict=True)))


def _groups_at(likelihood: _Likelihood, theta: FloatArray) -> tuple[_Parts, float]:
    """Log-odds and residuals of the groups at given parameters, coefficients' variance included."""
    cells, sd, state = likelihood.cells, float(theta[-1]), likelihood.state(theta)
    information = likelihood.information(theta)
    covariance = floats(np.linalg.inv(information))
    residual, given = sd * state.mode, sd**2 / state.curvature
    base = cells.over_groups(cells.n)
    mu = expit(cells.x @ theta[:-1] + residual[cells.at])
    rate = cells.over_groups(cells.n * mu) / base
    # Of the log-odds of a group's rate, by the log-odds of its cells.
    slope = cells.n * mu * (1 - mu) / (base * rate * (1 - rate))[cells.at]
    through, move = cells.over_groups(slope), sd * state.mode_beta
    gradient = cells.over_groups(slope[:, None] * cells.x) + through[:, None] * move
    part = _Parts(
        np.log(rate / (1 - rate)),
        through**2 * given + _quadratic(gradient, covariance),
        residual,
        given + _quadratic(move, covariance),
    )
    return part, float(np.linalg.slogdet(information)[1])


def maihda(
    n: ArrayLike,
    yes: ArrayLike,
    stratum: ArrayLike,
    main_effects: ArrayLike,
    *,
    n_strata: int | None = None,
    names: Sequence[str] | None = None,
    points: int = 1,
    level: float = 0.95,
) -> Maihda:
    """Multilevel analysis of intersectional strata: null and main-effects models.

    Parameters
    ----------
    n, yes, stratum
        As for :func:`logistic_intercepts`; one cell a stratum unless other covariates are in
        `main_effects`.
    main_effects : array_like
        Columns of the single characteristics, intercept first
        (:func:`~culture_analytics.stats.treatment_coding`), shape (cells, parameters).
    n_strata, names, points
        As for :func:`logistic_intercepts`.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    Maihda
        Variance shares with profile limits, proportional change, shrunken rates.

    Raises
    ------
    AdjustmentError, CultureAnalyticsError
        As :func:`logistic_intercepts`.

    References
    ----------
    Evans and others (2018); Merlo (2018).

    Examples
    --------
    Two characteristics that add up, of 4 and 3 groups.

    >>> import itertools
    >>> from culture_analytics.stats.regression import treatment_coding
    >>> codes = list(itertools.product(range(4), range(3)))
    >>> x, names = treatment_coding(codes, ["abcd", "xyz"], ["first", "second"])
    >>> yes = [20, 26, 31, 29, 41, 44, 22, 30, 28, 40, 45, 54]
    >>> found = maihda([100] * 12, yes, range(12), x, names=names)
    >>> round(found.vpc, 3), round(found.pcv, 2)
    (0.046, 1.0)
    """
    null = logistic_intercepts(n, yes, stratum, n_groups=n_strata, points=points)
    main = logistic_intercepts(
        n, yes, stratum, main_effects, n_groups=n_strata, names=names, points=points
    )
    shares, limits = [], []
    for fit in (null, main):
        shares.append(float(variance_share(fit.variance)))
        limits.append(variance_share(variance_limits(fit, level=level)).tolist())
    return Maihda(
        null=null,
        main=main,
        vpc=shares[0],
        vpc_lower=limits[0][0],
        vpc_upper=limits[0][1],
        vpc_main=shares[1],
        vpc_main_lower=limits[1][0],
        vpc_main_upper=limits[1][1],
        pcv=1 - main.variance / null.variance if null.variance else float("nan"),
        rates=shrunken_rates(main, level=level),
    )


def gaussian_intercepts(
    n: ArrayLike,
    mean: ArrayLike,
    ss: ArrayLike,
    group: ArrayLike,
    x: ArrayLike | None = None,
    *,
    n_groups: int | None = None,
    names: Sequence[str] | None = None,
) -> GaussianIntercepts:
    """Fit a random-intercept linear model by REML to sizes, means and sums of squares.

    Parameters
    ----------
    n, mean : array_like
        Answers of each cell and their mean score.
    ss : array_like
        Sum of squares about the cell's mean; 0 for a cell of one.
    group : array_like of int
        Group (team, organisation) of each cell, from 0.
    x : array_like, optional
        Columns of each cell, intercept included, shape (cells, parameters). Default: an intercept.
    n_groups, names
        As for :func:`logistic_intercepts`.

    Returns
    -------
    GaussianIntercepts
        REML estimates, shrunken means and their standard errors.

    Raises
    ------
    AdjustmentError
        If fewer than five groups, or no more than parameters, have answers; if columns are
        collinear; if nothing varies within groups.
    CultureAnalyticsError
        If arrays differ in length or counts cannot be.

    References
    ----------
    Equal to R ``lme4::lmer(y ~ x + (1 | group))``; Bates and others (2015).

    Examples
    --------
    >>> fit = gaussian_intercepts([12, 30, 8, 20, 45, 3], [5.4, 7.3, 5.2, 6.4, 6.6, 8.0],
    ...                           [40.0, 95.0, 30.0, 71.0, 150.0, 4.0], range(6))
    >>> fit.coefficients.round(2).tolist(), round(fit.variance, 2), round(fit.residual, 2)
    ([6.43], 0.5, 3.5)
    """
    cells = _cells(n, None, group, x, n_groups, names)
    y, squares = (floats(values).ravel()[cells.kept] for values in (mean, ss))
    if not np.isfinite(y).all() or not (squares >= 0).all():
        raise CultureAnalyticsError("Means must be numbers and sums of squares 0 or more.")
    reml = _Reml(cells, y, squares)
    ratio = reml.best_ratio()
    solution = reml.solve(ratio)
    size = cells.over_groups(cells.n)
    x_mean = cells.over_groups(cells.n[:, None] * cells.x) / size[:, None]
    y_mean = cells.over_groups(cells.n * y) / size
    keep = ratio * size / (1 + ratio * size)  # weight of the group's own mean
    expected = x_mean @ solution.beta
    given = solution.residual * ratio / (1 + ratio * size)
    spread = given + (1 - keep) ** 2 * _quadratic(x_mean, solution.covariance)
    mode, mode_variance = np.zeros(cells.n_groups), np.full(cells.n_groups, np.nan)
    means, means_se = np.full(cells.n_groups, np.nan), np.full(cells.n_groups, np.nan)
    mode_variance[:] = solution.residual * ratio
    mode[cells.present] = keep * (y_mean - expected)
    mode_variance[cells.present] = given
    means[cells.present] = expected + keep * (y_mean - expected)
    means_se[cells.present] = np.sqrt(spread)
    return GaussianIntercepts(
        coefficients=solution.beta,
        covariance=solution.covariance,
        variance=solution.residual * ratio,
        residual=solution.residual,
        loglik=-solution.criterion / 2,
        mode=mode,
        mode_variance=mode_variance,
        mean=means,
        mean_se=means_se,
    )


def shrink_estimates(
    estimate: ArrayLike, se: ArrayLike, *, level: float = 0.95
) -> ShrunkenEstimates:
    """Draw estimates with known standard errors towards their common mean.

    Parameters
    ----------
    estimate, se : array_like
        Estimates of the groups and their standard errors, shape (groups,). A group without either,
        or with a standard error of 0, is left as it is and takes no part.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    ShrunkenEstimates
        Empirical Bayes estimates and limits that allow for the mean and variance being estimated.
        With fewer than four groups nothing is drawn anywhere. Where many groups hardly differ the
        limits of :func:`~culture_analytics.stats.pool_scores` hold more often.

    Raises
    ------
    CultureAnalyticsError
        If the two differ in shape, or ``level`` is not between 0 and 1.

    References
    ----------
    Morris (1983); with equal standard errors the estimator of Efron B, Morris C (1975). Data
    analysis using Stein's estimator and its generalizations. *Journal of the American Statistical
    Association* 70:311-319.

    Examples
    --------
    >>> estimates, errors = [30.0, 22.0, 41.0, 27.0, 25.0, 36.0], [6.0, 2.0, 9.0, 3.0, 2.5, 5.0]
    >>> found = shrink_estimates(estimates, errors)
    >>> found.value.round(1).tolist(), round(found.mean, 1)
    ([29.1, 22.6, 34.6, 27.1, 25.4, 33.2], 27.7)
    """
    y, error = floats(estimate), floats(se)
    if y.shape != error.shape or y.ndim != 1:
        raise CultureAnalyticsError("Try: one standard error for each estimate.")
    z = normal_quantile(level)
    used = np.isfinite(y) & (error > 0) & np.isfinite(error)
    k = int(used.sum())
    shrinkage, spread = np.zeros(y.shape), np.where(used, error, np.nan)
    mean, between = float("nan"), float("nan")
    value = y.copy()
    if k > 3:
        own, variance = y[used], error[used] ** 2
        mean, between = _between(own, variance)
        weight = 1 / (variance + between)
        part = (k - 3) / (k - 1) * variance * weight
        average = np.sum(weight * variance) / weight.sum()
        uncertain = 2 / (k - 3) * part**2 * (average + between) * weight
        shrinkage[used] = part
        value[used] = own - part * (own - mean)
        spread[used] = np.sqrt(
            variance * (1 - part) + part**2 / weight.sum() + uncertain * (own - mean) ** 2
        )
    return ShrunkenEstimates(
        value, spread, value - z * spread, value + z * spread, shrinkage, mean, between
    )


def _between(y: FloatArray, variance: FloatArray) -> tuple[float, float]:
    """Common mean, and variance of the true values, of at least four estimates."""
    k = y.size
    between = max(float(np.var(y, ddof=1) - variance.mean()), 0.0)
    for _ in range(1000):
        weight = 1 / (variance + between)
        mean = float(np.sum(weight * y) / weight.sum())
        excess = weight * (k / (k - 1) * (y - mean) ** 2 - variance)
        before, between = between, max(float(excess.sum() / weight.sum()), 0.0)
        if abs(between - before) <= 1e-12 * (between + variance.mean()):
            break
    weight = 1 / (variance + between)
    return float(np.sum(weight * y) / weight.sum()), between


def _quadratic(rows: FloatArray, matrix: FloatArray) -> FloatArray:
    """``row @ matrix @ row`` of every row."""
    return np.asarray(np.sum((rows @ matrix) * rows, axis=1))


@dataclass(frozen=True)
class _Cells:
    """Cells with answers, sorted by group; groups without answers are left out and numbered on."""

    n: FloatArray
    yes: FloatArray
    x: FloatArray
    at: NDArray[np.intp]
    """Place of each cell's group among those present."""
    starts: NDArray[np.intp]
    present: NDArray[np.intp]
    kept: NDArray[np.intp]
    n_groups: int
    names: tuple[str, ...]

    def over_groups(self, values: FloatArray) -> FloatArray:
        """Totals over each group's cells, along the first axis."""
        if len(self.starts) == len(self.at):  # the usual case, one cell a group: five times faster
            return values
        return np.asarray(np.add.reduceat(values, self.starts, axis=0))

    @property
    def constant(self) -> float:
        from scipy.special import gammaln

        n, y = self.n, self.yes
        return float(np.sum(gammaln(n + 1) - gammaln(y + 1) - gammaln(n - y + 1)))


def _cells(
    n: ArrayLike,
    yes: ArrayLike | None,
    group: ArrayLike,
    x: ArrayLike | None,
    n_groups: int | None,
    names: Sequence[str] | None,
) -> _Cells:
    """Check what was given, and sort it by group."""
    base, of = floats(n).ravel(), np.asarray(group, dtype=np.intp).ravel()
    said = np.zeros(base.shape) if yes is None else floats(yes).ravel()
    columns = np.ones((base.size, 1)) if x is None else floats(x)
    if columns.ndim != 2 or len({base.size, of.size, said.size, len(columns)}) != 1:
        raise CultureAnalyticsError(
            "Counts, groups and columns differ in length. Try: one element, and one row of "
            "columns, for every cell."
        )
    highest = int(of.max()) + 1 if of.size else 0
    groups = highest if n_groups is None else n_groups
    wrong = int(np.count_nonzero(~(base >= 0) | ~(said >= 0) | (said > base) | (of < 0)))
    if wrong or highest > groups or not np.isfinite(columns).all():
        raise CultureAnalyticsError(
            f"{wrong} of {base.size} cells cannot be: fewer than 0 answers, more yes than answers, "
            "or a group or column that does not exist."
        )
    terms = (
        tuple(names)
        if names is not None
        else tuple("(intercept)" if not i else f"column {i}" for i in range(columns.shape[1]))
    )
    some = np.flatnonzero(base > 0)
    kept = some[np.argsort(of[some], kind="stable")]
    present, starts, at = np.unique(of[kept], return_index=True, return_inverse=True)
    fewest = max(FEWEST_GROUPS, len(terms) + 1)
    if present.size < fewest:
        raise AdjustmentError(
            f"{present.size} groups have answers; differences between groups need at least "
            f"{fewest} with {len(terms)} parameters. Try: characteristics with more groups, or "
            "compare the groups directly."
        )
    if yes is not None and not 0 < said.sum() < base.sum():
        raise AdjustmentError(
            f"All {round(base.sum())} answers are the same: there is nothing to explain."
        )
    if yes is not None and np.count_nonzero(np.bincount(of, base) > 1) < FEWEST_GROUPS:
        raise AdjustmentError(
            f"Fewer than {FEWEST_GROUPS} groups have two answers or more: differences between "
            "groups cannot be told from those within. Try: broader groups."
        )
    check_rank(columns[kept], terms)
    return _Cells(
        base[kept], said[kept], columns[kept], at.ravel(), starts, present, kept, groups, terms
    )


class _State(NamedTuple):
    """Conditional modes of the standardised intercepts v at given parameters, and how they move."""

    mode: FloatArray
    curvature: FloatArray
    """Minus the second derivative of the log joint density at the mode."""
    mode_beta: FloatArray
    mode_sd: FloatArray
    curvature_beta: FloatArray
    curvature_sd: FloatArray


class _Likelihood:
    """Approximate log-likelihood of (coefficients, standard deviation) and its exact gradient."""

    def __init__(self, cells: _Cells, points: int) -> None:
        self.cells = cells
        nodes, weights = np.polynomial.hermite.hermgauss(points)
        self.nodes = np.sqrt(2) * nodes
        self.log_weights = np.log(weights) + nodes**2 - 0.5 * np.log(np.pi)
        self._last = np.zeros(len(cells.starts))  # warm start of the modes
        self._known: tuple[FloatArray, _State] | None = None

    def _joint(self, eta: FloatArray, v: FloatArray) -> FloatArray:
        """Log density of each group's answers and intercept, constants left out."""
        cells = self.cells
        return cells.over_groups(cells.yes * eta - cells.n * np.logaddexp(0, eta)) - v**2 / 2

    def _modes(self, fixed: FloatArray, sd: float) -> FloatArray:
        """Newton's method for all groups at once, halving the steps that overshoot."""
        cells = self.cells
        v = self._last.copy()
        now = self._joint(fixed + sd * v[cells.at], v)
        for _ in range(100):
            mu = expit(fixed + sd * v[cells.at])
            slope = sd * cells.over_groups(cells.yes - cells.n * mu) - v
            bend = 1 + sd**2 * cells.over_groups(cells.n * mu * (1 - mu))
            step = slope / bend
            if np.max(np.abs(step)) < 1e-12:
                break
            for _ in range(40):
                moved = v + step
                then = self._joint(fixed + sd * moved[cells.at], moved)
                worse = then < now - 1e-10 * (1 + np.abs(now))
                if not worse.any():
                    break
                step = np.where(worse, step / 2, step)
            v, now = moved, then
            if np.max(np.abs(step)) < 1e-9:
                break
        self._last = v
        return v

    def state(self, theta: FloatArray) -> _State:
        """Modes, curvatures and their derivatives; those of the last parameters are kept."""
        if self._known is None or not np.array_equal(self._known[0], theta):
            self._known = (theta.copy(), self._state(theta))
        return self._known[1]

    def _state(self, theta: FloatArray) -> _State:
        cells, sd = self.cells, float(theta[-1])
        fixed = cells.x @ theta[:-1]
        v = self._modes(fixed, sd)
        mu = expit(fixed + sd * v[cells.at])
        w = cells.n * mu * (1 - mu)
        skew = w * (1 - 2 * mu)
        total, third = cells.over_groups(w), cells.over_groups(skew)
        bend = 1 + sd**2 * total
        v_beta = -sd * cells.over_groups(w[:, None] * cells.x) / bend[:, None]
        v_sd = (cells.over_groups(cells.yes - cells.n * mu) - sd * v * total) / bend
        bend_beta = cells.over_groups(skew[:, None] * cells.x) + sd * third[:, None] * v_beta
        bend_sd = 2 * sd * total + sd**2 * third * (v + sd * v_sd)
        return _State(v, bend, v_beta, v_sd, sd**2 * bend_beta, bend_sd)

    def value(self, theta: FloatArray) -> float:
        """Log-likelihood without its binomial constants."""
        return self.value_and_gradient(theta)[0]

    def value_and_gradient(self, theta: FloatArray) -> tuple[float, FloatArray]:
        """Log-likelihood without its binomial constants, and its gradient."""
        cells, sd, s = self.cells, float(theta[-1]), self.state(theta)
        fixed = cells.x @ theta[:-1]
        root = np.sqrt(s.curvature)
        v = s.mode + self.nodes[:, None] / root  # (points, groups)
        log_part, left, mus = [], [], []
        for node in v:
            eta = fixed + sd * node[cells.at]
            mu = expit(eta)
            log_part.append(self._joint(eta, node))
            left.append(cells.over_groups(cells.yes - cells.n * mu))
            mus.append(mu)
        parts = np.array(log_part) + self.log_weights[:, None]
        top = parts.max(axis=0)
        share = np.exp(parts - top)
        total = share.sum(axis=0)
        share /= total
        value = float(np.sum(top + np.log(total) - np.log(s.curvature) / 2))
        score = np.array(left)
        pull = share * (sd * score - v)  # how far the points are from where the density is level
        drift = pull.sum(axis=0)
        scale = -0.5 * (np.sum(pull * self.nodes[:, None], axis=0) / root + 1) / s.curvature
        residual = cells.yes - cells.n * sum(
            part[cells.at] * mu for part, mu in zip(share, mus, strict=True)
        )
        beta = residual @ cells.x + drift @ s.mode_beta + scale @ s.curvature_beta
        by_sd = np.sum(share * v * score) + drift @ s.mode_sd + scale @ s.curvature_sd
        return value, np.append(beta, by_sd)

    def information(self, theta: FloatArray) -> FloatArray:
        """Information on the coefficients, near enough to steer by: that of the joint density."""
        cells, sd, s = self.cells, float(theta[-1]), self.state(theta)
        mu = expit(cells.x @ theta[:-1] + sd * s.mode[cells.at])
        weighted = (cells.n * mu * (1 - mu))[:, None] * cells.x
        of_groups = cells.over_groups(weighted)
        between = _cross(of_groups * (sd**2 / s.curvature)[:, None], of_groups)
        return _cross(weighted, cells.x) - between

    def highest(self, beta: FloatArray, sd: float) -> tuple[FloatArray, float]:
        """Parameters of greatest likelihood, and it; started from the parameters given."""
        from scipy.optimize import minimize

        beta, _ = self.highest_at(beta, sd)
        # In these coordinates all coefficients are about as certain, and independent.
        white = _whitening(self.information(np.append(beta, sd)))

        def away(point: FloatArray) -> tuple[float, FloatArray]:
            theta = np.append(beta + white @ point[:-1], point[-1])
            value, gradient = self.value_and_gradient(theta)
            return -value, -np.append(gradient[:-1] @ white, gradient[-1])

        start = np.append(np.zeros(beta.size), sd)
        found = minimize(away, start, jac=True, method="BFGS", options={"gtol": 1e-6})
        theta = np.append(beta + white @ found.x[:-1], found.x[-1])
        return theta, -float(found.fun)

    def highest_at(self, beta: FloatArray, sd: float) -> tuple[FloatArray, float]:
        """Coefficients of greatest likelihood at a given standard deviation, and it."""
        theta = np.append(beta, sd)
        value, gradient = self.value_and_gradient(theta)
        for _ in range(100):
            step = np.linalg.solve(self.information(theta), gradient[:-1])
            rise = float(step @ gradient[:-1])
            if rise < 1e-7:  # twice what is left to gain
                break
            for _ in range(30):
                moved = np.append(theta[:-1] + step, sd)
                then, ahead = self.value_and_gradient(moved)
                if then >= value - 1e-12 * abs(value):
                    break
                step = step / 2
            theta, value, gradient = moved, then, ahead
        return theta[:-1], value

    def covariance(self, theta: FloatArray) -> FloatArray:
        """Inverse of the observed information, from central differences of the gradient."""
        p = theta.size - 1
        white = np.eye(p + 1)
        white[:p, :p] = _whitening(self.information(theta))
        free = p + 1 if theta[-1] > 0 else p  # at no variance its likelihood has no curvature
        information = np.empty((free, free))
        for i in range(free):
            step = _STEP * white[:, i]
            ahead, behind = (self.value_and_gradient(theta + sign * step)[1] for sign in (1, -1))
            information[i] = ((behind - ahead) @ white)[:free] / (2 * _STEP)
        inverse = np.full((p + 1, p + 1), np.nan)
        inverse[:free, :free] = np.linalg.pinv((information + information.T) / 2, hermitian=True)
        inverse[:free, :free] = white[:free, :free] @ inverse[:free, :free] @ white[:free, :free].T
        return inverse


def _cross(first: FloatArray, second: FloatArray) -> FloatArray:
    """``first.T @ second``, in blocks of rows small enough for one thread.

    Of matrices this tall and narrow the linear-algebra library's threads cost more than they save:
    ten times as much on a machine with other work to do.
    """
    rows = max(_BLOCK // (first.shape[1] * second.shape[1]), 1)
    total = np.zeros((first.shape[1], second.shape[1]))
    for at in range(0, len(first), rows):
        total += first[at : at + rows].T @ second[at : at + rows]
    return total


def _whitening(information: FloatArray) -> FloatArray:
    """Matrix that turns parameters of this information into ones of information 1."""
    return np.asarray(np.linalg.inv(np.linalg.cholesky(information)).T)


class _Solution(NamedTuple):
    beta: FloatArray
    covariance: FloatArray
    residual: float
    criterion: float


class _Reml:
    """REML criterion of the ratio of the variance between groups to that within."""

    def __init__(self, cells: _Cells, y: FloatArray, squares: FloatArray) -> None:
        self.n, self.p = float(cells.n.sum()), cells.x.shape[1]
        self.origin = float(np.sum(cells.n * y) / self.n)  # keeps the digits of the squares
        y = y - self.origin
        weighted = cells.n[:, None] * cells.x
        self.size = cells.over_groups(cells.n)
        self.xx, self.xy = weighted.T @ cells.x, weighted.T @ y
        self.yy = float(np.sum(squares) + np.sum(cells.n * y**2))
        self.group_x = cells.over_groups(weighted)
        self.group_y = cells.over_groups(cells.n * y)
        # What the columns make of the origin, to be added back to the coefficients.
        self.shift = np.linalg.lstsq(cells.x, np.full(len(cells.x), self.origin), rcond=None)[0]
        if not np.allclose(cells.x @ self.shift, self.origin):
            raise AdjustmentError("The columns hold no intercept. Try: a first column of 1.")
        if self.n <= self.p or not self.solve(0.0).residual > 0:
            raise AdjustmentError("Nothing varies within groups: all their scores are the same.")

    def solve(self, ratio: float) -> _Solution:
        """Generalised least squares at a ratio of variances; V is inverted group by group."""
        pull = ratio / (1 + ratio * self.size)
        xx = self.xx - (self.group_x * pull[:, None]).T @ self.group_x
        xy = self.xy - self.group_x.T @ (pull * self.group_y)
        yy = self.yy - float(np.sum(pull * self.group_y**2))
        beta = np.linalg.solve(xx, xy)
        rss, df = yy - float(xy @ beta), self.n - self.p
        criterion = (
            float(np.sum(np.log1p(ratio * self.size)))
            + float(np.linalg.slogdet(xx)[1])
            + df * (1 + np.log(2 * np.pi * max(rss, 1e-300) / df))
        )
        residual = rss / df
        return _Solution(beta + self.shift, residual * np.linalg.inv(xx), residual, criterion)

    def best_ratio(self) -> float:
        """Ratio with the lowest criterion; 0 where no variance between groups is seen."""
        from scipy.optimize import minimize_scalar

        grid = np.linspace(-14, 14, 57) - np.log(np.median(self.size))
        heights = [self.solve(float(np.exp(g))).criterion for g in grid]
        at = int(np.argmin(heights))
        low, high = grid[max(at - 1, 0)], grid[min(at + 1, len(grid) - 1)]
        found = minimize_scalar(
            lambda g: self.solve(float(np.exp(g))).criterion,
            bounds=(low, high),
            method="bounded",
            options={"xatol": 1e-9},
        )
        if at == 0 or self.solve(0.0).criterion <= found.fun:
            return 0.0
        return float(np.exp(found.x))
