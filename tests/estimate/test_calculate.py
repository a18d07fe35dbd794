"""`calculate` against a plain count of respondents, and against what it must refuse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.errors import DesignError, MeasureError
from culture_analytics.estimates import KEY
from culture_analytics.stats import wilson
from tests.conftest import make_survey

OPEN = ca.Rule.none(reason="comparing with a plain count in a test")


def answered(survey, item):
    """Answers of those asked, as objects; None where missing, not asked or out of the base."""
    definition = survey.instrument.items[item]
    column = survey.responses[item].astype(object).where(survey.responses[item].notna(), None)
    if definition.gates:
        asked = np.zeros(survey.n, dtype=bool)
        for gate in definition.gates:
            asked |= np.array([a in gate.answers for a in answered(survey, gate.item)])
        column = column.where(asked, None)
    return column.where(~column.isin(definition.excluded), None)


def plain(survey, measure, rows):
    """(percentage, base) of a measure by looking at every respondent."""
    yes = base = 0
    parts = [(answered(survey, i).to_numpy(), set(a)) for i, a in measure.parts]
    for r in np.flatnonzero(rows):
        given = [(column[r], counted) for column, counted in parts]
        some = any(a in counted for a, counted in given)
        if some or all(a is not None for a, _ in given):
            base += 1
            yes += some
    return (100 * yes / base if base else np.nan), base


def groups_of(survey, breakdown):
    definition = survey.instrument.breakdowns[breakdown]
    column = survey.responses[definition.item].astype(object)
    return {g.label: column.isin(g.answers).to_numpy() for g in definition.groups}


@pytest.fixture(scope="module")
def survey():
    return make_survey(500)


DOMAINS = [
    "stress",
    "bullying",
    "violence",
    "sexual_safety",
    "discrimination",
    "discrimination_grounds",
]


@pytest.mark.parametrize("domain", DOMAINS)
def test_percentages_equal_a_plain_count(survey, domain):
    result = ca.calculate(survey, domain, by=["ethnicity", "age"], rule=OPEN).table
    checked = 0
    for measure in survey.instrument.resolve_measures(domain):
        if measure.unit != "percent":
            continue
        for breakdown in ("overall", "ethnicity", "age"):
            groups = (
                {"All staff": np.ones(survey.n, dtype=bool)}
                if breakdown == "overall"
                else groups_of(survey, breakdown)
            )
            for group, rows in groups.items():
                row = result[
                    (result["measure"] == measure.id)
                    & (result["breakdown"] == breakdown)
                    & (result["group"] == group)
                ].squeeze()
                if row["status"] == "not_asked":
                    continue
                value, base = plain(survey, measure, rows)
                assert row["base"] == base
                np.testing.assert_allclose(row["value"], value, rtol=1e-12)
                lower, upper = wilson(value / 100, base)
                np.testing.assert_allclose([row["lower"], row["upper"]], [lower * 100, upper * 100])
                checked += 1
    assert checked > 20


def test_scores_follow_their_rules_respondent_by_respondent(survey):
    """Every score from the definitions, by a loop over respondents."""
    instrument = survey.instrument
    columns = {i: answered(survey, i).to_numpy() for i in survey.items}

    def points(score_id, r):
        score = instrument.scores[score_id]
        if score.parts:
            parts = [p for s in score.parts if not np.isnan(p := points(s, r))]
            return np.mean(parts) if len(parts) >= score.min_parts else np.nan
        if score.gate is not None:
            gate = columns[score.gate.item][r]
            if gate in score.gate_zero:
                return 0.0
            if gate not in score.gate.answers:
                return np.nan
        found = []
        for item in score.items:
            scale = instrument.items[item].scale
            answer = columns[item][r]
            if answer is not None:
                found.append(scale.scores[scale.labels.index(answer)])
        found = [p for p in found if not np.isnan(p)]
        return np.mean(found) if len(found) >= score.min_items else np.nan

    result = ca.calculate(survey, ["people_promise", "sub_scores"], rule=OPEN).table
    assert len(result) == 30
    for _, row in result.iterrows():
        each = np.array([points(row["measure"], r) for r in range(survey.n)])
        each = each[~np.isnan(each)]
        assert row["base"] == len(each) > 0
        np.testing.assert_allclose(row["value"], each.mean(), rtol=1e-12)
        np.testing.assert_allclose(row["se"], each.std(ddof=0) / np.sqrt(len(each))
                                   * np.sqrt(survey.n / (survey.n - 1)), rtol=1e-10)  # fmt: skip


def test_no_appraisal_scores_nothing_and_cannot_remember_is_missing(survey_of):
    n = 200
    instrument = ca.load_instrument()

    def column(item, label):
        return pd.Categorical([label] * n, dtype=instrument.items[item].dtype)

    def value(had):
        survey = survey_of(n, columns={"had_appraisal": column("had_appraisal", had)})
        return ca.calculate(survey, "appraisals", rule=OPEN).table.iloc[0]

    assert value("No")["value"] == 0
    assert value("No")["base"] == n
    assert value("Can't remember")["base"] == 0
    assert value("Can't remember")["status"] == "not_computable"


def test_reported_incidents_count_only_for_those_with_one(survey_of):
    instrument = ca.load_instrument()
    n = 120
    never = pd.Categorical(["Never"] * n, dtype=instrument.items["hba_patients"].dtype)
    once = pd.Categorical(["1-2"] * 50 + ["Never"] * 70, dtype=never.dtype)
    told = pd.Categorical(
        ["Yes, I reported it"] * 20 + ["No"] * 20 + ["Don't know"] * 10 + ["No"] * 70,
        dtype=instrument.items["hba_reported"].dtype,
    )
    survey = survey_of(n, columns={
        "hba_patients": never, "hba_managers": once, "hba_colleagues": never, "hba_reported": told,
    })  # fmt: skip
    row = ca.calculate(survey, "hba_reported").table.iloc[0]
    assert row["base"] == 40
    assert row["value"] == 50


def test_any_source_needs_a_yes_or_a_full_set_of_answers(survey_of):
    instrument = ca.load_instrument()
    dtype = instrument.items["hba_managers"].dtype
    n = 60
    managers = pd.Categorical(["1-2"] * 15 + ["Never"] * 15 + [None] * 30, dtype=dtype)
    colleagues = pd.Categorical(([None] * 15 + ["Never"] * 15) * 2, dtype=dtype)
    survey = survey_of(n, columns={"hba_managers": managers, "hba_colleagues": colleagues})
    row = ca.calculate(survey, "hba_staff").table.iloc[0]
    assert (row["base"], row["value"]) == (30, 50)


def test_answer_distributions_add_up_to_all_who_answered(survey):
    result = ca.calculate_answers(
        survey, ["role_makes_difference", "hba_reported"], rule=OPEN
    ).table
    assert set(result["answer"]) >= {"Not applicable", "Don't know"}
    totals = result.groupby("measure", observed=True)["value"].sum()
    np.testing.assert_allclose(totals, 100)
    measure = ca.calculate(survey, "role_makes_difference", rule=OPEN).table.iloc[0]
    parts = result[result["measure"] == "role_makes_difference"].set_index("answer")
    agree = parts.loc[["Agree", "Strongly agree"], "value"].sum()
    np.testing.assert_allclose(
        measure["value"], 100 * agree / (100 - parts.loc["Not applicable", "value"])
    )
    assert measure["base"] < parts["base"].iloc[0]


def test_crossings_equal_filters(survey):
    crossed = ca.calculate(
        survey, "work_related_stress", by="gender:long_term_condition", rule=OPEN
    )
    gender = survey.responses["gender"] == "Female"
    condition = survey.responses["long_term_condition"] == "Yes"
    filtered = ca.calculate(
        survey.filter(mask=gender & condition), "work_related_stress", rule=OPEN
    )
    row = crossed.select(group="Female | With a long-term condition or illness").table.iloc[0]
    alone = filtered.table.iloc[0]
    for column in ("value", "lower", "upper", "base"):
        assert row[column] == pytest.approx(alone[column], rel=1e-12)


def test_within_repeats_the_table_with_its_own_totals(survey):
    result = ca.calculate(survey, "presenteeism", by="gender", within="directorate", rule=OPEN)
    in_a = ca.calculate(
        survey.filter(mask=survey.responses["directorate"] == "Directorate A"),
        "presenteeism", by="gender", rule=OPEN,
    ).table  # fmt: skip
    part = result.select(within_group="Directorate A").table
    assert part["group"].tolist() == in_a["group"].tolist()
    np.testing.assert_allclose(part["value"], in_a["value"])
    np.testing.assert_allclose(part["base"], in_a["base"])
    assert result.select(within="", breakdown="overall").table["base"].iloc[0] > part["base"].max()


def test_every_year_and_organisation_has_rows_and_all_together(survey_of):
    survey = survey_of(300, years=(2023, 2024), orgs=("ZZ1", "ZZ2"))
    result = ca.calculate(survey, "stress", by="ethnicity", rule=OPEN)
    assert result.unique("year") == [2023, 2024]
    assert set(result.unique("org")) == {"ZZ1", "ZZ2", "all"}
    bases = result.select(measure="work_related_stress", breakdown="overall").table
    for year in (2023, 2024):
        of_year = bases[bases["year"] == year].set_index("org")["base"]
        assert of_year["all"] == of_year["ZZ1"] + of_year["ZZ2"]


def test_keys_are_unique(survey_of):
    survey = survey_of(200, years=(2024, 2025), orgs=("ZZ1", "ZZ2"))
    result = ca.calculate(
        survey, list(survey.instrument.measures), by=["equality", "units"], within="directorate",
        rule=OPEN,
    ).table  # fmt: skip
    assert not result.duplicated(list(KEY)).any()


def test_statuses_say_why_there_is_no_number(survey_of):
    survey = survey_of(400, years=(2022,))
    asked = ca.calculate(survey, "sexual_safety").table
    assert set(asked["status"]) == {"not_asked"}
    assert asked["value"].isna().all()
    assert asked["base"].isna().all()

    adjustments = ca.calculate(survey, "reasonable_adjustments", by="long_term_condition").table
    by_group = adjustments.set_index("group")["status"]
    assert by_group["Without a long-term condition or illness"] == "not_applicable"

    detailed = ca.calculate(survey, "work_related_stress", by="ethnicity_detailed").table
    assert detailed.set_index("group")["status"]["Asian: Filipino"] == "not_asked"

    without = survey.responses.drop(columns="work_related_stress")
    absent = ca.Survey(without, instrument=survey.instrument)
    assert ca.calculate(absent, "work_related_stress").table["status"].tolist() == ["unavailable"]


def test_groups_stand_in_questionnaire_order(survey):
    ages = ca.calculate(survey, "work_related_stress", by="age").select(breakdown="age")
    assert ages.unique("group") == ["16-20", "21-30", "31-40", "41-50", "51-65", "66+"]


def test_weights_are_used_only_when_asked(survey):
    plain_result = ca.calculate(survey, "work_related_stress").table.iloc[0]
    weighted = ca.calculate(survey, "work_related_stress", weight="w", rule=OPEN).table.iloc[0]
    yes = (survey.responses["work_related_stress"] == "Yes").to_numpy()
    known = survey.responses["work_related_stress"].notna().to_numpy()
    w = survey.responses["w"].to_numpy()
    assert weighted["value"] == pytest.approx(100 * w[yes].sum() / w[known].sum(), rel=1e-12)
    assert weighted["effective_base"] == pytest.approx(w[known].sum() ** 2 / (w[known] ** 2).sum())
    assert plain_result["weighting"] == "unweighted"
    assert weighted["weighting"] == "w"
    assert weighted["base"] == plain_result["base"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"measures": "strss"}, "Nearest: stress"),
        ({"measures": "stress", "by": "ethnicty"}, "Nearest: ethnicity"),
        ({"measures": "stress", "by": ["gendr", "agee"]}, "gendr(.|\n)*agee"),
        ({"measures": "stress", "by": "gender:gender"}, "with itself"),
        ({"measures": "stress", "by": "age:gender:religion:carer"}, "at most 3"),
        ({"measures": "stress", "level": 95}, "between 0 and 1"),
        ({"measures": "stress", "within": ["gender"]}, "name of one breakdown"),
    ],
)  # fmt: skip
def test_clear_refusals(survey, arguments, says):
    with pytest.raises(MeasureError, match=says):
        ca.calculate(survey, **arguments)


def test_unknown_weight_is_named(survey):
    with pytest.raises(DesignError, match=r"no weight 'combined'; it has: w"):
        ca.calculate(survey, "stress", weight="combined")


def test_an_identifier_is_not_a_breakdown(survey_of):
    n = 6000
    survey = survey_of(n, columns={"staff_id": pd.Categorical([f"p{i}" for i in range(n)])})
    with pytest.raises(MeasureError, match="identifies respondents"):
        ca.calculate(survey, "work_related_stress", by="staff_id")


def test_result_does_not_depend_on_row_order(survey):
    order = np.random.default_rng(3).permutation(survey.n)
    shuffled = ca.Survey(
        survey.responses.iloc[order].reset_index(drop=True),
        instrument=survey.instrument, design=survey.design, units=survey.units,
    )  # fmt: skip
    for weight in (None, "w"):
        a = ca.calculate(survey, ["stress", "people_promise"], by="equality", weight=weight).table
        b = ca.calculate(shuffled, ["stress", "people_promise"], by="equality", weight=weight).table
        pd.testing.assert_frame_equal(a, b, rtol=1e-9)
