"""What leaves of inclusion: gaps and intersections of what is shown, adjusted gaps, the audit."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.adjusted import adjusted_gap
from culture_analytics.disclosure.rules import Rule
from culture_analytics.estimates import HIDE, KEY, NUMBERS, Estimates
from culture_analytics.inclusion_leaving import (
    ADJUSTED,
    CROSSINGS,
    FIGURES,
    GAPS,
    INTERSECTIONS,
    OFFICIAL,
    allowed_for,
    gaps_topic,
)
from culture_analytics.instrument.loader import DATA
from culture_analytics.intersectional import intersections, intersections_shown
from culture_analytics.output.blocks import Sentence
from culture_analytics.standards import STANDARDS, equality_standard, with_senior_band
from culture_analytics.survey import Survey

OTHERS, WHITE = "All other ethnic groups combined", "White"
BROAD = "ethnicity_broad:gender_broad"
CELL = ["year", "org", "measure", "breakdown", "within", "within_group"]
TABLES: dict[str, Any] = {
    "tables": [
        {"topic": FIGURES, "measures": [
            "hba_patients", "hba_staff", "fair_career_progression", "discrimination_staff"],
         "by": ["ethnicity", "ethnicity_detailed"]},
    ]
}  # fmt: skip


# -- gaps ---------------------------------------------------------------------------------------


def test_both_notebooks_tables_pass_the_audit_together(compared_release: ca.Release) -> None:
    report = ca.audit(compared_release)
    assert report.ok and report.hidden > 500
    made = {gaps_topic(s) for s in STANDARDS} | {GAPS, ADJUSTED, INTERSECTIONS, OFFICIAL}
    assert made <= set(compared_release.topics)


def figures_behind(release: ca.Release) -> pd.DataFrame:
    held = pd.concat([release[t].table for t in release.topics if t not in ("published", OFFICIAL)])
    held = held[held["statistic"].isin(("percent", "score")) & held["reference"].eq("")]
    held = held[held["source"].eq("extract")]
    return held.drop_duplicates(list(KEY))


def test_gaps_are_differences_of_what_is_shown_and_die_with_it(
    compared_release: ca.Release,
) -> None:
    held = figures_behind(compared_release)
    at = held.set_index([*CELL, "group"])[["value", "status"]].sort_index()
    whole = held[held["breakdown"].eq("overall")]
    everyone = whole.set_index(["measure", "within", "within_group"])["status"]
    looked = hidden = 0
    for topic in (GAPS, *(gaps_topic(s) for s in STANDARDS)):
        table = compared_release[topic].table
        for row in table[table["statistic"].eq("difference")].itertuples():
            key = tuple(getattr(row, c) for c in CELL)
            own = at.loc[(*key, row.group)]
            if row.reference == "rest":
                other = {"status": everyone.loc[(row.measure, row.within, row.within_group)]}
            else:
                other = at.loc[(*key, row.reference)]
                if row.status == "ok":
                    assert row.value == pytest.approx(own["value"] - other["value"], abs=1e-9)
            if "suppressed" in (own["status"], other["status"]):
                assert row.status == "suppressed"
                assert all(np.isnan(getattr(row, n)) for n in NUMBERS)
                hidden += 1
            looked += row.status == "ok"
    assert looked > 200 and hidden > 20


def test_an_attack_on_a_gap_of_a_hidden_group_is_found(compared_release: ca.Release) -> None:
    found = compared_release[gaps_topic("wres")]
    dead = found._hidden & found._frame["statistic"].eq("difference").to_numpy()
    assert dead.sum() > 5
    frame = found._frame.assign(
        _hide=found._frame[HIDE] & ~dead, base=found._frame["base"].mask(dead, 99.0)
    )
    rest = [compared_release[t] for t in compared_release.topics if t != gaps_topic("wres")]
    assert not ca.audit([*rest, found._with(frame)]).ok


def test_the_two_groups_are_judged_as_from_respondents(compared_release: ca.Release) -> None:
    survey = ca.load_sample(2024)
    for name in STANDARDS:
        direct = equality_standard(name, survey).table.set_index(["indicator", "compared"])
        table = compared_release[gaps_topic(name)].table
        table = table[table["statistic"].eq("difference")]
        for (_, compared), row in direct.iterrows():
            if np.isnan(row["gap"]):
                continue
            same = table[table["measure"].eq(row["measure"]) & table["group"].eq(compared)]
            same = same[same["breakdown"].eq(row["breakdown"])]
            assert len(same) == 1
            assert same["value"].iloc[0] == pytest.approx(row["gap"], abs=1e-9)
            assert same["p_adjusted"].iloc[0] == pytest.approx(row["p_adjusted"], rel=1e-9)


def test_each_table_of_a_standard_is_a_family_of_its_own_measures(
    compared_release: ca.Release,
) -> None:
    table = compared_release[gaps_topic("edi")].table
    sizes = {
        b: set(t["family"].str.extract(r": (\d+) comparisons")[0].astype(int))
        for b, t in table[table["status"].eq("ok")].groupby("breakdown")
    }
    assert sizes == {"ethnicity": {7}, "long_term_condition": {7}, "international_recruitment": {6}}


# -- job mix ------------------------------------------------------------------------------------


def test_adjusted_gaps_are_those_of_respondents_rounded(compared_release: ca.Release) -> None:
    table = compared_release[ADJUSTED].table
    row = table[
        table["measure"].eq("hba_patients") & table["breakdown"].eq("ethnicity")
        & table["statistic"].eq("adjusted_difference")
    ].iloc[0]  # fmt: skip
    assert allowed_for(row["method"]) == ("occupation", "age", "gender", "working pattern")
    direct = adjusted_gap(
        ca.load_sample(2024), "hba_patients", by="ethnicity",
        adjust_for=["occupation", "age", "gender", "working_pattern"],
    ).table.set_index("group").loc[OTHERS]  # fmt: skip
    assert row["value"] == pytest.approx(direct["adjusted_gap"], abs=0.0501)
    assert row["base"] == min(direct["base"], row["base"])
    shown = table[table["status"].eq("ok")]
    assert len(shown) == len(table) > 20
    for column in ("value", "lower", "upper"):
        assert (shown[column] * 10 == (shown[column] * 10).round()).all() or np.allclose(
            shown[column] * 10, (shown[column] * 10).round(), atol=1e-9
        )
    assert table[["se", "df", "weighted_base", "effective_base"]].isna().all(axis=None)


def test_adjusted_gaps_die_with_either_plain_figure(compared_release: ca.Release) -> None:
    measure = "discrimination_staff"
    for group in (WHITE, OTHERS):
        fewer = compared_release
        for topic, table in compared_release._tables.items():
            frame = table._frame
            at = frame["measure"].eq(measure) & frame["group"].eq(group)
            at &= frame["breakdown"].eq("ethnicity") & frame["statistic"].eq("percent")
            if at.any():
                hidden = table._hiding(table._hidden | at.to_numpy(dtype=bool))
                fewer = replace(fewer, _tables={**fewer._tables, topic: hidden})
        fewer = fewer._with(ADJUSTED, fewer[ADJUSTED])
        rows = fewer[ADJUSTED]
        dead = rows._frame["measure"].eq(measure) & rows._frame["breakdown"].eq("ethnicity")
        assert not compared_release[ADJUSTED]._hidden[dead].any()
        assert dead.sum() == 3 and rows._hidden[dead].all()
        shown = rows.table[dead.to_numpy()]
        assert shown[["value", "lower", "p_value", "base"]].isna().all(axis=None)


def test_of_few_answers_nothing_is_adjusted_and_it_is_said(
    survey_of: Callable[..., Survey],
) -> None:
    release = ca.build_release(survey_of(200, seed=4), tables=TABLES)
    assert gaps_topic("wres") in release.topics and ADJUSTED not in release.topics
    (said,) = ca.show.adjusted(release, "wres")
    assert isinstance(said, Sentence) and "50 answers in each group" in said.text


# -- intersections ------------------------------------------------------------------------------


def test_intersections_follow_from_what_is_shown(compared_release: ca.Release) -> None:
    figures = compared_release[CROSSINGS]
    assert figures._hidden.any()
    other = figures._frame.copy()
    other.loc[figures._hidden, "value"] = 77.0
    other.loc[figures._hidden, "base"] = 5.0
    changed = figures._with(other)
    for by in (BROAD, "ethnicity:gender_broad:long_term_condition"):
        one, two = (intersections_shown(f, "hba_staff", by=by) for f in (figures, changed))
        pd.testing.assert_frame_equal(one.strata, two.strata)
        pd.testing.assert_frame_equal(one.variance, two.variance)
        held = compared_release[INTERSECTIONS].table
        shares = held[held["statistic"].eq("variance_share") & held["measure"].eq("hba_staff")]
        told = shares.set_index("reference")["value"]
        assert told[f"{by}: combination"] == pytest.approx(one.variance["vpc"].iloc[0])


def test_with_nothing_hidden_it_is_the_analysis_of_respondents() -> None:
    survey, by = ca.load_sample(2024), "ethnicity:age"
    rule = Rule.none(reason="two ways to the same model")
    plain = ca.calculate(survey, "discrimination_staff", by=by, rule=rule)
    one = intersections_shown(plain, "discrimination_staff", by=by)
    two = intersections(survey, "discrimination_staff", by=by, rule=rule)
    pd.testing.assert_frame_equal(one.variance, two.variance, rtol=1e-6)
    columns = ["plain", "shrunken", "shrunken_lower", "beyond", "p_adjusted"]
    pd.testing.assert_frame_equal(one.strata[columns], two.strata[columns], rtol=1e-4)


def test_crossings_hide_hardly_anything_else() -> None:
    survey = ca.load_sample(2024)
    tables = [{"topic": "stress", "measures": ["stress"], "by": ["equality", "units"]}]
    crossing = {"topic": CROSSINGS, "measures": ["work_related_stress"], "by": [BROAD],
                "years": "latest"}  # fmt: skip
    alone = ca.build_release(survey, tables={"tables": tables})["stress"].table
    beside = ca.build_release(survey, tables={"tables": [*tables, crossing]})["stress"].table
    hidden, more = (t["status"].eq("suppressed") for t in (alone, beside))
    assert hidden.sum() > 100
    assert (more & ~hidden).sum() <= 0.01 * len(alone)


# -- parts of the staff -------------------------------------------------------------------------


def test_medical_staff_are_those_within_one_occupation(compared_release: ca.Release) -> None:
    table = compared_release["medical"].table
    assert set(table["within_group"]) == {"Medical and dental"}
    survey = ca.load_sample(2024)
    labels = ca.load_instrument().breakdowns["occupation"].groups
    answers = next(g.answers for g in labels if g.label == "Medical and dental")
    doctors = survey.filter(mask=survey.responses["occupational_group"].isin(list(answers)))
    direct = ca.calculate(doctors, "discrimination_staff", by="ethnicity").table
    for group in (WHITE, OTHERS):
        mine = table[table["measure"].eq("discrimination_staff") & table["group"].eq(group)]
        theirs = direct[direct["group"].eq(group)]
        assert mine["base"].item() == theirs["base"].item()
        assert mine["value"].item() == pytest.approx(theirs["value"].item())


def with_bands(survey: Survey, name: str = "AfC_band") -> Survey:
    rng = np.random.default_rng(3)
    bands = rng.choice(["Band 5", "band 6", "7", "Band 8a", "AfC 8b", "Consultant"], survey.n)
    return dataclasses.replace(survey, responses=survey.responses.assign(**{name: bands}))


def test_pay_bands_are_kept_apart_from_occupation() -> None:
    survey = with_bands(ca.load_sample(2024))
    banded = with_senior_band(survey)
    counts = pd.crosstab(banded.responses["AfC_band"], banded.responses["senior_band"])
    assert counts.loc[["Band 8a", "AfC 8b"], "Band 7 and below"].sum() == 0
    assert counts.loc[["Band 5", "band 6", "7"], "Band 8a and above"].sum() == 0
    assert "Consultant" not in counts.index
    table = equality_standard("leaders", survey).table
    by = table.groupby("breakdown")["compared"].unique().map(list)
    assert by["leaders"] == ["General Management"]
    assert by["senior_band"] == ["Band 8a and above"]
    row = table[table["breakdown"].eq("senior_band")].iloc[0]
    senior = survey.filter(mask=survey.responses["AfC_band"].isin(["Band 8a", "AfC 8b"]))
    direct = ca.calculate(senior, "work_related_stress").table
    assert row["compared_value"] == pytest.approx(direct["value"].item())


def test_everyone_else_is_everyone_less_the_leaders() -> None:
    survey = ca.load_sample(2024)
    row = equality_standard("leaders", survey).table.iloc[0]
    rest = survey.filter(mask=~survey.responses["occupational_group"].eq("General Management"))
    direct = ca.calculate(rest, "work_related_stress").table
    assert row["reference_value"] == pytest.approx(direct["value"].item())
    assert row["reference_base"] == direct["base"].item()


def test_a_rule_that_rounds_shows_none_of_it(survey_of: Callable[..., Survey]) -> None:
    release = ca.build_release(survey_of(400, seed=8), tables=TABLES, rule="rounded")
    assert release.topics == (FIGURES,)


def test_definitions_name_what_there_is() -> None:
    import tomllib

    with (DATA / "standards.toml").open("rb") as f:
        definitions = tomllib.load(f)
    with (DATA / "release.toml").open("rb") as f:
        tables = {t["topic"]: t for t in tomllib.load(f)["standard"]["tables"]}
    known = ca.load_instrument()
    for name in STANDARDS:
        d = definitions[name]
        held = set(tables[name if name in tables else FIGURES]["measures"])
        assert {i["measure"] for i in d["indicators"]} <= held, name
        for c in d.get("contrasts", [d]):
            if c["breakdown"] in known.breakdowns:
                groups = {g.label for g in known.breakdowns[c["breakdown"]].groups}
                assert c["compared"] in groups
                assert c["reference"] in groups | {"rest"}
        for i in d["indicators"]:
            want = {"lower": "compared", "higher": "reference"}[known.measures[i["measure"]].better]
            alone = known.measures[i["measure"]].unit == "score" or i.get("one_group")
            assert i["ratio"] == ("" if alone else want), i
            assert set(i.get("contrasts", [])) <= {c["id"] for c in d.get("contrasts", [])}
    for names in definitions["adjusted"]["allow_for"]:
        assert set(names) <= set(known.breakdowns)
    assert set(definitions["gaps"]["measures"]) <= set(known.measures)


def test_saved_and_opened_again(compared_release: ca.Release, tmp_path: Any) -> None:
    again = ca.load_release(compared_release.save(tmp_path / "release.zip"))
    for topic in (gaps_topic("wres"), ADJUSTED, INTERSECTIONS, "medical"):
        mine, theirs = (r[topic].table for r in (compared_release, again))
        pd.testing.assert_frame_equal(mine, theirs, check_dtype=False)


def test_estimates_of_published_results_need_no_respondents(real_data: Any) -> None:
    path = real_data / "nss24_official" / "NSS24 detailed spreadsheets national results.xlsx"
    if not path.is_file():
        pytest.skip("the official 2024 national workbook is not held here; see README")
    release = ca.open_release(path)
    table = release[FIGURES].table
    value = table.set_index(["measure", "group"])["value"].round(2)
    long = "With a long-term condition or illness", "Without a long-term condition or illness"
    for measure, pair, figures in (
        ("hba_patients", (WHITE, OTHERS), (23.51, 28.63)),
        ("fair_career_progression", (WHITE, OTHERS), (58.85, 49.51)),
        ("discrimination_staff", (WHITE, OTHERS), (6.77, 15.20)),
        ("hba_managers", long, (14.06, 7.75)),
        ("staff_engagement", long, (6.44, 6.99)),
    ):
        assert tuple(value[measure, group] for group in pair) == figures
    assert value["reasonable_adjustments", long[0]] == 75.12
    assert ADJUSTED not in release.topics and CROSSINGS not in release.topics
    notes = ca.show.wres(release).notes
    assert any(n.startswith("All staff are weighted by") for n in notes)
    gaps = release[gaps_topic("wres")].table
    row = gaps[gaps["measure"].eq("discrimination_staff") & gaps["group"].eq(OTHERS)].iloc[0]
    assert row["value"] == pytest.approx(15.20 - 6.77, abs=0.011)


def test_the_type_is_estimates(compared_release: ca.Release) -> None:
    for topic in (GAPS, ADJUSTED, INTERSECTIONS, OFFICIAL):
        assert isinstance(compared_release[topic], Estimates)
        assert not compared_release[topic].table.duplicated(list(KEY)).any()
