"""Ratios and odds ratios: logarithms against R, score limits against their equation and others.

The logarithms were printed by tests/reference/ratio.R from tests/reference/design_data.csv.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import binom
from statsmodels.stats.proportion import confint_proportions_2indep

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.stats import RatioSums, correlation, difference_se, ratio_se
from culture_analytics.stats.ratio import (
    log_limits,
    log_odds_ratio_se,
    log_ratio_se,
    odds_ratio_limits,
    odds_ratio_score,
    ratio_limits,
    ratio_score,
)
from tests.stats.test_against_r import DESIGNS, REFERENCE, respondents

RATIOS = pd.read_csv(REFERENCE / "ratio_r.csv")
Z = 1.959963984540054
OTHER = {"x": "y", "y": "z", "z": "x"}


def sums_of(
    inside: np.ndarray, data: pd.DataFrame, stratum: np.ndarray, w: np.ndarray
) -> RatioSums:
    y = data["y01"].to_numpy()
    at = inside & ~np.isnan(y)
    columns = (w, w * y, w**2, w**2 * y, w**2 * y)
    size = stratum.max() + 1
    return RatioSums(*(np.bincount(stratum[at], c[at], size)[:, None] for c in columns))


@pytest.mark.parametrize("row", range(len(RATIOS)))
def test_logarithms_of_two_groups_of_one_design(row: int) -> None:
    """From the sums of stats.difference: the covariance comes from the difference's error."""
    expected = RATIOS.iloc[row]
    strata, weights, fpc = DESIGNS[expected["design"]]
    data = respondents("many")
    stratum = pd.factorize(data["stratum"])[0] if strata else np.zeros(len(data), dtype=int)
    n_h = np.bincount(stratum)
    options: dict[str, Any] = {
        "population_h": data.groupby(stratum)["population"].first().to_numpy() if fpc else None
    }
    w = data["weight"].to_numpy() if weights else np.ones(len(data))
    group = data["group2"].to_numpy() == expected["group"]
    rest = ~group
    if expected["kind"] == "other":
        rest = data["group2"].to_numpy() == OTHER[expected["group"]]
    a, b = (sums_of(inside, data, stratum, w) for inside in (group, rest))
    p = [float(np.sum(s.swy) / np.sum(s.sw)) for s in (a, b)]
    se = [ratio_se(s, n_h, **options)[0] for s in (a, b)]
    shared = correlation(*se, difference_se(a, b, n_h, **options).se[0])
    np.testing.assert_allclose(np.log(p[0] / p[1]), expected["log_ratio"], rtol=1e-9)
    np.testing.assert_allclose(
        log_ratio_se(*p, *se, correlation=shared), expected["log_ratio_se"], rtol=1e-9
    )
    np.testing.assert_allclose(
        log_odds_ratio_se(*p, *se, correlation=shared), expected["log_odds_se"], rtol=1e-9
    )


def test_katz_by_hand() -> None:
    """60 of 200 against 60 of 300: variance 1/60 - 1/200 + 1/60 - 1/300."""
    p, n = np.array([0.3, 0.2]), np.array([200, 300])
    se_log = log_ratio_se(*p, *np.sqrt(p * (1 - p) / n))
    np.testing.assert_allclose(se_log, np.sqrt(2 / 60 - 1 / 200 - 1 / 300), rtol=1e-12)
    lower, upper = log_limits(1.5, se_log)
    np.testing.assert_allclose(
        [lower, upper], [1.5 * np.exp(-Z / np.sqrt(40)), 1.5 * np.exp(Z / np.sqrt(40))], rtol=1e-12
    )


def test_koopmans_published_example() -> None:
    """36 of 40 against 16 of 80: 2.94 to 7.15 (Koopman 1984)."""
    lower, upper = ratio_score(36 / 40, 40, 16 / 80, 80, corrected=False)
    assert (round(float(lower), 2), round(float(upper), 2)) == (2.94, 7.15)


COUNTS = [(36, 40, 16, 80), (7, 34, 1, 34), (3, 50, 12, 60), (4, 1000, 90, 9000), (12, 60, 3, 50)]


