"""Which column is which: question numbers of a year, item ids, roles and a trust's own map.

A number means different things in different years, so nothing is decided before the year is.
Every header first becomes a `Claim` - what it could be; `plan_columns` then settles the claims
for one year, and `year_fits` says how well each year explains them.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from culture_analytics.errors import ExtractError
from culture_analytics.instrument import Instrument, Question
from culture_analytics.read.detect import clean_path
from culture_analytics.read.headers import ending, fold, question_readings, trailing_wording
from culture_analytics.read.rules import ReadingRules, header_key

__all__ = [
    "Claim",
    "ColumnMap",
    "ColumnPlan",
    "YearFit",
    "claim_columns",
    "column_map",
    "infer_year",
    "plan_columns",
    "snake_case",
    "year_fits",
]

ROLES = ("org", "org_name", "year", "weight", "id", "unit", "local", "ignore")
BARE_AT_LEAST = 5


@dataclass(frozen=True)
class ColumnMap:
    """What a user or a trust's own file says about the columns.

    Attributes
    ----------
    columns : mapping of str to str
        Header and question number, item id or role, in either direction.
    labels : mapping of str to mapping of str to str
        Question number or item id, then text in the file to answer label or code.
    year : int or None
        Survey year.
    org : str or None
        Organisation code.
    units : tuple of str
        Headers of organisation-structure columns, from the largest unit to the smallest.
    source : str
        Where it came from, for messages.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    year: int | None = None
    org: str | None = None
    units: tuple[str, ...] = ()
    source: str = "columns="


_SECTIONS = frozenset({"columns", "labels", "year", "org", "units"})


def column_map(columns: Mapping[str, Any] | str | Path | None) -> ColumnMap:
    """Read the ``columns=`` argument.

    Parameters
    ----------
    columns : mapping, str, Path or None
        A mapping between headers and question numbers, item ids or roles, in either direction; or
        the path of a TOML file with ``[columns]``, ``[labels.<item>]``, ``year``, ``org`` and
        ``units``; or a mapping of the same shape as that file.

    Returns
    -------
    ColumnMap
        The same, in one form.

    Raises
    ------
    ExtractError
        If the file does not exist, is not TOML or has a part that is not known.
    """
    if columns is None:
        return ColumnMap()
    if isinstance(columns, Mapping):
        nested = set(columns) <= _SECTIONS and any(
            isinstance(value, Mapping | list | tuple | int) for value in columns.values()
        )
        return _from_sections(columns, "columns=") if nested else _from_flat(columns)
    file = clean_path(columns)
    if not file.is_file():
        raise ExtractError(
            f"There is no column file {file}. columns= takes a mapping such as "
            '{"Local name": "hba_managers"}, or the path of a TOML file.'
        )
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ExtractError(
            f"{file.name} is not a TOML file in UTF-8: {problem}. Write names and answers in "
            'quotation marks: "Local name" = "hba_managers".'
        ) from None
    return _from_sections(raw, file.name)


def _from_flat(columns: Mapping[str, Any]) -> ColumnMap:
    wrong = [str(key) for key, value in columns.items() if not isinstance(value, str)]
    if wrong:
        raise ExtractError(
            f"columns= holds {len(wrong):,} entry(ies) that are not text to text: "
            f"{', '.join(wrong[:5])}. Write {{'Local name': 'hba_managers'}}."
        )
    return ColumnMap(columns={str(key): str(value) for key, value in columns.items()})


def _from_sections(raw: Mapping[str, Any], source: str) -> ColumnMap:
    unknown = sorted(set(raw) - _SECTIONS)
    if unknown:
        raise ExtractError(
            f"{source} has {len(unknown):,} part(s) that are not known: {', '.join(unknown)}. "
            f"Known: {', '.join(sorted(_SECTIONS))}. Names of columns go under [columns]."
        )
    labels: dict[str, dict[str, str]] = {}
    for item, answers in raw.get("labels", {}).items():
        if not isinstance(answers, Mapping):
            raise ExtractError(
                f"{source}: labels of {item} must be a table, for example [labels.{item}] with "
                '"1" = "Yes" under it.'
            )
        labels[str(item)] = {str(text): str(answer) for text, answer in answers.items()}
    year = raw.get("year")
    if year is not None and (isinstance(year, bool) or not str(year).strip().isdigit()):
        raise ExtractError(f"{source}: year must be a number such as 2024.")
    units = raw.get("units", ())
    return ColumnMap(
        columns={str(key): str(value) for key, value in raw.get("columns", {}).items()},
        labels=labels,
        year=None if year is None else int(year),
        org=None if raw.get("org") is None else str(raw["org"]),
        units=(str(units),) if isinstance(units, str) else tuple(map(str, units)),
        source=source,
    )


