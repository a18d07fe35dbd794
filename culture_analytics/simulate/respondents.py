"""`simulate_survey`: a Survey of people who do not exist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.errors import InstrumentError
from culture_analytics.simulate.answers import draw_answers
from culture_analytics.simulate.draws import Stream
from culture_analytics.simulate.model import HotSpot, Model, load_model
from culture_analytics.simulate.people import draw_people
from culture_analytics.simulate.units import Units, draw_units, organisation_codes, trait_values
from culture_analytics.survey import Survey

__all__ = ["TRUST_NAME", "YEARS", "hot_spots", "simulate_survey"]

Floats = NDArray[np.float64]
YEARS = (2021, 2022, 2023, 2024, 2025)
TRUST_NAME = "Fictional Mill Vale NHS Trust (synthetic)"


def simulate_survey(respondents: int, *, year: int, organisations: int = 1, seed: int) -> Survey:
    """Draw a synthetic survey that behaves like the NHS Staff Survey.

    Percentages and group gaps follow the national results of 2024, whatever the year; the
    year decides which items are asked and which answers they offer. Answers are correlated
    through traits, shared in part by organisations, directorates and teams. The first
    organisation also holds the planted `hot_spots`.

    Parameters
    ----------
    respondents
        Number of respondents, over all organisations; 750,000 take about a quarter of a minute.
    year
        2021 to 2025.
    organisations
        Number of organisations, of uneven size, coded ``ZZ1``, ``ZZ2`` ... (codes no real
        organisation has). Each has the same directorates and teams.
    seed
        Whole number from 0. The same seed gives the same respondents on every machine;
        with another year it gives other respondents of the same organisations, whose units
        keep their character.

    Returns
    -------
    Survey
        Marked synthetic, unweighted, with units ``("directorate", "team")``.

    Raises
    ------
    InstrumentError
        The year has no model, or a number is out of range.

    Notes
    -----
    Each answer is an ordered probit: thresholds and group effects fitted to published
    percentages [1]_, trait weights chosen for plausible reliabilities. Nothing of it describes
    a real person or organisation; every organisation has the national mix of occupations.

    References
    ----------
    .. [1] NHS Staff Survey 2024, national results, nhsstaffsurveys.com.

    Examples
    --------
    >>> survey = simulate_survey(500, year=2024, seed=1)
    >>> survey.n, survey.orgs, survey.synthetic
    (500, ('ZZ1',), True)
    """
    _check(respondents, year, organisations, seed)
    model = load_model()
    places, stream = Stream(seed, "places"), Stream(seed, "people", year)
    people = draw_people(model, respondents, stream.child("background"))
    units = draw_units(model, people, organisations, places, stream)
    traits = {t.id: trait_values(t, units, places, stream) for t in model.traits}
    _shift_traits(traits, model, units, year)
    answers = draw_answers(model, people, traits, units, year, stream.child("answers"))
    return _survey(answers, units, organisations, year, model)


def hot_spots() -> pd.DataFrame:
    """What is planted in the first organisation of every simulated survey, a row each.

    Returns
    -------
    DataFrame
        Columns ``hot_spot, effect, target, size, unit, names, breakdown, group, years,
        description, seen_in``. A ``ratio`` is the chance of the reported answer over that of other
        staff of the organisation (and group); a ``shift`` is of a trait, in standard deviations.

    Examples
    --------
    >>> hot_spots()["hot_spot"].unique().tolist()
    ['manager_bullying', 'burnout_teams', 'ethnicity_gap', 'improving', 'good_team']
    """
    spots = load_model().hot_spots
    columns = {f.name: [getattr(s, f.name) for s in spots] for f in fields(HotSpot)}
    return pd.DataFrame(columns).rename(columns={"id": "hot_spot"})


def _check(respondents: int, year: int, organisations: int, seed: int) -> None:
    if year not in YEARS:
        raise InstrumentError(
            f"simulate_survey draws the surveys of {YEARS[0]}-{YEARS[-1]}; year={year!r} was "
            "asked for."
        )
    if not 1 <= organisations <= respondents:
        raise InstrumentError(
            f"simulate_survey needs at least one respondent for each organisation: "
            f"respondents={respondents!r}, organisations={organisations!r}."
        )
    if seed < 0:
        raise InstrumentError(f"seed must be a whole number from 0; {seed!r} was given.")


def _shift_traits(traits: Mapping[str, Floats], model: Model, units: Units, year: int) -> None:
    """Plant the shifts of traits, the organisation's mean unchanged."""
    first = units.organisation == 0
    for spot in model.hot_spots:
        if spot.effect != "shift" or not spot.in_year(year):
            continue
        inside = first & units.members(spot.unit, spot.names)
        share = inside.sum() / max(first.sum(), 1)
        traits[spot.target][inside] += spot.size
        traits[spot.target][first] -= spot.size * share


def _survey(
    answers: Mapping[str, NDArray[np.int8]],
    units: Units,
    organisations: int,
    year: int,
    model: Model,
) -> Survey:
    codes = organisation_codes(organisations)
    columns: dict[str, object] = {
        "org": pd.Categorical.from_codes(units.organisation, categories=pd.Index(codes)),
        "year": np.full(len(units.team), year, dtype=np.int16),
        "directorate": pd.Categorical.from_codes(
            units.directorate, categories=pd.Index(units.directorates)
        ),
        "team": pd.Categorical.from_codes(units.team, categories=pd.Index(units.teams)),
    }
    for item, given in answers.items():
        columns[item] = pd.Categorical.from_codes(given, dtype=model.instrument.items[item].dtype)
    names = (
        {codes[0]: TRUST_NAME}
        if organisations == 1
        else {c: f"Fictional Trust {k + 1} (synthetic)" for k, c in enumerate(codes)}
    )
    survey = Survey(
        pd.DataFrame(columns),
        instrument=model.instrument,
        source="simulate_survey",
        synthetic=True,
        names=names,
    )
    return survey.with_units(["directorate", "team"])
