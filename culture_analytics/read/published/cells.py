"""The cells of a file, read once: what every layout recognises and reads from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from culture_analytics.errors import PublishedError
from culture_analytics.read.detect import FileKind
from culture_analytics.read.formats import WORKBOOKS, peek_file
from culture_analytics.read.headers import fold
from culture_analytics.read.workbook import open_workbook

__all__ = ["Cells", "Source", "folded", "read_source", "sheet_cells"]

Cells = Sequence[Sequence[Any]]

# A published file repeats its few labels in every sheet; nothing of a respondent's is ever here.
folded = lru_cache(maxsize=16_384)(fold)


@dataclass(frozen=True, eq=False)
class Source:
    """A file and its cells.

    Attributes
    ----------
    file : FileKind
        File and format.
    sheets : mapping of str to rows of cells
        Of a workbook, every sheet from its first row and column on, hidden ones too; of any other
        file its first records under ``""``.
    """

    file: FileKind
    sheets: Mapping[str, Cells] = field(repr=False)

    @property
    def is_workbook(self) -> bool:
        """Whether the file is a workbook, whose cells are all here."""
        return self.file.format in WORKBOOKS

    def refuse_one_sheet(self) -> None:
        """Refuse a sheet saved as text: the checks compare the sheets of a workbook.

        Raises
        ------
        PublishedError
            The file is no workbook.
        """
        if not self.is_workbook:
            raise PublishedError(
                f"{self.file.name} is one sheet saved as text. The checks need the whole "
                "workbook: give the file as downloaded from the results archive."
            )


def read_source(file: FileKind) -> Source:
    """Read the cells of a workbook, or the first records of another file.

    Parameters
    ----------
    file : FileKind
        The file.

    Returns
    -------
    Source

    Raises
    ------
    PublishedError
        The file is damaged or encrypted.
    """
    if file.format in WORKBOOKS:
        return Source(file, sheet_cells(file))
    return Source(file, peek_file(file.path, error=PublishedError, caller="read_published").tops)


def sheet_cells(file: FileKind) -> dict[str, list[list[Any]]]:
    """Every sheet of a workbook from its first row and column on; macros are never run.

    Parameters
    ----------
    file : FileKind
        A workbook.

    Returns
    -------
    dict of str to list of list
        Sheet name to typed cells.
    """
    with open_workbook(file, error=PublishedError) as book:
        cells = {}
        for name in book.sheet_names:
            try:
                cells[name] = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            except BaseException as problem:
                if isinstance(problem, KeyboardInterrupt | SystemExit | MemoryError):
                    raise
                if type(problem).__name__ == "WorksheetNotFound":  # a chart or macro sheet
                    continue
                raise PublishedError(
                    f"{file.name}: sheet {name!r} is damaged. Copy or download the workbook again."
                ) from None
        return cells
