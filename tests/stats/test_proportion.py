"""Limits of a proportion against published implementations, and at the awkward ends."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.stats import INTERVALS, beta, logit, logit_beta, wilson

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
PINNED = json.loads((REFERENCE / "svyciprop_r_pinned.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("level", "suffix"), [(0.95, "95_0cl"), (0.998, "99_8cl")])
def test_wilson_equals_phe_proportion(level: float, suffix: str) -> None:
    table = pd.read_csv(REFERENCE / "phe_proportion_wilson.csv")
    assert len(table) == 8
    share = (table["Numerator"] / table["Denominator"]).to_numpy()
    lower, upper = wilson(share, table["Denominator"].to_numpy(), level=level)
    np.testing.assert_allclose(lower, table[f"lower{suffix}"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(upper, table[f"upper{suffix}"], rtol=0, atol=1e-12)


def test_wilson_ends_are_exact() -> None:
    base = np.array([1, 3.7, 11, 1e3, 7.5e5])
    z2 = 1.959963984540054**2
    lower, upper = wilson(np.zeros(5), base)
    assert (lower == 0).all()
    np.testing.assert_allclose(upper, z2 / (base + z2), rtol=0, atol=1e-15)
    lower, upper = wilson(np.ones(5), base)
    assert (upper == 1).all()
    np.testing.assert_allclose(lower, base / (base + z2), rtol=1e-14)


def test_wilson_keeps_its_digits_near_zero() -> None:
    # p = 1e-9 on a base of 10: the smaller root is about n p^2 / z^2.
    lower, upper = wilson(1e-9, 10)
    np.testing.assert_allclose(lower, 10 * 1e-18 / 1.959963984540054**2, rtol=1e-7)
    mirrored, _ = wilson(1 - 1e-9, 10)
    np.testing.assert_allclose(mirrored, 1 - upper, rtol=1e-12)


@pytest.mark.parametrize("base", [0, np.nan, -3])
def test_wilson_without_a_base_has_no_limits(base: float) -> None:
    assert np.isnan(wilson([0.0, 0.5, np.nan], base)).all()


def test_a_missing_proportion_has_no_limits() -> None:
    assert np.isnan(wilson(np.nan, 10)).all()
    for function in (beta, logit_beta):
        assert np.isnan(function(np.nan, np.nan, 10, 10)).all()
    assert np.isnan(logit(np.nan, np.nan, 10)).all()


@pytest.mark.parametrize("method", ["beta", "logit"])
def test_limits_equal_numbers_printed_by_r(method: str) -> None:
    rows = pd.DataFrame(PINNED[method])
    interval = INTERVALS[method]
    lower, upper = interval.function(*(rows[name].to_numpy() for name in interval.needs))
    np.testing.assert_allclose(lower, rows["lo"], rtol=0, atol=PINNED["tolerance"])
    np.testing.assert_allclose(upper, rows["hi"], rtol=0, atol=PINNED["tolerance"])


@pytest.mark.parametrize("yes", [0, 1, 7, 24, 25])
def test_beta_is_clopper_pearson_where_answers_are_worth_one_each(yes: int) -> None:
    n, p = 25, yes / 25
    exact = binomtest(yes, n).proportion_ci(method="exact")
    lower, upper = beta(p, np.sqrt(p * (1 - p) / n), n - 1, n)
    np.testing.assert_allclose([lower, upper], [exact.low, exact.high], rtol=1e-10)


def test_beta_at_the_ends_uses_the_effective_base() -> None:
    # 0 of n: the upper limit is 1 - 0.025^(1/n).
    lower, upper = beta([0.0, 1.0], 0.0, 99, 100, effective_n=40.0)
    np.testing.assert_allclose(lower, [0, 0.025 ** (1 / 40)], rtol=1e-12)
    np.testing.assert_allclose(upper, [1 - 0.025 ** (1 / 40), 1], rtol=1e-12)
    assert lower[0] == 0
    assert upper[1] == 1
    _, costly = beta(0.0, 0.0, 3, 100, effective_n=40.0)  # few df: wider
    assert costly > upper[0]


@pytest.mark.parametrize("df", [0, -2, np.nan])
def test_no_degrees_of_freedom_no_limits(df: float) -> None:
    p, se = np.array([0.0, 0.4, 1.0]), np.array([0.0, 0.1, 0.0])
    for limits in (logit(p, se, df), beta(p, se, df, 6), logit_beta(p, se, df, 6)):
        assert np.isnan(limits).all()


def test_one_respondent_has_no_design_based_limits() -> None:
    assert np.isnan(beta([0.0, 1.0], 0.0, 1, 1)).all()
    assert np.isnan(beta([0.0, 1.0], 0.0, 1, 0)).all()


def test_no_limits_of_zero_width() -> None:
    # An se of 0 inside (0, 1) can only be the absence of information.
    for limits in (logit(0.4, 0.0, 20), beta(0.4, 0.0, 20, 30), logit_beta(0.4, 0.0, 20, 30)):
        assert np.isnan(limits).all()


def test_infinite_df_is_the_normal_quantile() -> None:
    np.testing.assert_allclose(logit(0.3, 0.02, np.inf), logit(0.3, 0.02, 1e12), rtol=1e-9)
    np.testing.assert_allclose(beta(0.3, 0.02, np.inf, 1e12), beta(0.3, 0.02, 1e12, 1e12))


def test_arrays_broadcast() -> None:
    p = np.array([[0.2], [0.0], [0.7]])
    lower, upper = logit_beta(p, 0.05, np.array([10, 20]), 30)
    assert lower.shape == upper.shape == (3, 2)
    one_lower, one_upper = logit_beta(0.7, 0.05, 20, 30)
    assert (lower[2, 1], upper[2, 1]) == (one_lower, one_upper)


def test_all_of_them_after_rounding_is_all_of_them() -> None:
    p = np.array([1 - 2**-53, 1 + 2**-52, -(2**-60)])
    lower, upper = logit_beta(p, 1e-17, 20, 30)
    np.testing.assert_array_equal(
        [lower, upper], logit_beta(np.array([1.0, 1.0, 0.0]), 0.0, 20, 30)
    )
    assert wilson(p, 30)[1][1] == 1


def test_percentages_and_wrong_levels_are_refused() -> None:
    with pytest.raises(CultureAnalyticsError, match=r"2 of 3 proportions .* divide percentages"):
        wilson([41.6, 0.2, -0.1], 100)
    for level in (95, 1.0, 0.0, -0.5):
        with pytest.raises(CultureAnalyticsError, match="level"):
            wilson(0.5, 10, level=level)
        with pytest.raises(CultureAnalyticsError, match="level"):
            logit(0.5, 0.1, 10, level=level)


def test_the_table_of_intervals_describes_its_functions() -> None:
    values = {"p": 0.3, "n": 50, "effective_n": 48, "se": 0.065, "df": 49, "mean": 0.3}
    for name, interval in INTERVALS.items():
        on_scale = {"bounds": (0, 1)} if name == "logit_t" else {}
        lower, upper = interval.function(
            *(values[need] for need in interval.needs), level=0.9, **on_scale
        )
        assert 0.15 < lower < 0.3 < upper < 0.45, name
        assert interval.description
