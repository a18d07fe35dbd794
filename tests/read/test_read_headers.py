"""Question numbers in every spelling met."""

from __future__ import annotations

import pytest

from culture_analytics.instrument import load_instrument
from culture_analytics.read.headers import ending, fold, question_readings, trailing_wording
from culture_analytics.read.rules import header_key, reading_rules, squash


@pytest.mark.parametrize(
    "header",
    [
        "q11c",
        "Q11c",
        "Q11C",
        "Q11_c",
        "Q11_C",
        "q_11_c",
        "Q 11 c",
        "Q 11c",
        "Q11(c)",
        "Q11 (c)",
        "Q11-c",
        "Q11.c",
        "q11c.",
        "q11c?",
        "Q011c",
        "Question 11c",
        "Question 11 c: stress",
        "Qn 11c",
        "Q11c - In the last 12 months have you felt unwell",
        "Q11c – In the last 12 months",
        "Q11c\u2014In the last 12 months",
        "Q11c: In the last 12 months",
        "Q11c. In the last 12 months",
        "Q11c) In the last 12 months",
        "Q11c In the last 12 months",
        "Q11c\nIn the last\n12 months",
        "  Q11c  ",
        "\ufeffq11c",
        "q11c_code",
        "q11c_label",
    ],
)
def test_spellings_of_a_lettered_question(header: str) -> None:
    assert question_readings(header)[0] == "q11c"


@pytest.mark.parametrize(
    "header",
    [
        "q16c_1",
        "Q16c_1",
        "Q16c_01",
        "Q16c1",
        "Q16c(1)",
        "Q16c 1",
        "q16c-1",
        "Q16_c_1",
        "Q16c.1",
        "Q16c_1 - Ethnic background",
    ],
)
def test_spellings_of_an_option(header: str) -> None:
    assert question_readings(header)[0] == "q16c_1"


@pytest.mark.parametrize(
    "header", ["q28", "Q28", "Q28 - What is your ethnic group?", "Q 28.", "q28_code"]
)
def test_spellings_of_a_whole_question(header: str) -> None:
    assert question_readings(header)[0] == "q28"


@pytest.mark.parametrize(
    "header",
    [
        "q11c_score",
        "q11c_positive",
        "q11c_2024",
        "Quarter 1",
        "2024",
        "Quality",
        "q",
        "q100a",
        "Query 11c",
        "11c",
        "Directorate",
        "",
        "q11cc",
        "PP4_3",
        "Q1_2024",
    ],
)
def test_what_is_no_question(header: str) -> None:
    assert question_readings(header) == ()


def test_bare_numbers_only_when_asked_for() -> None:
    assert question_readings("11c - In the last", bare=True) == ("q11c",)
    assert question_readings("2024", bare=True) == ()
    assert question_readings("12 months", bare=True) == ()


def test_wording_that_begins_with_one_letter_leaves_both_readings() -> None:
    assert question_readings("Q15 I think my organisation") == ("q15i", "q15")
    assert question_readings("Q1 - Do you have contact") == ("q1",)


def test_an_option_the_questionnaire_may_lack_never_becomes_the_whole_question() -> None:
    assert question_readings("q15_2") == ("q15_2",)


def test_wording_and_ending() -> None:
    assert trailing_wording("Q16c - On what grounds? - Age") == "on what grounds?-age"
    assert ending("q28_code") == "code"
    assert ending("q28_labels") == "label"
    assert ending("q28 - code of conduct") == ""


def test_fold_and_squash() -> None:
    assert fold(" Don\u2019t \u00a0know ") == fold("DON'T KNOW")
    assert squash("Yes \u2013 definitely") == squash("yes, definitely")
    assert squash("Admin & Clerical") == squash("admin and clerical")
    assert squash("66+") != squash("66")
    assert header_key("ODS_Code") == header_key(" ods code")


def test_reading_rules_are_whole() -> None:
    instrument = load_instrument()
    rules = reading_rules(instrument)
    assert rules.roles["ods code"] == "org"
    assert rules.units["directorate"] < rules.units["team"]
    assert set(rules.options) == {i.id for i in instrument.items.values() if i.kind == "tick"}
    labels = {label for item in instrument.items.values() for label in item.labels}
    assert set(rules.answers) <= labels
    assert not rules.selected & rules.not_selected


def test_no_two_answers_of_a_scale_have_one_spelling() -> None:
    for scale in load_instrument().scales.values():
        spellings = [squash(label) for label in scale.labels]
        assert len(set(spellings)) == len(spellings), scale.id
        for alias, label in scale.aliases.items():
            clash = [other for other in scale.labels if squash(other) == squash(alias)]
            assert clash in ([], [label]), (scale.id, alias)
