"""Disclosure rules: which figures may be shown, and in what words that is said."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.disclosure.structure import Protection, small_numerators
from culture_analytics.errors import DisclosureError
from culture_analytics.instrument import Instrument, load_instrument
from culture_analytics.instrument.loader import DATA

__all__ = [
    "COUNTED",
    "SYMBOLS",
    "Rule",
    "adverse",
    "hidden_rows",
    "load_rule",
    "numerators",
    "strictest",
]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Statuses of rows that rest on a count of people; the others have no figure for anyone.
COUNTED = ("ok", "not_computable")


@dataclass(frozen=True)
class Rule:
    """A disclosure rule.

    Parameters
    ----------
    name
        Printed wherever the numbers go.
    base_under
        A figure is hidden when its base, the unweighted number of valid answers, is under this.
    label
        The rule in words.
    reason
        Why protection was switched off or lowered; required when it is.
    base_span
        A hidden base could have at least this many values.
    numerator_span
        A hidden numerator could have at least this many values, and never be certain to be
        everyone.
    numerator_under
        A percentage is hidden when the number of people who gave the answer, or of those who did
        not, is under this; nobody at all is shown where the answer is an adverse event. 0 = none.
    round_base
        Numbers of people are shown rounded to this. 1 = exact.
    decimals
        Decimals of the percentages shown, and limits from the shown figures. None = as calculated.

    Raises
    ------
    DisclosureError
        Less protection than the floor without a reason, or a shipped rule's name on other numbers.

    Examples
    --------
    >>> load_rule("strict").numerator_under
    3
    >>> Rule(name="ours", base_under=15).label
    'fewer than 15 valid answers are not shown'
    """

    name: str
    base_under: int
    label: str = ""
    reason: str = ""
    base_span: int = 5
    numerator_span: int = 3
    numerator_under: int = 0
    round_base: int = 1
    decimals: int | None = None

    def __post_init__(self) -> None:
        self._check_numbers()
        self._check_name()
        self._check_floor()
        if not self.label:
            words = (
                f"fewer than {self.base_under} valid answers are not shown"
                if self.base_under > 1
                else "nothing is hidden"
            )
            object.__setattr__(self, "label", words)

    def _check_numbers(self) -> None:
        for name in ("base_under", "base_span", "numerator_span", "numerator_under"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise DisclosureError(f"Rule {self.name!r}: {name} takes a whole number.")
            if value < 0:
                raise DisclosureError(
                    f"Rule {self.name!r}: a limit of {getattr(self, name)} ({name}) means nothing."
                )
        if self.round_base < 1 or (self.decimals is not None and self.decimals < 0):
            raise DisclosureError(
                f"Rule {self.name!r}: round_base is 1 (exact) or more, decimals 0 or more."
            )
        if self.base_span > self.base_under > 0:
            raise DisclosureError(
                f"Rule {self.name!r}: a base under {self.base_under} cannot have "
                f"{self.base_span} values (base_span)."
            )

    def _check_name(self) -> None:
        shipped = _definitions()["rules"].get(self.name)
        if shipped is None:
            return
        wrong = [
            f"{name} is {_number(shipped, name)}"
            for name in _NUMBERS
            if getattr(self, name) != _number(shipped, name)
        ]
        if "base_under" in " ".join(wrong):
            raise DisclosureError(
                f"Rule {self.name!r} hides bases under {shipped['base_under']}. "
                "Give a rule of your own another name."
            )
        if wrong:
            raise DisclosureError(
                f"Of the rule {self.name!r} {' and '.join(wrong)}. "
                "Give a rule of your own another name."
            )

    def _check_floor(self) -> None:
        if self.reason.strip():
            return
        floor = int(_definitions()["floor"])
        if self.base_under < floor:
            raise DisclosureError(
                f"Rule {self.name!r} would show figures on bases under {floor}. "
                "A lower limit needs a recorded reason: Rule(..., reason='...')."
            )
        for name in ("base_span", "numerator_span"):
            least = int(_definitions()["protection"][name])
            if getattr(self, name) < least:
                raise DisclosureError(
                    f"Rule {self.name!r} would let hidden figures have fewer than {least} values "
                    f"({name}). That needs a recorded reason: Rule(..., reason='...')."
                )

    @property
    def protection(self) -> Protection:
        """What `protect` and the audit hold the tables to."""
        return Protection(
            base_under=self.base_under,
            base_span=self.base_span,
            numerator_span=self.numerator_span,
            numerator_under=self.numerator_under,
            round_base=self.round_base,
            decimals=self.decimals,
        )

    @property
    def rounds(self) -> bool:
        """Whether figures are shown less exactly than they were calculated."""
        return self.round_base > 1 or self.decimals is not None

    @classmethod
    def none(cls, *, reason: str) -> Rule:
        """No protection at all. The reason is printed wherever the numbers go.

        Examples
        --------
        >>> Rule.none(reason="checking against R on this machine").name
        'none'
        """
        if not reason.strip():
            raise DisclosureError("Rule.none() needs a reason in words.")
        return cls(
            name="none", base_under=0, label="no protection: " + reason, reason=reason,
            base_span=0, numerator_span=0,
        )  # fmt: skip


# Parts of a rule that the file states as numbers.
_NUMBERS = tuple(f.name for f in fields(Rule) if f.name not in ("name", "label", "reason"))


def load_rule(rule: str | Rule) -> Rule:
    """A rule by name (see ``disclosure.toml``), or the rule itself.

    Raises
    ------
    DisclosureError
        The name is not known.
    """
    if isinstance(rule, Rule):
        return rule
    rules = _definitions()["rules"]
    if rule not in rules:
        hint = " For no protection use Rule.none(reason='...')." if rule == "none" else ""
        raise DisclosureError(f"No rule {rule!r}; there are: {', '.join(rules)}.{hint}")
    numbers: dict[str, Any] = {name: _number(rules[rule], name) for name in _NUMBERS}
    return Rule(name=rule, label=rules[rule]["label"], **numbers)


def strictest(rules: Iterable[Rule]) -> Rule:
    """The one that hides most: with the highest limit of answers."""
    return max(rules, key=lambda rule: rule.base_under)


def _number(shipped: dict[str, Any], name: str) -> int | None:
    found = shipped.get(name, _definitions()["protection"].get(name))
    return None if found is None else int(found)


def hidden_rows(frame: pd.DataFrame, rule: Rule, *, instrument: Instrument | None = None) -> Mask:
    """Rows that the rule hides for their own numbers: primary suppression.

    Parameters
    ----------
    frame
        Private rows of results. A rule with `numerator_under` needs the private column
        ``_numerator``, or unweighted rows.
    rule
        The rule.
    instrument
        Says which measures count adverse events; default the bundled one.

    Returns
    -------
    array of bool
        True to hide. Rows without a figure for anyone, such as of a group not asked, are False.

    Raises
    ------
    DisclosureError
        Weighted rows without unweighted counts, under a rule that limits numerators.
    """
    base = frame["base"].to_numpy(dtype=float)
    counted = np.isin(frame["status"].to_numpy(), COUNTED)
    hidden: Mask = counted & ~(base >= rule.base_under)
    if rule.numerator_under:
        of_people = counted & (
            frame["source"].eq("extract") & frame["statistic"].isin(("percent", "score"))
        ).to_numpy(dtype=bool)
        rows = np.flatnonzero(of_people)
        some = frame.iloc[rows]
        hidden[rows] |= small_numerators(
            base[rows],
            numerators(some),
            some["statistic"].eq("percent").to_numpy(dtype=bool),
            adverse(some, instrument or load_instrument()),
            rule.protection,
        )
    return hidden


def adverse(frame: pd.DataFrame, instrument: Instrument) -> Mask:
    """Rows whose percentage counts an adverse event, so that 0 harms nobody.

    The measures of which less is better; never a row of an answer distribution.
    """
    bad = [m for m, definition in instrument.measures.items() if definition.better == "lower"]
    plain = frame["answer"].astype(str).eq("") & frame["statistic"].eq("percent")
    return np.asarray((plain & frame["measure"].isin(bad)).to_numpy(dtype=bool))


def numerators(frame: pd.DataFrame) -> Floats:
    """People who gave the answer, unweighted; for scores the sum of points over ten.

    Raises
    ------
    DisclosureError
        Weighted rows without the private column ``_numerator``.
    """
    score = frame["statistic"].eq("score").to_numpy(dtype=bool)
    if "_numerator" in frame.columns:
        private = frame["_numerator"].to_numpy(dtype=float)
        return np.asarray(np.nan_to_num(np.where(score, private / 10, private)), dtype=float)
    if not frame["weighting"].eq("unweighted").all():
        raise DisclosureError(
            "Weighted results are audited on their unweighted counts, which these do not hold "
            "(private column '_numerator')."
        )
    share = frame["value"].to_numpy(dtype=float) / np.where(score, 10.0, 100.0)
    found = np.nan_to_num(share * frame["base"].to_numpy(dtype=float))
    return np.asarray(np.where(score, found, np.round(found)), dtype=float)


@lru_cache(maxsize=1)
def _definitions() -> dict[str, Any]:
    with (DATA / "disclosure.toml").open("rb") as f:
        return tomllib.load(f)


SYMBOLS: dict[str, str] = {k: str(v) for k, v in _definitions()["symbols"].items()}
