"""Tells respondents from published results by the first rows of a file.

The two readers take different files that look alike to a person: both hold question numbers and
organisation codes. Each reader asks here before it starts, so that each can point to the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from culture_analytics.read.headers import count_questions, fold
from culture_analytics.read.rules import header_key

__all__ = ["looks_like_extract", "looks_like_published"]

Tops = Mapping[str, Sequence[Sequence[str]]]

_WIDE_MEASURE = re.compile(r"^[a-z][a-z0-9_]*_20\d\d$")
_OFFICIAL_TITLE = re.compile(
    r"staff survey 20\d\d\s*-\s*(un)?weighted results|^data is (un)?weighted"
)
_CONTRACTOR = ({"questionnumber", "question number"}, {"basesize", "base size", "dimname", "score"})


def looks_like_published(tops: Tops) -> str:
    """Say which kind of published results a file holds.

    Parameters
    ----------
    tops : mapping of str to rows of str
        First rows of every sheet (`FilePeek.tops`), or of the one table under ``""``.

    Returns
    -------
    str
        A few words such as ``"official detailed spreadsheet"``; empty if it is none.
    """
    for rows in tops.values():
        for row in rows:
            kind = _published_row([fold(cell) for cell in row if cell])
            if kind:
                return kind
    return ""


def _published_row(cells: list[str]) -> str:
    keys = {header_key(cell) for cell in cells}
    return next((kind for kind, holds in _SIGNS if holds(cells, keys)), "")


_DETAILED = "published results workbook (detailed spreadsheets)"
# Kind of published file, and what a row of it (folded cells, and their keys) gives away.
_SIGNS: tuple[tuple[str, Callable[[list[str], set[str]], bool]], ...] = (
    (_DETAILED, lambda cells, _: any(cell.startswith("base (number of") for cell in cells)),
    (_DETAILED, lambda _, keys: {"ods code", "benchmarking group"} <= keys),
    (_DETAILED, lambda _, keys: {"breakdown", "breakdown subgroup"} <= keys),
    (_DETAILED, lambda cells, _: any(_OFFICIAL_TITLE.search(cell) for cell in cells)),
    ("published benchmark workbook", lambda cells, _: sum(map(_is_wide, cells)) >= 3),
    ("contractor's table of results", lambda _, keys: all(keys & n for n in _CONTRACTOR)),
    ("pulse survey workbook of results", lambda _, keys: {"engagement score", "org code"} <= keys),
)


def _is_wide(cell: str) -> bool:
    return _WIDE_MEASURE.match(cell) is not None


def looks_like_extract(tops: Tops, known: frozenset[str] | set[str] = frozenset()) -> bool:
    """Tell whether a file seems to hold one row a respondent.

    Parameters
    ----------
    tops : mapping of str to rows of str
        First rows of every sheet (`FilePeek.tops`), or of the one table under ``""``.
    known : set of str, optional
        Item ids; a header of them counts as question numbers do.

    Returns
    -------
    bool
        True if some row is a header of questions and nothing says "published results".
    """
    if looks_like_published(tops):
        return False
    return any(
        count_questions(row) + sum(cell in known for cell in row) >= 3
        for rows in tops.values()
        for row in rows
    )
