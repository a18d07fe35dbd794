"""`write_diagnosis`: the culture diagnosis as files - csv tables, one workbook, two pages."""

from __future__ import annotations

import datetime
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from culture_analytics.diagnose.diagnosis import Diagnosis, diagnosis_of
from culture_analytics.diagnose.tracker import read_tracker
from culture_analytics.disclosure.release import Release
from culture_analytics.embargo import embargo_text, embargoed
from culture_analytics.errors import ReportError
from culture_analytics.estimates import Estimates
from culture_analytics.files import replacing_folder
from culture_analytics.output.report import (
    BOARD,
    BOARD_PAGE,
    as_csv,
    out_folder,
    release_of,
    render,
    run_pages,
)
from culture_analytics.session import File
from culture_analytics.survey import Survey

__all__ = ["DIAGNOSIS", "WORKBOOK", "diagnosis_tables", "write_diagnosis"]

DIAGNOSIS = "culture_diagnosis.html"
WORKBOOK = "culture_diagnosis.xlsx"
NOTEBOOKS = ("06_culture_diagnosis", "08_board_summary")

# Name of the table, what it holds, in the order of the workbook.
TABLES: Mapping[str, str] = {
    "findings": "sentences made by rules, good and bad, each with its doubt and its figures",
    "priorities": "elements of culture: what to look at first, what to protect, and the doubts",
    "spots": "units that stand out from the rest of the organisation, worse and better",
    "falling": "units that are worse than the organisation and clearly worse than the year before",
    "conditions": "the five conditions: what the survey sees of each, and what else to collect",
    "evidence": "each question and measure that speaks to a condition",
    "stressors": "one question for each domain of the HSE Management Standards",
    "elements": "scores of elements, outcomes, concerns and stressors, of everyone and by unit",
    "differences": "each unit less the organisation",
    "pooled": "figures of units drawn towards all units, and what stands out",
    "changes": "differences between the last two years",
    "leaders": "those who stand for leaders less everyone else",
    "quality": "whether the questions of each element hold together",
    "drivers": "how much of each outcome goes with each element",
    "items": "the single questions behind elements and conditions",
}
_WIDEST = 70  # characters of a column of the workbook
_LONGEST = 31  # characters of a sheet's name


def write_diagnosis(
    data: File | Sequence[File] | Survey | Estimates | Release | None,
    out: str | Path,
    *,
    by: str | None = None,
    year: int | None = None,
    org: str | None = None,
    columns: Mapping[str, Any] | File | None = None,
    published: File | Sequence[File] | Estimates | None = None,
    cache: bool = True,
    date: str | None = None,
    embargo: str | datetime.date | None = None,
    tracker: File | None = None,
) -> Path:
    """Write the culture diagnosis: its tables as csv and as one workbook, and two pages.

    Parameters
    ----------
    data
        As for `run_report`.
    out
        Folder for the files; made if it is not there.
    by
        Unit column of the tables: ``"directorate"`` for the largest units, ``"team"`` for the
        smallest, or a column's name. Default: the largest. The pages show largest and smallest.
    year, org, columns, published, cache, date, embargo, tracker
        As for `run_report`.

    Returns
    -------
    Path
        The page of the diagnosis, ``culture_diagnosis.html``. Beside it ``board_summary.html``,
        ``culture_diagnosis.xlsx`` and a csv for each table that has rows.

    Raises
    ------
    ExtractError, PublishedError, TrackerError
        A file cannot be read.
    ReportError
        The folder cannot be used, there are no units of that name, or nothing of culture is held.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> ca.write_diagnosis("sample", "diagnosis", by="directorate").name  # doctest: +SKIP
    'culture_diagnosis.html'
    """
    folder = out_folder(out, data)
    if embargo:
        embargo_text(embargo)
    if tracker is not None:
        read_tracker(tracker)
    release = embargoed(
        release_of(data, year=year, org=org, columns=columns, published=published, cache=cache),
        embargo,
    )
    diagnosis = _diagnosis(release, by)
    tables = diagnosis_tables(diagnosis)
    files = {f"{name}.csv": as_csv(table).encode("utf-8-sig") for name, table in tables.items()}
    files[WORKBOOK] = _workbook(diagnosis, tables)
    for page in run_pages(release, tracker, only=NOTEBOOKS):
        if page.id == BOARD_PAGE:
            files[BOARD] = render("board.html", release, date=date, page=page).encode("utf-8")
        else:
            text = render(
                "report.html", release, date=date, pages=[page], subject="culture diagnosis",
                tables=WORKBOOK,
            )  # fmt: skip
            files[DIAGNOSIS] = text.encode("utf-8")
    with replacing_folder(folder) as stage:
        for name, content in files.items():
            (stage / name).write_bytes(content)
    return folder / DIAGNOSIS


