"""Sheets of the unweighted spreadsheets: five rows of headings, labels, and figures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from culture_analytics.read.published.account import refuse
from culture_analytics.read.published.cells import Cells, folded
from culture_analytics.read.published.definitions import Definitions
from culture_analytics.read.published.grid import (
    Column,
    Table,
    column_letter,
    count_filled,
    is_filled,
    read_figures,
)
from culture_analytics.read.raw import cell_text

__all__ = ["WHAT", "Sheet", "align_sheets", "find_units", "read_sheets", "sheet_bases"]

WHAT = "official detailed spreadsheets of 2018 to 2020"
SEARCH_ROWS = 40
PERCENT, NUMBER = "%", "n"


@dataclass(frozen=True, eq=False)
class Sheet:
    """A sheet's table before its rows are understood."""

    table: Table
    labels: tuple[tuple[str, ...], ...]  # identifier cells of each row
    headings: tuple[str, ...]  # texts standing alone between rows, before each row


def find_units(rows: Cells) -> int | None:
    """Find the row of units: nearly all of it ``%`` and ``n``, and both of them."""
    for place, row in enumerate(rows[:SEARCH_ROWS]):
        units = [folded(cell) for cell in row if type(cell) is str and cell.strip()]
        known = sum(unit in (PERCENT, NUMBER) for unit in units)
        if {PERCENT, NUMBER} <= set(units) and known >= 0.8 * len(units):
            return place
    return None


def read_sheets(
    name: str, cells: Mapping[str, Cells], definitions: Definitions
) -> tuple[list[Sheet], dict[str, Cells]]:
    """Take the sheets with a table apart; the others are text.

    Raises
    ------
    PublishedError
        A sheet holds figures and no headings, or headings and no figures.
    """
    sheets: list[Sheet] = []
    texts: dict[str, Cells] = {}
    lost: list[str] = []
    for sheet, rows in cells.items():
        units = find_units(rows)
        if units is not None:
            sheets.append(_read_sheet(sheet, rows, units, definitions))
            continue
        texts[sheet] = rows
        figures = sum(isinstance(cell, float) for row in rows for cell in row)
        if figures:
            lost.append(
                f"sheet {sheet!r}: {figures:,} figure(s) and no row of units (% and n) over them"
            )
    refuse(name, lost, what=WHAT)
    empty = [
        f"sheet {sheet.table.sheet!r}: headings and no row of figures"
        for sheet in sheets
        if not len(sheet.table.values)
    ]
    refuse(name, empty, what=WHAT)
    return sheets, texts


def _read_sheet(sheet: str, rows: Cells, units: int, definitions: Definitions) -> Sheet:
    problems: list[str] = []
    kinds = [folded(cell_text(cell)) for cell in rows[units]]
    first = next(place for place, kind in enumerate(kinds) if kind in (PERCENT, NUMBER))
    above = [
        [cell_text(cell) for cell in row]
        for row in rows[:units]
        if any(map(is_filled, row[first:]))
    ]
    answers, parts, numbers = _heading_rows(sheet, above, first, problems)
    questions = _questions(numbers, parts, first)
    columns = []
    for place in range(first, len(kinds)):
        base = folded(answers[place]) in definitions.base_headers
        if kinds[place] not in (PERCENT, NUMBER):
            if answers[place] or any(is_filled(row[place]) for row in rows[units + 1 :]):
                problems.append(
                    f"sheet {sheet!r}: column {column_letter(place)}: its unit is not % or n"
                )
            continue
        if not answers[place] or base != (kinds[place] == NUMBER):
            problems.append(
                f"sheet {sheet!r}: column {column_letter(place)}: heading "
                f"{answers[place][:60]!r} does not go with unit {kinds[place]!r}"
            )
            continue
        heading = answers[place] if base else f"% {answers[place]}"
        columns.append(Column(place, questions[place], heading, "base" if base else "option"))
    orphans = [column_letter(column.position) for column in columns if not column.question]
    if orphans:
        problems.append(
            f"sheet {sheet!r}: {len(orphans)} column(s) with no question number over them: "
            f"{', '.join(orphans[:8])}"
        )
    body, labels, headings, footnotes, between = _rows(rows[units + 1 :], first)
    values, status = read_figures(sheet, body, columns, definitions, problems)
    figures = int(np.count_nonzero(~np.isnan(values)))
    places = [column.position for column in columns]
    filled = count_filled(row[place] for row in body for place in places)
    title = [text for row in rows[:units] for cell in row[:first] if (text := cell_text(cell))]
    notes = []
    if footnotes:
        notes.append(f"sheet {sheet!r}: {footnotes} cell(s) of text under the table, not read")
    table = Table(
        sheet=sheet,
        kind="unweighted",
        title="\n".join(title),
        identifiers={"weighting": ("unweighted",) * len(body)},
        columns=tuple(columns),
        values=values,
        status=status,
        counts={
            "text above the tables": len(title),
            "headings": count_filled(c for row in rows[:units] for c in row[first:])
            + count_filled(rows[units]),
            "identifiers": count_filled(c for row in body for c in row[:first]) + between,
            "figures": figures,
            "marks": filled - figures,
            "footnotes": footnotes,
        },
        problems=tuple(problems),
        notes=tuple(notes),
    )
    return Sheet(table, labels, headings)


