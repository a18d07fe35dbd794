"""What notebooks show of equality standards: WRES, WDES, EDI plan, medical staff, leaders.

Like `culture_analytics.output.show`, whose names these are too: each gives a picture, a table or
a plain sentence, and says why where the data cannot answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from culture_analytics.adjusted import NO_CAUSE, AdjustedGap
from culture_analytics.compare.groups import CLEAR, NOT_TESTED, TOO_FEW
from culture_analytics.disclosure.release import Release
from culture_analytics.disclosure.rules import SYMBOLS
from culture_analytics.errors import MeasureError
from culture_analytics.estimates import Estimates, concat
from culture_analytics.inclusion_leaving import (
    ADJUSTED,
    OFFICIAL,
    allowed_for,
    figures_of,
    gaps_topic,
)
from culture_analytics.instrument import load_instrument
from culture_analytics.output import show
from culture_analytics.output.blocks import Block, Sentence, Several, Table, says_embargo
from culture_analytics.output.show_trends import _signed
from culture_analytics.standards import (
    EVERYONE_ELSE,
    OVERALL,
    Contrast,
    Standard,
    contrasts_of,
    guidance_range,
    inclusion_settings,
    standard_of,
)

__all__ = [
    "adjusted",
    "detailed",
    "edi",
    "elsewhere",
    "gap_chart",
    "gap_years",
    "leaders",
    "medical",
    "ratio_chart",
    "reconcile",
    "standard_table",
    "wdes",
    "wres",
]

Row = dict[str, Any]

# What one row of a standard is called.
ROWS = {"wres": "Indicator", "wdes": "Metric", "medical": "Indicator"}
GAP_MARK = "[g]"  # of a figure with a clear gap
ENGLAND = "ENG"
ONE_YEAR = (
    "Only one year with figures is held here, so nothing can be said about change. Give extracts "
    "of several years to see it."
)
ONE_BY_ONE = (
    "Each gap is judged by itself here. The standard's table allows for how many gaps were looked "
    "at, so that it may call a gap not clear that is clear here."
)
CANNOT = {
    "wres": "These results are not divided by ethnicity, so the WRES indicators cannot be shown. "
    "An extract, or England's official workbook, can.",
    "wdes": "These results are not divided by long-term condition, so the WDES metrics cannot be "
    "shown. An extract, or England's official workbook, can.",
    "edi": "These results are not divided by ethnicity, long-term condition or recruitment from "
    "abroad, so the measures of the improvement plan cannot be shown.",
    "medical": "Medical and dental staff by ethnic group are not in these results. An extract with "
    "occupation and ethnicity has them.",
    "leaders": "These results do not tell general managers or pay bands apart.",
}
NOT_ADJUSTED = (
    "Whether gaps go with the job mix can only be worked out from an extract: published results do "
    "not say who is in which job in each group."
)


@says_embargo
def wres(release: Release) -> Block | Several:
    """Table of WRES indicators 5 to 8: both groups, gap, ratio, England, and what can be said.

    Parameters
    ----------
    release
        The protected tables.
    """
    return standard_table(release, "wres")


@says_embargo
def wdes(release: Release) -> Block | Several:
    """Table of WDES metrics 4a to 9a, as `wres`.

    Parameters
    ----------
    release
        The protected tables.
    """
    return standard_table(release, "wdes")


@says_embargo
def edi(release: Release) -> Block | Several:
    """Table of the EDI improvement plan's survey measures, a part for each pair of groups.

    Parameters
    ----------
    release
        The protected tables.
    """
    return standard_table(release, "edi")


@says_embargo
def medical(release: Release) -> Block | Several:
    """Table of WRES indicators 5 to 8 among medical and dental staff.

    Parameters
    ----------
    release
        The protected tables.
    """
    return standard_table(release, "medical")


@says_embargo
def leaders(release: Release) -> Block | Several:
    """Table of general managers beside everyone else, and of band 8a and above where known.

    Parameters
    ----------
    release
        The protected tables.
    """
    return standard_table(release, "leaders")


# -- one standard -------------------------------------------------------------------------------


def standard_of_release(
    release: Release, name: str, *, year: int | None = None
) -> Standard | Sentence:
    """A standard as the release holds it, of its latest year with a figure; or why it cannot be.

    Parameters
    ----------
    release
        The protected tables.
    name
        ``"wres"``, ``"wdes"``, ``"edi"``, ``"medical"`` or ``"leaders"``.
    year
        Survey year.
    """
    figures = figures_of(name, {t: release[t] for t in release.topics})
    if figures is None:
        return show._cannot(CANNOT[name])
    org = release.about["org"]
    own = figures.select(org=org) if figures._has(org=org) else figures
    gaps = None
    if gaps_topic(name) in release.topics:
        made = release[gaps_topic(name)]
        gaps = made.select(org=org) if made._has(org=org) else made
    for chosen in [year] if year else sorted(map(int, own.unique("year")), reverse=True):
        try:
            found = standard_of(name, own, gaps, year=chosen, england=_england(release, chosen))
        except MeasureError:
            continue
        if found.table[["compared_value", "reference_value"]].notna().any(axis=None):
            return found
        if found.table["compared_status"].eq("suppressed").any():
            return show._cannot(
                f"{found.title}: no figure can be shown. "
                f"{show._capital(show.STATUS_WORDS['suppressed'])}."
            )
    return show._cannot(CANNOT[name])


def _england(release: Release, year: int) -> Estimates | None:
    """England's figures: of the workbook given; otherwise `standard_of` takes the package's."""
    if OFFICIAL not in release.topics or not release[OFFICIAL]._has(org=ENGLAND, year=year):
        return None
    return release[OFFICIAL].select(org=ENGLAND, year=year)


@says_embargo
def standard_table(release: Release, name: str) -> Block | Several:
    """Table of a standard: both groups side by side, gap, ratio, England, and what can be said.

    Parameters
    ----------
    release
        The protected tables.
    name
        ``"wres"``, ``"wdes"``, ``"edi"``, ``"medical"`` or ``"leaders"``.
    """
    found = standard_of_release(release, name)
    if isinstance(found, Sentence):
        return found
    table = found.table
    abroad = release.about["org"] != ENGLAND and table["england_compared"].notna().any()
    tables = []
    for contrast in found.contrasts:
        part = _part(table, contrast)
        part = part[part["measure"].isin(_worth_a_row(found))]
        either = part[["compared_value", "reference_value"]].notna().any(axis=None)
        if either or len(found.contrasts) == 1:
            tables.append(_one_table(release, found, contrast, part, england=bool(abroad)))
    *earlier, last = tables
    notes = [*last.notes, _sides_note(found), found.note, guidance_range()[2]]
    notes += _weighting_note(found)
    missing = [d["id"] for d in found._indicators if not found.figures._has(measure=d["measure"])]
    if missing:
        notes.append(f"Not in these results: {', '.join(missing)}.")
        notes += [n for n in found.notes if "cannot be added" in n]
    closed = Table(last.caption, last.heads, last.sections, _once(notes), last.words)
    return closed if not earlier else Several([*earlier, closed])


def _worth_a_row(found: Standard) -> list[str]:
    """Measures that are held, and those of which a note says why they are not."""
    held = found.figures.unique("measure")
    return [d["measure"] for d in found._indicators
            if d["measure"] in held or d.get("composite")]  # fmt: skip


def _part(table: pd.DataFrame, contrast: Contrast) -> pd.DataFrame:
    return table[
        table["breakdown"].eq(contrast.breakdown) & table["compared"].eq(contrast.compared)
    ]


def _one_table(
    release: Release, found: Standard, contrast: Contrast, part: pd.DataFrame, *, england: bool
) -> Table:
    heads = [_one_of(found), f"{contrast.compared}\nanswers", f"{contrast.against}\nanswers",
             f"All: {contrast.within_group}" if contrast.within else "All staff",
             "Gap, points\n95% interval", "Ratio\n95% interval",
             "What can be said"]  # fmt: skip
    heads += ["England: the same two groups"] if england else []
    rows = []
    for r in show._rows(part):
        everyone = "" if np.isnan(r["all_value"]) else _figure(r["all_value"], r["unit"])
        # Indicators without an official number go by their names alone.
        own = r["name"] if found.id == "leaders" else f"{r['indicator']}: {r['name']}"
        cells = [own, *_sides(r), everyone, gap_text(r),
                 _ratio_text(r), _said(r, rounded=found.figures.rule.rounds)]  # fmt: skip
        rows.append(cells + ([_pair_text(r)] if england else []))
    split = f", by {show._lower(_split_name(contrast))}" if len(found.contrasts) > 1 else ""
    statuses = [*part["compared_status"].dropna(), *part["status"].dropna()]
    seen = {cell for row in rows for cell in row}
    legend = [{"status": s, "unit": "percent", "method": ""} for s in dict.fromkeys(statuses)
              if SYMBOLS.get(s) in seen]  # fmt: skip
    legend += [{"status": "ok", "unit": u, "method": m} for u in pd.unique(part["unit"])
               for m in pd.unique(found.figures._protected["method"])]  # fmt: skip
    return Table(
        f"{found.title}{split}, {release.about['org_name']}, survey of {found.year}",
        heads, [("", rows)],
        notes=[*show._legend(release, legend), *_judged(part), *_outside(found, part)],
        words=(0, 6),
    )  # fmt: skip


def _one_of(found: Standard) -> str:
    """What the standard calls one row: the WRES has indicators, the WDES metrics."""
    return ROWS.get(found.id, "Measure")


def _split_name(contrast: Contrast) -> str:
    known = load_instrument().breakdowns
    if contrast.breakdown in known:
        return known[contrast.breakdown].label
    return str(inclusion_settings()["pay_band"]["label"])


def _sides(row: Row) -> list[str]:
    cells = []
    for side in ("compared", "reference"):
        value, base = row[f"{side}_value"], row[f"{side}_base"]
        if np.isnan(value):
            status = str(row[f"{side}_status"])
            of_nobody = side == "reference" and row["reference"] in ("", EVERYONE_ELSE)
            hidden = status == "suppressed" or row["status"] == "suppressed"
            symbol = SYMBOLS["suppressed" if hidden else "unavailable"]
            cells.append("" if of_nobody else SYMBOLS.get(status) or symbol)
        else:
            answers = "" if np.isnan(base) else f"\n{base:,.0f}"
            cells.append(f"{_figure(value, row['unit'])}{answers}")
    return cells


def _figure(value: float, unit: str) -> str:
    return f"{value:.2f}" if unit == "score" else f"{value:.1f}%"


def gap_text(row: Row) -> str:
    """A gap with its interval beneath, with signs."""
    if np.isnan(row["gap"]):
        return ""
    digits = 2 if row["unit"] == "score" else 1
    text = f"{row['gap']:+.{digits}f}"
    if np.isnan(row["gap_lower"]):
        return text
    return f"{text}\n{row['gap_lower']:+.{digits}f} to {row['gap_upper']:+.{digits}f}"


def _ratio_text(row: Row) -> str:
    if np.isnan(row["ratio"]):
        return ""
    lower = "0" if np.isnan(row["ratio_lower"]) else f"{row['ratio_lower']:.2f}"
    if np.isnan(row["ratio_upper"]):
        span = f"{lower} or more"
    else:
        span = f"{lower} to {row['ratio_upper']:.2f}"
    return f"{row['ratio']:.2f}\n{span}"


def rarity(p: float) -> str:
    """How often a gap of this size would arise by chance alone, in words."""
    if np.isnan(p):
        return ""
    for least, words in ((0.001, "under 1 in 1,000"), (0.01, "under 1 in 100"),
                         (0.05, "under 1 in 20")):  # fmt: skip
        if p < least:
            return words
    return "not rare"


def _said(row: Row, *, rounded: bool = False) -> str:
    if row["verdict"] == CLEAR:
        whom = "first" if row["worse_for"] == row["compared"] else "second"
        return f"A clear gap ({rarity(row['p_adjusted'])}), worse for the {whom} group"
    if row["verdict"] == NOT_TESTED:
        return "Not tested: how much the scores vary is not published"
    if not row["reference"]:
        return "Of this group alone"
    if rounded and not row["verdict"] and not np.isnan(row["compared_value"]):
        return "Not compared: figures are rounded to protect people"
    if not row["verdict"] and not np.isnan(row["compared_value"] + row["all_value"]):
        return "Not compared: no figure of the other group on the same weights"
    return show._capital(str(row["verdict"]))


def _pair_text(row: Row) -> str:
    values = [row["england_compared"], row["england_reference"]]
    return " / ".join(_figure(v, row["unit"]) for v in values if not np.isnan(v))


def _judged(part: pd.DataFrame) -> list[str]:
    """How the comparisons were judged together."""
    families = [str(f).rsplit(": ", 1)[-1] for f in part["family"] if f]
    if not families:
        return []
    few = (
        " 'Too few to judge': on one side fewer than ten people gave, or did not give, the answer."
    )
    many = "" if families[0].startswith("1 ") else f", allowing for the {families[0]} made here"
    return [
        "A clear gap: one of this size would be rare if there were none (in brackets how rare)"
        f"{many}. 'No clear difference' does not prove that "
        "there is none." + (few if part["verdict"].eq(TOO_FEW).any() else "")
    ]


def _outside(found: Standard, part: pd.DataFrame) -> list[str]:
    low, high, _ = guidance_range()
    column = "name" if found.id == "leaders" else "indicator"
    out = part.loc[part["guidance"].str.startswith("outside"), column].tolist()
    return [f"Ratio outside {low:.2f} to {high:.2f}: {'; '.join(out)}."] if out else []


def _sides_note(found: Standard) -> str:
    names = " or ".join(f"'{c.compared}'" for c in found.contrasts)
    return (
        f"Ratios stand so that above 1 is worse for {names}. Gaps are the first group's figure "
        "less the second's."
    )


def _weighting_note(found: Standard) -> list[str]:
    """Where everyone's figure rests on other weights than the groups'."""
    table = found.figures.table
    whole = table["breakdown"].eq(OVERALL)
    of_all, of_groups = set(table.loc[whole, "weighting"]), set(table.loc[~whole, "weighting"])
    if not of_all or not of_groups or of_all == of_groups:
        return []
    return [
        f"All staff are weighted by {' or '.join(sorted(of_all))}, the groups by "
        f"{' or '.join(sorted(of_groups))}: small differences between them mean nothing."
    ]


def _once(notes: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(n for n in notes if n))


# -- charts -------------------------------------------------------------------------------------


@says_embargo
def gap_chart(release: Release, name: str) -> Several:
    """Chart of a standard's two groups and their gaps, one for each pair of groups.

    Parameters
    ----------
    release
        The protected tables.
    name
        As for `standard_table`.
    """
    from culture_analytics import plots

    return _charts(release, name, plots.gaps)


@says_embargo
def ratio_chart(release: Release, name: str) -> Several:
    """Chart of a standard's ratios with the guidance range, one for each pair of groups.

    Parameters
    ----------
    release
        The protected tables.
    name
        As for `standard_table`.
    """
    from culture_analytics import plots

    return _charts(release, name, plots.ratios)


def _charts(release: Release, name: str, draw: Any) -> Several:
    found = standard_of_release(release, name)
    if isinstance(found, Sentence):
        return Several([found])
    if found.gaps is None:
        return Several([show._cannot(CANNOT[name])])
    blocks: list[Block] = []
    for contrast in found.contrasts:
        measures = contrasts_of(found, contrast)
        drawn = _of_pair(found, contrast, measures)
        if drawn is None:
            continue
        names = _drawn_names(found, contrast)
        try:
            blocks.append(show._picture(draw, drawn, names=names, title=found.title))
        except MeasureError:  # scores alone have no ratio, say
            continue
    return Several(blocks or [show._cannot(CANNOT[name])])


def _drawn_names(found: Standard, contrast: Contrast) -> dict[str, str]:
    """Measure to its name in charts: as in the table, number first."""
    return {d["measure"]: f"{d['id']}: {d['name']}" for d in found._indicators
            if contrast.id in d.get("contrasts", (contrast.id,))}  # fmt: skip


def _of_pair(found: Standard, contrast: Contrast, measures: Sequence[str]) -> Estimates | None:
    """Figures and comparisons of one pair of groups."""
    assert found.gaps is not None
    parts = []
    for estimates in (found.figures, found.gaps):
        frame = estimates._protected
        keep = frame["measure"].isin(list(measures)) & frame["year"].eq(found.year)
        keep &= frame["within"].eq(contrast.within) & frame["within_group"].eq(
            contrast.within_group
        )
        groups = frame["group"].isin((contrast.compared, contrast.reference))
        keep &= frame["breakdown"].eq(contrast.breakdown) & groups
        if not keep.any():
            return None
        parts.append(estimates._rows(keep.to_numpy(dtype=bool)))
    return concat(parts)


# -- beneath, over the years, beside official figures -------------------------------------------


@says_embargo
def detailed(release: Release, name: str = "wres") -> Block:
    """Table of the detailed groups, a column an indicator; clear gaps are marked.

    Parameters
    ----------
    release
        The protected tables.
    name
        As for `standard_table`.
    """
    found = standard_of_release(release, name)
    if isinstance(found, Sentence):
        return found
    groups, known = found.groups, load_instrument().breakdowns
    groups = groups[groups["within"].eq("") & groups["status"].ne("not_asked")]
    by = [b for b in found._definition["detailed"] if groups["breakdown"].eq(b).any()]
    if not by:
        return show._cannot("These results hold no more detailed groups.")
    shown_measures = [d for d in found._indicators if groups["measure"].eq(d["measure"]).any()]
    sections, references = [], []
    for breakdown in by:
        part = groups[groups["breakdown"].eq(breakdown)]
        rows = []
        for group, cells in part.groupby("group", sort=False):
            of = {r["measure"]: r for r in show._rows(cells)}
            bases = [r["base"] for r in of.values() if r["status"] == "ok"]
            rows.append(
                [str(group), *(_marked(of.get(d["measure"])) for d in shown_measures),
                 f"{min(bases):,.0f}" if bases else ""]
            )  # fmt: skip
        sections.append((known[breakdown].label, rows))
        reference = known[breakdown].reference
        references += [f"'{reference}' in {known[breakdown].label.lower()}"] if reference else []
    heads = ["Group", *(f"{d['id']}: {d['name']}" for d in shown_measures), "Answers (fewest)"]
    return Table(
        f"{found.title}: detailed groups, {release.about['org_name']}, survey of {found.year}",
        heads, sections,
        notes=_once([
            *show._legend(release, [{"status": s, "unit": "percent", "method": ""}
                                    for s in pd.unique(groups["status"])]),
            _gap_note(found, " and ".join(references)),
        ]),
    )  # fmt: skip


def _gap_note(found: Standard, references: str) -> str:
    if found.gaps is not None:
        return (
            f"{GAP_MARK} a clear gap from {references}, allowing for how many groups were "
            "compared. A group without the mark is not shown to be alike: small groups seldom show "
            "a clear gap."
        )
    rounded = found.figures.rule.rounds
    return "Groups are not compared: figures are rounded to protect people." if rounded else ""


def _marked(row: Row | None) -> str:
    if row is None:
        return ""
    mark = f"\u00a0{GAP_MARK}" if row.get("verdict") == CLEAR else ""
    return f"{show._value(row)}{mark}"


@says_embargo
def gap_years(release: Release, name: str) -> Block:
    """Table of a standard's gaps, a column a year.

    Parameters
    ----------
    release
        The protected tables.
    name
        As for `standard_table`.
    """
    latest = standard_of_release(release, name)
    if isinstance(latest, Sentence):
        return latest
    years = [y for y in release.years if y <= latest.year]
    by_year = {y: standard_of_release(release, name, year=y) for y in years}
    tables = {y: s.table for y, s in by_year.items() if isinstance(s, Standard)}
    tables = {y: t for y, t in tables.items() if t["gap"].notna().any()}
    if len(tables) < 2:
        return show._cannot(ONE_YEAR)
    sections = []
    for contrast in latest.contrasts:
        rows = []
        for r in show._rows(_part(latest.table, contrast)):
            if not r["reference"]:
                continue
            cells = []
            for table in tables.values():
                part = _part(table, contrast)
                same = show._rows(part[part["indicator"].eq(r["indicator"])])
                cells.append(gap_text(same[0]) if same else "")
            rows.append([f"{r['indicator']}: {r['name']}", *cells])
        title = "" if len(latest.contrasts) == 1 else f"{contrast.compared}, {contrast.against}"
        sections.append((title, rows))
    first = latest.contrasts[0]
    which = (
        f"'{first.compared}' less '{first.against}'" if len(latest.contrasts) == 1 else "by year"
    )
    return Table(
        f"{latest.title}: gaps, {which}, {release.about['org_name']}",
        [_one_of(latest), *map(str, tables)], sections,
        notes=["Points, with their 95% intervals beneath. Where the intervals of two years "
               "overlap, chance may explain the change between them."],
    )  # fmt: skip


@says_embargo
def reconcile(release: Release, name: str) -> Block:
    """Table of official published figures beside the ones here, and why they differ.

    Parameters
    ----------
    release
        The protected tables.
    name
        As for `standard_table`.
    """
    if release.about["kind"] == "published":
        return show._cannot("All figures here are published ones, so there is nothing to compare.")
    found = standard_of_release(release, name)
    if isinstance(found, Sentence):
        return found
    told = release[OFFICIAL] if OFFICIAL in release.topics else None
    held = [y for y in sorted(release.years, reverse=True)
            if told is not None and told._has(org=release.about["org"], year=y)]  # fmt: skip
    if told is None or not held:
        return show._cannot(
            "No official figures of this organisation are held here. Give the official results "
            "workbook that names it as published to set them beside these."
        )
    of_year = standard_of_release(release, name, year=held[0])
    if isinstance(of_year, Sentence):
        return of_year
    table = of_year.reconcile(told)
    known = table[table["official"].notna()]
    if known.empty:
        return show._cannot("The official file holds none of these indicators.")
    units = {m.id: m.unit for m in load_instrument().measures.values()}
    measures = {d["id"]: d["measure"] for d in of_year._indicators}
    rows = []
    for r in show._rows(known):
        unit = units[measures[r["indicator"]]]
        here = "" if np.isnan(r["ours"]) else _figure(r["ours"], unit)
        apart = "" if np.isnan(r["difference"]) else _signed(float(r["difference"]), 2)
        rows.append(
            [
                f"{r['indicator']}: {r['name']}",
                str(r["group"]),
                _figure(r["official"], unit),
                here,
                apart,
                show._capital(r["why"]),
            ]
        )
    left = table[table["official"].isna() & table["ours"].notna()]
    notes = [f"{len(left)} more figures here have no official one in the file given."] * bool(
        len(left)
    )
    return Table(
        f"{of_year.title}: official and calculated here, {release.about['org_name']}, "
        f"{of_year.year}",
        [_one_of(of_year), "Group", "Official", "Here", "Difference", "Why"], [("", rows)],
        notes=notes, words=(0, 1, 5),
    )  # fmt: skip


@says_embargo
def elsewhere(release: Release, *names: str) -> Table:
    """Table of what the standards ask that does not come from the survey.

    Parameters
    ----------
    release
        The protected tables.
    *names
        Standards; default WRES, WDES and the EDI improvement plan.
    """
    sections = []
    for name in names or ("wres", "wdes", "edi"):
        d = inclusion_settings()[name]
        rows = [[e["id"], e["name"], show._capital(e["comes_from"])] for e in d["elsewhere"]]
        sections.append((d["title"], rows))
    return Table(
        f"Not from the survey, {release.about['org_name']}",
        ["Indicator or metric", "What it is", "Where it comes from"], sections, words=(0, 1, 2),
    )  # fmt: skip


# -- is it the job mix? -------------------------------------------------------------------------


@says_embargo
def adjusted(release: Release, name: str) -> Several:
    """Chart and sentences of a standard's gaps with the same mix of jobs in both groups.

    Parameters
    ----------
    release
        The protected tables.
    name
        ``"wres"`` or ``"wdes"``.
    """
    found = standard_of_release(release, name)
    if isinstance(found, Sentence):
        return Several([found])
    if release.about["kind"] == "published":
        return Several([show._cannot(NOT_ADJUSTED)])
    blocks: list[Block] = []
    for contrast in found.contrasts:
        blocks += _adjusted(release, found, contrast)
    if not blocks:
        return Several([_not_worked_out(found, found.contrasts[0], [])])
    return Several(blocks)


def _adjusted(release: Release, found: Standard, contrast: Contrast) -> list[Block]:
    if ADJUSTED not in release.topics or found.gaps is None:
        return []
    keys = {"breakdown": contrast.breakdown, "year": found.year,
            "measure": contrasts_of(found, contrast)}  # fmt: skip
    if not release[ADJUSTED]._has(**keys):
        return []
    made = release[ADJUSTED].select(**keys)
    pair = _of_pair(found, contrast, made.unique("measure"))
    if pair is None:
        return []
    both = concat([pair, made])
    told = made.table
    rows, blocks = [], list[Block]()
    lists = dict.fromkeys(m for m in told["method"] if m)
    names = _drawn_names(found, contrast)
    from culture_analytics import plots

    for method in lists:
        some = told.loc[told["method"].eq(method), "measure"].unique().tolist()
        drawn = both.select(measure=some)
        blocks.append(
            show._picture(
                plots.adjusted,
                drawn,
                allowing_for=list(allowed_for(method)),
                names=names,
                title=found.title,
            )
        )
    instrument = load_instrument()
    for d in found._indicators:
        if not made._has(measure=d["measure"]):
            continue
        method = next((m for m in told.loc[told["measure"].eq(d["measure"]), "method"] if m), "")
        one = AdjustedGap(
            both.select(measure=d["measure"]), instrument.measures[d["measure"]],
            contrast.breakdown, allowed_for(method), contrast.reference,
        )  # fmt: skip
        rows.append([d["id"], " ".join(one.sentences)])
    blocks.append(
        Table(
            f"Is it the job mix? {found.title}, {release.about['org_name']}, {found.year}",
            [_one_of(found), "In words"],
            [("", rows)],
            notes=[NO_CAUSE, ONE_BY_ONE],
            words=(0, 1),
        )
    )
    done = made.unique("measure")
    left = [m for m in contrasts_of(found, contrast) if m not in done]
    known = [
        d["id"]
        for d in found._indicators
        if d["measure"] in left and instrument.measures[d["measure"]].unit == "percent"
    ]
    if known:
        blocks.append(_not_worked_out(found, contrast, known))
    return blocks


def _not_worked_out(found: Standard, contrast: Contrast, ids: Sequence[str]) -> Sentence:
    which = f"{', '.join(ids)}: not" if ids else "Not"
    return show._cannot(
        f"{which} worked out with the same job mix. That needs 50 answers in each group, ten "
        "people of the rarer answer for everything allowed for, and groups that share jobs."
    )
