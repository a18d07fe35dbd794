"""What the cells of an answer column mean: codes, labels, marks for missing, Excel's dates.

Everything works on the distinct texts of a column. The result is a lookup from text to category,
which `extract` applies to all rows at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from culture_analytics.errors import ExtractError
from culture_analytics.instrument import Item, Question, Scale
from culture_analytics.read.headers import fold
from culture_analytics.read.raw import RawColumn
from culture_analytics.read.rules import ReadingRules, squash

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "MISSING",
    "UNKNOWN",
    "AnswerBook",
    "Decoded",
    "answer_map",
    "decode_answers",
    "decode_list",
    "decode_ticks",
    "excel_pair",
    "share_unknown",
    "yes_no_as_zero_one",
]

MISSING = -1
UNKNOWN = -2
SELECTED, NOT_SELECTED = 0, 1

_CODE = re.compile(r"[+-]?\d{1,6}(?:[.,]0+)?")
_PREFIXED = re.compile(r"^\(?0*(\d{1,3})\)?\s*(?:[=.:)]|-(?=\s|[^\d\s]))\s*(\S.*)$", re.DOTALL)


def code_of(text: str) -> int | None:
    """Read a code: ``1``, ``01``, ``1.0``; None if the text is no whole number."""
    plain = text.strip()
    if not _CODE.fullmatch(plain):
        return None
    return int(re.split(r"[.,]", plain)[0])


class AnswerBook:
    """Every spelling of the answers of one item in one year.

    Parameters
    ----------
    item : Item
        Its labels are those of all years: an answer given in words means the same in any of them.
    scale : Scale
        The year's scale: its codes are that year's.
    rules : ReadingRules
        Spellings common to every scale, and marks for missing.
    """

    def __init__(self, item: Item, scale: Scale, rules: ReadingRules) -> None:
        self.item = item
        self.scale = scale
        self.position = {label: place for place, label in enumerate(item.labels)}
        self._words: dict[str, str] = {}
        self._holding: list[tuple[str, str]] = []
        for source in (scale, item.scale):
            for label in source.labels:
                self._words.setdefault(squash(label), label)
        for source in (scale, item.scale):
            for alias, label in source.aliases.items():
                if alias.startswith("~"):
                    self._holding.append((fold(alias[1:]), label))
                else:
                    self._words.setdefault(squash(alias), label)
        for label, aliases in rules.answers.items():
            if label in self.position:
                for alias in aliases:
                    self._words.setdefault(squash(alias), label)
        self._pairs = self._number_pairs()
        self._rules = rules

    def _number_pairs(self) -> dict[tuple[int, int], str]:
        """Answers written as two small numbers, which Excel takes for a day and a month."""
        pairs = {}
        for words, label in self._words.items():
            match = re.fullmatch(r"(\d{1,2}) (\d{1,2})", words)
            if match and 1 <= min(map(int, match.groups())) <= 12:
                pairs[int(match[1]), int(match[2])] = label
        return pairs

    @property
    def may_be_dates(self) -> bool:
        """Whether Excel could have damaged this scale's answers."""
        return bool(self._pairs)

    def label_of(self, text: str) -> str | None:
        """Find the answer a text says in words; None if it says none."""
        words = squash(text)
        if words in self._words:
            return self._words[words]
        folded = fold(text)
        held = {label for part, label in self._holding if part in folded}
        if len(held) == 1:
            return held.pop()
        prefixed = _PREFIXED.match(folded)
        if prefixed is not None:
            return self._words.get(squash(prefixed[2]))
        return None

    def code_label(self, text: str) -> str | None:
        """Find the answer of a code in this year; None if the text is no code of the scale."""
        code = code_of(text)
        return None if code is None else self.scale.codes.get(code)

    def is_missing(self, text: str) -> bool:
        """Tell whether a text that is no answer of the scale means "no answer"."""
        code = code_of(text)
        if code is not None:
            return code in self._rules.missing_codes
        return self._rules.is_missing(text)

    def repaired(self, text: str) -> str | None:
        """Find the answer that Excel turned into a date; None if it did not."""
        if not self._pairs:
            return None
        pair = excel_pair(text)
        if pair is None:
            return None
        for (low, high), label in self._pairs.items():
            if pair.day_and_month == {low, high} or pair.month_and_year == (low, high):
                return label
        return None


@dataclass(frozen=True)
class ExcelPair:
    """The two numbers a date may have been made from."""

    day_and_month: frozenset[int]
    month_and_year: tuple[int, int]


