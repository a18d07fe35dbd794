"""The National Quarterly Pulse Survey's workbook: one row an organisation, scores from 0 to 10.

It is a voluntary survey of its own, unweighted; its figures have ``source="pulse"`` and are in no
series with the annual survey's. Macros are never run.

References
----------
NHS England, National Quarterly Pulse Survey, quarterly workbook, "Engagement Score Breakdown".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.disclosure.rules import load_rule
from culture_analytics.errors import PublishedError
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import Instrument, load_instrument
from culture_analytics.read.published.account import ParseReport, Understood, refuse
from culture_analytics.read.published.cells import Cells, Source, folded
from culture_analytics.read.published.definitions import Definitions, load_definitions
from culture_analytics.read.published.figures import Figures, figure_rows
from culture_analytics.read.published.grid import (
    STATUSES,
    Column,
    column_letter,
    count_filled,
    is_filled,
    quoted,
    read_figures,
    text_cells,
)
from culture_analytics.read.raw import cell_text

__all__ = ["PulseBook", "Quarter", "parse_pulse", "read_pulse", "recognise_pulse"]

WHAT = "a workbook of the National Quarterly Pulse Survey"
SEARCH_ROWS = 40
SCORES = ("staff_engagement", "advocacy", "involvement", "motivation")
TOLERANCE = 0.15  # scores rounded to one decimal, and people who answered two parts of three
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MANY = 10


@dataclass(frozen=True, order=True)
class Quarter:
    """A quarter of a financial year, which begins in April.

    Attributes
    ----------
    start : int
        Calendar year in which the financial year begins.
    number : int
        1 (April to June) to 4 (January to March).
    """

    start: int
    number: int

    @property
    def year(self) -> int:
        """Calendar year of the quarter."""
        return self.start + (self.number == 4)

    def __str__(self) -> str:
        """Write it so that quarters sort as texts: financial year, then the quarter."""
        return f"{self.start}-{(self.start + 1) % 100:02d} Q{self.number}"


@dataclass(frozen=True, eq=False)
class PulseBook(Understood):
    """A workbook understood.

    Attributes
    ----------
    quarter : Quarter
        When it was held.
    figures : Figures
        All figures, with keys.
    """

    quarter: Quarter
    figures: Figures = field(repr=False)


@dataclass(frozen=True, eq=False)
class _Found:
    """The sheet with the table: where its headings stand, and what each is."""

    sheet: str
    header: int
    identifiers: Mapping[str, int]
    figures: Mapping[str, int]


def recognise_pulse(source: Source) -> bool:
    """Tell whether a file looks like this layout.

    Parameters
    ----------
    source : Source
        The file and its cells.

    Returns
    -------
    bool
        Whether any sheet has a row of headings with a code, responses and engagement.
    """
    return bool(_tables(source.sheets, load_definitions()))


def read_pulse(source: Source, *, year: int | None = None) -> Estimates:
    """Read a workbook of this layout into the result schema.

    Parameters
    ----------
    source : Source
        The workbook and its cells.
    year : int, optional
        Calendar year of the quarter; must agree with the workbook's.

    Returns
    -------
    Estimates

    Raises
    ------
    PublishedError
        See `culture_analytics.read_published`.
    """
    instrument = load_instrument()
    book = parse_pulse(source, year=year)
    frame = figure_rows(book.figures, instrument=instrument).assign(
        source="pulse",
        release=book.release(f"{book.quarter} {load_definitions().raw['pulse']['release']}"),
        _file=source.file.name,
    )
    return book.estimates(frame, load_rule("default"), file=source.file.name)


def parse_pulse(
    source: Source, *, year: int | None = None, instrument: Instrument | None = None
) -> PulseBook:
    """Understand and check a workbook of this layout.

    Parameters
    ----------
    source : Source
        The workbook and its cells.
    year : int, optional
        Calendar year of the quarter; must agree with the workbook's.
    instrument : Instrument, optional
        Default: the package's own.

    Returns
    -------
    PulseBook

    Raises
    ------
    PublishedError
        Anything in it is not understood or contradicts itself; all problems are listed.
    """
    instrument = instrument or load_instrument()
    definitions = load_definitions()
    name, cells = source.file.name, source.sheets
    found = _tables(cells, definitions)
    if len(found) > 1:
        raise PublishedError(
            f"{name}: {len(found)} sheets hold a table of organisations "
            f"({quoted([f.sheet for f in found])}). Keep the one of the quarter."
        )
    table = found[0]
    texts = [
        text for sheet, rows in cells.items() if sheet != table.sheet for text in text_cells(rows)
    ]
    rows = cells[table.sheet]
    texts += [text for row in rows[: table.header] for cell in row if (text := cell_text(cell))]
    quarter, told = _quarter(name, "\n".join(texts), definitions)
    if year is not None and year != quarter.year:
        raise PublishedError(
            f"{name} is of {quarter}, in the calendar year {quarter.year}, but year={year} was "
            "given. Leave year= out."
        )
    problems = _missing(table, definitions)
    refuse(name, problems, what=WHAT)
    headings = [cell_text(cell) for cell in rows[table.header]]
    places = list(table.figures.values())
    body = [row for row in rows[table.header + 1 :] if any(is_filled(row[p]) for p in places)]
    columns = [Column(place, headings[place], headings[place], "score") for place in places]
    values, status = read_figures(table.sheet, body, columns, definitions, problems)
    figures = {role: values[:, k] for k, role in enumerate(table.figures)}
    states = {role: status[:, k] for k, role in enumerate(table.figures)}
    texts_of = {
        role: [cell_text(row[place]) for row in body] for role, place in table.identifiers.items()
    }
    problems += _checks(table.sheet, texts_of["code"], figures)
    groups, strange = _groups(texts_of["group"], quarter.year, definitions)
    lost = [group for group in definitions.trust_groups if group not in groups]
    if lost:
        beside = f"; names not known: {quoted(strange)}" if strange else ""
        problems.append(f"{len(lost)} benchmark group(s) missing: {quoted(lost)}{beside}")
    refuse(name, problems, what=WHAT)
    report, left = _report(name, cells, table, body, values)
    warned = [f"care setting(s) not known, kept as written: {quoted(strange)}"] if strange else []
    notes = [f"{name}: {quarter}, from {told}; {report}"]
    if left:
        notes.append(f"not read: {left}")
    notes.append(
        "a voluntary survey, unweighted: its scores are in no series with those of the annual "
        "survey; response rate is responses over workforce headcount"
    )
    return PulseBook(
        quarter=quarter,
        figures=_rows(texts_of["code"], figures, states, quarter, table.sheet),
        organisations=pd.DataFrame(
            {
                "org": texts_of["code"],
                "name": texts_of["name"],
                "benchmark_group": groups,
                "region": [text or None for text in texts_of["region"]],
                "ics": [text or None for text in texts_of["ics"]],
            },
            dtype="str",
        ),
        report=report,
        synthetic="synthetic" in "\n".join(texts).casefold(),
        warnings=tuple(warned),
        notes=tuple(notes),
    )


def _tables(sheets: Mapping[str, Cells], definitions: Definitions) -> list[_Found]:
    spec = definitions.raw["pulse"]
    kinds = {
        kind: {folded(name): role for role, names in spec[kind].items() for name in names}
        for kind in ("identifiers", "figures")
    }
    found = []
    for sheet, rows in sheets.items():
        for place, row in enumerate(rows[:SEARCH_ROWS]):
            headings = [folded(cell) if type(cell) is str else "" for cell in row]
            identifiers = {
                kinds["identifiers"][h]: k
                for k, h in enumerate(headings)
                if h in kinds["identifiers"]
            }
            figures = {
                kinds["figures"][h]: k for k, h in enumerate(headings) if h in kinds["figures"]
            }
            if "code" in identifiers and len(figures) >= 3:
                found.append(_Found(sheet, place, identifiers, figures))
                break
    return found


def _missing(table: _Found, definitions: Definitions) -> list[str]:
    spec = definitions.raw["pulse"]
    wanted = [names[0] for role, names in spec["figures"].items() if role not in table.figures]
    wanted += [
        spec["identifiers"][role][0]
        for role in ("code", "name", "group", "region", "ics")
        if role not in table.identifiers
    ]
    if not wanted:
        return []
    return [f"sheet {table.sheet!r}: {len(wanted)} column(s) missing: {quoted(wanted)}"]


def _quarter(name: str, text: str, definitions: Definitions) -> tuple[Quarter, str]:
    """Find the quarter in the workbook's notes; failing that, in the file's name."""
    spec = definitions.raw["pulse"]
    told = _quarters(text, spec)
    named = _quarters(re.sub(r"[_\s]+", " ", name), spec)
    if len(told) == 1 and named and not told <= named:
        raise PublishedError(
            f"{name}: its notes say {_listed(told)}, its name says {_listed(named)}. Give the "
            "workbook under the name it was published with."
        )
    found, place = told, "its notes"
    if len(told) != 1 and len(named) == 1 and (not told or named <= told):
        found, place = named, "the name of the file"
    if len(found) != 1:
        said = "does not say its quarter" if not found else f"names {_listed(found)}"
        raise PublishedError(
            f"{name} {said}, in its notes or its name. Rename the file so that it holds quarter "
            "and financial year, such as 'NQPS quarter 2 2024-25.xlsm'."
        )
    return found.pop(), place


def _quarters(text: str, spec: Mapping[str, str]) -> set[Quarter]:
    numbers = {int(n) for n in re.findall(spec["quarter"], text, re.IGNORECASE)}
    years = {
        2000 + int(start) % 100
        for start, end in re.findall(spec["financial_year"], text, re.IGNORECASE)
        if (int(start) + 1) % 100 == int(end)
    }
    if numbers and years:
        return {Quarter(year, number) for year in years for number in numbers}
    months = re.findall(spec["month"], text, re.IGNORECASE)
    found = set()
    for month, year in months:
        place = MONTHS.index(month[:3].lower())
        found.add(Quarter(int(year) - (place < 3), (place // 3 + 3) % 4 + 1))
    return {q for q in found if not numbers or q.number in numbers}


def _listed(quarters: set[Quarter]) -> str:
    return " and ".join(map(str, sorted(quarters)))


def _groups(
    names: Sequence[str], year: int, definitions: Definitions
) -> tuple[list[str], list[str]]:
    known = definitions.benchmark_groups_of(year)
    strange = [n for n in dict.fromkeys(names) if folded(n) not in known]
    return [known.get(folded(name), name) for name in names], strange


def _checks(
    sheet: str, codes: Sequence[str], figures: Mapping[str, NDArray[np.float64]]
) -> list[str]:
    problems = []
    blank = sum(not code for code in codes)
    if blank:
        problems.append(f"sheet {sheet!r}: {blank:,} row(s) without an organisation code")
    twice = sorted({code for code in codes if code and codes.count(code) > 1})
    if twice:
        problems.append(f"sheet {sheet!r}: {len(twice)} organisation(s) stand twice")
    for role in SCORES:
        shown = figures[role][~np.isnan(figures[role])]
        if ((shown < 0) | (shown > 10)).any():
            problems.append(f"sheet {sheet!r}: {role}: scores outside 0 to 10")
        elif len(shown) and shown.max() <= 1:
            problems.append(f"sheet {sheet!r}: {role}: all scores lie between 0 and 1")
        elif len(shown) >= MANY and np.ptp(shown) == 0:
            problems.append(f"sheet {sheet!r}: {role}: every score is the same")
    for role in ("responses", "headcount"):
        shown = figures[role][~np.isnan(figures[role])]
        if ((shown < 0) | (np.abs(shown - np.round(shown)) > 1e-6)).any():
            problems.append(f"sheet {sheet!r}: {role}: no whole numbers of people")
    off, known = _off_mean(figures)
    if off > known / 2:
        problems.append(
            f"sheet {sheet!r}: engagement is not the mean of its three parts in {off:,} of "
            f"{known:,} row(s): columns may be exchanged"
        )
    return problems


def _off_mean(figures: Mapping[str, NDArray[np.float64]]) -> tuple[int, int]:
    """Rows whose engagement is not the mean of its parts, and rows that show all four."""
    gap = np.abs(np.mean([figures[role] for role in SCORES[1:]], axis=0) - figures[SCORES[0]])
    return int(np.count_nonzero(gap > TOLERANCE)), int(np.count_nonzero(~np.isnan(gap)))


def _rows(
    codes: Sequence[str],
    figures: Mapping[str, NDArray[np.float64]],
    states: Mapping[str, NDArray[np.int8]],
    quarter: Quarter,
    sheet: str,
) -> Figures:
    n = len(codes)
    responses, headcount = figures["responses"], figures["headcount"]
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(responses <= headcount, 100 * responses / headcount, np.nan)
    known = np.zeros(n, dtype=np.int8)
    rated = np.where(np.isnan(rate), STATUSES.index("unavailable"), known).astype(np.int8)
    measures = [*SCORES, "response_rate"]
    value = np.concatenate([*(figures[role] for role in SCORES), rate])
    base = np.concatenate([*(responses for _ in SCORES), headcount])
    status = np.concatenate([*(states[role] for role in SCORES), rated])
    statistic = ["score"] * len(SCORES) + ["response_rate"]
    frame = pd.DataFrame(
        {
            "year": np.full(len(value), quarter.year, dtype=np.int64),
            "org": list(codes) * len(measures),
            "measure": np.repeat(measures, n),
            "answer": "",
            "breakdown": "overall",
            "group": "All staff",
            "statistic": np.repeat(statistic, n),
            "weighting": "unweighted",
            "status": np.array(STATUSES)[status],
            "_sheet": sheet,
        }
    )
    return Figures(frame, value, base)


def _report(
    name: str,
    cells: Mapping[str, Cells],
    table: _Found,
    body: Sequence[Sequence[object]],
    values: NDArray[np.float64],
) -> tuple[ParseReport, str]:
    """Count every cell, and say in words which columns and figures were not read."""
    rows = cells[table.sheet]
    headings = [cell_text(cell) for cell in rows[table.header]]
    taken = {*table.figures.values(), *table.identifiers.values()}
    lines = {id(row) for row in body}
    under = [row for row in rows[table.header + 1 :] if id(row) not in lines]
    others = {
        sheet: sum(isinstance(cell, int | float) for row in of_sheet for cell in row)
        for sheet, of_sheet in cells.items()
        if sheet != table.sheet
    }
    extra = [k for k in range(len(headings)) if k not in taken]
    figures = int(np.count_nonzero(~np.isnan(values)))
    filled = count_filled(row[place] for row in body for place in table.figures.values())
    beside = count_filled(row[place] for row in body for place in extra)
    counts = {
        "text above the tables": sum(count_filled(row) for row in rows[: table.header]),
        "headings": sum(map(bool, headings)),
        "identifiers": count_filled(
            row[place] for row in body for place in table.identifiers.values()
        ),
        "figures": figures,
        "marks": filled - figures,
        "not read": beside + sum(others.values()),
        "footnotes": sum(count_filled(row) for row in under),
        "notes": sum(
            count_filled(cell for row in of_sheet for cell in row) - others[sheet]
            for sheet, of_sheet in cells.items()
            if sheet != table.sheet
        ),
    }
    report = ParseReport(
        cells=counts,
        total=count_filled(cell for sheet in cells.values() for row in sheet for cell in row),
        figures_mapped=figures,
        marks_mapped=filled - figures,
        unread=counts["not read"],
        sheets=1,
        questions=len(table.figures),
        rows=len(body),
    )
    report.check(name)
    left = [f"{n:,} figure(s) of sheet {sheet!r}" for sheet, n in others.items() if n]
    left += [
        f"column {column_letter(k)} {headings[k][:40]!r}"
        for k in extra
        if any(is_filled(row[k]) for row in body)
    ]
    return report, "; ".join(left)
