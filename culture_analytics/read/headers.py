"""Spellings of a question number in a column header.

``Q_11_c``, ``Q 11 c``, ``Q 11(c)``, ``Question 11c`` and the number followed by the wording are one
question. A header may be read in more than one way (``Question 15 I think ...`` could be question
15 or 15i), so every reading is offered, the most specific first, and the caller takes the first
that the questionnaire has.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

__all__ = [
    "ending",
    "fold",
    "is_question",
    "question_readings",
    "snake_case",
    "trailing_wording",
]

_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212\ufe58\ufe63\uff0d"), "-")
_QUOTES = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u02bc\u00b4\u0060\u2032"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u2033"), '"'),
}
_JOINTS = re.compile(r" ?([-/&]) ?")  # after runs of blanks are one: a long run costs no time
_BLANKS = re.compile(r"\s+")
_MARKS = {**_DASHES, **_QUOTES, ord("\ufeff"): None, ord("\u200b"): None}

# Number, letter, option; then the end, or a mark or blank that begins the wording. An underscore
# and a word (<number>_score) is a derived column, not the question, apart from the endings below.
_ENDING = r"(?:[_ .](?:code|codes|coded|label|labels|value|values|text|raw|num|numeric))?"
_QUESTION = re.compile(
    r"""
    ^(?P<prefix>q(?:uestion|uest|n|no)?)?[\s._:#-]*
    0*(?P<number>[1-9]\d?)
    (?:(?:\s?[_.(-]?\s?)(?P<letter>[a-z])(?![a-z])\)?)?
    (?:(?:\s?[_.(-]?\s?)0*(?P<option>[1-9]\d?)(?!\d)\)?)?
    """
    + rf"(?P<ending>{_ENDING})"
    + r"(?P<rest>$|[\s.:,;)\]?-].*$)",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


def fold(text: str) -> str:
    """Bring a label or header to one spelling: case, blanks, dashes, apostrophes.

    Parameters
    ----------
    text : str
        Label or header.

    Returns
    -------
    str
        Folded text, to be compared with other folded text.

    Examples
    --------
    >>> fold("  Don\u2019t   know ") == fold("DON'T KNOW")
    True
    """
    plain = unicodedata.normalize("NFKC", text).translate(_MARKS)
    return _JOINTS.sub(r"\1", _BLANKS.sub(" ", plain)).strip().casefold()


def question_readings(header: str, *, bare: bool = False) -> tuple[str, ...]:
    """List the question numbers a header may mean, the most specific first.

    Parameters
    ----------
    header : str
        Column header.
    bare : bool, default False
        Accept a number with a letter and no ``q`` before it (``11c``).

    Returns
    -------
    tuple of str
        Numbers as the instrument writes them: ``q``, the number, the letter, and ``_`` before the
        option of a "select all" question. Empty if the header is no question number.

    Examples
    --------
    >>> question_readings("Q 11(c) - In the last 12 months ...") == ("q" + "11c",)
    True
    >>> len(question_readings("Question 15 I think my organisation ..."))
    2
    >>> question_readings("q_11_c_score")
    ()
    """
    text = unicodedata.normalize("NFKC", header).translate(_MARKS).strip()
    readings: list[str] = []
    for pattern in (_QUESTION, _NO_OPTION, _NO_LETTER):
        match = pattern.match(text)
        if match is None:
            continue
        groups = match.groupdict()
        if groups["prefix"] is None and not (bare and groups.get("letter")):
            continue
        number, letter, option = groups["number"], groups.get("letter"), groups.get("option")
        reading = f"q{number}{(letter or '').lower()}" + (f"_{option}" if option else "")
        if reading not in readings:
            readings.append(reading)
    return tuple(readings)


_NO_OPTION = re.compile(
    r"^(?P<prefix>q(?:uestion|uest|n|no)?)?[\s._:#-]*0*(?P<number>[1-9]\d?)"
    r"(?:\s?[_.(-]?\s?)(?P<letter>[a-z])(?![a-z])\)?"
    rf"(?P<ending>{_ENDING})(?P<rest>$|[\s.:,;)\]?-].*$)",
    re.IGNORECASE | re.DOTALL,
)
_NO_LETTER = re.compile(
    r"^(?P<prefix>q(?:uestion|uest|n|no)?)?[\s._:#-]*0*(?P<number>[1-9]\d?)"
    rf"(?P<ending>{_ENDING})(?P<rest>$|[\s.:,;)\]?-].*$)",
    re.IGNORECASE | re.DOTALL,
)


def is_question(header: str) -> bool:
    """Tell whether a header looks like a question number in some spelling."""
    return bool(question_readings(header))


def trailing_wording(header: str) -> str:
    """Give what follows the question number in a header, folded; empty if nothing does."""
    text = unicodedata.normalize("NFKC", header).translate(_MARKS).strip()
    match = _QUESTION.match(text)
    return "" if match is None else fold(match["rest"].strip(" .:,;)]-"))


def ending(header: str) -> str:
    """Give the technical ending of a header (``code``, ``label`` ...); empty if it has none."""
    text = unicodedata.normalize("NFKC", header).translate(_MARKS).strip()
    match = _QUESTION.match(text)
    return "" if match is None else match["ending"].strip("_ .").lower().rstrip("s")


def count_questions(cells: Sequence[str]) -> int:
    """Count the cells of a row that look like question numbers."""
    return sum(map(is_question, cells))


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
