"""Puts together what ``survey.quality`` says of a file: every row, every column, every finding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from culture_analytics.instrument import Instrument
from culture_analytics.read.answers import Answers
from culture_analytics.read.claims import Claim
from culture_analytics.read.context import Context
from culture_analytics.read.findings import Findings, listed
from culture_analytics.read.item_counts import count_items, count_readings
from culture_analytics.read.local import Use
from culture_analytics.read.plan import ColumnPlan
from culture_analytics.read.raw import RawTable
from culture_analytics.read.ticks import options_of
from culture_analytics.read.validate import ValidationReport, count_duplicates
from culture_analytics.survey import Survey

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["quality_report"]

COLUMNS_OF_A_SURVEY = 30


def quality_report(
    context: Context,
    survey: Survey,
    answers: Answers,
    uses: Mapping[str, Use],
    keep: NDArray[np.bool_],
    findings: Findings,
) -> ValidationReport:
    """Write the report of a reading.

    Parameters
    ----------
    context : Context
        The file, and what it was read with.
    survey : Survey
        Respondents kept.
    answers : Answers
        How the answers were read.
    uses : mapping of str to Use
        Header to use, for columns that are no question.
    keep : ndarray of bool, shape (rows,)
        Rows kept.
    findings : Findings
        What was found until now.

    Returns
    -------
    ValidationReport
        Counts only.
    """
    table = context.table
    records = count_readings(answers.readings, keep, findings)
    first = min((record["year"] for record in records), default=0)
    for plan in answers.plans:
        _note_not_asked(plan, table, findings)
        _note_numbering(plan, findings)
        _note_absent(plan, context.instrument, findings)
        if plan.year == first:
            _note_local(answers.claims, uses, table.where, findings)
    _note_duplicates(table, answers.claims, keep, findings)
    items = count_items(survey, records, findings)
    return ValidationReport(
        source=table.where,
        format=table.format if table.encoding is None else f"{table.format}, {table.encoding}",
        years=survey.years,
        organisations=len(survey.orgs),
        rows_read=table.rows + table.ragged,
        rows_kept=survey.n,
        set_aside=dict(findings.set_aside),
        items=items,
        columns=_column_uses(table, answers.plans, uses),
        issues=findings.sorted_issues(),
    )


def _note_not_asked(plan: ColumnPlan, table: RawTable, findings: Findings) -> None:
    strangers = [header for header in plan.not_asked if table[header].filled]
    findings.add(
        "warning",
        "items not asked that year",
        str(plan.year),
        len(strangers),
        f"columns that are no question of {plan.year}, kept as local columns: {listed(strangers)}",
    )


def _note_numbering(plan: ColumnPlan, findings: Findings) -> None:
    if not plan.variant:
        return
    touched = [q for _, q in plan.items.values() if q.variant == plan.variant]
    what = {"form": "the printed form", "extract": "the data extract"}[plan.variant]
    findings.add(
        "note",
        "numbering",
        str(plan.year),
        len(touched),
        f"the last questions are numbered as in {what}",
    )


def _note_absent(plan: ColumnPlan, instrument: Instrument, findings: Findings) -> None:
    lists = plan.lists.values()
    options = {q.item for stem in lists for q in options_of(stem, plan.year, instrument)}
    present = {*plan.items, *options}
    wanted = {
        item: None
        for measures in instrument.domains.values()
        for measure in measures
        for item, _ in instrument.measures[measure].parts
    }
    absent = [
        instrument.number(item, plan.year) or item
        for item in wanted
        if instrument.asked(item, plan.year) and item not in present
    ]
    findings.add(
        "note",
        "questions without a column",
        str(plan.year),
        len(absent),
        f"measures that need them are not available: {listed(absent)}",
    )


def _note_local(
    claims: Sequence[Claim], uses: Mapping[str, Use], where: str, findings: Findings
) -> None:
    local = [
        claim.header
        for claim in claims
        if claim.role == "local" and not claim.mapped and claim.header in uses
    ]
    findings.add(
        "note",
        "local columns",
        where,
        len(local),
        f"no question and no known role: {listed(local)}",
    )


def _note_duplicates(
    table: RawTable, claims: Sequence[Claim], keep: NDArray[np.bool_], findings: Findings
) -> None:
    codes = [column.codes[keep] for column in table.columns]
    # Few columns repeat by chance; a whole questionnaire does not.
    findings.add(
        "warning" if len(codes) >= COLUMNS_OF_A_SURVEY else "note",
        "duplicate rows",
        table.where,
        count_duplicates(codes),
        "rows equal to another row in every column; kept, since only the data's owner can say "
        "whether somebody was entered twice",
    )
    for claim in claims:
        if claim.role != "id":
            continue
        column = table[claim.header].codes[keep]
        held = column[column >= 0]
        findings.add(
            "warning",
            "duplicate respondent numbers",
            claim.header,
            len(held) - len(np.unique(held)),
            "rows whose respondent number an earlier row has; kept",
        )


def _column_uses(
    table: RawTable, plans: Sequence[ColumnPlan], uses: Mapping[str, Use]
) -> pd.DataFrame:
    asked = {
        header: Use(f"question {question.number}", item)
        for plan in plans
        for item, (header, question) in plan.items.items()
    }
    asked |= {
        header: Use(f"question {stem} (list)", stem)
        for plan in plans
        for header, stem in plan.lists.items()
    }
    found = [uses.get(name) or asked[name] for name in table.names]
    rows = [(name, use.use, use.name) for name, use in zip(table.names, found, strict=True)]
    return pd.DataFrame(rows, columns=["header", "use", "name"])
