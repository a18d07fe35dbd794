"""The official "detailed spreadsheets" of 2021 on: national, organisation-type, organisational.

References
----------
NHS Staff Survey, "Detailed spreadsheets" (nhsstaffsurveys.com, results archive), and the notes on
their first sheet.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from culture_analytics.disclosure.rules import Rule, load_rule
from culture_analytics.errors import PublishedError, PublishedWarning
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import Instrument, load_instrument
from culture_analytics.read.detect import FileKind
from culture_analytics.read.formats import WORKBOOKS
from culture_analytics.read.published.assemble import assemble
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
from culture_analytics.read.published.rows import Rows, align, identify
from culture_analytics.read.workbook import open_workbook

__all__ = ["ParseReport", "Workbook", "parse_detailed", "read_detailed", "recognise_detailed"]

DEFAULT_LIMIT = 10


@dataclass(frozen=True)
class ParseReport:
    """Every cell of the workbook that is not blank, by what it was taken for.

    Attributes
    ----------
    cells : mapping of str to int
        ``figures``, ``marks``, ``identifiers``, ``headings`` and texts.
    total : int
        Cells of the workbook that are not blank, counted on their own.
    figures_mapped, marks_mapped : int
        Of those, the ones that stand in the result.
    unread : int
        Figures and marks of questions or rows that are not read, named in the notes.
    sheets, questions, rows : int
        Tables, questions and rows read.
    """

    cells: Mapping[str, int]
    total: int
    figures_mapped: int
    marks_mapped: int
    unread: int
    sheets: int
    questions: int
    rows: int

    def __str__(self) -> str:
        """Give the count in a sentence."""
        return (
            f"{self.sheets} sheets, {self.questions} questions and scores, {self.rows:,} rows: "
            f"{self.figures_mapped:,} figures and {self.marks_mapped:,} marks read, "
            f"{self.unread:,} not read; {self.total:,} cells accounted for"
        )


@dataclass(frozen=True, eq=False)
class Workbook:
    """A workbook understood: its questions, its rows and what was found on the way.

    Attributes
    ----------
    year : int
        Survey year.
    kind : str
        ``national``, ``organisation type`` or ``organisational``.
    blocks : tuple of Block
        Questions, all in the row order of `rows`.
    rows : Rows
        Whose figures they are.
    report : ParseReport
        Every cell accounted for.
    limit : int
        The publisher's own limit, in responses.
    synthetic : bool
        Whether the workbook says that it is not real.
    warnings, notes : tuple of str
        What a reader must know.
    """

    year: int
    kind: str
    blocks: tuple[Block, ...] = field(repr=False)
    rows: Rows = field(repr=False)
    report: ParseReport
    limit: int
    synthetic: bool
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def recognise_detailed(tops: Mapping[str, Sequence[Sequence[str]]]) -> bool:
    """Tell whether the first rows of a workbook's sheets look like this layout.

    Parameters
    ----------
    tops : mapping of str to rows of str
        Sheet name to its first rows.

    Returns
    -------
    bool
        Whether any sheet has a row of headings with bases.
    """
    definitions = load_definitions()
    return any(find_header(rows, definitions) is not None for rows in tops.values())


def read_detailed(file: FileKind, *, year: int | None = None) -> Estimates:
    """Read a workbook of this layout into the result schema.

    Parameters
    ----------
    file : FileKind
        The workbook.
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
    if file.format not in WORKBOOKS:
        raise PublishedError(
            f"{file.name} is one sheet saved as text. The checks need the whole workbook: give the "
            "file as downloaded from the results archive."
        )
    instrument = load_instrument()
    book = parse_detailed(file, year=year, instrument=instrument)
    for text in book.warnings:
        warnings.warn(f"{file.name}: {text}.", PublishedWarning, stacklevel=3)
    release = f"{book.year} {load_definitions().detailed['release']}"
    if book.synthetic:
        release += " (synthetic)"
    frame = assemble(book.blocks, book.rows, year=book.year, release=release, instrument=instrument)
    return Estimates(
        frame,
        rule=_rule(book.limit),
        organisations=book.rows.organisations,
        notes=(*book.warnings, *book.notes),
    )


def parse_detailed(
    file: FileKind, *, year: int | None = None, instrument: Instrument | None = None
) -> Workbook:
    """Understand and check a workbook of this layout.

    Parameters
    ----------
    file : FileKind
        The workbook.
    year : int, optional
        Survey year, if the workbook does not say it.
    instrument : Instrument, optional
        Default: the package's own.

    Returns
    -------
    Workbook

    Raises
    ------
    PublishedError
        Anything in it is not understood or contradicts itself; all problems are listed.
    """
    instrument = instrument or load_instrument()
    definitions = load_definitions()
    cells = _all_cells(file)
    tables, texts = _tables(file, cells, definitions)
    notes_text = "\n".join(text for sheet in texts.values() for text in text_cells(sheet))
    all_text = "\n".join([notes_text, *(table.title for table in tables)])
    year = _year(file, all_text, given=year, instrument=instrument, definitions=definitions)
    vocabulary = Vocabulary(year, instrument, definitions)

    problems = [problem for table in tables for problem in table.problems]
    notes = [note for table in tables for note in table.notes]
    warned: list[str] = []
    if len({table.kind for table in tables}) > 1:
        problems.append("some sheets are national and some organisational")
    _refuse(file, problems)
    order = align(tables, problems)
    _refuse(file, problems)
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
    _refuse(file, problems)
    limit = _limit(all_text, definitions)
    findings = check_blocks(blocks, limit)
    _refuse(file, findings.problems)
    report = _report(file, cells, tables, texts, blocks)
    blocks, defects = without_defects(blocks)
    blocks, unweighted = _unweighted(blocks, notes_text, definitions)
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
    return Workbook(
        year=year,
        kind=kind,
        blocks=tuple(blocks),
        rows=rows,
        report=report,
        limit=limit,
        synthetic="synthetic" in all_text.casefold(),
        warnings=(*defects, *findings.warnings, *warned),
        notes=(f"{file.name}: {kind} results of {year}; {report}", *notes),
    )


