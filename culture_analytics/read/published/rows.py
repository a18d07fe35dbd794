"""Whose figures a row holds: organisation, breakdown and group, in the terms of the schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.read.published.cells import folded
from culture_analytics.read.published.grid import Table
from culture_analytics.read.published.questions import Vocabulary

__all__ = [
    "ALL_STAFF",
    "ENGLAND",
    "Rows",
    "align",
    "check_benchmark_groups",
    "check_groups",
    "identify",
]

ALL_STAFF = ("overall", "All staff")
ENGLAND = "ENG"
NONE_GIVEN = "-"

# What tells the rows of a sheet apart, by kind of file.
KEYS = {"national": ("base", "breakdown", "subgroup"), "organisational": ("code",)}


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a workbook, each given once.

    Attributes
    ----------
    org, breakdown, group, within, within_group : tuple of str
        Keys of the schema.
    kept : ndarray of int
        Rows of the first sheet that they are.
    organisations : DataFrame
        ``org, name, benchmark_group, region, ics``.
    means : ndarray of bool, shape (rows,)
        Rows that are means of organisations' figures, not figures of people.
    """

    org: tuple[str, ...]
    breakdown: tuple[str, ...]
    group: tuple[str, ...]
    within: tuple[str, ...]
    within_group: tuple[str, ...]
    kept: NDArray[np.intp]
    organisations: pd.DataFrame
    means: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.org)


def align(tables: Sequence[Table], problems: list[str]) -> list[NDArray[np.intp]]:
    """Find each row of the first table in all the others, by what it is and not by its place.

    Parameters
    ----------
    tables : sequence of Table
        All of one kind.
    problems : list of str
        Filled with rows that stand twice, are missing or are too many.

    Returns
    -------
    list of ndarray of int
        For every table the position of each row of the first; empty if there are problems.
    """
    roles = KEYS[tables[0].kind]
    keys = [list(zip(*(t.identifiers[role] for role in roles), strict=True)) for t in tables]
    found, wrong = [], len(problems)
    for table, rows in zip(tables, keys, strict=True):
        places = {key: place for place, key in enumerate(rows)}
        if len(places) < len(rows):
            problems.append(
                f"sheet {table.sheet!r}: {len(rows) - len(places):,} row(s) stand twice"
            )
        missing = sum(key not in places for key in keys[0])
        extra = len(set(places) - set(keys[0]))
        if missing or extra:
            problems.append(
                f"sheet {table.sheet!r}: {missing:,} of the {len(keys[0]):,} rows of sheet "
                f"{tables[0].sheet!r} are missing, {extra:,} are not among them"
            )
        found.append(np.array([places.get(key, 0) for key in keys[0]], dtype=np.intp))
    return found if len(problems) == wrong else []


def identify(
    table: Table, vocabulary: Vocabulary, *, problems: list[str], notes: list[str]
) -> Rows:
    """Give the rows of a workbook their keys.

    Parameters
    ----------
    table : Table
        Its first sheet.
    vocabulary : Vocabulary
        Breakdowns, how workbooks spell them, and the year, which decides what groups there are.
    problems, notes : list of str
        Filled with what is wrong, and with what is left out, by name.

    Returns
    -------
    Rows
    """
    if table.kind == "organisational":
        return _organisations(table, vocabulary, problems, notes)
    return _breakdowns(table, vocabulary, problems, notes)


def _organisations(
    table: Table, vocabulary: Vocabulary, problems: list[str], notes: list[str]
) -> Rows:
    codes = table.identifiers["code"]
    blank = sum(not code for code in codes)
    if blank:
        problems.append(f"{blank:,} row(s) have figures and no organisation code")
    names = vocabulary.definitions.benchmark_groups_of(vocabulary.year)
    groups = [names.get(folded(name), name) for name in table.identifiers["benchmark_group"]]
    check_benchmark_groups(groups, vocabulary, problems, notes)

    def known(role: str) -> pd.Series[str]:
        texts = [None if text in (NONE_GIVEN, "") else text for text in table.identifiers[role]]
        return pd.Series(texts, dtype="str")

    n = len(codes)
    return Rows(
        org=codes,
        breakdown=(ALL_STAFF[0],) * n,
        group=(ALL_STAFF[1],) * n,
        within=("",) * n,
        within_group=("",) * n,
        kept=np.arange(n),
        organisations=pd.DataFrame(
            {
                "org": pd.Series(codes, dtype="str"),
                "name": known("name"),
                "benchmark_group": pd.Series(groups, dtype="str"),
                "region": known("region"),
                "ics": known("ics"),
            }
        ),
    )


def check_benchmark_groups(
    groups: Sequence[str], vocabulary: Vocabulary, problems: list[str], notes: list[str]
) -> None:
    """Check that every benchmark group of trusts is there, and name those not known.

    Parameters
    ----------
    groups : sequence of str
        Benchmark group of each organisation.
    vocabulary : Vocabulary
        Names of the year.
    problems, notes : list of str
        Filled with what is wrong, and with names kept as written.
    """
    definitions = vocabulary.definitions
    missing = [group for group in definitions.trust_groups if group not in groups]
    known = set(definitions.benchmark_groups_of(vocabulary.year).values())
    strange = [group for group in dict.fromkeys(groups) if group not in known]
    shown = ", ".join(map(repr, strange[:6]))
    if missing:
        beside = f"; names not known: {shown}" if strange else ""
        problems.append(
            f"{len(missing)} benchmark group(s) missing: {', '.join(map(repr, missing))}{beside}"
        )
    elif strange:
        notes.append(f"{len(strange)} benchmark group name(s) not known, kept as written: {shown}")


