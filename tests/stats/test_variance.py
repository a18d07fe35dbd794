"""Design-based standard errors: edge cases, and a respondent-by-respondent check."""

from __future__ import annotations

import math

import numpy as np
import pytest

from culture_analytics.errors import DesignError
from culture_analytics.stats import (
    LONELY,
    RatioSums,
    degrees_of_freedom,
    kish,
    ratio_se,
    ratio_se_coo,
    variance,
)


def tables(
    y: np.ndarray, w: np.ndarray, stratum: np.ndarray, cells: np.ndarray, strata: int
) -> RatioSums:
    """Sums of shape (strata, cells) from respondents; ``cells`` holds one mask a row."""
    columns = [w, w * y, w**2, w**2 * y, w**2 * y**2]
    return RatioSums(
        *(
            np.column_stack(
                [np.bincount(stratum[mask], column[mask], minlength=strata) for mask in cells]
            )
            for column in columns
        )
    )


def se_by_respondent(
    y: np.ndarray, w: np.ndarray, stratum: np.ndarray, inside: np.ndarray, f: np.ndarray
) -> float:
    """The textbook formula with z written out for everybody and exact sums."""
    weight = math.fsum(w[inside])
    mean = math.fsum((w * y)[inside]) / weight
    z = np.where(inside, w * (y - mean) / weight, 0.0)
    total = 0.0
    for h in np.unique(stratum):
        mine = z[stratum == h]
        centre = math.fsum(mine) / mine.size
        n = mine.size
        total += (1 - f[h]) * n / (n - 1) * math.fsum((mine - centre) ** 2)
    return math.sqrt(total)


@pytest.fixture(scope="module")
def design() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    n, strata = 20_000, 5
    stratum = rng.integers(0, strata, n)
    return {
        "stratum": stratum,
        "w": rng.lognormal(0, 0.6, n),
        "share": rng.random(n),
        "n_h": np.bincount(stratum),
        "cells": np.stack(
            [np.ones(n, bool), rng.random(n) < 0.3, stratum == 2, rng.random(n) < 0.01]
        ),
    }


@pytest.mark.parametrize("p", [2e-3, 0.4, 1 - 2e-3])
@pytest.mark.parametrize("fraction", [0.0, 0.6])
def test_equals_the_respondent_formula(
    design: dict[str, np.ndarray], p: float, fraction: float
) -> None:
    stratum, w, cells, n_h = (design[k] for k in ("stratum", "w", "cells", "n_h"))
    y = (design["share"] < p).astype(float)
    y[cells[3].nonzero()[0][:2]] = [0, 1]  # the smallest cell never ends at 0 or 1
    f = np.full(n_h.size, fraction)
    population = n_h / fraction if fraction else None
    expected = [se_by_respondent(y, w, stratum, mask, f) for mask in cells]
    sums = tables(y, w, stratum, cells, n_h.size)
    actual = ratio_se(sums, n_h, population_h=population)
    np.testing.assert_allclose(actual, expected, rtol=1e-10)


