"""The columns of a table as questions of the survey: which item or score, which answer.

The instrument of the file's year says what a number means; the answers in the headings say
whether it is true. A question or an answer that is not understood is a problem or a note with its
name, never a column less.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from culture_analytics.instrument import Instrument, Item, Question
from culture_analytics.read.headers import question_readings
from culture_analytics.read.published.cells import folded
from culture_analytics.read.published.definitions import Definitions
from culture_analytics.read.published.grid import Column, Table

__all__ = [
    "Block",
    "Vocabulary",
    "match_answer",
    "missing_questions",
    "never_weighted",
    "table_blocks",
]


@dataclass(frozen=True, eq=False)
class Block:
    """One question's figures.

    Attributes
    ----------
    sheet : str
        Worksheet.
    number : str
        Question number or score code as the file writes it.
    kind : str
        ``answers`` (one answer a person), ``tick`` (one ground) or ``score``.
    id : str
        Item or score.
    answers : tuple of str
        Answer of each column of `values`; ``("",)`` for a ground or a score.
    values, status : ndarray, shape (rows, answers)
        Figures, and positions in `STATUSES`.
    base, base_status : ndarray, shape (rows,)
        Number of responses.
    weighting : tuple of str
        Weighting label of each row.
    absent : tuple of str
        Answers of that year that have no column.
    overlapping : bool
        Whether one person may be in several answers, so that they add up to more than 100.
    tolerance : float
        Percentage points by which answers may miss 100; the official files keep to the default.
    """

    sheet: str
    number: str
    kind: str
    id: str
    answers: tuple[str, ...]
    values: NDArray[np.float64] = field(repr=False)
    status: NDArray[np.int8] = field(repr=False)
    base: NDArray[np.float64] = field(repr=False)
    base_status: NDArray[np.int8] = field(repr=False)
    weighting: tuple[str, ...] = field(repr=False)
    absent: tuple[str, ...] = ()
    overlapping: bool = False
    tolerance: float = 0.01


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """What numbers, codes and headings mean in one year.

    Attributes
    ----------
    year : int
        Survey year.
    instrument : Instrument
        The questionnaire.
    definitions : Definitions
        How workbooks spell things.
    """

    year: int
    instrument: Instrument
    definitions: Definitions

    @cached_property
    def numbers(self) -> Mapping[str, tuple[Question, ...]]:
        """Question number -> the questions it may stand for."""
        return self.instrument.numbers(self.year)

    @cached_property
    def scores(self) -> Mapping[str, str]:
        """Folded published code -> score id."""
        return self.definitions.score_names(self.instrument)


@dataclass(frozen=True)
class _Meaning:
    kind: str
    id: str
    answers: tuple[str, ...]
    absent: tuple[str, ...] = ()


def table_blocks(
    table: Table,
    rows: NDArray[np.intp],
    vocabulary: Vocabulary,
    *,
    problems: list[str],
    unknown: list[str],
) -> list[Block]:
    """Cut a table into questions.

    Parameters
    ----------
    table : Table
        A worksheet.
    rows : ndarray of int
        Order in which to take its rows.
    vocabulary : Vocabulary
        What numbers and headings mean in the year of the file.
    problems, unknown : list of str
        Filled with what is wrong, and with the questions the instrument does not have.

    Returns
    -------
    list of Block
    """
    blocks = []
    weighting = tuple(table.identifiers["weighting"][row].lower() for row in rows)
    numbered = list(enumerate(table.columns))
    for question, group in groupby(numbered, key=lambda pair: pair[1].question):
        places, columns = zip(*group, strict=True)
        number = _head(question)
        shape = _shape(columns)
        if shape:
            problems.append(f"sheet {table.sheet!r}: {number}: {shape}")
            continue
        answer_places, base_place = list(places[:-1]), places[-1]
        meaning = _meaning(question, columns[:-1], vocabulary)
        if meaning is None:
            unknown.append(f"{number} ({len(columns)} columns of sheet {table.sheet!r})")
            continue
        if isinstance(meaning, str):
            problems.append(f"sheet {table.sheet!r}: {number}: {meaning}")
            continue
        blocks.append(
            Block(
                sheet=table.sheet,
                number=number,
                kind=meaning.kind,
                id=meaning.id,
                answers=meaning.answers,
                values=table.values[np.ix_(rows, answer_places)],
                status=table.status[np.ix_(rows, answer_places)],
                base=table.values[rows, base_place],
                base_status=table.status[rows, base_place],
                weighting=weighting,
                absent=meaning.absent,
            )
        )
    return blocks


def _head(question: str) -> str:
    """Take the number or code before the wording: they are written ``<code> - <wording>``."""
    return re.split(r"\s+[-\u2010-\u2015\u2212]\s+", question.strip(), maxsplit=1)[0][:40]


def _shape(columns: Sequence[Column]) -> str:
    """Say what is wrong with the columns of a question, if anything."""
    kinds = [column.kind for column in columns]
    bases = kinds.count("base")
    if bases == 0:
        return "its base column is missing"
    if bases > 1:
        return f"{bases} base columns stand under it; the heading of a question may be lost"
    if kinds[-1] != "base":
        return "columns follow its base; the heading of a question may be lost"
    if len(columns) == 1:
        return "it has a base and no figures; its columns may be lost"
    if len(set(kinds[:-1])) > 1 or (kinds[0] == "score" and len(columns) > 2):
        return "percentages and scores are mixed under it"
    return ""


def _meaning(
    question: str, columns: Sequence[Column], vocabulary: Vocabulary
) -> _Meaning | str | None:
    """Tell what a question is; a text if it contradicts itself, None if it is not known."""
    head = _head(question)
    if columns[0].kind == "score":
        return _score(head, columns[0].heading, vocabulary)
    numbers = vocabulary.numbers
    asked = next((numbers[r] for r in question_readings(head) if r in numbers), None)
    if asked is None:
        return None
    wording = question[question.find(head) + len(head) :].strip(" -\u2010\u2011\u2012\u2013\u2014")
    # A number that stood for two questions of one year is the one whose answers these are.
    readings = [_answers(q, wording, columns, vocabulary) for q in asked]
    fitting = [reading for reading in readings if isinstance(reading, _Meaning)]
    if len(fitting) > 1:
        return f"it could be {' or '.join(reading.id for reading in fitting)}"
    return (fitting or readings)[0]


def _score(head: str, heading: str, vocabulary: Vocabulary) -> _Meaning | str | None:
    score = vocabulary.scores.get(folded(head))
    if score is None:
        return None
    if vocabulary.scores.get(folded(_head(heading))) != score:
        return f"its column is headed {heading[:60]!r}"
    return _Meaning("score", score, ("",))


def _answers(
    question: Question, wording: str, columns: Sequence[Column], vocabulary: Vocabulary
) -> _Meaning | str:
    item = vocabulary.instrument.items[question.item]
    if item.kind == "tick":
        return _ground(item, wording, columns, vocabulary.definitions)
    found = [match_answer(column.heading, question, item) for column in columns]
    strange = [c.heading[:60] for c, label in zip(columns, found, strict=True) if label is None]
    if strange:
        return (
            f"{len(strange)} answer(s) not among those of {item.id} in {question.year}: "
            + ", ".join(map(repr, strange[:6]))
        )
    answers = tuple(label for label in found if label is not None)
    twice = sorted({label for label in answers if answers.count(label) > 1})
    if twice:
        return f"answer(s) in two columns: {', '.join(map(repr, twice))}"
    absent = tuple(label for label in question.scale.labels if label not in answers)
    return _Meaning("answers", item.id, answers, absent)


def _ground(
    item: Item, wording: str, columns: Sequence[Column], definitions: Definitions
) -> _Meaning | str:
    """Check a ground of discrimination: one column, whose words must be that ground's."""
    if len(columns) != 1:
        return f"{len(columns)} percentages where a ground of discrimination has one"
    heading = columns[0].heading.removeprefix("%").strip()
    named = {definitions.ground(text) for text in (wording, heading)}
    if named - {item.id, None}:
        return f"headed {heading[:60]!r}, which is not {item.id}: check the year"
    return _Meaning("tick", item.id, ("",))


