"""Suppress and audit results that leave together: the core's numbers, the `Estimates`' words."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import pandas as pd

from culture_analytics.disclosure.audit import AuditReport, protect
from culture_analytics.disclosure.rules import Rule, load_rule
from culture_analytics.disclosure.structure import Protection
from culture_analytics.errors import DisclosureError
from culture_analytics.estimates import KEY, Estimates, concat
from culture_analytics.instrument import Instrument, load_instrument

__all__ = ["suppress", "suppress_together"]

Name = TypeVar("Name", bound=Hashable)


def suppress(
    estimates: Estimates | Sequence[Estimates], *, rule: str | Rule | None = None
) -> Estimates:
    """Hide what is small, and what would give it away, in everything that leaves together.

    Parameters
    ----------
    estimates
        Results of one extract, one or several: every table that the same reader will see.
    rule
        Disclosure rule; default the results' own.

    Returns
    -------
    Estimates
        All the rows, with further ones hidden. Totals are shown as they are or not at all.

    Raises
    ------
    DisclosureError
        The results are of different extracts, of part of one beside the whole, or protected
        already; or what is left still gives something away.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> stress = ca.calculate(ca.load_sample(2024), "stress", by="ethnicity_detailed")
    >>> safe = ca.suppress(stress)
    >>> len(safe) == len(stress)
    True
    """
    several = [estimates] if isinstance(estimates, Estimates) else list(estimates)
    if rule is not None:
        several = [e._with(e._frame, load_rule(rule)) for e in several]
    tables, _ = suppress_together(dict(enumerate(several)))
    return concat(tables.values())


def suppress_together(
    tables: Mapping[Name, Estimates], *, instrument: Instrument | None = None
) -> tuple[dict[Name, Estimates], AuditReport]:
    """Hide in each table what the tables together would give away.

    Parameters
    ----------
    tables
        Every table that leaves together, of one rule.
    instrument
        The questionnaire they were calculated with; default the bundled one.

    Raises
    ------
    DisclosureError
        As `suppress`.
    """
    whole = concat(tables.values())
    _one_extract(whole)
    hide, report = protect(
        whole._frame,
        instrument or load_instrument(),
        protection=Protection(base_under=whole.rule.base_under),
        units=whole._origin.units,
    )
    if not report.ok:
        raise DisclosureError(
            f"{len(report.table):,} hidden figures could still be worked out, so nothing is "
            "released. Leave out the breakdowns with the smallest groups, or release fewer tables."
        )
    ends = np.cumsum([len(e) for e in tables.values()])
    parts = np.split(hide, ends[:-1])
    return {
        name: estimates._hiding(part)
        for (name, estimates), part in zip(tables.items(), parts, strict=True)
    }, report


def _one_extract(estimates: Estimates) -> None:
    """Results of different respondents under the same name cannot be protected together."""
    for (year, org), sets in estimates._origin.respondents.items():
        if len(sets) > 1:
            sizes = " and ".join(f"{n:,} of {name or 'an extract'}" for name, n in sorted(sets))
            raise DisclosureError(
                f"The results of {org} {year} are of different respondents ({sizes}). A part "
                "beside the whole gives away the rest, and two extracts cannot be audited as one. "
                "Calculate everything from one Survey; for a part of it use by= or within=."
            )
    frame = estimates._frame
    extract = frame["source"].eq("extract")
    doubled = frame.loc[extract].groupby(list(KEY), observed=True, dropna=False)["base"].nunique()
    if (doubled > 1).any():
        raise DisclosureError(
            f"{int((doubled > 1).sum()):,} groups have two different bases: the results are of "
            "different extracts. Calculate everything from one Survey."
        )
