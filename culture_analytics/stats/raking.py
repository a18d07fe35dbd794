r"""Weights that make the respondents add up to all staff: post-stratification and raking.

Post-stratification multiplies the weights of each group by one factor, so that the group adds up to
its staff in post. Raking does so for several classifications in turn (age, then ethnicity, then
age again), until all of them hold together: iterative proportional fitting. Respondents alike in
every classification get the same factor, so both work on sums of weights over combinations.

They put right who answered, as far as the classifications explain it; not why the others did not.

References
----------
Deming WE, Stephan FF (1940). On a least squares adjustment of a sampled frequency table when the
expected marginal totals are known. *Annals of Mathematical Statistics* 11:427-444.

Deville JC, Sarndal CE, Sautory O (1993). Generalized raking procedures in survey sampling. *Journal
of the American Statistical Association* 88:1013-1020.

Lumley T (2010). *Complex Surveys: a guide to analysis using R*. Wiley. Chapter 7 (``rake``,
``postStratify``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from culture_analytics.errors import CultureAnalyticsError, DesignError
from culture_analytics.stats._quantiles import FloatArray, floats

__all__ = ["Raked", "post_stratify", "rake"]

_TOTALS_AGREE = 1e-6


class Raked(NamedTuple):
    """What each combination's weights are multiplied by."""

    factor: FloatArray
    """Shape (combinations,); 0 where a combination has no weight."""
    iterations: int
    """Passes through all classifications; 1 for post-stratification."""
    difference: float
    """Largest difference left between a group's weight and its staff, as a share of all staff."""


def post_stratify(
    weight: ArrayLike, staff: ArrayLike, *, labels: Sequence[str] | None = None
) -> Raked:
    """Factors that make each group add up to its staff.

    Parameters
    ----------
    weight : array_like
        Sum of the respondents' weights in each group, shape (groups,); the number of respondents
        when unweighted.
    staff : array_like
        Staff in post (or any known total) in each group.
    labels : sequence of str, optional
        Names of the groups, for messages.

    Returns
    -------
    Raked
        One factor a group.

    Raises
    ------
    DesignError
        If a group has staff and no respondents, or respondents and no staff.
    CultureAnalyticsError
        If lengths differ.

    References
    ----------
    Equal to R ``postStratify(design, ~group, staff)``.

    Examples
    --------
    >>> post_stratify([40, 60], [150, 100]).factor.round(3).tolist()
    [3.75, 1.667]
    """
    sums = floats(weight).ravel()
    codes = np.arange(sums.size)[:, None]
    return rake(sums, codes, [staff], labels=None if labels is None else [labels])


def rake(
    weight: ArrayLike,
    codes: ArrayLike,
    staff: Sequence[ArrayLike],
    *,
    names: Sequence[str] | None = None,
    labels: Sequence[Sequence[str]] | None = None,
    tolerance: float = 1e-10,
    max_iterations: int = 1000,
) -> Raked:
    """Factors that make the groups of every classification add up to their staff.

    Parameters
    ----------
    weight : array_like
        Sum of the respondents' weights in each combination, shape (combinations,).
    codes : array_like of int
        Group of each combination in each classification, shape (combinations, classifications).
    staff : sequence of array_like
        Staff in post of the groups of each classification.
    names : sequence of str, optional
        Names of the classifications, for messages.
    labels : sequence of sequences of str, optional
        Names of the groups of each, for messages.
    tolerance : float, default 1e-10
        Largest difference between a group's weight and its staff that will do, as a share of all
        staff.
    max_iterations : int, default 1000
        Passes through the classifications before giving up.

    Returns
    -------
    Raked
        One factor a combination.

    Raises
    ------
    DesignError
        If a group has staff and no respondents, or respondents and no staff; if the
        classifications do not have the same number of staff; or if no weights can meet all of
        them, because of the combinations nobody answered from.
    CultureAnalyticsError
        If lengths differ, or a code has no staff.

    References
    ----------
    Deming and Stephan (1940). Equal to R ``rake(design, ..., control = list(epsilon = 1e-9))``.

    Examples
    --------
    >>> found = rake([30, 20, 10, 40], [[0, 0], [0, 1], [1, 0], [1, 1]], [[120, 80], [90, 110]])
    >>> found.factor.round(3).tolist()
    [2.446, 2.331, 1.662, 1.584]
    """
    sums, of, targets = _checked(weight, codes, staff)
    titles = (
        list(names)
        if names is not None
        else [f"classification {i + 1}" for i in range(len(targets))]
    )
    _check_groups(sums, of, targets, titles, labels)
    total = _check_totals(targets, titles)
    goals = [target * (total / target.sum()) for target in targets]
    factor = np.where(sums > 0, 1.0, 0.0)
    difference = np.inf
    for iteration in range(1, max_iterations + 1):
        for at, goal in zip(of.T, goals, strict=True):
            now = np.bincount(at, sums * factor, goal.size)
            factor = factor * (goal / np.where(now > 0, now, 1.0))[at]
        left = [
            np.abs(np.bincount(at, sums * factor, goal.size) - goal).max()
            for at, goal in zip(of.T, goals, strict=True)
        ]
        difference = float(max(left)) / total
        if difference <= tolerance:
            return Raked(factor, iteration, difference)
    worst = titles[int(np.argmax(left))]
    possible = int(np.prod([np.count_nonzero(goal) for goal in goals]))
    raise DesignError(
        f"No weights were found that meet all {len(goals)} classifications: after "
        f"{max_iterations} passes {worst} is still {100 * difference:.2g} % of all staff out. "
        f"Nobody answered from {possible - int(np.count_nonzero(sums))} of {possible} "
        "combinations. Try: merge small groups, or use fewer classifications."
    )


