"""Reads a table from a worksheet: xlsx, xlsm, xlsb, xls and ods."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from culture_analytics.errors import CultureAnalyticsError, ExtractError
from culture_analytics.progress import progress
from culture_analytics.read.detect import FileKind
from culture_analytics.read.layout import MAX_COLUMNS, SEARCH_ROWS, find_header, unique_names
from culture_analytics.read.raw import ColumnBuilder, RawTable, cell_text

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

__all__ = ["open_workbook", "read_workbook", "sheet_tops"]

ROWS_AT_ONCE = 20_000


def open_workbook(
    kind: FileKind, *, error: type[CultureAnalyticsError] = ExtractError
) -> CalamineWorkbook:
    """Open a workbook, turning the parser's failures into plain ones.

    Parameters
    ----------
    kind : FileKind
        The file.
    error : type of CultureAnalyticsError
        Error to raise.

    Returns
    -------
    CalamineWorkbook
        To be used as a context manager.
    """
    import python_calamine

    try:
        return python_calamine.CalamineWorkbook.from_path(kind.path)
    except python_calamine.PasswordError:
        raise error(
            f"{kind.name} is a password-protected workbook. Open it with the password, save a "
            "copy without one in a safe place, and use the copy."
        ) from None
    except PermissionError:
        raise error(
            f"{kind.name} cannot be opened: another program (often Excel) has it open. Close it "
            "there and run this again."
        ) from None
    except BaseException as problem:
        raise error(_damaged(kind, problem)) from None


def _damaged(kind: FileKind, problem: BaseException) -> str:
    # The parser is compiled code that may panic; what it says can hold cell contents.
    if isinstance(problem, KeyboardInterrupt | SystemExit | MemoryError):
        raise problem
    if "assword" in str(problem) or "ncrypt" in str(problem):
        return (
            f"{kind.name} is a password-protected workbook. Open it with the password, save a "
            "copy without one in a safe place, and use the copy."
        )
    return (
        f"{kind.name} is a damaged or cut-off workbook ({kind.size:,} bytes). Open it in Excel, "
        "let Excel repair it, save it under a new name, or ask for it again."
    )


def sheet_tops(
    kind: FileKind,
    rows: int = SEARCH_ROWS + 2,
    *,
    error: type[CultureAnalyticsError] = ExtractError,
) -> dict[str, list[list[str]]]:
    """Give the first rows of every worksheet, as text.

    Parameters
    ----------
    kind : FileKind
        The file.
    rows : int
        Rows wanted of each sheet.
    error : type of CultureAnalyticsError
        Error to raise.

    Returns
    -------
    dict of str to list of list of str
        Sheet name to its first rows.
    """
    with open_workbook(kind, error=error) as book:
        return {name: _top(kind, book, name, rows, error) for name in book.sheet_names}


def _top(
    kind: FileKind,
    book: CalamineWorkbook,
    name: str,
    rows: int,
    error: type[CultureAnalyticsError],
) -> list[list[str]]:
    sheet = _sheet(kind, book, name, error)
    if sheet is None or sheet.height == 0:
        return []
    cells = sheet.to_python(skip_empty_area=True, nrows=rows)
    return [[cell_text(cell) for cell in row] for row in cells]


def _sheet(
    kind: FileKind, book: CalamineWorkbook, name: str, error: type[CultureAnalyticsError]
) -> CalamineSheet | None:
    try:
        return book.get_sheet_by_name(name)
    except BaseException as problem:
        if type(problem).__name__ == "WorksheetNotFound":  # a chart or macro sheet
            return None
        raise error(_damaged(kind, problem)) from None


@dataclass(frozen=True)
class _Candidate:
    """A worksheet that may hold the respondents."""

    name: str
    header: int
    recognised: int
    rows: int
    hidden: bool


def read_workbook(
    kind: FileKind,
    *,
    sheet: str | int | None = None,
    expected: Collection[str] = (),
    error: type[CultureAnalyticsError] = ExtractError,
) -> RawTable:
    """Read the data sheet of a workbook.

    Parameters
    ----------
    kind : FileKind
        The file.
    sheet : str or int, optional
        Worksheet by name (case and outer blanks ignored) or position counted from 1. Without it,
        the sheet with question numbers in its header is taken.
    expected : collection of str
        Headers the caller looks for, beside question numbers.
    error : type of CultureAnalyticsError
        Error to raise.

    Returns
    -------
    RawTable
        The table.

    Raises
    ------
    ExtractError
        (or `error`) if there is no such sheet, or several sheets could be the data.
    """
    with open_workbook(kind, error=error) as book:
        name = _named_sheet(kind, book, sheet, error) if sheet is not None else None
        if name is None:
            name = _data_sheet(kind, book, expected, error)
        return _read_sheet(kind, book, name, expected, error)


def _named_sheet(
    kind: FileKind, book: CalamineWorkbook, sheet: str | int, error: type[CultureAnalyticsError]
) -> str:
    names = list(book.sheet_names)
    if isinstance(sheet, int) and not isinstance(sheet, bool):
        if 1 <= sheet <= len(names):
            return names[sheet - 1]
    else:
        for name in names:
            if name.strip().casefold() == str(sheet).strip().casefold():
                return name
    raise error(
        f"{kind.name} has no sheet {sheet!r}. Its {len(names):,} sheet(s): {_listed(names)}. Give "
        "sheet= one of these names, or its position counted from 1."
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 12:,} more" if len(names) > 12 else ""
    return ", ".join(repr(name) for name in names[:12]) + more


def _data_sheet(
    kind: FileKind,
    book: CalamineWorkbook,
    expected: Collection[str],
    error: type[CultureAnalyticsError],
) -> str:
    candidates = _candidates(kind, book, expected, error)
    if not candidates:
        raise error(f"{kind.name} is an empty workbook: none of its sheets holds a cell.")
    # A codebook or a pivot names a few questions across; the data sheet names most of them.
    most = max(c.recognised for c in candidates)
    close = [c for c in candidates if c.recognised >= max(1, most / 2) and c.rows > 0]
    visible = [c for c in close if not c.hidden] or close
    if most == 0:
        tables = [c for c in candidates if not c.hidden] or candidates
        return max(tables, key=lambda c: c.rows).name
    if len(visible) > 1:
        shown = ", ".join(f"{c.name!r} ({c.rows:,} rows)" for c in visible[:8])
        raise error(
            f"{len(visible):,} sheets of {kind.name} could hold the respondents: {shown}. Say "
            f"which one, for example sheet={visible[0].name!r}; read each year on its own and "
            "put the years together with combine([...])."
        )
    return (visible or candidates)[0].name


def _candidates(
    kind: FileKind,
    book: CalamineWorkbook,
    expected: Collection[str],
    error: type[CultureAnalyticsError],
) -> list[_Candidate]:
    found = []
    for meta in book.sheets_metadata:
        sheet = _sheet(kind, book, meta.name, error)
        if sheet is None or sheet.height == 0:
            continue
        cells = sheet.to_python(skip_empty_area=True, nrows=SEARCH_ROWS + 2)
        top = [[cell_text(cell) for cell in row] for row in cells]
        header, recognised = find_header(top, expected)
        hidden = "Hidden" in str(meta.visible)
        found.append(_Candidate(meta.name, header, recognised, sheet.height - header - 1, hidden))
    return found


def _read_sheet(
    kind: FileKind,
    book: CalamineWorkbook,
    name: str,
    expected: Collection[str],
    error: type[CultureAnalyticsError],
) -> RawTable:
    sheet = _sheet(kind, book, name, error)
    where = f"{kind.name} (sheet {name!r})"
    if sheet is None or sheet.height == 0:
        raise error(f"{where} is empty: give sheet= the sheet that holds the respondents.")
    if sheet.width > MAX_COLUMNS:
        raise error(
            f"{where} has {sheet.width:,} columns; an extract has one row a respondent and at most "
            f"{MAX_COLUMNS:,} columns. It may be turned on its side."
        )
    rows = iter(_all_rows(kind, sheet, error))
    top = list(islice(rows, SEARCH_ROWS + 2))
    texts = [[cell_text(cell) for cell in row] for row in top]
    header, _ = find_header(texts, expected)
    names = texts[header]
    builders = [ColumnBuilder(str(place)) for place in range(len(names))]
    count = 0
    body = [*top[header + 1 :]]
    for block in _blocks(body, rows, sheet.height, name):
        count += len(block)
        for builder, cells in zip(builders, zip(*block, strict=True), strict=True):
            builder.add_cells(cells)
    columns = [builder.build() for builder in builders]
    first = sheet.start[0] if sheet.start is not None else 0
    return RawTable(
        source=kind.name,
        format=kind.format,
        columns=unique_names(names, columns, where, error),
        rows=count,
        sheet=name,
        header_row=first + header + 1,
        title=tuple(cell for row in texts[:header] for cell in row if cell),
    )


def _all_rows(
    kind: FileKind, sheet: CalamineSheet, error: type[CultureAnalyticsError]
) -> list[list[Any]]:
    try:
        return sheet.to_python(skip_empty_area=True)
    except BaseException as problem:
        raise error(_damaged(kind, problem)) from None


def _blocks(
    body: list[list[Any]], rows: Iterator[list[Any]], height: int, name: str
) -> Iterator[list[list[Any]]]:
    steps = range(height // ROWS_AT_ONCE + 1)
    for _ in progress(steps, f"Reading sheet {name}".encode("ascii", "replace").decode()):
        block = body + list(islice(rows, ROWS_AT_ONCE))
        body = []
        if block:
            yield block
