"""The improvement cycle: what staff said, what is being done, and whether the figure moved.

A tracker is a csv with a row an action (its columns stand in `tracker.toml`). `read_tracker` checks
it, `write_tracker_template` writes an empty one, `follow_up` puts each action beside the figure it
is about: when it began, now, and what the change may be called. Figures come from a Release, so
from its protected view alone.

A figure that moves after an action did not therefore move because of it.

References
----------
Langley GJ, Moen RD, Nolan KM, Nolan TW, Norman CL, Provost LP (2009). *The improvement guide*, 2nd
edition. Jossey-Bass.
"""

from __future__ import annotations

import datetime
import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from culture_analytics.compare.organisations import better
from culture_analytics.diagnose.change import MARGIN, before_after
from culture_analytics.disclosure.release import Release
from culture_analytics.errors import TrackerError
from culture_analytics.estimates import Estimates, concat
from culture_analytics.files import replacing
from culture_analytics.instrument import load_instrument
from culture_analytics.instrument.loader import DATA
from culture_analytics.read.detect import clean_path
from culture_analytics.read.kept_table import read_kept_table

__all__ = [
    "TRACKER",
    "Tracker",
    "baseline_year",
    "column_meanings",
    "every_stage",
    "follow_up",
    "read_tracker",
    "tracked_figures",
    "unit_column_of",
    "write_tracker_template",
]

TRACKER = "tracker.csv"
OVERALL, EVERYONE = "overall", "All staff"
_SHOWN = 4  # rows named in a message
_UK = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]00:00(?::00)?)?")

NO_FIGURE = {
    "absent": "these results do not hold this figure of this group",
    "hidden": "hidden, because too few people answered or to protect others",
    "planned": "not begun yet",
    "no_before": "no survey before it began is held here",
    "no_after": "no survey since it began is held here",
    "broken": "the two years are not one series, so they cannot be compared",
}
"""Why an action has no before and after."""


@dataclass(frozen=True, eq=False)
class Tracker:
    """Actions of an improvement tracker, checked.

    Parameters
    ----------
    table
        A row an action, in the columns of the file; ``started`` and ``review`` are dates or None,
        ``target`` a number or NaN, ``breakdown`` and ``group`` ``"overall"`` and ``"All staff"``
        where the action is for everyone.
    source
        Name of the file.
    """

    table: pd.DataFrame = field(repr=False)
    source: str = ""

    def __repr__(self) -> str:
        stages = self.table["stage"].value_counts()
        told = ", ".join(f"{n} {stage}" for stage, n in stages.items())
        return f"<Tracker {self.source}: {len(self)} actions ({told})>"

    def __len__(self) -> int:
        return len(self.table)

    def actions(self) -> Iterator[dict[str, Any]]:
        """The rows, as dictionaries."""
        records: Any = self.table.to_dict("records")
        yield from records


# -- the file ---------------------------------------------------------------------------------


def read_tracker(path: str | Path) -> Tracker:
    """Read an improvement tracker.

    Parameters
    ----------
    path
        A csv (comma or semicolon), or the first sheet of a workbook, with the columns that
        `write_tracker_template` writes; others are left out. Rows that are wholly empty too.

    Returns
    -------
    Tracker
        The actions in the order of the file.

    Raises
    ------
    TrackerError
        The file cannot be read. All that is wrong with it is said at once: which columns are
        missing; which ids, measures, stages, statuses, dates and targets cannot be, in how many
        rows and where.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_tracker(write_tracker_template(folder))
    <Tracker tracker.csv: 2 actions (1 do, 1 plan)>
    """
    file = clean_path(path)
    raw = read_kept_table(file, TrackerError)
    columns = [c["id"] for c in _definition()["columns"]]
    missing = [c for c in columns if c not in raw.columns]
    if missing:
        raise TrackerError(
            f"{file.name} is not a tracker yet: {len(missing)} of its {len(columns)} columns are "
            f"missing: {', '.join(missing)}.\n"
            f"  Columns found: {', '.join(map(str, raw.columns[:15])) or 'none'}.\n"
            "  Try: culture-analytics tracker DIR writes an empty form with all columns."
        )
    rows = raw[columns]
    rows = rows[(rows != "").any(axis=1)]
    if rows.empty:
        raise TrackerError(f"{file.name} has no action in it: only the line of column names.")
    table, problems = _checked(rows)
    if problems:
        many = "1 thing is" if len(problems) == 1 else f"{len(problems)} things are"
        raise TrackerError(
            f"{file.name}: {many} wrong. Rows are counted as in the spreadsheet, the line of "
            "column names being row 1.\n" + "\n".join(f"  {p}" for p in problems)
        )
    return Tracker(table, file.name)


