"""Pooled rates and scores: what R's sums over grids say, what happened after, and how they hold.

The numbers were printed by tests/reference/pooling.R.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad

from culture_analytics.errors import AdjustmentError, CultureAnalyticsError
from culture_analytics.stats import (
    logistic_intercepts,
    pool_rates,
    pool_scores,
    shrink_estimates,
    shrunken_rates,
)
from culture_analytics.stats.pooling import PooledUnits
from tests.stats.test_against_r import REFERENCE

R = pd.read_csv(REFERENCE / "pooling_r.csv")
LME4 = pd.read_csv(REFERENCE / "multilevel_data.csv", dtype={"group": "str"})

# Efron B, Morris C (1975), table 1: hits of 18 players in their first 45 times at bat in 1970, and
# their averages over the rest of the season.
HITS = np.array([18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7])
SEASON = np.array([.346, .298, .276, .222, .273, .270, .263, .210, .269, .230, .264, .256, .303,
                   .264, .226, .285, .316, .200])  # fmt: skip


def angles(average: np.ndarray) -> np.ndarray:
    """The paper's transformation, after which every average has a standard deviation of 1."""
    return np.asarray(np.sqrt(45) * np.arcsin(2 * average - 1))


def cbpp() -> PooledUnits:
    rows = LME4[LME4["dataset"].eq("cbpp")]
    herds = rows.groupby(rows["group"].astype(int))[["n", "y"]].sum()
    return pool_rates(herds["n"], herds["y"])


def uneven() -> PooledUnits:
    n = [11, 15, 20, 28, 40, 55, 80, 110, 150, 220, 300, 400]
    return pool_rates(n, [0, 3, 1, 0, 4, 11, 3, 2, 20, 15, 24, 61])


def dyestuff() -> PooledUnits:
    batches = LME4[LME4["dataset"].eq("dyestuff")].groupby("group")["y"]
    return pool_scores(batches.mean(), np.full(6, np.sqrt(batches.var().mean() / 5)))


CASES: dict[str, Callable[[], PooledUnits]] = {
    "baseball": lambda: pool_rates(np.full(18, 45), HITS),
    "cbpp": cbpp,
    "uneven": uneven,
    "schools": lambda: pool_scores([28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18]),
    "dyestuff": dyestuff,
    "baseball_angles": lambda: pool_scores(angles(HITS / 45), np.ones(18)),
}


@pytest.mark.parametrize("name", list(CASES))
def test_equal_to_sums_over_fine_grids_in_r(name: str) -> None:
    rows, found = R[R["dataset"].eq(name)], CASES[name]()
    width = (rows["upper"] - rows["lower"]).max()
    for column in ("value", "lower", "upper"):
        np.testing.assert_allclose(getattr(found, column), rows[column], atol=2e-3 * width)
    np.testing.assert_allclose(found.spread, rows["spread"].iloc[0], rtol=0.03)  # a long tail


def test_equal_standard_errors_have_one_integral() -> None:
    """All units move the same part of the way: the mean shrinkage, by quadrature."""
    x = angles(HITS / 45)
    found = pool_scores(x, np.ones(18))
    squares, k = float(((x - x.mean()) ** 2).sum()), 18

    def density(b: float) -> float:  # of the shrinkage b = 1 / (1 + tau^2), tau d tau
        return float(b ** ((k - 5) / 2) * np.exp(-b * squares / 2) / 2)

    # No variance has three tenths of the weight where the squares are as chance makes them.
    usual = quad(lambda b: b ** ((k - 5) / 2) * np.exp((1 - b) * (k - 1) / 2) / 2, 0, 1)[0]
    none = 0.3 / 0.7 * usual * np.exp(-squares / 2)
    total = quad(density, 0, 1)[0] + none
    part = (quad(lambda b: b * density(b), 0, 1)[0] + none) / total
    np.testing.assert_allclose(found.value, x - part * (x - x.mean()), atol=2e-3)
    spread = quad(lambda b: np.sqrt((1 - b) / b) * density(b), 0, 1)[0] / total
    np.testing.assert_allclose(found.spread, spread, rtol=0.01)


