"""Changes and trends against R: tests/reference/trend.R prints trend.csv."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.stats.multiplicity import adjust_p
from culture_analytics.stats.trend import (
    effective_answers,
    mover,
    proportion_trend,
    score_trend,
    t_test,
    two_proportions,
    welch,
)

R = pd.read_csv(Path(__file__).parents[1] / "reference" / "trend.csv")


def r(case: str, name: str) -> np.ndarray:
    rows = R[(R["case"] == case) & (R["name"] == name)].sort_values("place")
    assert len(rows)
    return rows["value"].to_numpy(dtype=float)


@pytest.mark.parametrize("case", ["rise", "flat", "few", "gap"])
def test_trend_in_proportions_equals_prop_trend_test(case: str) -> None:
    yes, base, year = (r(f"trend_{case}", name) for name in ("yes", "base", "year"))
    line = proportion_trend(yes / base, base, year)
    assert line.p_value == pytest.approx(r(f"trend_{case}", "p")[0], rel=1e-9)
    assert line.slope == pytest.approx(r(f"trend_{case}", "slope")[0], rel=1e-9)


def test_trend_of_scores_equals_weighted_least_squares() -> None:
    mean, se, year = (r("score", name) for name in ("mean", "se", "year"))
    line = score_trend(mean, se, np.full(4, 1e12), year)
    assert line.slope == pytest.approx(r("score", "slope")[0], rel=1e-9)
    assert line.se == pytest.approx(r("score", "slope_se")[0], rel=1e-9)
    assert line.p_value == pytest.approx(
        2 * (1 - _normal(abs(float(line.slope / line.se)))), abs=1e-9
    )


def _normal(z: float) -> float:
    from scipy.stats import norm

    return float(norm.cdf(z))


def test_two_proportions_equal_prop_test() -> None:
    (late, early), (n, n0) = r("proportions", "yes"), r("proportions", "base")
    change = two_proportions(late / n, n, early / n0, n0)
    assert change.p_value == pytest.approx(r("proportions", "p")[0], rel=1e-9)


def test_scores_equal_t_test() -> None:
    late, early = r("scores", "later"), r("scores", "earlier")
    n, n0 = len(late), len(early)
    sides = [(x.mean(), x.std(ddof=1), len(x)) for x in (late, early)]
    pooled = t_test(*sides[0], *sides[1])
    assert pooled.p_value == pytest.approx(r("scores", "pooled_p")[0], rel=1e-9)
    assert np.array(pooled.limits()) == pytest.approx(r("scores", "pooled_limits"), rel=1e-9)
    (m, s, _), (m0, s0, _) = sides
    change = welch(m, s / n**0.5, n - 1, m0, s0 / n0**0.5, n0 - 1)
    assert change.p_value == pytest.approx(r("scores", "welch_p")[0], rel=1e-9)
    assert change.df == pytest.approx(r("scores", "welch_df")[0], rel=1e-9)
    assert np.array(change.limits()) == pytest.approx(r("scores", "welch_limits"), rel=1e-9)


@pytest.mark.parametrize("method", ["holm", "bh"])
def test_adjusted_p_equals_p_adjust(method: str) -> None:
    given, wanted = r("adjust", "p"), r("adjust", method)
    assert adjust_p(given, method=method) == pytest.approx(wanted, rel=1e-12, nan_ok=True)
    # The same, in any order and beside another family.
    order = np.random.default_rng(0).permutation(len(given))
    both = np.concatenate([given, given[order]])
    family = np.repeat([7, 3], len(given))
    found = adjust_p(both, method=method, family=family)
    assert found == pytest.approx(np.concatenate([wanted, wanted[order]]), nan_ok=True)


def test_adjusted_p_of_none_and_of_nothing() -> None:
    assert adjust_p([0.2, 0.01], method="none").tolist() == [0.2, 0.01]
    assert adjust_p([]).shape == (0,)
    assert np.isnan(adjust_p([np.nan, np.nan])).all()
    assert adjust_p([[0.01, 0.5], [0.02, 0.9]]).shape == (2, 2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"p": [0.1], "method": "hochberg"}, "No adjustment"),
        ({"p": [0.1, 1.2]}, "1 of 2 p-values"),
        ({"p": [0.1, 0.2], "family": np.array([1])}, "2 p-values and 1"),
    ],
)
def test_adjusted_p_refuses(given: dict, message: str) -> None:
    with pytest.raises(CultureAnalyticsError, match=message):
        adjust_p(**given)


def test_all_or_nobody_gives_a_defined_answer() -> None:
    same = two_proportions([0.0, 1.0, 0.0], [20, 20, 0], [0.0, 1.0, 0.5], [30, 30, 30])
    assert same.p_value[:2].tolist() == [1.0, 1.0]
    assert np.isnan(same.p_value[2])
    apart = two_proportions(0.0, 20, 1.0, 20)
    assert 0 <= float(apart.p_value) < 1e-6
    assert np.isnan(np.array(same.limits())[:, :2]).all()  # no zero-width limits


def test_too_few_years_or_no_spread() -> None:
    p = [[0.1, np.nan, 0.3], [0.1, 0.2, 0.3], [0.0, 0.0, 0.0]]
    line = proportion_trend(p, np.full((3, 3), 50.0), [2021, 2022, 2023])
    assert np.isnan(line.slope[0]) and np.isnan(line.p_value[0])
    assert line.slope[1] == pytest.approx(0.1)
    assert line.slope[2] == 0 and line.p_value[2] == 1
    with pytest.raises(CultureAnalyticsError, match="2 years"):
        proportion_trend([0.1, 0.2, 0.3], [9, 9, 9], [2021, 2022])


def test_mover_is_newcombes_method_ten() -> None:
    # Newcombe (1998), table II, method 10: examples with printed limits.
    from culture_analytics.stats import wilson

    for yes, n, yes0, n0, lower, upper in [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (10, 10, 0, 10, 0.6075, 1.0000),
    ]:
        (low, high), (low0, high0) = wilson(yes / n, n), wilson(yes0 / n0, n0)
        found = mover(yes / n, low, high, yes0 / n0, low0, high0)
        assert [float(x) for x in found] == pytest.approx([lower, upper], abs=5e-5)


def test_effective_answers_of_weights_and_ends() -> None:
    p, n = 0.3, 200
    plain = (p * (1 - p) / (n - 1)) ** 0.5
    found = effective_answers([p, p, 1.0, p], [plain, 2 * plain, 0.0, np.nan], n, 120)
    assert found == pytest.approx([200, 50, 120, 200])


@pytest.mark.parametrize("bases", [(57, 57), (57, 55), (30, 60), (190, 190)])
def test_the_test_of_two_proportions_holds_its_rate_exactly(bases: tuple[int, int]) -> None:
    """Over every possible pair of counts, ten questions at once: no simulation."""
    from scipy.stats import binom

    n, m = bases
    yes, before = np.arange(n + 1)[:, None], np.arange(m + 1)[None, :]
    p_value = two_proportions(yes / n, n, before / m, m).p_value
    truth = [0.42, 0.55, 0.25, 0.10, 0.18, 0.13, 0.09, 0.08, 0.56, 0.61]
    chance = [binom.pmf(yes, n, p) * binom.pmf(before, m, p) for p in truth]
    one_by_one = np.mean([c[p_value < 0.05].sum() for c in chance])
    any_of_ten = 1 - np.prod([1 - c[p_value < 0.05 / 10].sum() for c in chance])
    assert 0.04 < one_by_one < 0.051
    assert any_of_ten < 0.05
