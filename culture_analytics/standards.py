"""What the staff survey feeds of equality standards: WRES, WDES, EDI plan, medical staff, leaders.

What each indicator is stands in ``instrument/data/standards.toml``. Both groups stand side by side,
with the gap, its ratio, a test and a plain verdict; detailed groups stand beneath, so that a split
in two hides nobody.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd

from culture_analytics.compare.groups import (
    CLEAR,
    REST,
    STANDARD,
    TOO_FEW,
    compare_groups,
    verdict,
)
from culture_analytics.compare.sides import FEW
from culture_analytics.disclosure.rules import Rule
from culture_analytics.errors import MeasureError
from culture_analytics.estimate import calculate
from culture_analytics.estimates import Estimates, concat
from culture_analytics.instrument import load_instrument
from culture_analytics.instrument.loader import DATA
from culture_analytics.survey import Survey

__all__ = [
    "EVERYONE_ELSE",
    "STANDARDS",
    "Contrast",
    "Standard",
    "contrasts_of",
    "edi_metrics",
    "equality_standard",
    "gaps_of",
    "inclusion_settings",
    "standard_of",
    "standards_use",
    "wdes_metrics",
    "with_senior_band",
    "wres_indicators",
]

STANDARDS = ("wres", "wdes", "edi", "medical", "leaders")
OVERALL, EVERYONE, EVERYONE_ELSE = "overall", "All staff", "Everyone else"
ENGLAND = "ENG"
ROUNDING = 0.005  # official figures are shown to two decimals

_ROW = ["year", "org", "measure", "breakdown", "group", "within", "within_group"]
_FIGURE = ["value", "lower", "upper", "base", "status"]


@dataclass(frozen=True)
class Contrast:
    """Two groups that a standard sets side by side.

    Attributes
    ----------
    breakdown, compared, reference
        The breakdown and its two groups; reference ``"rest"`` is everyone else.
    within, within_group
        The part of the staff it is of, such as one occupation; blank for all.
    id
        Its name in the definitions; blank where a standard has only one.
    """

    breakdown: str
    compared: str
    reference: str
    within: str = ""
    within_group: str = ""
    id: str = ""

    @property
    def against(self) -> str:
        """The reference, for people."""
        return EVERYONE_ELSE if self.reference == REST else self.reference


@dataclass(frozen=True, eq=False, repr=False)
class Standard:
    """The survey's indicators of one equality standard, for the organisations of one survey year.

    Attributes
    ----------
    id, title, note
        One of `STANDARDS`; its name; what to keep in mind of its groups.
    year
        Survey year; the standard of the year after uses it.
    figures
        Percentages and scores of everyone, of both groups and of the detailed groups.
    gaps
        Differences and ratios between groups, as `compare_groups` gives them: those of the two
        groups, and of the detailed ones with their own reference group. None where there are none.
    england
        England's published figures, or None.
    contrasts
        The pairs of groups set side by side that the figures hold.

    Notes
    -----
    Figures of respondents are protected by primary suppression only. To publish them put
    `estimates` through a release, or work the standard out from tables suppressed together.
    """

    id: str
    title: str
    note: str
    year: int
    figures: Estimates
    gaps: Estimates | None
    england: Estimates | None
    contrasts: tuple[Contrast, ...]
    _definition: Mapping[str, Any]

    def __repr__(self) -> str:
        orgs = len(self.figures.unique("org"))
        return (
            f"<{self.title}: survey of {self.year}, {len(self._indicators)} indicators, "
            f"{orgs} organisation{'s' if orgs != 1 else ''}>"
        )

    def _repr_html_(self) -> str:
        columns = ["indicator", "name", "reference_value", "compared_value", "gap", "verdict"]
        shown = self.table[columns].round(2)
        return str(shown.to_html(index=False, border=0, classes="ca-table", na_rep=""))

    @property
    def estimates(self) -> Estimates:
        """All rows together, for a release."""
        return self.figures if self.gaps is None else concat([self.figures, self.gaps])

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences to print with the tables."""
        own = [self.note, _definitions()["guidance"]["label"]]
        missing = [d["id"] for d in self._indicators if not self.figures._has(measure=d["measure"])]
        if missing:
            own.append(f"No figures here: {', '.join(missing)}.")
            own += [
                f"{d['id']}: {_definitions()['reasons']['composite']}."
                for d in self._indicators
                if d["id"] in missing and d.get("composite")
            ]
        parts = [*self.figures.notes, *(self.gaps.notes if self.gaps else ())]
        return tuple(dict.fromkeys([*parts, *own]))

    @property
    def _indicators(self) -> list[dict[str, Any]]:
        return [
            d
            for d in self._definition["indicators"]
            if d["first_year"] <= self.year <= d.get("last_year", self.year)
        ]

    # -- tables ---------------------------------------------------------------------------

    @property
    def table(self) -> pd.DataFrame:
        """A row an indicator: both groups side by side, gap, ratio, test, verdict, England.

        Percentages 0-100 (9a: score 0-10), gap in points, compared less reference. `ratio` stands
        the way `ratio_of` says: above 1 is worse for the group compared. `worse_for` names the
        group that a clear gap is worse for; `guidance` says whether the ratio lies in 0.80 to 1.25.
        """
        return self._table.copy()

    @cached_property
    def _table(self) -> pd.DataFrame:
        rows = self._grid()
        for name in ("compared", "reference", "all"):
            rows = _beside(rows, self.figures.table, name, name, _FIGURE)
        rows = _with_everyone_else(self._with_gaps(rows))
        for name in ("compared", "reference", "all"):
            rows = self._with_england(rows, name)
        rows["england_gap"] = rows["england_compared"] - rows["england_reference"]
        alone = rows["one_group"]
        status = rows["gap_status"].where(~alone, rows["compared_status"]).fillna("unavailable")
        rows = rows.assign(
            reference=rows["_against"].where(~alone, ""),
            status=status,
            worse_for=np.where(rows["verdict"].eq(CLEAR), _worse_for(rows), ""),
            guidance=_guidance(rows),
        )
        return rows[list(_SUMMARY)]

    @property
    def groups(self) -> pd.DataFrame:
        """A row for each group and indicator: everyone, both groups, then the detailed groups.

        The gap of each is with the reference group of its own breakdown.
        """
        rows = self._named(self.figures.table)
        rows = rows[["indicator", "name", *_ROW, "unit", *_FIGURE]]
        if self.gaps is not None:
            gaps = self.gaps.table.assign(verdict=verdict(self.gaps))
            gaps = gaps[gaps["statistic"].eq("difference")]
            names = {"value": "gap", "lower": "gap_lower", "upper": "gap_upper"}
            gaps = gaps.rename(columns=names)[
                [*_ROW, *names.values(), "reference", "p_adjusted", "verdict"]
            ]
            rows = rows.merge(gaps, on=_ROW, how="left")
            rows[["reference", "verdict"]] = rows[["reference", "verdict"]].fillna("")
        if self.england is not None:
            country = self.england.table.rename(columns={"value": "england"})
            on = ["year", "measure", "breakdown", "group", "within", "within_group"]
            country = country[country["answer"].eq("")].drop_duplicates(on)
            everyone = country["breakdown"].eq(OVERALL)
            country = country.assign(group=country["group"].where(~everyone, EVERYONE))
            rows = rows.merge(country[[*on, "england"]], on=on, how="left")
        return rows

    @property
    def elsewhere(self) -> pd.DataFrame:
        """Indicators of the standard that do not come from the survey, and where they come from."""
        table = pd.DataFrame(self._definition["elsewhere"], dtype="str")
        return table.rename(columns={"id": "indicator"}).assign(status="not from the survey")

    def reconcile(self, official: Estimates) -> pd.DataFrame:
        """Official published figures, the ones here, and why they differ.

        Parameters
        ----------
        official
            Published results that hold the same organisations, as `read_published` gives them.

        Returns
        -------
        DataFrame
            A row an indicator and group: `official`, `ours`, `difference` (ours less official),
            bases, and `why`.

        Raises
        ------
        MeasureError
            `official` has no row of these organisations and this year.

        Examples
        --------
        >>> import culture_analytics as ca
        >>> wres = wres_indicators(ca.load_sample(2024))
        >>> wres.reconcile(wres.figures)["why"].unique().tolist()[:1]
        ['rounding']
        """
        told = official.table
        told = told[told["year"].eq(self.year) & told["answer"].eq("") & told["within"].eq("")]
        told = told[told["statistic"].isin(("percent", "score"))]
        orgs = self.figures.unique("org")
        if not told["org"].isin(orgs).any():
            raise MeasureError(
                f"The official results hold no row of {', '.join(map(str, orgs[:6]))} in "
                f"{self.year}. Check the organisation's code and the year of the file."
            )
        own = self._named(self.figures.table)
        both = np.zeros(len(own), dtype=bool)
        for c in self.contrasts:
            both |= own["breakdown"].eq(c.breakdown) & own["group"].isin((c.compared, c.reference))
        own = own[own["breakdown"].eq(OVERALL) | both]
        told = told.assign(group=told["group"].where(told["breakdown"].ne(OVERALL), EVERYONE))
        told = told.drop_duplicates(_ROW)
        rows = own.merge(
            told[[*_ROW, "value", "base", "weighting", "release", "status"]],
            on=_ROW, how="left", suffixes=("", "_official"),
        )  # fmt: skip
        rows["difference"] = rows["value"] - rows["value_official"]
        composite = {x["measure"] for x in self._indicators if x.get("composite")}
        rows["why"] = [_why(row, composite) for row in rows.to_dict("records")]
        rows = rows.rename(columns={"value": "ours", "value_official": "official"})
        return rows[
            ["year", "org", "indicator", "name", "breakdown", "group", "official", "ours",
             "difference", "base_official", "base", "weighting_official", "weighting", "why"]
        ]  # fmt: skip

    # -- parts ----------------------------------------------------------------------------

    def _grid(self) -> pd.DataFrame:
        """A row for each organisation, indicator and pair of groups."""
        known = load_instrument().measures
        rows = [
            {
                "year": self.year, "org": org, "indicator": d["id"], "name": d["name"],
                "measure": d["measure"], "unit": known[d["measure"]].unit,
                "better": known[d["measure"]].better, "breakdown": c.breakdown,
                "within": c.within, "within_group": c.within_group, "compared": c.compared,
                "reference": c.reference, "_against": c.against, "_ratio": d["ratio"],
                "one_group": bool(d.get("one_group")),
            }
            for org in self.figures.unique("org")
            for d in self._indicators
            for c in self.contrasts
            if c.id in d.get("contrasts", (c.id,))
        ]  # fmt: skip
        return pd.DataFrame(rows)

    def _named(self, table: pd.DataFrame) -> pd.DataFrame:
        """Rows with the indicator they belong to, in the standard's order."""
        detailed = self._definition["detailed"]
        places = [
            (k, d["id"], d["name"], d["measure"], breakdown)
            for k, d in enumerate(self._indicators)
            for breakdown in (
                OVERALL,
                *(c.breakdown for c in self.contrasts if c.id in d.get("contrasts", (c.id,))),
                *detailed,
            )
        ]
        names = pd.DataFrame(
            places, columns=["_place", "indicator", "name", "measure", "breakdown"]
        ).drop_duplicates()
        rows = table.merge(names, on=["measure", "breakdown"], how="inner")
        by = np.lexsort((np.arange(len(rows)), rows["_place"], rows["org"].to_numpy(str)))
        rows = rows.iloc[by].drop(columns="_place")
        everyone = rows["breakdown"].eq(OVERALL)
        return rows.assign(group=rows["group"].where(~everyone, EVERYONE)).reset_index(drop=True)

    def _with_gaps(self, rows: pd.DataFrame) -> pd.DataFrame:
        blank = dict.fromkeys(
            ("gap", "gap_lower", "gap_upper", "ratio", "ratio_lower", "ratio_upper", "p_adjusted"),
            np.nan,
        )
        if self.gaps is None:
            words = {"verdict": "", "family": "", "ratio_of": "", "gap_status": None}
            return rows.assign(**blank, **words, _few=False)
        table = self.gaps.table.assign(verdict=verdict(self.gaps))
        extra = ["value", "lower", "upper", "status", "p_adjusted", "family", "verdict", "method"]
        differences = table[table["statistic"].eq("difference")]
        rows = _beside(rows, differences, "compared", "gap", extra)
        ratios = table[table["statistic"].eq("ratio")]
        rows = _beside(rows, ratios, "compared", "ratio", ["value", "lower", "upper"])
        turned = rows["_ratio"].eq("reference").to_numpy(dtype=bool)
        with np.errstate(divide="ignore"):
            value, low, high = (rows[f"ratio_{c}"] for c in ("value", "lower", "upper"))
            # An upper limit that is not there, of a ratio that is, is without end.
            end = np.where(value.notna() & high.isna(), 0.0, 1 / high)
            ratio = np.where(turned, 1 / value, value)
            lower = np.where(turned, end, low)
            upper = np.where(turned, np.where(low > 0, 1 / low, np.nan), high)
        above = rows["_against"].where(turned, rows["compared"])
        below = rows["compared"].where(turned, rows["_against"])
        of = [f"{a} / {b}" for a, b in zip(above, below, strict=True)]
        has = rows["_ratio"].ne("") & pd.Series(ratio, index=rows.index).notna()
        return rows.assign(
            gap=rows["gap_value"],
            ratio=np.where(has, ratio, np.nan),
            ratio_lower=np.where(has, lower, np.nan),
            ratio_upper=np.where(has, upper, np.nan),
            ratio_of=np.where(has, of, ""),
            p_adjusted=rows["gap_p_adjusted"],
            family=rows["gap_family"].fillna(""),
            verdict=rows["gap_verdict"].fillna(""),
            _few=rows["gap_method"].fillna("").str.contains(FEW, regex=False),
        )

    def _with_england(self, rows: pd.DataFrame, name: str) -> pd.DataFrame:
        column = f"england_{name}"
        if self.england is None:
            return rows.assign(**{column: np.nan})
        table = self.england.table
        country = table[table["answer"].eq("")].assign(org=ENGLAND)
        found = _beside(rows.assign(org=ENGLAND), country, name, column, ["value"])
        return rows.assign(**{column: found[f"{column}_value"].to_numpy(dtype=float)})


