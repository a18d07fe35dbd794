"""Reads delimited text quickly: every column straight into codes and distinct texts.

The parser is Arrow's, one pass over the file, so three quarters of a million rows of a hundred
columns take seconds. What people do to such files is settled first, on the head of the file:
encoding, delimiter, title lines above the header.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from culture_analytics.errors import CultureAnalyticsError, ExtractError
from culture_analytics.progress import Bar, progress_bar
from culture_analytics.read.arrow import in_arrow, lent
from culture_analytics.read.detect import FileKind, wide_encoding
from culture_analytics.read.layout import (
    MAX_COLUMNS,
    Inspect,
    find_header,
    refuse_rows_above,
    unique_names,
)
from culture_analytics.read.raw import BLANK, ColumnBuilder, RawColumn, RawTable

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["TextHead", "read_text", "text_head"]

HEAD_BYTES = 1 << 20
HEAD_RECORDS = 60
TOP_RECORDS = 12
BLOCK_BYTES = 1 << 20  # small enough for the processor's cache: twice as fast as 8 MB
LARGE_BLOCK_BYTES = 1 << 26  # for rows longer than a block
DELIMITERS = {",": "csv", "\t": "tsv", ";": "csv (semicolon)", "|": "csv (pipe)"}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True)
class TextHead:
    """The beginning of a text file, understood.

    Attributes
    ----------
    encoding : str
        Python codec name, without the byte-order mark.
    bom : int
        Bytes of the byte-order mark.
    delimiter : str
        Between fields.
    records : list of list of str
        First records, split.
    header : int
        Position of the header among `records`.
    ends : list of int
        Character after each record.
    text : str
        The decoded head.
    """

    encoding: str
    bom: int
    delimiter: str
    records: list[list[str]]
    header: int
    ends: list[int]
    text: str

    @property
    def data_offset(self) -> int:
        """Byte at which the first row after the header begins."""
        return self.bom + len(self.text[: self.ends[self.header]].encode(self.encoding))


def text_head(
    kind: FileKind,
    *,
    expected: Collection[str] = (),
    error: type[CultureAnalyticsError] = ExtractError,
) -> TextHead:
    """Settle encoding, delimiter and header of a text file.

    Parameters
    ----------
    kind : FileKind
        The file.
    expected : collection of str
        Headers that the caller knows to look for, beside question numbers.
    error : type of CultureAnalyticsError
        Error to raise.

    Returns
    -------
    TextHead
        What the head of the file says.
    """
    with kind.path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    encoding, bom = _encoding(kind, head, error)
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    try:
        text = decoder.decode(head[bom:], final=False)
    except UnicodeDecodeError:
        raise error(_mixed_encodings(kind, encoding)) from None
    best: tuple[tuple[int, int, int], TextHead] | None = None
    for delimiter in DELIMITERS:
        records, ends = _records(text, delimiter, complete=kind.size <= HEAD_BYTES)
        if not records:
            continue
        header, score = find_header(records, expected)
        candidate = TextHead(encoding, bom, delimiter, records, header, ends, text)
        rank = (score, len(records[header]), _steadiness(records, header))
        if best is None or rank > best[0]:
            best = (rank, candidate)
    if best is None:
        raise error(f"{kind.name} holds no table: no line of text could be read from it.")
    return best[1]


def _encoding(kind: FileKind, head: bytes, error: type[CultureAnalyticsError]) -> tuple[str, int]:
    mark, encoding = next((bom for bom in _BOMS if head.startswith(bom[0])), (b"", ""))
    encoding = encoding or wide_encoding(head[:4096]) or _narrow_encoding(kind)
    _refuse_mixture(kind, encoding, error)
    return encoding, len(mark)


FOREIGN_RUN = 12  # characters in a row that must be of another encoding


def _refuse_mixture(kind: FileKind, encoding: str, error: type[CultureAnalyticsError]) -> None:
    """Refuse text that changes its encoding on the way, or has holes: its rows would be lost."""
    wide = encoding.startswith("utf-16")
    with kind.path.open("rb") as stream:
        while piece := stream.read(BLOCK_BYTES):
            if _not_utf16(piece, encoding) if wide else b"\x00" in piece:
                raise error(_mixed_encodings(kind, encoding))


def _not_utf16(piece: bytes, encoding: str) -> bool:
    """Tell whether a run of two-byte characters is plain text in one byte each, or byte-swapped.

    Such a run is not impossible in the scripts of East Asia, but does not happen.
    """
    order = "<u2" if encoding.endswith("le") else ">u2"
    units = np.frombuffer(piece[: len(piece) // 2 * 2], dtype=order)
    high, low = units >> 8, units & 0xFF
    foreign = _PLAIN[high] & (_PLAIN[low] | (low == 0))
    own = np.flatnonzero(~foreign)
    gaps = np.diff(own, prepend=-1, append=len(units)) - 1
    return bool(gaps.max() >= FOREIGN_RUN)


_PLAIN = np.zeros(256, dtype=bool)
_PLAIN[[9, 10, 13, *range(32, 127)]] = True


def _narrow_encoding(kind: FileKind) -> str:
    """UTF-8 if the whole file is, else the Windows code page, else the code page without gaps."""
    utf8 = codecs.getincrementaldecoder("utf-8")()
    try:
        with kind.path.open("rb") as stream:
            while piece := stream.read(BLOCK_BYTES):
                if not piece.isascii() or utf8.getstate()[0]:
                    utf8.decode(piece)
            utf8.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252" if _decodes(kind, "cp1252") else "latin-1"
    return "utf-8"


def _decodes(kind: FileKind, encoding: str) -> bool:
    try:
        with kind.path.open("rb") as stream:
            while piece := stream.read(BLOCK_BYTES):
                piece.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


_BREAK = re.compile(r'"+|\r\n|\r|\n')


def _records(text: str, delimiter: str, *, complete: bool) -> tuple[list[list[str]], list[int]]:
    """Split the first records, keeping the character at which each one ends."""
    records: list[list[str]] = []
    ends: list[int] = []
    start, quoted = 0, False
    for match in _BREAK.finditer(text):
        if match.group()[0] == '"':
            before = text[match.start() - 1 : match.start()]
            # A quotation mark inside an unquoted field (5" pipe) opens nothing; two in a row
            # inside a quoted field are one mark of its text.
            if quoted or match.start() == start or before == delimiter:
                quoted ^= bool((match.end() - match.start()) % 2)
            continue
        if quoted:
            continue
        _add_record(records, ends, text[start : match.start()], match.end(), delimiter)
        start = match.end()
        if len(records) >= HEAD_RECORDS:
            break
    else:
        if complete and text[start:].strip() and not quoted:
            _add_record(records, ends, text[start:], len(text), delimiter)
    return records, ends


def _add_record(
    records: list[list[str]], ends: list[int], line: str, end: int, delimiter: str
) -> None:
    csv.field_size_limit(max(csv.field_size_limit(), HEAD_BYTES))
    fields = next(csv.reader(io.StringIO(line, newline=""), delimiter=delimiter), [])
    records.append([field.strip() for field in fields])
    ends.append(end)


def _steadiness(records: list[list[str]], header: int) -> int:
    width = len(records[header])
    return sum(len(record) == width for record in records[header + 1 :]) if width > 1 else 0


def read_text(
    kind: FileKind,
    *,
    expected: Collection[str] = (),
    inspect: Inspect | None = None,
    error: type[CultureAnalyticsError] = ExtractError,
) -> RawTable:
    """Read a delimited text file.

    Parameters
    ----------
    kind : FileKind
        The file.
    expected : collection of str
        Headers the caller looks for, beside question numbers.
    inspect : callable, optional
        Called with the file name and first rows before the rest is read.
    error : type of CultureAnalyticsError
        Error to raise.

    Returns
    -------
    RawTable
        The table; rows with more or fewer fields than the header are counted in ``ragged``.
    """
    head = text_head(kind, expected=expected, error=error)
    if inspect is not None:
        inspect(kind.name, {"": head.records[:TOP_RECORDS]})
    names = _field_names(head)
    if len(names) > MAX_COLUMNS:
        raise error(
            f"{kind.name} has {len(names):,} columns; an extract has one row a respondent and at "
            f"most {MAX_COLUMNS:,} columns. It may be turned on its side."
        )
    columns, ragged = _parse(kind, head, len(names), error)
    rows = len(columns[0].codes) if columns else 0
    _refuse_ragged(kind, head, rows, ragged, error)
    _refuse_open_quote(kind, head, columns, error)
    refuse_rows_above(head.records[: head.header], columns, kind.name, error)
    return RawTable(
        source=kind.name,
        format=DELIMITERS[head.delimiter],
        columns=unique_names(names, columns, kind.name, error, expected),
        rows=rows,
        ragged=ragged,
        encoding=head.encoding,
        header_row=head.header + 1,
        title=tuple(cell for record in head.records[: head.header] for cell in record if cell),
    )


def _field_names(head: TextHead) -> list[str]:
    names = list(head.records[head.header])
    widths = Counter(len(record) for record in head.records[head.header + 1 :] if any(record))
    if widths:
        width = widths.most_common(1)[0][0]
        # Every row ends in a delimiter, the header does not: columns without a name.
        names += [""] * (width - len(names)) if width - len(names) <= 2 else []
    return names


class _Source(io.RawIOBase):
    """The file from the first data row on as UTF-8, telling a progress bar how far it is."""

    def __init__(self, stream: io.BufferedReader, bar: Bar, encoding: str) -> None:
        self._stream = stream
        self._bar = bar
        plain = codecs.lookup(encoding).name == "utf-8"
        self._decoder = None if plain else codecs.getincrementaldecoder(encoding)()
        self._waiting = b""

    def readable(self) -> bool:
        return True

    def read_buffer(self, size: int) -> pa.Buffer:
        """Give the next piece, in Arrow's own memory; an empty one ends the file."""
        while len(self._waiting) < size and (piece := self._stream.read(size)):
            self._bar.update(len(piece))
            self._waiting += self._utf8(piece)
        if len(self._waiting) < size:
            self._waiting += self._utf8(b"")
        ready, self._waiting = self._waiting[:size], self._waiting[size:]
        return in_arrow(ready)

    def _utf8(self, piece: bytes) -> bytes:
        if self._decoder is None:
            return piece
        return self._decoder.decode(piece, final=not piece).encode()