def diagnosis_tables(diagnosis: Diagnosis) -> dict[str, pd.DataFrame]:
    """The tables of a diagnosis that have rows, from the protected view.

    Parameters
    ----------
    diagnosis
        Made by `diagnose_culture` or `diagnosis_of`.

    Returns
    -------
    dict of str to DataFrame
        By the names of `TABLES`.
    """
    found = {}
    for name in TABLES:
        held = getattr(diagnosis, name)
        table = held.table if isinstance(held, Estimates) else held
        if table is not None and len(table):
            embargo = diagnosis.release.about.get("embargo")
            found[name] = table if not embargo else table.assign(embargo=str(embargo))
    return found


def _diagnosis(release: Release, by: str | None) -> Diagnosis:
    units = release.units()
    if by in ("directorate", "team") and units and by not in units:
        by = units[0] if by == "directorate" else units[-1]
    if by is not None and by not in units:
        there = f"It is divided by: {', '.join(units)}." if units else "It is not divided by units."
        raise ReportError(f"by={by!r}: there are no such units in these results. {there}")
    if "culture" not in release.topics:
        raise ReportError(
            "These results hold nothing of culture: the questions behind its elements are missing."
        )
    return diagnosis_of(release, by=by)


# -- the workbook -----------------------------------------------------------------------------


def _workbook(diagnosis: Diagnosis, tables: Mapping[str, pd.DataFrame]) -> bytes:
    import xlsxwriter

    stream = io.BytesIO()
    options = {
        "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
        "nan_inf_to_errors": False,
    }  # fmt: skip
    with xlsxwriter.Workbook(stream, options) as book:
        about = diagnosis.release.about
        book.set_properties(
            {
                "title": f"Culture diagnosis: {about['title']}",
                "comments": diagnosis.release.banner,
                "created": datetime.datetime(2000, 1, 1),  # the same data give the same file
            }
        )
        head = book.add_format(
            {"bold": True, "bg_color": "#EEF3F8", "bottom": 2, "text_wrap": True, "valign": "top"}
        )
        body = book.add_format({"text_wrap": True, "valign": "top"})
        mark = book.add_format({"bold": True, "font_color": "#7A1030", "text_wrap": True})
        _front(book.add_worksheet("Read me"), diagnosis, tables, head, body, mark)
        for name, table in tables.items():
            _sheet(book.add_worksheet(name[:_LONGEST]), table, head, body)
    return stream.getvalue()


def _front(
    sheet: Any,
    diagnosis: Diagnosis,
    tables: Mapping[str, pd.DataFrame],
    head: Any,
    body: Any,
    mark: Any,
) -> None:
    release = diagnosis.release
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 100)
    lines: list[tuple[str, str, Any]] = [("", f"Culture diagnosis: {release.about['title']}", head)]
    if release.about.get("synthetic"):
        lines.append(("", "SYNTHETIC DATA. Nothing here is about real staff.", mark))
    if release.about.get("embargo"):
        lines.append(("", f"{release.about['embargo']}: not to be shared before.", mark))
    lines.append(("", f"{release.banner}.", mark))
    lines.append(("", f'Rule "{release.rule.name}": {release.rule.label}.', body))
    lines += [("", note, body) for note in diagnosis.notes]
    lines += [("Sheet", "What it holds", head)]
    lines += [(name, TABLES[name], body) for name in tables]
    for place, (left, right, style) in enumerate(lines):
        sheet.write_string(place, 0, left, style)
        sheet.write_string(place, 1, right, style)


def _sheet(sheet: Any, table: pd.DataFrame, head: Any, body: Any) -> None:
    for place, column in enumerate(table.columns):
        values = table[column]
        sheet.write_string(0, place, str(column), head)
        widest = len(str(column))
        for row, value in enumerate(values.tolist(), start=1):
            if value is None or (isinstance(value, float) and math.isnan(value)):
                continue
            if isinstance(value, bool | str):
                text = str(value)
                sheet.write_string(row, place, text, body)
                widest = max(widest, len(text))
            elif isinstance(value, int | float) and math.isfinite(value):
                sheet.write_number(row, place, value, body)
            else:
                sheet.write_string(row, place, str(value), body)
        sheet.set_column(place, place, min(max(widest, 8) + 2, _WIDEST))
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, len(table), max(len(table.columns) - 1, 0))
