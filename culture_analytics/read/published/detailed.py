"""The official "detailed spreadsheets" of 2021 on: national, organisation-type, organisational.

References
----------
NHS Staff Survey, "Detailed spreadsheets" (nhsstaffsurveys.com, results archive), and the notes on
their first sheet.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from culture_analytics.errors import PublishedError
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import Instrument, load_instrument
from culture_analytics.read.detect import FileKind
from culture_analytics.read.published.account import ParseReport, refuse
from culture_analytics.read.published.cells import Cells, Source
from culture_analytics.read.published.checks import check_blocks, without_defects
from culture_analytics.read.published.definitions import Definitions, load_definitions
from culture_analytics.read.published.grid import (
    Table,
    count_filled,
    find_header,
    read_grid,
    text_cells,
)
from culture_analytics.read.published.questions import (
    Block,
    Vocabulary,
    missing_questions,
    never_weighted,
    table_blocks,
)
from culture_analytics.read.published.rows import align, identify
from culture_analytics.read.published.spreadsheets import Spreadsheets, spreadsheet_estimates
from culture_analytics.read.published.years import survey_year

__all__ = ["parse_detailed", "read_detailed", "recognise_detailed", "small_base_limit"]

DEFAULT_LIMIT = 10
WHAT = "official detailed spreadsheets"


def recognise_detailed(source: Source) -> bool:
    """Tell whether a file looks like this layout.

    Parameters
    ----------
    source : Source
        The file and its cells.

    Returns
    -------
    bool
        Whether any sheet has a row of headings with bases.
    """
    definitions = load_definitions()
    return any(find_header(rows, definitions) is not None for rows in source.sheets.values())


def read_detailed(source: Source, *, year: int | None = None) -> Estimates:
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
    source.refuse_one_sheet()
    instrument = load_instrument()
    book = parse_detailed(source, year=year, instrument=instrument)
    return spreadsheet_estimates(book, instrument=instrument, file=source.file.name)


def parse_detailed(
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
    file, cells = source.file, source.sheets
    tables, texts = _tables(file, cells, definitions)
    notes_text = "\n".join(text for sheet in texts.values() for text in text_cells(sheet))
    all_text = "\n".join([notes_text, *(table.title for table in tables)])
    year = survey_year(file.name, all_text, given=year, instrument=instrument)
    _check_first(file.name, year, definitions)
    vocabulary = Vocabulary(year, instrument, definitions)

    problems = [problem for table in tables for problem in table.problems]
    notes = [note for table in tables for note in table.notes]
    warned: list[str] = []
    if len({table.kind for table in tables}) > 1:
        problems.append("some sheets are national and some organisational")
    refuse(file.name, problems, what=WHAT)
    order = align(tables, problems)
    refuse(file.name, problems, what=WHAT)
    rows = identify(tables[0], vocabulary, problems=problems, notes=warned)
    unknown: list[str] = []
    blocks: list[Block] = []
    for table, places in zip(tables, order, strict=True):
        blocks += table_blocks(
            table, places[rows.kept], vocabulary, problems=problems, unknown=unknown
        )
    problems += _twice(blocks)
    missing, optional = missing_questions(blocks, vocabulary)
    if missing:
        beside = f"; not understood: {', '.join(unknown[:6])}" if unknown else ""
        problems.append(
            f"{len(missing)} question(s) or score(s) of {year} are missing: "
            f"{', '.join(missing[:20])}{' ...' if len(missing) > 20 else ''}{beside}"
        )
    refuse(file.name, problems, what=WHAT)
    limit = small_base_limit(all_text, definitions)
    findings = check_blocks(blocks, limit)
    refuse(file.name, findings.problems, what=WHAT)
    report = _report(file, cells, tables, texts, blocks)
    blocks, defects = without_defects(blocks)
    blocks, unweighted = _unweighted(blocks, notes_text, definitions)
    weighted = {label for block in blocks for label in block.weighting} - {"unweighted"}
    if weighted and not unweighted:
        warned.append(
            "no sheet of notes lists the questions that are never weighted (factual ones, such as "
            "contracted hours): they carry the label of their rows, which may be wrong for them"
        )
    if unknown:
        warned.append(
            f"{len(unknown)} question(s) not known for {year}, not read: {', '.join(unknown)}"
        )
    if optional:
        notes.append(f"not in this file: {', '.join(optional)}")
    notes += [*_absent(blocks), *_blanks(tables), *unweighted]
    if definitions.release(year).note:
        notes.append(definitions.release(year).note)
    kind = "organisation type" if any(rows.within) else tables[0].kind
    return Spreadsheets(
        year=year,
        blocks=tuple(blocks),
        rows=rows,
        organisations=rows.organisations,
        report=report,
        limit=limit,
        synthetic="synthetic" in all_text.casefold(),
        warnings=(*defects, *findings.warnings, *warned),
        notes=(f"{file.name}: {kind} results of {year}; {report}", *notes),
    )


def _tables(
    file: FileKind, cells: Mapping[str, Cells], definitions: Definitions
) -> tuple[list[Table], dict[str, Cells]]:
    """Sheets with a table, and the others; one of figures without headings is refused."""
    tables: list[Table] = []
    texts: dict[str, Cells] = {}
    lost: list[str] = []
    for sheet, rows in cells.items():
        header = find_header(rows, definitions)
        if header is not None:
            tables.append(read_grid(sheet, rows, header, definitions))
            continue
        texts[sheet] = rows
        figures = sum(isinstance(c, float) for row in rows for c in row)
        if figures:
            lost.append(f"sheet {sheet!r}: {figures:,} figure(s) and no row of headings with bases")
    refuse(file.name, lost, what=WHAT)
    empty = [f"sheet {table.sheet!r}: headings and no row of figures" for table in tables
             if not len(table.values)]  # fmt: skip
    refuse(file.name, empty, what=WHAT)
    return tables, texts


def _check_first(name: str, year: int, definitions: Definitions) -> None:
    first = int(definitions.detailed["first_year"])
    if year < first:
        raise PublishedError(
            f"{name} holds {year}. Detailed spreadsheets before {first} have five rows of "
            "headings, the last of units (% and n), which this file does not. Use it as published."
        )


def small_base_limit(text: str, definitions: Definitions, default: int = DEFAULT_LIMIT) -> int:
    """Find the publisher's own limit in a workbook's text: fewer responses are not shown."""
    found = re.findall(definitions.detailed["limit"], text, re.IGNORECASE)
    return max(map(int, found), default=default)


def _twice(blocks: Sequence[Block]) -> list[str]:
    places: dict[str, list[str]] = {}
    for block in blocks:
        places.setdefault(block.id, []).append(f"{block.number} on sheet {block.sheet!r}")
    return [f"{i} stands twice: {', '.join(p)}" for i, p in places.items() if len(p) > 1]


def _unweighted(
    blocks: Sequence[Block], text: str, definitions: Definitions
) -> tuple[list[Block], list[str]]:
    """Questions the notes list as never weighted are labelled so, whatever stands in the rows.

    In the official 2024 national file their percentages of the base are whole numbers of people,
    while the column "Weighting" holds one label for all questions of a row.
    """
    chosen = never_weighted(text, [block.number for block in blocks], definitions)
    labelled = [
        replace(block, weighting=("unweighted",) * len(block.weighting))
        if block.number in chosen
        else block
        for block in blocks
    ]
    if not chosen:
        return labelled, []
    return labelled, [
        f"{len(chosen)} questions are never weighted, as the file's notes say, and are labelled so"
    ]


def _absent(blocks: Sequence[Block]) -> list[str]:
    found = [f"{block.number} ({', '.join(block.absent)})" for block in blocks if block.absent]
    return [f"answers without a column, nobody's in this file: {'; '.join(found)}"] if found else []


def _blanks(tables: Sequence[Table]) -> list[str]:
    blank = {
        table.sheet: table.values.size - table.counts["figures"] - table.counts["marks"]
        for table in tables
    }
    cells = sum(blank.values())
    if not cells:
        return []
    return [f"{cells:,} blank cell(s) where figures belong, taken as unavailable"]


def _report(
    file: FileKind,
    cells: Mapping[str, Cells],
    tables: Sequence[Table],
    texts: Mapping[str, Cells],
    blocks: Sequence[Block],
) -> ParseReport:
    """Count every cell in two ways and compare."""
    counts: Counter[str] = Counter()
    for table in tables:
        counts.update(table.counts)
    counts["notes"] = sum(len(text_cells(sheet)) for sheet in texts.values())
    total = count_filled(cell for sheet in cells.values() for row in sheet for cell in row)
    arrays = [a for block in blocks for a in (block.values, block.base)]
    mapped = sum(int(np.count_nonzero(~np.isnan(a))) for a in arrays)
    statuses = [a for block in blocks for a in (block.status, block.base_status)]
    blanks = sum(t.values.size - t.counts["figures"] - t.counts["marks"] for t in tables)
    marks = sum(int(np.count_nonzero(a)) for a in statuses) - blanks
    report = ParseReport(
        cells=dict(counts),
        total=total,
        figures_mapped=mapped,
        marks_mapped=marks,
        unread=counts["figures"] + counts["marks"] - mapped - marks,
        sheets=len(tables),
        questions=len(blocks),
        rows=len(blocks[0].base),
    )
    report.check(file.name)
    return report