@dataclass
class _Uneven:
    """Records that do not have the header's number of fields."""

    delimiter: str
    width: int
    count: int = 0
    swallowed: bool = False

    def __call__(self, row: Any) -> str:
        # A quotation mark left open may have joined rows into one record: none goes uncounted.
        joined = row.text.count(self.delimiter) // (self.width - 1) if self.width > 1 else 1
        self.count += max(joined, 1) if "\n" in row.text or "\r" in row.text else 1
        holds = _holds_rows(row.text, self.delimiter, self.width, whole=False)
        self.swallowed = self.swallowed or holds
        return "skip"


def _parse(
    kind: FileKind, head: TextHead, width: int, error: type[CultureAnalyticsError]
) -> tuple[list[RawColumn], int]:
    import pyarrow as pa

    # Arrow's own messages quote the row they stumble over, so none of them is passed on.
    problem = ""
    for block in (BLOCK_BYTES, LARGE_BLOCK_BYTES):
        uneven = _Uneven(head.delimiter, width)
        try:
            columns = _columns(_arrow_columns(kind, head, uneven, block))
        except pa.ArrowInvalid as failure:
            problem = str(failure)
            if "straddling" in problem:  # a record longer than a block
                continue
            break
        except (pa.ArrowException, UnicodeError):
            break
        if uneven.swallowed:
            raise error(_open_quote(kind))
        return columns, uneven.count
    if "Empty CSV file" in problem:
        return [ColumnBuilder(str(place)).build() for place in range(width)], uneven.count
    raise error(_unparsable(kind, head, problem))


