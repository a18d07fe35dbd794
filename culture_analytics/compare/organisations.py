"""Published figures of organisations as wholes, with their benchmark group, region and ICS."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import numpy as np
import pandas as pd

from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import load_instrument
from culture_analytics.instrument.culture import PREFIX

__all__ = ["ENGLAND", "POOL", "better", "chosen", "england", "organisation_rows"]

ENGLAND = "ENG"
NOT_ONE = (ENGLAND, "all")

# Figures of several organisations are ranked, added or subtracted only where all of these agree.
POOL = ("year", "measure", "statistic", "weighting", "release")

PLACES = ("name", "benchmark_group", "region", "ics")


def organisation_rows(published: Estimates, what: str) -> pd.DataFrame:
    """Figures shown of whole organisations, and where each belongs.

    Hidden figures and answer distributions are left out. `PLACES` are added as columns.

    Raises
    ------
    MeasureError
        There is no organisation table, or no figure of an organisation.
    """
    if published.organisations is None:
        raise MeasureError(
            f"{what} needs published results of organisations: these do not say which "
            "organisations they are of. Read the organisational workbook with read_published()."
        )
    frame = _wholes(published)
    rows = frame[~frame["org"].isin(NOT_ONE) & frame["source"].eq("published")]
    if rows.empty:
        raise MeasureError(
            f"{what} needs published figures of organisations; these results hold none. "
            "Read the organisational workbook with read_published()."
        )
    table = published.organisations.drop_duplicates("org").set_index("org")
    for place in PLACES:
        known = table[place] if place in table.columns else pd.Series(dtype="str")
        rows = rows.assign(**{place: rows["org"].map(known)})
    return rows.reset_index(drop=True)


def england(published: Estimates) -> pd.DataFrame:
    """Figures shown of England as a whole; without rows where there are none."""
    frame = _wholes(published)
    return frame[frame["org"].eq(ENGLAND)].reset_index(drop=True)


def _wholes(published: Estimates) -> pd.DataFrame:
    frame = published._frame
    keep = (
        frame["breakdown"].eq("overall")
        & frame["within"].eq("")
        & frame["answer"].eq("")
        & frame["statistic"].isin(("percent", "score"))
        & frame["status"].eq("ok")
    ).to_numpy(dtype=bool)
    return cast(pd.DataFrame, frame.loc[keep & ~published._hidden])


def chosen(rows: pd.DataFrame, measures: str | Iterable[str] | None) -> pd.DataFrame:
    """The rows of the measures asked for: ids, domains or collections; default all."""
    if measures is None:
        return rows
    ids = [m.id for m in load_instrument().resolve_measures(measures)]
    found = rows[rows["measure"].isin(ids)]
    if found.empty:
        raise MeasureError(f"None of the {len(ids)} measures asked for has a published figure.")
    return found.reset_index(drop=True)


def better(measures: pd.Series[str]) -> np.ndarray:
    """1 where a higher figure of the measure is better, -1 where a lower one is, else 0."""
    known = load_instrument().measures
    way = {"higher": 1, "lower": -1}
    of = {
        m: way.get(known[m].better, 0) if m in known else int(m.startswith(PREFIX))
        for m in pd.unique(measures)  # elements of a model of one's own: higher is better
    }
    return measures.map(of).to_numpy(dtype=np.int64)
