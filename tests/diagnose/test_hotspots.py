"""Pooled units, hot and bright spots: what is planted is found, what is hidden takes no part.

Figures are drawn by benchmarks/hotspots.py. SYNTHETIC.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.diagnose.hotspots import (
    BRIGHT,
    DIFFERENCE,
    HOT,
    LEAST,
    POOLED,
    falling_units,
    pooled_units,
    spots,
)
from culture_analytics.disclosure.rules import load_rule
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.stats import wilson

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "hotspots.py"


def benchmark() -> ModuleType:
    if "hotspots_benchmark" not in sys.modules:
        spec = importlib.util.spec_from_file_location("hotspots_benchmark", BENCHMARK)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["hotspots_benchmark"] = module
        spec.loader.exec_module(module)
    return sys.modules["hotspots_benchmark"]


def trust(
    yes: list[int], n: list[int], measure: str = "work_related_stress", **changes: object
) -> Estimates:
    """Percentages of units and of everyone, as `calculate` gives them."""
    y = np.array([sum(yes), *yes], dtype=float)
    base = np.array([sum(n), *n], dtype=float)
    lower, upper = wilson(y / base, base)
    frame = pd.DataFrame(
        {
            "group": ["All staff", *(f"Unit {i}" for i in range(len(n)))],
            "breakdown": ["overall", *["team"] * len(n)],
            "value": 100 * y / base, "lower": 100 * lower, "upper": 100 * upper,
            "se": 100 * np.sqrt(y / base * (1 - y / base) / base), "base": base,
            "weighted_base": base, "effective_base": base,
        }
    )  # fmt: skip
    frame = frame.assign(
        year=2024, org="ZZ1", measure=measure, label=measure, answer="", within="",
        within_group="", statistic="percent", unit="percent", level=0.95, df=base - 1,
        weighting="unweighted", method="wilson", status="ok", source="extract", release="",
        reference="",
    ).assign(**changes)  # fmt: skip
    return Estimates(frame, rule=load_rule("default"))


USUAL = ([12, 9, 15, 11, 40, 8, 13, 0], [100, 90, 120, 105, 110, 88, 101, 90])


def rows(estimates: Estimates, statistic: str) -> pd.DataFrame:
    table = pooled_units(estimates, by="team").table
    return table[table["statistic"].eq(statistic)].set_index("group")


@pytest.mark.parametrize(
    ("units", "size", "rate", "runs"),
    [(30, 100, 10.0, 120), (30, 200, 40.0, 20), (30, 40, None, 30), (400, 40, None, 2)],
)
def test_planted_hot_spots_are_found(units: int, size: int, rate: float | None, runs: int) -> None:
    b = benchmark()
    found = b.judge(b.Setting(units, size, rate, excess=15), runs=runs)
    assert found.recall >= 0.8
    assert found.false_share <= 0.08
    # Five points, in units this small, are rarely found: the figures have to be able to fail.
    assert b.judge(b.Setting(units, size, rate, excess=5), runs=runs).recall < 0.5


@pytest.mark.parametrize(("rate", "size"), [(10.0, 30), (None, None)])
def test_where_nothing_is_planted_nothing_is_found(rate: float | None, size: int | None) -> None:
    b = benchmark()
    found = b.judge(b.Setting(30, size, rate), runs=60)
    assert found.any_spot <= 0.05 + 2 * max(found.any_spot_error, (0.05 * 0.95 / 60) ** 0.5)


@pytest.mark.parametrize(("rate", "spread"), [(40.0, 4.0), (10.0, 4.0), (None, 3.0)])
def test_pooled_figures_are_nearer_the_truth_and_their_limits_hold_it(
    rate: float | None, spread: float
) -> None:
    b = benchmark()
    found = b.judge(b.Setting(30, None, rate, spread=spread), runs=40)
    assert found.reliability <= 0.6
    assert found.error_ratio <= 0.75
    assert 0.93 <= found.covered <= 0.97


def test_spots_are_named_by_what_is_better() -> None:
    found = rows(trust(*USUAL), DIFFERENCE)
    assert found.loc["Unit 4", "method"] == HOT
    assert found.loc["Unit 7", "method"] == BRIGHT
    assert set(found.loc[["Unit 0", "Unit 1", "Unit 2"], "method"]) == {""}
    turned = rows(trust(*USUAL, measure="recommend_place_to_work"), DIFFERENCE)
    assert turned.loc["Unit 4", "method"] == BRIGHT
    assert turned.loc["Unit 7", "method"] == HOT
    neither = rows(trust(*USUAL, measure="patient_contact"), DIFFERENCE)
    assert set(neither["method"]) == {""}


def test_small_units_move_most_and_none_more_than_its_standard_error() -> None:
    n = [20, 400, 60, 60, 60, 60, 60, 60, 60, 60]
    yes = [10, 200, 12, 14, 16, 18, 11, 13, 15, 19]
    found = rows(trust(yes, n), POOLED)
    raw = 100 * np.array(yes) / n
    moved = raw - found["value"].to_numpy()
    assert moved[0] > moved[1] > 0
    own = np.arcsin(np.sqrt((np.array(yes) + 0.375) / (np.array(n) + 0.75)))
    away = np.abs(own - np.arcsin(np.sqrt(found["value"].to_numpy() / 100)))
    assert (away <= 1 / (2 * np.sqrt(np.array(n) + 0.5)) + 1e-9).all()


def test_one_unit_unlike_all_others_keeps_its_own_limits() -> None:
    found = rows(trust([50, *[10] * 60], [100] * 61), POOLED)
    one = found.loc["Unit 0"]
    assert 42 <= one["value"] <= 50
    assert one["upper"] > 50
    assert found.loc["Unit 1", "upper"] < one["lower"]


def test_clear_but_little_is_no_spot() -> None:
    n = [5000, *[20_000] * 5]
    yes = [1600, *[5850, 5900, 5880, 5910, 5870]]
    found = rows(trust(yes, n), DIFFERENCE)
    assert found.loc["Unit 0", "p_adjusted"] < 0.05
    assert abs(found.loc["Unit 0", "value"]) < LEAST["percent"]
    assert found.loc["Unit 0", "method"] == "different, but by little"


def test_hidden_units_stay_hidden_and_take_no_part() -> None:
    yes, n = [*USUAL[0], 3], [*USUAL[1], 8]
    whole = trust(yes, n)
    found = pooled_units(whole, by="team").table
    hidden = found[found["group"].eq("Unit 8")]
    assert set(hidden["status"]) == {"suppressed"}
    assert (
        hidden[["value", "lower", "upper", "p_value", "p_adjusted", "base"]].isna().all(axis=None)
    )
    assert set(hidden["method"]) == {""}
    assert "Unit 8" not in set(spots(pooled_units(whole, by="team"))["group"])
    # Other answers in the hidden unit, nothing else: no shown figure of the others moves.
    frame = whole._frame.copy()
    at = frame["group"].eq("Unit 8")
    frame.loc[at, ["value", "lower", "upper", "se"]] = [90.0, 80.0, 95.0, 9.0]
    again = pooled_units(Estimates(frame, rule=whole.rule), by="team").table
    pd.testing.assert_frame_equal(found, again)


def test_units_suppressed_to_protect_others_are_hidden_too() -> None:
    whole = trust(*USUAL)
    hide = whole._frame["group"].eq("Unit 4").to_numpy()
    found = pooled_units(whole._hiding(hide), by="team").table
    assert set(found.loc[found["group"].eq("Unit 4"), "status"]) == {"suppressed"}
    assert found.loc[found["group"].eq("Unit 0"), "status"].eq("ok").all()


def test_a_table_read_back_from_a_pickle_gives_the_same() -> None:
    import pickle

    whole = trust(*USUAL)
    again = pooled_units(pickle.loads(pickle.dumps(whole)), by="team").table
    found = pooled_units(whole, by="team").table
    np.testing.assert_allclose(again["value"], found["value"])
    np.testing.assert_allclose(again["p_value"], found["p_value"])


def test_few_units_and_no_variation_are_not_pooled() -> None:
    few = rows(trust([12, 9, 40], [100, 90, 110]), POOLED)
    assert set(few["method"]) == {"not pooled: fewer than 5 units"}
    np.testing.assert_allclose(few["value"], [12.0, 10.0, 4000 / 110])
    told = rows(trust([12, 9, 40], [100, 90, 110]), DIFFERENCE)
    assert told.loc["Unit 2", "method"] == HOT
    same = rows(trust([0] * 6, [50] * 6), POOLED)
    assert set(same["method"]) == {"not pooled: nothing varies"}
    one = pooled_units(trust([12], [100]), by="team").table
    assert not one["method"].isin([HOT, BRIGHT]).any()


def scores(means: list[float], n: list[int], sd: float = 2.0, **changes: object) -> Estimates:
    """Scores of units and of everyone, as `calculate` gives them."""
    size, mean = np.array(n, dtype=float), np.array(means)
    all_mean = (size * mean).sum() / size.sum()
    squares = np.r_[(size * (mean - all_mean) ** 2 + sd**2 * (size - 1)).sum(), sd**2 * (size - 1)]
    base, value = np.r_[size.sum(), size], np.r_[all_mean, mean]
    se = np.sqrt(squares) / base
    frame = trust([1] * len(n), n, measure="burnout")._frame
    return Estimates(
        frame.assign(
            value=value, se=se, lower=value - 2 * se, upper=value + 2 * se, statistic="score",
            unit="score",
        ).assign(**changes),
        rule=load_rule("default"),
    )  # fmt: skip


MEANS, SIZES = [5.0, 5.1, 4.9, 5.2, 3.6, 5.0, 5.1, 6.0], [60, 80, 70, 50, 65, 90, 75, 60]


def test_scores_without_a_spread_are_neither_pooled_nor_called_spots() -> None:
    known = rows(scores(MEANS, SIZES), DIFFERENCE)
    assert known.loc["Unit 4", "method"] == HOT
    published = scores(MEANS, SIZES, se=np.nan)
    found = rows(published, DIFFERENCE)
    assert found["p_value"].isna().all()
    assert set(found["method"]) == {""}
    np.testing.assert_allclose(rows(published, POOLED)["value"], MEANS)
    # A unit without one takes no part in the common spread, and is tested with that of the others.
    some = scores(MEANS, SIZES)._frame
    some.loc[some["group"].eq("Unit 3"), "se"] = np.nan
    found = rows(Estimates(some, rule=load_rule("default")), DIFFERENCE)
    np.testing.assert_allclose(found.loc["Unit 4", "p_value"], known.loc["Unit 4", "p_value"],
                               rtol=0.1)  # fmt: skip
    assert found["p_value"].notna().all()
    same = rows(scores([5.0] * 8, SIZES, sd=0.0), DIFFERENCE)
    assert same["p_value"].isna().all()


def test_figures_not_pooled_keep_their_own_level() -> None:
    few = trust([12, 9, 40], [100, 90, 110])
    table = pooled_units(few, by="team", level=0.8).table
    assert set(table["level"]) == {0.95}
    wide, narrow = (rows_at(trust(*USUAL), level) for level in (0.95, 0.8))
    assert set(narrow["level"]) == {0.8}
    assert (narrow["upper"] - narrow["lower"] < wide["upper"] - wide["lower"]).all()


def rows_at(estimates: Estimates, level: float) -> pd.DataFrame:
    table = pooled_units(estimates, by="team", level=level).table
    return table[table["statistic"].eq(POOLED)].set_index("group")


def test_effective_answers_of_the_rest_are_kishs() -> None:
    """Parts of unlike weight: their effective answers do not add up to those of everyone."""
    from culture_analytics.diagnose.hotspots import _rest, _units

    rng = np.random.default_rng(3)
    sizes = np.array([40, 60, 30, 80, 50, 45])
    unit = np.repeat(np.arange(6), sizes)
    w = rng.gamma(2, 1, unit.size) * np.array([0.5, 3, 1, 1, 2, 0.7])[unit]
    y = rng.random(unit.size) < 0.3
    parts = [np.ones(unit.size, dtype=bool), *(unit == u for u in range(6))]
    frame = trust([1] * 6, sizes.tolist(), weighting="combined")._frame.assign(
        value=[100 * np.average(y[at], weights=w[at]) for at in parts],
        weighted_base=[w[at].sum() for at in parts],
        effective_base=[w[at].sum() ** 2 / (w[at] ** 2).sum() for at in parts],
    )
    rest, n = _rest(_units(frame.iloc[1:], frame.iloc[0], 100.0))
    for u in range(6):
        at = unit != u
        np.testing.assert_allclose(n[u], w[at].sum() ** 2 / (w[at] ** 2).sum())
        np.testing.assert_allclose(rest[u], np.average(y[at], weights=w[at]))


def test_weighted_and_rare_makes_no_false_spots() -> None:
    """Effective answers of small units: a normal test would call a spot in one trust of five."""
    rng = np.random.default_rng(8)
    trusts = []
    for number in range(60):
        n = rng.integers(12, 30, 40)
        yes = rng.binomial(n, 0.06)
        trusts.append(trust(yes.tolist(), n.tolist(), weighting="combined", org=f"ZZ{number:03d}"))
    told = pooled_units(_concat(*trusts), by="team").table
    called = told[told["statistic"].eq(DIFFERENCE)].groupby("org")["method"].agg(set)
    assert called.ne({""}).mean() <= 0.05 + 2 * (0.05 * 0.95 / 60) ** 0.5


def test_published_percentages_rounded_or_without_effective_bases_are_tested() -> None:
    frame = trust(*USUAL, weighting="published", effective_base=np.nan)._frame
    frame["value"] = frame["value"].round(0)
    found = rows(Estimates(frame, rule=load_rule("default")), DIFFERENCE)
    assert found.loc["Unit 4", "method"] == HOT and found.loc["Unit 7", "method"] == BRIGHT


def test_spots_need_more_where_more_is_asked() -> None:
    """Units barely clear of chance with one measure are not with eight that say nothing."""
    one = trust([12, 9, 15, 11, 24, 8, 13, 11], USUAL[1])
    alone = rows(one, DIFFERENCE)
    others = [
        trust([10] * 8, [100] * 8, measure=name)
        for name in ("presenteeism", "hba_patients", "hba_managers", "look_for_job")
    ]
    family = pooled_units(_concat(one, *others), by="team").table
    at = family["group"].eq("Unit 4") & family["measure"].eq("work_related_stress")
    among = family.loc[at & family["statistic"].eq(DIFFERENCE)].iloc[0]
    assert among["p_value"] == alone.loc["Unit 4", "p_value"]
    np.testing.assert_allclose(among["p_adjusted"], 5 * alone.loc["Unit 4", "p_adjusted"])


def test_where_everyone_is_hidden_units_are_not_compared() -> None:
    whole = trust(*USUAL)
    hidden = whole._hiding(whole._frame["breakdown"].eq("overall").to_numpy())
    table = pooled_units(hidden, by="team").table
    assert set(table["status"]) == {"suppressed"}  # a figure dies with what it is made of
    assert table[["value", "lower", "upper", "p_value"]].isna().all(axis=None)
    assert spots(pooled_units(hidden, by="team")).empty


def test_one_unit_that_is_everyone_and_ties_have_no_spots() -> None:
    one = pooled_units(trust([12], [100]), by="team").table
    assert one["p_value"].isna().all() and set(one["family"]) == {""}
    tied = rows(trust([10] * 8, [100] * 8), DIFFERENCE)
    assert (tied["p_value"] > 0.9).all()
    np.testing.assert_allclose(tied["value"], 0, atol=0.3)
    nobody = rows(trust([0] * 8, [100] * 8), DIFFERENCE)
    assert (nobody["p_value"] == 1).all()


def test_years_and_columns_of_units_are_families_of_their_own() -> None:
    one, two = trust(*USUAL, year=2023), trust(*USUAL)
    both = pooled_units(_concat(one, two), by="team").table
    told = both[both["statistic"].eq(DIFFERENCE)]
    assert {f.split(":")[0] for f in told["family"]} == {
        "team against the rest, ZZ1 2023", "team against the rest, ZZ1 2024"
    }  # fmt: skip
    np.testing.assert_allclose(
        told.loc[told["year"].eq(2023), "p_adjusted"], told.loc[told["year"].eq(2024), "p_adjusted"]
    )


def test_several_related_measures_without_anything_planted() -> None:
    b = benchmark()
    share, error = b.judge_several(b.Setting(12, 30, 10.0), runs=10)
    assert share <= 0.05 + 2 * max(error, (0.05 * 0.95 / 10) ** 0.5)


def test_weights_make_a_test_of_effective_answers() -> None:
    plain = rows(trust(*USUAL), DIFFERENCE)
    weighted = rows(trust(*USUAL, weighting="combined"), DIFFERENCE)
    assert weighted["method"].tolist() == plain["method"].tolist()
    frame = trust(*USUAL, weighting="combined")._frame
    halved = Estimates(
        frame.assign(effective_base=frame["effective_base"] / 4), rule=load_rule("default")
    )
    less = rows(halved, DIFFERENCE)["p_value"]
    for unit in ("Unit 4", "Unit 7"):
        assert less[unit] > 10 * weighted.loc[unit, "p_value"]


def test_families_span_the_measures_of_a_year() -> None:
    one, two = trust(*USUAL), trust(*USUAL, measure="presenteeism")
    both = pooled_units(_concat(one, two), by="team").table
    told = both[both["statistic"].eq(DIFFERENCE)]
    assert set(told["family"]) == {"team against the rest, ZZ1 2024: 16 comparisons"}


def _concat(*parts: Estimates) -> Estimates:
    from culture_analytics.estimates import concat

    return concat(parts)


def test_spots_in_words() -> None:
    found = spots(pooled_units(trust(*USUAL), by="team"))
    assert found["kind"].tolist() == [HOT, BRIGHT]
    first = found.iloc[0]
    assert first["reason"].startswith("Work-related stress: ")
    assert f"{first['difference']:.1f} points above the organisation" in first["reason"]
    assert "110 staff, 95 % interval" in first["reason"]
    assert first["lower"] > 0
    assert "points below the organisation" in found.iloc[1]["reason"]
    assert all(reason.isascii() for reason in found["reason"])


def test_a_spot_has_limits_that_leave_out_the_organisations_figure() -> None:
    """Also in small units, whose own figure may be beyond chance while pooled limits are not."""
    teams = ca.calculate(
        ca.load_sample(2025), ["recommend_place_to_work", "hba_colleagues"], by="team"
    )
    found = pooled_units(teams, by="team", alpha=0.2).table
    found = found[found["statistic"].eq(DIFFERENCE) & found["status"].eq("ok")]
    apart = found["lower"].gt(0) | found["upper"].lt(0)
    clear = found["p_adjusted"].le(0.2) & found["value"].abs().ge(LEAST["percent"])
    assert (clear & ~apart).any() and (clear & apart).any()
    assert found.loc[clear & apart, "method"].isin([HOT, BRIGHT]).all()
    assert found.loc[~apart, "method"].eq("").all()


def test_no_spots_make_an_empty_table() -> None:
    assert spots(pooled_units(trust([10] * 8, [100] * 8), by="team")).empty


def test_the_sample_from_respondents_to_words() -> None:
    survey = ca.load_sample()
    figures = ca.calculate(survey, ["work_related_stress", "burnout"], by=["directorate", "team"])
    pooled = pooled_units(figures, by="directorate")
    found = spots(pooled)
    assert len(found) and set(found["breakdown"]) == {"directorate"}
    assert set(pooled.table["year"]) == {2023, 2024, 2025}
    fallen = falling_units(pooled, ca.compare_years(figures))
    assert set(fallen["breakdown"]) <= {"directorate"}


def test_falling_units_are_worse_now_and_have_become_worse() -> None:
    early = trust([12, 9, 15, 11, 15, 8, 13, 9], USUAL[1], year=2023)
    both = _concat(early, trust(*USUAL))
    found = falling_units(pooled_units(both, by="team"), ca.compare_years(both))
    assert found["group"].tolist() == ["Unit 4"]
    assert found.loc[0, "kind"] == HOT and found.loc[0, "since"] == "2023"
    assert found.loc[0, "change"] > 15
    # Two points worse than all is not "worse", however clear the fall.
    last = trust([12, 9, 15, 11, 40, 8, 60, 9], [100, 90, 120, 105, 110, 88, 400, 90])
    sizes = last._frame["base"][1:].astype(int).tolist()
    near = _concat(trust([12, 9, 15, 11, 15, 8, 10, 9], sizes, year=2023), last)
    pooled, moved = pooled_units(near, by="team"), ca.compare_years(near)
    assert set(falling_units(pooled, moved)["group"]) == {"Unit 4"}
    assert set(falling_units(pooled, moved, least={})["group"]) >= {"Unit 4"}
    with pytest.raises(MeasureError, match="compare_years"):
        falling_units(pooled_units(both, by="team"), both)


def test_what_cannot_be_judged_is_said() -> None:
    with pytest.raises(MeasureError, match=r"No figures of 'ward'.*team"):
        pooled_units(trust(*USUAL), by="ward")
    alone = trust(*USUAL)
    only = Estimates(alone._frame[alone._frame["breakdown"].eq("team")], rule=alone.rule)
    with pytest.raises(MeasureError, match="beside those of everyone"):
        pooled_units(only, by="team")