_SUMMARY = (
    "year", "org", "indicator", "name", "measure", "unit", "better", "breakdown",
    "compared", "compared_value", "compared_lower", "compared_upper", "compared_base",
    "compared_status",
    "reference", "reference_value", "reference_lower", "reference_upper", "reference_base",
    "reference_status",
    "all_value", "all_lower", "all_upper", "all_base",
    "gap", "gap_lower", "gap_upper", "ratio", "ratio_lower", "ratio_upper", "ratio_of",
    "p_adjusted", "family", "verdict", "worse_for", "guidance",
    "england_compared", "england_reference", "england_gap", "england_all", "status",
)  # fmt: skip


def wres_indicators(
    data: Survey | Estimates,
    *,
    year: int | None = None,
    weight: str | None = None,
    level: float = 0.95,
    rule: str | Rule = "default",
    adjust: str = "holm",
    england: Estimates | None = None,
) -> Standard:
    """Workforce Race Equality Standard, indicators 5 to 8, from the staff survey.

    Parameters
    ----------
    data
        Respondents, or results by ethnicity, calculated or published. From published results
        indicator 6 (harassed by managers *or* colleagues) cannot be had: it needs respondents.
    year
        Survey year; default the latest. The WRES of a year uses the survey of the year before.
    weight, level, rule
        As for `calculate`; for respondents only.
    adjust
        As for `compare_groups`: over the indicators that can be tested.
    england
        England's published figures, such as the national workbook; default those in the package,
        where they hold the year.

    Returns
    -------
    Standard
        ``.table``, ``.groups``, ``.elsewhere``, ``.reconcile(official)``, ``.estimates``.

    Raises
    ------
    MeasureError
        The year is not in the data, or none of the indicators is.

    References
    ----------
    NHS England, Workforce Race Equality Standard: technical guidance.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics.standards import wres_indicators
    >>> wres = wres_indicators(ca.load_sample(2024))
    >>> wres.table["indicator"].tolist()
    ['5', '6', '7', '8']
    >>> wres.elsewhere["indicator"].tolist()
    ['1', '2', '3', '4', '9']
    """
    return _standard("wres", data, year, weight, level, rule, adjust, england)


