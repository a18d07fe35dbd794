"""Estimates, standard errors, degrees of freedom and limits equal R's survey package.

The numbers were printed by tests/reference/make_reference.R from tests/reference/design_data.csv.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from culture_analytics.stats import (
    RatioSums,
    beta,
    degrees_of_freedom,
    logit,
    logit_beta,
    mean_t,
    ratio_se,
    ratio_se_coo,
)

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
DESIGNS = {  # name: (strata, weights, fpc)
    "unweighted": (False, False, False),
    "weighted": (False, True, False),
    "stratified": (True, True, False),
    "stratified_fpc": (True, True, True),
    "stratified_unweighted": (True, False, False),
}
KEYS = ["dataset", "design", "lonely"]


class Cells(NamedTuple):
    """One outcome of one design: arrays over the domains R was asked about, in R's order."""

    rows: pd.DataFrame
    estimate: np.ndarray
    se: np.ndarray
    se_coo: np.ndarray
    df: np.ndarray


def respondents(dataset: str) -> pd.DataFrame:
    everyone = pd.read_csv(REFERENCE / "design_data.csv", keep_default_na=False, na_values=[""])
    if dataset == "everyone":
        return everyone
    many = everyone[everyone["stratum"] != "s6"].reset_index(drop=True)
    if dataset == "many":
        return many
    tenfold = pd.concat([many] * 10, ignore_index=True)
    rare = (tenfold["rare"] == 1) & (np.arange(len(tenfold)) < len(many))
    tenfold["population"] *= 10
    tenfold["y01"] = rare.astype(float)
    tenfold["score"] = np.where(rare, 9.5, 10.0)
    if dataset == "tenfold_yes":
        tenfold["y01"], tenfold["score"] = 1 - tenfold["y01"], 10 - tenfold["score"]
    return tenfold


def stratum_sums(
    data: pd.DataFrame, rows: pd.DataFrame, outcome: str, stratum: np.ndarray, w: np.ndarray
) -> tuple[RatioSums, np.ndarray]:
    """Sums and counts of shape (strata, domains), by plain numpy."""
    y = data[outcome].to_numpy(float)
    tables = []
    for group, group2 in zip(rows["group"], rows["group2"], strict=True):
        inside = ~np.isnan(y)
        inside &= (data["group"].to_numpy() == group) if group else True
        inside &= (data["group2"].to_numpy() == group2) if group2 else True
        columns = [np.ones(len(w)), w, w * y, w**2, w**2 * y, w**2 * y**2]
        tables.append(
            [
                np.bincount(stratum[inside], column[inside], minlength=stratum.max() + 1)
                for column in columns
            ]
        )
    count, *sums = np.moveaxis(np.array(tables), (0, 1, 2), (2, 0, 1))
    return RatioSums(*sums), count


def calculate(
    key: tuple[str, str, str], rows: pd.DataFrame, outcome: str, *, origin: float = 0.0
) -> Cells:
    dataset, design, lonely = key
    strata, weights, fpc = DESIGNS[design]
    data = respondents(dataset)
    data[outcome] -= origin
    stratum = pd.factorize(data["stratum"])[0] if strata else np.zeros(len(data), dtype=int)
    w = data["weight"].to_numpy() if weights else np.ones(len(data))
    n_h = np.bincount(stratum)
    population = data.groupby(stratum)["population"].first().to_numpy() if fpc else None
    sums, count = stratum_sums(data, rows, outcome, stratum, w)
    options = {"population_h": population, "lonely": lonely}
    h, c = np.nonzero(count)
    pairs = RatioSums(*(np.asarray(table)[h, c] for table in sums))
    return Cells(
        rows=rows,
        estimate=np.asarray(sums.swy).sum(axis=0) / np.asarray(sums.sw).sum(axis=0),
        se=ratio_se(sums, n_h, **options),
        se_coo=ratio_se_coo(pairs, h, c, len(rows), n_h, **options),
        df=degrees_of_freedom(count.sum(axis=0), (count > 0).sum(axis=0)),
    )


REFERENCE_ROWS = pd.read_csv(REFERENCE / "survey_r.csv", dtype={"group": "str", "group2": "str"})
REFERENCE_ROWS[["group", "group2"]] = REFERENCE_ROWS[["group", "group2"]].fillna("")
CASES = {
    tuple(key): rows.reset_index(drop=True)
    for key, rows in REFERENCE_ROWS.groupby([*KEYS, "outcome"], sort=False)
}


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def cells(request: pytest.FixtureRequest) -> Cells:
    """One outcome of one design."""
    *key, outcome = request.param
    return calculate(tuple(key), CASES[request.param], outcome)


@pytest.fixture(scope="module", params=[key for key in CASES if key[-1] == "y01"], ids="-".join)
def shares(request: pytest.FixtureRequest) -> Cells:
    """The proportion of one design."""
    *key, outcome = request.param
    return calculate(tuple(key), CASES[request.param], outcome)


