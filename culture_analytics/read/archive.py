"""Whether a zipped workbook can be opened safely: what it unpacks to, and how far its cells reach.

The workbook parser unpacks without a limit and keeps a sheet as one full grid, so a small file
could fill the memory of the computer and take the whole program down. A stray entry in the last
row of a sheet is enough. Everything is checked here first, by streaming through the archive once.
"""

from __future__ import annotations

import html
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.read.compound import is_endless
from culture_analytics.read.detect import FileKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MAX_SPREAD", "MAX_UNPACKED", "refuse_uncalculated", "refuse_unsafe"]

MAX_UNPACKED = 2 << 30  # bytes of all parts; a national extract of this size belongs in a csv
MAX_RATIO = 300  # of a part; workbooks of answers pack 10 to 40 times
RATIO_FROM = 64 << 20
MAX_SPREAD = 20_000_000  # cells of the grid that a sheet spans, unless it is well filled
MAX_REPEATED = MAX_SPREAD // 8  # where a cell is written once for many: each takes its own memory
FILLED_SHARE = 8  # grid cells for each cell held
PIECE = 1 << 20
OVERLAP = 4096
PARTS = (".xml", ".rels", ".bin")


@dataclass(frozen=True)
class _Part:
    """What one worksheet holds, without its values."""

    rows: int = 0
    columns: int = 0
    cells: int = 0
    uncalculated: int = 0
    most: int = MAX_SPREAD

    @property
    def sprawls(self) -> bool:
        grid = self.rows * self.columns
        return grid > self.most and grid > FILLED_SHARE * self.cells


@dataclass(frozen=True)
class _Archive:
    """What an archive was found to be."""

    fault: str = ""
    uncalculated: dict[str, int] = field(default_factory=dict)


def refuse_unsafe(kind: FileKind, error: type[CultureAnalyticsError]) -> None:
    """Refuse a workbook that would not fit into memory, or whose archive is damaged.

    Parameters
    ----------
    kind : FileKind
        The file; formats that are no archives pass.
    error : type of CultureAnalyticsError
        Error to raise.

    Raises
    ------
    ExtractError
        (or `error`) if the file unpacks to too much, if cells of a sheet lie too far apart, or if
        a part of it is damaged.
    """
    fault = _inspect(kind).fault
    if fault:
        raise error(fault)


def refuse_uncalculated(kind: FileKind, sheet: str, error: type[CultureAnalyticsError]) -> None:
    """Refuse a sheet with formulas that no program has worked out: they would be read as blank.

    Parameters
    ----------
    kind : FileKind
        The file.
    sheet : str
        Worksheet to be read.
    error : type of CultureAnalyticsError
        Error to raise.

    Raises
    ------
    ExtractError
        (or `error`) with the number of such formulas.
    """
    count = _inspect(kind).uncalculated.get(sheet, 0)
    if count:
        raise error(
            f"{count:,} cell(s) of {kind.name} (sheet {sheet!r}) hold a formula without its "
            "result, and would be read as blank. Open the file in Excel and save it, which works "
            "them out; or save the sheet as .csv."
        )


def _inspect(kind: FileKind) -> _Archive:
    if kind.format not in {"xlsx", "xlsb", "ods", "xls"}:
        return _Archive()
    try:
        stamp = kind.path.stat().st_mtime_ns
    except OSError:
        return _Archive()  # the parser says what is wrong
    return _inspected(kind.path, kind.format, kind.size, stamp)


@lru_cache(maxsize=4)
def _inspected(path: Path, form: str, size: int, stamp: int) -> _Archive:
    """Inspect an archive once; a file that changes has another time stamp."""
    name = path.name
    damaged = _Archive(
        f"{name} is a damaged or cut-off workbook ({size:,} bytes): a part of it cannot be "
        "unpacked. Copy or download it again."
    )
    try:
        if form == "xls":
            return damaged if is_endless(path.read_bytes()) else _Archive()
        with zipfile.ZipFile(path) as archive:
            fault = _too_large(archive, name)
            if fault:
                return _Archive(fault)
            return _sheets(archive, name, form)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ):
        return damaged
    except OSError:
        return _Archive()