def _refuse(file: FileKind, problems: Sequence[str]) -> None:
    if problems:
        shown = "\n  ".join(problems[:30])
        more = f"\n  ... and {len(problems) - 30:,} more" if len(problems) > 30 else ""
        raise PublishedError(
            f"{file.name} cannot be read as official detailed spreadsheets: {len(problems)} "
            f"problem(s).\n  {shown}{more}\nUse the file as published; if it is, the layout has "
            "changed and its spellings belong in instrument/data/published.toml."
        )


def _all_cells(file: FileKind) -> dict[str, list[list[Any]]]:
    """Every sheet from its first row and column on."""
    with open_workbook(file, error=PublishedError) as book:
        cells = {}
        for name in book.sheet_names:
            try:
                cells[name] = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            except BaseException as problem:
                if isinstance(problem, KeyboardInterrupt | SystemExit | MemoryError):
                    raise
                if type(problem).__name__ == "WorksheetNotFound":  # a chart or macro sheet
                    continue
                raise PublishedError(
                    f"{file.name}: sheet {name!r} is damaged. Copy or download the workbook again."
                ) from None
        return cells


def _tables(
    file: FileKind, cells: Mapping[str, list[list[Any]]], definitions: Definitions
) -> tuple[list[Table], dict[str, list[list[Any]]]]:
    """Sheets with a table, and the others; one of figures without headings is refused."""
    tables, texts, lost = [], {}, []
    for sheet, rows in cells.items():
        header = find_header(rows, definitions)
        if header is not None:
            tables.append(read_grid(sheet, rows, header, definitions))
            continue
        texts[sheet] = rows
        figures = sum(isinstance(c, float) for row in rows for c in row)
        if figures:
            lost.append(f"sheet {sheet!r}: {figures:,} figure(s) and no row of headings with bases")
    _refuse(file, lost)
    empty = [f"sheet {table.sheet!r}: headings and no row of figures" for table in tables
             if not len(table.values)]  # fmt: skip
    _refuse(file, empty)
    return tables, texts


def _year(
    file: FileKind,
    text: str,
    *,
    given: int | None,
    instrument: Instrument,
    definitions: Definitions,
) -> int:
    found = sorted({int(y) for y in re.findall(definitions.detailed["year"], text, re.IGNORECASE)})
    if len(found) > 1:
        raise PublishedError(
            f"{file.name} says in its headings and notes that it holds {len(found)} years "
            f"({', '.join(map(str, found))}): a workbook of this layout holds one. Read each "
            "year's own file."
        )
    if given is not None and found and found[0] != given:
        raise PublishedError(
            f"{file.name} says it holds {found[0]}, but year={given} was given. Leave year= out, "
            "or give the workbook of that year."
        )
    if given is None and not found:
        raise PublishedError(
            f"{file.name} does not say its year, in no heading and on no sheet of notes. Give it: "
            "read_published(..., year=2024). The file name is not trusted."
        )
    year = found[0] if found else int(given or 0)
    first = int(definitions.detailed["first_year"])
    if year < first:
        raise PublishedError(
            f"{file.name} holds {year}. Detailed spreadsheets before {first} have another layout, "
            "are not weighted, and are not read by this function."
        )
    if year not in instrument.years:
        raise PublishedError(
            f"{file.name} holds {year}; the questionnaire is known to {instrument.years[-1]}. Its "
            "question numbers must stand in instrument/data/item_codes.csv first."
        )
    return year


def _limit(text: str, definitions: Definitions) -> int:
    found = re.findall(definitions.detailed["limit"], text, re.IGNORECASE)
    return max(map(int, found), default=DEFAULT_LIMIT)


def _rule(limit: int) -> Rule:
    """Take the publisher's rule: what it showed may be shown."""
    rules = [load_rule(name) for name in ("nss-2024", "nss-2018")]
    return next((rule for rule in rules if rule.base_under >= limit), rules[-1])


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
    cells: Mapping[str, list[list[Any]]],
    tables: Sequence[Table],
    texts: Mapping[str, list[list[Any]]],
    blocks: Sequence[Block],
) -> ParseReport:
    """Count every cell in two ways and compare."""
    counts: Counter[str] = Counter()
    for table in tables:
        counts.update(table.counts)
    counts["notes"] = sum(len(text_cells(sheet)) for sheet in texts.values())
    total = count_filled(cell for sheet in cells.values() for row in sheet for cell in row)
    if sum(counts.values()) != total:
        raise PublishedError(
            f"{file.name}: {abs(total - sum(counts.values())):,} cell(s) lie outside its tables "
            "and could not be accounted for. Use the file as published."
        )
    arrays = [a for block in blocks for a in (block.values, block.base)]
    mapped = sum(int(np.count_nonzero(~np.isnan(a))) for a in arrays)
    statuses = [a for block in blocks for a in (block.status, block.base_status)]
    blanks = sum(t.values.size - t.counts["figures"] - t.counts["marks"] for t in tables)
    marks = sum(int(np.count_nonzero(a)) for a in statuses) - blanks
    return ParseReport(
        cells=dict(counts),
        total=total,
        figures_mapped=mapped,
        marks_mapped=marks,
        unread=counts["figures"] + counts["marks"] - mapped - marks,
        sheets=len(tables),
        questions=len(blocks),
        rows=len(blocks[0].base),
    )
