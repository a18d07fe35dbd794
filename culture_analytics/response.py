"""Who answered: `response_profile` against staff in post, and `rake`: weights that make up for it.

Weights put right who answered as far as the groups of the staff list explain it, not why the
others did not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.design import Design
from culture_analytics.disclosure.rules import Rule, load_rule
from culture_analytics.errors import DesignError, MeasureError
from culture_analytics.estimate import calculate
from culture_analytics.estimate.dimensions import Dimension, resolve_dimension
from culture_analytics.read.detect import clean_path
from culture_analytics.read.kept_table import read_kept_table
from culture_analytics.stats.proportion import wilson
from culture_analytics.stats.raking import rake as rake_sums
from culture_analytics.survey import Survey

__all__ = [
    "NOT_KNOWN",
    "effect_of_weights",
    "rake",
    "read_staff",
    "response_profile",
    "small_groups",
]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

COLUMNS = ("breakdown", "group", "staff")
NOT_KNOWN = "Not known"
"""Group of a staff list that holds those whose group is not recorded."""


def read_staff(staff: str | Path | pd.DataFrame) -> pd.DataFrame:
    """Staff in post by group: csv, workbook or DataFrame with columns ``breakdown, group, staff``.

    Parameters
    ----------
    staff
        One row a group: the breakdown or column it belongs to, its label as in the survey, and the
        number of staff. A group ``Not known`` holds those whose group is not recorded.

    Returns
    -------
    DataFrame
        The three columns.

    Raises
    ------
    DesignError
        The file cannot be read, lacks a column, counts a group twice, or has counts that are no
        whole numbers of 0 or more.

    Examples
    --------
    >>> import pandas as pd
    >>> read_staff(pd.DataFrame({"breakdown": ["gender"] * 2, "group": ["Female", "Male"],
    ...                          "staff": [5200, 1600]}))["staff"].sum().item()
    6800.0
    """
    if isinstance(staff, pd.DataFrame):
        found, name = staff.copy(), "the staff list"
    else:
        found, name = read_kept_table(staff, DesignError), clean_path(staff).name
        found = found[(found != "").any(axis=1)]
    found.columns = [str(c).strip().lower() for c in found.columns]
    missing = [c for c in COLUMNS if c not in found.columns]
    if missing:
        raise DesignError(
            f"{name}: column(s) missing: {', '.join(missing)}. A staff list has the columns "
            f"{', '.join(COLUMNS)}."
        )
    found = found[list(COLUMNS)].copy()
    for column in ("breakdown", "group"):
        found[column] = found[column].astype("str").str.strip()
    plain = found["staff"].astype("str").str.replace(",", "", regex=False)
    counts = pd.to_numeric(plain, errors="coerce").to_numpy(dtype=np.float64)
    wrong = int(np.count_nonzero(~((counts >= 0) & (counts == np.round(counts)))))
    if wrong:
        raise DesignError(
            f"{name}: {wrong} of {len(found)} rows have no whole number of staff, 0 or more."
        )
    again = found[found.duplicated(["breakdown", "group"])].drop_duplicates()
    if len(again):
        named = [f"{b} {g!r}" for b, g in zip(again["breakdown"], again["group"], strict=True)]
        raise DesignError(
            f"{name}: {len(again)} groups stand in it twice: {', '.join(named[:5])}"
            f"{' ...' if len(named) > 5 else ''}. Put each in one row."
        )
    if found.empty:
        raise DesignError(f"{name} has no group in it: only the line of column names.")
    return found.assign(staff=counts)


def response_profile(
    survey: Survey,
    staff: str | Path | pd.DataFrame,
    *,
    level: float = 0.95,
    rule: str | Rule = "default",
) -> pd.DataFrame:
    """How many of each group answered, and how the respondents' mix differs from the staff's.

    Parameters
    ----------
    survey
        Respondents of one organisation and year.
    staff
        Staff in post by group: see :func:`read_staff`.
    level
        Confidence level of the limits of the response rate.
    rule
        Disclosure rule: groups with fewer respondents than its base are hidden, and where that
        leaves one hidden group in a breakdown, or fewer hidden respondents than the base, the next
        smallest as well. Respondents in no group of the list can stand in for the next smallest;
        shares of respondents, which would tell them apart, are then left out.

    Returns
    -------
    DataFrame
        A row a group: `staff`, `respondents`, `rate` (percent, with `lower` and `upper`: how far
        chance alone could move it), `share_of_staff` and `share_of_respondents` (percent of those
        whose group is known), `ratio` of the second to the first, and `status`.

    Raises
    ------
    DesignError
        The staff list cannot be used, or a group has more respondents than staff.
    MeasureError
        Several organisations or years, or a breakdown or group the survey does not have.

    Notes
    -----
    Official rates divide by eligible staff invited, and take ethnicity and the like from the staff
    list for both; here staff say for themselves, so a group may differ for that alone. The table
    is protected by itself: it is not audited with others.

    Examples
    --------
    >>> import culture_analytics as ca, pandas as pd
    >>> list_ = pd.DataFrame({"breakdown": "gender", "group": ["Female", "Male"],
    ...                       "staff": [6500, 2100]})
    >>> found = response_profile(ca.load_sample(2024), list_)
    >>> found["group"].tolist()
    ['Female', 'Male']
    """
    _one_sample(survey, "response_profile()")
    counts, rule = read_staff(staff), load_rule(rule)
    blocks = []
    for name, block in counts.groupby("breakdown", sort=False):
        dimension = resolve_dimension(survey, str(name))
        named = block[block["group"].ne(NOT_KNOWN)].reset_index(drop=True)
        place = _places(dimension, named["group"])
        people = np.bincount(dimension.codes[dimension.codes >= 0], minlength=len(dimension.groups))
        answered = people[place].astype(np.float64)
        many = named["staff"].to_numpy(dtype=np.float64)
        over = [str(g) for g in named["group"][answered > many]]
        if over:
            raise DesignError(
                f"{name}: more respondents than staff in {', '.join(map(repr, over))}. Check that "
                "the staff list is of the same date and uses the survey's groups. Leave the "
                "breakdown out where the staff record holds fewer people than say so themselves, "
                "as it often does of long-term conditions."
            )
        hide = small_groups(answered, int(people.sum() - answered.sum()), rule)
        rate = answered / np.where(many > 0, many, np.nan)
        lower, upper = wilson(np.nan_to_num(rate), np.where(many > 0, many, np.nan), level=level)
        of_staff, of_people = many / many.sum(), answered / max(answered.sum(), 1)
        table = pd.DataFrame(
            {
                "breakdown": dimension.id,
                "group": named["group"],
                "staff": many,
                "respondents": answered,
                "rate": 100 * rate,
                "lower": 100 * lower,
                "upper": 100 * upper,
                "share_of_staff": 100 * of_staff,
                "share_of_respondents": 100 * of_people,
                "ratio": of_people / np.where(of_staff > 0, of_staff, np.nan),
                "status": np.where(hide, "suppressed", "ok"),
            }
        )
        shown = ["respondents", "rate", "lower", "upper", "share_of_respondents", "ratio"]
        table.loc[hide, shown] = np.nan
        if hide.any() and (hide.sum() < 2 or answered[hide].sum() < rule.base_under):
            # Shares would say how many there are in the list's groups, and so how many are hidden.
            table[["share_of_respondents", "ratio"]] = np.nan
        blocks.append(table)
    return pd.concat(blocks, ignore_index=True)


def rake(
    survey: Survey,
    staff: str | Path | pd.DataFrame,
    *,
    name: str = "raked",
    weight: str | None = None,
) -> Survey:
    """Give the survey a weight under which its groups add up to the staff in post.

    Parameters
    ----------
    survey
        Respondents of one organisation and year.
    staff
        Staff in post by group: see :func:`read_staff`. With one breakdown this is
        post-stratification, with several raking.
    name
        Name of the new weight and of its column.
    weight
        A weight of the design to start from; default none.

    Returns
    -------
    Survey
        The same respondents; ask `calculate` for ``weight="raked"``.

    Raises
    ------
    DesignError
        A group has staff and no respondents; the breakdowns do not count the same staff; no
        weights meet them all; or the name is taken.
    MeasureError
        Several organisations or years, or a breakdown or group the survey does not have.

    Notes
    -----
    Respondents whose group is not in the staff list (not stated, "prefer not to say") are a group
    of their own that keeps its share of the respondents; the others' staff are scaled to the rest.
    Standard errors treat the weights as given, which overstates them a little.

    References
    ----------
    Deming and Stephan (1940) Annals of Mathematical Statistics 11:427; equal to R ``rake``.

    Examples
    --------
    >>> import culture_analytics as ca, pandas as pd
    >>> list_ = pd.DataFrame({"breakdown": "gender", "group": ["Female", "Male"],
    ...                       "staff": [6500, 2100]})
    >>> weighted = rake(ca.load_sample(2024), list_)
    >>> round(weighted.responses["raked"].sum())
    8600
    """
    _one_sample(survey, "rake()")
    if name in survey.responses.columns or name in survey.design.weights:
        raise DesignError(f"The survey has a column {name!r} already. Try: name='...'.")
    counts = read_staff(staff)
    given = np.ones(survey.n)
    if weight is not None:
        if weight not in survey.design.weights:
            known = ", ".join(survey.design.weights) or "none"
            raise DesignError(f"The survey has no weight {weight!r}; it has: {known}.")
        given = survey.responses[survey.design.weights[weight]].to_numpy(dtype=np.float64)
    parts = [
        _classification(resolve_dimension(survey, str(b)), block, given)
        for b, block in counts.groupby("breakdown", sort=False)
    ]
    sizes = [len(p.staff) for p in parts]
    joint = np.ravel_multi_index(tuple(p.codes for p in parts), sizes)
    cells, at = np.unique(joint, return_inverse=True)
    raked = rake_sums(
        np.bincount(at, given, len(cells)),
        np.stack(np.unravel_index(cells, sizes), axis=1),
        [p.staff for p in parts],
        names=[p.label for p in parts],
        labels=[p.groups for p in parts],
    )
    responses = survey.responses.assign(**{name: given * raked.factor[at]})
    weights = {**survey.design.weights, name: name}
    design = Design(
        weights=weights,
        strata=survey.design.strata,
        population=survey.design.population,
        lonely=survey.design.lonely,
    )
    return replace(survey, responses=responses, design=design)


def effect_of_weights(
    survey: Survey,
    measures: str | Sequence[str],
    *,
    weight: str = "raked",
    rule: str | Rule = "default",
) -> pd.DataFrame:
    """What a weight changes: each figure of everyone without and with it.

    Parameters
    ----------
    survey
        Respondents with the weight.
    measures
        As for `calculate`.
    weight
        Name of the weight.
    rule
        Disclosure rule.

    Returns
    -------
    DataFrame
        `unweighted`, `weighted`, `change` (points) and `design_effect`: how many times as many
        answers the weighted figure would need to be as sure as an unweighted one.

    Raises
    ------
    DesignError
        There is no such weight.
    MeasureError
        There is no such measure.

    Examples
    --------
    >>> import culture_analytics as ca, pandas as pd
    >>> list_ = pd.DataFrame({"breakdown": "gender", "group": ["Female", "Male"],
    ...                       "staff": [6500, 2100]})
    >>> weighted = rake(ca.load_sample(2024), list_)
    >>> effect_of_weights(weighted, "work_related_stress").columns.tolist()[-3:]
    ['weighted', 'change', 'design_effect']
    """
    plain, other = (calculate(survey, measures, weight=w, rule=rule) for w in (None, weight))
    on = ["year", "org", "measure"]
    table = plain.table[[*on, "label", "unit", "base", "value"]].rename(
        columns={"value": "unweighted"}
    )
    weighted = other.table["value"].to_numpy(dtype=float)
    base = other._frame["base"].to_numpy(dtype=float)
    effective = other._frame["effective_base"].to_numpy(dtype=float)
    table = table.assign(weighted=weighted, change=weighted - table["unweighted"])
    shown = table["weighted"].notna().to_numpy()
    effect = base / np.where(effective > 0, effective, np.nan)
    return table.assign(design_effect=np.where(shown, effect, np.nan))


@dataclass(frozen=True, eq=False)
class _Classification:
    """One breakdown of the staff list: group of each respondent and staff of each group."""

    label: str
    groups: list[str]
    codes: Codes
    staff: Floats


def _classification(dimension: Dimension, block: pd.DataFrame, weight: Floats) -> _Classification:
    named = block[block["group"].ne(NOT_KNOWN)]
    place = _places(dimension, named["group"])
    group = np.full(len(dimension.groups) + 1, len(place), dtype=np.int64)
    group[place] = np.arange(len(place))
    codes = group[dimension.codes]
    staff = named["staff"].to_numpy(dtype=np.float64)
    total = float(block["staff"].sum())
    if not staff.sum() > 0:
        raise DesignError(f"{dimension.label}: the staff list counts nobody in its groups.")
    unknown = float(weight[codes == len(place)].sum() / weight.sum())
    # Those whose group the staff list does not have keep their share.
    targets = [*(staff * (total * (1 - unknown) / staff.sum())), total * unknown]
    return _Classification(
        dimension.label,
        [*map(str, named["group"]), "not in the staff list"],
        codes,
        np.array(targets),
    )


def _places(dimension: Dimension, groups: pd.Series) -> Codes:
    """Position of the staff list's groups among the survey's."""
    unknown = [str(g) for g in groups if g not in dimension.groups]
    if unknown:
        raise MeasureError(
            f"{dimension.id}: {', '.join(map(repr, unknown[:6]))} of the staff list are no groups "
            f"of the survey; there are {', '.join(map(repr, dimension.groups[:20]))}."
        )
    return np.array([dimension.groups.index(str(g)) for g in groups], dtype=np.int64)


def small_groups(answered: Floats, outside: int, rule: Rule) -> NDArray[np.bool_]:
    """Groups too small to show, and others so that no difference from the whole gives them away."""
    least = rule.base_under
    hide = answered < least
    order = np.argsort(answered, kind="stable")
    for next_smallest in order:
        # Those in no group of the list are one more unknown of the sum.
        together = int(hide.sum()) + (outside > 0)
        if not hide.any() or (together > 1 and answered[hide].sum() + outside >= least):
            break
        hide[next_smallest] = True
    return np.asarray(hide, dtype=bool)


def _one_sample(survey: Survey, what: str) -> None:
    if len(survey.years) > 1 or len(survey.orgs) > 1:
        raise MeasureError(
            f"{what} needs one organisation and year; these respondents are of "
            f"{len(survey.orgs)} and {len(survey.years)}. Try: survey.filter(org=..., year=...)."
        )
