"""What each column could be: question numbers, an item id, a role, or what the user says.

A number means different things in different years, so nothing is decided here: every header
becomes a `Claim`, which `plan` settles once the year is known.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass

from culture_analytics.errors import ExtractError
from culture_analytics.instrument import Instrument
from culture_analytics.read.column_map import ColumnMap
from culture_analytics.read.headers import question_readings
from culture_analytics.read.raw import RawColumn, RawTable
from culture_analytics.read.rules import ReadingRules, header_key

__all__ = [
    "Claim",
    "claim_columns",
    "keep_as_local",
    "one_column_a_role",
    "reading_in",
    "role_column",
]

ROLES = ("org", "org_name", "year", "weight", "id", "unit", "local", "ignore")
SINGLE_ROLES = ("org", "org_name", "year")
BARE_AT_LEAST = 5


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


def reading_in(claim: Claim, numbers: Container[str]) -> str | None:
    """Find the first question number a column could be that is one of `numbers`."""
    return next((number for number in claim.readings if number in numbers), None)


def one_column_a_role(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """Leave one column to the organisation, its name and the year; others become local.

    The user's word comes first, then the order of the file.
    """
    extra: set[str] = set()
    for role in SINGLE_ROLES:
        taken = [claim for claim in claims if claim.role == role]
        taken.sort(key=lambda claim: not claim.mapped)
        extra |= {claim.header for claim in taken[1:]}
    return tuple(
        dataclasses.replace(claim, role="local") if claim.header in extra else claim
        for claim in claims
    )


def role_column(table: RawTable, claims: Sequence[Claim], role: str) -> RawColumn | None:
    """Find the column of a role that only one column has; None if none has it."""
    claim = next((claim for claim in claims if claim.role == role), None)
    return None if claim is None else table[claim.header]


def keep_as_local(claims: Sequence[Claim], headers: Collection[str]) -> tuple[Claim, ...]:
    """Forget what some columns were taken for."""
    return tuple(
        Claim(claim.header, role="local") if claim.header in headers else claim for claim in claims
    )
