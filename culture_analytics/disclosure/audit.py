"""Protect everything that leaves together, then attack it and report.

`protect` takes the private rows of results, lines up every group in every table, hides what the
rule hides and what would give it away, and ends with the attack on what is left. `AuditReport` is
what a person reads and a program tests: which cells, how nearly, from which tables. It never holds
a hidden number, only how many values a number could have.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import escape
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.disclosure.families import base_families, linked_measures, unions
from culture_analytics.disclosure.leaks import Leaks, attack
from culture_analytics.disclosure.populations import UnitTree, link, populations
from culture_analytics.disclosure.structure import (
    BASE,
    NUMERATOR,
    Box,
    Counts,
    Protection,
    Structure,
)
from culture_analytics.disclosure.suppress import primary, suppress
from culture_analytics.errors import DisclosureError
from culture_analytics.instrument import Instrument

__all__ = ["AuditReport", "audit", "protect", "unit_tree"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Rows about people; the others (a group that was not asked) have no figure for anyone.
COUNTED = ("ok", "not_computable")
NOBODY = ("not_asked", "not_applicable")
AUDITED = ("percent", "score")
MEASURE = ["measure", "answer", "statistic", "weighting"]


@dataclass(frozen=True, eq=False, repr=False)
class AuditReport:
    """What an attack on a set of tables found.

    Parameters
    ----------
    protection
        The rule attacked.
    table
        One row for each leak: ``year, cell, measure, what, values, tables``. `values` is how many
        whole numbers the hidden figure could be, never which.
    cells
        Figures looked at.
    hidden_first, hidden_second
        Figures hidden for their own base, and to protect others.
    contained
        Hidden figures of which a shown larger group says as much by itself.
    tables
        The breakdowns linked.
    groups, sums
        Groups of respondents lined up, and sums between them.
    seconds
        Time taken.
    """

    protection: Protection
    table: pd.DataFrame
    cells: int
    hidden_first: int
    hidden_second: int
    contained: int
    tables: tuple[str, ...]
    groups: int
    sums: int
    seconds: float
    not_audited: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether nothing can be worked out more nearly than the rule allows."""
        return len(self.table) == 0

    @property
    def hidden(self) -> int:
        """Figures hidden, first or second."""
        return self.hidden_first + self.hidden_second

    @property
    def proved(self) -> float:
        """Share of the hidden figures that keep the rule's protection under attack, 0 to 1."""
        if not self.hidden:
            return 1.0
        leaking = self.table.drop_duplicates(["year", "cell", "measure"])
        return 1 - len(leaking) / self.hidden

    @property
    def shown(self) -> float:
        """Share of the figures that are shown, 0 to 1."""
        return 1 - self.hidden / self.cells if self.cells else 1.0

    def _sentences(self) -> list[str]:
        p = self.protection
        verdict = (
            "Nothing hidden can be worked out more nearly than the rule allows."
            if self.ok
            else f"{len(self.table):,} hidden figures can be worked out too nearly."
        )
        said = [
            verdict,
            f"{self.cells:,} figures of {self.groups:,} groups in {len(self.tables)} tables, tied "
            f"by {self.sums:,} sums: {self.hidden_first:,} hidden because their base is under "
            f"{p.base_under}, {self.hidden_second:,} to protect those; {self.shown:.1%} shown.",
            f"Proved for {self.proved:.1%} of the hidden figures: a base could have at least "
            f"{p.base_span} values, a numerator at least {p.numerator_span}, and never everyone.",
        ]
        if self.contained:
            said.append(
                f"{self.contained:,} hidden figures lie in a shown larger group that says as much "
                "by itself: at most one person of it, or everyone, gave the answer."
            )
        if self.not_audited:
            said.append("Not audited: " + ", ".join(self.not_audited) + ".")
        return said

    def __repr__(self) -> str:
        lines = [f"<AuditReport: {'ok' if self.ok else 'LEAKS'}>", *self._sentences()]
        if not self.ok:
            lines.append(self.table.head(20).to_string(index=False, max_colwidth=60))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        body = "".join(f"<p>{escape(s)}</p>" for s in self._sentences())
        table = "" if self.ok else self.table.to_html(index=False, border=0, classes="ca-table")
        return body + table


