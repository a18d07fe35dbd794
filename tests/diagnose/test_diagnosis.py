"""The whole diagnosis: protected, the same when opened from a file, guarded in its words."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.diagnose import findings as sentences
from culture_analytics.diagnose.diagnosis import Diagnosis
from culture_analytics.diagnose.findings import CONCERN, NEUTRAL, STRENGTH, UNKNOWN
from culture_analytics.diagnose.priorities import FEWEST, FIRST, MOST, PROTECT
from culture_analytics.diagnose.stressors import load_cut_offs
from culture_analytics.errors import InstrumentError, MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.instrument.culture import DIAGNOSED, PREFIX, TOPICS
from culture_analytics.instrument.loader import DATA
from culture_analytics.simulate import hot_spots

# "It says what goes together, not what brings it about" is a doubt, not a claim.
CLAIMS = (
    r"\bcaus|\bbecause\b|\bleads? to\b|\bdue to\b|\bdriv|\bimpact|\beffect\b|\bresults? (in|from)\b"
    r"|\bsignifican|\bprove[sn]?\b(?! that (there|all))|\bworst\b|\bbest\b(?! [.)])|\brank"
)


@pytest.fixture(scope="module")
def survey() -> ca.Survey:
    return ca.load_sample().filter(year=[2024, 2025])


@pytest.fixture(scope="module")
def found(survey: ca.Survey) -> Diagnosis:
    return ca.diagnose_culture(survey)


@pytest.fixture(scope="module")
def saved(found: Diagnosis, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return found.release.save(tmp_path_factory.mktemp("diagnosis") / "release.zip")


def test_everything_was_audited_together(found: Diagnosis) -> None:
    assert set(found.release.topics) >= {*TOPICS, *DIAGNOSED, "scores"}
    assert ca.audit(found.release).ok
    hidden = found.release["culture"].table["status"].eq("suppressed")
    assert hidden.any()
    assert found.elements is not None and found.elements._suppressed_together


@pytest.mark.parametrize("topic", ["culture_differences", "spots", "culture_changes"])
def test_nothing_made_of_a_hidden_figure_is_shown(found: Diagnosis, topic: str) -> None:
    keys = ["measure", "breakdown", "group"]
    shown = found.release["culture"].table
    shown = shown[shown["year"].eq(found.year) & shown["breakdown"].isin(["directorate", "team"])]
    dead = shown[shown["status"].eq("suppressed")].set_index(keys).index
    made = found.release[topic].table
    of_dead = made.set_index(keys).index.isin(dead)
    assert of_dead.sum() > 50
    assert made.loc[of_dead, ["value", "lower", "upper", "p_adjusted", "base"]].isna().all().all()
    assert made.loc[of_dead, "status"].eq("suppressed").all()
    assert made.loc[~of_dead, "value"].notna().any()


def test_the_same_from_a_saved_release(found: Diagnosis, saved: Path) -> None:
    again = ca.diagnosis_of(ca.load_release(saved))
    for name in ("findings", "priorities", "conditions", "evidence", "stressors", "spots",
                 "falling"):  # fmt: skip
        pd.testing.assert_frame_equal(getattr(again, name), getattr(found, name))
    for name in ("elements", "differences", "pooled", "changes", "quality", "drivers", "leaders",
                 "items", "sub_scores", "concerns"):  # fmt: skip
        one, other = getattr(found, name), getattr(again, name)
        pd.testing.assert_frame_equal(one.table, other.table)
    assert again.notes == found.notes and again.by == "directorate"
    teams = ca.diagnosis_of(ca.load_release(saved), by="team")
    assert teams.findings["breakdown"].eq("team").any()
    assert not teams.findings["breakdown"].eq("directorate").any()


def test_the_standard_release_holds_it_too(survey: ca.Survey, found: Diagnosis) -> None:
    release = ca.build_release(survey.filter(year=2025), tables={"tables": [
        {"topic": t["topic"], "measures": t["measures"], "by": t["by"]}
        for t in _standard() if t["topic"] in (*TOPICS, "headline")
    ]})  # fmt: skip
    one = ca.diagnosis_of(release)
    drivers = found.drivers
    assert drivers is not None and one.drivers is not None
    pd.testing.assert_frame_equal(one.drivers.table, drivers.table)
    assert {t["topic"] for t in _standard()} >= set(TOPICS)
    # The comparisons of other notebooks are of their own tables.
    assert "changes" not in release.topics
    with pytest.raises(MeasureError, match="no culture tables"):
        ca.diagnosis_of(ca.build_release(survey.filter(year=2025), tables={
            "tables": [{"topic": "headline", "measures": ["headline"], "by": []}]}))  # fmt: skip


def _standard() -> list[dict[str, object]]:
    import tomllib

    tables: list[dict[str, object]] = tomllib.loads(
        (DATA / "release.toml").read_text(encoding="utf-8")
    )["standard"]["tables"]
    return tables


# -- sentences --------------------------------------------------------------------------------


def test_findings_are_guarded(found: Diagnosis) -> None:
    table = found.findings
    assert table["finding"].is_unique
    assert set(table["kind"]) <= {CONCERN, STRENGTH, NEUTRAL, UNKNOWN}
    assert {CONCERN, STRENGTH, NEUTRAL, UNKNOWN} == set(table["kind"])  # good and bad
    for text in table["sentence"]:
        assert text.endswith(".") and text[0].isupper(), text
        assert not re.search(CLAIMS, text.replace("10 is best", ""), re.IGNORECASE), text
        assert "nan" not in text.lower() and "  " not in text, text
    assert table["doubt"].str.len().min() > 20
    assert set(table["table"]) <= {*found.release.topics}
    assert list(dict.fromkeys(table["topic"])) == [
        "standing", "concerns", "changes", "units", "falling", "drivers", "priorities", "leaders",
        "stressors", "quality", "conditions",
    ]  # fmt: skip


def test_each_finding_holds_its_figures(found: Diagnosis) -> None:
    """The numbers of a finding are those of the table it names."""
    checked = 0
    for row in found.findings.to_dict("records"):
        if np.isnan(row["value"]) or row["topic"] == "quality":
            continue
        table = found.release[row["table"]].table
        mine = table[
            table["measure"].eq(row["measure"]) & table["statistic"].eq(row["statistic"])
            & table["year"].eq(found.year) & np.isclose(table["value"].astype(float), row["value"])
        ]  # fmt: skip
        assert len(mine) >= 1, row["finding"]
        checked += 1
    assert checked > 20


def test_planted_units_are_found(found: Diagnosis) -> None:
    """The simulation's hot spots: bullying managers in one directorate, burnt-out teams."""
    planted = hot_spots().set_index("hot_spot")["names"]
    bullied = found.spots[
        found.spots["measure"].eq("hba_managers") & found.spots["kind"].eq("hot spot")
    ]
    assert set(bullied["group"]) == set(planted["manager_bullying"])
    teams = ca.diagnosis_of(found.release, by="team").spots
    burnt = teams[teams["measure"].eq("burnout") & teams["kind"].eq("hot spot")]
    assert len(set(burnt["group"]) & set(planted["burnout_teams"])) >= 2
    said = found.findings.set_index("finding")["sentence"]
    assert "Bullied by managers" in said[f"units/directorate/{planted['manager_bullying'][0]}"]


