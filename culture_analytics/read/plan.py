"""Settles what every column is in one survey year, out of what it could be."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from culture_analytics.errors import ExtractError
from culture_analytics.instrument import Instrument, Question
from culture_analytics.read.claims import Claim, reading_in
from culture_analytics.read.headers import ending, fold, trailing_wording
from culture_analytics.read.rules import ReadingRules

__all__ = ["ColumnPlan", "plan_columns"]


@dataclass(frozen=True)
class ColumnPlan:
    """Columns settled for one year.

    Attributes
    ----------
    year : int
        Survey year.
    items : mapping of str to tuple of str and Question
        Item id to header and question.
    lists : mapping of str to str
        Header of a "select all that apply" column holding lists, to the stem of its number.
    variant : str
        ``form`` or ``extract`` where the year has two numberings and it matters.
    local : tuple of str
        Headers kept as the trust's own columns.
    not_asked : tuple of str
        Headers of questions or items that the year's questionnaire does not have.
    passed_over : mapping of str to str
        Headers not used, and why.
    """

    year: int
    items: Mapping[str, tuple[str, Question]]
    lists: Mapping[str, str]
    variant: str
    local: tuple[str, ...]
    not_asked: tuple[str, ...]
    passed_over: Mapping[str, str]


def plan_columns(
    claims: Sequence[Claim],
    year: int,
    instrument: Instrument,
    rules: ReadingRules,
    *,
    where: str,
    strangeness: Callable[[str, Question], float],
) -> ColumnPlan:
    """Settle every column for one year.

    Parameters
    ----------
    claims : sequence of Claim
        From `claim_columns`.
    year : int
        Survey year.
    instrument : Instrument
        The questionnaire.
    rules : ReadingRules
        Words for the options of "select all" questions.
    where : str
        File and sheet, for messages.
    strangeness : callable
        Share of a column's answers that a question's scale does not have; decides between two
        numberings of one year where the numbers alone do not.

    Returns
    -------
    ColumnPlan
        Every header is in exactly one of its parts, roles apart.

    Raises
    ------
    ExtractError
        If two columns are one item, or two numberings fit equally well.
    """
    variant = _variant(claims, year, instrument, where, strangeness)
    by_number = {
        number: question
        for number, questions in instrument.numbers(year).items()
        for question in questions
        if question.variant in {"", "alias", variant}
    }
    stems: dict[str, list[Question]] = defaultdict(list)
    for number, option in by_number.items():
        if "_" in number:
            stems[number.split("_")[0]].append(option)
    shared = Counter(c.readings[0] for c in claims if not c.role and c.readings)
    found: dict[str, list[tuple[Claim, Question]]] = defaultdict(list)
    lists: dict[str, str] = {}
    not_asked: list[str] = []
    for claim in (claim for claim in claims if not claim.role):
        stem = claim.readings[0] if claim.readings else ""
        question = _question_of(claim, year, instrument, by_number)
        if question is None and stem in stems:
            question = _by_wording(claim, stems[stem], rules)
            if question is None and shared[stem] == 1:
                lists[claim.header] = stem
                continue
        if question is None:
            not_asked.append(claim.header)
        else:
            found[question.item].append((claim, question))
    items, passed_over, to_local = _settle(found, where)
    local = [claim.header for claim in claims if claim.role in {"local", "unit"}]
    return ColumnPlan(
        year=year,
        items=items,
        lists=lists,
        variant=variant,
        local=(*local, *to_local),
        not_asked=tuple(not_asked),
        passed_over=passed_over,
    )


def _question_of(
    claim: Claim, year: int, instrument: Instrument, by_number: Mapping[str, Question]
) -> Question | None:
    if claim.item:
        return instrument.question(claim.item, year)
    number = reading_in(claim, by_number)
    return None if number is None else by_number[number]


def _variant(
    claims: Sequence[Claim],
    year: int,
    instrument: Instrument,
    where: str,
    strangeness: Callable[[str, Question], float],
) -> str:
    catalogue = instrument.numbers(year)
    variants = sorted({q.variant for qs in catalogue.values() for q in qs} & {"form", "extract"})
    if not variants:
        return ""
    touched: list[tuple[Claim, tuple[Question, ...]]] = []
    for claim in claims:
        number = None if claim.role else reading_in(claim, catalogue)
        if number is not None and any(q.variant in variants for q in catalogue[number]):
            touched.append((claim, catalogue[number]))
    if not touched:
        return variants[0]
    scores = {v: sum(any(q.variant == v for q in qs) for _, qs in touched) for v in variants}
    best = max(scores.values())
    tied = [variant for variant in variants if scores[variant] == best]
    if len(tied) == 1:
        return tied[0]
    # The same numbers exist in both numberings: the answers say which questions they are.
    strange = {
        v: sum(strangeness(c.header, q) for c, qs in touched for q in qs if q.variant == v)
        for v in tied
    }
    ranked = sorted(tied, key=lambda v: strange[v])
    if strange[ranked[1]] - strange[ranked[0]] > 0.05:
        return ranked[0]
    claim, questions = touched[0]
    choices = " or ".join(f'"{q.item}"' for q in questions)
    raise ExtractError(
        f"{len(touched):,} column(s) of {where} have two meanings in {year}, whose printed form "
        "and data extract number the last questions differently: "
        f"{', '.join(repr(c.header[:60]) for c, _ in touched[:6])}. Say what they are, for example "
        f'columns={{"{claim.header[:60]}": {choices}}}.'
    )


def _by_wording(
    claim: Claim, questions: Sequence[Question], rules: ReadingRules
) -> Question | None:
    """Find the option of a "select all" question that ends a header's wording."""
    wording = trailing_wording(claim.header)
    best: tuple[int, Question] | None = None
    for question in questions:
        for word in rules.options.get(question.item, ()):
            folded = fold(word)
            ends = wording == folded or re.search(rf"(^|[\s:\-(]){re.escape(folded)}\)?$", wording)
            if ends and (best is None or len(folded) > best[0]):
                best = (len(folded), question)
    return None if best is None else best[1]


