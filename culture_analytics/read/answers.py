"""Reads the answers of every survey year in a file, each by its own questionnaire."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from culture_analytics.read.claims import Claim, keep_as_local
from culture_analytics.read.context import Context
from culture_analytics.read.findings import Findings
from culture_analytics.read.outcome import Reading
from culture_analytics.read.plan import ColumnPlan
from culture_analytics.read.raw import RawColumn, RawTable
from culture_analytics.read.values import MISSING
from culture_analytics.read.year_answers import YearAnswers, read_year, settle_columns
from culture_analytics.read.year_fit import check_year, year_fits

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culture_analytics.read.outcome import Rows

__all__ = ["Answers", "read_answers"]


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers of a file.

    Attributes
    ----------
    items : mapping of str to ndarray of int8, shape (rows,)
        Item id to positions in the item's categories; -1 missing.
    plans : tuple of ColumnPlan
        What every column was, by year.
    readings : tuple of Reading
        How the answers were read.
    claims : tuple of Claim
        What each column is, now that its values are known.
    """

    items: Mapping[str, NDArray[np.int8]]
    plans: tuple[ColumnPlan, ...]
    readings: tuple[Reading, ...]
    claims: tuple[Claim, ...]


def read_answers(
    context: Context,
    claims: Sequence[Claim],
    years: NDArray[np.int16],
    keep: NDArray[np.bool_],
    findings: Findings,
) -> Answers:
    """Read the answers of every year among the rows kept.

    Parameters
    ----------
    context : Context
        The file, and what it is read with.
    claims : sequence of Claim
        What each column could be.
    years : ndarray of int16, shape (rows,)
        Survey year of each row.
    keep : ndarray of bool, shape (rows,)
        Rows kept until now.
    findings : Findings
        What a person should know.

    Returns
    -------
    Answers
        Of all rows, kept or not.

    Raises
    ------
    ExtractError
        If a year does not fit its rows' columns, or a column cannot be understood.
    """
    table, claims = context.table, tuple(claims)
    wanted = sorted({int(y) for y in np.unique(years[keep])})
    done: list[YearAnswers] = []
    for year in wanted:
        rows: Rows = slice(None) if len(wanted) == 1 else np.flatnonzero(years == year)
        columns = _columns_of(table, rows)
        mine = claims
        if len(wanted) > 1:
            mine = _claims_with_data(claims, columns)
            fits = year_fits(mine, context.instrument)
            rows_of = f"{table.where}, rows of {year}"
            check_year(year, fits, context.instrument, rows_of, file_says_so=True)
        plan = settle_columns(context, mine, columns, year)
        done.append(read_year(context, claims, plan, columns, rows, findings))
        claims = keep_as_local(claims, done[-1].misnamed)
    return Answers(
        _of_all_rows(done, table.rows),
        tuple(each.plan for each in done),
        tuple(reading for each in done for reading in each.readings),
        claims,
    )


def _columns_of(table: RawTable, rows: Rows) -> dict[str, RawColumn]:
    if isinstance(rows, slice):
        return {column.name: column for column in table.columns}
    return {
        column.name: dataclasses.replace(column, codes=column.codes[rows])
        for column in table.columns
    }


def _claims_with_data(
    claims: Sequence[Claim], columns: Mapping[str, RawColumn]
) -> tuple[Claim, ...]:
    """In a file of several years, a column blank in one year was not part of that year."""
    return tuple(c for c in claims if c.role or columns[c.header].filled)


def _of_all_rows(years: Sequence[YearAnswers], rows: int) -> dict[str, NDArray[np.int8]]:
    """Put the years' answers into one array an item; rows of a year without it are missing."""
    items: dict[str, NDArray[np.int8]] = {}
    for year in years:
        if isinstance(year.rows, slice):
            return dict(year.answers)
        for item, codes in year.answers.items():
            if item not in items:
                items[item] = np.full(rows, MISSING, dtype=np.int8)
            items[item][year.rows] = codes
    return items