def test_each_unit_has_one_finding_and_both_sides(found: Diagnosis) -> None:
    units = found.findings[found.findings["topic"].eq("units") & found.findings["group"].ne("")]
    assert units["group"].is_unique
    spots = found.spots[found.spots["lower"].gt(0) | found.spots["upper"].lt(0)]
    for row in units.to_dict("records"):
        mine = spots[spots["group"].eq(row["group"])]
        kind = "hot spot" if row["kind"] == CONCERN else "bright spot"
        same = int(mine["kind"].eq(kind).sum())
        assert f"on {same} of " in row["sentence"]
        assert 2 * same >= len(mine)
        if same < len(mine):
            assert "It is clearly" in row["sentence"]
    counts = units["kind"].value_counts()
    assert counts.max() <= sentences.MOST_UNITS


def test_findings_and_spots_name_the_same(found: Diagnosis) -> None:
    teams = ca.diagnosis_of(found.release, by="team")
    for one in (found, teams):
        assert (one.spots["lower"].gt(0) | one.spots["upper"].lt(0)).all()
        said = one.findings[one.findings["topic"].eq("units")]
        for row in said[said["measure"].ne("")].itertuples():
            mine = one.spots[one.spots["group"].eq(row.group)]
            kind = "hot spot" if row.kind == CONCERN else "bright spot"
            assert f" on {mine['kind'].eq(kind).sum()} of " in row.sentence


