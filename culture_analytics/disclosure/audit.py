"""Protect everything that leaves together, then attack it and report.

`protect` takes the private rows of results, lines up every group in every table, hides what the
rule hides and what would give it away, and ends with the attack on what is left. `AuditReport` is
what a person reads and a program tests: which cells, how nearly, from which tables. It never holds
a hidden number, only how many values a number could have.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.disclosure.derived import alone, is_derived, orphans
from culture_analytics.disclosure.families import (
    base_families,
    distributions,
    gates,
    linked_measures,
    unions,
)
from culture_analytics.disclosure.leaks import Leaks, asked_at_most, attack
from culture_analytics.disclosure.populations import OVERALL, UnitTree, link, populations, unit_tree
from culture_analytics.disclosure.rules import COUNTED, adverse, numerators
from culture_analytics.disclosure.structure import (
    BASE,
    NUMERATOR,
    Box,
    Counts,
    Protection,
    Structure,
)
from culture_analytics.disclosure.suppress import least_needed, primary, small, suppress
from culture_analytics.errors import DisclosureError
from culture_analytics.instrument import Instrument

__all__ = ["AuditReport", "audit", "audit_derived", "examine", "protect", "unit_tree"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Rows of groups that were not asked.
NOBODY = ("not_asked", "not_applicable")
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
    not_audited
        Derived statistics of which rows were hidden because their own groups are not among the
        tables, or because the rule rounds those.
    left_out
        Tables hidden whole, because they could not be proved to give nothing away.
    left_out_cells
        Figures in them; not among `cells`.
    least
        Figures that any method would have to hide under this rule, at the least; None where that
        was not asked for.
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
    left_out: tuple[str, ...] = field(default=())
    left_out_cells: int = 0
    least: int | None = None

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

    @property
    def most_shown(self) -> float | None:
        """Share of the figures that no method could exceed, 0 to 1; None if not worked out."""
        if self.least is None:
            return None
        return 1 - self.least / self.cells if self.cells else 1.0

    def sentences(self) -> tuple[str, ...]:
        """What was attacked, what was hidden and what is proved, for people to read."""
        p = self.protection
        verdict = (
            "Nothing hidden can be worked out more nearly than the rule allows."
            if self.ok
            else f"{len(self.table):,} hidden figures can be worked out too nearly."
        )
        said = [
            verdict,
            f"{self.cells:,} figures of {self.groups:,} groups in {len(self.tables)} tables, "
            f"linked by {self.sums:,} sums, were attacked together. "
            f"{self.hidden_first:,} are hidden for "
            f"their own small numbers, {self.hidden_second:,} to protect those; "
            f"{self.shown:.1%} are shown.",
            f"Proved for {self.proved:.1%} of the hidden figures: the number of people who "
            f"answered could be at least {p.base_span} different numbers, the number who gave the "
            f"answer at least {p.numerator_span}, and it is never certain that everyone gave it.",
        ]
        if self.contained:
            said.append(
                f"Of these, {self.contained:,} are of questions put only to people who gave a "
                "certain answer before, where the shown number of those people leaves fewer "
                "possibilities: as many as it leaves are kept."
            )
        if self.not_audited:
            said.append(
                "Hidden, because they could not be audited: " + ", ".join(self.not_audited) + "."
            )
        if self.left_out:
            said.append(
                f"Left out whole ({self.left_out_cells:,} figures), because they could not be "
                "proved to give nothing away: " + ", ".join(self.left_out) + "."
            )
        return tuple(said)

    def __repr__(self) -> str:
        lines = [f"<AuditReport: {'ok' if self.ok else 'LEAKS'}>", *self.sentences()]
        if not self.ok:
            lines.append(self.table.head(20).to_string(index=False, max_colwidth=60))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        body = "".join(f"<p>{escape(s)}</p>" for s in self.sentences())
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
    own = np.nan_to_num(counts.base, nan=np.inf) < protection.base_under
    each = np.arange(len(counts.measures))
    first = hidden & (own | small(structure, counts, protection, each))
    return _report(
        structure, counts, box, leaks, protection, hidden, first,
        known=~structure.latent, tables=[t for ts in structure.tables for t in ts],
        groups=int((~structure.latent).sum()), seconds=time.perf_counter() - begun,
    )  # fmt: skip


def _report(
    structure: Structure, counts: Counts, box: Box, leaks: Leaks, protection: Protection,
    hidden: Mask, first: Mask, *, known: Mask, tables: Iterable[str], groups: int,
    year: Any = "", seconds: float = 0.0, least: int | None = None,
) -> AuditReport:  # fmt: skip
    """What an attack found; `known` are the cells with a figure of their own."""
    return AuditReport(
        protection=protection,
        table=_leak_table(structure, counts, box, leaks, year),
        cells=int((counts.known & known).sum()),
        hidden_first=int((hidden & first).sum()),
        hidden_second=int((hidden & ~first).sum()),
        contained=int(leaks.contained.sum()),
        tables=tuple(dict.fromkeys(t for t in tables if t)),
        groups=groups,
        sums=len(structure.relations),
        seconds=seconds,
        least=least,
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
    seconds: float | None = None,
    compare: bool = False,
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
        The rule's; default base under 11.
    units
        The unit hierarchy, ``{"team": ("directorate", {"Team 1": "Directorate A"})}``; see
        `unit_tree`.
    seconds
        Time to prove the crossings in. Tables not proved by then are left out whole and named in
        the report, so that a quicker machine may show more. Default: no limit, and the same
        result everywhere.
    compare
        Also work out how many figures any method would have to hide, for `AuditReport.least`.

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
    parts: list[AuditReport] = []
    years = _by_year(frame)
    for place, (year, rows) in enumerate(years):
        now = time.perf_counter()
        until = None
        if seconds is not None:
            until = now + max(begun + seconds - now, 0.0) / (len(years) - place)
        work = _Year(frame.iloc[rows], instrument, protection, units, year, until, compare)
        hide[rows] = work.run()
        parts.append(work.report)
    shown = is_derived(frame) & (status == "ok")
    unaudited = alone(frame) | (shown if protection.rounds else np.zeros_like(shown))
    hide |= unaudited
    hide |= orphans(frame, hide)
    report = _together(
        parts,
        protection,
        time.perf_counter() - begun,
        tuple(sorted(set(frame.loc[unaudited, "statistic"].astype(str)))),
    )
    return hide, _with_derived(report, frame, hide)


def examine(
    frame: pd.DataFrame,
    instrument: Instrument,
    hidden: Mask,
    *,
    protection: Protection | None = None,
    units: UnitTree | None = None,
) -> AuditReport:
    """Attack results of which some rows are hidden already.

    Parameters
    ----------
    frame, instrument, protection, units
        As for `protect`.
    hidden
        True for the rows that are hidden.

    Raises
    ------
    DisclosureError
        As `protect`.
    """
    protection = protection or Protection()
    begun = time.perf_counter()
    parts = []
    for year, rows in _by_year(frame):
        work = _Year(frame.iloc[rows], instrument, protection, units, year, given=hidden[rows])
        parts.append(work.examine())
    report = _together(parts, protection, time.perf_counter() - begun, ())
    return _with_derived(report, frame, hidden)


def _by_year(frame: pd.DataFrame) -> list[tuple[int, NDArray[np.int64]]]:
    """The years, and the rows of each that rest on people's answers by themselves."""
    extract = frame["source"].eq("extract").to_numpy(dtype=bool)
    status = frame["status"].to_numpy()
    about = extract & ~is_derived(frame) & np.isin(status, (*COUNTED, *NOBODY))
    of_year = frame["year"].to_numpy()
    return [
        (int(year), np.flatnonzero(about & (of_year == year)))
        for year in sorted(pd.unique(of_year[about]))
    ]


