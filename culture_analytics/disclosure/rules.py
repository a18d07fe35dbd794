"""Disclosure rules: which figures may be shown, and in what words that is said."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from culture_analytics.errors import DisclosureError
from culture_analytics.instrument.loader import DATA

__all__ = ["SYMBOLS", "Rule", "load_rule"]


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
    """

    name: str
    base_under: int
    label: str = ""
    reason: str = ""

    def __post_init__(self) -> None:
        if self.base_under < 0:
            raise DisclosureError(
                f"Rule {self.name!r}: a limit of {self.base_under} means nothing."
            )
        shipped = _definitions()["rules"].get(self.name)
        if shipped is not None and int(shipped["base_under"]) != self.base_under:
            raise DisclosureError(
                f"Rule {self.name!r} hides bases under {shipped['base_under']}. "
                "Give a rule of your own another name."
            )
        floor = int(_definitions()["floor"])
        if self.base_under < floor and not self.reason.strip():
            raise DisclosureError(
                f"Rule {self.name!r} would show figures on bases under {floor}. "
                "A lower limit needs a recorded reason: Rule(..., reason='...')."
            )
        if not self.label:
            words = (
                f"fewer than {self.base_under} valid answers are not shown"
                if self.base_under > 1
                else "nothing is hidden"
            )
            object.__setattr__(self, "label", words)

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
        return cls(name="none", base_under=0, label="no protection: " + reason, reason=reason)


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
    return Rule(name=rule, base_under=int(rules[rule]["base_under"]), label=rules[rule]["label"])


@lru_cache(maxsize=1)
def _definitions() -> dict[str, Any]:
    with (DATA / "disclosure.toml").open("rb") as f:
        return tomllib.load(f)


SYMBOLS: dict[str, str] = {k: str(v) for k, v in _definitions()["symbols"].items()}