@dataclass(frozen=True)
class Claim:
    """What one column could be, before the year is known.

    Attributes
    ----------
    header : str
        As in the file.
    readings : tuple of str
        Question numbers it could be, the most specific first.
    item : str
        Item id it is by name; empty if none.
    role : str
        ``org``, ``year``, ``weight``, ``id`` ..., ``local``; empty for a question.
    mapped : bool
        True if the user said so.
    """

    header: str
    readings: tuple[str, ...] = ()
    item: str = ""
    role: str = ""
    mapped: bool = False


def claim_columns(
    headers: Sequence[str],
    instrument: Instrument,
    rules: ReadingRules,
    given: ColumnMap,
    where: str,
) -> tuple[Claim, ...]:
    """Say of every column what it could be.

    Parameters
    ----------
    headers : sequence of str
        Column headers, in file order.
    instrument : Instrument
        The questionnaire.
    rules : ReadingRules
        Names of columns that are not questions.
    given : ColumnMap
        What the user says.
    where : str
        File and sheet, for messages.

    Returns
    -------
    tuple of Claim
        One for each header, in order.

    Raises
    ------
    ExtractError
        If the user names a column that does not exist, or maps one to nothing known.
    """
    mapped = _mapped_claims(headers, instrument, given, where)
    numbers = {question.number for question in instrument.questions}
    known = numbers | {number.split("_")[0] for number in numbers}
    bare = _bare_numbers(headers, known)
    return tuple(
        mapped.get(header) or _claim(header, instrument, rules, known, bare) for header in headers
    )


def _claim(
    header: str, instrument: Instrument, rules: ReadingRules, known: set[str], bare: bool
) -> Claim:
    key = header_key(header)
    if key in rules.roles:
        return Claim(header, role=rules.roles[key])
    readings = question_readings(header, bare=bare)
    kept = tuple(number for number in readings if number in known)
    if readings:
        return Claim(header, readings=kept or readings)
    if key.replace(" ", "_") in instrument.items:
        return Claim(header, item=key.replace(" ", "_"))
    if key in rules.units:
        return Claim(header, role="unit")
    return Claim(header, role="local")


def _bare_numbers(headers: Sequence[str], known: set[str]) -> bool:
    """Numbers without a q count only where the whole file is written so."""
    if any(question_readings(header) for header in headers):
        return False
    found = sum(
        any(number in known for number in question_readings(header, bare=True))
        for header in headers
    )
    return found >= BARE_AT_LEAST


def _mapped_claims(
    headers: Sequence[str], instrument: Instrument, given: ColumnMap, where: str
) -> dict[str, Claim]:
    claims: dict[str, Claim] = {}
    problems: list[str] = []
    pairs = [*given.columns.items(), *((unit, "unit") for unit in given.units)]
    for left, right in pairs:
        claim = _mapped_claim(left, right, headers, instrument)
        if isinstance(claim, Claim):
            if claim.role == "unit" and claim.header in claims:
                continue
            claims[claim.header] = claim
        else:
            problems.append(claim)
    if problems:
        raise ExtractError(
            f"{len(problems):,} entry(ies) of {given.source} do not fit {where}.\n  "
            + "\n  ".join(problems)
        )
    return claims


