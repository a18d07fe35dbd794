"""Files as survey contractors deliver them, made of simulated respondents.

Three years, three habits: how the question numbers are spelt, what stands for no answer, how a
tick is written. The same respondents can also be had as a workbook of labels and as SPSS data.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from culture_analytics.instrument import Question
from culture_analytics.survey import Survey

__all__ = ["HABITS", "Habit", "coded", "write_csv", "write_sav", "write_xlsx"]

NOTE = "SYNTHETIC"
NOT_ANSWERED = 99  # a contractor's code for a question that was put and left blank
CREATED = dt.datetime(2025, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class Habit:
    """How one year's contractor writes."""

    organisation: str  # header of the organisation's code
    year: str  # header of the survey year, if it is given
    upper: bool  # question numbers begin with a capital Q
    marks_missing: bool  # 99 for a blank; otherwise blank
    unticked: str  # what stands in a box that was not ticked


HABITS: Mapping[int, Habit] = {
    2023: Habit("org_id", "survey_year", upper=False, marks_missing=False, unticked=""),
    2024: Habit("org_id", "", upper=True, marks_missing=True, unticked="0"),
    2025: Habit("Organisation code", "", upper=False, marks_missing=False, unticked=""),
}


def _questions(survey: Survey, year: int) -> list[Question]:
    """The year's questions in the order of their numbers, in the numbering of data extracts."""
    asked = {
        q.item: q
        for q in survey.instrument.questions
        if q.year == year and q.item in survey.items and q.variant in ("", "extract")
    }
    return [asked[i] for i in survey.items if i in asked]


def _header(question: Question, habit: Habit) -> str:
    return question.number[:1].upper() + question.number[1:] if habit.upper else question.number


def _answers(survey: Survey, question: Question) -> tuple[np.ndarray, np.ndarray]:
    """Codes of the year's scale of each respondent, and who was asked."""
    item = survey.instrument.items[question.item]
    code_of = {label: code for code, label in question.scale.codes.items()}
    lookup = np.array([code_of.get(a, 0) for a in item.labels] + [0])
    codes = lookup[survey.responses[item.id].cat.codes.to_numpy()]
    asked = np.zeros(survey.n, dtype=bool) if item.gates else np.ones(survey.n, dtype=bool)
    for gate in item.gates:
        asked |= survey.responses[gate.item].isin(gate.answers).to_numpy()
    if question.item.startswith("socio_economic"):
        asked[:] = False  # who is asked is not among the instrument's facts: blank says nothing
    return codes, asked


def coded(survey: Survey, habit: Habit) -> dict[str, np.ndarray]:
    """Columns of an extract in the contractor's codes, as text.

    Parameters
    ----------
    survey
        Simulated respondents of one year.
    habit
        How the file is written.

    Returns
    -------
    dict of ndarray
        Header to one text for each respondent.
    """
    year = survey.years[0]
    frame = survey.responses
    columns = {habit.organisation: frame["org"].astype(object).to_numpy()}
    if habit.year:
        columns[habit.year] = np.full(survey.n, str(year), dtype=object)
    for unit in survey.units:
        columns[unit.capitalize()] = frame[unit].astype(object).to_numpy()
    for question in _questions(survey, year):
        codes, asked = _answers(survey, question)
        tick = survey.instrument.items[question.item].kind == "tick"
        blank = str(NOT_ANSWERED) if habit.marks_missing and not tick else ""
        text = np.array([str(c) for c in range(int(codes.max(initial=0)) + 1)], dtype=object)
        text[0] = ""
        if tick and len(text) > 2:
            text[2] = habit.unticked
        cells = text[codes]
        cells[(codes == 0) & asked] = blank
        columns[_header(question, habit)] = cells
    columns["data_note"] = np.full(survey.n, NOTE, dtype=object)
    return columns


def write_csv(survey: Survey, path: Path) -> None:
    """One year as csv: the same bytes on every machine."""
    columns = coded(survey, HABITS[survey.years[0]])
    with path.open("w", encoding="utf-8", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(columns)
        out.writerows(zip(*columns.values(), strict=True))


def write_xlsx(survey: Survey, path: Path) -> None:
    """One year as a workbook: answers in words under question numbers with a short text."""
    import xlsxwriter

    year = survey.years[0]
    frame = survey.responses
    heads: list[str] = ["Organisation code", *(u.capitalize() for u in survey.units)]
    columns = [frame[c].astype(object).to_numpy() for c in ("org", *survey.units)]
    for question in _questions(survey, year):
        item = survey.instrument.items[question.item]
        heads.append(f"{_header(question, HABITS[year])} - {item.label}")
        words = np.array([*item.labels, None], dtype=object)
        if item.kind == "tick":
            words = np.array(["Yes", None, None], dtype=object)
        columns.append(words[frame[item.id].cat.codes.to_numpy()])
    heads.append("data_note")
    columns.append(np.full(survey.n, NOTE, dtype=object))
    book = xlsxwriter.Workbook(str(path))
    book.set_properties({"title": f"{NOTE} extract {year}", "comments": NOTE, "created": CREATED})
    sheet = book.add_worksheet(f"{NOTE} {year}")
    sheet.freeze_panes(1, 0)
    for j, (head, cells) in enumerate(zip(heads, columns, strict=True)):
        sheet.write_string(0, j, head)
        for i, cell in enumerate(cells, start=1):
            if cell is not None:
                sheet.write_string(i, j, cell)
    book.close()


def write_sav(survey: Survey, path: Path) -> None:
    """One year as SPSS data: codes with value labels, 99 declared as missing."""
    import pyreadstat

    year = survey.years[0]
    habit = HABITS[year]
    data: dict[str, object] = {}
    labels: dict[str, str | None] = {}
    values: dict[str, dict[float, str]] = {}
    missing: dict[str, list[Any]] = {}
    for name, cells in coded(survey, habit).items():
        data[name] = cells
    for question in _questions(survey, year):
        name = _header(question, habit)
        item = survey.instrument.items[question.item]
        data[name] = pd.to_numeric(pd.Series(data[name]), errors="coerce").astype("float64")
        labels[name] = item.label
        if item.kind == "tick":
            values[name] = {1.0: "Selected", 0.0: "Not selected"}
            continue
        values[name] = {float(c): label for c, label in question.scale.codes.items()}
        if habit.marks_missing:
            values[name][float(NOT_ANSWERED)] = "Not answered"
            missing[name] = [float(NOT_ANSWERED)]
    frame = pd.DataFrame(data)
    text = [c for c in frame.columns if c not in labels]
    frame[text] = frame[text].astype("object")
    pyreadstat.write_sav(
        frame,
        str(path),
        file_label=f"{NOTE} extract {year}",
        column_labels=labels,
        variable_value_labels=values,
        missing_ranges=missing,
        compress=True,  # SPSS 21 and later
    )
