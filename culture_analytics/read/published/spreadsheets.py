"""Detailed spreadsheets of any year, once understood: what both layouts end in."""

from __future__ import annotations

from dataclasses import dataclass, field

from culture_analytics.estimates import Estimates
from culture_analytics.instrument import Instrument
from culture_analytics.read.published.account import Understood, publisher_rule
from culture_analytics.read.published.assemble import assemble
from culture_analytics.read.published.definitions import load_definitions
from culture_analytics.read.published.questions import Block
from culture_analytics.read.published.rows import Rows

__all__ = ["Spreadsheets", "spreadsheet_estimates"]


@dataclass(frozen=True, eq=False)
class Spreadsheets(Understood):
    """A workbook understood.

    Attributes
    ----------
    year : int
        Survey year.
    blocks : tuple of Block
        Questions, all in the row order of `rows`.
    rows : Rows
        Whose figures they are.
    limit : int
        The publisher's own limit, in responses.
    """

    year: int
    blocks: tuple[Block, ...] = field(repr=False)
    rows: Rows = field(repr=False)
    limit: int


def spreadsheet_estimates(book: Spreadsheets, *, instrument: Instrument, file: str) -> Estimates:
    """Warn of what is defective and put the figures into the result schema.

    Parameters
    ----------
    book : Spreadsheets
        The workbook understood.
    instrument : Instrument
        Measures and labels.
    file : str
        Name of the file.
    """
    release = book.release(f"{book.year} {load_definitions().detailed['release']}")
    frame = assemble(
        book.blocks, book.rows, year=book.year, release=release, instrument=instrument, file=file
    )
    return book.estimates(frame, publisher_rule(book.limit), file=file, depth=1)
