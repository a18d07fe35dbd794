"""Which survey year each respondent answered in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from culture_analytics.errors import ExtractError
from culture_analytics.instrument import Instrument
from culture_analytics.read.claims import Claim, role_column
from culture_analytics.read.context import Context
from culture_analytics.read.findings import Findings
from culture_analytics.read.raw import BLANK, RawColumn
from culture_analytics.read.rows import fill_or_set_aside, set_aside
from culture_analytics.read.year_fit import YearFit, check_year, infer_year, year_fits

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["settle_years"]


def settle_years(
    context: Context,
    claims: Sequence[Claim],
    year: int | None,
    keep: NDArray[np.bool_],
    findings: Findings,
) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """Settle every row's survey year.

    Parameters
    ----------
    context : Context
        The file, and what it is read with.
    claims : sequence of Claim
        What each column is.
    year : int or None
        The year the user says; None to find it.
    keep : ndarray of bool, shape (rows,)
        Rows kept until now.
    findings : Findings
        Where rows set aside are counted.

    Returns
    -------
    years : ndarray of int16, shape (rows,)
        Survey year; of use only where the row is kept.
    keep : ndarray of bool, shape (rows,)
        Rows still kept: those of another year, or of none, are not.

    Raises
    ------
    ExtractError
        If the year cannot be told, no row is of the one wanted, or the questions do not fit it.
    """
    instrument, where = context.instrument, context.table.where
    column = role_column(context.table, claims, "year")
    fits = year_fits(claims, instrument)
    if column is None or column.filled == 0:
        if year is None:
            year, reason = infer_year(fits, context.table.title, where)
            findings.add("note", "year inferred", where, 1, f"{year}: {reason}")
        return _one_year(context, year, fits), keep
    lookup = np.array([*map(_year_of, column.values), BLANK], dtype=np.int16)
    codes = lookup[column.codes]
    found = sorted({int(y) for y in np.unique(codes[keep]) if y > 0})
    if year is not None and not found:
        findings.add(
            "warning",
            "year column not understood",
            column.name,
            int(column.filled),
            f"year={year} was used for every row",
        )
        return _one_year(context, year, fits), keep
    _refuse_years(column, found, year, where)
    wanted = _wanted_years(found, year, instrument, fits, where)
    codes, keep = _blank_years(codes, keep, found, where, findings)
    reason = f"another survey year than {', '.join(map(str, wanted))}"
    keep = set_aside(keep, ~np.isin(codes, wanted), reason, findings)
    if len(wanted) == 1:
        check_year(wanted[0], fits, instrument, where, file_says_so=True)
    return codes, keep


def _one_year(context: Context, year: int, fits: Mapping[int, YearFit]) -> NDArray[np.int16]:
    check_year(year, fits, context.instrument, context.table.where)
    return np.full(context.table.rows, year, dtype=np.int16)


def _refuse_years(column: RawColumn, found: Sequence[int], year: int | None, where: str) -> None:
    if not found:
        raise ExtractError(
            f"Column {column.name!r} of {where} holds no survey year in {column.filled:,} "
            "rows. Give year=, and columns={"
            f'"{column.name}": "local"}} if it is something else.'
        )
    if year is not None and year not in found:
        raise ExtractError(
            f"{where} holds no respondent of {year}: its column {column.name!r} says "
            f"{', '.join(map(str, found))}. Give that year, or leave year= out."
        )


def _wanted_years(
    found: Sequence[int],
    year: int | None,
    instrument: Instrument,
    fits: Mapping[int, YearFit],
    where: str,
) -> list[int]:
    """Give the years to read: the user's, or all that the questionnaire covers."""
    if year is not None:
        return [year]
    known = [y for y in found if y in instrument.years]
    if not known:
        check_year(found[0], fits, instrument, where)
    return known


def _blank_years(
    codes: NDArray[np.int16],
    keep: NDArray[np.bool_],
    found: Sequence[int],
    where: str,
    findings: Findings,
) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    # Rows set aside before may hold a year that no row kept has.
    places = np.minimum(np.searchsorted(found, codes), len(found) - 1)
    positions = np.where(codes < 0, -1, places).astype(np.int32)
    filled, keep = fill_or_set_aside(
        positions, keep, len(found), "no survey year given", where, findings
    )
    years = np.where(filled < 0, -1, np.asarray(found)[filled]).astype(np.int16)
    return years, keep


def _year_of(text: str) -> int:
    """Read a survey year from a cell: 2024, NSS24, 30/11/2024; -1 if there is none."""
    four = re.findall(r"(?<!\d)20\d\d(?!\d)", text)
    if four:
        return int(four[-1])
    two = re.search(r"(?<!\d)([12]\d)$", text.strip().removesuffix(".0"))
    return 2000 + int(two[1]) if two else BLANK
