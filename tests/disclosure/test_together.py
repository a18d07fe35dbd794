"""Suppressing Estimates that leave together: what is hidden, what is refused, what is said."""

from __future__ import annotations

import pickle
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.disclosure import together
from culture_analytics.disclosure.release import BANNER, Release, _about_survey, _definition
from culture_analytics.disclosure.rules import load_rule
from culture_analytics.disclosure.together import suppress_together
from culture_analytics.errors import DisclosureError
from culture_analytics.estimates import NUMBERS, PRIMARY_ONLY, TOGETHER, UNPROTECTED
from culture_analytics.output.blocks import Table
from culture_analytics.survey import Survey
from tests.conftest import make_survey

ITEM = "work_related_stress"
SMALL = 7  # people in the one small team


@pytest.fixture(scope="module")
def survey() -> Survey:
    """Three teams of one directorate, one of them under the limit; everyone answers one item."""
    teams = ["Team 1"] * 60 + ["Team 2"] * 40 + ["Team 3"] * SMALL
    made = make_survey(len(teams), seed=8)
    responses = made.responses.copy()
    responses["team"] = pd.Categorical(teams)
    responses["directorate"] = pd.Categorical(["Directorate A"] * len(teams))
    answers = np.where(np.arange(len(teams)) % 3 == 0, "Yes", "No")
    responses[ITEM] = pd.Categorical(answers, dtype=responses[ITEM].dtype)
    return Survey(
        responses, instrument=made.instrument, design=made.design, units=("directorate", "team"),
        source="made.csv",
    )  # fmt: skip


def base_of(estimates: ca.Estimates, group: str) -> float:
    table = estimates.table
    return float(table.loc[table["group"] == group, "base"].iloc[0])


def test_primary_suppression_leaves_the_small_team_to_be_subtracted(survey: Survey) -> None:
    stress = ca.calculate(survey, ITEM, by="team")
    shown = stress.table[stress.table["breakdown"] == "team"]["base"].sum()
    assert base_of(stress, "All staff") - shown == SMALL


def test_suppressed_together_the_small_team_cannot_be_subtracted(survey: Survey) -> None:
    safe = ca.suppress(ca.calculate(survey, ITEM, by="units"))
    teams = safe.table[safe.table["breakdown"] == "team"]
    hidden = teams["status"].eq("suppressed").to_numpy()
    assert hidden.sum() >= 2 and hidden[2]
    # Every way the hidden teams could share what is left, by trying them all.
    left = int(base_of(safe, "All staff") - teams["base"].sum())
    others = int(hidden.sum()) - 1
    possible = {
        small
        for small in range(11)
        for rest in product(range(left + 1), repeat=others)
        if small + sum(rest) == left
    }
    assert len(possible) >= 5


def test_a_row_hidden_second_loses_every_number(survey: Survey) -> None:
    safe = ca.suppress(ca.calculate(survey, ITEM, by="units"))
    hidden = safe.table[safe.table["status"] == "suppressed"]
    assert hidden[list(NUMBERS)].isna().all(axis=None)
    assert hidden["method"].eq("").all()
    # Nothing tells it from a row hidden for its own base.
    first = hidden[hidden["group"] == "Team 3"].drop(columns="group").iloc[0]
    for _, row in hidden[hidden["group"] != "Team 3"].drop(columns="group").iterrows():
        assert row.drop("breakdown").equals(first.drop("breakdown"))


@pytest.mark.parametrize("door", ["pickle", "csv", "repr", "html", "select"])
def test_every_door_shows_the_suppressed_view(survey: Survey, door: str, tmp_path: Path) -> None:
    safe = ca.suppress(ca.calculate(survey, ITEM, by="units"))
    n_hidden = int(safe.table["status"].eq("suppressed").sum())
    if door == "pickle":
        back = pickle.loads(pickle.dumps(safe))
        assert back.table.equals(safe.table)
        assert set(back._frame.columns) - set(safe.table.columns) == {"_hide"}
        assert TOGETHER in back._caption()
    elif door == "csv":
        written = pd.read_csv(safe.to_csv(tmp_path / "t.csv"))
        assert written["base"].isna().sum() == n_hidden
    elif door == "select":
        assert safe.select(breakdown="team").table["base"].isna().sum() == n_hidden
    else:
        text = repr(safe) if door == "repr" else safe._repr_html_()
        assert text.count("[c]") == n_hidden and TOGETHER in text


def test_what_was_done_is_said(survey: Survey) -> None:
    stress = ca.calculate(survey, ITEM)
    assert PRIMARY_ONLY in repr(stress) and TOGETHER in repr(ca.suppress(stress))
    open_rule = ca.Rule.none(reason="a test")
    assert UNPROTECTED in repr(ca.calculate(survey, ITEM, rule=open_rule))


