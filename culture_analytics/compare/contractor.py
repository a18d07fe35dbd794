"""A contractor's table in a benchmark: as an organisation's own figures, or beside its comparator.

The table does not say whose it is, and its comparator is one unweighted row for a set of
organisations that is not named. So its own row stands beside published results only under a code
the user gives, and beside the comparator only as a distance.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from culture_analytics.compare.derive import derived
from culture_analytics.disclosure.rules import strictest
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import HIDE, Estimates
from culture_analytics.read.published.contractor_rows import COMPARATOR, OWN

__all__ = ["COMPARATOR", "OWN", "as_organisation", "beside_comparator", "only_contractor"]

REFERENCE = "The contractor's comparator"
NOTE = (
    "The contractor's comparator is one unweighted figure for a set of organisations that the "
    "table does not name, this one perhaps among them. It is no benchmark group: there is no "
    "best, median, worst, rank or test, and limits are those of the organisation's own figure "
    "alone. These figures will differ from your benchmark report. For a place in the benchmark "
    "group give the official organisational workbook as published, and org= your code."
)
_KEYS = ("year", "org", "measure", "label", "answer", "breakdown", "group", "within",
         "within_group", "weighting", "source", "release")  # fmt: skip


def only_contractor(published: Estimates) -> bool:
    """Whether what was given to compare with holds a contractor's table and nothing published."""
    sources = set(published._frame["source"])
    return "contractor" in sources and "published" not in sources


def as_organisation(estimates: Estimates, org: str | None) -> Estimates:
    """The table's own rows under the organisation's code, without its comparator.

    Raises
    ------
    MeasureError
        It is a contractor's table and `org` is missing, or it is none and `org` is given.
    """
    frame = estimates._frame
    own = frame["org"].eq(OWN) & frame["source"].eq("contractor")
    if not own.any():
        if org is None:
            return estimates
        raise MeasureError(
            f"org={org!r} says which organisation a contractor's table is of, and these results "
            "are no such table. Leave it out: they say whose they are."
        )
    if org is None:
        raise MeasureError(
            "A contractor's table does not say which organisation it is of. Give its code: "
            'compare_benchmark(table, published, org="..."). For the distance from the table\'s '
            "own comparator: compare_benchmark(table, table)."
        )
    kept = estimates._rows(~frame["org"].eq(COMPARATOR).to_numpy(dtype=bool))
    rows = kept._frame
    return kept._with(rows.assign(org=rows["org"].mask(rows["org"].eq(OWN), org)))


def beside_comparator(estimates: Estimates, table: Estimates) -> Estimates:
    """Points by which a contractor's own row lies from its comparator.

    Parameters
    ----------
    estimates
        Rows of the table: they say which years and measures are asked about.
    table
        The contractor's table, with its comparator.

    Raises
    ------
    MeasureError
        The table has no comparator, or `estimates` are not of the table.
    """
    mine, other = _wholes(estimates, OWN), _wholes(table, COMPARATOR)
    if mine.empty:
        raise MeasureError(
            "A contractor's comparator cannot be the benchmark group of these results: it is one "
            "unweighted figure for organisations that are not named, and only the row beside it "
            "is made in the same way. Give the official organisational workbook as published; for "
            "the distance from the comparator: compare_benchmark(table, table)."
        )
    on = ["year", "measure", "statistic", "weighting", "release"]
    pairs = mine.merge(other[[*on, "value", "_dead"]], on=on, suffixes=("", "_c"))
    if pairs.empty:
        raise MeasureError(
            "This contractor's table has no comparator for these measures and years, so there is "
            "nothing to compare with. Give the official organisational workbook as published, "
            "and org= your code."
        )
    dead = (pairs["_dead"] | pairs["_dead_c"]).to_numpy(dtype=bool)
    shown = pairs["status"].eq("ok").to_numpy(dtype=bool)
    rows = pairs[list(_KEYS)].assign(
        statistic="difference",
        unit="points",
        value=pairs["value"] - pairs["value_c"],
        lower=pairs["lower"] - pairs["value_c"],
        upper=pairs["upper"] - pairs["value_c"],
        level=pairs["level"],
        base=pairs["base"].where(~dead & shown),
        reference=REFERENCE,
        method="limits of own figure",
        status=pairs["status"],
    )
    if estimates._suppressed_together:
        rows[HIDE] = dead
    lost = len(mine) - len(pairs)
    notes = [NOTE, *([f"{lost:,} figures have no comparator in the table."] if lost else [])]
    parent = estimates._with(estimates._frame, strictest((estimates.rule, table.rule)))
    return derived(parent, rows, notes=notes)


def _wholes(estimates: Estimates, org: str) -> pd.DataFrame:
    frame = estimates._frame.assign(_dead=np.asarray(estimates._hidden, dtype=bool))
    keep = (
        frame["source"].eq("contractor") & frame["org"].eq(org)
        & frame["breakdown"].eq("overall") & frame["answer"].eq("") & frame["within"].eq("")
        & frame["statistic"].isin(("percent", "score"))
    )  # fmt: skip
    return frame[keep & frame["status"].eq("ok")] if org == COMPARATOR else frame[keep]
