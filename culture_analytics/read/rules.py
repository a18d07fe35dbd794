"""The reading rules of ``instrument/data/reading.toml``, folded and ready to compare."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from culture_analytics.errors import InstrumentError
from culture_analytics.instrument import Instrument
from culture_analytics.instrument.loader import DATA
from culture_analytics.read.headers import fold

__all__ = ["ReadingRules", "header_key", "reading_rules", "squash"]


def squash(text: str) -> str:
    """Bring an answer to one spelling: punctuation, blanks and case do not matter.

    Examples
    --------
    >>> squash("Yes \u2013 definitely") == squash("yes, definitely")
    True
    """
    plain = fold(text).replace("'", "").replace("&", " and ")
    return re.sub(r"[^0-9a-z+<>#*\u2713\u2714\u2611]+", " ", plain).strip()


def header_key(text: str) -> str:
    """Bring a column name to one spelling: case, blanks, underscores and dots do not matter.

    Examples
    --------
    >>> header_key("ODS_Code") == header_key("ods code")
    True
    """
    return re.sub(r"[\s_.\-/:]+", " ", fold(text)).strip()


@dataclass(frozen=True)
class ReadingRules:
    """Names and marks met in files.

    Attributes
    ----------
    roles : mapping of str to str
        Folded column name to role: ``org``, ``org_name``, ``year``, ``weight``, ``id``.
    units : mapping of str to int
        Folded name of an organisation-structure column to its level, the largest unit first.
    missing_codes : frozenset of int
        Codes read as missing where the scale has no such code.
    missing_marks : frozenset of str
        Folded texts read as missing.
    answers : mapping of str to tuple of str
        Answer label to other spellings, for every scale that has the label.
    selected, not_selected : frozenset of str
        How a tick and its absence are written.
    options : mapping of str to tuple of str
        Tick item to the words that stand for it.
    """

    roles: Mapping[str, str]
    units: Mapping[str, int]
    missing_codes: frozenset[int]
    missing_marks: frozenset[str]
    answers: Mapping[str, tuple[str, ...]]
    selected: frozenset[str]
    not_selected: frozenset[str]
    options: Mapping[str, tuple[str, ...]]

    def is_missing(self, text: str) -> bool:
        """Tell whether a text, not an answer of its scale, means that there is no answer."""
        return fold(text) in self.missing_marks


def reading_rules(instrument: Instrument) -> ReadingRules:
    """Give the reading rules that belong to an instrument.

    Parameters
    ----------
    instrument : Instrument
        Its folder's ``reading.toml`` is used; a folder without one uses the package's.

    Returns
    -------
    ReadingRules
        Cached for each folder.
    """
    own = Path(instrument.path) / "reading.toml"
    return _load(own if own.exists() else _package_file())


def _package_file() -> Path:
    return DATA / "reading.toml"


@lru_cache(maxsize=8)
def _load(path: Path) -> ReadingRules:
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        roles: dict[str, str] = {}
        for role, names in raw["roles"].items():
            for name in names:
                key = header_key(name)
                if roles.setdefault(key, role) != role:
                    raise InstrumentError(f"{path}: {name!r} has two roles: {roles[key]}, {role}.")
        return ReadingRules(
            roles=roles,
            units={header_key(name): level for level, name in enumerate(raw["units"]["names"])},
            missing_codes=frozenset(raw["missing"]["codes"]),
            missing_marks=frozenset(map(fold, raw["missing"]["marks"])),
            answers={label: tuple(names) for label, names in raw["answers"].items()},
            selected=frozenset(map(fold, raw["ticks"]["selected"])),
            not_selected=frozenset(map(fold, raw["ticks"]["not_selected"])),
            options={item: tuple(words) for item, words in raw["options"].items()},
        )
    except (KeyError, tomllib.TOMLDecodeError) as problem:
        raise InstrumentError(f"{path} cannot be used: {problem}.") from problem
