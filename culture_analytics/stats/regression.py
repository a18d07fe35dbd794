r"""Design-based logistic regression from sums over patterns, and standardised percentages.

"Is it the job mix?" A gap between two groups is adjusted by a logistic regression on the groups and
on what should be allowed for, and reported as **standardised percentages**: what each group's
percentage would be if everyone's other characteristics stayed as they are and all were in that
group. Answers to the same combination of characteristics (a *pattern*) share one fitted value, so
the fit needs five sums over each (stratum, pattern), never the respondents.

With weights :math:`w_i`, fitted values :math:`\mu_i` and :math:`A = \sum w \mu (1 - \mu) x x'` the
coefficients' linearised variable is :math:`A^{-1} x_i w_i (y_i - \mu_i)`. A standardised percentage
:math:`m_g = \sum w \mu_{ig} / W` has

.. math:: z_i = \frac{w_i (\mu_{ig} - m_g)}{W} + \nabla m_g' \, A^{-1} x_i \, w_i (y_i - \mu_i),

the first part because the respondents' characteristics are a sample too. Their covariance is that
of a stratified sample's total, with :math:`n_h / (n_h - 1)` and finite populations.

References
----------
Binder DA (1983). On the variances of asymptotically normal estimators from complex surveys.
*International Statistical Review* 51:279-292.

Graubard BI, Korn EL (1999). Predictive margins with survey data. *Biometrics* 55:652-659.

Peduzzi P, Concato J, Kemper E, Holford TR, Feinstein AR (1996). A simulation study of the number of
events per variable in logistic regression analysis. *Journal of Clinical Epidemiology*
49:1373-1379.

Albert A, Anderson JA (1984). On the existence of maximum likelihood estimates in logistic
regression models. *Biometrika* 71:1-10.

Lumley T (2010). *Complex Surveys: a guide to analysis using R*. Wiley. Chapter 6 (``svyglm``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from culture_analytics.errors import AdjustmentError, CultureAnalyticsError
from culture_analytics.stats._covariance import StratumFactors, stratum_factors
from culture_analytics.stats._quantiles import FloatArray, floats
from culture_analytics.stats.proportion import logit
from culture_analytics.stats.variance import kish

__all__ = [
    "FEWEST_EVENTS",
    "FEWEST_IN_GROUP",
    "LogisticFit",
    "LogisticSums",
    "StandardisedGap",
    "StandardisedPercentages",
    "logistic_regression",
    "standardised_gap",
    "standardised_percentages",
    "treatment_coding",
]

FEWEST_IN_GROUP = 50
"""Answers that every group compared must have."""
FEWEST_EVENTS = 10
"""Answers of the rarer kind that every parameter must have."""

_ITERATIONS = 100
_CONVERGED = 1e-11
# Without separation nothing in a survey is fitted so near to "nobody" or "everybody": 1 in 10^9.
_SEPARATED = 20.0
_COLLINEAR = 1e-9
_FARTHEST = 8.0  # normal quantile of the smallest p told: 1e-15


class LogisticSums(NamedTuple):
    """Sums over the valid answers of each (stratum, pattern) that occurs; arrays of one shape.

    Unweighted, `sw` and `sw2` are `n`, and `swy` and `sw2y` are `yes`.
    """

    n: ArrayLike
    """Answers."""
    yes: ArrayLike
    """Answers that are yes."""
    sw: ArrayLike
    """Sum of weights."""
    swy: ArrayLike
    """Sum of the weights of those who say yes."""
    sw2: ArrayLike
    """Sum of squared weights."""
    sw2y: ArrayLike
    """Sum of the squared weights of those who say yes."""


@dataclass(frozen=True, repr=False)
class LogisticFit:
    """A fitted design-based logistic regression."""

    names: tuple[str, ...]
    """Name of each coefficient."""
    coefficients: FloatArray
    """Log-odds, shape (parameters,)."""
    covariance: FloatArray
    """Design-based covariance of the coefficients, shape (parameters, parameters)."""
    df: float
    """Degrees of freedom: answers less strata they come from, less parameters, plus 1."""
    base: int
    """Answers fitted."""
    events: int
    """The rarer of yes and no."""
    iterations: int
    effective_base: FloatArray
    """Kish's effective base of each group compared; empty when no groups were given."""
    _problem: _Problem = field(compare=False)
    _bread: FloatArray = field(compare=False)

    @property
    def se(self) -> FloatArray:
        """Standard errors of the coefficients."""
        return np.sqrt(np.diag(self.covariance))

    def __repr__(self) -> str:
        return f"<LogisticFit: {len(self.names)} parameters, {self.base} answers>"