def match_answer(heading: str, question: Question, item: Item) -> str | None:
    """Find the answer a column heading names, among those of the year.

    Parameters
    ----------
    heading : str
        Such as ``% Yes, I reported it``.
    question : Question
        The item in that year.
    item : Item
        The item, whose scale holds further spellings.

    Returns
    -------
    str or None
        Label of the instrument; None if no answer or more than one fits.
    """
    text = folded(heading.strip().removeprefix("%"))
    aliases = {**item.scale.aliases, **question.scale.aliases}
    exact = {folded(label): label for label in question.scale.labels}
    exact.update((folded(a), label) for a, label in aliases.items() if not a.startswith("~"))
    found = exact.get(text)
    if found is None:
        holding = {
            label for a, label in aliases.items() if a.startswith("~") and folded(a[1:]) in text
        }
        found = holding.pop() if len(holding) == 1 else None
    return found if found in question.scale.labels else None


def missing_questions(
    blocks: Iterable[Block], vocabulary: Vocabulary
) -> tuple[list[str], list[str]]:
    """List what a year's workbook should have and this one lacks.

    Returns
    -------
    missing : list of str
        Expected in every release.
    optional : list of str
        Known to be left out of some release of that year, or of uncertain numbering.
    """
    year, instrument = vocabulary.year, vocabulary.instrument
    release = vocabulary.definitions.release(year)
    found = {block.id for block in blocks}
    missing: dict[str, str] = {}
    optional: dict[str, str] = {}
    for question in instrument.questions:
        if question.year != year or question.item in found:
            continue
        unsure = question.confidence == "low" and question.variant == "extract"
        lacking = optional if question.item in release.optional_items or unsure else missing
        lacking.setdefault(question.item, f"{question.number} ({question.item})")
    for score in instrument.scores.values():
        if score.first_year <= year and score.id not in found:
            lacking = optional if score.id in release.optional_scores else missing
            lacking[score.id] = f"{score.code} ({score.id})"
    return list(missing.values()), [t for i, t in optional.items() if i not in missing]


