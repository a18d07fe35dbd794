"""Reads a table from the two binary formats that hold typed columns: SPSS and parquet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from culture_analytics.errors import CultureAnalyticsError, ExtractError
from culture_analytics.progress import progress
from culture_analytics.read.detect import FileKind
from culture_analytics.read.layout import unique_names
from culture_analytics.read.raw import BLANK, ColumnBuilder, RawColumn, RawTable, cell_text

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["read_parquet", "read_sav"]

ROWS_AT_ONCE = 100_000
MAX_CELLS = 2_000_000_000  # ten years of the nation; repeated values pack into nothing


def read_sav(kind: FileKind, *, error: type[CultureAnalyticsError] = ExtractError) -> RawTable:
    """Read an SPSS file (.sav, .zsav), keeping codes, value labels and user-missing values.

    Parameters
    ----------
    kind : FileKind
        The file.
    error : type of CultureAnalyticsError
        Error to raise.

    Returns
    -------
    RawTable
        Codes as text; each column's value labels and declared missing values beside it.

    Notes
    -----
    User-missing values are read as ordinary codes (``user_missing=True``): a "don't know" that is
    declared missing in SPSS would vanish otherwise, and only the scale knows whether it counts.
    """
    import pyreadstat

    try:
        _, meta = pyreadstat.read_sav(str(kind.path), metadataonly=True, user_missing=True)
    except Exception:
        raise error(_damaged_sav(kind)) from None
    rows = meta.number_rows
    builders = [ColumnBuilder(name) for name in meta.column_names]
    count = 0
    for piece in _sav_pieces(kind, rows, error):
        for builder in builders:
            builder.add_series(piece[builder.name])
        count += len(piece)
    if rows is not None and rows >= 0 and count < rows:
        raise error(
            f"{kind.name} is cut off: it declares {rows:,} respondents and holds {count:,}. Copy "
            "or download it again."
        )
    columns = [
        builder.build(
            labels=_labels(meta.variable_value_labels.get(builder.name, {})),
            missing=_declared_missing(meta.missing_ranges.get(builder.name, ()), builder),
        )
        for builder in builders
    ]
    return RawTable(
        source=kind.name,
        format="sav",
        columns=unique_names([c.name for c in columns], columns, kind.name, error),
        rows=count,
        encoding=meta.file_encoding,
    )


def _sav_pieces(
    kind: FileKind, rows: int | None, error: type[CultureAnalyticsError]
) -> Iterator[pd.DataFrame]:
    import pyreadstat

    options: dict[str, Any] = {"user_missing": True, "apply_value_formats": False}
    try:
        if not rows or rows <= 2 * ROWS_AT_ONCE:
            yield pyreadstat.read_sav(str(kind.path), **options)[0]
            return
        starts = range(0, rows, ROWS_AT_ONCE)
        for start in progress(starts, f"Reading {kind.name}".encode("ascii", "replace").decode()):
            yield pyreadstat.read_sav(
                str(kind.path), row_offset=start, row_limit=ROWS_AT_ONCE, **options
            )[0]
    except Exception:
        raise error(_damaged_sav(kind)) from None


def _damaged_sav(kind: FileKind) -> str:
    return (
        f"{kind.name} is a damaged or cut-off SPSS file ({kind.size:,} bytes). Copy or download it "
        "again, or ask for it as .csv."
    )


def _labels(labels: Mapping[Any, Any]) -> dict[str, str]:
    return {cell_text(code): cell_text(label) for code, label in labels.items()}


def _declared_missing(ranges: Any, builder: ColumnBuilder) -> list[str]:
    """List the texts of a column that lie in SPSS's missing ranges."""
    declared: list[str] = []
    for text in builder.build().values:
        for limits in ranges:
            low, high = limits["lo"], limits["hi"]
            if isinstance(low, str) or isinstance(high, str):
                inside = text == str(low).strip()
            else:
                number = _number(text)
                inside = number is not None and float(low) <= number <= float(high)
            if inside:
                declared.append(text)
                break
    return declared


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def read_parquet(kind: FileKind, *, error: type[CultureAnalyticsError] = ExtractError) -> RawTable:
    """Read a parquet file, one row group at a time.

    Parameters
    ----------
    kind : FileKind
        The file.
    error : type of CultureAnalyticsError
        Error to raise.

    Returns
    -------
    RawTable
        Every column as text. Categories whose order differs from one row group to the next are
        matched by their text, never by their position.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(kind.path) as file:
            names = [n for n in file.schema_arrow.names if not n.startswith("__index_level_")]
            builders = [ColumnBuilder(name) for name in names]
            _refuse_too_large(kind, file.metadata.num_rows, len(names), error)
            groups = range(file.num_row_groups)
            label = f"Reading {kind.name}".encode("ascii", "replace").decode()
            for group in progress(groups, label):
                table = file.read_row_group(group, columns=names)
                for builder, column in zip(builders, table.columns, strict=True):
                    _add_arrow(builder, column)
            rows = file.metadata.num_rows
    except (pa.ArrowException, OSError):
        raise error(
            f"{kind.name} is a damaged or cut-off parquet file ({kind.size:,} bytes). Copy or "
            "download it again."
        ) from None
    columns: list[RawColumn] = [builder.build() for builder in builders]
    return RawTable(
        source=kind.name,
        format="parquet",
        columns=unique_names(names, columns, kind.name, error),
        rows=rows,
    )


def _refuse_too_large(
    kind: FileKind, rows: int, columns: int, error: type[CultureAnalyticsError]
) -> None:
    if rows * columns > MAX_CELLS:
        raise error(
            f"{kind.name} declares {rows:,} rows of {columns:,} columns, more than can be read at "
            "once. Read it in parts, a year at a time, and put them together with combine([...])."
        )


def _add_arrow(builder: ColumnBuilder, column: pa.ChunkedArray) -> None:
    import pyarrow as pa

    for chunk in column.chunks:
        kept = chunk
        if not pa.types.is_dictionary(chunk.type):
            try:
                kept = chunk.dictionary_encode()
            except pa.ArrowNotImplementedError:  # nested columns: seldom, and never an answer
                builder.add_cells([str(cell) for cell in chunk.to_pylist()])
                continue
        codes = kept.indices.fill_null(BLANK).to_numpy(zero_copy_only=False)
        builder.add_coded(np.asarray(codes), kept.dictionary.to_pylist())
