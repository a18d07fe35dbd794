"""Simulated surveys follow the published figures, the routing, and what was planted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from culture_analytics.errors import InstrumentError
from culture_analytics.simulate import hot_spots, simulate_survey
from culture_analytics.simulate.answers import draw_answers
from culture_analytics.simulate.draws import Stream
from culture_analytics.simulate.model import load_model, rows
from culture_analytics.simulate.people import draw_people
from culture_analytics.simulate.respondents import YEARS
from culture_analytics.simulate.units import draw_units, trait_values
from culture_analytics.survey import Survey
from tests.sample.conftest import members, reported

KEY = [
    "work_related_stress",
    "presenteeism",
    "msk_problems",
    "hba_patients",
    "hba_managers",
    "hba_colleagues",
    "violence_patients",
    "violence_managers",
    "violence_colleagues",
    "discrimination_patients",
    "discrimination_staff",
    "fair_career_progression",
    "sexual_behaviour_patients",
    "sexual_behaviour_staff",
    "respects_differences",
    "enough_staff",
    "burnout_burnt_out",
    "burnout_worn_out",
    "recommend_place_to_work",
]
BURNOUT = [
    "burnout_emotionally_exhausting",
    "burnout_burnt_out",
    "burnout_frustrated",
    "burnout_exhausted_thought",
    "burnout_worn_out",
    "burnout_every_hour_tiring",
    "burnout_no_energy_family",
]
ENGAGEMENT = [
    "look_forward_to_work",
    "enthusiastic_about_job",
    "time_passes_quickly",
    "show_initiative",
    "make_suggestions",
    "make_improvements",
    "care_top_priority",
    "recommend_place_to_work",
    "recommend_care",
]
MANAGER = [
    "manager_encourages",
    "manager_clear_feedback",
    "manager_asks_opinion",
    "manager_listens",
    "manager_cares",
    "manager_acts",
]


# -- percentages ---------------------------------------------------------------------------


def distribution(survey: Survey, item: str) -> pd.Series:
    share: pd.Series = 100 * survey.responses[item].value_counts(normalize=True)
    return share


@pytest.mark.parametrize("item", KEY)
def test_answers_of_key_items_are_the_published_ones(
    trust: Survey, targets: pd.DataFrame, item: str
) -> None:
    published = targets[targets["item"] == item].set_index("answer")["percent"]
    assert abs(published.sum() - 100) < 0.4  # the facts themselves
    drawn = distribution(trust, item).reindex(published.index)
    assert (drawn - published).abs().max() < 0.8


def test_every_answer_of_every_item_is_near_the_published_one(
    nation: Survey, targets: pd.DataFrame
) -> None:
    asked = targets[targets["item"].isin(nation.items)]
    drawn = [
        distribution(nation, item).get(answer, np.nan)
        for item, answer in zip(asked["item"], asked["answer"], strict=True)
    ]
    off = (asked["percent"] - drawn).abs()
    assert not off.isna().any()
    assert len(off) > 550
    assert off.max() < 0.6
    assert off.mean() < 0.1


def test_gap_between_ethnic_groups_in_discrimination_by_staff(trust: Survey) -> None:
    white = reported(trust, "discrimination_staff", members(trust, "ethnicity", "White"))
    other = reported(
        trust,
        "discrimination_staff",
        members(trust, "ethnicity", "All other ethnic groups combined"),
    )
    assert white == pytest.approx(6.8, abs=0.7)
    assert other == pytest.approx(15.2, abs=1.2)


def test_gap_by_long_term_condition_in_bullying_by_managers(trust: Survey) -> None:
    with_condition = members(trust, "long_term_condition", "With a long-term condition or illness")
    without = members(trust, "long_term_condition", "Without a long-term condition or illness")
    assert reported(trust, "hba_managers", with_condition) == pytest.approx(14.1, abs=1.0)
    assert reported(trust, "hba_managers", without) == pytest.approx(7.8, abs=0.7)


def tally(survey: Survey, item: str) -> tuple[np.ndarray, np.ndarray]:
    """Who gave an answer that counts, and who gave a reported one."""
    spec = survey.instrument.items[item]
    wanted = spec.reported or ("Selected", "Not considering leaving")
    answers = survey.responses[item]
    valid = (answers.notna() & ~answers.isin(spec.excluded)).to_numpy()
    return valid, valid & answers.isin(wanted).to_numpy()


def test_gaps_of_every_breakdown_follow_the_published_ones(nation: Survey) -> None:
    """Thousands of cells: what is left is chance, rounding, and the other weights of groups."""
    facts = pd.DataFrame(rows("targets_groups.csv"))
    items = [c for c in facts.columns[2:] if not c.endswith("~apart") and c in nation.items]
    answers = {i: tally(nation, i) for i in items}
    off, expected = [], []
    for breakdown, cells in facts.groupby("breakdown"):
        groups = nation.instrument.breakdowns[str(breakdown)].groups
        code = np.full(nation.n, len(groups))
        for k, group in enumerate(groups):
            code[members(nation, str(breakdown), group.label)] = k
        published = cells.set_index("group")
        for item in items:
            valid, hit = answers[item]
            n = np.bincount(code[valid], minlength=len(groups) + 1)
            hits = np.bincount(code[hit], minlength=len(groups) + 1)
            for k, group in enumerate(groups):
                if group.label not in published.index or n[k] < 400:
                    continue
                if (text := published.loc[group.label, item]) == "":
                    continue
                percent = float(text)
                off.append(100 * hits[k] / n[k] - percent)
                expected.append(np.sqrt(max(percent * (100 - percent), 50.0) / n[k]))
    distance = np.array(off)
    chance = np.array(expected)
    assert len(distance) > 6000
    assert np.sqrt((distance**2).mean()) < 1.6
    # Units add to plain sampling error (a profession works in few teams): allow half as much again.
    assert (np.abs(distance) < 3 * 1.5 * chance + 0.5).mean() > 0.985
    assert abs(distance.mean()) < 0.1


def test_shares_with_any_incident_agree_with_the_published_routed_bases(nation: Survey) -> None:
    """These were not fitted: they follow from how the incidents go together.

    Bases of the routed questions in 2024 (266,243 / 109,285 / 110,473 of about 741,000), with
    2 % of those asked leaving them blank.
    """
    for name, sources, base in (
        ("hba", ("patients", "managers", "colleagues"), 266_243),
        ("violence", ("patients", "managers", "colleagues"), 109_285),
        ("discrimination", ("patients", "staff"), 110_473),
    ):
        ids = [f"{name}_{s}" for s in sources]
        met = np.zeros(nation.n, dtype=bool)
        given = np.zeros(nation.n, dtype=bool)
        for i in ids:
            met |= nation.responses[i].isin(nation.instrument.items[i].reported).to_numpy()
            given |= nation.responses[i].notna().to_numpy()
        assert 100 * met[given].mean() == pytest.approx(100 * base / 0.98 / 741_000, abs=1.0)


def test_blanks_are_as_common_as_published(nation: Survey) -> None:
    published = {r["item"]: float(r["percent"]) for r in rows("nonresponse.csv")}
    for item in nation.items:
        spec = nation.instrument.items[item]
        if spec.gates or item not in published:
            continue
        blank = 100 * float(nation.responses[item].isna().mean())
        assert blank == pytest.approx(published[item], abs=0.25), item
    # Background questions are left out more often than the first page.
    first = nation.responses["know_responsibilities"].isna().mean()
    assert nation.responses["contracted_hours"].isna().mean() > 3 * first
    assert nation.responses["age"].isna().mean() > 2 * first


def test_nobody_answers_nothing(nation: Survey) -> None:
    assert not nation.responses[list(nation.items)].isna().all(axis=1).any()


# -- how answers go together -----------------------------------------------------------------


def test_reliability_of_the_scales(
    trust: Survey, alpha: Callable[[Survey, list[str]], float]
) -> None:
    assert 0.85 < alpha(trust, BURNOUT) < 0.95
    assert 0.75 < alpha(trust, ENGAGEMENT) < 0.93
    assert 0.90 < alpha(trust, MANAGER) < 0.98


def test_engagement_items_correlate_positively(trust: Survey) -> None:
    codes = np.column_stack([trust.responses[i].cat.codes.to_numpy() for i in ENGAGEMENT])
    codes = codes[(codes >= 0).all(axis=1)]
    correlation = np.corrcoef(codes.T)
    assert correlation.min() > 0.1
    assert correlation[np.triu_indices(len(ENGAGEMENT), 1)].mean() > 0.3


def test_burnout_goes_with_stress_and_against_engagement(trust: Survey) -> None:
    frame = trust.responses
    burnt_out = frame["burnout_burnt_out"].isin(["Often", "Always"])
    stressed = frame["work_related_stress"] == "Yes"
    content = frame["recommend_place_to_work"].isin(["Agree", "Strongly agree"])
    assert stressed[burnt_out].mean() > stressed[~burnt_out].mean() + 0.3
    assert content[burnt_out].mean() < content[~burnt_out].mean() - 0.15


def test_background_pairs_are_jointly_plausible(nation: Survey) -> None:
    """Every pair the model uses, in groups large enough: within chance of the published one."""
    from culture_analytics.simulate.people import model_labels

    checked, worst = 0, []
    for row in rows("demographic_pairs.csv"):
        inside = members(nation, row["breakdown"], row["group"])
        answers = nation.responses[row["item"]][inside].dropna()
        if len(answers) < 1500:
            continue
        published = np.array([float(x) for x in row["percents"].split("|")])
        labels = list(model_labels(nation.instrument, row["item"]))
        drawn = 100 * answers.value_counts(normalize=True).reindex(labels).to_numpy()
        chance = np.sqrt(np.maximum(published * (100 - published), 10) / len(answers))
        worst.append(float((np.abs(drawn - published) / (3.5 * chance + 1.0)).max()))
        checked += 1
    assert checked > 200
    assert np.mean(np.array(worst) < 1) > 0.97


def test_midwives_are_women_and_consultants_are_not_in_part_time_admin(nation: Survey) -> None:
    frame = nation.responses
    midwives = frame[frame["occupational_group"] == "Midwives"]
    consultants = frame[frame["occupational_group"] == "Medical/Dental - Consultant"]
    assert (midwives["gender"] == "Male").mean() < 0.02
    assert (consultants["gender"] == "Male").mean() > 0.4
    assert (consultants["patient_contact"] == "Yes, frequently").mean() > 0.85
    assert (consultants["directorate"] == "Corporate Services").mean() < 0.05


# -- routing and the form of each year ---------------------------------------------------------


@pytest.mark.parametrize("year", YEARS)
def test_each_year_has_its_own_questions_answers_and_routing(year: int) -> None:
    survey = simulate_survey(4000, year=year, organisations=2, seed=11)
    instrument = survey.instrument
    form = {i for i in instrument.items if instrument.asked(i, year)}
    assert set(survey.items) == form
    assert survey.years == (year,)
    assert not survey.design.weights
    for item in survey.items:
        question = instrument.question(item, year)
        assert question is not None
        given = set(survey.responses[item].cat.remove_unused_categories().cat.categories)
        assert given <= set(question.scale.labels), item
        assert given, item
    for item in survey.items:
        gates = instrument.items[item].gates
        if not gates:
            continue
        asked = np.zeros(survey.n, dtype=bool)
        for gate in gates:
            asked |= survey.responses[gate.item].isin(gate.answers).to_numpy()
        answered = survey.responses[item].notna().to_numpy()
        assert not (answered & ~asked).any(), item
        assert answered[asked].mean() > 0.9, item


def test_filipino_from_2025_and_two_occupations_from_2023() -> None:
    def shares(year: int) -> tuple[float, float, float]:
        frame = simulate_survey(30_000, year=year, seed=5).responses
        ethnic, work = frame["ethnic_group"], frame["occupational_group"]
        return (
            float((ethnic == "Asian: Filipino").mean()),
            float((work == "Speech and Language Therapy").mean()),
            float(ethnic.isin(["Asian: Filipino", "Asian: Any other Asian"]).mean()),
        )

    early, before, after = shares(2022), shares(2024), shares(2025)
    assert early[:2] == (0.0, 0.0)
    assert before[0] == 0.0
    assert before[1] > 0.005
    assert after[0] > 0.015
    assert after[2] == pytest.approx(before[2], abs=0.005)


def test_grounds_nearly_always_have_a_tick_and_are_complete(trust: Survey) -> None:
    grounds = [i for i in trust.items if trust.instrument.items[i].kind == "tick"]
    assert len(grounds) == 7
    frame = trust.responses
    asked = (frame["discrimination_patients"] == "Yes") | (frame["discrimination_staff"] == "Yes")
    ticked = (frame[grounds] == "Selected").any(axis=1)
    blank = frame[grounds].isna()
    assert (blank.all(axis=1) | ~blank.any(axis=1)).all()
    assert not ticked[~asked].any()
    assert 0.96 < ticked[asked].mean() < 0.995
    assert (ticked == frame[grounds].notna().all(axis=1)).all()


def test_grounds_belong_to_those_they_concern(nation: Survey) -> None:
    race = "discrimination_grounds_race"
    minority = members(nation, "ethnicity", "All other ethnic groups combined")
    assert reported(nation, race, minority) == pytest.approx(83.8, abs=2.5)
    assert reported(nation, race, members(nation, "ethnicity", "White")) == pytest.approx(
        22.8, abs=2.5
    )
    condition = members(nation, "long_term_condition", "With a long-term condition or illness")
    disability = "discrimination_grounds_disability"
    assert reported(nation, disability, condition) > 4 * reported(nation, disability, ~condition)


# -- units and what is planted -------------------------------------------------------------------


def test_units_nest_and_are_uneven(trust: Survey) -> None:
    small = simulate_survey(4000, year=2024, seed=1)
    assert small.units == trust.units == ("directorate", "team")
    assert 8 <= small.responses["directorate"].nunique() <= 10
    sizes = small.responses["team"].value_counts()
    assert 70 <= len(sizes) <= 110
    assert ((sizes >= 3) & (sizes <= 9)).sum() >= 4
    assert sizes.max() > 80


@pytest.mark.parametrize("seed", [7, 8])
def test_ratio_of_bullying_by_managers(seed: int) -> None:
    survey = simulate_survey(40_000, year=2023, seed=seed)
    inside = (survey.responses["directorate"] == "Surgery and Theatres").to_numpy()
    ratio = reported(survey, "hba_managers", inside) / reported(survey, "hba_managers", ~inside)
    assert ratio == pytest.approx(2.2, rel=0.12)
    # It is of managers: bullying by the public has no such ratio.
    by_public = reported(survey, "hba_patients", inside) / reported(survey, "hba_patients", ~inside)
    assert by_public < 1.6


def test_ethnicity_gap_of_one_directorate(trust: Survey) -> None:
    inside = (trust.responses["directorate"] == "Diagnostics and Pharmacy").to_numpy()
    minority = members(trust, "ethnicity", "All other ethnic groups combined")
    item = "discrimination_staff"
    ratio = reported(trust, item, inside & minority) / reported(trust, item, ~inside & minority)
    assert ratio == pytest.approx(2.0, rel=0.15)
    white = members(trust, "ethnicity", "White")
    assert reported(trust, item, inside & white) < 1.2 * reported(trust, item, ~inside & white)


def test_three_teams_burn_out(trust: Survey) -> None:
    teams = ["Emergency Department", "Acute Medical Unit", "Short Stay Unit"]
    inside = trust.responses["team"].isin(teams).to_numpy()
    often = trust.responses["burnout_burnt_out"].isin(["Often", "Always"]).to_numpy()
    assert often[inside].mean() > 1.5 * often[~inside].mean()
    assert (
        reported(trust, "work_related_stress", inside)
        > reported(trust, "work_related_stress", ~inside) + 12
    )


def test_one_directorate_improves() -> None:
    gap = []
    for year in YEARS:
        survey = simulate_survey(20_000, year=year, seed=7)
        inside = (survey.responses["directorate"] == "Community and Therapies").to_numpy()
        item = "recommend_place_to_work"
        gap.append(reported(survey, item, inside) - reported(survey, item, ~inside))
    assert gap[-1] - gap[0] > 12
    assert np.corrcoef(gap, YEARS)[0, 1] > 0.9


def test_other_organisations_have_no_hot_spot(nation: Survey) -> None:
    frame = nation.responses
    surgery = (frame["directorate"] == "Surgery and Theatres").to_numpy()
    first = (frame["org"] == "ZZ1").to_numpy()

    def ratio(who: np.ndarray) -> float:
        return reported(nation, "hba_managers", who & surgery) / reported(
            nation, "hba_managers", who & ~surgery
        )

    assert ratio(first) > 1.6
    assert 0.85 < ratio(~first) < 1.25


def test_hot_spots_are_listed_with_items_traits_and_units_that_exist() -> None:
    table, model = hot_spots(), load_model()
    directorates = {t.directorate for t in model.teams}
    teams = {t.name for t in model.teams}
    assert set(table["hot_spot"]) == {
        "manager_bullying",
        "burnout_teams",
        "ethnicity_gap",
        "improving",
        "good_team",
    }
    for row in table.itertuples():
        assert set(row.names) <= (directorates if row.unit == "directorate" else teams)
        if row.effect == "ratio":
            assert row.target in model.answers
        else:
            assert row.effect == "shift"
            assert row.target in {t.id for t in model.traits}


def test_units_keep_their_character_from_year_to_year() -> None:
    def by_team(year: int, seed: int) -> pd.Series:
        survey = simulate_survey(40_000, year=year, seed=seed)
        good = survey.responses["manager_cares"].isin(["Agree", "Strongly agree"])
        share: pd.Series = good.groupby(survey.responses["team"], observed=True).mean()
        return share

    first = by_team(2023, 21)
    assert first.corr(by_team(2024, 21)) > 0.6
    assert abs(first.corr(by_team(2024, 22))) < 0.5


# -- organisations, seeds, limits ------------------------------------------------------------------


def test_organisations_have_codes_that_cannot_exist_and_differ() -> None:
    survey = simulate_survey(60_000, year=2024, organisations=12, seed=4)
    assert survey.orgs == tuple(sorted(f"ZZ{k}" for k in range(1, 13)))
    sizes = survey.responses["org"].value_counts()
    assert sizes.sum() == 60_000
    assert sizes.max() > 2 * sizes.min()
    assert survey.synthetic
    assert all("synthetic" in name for name in survey.names.values())
    recommend = survey.responses["recommend_place_to_work"].isin(["Agree", "Strongly agree"])
    rate = recommend.groupby(survey.responses["org"], observed=True).mean()
    assert rate.std() > 2 * np.sqrt(0.24 / sizes.mean())  # more than chance


def test_a_seed_gives_the_same_survey_and_another_does_not() -> None:
    one = simulate_survey(900, year=2025, organisations=2, seed=9).responses
    again = simulate_survey(900, year=2025, organisations=2, seed=9).responses
    pd.testing.assert_frame_equal(one, again)
    other = simulate_survey(900, year=2025, organisations=2, seed=10).responses
    assert (one["recommend_care"].cat.codes != other["recommend_care"].cat.codes).mean() > 0.5


def test_an_answer_does_not_depend_on_which_other_items_are_drawn() -> None:
    model = load_model()
    fewer = replace(
        model, answers={i: a for i, a in model.answers.items() if i != "time_passes_quickly"}
    )
    drawn = []
    for some in (model, fewer):
        stream = Stream(1, "here")
        people = draw_people(some, 2000, stream)
        units = draw_units(some, people, 1, stream, stream)
        traits = {t.id: trait_values(t, units, stream, stream) for t in some.traits}
        drawn.append(draw_answers(some, people, traits, units, 2024, stream))
    every, less = drawn
    assert set(every) - set(less) == {"time_passes_quickly"}
    for item in less:
        np.testing.assert_array_equal(every[item], less[item])


def test_columns_are_those_of_a_survey() -> None:
    frame = simulate_survey(500, year=2024, seed=2).responses
    assert list(frame.columns[:4]) == ["org", "year", "directorate", "team"]
    assert list(frame["org"].unique()) == ["ZZ1"]
    assert frame.index.equals(pd.RangeIndex(500))
    assert str(frame["year"].dtype) == "int16"


@pytest.mark.parametrize("n", [1, 2, 37])
def test_very_small_surveys(n: int) -> None:
    survey = simulate_survey(n, year=2024, seed=0)
    assert survey.n == n


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"year": 2020}, "2021-2025"),
        ({"year": 2024, "organisations": 0}, "at least one respondent"),
        ({"year": 2024, "organisations": 11}, "at least one respondent"),
        ({"year": 2024, "seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments: dict[str, int], message: str) -> None:
    with pytest.raises(InstrumentError, match=message):
        simulate_survey(10, **({"seed": 1} | arguments))  # type: ignore[arg-type]
