"""Columns of the benchmark workbook: which measure, year and group of staff each is about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.read.published.benchmark_sheets import FIGURE, Sheet, identifier_names
from culture_analytics.read.published.cells import folded
from culture_analytics.read.published.definitions import Definitions
from culture_analytics.read.published.figures import Figures
from culture_analytics.read.published.grid import (
    STATUSES,
    Column,
    count_filled,
    is_filled,
    quoted,
    read_figures,
)
from culture_analytics.read.published.questions import Vocabulary

__all__ = ["Meaning", "Meanings", "Pair", "pair_figures", "read_pairs"]


@dataclass(frozen=True)
class Meaning:
    """What a measure's columns are, whatever the year."""

    measure: str
    statistic: str  # percent | score | response_rate
    breakdown: str = "overall"
    group: str = "All staff"


@dataclass(frozen=True, eq=False)
class Pair:
    """A measure in a year on one sheet: its figures and their bases."""

    name: str
    year: int
    meaning: Meaning
    value: NDArray[np.float64]
    status: NDArray[np.int8]
    base: NDArray[np.float64]


class Meanings:
    """What the names of measures mean, under the question numbers of one year."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        spec = vocabulary.definitions.raw["benchmark"]
        self._named = {folded(name): measure for name, measure in spec["measures"].items()}
        self._splits: dict[str, tuple[str, Mapping[str, str]]] = {
            name: (split["breakdown"], split["codes"]) for name, split in spec["splits"].items()
        }
        instrument = vocabulary.instrument
        for question in instrument.questions:
            if question.year != vocabulary.year:
                continue
            for breakdown in instrument.breakdowns.values():
                if breakdown.item == question.item and all(
                    len(group.answers) == 1 for group in breakdown.groups
                ):
                    label = {group.answers[0]: group.label for group in breakdown.groups}
                    codes = {
                        str(c): label[a] for c, a in question.scale.codes.items() if a in label
                    }
                    self._splits.setdefault(question.number, (breakdown.id, codes))

    def find(self, name: str) -> tuple[Meaning, bool] | None:
        """Give the meaning of a heading without its year, and whether it is that of a base."""
        text = folded(name)
        for split, (breakdown, codes) in self._splits.items():
            match = re.fullmatch(
                rf"(?P<measure>.+?)_{split}(?P<n1>_n)?_(?P<code>\d+)(?P<n2>_n)?", text
            )
            if match is None:
                continue
            base = bool(match["n1"] or match["n2"])
            whole = self._whole(match["measure"])
            if whole is None or match["code"] not in codes:
                return None
            return Meaning(whole.measure, whole.statistic, breakdown, codes[match["code"]]), base
        base = text.endswith("_n")
        whole = self._whole(text.removesuffix("_n"))
        return None if whole is None else (whole, base)

    def _whole(self, text: str) -> Meaning | None:
        if text == "response_rate":
            return Meaning("response_rate", "response_rate")
        if text in self.vocabulary.scores:
            return Meaning(self.vocabulary.scores[text], "score")
        measure = self._named.get(text)
        if measure is None:
            asked = self.vocabulary.numbers.get(text, ())
            # A number that stood for two questions of one year says nothing by itself.
            measure = asked[0].item if len(asked) == 1 else None
        known = self.vocabulary.instrument.measures.get(measure or "")
        return None if known is None else Meaning(known.id, known.statistic)


def read_pairs(
    sheet: Sheet,
    meanings: Meanings,
    definitions: Definitions,
    problems: list[str],
    unknown: dict[str, int],
    counts: dict[str, int],
) -> list[Pair]:
    """Put figures and bases of a sheet together, by measure and year."""
    where = f"sheet {sheet.sheet!r}"
    identifiers = frozenset[str]().union(*identifier_names().values())
    values: dict[tuple[str, int], tuple[int, Meaning]] = {}
    bases: dict[tuple[str, int], int] = {}
    left: list[int] = []
    counts["headings"] += sum(map(bool, sheet.headings))
    for place, heading in enumerate(sheet.headings):
        if folded(heading) in identifiers:
            counts["identifiers"] += count_filled(row[place] for row in sheet.rows)
            continue
        match = FIGURE.fullmatch(heading)
        told = meanings.find(match["name"]) if match and not match["sig"] else None
        if match is None or told is None:
            if heading and not (match and match["sig"]) and not _significance(heading):
                name = match["name"] if match else heading
                unknown[name] = unknown.get(name, 0) + 1
            elif not heading and any(is_filled(row[place]) for row in sheet.rows):
                problems.append(f"{where}: figures without a heading")
            left.append(place)
            continue
        meaning, is_base = told
        key = (f"{meaning.measure}|{meaning.breakdown}|{meaning.group}", int(match["year"]))
        taken = bases if is_base else values
        if key in taken:
            problems.append(f"{where}: {heading!r} names what another column names")
        if is_base:
            bases[key] = place
        else:
            values[key] = (place, meaning)
    measured = {name for name, _ in bases}
    never = sorted({name for name, _ in values} - measured)
    for name in never:  # without any base nothing can be shown
        shown = name.split("|")[0]
        unknown[f"{shown} (no base in any year)"] = 1
        left += [place for (n, _), (place, _) in values.items() if n == name]
    values = {key: pair for key, pair in values.items() if key[0] not in never}
    alone = [sheet.headings[place] for key, (place, _) in values.items() if key not in bases]
    if alone:
        problems.append(f"{where}: {len(alone)} column(s) without their base: {quoted(alone)}")
    lost = [sheet.headings[place] for key, place in bases.items() if key not in values]
    if lost:
        problems.append(f"{where}: {len(lost)} base(s) without their figures: {quoted(lost)}")
    counts["not read"] += sum(count_filled(row[place] for row in sheet.rows) for place in left)
    keys = [key for key in values if key in bases]
    places = [p for key in keys for p in (values[key][0], bases[key])]
    columns = [Column(place, sheet.headings[place], sheet.headings[place], "option")
               for place in places]  # fmt: skip
    numbers, status = read_figures(sheet.sheet, sheet.rows, columns, definitions, problems)
    figures = int(np.count_nonzero(~np.isnan(numbers)))
    filled = count_filled(row[place] for row in sheet.rows for place in places)
    counts["figures"] += figures
    counts["marks"] += filled - figures
    return [
        Pair(
            name=sheet.headings[values[key][0]],
            year=key[1],
            meaning=values[key][1],
            value=numbers[:, 2 * k],
            status=status[:, 2 * k],
            base=numbers[:, 2 * k + 1],
        )
        for k, key in enumerate(keys)
    ]


def _significance(heading: str) -> bool:
    return "_sig" in folded(heading)


def pair_figures(
    sheets: Sequence[Sheet], pairs: Sequence[Sequence[Pair]], definitions: Definitions
) -> Figures:
    """Put all figures into one array, proportions as percentages, with their keys."""
    value, base, status = [], [], []
    keys: dict[str, list[Any]] = {
        name: []
        for name in ("year", "measure", "statistic", "breakdown", "group", "weighting", "_sheet")
    }
    orgs: list[str] = []
    repeats: list[int] = []
    for sheet, of_sheet in zip(sheets, pairs, strict=True):
        weighting = definitions.group_weighting(sheet.group)
        for pair in of_sheet:
            meaning = pair.meaning
            rate = meaning.statistic == "response_rate"
            value.append(pair.value if meaning.statistic == "score" else 100 * pair.value)
            base.append(pair.base)
            status.append(pair.status)
            orgs += sheet.org
            repeats.append(len(sheet.org))
            for name, text in (
                ("year", pair.year),
                ("measure", meaning.measure),
                ("statistic", meaning.statistic),
                ("breakdown", meaning.breakdown),
                ("group", meaning.group),
                ("weighting", "unweighted" if rate else weighting),
                ("_sheet", sheet.sheet),
            ):
                keys[name].append(text)
    columns: dict[str, Any] = {
        name: _repeated(texts, repeats) for name, texts in keys.items() if name != "year"
    }
    states = pd.Series(list(STATUSES), dtype="str").array
    frame = pd.DataFrame(
        {
            "year": np.repeat(np.array(keys["year"], dtype=np.int64), repeats),
            "org": pd.Series(orgs, dtype="str"),
            "answer": pd.Series([""], dtype="str").array.take(np.zeros(len(orgs), dtype=np.intp)),
            "status": states.take(np.concatenate(status).astype(np.intp)),
            **columns,
        }
    )
    return Figures(frame, np.concatenate(value), np.concatenate(base))


def _repeated(texts: Iterable[str], repeats: Sequence[int]) -> Any:
    texts = list(texts)
    return pd.Series(texts, dtype="str").array.take(np.repeat(np.arange(len(texts)), repeats))