def test_part_of_an_extract_beside_the_whole_is_refused(survey: Survey) -> None:
    mask = survey.responses["team"] != "Team 3"
    part = ca.calculate(survey.filter(mask=mask), ITEM)
    with pytest.raises(DisclosureError, match=r"different respondents.*107 of made.csv"):
        ca.suppress([ca.calculate(survey, ITEM), part])


def test_results_of_two_extracts_are_refused(survey: Survey) -> None:
    with pytest.raises(DisclosureError, match="two extracts cannot be audited as one"):
        ca.suppress([ca.calculate(survey, ITEM), ca.calculate(make_survey(107, seed=9), ITEM)])


def test_protected_and_unprotected_results_are_not_mixed(survey: Survey) -> None:
    stress = ca.calculate(survey, ITEM, by="team")
    safe = ca.suppress(stress)
    with pytest.raises(DisclosureError, match="suppressed together with others and some were not"):
        ca.concat([stress, safe])
    with pytest.raises(DisclosureError, match="different rules"):
        ca.suppress([stress, ca.calculate(survey, ITEM, rule="nss-2024")])
    with pytest.raises(DisclosureError, match="protected already"):
        ca.suppress(pickle.loads(pickle.dumps(safe)))


def test_weighted_and_unweighted_tables_are_protected_as_one(survey: Survey) -> None:
    plain = ca.calculate(survey, ITEM, by="units")
    weighted = ca.calculate(survey, ITEM, by="units", weight="w")
    safe = ca.suppress([plain, weighted]).table
    status = safe.set_index(["weighting", "breakdown", "group"])["status"]
    assert (status["unweighted"] == status["w"]).all()
    assert (status == "suppressed").any()


def test_a_release_says_what_was_proved_and_keeps_it(survey: Survey, tmp_path: Path) -> None:
    tables = {"tables": [{"topic": "stress", "measures": ["stress"], "by": ["units"]}]}
    release = ca.build_release(survey, tables=tables)
    assert release.banner == BANNER and "Proved" in " ".join(release.protection)
    back = ca.load_release(release.save(tmp_path / "r.zip"))
    assert back.protection == release.protection and back.table.equals(release.table)
    assert TOGETHER in back["stress", "team"]._caption()
    rule = ca.Rule.none(reason="a test of reports")
    bare = ca.build_release(survey, tables=tables, rule=rule)
    assert bare.banner == UNPROTECTED and "a test of reports" in " ".join(bare.protection)


def test_a_table_in_two_topics_is_hidden_alike(survey: Survey) -> None:
    one = {"measures": [ITEM], "by": ["units"]}
    tables = {"tables": [{"topic": "a", **one}, {"topic": "b", **one}]}
    release = ca.build_release(survey, tables=tables)
    assert release["a"].table.equals(release["b"].table)


TABLES = {"tables": [{"topic": "bullying", "measures": ["bullying"], "by": ["equality", "units"]}]}