def _arrow_columns(
    kind: FileKind, head: TextHead, uneven: _Uneven, block: int
) -> list[pa.ChunkedArray]:
    """Read every column as dictionary-encoded text."""
    import pyarrow as pa
    from pyarrow import csv

    keys = [str(place) for place in range(uneven.width)]
    text = pa.dictionary(pa.int32(), pa.string())
    newlines = _has_quotes(kind)
    with (
        kind.path.open("rb") as stream,
        progress_bar(
            f"Reading {kind.name}".encode("ascii", "replace").decode(), kind.size, "B"
        ) as bar,
    ):
        stream.seek(head.data_offset)
        source = _Source(stream, bar, head.encoding)
        with lent(source, uneven):
            table = csv.read_csv(
                pa.PythonFile(source, mode="r"),
                read_options=csv.ReadOptions(column_names=keys, block_size=block),
                parse_options=csv.ParseOptions(
                    delimiter=head.delimiter,
                    newlines_in_values=newlines,
                    invalid_row_handler=uneven,
                ),
                convert_options=csv.ConvertOptions(
                    column_types=dict.fromkeys(keys, text),
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                    null_values=[""],
                ),
            )
    return list(table.columns)


def _has_quotes(kind: FileKind) -> bool:
    with kind.path.open("rb") as stream:
        while piece := stream.read(BLOCK_BYTES):
            if b'"' in piece:
                return True
    return False


