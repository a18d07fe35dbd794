"""What cells mean: codes, words, marks for missing, damaged dates, ticks and lists."""

from __future__ import annotations

import numpy as np
import pytest

from culture_analytics.errors import ExtractError
from culture_analytics.instrument import Instrument, load_instrument
from culture_analytics.read.raw import ColumnBuilder, RawColumn
from culture_analytics.read.rules import reading_rules
from culture_analytics.read.values import (
    MISSING,
    AnswerBook,
    answer_map,
    code_of,
    decode_answers,
    decode_list,
    decode_ticks,
    excel_pair,
    share_unknown,
    yes_no_as_zero_one,
)

INSTRUMENT: Instrument = load_instrument()
RULES = reading_rules(INSTRUMENT)


def column(
    *cells: str, labels: dict[str, str] | None = None, missing: set[str] = frozenset()
) -> RawColumn:
    builder = ColumnBuilder("q")
    builder.add_cells(list(cells))
    return builder.build(labels=labels, missing=missing)


def book(item: str, year: int = 2024) -> AnswerBook:
    return AnswerBook(INSTRUMENT.items[item], INSTRUMENT.question(item, year).scale, RULES)


def read(item: str, *cells: str, year: int = 2024, **options: object) -> list[str | None]:
    """The answers of cells, in order; None for missing, "?" for unknown."""
    raw = column(*cells, **options)
    decoded = decode_answers(raw, book(item, year))
    labels = INSTRUMENT.items[item].labels
    out = []
    for code in raw.codes:
        if code >= 0 and decoded.unknown[code]:
            out.append("?")
        else:
            place = decoded.lookup[code]
            out.append(None if place == MISSING else labels[place])
    return out


def test_codes_in_every_form() -> None:
    assert read("work_related_stress", "1", "01", "1.0", "2", "2.00", "+2") == [
        "Yes",
        "Yes",
        "Yes",
        "No",
        "No",
        "No",
    ]
    assert code_of("1,0") == 1
    assert code_of("1.5") is None
    assert code_of("one") is None


def test_words_in_every_form() -> None:
    assert (
        read(
            "appraisal_improved_job",
            "Yes, definitely",
            "YES  DEFINITELY",
            "yes\u2013definitely",
            "1 = Yes, definitely",
            "1. Yes, definitely",
            "(1) Yes, definitely",
        )
        == ["Yes, definitely"] * 6
    )
    assert (
        read("fair_career_progression", "Don\u2019t know", "DON'T KNOW", "Dont know", "DK", "9")
        == ["Don't know"] * 5
    )
    assert read(
        "gender", "female", "M", "Prefer to self describe", "I would prefer not to say"
    ) == [
        "Female",
        "Male",
        "Prefer to self-describe",
        "Prefer not to say",
    ]
    assert read("age", "16 - 20", "21\u201330", "66 or over", "66+") == [
        "16-20",
        "21-30",
        "66+",
        "66+",
    ]
    assert read("work_related_stress", "Y", "n", "TRUE", "FALSE") == ["Yes", "No", "Yes", "No"]


def test_codes_and_words_mixed() -> None:
    assert read("hba_managers", "1", "Never", "2", "1-2", "1 to 2", "More than 10") == [
        "Never",
        "Never",
        "1-2",
        "1-2",
        "1-2",
        "More than 10",
    ]


def test_missing_marks_by_scale() -> None:
    assert (
        read("work_related_stress", "99", "*", "", "  ", "N/A", "#N/A", "Missing", "-")
        == [None] * 8
    )
    assert read("role_makes_difference", "N/A", "9", "99", "*") == [
        "Not applicable",
        "Not applicable",
        None,
        None,
    ]
    # 9 is an answer only where the scale has it.
    assert read("work_related_stress", "9", "9.0") == ["?", "?"]
    assert read("hba_reported", "9", "6", "N/A") == [
        "Not applicable",
        "Yes, both a colleague and I reported it",
        "Not applicable",
    ]


def test_unknown_codes_are_missing_and_counted() -> None:
    raw = column("1", "7", "7", "maybe", "", "99")
    decoded = decode_answers(raw, book("work_related_stress"))
    assert share_unknown(raw, decoded) == (3, 4)
    assert decoded.lookup[raw.codes].tolist() == [0, -1, -1, -1, -1, -1]


