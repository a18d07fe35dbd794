"""The notebook of a reading: what was found, and how many rows were set aside for what reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from culture_analytics.read.validate import Issue

__all__ = ["Findings", "listed"]


@dataclass
class Findings:
    """Collects what the report will say, in the order it is found.

    Attributes
    ----------
    issues : list of Issue
        Findings; never a value from the file.
    set_aside : Counter of str
        Reason to rows.
    """

    issues: list[Issue] = field(default_factory=list)
    set_aside: Counter[str] = field(default_factory=Counter)

    def add(self, severity: str, check: str, where: str, count: int, detail: str) -> None:
        """Write a finding down, unless its count is zero."""
        if count:
            self.issues.append(Issue(severity, check, where, count, detail))

    def sorted_issues(self) -> list[Issue]:
        """Give the findings, warnings first."""
        return sorted(self.issues, key=lambda issue: issue.severity != "warning")


def listed(names: Sequence[str], most: int = 12) -> str:
    """Write some names out, and how many more there are."""
    shown = ", ".join(name[:60] for name in names[:most])
    return shown + (f" and {len(names) - most:,} more" if len(names) > most else "")