def _too_large(archive: zipfile.ZipFile, name: str) -> str:
    """Judge by the sizes the archive declares; reading it afterwards shows if they are true."""
    parts = archive.infolist()
    total = sum(part.file_size for part in parts)
    ratio = max(
        (p.file_size / max(p.compress_size, 1) for p in parts if p.file_size > RATIO_FROM),
        default=0.0,
    )
    if total <= MAX_UNPACKED and ratio <= MAX_RATIO:
        return ""
    return (
        f"{name} unpacks to {total / 1e9:,.1f} GB, more than can be opened safely. If it is a real "
        "extract, ask for it as .csv or .parquet, which can be of any size."
    )


def _sheets(archive: zipfile.ZipFile, name: str, form: str) -> _Archive:
    titles = _titles(archive) if form == "xlsx" else {}
    look = {"xlsx": _xlsx_part, "ods": _ods_part, "xlsb": _xlsb_part}[form]
    uncalculated = {}
    for info in archive.infolist():
        if not info.filename.lower().endswith(PARTS):
            continue
        with archive.open(info) as stream:
            found = look(info.filename, iter(lambda: stream.read(PIECE), b""))
        if found.sprawls:
            sheet = titles.get(info.filename)
            return _Archive(_far_apart(name, sheet, found))
        if found.uncalculated and info.filename in titles:
            uncalculated[titles[info.filename]] = found.uncalculated
    return _Archive(uncalculated=uncalculated)


def _far_apart(name: str, sheet: str | None, found: _Part) -> str:
    where = f"sheet {sheet!r} of {name}" if sheet else f"a sheet of {name}"
    return (
        f"The cells of {where} lie too far apart: its used area is {found.rows:,} rows by "
        f"{found.columns:,} columns, with {found.cells:,} cell(s) in it. Something stands far "
        "outside the table: delete the rows below it and the columns to its right, and save."
    )


_SHEET = re.compile(rb"<(?:\w+:)?sheet\s[^>]*>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s[^>]*>")


def _titles(archive: zipfile.ZipFile) -> dict[str, str]:
    """Name the worksheet of every part."""
    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return {}
    relations = archive.read("xl/_rels/workbook.xml.rels")
    targets = {
        _attribute(tag, b"Id"): _attribute(tag, b"Target") for tag in _RELATION.findall(relations)
    }
    titles = {}
    for tag in _SHEET.findall(archive.read("xl/workbook.xml")):
        target = targets.get(_attribute(tag, rb"\w+:id"), "")
        part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
        titles[part] = html.unescape(_attribute(tag, b"name"))
    return titles


def _attribute(tag: bytes, name: bytes) -> str:
    found = re.search(rb"\s" + name + rb"\s*=\s*([\"'])(.*?)\1", tag)
    return found[2].decode("utf-8", errors="replace") if found else ""


def _windows(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, int]]:
    """Give each piece after the end of the one before, and where the new bytes begin."""
    before = b""
    for piece in pieces:
        yield before + piece, len(before)
        before = piece[-OVERLAP:]


_FORMULA = re.compile(rb"</(?:\w+:)?f>\s*</(?:\w+:)?c>|<(?:\w+:)?f(?:\s[^>]*)?/>\s*</(?:\w+:)?c>")
_REFERENCE = 10  # characters of the longest reference, XFD1048576


def _xlsx_part(part: str, pieces: Iterator[bytes]) -> _Part:
    """Find the furthest cell of a worksheet, the cells it holds, and formulas without result."""
    rows = columns = cells = uncalculated = 0
    formulas = False
    sheet = part.startswith("xl/") and part.endswith(".xml") and "sharedStrings" not in part
    for text, new in _windows(pieces):
        if not sheet:
            continue
        furthest = _furthest(text)
        rows, columns = max(rows, furthest[0]), max(columns, furthest[1])
        cells += furthest[2]
        formulas = formulas or any(mark in text for mark in (b"</f>", b":f>", b"<f "))
        if formulas:
            # A formula that ends in the part seen before was counted with it.
            uncalculated += sum(match.end() > new for match in _FORMULA.finditer(text))
    return _Part(rows, columns, cells, uncalculated)


