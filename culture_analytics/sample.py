"""`load_sample`: the bundled synthetic trust, read as a trust would read its own extract."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from culture_analytics.errors import ExtractError
from culture_analytics.read import read_extract
from culture_analytics.resources import sample_folder
from culture_analytics.survey import Survey, combine

__all__ = ["load_sample"]

NAMES = {"ZZ1": "Fictional Mill Vale NHS Trust (synthetic)"}


def load_sample(year: int | None = None) -> Survey:
    """Respondents of a fictional trust, for examples, tests and first steps.

    Parameters
    ----------
    year
        2023, 2024 or 2025; default all three, stacked.

    Returns
    -------
    Survey
        About 4,000 respondents a year, marked synthetic, units ``("directorate", "team")``. What
        is planted in it: `culture_analytics.simulate.hot_spots`.

    Raises
    ------
    ExtractError
        There is no sample of that year, or the installation lacks it.

    Examples
    --------
    >>> survey = load_sample(2024)
    >>> survey.n, survey.orgs, survey.units
    (3906, ('ZZ1',), ('directorate', 'team'))
    """
    survey = _read() if year is None else _read_year(int(year))
    return replace(survey, responses=survey.responses.copy())


@lru_cache(maxsize=1)
def _read() -> Survey:
    return combine([_read_year(y) for y in _years()])


@lru_cache(maxsize=4)
def _read_year(year: int) -> Survey:
    if year not in _years():
        there = ", ".join(map(str, _years())) or "none"
        raise ExtractError(f"There is no sample of {year}; there are: {there}.")
    survey = read_extract(sample_folder() / f"synthetic_trust_{year}.csv", year=year)
    return replace(survey, synthetic=True, names=NAMES)


def _years() -> tuple[int, ...]:
    files = sample_folder().glob("synthetic_trust_*.csv")
    return tuple(sorted(int(f.stem.rsplit("_", 1)[1]) for f in files))