def test_a_change_is_judged_once(found: Diagnosis, survey: ca.Survey) -> None:
    """What other tables of the release judge is not judged again, so no two pages differ."""
    tables = [{"topic": "headline", "measures": ["headline"], "by": []},
              {"topic": "culture", "measures": ["culture"], "by": []}]  # fmt: skip
    plain = ca.build_release(survey, tables={"tables": tables})
    keys = ["measure", "year", "reference"]
    for release, some in ((found.release, "staff_engagement"), (plain, "hba_managers")):
        one, other = (
            t[t["breakdown"].eq("overall") & t["statistic"].eq("difference")].set_index(keys)
            for t in (release["changes"].table, release["culture_changes"].table)
        )
        assert other.index.is_unique
        both = one.index.intersection(other.index)
        assert some in both.get_level_values("measure")
        for column in ("value", "lower", "upper", "p_adjusted", "family"):
            pd.testing.assert_series_equal(one.loc[both, column], other.loc[both, column])
        assert f"{PREFIX}teamwork" in other.index.get_level_values("measure")


def test_no_term_of_the_trade_in_what_a_board_reads(found: Diagnosis) -> None:
    said = " ".join(found.findings["sentence"]).lower()
    for word in ("alpha", "omega", "lmg", "shapley", "p-value", "holm", "pooled"):
        assert word not in said, word


def test_nothing_planted_nothing_said(survey: ca.Survey) -> None:
    """Units drawn at random of one year's staff differ by chance alone."""
    one = survey.filter(year=2025)
    answers = one.responses.copy()
    random = np.random.default_rng(11)
    answers["directorate"] = pd.Categorical(random.integers(0, 12, len(answers)).astype(str))
    alike = replace(one, responses=answers, units=("directorate",))
    said = ca.diagnose_culture(alike, by="directorate").findings
    units = said[said["topic"].eq("units")]
    assert units["finding"].tolist() == ["units/directorate/none"]
    assert "stands out beyond chance" in units["sentence"].iloc[0]
    assert "does not prove" in units["doubt"].iloc[0]


# -- parts ------------------------------------------------------------------------------------


def test_three_to_five_areas_first(found: Diagnosis) -> None:
    table = found.priorities
    first = table[table["kind"].eq(FIRST)]
    assert FEWEST <= len(first) <= MOST < len(table)
    assert table["kind"].eq(PROTECT).any()
    assert (np.diff(first["room"]) <= 0).all()
    room = table["importance"] / 100 * (10 - table["score"])
    np.testing.assert_allclose(table["room"], room)
    assert (table["room_lower"] <= table["room"]).all()
    assert (table["room"] <= table["room_upper"]).all()
    assert first["reasons"].str.contains("even share").all() and first["doubts"].ne("").all()
    last, outside = first.iloc[FEWEST - 1], table[table["kind"].ne(FIRST)]
    clear = outside["room_upper"] < last["room_lower"]
    assert (clear | outside["change_reading"].ne("clearly worse")).all()


def test_conditions_without_sight_have_no_score(found: Diagnosis) -> None:
    table = found.conditions.set_index("number")
    assert table["coverage"].tolist() == ["weak", "partial", "weak", "partial", "none"]
    assert table["scored"].tolist() == [False, True, False, True, False]
    assert table["other_evidence"].str.len().min() > 20
    assert table.loc[5, "here"] == "Nothing: the survey does not ask."
    evidence = found.evidence
    assert 5 not in set(evidence["number"]) and evidence["value"].notna().sum() > 30
    said = found.findings.set_index("finding")
    for number, condition in ((1, "systems"), (5, "regulation")):
        row = said.loc[f"conditions/{condition}"]
        assert row["kind"] == UNKNOWN and "no score" in row["sentence"]
        assert np.isnan(row["value"]) and f"Condition {number}" in row["sentence"]


