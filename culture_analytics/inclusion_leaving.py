"""What leaves with a release of inclusion: gaps, adjusted gaps, intersections, official figures.

Gaps and intersections are worked out of the release's tables after these were protected: they
follow from figures that are shown, and are hidden with any that is not. Adjusted gaps need
respondents: they are hidden with either plain figure, have no base of their own, and are rounded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from culture_analytics.adjusted import adjusted_gap
from culture_analytics.compare.groups import compare_groups
from culture_analytics.disclosure.rules import Rule
from culture_analytics.errors import AdjustmentError, MeasureError
from culture_analytics.estimate import calculate
from culture_analytics.estimate.dimensions import OVERALL
from culture_analytics.estimates import Estimates, concat
from culture_analytics.instrument import load_instrument
from culture_analytics.intersectional import intersections_shown, variance_shares
from culture_analytics.standards import (
    STANDARDS,
    Contrast,
    Standard,
    contrasts_of,
    gaps_of,
    inclusion_settings,
    standard_of,
    standards_use,
)
from culture_analytics.survey import Survey

__all__ = [
    "ADJUSTED",
    "CROSSINGS",
    "FIGURES",
    "GAPS",
    "INTERSECTIONS",
    "OFFICIAL",
    "allowed_for",
    "figures_of",
    "gaps_topic",
    "inclusion",
    "table_of",
]

# Topics of a release: tables of figures, and what is made of them.
FIGURES, CROSSINGS = "standards", "crossings"
GAPS, ADJUSTED, INTERSECTIONS, OFFICIAL = "gaps", "adjusted", "intersections", "official"

LATEST = "latest"
STANDARDISED = "standardised for "
SHOWN_DIGITS = 1  # of adjusted percentages and gaps
P_DIGITS = 4
NUMBERS = ["value", "lower", "upper"]


def gaps_topic(standard: str) -> str:
    """Topic of a release that holds a standard's gaps: ``"gaps_wres"``."""
    return f"{GAPS}_{standard}"


def table_of(survey: Survey, table: Mapping[str, Any], rule: Rule) -> Estimates | None:
    """One of the tables that ``release.toml`` declares; None where the extract cannot give it.

    Parameters
    ----------
    survey
        Respondents.
    table
        ``measures``, ``by``; perhaps ``within`` and the ``within_groups`` wanted of it, and
        ``years = "latest"``.
    rule
        Disclosure rule.
    """
    asked = list(table["by"])
    by = [b for b in asked if all(_available(survey, part) for part in b.split(":"))]
    within = table.get("within")
    if (asked and not by and _needs_groups(table)) or (within and not _available(survey, within)):
        return None
    if table.get("years") == LATEST:
        survey = survey.filter(year=max(survey.years))
    found = calculate(survey, table["measures"], by=by, within=within, rule=rule)
    if not within:
        return found
    return found.select(within=within, within_group=table["within_groups"])


def _needs_groups(table: Mapping[str, Any]) -> bool:
    """Whether a table says nothing that others do not, without its groups."""
    return "years" in table or "published_by" in table


def _available(survey: Survey, by: str) -> bool:
    """Leave out a breakdown of the standard set that this extract does not have."""
    breakdown = survey.instrument.breakdowns.get(by)
    if breakdown is not None:
        return breakdown.item in survey.responses.columns
    return by != inclusion_settings()["pay_band"]["column"] or by in survey.local_columns


# -- what is made of the tables -----------------------------------------------------------------


def inclusion(
    tables: Mapping[str, Estimates],
    *,
    survey: Survey | None,
    published: Estimates | None,
    orgs: Sequence[str],
    rule: Rule,
) -> dict[str, Estimates]:
    """What is made of a release's tables on inclusion.

    Parameters
    ----------
    tables
        The release's tables of measures, protected.
    survey
        The respondents, for adjusted gaps; None for published results.
    published
        Published results to set beside them, or None.
    orgs
        Organisations that the release is about.
    rule
        Its rule.

    Returns
    -------
    dict of str to Estimates
        ``gaps_wres`` and the like: each standard's gaps and ratios, each table a family. ``gaps``:
        gaps by equality characteristic. ``adjusted``: gaps with the same job mix.
        ``intersections``: steadied percentages and shares of variation. ``official``: published
        figures of the standards. What the data do not allow is not there; of respondents under a
        rule that rounds there is nothing, since it is made of exact figures.
    """
    found: dict[str, Estimates] = {}
    official = _official(published, orgs, rule)
    if official is not None:
        found[OFFICIAL] = official
    if rule.rounds and survey is not None:
        return found
    for name in STANDARDS:
        gaps = [g for s in _each_year(name, tables) if (g := gaps_of(s)) is not None]
        if gaps:
            found[gaps_topic(name)] = concat(gaps)
    wide = _equality_gaps(tables) if FIGURES in tables else None
    if wide is not None:
        found[GAPS] = wide
    crossed = _intersections(tables, orgs)
    if crossed is not None:
        found[INTERSECTIONS] = crossed
    if survey is not None:
        adjusted = _adjusted(survey, tables, rule)
        if adjusted is not None:
            found[ADJUSTED] = adjusted
    return found


def figures_of(name: str, tables: Mapping[str, Estimates]) -> Estimates | None:
    """The tables that hold a standard's figures, as one."""
    topic = name if name in tables else FIGURES
    return tables.get(topic)


def _each_year(name: str, tables: Mapping[str, Estimates]) -> list[Standard]:
    figures = figures_of(name, tables)
    found = []
    for year in [] if figures is None else sorted(map(int, figures.unique("year"))):
        try:
            found.append(standard_of(name, figures, None, year=year))  # type: ignore[arg-type]
        except MeasureError:  # none of its indicators, or not of that year
            continue
    return found


