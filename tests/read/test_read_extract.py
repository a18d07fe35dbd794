"""From a file to a Survey: the same answers whatever the form, every row and column accounted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from culture_analytics.errors import CultureAnalyticsError, DesignError, ExtractError, MeasureError
from culture_analytics.instrument import load_instrument
from culture_analytics.read import ValidationReport, read_extract
from culture_analytics.survey import Survey
from tests.read.build import (
    ORG,
    SMALL,
    as_codes,
    as_labels,
    draw,
    questions,
    same_answers,
    words,
    write_csv,
)

INSTRUMENT = load_instrument()
YEARS = INSTRUMENT.years


def save(frame: pd.DataFrame, path: Path) -> Path:
    """Write a frame of text in the format its path names."""
    if path.suffix == ".csv":
        return write_csv(frame, path)
    if path.suffix == ".sav":
        pyreadstat.write_sav(frame, str(path))
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_excel(path, index=False, engine="odf" if path.suffix == ".ods" else "openpyxl")
    return path


def issues(survey: Survey, check: str) -> dict[str, int]:
    return {i.where: i.count for i in survey.quality.issues if i.check == check}


def fails(path: Path, *words: str, error: type[Exception] = ExtractError, **options: object) -> str:
    with pytest.raises(error) as caught:
        read_extract(path, **options)
    message = str(caught.value)
    for word in words:
        assert word in message, message
    return message


# -- the same answers from every form -------------------------------------------------------------


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("write", [as_codes, as_labels])
def test_every_item_of_every_year(tmp_path: Path, year: int, write: object) -> None:
    answers = draw(INSTRUMENT, year, seed=year)
    survey = read_extract(
        write_csv(write(answers, INSTRUMENT, year), tmp_path / "e.csv"), year=year
    )
    same_answers(survey, answers)
    assert survey.years == (year,)
    assert survey.orgs == (ORG,)
    assert set(survey.items) == set(answers)
    assert not survey.quality.warnings


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".ods", ".sav", ".parquet"])
def test_every_format_gives_the_same_survey(tmp_path: Path, suffix: str) -> None:
    answers = draw(INSTRUMENT, 2024, rows=30)
    frame = as_codes(answers, INSTRUMENT, 2024).assign(Team=["North", "South", ""] * 10)
    survey = read_extract(save(frame, tmp_path / f"e{suffix}"), year=2024)
    same_answers(survey, answers)
    assert survey.responses["team"].value_counts().to_dict() == {"North": 10, "South": 10}
    assert survey.responses["team"].isna().sum() == 10


def test_numeric_columns_with_blanks_and_value_labels(tmp_path: Path) -> None:
    answers = draw(INSTRUMENT, 2024, rows=40)
    codes = as_codes(answers, INSTRUMENT, 2024)
    numeric = codes.drop(columns="org_id").apply(pd.to_numeric)
    labels = {
        q.number: {float(code): label for code, label in q.scale.codes.items()}
        for q in questions(INSTRUMENT, 2024)
    }
    path = tmp_path / "e.sav"
    pyreadstat.write_sav(numeric.assign(org_id=ORG), str(path), variable_value_labels=labels)
    survey = read_extract(path, year=2024)
    same_answers(survey, answers)
    assert not survey.quality.warnings


def test_reversed_polarity_in_spss_follows_the_labels(tmp_path: Path) -> None:
    path = tmp_path / "e.sav"
    pyreadstat.write_sav(
        pd.DataFrame({"org_id": [ORG] * 3, "q11c": [0.0, 1.0, 1.0]}),
        str(path),
        variable_value_labels={"q11c": {0: "Yes", 1: "No"}},
    )
    survey = read_extract(path, year=2024)
    assert survey.responses["work_related_stress"].tolist() == ["Yes", "No", "No"]
    assert issues(survey, "value labels") == {"q11c": 1}


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**31), data=st.data())
def test_order_of_columns_and_rows_and_form_of_answers_do_not_matter(
    tmp_path: Path, seed: int, data: st.DataObject
) -> None:
    rng = np.random.default_rng(seed)
    year = data.draw(st.sampled_from(YEARS))
    answers = draw(INSTRUMENT, year, rows=25, seed=seed)
    codes, labels = as_codes(answers, INSTRUMENT, year), as_labels(answers, INSTRUMENT, year)
    mixed = codes.where(rng.random(codes.shape) < 0.5, labels)
    rows, columns = rng.permutation(len(mixed)), rng.permutation(list(mixed.columns))
    spellings = {
        name: name if name == "org_id" else spell(name)
        for name in columns
        for spell in [rng.choice([str.upper, str.lower, str.title])]
    }
    shuffled = mixed.iloc[rows][columns].rename(columns=spellings)
    survey = read_extract(write_csv(shuffled, tmp_path / "e.csv", sep=";"), year=year)
    same_answers(survey, answers.iloc[rows].reset_index(drop=True))


@pytest.mark.parametrize(
    "spell",
    [
        lambda n: n.upper(),
        lambda n: n.replace("q", "Q ", 1),
        lambda n: f"{n} - In the last 12 months, have you ...?",
        lambda n: f"Question {n[1:]}: the wording",
        lambda n: n if "_" in n else f"{n}_code",
    ],
)
def test_headers_in_other_spellings(tmp_path: Path, spell: object) -> None:
    answers = draw(INSTRUMENT, 2024, rows=20)
    frame = as_codes(answers, INSTRUMENT, 2024)
    renamed = frame.rename(columns={n: spell(n) for n in frame if n != "org_id"})
    survey = read_extract(write_csv(renamed, tmp_path / "e.csv"), year=2024)
    same_answers(survey, answers)


def test_item_ids_as_headers(tmp_path: Path) -> None:
    answers = draw(INSTRUMENT, 2024, rows=20)
    frame = answers.assign(org=ORG, year=2024)
    survey = read_extract(write_csv(frame, tmp_path / "e.csv"))
    same_answers(survey, answers)


def test_bare_numbers_when_the_whole_file_is_written_so(tmp_path: Path) -> None:
    names = {"q11c": "11c", "q14b": "14b", "q13a": "13a", "q16a": "16a", "q16b": "16b"}
    frame = pd.DataFrame({"org": [ORG], **{bare: ["1"] for bare in names.values()}})
    survey = read_extract(write_csv(frame, tmp_path / "e.csv"), year=2024)
    assert len(survey.items) == 5
    few = write_csv(frame[["org", "11c"]], tmp_path / "few.csv")
    fails(few, "None of the 2 columns", year=2024)


# -- year -----------------------------------------------------------------------------------------


def test_year_from_a_column(tmp_path: Path) -> None:
    for text in ("2024", "NSS24", "30/11/2024", "NSS 2024", "24"):
        frame = SMALL.assign(year_date=text)
        assert read_extract(write_csv(frame, tmp_path / "e.csv")).years == (2024,)


@pytest.mark.parametrize("year", [2020, 2021, 2022, 2023, 2024, 2025])
def test_year_from_a_whole_questionnaire(tmp_path: Path, year: int) -> None:
    frame = as_codes(draw(INSTRUMENT, year, rows=20), INSTRUMENT, year)
    survey = read_extract(write_csv(frame, tmp_path / "e.csv"))
    assert survey.years == (year,)
    assert issues(survey, "year inferred")


def test_year_that_cannot_be_told_is_asked_for(tmp_path: Path) -> None:
    path = write_csv(
        as_codes(draw(INSTRUMENT, 2018, rows=20), INSTRUMENT, 2018), tmp_path / "e.csv"
    )
    fails(path, "cannot be told", "2018, 2019", "year=")
    fails(write_csv(SMALL, tmp_path / "s.csv"), "cannot be told", "2021, 2022, 2023, 2024, 2025")


def test_year_named_above_the_header(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text("NHS Staff Survey 2023\n" + SMALL.to_csv(index=False), "utf-8")
    assert read_extract(path).years == (2023,)
    path.write_text("NHS Staff Survey 2019\n" + SMALL.to_csv(index=False), "utf-8")
    fails(path, "cannot be told")


@pytest.mark.parametrize(
    ("true", "wrong"), [(2024, 2023), (2024, 2025), (2022, 2024), (2020, 2021), (2021, 2022)]
)
def test_wrong_year_is_refused_and_the_right_one_named(
    tmp_path: Path, true: int, wrong: int
) -> None:
    frame = as_codes(draw(INSTRUMENT, true, rows=20), INSTRUMENT, true)
    message = fails(
        write_csv(frame, tmp_path / "e.csv"), f"not look like the {wrong} survey", year=wrong
    )
    assert str(true) in message.split("It fits")[1].split("\n")[0]
    assert f"year={true}" in message


def test_part_of_a_year_is_still_read(tmp_path: Path) -> None:
    whole = as_codes(draw(INSTRUMENT, 2024, rows=20), INSTRUMENT, 2024)
    path = tmp_path / "e.csv"
    # Numbers of several years and no year's whole questionnaire: the user's word stands.
    part = whole.drop(columns="q11c")
    assert read_extract(write_csv(part, path), year=2025).years == (2025,)
    # The file itself says the year.
    assert read_extract(write_csv(whole.assign(year=2025), path)).years == (2025,)
    assert read_extract(write_csv(whole, path), year=2024).years == (2024,)


def test_year_is_told_where_a_question_is_mapped_by_item_id(tmp_path: Path) -> None:
    frame = as_codes(draw(INSTRUMENT, 2024, rows=20), INSTRUMENT, 2024)
    path = write_csv(frame.rename(columns={"q11c": "Stress"}), tmp_path / "e.csv")
    fails(path, "cannot be told")
    survey = read_extract(path, columns={"Stress": "work_related_stress"})
    assert survey.years == (2024,)


@pytest.mark.parametrize("year", [2024.5, True, float("nan"), float("inf"), "twenty"])
def test_a_year_that_is_no_whole_number(tmp_path: Path, year: object) -> None:
    fails(write_csv(SMALL, tmp_path / "e.csv"), "whole number", year=year)


def test_a_year_the_questionnaire_does_not_cover(tmp_path: Path) -> None:
    fails(write_csv(SMALL, tmp_path / "e.csv"), "2018 to 2025", year=2031)
    fails(write_csv(SMALL.assign(year=2031), tmp_path / "e.csv"), "2018 to 2025")


def test_year_argument_against_the_column(tmp_path: Path) -> None:
    path = write_csv(SMALL.assign(Year=2023), tmp_path / "e.csv")
    fails(path, "no respondent of 2024", "2023", year=2024)
    several = pd.concat([SMALL.assign(Year=2023), SMALL.assign(Year=2024)])
    survey = read_extract(write_csv(several, tmp_path / "e.csv"), year=2024)
    assert survey.years == (2024,)
    assert survey.quality.set_aside == {"another survey year than 2024": 6}


def test_a_year_column_that_holds_no_year(tmp_path: Path) -> None:
    path = write_csv(SMALL.assign(Year="secretsecret"), tmp_path / "e.csv")
    assert "secretsecret" not in fails(path, "holds no survey year in 6 rows")
    survey = read_extract(path, year=2024)
    assert issues(survey, "year column not understood") == {"Year": 6}


def test_several_years_in_one_file_are_read_by_their_own_codes(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "org": ORG,
            "year": [2024, 2024, 2025, 2025],
            "q11c": ["1", "2", "1", "2"],
            "q28": ["13", "14", "13", "14"],
            "q24f": ["1", "9", "5", ""],
        }
    )
    survey = read_extract(write_csv(frame, tmp_path / "e.csv"))
    assert survey.years == (2024, 2025)
    assert survey.responses["ethnic_group"].tolist() == [
        "Asian: Any other Asian",
        "Black: African",
        "Asian: Filipino",
        "Asian: Any other Asian",
    ]
    assert survey.quality.items.query("item == 'ethnic_group'")["year"].tolist() == [2024, 2025]


def test_a_stack_that_uses_one_numbering_for_all_years_is_refused(tmp_path: Path) -> None:
    frame = as_codes(draw(INSTRUMENT, 2024, rows=40), INSTRUMENT, 2024)
    frame["year"] = ["2022"] * 20 + ["2024"] * 20
    fails(write_csv(frame, tmp_path / "e.csv"), "rows of 2022", "not look like the 2022 survey")


# -- the two numberings of 2025 ------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["form", "extract"])
def test_the_numbering_that_the_columns_show_is_taken(tmp_path: Path, variant: str) -> None:
    answers = draw(INSTRUMENT, 2025, rows=30, variant=variant)
    frame = as_codes(answers, INSTRUMENT, 2025, variant)
    survey = read_extract(write_csv(frame, tmp_path / "e.csv"), year=2025)
    same_answers(survey, answers)
    assert ("socio_economic_1" in survey.items) == (variant == "extract")


def test_numbers_of_both_numberings_are_told_by_their_answers(tmp_path: Path) -> None:
    frame = pd.DataFrame({"org": ORG, "q11c": ["1", "2"], "q35": ["42", "17"]})
    survey = read_extract(write_csv(frame, tmp_path / "e.csv"), year=2025)
    assert survey.responses["occupational_group"].tolist() == [
        "Other occupational group",
        "Salaried Primary Care Dentists",
    ]
    unclear = write_csv(frame.assign(q35=["1", "2"]), tmp_path / "u.csv")
    fails(unclear, "two meanings in 2025", "occupational_group", year=2025)
    survey = read_extract(unclear, year=2025, columns={"q35": "socio_economic_3"})
    assert survey.items == ("work_related_stress", "socio_economic_3")


# -- organisation ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["org_id", "ODS code", "Organisation code", "ORG", "Trust_Code", "Organisation"]
)
def test_organisation_column(tmp_path: Path, name: str) -> None:
    frame = SMALL.rename(columns={"org_id": name})
    assert read_extract(write_csv(frame, tmp_path / "e.csv"), year=2024).orgs == (ORG,)


def test_no_organisation(tmp_path: Path) -> None:
    path = write_csv(SMALL.drop(columns="org_id"), tmp_path / "e.csv")
    fails(path, "which organisation", 'org="', year=2024)
    assert read_extract(path, year=2024, org="ZZ9").orgs == ("ZZ9",)
    blank = write_csv(SMALL.assign(org_id=""), tmp_path / "b.csv")
    fails(blank, "which organisation", year=2024)


def test_one_organisation_of_several(tmp_path: Path) -> None:
    frame = pd.concat([SMALL, SMALL.assign(org_id="ZZ2"), SMALL.iloc[:2].assign(org_id="")])
    path = write_csv(frame, tmp_path / "e.csv")
    both = read_extract(path, year=2024)
    assert both.orgs == ("ZZ1", "ZZ2")
    assert both.quality.set_aside == {"no organisation given": 2}
    one = read_extract(path, year=2024, org="zz2")
    assert one.orgs == ("zz2",)
    assert one.n == 6
    assert one.quality.set_aside == {"another organisation than zz2": 6, "no organisation given": 2}
    message = fails(path, "No row", "2 other organisation(s)", year=2024, org="ZZ7")
    assert "ZZ2" not in message


def test_blank_organisation_in_a_file_of_one(tmp_path: Path) -> None:
    frame = SMALL.assign(org_id=[ORG, ORG, "", ORG, ORG, ORG])
    survey = read_extract(write_csv(frame, tmp_path / "e.csv"), year=2024)
    assert (survey.n, survey.orgs) == (6, (ORG,))
    assert sum(issues(survey, "no organisation given").values()) == 1


def test_organisation_names(tmp_path: Path) -> None:
    frame = SMALL.assign(**{"Organisation name": "Synthetic Trust"})
    survey = read_extract(write_csv(frame, tmp_path / "e.csv"), year=2024)
    assert survey.names == {ORG: "Synthetic Trust"}
    assert survey.synthetic
    assert not read_extract(write_csv(SMALL, tmp_path / "e.csv"), year=2024).synthetic


def test_synthetic_files_say_so_themselves(tmp_path: Path) -> None:
    noted = SMALL.assign(data_note="SYNTHETIC: no real person")
    assert read_extract(write_csv(noted, tmp_path / "e.csv"), year=2024).synthetic
    noted["data_note"] = ["synthetic", "", "b", "", "", ""]
    assert not read_extract(write_csv(noted, tmp_path / "e.csv"), year=2024).synthetic


def test_the_sample_reads_the_same_in_every_format() -> None:
    from culture_analytics.resources import sample_folder

    files = sorted(sample_folder().glob("synthetic_trust_2024.*"))
    assert {file.suffix for file in files} == {".csv", ".sav", ".xlsx"}
    surveys = [read_extract(file) for file in files]
    for survey in surveys:
        assert survey.synthetic
        assert survey.years == (2024,)
        assert not survey.quality.warnings
        assert survey.responses.equals(surveys[0].responses)


# -- columns= and the TOML a trust keeps ----------------------------------------------------------

LOCAL = SMALL.rename(columns={"q14b": "Bullied by manager", "q11c": "Stress", "org_id": "Site"})


@pytest.mark.parametrize(
    "columns",
    [
        {"Bullied by manager": "q14b", "Stress": "Q11c", "Site": "org"},
        {"q14b": "Bullied by manager", "q11c": "Stress", "org": "Site"},
        {"Bullied by manager": "hba_managers", "work_related_stress": "stress", "site": "org"},
    ],
)
def test_column_map_in_both_directions(tmp_path: Path, columns: dict[str, str]) -> None:
    survey = read_extract(write_csv(LOCAL, tmp_path / "e.csv"), year=2024, columns=columns)
    assert {"hba_managers", "work_related_stress"} <= set(survey.items)
    assert survey.orgs == (ORG,)


@pytest.mark.parametrize("target", ["q11c", "work_related_stress"])
def test_a_mapped_column_does_not_displace_the_question_itself(tmp_path: Path, target: str) -> None:
    frame = SMALL.rename(columns={"q11c": "Q11c"}).assign(My=["2", "2", "1", "1", "2", "2"])
    path = write_csv(frame, tmp_path / "e.csv")
    message = fails(path, "two columns each", "'My' and 'Q11c'", year=2024, columns={"My": target})
    assert '"ignore"' in message
    for role in ("local", "ignore"):
        survey = read_extract(path, year=2024, columns={"My": target, "Q11c": role})
        wanted = ["No", "No", "Yes", "Yes", "No", "No"]
        assert words(survey.responses["work_related_stress"]) == wanted


def test_column_map_problems_are_all_listed(tmp_path: Path) -> None:
    path = write_csv(LOCAL, tmp_path / "e.csv")
    message = fails(
        path,
        "3 entry(ies)",
        "no column of either name",
        "Nearest: Bullied by manager",
        "no question number, item id or role",
        year=2024,
        columns={"Buled by manager": "q14b", "Stress": "nonsense", "q99z": "Nowhere"},
    )
    assert "Try" in message or "roles:" in message


def test_a_column_may_be_kept_local_or_ignored(tmp_path: Path) -> None:
    frame = SMALL.assign(q24f=["a", "b", "c", "a", "b", "c"], q36="x")
    path = write_csv(frame, tmp_path / "e.csv")
    fails(path, "q36", "fits 2025", '"local"', year=2024)
    fails(path, "'q24f'", "6 of 6 answers", year=2024, columns={"q36": "ignore"})
    survey = read_extract(path, year=2024, columns={"q24f": "local", "q36": "ignore"})
    assert "q24f" in survey.local_columns
    assert "q36" not in survey.responses.columns
    assert survey.quality.columns.set_index("header").loc["q36", "use"] == "ignored"


def test_toml_file(tmp_path: Path) -> None:
    toml = tmp_path / "our columns.toml"
    toml.write_text(
        '\ufeffyear = 2024\norg = "ZZ5"\nunits = ["Directorate", "Post code"]\n'
        '[columns]\n"Bullied by manager" = "q14b"\n"Stress" = "q11c"\n'
        '[labels.q11c]\n"0" = "No"\n1 = "Yes"\n',
        "utf-8",
    )
    frame = LOCAL.drop(columns="Site").assign(Stress=["0", "1", "", "1", "0", "0"])
    frame["Post code"] = ["n1", "n2", "s1", "s1", "s2", "s2"]
    survey = read_extract(write_csv(frame, tmp_path / "e.csv"), columns=str(toml))
    assert survey.orgs == ("ZZ5",)
    assert survey.years == (2024,)
    assert survey.units == ("directorate", "post_code")
    assert survey.responses["work_related_stress"].astype(object).tolist()[:2] == ["No", "Yes"]
    assert read_extract(tmp_path / "e.csv", columns=toml, org="ZZ6").orgs == ("ZZ6",)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[columns\n", "not a TOML file"),
        ("[column]\na = 'q1'\n", "not known: column"),
        ("labels = {q11c = 'Yes'}\n", "must be a table"),
        ("year = 'soon'\n", "year must be a number"),
    ],
)
def test_toml_problems(tmp_path: Path, text: str, word: str) -> None:
    toml = tmp_path / "c.toml"
    toml.write_text(text, "utf-8")
    fails(write_csv(SMALL, tmp_path / "e.csv"), word, columns=toml)
    fails(tmp_path / "e.csv", "no column file", columns=tmp_path / "nowhere.toml")


def test_labels_for_a_question_that_is_not_there_are_reported(tmp_path: Path) -> None:
    columns = {"labels": {"q12a": {"0": "Never"}, "q11c": {"1": "Yes"}}}
    survey = read_extract(write_csv(SMALL, tmp_path / "e.csv"), year=2024, columns=columns)
    assert issues(survey, "labels not used") == {"columns=": 1}


# -- answers that cannot be read -----------------------------------------------------------------


def test_yes_no_as_zero_one_is_refused_with_the_map_to_give(tmp_path: Path) -> None:
    frame = SMALL.assign(q11c=["0", "1", "0", "1", "", "99"], q11d=["0"] * 6, q16a=["1", "2"] * 3)
    path = write_csv(frame, tmp_path / "e.csv")
    message = fails(path, "2 yes/no column(s)", "'q11c', 'q11d'", year=2024)
    # The remedy works as printed.
    start = message.index("[labels.")
    toml = tmp_path / "map.toml"
    toml.write_text("\n".join(line.strip() for line in message[start:].splitlines()), "utf-8")
    survey = read_extract(path, year=2024, columns=toml)
    got = survey.responses["work_related_stress"].astype(object).tolist()
    assert got[:4] == ["No", "Yes", "No", "Yes"]


def test_zero_one_tick_boxes_are_ticks(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "org": [ORG] * 4,
            "q16a": ["1", "1", "2", "1"],
            "q16b": ["2", "2", "2", "1"],
            "q16c_1": ["1", "0", "0", "0"],
            "q16c_3": ["0", "0", "0", "1"],
        }
    )
    survey = read_extract(write_csv(frame, tmp_path / "e.csv"), year=2024)
    responses = {name: words(survey.responses[name]) for name in survey.items}
    assert responses["discrimination_grounds_race"] == [
        "Selected",
        None,
        None,
        "Not selected",
    ]
    assert responses["discrimination_grounds_religion"] == [
        "Not selected",
        None,
        None,
        "Selected",
    ]
    assert issues(survey, "options missing") == {"q16c": 5}


def test_select_all_in_one_column(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "org": [ORG] * 4,
            "q16a": ["1"] * 4,
            "q16b": ["1"] * 4,
            "Q16c - On what grounds?": ["1;6", "Disability", "", "7"],
        }
    )
    survey = read_extract(write_csv(frame, tmp_path / "e.csv"), year=2024)
    responses = {name: words(survey.responses[name]) for name in survey.items}
    assert responses["discrimination_grounds_age"] == [
        "Selected",
        "Not selected",
        None,
        "Not selected",
    ]
    assert responses["discrimination_grounds_disability"][1] == "Selected"


def test_options_told_by_their_wording(tmp_path: Path) -> None:
    stem = "Q16c - On what grounds have you experienced discrimination? - "
    frame = pd.DataFrame(
        {
            "org": [ORG] * 3,
            "q16a": ["1"] * 3,
            f"{stem}Ethnic background": ["1", "", ""],
            f"{stem}Age": ["1", "1", ""],
        }
    )
    survey = read_extract(write_csv(frame, tmp_path / "e.csv"), year=2024)
    responses = {name: words(survey.responses[name]) for name in survey.items}
    assert responses["discrimination_grounds_race"] == ["Selected", "Not selected", None]
    assert responses["discrimination_grounds_age"] == ["Selected", "Selected", None]


def test_unknown_labels(tmp_path: Path) -> None:
    bad = ["secretsecret"] * 12 + ["Yes"] * 20
    frame = pd.DataFrame({"org": ORG, "q11c": bad, "q11d": ["1", "2"] * 16})
    path = write_csv(frame, tmp_path / "e.csv")
    message = fails(path, "'q11c'", "12 of 32 answers", "Yes, No", "[labels.q11c]", year=2024)
    assert "secretsecret" not in message
    few = write_csv(frame.iloc[11:], tmp_path / "few.csv")
    survey = read_extract(few, year=2024)
    assert issues(survey, "unknown codes") == {"q11c": 1}
    assert survey.quality.items.set_index("item").loc["work_related_stress", "unknown_codes"] == 1


def test_a_local_column_named_like_an_item(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "org": ORG,
            "q11c": ["1", "2"] * 30,
            "Age": rng.integers(18, 67, 60),
            "Gender": ["Female", "Male"] * 30,
            "q27a": ["2", "1"] * 30,
        }
    )
    survey = read_extract(write_csv(frame, tmp_path / "e.csv"), year=2024)
    assert survey.responses["gender"].tolist()[:2] == ["Male", "Female"]
    assert survey.responses["local_gender"].tolist()[:2] == ["Female", "Male"]
    assert "age" not in survey.items
    assert "local_age" in survey.local_columns
    assert issues(survey, "column kept as local") == {"Age": 1}


def test_two_columns_of_one_question(tmp_path: Path) -> None:
    frame = SMALL.assign(Q11_c="1")
    fails(write_csv(frame, tmp_path / "e.csv"), "'q11c' and 'Q11_c'", "both q11c", year=2024)
    coded = SMALL.rename(columns={"q15": "q15_code"}).assign(q15_label="Yes")
    survey = read_extract(write_csv(coded, tmp_path / "e.csv"), year=2024)
    assert set(survey.responses["fair_career_progression"]) == {"Yes"}


# -- rows, columns, weights, units ---------------------------------------------------------------


def test_every_row_is_accounted_for(tmp_path: Path) -> None:
    body = SMALL.to_csv(index=False)
    width = len(SMALL.columns)
    body += "ZZ1,,,,North\n" * 3 + "," * (width - 1) + "\n" + "ZZ2,1,Never,1,South\n"
    body += "ZZ1,1,Never,1,South\n" * 60 + "ZZ1,1\n"
    path = tmp_path / "e.csv"
    path.write_text(body, "utf-8")
    survey = read_extract(path, year=2024, org="ZZ1")
    report = survey.quality
    assert report.rows_read == len(body.strip().splitlines()) - 1
    assert report.set_aside == {
        "more or fewer fields than the header": 1,
        "another organisation than ZZ1": 1,
        "no organisation given": 1,
        "no answer to any question": 3,
    }
    assert report.rows_kept == survey.n == report.rows_read - sum(report.set_aside.values())


def test_blank_rows_of_a_workbook(tmp_path: Path) -> None:
    blank = pd.DataFrame({name: [""] * 5 for name in SMALL})
    frame = pd.concat([SMALL.iloc[:4], blank, SMALL.iloc[4:]])
    survey = read_extract(save(frame, tmp_path / "e.xlsx"), year=2024)
    assert survey.n == 6
    assert survey.quality.set_aside == {"blank row": 5}
    # Formatted but empty rows below the table are no rows of it.
    below = read_extract(save(pd.concat([SMALL, blank]), tmp_path / "b.xlsx"), year=2024)
    assert below.quality.rows_read == 6


def test_a_file_whose_rows_are_all_blank(tmp_path: Path) -> None:
    path = write_csv(SMALL.assign(q11c="", q14b="*", q15="99"), tmp_path / "e.csv")
    fails(path, "No row", "6 no answer to any question", year=2024)


def test_local_columns_are_kept(tmp_path: Path) -> None:
    frame = SMALL.assign(
        **{"AfC Band": ["8a", "8b", "5", "", "10", "2"], "Staff Group (ESR)": "Nursing", "org": "x"}
    )
    survey = read_extract(write_csv(frame, tmp_path / "e.csv"), year=2024)
    assert {"afc_band", "staff_group_esr", "directorate"} <= set(survey.local_columns)
    band = survey.responses["afc_band"]
    assert list(band.cat.categories) == ["2", "5", "8a", "8b", "10"]
    assert band.isna().sum() == 1
    uses = survey.quality.columns.set_index("header")
    assert uses.loc["AfC Band", "name"] == "afc_band"
    assert len(uses) == len(frame.columns)
    assert "AfC Band" in survey.quality.unknown_columns


def test_identifiers_and_free_text_are_not_kept(tmp_path: Path) -> None:
    rows = 150
    frame = pd.DataFrame(
        {
            "Respondent ID": [f"r{n % 149}" for n in range(rows)],
            "org": ORG,
            "q11c": ["1", "2"] * 75,
            "Comments": [f"secretsecret {n}" for n in range(rows)],
            "Post": [f"p{n % 30}" for n in range(rows)],
        }
    )
    survey = read_extract(write_csv(frame, tmp_path / "e.csv"), year=2024)
    assert survey.local_columns == ("post",)
    assert issues(survey, "column not kept") == {"Comments": 150}
    assert issues(survey, "duplicate respondent numbers") == {"Respondent ID": 1}
    assert not issues(survey, "duplicate rows")


def test_duplicate_rows_are_counted(tmp_path: Path) -> None:
    answers = draw(INSTRUMENT, 2024, rows=20)
    frame = as_codes(answers, INSTRUMENT, 2024)
    again = pd.concat([frame, frame.iloc[[3, 3, 7]]])
    survey = read_extract(write_csv(again, tmp_path / "e.csv"), year=2024)
    assert issues(survey, "duplicate rows") == {"e.csv": 3}
    assert survey.n == 23
    one = frame.copy()
    one.loc[len(one)] = one.loc[0]
    one.loc[len(one) - 1, "q11c"] = "2" if one.loc[0, "q11c"] != "2" else "1"
    survey = read_extract(write_csv(one, tmp_path / "e.csv"), year=2024)
    assert not issues(survey, "duplicate rows")


def test_routing_contradictions(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "org": [ORG] * 6,
            "q11d": ["1", "2", "2", "", "2", "1"],
            "q11e": ["1", "1", "2", "1", "", ""],
            "q14a": ["Never", "Never", "1-2", "Never", "", "Never"],
            "q14b": ["Never"] * 6,
            "q14c": ["Never"] * 6,
            "q14d": ["1", "9", "1", "", "1", "3"],
        }
    )
    survey = read_extract(write_csv(frame, tmp_path / "e.csv"), year=2024)
    # q11e: rows 2 and 3; row 4 cannot be told. q14d: rows 1 and 6; 9 says "not applicable".
    assert issues(survey, "routing contradictions") == {"q11e": 2, "q14d": 2}
    counts = survey.quality.items.set_index("number")
    assert counts.loc["q11e", ["asked", "answered", "missing"]].tolist() == [2, 1, 1]
    assert counts.loc["q14d", ["asked", "answered", "missing"]].tolist() == [1, 1, 0]


def test_items_not_asked_that_year(tmp_path: Path) -> None:
    frame = SMALL.assign(q17a="Never", clinical_supervision="Agree")
    survey = read_extract(write_csv(frame, tmp_path / "e.csv"), year=2023)
    assert "clinical_supervision" not in survey.items
    assert issues(survey, "items not asked that year") == {"2023": 1}
    assert issues(survey, "questions without a column")["2023"] > 10


def test_weights(tmp_path: Path) -> None:
    frame = SMALL.assign(**{"Occupation weight": ["1", "0.5", "2", "1,5", "0", "3"]})
    survey = read_extract(write_csv(frame, tmp_path / "e.csv", sep=";"), year=2024)
    assert dict(survey.design.weights) == {"occupation_weight": "occupation_weight"}
    assert survey.responses["occupation_weight"].tolist() == [1, 0.5, 2, 1.5, 0, 3]
    mapped = read_extract(
        write_csv(SMALL.assign(Grossing=2), tmp_path / "m.csv"),
        year=2024,
        columns={"Grossing": "weight"},
    )
    assert dict(mapped.design.weights) == {"grossing": "grossing"}


@pytest.mark.parametrize(
    ("values", "word"),
    [
        (["1", "1", "1", "secretsecret", "x", "1"], "2 not a number"),
        (["1", "1", "1", "-1", "1", "1"], "1 negative"),
        (["1", "", "1", "1", "1", "1"], "1 blank"),
        (["0"] * 6, "all 6 are zero"),
        (["inf"] + ["1"] * 5, "1 not a number"),
    ],
)
def test_bad_weights(tmp_path: Path, values: list[str], word: str) -> None:
    path = write_csv(SMALL.assign(weight=values), tmp_path / "e.csv")
    message = fails(path, "'weight'", word, "e.csv", error=DesignError, year=2024)
    assert "secretsecret" not in message
    survey = read_extract(path, year=2024, columns={"weight": "ignore"})
    assert not survey.design.weights


def test_units(tmp_path: Path) -> None:
    frame = SMALL.assign(Team=["t1", "t2", "t3", "t4", "t3", ""])
    survey = read_extract(write_csv(frame, tmp_path / "e.csv"), year=2024)
    assert survey.units == ("directorate", "team")
    turned = SMALL.assign(Division=["n1", "n2", "s1", "s2", "s3", ""])
    survey = read_extract(write_csv(turned, tmp_path / "e.csv"), year=2024)
    assert survey.units == ("directorate", "division")
    crossed = SMALL.assign(Team=["t1", "t2", "t1", "t2", "t1", "t2"], Division=["a", "b"] * 3)
    survey = read_extract(write_csv(crossed, tmp_path / "e.csv"), year=2024)
    assert survey.units == ("division", "team")
    assert issues(survey, "units do not nest")
    same_names = SMALL.assign(Team=["t1", "t2", "t1", "t2", "t1", "t2"])
    survey = read_extract(write_csv(same_names, tmp_path / "n.csv"), year=2024)
    assert survey.units == ("directorate",) and "team" in survey.local_columns
    assert issues(survey, "units do not nest")
    fails(
        tmp_path / "e.csv",
        "more than one",
        error=MeasureError,
        year=2024,
        columns={"units": ["Directorate", "Team"]},
    )


# -- what the reader refuses ---------------------------------------------------------------------


def test_published_workbook(real_data: Path) -> None:
    for path in sorted(real_data.glob("nss24_official/*.xlsx")):
        fails(path, "published results workbook", "read_published()", path.name)


def test_published_layouts(tmp_path: Path) -> None:
    wide = pd.DataFrame(
        {"org_id": ["ZZ1"], "q11c_2023": [0.4], "q11c_2024": [0.4], "PP1_2024": [7]}
    )
    fails(write_csv(wide, tmp_path / "w.csv"), "benchmark workbook", "read_published()")
    long = pd.DataFrame(
        {"Year": [2024], "QuestionNumber": ["Q11c"], "BaseSize": [50], "Score": [4]}
    )
    fails(save(long, tmp_path / "l.xlsx"), "contractor's table", "read_published()")


def test_a_file_without_questions_is_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "e.csv"
    path.write_text("secretsecret,42,Nurse\nsecretsecret,43,Doctor\n" * 3, "utf-8")
    assert "secretsecret" not in fails(path, "None of the 3 columns", year=2024)


def test_quoted_path_and_positional_only(tmp_path: Path) -> None:
    path = write_csv(SMALL, tmp_path / "e.csv")
    assert read_extract(f'"{path}"', year=2024).n == 6
    with pytest.raises(TypeError):
        read_extract(path, 2024)


SECRET = "Zebedee-7Q"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda f: f.assign(q11c=SECRET),
        lambda f: f.assign(org_id=SECRET),
        lambda f: f.assign(weight=SECRET),
        lambda f: f.assign(year=SECRET),
        lambda f: f.assign(Team=SECRET, q99=SECRET),
        lambda f: f.assign(q16c_1=SECRET, q16c_2=[SECRET, "1", "2", "3", "x", "y"]),
        lambda f: f.assign(q16c=SECRET),
        lambda f: f.assign(Directorate=SECRET, Team=[SECRET, "b", "c", "d", "e", "f"]),
        lambda f: f.assign(Age=SECRET),
        lambda f: f.assign(RespondentID=SECRET, record_id=SECRET),
        lambda f: f.assign(q28=SECRET, q35=SECRET),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".sav", ".parquet"])
def test_nothing_shown_holds_a_value(
    tmp_path: Path, spoil: object, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save(spoil(SMALL.copy()), tmp_path / f"e{suffix}")
    shown = ""
    for options in ({"year": 2024}, {"year": 2022, "org": "ZZ9"}, {}):
        try:
            survey = read_extract(path, **options)
        except CultureAnalyticsError as problem:
            shown += str(problem) + repr(problem)
            assert problem.__cause__ is None
        else:
            report = survey.quality
            shown += str(report) + repr(report) + report._repr_html_() + repr(survey)
            shown += report.table.to_csv() + report.items.to_csv() + report.columns.to_csv()
    out, err = capsys.readouterr()
    assert SECRET not in shown + out + err
    assert SECRET.casefold() not in (shown + out + err).casefold()


# -- the report ------------------------------------------------------------------------------------


def test_report_reads_well(tmp_path: Path) -> None:
    frame = SMALL.assign(q11d=["1", "7", "2", "1", "2", "1"], q14a=["02-Jan"] * 6)
    survey = read_extract(write_csv(frame, tmp_path / "Señor.csv"), year=2024)
    report = survey.quality
    assert isinstance(report, ValidationReport)
    text = str(report)
    text.encode("ascii")
    repr(report).encode("cp1252")
    assert "6 of 6 rows kept" in text
    assert "unknown codes [q11d] 1" in text
    assert "Excel dates repaired [q14a] 6" in text
    page = report._repr_html_()
    assert "<table>" in page
    assert "<caption>" in page
    assert list(report.table.columns) == ["severity", "check", "where", "count", "detail"]
    assert report.issues[0].severity == "warning"
    assert {i.severity for i in report.issues} <= {"warning", "note"}
    counts = report.items.set_index("number")
    assert counts.loc["q14a", "repaired"] == 6
    assert (report.items["answered"] + report.items["missing"] == report.items["asked"]).all()


def test_report_html_is_escaped(tmp_path: Path) -> None:
    frame = SMALL.assign(**{"q11d - <script>": ["9"] + ["1"] * 5})
    survey = read_extract(write_csv(frame, tmp_path / "e.csv"), year=2024)
    assert "<script>" not in survey.quality._repr_html_()
    assert "&lt;script&gt;" in survey.quality._repr_html_()


def test_reading_writes_nothing(tmp_path: Path) -> None:
    path = write_csv(SMALL, tmp_path / "e.csv")
    before = sorted(tmp_path.iterdir())
    read_extract(path, year=2024)
    assert sorted(tmp_path.iterdir()) == before