def _columns(arrays: list[pa.ChunkedArray]) -> list[RawColumn]:
    """Turn Arrow's columns into ours one by one, letting go of each as it is done."""
    import pyarrow as pa

    columns = []
    for place in range(len(arrays)):
        column = arrays.pop(0).unify_dictionaries()
        builder = ColumnBuilder(str(place))
        if column.num_chunks:
            codes = pa.chunked_array([chunk.indices for chunk in column.chunks])
            values = column.chunk(0).dictionary.to_pylist()
            builder.add_coded(codes.fill_null(BLANK).to_numpy(), values)
        columns.append(builder.build())
    return columns


def _mixed_encodings(kind: FileKind, encoding: str) -> str:
    return (
        f"{kind.name} cannot be read as text: it begins as {encoding} and holds something else "
        "further on. It was put together from files of different encodings, or it is damaged. Ask "
        "for it again, or for an .xlsx file."
    )


def _unparsable(kind: FileKind, head: TextHead, problem: str) -> str:
    if "straddling" in problem:
        return _open_quote(kind)
    return (
        f"{kind.name} cannot be read as delimited text (encoding {head.encoding}, fields separated "
        f"by {_spoken(head.delimiter)}): it may be damaged or cut off. Ask for it again, or for "
        "an .xlsx file."
    )


def _spoken(delimiter: str) -> str:
    return {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}[delimiter]


def _refuse_ragged(
    kind: FileKind,
    head: TextHead,
    rows: int,
    ragged: int,
    error: type[CultureAnalyticsError],
) -> None:
    """Few uneven rows are set aside and counted; many mean the file was misread."""
    if ragged == 0 or ragged <= 0.05 * (rows + ragged):
        return
    if head.text.count('"') % 2 and rows == 0:
        raise error(_open_quote(kind))
    width = len(head.records[head.header])
    raise error(
        f"{ragged:,} of {rows + ragged:,} rows of {kind.name} do not have the {width:,} fields of "
        f"the header (record {head.header + 1}, fields separated by {_spoken(head.delimiter)}). "
        "Often a delimiter inside a comment that is not in quotation marks: save the file again "
        "from the survey system, or as .xlsx."
    )


def _open_quote(kind: FileKind) -> str:
    return (
        f"{kind.name} has a quotation mark that is opened and never closed, which swallows the "
        "rows after it. Save the file again from the survey system, or as .xlsx."
    )


def _refuse_open_quote(
    kind: FileKind,
    head: TextHead,
    columns: list[RawColumn],
    error: type[CultureAnalyticsError],
) -> None:
    """Find rows swallowed by a stray quotation mark: they would be lost without a word."""
    width = len(columns)
    broken = (text for c in columns for text in c.values if "\n" in text or "\r" in text)
    if any(_holds_rows(text, head.delimiter, width) for text in broken):
        raise error(_open_quote(kind))
    if _odd_quotes(kind, head) and _ends_inside_quotes(kind, head):
        raise error(_open_quote(kind))


def _holds_rows(text: str, delimiter: str, width: int, *, whole: bool = True) -> bool:
    """Tell whether a text of several lines has swallowed rows of the table.

    A comment may run over lines, but its lines do not have as many delimiters as a row. Of the
    text of a whole record (`whole` false) the first and last lines hold its other fields.
    """
    if width < 3 or ("\n" not in text and "\r" not in text):
        return False
    lines = re.split(r"\r\n|\r|\n", text)
    lines = lines if whole else lines[1:-1]
    return any(line.count(delimiter) >= width - 1 for line in lines)


def _odd_quotes(kind: FileKind, head: TextHead) -> bool:
    mark = '"'.encode(head.encoding)
    with kind.path.open("rb") as stream:
        return (
            sum(piece.count(mark) for piece in iter(lambda: stream.read(BLOCK_BYTES), b"")) % 2 == 1
        )


def _ends_inside_quotes(kind: FileKind, head: TextHead) -> bool:
    """Walk the whole file by the rules of csv; slow, and only done when the quotes do not pair."""
    csv.field_size_limit(max(csv.field_size_limit(), min(kind.size + 1, 2**31 - 1)))
    with kind.path.open("rb") as stream:
        stream.seek(head.data_offset)
        lines = io.TextIOWrapper(stream, encoding=head.encoding, newline="")
        try:
            for _ in csv.reader(lines, delimiter=head.delimiter, strict=True):
                pass
        except csv.Error as problem:
            return "unexpected end of data" in str(problem)
        except UnicodeDecodeError:  # Arrow read it, in its own way
            return False
    return False