def _with_derived(report: AuditReport, frame: pd.DataFrame, hidden: Mask) -> AuditReport:
    """The report with what figures made of others give away."""
    still = audit_derived(frame, hidden)
    return replace(report, table=pd.concat([report.table, still])) if len(still) else report


def audit_derived(frame: pd.DataFrame, hidden: Mask) -> pd.DataFrame:
    """Leaks through gaps, ratios and other figures made of two groups.

    A shown gap beside one of its groups gives the other; so does a p-value, nearly.

    Parameters
    ----------
    frame
        Rows of everything that leaves together, in the columns of the result schema.
    hidden
        Which of them are hidden.

    Returns
    -------
    pandas.DataFrame
        One row for each derived row that is shown though one it is made of is hidden or missing,
        as `AuditReport.table`.
    """
    rows = frame[orphans(frame, hidden)]
    cell = rows["org"].astype(str) + ", " + rows["breakdown"].astype(str) + ": " + rows["group"]
    return pd.DataFrame(
        {
            "year": rows["year"], "cell": cell, "measure": rows["measure"],
            "what": rows["statistic"].astype(str) + " to " + rows["reference"].astype(str),
            "values": 1, "tables": rows["breakdown"],
        }, columns=_COLUMNS,
    ).reset_index(drop=True)  # fmt: skip