def wdes_metrics(
    data: Survey | Estimates,
    *,
    year: int | None = None,
    weight: str | None = None,
    level: float = 0.95,
    rule: str | Rule = "default",
    adjust: str = "holm",
    england: Estimates | None = None,
) -> Standard:
    """Workforce Disability Equality Standard, metrics 4a i-iii, 4b, 5, 6, 7, 8 and 9a.

    Parameters
    ----------
    data, year, weight, level, rule, adjust, england
        As for :func:`wres_indicators`, by long-term condition.

    Returns
    -------
    Standard
        As :func:`wres_indicators`. Metric 8 is of disabled staff alone, so it has no gap.

    Raises
    ------
    MeasureError
        The year is not in the data, or none of the metrics is.

    References
    ----------
    NHS England, Workforce Disability Equality Standard: technical guidance.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> from culture_analytics.standards import wdes_metrics
    >>> wdes_metrics(ca.load_sample(2024)).table["indicator"].tolist()
    ['4a i', '4a ii', '4a iii', '4b', '5', '6', '7', '8', '9a']
    """
    return _standard("wdes", data, year, weight, level, rule, adjust, england)


def edi_metrics(
    data: Survey | Estimates,
    *,
    year: int | None = None,
    weight: str | None = None,
    level: float = 0.95,
    rule: str | Rule = "default",
    adjust: str = "holm",
    england: Estimates | None = None,
) -> Standard:
    """Survey measures of the NHS equality, diversity and inclusion improvement plan.

    Actions 2 (careers and development), 4 (health and wellbeing), 5 (internationally recruited
    staff) and 6 (bullying and discrimination by staff). Actions 1 and 3 do not use the survey.

    Parameters
    ----------
    data, year, weight, level, rule, adjust, england
        As for :func:`wres_indicators`; by ethnicity, long-term condition and recruitment from
        abroad.

    Returns
    -------
    Standard
        As :func:`wres_indicators`, a row an indicator and pair of groups.

    Raises
    ------
    MeasureError
        The year is not in the data, or none of the measures is.

    References
    ----------
    NHS England (2023), NHS equality, diversity and inclusion improvement plan.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> plan = ca.edi_metrics(ca.load_sample(2024)).table
    >>> plan.loc[plan["indicator"].eq("Action 5 (i)"), "compared"].tolist()
    ['Recruited from outside the UK']
    """
    return _standard("edi", data, year, weight, level, rule, adjust, england)


