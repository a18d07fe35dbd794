"""The benchmark workbook: one row an organisation, a column a measure and year, a sheet a group.

Proportions run from 0 to 1 here and scores from 0 to 10; which a column is follows from its name.
The whole history stands under the question numbers of the latest year.

References
----------
NHS Staff Survey, "Benchmark report Excel data" (nhsstaffsurveys.com, results archive).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from culture_analytics.estimates import Estimates
from culture_analytics.instrument import Instrument, load_instrument
from culture_analytics.read.published.account import (
    ParseReport,
    Understood,
    publisher_rule,
    refuse,
)
from culture_analytics.read.published.benchmark_checks import (
    columns_lost,
    scores_lost,
    without_constant,
    wrong_units,
    years_between,
)
from culture_analytics.read.published.benchmark_columns import (
    Meanings,
    Pair,
    pair_figures,
    read_pairs,
)
from culture_analytics.read.published.benchmark_sheets import (
    find_headings,
    latest_year,
    list_members,
    lost_groups,
    organisation_table,
    read_sheet,
    twice_listed,
    with_group,
)
from culture_analytics.read.published.cells import Source
from culture_analytics.read.published.definitions import load_definitions
from culture_analytics.read.published.figures import Figures, figure_rows
from culture_analytics.read.published.grid import (
    count_filled,
    quoted,
    text_cells,
)
from culture_analytics.read.published.questions import Vocabulary

__all__ = ["BenchmarkBook", "parse_benchmark", "read_benchmark", "recognise_benchmark"]

WHAT = "the official benchmark workbook"
LIMIT = 10


@dataclass(frozen=True, eq=False)
class BenchmarkBook(Understood):
    """A workbook understood.

    Attributes
    ----------
    year : int
        Latest survey year: the release.
    figures : Figures
        All figures, with keys.
    """

    year: int
    figures: Figures = field(repr=False)


def recognise_benchmark(source: Source) -> bool:
    """Tell whether a file looks like this layout.

    Parameters
    ----------
    source : Source
        The file and its cells.

    Returns
    -------
    bool
        Whether any sheet has a row of headings with an organisation's code and measures by year.
    """
    return any(find_headings(rows) is not None for rows in source.sheets.values())


def read_benchmark(source: Source, *, year: int | None = None) -> Estimates:
    """Read a workbook of this layout into the result schema.

    Parameters
    ----------
    source : Source
        The workbook and its cells.
    year : int, optional
        Latest survey year; must agree with the workbook's headings.

    Returns
    -------
    Estimates

    Raises
    ------
    PublishedError
        See `culture_analytics.read_published`.
    """
    instrument = load_instrument()
    book = parse_benchmark(source, year=year, instrument=instrument)
    frame = figure_rows(book.figures, instrument=instrument).assign(
        source="published",
        release=book.release(f"{book.year} benchmark workbook"),
        _file=source.file.name,
    )
    return book.estimates(frame, publisher_rule(LIMIT), file=source.file.name)


def parse_benchmark(
    source: Source, *, year: int | None = None, instrument: Instrument | None = None
) -> BenchmarkBook:
    """Understand and check a workbook of this layout.

    Parameters
    ----------
    source : Source
        The workbook and its cells.
    year : int, optional
        Latest survey year; must agree with the workbook's headings.
    instrument : Instrument, optional
        Default: the package's own.

    Returns
    -------
    BenchmarkBook

    Raises
    ------
    PublishedError
        Anything in it is not understood or contradicts itself; all problems are listed.
    """
    instrument = instrument or load_instrument()
    definitions = load_definitions()
    name, cells = source.file.name, source.sheets
    source.refuse_one_sheet()
    problems: list[str] = []
    notes: list[str] = []
    found = [
        read_sheet(sheet, rows, header, problems)
        for sheet, rows in cells.items()
        if (header := find_headings(rows)) is not None
    ]
    latest = latest_year(name, found, year, instrument)
    vocabulary = Vocabulary(latest, instrument, definitions)
    texts = {s: rows for s, rows in cells.items() if s not in {f.sheet for f in found}}
    members, listed = list_members(texts, vocabulary)
    problems += [
        f"sheet {sheet!r}: {lost:,} figure(s) and no headings understood"
        for sheet, rows in texts.items()
        if (lost := sum(isinstance(cell, float) for row in rows for cell in row))
    ]
    sheets = [with_group(sheet, members, vocabulary, problems) for sheet in found]
    refuse(name, problems, what=WHAT)
    problems += lost_groups(sheets, members, listed, definitions, notes)
    problems += twice_listed(sheets)
    refuse(name, problems, what=WHAT)

    meanings = Meanings(vocabulary)
    unknown: dict[str, int] = {}
    counts = dict.fromkeys(("headings", "identifiers", "figures", "marks", "not read", "notes"), 0)
    pairs: list[list[Pair]] = []
    for sheet in sheets:
        pairs.append(read_pairs(sheet, meanings, definitions, problems, unknown, counts))
    counts["notes"] = sum(len(text_cells(rows)) for rows in texts.values())
    counts["notes"] += sum(sheet.texts for sheet in sheets)
    problems += columns_lost(sheets, pairs, definitions)
    problems += scores_lost(sheets, pairs, vocabulary)
    problems += wrong_units(sheets, pairs)
    refuse(name, problems, what=WHAT)
    warned = [*without_constant(sheets, pairs), *years_between(pairs)]
    if unknown:
        warned.append(f"{len(unknown)} measure(s) not known, not read: {quoted(list(unknown), 12)}")
        if len(unknown) > 12:
            notes.append(f"measures not known, not read: {quoted(list(unknown), len(unknown))}")
    figures = pair_figures(sheets, pairs, definitions)
    report = ParseReport(
        cells=counts,
        total=count_filled(cell for rows in cells.values() for row in rows for cell in row),
        figures_mapped=counts["figures"],
        marks_mapped=counts["marks"],
        unread=counts["not read"],
        sheets=len(sheets),
        questions=len({(p.name, p.year) for of_sheet in pairs for p in of_sheet}),
        rows=sum(len(sheet.org) for sheet in sheets),
    )
    report.check(name)
    all_text = "\n".join([*(t for rows in texts.values() for t in text_cells(rows)), *texts])
    years = sorted({pair.year for of_sheet in pairs for pair in of_sheet})
    return BenchmarkBook(
        year=latest,
        figures=figures,
        organisations=organisation_table(sheets),
        report=report,
        synthetic="synthetic" in all_text.casefold(),
        warnings=tuple(warned),
        notes=(
            f"{name}: benchmark workbook of {latest}, years {years[0]} to {years[-1]}; {report}",
            f"earlier years are under the question numbers of {latest} and weighted anew to its "
            "staff: they are not the figures that those years' own releases gave",
            *notes,
        ),
    )
