"""Shared respondents and folders of the tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics.survey import Survey

REAL_DATA = Path(
    os.environ.get(
        "CULTURE_ANALYTICS_REAL_DATA", Path(__file__).resolve().parents[2] / "shared/data/real"
    )
)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the official workbooks; the test is skipped where they are not held."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"official workbooks not held here ({REAL_DATA.name}); see README")
    return REAL_DATA


@pytest.fixture(scope="session")
def instrument() -> ca.Instrument:
    return ca.load_instrument()


@pytest.fixture(scope="session")
def sample_release() -> ca.Release:
    """The bundled sample of 2024 as a release: made once, since it takes seconds."""
    return ca.open_release("sample", year=2024)


def make_survey(
    n: int = 600,
    *,
    years: tuple[int, ...] = (2024,),
    orgs: tuple[str, ...] = ("ZZ1",),
    seed: int = 1,
    columns: dict[str, np.ndarray] | None = None,
) -> Survey:
    """Random answers to every item of the years, with missing ones and two unit columns."""
    instrument = ca.load_instrument()
    rng = np.random.default_rng(seed)
    parts = []
    for year in years:
        data: dict[str, object] = {
            "org": pd.Categorical(rng.choice(list(orgs), n), categories=list(orgs)),
            "year": np.full(n, year, dtype="int16"),
        }
        for item in instrument.items.values():
            question = instrument.question(item.id, year)
            if question is None:
                continue
            positions = np.array([item.labels.index(x) for x in question.scale.labels] + [-1])
            share = rng.dirichlet(np.full(len(positions), 2.0))
            codes = positions[rng.choice(len(positions), n, p=share)]
            data[item.id] = pd.Categorical.from_codes(codes, dtype=item.dtype)
        directorate = rng.integers(0, 4, n)
        data["directorate"] = pd.Categorical([f"Directorate {'ABCD'[d]}" for d in directorate])
        data["team"] = pd.Categorical(
            [
                f"Team {'ABCD'[d]}{t}"
                for d, t in zip(directorate, rng.integers(1, 9, n), strict=True)
            ]
        )
        data["w"] = rng.uniform(0.3, 4, n).round(2)
        data.update(columns or {})
        parts.append(
            Survey(
                pd.DataFrame(data),
                instrument=instrument,
                design=ca.Design(weights={"w": "w"}),
                units=("directorate", "team"),
            )
        )
    return parts[0] if len(parts) == 1 else ca.combine(parts)


@pytest.fixture
def survey_of() -> Callable[..., Survey]:
    """`make_survey`, for tests that want respondents of their own."""
    return make_survey


@pytest.fixture(scope="session")
def compared_release() -> ca.Release:
    """The sample of 2024 beside the synthetic workbooks, protected once for all tests."""
    from culture_analytics.resources import sample_folder

    books = sorted(sample_folder().glob("NSS24*.xlsx"))
    assert len(books) == 2
    return ca.open_release("sample", year=2024, published=books)
