"""Rows of a contractor's table: columns found, and what question and group each row is about."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.errors import PublishedError
from culture_analytics.instrument import Instrument, Question
from culture_analytics.read.formats import read_table
from culture_analytics.read.headers import question_readings, snake_case
from culture_analytics.read.published.cells import Source, folded
from culture_analytics.read.published.definitions import load_definitions
from culture_analytics.read.published.grid import count_filled, quoted
from culture_analytics.read.published.questions import Vocabulary
from culture_analytics.read.published.rows import ALL_STAFF
from culture_analytics.read.raw import cell_text

__all__ = [
    "COMPARATOR",
    "OWN",
    "WHAT",
    "Meaning",
    "find_headings",
    "read_columns",
    "row_meanings",
    "row_places",
    "row_years",
]

Texts = NDArray[np.object_]
SEARCH_ROWS = 12
REQUIRED = ("year", "number", "dimension", "value", "base")
WHAT = "a contractor's table of results"
OWN, COMPARATOR = "OWN", "COMPARATOR"  # the tables do not say whose they are


@dataclass(frozen=True, eq=False)
class Meaning:
    """What a question number of a year stands for."""

    question: Question | None = None  # a question's answers or positive share
    measure: str = ""
    statistic: str = "percent"


def column_names() -> Mapping[str, frozenset[str]]:
    spec = load_definitions().raw["contractor"]["columns"]
    return {role: frozenset(map(folded, names)) for role, names in spec.items()}


def find_headings(rows: Sequence[Sequence[Any]]) -> int | None:
    """Find the row of headings; None if there is none."""
    roles = column_names()
    for place, row in enumerate(rows[:SEARCH_ROWS]):
        headings = {folded(cell_text(cell)) for cell in row}
        found = {role for role, names in roles.items() if names & headings}
        if {"number", "dimension", "value"} <= found and found & {"score", "share", "option"}:
            return place
    return None


def read_columns(source: Source) -> tuple[dict[str, Texts], dict[str, int], int]:
    """Give the table's columns by role as texts, those of no role, and its filled cells."""
    name = source.file.name
    if source.is_workbook:
        frame, total = _of_workbook(source)
    else:
        expected = [n for names in load_definitions().raw["contractor"]["columns"].values()
                    for n in names]  # fmt: skip
        raw = read_table(source.file.path, expected=expected, error=PublishedError)
        if raw.ragged:
            raise PublishedError(
                f"{name}: {raw.ragged:,} row(s) have more or fewer fields than the headings. "
                "Export the table again."
            )
        frame = raw.data.fillna("")
        filled = sum(column.filled for column in raw.columns)
        total = filled + sum(bool(c) for c in frame.columns) + len(raw.title)
    roles = {
        column: next((r for r, names in column_names().items() if folded(column) in names), "")
        for column in frame.columns
    }
    texts: dict[str, Texts] = {}
    extra: dict[str, int] = {}
    for column, role in roles.items():
        cells = frame[column].to_numpy(dtype=object)
        if role and role not in texts:
            texts[role] = cells
        else:
            extra[column] = int(np.count_nonzero(cells != ""))
    spec = load_definitions().raw["contractor"]["columns"]
    missing = [spec[role][0] for role in REQUIRED if role not in texts]
    if not {"score", "share"} & set(texts):
        missing.append("Score (or OptionCode, OptionText and %)")
    if "share" in texts and "option_text" not in texts:
        missing.append(spec["option_text"][0])
    if missing:
        raise PublishedError(
            f"{name} looks like {WHAT}; {len(missing)} column(s) are missing: {quoted(missing)}. "
            "Export the table with all its columns."
        )
    blank = np.full(len(frame), "", dtype=object)
    texts.setdefault("text", blank)
    texts.setdefault("option", blank)
    return texts, extra, total


def _of_workbook(source: Source) -> tuple[pd.DataFrame, int]:
    tables = {s: h for s, rows in source.sheets.items() if (h := find_headings(rows)) is not None}
    if len(tables) > 1:
        raise PublishedError(
            f"{source.file.name}: {len(tables)} sheets hold a table: {quoted(list(tables))}. "
            "Keep each in a file of its own."
        )
    sheet, header = next(iter(tables.items()))
    rows = source.sheets[sheet]
    others = sum(
        isinstance(cell, int | float)
        for s, of_sheet in source.sheets.items()
        if s != sheet
        for row in of_sheet
        for cell in row
    )
    if others:
        raise PublishedError(
            f"{source.file.name}: {others:,} figure(s) on other sheets than {sheet!r}. Keep the "
            "table alone in its file."
        )
    body = [row for row in rows[header + 1 :] if count_filled(row)]
    headings = [cell_text(cell) for cell in rows[header]]
    columns = {
        heading or f"column {k + 1}": [cell_text(row[k]) for row in body]
        for k, heading in enumerate(headings)
        if heading or any(cell_text(row[k]) for row in body)
    }
    total = sum(map(bool, headings)) + sum(count_filled(row) for row in body)
    return pd.DataFrame(columns, dtype="str"), total


def row_years(
    name: str, texts: Texts, given: int | None, instrument: Instrument, problems: list[str]
) -> NDArray[np.int64]:
    """Give the survey year of every row; what is no known year goes to `problems`."""
    known = {
        text: int(text) for text in pd.unique(texts) if re.fullmatch(r"20\d\d", str(text).strip())
    }
    strange = sum(text not in known for text in texts)
    if strange:
        problems.append(f"{strange:,} row(s) whose year is not a year such as 2024")
    outside = sorted(y for y in known.values() if y not in instrument.years)
    if outside:
        problems.append(
            f"the questionnaire is known from {instrument.years[0]} to {instrument.years[-1]}, not "
            f"{', '.join(map(str, outside))}"
        )
    if given is not None and set(known.values()) != {given}:
        held = ", ".join(map(str, sorted(known.values())))
        problems.append(f"it holds {held}, but year={given} was given")
    return np.array([known.get(text, 0) for text in texts], dtype=np.int64)