def test_leaders_are_compared_with_everyone_else(found: Diagnosis, survey: ca.Survey) -> None:
    leaders = found.leaders
    assert leaders is not None
    table = leaders.table
    assert set(table["group"]) == {"General Management"} and set(table["reference"]) == {"rest"}
    one = survey.filter(year=2025)
    mask = one.responses["occupational_group"].eq("General Management").to_numpy()
    burnt = [
        ca.calculate(one.filter(mask=m), "burnout").table["value"].iloc[0] for m in (mask, ~mask)
    ]
    row = table[table["measure"].eq("burnout")].iloc[0]
    assert row["value"] == pytest.approx(burnt[0] - burnt[1], abs=1e-9)


def test_quality_says_what_does_not_hold_together(survey: ca.Survey, tmp_path: Path) -> None:
    """Two items that have nothing to do with one another make no element."""
    own = tmp_path / "ours.toml"
    own.write_text(
        (DATA / "culture.toml").read_text(encoding="utf-8")
        + '\n[elements.odd]\nlabel = "Odd"\n[[elements.odd.sets]]\nstatus = "proposal"\n'
        'items = ["violence_patients", "pay_satisfaction", "flexible_working_satisfaction"]\n'
        'reason = "items that do not belong together, for a test"\n',
        encoding="utf-8",
    )
    found = ca.diagnose_culture(survey.filter(year=2025), by="directorate", model=own)
    row = found.findings.set_index("finding").loc[f"quality/{PREFIX}odd"]
    assert row["kind"] == UNKNOWN and "does not hold together" in row["sentence"]
    assert (
        "6 of 7 elements hold together"
        in (found.findings.set_index("finding").loc["quality/elements", "sentence"])
    )
    assert "Odd" in set(found.priorities["area"])
    # Its own label stands wherever it is named, and higher is taken for better.
    assert found.pooled is not None
    assert found.pooled.table["measure"].eq(f"{PREFIX}odd").any()
    other = ca.diagnosis_of(found.release)
    assert any("was made with the model" in n for n in other.notes)


def test_stressors_and_cut_offs_of_ones_own(found: Diagnosis, tmp_path: Path) -> None:
    plain = found.stressors
    assert (
        len(plain) == 7 and plain["reading"].eq("").all() and plain["value"].between(0, 100).all()
    )
    demands = float(plain.loc[plain["domain"].eq("demands"), "value"].iloc[0])
    file = tmp_path / "cut.csv"
    file.write_text(
        f"domain,at_least,reading\ndemands,0,urgent\ndemands,{demands - 1},improve\n"
        f"demands,{demands + 1},good\nManager support,0,seen\n",
        encoding="utf-8",
    )
    read = ca.diagnosis_of(found.release, cut_offs=file).stressors.set_index("domain")["reading"]
    assert read["demands"] == "improve" and read["manager support"] == "seen"
    assert read["role"] == ""
    toml = tmp_path / "cut.toml"
    toml.write_text('[demands]\n"urgent" = 0\n"good" = 99\n', encoding="utf-8")
    read = ca.diagnosis_of(found.release, cut_offs=toml).stressors.set_index("domain")["reading"]
    assert read["demands"] == "urgent"
    for content, message in (
        ("domain,reading\ndemands,x\n", "no column at_least"),
        ("domain,at_least,reading\ndemand,1,x\n", "unknown domain"),
        ("domain,at_least,reading\ndemands,110,x\n", "no percentage"),
    ):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(MeasureError, match=message):
            load_cut_offs(file, domains=["demands"])
    with pytest.raises(MeasureError, match="no file named none.csv"):
        load_cut_offs(tmp_path / "none.csv", domains=["demands"])


def test_falling_units_need_both(survey: ca.Survey) -> None:
    """A directorate made worse in the second year is worse and falling; others are not."""
    answers = survey.responses.copy()
    hit = (answers["directorate"].eq("Mental Health") & answers["year"].eq(2025)).to_numpy()
    for item in ca.load_culture_model().outcomes["burnout"].items:
        scale = survey.instrument.items[item]
        answers.loc[hit, item] = scale.labels[int(np.argmin(scale.scale.scores))]
    found = ca.diagnose_culture(replace(survey, responses=answers), by="directorate")
    assert set(found.falling["group"]) == {"Mental Health"}
    assert set(found.falling["measure"]) == {"burnout"}
    row = found.findings.set_index("finding").loc["falling/directorate/Mental Health"]
    assert row["kind"] == CONCERN and "Burnout by" in row["sentence"]


