"""A worksheet of the detailed spreadsheets as arrays: header found, questions carried to the right.

Nothing here knows what a question means. Every cell that is not blank is counted as one of: text
above the table, heading, identifier, figure, mark or footnote, so that none is lost unnoticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from culture_analytics.read.published.cells import folded
from culture_analytics.read.published.definitions import Definitions
from culture_analytics.read.raw import cell_text

__all__ = [
    "STATUSES",
    "Column",
    "Table",
    "body_rows",
    "column_letter",
    "count_filled",
    "find_header",
    "is_filled",
    "quoted",
    "read_figures",
    "read_grid",
    "text_cells",
]

Cells = Sequence[Sequence[Any]]

# What a cell of the body may be; a status code is the position in this tuple. The order matters:
# of several parts, the one standing furthest right decides.
STATUSES = ("ok", "unavailable", "suppressed", "not_applicable", "not_computable")
SEARCH_ROWS = 40


@dataclass(frozen=True)
class Column:
    """A column of figures.

    Attributes
    ----------
    position : int
        Column of the sheet, counted from 0.
    question : str
        Text standing over it, carried to the right from where it was written.
    heading : str
        Its own heading.
    kind : str
        ``option``, ``score`` or ``base``.
    """

    position: int
    question: str
    heading: str
    kind: str


@dataclass(frozen=True, eq=False)
class Table:
    """One worksheet's table.

    Attributes
    ----------
    sheet : str
        Name of the worksheet.
    kind : str
        ``national`` (also organisation types) or ``organisational``.
    title : str
        All text above the headings.
    identifiers : mapping of str to tuple of str
        Role to the text of each row.
    columns : tuple of Column
        In file order.
    values : ndarray of float, shape (rows, columns)
        Figures; NaN where there is none.
    status : ndarray of int8, shape (rows, columns)
        Positions in `STATUSES`.
    counts : mapping of str to int
        Cells that are not blank, by what they are.
    problems : tuple of str
        What could not be understood; the file is refused if there is any.
    notes : tuple of str
        What was left out, by name.
    """

    sheet: str
    kind: str
    title: str
    identifiers: Mapping[str, tuple[str, ...]]
    columns: tuple[Column, ...]
    values: NDArray[np.float64] = field(repr=False)
    status: NDArray[np.int8] = field(repr=False)
    counts: Mapping[str, int]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def column_letter(position: int) -> str:
    """Name a column as a spreadsheet does: 0 is A, 26 is AA."""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def is_filled(cell: object) -> bool:
    """Tell whether a cell holds anything but blanks."""
    return cell is not None and not (type(cell) is str and not cell.strip())


def count_filled(cells: Iterable[object]) -> int:
    """Count the cells that hold anything but blanks."""
    return sum(map(is_filled, cells))


def text_cells(cells: Cells) -> list[str]:
    """All texts of a sheet that are not blank, row by row."""
    return [text for row in cells for cell in row if (text := cell_text(cell))]


def find_header(cells: Cells, definitions: Definitions) -> int | None:
    """Find the row of headings: the one with most bases; None if the sheet has no such row."""
    longest = max(map(len, definitions.base_headers)) + 20  # room for blanks
    found = [
        sum(
            type(cell) is str and len(cell) <= longest and folded(cell) in definitions.base_headers
            for cell in row
        )
        for row in cells[:SEARCH_ROWS]
    ]
    most = max(found, default=0)
    return found.index(most) if most else None


def read_grid(sheet: str, cells: Cells, header: int, definitions: Definitions) -> Table:
    """Turn a worksheet into a table.

    Parameters
    ----------
    sheet : str
        Name of the worksheet.
    cells : sequence of rows of typed cells
        The whole sheet from its first row and column on.
    header : int
        Row of the headings (see `find_header`).
    definitions : Definitions
        Spellings.

    Returns
    -------
    Table
        With what could not be understood in `problems`.
    """
    problems: list[str] = []
    notes: list[str] = []
    headings = [cell_text(cell) for cell in cells[header]]
    kinds = [_heading_kind(text, definitions) for text in headings]
    first = next(place for place, kind in enumerate(kinds) if kind)
    kind, roles = _identifier_roles(sheet, headings[:first], definitions, problems, notes)
    questions = _questions(cells[:header], first, len(headings))
    body, footnotes = body_rows(cells[header + 1 :], first)
    columns = _columns(
        sheet,
        headings=headings,
        kinds=kinds,
        questions=questions,
        first=first,
        body=body,
        problems=problems,
    )
    identifiers = {
        role: tuple(cell_text(row[place]) for row in body) for place, role in roles.items()
    }
    values, status = read_figures(sheet, body, columns, definitions, problems)
    if footnotes:
        notes.append(f"sheet {sheet!r}: {footnotes} cell(s) of text under the table, not read")
    above = [text for row in cells[:header] for cell in row if (text := cell_text(cell))]
    numbers = int(np.count_nonzero(~np.isnan(values)))
    places = [column.position for column in columns]
    filled = count_filled(row[place] for row in body for place in places)
    return Table(
        sheet=sheet,
        kind=kind,
        title="\n".join(above),
        identifiers=identifiers,
        columns=tuple(columns),
        values=values,
        status=status,
        counts={
            "text above the tables": len(above),
            "headings": sum(map(bool, headings)),
            "identifiers": count_filled(cell for row in body for cell in row[:first]),
            "figures": numbers,
            "marks": filled - numbers,
            "footnotes": footnotes,
        },
        problems=tuple(problems),
        notes=tuple(notes),
    )


def _heading_kind(heading: str, definitions: Definitions) -> str:
    text = folded(heading)
    if text in definitions.base_headers:
        return "base"
    if text.startswith(definitions.detailed["option_prefix"]):
        return "option"
    if text.endswith(folded(definitions.detailed["score_suffix"])):
        return "score"
    return ""


def _identifier_roles(
    sheet: str,
    headings: Sequence[str],
    definitions: Definitions,
    problems: list[str],
    notes: list[str],
) -> tuple[str, dict[int, str]]:
    """Tell the kind of file from its identifier headings, and the role of each."""
    known = {
        kind: {p: roles[folded(text)] for p, text in enumerate(headings) if folded(text) in roles}
        for kind, roles in definitions.roles.items()
    }
    kind = max(known, key=lambda k: len(known[k]))
    roles = known[kind]
    names = definitions.detailed[kind]
    missing = [names[role][0] for role in names if role not in roles.values()]
    strange = [text for place, text in enumerate(headings) if text and place not in roles]
    if missing:
        beside = f"; headings not understood: {quoted(strange)}" if strange else ""
        problems.append(
            f"sheet {sheet!r}: {len(missing)} identifier column(s) missing: {quoted(missing)}"
            + beside
        )
    elif strange:
        notes.append(f"sheet {sheet!r}: identifier column(s) not read: {quoted(strange)}")
    twice = {role for role in roles.values() if list(roles.values()).count(role) > 1}
    if twice:
        problems.append(f"sheet {sheet!r}: identifier column(s) twice: {quoted(sorted(twice))}")
    return kind, roles


def quoted(names: Sequence[str], most: int = 8) -> str:
    """Write names for a message, the first few of them."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(repr(name[:70]) for name in names[:most]) + more


