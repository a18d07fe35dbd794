"""Slope and relative index of inequality equal PHEindicatormethods.

phe_sii_normal.csv and phe_sii_proportion.csv are test data of PHEindicatormethods (Department of
Health and Social Care). Its limits are drawn at random, ours are not: they agree up to that noise.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.stats.inequality import gradient_limits, slope_coefficients, slope_index
from culture_analytics.stats.proportion import wilson
from culture_analytics.stats.trend import mover
from tests.stats.test_against_r import REFERENCE

KEYS = ["TestDescription", "Area"]
FILES = {kind: pd.read_csv(REFERENCE / f"phe_sii_{kind}.csv") for kind in ("normal", "proportion")}
CASES = [(kind, *key) for kind, rows in FILES.items() for key in rows.groupby(KEYS).groups]


def case(kind: str, test: str, area: str) -> tuple[pd.DataFrame, pd.Series, np.ndarray]:
    rows = FILES[kind]
    rows = rows[(rows["TestDescription"] == test) & (rows["Area"] == area)].sort_values("Quantile")
    se = rows["StandardError"].to_numpy()
    if kind == "proportion":  # printed in log-odds
        se = se * rows["Value"].to_numpy() * (1 - rows["Value"].to_numpy())
    return rows, rows.iloc[0], se


@pytest.mark.parametrize(("kind", "test", "area"), CASES)
def test_indices(kind: str, test: str, area: str) -> None:
    rows, expected, _ = case(kind, test, area)
    found = slope_index(rows["Value"], rows["Population"])
    np.testing.assert_allclose(found.sii, expected["sii"], rtol=1e-9)
    np.testing.assert_allclose(found.rii, expected["rii"], rtol=1e-9)
    assert np.isnan([found.sii_se, found.sii_lower, found.rii_upper]).all()


@pytest.mark.parametrize(
    ("kind", "test", "area"), [key for key in CASES if "quintiles" not in key[1]]
)
def test_limits_up_to_the_noise_of_drawing(kind: str, test: str, area: str) -> None:
    rows, expected, se = case(kind, test, area)
    level, draws = (0.99, 1e5) if "99%" in test else (0.95, 1e5)
    draws = 1e4 if "10,000" in test else draws
    found = slope_index(rows["Value"], rows["Population"], se=se, level=level)
    tail = (1 - level) / 2
    density = np.exp(-((1.959964 if level == 0.95 else 2.575829) ** 2) / 2) / np.sqrt(2 * np.pi)
    noise = np.sqrt(tail * (1 - tail) / draws) / density  # of a drawn quantile, in standard errors
    for limit in ("lower", "upper"):
        printed = expected[f"sii_{limit}cl_1"]
        assert abs(getattr(found, f"sii_{limit}") - printed) < 3.5 * noise * found.sii_se
        log_se = np.log(found.rii_upper / found.rii_lower) / (2 * 1.959964)
        gap = np.log(getattr(found, f"rii_{limit}") / expected[f"rii_{limit}cl_1"])
        assert abs(gap) < (3.5 * noise + 0.05) * log_se


def test_it_is_weighted_least_squares_on_the_middle_rank() -> None:
    value, size = np.array([12.0, 15.0, 14.0, 22.0, 30.0]), np.array([50, 200, 90, 400, 30])
    rank = (np.cumsum(size) - size / 2) / size.sum()
    x = np.column_stack([np.ones(5), rank])
    first, slope = np.linalg.solve(x.T @ (size[:, None] * x), x.T @ (size * value))
    found = slope_index(value, size)
    np.testing.assert_allclose([found.sii, found.rii], [slope, (first + slope) / first], rtol=1e-12)


def test_two_groups_give_their_line_and_a_flat_gradient_none() -> None:
    found = slope_index([[20.0, 30.0], [25.0, 25.0]], [100, 100])
    np.testing.assert_allclose(found.sii, [20, 0], atol=1e-12)
    np.testing.assert_allclose(found.rii, [35 / 15, 1], rtol=1e-12)


def test_groups_of_nobody_change_nothing() -> None:
    some = slope_index([20.0, 24.0, 31.0], [100, 250, 150], se=[4.0, 2.7, 3.8])
    more = slope_index([20.0, np.nan, 24.0, 31.0], [100, 0, 250, 150], se=[4.0, np.nan, 2.7, 3.8])
    np.testing.assert_allclose(np.array(more), np.array(some), rtol=1e-12)


def test_too_few_groups_or_unknown_values_are_nan() -> None:
    found = slope_index([[20.0, 24.0], [20.0, np.nan]], [[100, 0], [100, 50]], se=1.0)
    assert np.isnan(np.array(found)).all()


def test_a_line_that_passes_nought_has_a_slope_and_no_ratio() -> None:
    found = slope_index([0.1, 1.0, 9.0], [100, 100, 100], se=[0.3, 1.0, 2.8])
    assert found.sii > 0
    assert np.isfinite([found.sii_lower, found.sii_upper]).all()
    assert np.isnan([found.rii, found.rii_lower, found.rii_upper]).all()


def test_no_limits_of_no_width() -> None:
    found = slope_index([20.0, 30.0], [100, 100], se=[0.0, 0.0])
    assert found.sii_se == 0
    assert np.isnan([found.sii_lower, found.sii_upper, found.rii_lower, found.rii_upper]).all()


def test_covariance_of_independent_groups_is_their_standard_errors() -> None:
    value, size, se = [20.0, 24.0, 31.0], [100, 250, 150], np.array([4.0, 2.7, 3.8])
    one, other = (
        slope_index(value, size, se=se, df=40),
        slope_index(value, size, covariance=np.diag(se**2), df=40),
    )
    np.testing.assert_allclose(np.array(one), np.array(other), rtol=1e-12)
    with pytest.raises(CultureAnalyticsError, match="not both"):
        slope_index(value, size, se=se, covariance=np.diag(se**2))


@pytest.mark.parametrize("gradient", [0.0, 0.15])
def test_coverage(gradient: float) -> None:
    rng = np.random.default_rng(3)
    n = np.array([150, 300, 220, 80, 250])
    rank = (np.cumsum(n) - n / 2) / n.sum()
    p = 0.15 + gradient * rank
    p_hat = rng.binomial(n, p, (4000, 5)) / n
    found = slope_index(p_hat, np.broadcast_to(n, p_hat.shape), se=np.sqrt(p_hat * (1 - p_hat) / n))
    truth = slope_index(p, n)
    slope = (found.sii_lower <= truth.sii) & (truth.sii <= found.sii_upper)
    ratio = (found.rii_lower <= truth.rii) & (truth.rii <= found.rii_upper)
    assert 0.94 <= slope.mean() <= 0.96
    assert 0.94 <= ratio.mean() <= 0.965


def limits_of(p: np.ndarray, n: np.ndarray) -> np.ndarray:
    sizes = np.broadcast_to(n, p.shape)
    mean = (p * sizes).sum(axis=-1) / sizes.sum(axis=-1)
    whole = wilson(mean, sizes.sum(axis=-1))
    return np.array(gradient_limits(p, sizes, wilson(p, sizes), whole))


def test_coefficients_are_those_of_the_slope() -> None:
    size, value = np.array([50, 200, 90, 400, 30]), np.array([12.0, 15.0, 14.0, 22.0, 30.0])
    c = slope_coefficients(size)
    np.testing.assert_allclose([c.sum(), c @ value], [0, slope_index(value, size).sii], atol=1e-9)


def test_limits_of_two_equal_groups_are_those_of_their_difference() -> None:
    p, n = np.array([0.2, 0.3]), np.array([80.0, 80.0])
    sii_lower, sii_upper, rii_lower, rii_upper = limits_of(p, n)
    low, high = wilson(p, n)
    both = mover(p[1], low[1], high[1], p[0], low[0], high[0])
    np.testing.assert_allclose([sii_lower, sii_upper], 2 * np.array(both), rtol=1e-9)
    # Where the limits of the slope touch 0 those of the ratio touch 1.
    assert (sii_lower < 0) == (rii_lower < 1)
    assert rii_lower < slope_index(p, n).rii < rii_upper


def test_turning_the_order_round_turns_the_limits_round() -> None:
    p, n = np.array([0.10, 0.16, 0.15, 0.27]), np.array([100.0, 40.0, 300.0, 150.0])
    sii_lower, sii_upper, rii_lower, rii_upper = limits_of(p, n)
    turned = limits_of(p[::-1], n[::-1])
    np.testing.assert_allclose(turned[:2], [-sii_upper, -sii_lower], rtol=1e-9)
    np.testing.assert_allclose(turned[2:], [1 / rii_upper, 1 / rii_lower], rtol=1e-9)


def test_groups_without_any_yes_have_limits_and_a_ratio_may_have_no_upper_one() -> None:
    found = limits_of(np.array([0.0, 0.0, 0.2]), np.array([20.0, 20.0, 20.0]))
    assert found[0] < slope_index([0.0, 0.0, 0.2], [20, 20, 20]).sii < found[1]
    assert (found[0] > 0) == (found[2] > 1) and np.isinf(found[3])
    nobody = limits_of(np.zeros(3), np.full(3, 20.0))
    assert nobody[0] < 0 < nobody[1] and nobody[2] == 0 and np.isinf(nobody[3])


@pytest.mark.parametrize("size", [(11, 11, 11), (15, 20, 12), (30, 40, 50, 30), (11, 300, 400, 20)])
@pytest.mark.parametrize("rate", [0.05, 0.15, 0.4])
@pytest.mark.parametrize("gradient", [-0.8, 0.0, 0.8])
def test_coverage_of_limits_made_of_the_groups_limits(
    size: tuple[int, ...], rate: float, gradient: float
) -> None:
    rng = np.random.default_rng(4)
    n = np.array(size, dtype=float)
    eta = np.log(rate / (1 - rate)) + gradient * np.linspace(-1, 1, len(n))
    p = 1 / (1 + np.exp(-eta))
    seen = rng.binomial(n.astype(int), p, (3000, len(n))) / n
    sii_lower, sii_upper, rii_lower, rii_upper = limits_of(seen, n)
    truth = slope_index(p, n)
    slope = (sii_lower <= truth.sii) & (truth.sii <= sii_upper)
    assert slope.mean() >= 0.92
    if np.isfinite(truth.rii):
        shown = np.isfinite(slope_index(seen, np.broadcast_to(n, seen.shape)).rii)
        ratio = (rii_lower <= truth.rii) & (truth.rii <= rii_upper)
        assert ratio[shown].mean() >= 0.92
