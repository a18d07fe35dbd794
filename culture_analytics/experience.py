"""Grounds of discrimination, an experience ladder, and what the survey says of each characteristic.

Definitions stand in ``instrument/data/standards.toml``.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from typing import Any

import pandas as pd

from culture_analytics.disclosure.rules import Rule
from culture_analytics.errors import MeasureError
from culture_analytics.estimate import calculate
from culture_analytics.estimates import Estimates
from culture_analytics.instrument import Instrument, load_instrument
from culture_analytics.instrument.loader import DATA
from culture_analytics.survey import Survey

__all__ = ["discrimination_grounds", "equality_coverage", "experience_ladder"]

GROUNDS = "discrimination_grounds"
MEASURED, GROUND_ONLY, NOT_MEASURED = "measured", "as a ground only", "not measured"

_SHOWN = ["year", "org", "breakdown", "group", "value", "lower", "upper", "base", "status"]


def equality_coverage(year: int, *, instrument: Instrument | None = None) -> pd.DataFrame:
    """How far the survey of a year speaks to each characteristic the Equality Act protects.

    Parameters
    ----------
    year
        Survey year.
    instrument
        The questionnaire; default the bundled one.

    Returns
    -------
    DataFrame
        A row for each of the nine characteristics: `coverage` (``"measured"``: staff say which
        group they are in; ``"as a ground only"``: a reason given for discrimination, so that groups
        cannot be compared; ``"not measured"``), `breakdowns`, `grounds` and `note`.

    Raises
    ------
    MeasureError
        The instrument does not know the year.

    References
    ----------
    Equality Act 2010, section 4.

    Examples
    --------
    >>> found = equality_coverage(2025).set_index("characteristic")["coverage"]
    >>> found["race"], found["pregnancy and maternity"]
    ('measured', 'as a ground only')
    >>> equality_coverage(2024).set_index("characteristic")["coverage"]["pregnancy and maternity"]
    'not measured'
    """
    known = instrument or load_instrument()
    if year not in known.years:
        given = year if isinstance(year, int) else type(year).__name__
        raise MeasureError(
            f"equality_coverage() takes a survey year from {known.years[0]} to "
            f"{known.years[-1]}, not {given}."
        )
    rows = []
    for entry in _definitions()["coverage"]:
        name = entry["characteristic"]
        groups = [
            b
            for b in known.breakdowns.values()
            if b.characteristic == name and known.asked(b.item, year)
        ]
        grounds = [known.items[i].label for i in entry["grounds"] if known.asked(i, year)]
        coverage = MEASURED if groups else GROUND_ONLY if grounds else NOT_MEASURED
        rows.append(
            {
                "characteristic": name,
                "coverage": coverage,
                "breakdowns": ", ".join(b.id for b in groups),
                "grounds": "; ".join(grounds),
                "note": "; ".join(dict.fromkeys(b.note for b in groups if b.note)),
            }
        )
    return pd.DataFrame(rows)


def discrimination_grounds(
    data: Survey | Estimates, *, by: str | None = None, rule: str | Rule = "default"
) -> pd.DataFrame:
    """Reasons given by those who experienced discrimination, most frequent first.

    Parameters
    ----------
    data
        Respondents, or results of the domain ``"discrimination_grounds"``.
    by
        A breakdown; default everyone together.
    rule
        Disclosure rule, for respondents.

    Returns
    -------
    DataFrame
        A row a ground asked about in the year, and group: percent of those who experienced
        discrimination and named a ground. People can name several: the percentages add up to more
        than 100. The list became longer in 2025: race and other do not compare with 2024.

    Raises
    ------
    MeasureError
        The data hold no ground.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> len(discrimination_grounds(ca.load_sample(2024)))
    7
    >>> len(discrimination_grounds(ca.load_sample(2025)))
    10
    """
    names = [m.id for m in load_instrument().resolve_measures(GROUNDS)]
    table = _table(data, names, by, rule)
    table = table[table["status"].ne("not_asked")]
    whole = table[table["breakdown"].eq("overall")].set_index(["year", "org", "measure"])["value"]
    order = [
        float(whole.get(key, float("nan")))
        for key in zip(table["year"], table["org"], table["measure"], strict=True)
    ]
    table = table.assign(_order=order).sort_values(
        ["year", "org", "breakdown", "group", "_order"],
        ascending=[True, True, True, True, False],
        kind="stable",
        key=lambda c: pd.Series(pd.factorize(c)[0], index=c.index) if c.name != "_order" else c,
    )
    named = table.rename(columns={"label": "ground"})
    return named[["ground", "measure", *_SHOWN]].reset_index(drop=True)


def experience_ladder(
    data: Survey | Estimates,
    kind: str = "bullying",
    *,
    by: str | None = None,
    rule: str | Rule = "default",
) -> pd.DataFrame:
    """Experienced it - reported it - confident that something is done, by group.

    Parameters
    ----------
    data
        Respondents, or results of these measures.
    kind
        ``"bullying"`` or ``"violence"``.
    by
        A breakdown; default everyone together.
    rule
        Disclosure rule, for respondents.

    Returns
    -------
    DataFrame
        A row a step and group; `of` says who is counted, which differs between the steps, so that
        they cannot be multiplied.

    Raises
    ------
    MeasureError
        There is no such ladder, or the data hold none of its steps.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> experience_ladder(ca.load_sample(2024))["step"].tolist()
    [1, 2, 3]
    """
    ladders = _definitions()["ladders"]
    if kind not in ladders:
        raise MeasureError(f"No ladder {kind!r}; there are {', '.join(map(repr, ladders))}.")
    steps = pd.DataFrame(ladders[kind]["steps"]).rename(columns={"name": "experience"})
    steps.insert(0, "step", range(1, len(steps) + 1))
    table = _table(data, steps["measure"].tolist(), by, rule)
    table = table.assign(_order=range(len(table)))
    found = table.merge(steps, on="measure")
    place = pd.factorize(found["breakdown"].str.cat(found["group"], sep="|"))[0]
    found = found.assign(_place=place).sort_values(["year", "org", "_place", "step"], kind="stable")
    return found[["step", "experience", "of", "measure", *_SHOWN]].reset_index(drop=True)


def _table(
    data: Survey | Estimates, measures: list[str], by: str | None, rule: str | Rule
) -> pd.DataFrame:
    """Protected rows of some measures, for everyone and by one breakdown."""
    if isinstance(data, Survey):
        return calculate(data, measures, by=by, rule=rule).table
    table = data.table
    keep = table["measure"].isin(measures) & table["answer"].eq("") & table["within"].eq("")
    keep &= table["breakdown"].isin(["overall", by]) & table["statistic"].eq("percent")
    if not keep.any():
        raise MeasureError(f"The results hold none of {', '.join(measures)}.")
    return table[keep]


@lru_cache(maxsize=1)
def _definitions() -> dict[str, Any]:
    with (DATA / "standards.toml").open("rb") as f:
        return tomllib.load(f)
