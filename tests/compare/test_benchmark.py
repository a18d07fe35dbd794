"""Places in a benchmark group, roll-ups, funnels and the rows to look at first."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.compare import (
    biggest_movers,
    compare_benchmark,
    compare_years,
    funnel,
    roll_up,
    system,
    top_and_bottom,
)
from culture_analytics.disclosure.rules import load_rule
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.stats.funnel import arcsine_limits, calibrated_funnel, proportion_funnel
from culture_analytics.stats.multiplicity import adjust_p
from tests.compare.made import figure, published, results

STRESS, ENGAGEMENT = "work_related_stress", "staff_engagement"
NSS = load_rule("nss-2024")
PLACES = pd.DataFrame(
    {
        "org": ["ZZ1", "ZZ2", "ZZ3", "ZZ4", "ZZ5", "ZZ6"],
        "name": [f"Made-up {k}" for k in range(6)],
        "benchmark_group": ["A"] * 5 + ["B"],
        "region": ["North"] * 3 + ["South"] * 2 + [None],
        "ics": ["I", "I", "J", "J", "J", None],
    }
)
VALUES = {"ZZ1": 40.0, "ZZ2": 30.0, "ZZ3": 40.0, "ZZ4": 45.0, "ZZ5": 50.0}
BASES = {"ZZ1": 400, "ZZ2": 100, "ZZ3": 200, "ZZ4": 250, "ZZ5": 50}


def group_of_five(measure: str = STRESS, **other: Any) -> list[dict[str, Any]]:
    return [published(2024, measure, v, BASES[o], org=o, **other) for o, v in VALUES.items()]


def made(*more: dict[str, Any]) -> Estimates:
    return results([*group_of_five(), *more], rule=NSS, organisations=PLACES)


def by_statistic(estimates: Estimates, **keys: Any) -> pd.DataFrame:
    table = estimates.table
    for column, value in keys.items():
        table = table[table[column] == value]
    return table.set_index("statistic")


# -- places -----------------------------------------------------------------------------------


def test_places_by_hand() -> None:
    whole = made()
    found = by_statistic(compare_benchmark(whole.select(org="ZZ1"), whole))
    value = found["value"]
    # Stress: lower is better. 30, 40, 40, 45, 50.
    assert value["benchmark_best"] == 30 and value["benchmark_worst"] == 50
    assert value["benchmark_median"] == 40 and found.loc["benchmark_median", "base"] == 1000
    assert value["rank"] == 2  # ahead: one; level with ZZ3, sharing the better rank
    assert value["percentile"] == pytest.approx(100 * (2 + 0.5) / 4)
    assert value["difference"] == 0
    assert found.loc["rank", "method"] == "of 5 organisations"
    assert set(found["reference"]) == {"A", "A (median)"}
    ends = compare_benchmark(whole, whole).table
    ranks = ends[ends["statistic"] == "rank"].set_index("org")["value"]
    assert ranks.to_dict() == {"ZZ1": 2, "ZZ2": 1, "ZZ3": 2, "ZZ4": 4, "ZZ5": 5}
    centile = ends[ends["statistic"] == "percentile"].set_index("org")["value"]
    assert centile["ZZ2"] == 100 and centile["ZZ5"] == 0


def test_higher_better_measures_turn_the_order() -> None:
    rows = group_of_five("recommend_place_to_work")
    whole = results(rows, rule=NSS, organisations=PLACES)
    value = by_statistic(compare_benchmark(whole.select(org="ZZ5"), whole))["value"]
    assert (value["rank"], value["benchmark_best"], value["benchmark_worst"]) == (1, 50, 30)
    context = results(group_of_five("patient_contact"), rule=NSS, organisations=PLACES)
    status = by_statistic(compare_benchmark(context.select(org="ZZ5"), context))["status"]
    assert status["rank"] == status["benchmark_best"] == "not_applicable"
    assert status["benchmark_median"] == status["difference"] == "ok"


def test_other_weightings_and_hidden_figures_take_no_part() -> None:
    strangers = [
        published(2024, STRESS, 1.0, 500, org="ZZ6", weighting="unweighted"),
        published(2024, STRESS, 2.0, 9, org="ZZ6"),
    ]
    places = PLACES.assign(benchmark_group="A")
    whole = results([*group_of_five(), *strangers], rule=NSS, organisations=places)
    found = by_statistic(compare_benchmark(whole.select(org="ZZ1"), whole))
    assert found.loc["benchmark_best", "value"] == 30
    assert found.loc["rank", "method"] == "of 5 organisations"


def test_another_group_counts_the_organisation_as_one_more() -> None:
    whole = made(published(2024, STRESS, 35.0, 300, org="ZZ6"))
    found = by_statistic(compare_benchmark(whole.select(org="ZZ6"), whole, group="A"))
    assert found.loc["rank", "value"] == 2 and found.loc["rank", "method"] == "of 6 organisations"
    assert found.loc["benchmark_median", "value"] == 40  # of the group alone
    alone = compare_benchmark(whole.select(org="ZZ6"), whole)
    assert set(alone.table["status"]) == {"not_applicable"}
    assert any("have no place" in note for note in alone.notes)
    with pytest.raises(MeasureError, match="'A', 'B'"):
        compare_benchmark(whole.select(org="ZZ6"), whole, group="C")


def test_england_as_published_and_never_on_other_weights() -> None:
    eng = {"org": "ENG", "release": "2024 detailed spreadsheets"}
    whole = made(
        published(
            2024, STRESS, 41, 9000, weighting="organisation size and occupation group", **eng
        ),
        published(2024, STRESS, 38, 9000, weighting="unweighted", **eng),
    )
    found = compare_benchmark(whole.select(org=["ZZ1", "ZZ5"]), whole).table
    rows = found[found["reference"] == "England (as published)"].set_index("org")
    assert rows["value"].to_dict() == {"ZZ1": -1.0, "ZZ5": 9.0}
    assert (rows["lower"] < rows["value"]).all() and (rows["value"] < rows["upper"]).all()
    for org in rows.index:  # a family is an organisation's measures
        own = rows.loc[[org]]
        assert own["p_adjusted"].to_numpy() == pytest.approx(
            adjust_p(own["p_value"].to_numpy(), method="bh")
        )
    plain = made()
    without = compare_benchmark(plain.select(org="ZZ1"), plain)
    assert any("no row of England" in note for note in without.notes)
    means = made(
        published(2024, STRESS, 42, 900, weighting="mean of organisations", org="ENG",
                  method="mean_of_organisations")
    )  # fmt: skip
    assert any(
        "none is published" in n for n in compare_benchmark(means.select(org="ZZ1"), means).notes
    )


def test_local_figures_say_that_they_differ() -> None:
    local = results([figure(2024, STRESS, 43.5, 380)])
    found = compare_benchmark(local, made())
    table = by_statistic(found)
    assert table.loc["local_difference", "value"] == pytest.approx(3.5)
    assert table.loc["local_difference", "method"] == "will differ from your benchmark report"
    assert table.loc["rank", "value"] == 2  # of the published figure, not of 43.5
    assert any(
        "will differ from your benchmark report" in n and "occupations" in n for n in found.notes
    )
    assert found.rule.name == "default"  # the stricter of the two
    with pytest.raises(MeasureError, match="ZZ9"):
        compare_benchmark(results([figure(2024, STRESS, 40, 99, org="ZZ9")]), made())


def test_hidden_local_figures_stay_hidden() -> None:
    small = compare_benchmark(results([figure(2024, STRESS, 37.5, 8)]), made())
    row = by_statistic(small).loc["local_difference"]
    assert row["status"] == "suppressed" and np.isnan(row["value"]) and np.isnan(row["base"])
    together = results([figure(2024, STRESS, 43.5, 380)])._hiding(np.array([True]))
    found = compare_benchmark(together, made())
    assert found._suppressed_together
    status = by_statistic(found)["status"]
    assert status["local_difference"] == "suppressed" and status["rank"] == "ok"


# -- the rows to look at first ------------------------------------------------------------------


def test_top_and_bottom_and_movers() -> None:
    measures = {STRESS: -1, "recommend_place_to_work": 1, "hba_managers": -1, "pay_satisfaction": 1,
                "presenteeism": -1}  # fmt: skip
    shift = dict(zip(measures, [-6, 4, 3, -8, 0], strict=True))
    rows = [r for m in measures for r in group_of_five(m)]
    for row in rows:
        row["value"] = 40 + (shift[row["measure"]] if row["org"] == "ZZ1" else 0)
    rows.append(published(2024, f"{STRESS}_positive", 90, 400, org="ZZ1"))
    whole = results(rows, rule=NSS, organisations=PLACES)
    ends = top_and_bottom(compare_benchmark(whole.select(org="ZZ1"), whole), n=2).table
    assert ends[["measure", "method"]].values.tolist() == [
        [STRESS, "top 1"], ["recommend_place_to_work", "top 2"],
        ["pay_satisfaction", "bottom 1"], ["hba_managers", "bottom 2"],
    ]  # fmt: skip
    years = [figure(2023, m, 40, 500) for m in measures]
    years += [figure(2024, m, 40 + shift[m], 500) for m in measures]
    years.append(figure(2023, "hba_staff", 40, 8))
    years.append(figure(2024, "hba_staff", 10, 500))
    moved = biggest_movers(compare_years(results(years)), n=1).table
    assert moved[["measure", "method"]].values.tolist() == [
        [STRESS, "improved 1"], ["pay_satisfaction", "worsened 1"],
    ]  # fmt: skip
    with pytest.raises(MeasureError, match="compare_benchmark"):
        top_and_bottom(results(years))
    with pytest.raises(MeasureError, match="n=0"):
        biggest_movers(compare_years(results(years)), n=0)


# -- roll-ups -----------------------------------------------------------------------------------


def test_roll_ups_by_hand_and_labelled() -> None:
    whole = made(published(2024, STRESS, 10, 60, org="ZZ6", weighting="unweighted"))
    by_base = roll_up(whole, to="region").table.set_index("group")
    north = (40 * 400 + 30 * 100 + 40 * 200) / 700
    assert by_base.loc["North", "value"] == pytest.approx(north)
    assert by_base.loc["North", "base"] == 700
    assert by_base.loc["North", "weighting"] == "base-weighted mean (occupation group)"
    assert by_base.loc["North", "lower"] < north < by_base.loc["North", "upper"]
    means = roll_up(whole, to="region", how="mean of organisations").table.set_index("group")
    assert means.loc["South", "value"] == pytest.approx(47.5)
    assert means.loc["South", "weighting"] == "mean of organisations (occupation group)"
    assert np.isnan(means.loc["South", "lower"])
    country = roll_up(whole, to="england").table
    assert len(country) == 2  # two weightings are never in one row
    assert any("1 organisations say no region" in n for n in roll_up(whole, to="region").notes)
    with pytest.raises(MeasureError, match="national workbook"):
        roll_up(whole, to="ics", how="as published")
    with pytest.raises(MeasureError, match="'how' one of"):
        roll_up(whole, to="ics", how="sum")


def test_as_published_takes_the_published_row() -> None:
    row = published(2024, STRESS, 39.0, 900, org="ENG", breakdown="region", group="North",
                    weighting="organisation size")  # fmt: skip
    found = roll_up(made(row), to="region", how="as published").table
    assert found["value"].tolist() == [39.0] and found["weighting"].tolist() == [
        "organisation size"
    ]


def test_hidden_organisations_are_in_no_roll_up() -> None:
    whole = made(published(2024, "hba_managers", 10, 300, org="ZZ1"),
                 published(2024, "hba_managers", 99, 5, org="ZZ2"))  # fmt: skip
    found = roll_up(whole, to="ics", measures="hba_managers").table.set_index("group")
    assert found.loc["I", "value"] == 10 and found.loc["I", "base"] == 300


def test_unions_are_never_rebuilt() -> None:
    whole = made(*group_of_five("hba_managers"), *group_of_five("hba_colleagues"))
    found = roll_up(whole, to="region")
    assert "hba_staff" not in found.unique("measure")
    with pytest.raises(MeasureError, match="published figure"):
        roll_up(whole, to="region", measures="hba_staff")


def test_system_page() -> None:
    whole = made()
    page = system(whole, "ZZ1")
    assert page.table["org"].tolist() == ["ZZ1", "ZZ2", "ENG", "ENG", "ENG"]
    assert page.table["breakdown"].tolist() == ["overall", "overall", "ics", "region", "overall"]
    assert page.table["group"].tolist()[2:4] == ["I", "North"]
    ics = page.table.iloc[2]
    assert ics["value"] == pytest.approx(38) and ics["weighting"].startswith("base-weighted mean")
    national = [
        published(2024, STRESS, 41, 9000, org="ENG", weighting="organisation size"),
        published(2024, STRESS, 37, 900, org="ENG", breakdown="ics", group="I"),
    ]
    page = system(made(*national), "ZZ1")  # one way for all: as published, so no row of the region
    assert page.table["breakdown"].tolist() == ["overall", "overall", "ics", "overall"]
    assert any("region" in note for note in page.notes)
    lonely = system(made(published(2024, STRESS, 10, 60, org="ZZ6")), "ZZ6")
    assert any("says no ics" in note for note in lonely.notes)
    with pytest.raises(MeasureError, match="ZZ9"):
        system(whole, "ZZ9")


# -- funnels ------------------------------------------------------------------------------------


def many(seed: int = 4, count: int = 40) -> Estimates:
    rng = np.random.default_rng(seed)
    orgs = [f"ZZ{k:02d}" for k in range(count)]
    rows = [
        published(2024, m, float(rng.uniform(30, 50)), float(rng.integers(300, 3000)), org=o)
        for m in (STRESS, "hba_managers")
        for o in orgs
    ]
    places = pd.DataFrame({"org": orgs, "name": orgs, "benchmark_group": "A", "region": "North",
                           "ics": "I"})  # fmt: skip
    return results(rows, rule=NSS, organisations=places)


@pytest.mark.parametrize("calibrate", [True, False])
def test_funnel_rows(calibrate: bool) -> None:
    whole = many()
    table = funnel(whole, calibrate=calibrate).table
    judged = table[table["statistic"] == "funnel_z"]
    assert set(judged["family"]) == {"funnel of A 2024: 80 figures"}
    assert judged["p_adjusted"].to_numpy() == pytest.approx(
        adjust_p(judged["p_value"].to_numpy(), method="bh")
    )
    parents = whole.table[whole.table["measure"] == STRESS].set_index("org")
    draw = calibrated_funnel if calibrate else proportion_funnel
    wanted = draw(parents["value"] / 100, parents["base"])
    of = judged[judged["measure"] == STRESS].set_index("org").loc[parents.index]
    assert of["value"].to_numpy() == pytest.approx(wanted.z_od)
    common = table[(table["org"] == "ENG") & (table["measure"] == STRESS)].set_index("statistic")
    assert common.loc["funnel_target", "value"] == pytest.approx(100 * wanted.target)
    assert common.loc["funnel_tau2", "value"] == pytest.approx(wanted.tau2)
    lower, upper = arcsine_limits(wanted.target, [500], tau2=wanted.tau2)
    assert lower < wanted.target < upper


def test_funnel_refuses_few_organisations_and_scores() -> None:
    with pytest.raises(MeasureError, match="10 organisations"):
        funnel(made())
    with pytest.raises(MeasureError, match="No benchmark group"):
        funnel(many(), group="B")
    assert len(funnel(many(), STRESS, group="A")) == 43


def test_results_without_organisations_are_refused() -> None:
    for call in (funnel, lambda e: roll_up(e, to="ics"), lambda e: system(e, "ZZ1")):
        with pytest.raises(MeasureError, match="organisational workbook"):
            call(results([figure(2024, STRESS, 40, 99)]))


# -- the official workbook of 2024 ----------------------------------------------------------------


@pytest.fixture(scope="module")
def official(real_data: Path) -> Estimates:
    path = real_data / "nss24_official" / "NSS24 detailed spreadsheets organisational results.xlsx"
    if not path.is_file():
        pytest.skip("the official 2024 organisational workbook is not held here; see README")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ca.read_published(path)


def test_means_of_the_official_file_are_not_the_published_figure(official: Estimates) -> None:
    """Base-weighted 41.47 and means of trusts, against 41.63 published: never one another."""
    groups = official.organisations.set_index("org")["benchmark_group"]  # type: ignore[union-attr]
    trusts = [o for o, g in groups.items() if g.endswith("Trusts")]
    whole = official.select(measure=STRESS, org=trusts, answer="")
    assert whole._frame["org"].nunique() == 210
    figures = whole.table.set_index("org")
    by_base = roll_up(whole, to="england").table["value"].iloc[0]
    once = roll_up(whole, to="england", how="mean of organisations").table["value"].iloc[0]
    assert by_base == pytest.approx(np.average(figures["value"], weights=figures["base"]))
    assert by_base == pytest.approx(41.47, abs=0.01)
    assert once == pytest.approx(figures["value"].mean()) == pytest.approx(41.18, abs=0.01)


def test_ranks_of_the_official_file(official: Estimates) -> None:
    found = compare_benchmark(official.select(measure=STRESS, answer=""), official).table
    ranks = found[found["statistic"] == "rank"]
    own = official.table
    own = own[own["measure"].eq(STRESS) & own["answer"].eq("") & own["status"].eq("ok")]
    groups = official.organisations.set_index("org")["benchmark_group"]  # type: ignore[union-attr]
    own = own.assign(place=own["org"].map(groups))
    wanted = own.groupby(["place", "weighting"])["value"].rank(method="min")
    wanted.index = own["org"]
    shown = ranks[ranks["status"] == "ok"].set_index("org")["value"]
    assert len(shown) > 200
    assert (shown == wanted.loc[shown.index]).all()


# -- a contractor's table ---------------------------------------------------------------------


def contractor(
    org: str, value: float, base: float, measure: str = STRESS, **more: Any
) -> dict[str, Any]:
    given = {"source": "contractor", "weighting": "unweighted", "release": "2024 contractor"}
    return published(2024, measure, value, base, org=org, **{**given, **more})


def table_of(*more: dict[str, Any]) -> Estimates:
    return results([contractor("OWN", 44, 120), contractor("COMPARATOR", 41, 9000), *more])


def test_a_contractors_row_beside_its_comparator() -> None:
    score = {"statistic": "score", "measure": ENGAGEMENT}
    table = table_of(
        contractor("OWN", 6.5, 120, **score), contractor("COMPARATOR", 6.9, 9000, **score),
        contractor("OWN", 20, 120, measure="hba_managers"),
    )  # fmt: skip
    found = compare_benchmark(table, table)
    rows = found.table.set_index("measure")
    assert list(rows.index) == [STRESS, ENGAGEMENT] and set(rows["statistic"]) == {"difference"}
    assert rows.loc[STRESS, "value"] == pytest.approx(3)
    assert rows.loc[ENGAGEMENT, "value"] == pytest.approx(-0.4)
    own = table.table.iloc[0]
    assert rows.loc[STRESS, "lower"] == pytest.approx(own["lower"] - 41)
    assert set(rows["reference"]) == {"The contractor's comparator"}
    assert rows["p_value"].isna().all() and set(rows["method"]) == {"limits of own figure"}
    assert any("no benchmark group" in n and "will differ" in n for n in found.notes)
    assert "1 figures have no comparator in the table." in found.notes


def test_a_hidden_row_has_no_distance_from_the_comparator() -> None:
    table = results([contractor("OWN", 44, 5), contractor("COMPARATOR", 41, 9000)])
    row = compare_benchmark(table, table).table.iloc[0]
    assert row["status"] == "suppressed" and np.isnan(row["value"]) and np.isnan(row["lower"])


def test_a_contractors_row_in_the_group_is_the_published_one() -> None:
    whole, table = made(), table_of()
    found = by_statistic(compare_benchmark(table, whole, org="ZZ1"))
    told = by_statistic(compare_benchmark(whole.select(org="ZZ1"), whole))
    # Places are those of the published, weighted row: 40 %, not the table's 44.
    for statistic in ("rank", "percentile", "benchmark_median"):
        assert found.loc[statistic, "value"] == told.loc[statistic, "value"]
    assert found.loc["local_difference", "value"] == pytest.approx(4)
    assert found.loc["local_difference", "method"] == "will differ from your benchmark report"
    assert set(found["org"]) == {"ZZ1"}


def test_a_contractors_table_is_refused_where_it_cannot_be_right() -> None:
    whole, table = made(), table_of()
    with pytest.raises(MeasureError, match="does not say which organisation"):
        compare_benchmark(table, whole)
    with pytest.raises(MeasureError, match="cannot be the benchmark group.*official organis"):
        compare_benchmark(whole.select(org="ZZ1"), table)
    with pytest.raises(MeasureError, match="no such table"):
        compare_benchmark(whole.select(org="ZZ1"), whole, org="ZZ1")
    alone = results([contractor("OWN", 44, 120)])
    with pytest.raises(MeasureError, match="no comparator for these"):
        compare_benchmark(alone, alone)
    # With both at hand places come from what is published.
    both = ca.concat([whole, table])
    assert "rank" in set(compare_benchmark(table, both, org="ZZ1").table["statistic"])


def test_a_workbook_given_twice_counts_once() -> None:
    whole = made()
    twice = ca.concat([whole, made(published(2024, STRESS, 44, 90, org="ZZ6"))])
    assert len(twice) == 6
    found = by_statistic(compare_benchmark(whole.select(org="ZZ1"), twice))
    assert found.loc["rank", "method"] == "of 5 organisations"
    # The first and the corrected release of a year are no two organisations either.
    other = results([published(2024, STRESS, 41, 400, org="ZZ1")], rule=NSS, organisations=PLACES)
    with pytest.raises(MeasureError, match="1 published figures stand there twice and differ"):
        ca.concat([whole, other])


def test_a_contractors_shares_and_answers_are_one_figure() -> None:
    shares, answers = table_of(), results([contractor("OWN", 43.7, 121)])
    both = ca.concat([shares, answers])
    assert len(both) == 2 and both.table.iloc[0]["value"] == 44
    with pytest.raises(MeasureError, match="differ"):
        ca.concat([shares, results([contractor("OWN", 60, 121)])])