def audit(
    structure: Structure,
    counts: Counts,
    hidden: Mask,
    protection: Protection | None = None,
    *,
    exact: bool = False,
) -> AuditReport:
    """Attack a set of cells of which some are hidden.

    Parameters
    ----------
    structure, counts
        Cells, sums and true numbers.
    hidden
        What is hidden, (measures, cells).
    protection
        The rule; default base under 11.
    exact
        Bound crossings exactly instead of until wide enough.

    Raises
    ------
    DisclosureError
        The numbers do not add up: tables of different extracts, or a wrong hierarchy.

    Examples
    --------
    >>> s = Structure.one_way(["A", "B"], not_stated=False)
    >>> c = Counts.of(s, [40, 5, 35], [10, 2, 8])
    >>> audit(s, c, np.array([[False, True, False]])).ok
    False
    >>> audit(s, c, np.array([[False, True, True]])).ok
    True
    """
    protection = protection or Protection()
    begun = time.perf_counter()
    hidden = hidden & counts.known & ~structure.latent
    box, leaks = attack(structure, counts, hidden, protection, exact=exact)
    first = hidden & (np.nan_to_num(counts.base, nan=np.inf) < protection.base_under)
    return AuditReport(
        protection=protection,
        table=_leak_table(structure, counts, box, leaks, ""),
        cells=int((counts.known & ~structure.latent).sum()),
        hidden_first=int(first.sum()),
        hidden_second=int((hidden & ~first).sum()),
        contained=int(leaks.contained.sum()),
        tables=tuple(dict.fromkeys(t for ts in structure.tables for t in ts if t)),
        groups=int((~structure.latent).sum()),
        sums=len(structure.relations),
        seconds=time.perf_counter() - begun,
    )


_COLUMNS = ["year", "cell", "measure", "what", "values", "tables"]


def _leak_table(
    structure: Structure, counts: Counts, box: Box, leaks: Leaks, year: Any
) -> pd.DataFrame:
    rows = []
    for mask, what, which in (
        (leaks.base, "base", BASE),
        (leaks.numerator, "numerator", NUMERATOR),
        (leaks.everyone, "everyone gave the answer", NUMERATOR),
    ):
        values = box.span(which)
        for m, i in zip(*np.nonzero(mask), strict=True):
            near = {
                t
                for r in structure.of_cell[i]
                for j in structure.relations[r].cells
                for t in (structure.tables[j] if structure.tables else ())
                if t
            }
            rows.append(
                (year, structure.cells[i], counts.measures[m], what, int(values[m, i]),
                 ", ".join(sorted(near)))
            )  # fmt: skip
    return pd.DataFrame(rows, columns=_COLUMNS)


def protect(
    frame: pd.DataFrame,
    instrument: Instrument,
    *,
    protection: Protection | None = None,
    units: UnitTree | None = None,
) -> tuple[Mask, AuditReport]:
    """Which rows to hide, and the audit of what is left.

    Parameters
    ----------
    frame
        Private rows of everything that leaves together: the columns of the result schema with
        unprotected values and bases. Weighted rows need a column ``_numerator``, the unweighted
        count of those who gave the answer (for scores the sum of points).
    instrument
        The questionnaire: which groups lie in which, which measures belong together.
    protection
        The rule; default base under 11.
    units
        The unit hierarchy, ``{"team": ("directorate", {"Team 1": "Directorate A"})}``; see
        `unit_tree`.

    Returns
    -------
    hide
        True for rows to hide, first and second, in the order of `frame`.
    report
        The attack on the rest.

    Raises
    ------
    DisclosureError
        Bases were removed already, the tables contradict each other, or weighted rows have no
        unweighted counts.
    """
    protection = protection or Protection()
    begun = time.perf_counter()
    hide = np.zeros(len(frame), dtype=bool)
    status = frame["status"].to_numpy()
    if (status == "suppressed").any():
        raise DisclosureError(
            "Some of the results are protected already, so the whole cannot be protected or "
            "audited. Put together unprotected results of one extract."
        )
    about = (frame["source"].eq("extract") & frame["statistic"].isin(AUDITED)).to_numpy()
    about = about & np.isin(status, (*COUNTED, *NOBODY))
    left_out = tuple(
        sorted(set(frame.loc[~about & np.isin(status, COUNTED), "statistic"].astype(str)))
    )
    parts: list[AuditReport] = []
    for year in sorted(pd.unique(frame.loc[about, "year"])):
        rows = np.flatnonzero(about & (frame["year"] == year).to_numpy())
        hidden, report = _protect_year(frame.iloc[rows], instrument, protection, units, year)
        hide[rows] = hidden
        parts.append(report)
    return hide, _together(parts, protection, time.perf_counter() - begun, left_out)


def _together(
    parts: list[AuditReport], protection: Protection, seconds: float, left_out: tuple[str, ...]
) -> AuditReport:
    tables = [p.table for p in parts if len(p.table)]
    return AuditReport(
        protection=protection,
        table=pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=_COLUMNS),
        cells=sum(p.cells for p in parts),
        hidden_first=sum(p.hidden_first for p in parts),
        hidden_second=sum(p.hidden_second for p in parts),
        contained=sum(p.contained for p in parts),
        tables=tuple(dict.fromkeys(t for p in parts for t in p.tables)),
        groups=sum(p.groups for p in parts),
        sums=sum(p.sums for p in parts),
        seconds=seconds,
        not_audited=left_out,
    )