_MONTH_NAMES = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_MONTHS = {
    spelling: number
    for number, name in enumerate(_MONTH_NAMES, start=1)
    for spelling in (name, name[:3], name[:4] if name == "september" else name)
}
_ISO = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})(?:[ t][\d:.]+z?)?$")
_SLASHED = re.compile(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{2}|\d{4})(?: [\d:.]+(?: ?[ap]m)?)?$")
_SHORT = re.compile(r"^(\d{1,2})/(\d{1,2})$")
_DAY_MONTH = re.compile(r"^(\d{1,2})[ ./-]?([a-z]{3,9})\.?(?:[ ,./-]+\d{2,4})?$")
_MONTH_DAY = re.compile(r"^([a-z]{3,9})\.?[ ./-]?(\d{1,2})(?:[ ,./-]+\d{4})?$")
_SERIAL = re.compile(r"^(\d{5})(?:\.0+)?$")
_SERIAL_YEARS = (2000, 2060)


def excel_pair(text: str) -> ExcelPair | None:  # noqa: PLR0911 - one line a form
    """Take a date apart into the numbers Excel may have made it from.

    Parameters
    ----------
    text : str
        Cell such as ``02-Jan``, ``Jan-02``, ``1/2/2024``, ``2023-01-02`` or ``44928`` (a date
        shown as a number).

    Returns
    -------
    ExcelPair or None
        Day and month in either order, and month with two-digit year; None if it is no date.

    Examples
    --------
    >>> sorted(excel_pair("02-Jan").day_and_month)
    [1, 2]
    """
    plain = fold(text)
    if match := _ISO.match(plain):
        return _pair(int(match[3]), int(match[2]), int(match[1]))
    if match := _SLASHED.match(plain):
        return _pair(int(match[1]), int(match[2]), int(match[3]))
    if match := _SHORT.match(plain):
        return _pair(int(match[1]), int(match[2]), None)
    if (match := _DAY_MONTH.match(plain)) and match[2] in _MONTHS:
        return _pair(int(match[1]), _MONTHS[match[2]], None)
    if (match := _MONTH_DAY.match(plain)) and match[1] in _MONTHS:
        number = int(match[2])
        return ExcelPair(frozenset({_MONTHS[match[1]], number}), (_MONTHS[match[1]], number))
    if match := _SERIAL.match(plain):
        day = np.datetime64("1899-12-30") + np.timedelta64(int(match[1]), "D")
        year, month, dom = map(int, str(day).split("-"))
        if _SERIAL_YEARS[0] <= year <= _SERIAL_YEARS[1]:
            return _pair(dom, month, year)
    return None


def _pair(first: int, second: int, year: int | None) -> ExcelPair:
    month_and_year = (0, 0)
    if year is not None and first == 1:  # month and year become the first of the month
        month_and_year = (second, year % 100)
    elif year is not None and second == 1:
        month_and_year = (first, year % 100)
    return ExcelPair(frozenset({first, second}), month_and_year)


@dataclass(frozen=True, eq=False)
class Decoded:
    """What the distinct texts of a column mean.

    Attributes
    ----------
    lookup : ndarray of int8, shape (distinct + 1,)
        Category position of each text; -1 missing. The last entry serves blank cells.
    unknown : ndarray of bool, shape (distinct,)
        Texts that mean nothing on this scale; they are read as missing.
    repaired : ndarray of bool, shape (distinct,)
        Dates read back as the answers Excel made them from.
    notes : tuple of str
        What a person should know, in words of the questionnaire and the file's own code list.
    """

    lookup: NDArray[np.int8]
    unknown: NDArray[np.bool_]
    repaired: NDArray[np.bool_]
    notes: tuple[str, ...] = ()


def decode_answers(
    column: RawColumn, book: AnswerBook, given: Mapping[str, str] | None = None
) -> Decoded:
    """Read the distinct texts of an answer column.

    Parameters
    ----------
    column : RawColumn
        The column.
    book : AnswerBook
        Spellings of the item's answers in the year.
    given : mapping of str to str, optional
        The user's own map, from `answer_map`: folded text to answer label, or to ``""`` for
        missing.

    Returns
    -------
    Decoded
        In order of authority: the user's map, the file's own value labels, the answer in words,
        the year's code, marks for missing, an Excel date.
    """
    drifted, notes = _label_conflicts(column, book)
    lookup = np.full(len(column.values) + 1, MISSING, dtype=np.int8)
    unknown = np.zeros(len(column.values), dtype=bool)
    repaired = np.zeros(len(column.values), dtype=bool)
    for place, text in enumerate(column.values):
        label, known, date = _meaning(text, column, book, given or {}, drifted)
        if label is not None:
            lookup[place] = book.position[label]
        unknown[place] = not known
        repaired[place] = date
    return Decoded(lookup, unknown, repaired, notes)


