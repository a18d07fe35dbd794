"""Whole sets of tables: from results to what is hidden, and the report of the attack."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.disclosure.audit import audit, audit_derived, protect, unit_tree
from culture_analytics.disclosure.families import (
    base_families,
    distributions,
    linked_measures,
    unions,
)
from culture_analytics.disclosure.leaks import attack
from culture_analytics.disclosure.populations import link, populations
from culture_analytics.disclosure.structure import NUMERATOR, Counts, Protection, Structure
from culture_analytics.errors import DisclosureError
from tests.conftest import make_survey

MEASURES = ["work_related_stress", "hba_managers", "hba_colleagues", "hba_patients", "hba_any"]
BY = ["gender", "ethnicity", "ethnicity_broad", "ethnicity_detailed", "units"]


@pytest.fixture(scope="module")
def survey():
    return make_survey(700, seed=4)


@pytest.fixture(scope="module")
def tree(survey):
    return unit_tree(survey.units, survey.responses)


@pytest.fixture(scope="module")
def frame(survey):
    return ca.calculate(survey, [*MEASURES, "burnout", "hba_reported"], by=BY)._frame


@pytest.fixture(scope="module")
def protected(frame, survey, tree):
    return protect(frame, survey.instrument, units=tree)


def counted(frame):
    return frame["status"].isin(["ok", "not_computable"]).to_numpy()


def test_everything_the_rule_hides_is_hidden_and_proved(frame, protected):
    hide, report = protected
    small = counted(frame) & (frame["base"] < 11).to_numpy()
    assert small.any() and hide[small].all()
    assert report.ok and report.proved == 1.0
    # White staff stand in two breakdowns of ethnicity, and are one group to an attacker.
    twice = frame["breakdown"].eq("ethnicity_broad") & frame["group"].eq("White")
    assert report.hidden == int((hide & ~twice).sum())
    assert report.cells == int((counted(frame) & ~twice).sum())
    assert report.hidden_second > 0


def test_one_pattern_for_everything_asked_of_everyone(frame, protected):
    hide, _ = protected
    first = frame.assign(hidden=hide, small=(frame["base"] < 11) & counted(frame))
    everyone = first[first["measure"] != "hba_reported"]
    keys = ["breakdown", "group"]
    small_somewhere = everyone.groupby(keys)["small"].transform("any")
    assert everyone.loc[small_somewhere, "hidden"].all()


def test_any_and_its_parts_are_hidden_in_the_same_groups(frame, protected):
    hide, _ = protected
    parts = frame.assign(hidden=hide)
    parts = parts[parts["measure"].str.startswith("hba_") & (parts["measure"] != "hba_reported")]
    assert (parts.groupby(["breakdown", "group"])["hidden"].nunique() == 1).all()


def test_the_same_rows_on_every_run(frame, survey, tree, protected):
    again, _ = protect(frame, survey.instrument, units=tree)
    assert np.array_equal(again, protected[0])


def test_a_hidden_row_is_not_found_by_hand(frame, protected):
    """Plain subtraction over every breakdown and hierarchy, one unknown at a time."""
    hide, _ = protected
    rows = frame.assign(hidden=hide)
    rows = rows[rows["measure"] == "work_related_stress"].set_index(["breakdown", "group"])
    base, hidden = rows["base"], rows["hidden"]
    instrument = ca.load_instrument()
    broad = instrument.breakdowns["ethnicity_broad"].groups
    detailed = instrument.breakdowns["ethnicity_detailed"].groups
    for group in broad:
        inside = [
            ("ethnicity_detailed", d.label)
            for d in detailed
            if set(d.answers) <= set(group.answers) and ("ethnicity_detailed", d.label) in base
        ]
        unknown = [i for i in [("ethnicity_broad", group.label), *inside] if hidden[i]]
        assert len(unknown) != 1  # detailed groups add up to the broad one, so one is given away
        known = np.nansum([base[i] for i in inside])  # a group not asked has none
        assert known == base["ethnicity_broad", group.label]  # the premise of the line above


def test_detailed_groups_teams_and_repeated_groups_are_found(frame, survey, tree):
    of_row, groups, names, tables = populations(
        frame[frame["year"] == 2024], survey.instrument, tree
    )
    white = frame["group"].eq("White").to_numpy()
    assert len(set(of_row[white])) == 1  # the same people in two breakdowns
    structure, _ = link(groups, names, tables, survey.instrument, np.full((1, len(groups)), np.nan))
    sums = {
        structure.cells[r.total]: [structure.cells[p] for p in r.parts] for r in structure.relations
    }
    assert sums["ZZ1, directorate: Directorate A"][0].startswith("ZZ1, team: Team A")
    asian = sums["ZZ1, ethnicity_broad: Asian or Asian British"]
    assert len(asian) == 6 and all("Asian: " in c for c in asian)
    assert "ZZ1, ethnicity_broad: White" in structure.cells or (
        "ZZ1, ethnicity: White" in structure.cells
    )


def test_crossings_are_tied_to_both_margins(survey):
    frame = ca.calculate(survey, "work_related_stress", by=["gender", "carer", "gender:carer"])
    hide, report = protect(frame._frame, survey.instrument)
    assert report.ok and hide.any()
    inside = ca.calculate(survey, "work_related_stress", by="carer", within="gender")._frame
    both = pd.concat([frame._frame, inside], ignore_index=True)
    same, _ = protect(both, survey.instrument)
    assert np.array_equal(same[: len(hide)], hide)  # the same cells by another name
    crossed = both["breakdown"].eq("gender:carer").to_numpy()
    within = both["within"].eq("gender").to_numpy() & both["breakdown"].eq("carer").to_numpy()
    assert same[crossed].sum() == same[within].sum()


def test_organisations_and_all_of_them(instrument):
    survey = make_survey(500, orgs=("ZZ1", "ZZ2"), seed=3)
    frame = ca.calculate(survey, "work_related_stress", by="religion")._frame
    hide, report = protect(frame, instrument)
    assert report.ok
    whole = frame["org"].eq("all").to_numpy() & counted(frame)
    assert whole.any() and report.cells == counted(frame).sum()
    assert hide[counted(frame) & (frame["base"] < 11).to_numpy()].all()


def test_report_says_how_nearly_and_never_what():
    structure = Structure.one_way(["A", "B"], not_stated=False)
    counts = Counts.of(structure, [48, 8, 40], [14, 6, 8])
    report = audit(structure, counts, np.array([[False, True, False]]))
    assert not report.ok and report.proved == 0.0
    assert set(report.table["what"]) == {"base", "numerator"}
    assert report.table["values"].tolist() == [1, 1]
    for text in (repr(report), report._repr_html_()):
        assert "A" in text and not re.search(r"\b(8|6|14|48|40)\b", text)
    assert audit(structure, counts, np.array([[False, True, True]])).ok


def test_forced_everyone_is_reported():
    structure = Structure.one_way(["A", "B"])
    counts = Counts.of(structure, [60, 8, 40, 12], [30, 8, 10, 12])
    report = audit(structure, counts, np.array([[False, True, False, False]]))
    assert "everyone gave the answer" in set(report.table["what"])


def test_shown_larger_groups_may_speak_for_themselves():
    structure = Structure.one_way(["A", "B"])
    counts = Counts.of(structure, [60, 8, 40, 12], [0, 0, 0, 0])
    hidden = np.array([[False, True, False, False]])
    assert not audit(structure, counts, hidden).ok
    lenient = audit(structure, counts, hidden, Protection(contained="shown"))
    assert lenient.ok and lenient.contained == 1


def test_families_and_links(instrument):
    keys = [(m, "") for m in (*MEASURES, "hba_reported", "burnout", "burnout_burnt_out")]
    families = base_families(keys, instrument)
    assert families[:5].tolist() == [0] * 5 and families[5] != 0
    linked = linked_measures(keys, instrument)
    assert len(set(linked[1:5])) == 1 and linked[0] != linked[1]
    assert unions(keys, instrument) == ((4, (3, 1, 2)),)


def test_bad_input_is_refused(frame, survey, tree):
    done = frame.copy()
    done.loc[0, "status"] = "suppressed"
    with pytest.raises(DisclosureError, match="protected already"):
        protect(done, survey.instrument, units=tree)
    weighted = frame.drop(columns="_numerator", errors="ignore").assign(weighting="w")
    with pytest.raises(DisclosureError, match="unweighted counts"):
        protect(weighted, survey.instrument, units=tree)
    other = frame.copy()
    other.loc[other["breakdown"].eq("overall"), "base"] = 5 * 700.0
    items = survey.instrument.items
    led = other["measure"].map(lambda m: m in items and bool(items[m].gates))
    parts = other[other["breakdown"].isin(["overall", "directorate"]) & ~led]
    protect(parts, survey.instrument, units=tree)  # might be staff in no directorate
    fewer = other.copy()
    fewer.loc[fewer["breakdown"].eq("overall"), ["base", "value"]] = 50.0
    with pytest.raises(DisclosureError, match="contradict|not the sum"):
        protect(fewer, survey.instrument, units=tree)


def test_weighted_rows_are_audited_on_their_unweighted_counts(frame, survey, tree, protected):
    score = frame["statistic"].eq("score")
    scale = np.where(score, 1.0, 100.0)
    weighted = frame.assign(
        weighting="w", value=50.0, _numerator=frame["value"] * frame["base"] / scale
    )
    hide, report = protect(weighted, survey.instrument, units=tree)
    assert report.ok and np.array_equal(hide, protected[0])


DETAILED = "ethnicity_detailed"


def largest(frame):
    by = frame[frame["breakdown"].eq(DETAILED)]
    return str(by.loc[by["base"].idxmax(), "group"])


def with_gaps(frame):
    """A gap to one group, and to all staff, for every group of a breakdown."""
    reference = largest(frame)
    by = frame[frame["breakdown"].eq(DETAILED) & counted(frame)]
    rows = by[by["group"].ne(reference)]
    gaps = [
        rows.assign(statistic="difference", reference=r, value=1.0, p_value=0.5)
        for r in (reference, "all")
    ]
    return pd.concat([frame, *gaps], ignore_index=True)


def test_a_gap_beside_one_of_its_groups_gives_the_other_and_goes_with_it(frame, survey, tree):
    both, reference = with_gaps(frame), largest(frame)
    gap = both["statistic"].eq("difference").to_numpy()
    # Hiding groups alone, gaps stay: each gap and a shown group give the hidden group.
    hide, _ = protect(both[~gap], survey.instrument, units=tree)
    groups_only = np.concatenate([hide, np.zeros(gap.sum(), dtype=bool)])
    leaks = audit_derived(both, groups_only)
    assert len(leaks) and set(leaks["what"]) == {f"difference to {reference}", "difference to all"}
    # Ours: hidden with either, and shown with both.
    hide, report = protect(both, survey.instrument, units=tree)
    assert report.ok and len(audit_derived(both, hide)) == 0 and report.not_audited == ()
    assert np.array_equal(hide[~gap], groups_only[~gap])
    key = ["measure", "group"]
    seen = both.assign(hidden=hide)
    own = seen[~gap & seen["breakdown"].eq(DETAILED)].set_index(key)["hidden"]
    staff = seen[~gap & seen["breakdown"].eq("overall")].set_index("measure")["hidden"]
    for _, row in seen[gap].iterrows():
        other = own[row["measure"], reference] if row["reference"] == reference else (
            staff[row["measure"]]
        )  # fmt: skip
        assert row["hidden"] == (own[row["measure"], row["group"]] or other)
    assert not seen.loc[gap, "hidden"].all() and seen.loc[gap, "hidden"].any()


def test_a_gap_without_its_groups_is_hidden_by_name(frame, survey, tree):
    both = with_gaps(frame)
    alone = both[~(both["breakdown"].eq(DETAILED) & both["statistic"].ne("difference"))]
    hide, report = protect(alone.reset_index(drop=True), survey.instrument, units=tree)
    assert report.not_audited == ("difference",)
    assert hide[alone["statistic"].eq("difference").to_numpy()].all()


def test_how_answers_go_together_is_told_only_of_groups_that_are_shown(frame, survey, tree):
    """Alpha and shares of variance: of a group with its figure, or else of everyone."""
    rows = frame[frame["breakdown"].eq(DETAILED) & counted(frame)]
    scales = rows.assign(statistic="alpha", value=0.8)
    drivers = frame[frame["breakdown"].eq("overall") & counted(frame)].assign(
        statistic="variance_share", measure="culture_outcomes", breakdown="element",
        group="Teamwork", value=17.0,
    ).drop_duplicates(["year", "org"])  # fmt: skip
    both = pd.concat([frame, scales, drivers], ignore_index=True)
    hide, report = protect(both, survey.instrument, units=tree)
    assert report.ok and report.not_audited == ()
    key = ["measure", "group"]
    scale = both["statistic"].eq("alpha").to_numpy()
    own = both.assign(hidden=hide)[both["breakdown"].eq(DETAILED).to_numpy() & ~scale]
    expected = own.drop_duplicates(key).set_index(key)["hidden"]
    mine = both.assign(hidden=hide)[scale].set_index(key)["hidden"]
    assert mine.any() and not mine.all()
    assert mine.equals(expected.loc[mine.index])
    share = both["statistic"].eq("variance_share").to_numpy()
    assert share.sum() == 1 and not hide[share].any()
    # Shown beside a hidden figure, or where nobody's figure is held, it is reported.
    shown = hide & ~scale
    leaks = audit_derived(both, shown)
    assert len(leaks) == mine.sum() and set(leaks["what"]) == {"alpha to "}
    everyone = both["breakdown"].eq("overall").to_numpy()
    assert audit_derived(both[~everyone], hide[~everyone])["what"].tolist() == [
        "variance_share to "
    ]


def test_what_cannot_be_proved_in_the_time_given_is_left_out_by_name():
    survey = make_survey(900, seed=8)
    frame = ca.concat(
        [
            ca.calculate(survey, "hba_any", by=["religion", "ethnicity_detailed"]),
            ca.calculate(
                survey, "hba_any", by=["religion", "ethnicity_detailed"], within="directorate"
            ),
        ]
    )._frame
    hide, report = protect(frame, survey.instrument, seconds=0)
    assert report.ok and report.left_out and report.left_out_cells
    for name in report.left_out:
        breakdown, _, unit = name.removesuffix(" (2024)").partition(" within ")
        of_table = frame["breakdown"].eq(breakdown) & frame["within"].eq(unit)
        assert of_table.any() and hide[of_table & counted(frame)].all()
    assert "Left out whole" in repr(report)
    everything, full = protect(frame, survey.instrument)
    assert full.ok and not full.left_out and everything.sum() < hide.sum()


def test_answers_of_one_item_are_attacked_together(frame, survey):
    answers = ca.calculate_answers(survey, ["hba_managers"], by="gender")._frame
    keys = [("hba_managers", a, "percent", "unweighted") for a in pd.unique(answers["answer"])]
    rows = answers[answers["breakdown"].eq("overall")]
    base = rows["base"].to_numpy(float)[:, None]
    numerator = rows["_numerator"].to_numpy(float)[:, None]
    assert distributions(keys, base, numerator) == (tuple(range(len(keys))),)
    assert distributions(keys[1:], base[1:], numerator[1:]) == ()
    # Two answers, each known to within one of few values, fix the third and the base between them.
    structure = Structure.one_way(["A", "B"], not_stated=False)
    bases = np.array([[48, 8, 40]] * 3, dtype=float)
    yes = np.array([[10, 1, 9], [20, 2, 18], [18, 5, 13]], dtype=float)
    hidden = np.array([[False, True, True]] * 3)
    apart = Counts(bases, yes, ("a", "b", "c"))
    together = Counts(bases, yes, ("a", "b", "c"), distributions=((0, 1, 2),))
    alone = attack(structure, apart, hidden, Protection())[0].span(NUMERATOR)
    joint = attack(structure, together, hidden, Protection())[0].span(NUMERATOR)
    assert (joint <= alone).all()


def test_a_team_in_two_directorates_is_in_neither(survey_of):
    team = pd.Categorical(["two"] * 30 + ["one"] * 370)
    directorate = pd.Categorical(["A"] * 15 + ["B"] * 185 + ["A"] * 200)
    survey = survey_of(400, columns={"team": team, "directorate": directorate})
    tree = unit_tree(survey.units, survey.responses)
    assert tree["team"][1]["two"] == ("A", "B")
    frame = ca.calculate(survey, "work_related_stress", by="units")._frame
    hide, report = protect(frame, survey.instrument, units=tree)
    assert report.ok and not hide[counted(frame)].any()


@pytest.mark.parametrize("reference", ["2023", "2022-2024 (3 years)"])
def test_a_change_over_years_goes_with_any_of_its_years(frame, reference):
    years = range(2022, 2025)
    rows = frame[frame["breakdown"].eq("gender") & counted(frame)]
    every = pd.concat([rows.assign(year=y) for y in years], ignore_index=True)
    change = rows.assign(year=2024, statistic="trend", reference=reference)
    both = pd.concat([every, change], ignore_index=True)
    n = len(rows)
    assert not audit_derived(both, np.zeros(len(both), dtype=bool)).size
    for position, year in enumerate(years):
        hidden = np.zeros(len(both), dtype=bool)
        hidden[position * n] = True
        leaks = audit_derived(both, hidden)
        assert len(leaks) == (year != 2022 or reference.startswith("2022"))
    fewer = both[both["year"].ne(2023)].reset_index(drop=True)
    assert len(audit_derived(fewer, np.zeros(len(fewer), dtype=bool))) == n