def _protect_year(
    frame: pd.DataFrame,
    instrument: Instrument,
    protection: Protection,
    units: UnitTree | None,
    year: int,
) -> tuple[Mask, AuditReport]:
    of_row, groups, names, tables = populations(frame, instrument, units)
    measure, keys = pd.factorize(pd.MultiIndex.from_frame(frame[MEASURE].astype(str)))
    shape = (len(keys), len(groups))
    base, numerator = np.full(shape, np.nan), np.full(shape, np.nan)
    nobody = np.isin(frame["status"].to_numpy(), NOBODY)
    base[measure, of_row] = np.where(nobody, 0.0, frame["base"].to_numpy(dtype=float))
    numerator[measure, of_row] = np.where(nobody, 0.0, _numerators(frame))
    fixed = np.zeros(shape, dtype=bool)
    fixed[measure, of_row] = nobody
    structure, all_bases = link(groups, names, tables, instrument, base)
    extra = all_bases.shape[1] - len(groups)

    def widened(array: NDArray[Any], fill: Any) -> NDArray[Any]:
        return np.concatenate([array, np.full((len(keys), extra), fill)], axis=1)

    counts = Counts(
        widened(base, np.nan),
        widened(numerator, np.nan),
        tuple(" ".join(filter(None, k[:2])) for k in keys),
        np.array([k[2] == "percent" for k in keys]),
        unions([(k[0], k[1]) for k in keys], instrument),
    )
    fixed = widened(fixed, False)
    hidden, first = _pattern(structure, counts, instrument, protection, fixed, list(keys))
    box, leaks = attack(structure, counts, hidden, protection)
    of_primary = hidden & first
    visible = counts.known & ~fixed
    report = AuditReport(
        protection=protection,
        table=_leak_table(structure, counts, box, leaks, year),
        cells=int(visible.sum()),
        hidden_first=int(of_primary.sum()),
        hidden_second=int((hidden & ~first).sum()),
        contained=int(leaks.contained.sum()),
        tables=tuple(dict.fromkeys(t for t in tables if t)),
        groups=len(groups),
        sums=len(structure.relations),
        seconds=0.0,
    )
    return hidden[measure, of_row], report


def _numerators(frame: pd.DataFrame) -> Floats:
    """People who gave the answer; for scores the sum of points over ten."""
    base = frame["base"].to_numpy(dtype=float)
    score = frame["statistic"].eq("score").to_numpy()
    if "_numerator" in frame.columns:
        private = frame["_numerator"].to_numpy(dtype=float)
        return np.asarray(np.nan_to_num(np.where(score, private / 10, private)), dtype=float)
    if not frame["weighting"].eq("unweighted").all():
        raise DisclosureError(
            "Weighted results are audited on their unweighted counts, which these do not hold "
            "(private column '_numerator')."
        )
    share = frame["value"].to_numpy(dtype=float) / np.where(score, 10.0, 100.0)
    found = np.nan_to_num(share * base)
    whole = np.round(found)
    return np.asarray(np.where(score, found, whole), dtype=float)


def _pattern(
    structure: Structure,
    counts: Counts,
    instrument: Instrument,
    protection: Protection,
    fixed: Mask,
    keys: list[tuple[str, ...]],
) -> tuple[Mask, Mask]:
    """Hidden cells, and which of them for a base of their own family under the limit."""
    names = [(k[0], k[1]) for k in keys]
    families = base_families(names, instrument)
    real = replace(counts, base=np.where(fixed, np.nan, counts.base))
    first = primary(structure, real, protection, families)
    hidden = first.copy()
    bases_only = replace(protection, numerator_span=0)
    # The pattern of the items asked of everyone holds in the families asked of some, too.
    common = np.flatnonzero(families == 0)
    if len(common):
        chosen = suppress(
            structure, counts.measures_of(common), bases_only, hidden=hidden[common],
            fixed=fixed[common],
        )  # fmt: skip
        hidden[common] = chosen
        hidden |= chosen.any(axis=0) & real.known
    rest = np.flatnonzero(families != 0)
    if len(rest):
        hidden[rest] = suppress(
            structure, counts.measures_of(rest), bases_only, hidden=hidden[rest],
            together=families[rest], fixed=fixed[rest],
        )  # fmt: skip
    linked = linked_measures(names, instrument)
    hidden = suppress(structure, counts, protection, hidden=hidden, together=linked, fixed=fixed)
    return hidden & ~fixed, first


def unit_tree(units: tuple[str, ...], responses: pd.DataFrame) -> UnitTree:
    """The hierarchy of a Survey's unit columns: ``unit_tree(survey.units, survey.responses)``."""
    tree: dict[str, tuple[str, Mapping[str, str]]] = {}
    for above, below in pairwise(units):
        pairs = responses[[above, below]].dropna().drop_duplicates().astype(str)
        tree[below] = (above, dict(zip(pairs[below], pairs[above], strict=True)))
    return tree