class StandardisedPercentages(NamedTuple):
    """Standardised proportions, one element a setting (a group put in for everyone)."""

    value: FloatArray
    """Proportion, 0 to 1."""
    se: FloatArray
    lower: FloatArray
    """Limits on the log-odds scale, with t of the design."""
    upper: FloatArray
    covariance: FloatArray
    """Of the values, shape (settings, settings)."""
    df: FloatArray
    """Degrees of freedom of each."""


class StandardisedGap(NamedTuple):
    """First standardised proportion less the second: scalars."""

    value: float
    se: float
    """Delta method."""
    lower: float
    """MOVER limits, from those of the two proportions."""
    upper: float
    p_value: float
    """One less the level at which the limits touch 0."""


class _Problem(NamedTuple):
    """What is fitted: patterns, and the sums of every (stratum, pattern)."""

    x: FloatArray
    pattern: NDArray[np.intp]
    stratum: NDArray[np.intp]
    sums: tuple[FloatArray, ...]
    factors: StratumFactors

    def over_patterns(self, values: FloatArray) -> FloatArray:
        return np.bincount(self.pattern, values, len(self.x)).astype(np.float64)

    def over_strata(self, values: FloatArray) -> FloatArray:
        """Totals of the columns of `values`, shape (strata, columns)."""
        totals = np.zeros((len(self.factors.squares), values.shape[1]))
        np.add.at(totals, self.stratum, values)
        return totals


def treatment_coding(
    codes: ArrayLike, levels: Sequence[Sequence[str]], names: Sequence[str]
) -> tuple[FloatArray, tuple[str, ...]]:
    """Columns for main effects: an intercept, and every level but each factor's first.

    Parameters
    ----------
    codes : array_like of int
        Level of each pattern on each factor, shape (patterns, factors), from 0.
    levels : sequence of sequences of str
        Labels of each factor's levels; the first is the reference.
    names : sequence of str
        Name of each factor.

    Returns
    -------
    x : ndarray
        Shape (patterns, 1 + levels less one of each factor).
    terms : tuple of str
        Names of the columns, ``"factor: level"``.

    Raises
    ------
    CultureAnalyticsError
        If a code has no label, or codes, labels and names are not of as many factors.

    Examples
    --------
    >>> x, terms = treatment_coding([[0, 1], [1, 0]], [["White", "Other"], ["Nurse", "Doctor"]],
    ...                             ["ethnicity", "job"])
    >>> terms
    ('(intercept)', 'ethnicity: Other', 'job: Doctor')
    >>> x.tolist()
    [[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]]
    """
    of = np.asarray(codes, dtype=np.intp)
    if of.ndim != 2 or not of.shape[1] == len(levels) == len(names):
        raise CultureAnalyticsError(
            f"Codes of shape {of.shape}, labels of {len(levels)} factors and {len(names)} names. "
            "Try: one column of codes, one list of labels and one name for each factor."
        )
    sizes = np.array([len(labels) for labels in levels])
    unknown = int(np.count_nonzero((of < 0) | (of >= sizes)))
    if unknown:
        raise CultureAnalyticsError(
            f"{unknown} of {of.size} codes have no label. Try: leave out patterns that miss a "
            "characteristic before fitting."
        )
    columns = [np.ones((len(of), 1))]
    terms = ["(intercept)"]
    for factor, (name, labels) in enumerate(zip(names, levels, strict=True)):
        columns.append((of[:, factor, None] == np.arange(1, len(labels))).astype(np.float64))
        terms += [f"{name}: {label}" for label in labels[1:]]
    return np.concatenate(columns, axis=1), tuple(terms)


