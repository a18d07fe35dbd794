"""Which of the survey's weights a figure made from respondents uses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from culture_analytics.errors import DesignError
from culture_analytics.survey import Survey

__all__ = ["DESIGN", "UNWEIGHTED", "design_weight", "weight_note"]

DESIGN = "design"
"""The survey's own weight, if it has exactly one."""

UNWEIGHTED = "unweighted"


def design_weight(survey: Survey, weight: str | None) -> tuple[str, NDArray[np.float64] | None]:
    """Name and values of the weight to use.

    Parameters
    ----------
    survey
        Respondents.
    weight
        Name of one of the design's weights; ``"design"``: the only one it has, none where it has
        none or several; None: everyone counts once.

    Returns
    -------
    str, ndarray or None
        ``"unweighted"`` and None where everyone counts once.

    Raises
    ------
    DesignError
        The design has no such weight.

    Examples
    --------
    >>> import culture_analytics as ca
    >>> design_weight(ca.load_sample(2024), "design")
    ('unweighted', None)
    """
    names = survey.design.weights
    if weight == DESIGN and weight not in names:
        weight = next(iter(names)) if len(names) == 1 else None
    if weight is None:
        return UNWEIGHTED, None
    if weight not in names:
        raise DesignError(
            f"The survey has no weight {weight!r}; it has: {', '.join(names) or 'none'}. "
            "Add one with survey.with_design(Design(weights={'name': 'column'}))."
        )
    return weight, survey.responses[names[weight]].to_numpy(dtype=np.float64)


def weight_note(survey: Survey, weighting: str, what: str) -> str:
    """A sentence on the weights; empty where the survey has none."""
    if not survey.design.weights:
        return ""
    if weighting != UNWEIGHTED:
        return f"{what}: calculated with the weight {weighting!r}."
    return f"{what}: the survey's weights are not used; everyone who answered counts once."