def _furthest(text: bytes) -> tuple[int, int, int]:
    """Give the last row and column of all cell references ``r="AB12"`` of a text, and their number.

    Nearly all are short, of at most two letters and four digits, and are taken apart in the
    smallest integers: this must cost less than the parser does.
    """
    found = np.frombuffer(text + b" " * (_REFERENCE + 2), dtype=np.uint8)
    at = np.flatnonzero(found[: len(text)] == ord("="))
    at = at[(found[at - 1] == ord("r")) & (found[at - 2] <= ord(" "))] + 2
    # A row may be declared far down and hold nothing: only references that begin with a letter
    # are cells.
    at = at[found[at] >= ord("A")]
    if not len(at):
        return 0, 0, 0
    first, second = found[at] & 0x1F, found[at + 1]
    two = second >= ord("A")
    columns = np.where(two, first * np.uint16(26) + (second & 0x1F), first)
    digits = at + 1 + two
    rows = np.zeros(len(at), dtype=np.uint16)
    for place in range(4):
        digit = found[digits + place] - np.uint8(ord("0"))
        np.copyto(rows, rows * np.uint16(10) + digit, where=digit < 10)
    row, column = int(rows.max()), int(columns.max())
    long = (found[digits] >= ord("A")) | (found[digits + 4] >= ord("0"))
    if long.any():
        far = _taken_apart(found, at[long])
        row, column = max(row, far[0]), max(column, far[1])
    return row, column, len(at)


def _taken_apart(found: NDArray[np.uint8], at: NDArray[np.intp]) -> tuple[int, int]:
    """Read the references that begin at some places; give the last row and the last column."""
    row = np.zeros(len(at), dtype=np.int64)
    column = np.zeros(len(at), dtype=np.int64)
    in_letters, in_digits = np.ones((2, len(at)), dtype=bool)
    for place in range(_REFERENCE):
        mark = found[np.minimum(at + place, len(found) - 1)]
        capital = mark & 0xDF
        in_letters &= (capital >= ord("A")) & (capital <= ord("Z"))
        np.copyto(column, column * 26 + (capital - np.uint8(ord("A") - 1)), where=in_letters)
        in_digits &= in_letters | ((mark >= ord("0")) & (mark <= ord("9")))
        np.copyto(row, row * 10 + (mark - np.uint8(ord("0"))), where=in_digits & ~in_letters)
    return int(row.max()), int(column.max())


_REPEATED_CELL = re.compile(
    rb"<table:table-cell\b[^>]*?number-columns-repeated=[\"'](\d{1,10})[\"'][^>]*?(?<!/)>"
)
_REPEATED_ROW = re.compile(
    rb"<table:table-row\b[^>]*?number-rows-repeated=[\"'](\d{1,10})[\"'][^>]*?(?<!/)>"
)


def _ods_part(part: str, pieces: Iterator[bytes]) -> _Part:
    """Find the widest and longest repetition of cells that hold something."""
    rows = cells = 0
    columns = 1
    for text, new in _windows(pieces):
        if part != "content.xml":
            continue
        rows += text.count(b"<table:table-row", new)
        cells += text.count(b"<table:table-cell", new)
        for match in _REPEATED_CELL.finditer(text):
            columns = max(columns, int(match[1]))
        for match in _REPEATED_ROW.finditer(text):
            inside = text[match.end() : match.end() + OVERLAP].split(b"</table:table-row>")[0]
            if b"<text:p" in inside or b"office:value" in inside:
                rows += int(match[1])
    return _Part(rows, columns, cells, most=MAX_REPEATED)


def _xlsb_part(part: str, pieces: Iterator[bytes]) -> _Part:
    """Find the furthest cell of a binary worksheet by walking through its records."""
    if not part.startswith("xl/worksheets/"):
        for _ in pieces:  # unpacked all the same, so that damage shows
            pass
        return _Part()
    data = b"".join(pieces)
    at = row = rows = columns = cells = 0
    while at < len(data):
        record, at = _variable(data, at, 2)
        length, at = _variable(data, at, 4)
        if record == 0 and length >= 4:
            row = int.from_bytes(data[at : at + 4], "little") + 1
        elif 1 <= record <= 11 and length >= 4:
            rows = max(rows, row)
            columns = max(columns, int.from_bytes(data[at : at + 4], "little") + 1)
            cells += 1
        at += length
    return _Part(rows, columns, cells)


def _variable(data: bytes, at: int, most: int) -> tuple[int, int]:
    """Read a number of seven bits a byte; give it, and where it ends."""
    value = 0
    for place in range(most):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << (7 * place)
        if not byte & 0x80:
            break
    return value, at
