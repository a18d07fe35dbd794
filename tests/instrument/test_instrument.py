"""The questionnaire's files agree with one another and with the facts they must hold."""

from __future__ import annotations

import math
import re
import shutil
from pathlib import Path

import pytest

import culture_analytics as ca
from culture_analytics.errors import InstrumentError, MeasureError
from culture_analytics.instrument.loader import DATA

PACKAGE = Path(ca.__file__).parent


def test_all_items_and_years_are_there(instrument):
    assert len(instrument.items) == 148
    assert instrument.years == tuple(range(2018, 2026))
    asked = {y: sum(instrument.asked(i, y) for i in instrument.items) for y in instrument.years}
    assert asked[2024] == 124
    assert asked[2025] == 132  # four more grounds less "gender", five socio-economic items
    assert all(n > 80 for n in asked.values())


def test_no_question_number_stands_in_python():
    number = re.compile(r"\b[qQ]\d+[a-z]?\b")
    found = [
        f"{path.relative_to(PACKAGE)}: {match.group()}"
        for path in PACKAGE.rglob("*.py")
        for match in number.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_one_id_has_one_meaning_and_numbers_are_reused_across_items(instrument):
    number_of = {(q.item, q.year): q.number for q in instrument.questions}
    assert number_of["do_job_to_standard", 2020] == number_of["show_initiative", 2021] == "q3c"
    assert not instrument.asked("do_job_to_standard", 2021)
    wellbeing = instrument.items["org_positive_action_wellbeing"]
    earlier = instrument.items["org_positive_action_wellbeing_v1"]
    assert wellbeing.labels != earlier.labels
    assert not instrument.asked(wellbeing.id, 2020)
    assert not instrument.asked(earlier.id, 2021)


def test_codes_move_but_categories_do_not(instrument):
    code = {
        y: {v: k for k, v in instrument.question("ethnic_group", y).scale.codes.items()}
        for y in (2024, 2025)
    }
    assert code[2024]["Black: African"] == 14
    assert code[2025]["Black: African"] == 15
    assert code[2025]["Asian: Filipino"] == 13
    assert "Asian: Filipino" not in code[2024]
    occupation = {
        y: {v: k for k, v in instrument.question("occupational_group", y).scale.codes.items()}
        for y in (2022, 2023)
    }
    assert occupation[2022]["Other Registered Nurses"] == 31
    assert occupation[2023]["Other Registered Nurses"] == 33
    assert "Speech and Language Therapy" not in occupation[2022]


def test_grounds_are_listed_by_year(instrument):
    grounds = [i for i in instrument.items if i.startswith("discrimination_grounds_")]
    asked = {y: {g for g in grounds if instrument.asked(g, y)} for y in (2024, 2025)}
    assert len(asked[2024]) == 7
    assert len(asked[2025]) == 10
    assert asked[2024] - asked[2025] == {"discrimination_grounds_gender"}
    assert instrument.number("discrimination_grounds_race", 2024) == "q16c_1"
    assert instrument.number("discrimination_grounds_race", 2025) == "q16c_6"
    assert instrument.question("discrimination_grounds_race", 2025).comparable == "no"


def test_2025_has_two_numberings_for_one_question_number(instrument):
    both = {q.variant: q.item for q in instrument.numbers(2025)["q33"]}
    assert both == {"form": "home_working", "extract": "socio_economic_1"}


def test_every_break_in_comparability_says_why(instrument):
    broken = [q for q in instrument.questions if q.comparable in ("no", "caution")]
    assert len(broken) >= 20
    assert all(q.change for q in broken)
    assert {q.comparable for q in instrument.questions} == {"first", "yes", "caution", "no"}


def test_every_fact_has_source_and_confidence(instrument):
    for thing in (
        *instrument.items.values(),
        *instrument.scores.values(),
        *instrument.measures.values(),
    ):
        assert thing.source, thing.id
        assert thing.confidence in ("high", "medium", "low"), thing.id
    assert {q.confidence for q in instrument.questions} <= {"high", "medium", "low"}


def test_points_run_from_0_to_10_with_the_reported_direction(instrument):
    for item in instrument.items.values():
        points = dict(zip(item.labels, item.scale.scores, strict=True))
        scored = [p for p in points.values() if not math.isnan(p)]
        assert all(0 <= p <= 10 for p in scored)
        if not scored or not item.reported or item.better == "context":
            continue
        counted = [points[a] for a in item.reported if not math.isnan(points[a])]
        rest = [p for a, p in points.items() if a not in item.reported and not math.isnan(p)]
        if counted and rest:
            higher = (
                min(counted) > max(rest) if item.better == "higher" else max(counted) < min(rest)
            )
            assert higher, item.id


def test_groups_of_every_breakdown_cover_its_answers_once(instrument):
    for breakdown in instrument.breakdowns.values():
        used = [a for g in breakdown.groups for a in g.answers]
        assert sorted(used) == sorted(instrument.items[breakdown.item].labels), breakdown.id
        assert sum(g.reference for g in breakdown.groups) <= 1
    assert instrument.breakdowns["ethnicity"].reference == "White"
    not_contrasted = [g.label for g in instrument.breakdowns["gender"].groups if not g.contrast]
    assert not_contrasted == ["Prefer not to say"]


def test_names_mean_one_thing(instrument):
    names = [*instrument.measures, *instrument.domains, *instrument.collections]
    assert len(names) == len(set(names))
    sets = {*instrument.breakdowns, *instrument.breakdown_sets, "units", "overall"}
    assert len(sets) == len(instrument.breakdowns) + len(instrument.breakdown_sets) + 2


def test_measures_asked_for_by_name(instrument):
    assert [m.id for m in instrument.resolve_measures("bullying")][:2] == [
        "hba_patients",
        "hba_managers",
    ]
    assert len(instrument.resolve_measures(["stress", "burnout"])) == len(
        instrument.resolve_measures("stress")
    )
    with pytest.raises(MeasureError, match="Nearest: .*hba_managers"):
        instrument.resolve_measures("hba_manager")
    with pytest.raises(MeasureError, match="list_measures"):
        instrument.resolve_measures([])


def test_positive_score_exists_only_where_it_differs(instrument):
    assert instrument.measures["work_related_stress_positive"].parts == (
        ("work_related_stress", ("No",)),
    )
    assert "look_forward_to_work_positive" not in instrument.measures
    burnt_out = instrument.measures["burnout_burnt_out_positive"]
    assert burnt_out.parts[0][1] == ("Never", "Rarely")  # not the complement of the reported side


def test_list_measures_has_every_domain():
    table = ca.list_measures()
    assert set(table["domain"]) >= {
        "stress",
        "bullying",
        "violence",
        "sexual_safety",
        "discrimination",
    }
    assert table["measure"].is_unique


def test_instrument_is_loaded_once():
    assert ca.load_instrument() is ca.load_instrument()


def copy_of_data(folder: Path) -> Path:
    return Path(shutil.copytree(DATA, folder / "instrument"))


def test_own_folder_is_read_and_checked(tmp_path):
    folder = copy_of_data(tmp_path)
    assert len(ca.load_instrument(folder).items) == 148

    items = folder / "items.csv"
    items.write_text(
        items.read_text(encoding="utf-8").replace("Often|Always", "Often|Allways", 1),
        encoding="utf-8",
    )
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    with pytest.raises(InstrumentError, match="'Allways' is not on its scale"):
        ca.load_instrument(other)


def test_missing_definition_files_are_named(tmp_path):
    folder = copy_of_data(tmp_path)
    (folder / "routing.csv").unlink()
    with pytest.raises(InstrumentError, match=r"routing\.csv"):
        ca.load_instrument(folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("routing.csv", "presenteeism,Yes", "presenteism,Yes", "unknown gate item"),
        ("scores.toml", '"manager_listens"', '"manager_listns"', "unknown item manager_listns"),
        ("demographics.csv", "gender,Male,Male", "gender,Male,Female", "stands in two groups"),
        ("indicators.toml", '"hba_patients", "hba_managers", "hba_colleagues", "hba_staff"',
         '"hba_patient"', "unknown measure hba_patient"),
    ],
)  # fmt: skip
def test_contradictions_are_listed(tmp_path, name, old, new, says):
    folder = copy_of_data(tmp_path)
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InstrumentError, match=says):
        ca.load_instrument(folder)