@pytest.mark.parametrize("rule", ["default", "nss-2018", "nss-2024", "strict", "rounded"])
def test_every_shipped_rule_protects_a_release_and_survives_saving(
    rule: str, tmp_path: Path
) -> None:
    release = ca.build_release(ca.load_sample(2024), tables=TABLES, rule=rule)
    report = ca.audit(release)
    assert report.ok and report.hidden_second > 0 and report.proved == 1
    back = ca.load_release(release.save(tmp_path / "r.zip"))
    assert back.rule == release.rule and back.table.equals(release.table)
    shown = back.table[back.table["status"] == "ok"]
    assert (shown["base"] >= release.rule.base_under - release.rule.round_base // 2).all()
    with pytest.raises(DisclosureError, match="Only the protected view is here"):
        ca.audit(back["bullying"])


def test_a_rounded_release_shows_nothing_unrounded() -> None:
    release = ca.build_release(ca.load_sample(2024), tables=TABLES, rule="rounded")
    shown = release.table[release.table["status"] == "ok"]
    assert (shown["base"] % 5 == 0).all()
    percent = shown[shown["statistic"] == "percent"]
    assert (percent[["value", "lower", "upper"]] % 1 == 0).all(axis=None)
    assert shown[["se", "df", "p_value", "weighted_base", "effective_base"]].isna().all(axis=None)
    assert release.about["respondents"]["2024"] % 5 == 0


def test_a_strict_release_shows_no_one_or_two_people() -> None:
    survey = ca.load_sample(2024)
    strict = ca.calculate(survey, "bullying", by="religion", rule="strict")
    numerator = strict._frame["_numerator"].to_numpy()
    rest = strict._frame["base"].to_numpy() - numerator
    shown = strict.table["status"].eq("ok").to_numpy()
    assert not (shown & ((numerator == 1) | (numerator == 2) | (rest < 3))).any()
    few = ca.calculate(survey, "bullying", by="religion").table["status"].eq("ok").to_numpy()
    assert (few & ~shown).any()


def test_what_cannot_be_proved_in_time_is_left_out_by_name() -> None:
    tables = {
        "tables": [
            {"topic": "a", "measures": ["bullying"], "by": ["team", "ethnicity_detailed:gender"]}
        ]
    }
    release = ca.build_release(ca.load_sample(2024), tables=tables, seconds=0.0)
    crossed = release["a", "ethnicity_detailed:gender"].table
    assert crossed["status"].isin(["suppressed", "not_asked"]).all()
    assert any("ethnicity_detailed:gender" in line for line in release.protection)
    assert ca.audit(release).ok


def test_part_of_protected_results_is_not_protected_afresh(survey: Survey) -> None:
    safe = ca.suppress(ca.calculate(survey, ITEM, by="units"))
    with pytest.raises(DisclosureError, match="protected already"):
        ca.suppress(safe.select(breakdown="team"))
    with pytest.raises(DisclosureError, match="protected already"):
        ca.suppress(safe, rule="nss-2024")


def test_what_was_left_out_of_a_base_does_not_give_it_away() -> None:
    """A distribution shows "don't know" too: less those it is the measure's base."""
    survey, items = ca.load_sample(2024), ["clinical_supervision", "errors_treated_fairly"]
    by = ["team", "ethnicity_detailed"]
    figures = [ca.calculate(survey, items, by=by), ca.calculate_answers(survey, items, by=by)]
    table = ca.suppress(figures).table
    keys = ["measure", "breakdown", "group"]
    hidden = table["status"].eq("suppressed")
    measures = table[hidden & table["answer"].eq("")].set_index(keys).index
    answers = table[~hidden & table["answer"].ne("") & table["status"].eq("ok")]
    assert len(measures) and not answers.set_index(keys).index.isin(measures).any()


def test_those_asked_because_of_an_answer_are_not_given_away_by_it() -> None:
    """Nobody can have been asked about reporting but those who had an incident, which is shown."""
    survey = ca.load_sample(2024)
    measures = ["hba_any", "hba_reported", "presenteeism", "pressure_from_manager"]
    safe = ca.suppress(ca.calculate(survey, measures, by=["ethnicity_broad", "ethnicity_detailed"]))
    frame = safe._frame.assign(hidden=safe._hidden).set_index(["measure", "breakdown", "group"])
    definition = survey.instrument.breakdowns
    summary = {g.label: set(g.answers) for g in definition["ethnicity_broad"].groups}
    looked_at = 0
    for gate, led in (("hba_any", "hba_reported"), ("presenteeism", "pressure_from_manager")):
        for label, inside in summary.items():
            whole = frame.loc[(led, "ethnicity_broad", label)]
            parts = [
                (frame.loc[(led, "ethnicity_detailed", g.label)],
                 frame.loc[(gate, "ethnicity_detailed", g.label)])
                for g in definition["ethnicity_detailed"].groups
                if set(g.answers) <= inside
            ]  # fmt: skip
            if whole["hidden"] or any(before["hidden"] for _, before in parts):
                continue
            parts = [(p, before) for p, before in parts if p["status"] == "ok" or p["hidden"]]
            left = whole["base"] - sum(p["base"] for p, _ in parts if not p["hidden"])
            asked = {i: before["_numerator"] for i, (p, before) in enumerate(parts) if p["hidden"]}
            for said in asked.values():
                others = sum(asked.values()) - said
                least, most = max(left - others, 0), min(said, left)
                looked_at += 1
                kept = said - 10 if said > 14 else said + 1
                assert most - least + 1 >= min(5, kept)
    assert looked_at


def of_eleven(n: int) -> Survey:
    """Respondents whose file had 3 odd answers, 25 odd answers, 3 blank rows and 2 odd columns."""
    survey = make_survey(n, seed=5)
    found = [("", "rows read", "made.csv", n + 3, ""), ("", "rows kept", "made.csv", n, ""),
             ("note", "rows set aside", "made.csv", 3, "blank row"),
             ("warning", "routing contradictions", "q31b", 3, "answered though not asked"),
             ("warning", "unknown codes", "q11c", 25, "codes of no answer"),
             ("note", "a check to come", "q11c", 10, "said"),
             ("note", "local columns", "made.csv", 2, "no question")]  # fmt: skip
    table = pd.DataFrame(found, columns=["severity", "check", "where", "count", "detail"])
    return replace(survey, quality=SimpleNamespace(table=table))


@pytest.mark.parametrize(("rule", "counts"), [
    ("default", [43, 40, 3, None, 25, None, 2]),
    ("rounded", [45, 40, 5, None, 25, None, 0]),
])  # fmt: skip
def test_small_counts_of_people_do_not_leave_in_the_findings(
    rule: str, counts: list[int | None], tmp_path: Path
) -> None:
    release = ca.build_release(of_eleven(40), tables=TABLES, rule=rule)
    for held in (release, ca.load_release(release.save(tmp_path / "r.zip"))):
        assert held.quality is not None
        assert [None if pd.isna(c) else int(c) for c in held.quality["count"]] == counts
        assert (held.quality["detail"] == "").all() == (rule == "rounded")
        shown = ca.show.quality(held)
        assert isinstance(shown, Table)
        cells = [row[2] for _, rows in shown.sections for row in rows]
        assert cells == ["fewer than 11" if c is None else f"{c}" for c in counts]


@pytest.mark.parametrize(("n", "rounded", "said"), [(10, None, "fewer than 11"), (11, 10, "10"),
                                                    (12, 10, "10"), (13, 15, "15")])  # fmt: skip
def test_respondents_are_told_from_eleven_on(n: int, rounded: int | None, said: str) -> None:
    about = _about_survey(make_survey(n), load_rule("rounded"))
    assert about["respondents"] == {"2024": rounded}
    table = ca.show.respondents(Release(rule=load_rule("rounded"), about=about))
    assert isinstance(table, Table) and table.sections[0][1] == [["2024", said]]


def test_a_question_that_cannot_be_protected_is_left_out_of_every_table() -> None:
    """Few were asked it, and the shown figures of those few say too much of who answered."""
    survey = ca.simulate_survey(300, year=2024, seed=300)
    by = ["gender", "ethnicity", "ethnicity_broad", "ethnicity_detailed", "working_pattern"]
    figures = ca.calculate(survey, ["presenteeism", "pressure_from_manager"], by=by)
    protected = ca.suppress(figures)
    told = protected.table.groupby("measure")["status"].agg(lambda s: s.eq("ok").any())
    assert told.to_dict() == {"presenteeism": True, "pressure_from_manager": False}
    report = ca.audit(protected)
    assert report.ok, report.sentences()
    _, report = suppress_together({"one": figures})
    assert "pressure from" in report.sentences()[-1].lower(), report.sentences()
    assert "in every table (2024)" in report.sentences()[-1]


def test_a_trust_of_three_thousand_sees_its_headline_by_ethnicity_and_disability() -> None:
    """What hardly anybody met may not hide what the equality standards ask for."""
    standard = _definition("standard")["tables"]
    tables = [
        {**t, "by": [b for b in t["by"] if b not in ("units", "work")]}
        for t in standard
        if t["topic"] in ("stress", "bullying", "standards")
    ]
    survey = ca.simulate_survey(3000, year=2024, seed=3000)
    table = ca.build_release(survey, tables={"tables": tables}).table
    pairs = table["breakdown"].isin(["overall", "ethnicity", "long_term_condition"])
    of_all = pairs & table["statistic"].isin(["percent", "score"]) & table["reference"].eq("")
    hidden = table[of_all & table["status"].eq("suppressed")]
    assert set(hidden["measure"]) <= {"violence_reported"}, sorted(set(hidden["measure"]))


def test_grounds_of_all_staff_are_shown_though_few_of_some_age_met_discrimination() -> None:
    """The number who met it at each age is shown, so that most ages are hidden, not all staff."""
    survey = ca.simulate_survey(3000, year=2024, seed=4)
    tables = [
        {"topic": "discrimination", "measures": ["discrimination"], "by": ["age"]},
        {"topic": "grounds", "measures": ["discrimination_grounds"], "by": ["age"]},
    ]
    release = ca.build_release(survey, tables={"tables": tables})
    table = release.table
    grounds = table[table["topic"].eq("grounds") & table["status"].ne("not_asked")]
    everyone = grounds["breakdown"].eq("overall")
    assert everyone.sum() == 7
    assert grounds.loc[everyone, "status"].eq("ok").all()
    smallest = grounds["group"].isin(["16-20", "66+"])
    assert grounds.loc[smallest, "status"].eq("suppressed").all()
    assert ca.audit(release).ok, ca.audit(release).sentences()


def test_a_refusal_says_of_what(survey: Survey, monkeypatch: pytest.MonkeyPatch) -> None:
    """One clear message: how many, of which measure, by what, and what to do."""
    stress = ca.calculate(survey, ITEM, by="units")
    leaks = pd.DataFrame({"measure": [ITEM], "tables": ["team"]})
    refused = SimpleNamespace(ok=False, table=leaks)
    nothing = np.zeros(len(stress), dtype=bool)
    monkeypatch.setattr(together, "protect", lambda *_, **__: (nothing, refused))
    with pytest.raises(DisclosureError, match=f"1 hidden .* of {ITEM}, by team. Leave out"):
        ca.suppress(stress)