@pytest.mark.parametrize("corrected", [True, False])
@pytest.mark.parametrize("counts", COUNTS)
def test_score_limits_of_another_library(counts: tuple[int, ...], corrected: bool) -> None:
    """statsmodels finds both by other roads (Nam's closed form; its own search)."""
    x1, n1, x2, n2 = counts
    for compare, ours in (("ratio", ratio_score), ("odds-ratio", odds_ratio_score)):
        theirs = confint_proportions_2indep(
            *counts, method="score", compare=compare, correction=corrected
        )
        found = ours(x1 / n1, n1, x2 / n2, n2, corrected=corrected)
        np.testing.assert_allclose(found, theirs, rtol=1e-6)


def most_likely(x1: float, n1: float, x2: float, n2: float, ratio: float, odds: bool) -> float:
    """Second proportion of greatest likelihood at a ratio, on a fine grid: no formula shared."""
    top = 1.0 if odds or ratio <= 1 else 1 / ratio
    low, high = 0.0, top
    for _ in range(14):
        q = np.linspace(low, high, 403)[1:-1]
        p = ratio * q / (1 - q + ratio * q) if odds else ratio * q
        with np.errstate(divide="ignore", invalid="ignore"):
            fit = (x1 * np.log(p) if x1 else 0) + (x2 * np.log(q) if x2 else 0)
            fit = fit + ((n1 - x1) * np.log1p(-p) if n1 > x1 else 0)
            fit = fit + ((n2 - x2) * np.log1p(-q) if n2 > x2 else 0)
        best = q[np.nanargmax(fit)]
        width = (high - low) / 100
        low, high = max(best - width, 0.0), min(best + width, top)
    return float(best)


EQUATION = [*COUNTS, (0, 20, 6, 80), (6, 80, 0, 20), (20, 20, 20, 25), (5, 5, 9, 9), (1, 6, 2, 5)]


@pytest.mark.parametrize("counts", EQUATION)
def test_ratio_limits_solve_their_equation(counts: tuple[int, ...]) -> None:
    x1, n1, x2, n2 = counts
    p1, p2 = x1 / n1, x2 / n2
    lower, upper = (float(v) for v in ratio_score(p1, n1, p2, n2, corrected=False))
    assert lower < upper
    assert (lower == 0) == (x1 == 0)
    assert np.isinf(upper) == (x2 == 0)
    for limit, sign in ((lower, 1), (upper, -1)):
        if limit == 0 or np.isinf(limit):
            continue
        q2 = most_likely(x1, n1, x2, n2, limit, odds=False)
        q1 = limit * q2
        spread = np.sqrt(q1 * (1 - q1) / n1 + limit**2 * q2 * (1 - q2) / n2)
        np.testing.assert_allclose((p1 - limit * p2) / spread, sign * Z, rtol=1e-4)


@pytest.mark.parametrize("counts", [*COUNTS, (0, 20, 6, 80), (6, 80, 0, 20), (20, 20, 20, 25)])
def test_odds_ratio_limits_solve_their_equation(counts: tuple[int, ...]) -> None:
    x1, n1, x2, n2 = counts
    lower, upper = (float(v) for v in odds_ratio_score(x1 / n1, n1, x2 / n2, n2, corrected=False))
    assert lower < upper
    for limit, sign in ((lower, 1), (upper, -1)):
        if limit == 0 or np.isinf(limit):
            continue
        q2 = most_likely(x1, n1, x2, n2, limit, odds=True)
        q1 = limit * q2 / (1 - q2 + limit * q2)
        information = 1 / (n1 * q1 * (1 - q1)) + 1 / (n2 * q2 * (1 - q2))
        np.testing.assert_allclose((x1 - n1 * q1) * np.sqrt(information), sign * Z, rtol=1e-4)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 2000), st.integers(1, 2000), st.floats(0, 1), st.floats(0, 1))
def test_score_limits_hold_the_estimate_and_turn_round(
    n1: int, n2: int, a: float, b: float
) -> None:
    p1, p2 = round(a * n1) / n1, round(b * n2) / n2
    for ours in (ratio_score, odds_ratio_score):
        lower, upper = (float(v) for v in ours(p1, n1, p2, n2))
        assert 0 <= lower < upper
        back = [float(v) for v in ours(p2, n2, p1, n1)]
        with np.errstate(divide="ignore"):
            np.testing.assert_allclose(
                [lower, upper], [1 / np.float64(back[1]), 1 / np.float64(back[0])], rtol=1e-6
            )
        wider = ours(p1, n1, p2, n2, level=0.99)
        assert wider[0] <= lower
        assert wider[1] >= upper
    if p2 > 0:
        lower, upper = ratio_score(p1, n1, p2, n2)
        assert lower <= p1 / p2 * (1 + 1e-9)
        assert p1 / p2 <= upper * (1 + 1e-9)