def _meaning(
    text: str,
    column: RawColumn,
    book: AnswerBook,
    given: Mapping[str, str],
    drifted: bool,
) -> tuple[str | None, bool, bool]:
    """Give the answer (None: missing), whether it is known, whether it was a damaged date."""
    plain = _unwrapped(text)
    key = _map_key(plain)
    if key in given:
        return (given[key] or None), True, False
    file_label = column.labels.get(text)
    if file_label is not None:
        label = book.label_of(file_label)
        if label is not None:
            return label, True, False
        if book.is_missing(file_label):
            return None, True, False
        label = None if drifted else book.code_label(plain)
    else:
        label = book.label_of(plain) or book.code_label(plain)
    if label is not None:
        return label, True, False
    if text in column.missing or book.is_missing(plain):
        return None, True, False
    label = book.repaired(plain)
    return label, label is not None, label is not None


def _unwrapped(text: str) -> str:
    """Take off what people add to keep Excel from making dates: '1-2 and ="1-2"."""
    match = re.fullmatch(r'="(.*)"', text)
    return (match[1] if match else text).lstrip("'").strip()


def _map_key(text: str) -> str:
    code = code_of(text)
    return squash(text) if code is None else str(code)


def _label_conflicts(column: RawColumn, book: AnswerBook) -> tuple[bool, tuple[str, ...]]:
    """Compare the file's value labels with the questionnaire's codes."""
    against: list[str] = []
    agreeing = 0
    strange: list[str] = []
    for code, file_label in column.labels.items():
        label, expected = book.label_of(file_label), book.code_label(code)
        if label is None:
            if not book.is_missing(file_label):
                strange.append(code)
        elif label == expected:
            agreeing += 1
        elif expected is not None:
            against.append(code)
    notes = []
    if against:
        notes.append(
            f"the file's value labels give {len(against):,} code(s) another answer than the "
            f"questionnaire does (code {', '.join(against[:6])}); the labels were followed"
        )
    # Labels worded differently are read by their code only where the others bear the codes out.
    drifted = bool(against) or agreeing == 0
    if strange:
        how = "left missing" if drifted else "read by their code"
        notes.append(
            f"{len(strange):,} value label(s) of the file are worded differently (code "
            f"{', '.join(strange[:6])}): {how}"
        )
    return drifted, tuple(notes)


def answer_map(answers: Mapping[str, str], book: AnswerBook, source: str) -> dict[str, str]:
    """Check a user's map of texts to answers.

    Parameters
    ----------
    answers : mapping of str to str
        Text in the file to answer label, code or ``"missing"``.
    book : AnswerBook
        Spellings of the item's answers.
    source : str
        Where the map stands, for the message.

    Returns
    -------
    dict of str to str
        Folded text to answer label; ``""`` for missing.

    Raises
    ------
    ExtractError
        If a target is no answer of the item.
    """
    checked: dict[str, str] = {}
    wrong: list[str] = []
    for text, answer in answers.items():
        label = book.label_of(answer) or book.code_label(answer)
        if label is None and not (book.is_missing(answer) or not answer.strip()):
            wrong.append(answer)
        checked[_map_key(text)] = label or ""
    if wrong:
        raise ExtractError(
            f"{source}: {len(wrong):,} answer(s) of {book.item.id} are not on its scale: "
            f"{', '.join(map(repr, wrong[:5]))}. Its answers: {', '.join(book.scale.labels)}; or "
            '"missing".'
        )
    return checked


def yes_no_as_zero_one(column: RawColumn, book: AnswerBook, given: Mapping[str, str]) -> bool:
    """Tell whether a yes/no column is coded 0 and 1, so that nobody can say which is yes."""
    if book.scale.codes.get(1) != "Yes" or book.scale.codes.get(2) != "No" or column.labels:
        return False
    codes = {
        code_of(text)
        for text, rows in zip(column.values, column.counts(), strict=True)
        if rows and _map_key(text) not in given
    }
    return 0 in codes and 2 not in codes


def decode_ticks(
    columns: Mapping[str, tuple[RawColumn, Question]], rules: ReadingRules
) -> dict[str, Decoded]:
    """Read the columns of one "select all that apply" question, one column an option.

    Parameters
    ----------
    columns : mapping of str to tuple of RawColumn and Question
        Item id to its column and question.
    rules : ReadingRules
        How a tick and its absence are written.

    Returns
    -------
    dict of str to Decoded
        Positions 0 (selected) and 1 (not selected); whether blanks are "not selected" or missing
        depends on the person's other ticks, see `extract`.
    """
    numbered = any(
        (option := _option(question)) is not None and option > 2 and option in _codes(column)
        for column, question in columns.values()
    )
    return {
        item: _decode_tick(column, _option(question) if numbered else None, rules, item)
        for item, (column, question) in columns.items()
    }


