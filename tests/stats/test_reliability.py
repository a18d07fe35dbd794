"""Alpha, omega and item-rest correlations equal R's psych (tests/reference/reliability.R)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from culture_analytics.errors import AdjustmentError, CultureAnalyticsError
from culture_analytics.stats.reliability import alpha_limits, item_covariance, reliability
from tests.stats.test_against_r import REFERENCE

DATA = pd.read_csv(REFERENCE / "reliability_data.csv")
PRINTED = pd.read_csv(REFERENCE / "reliability_r.csv")
CASES = [tuple(k) for k in PRINTED[["dataset", "missing"]].drop_duplicates().to_numpy().tolist()]


def points(dataset: str) -> np.ndarray:
    rows = DATA[DATA["dataset"] == dataset]
    return rows.pivot_table(index="respondent", columns="item", values="points").to_numpy(
        dtype=float
    )


def printed(dataset: str, missing: str, what: str) -> np.ndarray:
    rows = PRINTED[(PRINTED["dataset"] == dataset) & (PRINTED["missing"] == missing)]
    return rows.loc[rows["what"] == what].sort_values("item")["value"].to_numpy(dtype=float)


def test_the_reference_covers_what_it_should() -> None:
    assert set(CASES) == {
        (d, m) for d in ("good", "mixed", "uneven", "gaps") for m in ("complete", "pairwise")
    }
    assert np.isnan(points("gaps")).mean() == pytest.approx(0.1, abs=0.03)
    assert (
        printed("gaps", "complete", "alpha").item() != printed("gaps", "pairwise", "alpha").item()
    )


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_alpha(case: tuple[str, str]) -> None:
    found = reliability(item_covariance(points(case[0]), missing=case[1]).covariance)
    for what in ("alpha", "standardised_alpha"):
        assert getattr(found, what) == pytest.approx(printed(*case, what).item(), abs=1e-8)
    np.testing.assert_allclose(
        found.alpha_without, printed(*case, "alpha_without"), rtol=0, atol=1e-8
    )


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_omega(case: tuple[str, str]) -> None:
    found = reliability(item_covariance(points(case[0]), missing=case[1]).covariance)
    for what in ("omega", "standardised_omega"):
        assert getattr(found, what) == pytest.approx(printed(*case, what).item(), abs=1e-4)
    assert not found.improper


@pytest.mark.parametrize("dataset", ["good", "mixed", "uneven", "gaps"])
def test_item_rest_and_limits(dataset: str) -> None:
    matrix = item_covariance(points(dataset))
    found = reliability(matrix.covariance)
    np.testing.assert_allclose(
        found.item_rest, printed(dataset, "complete", "item_rest"), rtol=0, atol=1e-8
    )
    limits = alpha_limits(found.alpha, matrix.base, len(found.item_rest))
    for limit, what in zip(limits, ("lower", "upper"), strict=True):
        assert limit == pytest.approx(printed(dataset, "complete", what).item(), abs=1e-8)


WEIGHTED = pd.read_csv(REFERENCE / "weighted_r.csv")


def weights_of(respondents: int) -> np.ndarray:
    """The formula of tests/reference/weighted.R."""
    return 1 + (7 * np.arange(1, respondents + 1)) % 11 / 3


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_weighted_scales_equal_r(case: tuple[str, str]) -> None:
    dataset, missing = case
    rows = WEIGHTED[WEIGHTED["dataset"].eq(dataset) & WEIGHTED["missing"].eq(missing)]

    def of(what: str) -> np.ndarray:
        return rows.loc[rows["what"].eq(what), "value"].to_numpy(dtype=float)

    table = points(dataset)
    w = weights_of(len(table))
    matrix = item_covariance(table, missing=missing, weights=w)
    k = table.shape[1]
    np.testing.assert_allclose(
        matrix.covariance, of("covariance").reshape(k, k), rtol=1e-10, atol=1e-12
    )
    found = reliability(matrix.covariance)
    for what in ("alpha", "standardised_alpha"):
        assert getattr(found, what) == pytest.approx(of(what).item(), abs=1e-8)
    np.testing.assert_allclose(found.alpha_without, of("alpha_without"), rtol=0, atol=1e-8)
    assert found.omega == pytest.approx(of("omega").item(), abs=1e-4)
    if missing == "complete":
        np.testing.assert_allclose(found.item_rest, of("item_rest"), rtol=0, atol=1e-8)
        kept = w[np.isfinite(table).all(axis=1)]
        # svyvar divides by the weights' sum, times n / (n - 1).
        n, freedom = len(kept), 1 - np.sum(kept**2) / np.sum(kept) ** 2
        np.testing.assert_allclose(
            matrix.covariance * freedom * n / (n - 1), of("svyvar").reshape(k, k), rtol=1e-9,
            atol=1e-12,
        )  # fmt: skip
        assert matrix.effective_base == pytest.approx(kept.sum() ** 2 / np.sum(kept**2))


def test_equal_weights_change_nothing_and_none_is_nobody() -> None:
    for missing in ("complete", "pairwise"):
        plain = item_covariance(points("gaps"), missing=missing)
        even = item_covariance(points("gaps"), missing=missing, weights=np.full(300, 0.3))
        np.testing.assert_allclose(even.covariance, plain.covariance, rtol=1e-12)
        assert even.effective_base == pytest.approx(plain.base) == plain.effective_base
        some = np.arange(300) % 3 > 0
        left = item_covariance(points("gaps"), missing=missing, weights=some.astype(float))
        np.testing.assert_array_equal(
            left.covariance, item_covariance(points("gaps")[some], missing=missing).covariance
        )
    for wrong in (np.ones(3), np.full(300, np.nan), np.full(300, -1.0)):
        with pytest.raises(CultureAnalyticsError, match="weight"):
            item_covariance(points("gaps"), weights=wrong)


def test_covariances_are_those_of_pandas() -> None:
    table = pd.DataFrame(points("gaps"))
    pairs = item_covariance(points("gaps"), missing="pairwise")
    np.testing.assert_allclose(pairs.covariance, table.cov(), atol=1e-10)
    whole = item_covariance(points("gaps"))
    np.testing.assert_allclose(whole.covariance, table.dropna().cov(), atol=1e-10)
    assert (whole.base, whole.missing) == (len(table.dropna()), "complete")
    assert pairs.base == int((table.notna().astype(int).T @ table.notna().astype(int)).min().min())


def test_parallel_items_give_alpha_and_omega_of_spearman_and_brown() -> None:
    k, r = 5, 0.4
    found = reliability(np.full((k, k), r) + (1 - r) * np.eye(k))
    expected = k * r / (1 + (k - 1) * r)
    assert (found.alpha, found.omega) == (pytest.approx(expected), pytest.approx(expected))
    np.testing.assert_allclose(found.loadings, r**0.5, atol=1e-9)
    assert found.residual == pytest.approx(0, abs=1e-9)


def test_omega_passes_alpha_where_items_differ_and_one_factor_holds() -> None:
    loadings = np.array([0.95, 0.8, 0.5, 0.3])
    found = reliability(np.outer(loadings, loadings) + np.diag(1 - loadings**2))
    true = loadings.sum() ** 2 / (loadings.sum() ** 2 + (1 - loadings**2).sum())
    assert found.omega == pytest.approx(true, abs=1e-8)
    assert found.alpha < found.omega - 0.02


def test_an_item_the_wrong_way_round_shows() -> None:
    found = reliability(item_covariance(points("uneven")).covariance)
    assert [i for i in range(5) if found.item_rest[i] < 0] == [3]
    assert found.loadings[3] < 0 < found.loadings[0]
    assert found.alpha_without[3] > found.alpha + 0.2


def test_two_items_have_alpha_but_no_factor() -> None:
    found = reliability([[1.0, 0.5], [0.5, 1.0]])
    assert found.alpha == pytest.approx(2 / 3)
    assert np.isnan(found.omega)
    assert np.isnan(found.alpha_without).all()


def test_an_impossible_factor_is_called_improper() -> None:
    # r12 * r13 / r23 = 1.6: the first item would share more than all it has.
    found = reliability([[1, 0.8, 0.6], [0.8, 1, 0.3], [0.6, 0.3, 1]])
    assert found.improper
    assert (np.abs(found.loadings) <= 1).all()


def test_what_cannot_be() -> None:
    with pytest.raises(AdjustmentError, match="1 of 2 items do not vary"):
        reliability([[0.0, 0.0], [0.0, 1.0]])
    with pytest.raises(AdjustmentError, match="cancel out"):
        reliability([[1.0, -1.0], [-1.0, 1.0]])
    with pytest.raises(CultureAnalyticsError, match="at least two items"):
        reliability([[1.0]])
    with pytest.raises(AdjustmentError, match="2 respondents answered both"):
        item_covariance([[1.0, 2.0], [2.0, 3.0], [np.nan, 1.0]])
    with pytest.raises(CultureAnalyticsError, match="complete, pairwise"):
        item_covariance([[1.0, 2.0]] * 4, missing="mean")
    assert np.isnan(alpha_limits(0.5, 1, 5)).all()


def test_feldts_limits_hold_their_level() -> None:
    rng = np.random.default_rng(5)
    k, n, runs = 4, 60, 600
    c = np.full((k, k), 0.45) + 0.55 * np.eye(k)
    true = reliability(c).alpha
    x = rng.multivariate_normal(np.zeros(k), c, (runs, n))
    alphas = [reliability(np.cov(one.T)).alpha for one in x]
    lower, upper = alpha_limits(alphas, n, k)
    covered = np.mean((lower <= true) & (true <= upper))
    assert covered == pytest.approx(0.95, abs=3 * (0.95 * 0.05 / runs) ** 0.5)