def equality_standard(
    name: str,
    data: Survey | Estimates,
    *,
    year: int | None = None,
    weight: str | None = None,
    level: float = 0.95,
    rule: str | Rule = "default",
    adjust: str = "holm",
    england: Estimates | None = None,
) -> Standard:
    """Any of the sets of indicators in ``standards.toml``, by name.

    Parameters
    ----------
    name
        ``"wres"``, ``"wdes"``, ``"edi"``, ``"medical"`` (WRES indicators of medical and dental
        staff) or ``"leaders"`` (general managers beside everyone else; pay band 8a and above where
        the extract has a pay band).
    data, year, weight, level, rule, adjust, england
        As for :func:`wres_indicators`.

    Returns
    -------
    Standard
        As :func:`wres_indicators`.

    Raises
    ------
    MeasureError
        No such name; the year is not in the data, or none of the indicators is.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> leaders = ca.equality_standard("leaders", ca.load_sample(2024)).table
    >>> leaders["reference"].unique().tolist()
    ['Everyone else']
    """
    if name not in STANDARDS:
        raise MeasureError(f"No standard {name!r}; there are {', '.join(map(repr, STANDARDS))}.")
    return _standard(name, data, year, weight, level, rule, adjust, england)


def standard_of(
    name: str,
    figures: Estimates,
    gaps: Estimates | None,
    *,
    year: int,
    england: Estimates | None = None,
) -> Standard:
    """A standard of figures and gaps that were worked out before, such as those of a release.

    Parameters
    ----------
    name
        One of `STANDARDS`.
    figures
        Results that hold its figures, among others.
    gaps
        What `compare_groups` made of them, of this year or of several; None for none.
    year
        Survey year.
    england
        England's published figures; default those in the package, where they hold the year.

    Raises
    ------
    MeasureError
        The figures hold none of its indicators.
    """
    definition = _definitions()[name]
    contrasts = _contrasts(definition, figures)
    held = _published(figures, year, definition, contrasts)
    if gaps is not None:
        gaps = gaps.select(year=year) if gaps._has(year=year) else None
    return Standard(
        id=name,
        title=definition["title"],
        note=definition["note"],
        year=year,
        figures=held,
        gaps=gaps,
        england=england if england is not None else _england(year),
        contrasts=tuple(c for c in contrasts if held._has(breakdown=c.breakdown)) or contrasts[:1],
        _definition=definition,
    )