def test_codes_are_those_of_the_year() -> None:
    assert read("ethnic_group", "13", "14", year=2024) == [
        "Asian: Any other Asian",
        "Black: African",
    ]
    assert read("ethnic_group", "13", "14", "19", year=2025) == [
        "Asian: Filipino",
        "Asian: Any other Asian",
        "Other: Any other",
    ]
    assert read("ethnic_group", "19", year=2024) == ["?"]
    assert read("occupational_group", "8", "15", year=2022) == [
        "Other qualified AHP",
        "Salaried Primary Care Dentists",
    ]
    assert read("occupational_group", "8", "15", year=2023) == [
        "Speech and Language Therapy",
        "Medical/Dental - SAS doctor",
    ]
    # Words mean the same in every year.
    assert read("ethnic_group", "Asian/Asian British - Filipino", year=2024) == ["Asian: Filipino"]


DAMAGED = {
    "1-2": [
        "02-Jan",
        "2-Jan",
        "Jan-02",
        "Jan 2",
        "01-Feb",
        "1 February",
        "1/2/2024",
        "2/1/2024",
        "01/02/24",
        "2023-01-02",
        "2024-02-01 00:00:00",
        "2024-02-01T00:00:00",
        "01.02.2024",
        "2/1",
        "01-Feb-24",
        "45323",
        "44928",
        "Feb-01",
    ],
    "3-5": ["03-May", "05-Mar", "5/3/2023", "2023-05-03", "Mar-05", "03/05/2024 00:00"],
    "6-10": ["06-Oct", "10-Jun", "10/6/2024", "2023-10-06", "Oct-06", "6 Oct 2024"],
}


@pytest.mark.parametrize(("answer", "text"), [(a, t) for a, ts in DAMAGED.items() for t in ts])
def test_excel_dates_are_repaired(answer: str, text: str) -> None:
    assert read("hba_managers", text) == [answer]
    raw = column(text)
    assert decode_answers(raw, book("hba_managers")).repaired.tolist() == [True]


def test_answers_protected_from_excel_are_no_repair() -> None:
    raw = column("'1-2", '="3-5"', "1-2")
    decoded = decode_answers(raw, book("hba_managers"))
    assert not decoded.repaired.any()
    assert not decoded.unknown.any()


@pytest.mark.parametrize(
    "text", ["03-Apr", "2023-07-08", "32-Jan", "Jan-99", "13/13/2024", "99999"]
)
def test_other_dates_are_unknown(text: str) -> None:
    assert read("hba_managers", text) == ["?"]


def test_dates_are_repaired_only_on_scales_that_have_such_answers() -> None:
    assert read("work_related_stress", "02-Jan") == ["?"]
    assert read("age", "02-Jan") == ["?"]
    assert read("length_of_service", "02-Jan", "06-Oct", "Nov-15", "2015-11-01") == [
        "1-2 years",
        "6-10 years",
        "11-15 years",
        "11-15 years",
    ]
    assert read("socio_economic_3", "Jan-24", "2024-01-01", year=2025) == ["1-24", "1-24"]


def test_excel_pair_reads_no_word_for_a_month() -> None:
    assert excel_pair("Marketing 5") is None
    assert excel_pair("5 Sept").day_and_month == {5, 9}
    assert excel_pair("Never") is None
    assert excel_pair("") is None


def test_file_labels_decide_over_codes() -> None:
    flipped = {"1": "No", "2": "Yes"}
    assert read("work_related_stress", "1", "2", "99", labels=flipped) == ["No", "Yes", None]
    decoded = decode_answers(column("1", labels=flipped), book("work_related_stress"))
    assert any("labels were followed" in note for note in decoded.notes)
    zero_one = {"0": "No", "1": "Yes"}
    assert read("work_related_stress", "0", "1", labels=zero_one) == ["No", "Yes"]
    assert not yes_no_as_zero_one(
        column("0", "1", labels=zero_one), book("work_related_stress"), {}
    )


def test_file_labels_worded_differently_are_read_by_code_if_the_rest_agrees() -> None:
    labels = {"1": "Strongly disagree", "2": "Rather disagree", "3": "Neither", "99": "No reply"}
    assert read("enough_staff", "1", "2", "3", "99", labels=labels) == [
        "Strongly disagree",
        "Disagree",
        "Neither agree nor disagree",
        None,
    ]
    against = {"1": "Strongly agree", "2": "Rather agree", "5": "Strongly disagree"}
    assert read("enough_staff", "1", "2", labels=against) == ["Strongly agree", "?"]


def test_declared_missing_codes() -> None:
    assert read("work_related_stress", "8", missing={"8"}) == [None]
    # A "don't know" declared missing in SPSS is still an answer of the scale.
    assert read("fair_career_progression", "9", missing={"9"}) == ["Don't know"]