def logistic_regression(
    x: ArrayLike,
    pattern: ArrayLike,
    stratum: ArrayLike,
    sums: LogisticSums,
    n_h: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    group: ArrayLike | None = None,
    group_names: Sequence[str] | None = None,
    population_h: ArrayLike | None = None,
    lonely: str = "fail",
    fewest_in_group: int = FEWEST_IN_GROUP,
    fewest_events: float = FEWEST_EVENTS,
) -> LogisticFit:
    """Fit a design-based logistic regression to sums over covariate patterns.

    Parameters
    ----------
    x : array_like
        Columns of each pattern, intercept included, shape (patterns, parameters).
    pattern, stratum : array_like of int
        Pattern (row of `x`) and stratum (position in `n_h`) of each element of `sums`.
    sums : LogisticSums
        Sums of the (stratum, pattern) pairs that occur; no pair twice.
    n_h : array_like
        Respondents of the **whole** design in each stratum, shape (strata,).
    names : sequence of str, optional
        Names of the columns, for messages.
    group : array_like of int, optional
        Group compared that each pattern belongs to, shape (patterns,), from 0: a group with fewer
        than `fewest_in_group` answers is refused. Default: no such check.
    group_names : sequence of str, optional
        Names of those groups, for messages.
    population_h, lonely
        As for :func:`~culture_analytics.stats.ratio_se`.
    fewest_in_group : int, default 50
        Fewest answers of a group compared.
    fewest_events : float, default 10
        Fewest answers of the rarer kind for each parameter.

    Returns
    -------
    LogisticFit
        Coefficients in log-odds with their design-based covariance.

    Raises
    ------
    AdjustmentError
        If a group or the rarer answer is too few, columns are collinear, or the columns split the
        answers completely (separation), so that no finite coefficients fit.
    CultureAnalyticsError
        If shapes do not agree, or weights or counts cannot be.
    DesignError
        As :func:`~culture_analytics.stats.ratio_se`.

    References
    ----------
    Binder (1983); Peduzzi and others (1996). Equal to R ``svyglm(y ~ ..., design, family =
    quasibinomial())``, with ``df.residual`` for the degrees of freedom.

    Examples
    --------
    One stratum, two groups: 60 of 200 and 60 of 300 said yes.

    >>> n, yes = [200, 300], [60, 60]
    >>> fit = logistic_regression([[1, 0], [1, 1]], [0, 1], [0, 0],
    ...                           LogisticSums(n, yes, n, yes, n, yes), [500])
    >>> fit.coefficients.round(4).tolist(), fit.se.round(4).tolist(), fit.df
    ([-0.8473, -0.539], [0.1545, 0.2115], 498.0)
    """
    cells, columns, of_pattern, of_stratum = _checked(x, pattern, stratum, sums, np.size(n_h))
    n, yes = cells[0], cells[1]
    terms = (
        tuple(names) if names is not None else tuple(f"column {i}" for i in range(columns.shape[1]))
    )
    used = np.bincount(of_stratum, n, np.size(n_h)) > 0
    factors = stratum_factors(n_h, used, population_h=population_h, lonely=lonely)
    problem = _Problem(columns, of_pattern, of_stratum, cells, factors)
    _check_groups(problem, group, group_names, fewest_in_group)
    events = min(yes.sum(), n.sum() - yes.sum())
    if events < max(fewest_events * len(terms), 1):
        raise AdjustmentError(
            f"{round(events)} answers of the rarer kind for {len(terms)} parameters; "
            f"{fewest_events:g} for each are needed ({fewest_events * len(terms):g}). Try: adjust "
            "for fewer characteristics, or for broader groups of them."
        )
    df = float(n.sum()) - int(used.sum()) + 1 - len(terms)
    weight, weighted_yes = (problem.over_patterns(column) for column in cells[2:4])
    check_rank(columns[weight > 0], terms)
    coefficients, iterations = maximise(columns, weight, weighted_yes, terms)
    mu = expit(columns @ coefficients)
    bread = floats(np.linalg.inv((columns * (weight * mu * (1 - mu))[:, None]).T @ columns))
    no_levels = np.zeros((len(columns), len(terms)))
    return LogisticFit(
        names=terms,
        coefficients=coefficients,
        covariance=_covariance(problem, mu, no_levels, columns @ bread),
        df=df,
        base=round(float(n.sum())),
        events=round(float(events)),
        iterations=iterations,
        effective_base=_effective_bases(problem, group),
        _problem=problem,
        _bread=bread,
    )


