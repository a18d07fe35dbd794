"""Real and synthetic workbooks in the official layout, and a way to alter them."""

from __future__ import annotations

import functools
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from culture_analytics.errors import PublishedWarning
from culture_analytics.estimates import Estimates
from culture_analytics.read.detect import FileKind
from culture_analytics.read.published import cells as cells_module
from culture_analytics.read.published import read_published
from culture_analytics.simulate.respondents import simulate_survey
from culture_analytics.simulate.workbook import write_synthetic_workbook
from culture_analytics.survey import Survey

SEED = 11
RawSheets = dict[str, list[tuple[object, ...]]]


@dataclass(frozen=True)
class Published:
    """A workbook, what was read from it, and the warnings given."""

    path: Path
    estimates: Estimates
    warnings: tuple[str, ...] = field(default=())


def read_with_warnings(path: Path) -> Published:
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        estimates = read_published(path)
    texts = tuple(str(w.message) for w in given if issubclass(w.category, PublishedWarning))
    return Published(path, estimates, texts)


def real_workbook(real_data: Path, kind: str) -> Path:
    path = real_data / "nss24_official" / f"NSS24 detailed spreadsheets {kind} results.xlsx"
    if not path.is_file():
        pytest.skip(f"the official 2024 {kind} workbook is not held here; see README")
    return path


@pytest.fixture(scope="session")
def real_cells(real_data: Path) -> Callable[[str], RawSheets]:
    """Raw cells of an official workbook by another parser than the library's, read once."""

    @functools.cache
    def cells(kind: str) -> RawSheets:
        book = openpyxl.load_workbook(real_workbook(real_data, kind), read_only=True)
        return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}

    return cells


@pytest.fixture(scope="session")
def real_national(real_data: Path) -> Published:
    return read_with_warnings(real_workbook(real_data, "national"))


@pytest.fixture(scope="session")
def real_organisational(real_data: Path) -> Published:
    return read_with_warnings(real_workbook(real_data, "organisational"))


@pytest.fixture(scope="session")
def respondents() -> Survey:
    """Synthetic respondents of twelve organisations."""
    return simulate_survey(6000, year=2024, organisations=12, seed=SEED)


@pytest.fixture(scope="session")
def synthetic(respondents: Survey, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same respondents published, and a small national file of 2023: kind to path.

    No list of the breakdowns of 2023 is known, so its file may have a few only.
    """
    folder = tmp_path_factory.mktemp("published")
    national, organisational = write_synthetic_workbook(folder, survey=respondents)
    (types,) = write_synthetic_workbook(
        folder, survey=respondents, kinds=["organisation type"], breakdowns=["gender", "ethnicity"]
    )
    (small,) = write_synthetic_workbook(
        folder, year=2023, organisations=10, seed=SEED, kinds=["national"],
        breakdowns=["region", "ics", "ethnicity", "age", "gender", "long_term_condition"],
    )  # fmt: skip
    return {
        "national": national,
        "organisational": organisational,
        "organisation type": types,
        "small national": small,
    }


Change = Callable[[Workbook], None]
Cells = dict[str, list[list[object]]]


@pytest.fixture(scope="session")
def grids(synthetic: dict[str, Path]) -> dict[str, Cells]:
    """The cells of the workbooks that tests alter."""
    return {
        kind: grid_of(openpyxl.load_workbook(synthetic[kind]))
        for kind in ("organisational", "small national")
    }


def grid_of(book: Workbook) -> Cells:
    """Cells as the reader gets them: every number a float."""
    return {
        sheet.title: [
            [float(c) if isinstance(c, int) else c for c in row]
            for row in sheet.iter_rows(values_only=True)
        ]
        for sheet in book.worksheets
    }


@pytest.fixture
def altered(
    synthetic: dict[str, Path],
    grids: dict[str, Cells],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Path]:
    """Synthetic workbooks after a change to them.

    Writing a workbook takes longest of all, so the changed cells are handed to the reader in the
    place of those it would read from the file; with ``through_file`` they are written.
    """
    changed: dict[Path, Cells] = {}
    read_cells = cells_module.sheet_cells

    def cells_of(file: FileKind) -> Cells:
        return changed[file.path] if file.path in changed else read_cells(file)

    monkeypatch.setattr(cells_module, "sheet_cells", cells_of)

    def alter(change: Change, kind: str = "organisational", *, through_file: bool = False) -> Path:
        book = Workbook()
        book.remove(book.worksheets[0])
        for title, rows in grids[kind].items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row)
        change(book)
        path = tmp_path / f"altered {kind}.xlsx"
        if through_file:
            book.save(path)
        else:
            shutil.copyfile(synthetic[kind], path)
            changed[path] = grid_of(book)
        return path

    return alter


def sheet_with(book: Workbook, title: str) -> tuple[Worksheet, int]:
    """The sheet and column (from 1) over which a question stands, e.g. ``"Q11c -"``."""
    for sheet in book.worksheets:
        for cell in sheet[1]:
            if str(cell.value or "").startswith(title):
                return sheet, cell.column
    raise AssertionError(f"no question {title!r} in the workbook")
