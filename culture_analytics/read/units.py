"""Which local columns are the organisation's structure, from the largest unit to the smallest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pandas as pd

from culture_analytics.read.claims import Claim
from culture_analytics.read.context import Context
from culture_analytics.read.findings import Findings
from culture_analytics.read.local import Use
from culture_analytics.read.rules import ReadingRules, header_key
from culture_analytics.survey import nesting_faults

__all__ = ["settle_units"]


def settle_units(
    context: Context,
    claims: Sequence[Claim],
    uses: Mapping[str, Use],
    frame: pd.DataFrame,
    findings: Findings,
) -> tuple[str, ...]:
    """Find the unit hierarchy: what the user declares, or columns named like units that nest.

    Parameters
    ----------
    context : Context
        The file, and what it is read with.
    claims : sequence of Claim
        What each column is.
    uses : mapping of str to Use
        Header to use.
    frame : DataFrame
        Respondents kept.
    findings : Findings
        Where units that do not nest are noted.

    Returns
    -------
    tuple of str
        Names in the Survey, largest unit first: of columns named like units those that nest in the
        largest; empty if there is none.
    """
    units = [
        claim
        for claim in claims
        if claim.role == "unit" and claim.header in uses and uses[claim.header].name
    ]
    declared = [
        uses[claim.header].name
        for unit in context.given.units
        for claim in units
        if claim.mapped and header_key(claim.header) == header_key(unit)
    ]
    if declared:
        return tuple(dict.fromkeys(declared))
    levels = sorted((_level(claim, context.rules), uses[claim.header].name) for claim in units)
    return _nested([name for _, name in levels], frame, findings)


def _level(claim: Claim, rules: ReadingRules) -> int:
    return rules.units.get(header_key(claim.header), len(rules.units))


def _nested(names: list[str], frame: pd.DataFrame, findings: Findings) -> tuple[str, ...]:
    """Put names in an order in which each unit lies in one larger unit, if there is one."""
    straying = _straying(frame, names)
    if not straying:
        return tuple(names)
    by_size = sorted(names, key=lambda name: frame[name].nunique())
    if not _straying(frame, by_size):
        return tuple(by_size)
    kept = names[:1]
    for name in names[1:]:
        count = nesting_faults(frame, kept[-1], name)
        if not count:
            kept.append(name)
            continue
        findings.add(
            "note",
            "units do not nest",
            ", ".join(names),
            count,
            f"units of {name} lie in more than one {kept[-1]}, so reports are not divided by "
            f"{name}; the column is kept and can be used by itself, or declared with "
            "with_units([...])",
        )
    return tuple(kept)


def _straying(frame: pd.DataFrame, names: Sequence[str]) -> list[tuple[str, str, int]]:
    faults = [(a, b, nesting_faults(frame, a, b)) for a, b in pairwise(names)]
    return [fault for fault in faults if fault[2]]
