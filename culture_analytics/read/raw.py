"""A table as it stands in the file, before anything is known about its meaning.

A column is a short list of the distinct texts in it and one small integer a row. Every later step
(labels to codes, Excel's dates to answers) works on the distinct texts, so its cost does not grow
with the number of respondents.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ColumnBuilder", "RawColumn", "RawTable", "cell_text"]

BLANK = -1


@dataclass(frozen=True, repr=False, eq=False)
class RawColumn:
    """One column of a file.

    Attributes
    ----------
    name : str
        Header as written in the file, outer blanks removed.
    codes : ndarray of int, shape (rows,)
        Position of each row's text in `values`; -1 where the cell is blank.
    values : tuple of str
        Distinct texts of the column, outer blanks removed, none of them empty.
    labels : mapping of str to str
        Value labels the file itself holds (SPSS): text of the code to label. Usually empty.
    missing : frozenset of str
        Texts the file itself declares missing (SPSS user-missing values).
    """

    name: str
    codes: NDArray[np.signedinteger[Any]]
    values: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        """Show the header and counts, never a value."""
        return f"RawColumn({self.name!r}, rows={len(self.codes):,}, distinct={len(self.values):,})"

    def counts(self) -> NDArray[np.int64]:
        """Count the rows of each distinct text, in the order of `values`."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.values))

    @property
    def filled(self) -> int:
        """Number of rows whose cell is not blank."""
        return int(np.count_nonzero(self.codes >= 0))

    def to_series(self) -> pd.Series[str]:
        """Give the column as text, one value a row."""
        texts = np.array([*self.values, None], dtype=object)
        return pd.Series(texts[self.codes], name=self.name, dtype="str")


@dataclass(frozen=True, repr=False, eq=False)
class RawTable:
    """A file's data table as it stands.

    Attributes
    ----------
    source : str
        File name, without its folder.
    format : str
        ``csv``, ``xlsx``, ``xls``, ``ods``, ``sav``, ``parquet`` and so on, from the content.
    columns : tuple of RawColumn
        In file order. Names are unique.
    rows : int
        Rows of the table, those of `ragged` not included.
    ragged : int
        Rows that could not be kept, because they have more or fewer fields than the header.
    sheet : str or None
        Worksheet, for a workbook.
    encoding : str or None
        Text encoding, for a text file.
    header_row : int
        Row (text: record) of the header, counted from 1.
    title : tuple of str
        Text found above the header.
    """

    source: str
    format: str
    columns: tuple[RawColumn, ...]
    rows: int
    ragged: int = 0
    sheet: str | None = None
    encoding: str | None = None
    header_row: int = 1
    title: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Show where the table came from and its size, never a value."""
        return f"RawTable({self.where}: {self.rows:,} rows, {len(self.columns):,} columns)"

    @property
    def where(self) -> str:
        """The file, and the sheet if there is one, as errors name it."""
        return self.source if self.sheet is None else f"{self.source} (sheet {self.sheet!r})"

    @property
    def names(self) -> list[str]:
        """Headers, in file order."""
        return [column.name for column in self.columns]

    def __getitem__(self, name: str) -> RawColumn:
        """Find a column by its header."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def data(self) -> pd.DataFrame:
        """The whole table as text (large: one object a cell); for looking, not for counting."""
        return pd.DataFrame({column.name: column.to_series() for column in self.columns})


def cell_text(value: object) -> str:  # noqa: PLR0911 - one line a type
    """Write a typed cell as text: whole numbers without a point, dates in ISO form.

    Parameters
    ----------
    value : object
        Cell of a workbook, an SPSS file or a parquet file.

    Returns
    -------
    str
        Outer blanks removed; empty for nothing, NaN and NaT.
    """
    if isinstance(value, str):
        return value.strip()
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, bool | np.bool_):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        number = float(value)
        if math.isnan(number):
            return ""
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace").strip()
    return str(value).strip()


class ColumnBuilder:
    """Collects a column piece by piece, so that a large file never has to be whole in memory."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._index: dict[str, int] = {}
        self._pieces: list[NDArray[np.signedinteger[Any]]] = []

    def add_cells(self, cells: Sequence[Any]) -> None:
        """Add rows given as typed cells."""
        # True, 1 and 1.0 are one key of a dict: booleans become text before anything else.
        if bool in set(map(type, cells)):
            cells = [cell_text(cell) if isinstance(cell, bool) else cell for cell in cells]
        try:
            positions = {cell: number for number, cell in enumerate(dict.fromkeys(cells))}
        except TypeError:  # nested values, as parquet may hold
            cells = [cell_text(cell) for cell in cells]
            positions = {cell: number for number, cell in enumerate(dict.fromkeys(cells))}
        found = np.fromiter(map(positions.__getitem__, cells), dtype=np.int64, count=len(cells))
        self.add_coded(found, list(positions))

    def add_series(self, cells: pd.Series[Any]) -> None:
        """Add rows given as a pandas column; numbers and text are factorised in compiled code."""
        codes, values = pd.factorize(cells, use_na_sentinel=True)
        self.add_coded(codes, list(values))

    def add_coded(self, codes: NDArray[np.integer[Any]], values: Iterable[Any]) -> None:
        """Add rows given as positions in `values`; a negative position is a blank."""
        index = self._index
        places = []
        for value in values:  # short but for respondent numbers and comments: kept tight for them
            text = value.strip() if type(value) is str else cell_text(value)
            places.append(index.setdefault(text, len(index)) if text else BLANK)
        lookup = np.array([*places, BLANK], dtype=np.int32)
        # Position -1 is the last of the lookup: a blank.
        self._pieces.append(_smallest(lookup[codes], len(index)))

    def build(
        self, *, labels: Mapping[str, str] | None = None, missing: Iterable[str] = ()
    ) -> RawColumn:
        """Close the column."""
        values = tuple(self._index)
        dtype = _code_dtype(len(values))
        codes = (
            np.concatenate([piece.astype(dtype, copy=False) for piece in self._pieces])
            if self._pieces
            else np.empty(0, dtype=dtype)
        )
        return RawColumn(self.name, codes, values, dict(labels or {}), frozenset(missing))


def _code_dtype(distinct: int) -> type[np.signedinteger[Any]]:
    if distinct <= np.iinfo(np.int8).max:
        return np.int8
    return np.int16 if distinct <= np.iinfo(np.int16).max else np.int32


def _smallest(codes: NDArray[np.int32], distinct: int) -> NDArray[np.signedinteger[Any]]:
    return codes.astype(_code_dtype(distinct))