def test_flat_pairs_and_blocks_of_cells_change_nothing(
    design: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    stratum, w, cells, n_h = (design[k] for k in ("stratum", "w", "cells", "n_h"))
    sums = tables(design["share"], w, stratum, cells, n_h.size)
    whole = ratio_se(sums, n_h)
    monkeypatch.setattr(variance, "_CELLS_AT_ONCE", 3)
    np.testing.assert_array_equal(ratio_se(sums, n_h), whole)
    order = np.random.default_rng(0).permutation(cells.shape[0] * n_h.size)
    h, c = (index.ravel()[order] for index in np.indices((n_h.size, cells.shape[0])))
    flat = RatioSums(*(np.asarray(table)[h, c] for table in sums))
    np.testing.assert_allclose(ratio_se_coo(flat, h, c, cells.shape[0], n_h), whole, rtol=1e-13)


def test_unweighted_single_stratum_is_the_textbook_standard_error() -> None:
    n, yes = np.array([[100.0, 100.0]]), np.array([[20.0, 99.0]])
    p = yes[0] / 100
    np.testing.assert_allclose(
        ratio_se(RatioSums(n, yes, n, yes, yes), [100]), np.sqrt(p * (1 - p) / 99), rtol=1e-13
    )


def test_one_stratum_may_be_given_as_a_plain_row() -> None:
    n, yes = [100.0, 50.0], [20.0, 5.0]
    as_row = ratio_se(RatioSums(n, yes, n, yes, yes), [150])
    as_table = ratio_se(RatioSums([n], [yes], [n], [yes], [yes]), [150])
    np.testing.assert_array_equal(as_row, as_table)


def test_a_full_census_has_no_sampling_error() -> None:
    n, yes = [[40.0], [60.0]], [[10.0], [30.0]]
    sums = RatioSums(n, yes, n, yes, yes)
    assert ratio_se(sums, [40, 60], population_h=[40, 60]).tolist() == [0.0]
    half = ratio_se(sums, [40, 60], population_h=[80, 120])
    np.testing.assert_allclose(half, ratio_se(sums, [40, 60]) * math.sqrt(0.5), rtol=1e-13)
    infinite = ratio_se(sums, [40, 60], population_h=[np.inf, np.inf])
    np.testing.assert_array_equal(infinite, ratio_se(sums, [40, 60]))


def test_empty_cells_are_nan_and_disturb_nothing() -> None:
    n, yes = (
        np.array([[0.0, 40.0, 0.0], [0.0, 30.0, 5.0]]),
        np.array([[0.0, 9.0, 0.0], [0.0, 4.0, 2.0]]),
    )
    se = ratio_se(RatioSums(n, yes, n, yes, yes), [50, 50])
    assert np.isnan(se[0])
    assert (se[1:] > 0).all()
    alone = ratio_se(RatioSums(*(t[:, 1:] for t in (n, yes, n, yes, yes))), [50, 50])
    np.testing.assert_array_equal(se[1:], alone)


def test_no_cells_at_all() -> None:
    empty = np.empty((3, 0))
    assert ratio_se(RatioSums(*[empty] * 5), [5, 5, 5]).shape == (0,)
    assert np.isnan(ratio_se_coo(RatioSums(*[[]] * 5), [], [], 2, [5, 5, 5])).tolist() == [True] * 2


@pytest.mark.parametrize("value", [0.0, 1.0, 7.3, 1 / 3])
def test_no_spread_is_exactly_zero(value: float) -> None:
    w = np.random.default_rng(3).lognormal(0, 1, 5_000)
    stratum = np.arange(w.size) % 4
    cells = np.stack([np.ones(w.size, bool), np.arange(w.size) < 700])
    sums = tables(np.full(w.size, value), w, stratum, cells, 4)
    assert ratio_se(sums, np.bincount(stratum)).tolist() == [0.0, 0.0]


def test_one_answer_has_no_spread_and_no_degrees_of_freedom() -> None:
    assert ratio_se(RatioSums([[1.0]], [[1.0]], [[1.0]], [[1.0]], [[1.0]]), [300]).tolist() == [0.0]
    assert degrees_of_freedom(1, 1) == 0


def lonely_sums() -> tuple[RatioSums, list[int]]:
    """Return one cell over strata of 40, 60 and 1; a second cell without the last."""
    n = np.array([[40.0, 20.0], [60.0, 20.0], [1.0, 0.0]])
    yes = np.array([[10.0, 5.0], [30.0, 10.0], [1.0, 0.0]])
    return RatioSums(n, yes, n, yes, yes), [40, 60, 1]


def test_lonely_strata_do_what_they_are_told() -> None:
    sums, n_h = lonely_sums()
    se = {name: ratio_se(sums, n_h, lonely=name) for name in ("remove", "adjust", "average")}
    p, total = 41 / 101, 101
    np.testing.assert_allclose(se["average"][0] ** 2, se["remove"][0] ** 2 * 3 / 2, rtol=1e-12)
    np.testing.assert_allclose(
        se["adjust"][0] ** 2, se["remove"][0] ** 2 + ((1 - p) / total) ** 2, rtol=1e-12
    )
    assert se["remove"][1] == se["adjust"][1] == se["average"][1]


def test_lonely_fail_counts_the_strata_and_says_what_to_do() -> None:
    sums, n_h = lonely_sums()
    with pytest.raises(DesignError, match="1 of 3 strata have one respondent") as caught:
        ratio_se(sums, n_h)
    assert all(f"lonely='{name}'" in str(caught.value) for name in LONELY if name != "fail")
    # A cell without an answer from that stratum is not affected by it, as in R.
    without = RatioSums(*(np.asarray(table)[:, 1:] for table in sums))
    np.testing.assert_array_equal(ratio_se(without, n_h), ratio_se(without, n_h, lonely="remove"))


def test_a_stratum_of_one_person_sampled_whole_is_certain() -> None:
    sums, n_h = lonely_sums()
    sampled_whole = {"population_h": [100, 100, 1]}
    expected = ratio_se(sums, n_h, lonely="remove", **sampled_whole)
    for lonely in ("fail", "adjust"):
        np.testing.assert_array_equal(ratio_se(sums, n_h, lonely=lonely, **sampled_whole), expected)


def test_average_of_nothing_is_nan() -> None:
    one = [[1.0], [1.0]]
    se = ratio_se(
        RatioSums(one, [[1.0], [0.0]], one, [[1.0], [0.0]], [[1.0], [0.0]]),
        [1, 1],
        lonely="average",
    )
    assert np.isnan(se).all()


def test_wrong_designs_are_refused() -> None:
    sums, n_h = lonely_sums()
    with pytest.raises(DesignError, match="lonely='certain' is not known"):
        ratio_se(sums, n_h, lonely="certain")
    with pytest.raises(DesignError, match="2 of 3 strata have no population or one below"):
        ratio_se(sums, n_h, population_h=[39, np.nan, 10], lonely="adjust")


def test_kish() -> None:
    w = np.array([0.5, 1.0, 2.5, 4.0])
    np.testing.assert_allclose(kish(w.sum(), (w**2).sum()), 8.0**2 / 23.5)
    assert kish([0, 7], [0, 7]).tolist() == [0, 7]