def test_zero_one_without_labels() -> None:
    stress = book("work_related_stress")
    assert yes_no_as_zero_one(column("0", "1", ""), stress, {})
    assert yes_no_as_zero_one(column("0", "99"), stress, {})
    assert not yes_no_as_zero_one(column("1", "2"), stress, {})
    assert not yes_no_as_zero_one(column("0", "1", "2"), stress, {})
    assert not yes_no_as_zero_one(column("0", "1"), stress, {"0": "No", "1": "Yes"})
    assert not yes_no_as_zero_one(column("0", "1"), book("hba_managers"), {})


def test_user_map() -> None:
    stress = book("work_related_stress")
    given = answer_map({"0": "No", "1": "1", "Ja": "yes", "Weiss nicht": "missing"}, stress, "map")
    raw = column("0", "1.0", "ja", "weiss nicht")
    assert decode_answers(raw, stress, given).lookup[raw.codes].tolist() == [1, 0, 0, -1]
    with pytest.raises(ExtractError, match=r"1 answer\(s\) of work_related_stress .* 'Perhaps'"):
        answer_map({"0": "Perhaps"}, stress, "map")


def tick(cells: dict[str, list[str]], **options: object) -> dict[str, list[int]]:
    columns = {}
    for number, texts in cells.items():
        question = INSTRUMENT.numbers(2024)[number][0]
        columns[question.item] = (column(*texts, **options), question)
    decoded = decode_ticks(columns, RULES)
    return {
        columns[item][1].number: decoded[item].lookup[columns[item][0].codes].tolist()
        for item in decoded
    }


@pytest.mark.parametrize("mark", ["1", "x", "X", "Yes", "TRUE", "Ticked", "Selected", "\u2713"])
@pytest.mark.parametrize("blank", ["", "0", "2", "No", "FALSE", "Not selected"])
def test_ticks(mark: str, blank: str) -> None:
    expected = [0, 1 if blank else -1]
    assert tick({"q16c_1": [mark, blank]}) == {"q16c_1": expected}


def test_ticks_written_as_the_option_number() -> None:
    got = tick({"q16c_1": ["1", ""], "q16c_2": ["2", ""], "q16c_5": ["", "5"]})
    assert got == {"q16c_1": [0, -1], "q16c_2": [0, -1], "q16c_5": [-1, 0]}


def test_ticks_written_as_the_option_wording() -> None:
    got = tick({"q16c_1": ["Ethnic background", ""], "q16c_6": ["Age", ""]})
    assert got == {"q16c_1": [0, -1], "q16c_6": [0, -1]}
    assert tick({"q16c_1": ["On account of my accent", ""]}) == {"q16c_1": [0, -1]}


def test_ticks_with_file_labels() -> None:
    assert tick({"q16c_1": ["1", "0"]}, labels={"1": "Ethnic background", "0": "No"}) == {
        "q16c_1": [0, 1]
    }
    assert tick({"q16c_1": ["1", "2"]}, labels={"1": "Not selected", "2": "Selected"}) == {
        "q16c_1": [1, 0]
    }


def test_ticks_missing_and_unknown() -> None:
    question = INSTRUMENT.numbers(2024)["q16c_1"][0]
    raw = column("1", "99", "*", "7", "8")
    decoded = decode_ticks({question.item: (raw, question)}, RULES)[question.item]
    assert decoded.lookup[raw.codes].tolist() == [0, -1, -1, -1, -1]
    assert int(raw.counts()[decoded.unknown].sum()) == 2


def test_lists() -> None:
    questions = [q[0] for n, q in INSTRUMENT.numbers(2024).items() if n.startswith("q16c_")]
    raw = column("1;6", "6", "Age, Religion", "", "99", "1|nonsense")
    decoded, unknown = decode_list(raw, questions, RULES)
    by_number = {q.number: decoded[q.item].lookup[raw.codes].tolist() for q in questions}
    assert by_number["q16c_1"] == [0, 1, 1, -1, -1, 0]
    assert by_number["q16c_6"] == [0, 0, 0, -1, -1, 1]
    assert by_number["q16c_3"] == [1, 1, 0, -1, -1, 1]
    assert np.flatnonzero(unknown).tolist() == [raw.values.index("1|nonsense")]


@pytest.mark.parametrize("year", INSTRUMENT.years)
def test_every_code_and_label_of_every_year_reads_back(year: int) -> None:
    for question in INSTRUMENT.questions:
        item = INSTRUMENT.items[question.item]
        if question.year != year or item.kind == "tick":
            continue
        answers = AnswerBook(item, question.scale, RULES)
        codes, labels = zip(*question.scale.codes.items(), strict=True)
        for cells in (map(str, codes), labels, map(str.upper, labels)):
            raw = column(*cells)
            decoded = decode_answers(raw, answers)
            got = [item.labels[place] for place in decoded.lookup[raw.codes]]
            assert got == list(labels), (question.item, year)
