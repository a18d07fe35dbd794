"""WRES and WDES indicators that the staff survey feeds: `wres_indicators` and `wdes_metrics`.

What each indicator is stands in ``instrument/data/standards.toml``. Both groups stand side by side,
with the gap, its ratio, a test and a plain verdict; detailed groups stand beneath, so that a split
in two hides nobody.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd

from culture_analytics.compare.groups import CLEAR, TOO_FEW, compare_groups, verdict
from culture_analytics.compare.sides import FEW
from culture_analytics.disclosure.rules import Rule
from culture_analytics.errors import MeasureError
from culture_analytics.estimate import calculate
from culture_analytics.estimates import Estimates, concat
from culture_analytics.instrument import load_instrument
from culture_analytics.instrument.loader import DATA
from culture_analytics.survey import Survey

__all__ = ["Standard", "wdes_metrics", "wres_indicators"]

OVERALL, EVERYONE = "overall", "All staff"
ROUNDING = 0.005  # official figures are shown to two decimals

_ROW = ["year", "org", "measure", "breakdown", "group"]
_FIGURE = ["value", "lower", "upper", "base", "status"]


@dataclass(frozen=True, eq=False, repr=False)
class Standard:
    """The survey's indicators of one equality standard, for the organisations of one survey year.

    Attributes
    ----------
    id, title, note
        ``"wres"`` or ``"wdes"``; its name; what to keep in mind of its groups.
    year
        Survey year; the standard of the year after uses it.
    figures
        Percentages and scores of everyone, of both groups and of the detailed groups.
    gaps
        Differences and ratios between groups, as `compare_groups` gives them: those of the two
        groups, and of the detailed ones with their own reference group. None where there are none.
    england
        England's published figures, or None.

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
        d = self._definition
        sides = {
            "compared": (d["breakdown"], d["compared"]),
            "reference": (d["breakdown"], d["reference"]),
            "all": (OVERALL, None),
        }
        rows = self._grid()
        for name, place in sides.items():
            rows = _beside(rows, self.figures.table, place, name, _FIGURE)
        rows = self._with_gaps(rows)
        for name, place in sides.items():
            rows = self._with_england(rows, name, place)
        rows["england_gap"] = rows["england_compared"] - rows["england_reference"]
        alone = rows["one_group"]
        status = rows["gap_status"].where(~alone, rows["compared_status"]).fillna("unavailable")
        rows = rows.assign(
            compared=d["compared"],
            reference=np.where(alone, "", d["reference"]),
            status=status,
            worse_for=np.where(rows["verdict"].eq(CLEAR), _worse_for(rows, d), ""),
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
            on = ["year", "measure", "breakdown", "group"]
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
        d = self._definition
        own = self._named(self.figures.table)
        both = own["breakdown"].eq(d["breakdown"])
        both &= own["group"].isin((d["compared"], d["reference"]))
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
        """A row for each organisation and indicator."""
        known = load_instrument().measures
        rows = [
            {
                "year": self.year, "org": org, "indicator": d["id"], "name": d["name"],
                "measure": d["measure"], "unit": known[d["measure"]].unit,
                "better": known[d["measure"]].better, "_ratio": d["ratio"],
                "one_group": bool(d.get("one_group")),
            }
            for org in self.figures.unique("org")
            for d in self._indicators
        ]  # fmt: skip
        return pd.DataFrame(rows)

    def _named(self, table: pd.DataFrame) -> pd.DataFrame:
        """Rows with the indicator they belong to, in the standard's order."""
        names = pd.DataFrame(
            [(d["id"], d["name"], d["measure"]) for d in self._indicators],
            columns=["indicator", "name", "measure"],
        )
        order = {d["measure"]: k for k, d in enumerate(self._indicators)}
        rows = table[table["measure"].isin(order)].merge(names, on="measure", how="left")
        places = rows["measure"].map(order).to_numpy()
        rows = rows.iloc[np.lexsort((np.arange(len(rows)), places, rows["org"].to_numpy(str)))]
        everyone = rows["breakdown"].eq(OVERALL)
        return rows.assign(group=rows["group"].where(~everyone, EVERYONE)).reset_index(drop=True)

    def _with_gaps(self, rows: pd.DataFrame) -> pd.DataFrame:
        d = self._definition
        blank = dict.fromkeys(
            ("gap", "gap_lower", "gap_upper", "ratio", "ratio_lower", "ratio_upper", "p_adjusted"),
            np.nan,
        )
        if self.gaps is None:
            words = {"verdict": "", "family": "", "ratio_of": "", "gap_status": None}
            return rows.assign(**blank, **words, _few=False)
        table = self.gaps.table.assign(verdict=verdict(self.gaps))
        place = (d["breakdown"], d["compared"])
        extra = ["value", "lower", "upper", "status", "p_adjusted", "family", "verdict", "method"]
        rows = _beside(rows, table[table["statistic"].eq("difference")], place, "gap", extra)
        ratios = table[table["statistic"].eq("ratio")]
        rows = _beside(rows, ratios, place, "ratio", ["value", "lower", "upper"])
        turned = rows["_ratio"].eq("reference").to_numpy(dtype=bool)
        with np.errstate(divide="ignore"):
            value, low, high = (rows[f"ratio_{c}"] for c in ("value", "lower", "upper"))
            # An upper limit that is not there, of a ratio that is, is without end.
            end = np.where(value.notna() & high.isna(), 0.0, 1 / high)
            ratio = np.where(turned, 1 / value, value)
            lower = np.where(turned, end, low)
            upper = np.where(turned, np.where(low > 0, 1 / low, np.nan), high)
        above = np.where(turned, d["reference"], d["compared"])
        below = np.where(turned, d["compared"], d["reference"])
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

    def _with_england(
        self, rows: pd.DataFrame, name: str, place: tuple[str, str | None]
    ) -> pd.DataFrame:
        column = f"england_{name}"
        if self.england is None:
            return rows.assign(**{column: np.nan})
        table = _at(self.england.table, place)[["year", "measure", "value"]]
        table = table.drop_duplicates(["year", "measure"])
        return rows.merge(
            table.rename(columns={"value": column}), on=["year", "measure"], how="left"
        )


_SUMMARY = (
    "year", "org", "indicator", "name", "measure", "unit", "better",
    "compared", "compared_value", "compared_lower", "compared_upper", "compared_base",
    "reference", "reference_value", "reference_lower", "reference_upper", "reference_base",
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
    measures = [
        d["measure"]
        for d in definition["indicators"]
        if d["first_year"] <= chosen <= d.get("last_year", chosen)
    ]
    breakdowns = [definition["breakdown"], *definition["detailed"]]
    if isinstance(data, Survey):
        figures = calculate(
            data.filter(year=chosen), measures, by=breakdowns, weight=weight, level=level, rule=rule
        )
    else:
        figures = _published(data, chosen, measures, breakdowns, definition["title"])
    return Standard(
        id=name,
        title=definition["title"],
        note=definition["note"],
        year=chosen,
        figures=figures,
        gaps=_gaps(figures, adjust),
        england=england if england is not None else _england(chosen),
        _definition=definition,
    )


def _published(
    results: Estimates, year: int, measures: list[str], breakdowns: list[str], title: str
) -> Estimates:
    """The rows of some results that a standard is made of."""
    frame = results._frame
    keep = (
        frame["year"].eq(year)
        & frame["measure"].isin(measures)
        & frame["breakdown"].isin([OVERALL, *breakdowns])
        & frame["answer"].eq("")
        & frame["within"].eq("")
        & frame["statistic"].isin(("percent", "score"))
        & frame["reference"].eq("")
    ).to_numpy(dtype=bool)
    if not keep.any():
        raise MeasureError(
            f"{title}: these results hold none of its indicators for {year}. Try: give the "
            "respondents, or results calculated or published by the groups it compares."
        )
    return results._rows(keep)


def _gaps(figures: Estimates, adjust: str) -> Estimates | None:
    try:
        return compare_groups(figures, statistic=["difference", "ratio"], adjust=adjust)
    except MeasureError:  # wholes only: published figures of organisations
        return None


def _england(year: int) -> Estimates | None:
    from culture_analytics.errors import PublishedError
    from culture_analytics.read.published.england import load_england

    try:
        return load_england(year)
    except PublishedError:
        return None


def _at(table: pd.DataFrame, place: tuple[str, str | None]) -> pd.DataFrame:
    breakdown, group = place
    keep = table["breakdown"].eq(breakdown)
    return table[keep if group is None else keep & table["group"].eq(group)]


def _beside(
    rows: pd.DataFrame,
    table: pd.DataFrame,
    place: tuple[str, str | None],
    name: str,
    columns: list[str],
) -> pd.DataFrame:
    """Columns of one group put beside the rows, each named after it."""
    on = ["year", "org", "measure"]
    found = _at(table, place)[[*on, *columns]].drop_duplicates(on)
    return rows.merge(found.rename(columns={c: f"{name}_{c}" for c in columns}), on=on, how="left")


def _worse_for(rows: pd.DataFrame, definition: Mapping[str, Any]) -> Any:
    """The group that does worse: has more of what is bad, or less of what is good."""
    more = rows["gap"].to_numpy(dtype=float) > 0
    bad = rows["better"].eq("lower").to_numpy(dtype=bool)
    return np.where(more == bad, definition["compared"], definition["reference"])


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