def close(actual: np.ndarray, expected: pd.Series, rtol: float, atol: float = 1e-15) -> None:
    """Compare all rows to the relative tolerance; NaN must meet NaN."""
    np.testing.assert_allclose(actual, expected.to_numpy(float), rtol=rtol, atol=atol)


def each_level(rows: pd.DataFrame) -> list[tuple[float, np.ndarray]]:
    return [(level, (rows["level"] == level).to_numpy()) for level in rows["level"].unique()]


def test_the_reference_covers_what_it_should() -> None:
    assert len(REFERENCE_ROWS) >= 900
    assert set(REFERENCE_ROWS["design"]) == set(DESIGNS)
    assert set(REFERENCE_ROWS["lonely"]) == {"fail", "remove", "adjust", "average"}
    assert set(REFERENCE_ROWS["level"]) == {0.95, 0.998}
    limits = REFERENCE_ROWS[["xlogit_lower", "beta_lower", "t_lower"]].notna().sum()
    assert (limits >= [280, 280, 600]).all()
    assert REFERENCE_ROWS["estimate"].between(1e-4, 2e-3).any()
    assert REFERENCE_ROWS["estimate"].between(1 - 2e-3, 1 - 1e-4).any()


def test_estimates_and_standard_errors(cells: Cells) -> None:
    # Three scores of 9.5 among 5,500 of 10: the spread is 1e-7 of the squares it is taken from.
    extreme = (
        cells.rows["dataset"].iloc[0] == "tenfold" and cells.rows["outcome"].iloc[0] == "score"
    )
    close(cells.estimate, cells.rows["estimate"], 1e-12)
    close(cells.se, cells.rows["se"], 1e-7 if extreme else 1e-9)
    close(cells.se_coo, cells.rows["se"], 1e-7 if extreme else 1e-9)


@pytest.mark.parametrize("design", DESIGNS)
def test_a_nearer_origin_brings_back_the_digits_of_a_nearly_constant_score(design: str) -> None:
    key = ("tenfold", design, "fail")
    rows = CASES[(*key, "score")]
    shifted = calculate(key, rows, "score", origin=10.0)
    close(shifted.estimate + 10, rows["estimate"], 1e-12)
    close(shifted.se, rows["se"], 1e-9)


def test_degrees_of_freedom(cells: Cells) -> None:
    close(cells.df, cells.rows["df"], 0)


def test_t_limits(cells: Cells) -> None:
    for level, at in each_level(cells.rows):
        lower, upper = mean_t(cells.estimate, cells.se, cells.df, level=level)
        close(lower[at], cells.rows.loc[at, "t_lower"], 1e-8)
        close(upper[at], cells.rows.loc[at, "t_upper"], 1e-8)


def test_logit_limits(shares: Cells) -> None:
    for level, at in each_level(shares.rows):
        rows = shares.rows[at]
        lower, upper = (
            limit[at] for limit in logit(shares.estimate, shares.se, shares.df, level=level)
        )
        close(lower, rows["xlogit_lower"], 1e-8)
        close(upper, rows["xlogit_upper"], 1e-8)
        # R's method="logit" fits a model, so it is right to about 1e-8, and turns the t quantile
        # into a normal level and back, which loses digits where df are few: 1 df gives 0 to 1.
        usable = rows["df"].to_numpy() >= 30
        close(lower[usable], rows.loc[usable, "logit_lower"], 0, 1e-8)
        close(upper[usable], rows.loc[usable, "logit_upper"], 0, 1e-8)


def test_beta_limits(shares: Cells) -> None:
    for level, at in each_level(shares.rows):
        rows = shares.rows[at]
        arguments = (shares.estimate, shares.se, shares.df, shares.rows["n"].to_numpy())
        lower, upper = (limit[at] for limit in beta(*arguments, level=level))
        known = rows["beta_lower"].notna().to_numpy()
        close(lower[known], rows.loc[known, "beta_lower"], 1e-8)
        close(upper[known], rows.loc[known, "beta_upper"], 1e-8)
        # Where R has none: ours at 0 and 1, nothing otherwise.
        ours = ~np.isnan(lower[~known])
        p = shares.estimate[at][~known]
        assert (ours == (((p == 0) | (p == 1)) & (rows.loc[~known, "df"] > 0))).all()


def test_logit_beta_is_logit_inside_and_beta_at_the_ends(shares: Cells) -> None:
    arguments = (shares.estimate, shares.se, shares.df)
    n = shares.rows["n"].to_numpy()
    end = (shares.estimate == 0) | (shares.estimate == 1)
    for mixed, smooth, exact in zip(
        logit_beta(*arguments, n), logit(*arguments), beta(*arguments, n), strict=True
    ):
        np.testing.assert_array_equal(mixed[end], exact[end])
        np.testing.assert_array_equal(mixed[~end], smooth[~end])
