"""Stress at work by domain of the HSE Management Standards: one item of the survey a domain.

A pointer to where the full indicator tool is worth using, no replacement of it. The survey sets no
cut-offs: a reading is given only from a file of one's own.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pandas as pd

from culture_analytics.diagnose.held import Held
from culture_analytics.errors import MeasureError
from culture_analytics.read.kept_table import read_kept_table

__all__ = ["STRESSORS", "load_cut_offs", "stressors"]

STRESSORS = ("domain", "measure", "label", "value", "lower", "upper", "base", "change",
             "change_lower", "change_upper", "change_p", "reading")  # fmt: skip
_CUT_OFFS = ("domain", "at_least", "reading")


def stressors(held: Held, *, cut_offs: str | Path | pd.DataFrame | None = None) -> pd.DataFrame:
    """A row a domain, with the percentage of favourable answers to its item.

    Parameters
    ----------
    held
        Figures.
    cut_offs
        A csv or toml file, or table, of your own: see `load_cut_offs`. Default: no readings.

    Returns
    -------
    DataFrame
        Columns `STRESSORS`; percentages 0-100, higher better, of everyone in the latest year, with
        the change since the year before.
    """
    bridge = held.model.bridge
    if bridge is None:
        return pd.DataFrame(columns=list(STRESSORS))
    limits = load_cut_offs(cut_offs, domains=list(bridge.domains)) if cut_offs is not None else None
    rows: list[dict[str, Any]] = []
    for domain, item in bridge.domains.items():
        one: dict[str, Any] = {
            "domain": domain.replace("_", " "),
            "measure": item,
            "label": held.name(item),
            "reading": "",
        }
        row, change = held.figure(item), held.change(item)
        if row is not None:
            one |= {k: row[k] for k in ("value", "lower", "upper", "base")}
            one["reading"] = _reading(float(row["value"]), domain, limits)
        if change is not None:
            one |= {"change": change["value"], "change_lower": change["lower"],
                    "change_upper": change["upper"], "change_p": change["p_adjusted"]}  # fmt: skip
        rows.append(one)
    return pd.DataFrame(rows, columns=list(STRESSORS))


def load_cut_offs(source: str | Path | pd.DataFrame, *, domains: list[str]) -> pd.DataFrame:
    """Cut-offs by domain from a file of one's own.

    Parameters
    ----------
    source
        A csv with columns ``domain, at_least, reading``; or a toml file with a table a domain, in
        which each reading has its least percentage (``[demands]``, ``"doing well" = 60``). A
        domain that is not in the file gets no reading.
    domains
        Ids of the model's domains.

    Returns
    -------
    DataFrame
        Columns ``domain, at_least, reading``; percentages 0-100.

    Raises
    ------
    MeasureError
        The file cannot be read, lacks a column, names an unknown domain, or holds a cut-off that is
        no percentage.
    """
    name = "the cut-offs" if isinstance(source, pd.DataFrame) else Path(source).name
    table = source if isinstance(source, pd.DataFrame) else _read(Path(source))
    lacking = [c for c in _CUT_OFFS if c not in table.columns]
    if lacking:
        raise MeasureError(
            f"{name}: no column {', '.join(lacking)}. A cut-off file has the columns "
            f"{', '.join(_CUT_OFFS)}, a row a reading."
        )
    table = table.loc[:, list(_CUT_OFFS)].copy()
    table["domain"] = table["domain"].astype(str).str.strip().str.lower().str.replace(" ", "_")
    unknown = sorted(set(table["domain"]) - set(domains))
    if unknown:
        raise MeasureError(
            f"{name}: {len(unknown)} unknown domain(s): {', '.join(unknown[:5])}. "
            f"There are: {', '.join(domains)}."
        )
    table["at_least"] = pd.to_numeric(table["at_least"], errors="coerce")
    wrong = int((~table["at_least"].between(0, 100)).sum())
    if wrong:
        raise MeasureError(
            f"{name}: {wrong} cut-off(s) in at_least are no percentage from 0 to 100."
        )
    return table


def _read(path: Path) -> pd.DataFrame:
    if path.suffix.lower() != ".toml":
        return read_kept_table(path, MeasureError)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        rows = [
            {"domain": domain, "at_least": least, "reading": reading}
            for domain, readings in raw.items()
            for reading, least in readings.items()
        ]
    except (OSError, UnicodeDecodeError, ValueError, AttributeError) as problem:
        raise MeasureError(
            f"The cut-offs {path.name} cannot be read as toml: {type(problem).__name__}."
        ) from None
    return pd.DataFrame(rows, columns=list(_CUT_OFFS))


def _reading(value: float, domain: str, limits: pd.DataFrame | None) -> str:
    if limits is None:
        return ""
    mine = limits[limits["domain"].eq(domain) & limits["at_least"].le(value)]
    if mine.empty:
        return ""
    return str(mine.sort_values("at_least")["reading"].iloc[-1])
