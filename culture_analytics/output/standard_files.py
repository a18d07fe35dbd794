"""`write_standard`: one equality standard as csv files and a workbook, of a protected release."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from culture_analytics.disclosure.release import Release
from culture_analytics.disclosure.rules import SYMBOLS
from culture_analytics.errors import MeasureError, ReportError
from culture_analytics.files import replacing_folder
from culture_analytics.inclusion_leaving import ADJUSTED, OFFICIAL, allowed_for
from culture_analytics.instrument import load_instrument
from culture_analytics.output.blocks import Sentence
from culture_analytics.output.show import STATUS_WORDS
from culture_analytics.output.show_standards import standard_of_release
from culture_analytics.standards import OVERALL, Standard, contrasts_of, guidance_range

__all__ = ["write_standard"]

CREATED = datetime(2000, 1, 1)  # the same data give the same file
WIDEST = 60  # characters of a column
DIGITS = 2

# Headings of the workbook; other columns are named as in the csv.
HEADINGS = {
    "compared": "Group compared", "compared_value": "Its figure", "compared_lower": "Lower limit",
    "compared_upper": "Upper limit", "compared_base": "Answers", "reference": "Compared with",
    "reference_value": "Figure of those", "reference_lower": "Lower limit of those",
    "reference_upper": "Upper limit of those", "reference_base": "Answers of those",
    "all_value": "All staff", "all_base": "Answers of all staff", "gap": "Gap (points)",
    "gap_lower": "Gap, lower limit", "gap_upper": "Gap, upper limit", "ratio": "Ratio",
    "ratio_lower": "Ratio, lower limit", "ratio_upper": "Ratio, upper limit",
    "ratio_of": "Ratio of", "p_adjusted": "Chance of such a gap if there were none",
    "worse_for": "Worse for", "guidance": "Guidance range",
    "england_compared": "England, group compared", "england_reference": "England, compared with",
    "england_gap": "England, gap", "england_all": "England, all staff", "value": "Figure",
    "lower": "Lower limit", "upper": "Upper limit", "base": "Answers",
    "base_official": "Official answers", "why": "Why they differ", "ours": "Here",
    "weighting_official": "Official weighting", "weighting": "Weighting here",
    "comes_from": "Where it comes from", "adjusted_gap": "Gap with the same mix (points)",
    "adjusted_lower": "Its lower limit", "adjusted_upper": "Its upper limit",
    "allowing_for": "Allowing for", "breakdown": "Split by", "within_group": "Among",
    "status": "State",
}  # fmt: skip
# Columns of the workbook's first sheet; the csv has all.
FIRST = (
    "indicator", "name", "compared", "compared_value", "compared_lower", "compared_upper",
    "compared_base", "reference", "reference_value", "reference_lower", "reference_upper",
    "reference_base", "all_value", "all_base", "gap", "gap_lower", "gap_upper", "ratio",
    "ratio_lower", "ratio_upper", "ratio_of", "p_adjusted", "verdict", "worse_for", "guidance",
    "england_compared", "england_reference", "england_gap", "status",
)  # fmt: skip


def write_standard(release: Release, name: str, folder: str | Path) -> tuple[Path, ...]:
    """Write one equality standard, as it was protected together with the rest of the release.

    Parameters
    ----------
    release
        The protected tables.
    name
        ``"wres"``, ``"wdes"``, ``"edi"``, ``"medical"`` or ``"leaders"``.
    folder
        Where to write; made if it is not there. Files of other names in it are left alone.

    Returns
    -------
    tuple of Path
        ``NAME.xlsx`` (a sheet each for indicators, groups, job mix, official figures, what is not
        from the survey, and notes), ``NAME.csv`` (indicators) and ``NAME_groups.csv``.

    Raises
    ------
    ReportError
        The release holds nothing of the standard, or the files cannot be written: nothing is.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> release = ca.open_release("sample", year=2024)
    >>> [p.name for p in write_standard(release, "wres", "out")]  # doctest: +SKIP
    ['wres.xlsx', 'wres.csv', 'wres_groups.csv']
    """
    found = standard_of_release(release, name)
    if isinstance(found, Sentence):
        raise ReportError(found.text)
    names = (f"{name}.xlsx", f"{name}.csv", f"{name}_groups.csv")
    target = Path(folder)
    with replacing_folder(target) as stage:
        _write_workbook(stage / names[0], release, found)
        for file, table in zip(names[1:], (found.table, found.groups), strict=True):
            _marked(table, release).to_csv(
                stage / file, index=False, encoding="utf-8-sig", lineterminator="\r\n"
            )
    return tuple(target / n for n in names)


def _marked(table: pd.DataFrame, release: Release) -> pd.DataFrame:
    """With what may be done with it in every row."""
    marked = table.assign(organisation=release.about["org_name"], protection=release.banner)
    if release.about.get("synthetic"):
        marked = marked.assign(synthetic="SYNTHETIC DATA")
    return marked


def _sheets(release: Release, found: Standard) -> dict[str, pd.DataFrame]:
    table = found.table
    sheets = {
        "Indicators": table[[c for c in FIRST if c in table.columns]],
        "Groups": _groups(found),
    }
    mix = _job_mix(release, found)
    if len(mix):
        sheets["Job mix"] = mix
    official = _official(release, found)
    if len(official):
        sheets["Official and here"] = official
    sheets["Not from the survey"] = found.elsewhere.drop(columns="status")
    return sheets


def _groups(found: Standard) -> pd.DataFrame:
    """Every group, with the breakdowns' names for people."""
    known = load_instrument().breakdowns
    names = {b: known[b].label if b in known else b.replace("_", " ") for b in
             found.groups["breakdown"].unique()} | {OVERALL: ""}  # fmt: skip
    table = found.groups.drop(columns=["year", "org", "measure", "within", "unit"])
    table = table.assign(breakdown=table["breakdown"].map(names))
    return table if table["within_group"].ne("").any() else table.drop(columns="within_group")


