"""Official result workbooks into the result schema: one module a layout, recognised by content."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from culture_analytics.errors import PublishedError
from culture_analytics.estimates import Estimates
from culture_analytics.read.detect import FileKind
from culture_analytics.read.formats import FilePeek, peek_file
from culture_analytics.read.headers import is_question
from culture_analytics.read.published.detailed import read_detailed, recognise_detailed

__all__ = ["LAYOUTS", "Layout", "read_published"]

Tops = Mapping[str, Sequence[Sequence[str]]]
MANY_QUESTIONS = 5


class Reader(Protocol):
    """Reads a recognised file."""

    def __call__(self, file: FileKind, *, year: int | None = None) -> Estimates:
        """Read it."""


@dataclass(frozen=True)
class Layout:
    """One layout of published results.

    Attributes
    ----------
    name : str
        What people call it.
    recognise : callable
        Whether the first rows of a file's sheets look like it.
    read : callable
        Reads it.
    """

    name: str
    recognise: Callable[[Tops], bool]
    read: Reader


# Tried in this order; a new layout is a module and a line.
LAYOUTS: tuple[Layout, ...] = (
    Layout("detailed spreadsheets (2021 on)", recognise_detailed, read_detailed),
)


def read_published(path: str | Path, *, year: int | None = None) -> Estimates:
    """Read official results of the NHS Staff Survey.

    The layout is recognised from the content. Read are the "detailed spreadsheets" of 2021 on:
    the national, the organisation-type and the organisational workbook, as downloaded.

    Parameters
    ----------
    path : str or Path
        The workbook.
    year : int, optional
        Survey year; only needed if the workbook does not say it. The file name is not trusted.

    Returns
    -------
    Estimates
        ``source="published"``. For every question the whole distribution of answers as published
        (``answer`` is its label), the reported measures added up from it (``answer=""``), and
        the scores; ids and groups are those of `calculate`. England is ``org="ENG"``. Percentages
        have Wilson limits on the published base (``method="base_only"``), probably too narrow
        under weighting; scores have none. A hyphen is a ``status``, never a figure. Measures that
        unite several questions, such as bullying by any staff, cannot be rebuilt from totals and
        are not there.

    Raises
    ------
    PublishedError
        The file is missing, empty, damaged, encrypted or no published workbook; a sheet,
        question, answer, group or benchmark group is missing or not understood; percentages do
        not add up or are proportions; the year is missing or contradicts `year`.

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
    peek = peek_file(path, error=PublishedError, caller="read_published")
    for layout in LAYOUTS:
        if layout.recognise(peek.tops):
            return layout.read(peek.kind, year=year)
    raise PublishedError(_not_recognised(peek))


def _not_recognised(peek: FilePeek) -> str:
    name = peek.kind.name
    questions = max(
        (sum(map(is_question, row)) for rows in peek.tops.values() for row in rows), default=0
    )
    if questions >= MANY_QUESTIONS or peek.kind.format == "sav":
        return (
            f"{name} holds answers of respondents ({questions} question columns), not published "
            f"results. Use read_extract({name!r})."
        )
    filled = [sheet for sheet, rows in peek.tops.items() if any(any(row) for row in rows)]
    if not filled:
        return f"{name} is empty: none of its sheets holds a cell. Download the workbook again."
    known = "; ".join(layout.name for layout in LAYOUTS)
    sheets = ", ".join(repr(sheet) for sheet in filled[:8] if sheet)
    return (
        f"{name} is no published workbook that this version knows ({known}): no sheet has a row of "
        f"headings with 'Base (number of responses)'. "
        + (f"Its sheets: {sheets}. " if sheets else "")
        + "Give the workbook as downloaded from the results archive."
    )
