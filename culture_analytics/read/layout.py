"""Where the table begins in a grid of cells, and whether its headers can be used."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.read.headers import fold, is_question, trailing_wording
from culture_analytics.read.raw import RawColumn

__all__ = [
    "MAX_COLUMNS",
    "SEARCH_ROWS",
    "Inspect",
    "find_header",
    "refuse_rows_above",
    "unique_names",
]

SEARCH_ROWS = 10
MAX_COLUMNS = 5_000

# Looks at the first rows of a file's sheets, by name, before the rest is read; may raise.
Inspect = Callable[[str, Mapping[str, Sequence[Sequence[str]]]], None]


def find_header(rows: Sequence[Sequence[str]], expected: Collection[str] = ()) -> tuple[int, int]:
    """Find the header among the first rows of a table.

    Parameters
    ----------
    rows : sequence of rows of str
        Top of the grid.
    expected : collection of str
        Headers the caller looks for, beside question numbers; compared folded.

    Returns
    -------
    position : int
        Row of the header, counted from 0.
    recognised : int
        Cells of it that are question numbers or expected names.

    Notes
    -----
    The row with most recognised cells wins. With none recognised, it is the first row as wide
    as the table below it, so that title lines are still passed over.
    """
    wanted = {fold(name) for name in expected}
    top = rows[:SEARCH_ROWS]
    recognised = [
        sum(1 for cell in row if cell and (is_question(cell) or fold(cell) in wanted))
        for row in top
    ]
    best = max(recognised, default=0)
    if best > 0:
        return recognised.index(best), best
    filled = [sum(map(bool, row)) for row in top]
    widest = max(filled, default=0)
    return next((place for place, n in enumerate(filled) if n == widest), 0), 0


def refuse_rows_above(
    above: Sequence[Sequence[str]],
    columns: Sequence[RawColumn],
    where: str,
    error: type[CultureAnalyticsError],
) -> None:
    """Refuse a table with respondents above its header: they would be lost as lines of a title.

    Parameters
    ----------
    above : sequence of rows of str
        What stands above the header.
    columns : sequence of RawColumn
        Columns below the header, in file order.
    where : str
        File and sheet, for the message.
    error : type of CultureAnalyticsError
        Error to raise.

    Raises
    ------
    ExtractError
        (or `error`) with the number of such rows: most of their cells stand below the header too,
        in the same columns, as no title or wording of a question does.
    """
    values = [frozenset(column.values) for column in columns] if any(map(any, above)) else []
    found = 0
    for row in above:
        cells = [(text, held) for text, held in zip(row, values, strict=False) if text]
        again = sum(text in held for text, held in cells)
        found += again >= min(3, len(columns)) and 2 * again >= len(cells)
    if found:
        raise error(
            f"{found:,} row(s) of {where} above its header look like respondents. Put the header "
            "into the first row, above all of them."
        )


def unique_names(
    names: Sequence[str],
    columns: Sequence[RawColumn],
    where: str,
    error: type[CultureAnalyticsError],
    expected: Collection[str] = (),
) -> tuple[RawColumn, ...]:
    """Give the columns their headers: empty columns without one dropped, none twice.

    Parameters
    ----------
    names : sequence of str
        Headers, in file order; some may be empty.
    columns : sequence of RawColumn
        Columns in the same order.
    where : str
        File and sheet, for the message.
    error : type of CultureAnalyticsError
        Error to raise.
    expected : collection of str
        Headers that a message may quote, beside question numbers; compared folded.

    Raises
    ------
    ExtractError
        (or `error`) if two columns have one header, since one of them would be lost.
    """
    kept: list[RawColumn] = []
    places: dict[str, list[int]] = defaultdict(list)
    for place, (name, column) in enumerate(zip(names, columns, strict=True), start=1):
        header = " ".join(name.split())
        if not header:
            if column.filled == 0:
                continue
            header = f"column {place} (no header)"
        kept.append(dataclasses.replace(column, name=header))
        places[header].append(place)
    twice = {name: at for name, at in places.items() if len(at) > 1}
    if twice:
        raise error(_repeated(twice, where, expected))
    return tuple(kept)


def _repeated(twice: Mapping[str, Sequence[int]], where: str, expected: Collection[str]) -> str:
    """Say which headers repeat, by position: without a header row they are someone's answers."""
    safe = {fold(name) for name in expected}
    known = {
        name: fold(name) in safe or (is_question(name) and not trailing_wording(name))
        for name in twice
    }
    shown = []
    for name, at in list(twice.items())[:8]:
        columns = ", ".join(f"{place:,}" for place in at[:6]) + (", ..." if len(at) > 6 else "")
        shown.append(f"{name[:60]!r} (columns {columns})" if known[name] else f"columns {columns}")
    more = f"; and {len(twice) - 8:,} more" if len(twice) > 8 else ""
    doubt = "" if all(known.values()) else ", or the file has no header row: add one"
    return (
        f"{len(twice):,} column header(s) of {where} appear more than once: {'; '.join(shown)}"
        f"{more}. Rename or remove one of each pair in the file{doubt}."
    )
