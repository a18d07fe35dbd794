"""Reads a table from a worksheet: xlsx, xlsm, xlsb, xls and ods."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from culture_analytics.errors import CultureAnalyticsError, ExtractError
from culture_analytics.progress import progress
from culture_analytics.read.archive import refuse_uncalculated, refuse_unsafe
from culture_analytics.read.detect import FileKind
from culture_analytics.read.layout import (
    MAX_COLUMNS,
    SEARCH_ROWS,
    Inspect,
    find_header,
    refuse_rows_above,
    unique_names,
)
from culture_analytics.read.raw import ColumnBuilder, RawTable, cell_text

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

__all__ = ["open_workbook", "read_workbook", "sheet_tops"]

# A block's cells stay in the processor's cache while its columns are taken out of it.
ROWS_AT_ONCE = 1_000


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

    refuse_unsafe(kind, error)
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
    """A worksheet that may hold the respondents, parsed once."""

    sheet: CalamineSheet
    top: list[list[str]]
    header: int
    recognised: int
    hidden: bool

    @property
    def name(self) -> str:
        return str(self.sheet.name)

    @property
    def rows(self) -> int:
        return int(self.sheet.height) - self.header - 1


def read_workbook(
    kind: FileKind,
    *,
    sheet: str | int | None = None,
    expected: Collection[str] = (),
    inspect: Inspect | None = None,
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
    inspect : callable, optional
        Called with the file name and the first rows of the sheets before the rest is read.
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
        wanted = None if sheet is None else _named_sheet(kind, book, sheet, error)
        candidates = _candidates(kind, book, wanted, expected, error)
        if inspect is not None:
            inspect(kind.name, {c.name: c.top for c in candidates})
        chosen = _data_sheet(kind, candidates, wanted, error)
        return _read_sheet(kind, chosen, error, expected)


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


def _candidates(
    kind: FileKind,
    book: CalamineWorkbook,
    wanted: str | None,
    expected: Collection[str],
    error: type[CultureAnalyticsError],
) -> list[_Candidate]:
    found = []
    for meta in book.sheets_metadata:
        if wanted is not None and meta.name != wanted:
            continue
        sheet = _sheet(kind, book, meta.name, error)
        if sheet is None or sheet.height == 0:
            continue
        cells = sheet.to_python(skip_empty_area=True, nrows=SEARCH_ROWS + 2)
        top = [[cell_text(cell) for cell in row] for row in cells]
        header, recognised = find_header(top, expected)
        found.append(_Candidate(sheet, top, header, recognised, "Hidden" in str(meta.visible)))
    return found


def _data_sheet(
    kind: FileKind,
    candidates: list[_Candidate],
    wanted: str | None,
    error: type[CultureAnalyticsError],
) -> _Candidate:
    if not candidates:
        what = "is an empty workbook: none of its sheets holds a cell"
        if wanted is not None:
            what = f"has nothing on sheet {wanted!r}"
        raise error(f"{kind.name} {what}. Ask for the data, or give another sheet=.")
    most = max(c.recognised for c in candidates)
    if most == 0:
        return max(
            (c for c in candidates if not c.hidden), key=lambda c: c.rows, default=candidates[0]
        )
    # A codebook or a pivot names a few questions across; the data sheet names most of them.
    close = [c for c in candidates if c.recognised >= max(1, most / 2) and c.rows > 0]
    visible = [c for c in close if not c.hidden] or close
    if len(visible) > 1:
        shown = ", ".join(f"{c.name!r} ({c.rows:,} rows)" for c in visible[:8])
        raise error(
            f"{len(visible):,} sheets of {kind.name} could hold the respondents: {shown}. Say "
            f"which one, for example sheet={visible[0].name!r}; read each year on its own and "
            "put the years together with combine([...])."
        )
    return visible[0] if visible else max(candidates, key=lambda c: c.recognised)


def _read_sheet(
    kind: FileKind,
    candidate: _Candidate,
    error: type[CultureAnalyticsError],
    expected: Collection[str],
) -> RawTable:
    sheet, header = candidate.sheet, candidate.header
    refuse_uncalculated(kind, candidate.name, error)
    where = f"{kind.name} (sheet {candidate.name!r})"
    if sheet.width > MAX_COLUMNS:
        raise error(
            f"{where} has {sheet.width:,} columns; an extract has one row a respondent and at most "
            f"{MAX_COLUMNS:,} columns. It may be turned on its side."
        )
    names = candidate.top[header]
    builders = [ColumnBuilder(str(place)) for place in range(len(names))]
    count = 0
    for block in _blocks(kind, sheet, header + 1, error):
        count += len(block)
        for builder, cells in zip(builders, zip(*block, strict=True), strict=True):
            builder.add_cells(cells)
    columns = [builder.build() for builder in builders]
    refuse_rows_above(candidate.top[:header], columns, where, error)
    first = sheet.start[0] if sheet.start is not None else 0
    return RawTable(
        source=kind.name,
        format=kind.format,
        columns=unique_names(names, columns, where, error, expected),
        rows=count,
        sheet=candidate.name,
        header_row=first + header + 1,
        title=tuple(cell for row in candidate.top[:header] for cell in row if cell),
    )


def _blocks(
    kind: FileKind, sheet: CalamineSheet, header: int, error: type[CultureAnalyticsError]
) -> Iterator[list[list[Any]]]:
    """Go through the rows below the header, without holding all of them as Python objects."""
    above = (sheet.start[0] if sheet.start is not None else 0) + header
    label = f"Reading sheet {sheet.name}".encode("ascii", "replace").decode()
    try:
        rows = islice(sheet.iter_rows(), above, None)
        for _ in progress(range(0, max(sheet.height - header, 0), ROWS_AT_ONCE), label):
            yield list(islice(rows, ROWS_AT_ONCE))
    except BaseException as problem:
        if isinstance(problem, GeneratorExit):
            raise
        raise error(_damaged(kind, problem)) from None