def never_weighted(text: str, numbers: Sequence[str], definitions: Definitions) -> set[str]:
    """Questions that the notes of a workbook list as never weighted.

    Parameters
    ----------
    text : str
        Text of the sheets that hold no table.
    numbers : sequence of str
        Question numbers of the workbook.

    Returns
    -------
    set of str
        Those of `numbers` that the list holds, spans (``<first>-<last>``) written out.
    """
    match = re.search(definitions.detailed["never_weighted"], text, re.IGNORECASE | re.DOTALL)
    if match is None:
        return set()
    spans = []
    for part in re.split(r",|\band\b", match["list"]):
        ends = [_place(end) for end in re.split(r"-|\u2013|\bto\b", part) if end.strip()]
        if ends and all(ends):
            spans.append((ends[0], ends[-1]))
    chosen = set()
    for number in numbers:
        place = _place(number)
        # A bound without a letter holds all the lettered parts of its question.
        if place and any(start <= place and place[: len(end)] <= end for start, end in spans):
            chosen.add(number)
    return chosen


def _place(number: str) -> tuple[int | str, ...]:
    match = re.fullmatch(r"\s*q\s*(\d+)([a-z]?)(?:_\d+)?\s*", number, re.IGNORECASE)
    if match is None:
        return ()
    return (int(match[1]), match[2].lower()) if match[2] else (int(match[1]),)
