"""Checks of the benchmark workbook: are its columns there, can its figures be what they say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from culture_analytics.read.published.benchmark_columns import Pair
from culture_analytics.read.published.benchmark_sheets import Sheet
from culture_analytics.read.published.definitions import Definitions
from culture_analytics.read.published.grid import (
    STATUSES,
    quoted,
)
from culture_analytics.read.published.questions import Vocabulary

__all__ = ["columns_lost", "scores_lost", "without_constant", "wrong_units", "years_between"]

EDGE = 1e-9
MANY = 10
UNAVAILABLE = STATUSES.index("unavailable")


def columns_lost(
    sheets: Sequence[Sheet], pairs: Sequence[Sequence[Pair]], definitions: Definitions
) -> list[str]:
    """Check that all sheets of trusts have the same columns: one that lacks some has lost them."""
    trusts = {
        sheet.sheet: {pair.name for pair in of_sheet}
        for sheet, of_sheet in zip(sheets, pairs, strict=True)
        if sheet.group in definitions.trust_groups
    }
    all_names = dict.fromkeys(name for names in trusts.values() for name in sorted(names))
    problems = []
    for sheet, names in trusts.items():
        lost = [name for name in all_names if name not in names]
        if lost:
            problems.append(
                f"sheet {sheet!r}: {len(lost)} column(s) that other trusts have are missing: "
                f"{quoted(lost)}"
            )
    return problems


def scores_lost(
    sheets: Sequence[Sheet], pairs: Sequence[Sequence[Pair]], vocabulary: Vocabulary
) -> list[str]:
    """Check that the scores of the latest year are there."""
    found = {
        (pair.meaning.measure, pair.year)
        for of_sheet in pairs
        for pair in of_sheet
        if pair.meaning.breakdown == "overall"
    }
    instrument, year = vocabulary.instrument, vocabulary.year
    missing = [
        f"{score.code} ({score.id})"
        for score in instrument.scores.values()
        if score.first_year <= year and (score.id, year) not in found
    ]
    if not missing:
        return []
    return [f"{len(missing)} score(s) of {year} are on no sheet: {quoted(missing, 20)}"]


def years_between(pairs: Sequence[Sequence[Pair]]) -> list[str]:
    """Name the measures that have an earlier and a later year and not those between."""
    held: dict[str, set[int]] = {}
    for pair in (pair for of_sheet in pairs for pair in of_sheet):
        held.setdefault(pair.name.rsplit("_", 1)[0], set()).add(pair.year)
    gaps = [
        f"{name} ({', '.join(map(str, missing))})"
        for name, years in held.items()
        if (missing := sorted(set(range(min(years), max(years))) - years))
    ]
    if not gaps:
        return []
    return [f"{len(gaps)} measure(s) without a year between others: {quoted(gaps, len(gaps))}"]


def wrong_units(sheets: Sequence[Sheet], pairs: Sequence[Sequence[Pair]]) -> list[str]:
    """Check proportions, scores and bases against what they can be."""
    problems: dict[str, list[str]] = {}

    def note(what: str, sheet: Sheet, pair: Pair) -> None:
        problems.setdefault(f"sheet {sheet.sheet!r}: {what}", []).append(pair.name)

    for sheet, of_sheet in zip(sheets, pairs, strict=True):
        for pair in of_sheet:
            shown = pair.value[~np.isnan(pair.value)]
            score = pair.meaning.statistic == "score"
            top = 10 if score else 1
            if ((shown < -EDGE) | (shown > top + EDGE)).any():
                over = not score and bool(((shown >= -EDGE) & (shown <= 100 + EDGE)).all())
                note(
                    "percentages (0 to 100) where proportions (0 to 1) belong"
                    if over
                    else f"figures outside 0 to {top}",
                    sheet,
                    pair,
                )
            elif score and len(shown) and shown.max() <= 1:
                note("scores between 0 and 1, where scores from 0 to 10 belong", sheet, pair)
            bases = pair.base[~np.isnan(pair.base)]
            if ((bases < 0) | (np.abs(bases - np.round(bases)) > 1e-6)).any():
                note("bases that are no whole number of responses", sheet, pair)
            if (~np.isnan(pair.value) & np.isnan(pair.base)).any():
                note("figures without a base", sheet, pair)
    return [f"{what}: {len(names)} column(s): {quoted(names)}" for what, names in problems.items()]


def without_constant(sheets: Sequence[Sheet], pairs: list[list[Pair]]) -> list[str]:
    """Take out columns that hold one figure, not 0, in many rows: no survey gives that."""
    found = []
    for sheet, of_sheet in zip(sheets, pairs, strict=True):
        for place, pair in enumerate(of_sheet):
            shown = pair.value[~np.isnan(pair.value)]
            if len(shown) < MANY or np.ptp(shown) > EDGE or abs(shown[0]) < EDGE:
                continue
            status = np.where(np.isnan(pair.value), pair.status, UNAVAILABLE).astype(np.int8)
            of_sheet[place] = Pair(
                pair.name,
                pair.year,
                pair.meaning,
                np.full_like(pair.value, np.nan),
                status,
                pair.base,
            )
            found.append(f"{pair.name} on sheet {sheet.sheet!r}")
    if not found:
        return []
    return [
        f"{quoted(found)}: every figure is the same, a defect of the file; they are marked "
        "unavailable and not passed on"
    ]
