"""Suppress and audit results that leave together: the core's numbers, the `Estimates`' words."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

from culture_analytics.disclosure.audit import AuditReport, examine, protect
from culture_analytics.disclosure.rules import Rule, load_rule
from culture_analytics.errors import DisclosureError
from culture_analytics.estimates import KEY, Estimates, concat
from culture_analytics.instrument import Instrument, load_instrument

if TYPE_CHECKING:
    from culture_analytics.disclosure.release import Release

__all__ = ["audit", "suppress", "suppress_together"]

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


def audit(data: Release | Estimates | Sequence[Estimates]) -> AuditReport:
    """Attack what leaves together, as a reader with a computer would.

    Parameters
    ----------
    data
        A Release that was built in this session, or results, one or several.

    Returns
    -------
    AuditReport
        ``ok``, the share proved, and a row for each hidden figure that can be worked out more
        nearly than the rule allows. Never a hidden number.

    Raises
    ------
    DisclosureError
        The results are of different extracts, or only their protected view is here (a saved
        release, a pickle): what was proved of a saved release stands in its `protection`.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> stress = ca.calculate(ca.load_sample(2024), "work_related_stress", by="ethnicity_detailed")
    >>> ca.audit(stress).ok, ca.audit(ca.suppress(stress)).ok
    (False, True)
    """
    several = [data] if isinstance(data, Estimates) else list(_estimates(data))
    if any(e._is_view for e in several):
        raise DisclosureError(
            "Only the protected view is here, and the attack is judged by the numbers hidden. "
            "What was proved of a saved release stands in release.protection."
        )
    whole = concat(several)
    _one_extract(whole)
    return examine(
        whole._frame,
        load_instrument(),
        whole._hidden,
        protection=whole.rule.protection,
        units=whole._origin.units,
    )


def _estimates(data: Release | Sequence[Estimates]) -> Sequence[Estimates]:
    return data if isinstance(data, Sequence) else data._estimates()


def suppress_together(
    tables: Mapping[Name, Estimates],
    *,
    instrument: Instrument | None = None,
    seconds: float | None = None,
) -> tuple[dict[Name, Estimates], AuditReport]:
    """Hide in each table what the tables together would give away.

    Parameters
    ----------
    tables
        Every table that leaves together, of one rule.
    instrument
        The questionnaire they were calculated with; default the bundled one.
    seconds
        Time to prove crossings in; see `build_release`.

    Raises
    ------
    DisclosureError
        As `suppress`.
    """
    whole = concat(tables.values())
    if whole._suppressed_together:
        raise DisclosureError(
            "These results are protected already, together with tables that may not be among "
            "them. Suppress the results as they were calculated."
        )
    _one_extract(whole)
    hide, report = protect(
        whole._frame,
        instrument or load_instrument(),
        protection=whole.rule.protection,
        units=whole._origin.units,
        seconds=seconds,
    )
    if not report.ok:
        raise DisclosureError(
            f"{len(report.table):,} hidden figures could still be worked out, so nothing is "
            f"released. They are of {_most(report.table['measure'])}, by "
            f"{_most(report.table['tables'])}. Leave out the breakdowns with the smallest groups, "
            "or release fewer tables."
        )
    ends = np.cumsum([len(e) for e in tables.values()])
    parts = np.split(hide, ends[:-1])
    return {
        name: estimates._hiding(part)
        for (name, estimates), part in zip(tables.items(), parts, strict=True)
    }, report


def _most(names: pd.Series) -> str:
    """The names that come most often."""
    found = list(dict.fromkeys(names.value_counts().index.astype(str)))
    return ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")


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