def standardised_percentages(
    fit: LogisticFit,
    settings: ArrayLike,
    *,
    effective_base: ArrayLike | None = None,
    level: float = 0.95,
) -> StandardisedPercentages:
    """Percentages with everyone put in one group after another, other characteristics unchanged.

    Parameters
    ----------
    fit : LogisticFit
        What :func:`logistic_regression` returned.
    settings : array_like
        Columns of each pattern with the group put in, shape (settings, patterns, parameters): the
        patterns and columns of the fit.
    effective_base : array_like, optional
        Effective base of the group each setting puts in, shape (settings,): ``fit.effective_base``
        where settings are the groups in order. Limits then allow for a group's standard error
        resting on its own few answers. Default: the degrees of freedom of the whole design.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    StandardisedPercentages
        Proportions from 0 to 1 over the weighted respondents of the fit.

    Raises
    ------
    CultureAnalyticsError
        If the shape is not that of the fit.

    References
    ----------
    Graubard and Korn (1999).

    Examples
    --------
    Two groups and two jobs; the jobs differ, and the groups do not once the job is known.

    >>> codes = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> labels, factors = [["White", "Other"], ["Nurse", "Doctor"]], ["ethnicity", "job"]
    >>> x, terms = treatment_coding(codes, labels, factors)
    >>> n, yes = [300, 100, 100, 300], [120, 20, 40, 60]
    >>> sums = LogisticSums(n, yes, n, yes, n, yes)
    >>> fit = logistic_regression(x, range(4), [0] * 4, sums, [800], names=terms)
    >>> settings = [treatment_coding(np.c_[[g] * 4, codes[:, 1]], labels, factors)[0]
    ...             for g in (0, 1)]
    >>> found = standardised_percentages(fit, settings)
    >>> found.value.round(3).tolist(), found.se.round(3).tolist()
    ([0.3, 0.3], [0.023, 0.026])
    """
    x = floats(settings)
    problem = fit._problem
    if x.ndim != 3 or x.shape[1:] != problem.x.shape:
        raise CultureAnalyticsError(
            f"Settings of shape {x.shape}. Try: (settings, {problem.x.shape[0]}, "
            f"{problem.x.shape[1]}), the patterns and columns of the fit."
        )
    share = problem.over_patterns(problem.sums[2])
    total = share.sum()
    share = share / total
    predicted = expit(x @ fit.coefficients)
    value = predicted @ share
    gradient = np.einsum("gjk,gj->gk", x, predicted * (1 - predicted) * share)
    levels = (predicted - value[:, None]).T / total
    slopes = problem.x @ fit._bread @ gradient.T
    covariance = _covariance(problem, expit(problem.x @ fit.coefficients), levels, slopes)
    se = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    df = np.full(value.shape, fit.df)
    if effective_base is not None:
        df = np.minimum(df, floats(effective_base) - 2)
    lower, upper = logit(value, se, df, level=level)
    return StandardisedPercentages(value, se, lower, upper, covariance, df)


def standardised_gap(
    standardised: StandardisedPercentages, first: int, second: int, *, level: float = 0.95
) -> StandardisedGap:
    r"""Difference of two standardised proportions, with MOVER limits.

    With :math:`(l, u)` the limits of the two proportions :math:`m` and :math:`\rho` their
    correlation, the lower limit lies

    .. math:: \sqrt{(m_1 - l_1)^2 - 2 \rho (m_1 - l_1)(u_2 - m_2) + (u_2 - m_2)^2}

    below the difference, and the upper likewise above it. Plain :math:`\pm t \, se` would hold the
    true gap of a group of 60 with unequal weights only 90 % of the time.

    Parameters
    ----------
    standardised : StandardisedPercentages
        What :func:`standardised_percentages` returned.
    first, second : int
        Positions of the settings: the gap is the first less the second.
    level : float, default 0.95
        Confidence level.

    Returns
    -------
    StandardisedGap
        As a proportion (multiply by 100 for points). NaN limits where nothing varies.

    Raises
    ------
    CultureAnalyticsError
        If ``level`` is not between 0 and 1.

    References
    ----------
    Graubard and Korn (1999) for the standard error; Zou GY, Donner A (2008). Construction of
    confidence limits about effect measures: a general approach. *Statistics in Medicine*
    27:1693-1702.

    Examples
    --------
    >>> covariance = np.array([[0.0004, 0.0001], [0.0001, 0.0009]])
    >>> value, df = np.array([0.30, 0.20]), np.array([500.0, 500.0])
    >>> limits = np.zeros((2, 2))
    >>> found = StandardisedPercentages(value, np.sqrt([4e-4, 9e-4]), *limits, covariance, df)
    >>> gap = standardised_gap(found, 0, 1)
    >>> [round(float(v), 3) for v in gap]
    [0.1, 0.033, 0.03, 0.161, 0.006]
    """
    from scipy.special import logit as log_odds
    from scipy.special import ndtr, stdtrit

    pair = [first, second]
    v = standardised.covariance[np.ix_(pair, pair)]
    m, se, df = (floats(column)[pair] for column in standardised[:2] + standardised[-1:])
    value, error = float(m[0] - m[1]), float(np.sqrt(max(v[0, 0] + v[1, 1] - 2 * v[0, 1], 0.0)))
    if not (error > 0 and (se > 0).all()):
        return StandardisedGap(value, error, *[float("nan")] * 3)
    shared = float(v[0, 1] / (se[0] * se[1]))

    def joined(lower: FloatArray, upper: FloatArray) -> tuple[float, float]:
        down, up = m - lower, upper - m
        below = down[0] ** 2 - 2 * shared * down[0] * up[1] + up[1] ** 2
        above = up[0] ** 2 - 2 * shared * up[0] * down[1] + down[1] ** 2
        return value - float(np.sqrt(max(below, 0.0))), value + float(np.sqrt(max(above, 0.0)))

    # The level at which the limits touch 0, by halving on the scale of the normal quantile.
    odds, spread = log_odds(m), se / (m * (1 - m))
    low, high = 0.0, _FARTHEST
    for _ in range(40):
        middle = (low + high) / 2
        margin = -stdtrit(df, ndtr(-middle)) * spread
        lower, upper = joined(expit(odds - margin), expit(odds + margin))
        low, high = (low, middle) if lower <= 0 <= upper else (middle, high)
    limits = joined(*logit(m, se, df, level=level))
    return StandardisedGap(value, error, *limits, float(2 * ndtr(-(low + high) / 2)))