def row_meanings(
    asked: pd.DataFrame, instrument: Instrument, problems: list[str]
) -> tuple[list[Meaning | None], list[str], list[str]]:
    """Say of every row what it is about; name the questions not known."""
    asked = asked.assign(text=[_normal(text) for text in asked["text"]])
    unique = asked.drop_duplicates(ignore_index=True)
    books = {
        int(year): Vocabulary(int(year), instrument, load_definitions())
        for year in unique["year"].unique()
    }
    one_numbering, notes = _numbering(unique, books, problems)
    found: dict[tuple[int, str, str], Meaning | None] = {}
    unknown: dict[str, None] = {}
    for year, number, text in unique.itertuples(index=False, name=None):
        book = books[max(books)] if one_numbering else books[year]
        meaning = _score(number, text, book) or _asked(number, book)
        found[year, number, text] = meaning
        if meaning is None:
            unknown[f"{number} ({year})"] = None
    keys = zip(asked["year"], asked["number"], asked["text"], strict=True)
    return [found[key] for key in keys], list(unknown), notes


def _normal(text: str) -> str:
    return folded(re.sub(r"[\r\n]+", " ", str(text)))


def _items(number: str, book: Vocabulary) -> tuple[Question, ...]:
    # In the column of numbers a bare one is a question's too.
    text = str(number).strip()
    readings = question_readings(f"q{text}" if text[:1].isdecimal() else text)
    return next((book.numbers[r] for r in readings if r in book.numbers), ())


def _asked(number: str, book: Vocabulary) -> Meaning | None:
    questions = _items(number, book)
    # A number that stood for two questions of one year says nothing by itself.
    return Meaning(questions[0]) if len({q.item for q in questions}) == 1 else None


def _score(number: str, text: str, book: Vocabulary) -> Meaning | None:
    labels = {folded(s.label): s.id for s in book.instrument.scores.values()}
    wording = text.rsplit(": ", 1)[-1]
    score = book.scores.get(folded(str(number))) or book.scores.get(wording) or labels.get(wording)
    return Meaning(measure=score, statistic="score") if score else None


def _numbering(
    unique: pd.DataFrame, books: Mapping[int, Vocabulary], problems: list[str]
) -> tuple[bool, list[str]]:
    """Tell whether all years stand under the latest numbers, or each under its own.

    A number that meant different things in the years of the table shows it: one wording for all
    years, or a wording a year.
    """
    same = differ = bare = 0
    for _, rows in unique.groupby("number"):
        items = {
            year: {q.item for q in _items(rows["number"].iloc[0], books[year])}
            for year in rows["year"]
        }
        if len({frozenset(i) for i in items.values()}) < 2:
            continue
        texts = set(rows["text"])
        bare += "" in texts
        same += len(texts) == 1 and "" not in texts
        differ += len(texts) > 1
    if bare or (same and differ):
        problems.append(
            "question numbers changed between the years of the table, and its wordings do not say "
            "whether each year has its own: give a table of one year"
        )
    if same and not differ:
        return True, [f"all years stand under the question numbers of {max(books)}"]
    return False, []


def row_places(
    dimensions: Texts, values: Texts, instrument: Instrument
) -> tuple[pd.DataFrame, list[str]]:
    """Organisation, breakdown and group of every row."""
    spec = load_definitions().raw["contractor"]
    named = load_definitions().breakdown_names(instrument)
    groups_of = {book.id: book.groups for book in named.values()}
    for defined in instrument.breakdowns.values():
        groups_of.setdefault(defined.id, {folded(g.label): g.label for g in defined.groups})
    known = {folded(n): b for n, b in spec["breakdowns"].items()}
    whole, comparator = ({folded(n) for n in spec[kind]} for kind in ("whole", "comparator"))
    frame = pd.DataFrame({"dimension": dimensions, "value": values})
    unique = frame.drop_duplicates(ignore_index=True)
    strange: dict[str, list[str]] = {}
    local: dict[str, None] = {}
    keys = []
    for dimension, value in unique.itertuples(index=False, name=None):
        texts = {folded(str(dimension)), folded(str(value))}
        if folded(str(value)) in comparator:
            keys.append((COMPARATOR, *ALL_STAFF))
        elif folded(str(value)) in whole or (texts & whole and not str(value)):
            keys.append((OWN, *ALL_STAFF))
        elif (breakdown := known.get(folded(str(dimension)))) is not None:
            label = groups_of[breakdown].get(folded(str(value)))
            if label is None:
                strange.setdefault(str(dimension), []).append(str(value))
            keys.append((OWN, breakdown, label or str(value).strip()))
        else:
            local[str(dimension)] = None
            keys.append((OWN, snake_case(str(dimension)), str(value).strip()))
    warned = [
        f"{len(groups)} group(s) of {name!r} not known, kept as written"
        for name, groups in strange.items()
    ]
    if local:
        warned.append(f"the organisation's own breakdowns, kept as written: {quoted(list(local))}")
    told = pd.DataFrame(keys, columns=["org", "breakdown", "group"], dtype="str")
    both = pd.concat([unique, told], axis=1)
    placed = frame.merge(both, on=["dimension", "value"], how="left", sort=False)
    return placed[["org", "breakdown", "group"]], warned