def write_tracker_template(folder: str | Path, *, force: bool = False) -> Path:
    """Write an empty tracker with two examples to write over.

    Parameters
    ----------
    folder
        Folder for ``tracker.csv``; made if it is not there.
    force
        Whether a tracker that is there already may be replaced.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TrackerError
        There is a tracker already.
    ReportError
        The file cannot be written.
    """
    target = clean_path(folder) / TRACKER
    if target.exists() and not force:
        raise TrackerError(
            f"{target} is there already; nothing was written. Give another folder, or --force "
            "(force=True) to replace it."
        )
    definition = _definition()
    columns = [c["id"] for c in definition["columns"]]
    examples = pd.DataFrame([{c: e.get(c, "") for c in columns} for e in definition["examples"]])
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as part:
        examples.to_csv(part, index=False, encoding="utf-8-sig", lineterminator="\r\n")
    return target


@lru_cache(maxsize=1)
def _definition() -> Mapping[str, Any]:
    with (DATA / "tracker.toml").open("rb") as f:
        return tomllib.load(f)


# -- checking ---------------------------------------------------------------------------------


def _checked(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The rows in their types, and everything that is wrong with them."""
    definition = _definition()
    problems: list[str] = []
    table = rows.copy()
    for column in definition["columns"]:
        empty = rows[column["id"]].eq("")
        if column["needed"] and empty.any():
            problems.append(f"{column['id']} is empty{_in_rows(rows, empty)}.")
    twice = rows["id"].duplicated() & rows["id"].ne("")
    if twice.any():
        problems.append(f"id stands in the file twice: {_named(rows['id'], twice)}.")
    table["measure"] = _measures(rows["measure"], problems)
    for column in ("stage", "status"):
        known = list(definition[{"stage": "stages", "status": "statuses"}[column]])
        table[column] = rows[column].str.lower()
        wrong = ~table[column].isin([*known, ""])
        if wrong.any():
            problems.append(
                f"{column} not known: {_named(rows[column], wrong)}. It is one of: "
                f"{', '.join(known)}."
            )
    for column in ("started", "review"):
        table[column] = _dates(rows[column], column, problems)
    table["target"] = _targets(rows["target"], table["measure"], problems)
    for column, whole in (("breakdown", OVERALL), ("group", EVERYONE)):
        table[column] = rows[column].mask(rows[column].eq(""), whole)
    half = rows["breakdown"].eq("") != rows["group"].eq("")
    if half.any():
        problems.append(f"only one of breakdown and group is given{_in_rows(rows, half)}.")
    begun = table["status"].isin(("under way", "done")) & pd.isna(table["started"])
    begun &= rows["started"].eq("")
    if begun.any():
        problems.append(
            f"under way or done, but without the date it started{_in_rows(rows, begun)}."
        )
    order = [
        a is not None and b is not None and b < a
        for a, b in zip(table["started"], table["review"], strict=True)
    ]
    if any(order):
        problems.append(
            f"review lies before started{_in_rows(rows, pd.Series(order, rows.index))}."
        )
    return table.reset_index(drop=True), problems


def _measures(given: pd.Series, problems: list[str]) -> list[str]:
    """Ids of measures given by id or short name."""
    known = load_instrument().measures
    by_name = {m.short.casefold(): i for i, m in known.items()}
    found = [i if i in known else by_name.get(i.casefold(), "") for i in given]
    wrong = pd.Series([not f for f in found], given.index) & given.ne("")
    if wrong.any():
        named = []
        for name in dict.fromkeys(given[wrong]):
            near = difflib.get_close_matches(name.lower(), [*known, *by_name], n=2, cutoff=0.5)
            ids = dict.fromkeys(n if n in known else by_name[n] for n in near)
            named.append(f"{name!r}" + (f" (nearest: {', '.join(ids)})" if ids else ""))
        where = _in_rows(given.to_frame(), wrong)
        problems.append(
            f"measure not known{where}: {'; '.join(named[:_SHOWN])}. list_measures() has them all."
        )
    return found


def _dates(given: pd.Series, name: str, problems: list[str]) -> pd.Series:
    found = [_date(text) for text in given]
    wrong = pd.Series([d is None for d in found], given.index) & given.ne("")
    if wrong.any():
        problems.append(
            f"{name} is not a date: {_named(given, wrong)}. Write 2025-03-31 or 31/03/2025."
        )
    return pd.Series(found, index=given.index, dtype=object)


def _date(text: str) -> datetime.date | None:
    """A date as people and spreadsheets write it in the UK; None if it is none."""
    iso, uk = _ISO.fullmatch(text), _UK.fullmatch(text)
    parts = iso.groups() if iso else uk.groups()[::-1] if uk else None
    if parts is None:
        return None
    try:
        return datetime.date(*map(int, parts))
    except ValueError:
        return None


def _targets(given: pd.Series, measures: pd.Series, problems: list[str]) -> pd.Series:
    found = pd.to_numeric(given.str.rstrip("%").str.strip(), errors="coerce")
    known = load_instrument().measures
    top = [10.0 if m in known and known[m].unit == "score" else 100.0 for m in measures]
    wrong = given.ne("") & ~((found >= 0) & (found <= top))
    if wrong.any():
        problems.append(
            f"target is no figure of its measure: {_named(given, wrong)}. Percentages run from 0 "
            "to 100, scores from 0 to 10."
        )
    return found.astype(float)


def _in_rows(rows: pd.DataFrame, wrong: pd.Series) -> str:
    at = [str(i) for i in rows.index[wrong.to_numpy(dtype=bool)]]
    more = f" and {len(at) - _SHOWN} more" if len(at) > _SHOWN else ""
    return f" in {len(at)} row{'s' * (len(at) > 1)} ({', '.join(at[:_SHOWN])}{more})"


def _named(given: pd.Series, wrong: pd.Series) -> str:
    values = list(dict.fromkeys(repr(v) for v in given[wrong]))
    more = ", ..." if len(values) > _SHOWN else ""
    return f"{', '.join(values[:_SHOWN])}{more}{_in_rows(given.to_frame(), wrong)}"


# -- beside the figures -----------------------------------------------------------------------


def baseline_year(started: datetime.date) -> int:
    """The last survey answered before an action began.

    Parameters
    ----------
    started
        The day it began.

    Returns
    -------
    int
        Survey year. An action that began while a survey was answered is measured from the year
        before.

    Examples
    --------
    >>> baseline_year(datetime.date(2025, 3, 1)), baseline_year(datetime.date(2025, 12, 1))
    (2024, 2025)
    """
    last = int(_definition()["fieldwork"]["last_month"])
    return started.year if started.month > last else started.year - 1


def tracked_figures(tracker: Tracker, release: Release) -> Estimates | None:
    """The figures that a tracker's actions are about, in every year held.

    Parameters
    ----------
    tracker
        The actions.
    release
        The protected tables.

    Returns
    -------
    Estimates or None
        None where the release holds none of them.
    """
    wanted = dict.fromkeys(
        (a["measure"], unit_column_of(release, a["breakdown"]), a["group"])
        for a in tracker.actions()
    )
    parts = [p for p in (_figures(release, *key) for key in wanted) if p is not None]
    return concat(parts) if parts else None


def follow_up(
    tracker: Tracker,
    release: Release,
    *,
    margin: float | Mapping[str, float] = MARGIN,
    today: datetime.date | None = None,
) -> pd.DataFrame:
    """Each action beside its figure: when it began, now, and what the change may be called.

    Parameters
    ----------
    tracker
        The actions.
    release
        The protected tables.
    margin
        Points that would matter, as for `before_after`.
    today
        To say which reviews are overdue; by default nothing is said of that.

    Returns
    -------
    DataFrame
        The tracker's columns and ``unit, began, before, before_lower, before_upper, before_base,
        now, after, after_lower, after_upper, after_base, change, lower, upper, reading, words,
        reached, why, overdue``. ``began`` and ``now`` are survey years: the last one
        answered before the action began, and the latest one held. ``reached`` is ``"yes"`` (the
        whole interval lies beyond the target), ``"by the figure alone"``, ``"no"`` or empty.
        ``why`` says why there is no before and after, in the words of `NO_FIGURE`. Numbers are
        those of the protected view; a hidden one is NaN.

    Examples
    --------
    >>> import tempfile
    >>> import culture_analytics as ca
    >>> release = ca.build_release(ca.load_sample())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tracker = read_tracker(write_tracker_template(folder))
    >>> follow_up(tracker, release)[["id", "began", "now"]].values.tolist()
    [['example-1', 2024, 2025], ['example-2', None, 2025]]
    """
    held = tracked_figures(tracker, release)
    rows = []
    for action in tracker.actions():
        found = _beside(action, release, held, margin)
        late = bool(
            today is not None and action["review"] is not None and action["review"] < today
            and action["status"] in ("planned", "under way")
        )  # fmt: skip
        rows.append({**action, **found, "overdue": late})
    table = pd.DataFrame(rows)
    for year in ("began", "now"):
        table[year] = pd.Series([r[year] for r in rows], dtype=object)
    return table


_EMPTY: Mapping[str, Any] = {
    "unit": "", "began": None, "now": None,
    **dict.fromkeys(
        ("before", "before_lower", "before_upper", "before_base", "after", "after_lower",
         "after_upper", "after_base", "change", "lower", "upper"), np.nan,
    ),
    "reading": "", "words": "", "reached": "", "why": "",
}  # fmt: skip


def _beside(
    action: Mapping[str, Any],
    release: Release,
    held: Estimates | None,
    margin: float | Mapping[str, float],
) -> dict[str, Any]:
    key = {
        "measure": action["measure"],
        "breakdown": unit_column_of(release, action["breakdown"]),
        "group": action["group"],
    }
    if held is None or not held._has(**key):
        return {**_EMPTY, "why": NO_FIGURE["absent"]}
    own = held.select(**key)
    shown = own.table
    shown = shown[shown["status"].eq("ok")].sort_values("year")
    if shown.empty:
        return {**_EMPTY, "why": NO_FIGURE["hidden"]}
    found: dict[str, Any] = {**_EMPTY, **_side(shown.iloc[-1], "after", "now")}
    found["unit"] = str(shown["unit"].iloc[-1])
    found["reached"] = _reached(found, action)
    if action["started"] is None:
        return {**found, "why": NO_FIGURE["planned"]}
    return found | _since(own, found["now"], baseline_year(action["started"]), margin)


def _since(
    own: Estimates, now: int, began: int, margin: float | Mapping[str, float]
) -> dict[str, Any]:
    """The figure before the action, and its change up to now."""
    table = own.table
    earlier = table[table["year"].le(began)].sort_values("year")
    if earlier.empty:
        return {"why": NO_FIGURE["no_before"]}
    before = earlier.iloc[-1]
    year = int(before["year"])
    found: dict[str, Any] = {"began": year}
    if before["status"] == "ok":
        found |= _side(before, "before", "began")
    if now <= year:
        found["why"] = NO_FIGURE["no_after"]
    elif before["status"] != "ok":
        found["why"] = NO_FIGURE["hidden"]
    else:
        both = before_after(own, baseline=year, margin=margin)
        row = both[both["year"].eq(now)].iloc[0]
        if row["status"] == "ok":
            found |= {c: row[c] for c in ("change", "lower", "upper", "reading", "words")}
        else:
            found["why"] = NO_FIGURE["broken"]
    return found


def _side(row: pd.Series, name: str, year: str) -> dict[str, Any]:
    return {
        year: int(row["year"]), name: float(row["value"]), f"{name}_lower": float(row["lower"]),
        f"{name}_upper": float(row["upper"]), f"{name}_base": float(row["base"]),
    }  # fmt: skip


def _reached(found: Mapping[str, Any], action: Mapping[str, Any]) -> str:
    """Whether the latest figure is at the target; only once there is something to judge."""
    way = int(better(pd.Series([action["measure"]]))[0])
    target = action["target"]
    if way == 0 or np.isnan(target):
        return ""
    if way * (found["after"] - target) < 0:
        return "no"
    nearer = found["after_lower"] if way > 0 else found["after_upper"]
    return "yes" if way * (nearer - target) >= 0 else "by the figure alone"


def _figures(release: Release, measure: str, breakdown: str, group: str) -> Estimates | None:
    """Rows of one figure in all years, from the first topic that has it."""
    org = str(release.about["org"])
    for topic in release.topics:
        held = release[topic]
        frame = held._protected
        keep = (
            frame["measure"].eq(measure) & frame["breakdown"].eq(breakdown)
            & frame["group"].eq(group) & frame["org"].eq(org) & frame["answer"].eq("")
            & frame["within"].eq("") & frame["reference"].eq("")
            & frame["statistic"].isin(("percent", "score"))
        ).to_numpy(dtype=bool)  # fmt: skip
        if keep.any() and topic not in _OTHERS:
            return held._rows(keep)
    return None


_OTHERS: Sequence[str] = ("published", "group", "system", "benchmark", "pulse", "changes")


def unit_column_of(release: Release, breakdown: str) -> str:
    """The extract's own name of its largest and smallest units.

    Parameters
    ----------
    release
        The protected tables.
    breakdown
        ``"directorate"``, ``"team"``, or any breakdown, which stays as it is.
    """
    units = release.units()
    if breakdown in ("directorate", "team") and units and breakdown not in units:
        return units[0] if breakdown == "directorate" else units[-1]
    return str(breakdown)


def every_stage() -> Mapping[str, str]:
    """What each stage of the cycle means, in order."""
    return dict(_definition()["stages"])


def column_meanings() -> list[tuple[str, str]]:
    """The columns of the file and what goes in them."""
    return [(c["id"], c["meaning"]) for c in _definition()["columns"]]