def _settle(
    found: Mapping[str, Sequence[tuple[Claim, Question]]], where: str
) -> tuple[dict[str, tuple[str, Question]], dict[str, str], list[str]]:
    """One column an item: the user's word, then a question number, then an item's name."""
    items: dict[str, tuple[str, Question]] = {}
    passed_over: dict[str, str] = {}
    to_local: list[str] = []
    twice: list[str] = []
    for item, offers in found.items():
        ranked = sorted(offers, key=lambda offer: _rank(offer[0]))
        first = [offer for offer in ranked if _rank(offer[0]) == _rank(ranked[0][0])]
        if len(first) > 1:
            labelled = [offer for offer in first if ending(offer[0].header) == "label"]
            if len(labelled) == 1:
                for claim, _ in first:
                    if claim is not labelled[0][0]:
                        passed_over[claim.header] = "the labels of the same question were used"
                first = labelled
            else:
                names = " and ".join(repr(claim.header[:60]) for claim, _ in first)
                twice.append(f"{names} are both {first[0][1].number} ({item})")
        elif first[0][0].mapped:
            # The user's word must not push a column aside that says itself what it is.
            own = [repr(claim.header[:60]) for claim, _ in ranked[1:] if claim.readings]
            if own:
                names = " and ".join([repr(first[0][0].header[:60]), *own])
                twice.append(f"{names} are both {first[0][1].number} ({item})")
        items[item] = (first[0][0].header, first[0][1])
        to_local += [claim.header for claim, _ in ranked if _rank(claim) > _rank(first[0][0])]
    if twice:
        raise ExtractError(
            f"{len(twice):,} question(s) of {where} have two columns each: {'; '.join(twice[:6])}. "
            'Remove one of each, or say columns={"<header>": "ignore"}.'
        )
    return items, passed_over, to_local


def _rank(claim: Claim) -> int:
    if claim.mapped:
        return 0
    return 1 if claim.readings else 2
