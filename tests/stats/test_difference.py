"""Differences between two groups of one design equal R's survey package, covariance included.

The numbers were printed by tests/reference/make_reference.R from tests/reference/design_data.csv.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from culture_analytics.errors import CultureAnalyticsError, DesignError
from culture_analytics.stats import (
    Difference,
    RatioSums,
    correlation,
    degrees_of_freedom,
    difference_se,
    difference_se_coo,
    ratio_se,
)
from tests.stats.test_against_r import DESIGNS, REFERENCE, close, respondents

ROWS = pd.read_csv(REFERENCE / "survey_r_differences.csv", dtype={"first": "str", "second": "str"})
ROWS[["first", "second"]] = ROWS[["first", "second"]].fillna("")
CASES = {
    key: rows.reset_index(drop=True)
    for key, rows in ROWS.groupby(["dataset", "design", "lonely", "outcome"], sort=False)
}
KINDS = {"disjoint", "everyone", "rest", "overlap", "part"}


class Sample(NamedTuple):
    """One outcome of one design, and the sums of any domain of it."""

    data: pd.DataFrame
    y: np.ndarray
    w: np.ndarray
    stratum: np.ndarray
    n_h: np.ndarray
    population: np.ndarray | None
    lonely: str

    def domain(self, name: str) -> np.ndarray:
        """Who is in a domain, as make_reference.R names them."""
        if name.startswith("!"):
            return ~self.domain(name[1:])
        inside = np.ones(len(self.data), dtype=bool)
        for term in filter(None, name.split("&")):
            column, value = term.split("=")
            inside &= self.data[column].to_numpy() == value
        return inside

    def sums(self, masks: list[np.ndarray]) -> RatioSums:
        """Sums over the valid answers of each mask, shape (strata, masks)."""
        y, w = self.y, self.w
        columns = (w, w * y, w**2, w**2 * y, w**2 * y**2)
        masks = [mask & ~np.isnan(y) for mask in masks]
        return RatioSums(
            *(
                np.column_stack(
                    [
                        np.bincount(self.stratum[m], column[m], minlength=self.n_h.size)
                        for m in masks
                    ]
                )
                for column in columns
            )
        )

    def base(self, masks: list[np.ndarray]) -> np.ndarray:
        return np.array([np.count_nonzero(mask & ~np.isnan(self.y)) for mask in masks])


def sample(key: tuple[str, str, str, str]) -> Sample:
    dataset, design, lonely, outcome = key
    strata, weights, fpc = DESIGNS[design]
    data = respondents(dataset)
    stratum = pd.factorize(data["stratum"])[0] if strata else np.zeros(len(data), dtype=int)
    return Sample(
        data=data,
        y=data[outcome].to_numpy(float),
        w=data["weight"].to_numpy() if weights else np.ones(len(data)),
        stratum=stratum,
        n_h=np.bincount(stratum),
        population=data.groupby(stratum)["population"].first().to_numpy() if fpc else None,
        lonely=lonely,
    )


def differences(s: Sample, rows: pd.DataFrame) -> Difference:
    """The contrasts of some rows, by (strata, contrasts) tables."""
    first = [s.domain(name) for name in rows["first"]]
    second = [s.domain(name) for name in rows["second"]]
    both = [a & b for a, b in zip(first, second, strict=True)]
    return difference_se(
        s.sums(first),
        s.sums(second),
        s.n_h,
        overlap=s.sums(both),
        population_h=s.population,
        lonely=s.lonely,
    )


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def case(request: pytest.FixtureRequest) -> tuple[Sample, pd.DataFrame]:
    """One outcome of one design, and R's differences."""
    return sample(request.param), CASES[request.param]


def test_the_reference_covers_what_it_should() -> None:
    assert len(ROWS) >= 900
    assert set(ROWS["design"]) == set(DESIGNS)
    assert set(ROWS["lonely"]) == {"fail", "remove", "adjust", "average"}
    assert set(ROWS["kind"]) == KINDS
    assert ROWS["se_svyby"].notna().sum() >= 200


