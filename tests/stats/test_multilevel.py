"""Random-intercept models equal R's lme4 on documented and made data, and do what they should.

The numbers were printed by tests/reference/multilevel.R.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime

from culture_analytics.errors import AdjustmentError, CultureAnalyticsError
from culture_analytics.stats.multilevel import (
    GaussianIntercepts,
    LogisticIntercepts,
    gaussian_intercepts,
    logistic_intercepts,
    maihda,
    shrink_estimates,
    shrunken_rates,
    variance_limits,
    variance_share,
)
from culture_analytics.stats.regression import treatment_coding
from tests.stats.test_against_r import REFERENCE

DATA = pd.read_csv(
    REFERENCE / "multilevel_data.csv", dtype={"group": "str", "x": "str", "z": "str"}
)
FITS = pd.read_csv(REFERENCE / "multilevel_r.csv", keep_default_na=False, na_values=["", "NA"])
EFFECTS = pd.read_csv(
    REFERENCE / "multilevel_r_effects.csv", dtype={"group": "str"}, keep_default_na=False
)
KEYS = ["dataset", "model", "points"]
CASES = [tuple(key) for key in FITS[KEYS].drop_duplicates().to_numpy().tolist()]
LOGISTIC = [key for key in CASES if key[2]]
GAUSSIAN = [key for key in CASES if not key[2]]


def coded(values: pd.Series) -> tuple[np.ndarray, list[str]]:
    labels = sorted(values.unique(), key=lambda v: (len(v), v))
    return values.map({label: i for i, label in enumerate(labels)}).to_numpy(), labels


def cells_of(dataset: str, model: str) -> tuple[pd.DataFrame, np.ndarray, list[str], Any]:
    rows = DATA[DATA["dataset"] == dataset]
    group, labels = coded(rows["group"])
    if model == "null":
        return rows, group, labels, None
    if dataset == "sleepstudy":
        return rows, group, labels, np.column_stack([np.ones(len(rows)), rows["x"].astype(float)])
    factors = [rows["x"]]
    if dataset == "crossed":
        parts = rows["z"].str.split("/", expand=True)
        factors += [parts[0], parts[1]]
    columns, levels = zip(*(coded(factor) for factor in factors), strict=True)
    x, _ = treatment_coding(np.column_stack(columns), levels, list("abc")[: len(factors)])
    return rows, group, labels, x


def fit(key: tuple[str, str, int]) -> tuple[LogisticIntercepts | GaussianIntercepts, list[str]]:
    dataset, model, points = key
    rows, group, labels, x = cells_of(dataset, model)
    if points:
        return logistic_intercepts(rows["n"], rows["y"], group, x, points=points), labels
    if x is not None:
        return gaussian_intercepts(rows["n"], rows["y"], np.zeros(len(rows)), group, x), labels
    # As an analyst would have them: sizes, means and sums of squares of the groups.
    by = rows["y"].groupby(group)
    return gaussian_intercepts(
        by.size(), by.mean(), by.var() * (by.size() - 1), by.ngroup().unique()
    ), labels


def printed(key: tuple[str, str, int], what: str) -> float:
    rows = FITS[(FITS[KEYS] == list(key)).all(axis=1)].set_index("what")
    return float(rows.loc[what, "value"])


def test_the_reference_covers_what_it_should() -> None:
    assert {key[0] for key in LOGISTIC} == {"cbpp", "crossed", "sparse"}
    assert {key[0] for key in GAUSSIAN} == {"dyestuff", "dyestuff2", "sleepstudy", "scores"}
    assert {key[2] for key in LOGISTIC} == {1, 10}
    assert printed(("dyestuff2", "null", 0), "variance") == 0


@pytest.mark.parametrize("key", LOGISTIC, ids=str)
def test_logistic_parameters(key: tuple[str, str, int]) -> None:
    found, _ = fit(key)
    assert isinstance(found, LogisticIntercepts)
    rows = FITS[(FITS[KEYS] == list(key)).all(axis=1)]
    fixed = rows[~rows["what"].isin(["variance", "residual", "loglik"])]
    # lme4's modes are found to a tolerance of its own: a thousandth of the 2 % allowed.
    np.testing.assert_allclose(found.variance, printed(key, "variance"), rtol=2e-3)
    np.testing.assert_allclose(found.coefficients, fixed["value"], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(found.se, fixed["se"], rtol=5e-3)
    if key[2] == 1:  # with more points lme4 leaves constants out
        np.testing.assert_allclose(found.loglik, printed(key, "loglik"), atol=1e-4)


@pytest.mark.parametrize("key", LOGISTIC, ids=str)
def test_logistic_modes(key: tuple[str, str, int]) -> None:
    found, labels = fit(key)
    rows = EFFECTS[(EFFECTS[KEYS] == list(key)).all(axis=1)].set_index("group").loc[labels]
    np.testing.assert_allclose(found.mode, rows["mode"], rtol=5e-3, atol=1e-3)
    np.testing.assert_allclose(found.mode_variance, rows["variance"], rtol=5e-3)


@pytest.mark.parametrize("key", GAUSSIAN, ids=str)
def test_linear_parameters_and_modes(key: tuple[str, str, int]) -> None:
    found, labels = fit(key)
    assert isinstance(found, GaussianIntercepts)
    rows = FITS[(FITS[KEYS] == list(key)).all(axis=1)]
    fixed = rows[~rows["what"].isin(["variance", "residual", "loglik"])]
    np.testing.assert_allclose(found.variance, printed(key, "variance"), rtol=1e-5)
    np.testing.assert_allclose(found.residual, printed(key, "residual"), rtol=1e-6)
    np.testing.assert_allclose(found.coefficients, fixed["value"], rtol=1e-7)
    np.testing.assert_allclose(found.se, fixed["se"], rtol=1e-6)
    np.testing.assert_allclose(found.loglik, printed(key, "loglik"), rtol=1e-9)
    effects = EFFECTS[(EFFECTS[KEYS] == list(key)).all(axis=1)].set_index("group").loc[labels]
    np.testing.assert_allclose(found.mode, effects["mode"], rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(found.mode_variance, effects["variance"], rtol=1e-5, atol=1e-12)


def test_dyestuff_is_the_balanced_analysis_of_variance() -> None:
    """Balanced groups: REML is (mean square between - within) / 5, by hand."""
    rows = DATA[DATA["dataset"] == "dyestuff"]
    by = rows["y"].groupby(rows["group"])
    within, between = by.var().mean(), 5 * by.mean().var()
    found, _ = fit(("dyestuff", "null", 0))
    np.testing.assert_allclose(found.variance, (between - within) / 5, rtol=1e-6)


@pytest.mark.parametrize("points", [1, 2, 7])
def test_the_gradient_is_that_of_the_value(points: int) -> None:
    found, _ = fit(("crossed", "main", 1))
    likelihood = type(found._likelihood)(found._likelihood.cells, points)  # type: ignore[union-attr]
    theta = np.append(found.coefficients + 0.1, 0.6)
    gradient = likelihood.value_and_gradient(theta)[1]
    numeric = approx_fprime(theta, likelihood.value, 1e-6)
    np.testing.assert_allclose(gradient, numeric, rtol=1e-4, atol=1e-3)


def test_many_points_are_the_integral_itself() -> None:
    """The likelihood of small groups, against a fine grid of the intercept."""
    rows, group, _, _ = cells_of("sparse", "null")
    found = logistic_intercepts(rows["n"], rows["y"], group, points=25)
    v = np.linspace(-12, 12, 20_001)
    sd, mean = np.sqrt(found.variance), found.coefficients[0]
    eta = mean + sd * v
    n, y = (rows[column].to_numpy()[:, None] for column in ("n", "y"))
    density = np.exp(y * eta - n * np.logaddexp(0, eta) - v**2 / 2) / np.sqrt(2 * np.pi)
    integral = np.log(density.sum(axis=1) * (v[1] - v[0])).sum()
    constant = found._likelihood.cells.constant
    np.testing.assert_allclose(found.loglik - constant, integral, atol=1e-8)


def test_variance_limits_are_where_the_deviance_says() -> None:
    found, _ = fit(("crossed", "null", 1))
    lower, upper = variance_limits(found)
    assert 0 < lower < found.variance < upper
    best = found.loglik - found._likelihood.cells.constant
    for limit in (lower, upper):
        _, value = found._likelihood.highest_at(found.coefficients, np.sqrt(limit))
        np.testing.assert_allclose(2 * (best - value), 3.841459, rtol=1e-3)


def test_no_variance_has_a_lower_limit_of_nought_and_shrinks_all_the_way() -> None:
    n = np.full(12, 100)
    found = logistic_intercepts(n, np.full(12, 30), range(12))
    assert found.variance == 0
    assert found.p_value == 1
    assert np.isnan(found.covariance[-1]).all()
    lower, upper = variance_limits(found)
    assert lower == 0
    assert 0 < upper < 0.2
    rates = shrunken_rates(found)
    np.testing.assert_allclose(rates.rate, 0.3, atol=5e-4)
    assert (rates.lower < 0.3).all()
    assert (rates.upper > 0.3).all()
    assert (rates.p_value > 0.95).all()
    np.testing.assert_allclose(rates.residual, 0, atol=1e-3)


def test_under_dispersed_counts_are_no_variance() -> None:
    found = logistic_intercepts([100] * 8, [30, 31, 29, 30, 30, 31, 29, 30], range(8))
    assert found.variance == 0


def test_groups_of_nobody_stay_in_place() -> None:
    n, yes = [80, 0, 60, 90, 70, 100, 120], [20, 0, 30, 20, 35, 22, 60]
    found = logistic_intercepts(n, yes, range(7), n_groups=9)
    without = logistic_intercepts(
        [v for v in n if v], [y for v, y in zip(n, yes, strict=True) if v], range(6)
    )
    np.testing.assert_allclose(found.variance, without.variance, rtol=1e-6)
    rates = shrunken_rates(found)
    assert rates.rate.shape == (9,)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(rates.rate)), [1, 7, 8])
    assert found.mode[1] == 0
    assert found.mode_variance[1] == found.variance


def test_splitting_cells_changes_nothing() -> None:
    n, yes = np.array([80, 60, 90, 70, 100, 120]), np.array([20, 30, 20, 35, 22, 60])
    once = logistic_intercepts(n, yes, range(6))
    order = np.random.default_rng(1).permutation(12)
    group = np.r_[range(6), range(6)][order]
    twice = logistic_intercepts(
        np.r_[n - 30, [30] * 6][order], np.r_[yes - 8, [8] * 6][order], group
    )
    np.testing.assert_allclose(once.variance, twice.variance, rtol=1e-5)
    np.testing.assert_allclose(once.mode, twice.mode, rtol=1e-4, atol=1e-6)


def test_shrinkage_is_towards_what_is_expected_and_more_for_the_small() -> None:
    rng = np.random.default_rng(3)
    n = np.array([8, 15, 30, 60, 120, 250, 500, 1000] * 5)
    yes = rng.binomial(n, 1 / (1 + np.exp(1 - rng.normal(0, 0.6, n.size))))
    rates = shrunken_rates(logistic_intercepts(n, yes, range(n.size)))
    away, kept = np.abs(rates.observed - rates.expected), np.abs(rates.rate - rates.expected)
    assert (kept <= away + 1e-12).all()
    part = (kept / away)[away > 0.02]
    assert part[n[away > 0.02] <= 15].mean() < part[n[away > 0.02] >= 500].mean() - 0.2
    assert ((rates.lower < rates.rate) & (rates.rate < rates.upper)).all()


@pytest.mark.parametrize("sd", [0.3, 0.8])
def test_coverage_of_shrunken_rates_and_variance(sd: float) -> None:
    """Limits of 40 strata hold the true rates, and those of the variance the true variance."""
    rng = np.random.default_rng(17)
    n = np.tile([12, 25, 50, 100, 300], 8)
    inside, held = [], []
    for _ in range(50):
        p = 1 / (1 + np.exp(1.2 - rng.normal(0, sd, 40)))
        found = logistic_intercepts(n, rng.binomial(n, p), range(40))
        rates = shrunken_rates(found)
        inside.append(((rates.lower <= p) & (p <= rates.upper)).mean())
        lower, upper = variance_limits(found)
        held.append(lower <= sd**2 <= upper)
    assert 0.93 <= np.mean(inside) <= 0.97
    assert np.mean(held) >= 0.95 - 2 * np.sqrt(0.95 * 0.05 / 50)


def intersections(
    rng: np.random.Generator, sd: float, sizes: tuple[int, ...], total: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[str, ...]]:
    codes = np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)
    x, names = treatment_coding(codes, [[str(i) for i in range(k)] for k in sizes], list("abc"))
    share = rng.dirichlet(np.full(len(codes), 0.3))
    n = rng.multinomial(total, share)
    effect = np.r_[-1.2, rng.normal(0, 0.4, x.shape[1] - 1)]
    eta = x @ effect + rng.normal(0, sd, len(codes))
    return n, rng.binomial(n, 1 / (1 + np.exp(-eta))), x, names


def test_maihda_finds_what_was_put_in() -> None:
    rng = np.random.default_rng(8)
    n, yes, x, names = intersections(rng, 0.25, (10, 6, 5), 60_000)
    found = maihda(n, yes, range(len(n)), x, names=names)
    assert found.vpc_main_lower <= variance_share(0.25**2) <= found.vpc_main_upper
    assert found.vpc_lower < found.vpc < found.vpc_upper
    assert found.main.variance < found.null.variance
    np.testing.assert_allclose(found.pcv, 1 - found.main.variance / found.null.variance)
    assert found.rates.rate.shape == n.shape


def test_additive_strata_seldom_differ_beyond_their_parts() -> None:
    rng = np.random.default_rng(9)
    beyond = []
    for _ in range(10):
        n, yes, x, names = intersections(rng, 0.0, (6, 5, 2), 8_000)
        p = shrunken_rates(logistic_intercepts(n, yes, range(len(n)), x, names=names)).p_value
        beyond.append(np.nanmean(p < 0.05))
    assert np.mean(beyond) < 0.02  # shrinkage holds chance findings under 5 %


def test_one_stratum_beyond_its_parts_is_found() -> None:
    codes = np.stack(np.unravel_index(np.arange(24), (6, 4)), axis=1)
    x, names = treatment_coding(codes, ["abcdef", "wxyz"], ["first", "second"])
    p = np.full(24, 0.2)
    p[11] = 0.5
    n = np.full(24, 400)
    found = maihda(n, n * p, range(24), x, names=names)
    assert found.rates.p_value.argmin() == 11
    assert found.rates.p_value[11] < 1e-3
    assert (np.delete(found.rates.p_value, 11) > 0.05).all()
    assert found.rates.residual[11] > 0


def test_national_size_is_fast() -> None:
    """775,000 respondents in 2,000 strata, both models with their limits."""
    n, yes, x, names = intersections(np.random.default_rng(4), 0.2, (20, 20, 5), 775_000)
    started = time.process_time()  # not the clock, which other work on the machine moves
    found = maihda(n, yes, range(2000), x, names=names)
    assert time.process_time() - started < 10
    np.testing.assert_allclose(found.main.variance, 0.04, rtol=0.25)


@pytest.mark.parametrize(
    ("n", "yes", "x", "match"),
    [
        ([50] * 4, [10] * 4, None, "4 groups have answers.*at least 5"),
        ([50] * 6, [0] * 6, None, "All 300 answers are the same"),
        ([50] * 6, [50] * 6, None, "All 300 answers are the same"),
        ([1] * 40, [0, 1] * 20, None, "two answers or more"),
        ([50] * 6, [9, 11, 8, 20, 21, 7], np.eye(6), "at least 7 with 6 parameters"),
        ([50] * 6, [9, 11, 8, 20, 21, 7], np.ones((6, 2)), "cannot be told apart"),
        (
            [50] * 6,
            [0, 0, 8, 20, 21, 7],
            np.c_[np.ones(6), [1, 1, 0, 0, 0, 0]],
            "separation",
        ),
    ],
)
def test_what_cannot_be_fitted_is_refused(n: Any, yes: Any, x: Any, match: str) -> None:
    with pytest.raises(AdjustmentError, match=match):
        logistic_intercepts(n, yes, range(len(n)), x)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (([50] * 6, [60] * 6, range(6)), "6 of 6 cells cannot be"),
        (([50] * 6, [10] * 5, range(6)), "differ in length"),
        (([50] * 6, [10] * 6, [-1, 0, 1, 2, 3, 4]), "1 of 6 cells"),
    ],
)
def test_impossible_counts_are_refused(arguments: Any, match: str) -> None:
    with pytest.raises(CultureAnalyticsError, match=match):
        logistic_intercepts(*arguments)


def test_a_linear_model_without_spread_is_refused() -> None:
    with pytest.raises(AdjustmentError, match="Nothing varies"):
        gaussian_intercepts([10] * 6, [5.0] * 6, [0.0] * 6, range(6))


def test_linear_means_are_shrunk_and_their_errors_cover() -> None:
    rng = np.random.default_rng(12)
    n = np.tile([5, 12, 30, 90], 8)
    inside = []
    for _ in range(150):
        truth = rng.normal(6.4, 0.5, n.size)
        mean = rng.normal(truth, 1.8 / np.sqrt(n))
        ss = 1.8**2 * rng.chisquare(n - 1)
        found = gaussian_intercepts(n, mean, ss, range(n.size))
        inside.append((np.abs(found.mean - truth) <= 1.959964 * found.mean_se).mean())
        low, high = np.minimum(mean, found.coefficients[0]), np.maximum(mean, found.coefficients[0])
        assert ((low - 1e-9 <= found.mean) & (found.mean <= high + 1e-9)).all()
    assert 0.92 <= np.mean(inside) <= 0.97


def test_the_origin_of_a_score_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    n = rng.integers(4, 40, 20)
    mean, ss = rng.normal(0, 0.4, 20), rng.chisquare(n - 1)
    near = gaussian_intercepts(n, mean, ss, range(20))
    far = gaussian_intercepts(n, mean + 1e6, ss, range(20))
    np.testing.assert_allclose(far.variance, near.variance, rtol=1e-5)
    np.testing.assert_allclose(far.mode, near.mode, atol=1e-5)


# Efron B, Morris C (1977). Stein's paradox in statistics. Scientific American 236:119-127:
# hits of 18 players in their first 45 times at bat, and the James-Stein averages printed there.
HITS = np.array([18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7])
JAMES_STEIN = [.294, .289, .285, .280, .275, .275, .270, .266, .261, .261, .256, .256, .256, .256,
               .256, .252, .247, .242]  # fmt: skip


def test_efron_and_morris_baseball_players() -> None:
    average = HITS / 45
    centre = average.mean()
    found = shrink_estimates(average, np.full(18, np.sqrt(centre * (1 - centre) / 45)))
    np.testing.assert_allclose(1 - found.shrinkage, 0.212, atol=5e-4)
    np.testing.assert_allclose(found.value, JAMES_STEIN, atol=6e-4)
    np.testing.assert_allclose(found.mean, centre, rtol=1e-12)


def test_shrunken_estimates_cover_and_beat_the_raw_ones() -> None:
    rng = np.random.default_rng(6)
    se = np.tile([0.5, 1.0, 2.0, 4.0], 5)
    inside, error, raw = [], 0.0, 0.0
    for _ in range(400):
        truth = rng.normal(20, 1.5, 20)
        y = rng.normal(truth, se)
        found = shrink_estimates(y, se)
        inside.append(((found.lower <= truth) & (truth <= found.upper)).mean())
        error += np.sum((found.value - truth) ** 2)
        raw += np.sum((y - truth) ** 2)
    assert 0.93 <= np.mean(inside) <= 0.98
    assert error < 0.5 * raw


def test_few_or_unknown_estimates_are_left_alone() -> None:
    found = shrink_estimates([1.0, 5.0, 9.0], [1.0, 1.0, 1.0])
    np.testing.assert_array_equal(found.value, [1, 5, 9])
    assert np.isnan(found.variance)
    found = shrink_estimates([1.0, 5.0, 9.0, 4.0, np.nan, 3.0], [1.0, 2.0, 1.0, 1.0, 1.0, 0.0])
    assert found.shrinkage[4] == found.shrinkage[5] == 0
    assert found.value[5] == 3
    assert (found.shrinkage[:4] > 0).all()


def test_reprs_hold_no_answers() -> None:
    found, _ = fit(("cbpp", "main", 10))
    assert repr(found) == "<LogisticIntercepts: 4 parameters, 15 groups, 10 points>"
    linear, _ = fit(("dyestuff", "null", 0))
    assert repr(linear) == "<GaussianIntercepts: 1 parameters, 6 groups>"


@pytest.mark.parametrize("points", [1, 9])
def test_pairs_leave_the_variance_open_and_still_have_limits(points: int) -> None:
    """Groups of two: next to nothing is known of the variance, which must not break anything."""
    n, yes = np.full(60, 2), np.tile([0, 1, 0, 0, 2, 0], 10)
    found = logistic_intercepts(n, yes, range(60), points=points)
    lower, upper = variance_limits(found)
    assert 0 <= lower <= found.variance < upper
    rates = shrunken_rates(found)
    assert ((rates.lower < rates.rate) & (rates.rate < rates.upper)).all()
