"""The "detailed spreadsheets" of 2018 to 2020: five rows of headings, unweighted.

Question number, question, part, answer and unit stand in a row each, written once over the first
column they hold for. Rows for all trusts, for a type of trust and for a group of staff are means
of the organisations' percentages, not percentages of people: they have no binomial limits, and
their weighting says so.

References
----------
NHS Staff Survey 2018, "Detailed spreadsheets", notes on their first sheet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from culture_analytics.errors import PublishedError
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import Instrument, load_instrument
from culture_analytics.read.published.account import ParseReport, refuse
from culture_analytics.read.published.cells import Cells, Source
from culture_analytics.read.published.checks import check_blocks, without_defects
from culture_analytics.read.published.definitions import load_definitions
from culture_analytics.read.published.detailed import small_base_limit
from culture_analytics.read.published.grid import (
    Table,
    count_filled,
    text_cells,
)
from culture_analytics.read.published.labels import identify_labels
from culture_analytics.read.published.questions import Block, Vocabulary
from culture_analytics.read.published.rows import Rows
from culture_analytics.read.published.spreadsheets import Spreadsheets, spreadsheet_estimates
from culture_analytics.read.published.unweighted_questions import missing_from_part, sheet_blocks
from culture_analytics.read.published.unweighted_sheets import (
    WHAT,
    align_sheets,
    find_units,
    read_sheets,
    sheet_bases,
)
from culture_analytics.read.published.years import survey_year

__all__ = ["MEANS", "parse_unweighted", "read_unweighted", "recognise_unweighted"]

DEFAULT_LIMIT = 11
MEANS = "mean of organisations"
FIRST_YEAR, LAST_YEAR = 2018, 2020


def recognise_unweighted(source: Source) -> bool:
    """Tell whether a file looks like this layout.

    Parameters
    ----------
    source : Source
        The file and its cells.

    Returns
    -------
    bool
        Whether any sheet has a row of units (% and n) under a row of answers and bases.
    """
    return any(find_units(rows) is not None for rows in source.sheets.values())


def read_unweighted(source: Source, *, year: int | None = None) -> Estimates:
    """Read a workbook of this layout into the result schema.

    Parameters
    ----------
    source : Source
        The workbook and its cells.
    year : int, optional
        Survey year, if the workbook does not say it.

    Returns
    -------
    Estimates

    Raises
    ------
    PublishedError
        See `culture_analytics.read_published`.
    """
    instrument = load_instrument()
    book = parse_unweighted(source, year=year, instrument=instrument)
    return spreadsheet_estimates(book, instrument=instrument, file=source.file.name)


def parse_unweighted(
    source: Source, *, year: int | None = None, instrument: Instrument | None = None
) -> Spreadsheets:
    """Understand and check a workbook of this layout.

    Parameters
    ----------
    source : Source
        The workbook and its cells.
    year : int, optional
        Survey year, if the workbook does not say it.
    instrument : Instrument, optional
        Default: the package's own.

    Returns
    -------
    Spreadsheets

    Raises
    ------
    PublishedError
        Anything in it is not understood or contradicts itself; all problems are listed.
    """
    instrument = instrument or load_instrument()
    definitions = load_definitions()
    name, cells = source.file.name, source.sheets
    source.refuse_one_sheet()
    sheets, texts = read_sheets(name, cells, definitions)
    tables = [sheet.table for sheet in sheets]
    notes_text = "\n".join(text for rows in texts.values() for text in text_cells(rows))
    all_text = "\n".join([notes_text, *(table.title for table in tables)])
    year = survey_year(name, all_text, given=year, instrument=instrument)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise PublishedError(
            f"{name} has the layout of {FIRST_YEAR} to {LAST_YEAR} and says it holds {year}. Use "
            "the file as published."
        )
    vocabulary = Vocabulary(year, instrument, definitions)

    problems = [problem for table in tables for problem in table.problems]
    notes = [note for table in tables for note in table.notes]
    warned: list[str] = []
    refuse(name, problems, what=WHAT)
    order = align_sheets(sheets, problems)
    refuse(name, problems, what=WHAT)
    bases = sheet_bases(tables[0])
    rows = identify_labels(
        sheets[0].labels,
        sheets[0].headings,
        bases,
        vocabulary,
        problems=problems,
        notes=warned,
    )
    refuse(name, problems, what=WHAT)
    unknown: list[str] = []
    blocks: list[Block] = []
    for table, places in zip(tables, order, strict=True):
        blocks += sheet_blocks(table, places[rows.kept], vocabulary, problems, unknown)
    problems += missing_from_part(blocks, vocabulary, notes_text, unknown)
    refuse(name, problems, what=WHAT)
    limit = small_base_limit(all_text, definitions, DEFAULT_LIMIT)
    findings = check_blocks(blocks, limit)
    refuse(name, findings.problems, what=WHAT)
    report = _report(name, cells, tables, texts, blocks, rows)
    blocks, defects = without_defects(blocks)
    labels = tuple("unweighted" if not mean else MEANS for mean in rows.means)
    blocks = [replace(block, weighting=labels) for block in blocks]
    if unknown:
        warned.append(
            f"{len(unknown)} question(s) not known for {year}, not read: {', '.join(unknown)}"
        )
    shared = [block.number for block in blocks if block.overlapping]
    if shared:
        notes.append(
            f"{', '.join(shared)}: more than one answer could be given, so answers add up to more "
            "than 100 and no measure is added up from them"
        )
    notes.append(
        "rows for all trusts, for types of trust and for groups of staff are means of the "
        "organisations' percentages (unweighted): no limits are given, and they are compared "
        "with nothing that is weighted"
    )
    return Spreadsheets(
        year=year,
        blocks=tuple(blocks),
        rows=rows,
        organisations=rows.organisations,
        report=report,
        limit=limit,
        synthetic="synthetic" in all_text.casefold(),
        warnings=(*defects, *findings.warnings, *warned),
        notes=(f"{name}: unweighted results of {year}; {report}", *notes),
    )


def _report(
    name: str,
    cells: Mapping[str, Cells],
    tables: Sequence[Table],
    texts: Mapping[str, Cells],
    blocks: Sequence[Block],
    rows: Rows,
) -> ParseReport:
    """Count every cell in two ways and compare."""
    counts: dict[str, int] = {}
    for table in tables:
        for what, number in table.counts.items():
            counts[what] = counts.get(what, 0) + number
    counts["notes"] = sum(len(text_cells(sheet)) for sheet in texts.values())
    # The grounds of one question share its base: counted once.
    bases = {(block.sheet, block.number.split("_")[0]): block for block in blocks}
    mapped = sum(_known(b.values) for b in blocks) + sum(_known(b.base) for b in bases.values())
    marked = sum(int(np.count_nonzero(b.status)) for b in blocks)
    marked += sum(int(np.count_nonzero(b.base_status)) for b in bases.values())
    blanks = sum(t.values.size - t.counts["figures"] - t.counts["marks"] for t in tables)
    marks = max(marked - blanks, 0)
    report = ParseReport(
        cells=counts,
        total=count_filled(cell for sheet in cells.values() for row in sheet for cell in row),
        figures_mapped=mapped,
        marks_mapped=marks,
        unread=counts["figures"] + counts["marks"] - mapped - marks,
        sheets=len(tables),
        questions=len(blocks),
        rows=len(rows),
    )
    report.check(name)
    return report


def _known(figures: NDArray[np.float64]) -> int:
    return int(np.count_nonzero(~np.isnan(figures)))