def test_odds_of_nearly_everyone_keep_their_digits() -> None:
    """2 of 2 against 87 of 99, and its mirror images."""
    lower, upper = odds_ratio_score([1.0, 0.0], [2, 2], [87 / 99, 12 / 99], 99)
    back = odds_ratio_score(87 / 99, 99, 1.0, 2)
    np.testing.assert_allclose(lower[0], 1 / back[1], rtol=1e-9)
    np.testing.assert_allclose(lower[0], 1 / upper[1], rtol=1e-9)
    np.testing.assert_allclose(lower[0], 0.0654546, rtol=1e-5)


def test_nobody_on_both_sides_says_nothing() -> None:
    for ours in (ratio_score, odds_ratio_score):
        lower, upper = ours([0, 0.5, np.nan], [20, 0, 10], [0, 0.5, 0.5], [30, 10, 10])
        assert (lower[0], upper[0]) == (0, np.inf)
        assert np.isnan([*lower[1:], *upper[1:]]).all()


def test_logarithms_of_nought_are_nan_and_no_limits_have_no_width() -> None:
    assert np.isnan(log_ratio_se([0.0, 0.3], [0.3, 0.0], 0.1, 0.1)).all()
    assert np.isnan(log_odds_ratio_se([0.0, 1.0], [0.3, 0.3], 0.1, 0.1)).all()
    lower, upper = log_limits([1.0, np.inf, 0.0, np.nan], [0.0, 0.2, 0.2, 0.2], 50)
    assert np.isnan([lower, upper]).all()


def test_proportions_must_be_proportions() -> None:
    with pytest.raises(CultureAnalyticsError, match="1 of 1 proportions"):
        ratio_score(30, 100, 0.2, 100)


