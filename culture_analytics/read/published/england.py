"""England's published figures by equality group, shipped, so that any report can show them.

They are a few figures of an official workbook, rounded, with its bases and weighting; see
``benchmarks/refresh_england.py``.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from culture_analytics.disclosure.rules import load_rule
from culture_analytics.errors import PublishedError
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import Instrument, load_instrument
from culture_analytics.instrument.loader import DATA
from culture_analytics.read.published.definitions import load_definitions
from culture_analytics.read.published.figures import Figures, figure_rows
from culture_analytics.read.published.rows import ENGLAND

__all__ = ["COLUMNS", "DIGITS", "FILE", "chosen_rows", "england_years", "load_england"]

FILE = "england.csv"
DIGITS = 4  # decimals kept
COLUMNS = (
    "year", "measure", "breakdown", "group", "value", "base", "status", "method", "weighting",
    "release",
)  # fmt: skip
DOMAINS = ("stress", "bullying", "violence", "discrimination", "people_promise")
SET = "equality"


def load_england(year: int = 2024, *, path: str | Path | None = None) -> Estimates:
    """Give England's published figures by equality group.

    They are the measures of stress, bullying, violence and discrimination, and the elements and
    themes of the People Promise; and what else equality standards look at, by their groups.

    Parameters
    ----------
    year : int, default 2024
        Survey year.
    path : str or Path, optional
        A file of the same columns; default: the one in the package.

    Returns
    -------
    Estimates
        Rows as `read_published` gives them for the official national workbook, ``org="ENG"``,
        rounded to four decimals. Compare only where ``weighting`` is the same: England as a whole
        is weighted by size and occupation, its groups by size alone.

    Raises
    ------
    PublishedError
        No figures of that year are held, or the file lacks a column.

    References
    ----------
    NHS Staff Survey 2024, national results, "detailed spreadsheets" (nhsstaffsurveys.com).

    Examples
    --------
    >>> from culture_analytics.read.published.england import load_england
    >>> stress = load_england().select(measure="work_related_stress", breakdown="overall")
    >>> round(float(stress.table["value"].iloc[0]), 2)
    41.63
    """
    source = Path(path) if path is not None else DATA / FILE
    held = _read(source)
    rows = held[held["year"].eq(year)].reset_index(drop=True)
    if rows.empty:
        years = ", ".join(map(str, sorted(held["year"].unique())))
        raise PublishedError(
            f"{source.name} holds England's figures of {years}, not of {year}. Read the national "
            "workbook of that year with read_published, or add it: benchmarks/refresh_england.py."
        )
    instrument = load_instrument()
    definitions = load_definitions()
    keys = rows.drop(columns=["value", "base"]).assign(
        org=ENGLAND, answer="", statistic=_statistics(rows["measure"], instrument)
    )
    frame = figure_rows(
        Figures(keys, rows["value"].to_numpy(dtype=float), rows["base"].to_numpy(dtype=float)),
        instrument=instrument,
    )
    return Estimates(
        frame.assign(source="published"),
        rule=load_rule("nss-2024"),
        organisations=pd.DataFrame(
            {"org": [ENGLAND], "name": [definitions.england], "benchmark_group": [None],
             "region": [None], "ics": [None]},
            dtype="str",
        ),
        notes=(f"England {year}: shipped figures of {rows['release'].iloc[0]}, rounded",),
    )  # fmt: skip


def england_years() -> tuple[int, ...]:
    """Survey years of which England's figures come with the package, ascending."""
    return tuple(sorted(int(year) for year in _read(DATA / FILE)["year"].unique()))


def chosen_rows(national: Estimates) -> pd.DataFrame:
    """Choose the rows of a national workbook that are shipped.

    Parameters
    ----------
    national : Estimates
        What `read_published` gives for the official national workbook.

    Returns
    -------
    DataFrame
        The columns of the shipped file, figures rounded.
    """
    from culture_analytics.standards import standards_use

    instrument = load_instrument()
    wanted = {m.id for m in instrument.resolve_measures(DOMAINS)}
    breakdowns = ["overall", *instrument.breakdown_ids(SET)]
    measures, groups = standards_use()
    table = national.table
    keep = table["measure"].isin(wanted) & table["breakdown"].isin(breakdowns)
    keep |= table["measure"].isin(measures) & table["breakdown"].isin(groups)
    keep &= table["breakdown"].isin(breakdowns) & table["answer"].eq("") & table["within"].eq("")
    rows = table.loc[keep, list(COLUMNS)].reset_index(drop=True)
    order = {name: place for place, name in enumerate(breakdowns)}
    places = rows["breakdown"].map(order)
    measure = rows["measure"].map({m: k for k, m in enumerate(instrument.measures)})
    ranked = np.lexsort((rows.index, places, measure))
    return rows.iloc[ranked].reset_index(drop=True).round({"value": DIGITS})


def _statistics(measures: pd.Series[str], instrument: Instrument) -> pd.Series[str]:
    named = {m.id: m.statistic for m in instrument.measures.values()}
    return measures.map(named).astype("str")


@lru_cache(maxsize=4)
def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise PublishedError(f"There is no file {path}. Leave path= out for the package's own.")
    with path.open(encoding="utf-8", newline="") as lines:
        held = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    missing = [column for column in COLUMNS if not held or column not in held[0]]
    if missing:
        raise PublishedError(f"{path.name}: column(s) missing: {', '.join(missing)}.")
    frame = pd.DataFrame(held, columns=list(COLUMNS), dtype="str")
    for column in ("value", "base"):
        frame[column] = pd.to_numeric(frame[column].replace("", None))
    return frame.assign(year=frame["year"].astype("int64"))