def _together(
    parts: list[AuditReport], protection: Protection, seconds: float, alone: tuple[str, ...]
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
        not_audited=alone,
        left_out=tuple(name for p in parts for name in p.left_out),
        left_out_cells=sum(p.left_out_cells for p in parts),
        least=None if not parts or parts[0].least is None else sum(p.least or 0 for p in parts),
    )


# Of the time given, the share for choosing; the rest is for the last attack.
CHOOSING = 0.7

# Crossings that are less than this share of the figures are protected after the rest.
FEW_CROSSED = 0.25


class _RowLeaks(NamedTuple):
    """Rows whose hidden figure leaks, and those of them that are only not proved in time."""

    any: Mask
    unproved: Mask


class _Year:
    """Everything of one year that leaves together."""

    def __init__(
        self,
        frame: pd.DataFrame,
        instrument: Instrument,
        protection: Protection,
        units: UnitTree | None,
        year: int,
        until: float | None = None,
        compare: bool = False,
        given: Mask | None = None,
    ) -> None:
        self.given = given
        self.frame, self.instrument, self.protection = frame, instrument, protection
        self.units, self.year, self.until, self.compare = units, year, until, compare
        self.measure, keys = pd.factorize(pd.MultiIndex.from_frame(frame[MEASURE].astype(str)))
        self.keys: list[tuple[str, ...]] = list(keys)
        self.table = _table_names(frame)
        nobody = np.isin(frame["status"].to_numpy(), NOBODY)
        self.nobody = nobody
        self.base = np.where(nobody, 0.0, frame["base"].to_numpy(dtype=float))
        self.numerator = np.where(nobody, 0.0, numerators(frame))
        self.adverse = np.zeros(len(keys), dtype=bool)
        self.adverse[self.measure] = adverse(frame, instrument)

    def run(self) -> Mask:
        """Rows to hide; leaves the report behind."""
        kept = np.ones(len(self.frame), dtype=bool)
        if not (self.base >= self.protection.base_under).any():
            kept = ~self._crossed()  # nothing can be shown, so crossings need no proof
        hide = self._without_crossings() if kept.all() else ~kept
        left_out: list[str] = []
        while True:
            rows = np.flatnonzero(kept)
            hidden, leaks, report = self._attempt(rows, hide[rows])
            hide[rows] = hidden
            names = self._give_up(rows, leaks)
            measures = [] if names else self._leaking(rows, leaks)
            if not names and not measures:
                self.report = replace(
                    report,
                    left_out=tuple(f"{name} ({self.year})" for name in left_out),
                    left_out_cells=int((~kept & ~self.nobody).sum()),
                )
                return hide | ~kept
            left_out += [*names, *map(self._everywhere, measures)]
            kept &= ~np.isin(self.table, names) & ~np.isin(self.measure, measures)

    def _without_crossings(self) -> Mask:
        """What must be hidden were there no crossings, where these are few beside the rest.

        Without them the tables are trees, whose patterns are pruned; the crossings then add only
        what they give away.
        """
        hide = np.zeros(len(self.frame), dtype=bool)
        plain = np.flatnonzero(~self._crossed())
        if len(self.frame) * FEW_CROSSED > len(self.frame) - len(plain) > 0:
            hide[plain] = self._attempt(plain, hide[plain])[0]
        return hide

    def _crossed(self) -> Mask:
        within = self.frame["within"].astype(str).ne("").to_numpy(dtype=bool)
        return within | self.frame["breakdown"].astype(str).str.contains(":").to_numpy(bool)

    def examine(self) -> AuditReport:
        """The attack on what is hidden already."""
        assert self.given is not None
        nothing = np.zeros(len(self.frame), dtype=bool)
        report = self._attempt(np.arange(len(nothing)), nothing)[2]
        # A crossing or a measure of which nothing is shown was left out: it tells nothing.
        told = ~self.given & ~self.nobody
        kept = ~self._crossed() | np.isin(self.table, np.unique(self.table[told]))
        kept &= np.isin(self.measure, np.unique(self.measure[told]))
        if report.ok or kept.all():
            return report
        return self._attempt(np.flatnonzero(kept), nothing[kept])[2]

    def _give_up(self, rows: NDArray[np.int64], leaks: _RowLeaks) -> list[str]:
        """Tables to leave out: crossings with cells that leak, or else all crossings.

        Where the time to prove was too short, without crossings all but the wholes.
        """
        if not leaks.any.any():
            return []
        crossed = self._crossed()
        margin = self.frame["breakdown"].astype(str).eq(OVERALL).to_numpy(dtype=bool)
        bad, names = rows[leaks.any], self.table[rows]
        inner, crossed = (crossed & ~margin)[rows], crossed[rows]
        choices = [self.table[bad][np.isin(bad, rows[inner])], names[inner], names[crossed]]
        if leaks.unproved.any():
            several = self.frame["org"].nunique() > 1
            choices += [
                self.table[bad][self.table[bad] != OVERALL] if several else names[:0],
                names[names != OVERALL],
            ]
        for choice in choices:
            if len(choice):
                return list(dict.fromkeys(map(str, choice)))
        return []

    def _leaking(self, rows: NDArray[np.int64], leaks: _RowLeaks) -> list[int]:
        """Measures to leave out of every table, where leaving out tables would not help.

        In a small organisation the figures of those whom a question was put to can say too much of
        those who answered it, whatever of the question itself is hidden. What is told of it to
        nobody, not even that a group was too small, gives nothing away.
        """
        bad = np.unique(self.measure[rows[leaks.any]])
        return [int(m) for m in bad] if len(bad) < len(np.unique(self.measure[rows])) else []

    def _everywhere(self, measure: int) -> str:
        name, answer = self.keys[measure][:2]
        known = self.instrument.measures.get(name)
        told = ": ".join(filter(None, (known.label if known else name, answer)))
        return f"{told} in every table"

    def _attempt(
        self, rows: NDArray[np.int64], before: Mask
    ) -> tuple[Mask, _RowLeaks, AuditReport]:
        """Protect some of the rows against one who supposes that everyone is in some unit.

        Where that contradicts the tables, it cannot be supposed.
        """
        try:
            return self._against(rows, before, suppose=True)
        except DisclosureError:
            return self._against(rows, before, suppose=False)

    def _against(
        self, rows: NDArray[np.int64], before: Mask, *, suppose: bool
    ) -> tuple[Mask, _RowLeaks, AuditReport]:
        """Protect and attack some of the rows: hidden, what leaks, and the report."""
        frame, measure = self.frame.iloc[rows], self.measure[rows]
        of_row, groups, names, tables = populations(frame, self.instrument, self.units)
        shape = (len(self.keys), len(groups))

        def laid_out(values: NDArray[Any], fill: Any) -> NDArray[Any]:
            array = np.full(shape, fill)
            array[measure, of_row] = values[rows]
            return array

        base = laid_out(self.base, np.nan)
        structure, all_bases = link(groups, names, tables, self.instrument, base, suppose=suppose)
        extra = ((0, 0), (0, all_bases.shape[1] - len(groups)))
        base = np.pad(base, extra, constant_values=np.nan)
        numerator = np.pad(laid_out(self.numerator, np.nan), extra, constant_values=np.nan)
        fixed = np.pad(laid_out(self.nobody, False), extra)
        start = np.zeros(shape, dtype=bool)
        np.logical_or.at(start, (measure, of_row), before)
        keys = [(k[0], k[1]) for k in self.keys]
        counts = Counts(
            base,
            numerator,
            tuple(" ".join(filter(None, k[:2])) for k in self.keys),
            np.array([k[2] == "percent" for k in self.keys]),
            unions(keys, self.instrument),
            self.adverse,
            distributions(self.keys, base, numerator),
        )
        begun, until = time.perf_counter(), self.until
        soon = None if until is None else begun + CHOOSING * max(until - begun, 0.0)
        hidden, first = _pattern(
            structure, counts, self.instrument, self.protection, fixed, self.keys,
            np.pad(start, extra), soon,
        ) if self.given is None else self._as_given(
            counts, np.pad(laid_out(self.given, False), extra)
        )  # fmt: skip
        lead = gates(keys, self.instrument)
        most = asked_at_most(structure, counts, hidden, self.protection, lead)
        counts = replace(counts, most_base=most)
        box, leaks = attack(structure, counts, hidden, self.protection, deadline=until)
        assert leaks.unproved is not None
        report = _report(
            structure, counts, box, leaks, self.protection, hidden, first,
            known=~fixed, tables=tables, groups=len(groups), year=self.year,
            least=self._least(structure, counts, first, fixed) if self.compare else None,
        )  # fmt: skip
        at = (measure, of_row)
        return hidden[at], _RowLeaks(leaks.any[at], leaks.unproved[at]), report

    def _as_given(self, counts: Counts, hidden: Mask) -> tuple[Mask, Mask]:
        own = np.nan_to_num(counts.base, nan=np.inf) < self.protection.base_under
        return hidden & counts.known, hidden & own

    def _least(self, structure: Structure, counts: Counts, first: Mask, fixed: Mask) -> int:
        can_hide = counts.known & (np.nan_to_num(counts.base) > 0) & ~structure.latent & ~fixed
        needed = least_needed(structure, counts, first, self.protection, can_hide)
        return int(first.sum() + needed.sum())


