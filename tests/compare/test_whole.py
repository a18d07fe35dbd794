"""Association and gradient of whole breakdowns: R, official tables, hidden groups, families."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import culture_analytics as ca
from culture_analytics.compare import compare_groups, verdict
from culture_analytics.compare.whole import GROUPS_SHOWN, SPARSE
from culture_analytics.disclosure.derived import GROUPS
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import KEY, NUMBERS, Estimates
from culture_analytics.stats import rao_scott, slope_index
from culture_analytics.stats.multiplicity import adjust_p
from culture_analytics.survey import Survey
from tests.compare.made import figure, results
from tests.estimate.test_calculate_against_r import DESIGNS, OPEN, survey_from_reference
from tests.stats.test_against_r import REFERENCE
from tests.stats.test_inequality import CASES as TABLES
from tests.stats.test_inequality import case

BULLIED, FAIR, STRESS = "hba_managers", "fair_career_progression", "work_related_stress"
ALL_THREE = ["association", "slope_index", "relative_index"]
AGES = ["16-20", "21-30", "31-40", "41-50", "51-65", "66+"]

TESTS = pd.read_csv(REFERENCE / "association_r.csv")
TESTS = TESTS[TESTS["column"].eq("y01") & TESTS["row"].isin(["group2", "group_large"])]
KEYS = ["dataset", "design", "lonely"]
CASES = [tuple(key) for key in TESTS[KEYS].drop_duplicates().to_numpy().tolist()]


def ages(values: list[float], bases: list[float], **other: Any) -> Estimates:
    rows = [
        figure(2024, BULLIED, v, b) | {"breakdown": "age", "group": g} | other
        for g, v, b in zip(AGES, values, bases, strict=False)
    ]
    return results(rows)


# -- figures --------------------------------------------------------------------------------


@pytest.mark.parametrize("key", CASES, ids="-".join)
def test_association_equals_r(key: tuple[str, str, str]) -> None:
    dataset, design, lonely = key
    strata, weight, population = DESIGNS[design]
    survey = survey_from_reference(dataset, strata, population, lonely)
    found = ca.calculate(survey, STRESS, by=["grp", "grp2"], weight=weight, rule=OPEN)
    table = compare_groups(found, statistic="association", adjust="none").table
    table = table.set_index("breakdown")
    assert len(table) == 2
    for breakdown, row, groups in (("grp", "group_large", "3 of 4"), ("grp2", "group2", "3 of 3")):
        r = TESTS[(TESTS[KEYS] == list(key)).all(axis=1) & TESTS["row"].eq(row)].iloc[0]
        ours = table.loc[breakdown]
        np.testing.assert_allclose(
            ours[["value", "df", "p_value"]].astype(float), r[["f", "ndf", "p_f"]].astype(float),
            rtol=1e-8,
        )  # fmt: skip
        assert ours["method"] == f"rao_scott, {groups} groups"
        occupied = survey.responses["stratum"].nunique() if strata else 1
        ddf = ours["df"] * (ours["base"] - occupied)
        np.testing.assert_allclose(ddf, r["ddf"], rtol=1e-8)


def test_several_organisations_and_tables_within_tables(
    survey_of: Callable[..., Survey],
) -> None:
    survey = survey_of(1500, orgs=("ZZ1", "ZZ2"), seed=3)
    stratified = survey.with_design(ca.Design(weights={"w": "w"}, strata="org"))
    for one, weight in ((survey, None), (survey, "w"), (stratified, "w")):
        table = compare_groups(
            ca.calculate(one, FAIR, by="working_pattern", within="directorate", weight=weight),
            statistic="association",
        ).table
        assert sorted(set(table["org"])) == ["ZZ1", "ZZ2", "all"] and len(table) == 12
        r = one.responses
        inside = r["directorate"].eq("Directorate B") & r[FAIR].notna()
        w = r["w"].to_numpy() if weight else np.ones(len(r))
        stratum = pd.factorize(r["org"])[0] if one.design.strata else np.zeros(len(r), int)
        group = r["contracted_hours"].cat.codes.to_numpy()
        yes = r[FAIR].eq("Yes").to_numpy().astype(int)
        known = inside.to_numpy() & (group >= 0)
        shape = (stratum.max() + 1, group.max() + 1, 2)
        cell = np.ravel_multi_index((stratum[known], group[known], yes[known]), shape)
        sums = [np.bincount(cell, w[known] ** k, np.prod(shape)).reshape(shape) for k in range(3)]
        expected = rao_scott(*sums, np.bincount(stratum))
        row = table[table["org"].eq("all") & table["within_group"].eq("Directorate B")].iloc[0]
        assert row["value"] == pytest.approx(expected.f, rel=1e-9)
        assert row["p_value"] == pytest.approx(expected.p_value, rel=1e-9)
        assert row["base"] == known.sum()


@pytest.mark.parametrize(("kind", "test", "area"), TABLES)
def test_gradient_equals_official_tables(kind: str, test: str, area: str) -> None:
    rows, expected, se = case(kind, test, area)
    labels = [f"Quantile {q:02d}" for q in rows["Quantile"]]
    scale, other = (100, {}) if kind == "proportion" else (1, {"statistic": "score"})
    made = results(
        figure(2024, BULLIED, scale * value, base, se=scale * error, **other)
        | {"breakdown": "deprivation", "group": label}
        for label, value, base, error in zip(
            labels, rows["Value"], rows["Population"], se, strict=True
        )
    )
    table = compare_groups(
        made, statistic=["slope_index", "relative_index"], order={"deprivation": labels}
    ).table.set_index("statistic")
    np.testing.assert_allclose(
        table.loc["slope_index", "value"] / scale, expected["sii"], rtol=1e-9
    )
    assert table.loc["slope_index", "reference"] == f"{labels[0]} to {labels[-1]}"
    if kind == "proportion":
        ratio = table.loc["relative_index"]
        np.testing.assert_allclose(ratio["value"], expected["rii"], rtol=1e-9)
        assert ratio["lower"] < ratio["value"] < ratio["upper"]
    else:
        assert "relative_index" not in table.index  # no ratio of scores


def test_gradient_by_hand() -> None:
    value, base = np.array([5.0, 8, 9, 12, 15, 16]), np.array([60, 300, 400, 500, 450, 40])
    row = compare_groups(ages(list(value), list(base)), statistic="slope_index").table.iloc[0]
    found = slope_index(value, base)
    assert row["value"] == pytest.approx(float(found.sii)) and row["unit"] == "points"
    # Armitage's test of a trend over middle ranks, by its usual formula.
    n, yes = base.astype(float), value * base / 100
    rank, p = (np.cumsum(n) - n / 2) / n.sum(), yes.sum() / n.sum()
    t = np.sum(rank * (yes - n * p))
    variance = p * (1 - p) * (np.sum(n * rank**2) - np.sum(n * rank) ** 2 / n.sum())
    z = t / variance**0.5
    assert row["p_value"] == pytest.approx(2 * norm.sf(abs(z)), rel=0.01)  # n - 1 for n
    assert row["lower"] < row["value"] < row["upper"] and row["base"] == base.sum()


def test_gradient_of_scores_is_students() -> None:
    made = ages([6.0, 6.4, 6.9], [300, 400, 200], statistic="score", se=0.1, df=200.0)
    row = compare_groups(made, statistic="slope_index").table.iloc[0]
    found = slope_index([6.0, 6.4, 6.9], [300, 400, 200], se=[0.1] * 3)
    assert row["method"] == "slope_t, 3 of 3 groups"
    assert [row["value"], row["se"]] == pytest.approx([float(found.sii), float(found.sii_se)])
    assert 399 < row["df"] < 600 and row["p_value"] < 1e-6
    with pytest.raises(MeasureError, match="scores alone"):
        compare_groups(made, statistic="association")


def test_a_line_that_leaves_the_scale_has_no_ratio() -> None:
    table = compare_groups(
        ages([0.2, 1.0, 9.0], [1000, 1000, 1000]), statistic=["slope_index", "relative_index"]
    ).table
    assert table["status"].tolist() == ["ok", "not_applicable"]
    assert table["value"].notna().tolist() == [True, False]


def test_a_relative_index_is_tested_as_its_slope() -> None:
    found = ca.calculate(ca.load_sample(2024), ["bullying", "morale"], by="ordered")
    table = compare_groups(found, statistic=["slope_index", "relative_index"]).table
    both = table.pivot_table(
        index=["measure", "breakdown"], columns="statistic", values="p_adjusted"
    )
    percent = both.dropna()
    assert len(percent) >= 15
    assert (percent["slope_index"] == percent["relative_index"]).all()
    assert both.loc["morale", "relative_index"].isna().all()


# -- which groups take part -----------------------------------------------------------------


def test_named_set_of_ordered_breakdowns(instrument: ca.Instrument) -> None:
    ordered = instrument.breakdown_ids("ordered")
    assert ordered == ("age", "length_of_service", "patient_contact", "home_working")
    assert all(instrument.breakdowns[b].ordered for b in ordered)
    assert not instrument.breakdowns["occupation"].ordered
    assert [g.label for g in instrument.breakdowns["age"].groups] == AGES


def test_hidden_groups_and_prefer_not_to_say_take_no_part() -> None:
    values, bases = [90.0, 10.0, 20.0, 30.0, 95.0], [8.0, 200.0, 300.0, 250.0, 9.0]
    whole = compare_groups(ages(values, bases), statistic=ALL_THREE)
    part = compare_groups(
        results(
            figure(2024, BULLIED, v, b) | {"breakdown": "age", "group": g}
            for g, v, b in list(zip(AGES, values, bases, strict=False))[1:4]
        ),
        statistic=ALL_THREE,
    )
    columns = ["statistic", "value", "lower", "upper", "p_value", "base", "reference"]
    pd.testing.assert_frame_equal(whole.table[columns], part.table[columns])
    assert whole.table["reference"].iloc[1] == "21-30 to 41-50"
    assert whole.table["method"].iloc[0] == "rao_scott, 3 of 5 groups"
    assert whole._frame[GROUPS].iloc[0] == ("21-30", "31-40", "41-50")
    gender = ca.calculate(ca.load_sample(2024), STRESS, by="gender", rule=OPEN)
    made = compare_groups(gender, statistic="association")
    assert "Prefer not to say" not in made._frame[GROUPS].iloc[0]


def test_too_few_groups_shown_hide_the_figure() -> None:
    found = compare_groups(ages([10.0, 20.0, 30.0], [200.0, 300.0, 9.0]), statistic=ALL_THREE).table
    assert found["status"].tolist() == ["ok", "suppressed", "suppressed"]
    assert found.loc[1:, list(NUMBERS)].isna().all(axis=None)
    assert found["method"].tolist()[1:] == ["", ""]
    nobody = compare_groups(ages([10.0, 20.0], [9.0, 8.0]), statistic="association").table
    assert nobody["status"].tolist() == ["suppressed"]
    two = compare_groups(ages([10.0, 20.0], [90.0, 80.0]), statistic="slope_index").table
    assert two["status"].tolist() == ["not_applicable"]
    alike = compare_groups(ages([0.0] * 3, [90.0] * 3), statistic="association").table
    assert alike["status"].tolist() == ["not_applicable"]


def test_groups_too_small_for_the_test_are_left_out_of_an_association() -> None:
    # 20 of a group of whom 3 would be expected: the test would call it p < 0.001.
    some = compare_groups(ages([14.0, 15.0, 40.0], [900, 800, 20]), statistic="association")
    assert some.table["method"].tolist() == ["rao_scott, 2 of 3 groups"]
    assert some.table["base"].tolist() == [1700]
    few = compare_groups(ages([2.0, 3.0, 12.0], [50, 60, 25]), statistic="association")
    assert few.table["method"].tolist() == [f"rao_scott, 3 of 3 groups, {SPARSE}"]
    assert verdict(few) == ["too few to judge"]


def test_order_of_other_breakdowns(survey_of: Callable[..., Survey]) -> None:
    survey = survey_of(900, seed=4)
    found = ca.calculate(survey, FAIR, by=["directorate", "age"])
    with pytest.raises(MeasureError, match="None of these breakdowns has an order"):
        compare_groups(found.select(breakdown="directorate"), statistic="slope_index")
    backwards = [f"Directorate {x}" for x in "DCBA"]
    made = compare_groups(found, statistic="slope_index", order={"directorate": backwards})
    assert made.table["reference"].tolist() == ["Directorate D to Directorate A", "16-20 to 51-65"]
    some = compare_groups(found, statistic="slope_index", order={"directorate": backwards[:3]})
    assert some.table["method"].iloc[0] == "slope_mover, 3 of 3 groups"
    only = compare_groups(found, statistic="slope_index")
    assert any("directorate: groups without an order" in note for note in only.notes)
    for order, message in (
        ({"directorate": ["Directorate A", "Mars"]}, "no groups 'Mars'"),
        ({"band": ["Band 2"]}, "not there"),
        ({"directorate": ["Directorate A", "Directorate A"]}, "twice"),
    ):
        with pytest.raises(MeasureError, match=message):
            compare_groups(found, statistic="slope_index", order=order)
    with pytest.raises(MeasureError, match="figures by group"):
        compare_groups(results([figure(2024, BULLIED, 10, 100)]), statistic="association")


def test_what_nobody_was_asked_keeps_its_status(survey_of: Callable[..., Survey]) -> None:
    found = ca.calculate(
        survey_of(300, years=(2022,)), ["sexual_behaviour_patients", BULLIED], by="age"
    )
    made = compare_groups(found, statistic=["association", "slope_index"]).table
    assert made.set_index(["measure", "statistic"])["status"].to_dict() == {
        ("sexual_behaviour_patients", "association"): "not_asked",
        ("sexual_behaviour_patients", "slope_index"): "not_asked",
        (BULLIED, "association"): "ok",
        (BULLIED, "slope_index"): "ok",
    }


# -- families and words ---------------------------------------------------------------------


def test_one_family_over_every_breakdown() -> None:
    found = ca.calculate(ca.load_sample(2024), "bullying", by=["age", "ethnicity", "occupation"])
    table = compare_groups(found, statistic=["association", "slope_index"]).table
    assert not table.duplicated(list(KEY)).any()
    assert set(table["group"]) == {GROUPS_SHOWN}
    for name, what in (("association", "associations"), ("slope_index", "gradients")):
        rows = table[table["statistic"].eq(name) & table["status"].eq("ok")]
        assert set(rows["family"]) == {f"ZZ1 2024, every breakdown: {len(rows)} {what}"}
        assert rows["p_adjusted"].tolist() == pytest.approx(adjust_p(rows["p_value"]).tolist())


def test_words() -> None:
    steep, flat = ages([5, 10, 20], [300, 300, 300]), ages([10, 10, 11], [300, 300, 300])
    assert verdict(compare_groups(steep, statistic=ALL_THREE)) == [
        "the groups clearly differ", "a clear gradient", "a clear gradient",
    ]  # fmt: skip
    assert verdict(compare_groups(flat, statistic=ALL_THREE)) == [
        "no clear difference between the groups", "no clear gradient", "no clear gradient",
    ]  # fmt: skip
    rare = ages([1.0, 1.0, 2.0], [200, 200, 200])
    assert verdict(compare_groups(rare, statistic=ALL_THREE)) == ["too few to judge"] * 3
    both = compare_groups(steep, reference="rest", statistic=["difference", "association"])
    assert both.table["statistic"].tolist()[-1] == "association"


def test_published_figures_are_marked() -> None:
    rows = [
        figure(2024, BULLIED, v, b, source="published", weighting="organisation size")
        | {"breakdown": "age", "group": g}
        for g, v, b in zip(AGES, [5, 7, 9, 10, 12, 13], [90, 800, 900, 900, 800, 90], strict=True)
    ]
    table = compare_groups(results(rows), statistic=ALL_THREE).table
    assert table["method"].str.contains("base_only").all() and table["p_value"].notna().all()


# -- protection -----------------------------------------------------------------------------


def test_from_a_saved_view() -> None:
    survey = ca.load_sample(2024)
    found = ca.calculate(survey, "bullying", by=["occupation", "age"])
    view = pickle.loads(pickle.dumps(found))
    assert not [c for c in view._frame.columns if c.startswith("_")]
    now, then = (compare_groups(x, statistic=ALL_THREE).table for x in (found, view))
    assert now["status"].tolist() == then["status"].tolist()
    np.testing.assert_allclose(now["value"], then["value"], rtol=2e-3)  # n - 1 of fewer people


def test_weighted_sums_are_not_saved(survey_of: Callable[..., Survey]) -> None:
    found = ca.calculate(survey_of(600, seed=2), FAIR, by="directorate", weight="w")
    assert "CellSums" not in repr(pickle.loads(pickle.dumps(found))._frame.columns)
    assert repr(found._frame["_sums"].iloc[-1]) == "<CellSums>"
    made = compare_groups(pickle.loads(pickle.dumps(found)), statistic="association")
    assert made.table["status"].tolist() == ["unavailable"]
    assert any("no longer hold" in note for note in made.notes)


@pytest.mark.parametrize("named", [True, False])
def test_a_figure_dies_with_any_group_it_was_made_of(named: bool) -> None:
    plain = ca.calculate(ca.load_sample(2024), "bullying", by=["ethnicity_detailed", "age"])
    early = ca.concat([plain, compare_groups(plain, statistic=ALL_THREE)])
    if not named:  # without the private column they count as made of every group
        early = Estimates(early._frame.drop(columns=GROUPS), rule=early.rule, origin=early._origin)
    safe = ca.suppress(early)
    assert ca.audit(safe).ok
    frame, hidden = safe._frame, safe._hidden
    groups_hidden = (
        frame[hidden & frame["group"].ne(GROUPS_SHOWN)]
        .groupby(["breakdown", "measure"])["group"]
        .agg(set)
    )
    whole = frame["statistic"].isin(ALL_THREE)
    assert named or 0 < hidden[whole].sum() < whole.sum()
    for _, row in frame[whole & ~hidden & frame["status"].eq("ok")].iterrows():
        gone = groups_hidden.get((row["breakdown"], row["measure"]), set())
        assert not gone & set(row[GROUPS]) if named else not gone


def test_shown_though_a_group_is_hidden_is_a_leak() -> None:
    plain = ca.calculate(ca.load_sample(2024), BULLIED, by="age")
    both = ca.concat([plain, compare_groups(plain, statistic="association")])
    safe = ca.suppress(both)
    # As if one of its groups were hidden after all.
    hide = safe._hidden | safe._frame["group"].eq("41-50").to_numpy()
    leak = ca.audit(safe._hiding(hide))
    assert not leak.ok
    assert "association to each other" in set(leak.table["what"])


def test_made_of_protected_tables_they_say_nothing_more() -> None:
    safe = ca.suppress(
        ca.calculate(ca.load_sample(2024), "bullying", by=["ethnicity_detailed", "age"])
    )
    made = compare_groups(safe, statistic=ALL_THREE)
    visible = safe.table[safe.table["status"].eq("ok")]
    for _, row in made._frame[made._frame["value"].notna()].iterrows():
        of = visible[visible["measure"].eq(row["measure"])]
        of = of[of["breakdown"].eq(row["breakdown"])].set_index("group")
        assert set(row[GROUPS]) <= set(of.index)
        assert row["base"] == of.loc[list(row[GROUPS]), "base"].sum()


def test_under_a_rule_that_rounds_there_is_no_p() -> None:
    made = compare_groups(
        ca.calculate(ca.load_sample(2024), BULLIED, by="age", rule="rounded"), statistic=ALL_THREE
    ).table
    assert made["p_value"].isna().all() and made["df"].isna().all()


def test_no_gradient_and_no_difference_are_seldom_found(survey_of: Callable[..., Survey]) -> None:
    survey = survey_of(6000, seed=12)
    some = replace(
        survey,
        responses=survey.responses.assign(
            org=pd.Categorical([f"ZZ{k:03d}" for k in np.arange(6000) // 200])
        ),
    )
    found = ca.calculate(some, ["bullying", STRESS], by=["age", "occupation"], weight="w")
    table = compare_groups(found, statistic=["association", "slope_index"]).table
    table = table[table["org"].ne("all") & table["p_value"].notna()]
    for name, rows in table.groupby("statistic"):
        by_org = (rows["p_value"] < 0.05).groupby(rows["org"]).mean()
        error = by_org.std(ddof=1) / len(by_org) ** 0.5
        assert len(by_org) == 30 and by_org.mean() <= 0.06 + 2 * error, name