def _mapped_claim(
    left: str, right: str, headers: Sequence[str], instrument: Instrument
) -> Claim | str:
    for name, target in ((left, right), (right, left)):
        header = _find_header(name, headers)
        claim = _target(target, header or "", instrument)
        if header is not None and claim is not None:
            return claim
    header = _find_header(left, headers) or _find_header(right, headers)
    if header is not None:
        target = right if _find_header(left, headers) else left
        return (
            f"{target!r} is no question number, item id or role (roles: {', '.join(ROLES)}) "
            f"for column {header!r}."
        )
    near = difflib.get_close_matches(left, headers, n=2, cutoff=0.6)
    near += difflib.get_close_matches(right, headers, n=1, cutoff=0.6)
    hint = f" Nearest: {', '.join(dict.fromkeys(near))}." if near else ""
    return f"{left!r} = {right!r}: there is no column of either name.{hint}"


def _find_header(name: str, headers: Sequence[str]) -> str | None:
    if name in headers:
        return name
    wanted = header_key(name)
    found = [header for header in headers if header_key(header) == wanted]
    return found[0] if len(found) == 1 else None


def _target(text: str, header: str, instrument: Instrument) -> Claim | None:
    key = header_key(text).replace(" ", "_")
    if key in ROLES:
        return Claim(header, role=key, mapped=True)
    if key in instrument.items:
        return Claim(header, item=key, mapped=True)
    numbers = {question.number for question in instrument.questions}
    known = numbers | {number.split("_")[0] for number in numbers}
    readings = tuple(n for n in question_readings(text, bare=True) if n in known)
    return Claim(header, readings=readings, mapped=True) if readings else None


@dataclass(frozen=True)
class YearFit:
    """How well one year's questionnaire explains the question numbers of a file.

    Attributes
    ----------
    year : int
        Survey year.
    matched : int
        Question columns that the year has.
    strangers : tuple of str
        Headers of questions that another year has and this one has not.
    complete : bool
        True if every item of the year is in the file.
    likeness : float
        Shared numbers over all numbers of the two, 0 to 1.
    """

    year: int
    matched: int
    strangers: tuple[str, ...]
    complete: bool
    likeness: float


def year_fits(claims: Iterable[Claim], instrument: Instrument) -> dict[int, YearFit]:
    """Compare the question numbers of a file with every year's questionnaire."""
    asked = [claim for claim in claims if claim.readings and not claim.role]
    catalogue = {year: _catalogue(instrument, year) for year in instrument.years}
    anywhere = set().union(*catalogue.values())
    asked = [claim for claim in asked if any(n in anywhere for n in claim.readings)]
    fits = {}
    for year, numbers in catalogue.items():
        found = [_reading(claim, numbers) for claim in asked]
        items = {question.item for number in found if number for question in numbers[number]}
        matched = sum(number is not None for number in found)
        size = len({q.item for q in instrument.questions if q.year == year and q.variant != "form"})
        fits[year] = YearFit(
            year=year,
            matched=matched,
            strangers=tuple(
                c.header for c, number in zip(asked, found, strict=True) if number is None
            ),
            complete=any(wanted <= items for wanted in _complete_sets(instrument, year)),
            likeness=matched / max(len(asked) + size - matched, 1),
        )
    return fits


def _catalogue(instrument: Instrument, year: int) -> dict[str, list[Question]]:
    """List the questions of each number; for the stem of a "select all", those of its options."""
    found: dict[str, list[Question]] = defaultdict(list)
    for number, questions in instrument.numbers(year).items():
        found[number] += questions
        if "_" in number:
            found[number.split("_")[0]] += questions
    return found


def _complete_sets(instrument: Instrument, year: int) -> list[set[str]]:
    questions = [q for q in instrument.questions if q.year == year]
    variants = {q.variant for q in questions} & {"form", "extract"} or {""}
    return [{q.item for q in questions if q.variant in {"", variant}} for variant in variants]


def _reading(claim: Claim, numbers: Container[str]) -> str | None:
    return next((number for number in claim.readings if number in numbers), None)