# -- bad input --------------------------------------------------------------------------------


def every_fourth(survey: ca.Survey) -> ca.Survey:
    return survey.filter(mask=np.arange(survey.n) % 4 == 0)


@pytest.fixture(scope="module")
def one_year(survey: ca.Survey) -> ca.Survey:
    return every_fourth(survey.filter(year=2025))


def test_without_unit_columns(one_year: ca.Survey) -> None:
    found = ca.diagnose_culture(one_year.with_units(()))
    assert found.by == "" and found.pooled is None and found.spots.empty
    assert found.notes[0].startswith("No unit column")
    assert len(found.priorities) == 6 and len(found.findings) > 10
    assert any("One year only" in n for n in found.notes)


def test_an_unknown_column(one_year: ca.Survey) -> None:
    found = ca.diagnose_culture(one_year, by="ward")
    assert "No column 'ward'" in found.notes[0] and "directorate, team" in found.notes[0]
    assert len(found.priorities) == 6


def test_units_that_are_all_tiny(one_year: ca.Survey) -> None:
    answers = one_year.responses.copy()
    answers["team"] = pd.Categorical((np.arange(len(answers)) // 5).astype(str))
    tiny = replace(one_year, responses=answers, units=("team",))
    found = ca.diagnose_culture(tiny)
    assert any("None of" in n and "fewer than 11 answers" in n for n in found.notes)
    assert found.spots.empty and len(found.priorities) == 6
    assert not found.findings["topic"].eq("units").any()


def test_one_unit(one_year: ca.Survey) -> None:
    answers = one_year.responses.copy()
    answers["directorate"] = pd.Categorical(["Everyone"] * len(answers))
    found = ca.diagnose_culture(replace(one_year, responses=answers), by="directorate")
    assert "One directorate only: there is nothing to compare it with." in found.notes
    assert found.spots.empty and len(found.findings) > 10
    (said,) = found.findings[found.findings["topic"].eq("units")].to_dict("records")
    assert said["kind"] == UNKNOWN
    assert said["sentence"] == "Only one directorate can be shown, so nothing is said of where."


def test_an_outcome_that_does_not_vary(one_year: ca.Survey) -> None:
    answers = one_year.responses.copy()
    for item in ca.load_culture_model().outcomes["burnout"].items:
        dtype = one_year.instrument.items[item].dtype
        answers[item] = pd.Categorical([dtype.categories[2]] * len(answers), dtype=dtype)
    found = ca.diagnose_culture(replace(one_year, responses=answers), by="directorate")
    assert any(n.startswith("Burnout: nothing can go with it") for n in found.notes)
    said = set(found.findings["finding"])
    assert "drivers/burnout" not in said and {"drivers/engagement", "drivers/leaving"} <= said


def test_too_few_respondents(one_year: ca.Survey) -> None:
    found = ca.diagnose_culture(one_year.filter(mask=np.arange(one_year.n) < 60))
    assert any("too few respondents" in n for n in found.notes)
    assert found.drivers is None and found.quality is None
    assert any(n.startswith("How well scales hold together is not judged") for n in found.notes)
    assert found.priorities["importance"].isna().all() and len(found.priorities) == 6
    assert found.priorities["doubts"].str.contains("could not be worked out").all()
    nobody = ca.diagnose_culture(one_year.filter(mask=np.arange(one_year.n) < 8))
    assert any("too few answers to be shown" in n for n in nobody.notes)
    assert nobody.priorities.empty and set(nobody.findings["kind"]) == {UNKNOWN}


def test_a_model_that_names_unknown_items(one_year: ca.Survey, tmp_path: Path) -> None:
    text = (DATA / "culture.toml").read_text(encoding="utf-8")
    own = tmp_path / "ours.toml"
    own.write_text(
        text.replace('"care_top_priority", "org_acts', '"care_top_prioritee", "org_acts', 1)
        .replace('measure = "motivation"', 'measure = "motivatoin"')
        .replace('"hba_managers", "hba_colleagues", "hba_patients"]', '"hba_menagers"]'),
        encoding="utf-8",
    )
    with pytest.raises(InstrumentError, match="care_top_prioritee"):
        ca.load_culture_model(own)
    found = ca.diagnose_culture(one_year, by="directorate", model=own)
    left_out = [n for n in found.notes if n.endswith("left out.")]
    assert len(left_out) == 3
    assert any("(nearest: care_top_priority" in n for n in left_out)
    assert "pride_and_motivation" not in found.model.outcomes
    assert "bullying" not in found.model.concerns
    assert "care_top_priority" not in found.model.elements["vision_and_values"].items
    assert len(found.priorities) == 6
    own.write_text(text.replace("least_answered = 0.667", "least_answered = 7"), encoding="utf-8")
    with pytest.raises(InstrumentError, match="least_answered"):
        ca.diagnose_culture(one_year, model=own)


def test_a_rule_that_rounds_gives_no_exact_differences(one_year: ca.Survey) -> None:
    found = ca.diagnose_culture(one_year, by="directorate", rule="rounded")
    assert found.differences is None and found.pooled is None and found.leaders is None
    assert any("exact ones would undo the rounding" in n for n in found.notes)
    assert not found.findings["topic"].isin(["units", "leaders"]).any()
    assert ca.audit(found.release).ok
    with pytest.raises(MeasureError, match="'lmg', 'johnson'"):
        ca.diagnose_culture(one_year, method="beta")


def test_england_stands_beside(one_year: ca.Survey) -> None:
    england = ca.load_england(2024)
    found = ca.diagnose_culture(
        every_fourth(ca.load_sample(2024)), by="directorate", published=england
    )  # fmt: skip
    row = found.findings.set_index("finding").loc["concerns/stress"]
    table = england.table
    value = table.loc[
        table["measure"].eq("work_related_stress") & table["breakdown"].eq("overall")
        & table["org"].eq("ENG") & table["answer"].eq(""), "value"
    ].iloc[0]  # fmt: skip
    assert f"(England {value:.0f} %)" in row["sentence"] and "only roughly" in row["doubt"]


def contractors(survey: ca.Survey) -> Estimates:
    """Figures by directorate as a contractor's tables hold them: no respondents, no spread."""
    figures = ca.calculate(survey, ["culture", "headline"], by="directorate")
    frame = figures.table
    frame = frame[~frame["measure"].str.startswith(PREFIX)].assign(
        source="contractor", method="base_only", release="tables.xlsx",
        **dict.fromkeys(("se", "df", "weighted_base", "effective_base"), np.nan),
    )  # fmt: skip
    frame.loc[frame["unit"].eq("score"), ["lower", "upper"]] = np.nan
    return Estimates(frame, rule=figures.rule, view=True)


def test_published_tables_of_units_get_as_far_as_they_allow(survey: ca.Survey) -> None:
    found = ca.diagnosis_of(ca.build_release(contractors(survey)))
    assert found.by == "directorate" and found.drivers is None
    hot = found.spots[found.spots["kind"].eq("hot spot")]
    assert ("Surgery and Theatres", "hba_managers") in set(
        zip(hot["group"], hot["measure"], strict=True)
    )
    assert not found.spots["measure"].isin(["burnout", "motivation"]).any()  # no spread, no test
    assert found.findings["topic"].isin(["units", "changes"]).any()
    assert any("needs respondents" in n for n in found.notes)
    england = ca.diagnosis_of(ca.build_release(ca.load_england(2024).select(org="ENG")))
    assert england.by == "" and england.pooled is None
    assert not england.findings["topic"].isin(["leaders", "stressors", "units"]).any()
    assert england.findings["finding"].str.startswith("concerns/").sum() == 3
    # Figures of leaders that are there but not compared are not "too few"; England is not beside
    # itself.
    shipped = ca.load_england(2024).select(org="ENG")
    asked = ca.load_culture_model().leaders
    assert asked is not None
    managers = shipped.select(breakdown="overall", measure=list(asked.measures))
    managers = managers._with(
        managers._frame.assign(breakdown=asked.breakdown, group=asked.groups[0])
    )
    release = ca.build_release(ca.concat([shipped, managers]), published=shipped)
    assert release["culture_leaders"]._has(breakdown=asked.breakdown, status="ok")
    both = ca.diagnosis_of(release)
    assert not both.findings["topic"].eq("leaders").any()
    assert not both.findings["sentence"].str.contains("(England", regex=False).any()