def choose(x1: Any, n1: int, x2: Any, n2: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Default limits of the ratio of two independent groups, unweighted."""
    x1, x2 = np.broadcast_arrays(np.asarray(x1), np.asarray(x2))
    p1, p2 = x1 / n1, x2 / n2
    se = np.sqrt(p1 * (1 - p1) / (n1 - 1)), np.sqrt(p2 * (1 - p2) / (n2 - 1))
    se_log = log_ratio_se(p1, p2, *se)
    return ratio_limits(p1, p2, se_log, n1 + n2 - 1, yes=(x1, x2), base=(n1, n2))


def test_weights_reach_the_score_limits_through_the_effective_base() -> None:
    some: dict[str, Any] = {"yes": (3, 40), "base": (30, 200)}
    plain = ratio_limits(0.1, 0.2, 0.5, 229, **some)
    weighted = ratio_limits(0.1, 0.2, 0.5, 229, **some, effective_base=(20, 150))
    assert weighted[0] < plain[0] < plain[1] < weighted[1]
    np.testing.assert_allclose(weighted[:2], ratio_score(0.1, 20, 0.2, 150, skewness=True))


def test_the_default_method_follows_the_numerators() -> None:
    lower, upper, method = choose([9, 10, 30, 0, 50, 41, 40], 50, [30, 10, 9, 0, 60, 30, 50], 60)
    assert method.tolist() == ["score", "log", "score", "score", "score", "score", "log"]
    assert (lower < upper).all()
    some: dict[str, Any] = {"yes": ([4, 5, 9, 10], 40), "base": (50, 200)}
    p = np.array([4, 5, 9, 10]) / 50
    weighted = ratio_limits(p, 0.2, 0.5, 49, **some, effective_base=(30, 120))[2]
    assert weighted.tolist() == ["score", "log", "log", "log"]


def test_the_default_method_of_odds_looks_at_those_who_said_no_too() -> None:
    p1, p2 = np.array([0.5, 0.95, 1.0]), np.array([0.4, 0.4, 0.4])
    se = log_odds_ratio_se(p1, p2, np.sqrt(p1 * (1 - p1) / 60), np.sqrt(p2 * (1 - p2) / 60))
    lower, upper, method = odds_ratio_limits(p1, p2, se, 119, yes=(60 * p1, 60 * p2), base=(60, 60))
    assert method.tolist() == ["log", "score", "score"]
    assert (lower < upper).all()
    assert np.isinf(upper[2])


GRID = [
    (n1, n2, p1, p2)
    for n1, n2 in ((30, 30), (50, 400), (1000, 200), (12, 2000))
    for p1, p2 in ((0.05, 0.05), (0.05, 0.15), (0.2, 0.1), (0.3, 0.5), (0.9, 0.85))
]


def coverage(n1: int, n2: int, p1: float, p2: float) -> float:
    """Exact probability that the default limits hold the true ratio: every table, weighted."""
    x1, x2 = (np.arange(n + 1) for n in (n1, n2))
    weight = [binom.pmf(x, n, p) for x, n, p in ((x1, n1, p1), (x2, n2, p2))]
    x1, x2 = x1[weight[0] > 1e-7], x2[weight[1] > 1e-7]
    chance = np.outer(*(w[w > 1e-7] for w in weight))
    lower, upper, _ = choose(x1[:, None], n1, x2[None, :], n2)
    return float(np.sum(chance * ((lower <= p1 / p2) & (p1 / p2 <= upper))))


def test_coverage_of_the_default_limits() -> None:
    held = np.array([coverage(*point) for point in GRID])
    assert held.mean() >= 0.945
    assert held.min() >= 0.92, GRID[held.argmin()]


# -- skewness -------------------------------------------------------------------------------


@pytest.mark.parametrize(("yes", "n"), [(1, 15), (2, 20), (3, 11), (9, 11), (4, 60), (19, 20)])
def test_beside_a_known_rate_they_are_nearly_the_exact_mid_p_limits(yes: int, n: int) -> None:
    """Beside a group of a thousand million only the small group varies; binomial tails by scipy."""
    known, tail = 0.3, 0.025

    def beyond(p: float, tail: float) -> float:
        return float(binom.sf(yes, n, p) + binom.pmf(yes, n, p) / 2) - tail

    ends = (tail, 1 - tail)
    exact = np.array([brentq(beyond, 1e-9, 1 - 1e-9, args=(t,)) for t in ends])
    limits = np.array(ratio_score(yes / n, n, known, 1e9, skewness=True)) * known
    plain = np.array(ratio_score(yes / n, n, known, 1e9)) * known
    np.testing.assert_allclose(limits, exact, atol=0.012)
    assert np.abs(limits - exact).max() < np.abs(plain - exact).max()


def test_skewness_hardly_matters_where_both_sides_are_large() -> None:
    plain, skewed = (
        np.array(ratio_score(0.3, 2000, 0.2, 3000, skewness=some)) for some in (False, True)
    )
    np.testing.assert_allclose(skewed, plain, rtol=2e-3)


def test_skewed_limits_of_the_ratio_turned_round_are_turned_round() -> None:
    lower, upper = ratio_score([0.1, 0.9, 0.0], 20, 0.3, 150, skewness=True)
    back = ratio_score(0.3, 150, [0.1, 0.9, 0.0], 20, skewness=True)
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose([1 / back[1], 1 / back[0]], [lower, upper], rtol=1e-9)
    assert lower[2] == 0 and np.isfinite(upper[2])


@pytest.mark.parametrize("p", [(0.01, 0.02), (0.026, 0.05), (0.5, 0.5), (0.05, 0.5)])
@pytest.mark.parametrize("n", [11, 15, 20, 40])
def test_small_groups_beside_large_ones_are_covered(n: int, p: tuple[float, float]) -> None:
    """Every outcome of the small group, weighed by its probability."""
    m = 3000
    x, y = np.arange(n + 1), binom.ppf(np.linspace(0.01, 0.99, 50), m, p[1])
    cells = np.broadcast_arrays(x[:, None] / n, y[None, :] / m)
    chance = binom.pmf(x, n, p[0])[:, None] / len(y)

    def covered(skewness: bool) -> float:
        lower, upper = ratio_score(cells[0], n, cells[1], m, skewness=skewness)
        return float(np.sum(chance * ((lower <= p[0] / p[1]) & (p[0] / p[1] <= upper))))

    assert covered(True) >= 0.92
    if (n, p[0]) == (15, 0.01):
        assert covered(False) < 0.90
