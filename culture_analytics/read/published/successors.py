"""Organisations that became others: codes of old releases under those of today.

The list is the user's to keep: the one shipped is short, from public announcements, and is to be
checked against the Organisation Data Service. A merged organisation's history is the history of
one of its parts, never a sum.
"""

from __future__ import annotations

import csv
import datetime as dt
import os
from pathlib import Path

import pandas as pd

from culture_analytics.errors import PublishedError
from culture_analytics.instrument.loader import DATA

__all__ = ["check_successors", "load_successors", "successor", "successors_file"]

FILE = "successors.csv"
VARIABLE = "CULTURE_ANALYTICS_SUCCESSORS"  # a list of one's own for every comparison
COLUMNS = ("old", "new", "date", "source")


def load_successors(path: str | Path | None = None) -> pd.DataFrame:
    """Read the list of organisations that became others.

    Parameters
    ----------
    path : str or Path, optional
        A csv file with the columns ``old, new, date, source`` (UTF-8, ISO dates); lines that begin
        with ``#`` are remarks. Default: the file that the environment variable
        ``CULTURE_ANALYTICS_SUCCESSORS`` names (``culture-analytics report --successors`` sets it),
        or the list in the package.

    Returns
    -------
    DataFrame
        Those columns as text, in order of date.

    Raises
    ------
    PublishedError
        A column is missing; a code is blank or becomes two others or itself; a date is no date;
        the list goes round in a circle. All problems are listed.

    Examples
    --------
    >>> list(load_successors())
    ['old', 'new', 'date', 'source']
    """
    source = Path(path) if path is not None else successors_file()
    if not source.is_file():
        raise PublishedError(f"There is no file {source}. Leave it out for the package's own list.")
    with source.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(line for line in lines if not line.startswith("#"))
        missing = [c for c in COLUMNS if c not in (reader.fieldnames or ())]
        if missing:
            raise PublishedError(
                f"{source.name}: column(s) missing: {', '.join(missing)}. It needs "
                f"{', '.join(COLUMNS)}."
            )
        rows = [{c: (row[c] or "").strip() for c in COLUMNS} for row in reader]
    problems = _problems(rows)
    if problems:
        shown = "\n  ".join(problems)
        raise PublishedError(f"{source.name}: {len(problems)} problem(s).\n  {shown}")
    frame = pd.DataFrame(rows, columns=list(COLUMNS), dtype="str")
    return frame.sort_values("date", kind="stable", ignore_index=True)


def successors_file() -> Path:
    """Give the list that comparisons use if none is given."""
    own = os.environ.get(VARIABLE, "").strip()
    return Path(own) if own else DATA / FILE


def successor(code: str, *, on: str | dt.date, successors: pd.DataFrame | None = None) -> str:
    """Give the code that an organisation's staff are under on a day.

    Parameters
    ----------
    code : str
        ODS code.
    on : str or date
        The day, such as ``2024-10-01``.
    successors : DataFrame, optional
        As `load_successors` gives it; default: the package's list.

    Returns
    -------
    str
        The code itself where the list has no successor by then.

    Examples
    --------
    >>> successor("ZZ1", on="2024-10-01")
    'ZZ1'
    """
    listed = load_successors() if successors is None else successors
    day = on.isoformat() if isinstance(on, dt.date) else str(on)
    became = {
        old: (new, date)
        for old, new, date in listed[["old", "new", "date"]].itertuples(index=False, name=None)
    }
    while code in became and became[code][1] <= day:
        code = became[code][0]
    return code


def check_successors(successors: pd.DataFrame) -> None:
    """Check a list of successors that was made or changed in memory.

    Parameters
    ----------
    successors : DataFrame
        As `load_successors` gives it; other columns do not matter.

    Raises
    ------
    PublishedError
        As for `load_successors`.

    Examples
    --------
    >>> check_successors(load_successors())
    """
    wanted = COLUMNS[:3]
    missing = [c for c in wanted if c not in getattr(successors, "columns", ())]
    if missing:
        raise PublishedError(
            f"successors: column(s) missing: {', '.join(missing)}. Give a list as "
            "load_successors(path) reads it."
        )
    rows = [{str(c): str(row[c]) for c in wanted} for row in successors.to_dict("records")]
    problems = _problems(rows)
    if problems:
        shown = "\n  ".join(problems)
        raise PublishedError(f"successors: {len(problems)} problem(s).\n  {shown}")


def _problems(rows: list[dict[str, str]]) -> list[str]:
    problems = []
    blank = sum(not row["old"] or not row["new"] for row in rows)
    if blank:
        problems.append(f"{blank} row(s) without both codes")
    undated = [row["old"] for row in rows if not _is_date(row["date"])]
    if undated:
        problems.append(f"no date such as 2024-04-01 for: {', '.join(undated)}")
    olds = [row["old"] for row in rows]
    twice = sorted({old for old in olds if olds.count(old) > 1})
    if twice:
        problems.append(
            f"more than one successor for: {', '.join(twice)}; a split has no one history"
        )
    became = {row["old"]: row["new"] for row in rows}
    for start, code in became.items():
        seen = {start}
        while code in became and code not in seen:
            seen.add(code)
            code = became[code]  # noqa: PLW2901 - follows the chain
        if code == start:
            problems.append(f"{start} becomes itself in the end")
    return problems


def _is_date(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