def _breakdowns(
    table: Table, vocabulary: Vocabulary, problems: list[str], notes: list[str]
) -> Rows:
    """Read rows of the national file, or of the organisation-type file (within a group)."""
    definitions = vocabulary.definitions
    names = definitions.breakdown_names(vocabulary.instrument)
    named = definitions.benchmark_groups_of(vocabulary.year)
    bases = [
        "" if folded(text) in definitions.national_rows else named.get(folded(text), text)
        for text in table.identifiers["base"]
    ]
    if any(bases):
        check_benchmark_groups([base for base in bases if base], vocabulary, problems, notes)
    keys: list[tuple[str, ...]] = []
    kept: list[int] = []
    unknown: dict[str, int] = {}
    strange: dict[str, list[str]] = {}
    described = zip(
        bases, table.identifiers["breakdown"], table.identifiers["subgroup"], strict=True
    )
    for place, (base, breakdown, subgroup) in enumerate(described):
        within = ("benchmark_group", base) if base else ("", "")
        if not breakdown and not subgroup:
            # A benchmark group as a whole is a group of England, not a table within itself.
            cell = (within, ("", "")) if base else (ALL_STAFF, ("", ""))
        else:
            known = names.get(folded(breakdown))
            if known is None:
                unknown[breakdown] = unknown.get(breakdown, 0) + 1
                continue
            label = known.groups.get(folded(subgroup), "" if known.groups else subgroup)
            if not label:
                strange.setdefault(breakdown, []).append(subgroup)
            cell = ((known.id, label), within)
        keys.append((*cell[0], *cell[1]))
        kept.append(place)
    for breakdown, groups in strange.items():
        shown = ", ".join(repr(group[:60]) for group in groups[:6])
        problems.append(f"{len(groups)} group(s) of {breakdown!r} not understood: {shown}")
    if unknown:
        shown = ", ".join(f"{name[:60]!r} ({rows} rows)" for name, rows in unknown.items())
        notes.append(f"breakdown(s) not known, their rows not read: {shown}")
    if len(set(keys)) < len(keys) and not strange:
        problems.append(f"{len(keys) - len(set(keys))} row(s) name a group that another row names")
    check_groups(keys, vocabulary, problems, notes)
    columns = list(zip(*keys, strict=True)) or [()] * 4
    n = len(keys)
    return Rows(
        org=(ENGLAND,) * n,
        breakdown=columns[0],
        group=columns[1],
        within=columns[2],
        within_group=columns[3],
        kept=np.array(kept, dtype=np.intp),
        organisations=pd.DataFrame(
            {
                "org": [ENGLAND],
                "name": [definitions.england],
                "benchmark_group": [None],
                "region": [None],
                "ics": [None],
            },
            dtype="str",
        ),
    )


def check_groups(
    keys: Sequence[tuple[str, ...]],
    vocabulary: Vocabulary,
    problems: list[str],
    notes: list[str],
    *,
    listed: bool = True,
) -> None:
    """Check that every table of the national file is whole: a group left out would go unnoticed.

    What the tables within a benchmark group hold is not known well enough to refuse a file.

    Parameters
    ----------
    keys : sequence of tuple of str
        Breakdown, group, within and group within of every row.
    vocabulary : Vocabulary
        Breakdowns and their groups in the year.
    problems, notes : list of str
        Filled with what is missing.
    listed : bool, default True
        Whether the file must hold all breakdowns that a release of the year is known to have.
    """
    tables: dict[str, dict[str, set[str]]] = {}
    for breakdown, group, _, base in keys:
        tables.setdefault(base, {}).setdefault(breakdown, set()).add(group)
    by_type = any(tables)
    england = tables.get("", {})
    if not by_type and ALL_STAFF[0] not in england:
        problems.append("the row of England as a whole is missing")
    lacking = [
        b for b in vocabulary.definitions.release(vocabulary.year).breakdowns if b not in england
    ]
    if listed and lacking and not by_type:
        problems.append(f"{len(lacking)} breakdown(s) missing: {', '.join(lacking)}")
    for base, table in tables.items():
        where = f" of {base!r}" if base else ""
        for breakdown, groups in table.items():
            expected = _expected(breakdown, vocabulary)
            lost = [group for group in expected if group not in groups]
            if not lost or (base and breakdown in vocabulary.definitions.places):
                continue
            shown = ", ".join(map(repr, lost[:6]))
            found = f"{len(lost)} group(s) of {breakdown}{where} missing: {shown}"
            (notes if base else problems).append(found)


def _expected(breakdown: str, vocabulary: Vocabulary) -> list[str]:
    """List the groups that a breakdown has in a year."""
    places, instrument = vocabulary.definitions.places, vocabulary.instrument
    if breakdown in places:
        return list(places[breakdown])
    if breakdown not in instrument.breakdowns:
        return []
    defined = instrument.breakdowns[breakdown]
    question = instrument.question(defined.item, vocabulary.year)
    asked = set(question.scale.labels) if question else set()
    return [group.label for group in defined.groups if asked & set(group.answers)]
