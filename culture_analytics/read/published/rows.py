"""Whose figures a row holds: organisation, breakdown and group, in the terms of the schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.instrument import Instrument
from culture_analytics.read.headers import fold
from culture_analytics.read.published.definitions import Definitions
from culture_analytics.read.published.grid import Table

__all__ = ["Rows", "align", "identify"]

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
    """

    org: tuple[str, ...]
    breakdown: tuple[str, ...]
    group: tuple[str, ...]
    within: tuple[str, ...]
    within_group: tuple[str, ...]
    kept: NDArray[np.intp]
    organisations: pd.DataFrame

    def __len__(self) -> int:
        """Number of rows."""
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
    table: Table,
    *,
    year: int,
    instrument: Instrument,
    definitions: Definitions,
    problems: list[str],
    notes: list[str],
) -> Rows:
    """Give the rows of a workbook their keys.

    Parameters
    ----------
    table : Table
        Its first sheet.
    year : int
        Survey year, which decides what groups there are.
    instrument, definitions
        Breakdowns, and how workbooks spell them.
    problems, notes : list of str
        Filled with what is wrong, and with what is left out, by name.

    Returns
    -------
    Rows
    """
    if table.kind == "organisational":
        return _organisations(table, definitions, problems, notes)
    return _breakdowns(table, year, instrument, definitions, problems, notes)


def _organisations(
    table: Table, definitions: Definitions, problems: list[str], notes: list[str]
) -> Rows:
    codes = table.identifiers["code"]
    blank = sum(not code for code in codes)
    if blank:
        problems.append(f"{blank:,} row(s) have figures and no organisation code")
    groups = [
        definitions.benchmark_groups.get(fold(name), name)
        for name in table.identifiers["benchmark_group"]
    ]
    _check_benchmark_groups(groups, definitions, problems, notes)

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


def _check_benchmark_groups(
    groups: Sequence[str], definitions: Definitions, problems: list[str], notes: list[str]
) -> None:
    missing = [group for group in definitions.trust_groups if group not in groups]
    known = set(definitions.benchmark_groups.values())
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
    table: Table,
    year: int,
    instrument: Instrument,
    definitions: Definitions,
    problems: list[str],
    notes: list[str],
) -> Rows:
    """Rows of the national file (England) and of the organisation-type file (within a group)."""
    names = definitions.breakdown_names(instrument)
    bases = [
        "" if fold(text) in definitions.national_rows else _benchmark_group(text, definitions)
        for text in table.identifiers["base"]
    ]
    if any(bases):
        _check_benchmark_groups([base for base in bases if base], definitions, problems, notes)
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
            known = names.get(fold(breakdown))
            if known is None:
                unknown[breakdown] = unknown.get(breakdown, 0) + 1
                continue
            label = known.groups.get(fold(subgroup), "" if known.groups else subgroup)
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
    _check_groups(keys, year, instrument, definitions, problems)
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
            {"org": [ENGLAND], "name": [definitions.england]}, dtype="str"
        ).assign(**{role: pd.Series([None], dtype="str") for role in KEYS_OF_ENGLAND}),
    )


KEYS_OF_ENGLAND = ("benchmark_group", "region", "ics")


def _benchmark_group(text: str, definitions: Definitions) -> str:
    return definitions.benchmark_groups.get(fold(text), text)


def _check_groups(
    keys: Sequence[tuple[str, ...]],
    year: int,
    instrument: Instrument,
    definitions: Definitions,
    problems: list[str],
) -> None:
    """Every table of a breakdown must be whole: a group left out would go unnoticed."""
    tables: dict[tuple[str, str], dict[str, set[str]]] = {}
    for breakdown, group, *within in keys:
        table = tables.setdefault((within[0], within[1]), {})
        table.setdefault(breakdown, set()).add(group)
    national = ("", "")
    typed = any(b == "benchmark_group" for b, *_ in keys)
    if not typed and "overall" not in tables.get(national, {}):
        problems.append("the row of England as a whole is missing")
    expected_breakdowns = definitions.release(year).breakdowns
    for (_, base), table in tables.items():
        if (base == "") == typed:
            continue
        where = f" of {base!r}" if base else ""
        missing = [b for b in expected_breakdowns if b not in table]
        if missing and not typed:
            problems.append(f"{len(missing)} breakdown(s){where} missing: {', '.join(missing)}")
        for breakdown, groups in table.items():
            lost = [g for g in _expected(breakdown, year, instrument, definitions.places)
                    if g not in groups]  # fmt: skip
            if lost and (not typed or breakdown not in definitions.places):
                shown = ", ".join(map(repr, lost[:6]))
                problems.append(f"{len(lost)} group(s) of {breakdown}{where} missing: {shown}")


def _expected(
    breakdown: str, year: int, instrument: Instrument, places: Mapping[str, tuple[str, ...]]
) -> list[str]:
    """Groups that a breakdown has in a year."""
    if breakdown in places:
        return list(places[breakdown])
    if breakdown not in instrument.breakdowns:
        return []
    defined = instrument.breakdowns[breakdown]
    question = instrument.question(defined.item, year)
    asked = set(question.scale.labels) if question else set()
    return [group.label for group in defined.groups if asked & set(group.answers)]