def test_differences_and_standard_errors(case: tuple[Sample, pd.DataFrame]) -> None:
    s, rows = case
    ours = differences(s, rows)
    close(ours.value, rows["difference"], 1e-9, 1e-13)
    close(ours.se, rows["se"], 1e-9)
    by = rows["se_svyby"].notna().to_numpy()
    close(ours.se[by], rows.loc[by, "se_svyby"], 1e-9)


def test_degrees_of_freedom(case: tuple[Sample, pd.DataFrame]) -> None:
    s, rows = case
    either = [s.domain(a) | s.domain(b) for a, b in zip(rows["first"], rows["second"], strict=True)]
    df = degrees_of_freedom(s.base(either), differences(s, rows).strata)
    close(df, rows["df"], 0)


def test_pairs_of_cells_named_by_position(case: tuple[Sample, pd.DataFrame]) -> None:
    """Everyone, each domain and each crossing is a cell; pairs come in any order."""
    s, rows = case
    for rest in (False, True):
        part = rows[(rows["kind"] == "rest") == rest]
        seconds = [""] * len(part) if rest else list(part["second"])
        both = [f"{a}&{b}" if b else a for a, b in zip(part["first"], seconds, strict=True)]
        names = list(dict.fromkeys(["", *part["first"], *seconds, *both]))
        masks = [s.domain(name) for name in names]
        sums = s.sums(masks)
        h, c = np.nonzero(sums.sw)
        order = np.random.default_rng(0).permutation(h.size)
        h, c = h[order], c[order]
        nobody = s.base(masks) == 0
        overlap = np.array([-1 if nobody[names.index(b)] else names.index(b) for b in both])
        assert rest or (overlap < 0).any()
        ours = difference_se_coo(
            RatioSums(*(np.asarray(column)[h, c] for column in sums)),
            h,
            c,
            len(names),
            [names.index(a) for a in part["first"]],
            [names.index(b) for b in seconds],
            s.n_h,
            overlap=overlap,
            without_overlap=rest,
            population_h=s.population,
            lonely=s.lonely,
        )
        close(ours.value, part["difference"], 1e-9, 1e-13)
        close(ours.se, part["se"], 1e-9)


def one_stratum(yes: float, n: float) -> RatioSums:
    return RatioSums([[n]], [[yes]], [[n]], [[yes]], [[yes]])


def test_one_stratum_leaves_separate_groups_uncorrelated() -> None:
    a, b = one_stratum(10, 40), one_stratum(30, 60)
    together = difference_se(a, b, [100]).se
    apart = np.hypot(ratio_se(a, [100]), ratio_se(b, [100]))
    np.testing.assert_allclose(together, apart, rtol=1e-13)


def test_fixed_stratum_sizes_correlate_separate_groups() -> None:
    # Everyone of stratum 1 says yes, nobody of stratum 2, and half of each is in each group. One
    # more of stratum 1 in a group is one fewer in the other: they can only move apart.
    n, yes = [[50.0], [50.0]], [[50.0], [0.0]]
    half = RatioSums(n, yes, n, yes, yes)
    se = ratio_se(half, [100, 100])
    apart = difference_se(half, half, [100, 100]).se
    # z is +-1/2 of 1/100 for each of 200 people; the totals of a stratum cancel.
    np.testing.assert_allclose(apart**2, 100 / 99 * 200 * (0.5 / 100) ** 2, rtol=1e-12)
    np.testing.assert_allclose(correlation(se, se, apart), -1, rtol=1e-12)


def test_a_group_that_is_everyone_does_not_differ_from_everyone() -> None:
    everyone = one_stratum(30, 100)
    found = difference_se(everyone, everyone, [120], overlap=everyone)
    assert (found.value[0], found.se[0]) == (0, 0)


def test_the_rest_of_everyone_is_nobody() -> None:
    n, yes = [0.1 + 0.2, 0.3], [0.1, 0.1]  # the same people, added up in another order
    sums = RatioSums(n, yes, n, yes, yes)
    found = difference_se_coo(
        sums, [0, 0], [0, 1], 2, [1], [0], [9], overlap=[1], without_overlap=True
    )
    assert np.isnan(found.value).all()
    assert np.isnan(found.se).all()