def with_senior_band(survey: Survey) -> Survey:
    """The survey with a column that tells pay bands 8a and above from those below.

    Parameters
    ----------
    survey
        Respondents. Without a column of pay bands (see ``pay_band`` in ``standards.toml``) they
        are returned as they are. Pay outside the bands, as of doctors, counts as neither.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> survey = ca.load_sample(2024)
    >>> with_senior_band(survey) is survey
    True
    """
    d = _definitions()["pay_band"]
    held = [c for c in survey.local_columns if c.casefold() in d["columns"]]
    if not held or d["column"] in survey.responses.columns:
        return survey
    column = survey.responses[held[0]].astype("category")
    labels = pd.Index([str(d["junior_label"]), str(d["senior_label"])])
    place = dict.fromkeys(d["junior"], 0) | dict.fromkeys(d["senior"], 1)
    words = [re.sub(r"band|afc|[^a-z0-9]", "", str(c).casefold()) for c in column.cat.categories]
    of = np.array([*(place.get(w, -1) for w in words), -1], dtype=np.int8)
    codes = of[column.cat.codes.to_numpy()]
    if not (codes >= 0).any():
        return survey
    band = pd.Categorical.from_codes(codes, categories=pd.Index(labels))
    return replace(survey, responses=survey.responses.assign(**{d["column"]: band}))