def _effective_bases(problem: _Problem, group: ArrayLike | None) -> FloatArray:
    """Kish's effective base of each group."""
    if group is None:
        return np.zeros(0)
    of = np.asarray(group, dtype=np.intp)[problem.pattern]
    return kish(np.bincount(of, problem.sums[2]), np.bincount(of, problem.sums[4]))


def expit(eta: FloatArray) -> FloatArray:
    """Proportions of log-odds."""
    from scipy import special

    return np.asarray(special.expit(eta), dtype=np.float64)


def _checked(
    x: ArrayLike, pattern: ArrayLike, stratum: ArrayLike, sums: LogisticSums, n_strata: int
) -> tuple[tuple[FloatArray, ...], FloatArray, NDArray[np.intp], NDArray[np.intp]]:
    """Arrays of one length that can be what they say, without pairs nobody is in."""
    cells = tuple(floats(column).ravel() for column in sums)
    columns = np.atleast_2d(floats(x))
    of_pattern, of_stratum = (np.asarray(of, dtype=np.intp).ravel() for of in (pattern, stratum))
    if len({values.size for values in (*cells, of_pattern, of_stratum)}) != 1:
        raise CultureAnalyticsError(
            "Sums, patterns and strata differ in length. Try: one element of each for every "
            "(stratum, pattern) pair."
        )
    n, yes, sw, swy = cells[:4]
    impossible = (n < 0) | (yes < 0) | (yes > n) | (sw < 0) | (swy > sw * (1 + 1e-9))
    problems = {
        "pairs of sums cannot be (fewer than 0, or more yes than answers)": impossible,
        "pairs name a pattern that does not exist": (of_pattern < 0) | (of_pattern >= len(columns)),
        "pairs name a stratum that does not exist": (of_stratum < 0) | (of_stratum >= n_strata),
        "patterns have a column that is not a number": ~np.isfinite(columns).all(axis=1),
    }
    for what, wrong in problems.items():
        if wrong.any():
            raise CultureAnalyticsError(f"{int(wrong.sum())} {what}.")
    kept = (n > 0) & (sw > 0)
    return tuple(column[kept] for column in cells), columns, of_pattern[kept], of_stratum[kept]


def _check_groups(
    problem: _Problem, group: ArrayLike | None, names: Sequence[str] | None, fewest: int
) -> None:
    """Refuse groups with too few answers, naming them."""
    if group is None:
        return
    of = np.asarray(group, dtype=np.intp)
    if of.shape != (len(problem.x),):
        raise CultureAnalyticsError("Try: one group for each pattern.")
    base = np.bincount(of, problem.over_patterns(problem.sums[0]), len(names) if names else 0)
    few = np.flatnonzero(base < fewest)
    if few.size:
        which = ", ".join(repr(names[g]) if names else f"number {g}" for g in few.tolist())
        raise AdjustmentError(
            f"{few.size} of {base.size} groups have fewer than {fewest} answers: {which}. "
            "Try: leave them out, or compare broader groups."
        )


