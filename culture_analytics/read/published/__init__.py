"""Official result workbooks into the result schema: one module a layout, recognised by content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from culture_analytics.errors import PublishedError
from culture_analytics.estimates import Estimates
from culture_analytics.read.detect import recognise
from culture_analytics.read.headers import is_question
from culture_analytics.read.published.benchmark import read_benchmark, recognise_benchmark
from culture_analytics.read.published.cells import Source, read_source
from culture_analytics.read.published.contractor import read_contractor, recognise_contractor
from culture_analytics.read.published.detailed import read_detailed, recognise_detailed
from culture_analytics.read.published.england import load_england
from culture_analytics.read.published.pulse import read_pulse, recognise_pulse
from culture_analytics.read.published.successors import load_successors, successor
from culture_analytics.read.published.unweighted import read_unweighted, recognise_unweighted
from culture_analytics.read.raw import cell_text

__all__ = [
    "LAYOUTS",
    "Layout",
    "load_england",
    "load_successors",
    "read_published",
    "read_recognised",
    "successor",
]

MANY_QUESTIONS = 5
TOP_ROWS = 40


class Reader(Protocol):
    """Reads a recognised file."""

    def __call__(self, source: Source, *, year: int | None = None) -> Estimates:
        """Read it."""


@dataclass(frozen=True)
class Layout:
    """One layout of published results.

    Attributes
    ----------
    name : str
        What people call it.
    recognise : callable
        Whether a file looks like it.
    read : callable
        Reads it.
    """

    name: str
    recognise: Callable[[Source], bool]
    read: Reader


# Tried in this order; a new layout is a module and a line.
LAYOUTS: tuple[Layout, ...] = (
    Layout("detailed spreadsheets (2018 to 2020)", recognise_unweighted, read_unweighted),
    Layout("benchmark workbook", recognise_benchmark, read_benchmark),
    Layout("National Quarterly Pulse Survey", recognise_pulse, read_pulse),
    Layout("contractor's tables", recognise_contractor, read_contractor),
    Layout("detailed spreadsheets (2021 on)", recognise_detailed, read_detailed),
)


def read_published(path: str | Path, *, year: int | None = None) -> Estimates:
    """Read official results of the NHS Staff Survey, or a contractor's tables of them.

    The layout is recognised from the content. Read are the "detailed spreadsheets" of 2018 on
    (national, organisation-type, organisational), the benchmark workbook, contractors' long
    tables, and workbooks of the National Quarterly Pulse Survey.

    Parameters
    ----------
    path : str or Path
        The file.
    year : int, optional
        Survey year; only needed if the file does not say it, and must not contradict it.

    Returns
    -------
    Estimates
        ``source="published"``, or ``"contractor"``, ``"pulse"``. For every question the whole
        distribution of answers as published (``answer`` is its label), the reported measures
        added up from it (``answer=""``), and the scores; ids and groups are those of `calculate`.
        England is ``org="ENG"``. Percentages have Wilson limits on the published base
        (``method="base_only"``), probably too narrow under weighting; scores and means of
        organisations have none. A hyphen is a ``status``, never a figure. Measures that unite
        several questions, such as bullying by any staff, cannot be rebuilt from totals: they are
        there only where the file itself holds them.

    Raises
    ------
    PublishedError
        The file is missing, empty, damaged, encrypted or no published file; a sheet, question,
        answer, group or benchmark group is missing or not understood; answers do not add up to
        100 or are in another unit; the year is missing or contradicts `year`.

    Warns
    -----
    PublishedWarning
        Part of the file is defective or not known, and was left out by name.

    References
    ----------
    docs/reference/published.md

    Examples
    --------
    >>> import culture_analytics as ca
    >>> england = ca.read_published("NSS24 detailed spreadsheets national results.xlsx"
    ...     ).select(breakdown="overall", answer="")  # doctest: +SKIP
    """
    return read_recognised(
        read_source(recognise(path, error=PublishedError, caller="read_published")), year=year
    )


def read_recognised(source: Source, *, year: int | None = None) -> Estimates:
    """Read a file whose cells are at hand, in the first layout that recognises it.

    Parameters
    ----------
    source : Source
        The file and its cells.
    year : int, optional
        Survey year, if the file does not say it.

    Returns
    -------
    Estimates

    Raises
    ------
    PublishedError
        No layout recognises it, or that layout refuses it.
    """
    for layout in LAYOUTS:
        if layout.recognise(source):
            return layout.read(source, year=year)
    raise PublishedError(_not_recognised(source))


def _not_recognised(source: Source) -> str:
    name = source.file.name
    tops = {
        sheet: [[cell_text(cell) for cell in row] for row in rows[:TOP_ROWS]]
        for sheet, rows in source.sheets.items()
    }
    questions = max(
        (sum(map(is_question, row)) for rows in tops.values() for row in rows), default=0
    )
    if questions >= MANY_QUESTIONS or source.file.format == "sav":
        return (
            f"{name} holds answers of respondents ({questions} question columns), not published "
            f"results. Use read_extract({name!r})."
        )
    filled = [sheet for sheet, rows in tops.items() if any(any(row) for row in rows)]
    if not filled:
        return f"{name} is empty: none of its sheets holds a cell. Download the workbook again."
    known = "; ".join(layout.name for layout in LAYOUTS)
    sheets = ", ".join(repr(sheet) for sheet in filled[:8] if sheet)
    return (
        f"{name} is no published workbook that this version knows ({known}): no sheet has the "
        "headings of one. "
        + (f"Its sheets: {sheets}. " if sheets else "")
        + "Give the workbook as downloaded from the results archive."
    )
