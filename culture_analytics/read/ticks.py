"""Reads "select all that apply" questions: one column an option, or one column of lists."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from culture_analytics.instrument import Instrument, Question
from culture_analytics.read.context import Context
from culture_analytics.read.findings import Findings
from culture_analytics.read.outcome import Outcome, Reading
from culture_analytics.read.plan import ColumnPlan
from culture_analytics.read.raw import RawColumn
from culture_analytics.read.unreadable import StrangeColumn, too_strange
from culture_analytics.read.values import (
    MISSING,
    NOT_SELECTED,
    SELECTED,
    decode_list,
    decode_ticks,
    share_unknown,
)

if TYPE_CHECKING:
    from culture_analytics.read.outcome import Rows

__all__ = ["options_of", "read_list", "read_ticks"]


def read_ticks(
    context: Context,
    plan: ColumnPlan,
    family: Mapping[str, tuple[RawColumn, Question]],
    rows: Rows,
    findings: Findings,
) -> Outcome:
    """Read the columns of one question: a blank is "not selected" where another box is ticked.

    Parameters
    ----------
    context : Context
        The file, and what it is read with.
    plan : ColumnPlan
        The columns of the year.
    family : mapping of str to tuple of RawColumn and Question
        Item id to the option's column and question.
    rows : ndarray of intp or slice
        The rows of the year.
    findings : Findings
        Where options without a column are noted.

    Returns
    -------
    Outcome
        Selected, not selected, or missing for someone who ticked nothing.
    """
    decoded = decode_ticks(family, context.rules)
    strange = []
    ticked = {}
    for item, (column, question) in family.items():
        unknown, held = share_unknown(column, decoded[item])
        if too_strange(unknown, held):
            strange.append(StrangeColumn(column.name, question, unknown, held))
        ticked[item] = decoded[item].lookup[column.codes] == SELECTED
    anyone = np.logical_or.reduce(list(ticked.values()))
    answers = {}
    for item, (column, _) in family.items():
        # What cannot be read is not known to be blank.
        unread = np.append(decoded[item].unknown, False)[column.codes]  # the last: blank cells
        others = np.where(anyone & ~unread, NOT_SELECTED, MISSING)
        answers[item] = np.where(ticked[item], SELECTED, others).astype(np.int8)
    _note_absent_options(context.instrument, plan, set(family), findings)
    readings = tuple(
        Reading(plan.year, question, column, decoded[item], rows)
        for item, (column, question) in family.items()
    )
    return Outcome(answers, readings, strange=tuple(strange))


def _note_absent_options(
    instrument: Instrument, plan: ColumnPlan, present: set[str], findings: Findings
) -> None:
    stem = plan.items[next(iter(present))][1].number.split("_")[0]
    absent = [
        number
        for number, questions in instrument.numbers(plan.year).items()
        if number.startswith(f"{stem}_") and not {q.item for q in questions} & present
    ]
    findings.add(
        "warning",
        "options missing",
        stem,
        len(absent),
        f"no column for {', '.join(absent[:10])}: someone who ticked only these counts as "
        "having ticked none",
    )


def options_of(stem: str, year: int, instrument: Instrument) -> list[Question]:
    """List the options of a "select all that apply" question in one year."""
    return [
        question
        for number, questions in instrument.numbers(year).items()
        if number.startswith(f"{stem}_")
        for question in questions
    ]


def read_list(
    context: Context, plan: ColumnPlan, column: RawColumn, stem: str, rows: Rows
) -> Outcome:
    """Read a question delivered as one column of lists.

    Parameters
    ----------
    context : Context
        The file, and what it is read with.
    plan : ColumnPlan
        The columns of the year; an option with a column of its own is not read from the list.
    column : RawColumn
        The column, in the rows of the year.
    stem : str
        The question's number, without an option.
    rows : ndarray of intp or slice
        The rows of the year.

    Returns
    -------
    Outcome
        Selected, not selected, or missing for someone who ticked nothing.
    """
    questions = [
        question
        for question in options_of(stem, plan.year, context.instrument)
        if question.item not in plan.items
    ]
    decoded, unknown = decode_list(column, questions, context.rules)
    lost = int(column.counts()[unknown].sum())
    if too_strange(lost, column.filled):
        strange = StrangeColumn(column.name, questions[0], lost, column.filled)
        return Outcome(strange=(strange,))
    read = {q.item: dataclasses.replace(decoded[q.item], unknown=unknown) for q in questions}
    return Outcome(
        {item: mine.lookup[column.codes] for item, mine in read.items()},
        tuple(Reading(plan.year, q, column, read[q.item], rows) for q in questions),
    )