def _standard(
    name: str,
    data: Survey | Estimates,
    year: int | None,
    weight: str | None,
    level: float,
    rule: str | Rule,
    adjust: str,
    england: Estimates | None,
) -> Standard:
    definition = _definitions()[name]
    years = sorted(map(int, data.years if isinstance(data, Survey) else data.unique("year")))
    chosen = years[-1] if year is None else year
    if chosen not in years:
        raise MeasureError(f"year={chosen}: the data are of {', '.join(map(str, years))}.")
    if isinstance(data, Survey):
        figures = _calculated(data.filter(year=chosen), definition, chosen, weight, level, rule)
    else:
        figures = data
    whole = standard_of(name, figures, None, year=chosen, england=england)
    return replace(whole, gaps=gaps_of(whole, adjust=adjust))


def gaps_of(standard: Standard, *, adjust: str = "holm") -> Estimates | None:
    """Gaps and ratios of a standard's figures, each table a family; None where there are none."""
    d, figures = standard._definition, standard.figures
    every = [x["measure"] for x in standard._indicators]
    made = []
    for contrast, measures in [
        *((c, contrasts_of(standard, c)) for c in standard.contrasts),
        *((Contrast(b, "", STANDARD), every) for b in d["detailed"]),
    ]:
        part = _of_contrast(figures, contrast, measures)
        try:
            made.append(
                compare_groups(
                    part,
                    reference=contrast.reference,
                    statistic=["difference", "ratio"],
                    adjust=adjust,
                )
            )
        except MeasureError:  # wholes only, or nothing to compare with
            continue
    return concat(made) if made else None


def _of_contrast(figures: Estimates, contrast: Contrast, measures: Sequence[str]) -> Estimates:
    """The rows of a pair of groups (of all groups, where it names none), and of everyone."""
    frame = figures._frame
    keep = frame["within"].eq(contrast.within) & frame["within_group"].eq(contrast.within_group)
    keep &= frame["breakdown"].isin((OVERALL, contrast.breakdown))
    keep &= frame["measure"].isin(measures)
    if contrast.reference == REST:
        keep &= frame["breakdown"].eq(OVERALL) | frame["group"].eq(contrast.compared)
    return figures._rows(keep.to_numpy(dtype=bool))


