"""Raking and post-stratification equal R's survey package; impossible margins are refused.

The numbers were printed by tests/reference/raking.R from tests/reference/design_data.csv.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from culture_analytics.errors import CultureAnalyticsError, DesignError
from culture_analytics.stats.raking import post_stratify, rake
from tests.stats.test_against_r import REFERENCE, respondents

FACTORS = pd.read_csv(REFERENCE / "raking_r.csv")
STAFF = {  # as in raking.R
    "group": {"large": 50, "medium": 33, "none_yes": 15, "tiny": 2},
    "group2": {"x": 45, "y": 40, "z": 15},
    "stratum": {"s1": 480, "s2": 900, "s3": 260, "s4": 85, "s5": 410, "s6": 6},
}
JOINT = {"x no": 700, "y no": 600, "z no": 250, "x yes": 300, "y yes": 280, "z yes": 70}
COLUMNS = ["group", "group2", "stratum"]


def combinations(start: str) -> pd.DataFrame:
    data = respondents("everyone")
    data["w"] = data["weight"] if start == "weighted" else 1.0
    return data.groupby(COLUMNS, as_index=False, sort=True)["w"].sum()


def expected(start: str, method: str) -> np.ndarray:
    rows = FACTORS[(FACTORS["start"] == start) & (FACTORS["method"] == method)]
    return rows.sort_values(COLUMNS)["factor"].to_numpy()


def staff_of(column: str) -> np.ndarray:
    share = np.array(list(STAFF[column].values()), dtype=float)
    return share / share.sum() * 2200


@pytest.mark.parametrize("start", ["unweighted", "weighted"])
@pytest.mark.parametrize("method", ["rake_two", "rake_three"])
def test_raking(start: str, method: str) -> None:
    cells = combinations(start)
    used = COLUMNS[: 2 if method == "rake_two" else 3]
    codes = np.column_stack([cells[c].map({k: i for i, k in enumerate(STAFF[c])}) for c in used])
    found = rake(cells["w"], codes, [staff_of(c) for c in used])
    np.testing.assert_allclose(found.factor, expected(start, method), rtol=1e-8)
    assert found.iterations > 1
    for column, at in zip(used, codes.T, strict=True):
        np.testing.assert_allclose(np.bincount(at, found.factor * cells["w"]), staff_of(column))


@pytest.mark.parametrize("start", ["unweighted", "weighted"])
def test_post_stratification(start: str) -> None:
    cells = combinations(start)
    joint = cells["group2"] + np.where(cells["stratum"] == "s1", " yes", " no")
    for method, of, staff in (
        ("post_one", cells["group2"], dict(zip("xyz", staff_of("group2"), strict=True))),
        ("post_joint", joint, JOINT),
    ):
        at = of.map({label: i for i, label in enumerate(staff)}).to_numpy()
        found = post_stratify(np.bincount(at, cells["w"]), list(staff.values()))
        np.testing.assert_allclose(found.factor[at], expected(start, method), rtol=1e-12)
        assert found.iterations == 1


def test_groups_that_cannot_be_met_are_named_all_at_once() -> None:
    with pytest.raises(DesignError) as caught:
        rake(
            [30, 20, 10],
            [[0, 0], [1, 0], [1, 1]],
            [[100, 50, 20], [170, 0]],
            names=["age", "band"],
            labels=[["16-30", "31-50", "51+"], ["4", "8a"]],
        )
    assert "age: staff but no respondents in '51+'" in str(caught.value)
    assert "band: respondents but no staff in '8a'" in str(caught.value)


def test_different_numbers_of_staff_are_refused() -> None:
    with pytest.raises(DesignError, match=r"age 200, band 210"):
        rake([30, 20], [[0, 0], [1, 1]], [[120, 80], [100, 110]], names=["age", "band"])


@pytest.mark.parametrize(
    "staff",
    [
        [[120, 80], [90, 110]],  # the diagonal alone cannot meet them
        [[100, 100], [30, 170]],
    ],
)
def test_margins_that_no_weights_meet_are_refused(staff: Any) -> None:
    with pytest.raises(DesignError, match=r"No weights were found .* 2 of 4 combinations"):
        rake([30, 40], [[0, 0], [1, 1]], staff, names=["age", "band"], max_iterations=50)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (([30, 20], [[0, 0], [1, 2]], [[50, 50], [40, 60]]), "1 of 4 codes have no staff"),
        (([30, 20], [[0, 0], [1, -1]], [[50, 50], [40, 60]]), "1 of 4 codes have no staff"),
        (([30, 20], [[0], [1]], [[50, 50], [40, 60]]), "2 lists of staff"),
        (([30, np.nan], [[0], [1]], [[50, 50]]), "1 weights or numbers"),
        (([30, 20], [[0], [1]], [[50, -50]]), "1 weights or numbers"),
    ],
)
def test_impossible_input_is_refused(arguments: Any, match: str) -> None:
    with pytest.raises(CultureAnalyticsError, match=match):
        rake(*arguments)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 5), st.integers(2, 5), st.integers(0, 2**31))
def test_any_full_table_is_met_and_keeps_its_odds_ratios(
    rows: int, columns: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    weight = rng.uniform(1, 50, (rows, columns))
    truth = rng.uniform(10, 500, (rows, columns))
    codes = np.stack(np.unravel_index(np.arange(rows * columns), (rows, columns)), axis=1)
    found = rake(weight.ravel(), codes, [truth.sum(axis=1), truth.sum(axis=0)])
    raked = found.factor.reshape(rows, columns) * weight
    np.testing.assert_allclose(raked.sum(axis=1), truth.sum(axis=1), rtol=1e-7)
    np.testing.assert_allclose(raked.sum(axis=0), truth.sum(axis=0), rtol=1e-7)
    # Raking multiplies rows and columns, so association among respondents is left as it was.
    odds = [t[0, 0] * t[1, 1] / (t[0, 1] * t[1, 0]) for t in (weight, raked)]
    np.testing.assert_allclose(odds[0], odds[1], rtol=1e-9)
