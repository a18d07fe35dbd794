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
    [(30, 100, 10.0, 20), (30, 200, 40.0, 20), (30, 40, None, 30), (400, 40, None, 2)],
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


@pytest.mark.parametrize(("rate", "spread"), [(40.0, 4.0), (None, 3.0)])
def test_pooled_figures_are_nearer_the_truth_and_their_limits_hold_it(
    rate: float | None, spread: float
) -> None:
    b = benchmark()
    found = b.judge(b.Setting(30, None, rate, spread=spread), runs=25)
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
    own = (np.array(yes) + 0.5) / (np.array(n) + 1)
    pooled = found["value"].to_numpy() / 100
    away = np.log(own / (1 - own)) - np.log(pooled / (1 - pooled))
    assert (np.abs(away) <= 1 / np.sqrt(n * own * (1 - own)) + 1e-9).all()


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


def test_weights_make_a_normal_test_of_effective_answers() -> None:
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
    assert f"{first['difference']:.0f} points above the organisation" in first["reason"]
    assert "110 staff, 95 % interval" in first["reason"]
    assert first["lower"] > 0
    assert "points below the organisation" in found.iloc[1]["reason"]
    assert all(reason.isascii() for reason in found["reason"])


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
    with pytest.raises(MeasureError, match="compare_years"):
        falling_units(pooled_units(both, by="team"), both)


def test_what_cannot_be_judged_is_said() -> None:
    with pytest.raises(MeasureError, match=r"No figures of 'ward'.*team"):
        pooled_units(trust(*USUAL), by="ward")
    alone = trust(*USUAL)
    only = Estimates(alone._frame[alone._frame["breakdown"].eq("team")], rule=alone.rule)
    with pytest.raises(MeasureError, match="beside those of everyone"):
        pooled_units(only, by="team")