def _contrasts(definition: Mapping[str, Any], figures: Estimates) -> tuple[Contrast, ...]:
    """The pairs of groups of a standard, each under the breakdown that the figures have it by."""
    listed: Sequence[Mapping[str, str]] = definition.get("contrasts", [definition])
    found = []
    for d in listed:
        other = d.get("instead")
        here = figures._has(breakdown=d["breakdown"]) or not other
        found.append(
            Contrast(
                breakdown=d["breakdown"] if here else str(other),
                compared=d["compared"],
                reference=d["reference"],
                within=d.get("within", ""),
                within_group=d.get("within_group", ""),
                id=d["id"] if "contrasts" in definition else "",
            )
        )
    return tuple(found)


def contrasts_of(standard: Standard, contrast: Contrast) -> list[str]:
    """The measures that a standard looks at for both groups of a pair."""
    found = [
        d["measure"]
        for d in standard._indicators
        if contrast.id in d.get("contrasts", (contrast.id,)) and not d.get("one_group")
    ]
    return list(dict.fromkeys(found))


def inclusion_settings() -> Mapping[str, Any]:
    """The content of ``standards.toml``."""
    return _definitions()


def standards_use() -> tuple[list[str], list[str]]:
    """All measures that the standards look at, and the breakdowns they look at them by."""
    measures, breakdowns = dict[str, None](), {OVERALL: None}
    for name in STANDARDS:
        d = _definitions()[name]
        measures |= {i["measure"]: None for i in d["indicators"]}
        for c in d.get("contrasts", [d]):
            breakdowns |= {c["breakdown"]: None, c.get("instead", c["breakdown"]): None}
    return list(measures), list(breakdowns)


def _measures(definition: Mapping[str, Any], year: int) -> list[str]:
    found = [
        d["measure"]
        for d in definition["indicators"]
        if d["first_year"] <= year <= d.get("last_year", year)
    ]
    return list(dict.fromkeys(found))


def _calculated(
    survey: Survey,
    definition: Mapping[str, Any],
    year: int,
    weight: str | None,
    level: float,
    rule: str | Rule,
) -> Estimates:
    """The standard's figures of respondents, by the breakdowns that they have."""
    survey = with_senior_band(survey)
    measures = _measures(definition, year)
    listed: Sequence[Mapping[str, str]] = definition.get("contrasts", [definition])
    made = []
    for within in dict.fromkeys(d.get("within", "") for d in listed):
        by = [d["breakdown"] for d in listed if d.get("within", "") == within]
        by += [] if within else definition["detailed"]
        held = [b for b in by if b != _definitions()["pay_band"]["column"]]
        held += [b for b in by if b not in held and b in survey.local_columns]
        made.append(
            calculate(
                survey, measures, by=held, within=within or None, weight=weight, level=level,
                rule=rule,
            )
        )  # fmt: skip
    return made[0] if len(made) == 1 else concat(made)


def _published(
    results: Estimates, year: int, definition: Mapping[str, Any], contrasts: Sequence[Contrast]
) -> Estimates:
    """The rows of some results that a standard is made of."""
    frame = results._frame
    measures = _measures(definition, year)
    places = np.zeros(len(frame), dtype=bool)
    for c in contrasts:
        part = frame["within"].eq(c.within) & frame["within_group"].eq(c.within_group)
        groups = frame["group"].isin([c.compared]) if c.reference == REST else frame["group"].ne("")
        part &= frame["breakdown"].eq(OVERALL) | (frame["breakdown"].eq(c.breakdown) & groups)
        places |= part.to_numpy(dtype=bool)
    places |= (frame["breakdown"].isin(definition["detailed"]) & frame["within"].eq("")).to_numpy()
    keep = places & (
        frame["year"].eq(year)
        & frame["measure"].isin(measures)
        & frame["answer"].eq("")
        & frame["statistic"].isin(("percent", "score"))
        & frame["reference"].eq("")
    ).to_numpy(dtype=bool)
    if not keep.any():
        raise MeasureError(
            f"{definition['title']}: these results hold none of its indicators for {year}. Try: "
            "give the respondents, or results calculated or published by the groups it compares."
        )
    return results._rows(keep)


