"""What the culture diagnosis adds to a release, after its tables were protected together.

The tables it rests on are declared (``release.toml``: topics `CULTURE`, `LEADERS`, `ITEMS`). Here
they are turned into what stands out, differs and changes by unit: each such row is hidden with any
figure it is made of. What needs respondents - whether scales hold together, what goes with an
outcome - rests on everyone or on large groups, and is rounded, bases too; the release hides it
with the figures it rests on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress

import numpy as np
import pandas as pd

from culture_analytics.compare.groups import ALL, REST, compare_groups
from culture_analytics.compare.leaving import CHANGES as OTHER_CHANGES
from culture_analytics.compare.leaving import compared, in_family
from culture_analytics.diagnose.driving import drivers
from culture_analytics.diagnose.hotspots import pooled_units
from culture_analytics.diagnose.model import CultureModel, load_culture_model
from culture_analytics.diagnose.reliability import coefficients
from culture_analytics.disclosure.rules import Rule
from culture_analytics.errors import AdjustmentError, MeasureError
from culture_analytics.estimates import Estimates, concat
from culture_analytics.instrument.culture import DIAGNOSED, PREFIX, TOPICS
from culture_analytics.survey import Survey

__all__ = [
    "CHANGES",
    "CULTURE",
    "DIFFERENCES",
    "DRIVERS",
    "ITEMS",
    "LEADERS",
    "QUALITY",
    "SPOTS",
    "diagnosis_topics",
    "judged",
    "published_topics",
]

CULTURE, LEADERS, ITEMS = TOPICS

DIFFERENCES, SPOTS, CHANGES, DRIVERS, QUALITY = DIAGNOSED
OVERALL = "overall"


def diagnosis_topics(
    tables: Mapping[str, Estimates],
    survey: Survey,
    *,
    rule: Rule,
    model: CultureModel | None = None,
) -> dict[str, Estimates]:
    """The topics of the culture diagnosis that a release's tables and respondents allow.

    Parameters
    ----------
    tables
        The release's tables of measures, protected, and its comparisons (``changes``); without the
        topic ``culture`` there is no diagnosis.
    survey
        Its respondents.
    rule
        Its rule.
    model
        Model of culture; default the package's own.

    Returns
    -------
    dict of str to Estimates
        ``culture_differences`` (units less the organisation), ``spots`` (see `pooled_units`) and
        ``culture_changes`` (the last two years), of the latest year and every unit column;
        ``drivers`` and ``scale_quality``. What the data do not allow is not there.
    """
    if CULTURE not in tables:
        return {}
    model = model or load_culture_model()
    found: dict[str, Estimates] = {}
    if not rule.rounds:  # rounded figures and exact differences of them do not go together
        found |= _of_units(judged(tables[CULTURE], model))
        found |= _changes(tables, model)
        found |= _of_leaders(tables.get(LEADERS), model, found.get(DIFFERENCES))
    found |= _of_respondents(survey, tables[CULTURE], model, rule)
    return found


def published_topics(
    tables: Mapping[str, Estimates], *, model: CultureModel | None = None
) -> dict[str, Estimates]:
    """What published results allow: units of a contractor's tables, and changes between years.

    Parameters
    ----------
    tables
        The release's tables of measures, and its comparisons.
    model
        Model of culture; default the package's own.

    Returns
    -------
    dict of str to Estimates
        ``culture_differences``, ``spots`` and ``culture_changes``, as far as they can be made.
    """
    if CULTURE not in tables:
        return {}
    model = model or load_culture_model()
    found: dict[str, Estimates] = {}
    figures = judged(tables[CULTURE], model)
    frame = figures._frame
    # A published score without its spread cannot be tested.
    tested = (frame["statistic"].ne("score") | frame["se"].notna()).to_numpy(dtype=bool)
    with suppress(MeasureError):  # no figure of everyone beside the units
        found |= _of_units(figures._rows(tested)) if tested.any() else {}
    with suppress(MeasureError):  # no figures of two years that compare
        found |= _changes(tables, model)
    return found


def judged(culture: Estimates, model: CultureModel) -> Estimates:
    """The figures by which units are judged: elements, outcomes and concerns."""
    ids = {f"{PREFIX}{e}" for e in model.elements}
    ids |= {o.measure for o in model.outcomes.values()}
    ids |= {m for c in model.concerns.values() for m in c.measures}
    return culture._rows(culture._frame["measure"].isin(ids).to_numpy(dtype=bool))


def _of_units(figures: Estimates) -> dict[str, Estimates]:
    years = sorted(figures.unique("year"))
    latest = figures._rows(figures._frame["year"].eq(years[-1]).to_numpy(dtype=bool))
    units = [b for b in latest.unique("breakdown") if b != OVERALL]
    found: dict[str, Estimates] = {}
    if units:
        found[DIFFERENCES] = compare_groups(latest, reference=ALL, adjust="bh")
        found[SPOTS] = concat([pooled_units(latest, by=u) for u in units])
    return found


def _changes(tables: Mapping[str, Estimates], model: CultureModel) -> dict[str, Estimates]:
    """Between the last two years: of what units are judged by, and of the single items behind it.

    The two are families of their own, so that seventy items do not hide a change of an element.
    Changes are adjusted as in the other tables of the release, and one that these judge already,
    of everyone or of a unit, is taken from there: a change that is clear on one page is so on all.
    """
    culture = tables[CULTURE]
    main = judged(culture, model)
    known = set(main.unique("measure"))
    years = sorted(main.unique("year"))[-2:]
    if len(years) < 2:
        return {}
    parts = {"elements, outcomes and concerns": [main]}
    for table in (culture, tables.get(ITEMS)):
        if table is None:
            continue
        frame = table._frame
        rest = frame["breakdown"].eq(OVERALL) & ~frame["measure"].isin(known)
        known |= set(frame["measure"])
        if rest.any():
            parts.setdefault("single questions", []).append(table._rows(rest.to_numpy(dtype=bool)))
    told = _told(tables.get(OTHER_CHANGES), years, known)
    found = [] if told is None else [told]
    already = set() if told is None else set(_kinds(told._frame))
    for name, figures in parts.items():
        both = concat(figures)
        frame = both._frame
        new = np.array([kind not in already for kind in _kinds(frame)], dtype=bool)
        last = frame["year"].isin(years).to_numpy(dtype=bool) & new
        for changes in compared(both._rows(last)) if last.any() else ():
            differences = changes._frame["statistic"].eq("difference").to_numpy(dtype=bool)
            found.append(in_family(name, changes)._rows(differences))
    return {CHANGES: concat(found)} if found else {}


def _kinds(frame: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """What each row is of: the measure, and everyone or which units."""
    return zip(frame["measure"], frame["breakdown"], strict=True)


def _told(
    changes: Estimates | None, years: Sequence[int], measures: Collection[str]
) -> Estimates | None:
    """The changes in these measures that the release's other tables judge."""
    if changes is None:
        return None
    frame = changes._frame
    keep = (
        frame["statistic"].eq("difference") & frame["within"].eq("") & frame["answer"].eq("")
        & frame["measure"].isin(measures)
        & frame["year"].eq(years[-1]) & frame["reference"].eq(str(years[0]))
    )  # fmt: skip
    return changes._rows(keep.to_numpy(dtype=bool)) if keep.any() else None


