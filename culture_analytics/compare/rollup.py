"""Figures of an ICS, a region, a benchmark group or England, each said how it was made."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from culture_analytics.compare.derive import derived
from culture_analytics.compare.organisations import (
    ENGLAND,
    POOL,
    chosen,
    england,
    organisation_rows,
)
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import HIDE, Estimates, concat
from culture_analytics.stats import wilson

__all__ = ["HOW", "PLACES", "roll_up", "system"]

AS_PUBLISHED = "as published"
BASE_WEIGHTED = "base-weighted mean"
MEAN = "mean of organisations"
HOW = (AS_PUBLISHED, BASE_WEIGHTED, MEAN)
PLACES = ("ics", "region", "benchmark_group", "england")
LEVEL = 0.95
WHOLE = ("overall", "All staff")
_ABOUT = {
    AS_PUBLISHED: "as published, weighted as their 'weighting' says",
    BASE_WEIGHTED: "means of organisations' published figures, each counted by its responses",
    MEAN: "means of organisations' published figures, each organisation counted once",
}


def roll_up(
    published: Estimates,
    *,
    to: str,
    how: str = BASE_WEIGHTED,
    measures: str | Iterable[str] | None = None,
) -> Estimates:
    """Organisations' figures brought together, in one way only.

    Parameters
    ----------
    published
        Published results of organisations; for ``"as published"`` of the national workbook.
    to
        ``"ics"``, ``"region"``, ``"benchmark_group"`` or ``"england"``.
    how
        ``"as published"`` takes the national workbook's own rows; ``"base-weighted mean"`` counts
        each organisation by its responses; ``"mean of organisations"`` counts each once.
    measures
        Ids, domains or collections; default all.

    Returns
    -------
    Estimates
        ``org="ENG"`` with the place as breakdown and group. `weighting` says how the row was made
        and how its organisations are weighted; figures on different weights are never in one
        row. A measure made of several questions comes from organisations' own figures of it or
        not at all: it is never rebuilt from its parts.

    Raises
    ------
    MeasureError
        No such place or way, or no row is published.

    Notes
    -----
    Percentages by responses have Wilson limits on the sum of the bases; others have none. None of
    these equals England's published figure, which counts organisations by their eligible staff.

    References
    ----------
    NHS Staff Survey, notes of the detailed spreadsheets (weighting).

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics.compare import roll_up
    >>> places = roll_up(
    ...     ca.read_published("organisational results.xlsx"), to="region", measures="stress"
    ... )  # doctest: +SKIP
    """
    if to not in PLACES or how not in HOW:
        raise MeasureError(
            f"roll_up(to={to!r}, how={how!r}): 'to' is one of {', '.join(map(repr, PLACES))}, "
            f"'how' one of {', '.join(map(repr, HOW))}."
        )
    if how == AS_PUBLISHED:
        return _as_published(published, to, measures)
    rows = chosen(organisation_rows(published, "roll_up()"), measures)
    place = pd.Series(WHOLE[1], index=rows.index) if to == "england" else rows[to]
    kept = rows[place.notna()].assign(_place=place[place.notna()])
    if kept.empty:
        raise MeasureError(f"No organisation of these results says its {to}.")
    frame = _means(kept, how, "overall" if to == "england" else to)
    members = kept.groupby("_place")["org"].nunique()
    notes = [
        f"Figures by {to} are {_ABOUT[how]}; {members.sum():,} organisations, "
        f"{members.min():,} to {members.max():,} in each."
    ]
    outside = rows.loc[place.isna(), "org"].nunique()
    if outside:
        notes.append(f"{outside:,} organisations say no {to} and are in none.")
    if published._suppressed_together:
        frame[HIDE] = False
    return derived(published, frame, notes=notes)


def _as_published(published: Estimates, to: str, measures: str | Iterable[str] | None) -> Estimates:
    frame = published._frame
    breakdown = "overall" if to == "england" else to
    keep = (
        frame["org"].eq(ENGLAND) & frame["breakdown"].eq(breakdown) & frame["within"].eq("")
        & frame["answer"].eq("")
    )  # fmt: skip
    if measures is not None:
        keep &= frame["measure"].isin(chosen(frame, measures)["measure"])
    if not keep.any():
        raise MeasureError(
            f"These results hold no published row by {to}. Read the national workbook, or take "
            f"how={BASE_WEIGHTED!r}."
        )
    found = published._rows(keep.to_numpy(dtype=bool))
    return derived(
        found, found._frame.copy(), notes=[f"Figures by {to} are {_ABOUT[AS_PUBLISHED]}."]
    )


def _means(rows: pd.DataFrame, how: str, breakdown: str) -> pd.DataFrame:
    """One row for each place and pool of organisations that may be added up."""
    counted = rows["base"] if how == BASE_WEIGHTED else rows["base"].where(rows["base"].isna(), 1.0)
    parts = rows.assign(_w=counted, _wv=counted * rows["value"])
    # Without a base an organisation counts in neither sum.
    parts = parts[parts["_w"] > 0]
    grouped = parts.groupby([*POOL, "_place"], sort=False, observed=True)
    sums = grouped[["_w", "_wv", "base"]].sum()
    first = grouped[["label", "unit"]].first()
    frame = sums.join(first).join(grouped["org"].nunique().rename("_n")).reset_index()
    value = (frame["_wv"] / frame["_w"]).to_numpy(dtype=float)
    percent = frame["statistic"].eq("percent").to_numpy(dtype=bool) & (how == BASE_WEIGHTED)
    lower, upper = np.full(len(frame), np.nan), np.full(len(frame), np.nan)
    low, high = wilson(np.clip(value[percent] / 100, 0, 1), frame["base"][percent], level=LEVEL)
    lower[percent], upper[percent] = 100 * low, 100 * high
    named = [f"{how} ({w})" for w in frame["weighting"]]
    return frame.assign(
        org=ENGLAND, answer="", breakdown=breakdown, group=frame["_place"], within="",
        within_group="", value=value, lower=lower, upper=upper,
        level=np.where(percent, LEVEL, np.nan), weighting=named, source="published", status="ok",
        method=[f"{how}, {n} organisations" for n in frame["_n"]],
    ).drop(columns=["_w", "_wv", "_n", "_place"])  # fmt: skip


def system(
    published: Estimates,
    org: str,
    *,
    measures: str | Iterable[str] | None = None,
    how: str | None = None,
) -> Estimates:
    """An organisation beside the others of its ICS, its ICS, its region and England.

    Parameters
    ----------
    published
        Published results of organisations, with those of England (`concat`) if held.
    org
        Its code.
    measures
        Ids, domains or collections; default all.
    how
        As for `roll_up`. Default: as published where the national rows are there, else the
        base-weighted mean. One way for all places.

    Returns
    -------
    Estimates
        Published rows of the organisation and its ICS's other organisations
        (``breakdown="overall"``), then rows of England by ``ics`` and ``region``, and England.

    Raises
    ------
    MeasureError
        The organisation is not in the results.

    Examples
    --------
    >>> from culture_analytics.compare import system
    >>> page = system(published, "RXX", measures="headline")  # doctest: +SKIP
    """
    rows = chosen(organisation_rows(published, "system()"), measures)
    if not rows["org"].eq(org).any():
        raise MeasureError(f"{org!r} has no figure in these published results. Check the code.")
    own = rows[rows["org"].eq(org)].iloc[0]
    notes, parts = [], []
    same_ics = rows["org"].eq(org)
    if isinstance(own["ics"], str):
        same_ics |= rows["ics"].eq(own["ics"])
    orgs = [org, *(o for o in pd.unique(rows.loc[same_ics, "org"]) if o != org)]
    kept = published._frame
    place = {o: k for k, o in enumerate(orgs)}
    positions = np.flatnonzero(
        kept["org"].isin(orgs) & kept["breakdown"].eq("overall") & kept["answer"].eq("")
        & kept["source"].eq("published") & kept["measure"].isin(rows["measure"])
    )  # fmt: skip
    order = np.argsort(kept["org"].iloc[positions].map(place).to_numpy(), kind="stable")
    found = published._frame.iloc[positions[order]].reset_index(drop=True)
    parts.append(published._with(found))
    if how is None:
        how = AS_PUBLISHED if len(england(published)) else BASE_WEIGHTED
    for to in ("ics", "region"):
        if not isinstance(own[to], str):
            notes.append(f"{org} says no {to}: no row of one.")
            continue
        whole = _by_place(published, to, how, measures, notes)
        if whole is None or not whole._has(breakdown=to, group=own[to]):
            notes.append(f"No row of its {to} {how}.")
            continue
        parts.append(whole.select(breakdown=to, group=own[to]))
    country = _by_place(published, "england", how, measures, notes)
    parts += [country] if country is not None else []
    together = concat(parts)
    return derived(together, together._frame.copy(), notes=notes)


def _by_place(
    published: Estimates,
    to: str,
    how: str,
    measures: str | Iterable[str] | None,
    notes: list[str],
) -> Estimates | None:
    try:
        return roll_up(published, to=to, how=how, measures=measures)
    except MeasureError as problem:
        notes.append(str(problem))
        return None
