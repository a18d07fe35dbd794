"""LMG and relative weights equal R's (tests/reference/drivers.R); the bootstrap draws units."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from culture_analytics.errors import AdjustmentError, CultureAnalyticsError
from culture_analytics.stats.drivers import (
    MOST_PREDICTORS,
    cluster_bootstrap,
    cross_products,
    lmg,
    r_squared,
    relative_weights,
)
from tests.stats.test_against_r import REFERENCE

PRINTED = pd.read_csv(REFERENCE / "drivers_r.csv")
DATASETS = ["swiss", "attitude", "longley_part", "mtcars_part", "two"]


def correlation(dataset: str) -> np.ndarray:
    rows = PRINTED[(PRINTED["dataset"] == dataset) & (PRINTED["what"] == "correlation")]
    return rows.pivot_table(index="row", columns="column", values="value").to_numpy(dtype=float)


def printed(dataset: str, what: str) -> np.ndarray:
    rows = PRINTED[(PRINTED["dataset"] == dataset) & (PRINTED["what"] == what)]
    return rows.sort_values("row")["value"].to_numpy(dtype=float)


def test_the_published_swiss_example() -> None:
    assert lmg(correlation("swiss")).round(4).tolist() == [0.0571, 0.1712, 0.2601, 0.1056, 0.1128]


@pytest.mark.parametrize("dataset", DATASETS)
def test_shares_equal_r(dataset: str) -> None:
    r = correlation(dataset)
    np.testing.assert_allclose(lmg(r), printed(dataset, "lmg"), atol=1e-9)
    np.testing.assert_allclose(relative_weights(r), printed(dataset, "johnson"), atol=1e-9)


@pytest.mark.parametrize("dataset", DATASETS)
def test_shares_add_up(dataset: str) -> None:
    r = correlation(dataset)
    b = np.linalg.solve(r[1:, 1:], r[1:, 0])
    assert r_squared(r) == pytest.approx(float(b @ r[1:, 0]))
    assert lmg(r).sum() == pytest.approx(float(r_squared(r)))
    assert relative_weights(r).sum() == pytest.approx(float(r_squared(r)))
    assert (lmg(r) >= 0).all() and (relative_weights(r) >= 0).all()


def test_many_matrices_at_once_are_as_one_by_one() -> None:
    rng = np.random.default_rng(3)
    stack = np.array(
        [np.corrcoef(rng.normal(size=(5, 40)) + rng.normal(size=40)) for _ in range(6)]
    )
    for share in (lmg, relative_weights, r_squared):
        one_by_one = np.array([share(r) for r in stack])
        np.testing.assert_allclose(share(stack), one_by_one, atol=1e-12)


def test_two_predictors_share_alike_both_ways() -> None:
    r = correlation("two")
    np.testing.assert_allclose(lmg(r), relative_weights(r), atol=1e-12)


def test_unrelated_predictors_have_their_squared_correlations() -> None:
    r = np.eye(4)
    r[0, 1:] = r[1:, 0] = [0.6, 0.3, 0.0]
    for share in (lmg, relative_weights):
        np.testing.assert_allclose(share(r), [0.36, 0.09, 0.0], atol=1e-12)


def test_order_of_the_predictors_does_not_matter() -> None:
    r = correlation("swiss")
    turned = [0, 3, 5, 1, 4, 2]
    for share in (lmg, relative_weights):
        np.testing.assert_allclose(
            share(r[np.ix_(turned, turned)]), share(r)[np.array(turned[1:]) - 1], atol=1e-12
        )


def test_collinear_predictors_have_no_share() -> None:
    r = np.array([[1, 0.5, 0.5], [0.5, 1, 1], [0.5, 1, 1]])
    for share in (lmg, relative_weights):
        assert np.isnan(share(r)).all()
        assert np.isfinite(share(np.array([r, np.eye(3)]))[1]).all()


def test_what_cannot_be() -> None:
    with pytest.raises(CultureAnalyticsError, match=f"up to {MOST_PREDICTORS}"):
        lmg(np.eye(MOST_PREDICTORS + 2))
    with pytest.raises(CultureAnalyticsError, match="Square"):
        relative_weights(np.ones((2, 3)))
    with pytest.raises(CultureAnalyticsError, match="one unit for each"):
        cross_products(np.ones((3, 2)), [0, 1])
    with pytest.raises(AdjustmentError, match="None of 3 respondents"):
        cross_products(np.full((3, 2), np.nan), [0, 1, 1])
    few = cross_products(np.random.default_rng(1).normal(size=(90, 3)), np.arange(90) % 9)
    with pytest.raises(AdjustmentError, match="9 units"):
        cluster_bootstrap(few, lmg)


def test_cross_products_are_those_of_the_respondents() -> None:
    rng = np.random.default_rng(8)
    x = 1e6 + rng.normal(size=(300, 4)) @ rng.normal(size=(4, 4))
    x[::17, 2] = np.nan
    unit = rng.integers(-1, 12, 300)
    found = cross_products(x, unit, n_units=14)
    whole = np.isfinite(x).all(axis=1) & (unit >= 0)
    np.testing.assert_allclose(found.covariance(), np.cov(x[whole].T), rtol=1e-8)
    np.testing.assert_allclose(found.correlation(), np.corrcoef(x[whole].T), rtol=1e-8)
    counts = rng.integers(0, 3, 14)
    again = np.repeat(np.arange(300)[whole], counts[unit[whole]])
    np.testing.assert_allclose(found.covariance(counts), np.cov(x[again].T), rtol=1e-8)
    assert found.n.tolist()[-2:] == [0, 0]


WEIGHTED = pd.read_csv(REFERENCE / "weighted_r.csv")


@pytest.mark.parametrize("dataset", ["swiss", "attitude", "mtcars_part"])
def test_weighted_shares_equal_weighted_least_squares_in_r(dataset: str) -> None:
    rows = WEIGHTED[WEIGHTED["dataset"].eq(dataset)]

    def of(what: str) -> np.ndarray:
        return rows.loc[rows["what"].eq(what), "value"].to_numpy(dtype=float)

    k = len(of("lmg")) + 1
    r = of("correlation").reshape(k, k)
    assert r_squared(r).item() == pytest.approx(of("r_squared").item(), abs=1e-9)
    np.testing.assert_allclose(lmg(r), of("lmg"), atol=1e-9)
    np.testing.assert_allclose(relative_weights(r), of("johnson"), atol=1e-9)


def test_weighted_cross_products_are_those_of_the_respondents() -> None:
    rng = np.random.default_rng(8)
    x = 1e6 + rng.normal(size=(300, 4)) @ rng.normal(size=(4, 4))
    x[::17, 2] = np.nan
    unit, w = rng.integers(-1, 12, 300), rng.gamma(1, 1, 300)
    w[::9] = 0
    found = cross_products(x, unit, n_units=12, weights=w)
    whole = np.isfinite(x).all(axis=1) & (unit >= 0) & (w > 0)
    assert found.n.sum() == whole.sum()
    np.testing.assert_allclose(found.covariance(), np.cov(x[whole].T, aweights=w[whole]), rtol=1e-8)
    counts = rng.integers(0, 3, 12)
    again = np.repeat(np.arange(300)[whole], counts[unit[whole]])
    np.testing.assert_allclose(
        found.covariance(counts), np.cov(x[again].T, aweights=w[again]), rtol=1e-8
    )
    np.testing.assert_allclose(
        found.correlation(counts), cross_products(x[again], unit[again], weights=w[again])
        .correlation(), rtol=1e-8,
    )  # fmt: skip
    with pytest.raises(CultureAnalyticsError, match="1 of 300 weights"):
        cross_products(x, unit, weights=np.r_[w[:-1], np.inf])


def test_an_outcome_without_variation_gives_nan() -> None:
    x = np.random.default_rng(2).normal(size=(200, 3))
    x[:, 0] = 7.3
    sums = cross_products(x, np.arange(200) % 20)
    found = cluster_bootstrap(sums, lmg, draws=100)
    assert np.isnan(found.value).all() and np.isnan(found.lower).all() and found.draws == 0


def clustered(rng: np.random.Generator, units: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """An outcome and two predictors, much of all of them common to the unit."""
    unit = np.repeat(np.arange(units), size)
    mix = np.array([[1, 0, 0], [0.6, 0.8, 0], [0.3, 0.2, 0.93]]).T
    common, own = rng.normal(size=(units, 3)) @ mix, rng.normal(size=(units * size, 3)) @ mix
    return common[unit] + own, unit


def test_limits_hold_for_units_and_not_for_people() -> None:
    rng = np.random.default_rng(11)
    truth = 0.6  # correlation of the outcome with the first predictor, between and within

    def first(r: np.ndarray) -> np.ndarray:
        return r[..., 0, 1:2]

    covered, ignoring = [], []
    for run in range(150):
        x, unit = clustered(rng, 60, 20)
        found = cluster_bootstrap(cross_products(x, unit), first, draws=200, seed=run)
        covered.append(found.lower[0] <= truth <= found.upper[0])
        z, se = np.arctanh(found.value[0]), len(x) ** -0.5
        ignoring.append(np.tanh(z - 1.96 * se) <= truth <= np.tanh(z + 1.96 * se))
    assert 0.88 <= np.mean(covered) <= 0.99
    assert np.mean(ignoring) < 0.75


def test_the_same_seed_gives_the_same_limits() -> None:
    x, unit = clustered(np.random.default_rng(4), 30, 10)
    sums = cross_products(x, unit)
    one, two = (cluster_bootstrap(sums, lmg, draws=200, seed=9) for _ in range(2))
    other = cluster_bootstrap(sums, lmg, draws=200, seed=10)
    assert (one.lower == two.lower).all() and (one.lower != other.lower).any()