def _table_names(frame: pd.DataFrame) -> NDArray[Any]:
    """The table each row stands in, as `populations` names it."""
    breakdown, within = frame["breakdown"].astype(str), frame["within"].astype(str)
    names = breakdown.where(within.eq(""), breakdown + " within " + within)
    return np.asarray(names.to_numpy(dtype=object))


def _alike(hidden: Mask, linked: NDArray[np.int64], known: Mask) -> Mask:
    """What one of linked measures hides, all hide."""
    out = hidden.copy()
    for label in np.unique(linked):
        alike = linked == label
        out[alike] |= hidden[alike].any(axis=0) & known[alike]
    return out


def _in_all(hidden: Mask, families: NDArray[np.int64]) -> Mask:
    """Cells hidden in every measure of the family."""
    out = np.zeros_like(hidden)
    for label in np.unique(families):
        out[families == label] = hidden[families == label].all(axis=0)
    return out


def _pattern(
    structure: Structure,
    counts: Counts,
    instrument: Instrument,
    protection: Protection,
    fixed: Mask,
    keys: list[tuple[str, ...]],
    before: Mask,
    deadline: float | None,
) -> tuple[Mask, Mask]:
    """Hidden cells, and which of them for their own numbers, or their family's."""
    names = [(k[0], k[1]) for k in keys]
    families = base_families(names, instrument)
    linked = linked_measures(names, instrument)
    real = replace(counts, base=np.where(fixed, np.nan, counts.base))
    first = primary(structure, real, protection, families)
    # A cell hidden before in some measures only, for their numbers, says nothing of the others'.
    hidden = first | (before & real.known & _in_all(before | ~real.known, families))
    bases_only = replace(protection, numerator_span=0)
    # The pattern of the items asked of everyone holds in the families asked of some, too.
    common = np.flatnonzero(families == 0)
    if len(common):
        chosen = suppress(
            structure, counts.measures_of(common), bases_only, hidden=hidden[common],
            fixed=fixed[common], deadline=deadline,
        )  # fmt: skip
        hidden[common] = chosen
        hidden |= chosen.any(axis=0) & real.known
    rest = np.flatnonzero(families != 0)
    if len(rest):
        hidden[rest] = suppress(
            structure, counts.measures_of(rest), bases_only, hidden=hidden[rest],
            together=families[rest], fixed=fixed[rest], deadline=deadline,
        )  # fmt: skip
    few = small(structure, real, protection, linked)
    hidden = _alike(hidden | few | (before & real.known), linked, real.known)
    # Those asked of everyone first: they say how many were asked the others, at the most.
    lead = gates(names, instrument)
    led = np.zeros(len(names), dtype=bool)
    led[[measure for measure, _ in lead]] = True
    led = np.isin(linked, linked[led])
    for some in (np.flatnonzero(~led), np.flatnonzero(led)):
        if not len(some):
            continue
        if led[some[0]]:
            for measure, parts in lead:
                hidden[measure] |= hidden[list(parts)].any(axis=0) & real.known[measure]
            hidden = _alike(hidden, linked, real.known)
            most = asked_at_most(structure, counts, hidden, protection, lead)
            counts = replace(counts, most_base=most)
        hidden[some] = suppress(
            structure, counts.measures_of(some), protection, hidden=hidden[some],
            together=linked[some], fixed=fixed[some], deadline=deadline,
        )  # fmt: skip
    return hidden & ~fixed, first | few