def infer_year(fits: Mapping[int, YearFit], title: Sequence[str], where: str) -> tuple[int, str]:
    """Find the survey year that the question numbers determine.

    Parameters
    ----------
    fits : mapping of int to YearFit
        From `year_fits`.
    title : sequence of str
        Text above the header; a year in it decides between years that fit equally.
    where : str
        File and sheet, for the message.

    Returns
    -------
    year : int
        The year.
    reason : str
        How it was found, for the report.

    Raises
    ------
    ExtractError
        If no year or more than one year fits, with the years that do.
    """
    most = max((fit.matched for fit in fits.values()), default=0)
    if most == 0:
        raise ExtractError(
            f"The survey year of {where} cannot be told: no column has a question number. Give "
            "it: read_extract(..., year=2024)."
        )
    fitting = [fit for fit in fits.values() if not fit.strangers]
    if len(fitting) == 1:
        return fitting[0].year, "the only year whose questionnaire has all these question numbers"
    complete = [fit for fit in fitting if fit.complete]
    if len(complete) == 1:
        return complete[0].year, "the only year whose whole questionnaire is there"
    named = {int(year) for text in title for year in re.findall(r"\b20\d\d\b", text)}
    titled = [fit.year for fit in fitting if fit.year in named]
    if len(titled) == 1 and len(named) == 1:
        return titled[0], "the year named above the header, which the question numbers fit"
    if fitting:
        years = ", ".join(str(fit.year) for fit in fitting)
        raise ExtractError(
            f"The survey year of {where} cannot be told from its columns: they fit {years}. Say "
            "which one it is: read_extract(..., year=...)."
        )
    best = min(len(fit.strangers) for fit in fits.values())
    years = ", ".join(str(fit.year) for fit in fits.values() if len(fit.strangers) == best)
    raise ExtractError(
        f"The survey year of {where} cannot be told from its columns: no year has all its "
        f"question numbers (nearest: {years}, without {best:,} of them). Give year=, and name "
        'local questions with columns={"...": "local"}.'
    )


def check_year(year: int, fits: Mapping[int, YearFit], instrument: Instrument, where: str) -> None:
    """Refuse a year whose questionnaire lacks columns that another year explains.

    Raises
    ------
    ExtractError
        If the year is not known, or another year fits better.
    """
    if year not in fits:
        raise ExtractError(
            f"Survey year {year} is not known; the questionnaire covers {instrument.years[0]} to "
            f"{instrument.years[-1]}. A later year needs its own definition files: "
            "read_extract(..., instrument=load_instrument(folder))."
        )
    mine = fits[year]
    if not mine.strangers:
        return
    better = [
        fit
        for fit in fits.values()
        if len(fit.strangers) < len(mine.strangers) and fit.likeness > mine.likeness
    ]
    if not better:
        return
    best = max(better, key=lambda fit: (-len(fit.strangers), fit.likeness))
    same = [
        fit.year
        for fit in better
        if len(fit.strangers) == len(best.strangers) and abs(fit.likeness - best.likeness) < 0.02
    ]
    shown = ", ".join(repr(header[:60]) for header in mine.strangers[:6])
    more = f" and {len(mine.strangers) - 6:,} more" if len(mine.strangers) > 6 else ""
    raise ExtractError(
        f"{where} does not look like the {year} survey: {len(mine.strangers):,} of its question "
        f"numbers were not asked in {year} ({shown}{more}). It fits "
        f"{' or '.join(map(str, sorted(same)))}.\n"
        f"  Try: read_extract(..., year={best.year}). If these are local questions, keep them with "
        f'columns={{"{mine.strangers[0][:60]}": "local"}}.'
    )


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
    for number, question in by_number.items():
        if "_" in number:
            stems[number.split("_")[0]].append(question)
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
    number = _reading(claim, by_number)
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
        number = None if claim.role else _reading(claim, catalogue)
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


def snake_case(header: str, taken: Iterable[str] = ()) -> str:
    """Give a local column a plain name that nothing else has.

    Examples
    --------
    >>> snake_case("Sub-Directorate (2024)")
    'sub_directorate_2024'
    """
    name = re.sub(r"[^0-9a-z]+", "_", fold(header).replace("'", "")).strip("_") or "column"
    if name[0].isdigit():
        name = f"column_{name}"
    used = set(taken)
    if name not in used:
        return name
    name = f"local_{name}"
    number = 2
    free = name
    while free in used:
        free = f"{name}_{number}"
        number += 1
    return free
