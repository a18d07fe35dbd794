"""Simulated respondents and the facts they should follow."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from culture_analytics.simulate import simulate_survey
from culture_analytics.simulate.model import rows
from culture_analytics.survey import Survey

N = 50_000


@pytest.fixture(scope="session")
def trust() -> Survey:
    """One trust of 50,000 respondents in 2024, hot spots and all."""
    return simulate_survey(N, year=2024, seed=7)


@pytest.fixture(scope="session")
def nation() -> Survey:
    """Sixty organisations with 180,000 respondents in 2024."""
    return simulate_survey(180_000, year=2024, organisations=60, seed=3)


@pytest.fixture(scope="session")
def targets() -> pd.DataFrame:
    """Published percentages of every answer: item, answer, percent, source."""
    frame = pd.DataFrame(rows("targets.csv"))
    frame["percent"] = frame["percent"].astype(float)
    return frame


def reported(survey: Survey, item: str, where: np.ndarray | None = None) -> float:
    """Percentage giving the reported answers, counted here without the library's engine."""
    spec = survey.instrument.items[item]
    answers = survey.responses[item]
    valid = answers.notna().to_numpy() & ~answers.isin(spec.excluded).to_numpy()
    if where is not None:
        valid &= where
    wanted = spec.reported or ("Selected", "Not considering leaving")
    return 100 * float(answers[valid].isin(wanted).mean())


def members(survey: Survey, breakdown: str, group: str) -> np.ndarray:
    """Who is in a group."""
    spec = survey.instrument.breakdowns[breakdown]
    answers = next(g.answers for g in spec.groups if g.label == group)
    mask: np.ndarray = survey.responses[spec.item].isin(answers).to_numpy()
    return mask


@pytest.fixture(scope="session")
def alpha() -> Callable[[Survey, list[str]], float]:
    """Cronbach's alpha of items, codes as they stand in questionnaire order."""

    def compute(survey: Survey, items: list[str]) -> float:
        codes = np.column_stack([survey.responses[i].cat.codes.to_numpy() for i in items])
        codes = codes[(codes >= 0).all(axis=1)].astype(float)
        k = codes.shape[1]
        return float(
            k / (k - 1) * (1 - codes.var(axis=0, ddof=1).sum() / codes.sum(axis=1).var(ddof=1))
        )

    return compute