def _of_leaders(
    table: Estimates | None, model: CultureModel, units: Estimates | None
) -> dict[str, Estimates]:
    """Differences of the groups that stand for leaders from everyone else, beside the units'."""
    if table is None or model.leaders is None:
        return {}
    frame = table._frame
    mine = frame["breakdown"].eq(model.leaders.breakdown)
    keep = frame["year"].eq(frame["year"].max()) & (
        frame["breakdown"].eq(OVERALL) | (mine & frame["group"].isin(model.leaders.groups))
    )
    try:
        found = compare_groups(table._rows(keep.to_numpy(dtype=bool)), reference=REST, adjust="bh")
    except MeasureError:  # nobody of these groups was asked
        return {}
    return {DIFFERENCES: found if units is None else concat([units, found])}


def _of_respondents(
    survey: Survey, culture: Estimates, model: CultureModel, rule: Rule
) -> dict[str, Estimates]:
    latest = survey.filter(year=max(survey.years))
    found: dict[str, Estimates] = {}
    with suppress(AdjustmentError, MeasureError):  # the diagnosis says that it is missing
        found[DRIVERS] = drivers(latest, model=model, rule=rule)
    years = [survey.filter(year=y) for y in survey.years[:-1]]
    quality = [coefficients(s, model=model, rule=rule) for s in years]
    units = _large_units(survey, culture)
    quality = [q for q in (*quality, coefficients(latest, model=model, by=units, rule=rule)) if q]
    if quality:
        found[QUALITY] = concat(quality)
    return found


def _large_units(survey: Survey, culture: Estimates) -> list[str]:
    """The largest units of the tables: smaller ones are too small to judge a scale in."""
    return [b for b in culture.unique("breakdown") if b in survey.responses.columns][:1]