def _questions(above: Cells, first: int, width: int) -> list[str]:
    """Give the question over each column, carried to the right from where it is written."""
    rows = [[cell_text(cell) for cell in row] for row in above]
    if not rows:
        return [""] * width
    written = max(rows, key=lambda row: sum(map(bool, row[first:])))
    carried, current = [], ""
    for place in range(width):
        current = written[place] if place >= first and written[place] else current
        carried.append(current)
    return carried


def body_rows(rows: Cells, first: int) -> tuple[list[Sequence[Any]], int]:
    """Rows with figures; blank rows are passed over, lines of text without a figure counted."""
    body, footnotes = [], 0
    for row in rows:
        if any(map(is_filled, row[first:])):
            body.append(row)
        else:
            footnotes += count_filled(row)
    return body, footnotes


def _columns(
    sheet: str,
    *,
    headings: Sequence[str],
    kinds: Sequence[str],
    questions: Sequence[str],
    first: int,
    body: Cells,
    problems: list[str],
) -> list[Column]:
    columns, strange, orphans = [], [], []
    for place in range(first, len(headings)):
        if not kinds[place]:
            if headings[place] or any(is_filled(row[place]) for row in body):
                strange.append(f"{column_letter(place)} {headings[place][:60]!r}")
            continue
        if not questions[place]:
            orphans.append(column_letter(place))
        columns.append(Column(place, questions[place], headings[place], kinds[place]))
    if strange:
        problems.append(
            f"sheet {sheet!r}: {len(strange)} heading(s) not understood: {', '.join(strange[:8])}"
        )
    if orphans:
        problems.append(
            f"sheet {sheet!r}: {len(orphans)} column(s) with no question over them: "
            f"{', '.join(orphans[:8])}"
        )
    return columns


def read_figures(
    sheet: str,
    body: Cells,
    columns: Sequence[Column],
    definitions: Definitions,
    problems: list[str],
) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Figures and marks of the body.

    A text that is neither is a problem, named by its column.

    Parameters
    ----------
    sheet : str
        Name of the worksheet.
    body : sequence of rows of cells
        Rows of the table.
    columns : sequence of Column
        Columns wanted.
    definitions : Definitions
        Marks.
    problems : list of str
        Filled with what is neither a figure nor a mark.

    Returns
    -------
    values : ndarray of float, shape (rows, columns)
        NaN where there is no figure.
    status : ndarray of int8, shape (rows, columns)
        Positions in `STATUSES`.
    """
    values = np.full((len(body), len(columns)), np.nan)
    status = np.zeros(values.shape, dtype=np.int8)
    codes = {mark: STATUSES.index(name) for mark, name in definitions.marks.items()}
    strange: dict[str, int] = {}
    for place, column in enumerate(columns):
        for line, row in enumerate(body):
            cell = row[column.position]
            if type(cell) is float:
                values[line, place] = cell
                continue
            number, mark = _number_or_mark(cell, codes)
            values[line, place] = number
            if mark is None:
                letter = column_letter(column.position)
                strange[letter] = strange.get(letter, 0) + 1
            else:
                status[line, place] = mark
    if strange:
        problems.append(
            f"sheet {sheet!r}: {sum(strange.values()):,} cell(s) are neither a figure nor a known "
            f"mark, in column(s) {', '.join(list(strange)[:12])}"
        )
    return values, status


def _number_or_mark(cell: object, codes: Mapping[str, int]) -> tuple[float, int | None]:
    text = folded(cell_text(cell))
    if text in codes:
        return np.nan, codes[text]
    if isinstance(cell, bool):
        return np.nan, None
    try:
        number = float(text)
    except ValueError:
        return np.nan, None
    return (number, 0) if np.isfinite(number) else (np.nan, None)
