"""Questions of the unweighted spreadsheets: grounds on one base, and parts of the survey."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from culture_analytics.read.headers import fold
from culture_analytics.read.published.grid import (
    Table,
    quoted,
)
from culture_analytics.read.published.questions import Block, Vocabulary, table_blocks

__all__ = ["missing_from_part", "sheet_blocks"]


def sheet_blocks(
    table: Table,
    rows: NDArray[np.intp],
    vocabulary: Vocabulary,
    problems: list[str],
    unknown: list[str],
) -> list[Block]:
    """Cut a table into questions; a "tick all that apply" one into its grounds."""
    ticked = _ticked(vocabulary)
    plain: list[int] = []
    grounds: dict[str, list[int]] = {}
    for place, column in enumerate(table.columns):
        number = fold(column.question.split(" - ")[0])
        if number in ticked:
            grounds.setdefault(number, []).append(place)
        else:
            plain.append(place)
    single = replace(
        table,
        columns=tuple(table.columns[place] for place in plain),
        values=table.values[:, plain],
        status=table.status[:, plain],
    )
    several = set(vocabulary.definitions.raw["unweighted"]["several_answers"])
    blocks = [
        replace(block, overlapping=bool(block.absent) and block.id in several)
        for block in table_blocks(single, rows, vocabulary, problems=problems, unknown=unknown)
    ]
    for number, places in grounds.items():
        blocks += _grounds(table, rows, number, places, ticked[number], vocabulary, problems)
    return blocks


def _ticked(vocabulary: Vocabulary) -> dict[str, dict[str, str]]:
    """Question number -> ground of discrimination -> number of that ground."""
    found: dict[str, dict[str, str]] = {}
    for number, questions in vocabulary.numbers.items():
        for question in questions:
            if vocabulary.instrument.items[question.item].kind == "tick":
                found.setdefault(number.partition("_")[0], {})[question.item] = number
    return found


def _grounds(
    table: Table,
    rows: NDArray[np.intp],
    number: str,
    places: Sequence[int],
    items: Mapping[str, str],
    vocabulary: Vocabulary,
    problems: list[str],
) -> list[Block]:
    """Give a block a ground, all on the one base of their question."""
    where = f"sheet {table.sheet!r}: {number.replace('q', 'Q', 1)}"
    *options, last = places
    headings = [table.columns[place].heading.removeprefix("%").strip() for place in options]
    named = [vocabulary.definitions.ground(heading) for heading in headings]
    kinds = [table.columns[place].kind for place in places]
    if kinds != ["option"] * len(options) + ["base"]:
        problems.append(f"{where}: it must have one base, behind its options")
        return []
    strange = [h for h, item in zip(headings, named, strict=True) if item not in items]
    missing = [number for item, number in items.items() if item not in named]
    if strange or missing or len(set(named)) < len(named):
        problems.append(
            f"{where}: option(s) not understood: {quoted(strange)}; missing: {', '.join(missing)}"
        )
        return []
    return [
        Block(
            sheet=table.sheet,
            number=items[str(item)].replace("q", "Q", 1),
            kind="tick",
            id=str(item),
            answers=("",),
            values=table.values[rows, place][:, np.newaxis],
            status=table.status[rows, place][:, np.newaxis],
            base=table.values[rows, last],
            base_status=table.status[rows, last],
            weighting=tuple(table.identifiers["weighting"][row] for row in rows),
        )
        for item, place in zip(named, options, strict=True)
    ]


def missing_from_part(
    blocks: Sequence[Block], vocabulary: Vocabulary, notes: str, unknown: Sequence[str]
) -> list[str]:
    """Tell which questions of the workbook's part of the survey are not there.

    The survey comes in ten workbooks; the notes say from which question to which each goes.
    """
    found = {block.id for block in blocks}
    read = {_leading(block.number) for block in blocks}
    told = [
        (int(a), int(b)) for a, b in re.findall(r"\(q(\d+)\s*[-\u2013]\s*q?(\d+)\)", notes, re.I)
    ]
    spans = [(a, b) for a, b in told if any(a <= number <= b for number in read)]
    if not spans and read:
        spans = [(min(read), max(read))]
    missing = [
        f"{question.number} ({question.item})"
        for question in vocabulary.instrument.questions
        if question.year == vocabulary.year
        and question.item not in found
        and question.confidence != "low"
        and any(a <= _leading(question.number) <= b for a, b in spans)
    ]
    twice = sorted({block.number for block in blocks if sum(b.id == block.id for b in blocks) > 1})
    problems = [f"question(s) standing twice: {', '.join(twice)}"] if twice else []
    if missing:
        beside = f"; not understood: {', '.join(unknown[:6])}" if unknown else ""
        problems.append(
            f"{len(missing)} question(s) of {vocabulary.year} are missing: "
            f"{', '.join(missing[:20])}{' ...' if len(missing) > 20 else ''}{beside}"
        )
    return problems


def _leading(number: str) -> int:
    match = re.match(r"q(\d+)", number, re.IGNORECASE)
    return int(match[1]) if match else 0