def _equality_gaps(tables: Mapping[str, Estimates]) -> Estimates | None:
    """Gaps of a few measures by every equality characteristic, of the latest year."""
    settings, instrument = inclusion_settings()["gaps"], load_instrument()
    by = [b for name in settings["sets"] for b in instrument.breakdown_ids(name)]
    kept, seen = [], set[str]()
    for topic, table in tables.items():
        if topic in (FIGURES, CROSSINGS, *STANDARDS):
            continue
        frame = table._frame
        wanted = [m for m in settings["measures"] if m not in seen]
        keep = frame["measure"].isin(wanted) & frame["breakdown"].isin([OVERALL, *by])
        keep &= frame["statistic"].eq("percent") & frame["reference"].eq("")
        keep &= frame["answer"].eq("") & frame["within"].eq("")
        groups = frame.loc[keep & frame["breakdown"].isin(by), "measure"]
        keep &= frame["measure"].isin(pd.unique(groups))
        if keep.any():
            kept.append(table._rows(keep.to_numpy(dtype=bool)))
            seen |= set(map(str, pd.unique(groups)))
    if not kept:
        return None
    figures = concat(kept)
    figures = figures.select(year=max(map(int, figures.unique("year"))))
    try:
        return compare_groups(figures)
    except MeasureError:  # nothing with a reference
        return None


def _intersections(tables: Mapping[str, Estimates], orgs: Sequence[str]) -> Estimates | None:
    """The analysis of each crossing and measure, of what may be shown."""
    if CROSSINGS not in tables:
        return None
    figures = tables[CROSSINGS]
    figures = figures.select(org=list(orgs)[:1] if len(orgs) == 1 else "all")
    figures = figures.select(year=max(map(int, figures.unique("year"))))
    found = []
    for by in (b for b in figures.unique("breakdown") if b != OVERALL):
        for measure in figures.unique("measure"):
            try:
                one = intersections_shown(figures, measure, by=by)
            except (AdjustmentError, MeasureError):  # too few combinations may be shown
                continue
            rows = one.estimates
            made = ~rows._frame["statistic"].eq("percent").to_numpy(dtype=bool)
            found += [rows._rows(made), variance_shares(one, by=by)]
    return concat(found) if found else None


# -- is it the job mix? -------------------------------------------------------------------------


def allowed_for(method: str) -> tuple[str, ...]:
    """What an adjusted row allows for, from its method."""
    return tuple(method.removeprefix(STANDARDISED).split("; ")) if method else ()


def _adjusted(survey: Survey, tables: Mapping[str, Estimates], rule: Rule) -> Estimates | None:
    """Adjusted gaps of the standards' measures, of the latest year."""
    settings = inclusion_settings()["adjusted"]
    year = max(survey.years)
    latest = survey.filter(year=year)
    made: dict[tuple[str, str], Estimates] = {}
    for name in settings["standards"]:
        figures = figures_of(name, tables)
        if figures is None:
            continue
        try:
            standard = standard_of(name, figures, None, year=year)
        except MeasureError:
            continue
        for contrast, measure in _adjustable(standard):
            key = (measure, contrast.breakdown)
            if key in made:
                continue
            rows = _one_adjusted(latest, measure, contrast, settings["allow_for"], rule)
            if rows is not None:
                made[key] = rows
    return concat(made.values()) if made else None


def _adjustable(standard: Standard) -> list[tuple[Contrast, str]]:
    """Pairs of groups and percentages of both of them."""
    known = load_instrument().measures
    return [
        (contrast, measure)
        for contrast in standard.contrasts
        for measure in contrasts_of(standard, contrast)
        if known[measure].unit == "percent" and not contrast.within
    ]


def _one_adjusted(
    survey: Survey,
    measure: str,
    contrast: Contrast,
    lists: Sequence[Sequence[str]],
    rule: Rule,
) -> Estimates | None:
    """Rows allowing for the longest list that the answers are enough for; None if for none."""
    for names in lists:
        held = [n for n in names if _available(survey, n)]
        try:
            found = adjusted_gap(
                survey, measure, by=contrast.breakdown, adjust_for=held,
                groups=[contrast.reference, contrast.compared], reference=contrast.reference,
                rule=rule,
            )  # fmt: skip
        except (AdjustmentError, MeasureError):
            continue
        rows = found.estimates
        made = rows._frame["statistic"].str.startswith("adjusted_").to_numpy(dtype=bool)
        frame = rows._frame.loc[made].reset_index(drop=True)
        frame[NUMBERS] = frame[NUMBERS].round(SHOWN_DIGITS)
        method = STANDARDISED + "; ".join(label.lower() for label in found.adjust_for)
        return rows._with(
            frame.assign(p_value=frame["p_value"].round(P_DIGITS), se=np.nan, df=np.nan,
                         method=method)
        )  # fmt: skip
    return None


# -- official figures ---------------------------------------------------------------------------


def _official(published: Estimates | None, orgs: Sequence[str], rule: Rule) -> Estimates | None:
    """Published figures of the standards, of England and of the organisations held."""
    if published is None:
        return None
    frame = published._frame
    wanted, breakdowns = standards_use()
    keep = (
        frame["source"].eq("published") & frame["org"].isin(["ENG", *orgs])
        & frame["measure"].isin(wanted) & frame["breakdown"].isin(breakdowns)
        & frame["answer"].eq("") & frame["within"].eq("") & frame["reference"].eq("")
        & frame["statistic"].isin(("percent", "score"))
    ).to_numpy(dtype=bool)  # fmt: skip
    if not keep.any():
        return None
    chosen = published._rows(keep)
    return chosen._with(chosen._frame, rule)
