"""Reads the answers of one survey year's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from culture_analytics.instrument import Question
from culture_analytics.progress import progress
from culture_analytics.read.claims import Claim
from culture_analytics.read.context import Context
from culture_analytics.read.findings import Findings
from culture_analytics.read.headers import fold
from culture_analytics.read.outcome import Outcome, Reading
from culture_analytics.read.plan import ColumnPlan, plan_columns
from culture_analytics.read.raw import RawColumn
from culture_analytics.read.ticks import read_list, read_ticks
from culture_analytics.read.unreadable import StrangeColumn, refuse_unreadable, too_strange
from culture_analytics.read.values import (
    AnswerBook,
    answer_map,
    decode_answers,
    share_unknown,
    yes_no_as_zero_one,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from culture_analytics.read.outcome import Rows

__all__ = ["YearAnswers", "read_year", "settle_columns"]


@dataclass(frozen=True, eq=False)
class YearAnswers:
    """Answers of one survey year's rows.

    Attributes
    ----------
    plan : ColumnPlan
        What every column was.
    rows : ndarray of intp or slice
        The rows of the year.
    answers : mapping of str to ndarray of int8, shape (rows of the year,)
        Item id to positions in the item's categories; -1 missing.
    readings : tuple of Reading
        How they were read.
    misnamed : tuple of str
        Headers of columns that only share their name with an item.
    """

    plan: ColumnPlan
    rows: Rows
    answers: Mapping[str, NDArray[np.int8]]
    readings: tuple[Reading, ...]
    misnamed: tuple[str, ...]


def settle_columns(
    context: Context, claims: Sequence[Claim], columns: Mapping[str, RawColumn], year: int
) -> ColumnPlan:
    """Settle what every column is in the rows of one year."""

    def strangeness(header: str, question: Question) -> float:
        column = columns[header]
        unknown, held = share_unknown(column, decode_answers(column, _book(context, question)))
        return unknown / held if held else 0.0

    return plan_columns(
        claims,
        year,
        context.instrument,
        context.rules,
        where=context.table.where,
        strangeness=strangeness,
    )


def _book(context: Context, question: Question) -> AnswerBook:
    item = context.instrument.items[question.item]
    return AnswerBook(item, question.scale, context.rules)


def read_year(
    context: Context,
    claims: Sequence[Claim],
    plan: ColumnPlan,
    columns: Mapping[str, RawColumn],
    rows: Rows,
    findings: Findings,
) -> YearAnswers:
    """Read every answer column of one year.

    Parameters
    ----------
    context : Context
        The file, and what it is read with.
    claims : sequence of Claim
        What each column could be.
    plan : ColumnPlan
        What each column is in the year.
    columns : mapping of str to RawColumn
        Header to column, in the rows of the year.
    rows : ndarray of intp or slice
        The rows of the year.
    findings : Findings
        Where labels and options that do not fit are noted.

    Returns
    -------
    YearAnswers
        The answers.

    Raises
    ------
    ExtractError
        If columns cannot be read; the message names all of them.
    """
    maps = _label_maps(context, plan, findings)
    by_name = {claim.header for claim in claims if claim.item and not claim.mapped}
    outcomes: list[Outcome] = []
    families: dict[str, dict[str, tuple[RawColumn, Question]]] = {}
    steps = progress(plan.items.items(), "Reading answers", len(plan.items))
    for item_id, (header, question) in steps:
        column = columns[header]
        if context.instrument.items[item_id].kind == "tick":
            stem = question.number.split("_")[0]
            families.setdefault(stem, {})[item_id] = (column, question)
            continue
        reading = _read_question(
            context, plan.year, question, column, rows, maps.get(item_id, {}), header in by_name
        )
        outcomes.append(reading)
    outcomes += [read_ticks(context, plan, each, rows, findings) for each in families.values()]
    outcomes += [
        read_list(context, plan, columns[header], stem, rows) for header, stem in plan.lists.items()
    ]
    refuse_unreadable(
        [each for outcome in outcomes for each in outcome.zero_one],
        [each for outcome in outcomes for each in outcome.strange],
        context.table.where,
    )
    misnamed = [item for outcome in outcomes for item in outcome.misnamed]
    return YearAnswers(
        plan,
        rows,
        {item: codes for outcome in outcomes for item, codes in outcome.answers.items()},
        tuple(reading for outcome in outcomes for reading in outcome.readings),
        tuple(_note_misnamed(plan, item, findings) for item in misnamed),
    )


def _read_question(
    context: Context,
    year: int,
    question: Question,
    column: RawColumn,
    rows: Rows,
    given: Mapping[str, str],
    by_name: bool,
) -> Outcome:
    book = _book(context, question)
    if yes_no_as_zero_one(column, book, given):
        return Outcome(zero_one=((column.name, question),))
    decoded = decode_answers(column, book, given)
    unknown, held = share_unknown(column, decoded) if decoded.unknown.any() else (0, 0)
    if too_strange(unknown, held):
        if by_name and book.item.kind == "background":
            return Outcome(misnamed=(question.item,))
        return Outcome(strange=(StrangeColumn(column.name, question, unknown, held),))
    reading = Reading(year, question, column, decoded, rows)
    return Outcome({question.item: decoded.lookup[column.codes]}, (reading,))


def _label_maps(
    context: Context, plan: ColumnPlan, findings: Findings
) -> dict[str, dict[str, str]]:
    """Check the user's own answers for items of the file."""
    given = context.given
    maps: dict[str, dict[str, str]] = {}
    unused: list[str] = []
    by_key = {fold(question.number): item for item, (_, question) in plan.items.items()}
    by_key |= {fold(header): item for item, (header, _) in plan.items.items()}
    by_key |= {fold(item): item for item in plan.items}
    for name, texts in given.labels.items():
        item = by_key.get(fold(name))
        if item is None:
            unused.append(name)
        else:
            maps[item] = answer_map(texts, _book(context, plan.items[item][1]), given.source)
    findings.add(
        "note",
        "labels not used",
        given.source,
        len(unused),
        f"no such question in the {plan.year} file: {', '.join(unused[:6])}",
    )
    return maps


def _note_misnamed(plan: ColumnPlan, item_id: str, findings: Findings) -> str:
    """Note a column that shares its name with an item, such as an age in years."""
    header = plan.items[item_id][0]
    findings.add(
        "warning",
        "column kept as local",
        header,
        1,
        f"it is named like the item {item_id}, but its values are not that item's answers; "
        f"if it is the item, give its answers under [labels.{item_id}]",
    )
    return header