def _england(year: int) -> Estimates | None:
    from culture_analytics.errors import PublishedError
    from culture_analytics.read.published.england import load_england

    try:
        return load_england(year)
    except PublishedError:
        return None


def _beside(
    rows: pd.DataFrame, table: pd.DataFrame, side: str, name: str, columns: list[str]
) -> pd.DataFrame:
    """Columns of one side put beside the rows, each named after it.

    `side` is ``"compared"``, ``"reference"`` or ``"all"``: everyone together.
    """
    on = ["year", "org", "measure", "within", "within_group"]
    whole = table["breakdown"].eq(OVERALL)
    if side == "all":
        found = table.loc[whole, [*on, *columns]]
    else:
        found = table.loc[~whole, [*on, "breakdown", "group", *columns]]
        found = found.rename(columns={"group": side})
        on += ["breakdown", side]
    found = found.drop_duplicates(on)
    return rows.merge(found.rename(columns={c: f"{name}_{c}" for c in columns}), on=on, how="left")


def _with_everyone_else(rows: pd.DataFrame) -> pd.DataFrame:
    """Everyone who is not in the group: from the group and the gap, which are both shown."""
    rest = rows["reference"].eq(REST)
    if not rest.any():
        return rows
    return rows.assign(
        reference_value=rows["reference_value"].where(~rest, rows["compared_value"] - rows["gap"]),
        reference_base=rows["reference_base"].where(
            ~rest, (rows["all_base"] - rows["compared_base"]).where(rows["gap"].notna())
        ),
    )


def _worse_for(rows: pd.DataFrame) -> Any:
    """The group that does worse: has more of what is bad, or less of what is good."""
    more = rows["gap"].to_numpy(dtype=float) > 0
    bad = rows["better"].eq("lower").to_numpy(dtype=bool)
    return np.where(more == bad, rows["compared"], rows["_against"])


def _guidance(rows: pd.DataFrame) -> Any:
    """Whether the ratio lies in the range of the four-fifths rule; never of a handful of people."""
    given = _definitions()["guidance"]
    ratio = rows["ratio"].to_numpy(dtype=float)
    inside = (ratio >= given["low"]) & (ratio <= given["high"])
    span = f"{given['low']:.2f}-{given['high']:.2f} (guidance)"
    return np.select(
        [np.isnan(ratio), rows["_few"].to_numpy(dtype=bool), inside],
        ["", TOO_FEW, f"inside {span}"],
        f"outside {span}",
    )


def guidance_range() -> tuple[float, float, str]:
    """Ends of the range of the four-fifths rule, and what it was made for."""
    given = _definitions()["guidance"]
    return float(given["low"]), float(given["high"]), str(given["label"])


def _why(row: Mapping[Any, Any], composite: set[str]) -> str:
    """Reasons for which an official figure and one here differ."""
    reasons = _definitions()["reasons"]
    if not isinstance(row["status_official"], str) or np.isnan(row["value_official"]):
        by_hand = row["measure"] in composite
        return str(reasons["no_official"]) + (f"; {reasons['composite']}" if by_hand else "")
    if np.isnan(row["value"]):
        return str(reasons["no_ours"])
    if abs(row["difference"]) < ROUNDING:
        return str(reasons["rounding"])
    said = []
    if row["weighting"] != row["weighting_official"]:
        said.append(
            reasons["weighting"].format(official=row["weighting_official"], ours=row["weighting"])
        )
    if not np.isnan(row["base_official"]) and row["base_official"] != row["base"]:
        said.append(reasons["base"].format(official=row["base_official"], ours=row["base"]))
    return "; ".join(said) or str(reasons["unknown"])


@lru_cache(maxsize=1)
def _definitions() -> dict[str, Any]:
    with (DATA / "standards.toml").open("rb") as f:
        return tomllib.load(f)