def _job_mix(release: Release, found: Standard) -> pd.DataFrame:
    if ADJUSTED not in release.topics:
        return pd.DataFrame()
    table = release[ADJUSTED].table
    table = table[table["statistic"].eq("adjusted_difference") & table["year"].eq(found.year)]
    rows = []
    for contrast in found.contrasts:
        measures = contrasts_of(found, contrast)
        part = table[table["breakdown"].eq(contrast.breakdown) & table["measure"].isin(measures)]
        by = part.set_index("measure")
        for d in found._indicators:
            if d["measure"] not in by.index:
                continue
            row = by.loc[d["measure"]]
            rows.append(
                {
                    "indicator": d["id"], "name": d["name"], "compared": row["group"],
                    "reference": row["reference"], "adjusted_gap": row["value"],
                    "adjusted_lower": row["lower"], "adjusted_upper": row["upper"],
                    "allowing_for": ", ".join(allowed_for(row["method"])), "status": row["status"],
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def _official(release: Release, found: Standard) -> pd.DataFrame:
    own = release.about["org"]
    if release.about["kind"] == "published" or OFFICIAL not in release.topics:
        return pd.DataFrame()
    if not release[OFFICIAL]._has(org=own, year=found.year):
        return pd.DataFrame()
    try:
        told = found.reconcile(release[OFFICIAL])
    except MeasureError:
        return pd.DataFrame()
    return told[told["official"].notna()].drop(columns=["year", "org", "breakdown"])


def _notes(release: Release, found: Standard) -> list[str]:
    said = [
        f"{found.title}. Survey of {found.year}; the standard of {found.year + 1} uses it.",
        *found.notes, *release.protection,
        "Figures are percentages, scores from 0 to 10. Limits are 95% intervals. A gap is the "
        "figure of the group compared less that of the other.",
        "A ratio above 1 is worse for the group compared; 'Ratio of' says which is divided by "
        "which.",
        guidance_range()[2],
    ]  # fmt: skip
    said += [f"{SYMBOLS[s]} {words}." for s, words in STATUS_WORDS.items()]
    return list(dict.fromkeys(said))


def _write_workbook(path: Path, release: Release, found: Standard) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"in_memory": True}) as book:
        book.set_properties({"title": found.title, "created": CREATED})
        head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        strong = book.add_format({"bold": True})
        figures = book.add_format({"num_format": f"0.{'0' * DIGITS}"})
        whole = book.add_format({"num_format": "#,##0"})
        small = book.add_format({"num_format": "0.0000"})
        lines = book.add_format({"text_wrap": True, "valign": "top"})
        mark = "SYNTHETIC DATA. " if release.about.get("synthetic") else ""
        title = f"{found.title}, {release.about['org_name']}, survey of {found.year}"
        for name, table in _sheets(release, found).items():
            sheet = book.add_worksheet(name)
            sheet.write_string(0, 0, title, strong)
            sheet.write_string(1, 0, f"{mark}{release.banner}.")
            for column, (key, values) in enumerate(table.items()):
                heading = HEADINGS.get(str(key), str(key).replace("_", " ").capitalize())
                sheet.write_string(3, column, heading, head)
                form = whole if "base" in str(key) else small if key == "p_adjusted" else figures
                for row, value in enumerate(values, start=4):
                    _write_cell(sheet, row, column, value, form)
                sheet.set_column(column, column, _width(heading, values))
            sheet.freeze_panes(4, 2)
            sheet.set_landscape()
            sheet.fit_to_pages(1, 0)
        notes = book.add_worksheet("Notes")
        notes.set_column(0, 0, 110)
        for row, note in enumerate([title, f"{mark}{release.banner}.", *_notes(release, found)]):
            notes.write_string(row, 0, note, strong if row == 0 else lines)


def _write_cell(sheet: object, row: int, column: int, value: object, form: object) -> None:
    """A number as a number, a text as a text and never as a formula; nothing for no figure."""
    if isinstance(value, float | np.floating | int | np.integer):
        if not np.isnan(value):
            sheet.write_number(row, column, float(value), form)  # type: ignore[attr-defined]
    elif isinstance(value, str):
        text = SYMBOLS[value] if value in SYMBOLS and value != "ok" else value
        sheet.write_string(row, column, text)  # type: ignore[attr-defined]


def _width(heading: str, values: Sequence[object] | pd.Series) -> float:
    texts = [len(v) for v in values if isinstance(v, str)]
    return min(max([10, len(heading) * 0.6, *texts]), WIDEST)
