"""Sheets of the benchmark workbook: headings, rows, and the benchmark group that each is of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from culture_analytics.errors import PublishedError
from culture_analytics.instrument import Instrument
from culture_analytics.read.published.cells import Cells, folded
from culture_analytics.read.published.definitions import Definitions, load_definitions
from culture_analytics.read.published.grid import (
    count_filled,
    is_filled,
    quoted,
)
from culture_analytics.read.published.questions import Vocabulary
from culture_analytics.read.raw import cell_text

__all__ = [
    "FIGURE",
    "Sheet",
    "find_headings",
    "identifier_names",
    "latest_year",
    "list_members",
    "lost_groups",
    "organisation_table",
    "read_sheet",
    "twice_listed",
    "with_group",
]

SEARCH_ROWS = 10
MANY_COLUMNS = 3
CUT = 25  # a name this long may have been cut short
FIGURE = re.compile(r"(?P<name>.+?)_(?P<year>20\d\d)(?P<sig>_sig)?", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Sheet:
    """A sheet of organisations.

    Attributes
    ----------
    sheet : str
        Name of the worksheet.
    headings : tuple of str
        In file order.
    header : int
        Row of the headings.
    rows : tuple of rows of cells
        Rows with anything in them but an identifier.
    org, name : tuple of str
        Code and name of each row's organisation.
    group : str
        Benchmark group, once it is known.
    texts : int
        Cells of text above the headings and in rows without a figure.
    """

    sheet: str
    headings: tuple[str, ...]
    header: int
    rows: tuple[Sequence[Any], ...] = field(repr=False)
    org: tuple[str, ...]
    name: tuple[str, ...]
    group: str = ""
    texts: int = 0


def find_headings(rows: Cells) -> int | None:
    """Find the row of headings: a code, and measures by year; None if there is none."""
    codes = identifier_names()["code"]
    for place, row in enumerate(rows[:SEARCH_ROWS]):
        texts = [folded(cell) for cell in row if type(cell) is str]
        if not codes & set(texts):
            continue
        if sum(bool(FIGURE.fullmatch(text)) for text in texts) >= MANY_COLUMNS:
            return place
    return None


def identifier_names() -> Mapping[str, frozenset[str]]:
    """Give the folded headings of each identifier, by role."""
    identifiers = load_definitions().raw["benchmark"]["identifiers"]
    return {role: frozenset(map(folded, names)) for role, names in identifiers.items()}


def read_sheet(sheet: str, rows: Cells, header: int, problems: list[str]) -> Sheet:
    """Take a sheet apart; what is wrong with it goes to `problems`."""
    headings = tuple(cell_text(cell) for cell in rows[header])
    roles = identifier_names()
    places = {
        role: [k for k, heading in enumerate(headings) if folded(heading) in names]
        for role, names in roles.items()
    }
    named_by = {k for columns in places.values() for k in columns}
    figures = [k for k in range(len(headings)) if k not in named_by]
    body = tuple(row for row in rows[header + 1 :] if any(is_filled(row[k]) for k in figures))
    around = [*rows[:header], *rows[header + 1 :]]
    texts = sum(map(count_filled, around)) - sum(map(count_filled, body))
    twice = sorted({h for h in headings if h and headings.count(h) > 1})
    if twice:
        problems.append(f"sheet {sheet!r}: heading(s) twice: {quoted(twice)}")
    if not body:
        problems.append(f"sheet {sheet!r}: headings and no row of figures")
    org = tuple(cell_text(row[places["code"][0]]) for row in body)
    blank = sum(not code for code in org)
    if blank:
        problems.append(f"sheet {sheet!r}: {blank:,} row(s) without an organisation code")
    named = places["name"][0] if places["name"] else None
    name = tuple("" if named is None else cell_text(row[named]) for row in body)
    return Sheet(sheet, headings, header, body, org, name, texts=texts)


def latest_year(
    name: str, sheets: Sequence[Sheet], given: int | None, instrument: Instrument
) -> int:
    """Find the latest survey year among the headings.

    Raises
    ------
    PublishedError
        Another one was given, or the questionnaire of that year is not known.
    """
    years = {
        int(match["year"])
        for sheet in sheets
        for heading in sheet.headings
        if (match := FIGURE.fullmatch(heading))
    }
    latest = max(years)
    if given is not None and given != latest:
        raise PublishedError(
            f"{name} holds {min(years)} to {latest}, but year={given} was given. Leave year= out: "
            "all its years are read."
        )
    if latest not in instrument.years:
        raise PublishedError(
            f"{name} holds {latest}; the questionnaire is known to {instrument.years[-1]}. Its "
            "question numbers must stand in instrument/data/item_codes.csv first."
        )
    return latest


def list_members(texts: Mapping[str, Cells], vocabulary: Vocabulary) -> tuple[dict[str, str], bool]:
    """Find the list of organisations and their groups, on a sheet of text."""
    roles = identifier_names()
    names = vocabulary.definitions.benchmark_groups_of(vocabulary.year)
    for rows in texts.values():
        for header, row in enumerate(rows[:SEARCH_ROWS]):
            headings = [folded(cell_text(cell)) for cell in row]
            code = next((k for k, text in enumerate(headings) if text in roles["code"]), None)
            group = next((k for k, text in enumerate(headings) if text in roles["group"]), None)
            if code is None or group is None:
                continue
            return {
                cell_text(line[code]): names.get(folded(cell_text(line[group])), "")
                for line in rows[header + 1 :]
                if cell_text(line[code])
            }, True
    return {}, False


def with_group(
    sheet: Sheet, members: Mapping[str, str], vocabulary: Vocabulary, problems: list[str]
) -> Sheet:
    """Tell the benchmark group of a sheet: by its name, or by the list of organisations."""
    named = _group_named(sheet.sheet, vocabulary)
    told = {members[org] for org in sheet.org if members.get(org)}
    if named and told - {named}:
        problems.append(
            f"sheet {sheet.sheet!r}: the list of organisations puts some of its rows in "
            f"{quoted(sorted(told - {named}))}"
        )
    elif not named and len(told) != 1:
        problems.append(f"sheet {sheet.sheet!r}: its name is no benchmark group that is known")
    group = named or next(iter(sorted(told)), "")
    return replace(sheet, group=group)


def _group_named(sheet: str, vocabulary: Vocabulary) -> str:
    names = vocabulary.definitions.benchmark_groups_of(vocabulary.year)
    text = _plain(sheet)
    exact = {_plain(name): group for name, group in names.items()}
    if text in exact:
        return exact[text]
    # Excel keeps 31 characters of a name, other programs fewer still.
    cut = {group for name, group in exact.items() if name.startswith(text)}
    return cut.pop() if len(sheet) >= CUT and len(cut) == 1 else ""


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9&,]", "", folded(name))


def lost_groups(
    sheets: Sequence[Sheet],
    members: Mapping[str, str],
    listed: bool,
    definitions: Definitions,
    notes: list[str],
) -> list[str]:
    """Tell which benchmark groups and organisations are not there, or stand twice."""
    found = [sheet.group for sheet in sheets]
    problems = []
    sheetless = {"", *definitions.raw["benchmark"]["without_sheet"]}
    missing = [group for group in definitions.trust_groups if group not in found]
    expected = [g for g in dict.fromkeys(members.values()) if g not in (*sheetless, *found)]
    missing += [group for group in expected if group not in missing]
    if missing:
        problems.append(f"no sheet of {len(missing)} benchmark group(s): {quoted(missing)}")
    twice = sorted({group for group in found if found.count(group) > 1})
    if twice:
        problems.append(f"several sheets of one benchmark group: {quoted(twice)}")
    if listed:
        here = {org for sheet in sheets for org in sheet.org}
        absent = [org for org in members if org not in here and members[org] not in missing]
        lost = [org for org in absent if members[org] not in sheetless]
        if len(lost) < len(absent):
            notes.append(
                f"{len(absent) - len(lost)} organisation(s) of the list are of no benchmark group "
                "that has a sheet"
            )
        extra = [org for org in here if org not in members]
        if lost:
            problems.append(
                f"{len(lost)} organisation(s) of the list are on no sheet: {quoted(lost)}"
            )
        if extra:
            problems.append(
                f"{len(extra)} organisation(s) are not on the list: {quoted(sorted(extra))}"
            )
    return problems


def twice_listed(sheets: Sequence[Sheet]) -> list[str]:
    """Tell which organisations stand twice."""
    orgs = [org for sheet in sheets for org in sheet.org]
    twice = (
        sorted({org for org in orgs if orgs.count(org) > 1}) if len(set(orgs)) < len(orgs) else []
    )
    return [f"{len(twice)} organisation(s) stand twice: {quoted(twice)}"] if twice else []


def organisation_table(sheets: Sequence[Sheet]) -> pd.DataFrame:
    """Give the table ``org, name, benchmark_group, region, ics``."""
    orgs = [org for sheet in sheets for org in sheet.org]
    names = [name or None for sheet in sheets for name in sheet.name]
    groups = [sheet.group for sheet in sheets for _ in sheet.org]
    blank = [None] * len(orgs)
    return pd.DataFrame(
        {"org": orgs, "name": names, "benchmark_group": groups, "region": blank, "ics": blank},
        dtype="str",
    )
