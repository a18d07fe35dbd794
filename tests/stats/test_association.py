"""Rao and Scott's tests equal R's survey package.

The numbers were printed by tests/reference/association.R from tests/reference/design_data.csv.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency

from culture_analytics.errors import CultureAnalyticsError, DesignError
from culture_analytics.stats.association import RaoScott, rao_scott
from tests.stats.test_against_r import DESIGNS, REFERENCE, respondents

TESTS = pd.read_csv(REFERENCE / "association_r.csv")
KEYS = ["dataset", "design", "lonely", "row", "column"]
CASES = [tuple(key) for key in TESTS[KEYS].to_numpy().tolist()]


def tables(
    dataset: str, design: str, row: str, column: str
) -> tuple[list[np.ndarray], dict[str, Any]]:
    strata, weights, fpc = DESIGNS[design]
    data = respondents(dataset)
    stratum = pd.factorize(data["stratum"])[0] if strata else np.zeros(len(data), dtype=int)
    n_h = np.bincount(stratum)
    w = data["weight"].to_numpy() if weights else np.ones(len(data))
    data["group_large"] = data["group"].where(data["group"].ne("tiny"))
    r, rows = pd.factorize(data[row], sort=True)
    c, columns = pd.factorize(data[column], sort=True)
    there = (r >= 0) & (c >= 0)
    shape = (len(n_h), len(rows), len(columns))
    cell = np.ravel_multi_index((stratum[there], r[there], c[there]), shape)
    sums = [np.bincount(cell, w[there] ** k, np.prod(shape)).reshape(shape) for k in (0, 1, 2)]
    population = data.groupby(stratum)["population"].first().to_numpy() if fpc else None
    return sums, {"n_h": n_h, "population_h": population}


@pytest.mark.parametrize("key", CASES, ids="-".join)
def test_both_corrections(key: tuple[str, ...]) -> None:
    dataset, design, lonely, row, column = key
    expected = TESTS[(TESTS[KEYS] == list(key)).all(axis=1)].iloc[0]
    sums, options = tables(dataset, design, row, column)
    found = rao_scott(*sums, **options, lonely=lonely)
    for name, r in zip(
        RaoScott._fields, ["f", "ndf", "ddf", "p_f", "chisq", "df", "p_chisq"], strict=True
    ):
        np.testing.assert_allclose(getattr(found, name), expected[r], rtol=1e-8, err_msg=name)


def test_the_reference_covers_what_it_should() -> None:
    assert len(TESTS) >= 30
    assert set(TESTS["design"]) == set(DESIGNS) - {"stratified_unweighted"}
    assert set(TESTS["lonely"]) == {"fail", "remove", "adjust", "average"}
    assert TESTS["p_f"].between(0.05, 1).any()
    assert (TESTS["p_f"] < 1e-6).any()


def test_a_lonely_stratum_fails_by_default() -> None:
    sums, options = tables("everyone", "stratified", "group", "y01")
    with pytest.raises(DesignError, match="one respondent"):
        rao_scott(*sums, **options)


def test_without_design_it_is_nearly_pearsons_test() -> None:
    table = np.array([[300, 120], [250, 140], [90, 60]])
    found = rao_scott(*[table[None]] * 3, [table.sum()])
    pearson = chi2_contingency(table, correction=False)
    np.testing.assert_allclose(found.chisq, pearson.statistic, rtol=1e-12)
    np.testing.assert_allclose(found.p_chisq, pearson.pvalue, rtol=0.02)
    np.testing.assert_allclose(found.ndf, 2, rtol=1e-6)


def test_turning_the_table_or_its_groups_round_changes_nothing() -> None:
    sums, options = tables("many", "stratified_fpc", "group", "group2")
    found = rao_scott(*sums, **options)
    turned = rao_scott(*[table.transpose(0, 2, 1) for table in sums], **options)
    mixed = rao_scott(*[table[:, [2, 0, 3, 1], :][:, :, [1, 2, 0]] for table in sums], **options)
    np.testing.assert_allclose(turned, found, rtol=1e-9)
    np.testing.assert_allclose(mixed, found, rtol=1e-9)


def test_groups_without_answers_are_left_out() -> None:
    sums, options = tables("many", "stratified", "group2", "y01")
    wider = [np.insert(np.insert(table, 1, 0, axis=1), 2, 0, axis=2) for table in sums]
    np.testing.assert_allclose(
        rao_scott(*wider, **options), rao_scott(*sums, **options), rtol=1e-12
    )


@pytest.mark.parametrize(
    "table", [np.zeros((1, 3, 2)), [[[30, 0], [40, 0]]], [[[30, 20], [0, 0]]], [[[1, 0], [0, 0]]]]
)
def test_nothing_to_test_is_nan(table: Any) -> None:
    assert np.isnan(rao_scott(table, table, table, [100])).all()


def test_everyone_asked_leaves_no_uncertainty() -> None:
    table = [[[30, 20], [40, 10]]]
    assert np.isnan(rao_scott(table, table, table, [100], population_h=[100]).p_value)


def test_shapes_must_agree() -> None:
    with pytest.raises(CultureAnalyticsError, match=r"strata, rows, columns"):
        rao_scott([[1, 2], [3, 4]], [[1, 2], [3, 4]], [[1, 2], [3, 4]], [10])


@pytest.mark.parametrize("spread", [0.0, 0.6])
def test_no_association_is_rejected_about_one_time_in_twenty(spread: float) -> None:
    rng = np.random.default_rng(7)
    rejected, runs = 0, 800
    for _ in range(runs):
        size = 400
        w = np.exp(rng.normal(0, spread, size))
        cell = rng.choice(4, size, p=[0.5, 0.3, 0.15, 0.05]) * 2 + (rng.random(size) < 0.3)
        sums = [np.bincount(cell, w**k, 8).reshape(1, 4, 2) for k in (0, 1, 2)]
        rejected += rao_scott(*sums, [size]).p_value < 0.05
    assert 0.05 - 0.02 <= rejected / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)
