"""One door to every file format: recognise the file by its content and read its table.

The formats themselves live in small modules: `text`, `workbook` and `columnar`; what a file is,
and why it may not be one, in `detect`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from culture_analytics.errors import CultureAnalyticsError, ExtractError
from culture_analytics.read.columnar import read_parquet, read_sav
from culture_analytics.read.detect import FileKind, recognise
from culture_analytics.read.layout import Inspect
from culture_analytics.read.raw import RawColumn, RawTable
from culture_analytics.read.text import read_text, text_head
from culture_analytics.read.workbook import read_workbook, sheet_tops

__all__ = ["FilePeek", "RawColumn", "RawTable", "peek_file", "read_table"]

WORKBOOKS = frozenset({"xlsx", "xlsb", "xls", "ods"})


@dataclass(frozen=True)
class FilePeek:
    """The first rows of a file, for recognising what it holds.

    Attributes
    ----------
    kind : FileKind
        File and format.
    tops : dict of str to list of list of str
        First rows as text: of every sheet by its name, or of the one table under ``""``.
    """

    kind: FileKind
    tops: dict[str, list[list[str]]] = field(repr=False)


def peek_file(
    path: str | Path, *, error: type[CultureAnalyticsError] = ExtractError, caller: str = ""
) -> FilePeek:
    """Look at the top of a file without reading all of it.

    Parameters
    ----------
    path : str or Path
        File to look at.
    error : type of CultureAnalyticsError, default ExtractError
        Error to raise.
    caller : str, optional
        Function named in messages.

    Returns
    -------
    FilePeek
        Format and first rows. SPSS and parquet files show their headers only.
    """
    kind = recognise(path, error=error, caller=caller)
    if kind.format in WORKBOOKS:
        return FilePeek(kind, sheet_tops(kind, error=error))
    if kind.format == "text":
        return FilePeek(kind, {"": text_head(kind, error=error).records[:12]})
    return FilePeek(kind, {"": [_headers(kind, error)]})


def _headers(kind: FileKind, error: type[CultureAnalyticsError]) -> list[str]:
    if kind.format == "parquet":
        import pyarrow as pa
        from pyarrow import parquet

        try:
            return list(parquet.read_schema(kind.path).names)
        except (pa.ArrowException, OSError):
            return read_parquet(kind, error=error).names
    import pyreadstat

    try:
        return list(pyreadstat.read_sav(str(kind.path), metadataonly=True)[1].column_names)
    except Exception:
        return read_sav(kind, error=error).names


def read_table(
    path: str | Path,
    *,
    sheet: str | int | None = None,
    expected: Collection[str] = (),
    inspect: Inspect | None = None,
    error: type[CultureAnalyticsError] = ExtractError,
    caller: str = "",
) -> RawTable:
    """Read the table of a file as it stands.

    Parameters
    ----------
    path : str or Path
        A csv, tsv or semicolon file (UTF-8, Windows-1252 or UTF-16), a workbook (xlsx, xlsm,
        xlsb, xls, ods), an SPSS file (sav, zsav) or a parquet file. The content decides, not the
        extension.
    sheet : str or int, optional
        Worksheet by name or position counted from 1.
    expected : collection of str
        Headers to look for when the header row has to be found, beside question numbers.
    inspect : callable, optional
        Called with the file name and the first rows of every sheet before anything is read; it
        may raise, for example because the file holds published results.
    error : type of CultureAnalyticsError, default ExtractError
        Error to raise.
    caller : str, optional
        Function named in messages.

    Returns
    -------
    RawTable
        The table: for every column its distinct texts and one small integer a row.

    Raises
    ------
    ExtractError
        (or `error`) if the file is missing, empty, damaged, encrypted, held open by another
        program or not a table; if it has a header and no row; if two headers are the same.
    """
    kind = recognise(path, error=error, caller=caller)
    if sheet is not None and kind.format not in WORKBOOKS:
        raise error(f"{kind.name} is not a workbook and has no sheets: leave sheet= out.")
    if kind.format in WORKBOOKS:
        table = read_workbook(kind, sheet=sheet, expected=expected, inspect=inspect, error=error)
    elif kind.format == "text":
        table = read_text(kind, expected=expected, inspect=inspect, error=error)
    else:
        if inspect is not None:
            inspect(kind.name, {"": [_headers(kind, error)]})
        table = (read_sav if kind.format == "sav" else read_parquet)(kind, error=error)
    if table.rows == 0:
        raise error(
            f"{table.where} has a header and no row below it ({len(table.columns):,} columns): "
            "ask for the data, or give sheet= the sheet that holds it."
        )
    return table