def _option(question: Question) -> int | None:
    tail = question.number.rpartition("_")[2]
    return int(tail) if tail.isdigit() else None


def _codes(column: RawColumn) -> set[int | None]:
    return {code_of(text) for text in column.values}


def _decode_tick(column: RawColumn, option: int | None, rules: ReadingRules, item: str) -> Decoded:
    lookup = np.full(len(column.values) + 1, MISSING, dtype=np.int8)
    unknown = np.zeros(len(column.values), dtype=bool)
    words = {fold(word) for word in rules.options.get(item, ())}
    spoken: list[int] = []
    for place, text in enumerate(column.values):
        shown = column.labels.get(text, text)
        meaning = _tick(shown, option if shown is text else None, words, rules)
        if meaning == UNKNOWN and shown is not text and code_of(text) == 1:
            meaning = SELECTED  # the file labels its tick with the option's own wording
        if meaning == UNKNOWN and text in column.missing:
            meaning = MISSING
        if meaning == UNKNOWN:
            unknown[place] = True
            if code_of(text) is None:
                spoken.append(place)
        else:
            lookup[place] = meaning
    # Survey tools write the option's wording in the cell of those who ticked it.
    if len(spoken) == 1 and not np.any(lookup[:-1] == SELECTED):
        lookup[spoken[0]] = SELECTED
        unknown[spoken[0]] = False
    return Decoded(lookup, unknown, np.zeros(len(column.values), dtype=bool))


def _tick(text: str, option: int | None, words: set[str], rules: ReadingRules) -> int:
    code = code_of(text)
    if option is not None:  # cells hold the number of the option ticked, or nothing
        if code == option:
            return SELECTED
        if code == 0:
            return NOT_SELECTED
    folded = fold(text) if code is None else str(code)
    if folded in words or (option is None and folded in rules.selected):
        return SELECTED
    if option is None and folded in rules.not_selected:
        return NOT_SELECTED
    if (code in rules.missing_codes) if code is not None else rules.is_missing(text):
        return MISSING
    return UNKNOWN


def decode_list(
    column: RawColumn, questions: Sequence[Question], rules: ReadingRules
) -> tuple[dict[str, Decoded], NDArray[np.bool_]]:
    """Read a "select all that apply" question delivered as one column of lists (``1;6``).

    Parameters
    ----------
    column : RawColumn
        The column.
    questions : sequence of Question
        The question's options.
    rules : ReadingRules
        Words that stand for the options.

    Returns
    -------
    decoded : dict of str to Decoded
        Item id to positions 0 (selected) and 1 (not selected).
    unknown : ndarray of bool, shape (distinct,)
        Texts with a part that stands for no option.
    """
    by_code = {_option(question): question.item for question in questions}
    by_word = {
        fold(word): question.item
        for question in questions
        for word in rules.options.get(question.item, ())
    }
    chosen: list[set[str]] = []
    unknown = np.zeros(len(column.values), dtype=bool)
    for place, text in enumerate(column.values):
        shown = column.labels.get(text, text)
        ticked: set[str] = set()
        whole = by_word.get(fold(shown))
        parts = [shown] if whole else re.split(r"[;,|\n]+", shown)
        for part in filter(None, map(str.strip, parts)):
            code = code_of(part)
            item = by_code.get(code) if code is not None else by_word.get(fold(part))
            if item is not None:
                ticked.add(item)
            elif code not in rules.missing_codes and not rules.is_missing(part):
                unknown[place] = True
        chosen.append(ticked)
    none = np.zeros(len(column.values), dtype=bool)
    decoded = {}
    for question in questions:
        lookup = np.full(len(column.values) + 1, MISSING, dtype=np.int8)
        for place, ticked in enumerate(chosen):
            if ticked:
                lookup[place] = SELECTED if question.item in ticked else NOT_SELECTED
        decoded[question.item] = Decoded(lookup, none, none)
    return decoded, unknown


def share_unknown(column: RawColumn, decoded: Decoded) -> tuple[int, int]:
    """Count the rows whose answer means nothing, and the rows that hold anything but a mark.

    Returns
    -------
    unknown : int
        Rows with an unknown text.
    held : int
        Rows with an answer or an unknown text.
    """
    rows = column.counts()
    unknown = int(rows[decoded.unknown].sum())
    answered = int(rows[decoded.lookup[:-1] >= 0].sum())
    return unknown, unknown + answered