def test_the_rest_of_the_season_in_1970() -> None:
    """Efron and Morris: 17.56 and 5.01 squared error on the paper's scale, 79.1 % of the way."""
    x, rest = angles(HITS / 45), angles(SEASON)
    stein = shrink_estimates(x, np.ones(18))
    np.testing.assert_allclose(stein.shrinkage, 0.791, atol=5e-4)
    raw = np.sum((x - rest) ** 2)
    np.testing.assert_allclose([raw, np.sum((stein.value - rest) ** 2)], [17.56, 5.01], atol=0.02)
    np.testing.assert_allclose(raw / np.sum((stein.value - rest) ** 2), 3.50, atol=0.02)
    # Pooled rates do as well, on the players' own scale, and their limits hold 17 of 18.
    found = pool_rates(np.full(18, 45), HITS)
    error = np.sum((found.value - SEASON) ** 2) / np.sum((HITS / 45 - SEASON) ** 2)
    assert error < 1 / 3
    held = np.abs(SEASON - (found.lower + found.upper) / 2) <= (found.upper - found.lower) / 2
    assert held.sum() == 17


def test_units_alike_are_drawn_together_and_units_far_apart_left() -> None:
    n = np.full(30, 60)
    alike = pool_rates(n, np.full(30, 12))
    np.testing.assert_allclose(alike.value, 0.2, atol=5e-3)
    assert (alike.lower < 0.2).all() and (alike.upper > 0.2).all()
    apart = pool_rates(np.full(6, 4000), [40, 800, 1600, 2400, 3200, 3960])
    np.testing.assert_allclose(apart.value, np.array([0.01, 0.2, 0.4, 0.6, 0.8, 0.99]), atol=1e-3)


def test_yes_and_no_are_mirror_images() -> None:
    n, yes = np.array([20, 35, 50, 80, 120, 300]), np.array([0, 3, 12, 9, 20, 31])
    one, other = pool_rates(n, yes), pool_rates(n, n - yes)
    np.testing.assert_allclose(one.value, 1 - other.value, atol=1e-6)
    np.testing.assert_allclose(one.lower, 1 - other.upper, atol=1e-6)


def test_scores_keep_their_unit_and_origin() -> None:
    y, se = np.array([5.1, 6.0, 6.4, 7.2, 5.8, 6.6]), np.array([0.2, 0.3, 0.1, 0.5, 0.4, 0.2])
    one, other = pool_scores(y, se), pool_scores(100 + 10 * y, 10 * se)
    np.testing.assert_allclose(other.value, 100 + 10 * one.value, rtol=1e-9)
    np.testing.assert_allclose(other.upper - other.lower, 10 * (one.upper - one.lower), rtol=1e-9)
    np.testing.assert_allclose(other.spread, 10 * one.spread, rtol=1e-9)


@pytest.mark.parametrize("count", [5, 12, 400])
def test_extremes_have_finite_limits_of_some_width(count: int) -> None:
    """One answer a unit, none, all, very large and effective bases: nothing breaks."""
    n = np.resize([1.0, 11.5, 30, 250, 90_000], count)
    yes = np.resize([0.0, 0, 30, 6.25, 9_000], count)
    found = pool_rates(n, yes)
    assert np.isfinite(found.value).all()
    assert ((found.lower <= found.value) & (found.value <= found.upper)).all()
    assert (found.lower < found.upper).all()
    assert (found.lower >= 0).all() and (found.upper <= 1).all()