def test_an_empty_group_is_nan_and_disturbs_nothing() -> None:
    n, yes = [40.0, 60.0], [10.0, 30.0]
    sums = RatioSums(n, yes, n, yes, yes)
    found = difference_se_coo(sums, [0, 0], [0, 2], 3, [0, 1, 0], [2, 0, 1], [100])
    assert np.isnan(found.se).tolist() == [False, True, True]
    alone = difference_se_coo(sums, [0, 0], [0, 2], 3, [0], [2], [100])
    assert (found.value[0], found.se[0]) == (alone.value[0], alone.se[0])


def test_no_contrasts_and_no_pairs() -> None:
    nothing = RatioSums(*[[]] * 5)
    assert difference_se_coo(nothing, [], [], 2, [], [], [5]).se.shape == (0,)
    assert np.isnan(difference_se_coo(nothing, [], [], 2, [0], [1], [5]).se).tolist() == [True]


def by_respondent(s: Sample, a: np.ndarray, b: np.ndarray) -> float:
    """z written out for everybody, exact sums."""
    z = np.zeros(len(s.y))
    for inside, sign in ((a, 1), (b, -1)):
        weight = math.fsum(s.w[inside])
        mean = math.fsum((s.w * s.y)[inside]) / weight
        z[inside] += sign * s.w[inside] * (s.y[inside] - mean) / weight
    total = 0.0
    for h, n in enumerate(s.n_h):
        mine = z[s.stratum == h]
        total += n / (n - 1) * math.fsum((mine - math.fsum(mine) / n) ** 2)
    return math.sqrt(total)


def test_keeps_its_digits_where_the_group_is_nearly_everyone() -> None:
    rng = np.random.default_rng(5)
    n = 200_000
    stratum = rng.integers(0, 4, n)
    s = Sample(
        pd.DataFrame(index=range(n)),
        y=(rng.random(n) < 0.3).astype(float),
        w=rng.lognormal(0, 0.8, n),
        stratum=stratum,
        n_h=np.bincount(stratum),
        population=None,
        lonely="fail",
    )
    group, everyone = np.arange(n) >= 12, np.ones(n, dtype=bool)
    a, b = s.sums([group]), s.sums([everyone])
    found = difference_se(a, b, s.n_h, overlap=a)
    np.testing.assert_allclose(found.se[0], by_respondent(s, group, everyone), rtol=1e-9)


def test_lonely_strata_do_what_they_are_told() -> None:
    n, yes = [[40.0], [60.0], [1.0]], [[10.0], [30.0], [1.0]]
    a = RatioSums(n, yes, n, yes, yes)
    n_b = [[30.0], [30.0], [0.0]]
    b = RatioSums(n_b, [[6.0], [9.0], [0.0]], n_b, [[6.0], [9.0], [0.0]], [[6.0], [9.0], [0.0]])
    n_h = [80, 100, 1]
    with pytest.raises(DesignError, match="1 of 3 strata have one respondent"):
        difference_se(a, b, n_h)
    se = {name: difference_se(a, b, n_h, lonely=name).se[0] for name in ("remove", "average")}
    np.testing.assert_allclose(se["average"] ** 2, se["remove"] ** 2 * 3 / 2, rtol=1e-12)


def test_cells_that_do_not_exist_are_refused() -> None:
    sums = one_stratum(1, 2)
    flat = RatioSums(*(np.ravel(column) for column in sums))
    with pytest.raises(CultureAnalyticsError, match="2 of 6 cells named do not exist: there are 3"):
        difference_se_coo(flat, [0], [0], 3, [0, 3], [-1, 2], [5])
    with pytest.raises(CultureAnalyticsError, match="name 2, 1 and 2 cells"):
        difference_se_coo(flat, [0], [0], 3, [0, 1], [2], [5])


def test_correlation() -> None:
    assert correlation(3.0, 4.0, 5.0) == 0
    assert correlation(2.0, 2.0, 0.0) == 1
    assert correlation(2.0, 2.0, 4.5) == -1  # held within its range
    assert correlation(0.0, 2.0, 2.0) == 0
    assert np.isnan(correlation(np.nan, 2.0, 2.0))