def _heading_rows(
    sheet: str, above: Sequence[Sequence[str]], first: int, problems: list[str]
) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
    """Tell the rows of answers, of parts and of question numbers by what stands in them."""
    blank = [""] * (len(above[0]) if above else first + 1)
    if not above:
        problems.append(f"sheet {sheet!r}: no headings over the row of units")
        return blank, blank, blank
    numbered = [
        row
        for row in above[:-1]
        if all(re.fullmatch(r"q\s*\d+", text, re.IGNORECASE) for text in row[first:] if text)
    ]
    if not numbered:
        problems.append(f"sheet {sheet!r}: no row of question numbers over its columns")
        return above[-1], blank, blank
    parts = above[-2] if above[-2] is not numbered[0] else blank
    return above[-1], parts, numbered[0]


def _questions(numbers: Sequence[str], parts: Sequence[str], first: int) -> list[str]:
    """Give each column's question as ``<number><letter> - <part>``, carried to the right."""
    questions, number, part = [], "", ""
    for place in range(len(numbers)):
        if place >= first:
            if numbers[place]:
                number, part = numbers[place], ""
            part = parts[place] or part
        letter = re.match(r"\s*([a-z])\)\s", part)
        head = number + (letter[1] if letter else "")
        questions.append(f"{head} - {part}" if number else "")
    return questions


def _rows(
    rows: Cells, first: int
) -> tuple[list[Sequence[object]], tuple[tuple[str, ...], ...], tuple[str, ...], int, int]:
    """Rows of figures, their labels, the text standing alone before each; footnotes counted."""
    body: list[Sequence[object]] = []
    labels: list[tuple[str, ...]] = []
    headings: list[str] = []
    waiting: list[str] = []
    cells = between = 0
    for row in rows:
        texts = tuple(cell_text(cell) for cell in row[:first])
        if any(map(is_filled, row[first:])):
            body.append(row)
            labels.append(tuple(text for text in texts if text))
            headings.append("\n".join(waiting))
            between += cells
            waiting, cells = [], 0
        else:
            waiting += [text for text in texts if text]
            cells += sum(map(bool, texts))
    return body, tuple(labels), tuple(headings), cells, between


def align_sheets(sheets: Sequence[Sheet], problems: list[str]) -> list[NDArray[np.intp]]:
    """Find each row of the first sheet in all the others: they hold the same rows in order."""
    first = sheets[0].labels
    found = []
    for sheet in sheets:
        if sheet.labels != first:
            same = sum(a == b for a, b in zip(sheet.labels, first, strict=False))
            problems.append(
                f"sheet {sheet.table.sheet!r}: its {len(sheet.labels):,} rows are not those of "
                f"sheet {sheets[0].table.sheet!r} in the same order ({same:,} are)"
            )
        found.append(np.arange(len(first), dtype=np.intp))
    return found


def sheet_bases(table: Table) -> NDArray[np.float64]:
    """Give the bases of a table, a column a question."""
    places = [k for k, column in enumerate(table.columns) if column.kind == "base"]
    return table.values[:, places]
