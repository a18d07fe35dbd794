"""Whose figures a row holds, where a row has only a label: all trusts, a type, a group, a trust.

A label such as "I would prefer not to say" belongs to several breakdowns; the rows beside it say
which. Whether a table of groups is of all trusts or of the type named above it is settled by the
numbers of responses, never by its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.read.published.cells import folded
from culture_analytics.read.published.questions import Vocabulary
from culture_analytics.read.published.rows import ALL_STAFF, ENGLAND, Rows, check_groups

__all__ = ["identify_labels"]

CODE = re.compile(r"[A-Z0-9]{3,6}")
WHOLE = 0.8  # a table of groups holds at least this share of its parent's responses
Key = tuple[str, str]


def identify_labels(
    labels: Sequence[tuple[str, ...]],
    headings: Sequence[str],
    bases: NDArray[np.float64],
    vocabulary: Vocabulary,
    *,
    problems: list[str],
    notes: list[str],
) -> Rows:
    """Give rows with a label their keys.

    Parameters
    ----------
    labels : sequence of tuple of str
        What stands before each row's figures: a label, or an organisation's code and name.
    headings : sequence of str
        Text standing alone before each row.
    bases : ndarray of float, shape (rows, questions)
        Numbers of responses.
    vocabulary : Vocabulary
        Breakdowns and benchmark groups of the year.
    problems, notes : list of str
        Filled with what is wrong, and with what is left out, by name.

    Returns
    -------
    Rows
        With `means` set for rows that are means of organisations.
    """
    kinds, names = _kinds(labels, vocabulary)
    blank = sum(kind == "" for kind, _ in kinds)
    if blank:
        problems.append(f"{blank:,} row(s) have figures and no label")
    if ("england", "") not in kinds:
        problems.append("the row of all trusts is missing")
    groups = _groups(kinds, headings, vocabulary, problems)
    parents = _parents(kinds, groups, bases, problems)
    keys: dict[int, tuple[str, ...]] = {}
    for place, (kind, name) in enumerate(kinds):
        key = groups.get(place) or _own_key(kind, name)
        if key is not None:
            org = name if kind == "organisation" else ENGLAND
            keys[place] = (org, *key, *_within(parents.get(place, "")))
    if len(set(keys.values())) < len(keys):
        twice = len(keys) - len(set(keys.values()))
        problems.append(f"{twice:,} row(s) name what another row names")
    england = [key[1:] for key in keys.values() if key[0] == ENGLAND]
    check_groups(
        [key for key in england if key[0] != "benchmark_group"],
        vocabulary,
        problems,
        notes,
        listed=False,
    )
    columns = list(zip(*keys.values(), strict=True)) or [()] * 5
    return Rows(
        org=columns[0],
        breakdown=columns[1],
        group=columns[2],
        within=columns[3],
        within_group=columns[4],
        kept=np.array(list(keys), dtype=np.intp),
        organisations=_organisations(names, vocabulary.definitions.england),
        means=np.array([kinds[place][0] != "organisation" for place in keys], dtype=bool),
    )


def _own_key(kind: str, name: str) -> Key | None:
    """Key of a row that does not depend on the rows beside it."""
    if kind in ("organisation", "england"):
        return ALL_STAFF
    return ("benchmark_group", name) if kind == "type" else None


def _within(parent: str) -> Key:
    return ("benchmark_group", parent) if parent else ("", "")


def _kinds(
    labels: Sequence[tuple[str, ...]], vocabulary: Vocabulary
) -> tuple[list[Key], dict[str, str]]:
    """What each row is, with its name; and the names of organisations by code."""
    definitions = vocabulary.definitions
    types = definitions.benchmark_groups_of(vocabulary.year)
    kinds: list[Key] = []
    names: dict[str, str] = {}
    for row in labels:
        text = folded(row[-1]) if row else ""
        group = types.get(text, types.get(text.removeprefix("all ")))
        if len(row) > 1 and CODE.fullmatch(row[0]):
            names[row[0]] = row[1]
            kinds.append(("organisation", row[0]))
        elif text in definitions.national_rows:
            kinds.append(("england", ""))
        elif group is not None:
            kinds.append(("type", group))
        else:
            kinds.append(("group", row[-1]) if row else ("", ""))
    return kinds, names


def _organisations(names: Mapping[str, str], england: str) -> pd.DataFrame:
    n = len(names) + 1
    return pd.DataFrame(
        {
            "org": [ENGLAND, *names],
            "name": [england, *names.values()],
            "benchmark_group": [None] * n,
            "region": [None] * n,
            "ics": [None] * n,
        },
        dtype="str",
    )


def _groups(
    kinds: Sequence[Key],
    headings: Sequence[str],
    vocabulary: Vocabulary,
    problems: list[str],
) -> dict[int, Key]:
    """Breakdown and group of each row that is one, from its label and the rows beside it."""
    named = vocabulary.definitions.breakdown_names(vocabulary.instrument)
    books = {book.id: book.groups for book in named.values() if book.groups}
    candidates: dict[int, dict[str, str]] = {}
    unknown: list[str] = []
    for place, (kind, label) in enumerate(kinds):
        if kind != "group":
            continue
        found = {b: group for b, names in books.items() if (group := _group(label, names))}
        told = [named[folded(t)].id for t in headings[place].split("\n") if folded(t) in named]
        if told:
            found = {b: group for b, group in found.items() if b == told[-1]}
        if found:
            candidates[place] = found
        else:
            unknown.append(label[:60])
    if unknown:
        shown = ", ".join(map(repr, unknown[:6]))
        problems.append(f"{len(unknown)} row label(s) not understood: {shown}")
    settled = {place: next(iter(c)) for place, c in candidates.items() if len(c) == 1}
    waiting = [place for place in candidates if place not in settled]
    while waiting:
        open_before = len(waiting)
        for place in list(waiting):
            beside = {settled[p] for p in (place - 1, place + 1) if p in settled}
            fitting = beside & set(candidates[place])
            if len(fitting) == 1:
                settled[place] = fitting.pop()
                waiting.remove(place)
        if len(waiting) == open_before:
            labels = ", ".join(repr(kinds[place][1][:60]) for place in waiting[:6])
            problems.append(f"row(s) that could belong to several breakdowns: {labels}")
            break
    return {
        place: (breakdown, candidates[place][breakdown]) for place, breakdown in settled.items()
    }


def _group(label: str, names: Mapping[str, str]) -> str:
    text = folded(label)
    plain = text.removesuffix(" staff")
    for spelling in (text, plain, f"any {plain}"):
        if spelling in names:
            return names[spelling]
    return ""


def _parents(
    kinds: Sequence[Key],
    groups: Mapping[int, Key],
    bases: NDArray[np.float64],
    problems: list[str],
) -> dict[int, str]:
    """Type of trust that each row of a group is within; not there if it is of all trusts."""
    found: dict[int, str] = {}
    england = next((p for p, (kind, _) in enumerate(kinds) if kind == "england"), None)
    if england is None:
        return found
    runs = groupby(sorted(groups), key=lambda place: (groups[place][0], _above(kinds, place)))
    for (breakdown, above), members in runs:
        run = list(members)
        people = np.nansum(bases[run], axis=0)
        fitting = []
        for parent in dict.fromkeys([england, *([] if above is None else [above])]):
            with np.errstate(divide="ignore", invalid="ignore"):
                share = people / bases[parent]
            known = share[np.isfinite(share)]
            if len(known) and known.max() <= 1 + 1e-9 and np.median(known) >= WHOLE:
                fitting.append(parent)
        if len(fitting) != 1:
            what = "fit several rows above them" if fitting else "fit none of the rows above them"
            problems.append(f"the numbers of responses of the groups of {breakdown} {what}")
        elif fitting[0] != england:
            found.update((place, kinds[fitting[0]][1]) for place in run)
    return found


def _above(kinds: Sequence[Key], place: int) -> int | None:
    """Nearest row above that is a type of trust."""
    return next((p for p in range(place - 1, -1, -1) if kinds[p][0] == "type"), None)