def check_rank(x: FloatArray, terms: Sequence[str]) -> None:
    """Refuse columns that are made of columns before them; one row a pattern that somebody has.

    Raises
    ------
    AdjustmentError
        Naming the columns.
    """
    scale = np.linalg.norm(x, axis=0)
    residual = np.linalg.qr(x / np.where(scale > 0, scale, 1.0), mode="r")
    depth = np.zeros(x.shape[1])
    depth[: len(residual)] = np.abs(np.diag(residual))
    extra = np.flatnonzero(depth < _COLLINEAR)
    if extra.size:
        raise AdjustmentError(
            f"{extra.size} of {len(terms)} terms cannot be told apart from the others: "
            f"{', '.join(terms[i] for i in extra.tolist())}. Among these answers they are nobody, "
            "or the same people as a combination of other terms. Try: leave them out, or merge "
            "groups."
        )


def maximise(
    x: FloatArray, weight: FloatArray, yes: FloatArray, terms: Sequence[str]
) -> tuple[FloatArray, int]:
    """Coefficients of greatest (pseudo-)likelihood and iterations: Newton's method, halved steps.

    Raises
    ------
    AdjustmentError
        If no finite coefficients fit (separation).
    """
    scale = weight.sum()
    weight, yes = weight / scale, yes / scale
    p = yes.sum()
    # Start from everyone's log-odds, as far as the columns can express it.
    beta = np.linalg.lstsq(x, np.full(len(x), np.log(p / (1 - p))), rcond=None)[0]
    likelihood = _likelihood(x @ beta, weight, yes)
    step = np.full(beta.shape, np.inf)
    for iteration in range(1, _ITERATIONS + 1):
        mu = expit(x @ beta)
        information = (x * (weight * mu * (1 - mu))[:, None]).T @ x
        try:
            step = np.linalg.solve(information, x.T @ (yes - weight * mu))
        except np.linalg.LinAlgError:
            break
        for _ in range(30):
            moved = _likelihood(x @ (beta + step), weight, yes)
            if moved >= likelihood - 1e-14 * abs(likelihood):
                break
            step = step / 2
        beta, likelihood = beta + step, moved
        eta = np.abs(x @ beta)[weight > 0]
        if not np.isfinite(beta).all() or eta.max() > _SEPARATED:
            break
        if np.max(np.abs(x @ step)) < _CONVERGED * max(1.0, eta.max()):
            return beta, iteration
    moving = np.abs(step) > 1e-3 * np.max(np.abs(step))
    which = ", ".join(name for name, moves in zip(terms, moving, strict=True) if moves)
    raise AdjustmentError(
        "The terms split the answers completely: among the people some of them pick out everyone, "
        f"or no one, said yes, so no finite coefficients fit (separation; see {which}). "
        "Try: merge these groups with others, or leave the characteristic out."
    )


def _likelihood(eta: FloatArray, weight: FloatArray, yes: FloatArray) -> float:
    return float(np.sum(yes * eta - weight * np.logaddexp(0, eta)))


def _covariance(
    problem: _Problem, mu: FloatArray, levels: FloatArray, slopes: FloatArray
) -> FloatArray:
    """Covariance of totals of z = w (level + slope (y - mu)), columns of `levels` and `slopes`.

    `levels` and `slopes` hold one row a pattern and one column an estimate.
    """
    _, _, sw, swy, sw2, sw2y = problem.sums
    at, h = problem.pattern, problem.stratum
    no, yes = levels - slopes * mu[:, None], levels + slopes * (1 - mu[:, None])
    factor = problem.factors.squares[h]
    said_yes = problem.over_patterns(factor * sw2y)
    said_no = problem.over_patterns(factor * (sw2 - sw2y))
    squares = (no * said_no[:, None]).T @ no + (yes * said_yes[:, None]).T @ yes
    totals = problem.over_strata(no[at] * (sw - swy)[:, None] + yes[at] * swy[:, None])
    between = (totals * problem.factors.totals[:, None]).T @ totals
    return np.asarray(squares - between)