def _checked(
    weight: ArrayLike, codes: ArrayLike, staff: Sequence[ArrayLike]
) -> tuple[FloatArray, NDArray[np.intp], list[FloatArray]]:
    sums, of = floats(weight).ravel(), np.asarray(codes, dtype=np.intp)
    targets = [floats(target).ravel() for target in staff]
    if of.ndim != 2 or of.shape != (sums.size, len(targets)) or not targets:
        raise CultureAnalyticsError(
            f"{sums.size} combinations, codes of shape {of.shape} and {len(targets)} lists of "
            "staff. Try: one row of codes a combination, and one column and one list of staff a "
            "classification."
        )
    sizes = np.array([target.size for target in targets])
    unknown = int(np.count_nonzero((of < 0) | (of >= sizes)))
    if unknown:
        raise CultureAnalyticsError(
            f"{unknown} of {of.size} codes have no staff. Try: leave out, or give a group of their "
            "own to, respondents who did not say."
        )
    wrong = int(np.count_nonzero(~((sums >= 0) & np.isfinite(sums))))
    wrong += sum(int(np.count_nonzero(~((t >= 0) & np.isfinite(t)))) for t in targets)
    if wrong:
        raise CultureAnalyticsError(f"{wrong} weights or numbers of staff are below 0 or missing.")
    return sums, of, targets


def _check_groups(
    sums: FloatArray,
    of: NDArray[np.intp],
    targets: list[FloatArray],
    titles: list[str],
    labels: Sequence[Sequence[str]] | None,
) -> None:
    """Refuse groups that no factor can bring to their staff, all of them at once."""
    problems = []
    for i, target in enumerate(targets):
        there = np.bincount(of[:, i], sums, target.size) > 0
        for what, wrong in (
            ("staff but no respondents", (target > 0) & ~there),
            ("respondents but no staff", (target == 0) & there),
        ):
            if wrong.any():
                groups = ", ".join(
                    repr(labels[i][g]) if labels is not None else f"number {g}"
                    for g in np.flatnonzero(wrong).tolist()
                )
                problems.append(f"{titles[i]}: {what} in {groups}")
    if problems:
        raise DesignError(
            "The respondents cannot be weighted to these staff.\n  "
            + "\n  ".join(problems)
            + "\n  Try: merge these groups with others, in the answers and in the staff list."
        )


def _check_totals(targets: list[FloatArray], titles: list[str]) -> float:
    """Number of staff, which every classification must have."""
    totals = [float(target.sum()) for target in targets]
    if max(totals) - min(totals) > _TOTALS_AGREE * max(totals) or not totals[0] > 0:
        counts = ", ".join(f"{title} {t:,.0f}" for title, t in zip(titles, totals, strict=True))
        raise DesignError(
            f"The classifications do not have the same number of staff: {counts}. "
            "Try: count the same staff in each, those whose group is not known as well."
        )
    return totals[0]