def test_units_that_differ_by_less_than_chance_share_one_figure_most_of_all() -> None:
    """The fewer the differences, the narrower the limits; never narrower than the common rate's."""
    z = np.sin(np.arange(1.0, 31))
    z = (z - z.mean()) / z.std(ddof=1)
    widths = [
        np.mean(found.upper - found.lower)
        for found in (pool_scores(5 + much * z, np.ones(30)) for much in (0.2, 0.7, 1, 1.4, 3))
    ]
    assert (np.diff(widths) > 0).all()
    assert widths[0] > 2 * 1.96 / np.sqrt(30)
    n = np.full(30, 60)
    rates = [
        np.mean(found.upper - found.lower)
        for found in (
            pool_rates(n, np.round(12 + much * np.sqrt(60 * 0.16) * z).clip(0))
            for much in (0, 0.7, 1.4, 3)
        )
    ]
    assert (np.diff(rates) > 0).all()
    assert rates[0] > 0.95 * 2 * 1.96 * np.sqrt(0.16 / 1800)


def drawn(
    rng: np.random.Generator, mean: float, sd: float, shape: str, units: int
) -> tuple[np.ndarray, np.ndarray]:
    n = np.clip(np.exp(rng.normal(3.6, 0.9, units)), 11, 300).astype(int)
    if shape == "beta":
        both = mean * (1 - mean) / sd**2 - 1
        return n, rng.beta(mean * both, (1 - mean) * both, units)
    if shape == "log-odds":
        odds = mean / (1 - mean) * np.exp(rng.normal(0, sd / mean / (1 - mean), units))
        return n, odds / (1 + odds)
    return n, np.clip(rng.normal(mean, sd, units), 0.005, 1)


@pytest.mark.parametrize("shape", ["rates", "beta", "log-odds"])
@pytest.mark.parametrize(("mean", "sd"), [(0.1, 0.04), (0.05, 0.04)])
def test_limits_hold_whatever_is_normal(shape: str, mean: float, sd: float) -> None:
    rng = np.random.default_rng(4)
    inside, error, raw = [], 0.0, 0.0
    for _ in range(8):
        n, p = drawn(rng, mean, sd, shape, 150)
        yes = rng.binomial(n, p)
        found = pool_rates(n, yes)
        inside.append(((found.lower <= p) & (p <= found.upper)).mean())
        error += np.sum((found.value - p) ** 2)
        raw += np.sum((yes / n - p) ** 2)
    assert 0.93 <= np.mean(inside) <= 0.97
    assert error < 0.65 * raw


def test_log_odds_alone_miss_rates_near_nothing() -> None:
    """Why shapes are averaged over: the logistic model's limits on the same counts."""
    rng = np.random.default_rng(4)
    alone: list[float] = []
    averaged: list[float] = []
    for _ in range(8):
        n, p = drawn(rng, 0.05, 0.04, "rates", 150)
        yes = rng.binomial(n, p)
        for limits, found in (
            (alone, shrunken_rates(logistic_intercepts(n, yes, range(150)))),
            (averaged, pool_rates(n, yes)),
        ):
            limits.append(float(((found.lower <= p) & (p <= found.upper)).mean()))
    assert np.mean(alone) < 0.9
    assert np.mean(averaged) > 0.93


def test_what_cannot_be_pooled_is_refused() -> None:
    with pytest.raises(AdjustmentError, match="4 units; .*at least 5"):
        pool_rates([20] * 4, [3] * 4)
    with pytest.raises(AdjustmentError, match="4 units"):
        pool_scores([1.0, 2, 3, 4], [1.0] * 4)
    for yes in (0, 20):
        with pytest.raises(AdjustmentError, match="nothing varies"):
            pool_rates([20] * 6, [yes] * 6)
    with pytest.raises(CultureAnalyticsError, match="2 of 6 units cannot be"):
        pool_rates([20, 0, 20, 20, 20, 20], [3, 0, 21, 4, 5, 6])
    with pytest.raises(CultureAnalyticsError, match="1 of 6 estimates"):
        pool_scores([1.0, np.nan, 3, 4, 5, 6], [1.0] * 6)
    with pytest.raises(CultureAnalyticsError, match="level must lie"):
        pool_rates([20] * 6, [3, 4, 5, 6, 7, 8], level=95)
