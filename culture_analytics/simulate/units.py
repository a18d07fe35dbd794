"""Where the respondents work: organisations, directorates and teams of uneven size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from culture_analytics.simulate.draws import Stream
from culture_analytics.simulate.model import Model, Trait
from culture_analytics.simulate.people import Codes, pick

__all__ = ["Units", "draw_units", "organisation_codes", "trait_values"]

Floats = NDArray[np.float64]
TRUST = 4000  # respondents of the trust whose team sizes teams.csv gives
TINY = 10  # smaller teams keep their size in larger trusts
SPREAD = 0.6  # of organisation sizes, on the log scale


@dataclass(frozen=True)
class Units:
    """Unit of every respondent, as codes."""

    organisation: Codes
    directorate: Codes
    team: Codes
    directorates: tuple[str, ...]
    teams: tuple[str, ...]

    def members(self, unit: str, names: tuple[str, ...]) -> NDArray[np.bool_]:
        """Who works in the units of these names."""
        labels, codes = {
            "directorate": (self.directorates, self.directorate),
            "team": (self.teams, self.team),
        }[unit]
        return np.isin(codes, [labels.index(n) for n in names])


def organisation_codes(n: int) -> tuple[str, ...]:
    """Codes no organisation has: ``ZZ1``, ``ZZ2`` ..."""
    return tuple(f"ZZ{k + 1}" for k in range(n))


def draw_units(
    model: Model, people: dict[str, Codes], organisations: int, places: Stream, stream: Stream
) -> Units:
    """Put everyone in an organisation, and in a team that has work for the occupation.

    Parameters
    ----------
    model
        Parameters.
    people
        Background items, of which the occupation is used.
    organisations
        Their number.
    places
        Source of what lasts from year to year (sizes of organisations).
    stream
        Source of this year's draws.
    """
    occupation = people["occupational_group"]
    n = len(occupation)
    weight = np.exp(SPREAD * places.normal(organisations, "organisation sizes"))
    ends = np.round(np.cumsum(weight) / weight.sum() * n).astype(np.int64)
    organisation = np.searchsorted(ends, np.arange(n), side="right").astype(np.int16)
    chances = _teams_by_occupation(model, occupation, n / organisations)
    cumulated = np.cumsum(chances, axis=1)
    cumulated /= cumulated[:, -1:]
    cumulated[:, -1] = 1.0
    team = pick(cumulated, occupation.astype(np.int64), stream.uniform(n, "team")).astype(np.int16)
    directorates = tuple(dict.fromkeys(t.directorate for t in model.teams))
    above = np.array([directorates.index(t.directorate) for t in model.teams], dtype=np.int16)
    return Units(organisation, above[team], team, directorates, tuple(t.name for t in model.teams))


def _teams_by_occupation(model: Model, occupation: Codes, size: float) -> Floats:
    """Occupations x teams in counts, fitted to the occupations drawn and the teams' sizes."""
    labels = model.instrument.items["occupational_group"].labels
    # A pinch of every occupation everywhere lets the two margins be met.
    table = np.array([[t.profile.get(o, 0.0) + 0.02 for t in model.teams] for o in labels])
    have = np.maximum(np.bincount(occupation, minlength=len(labels)), 1e-3) / len(occupation)
    people = np.array([t.people for t in model.teams])
    tiny = people < TINY
    want = np.where(tiny, people / max(size, TRUST / 4), 0.0)
    want[~tiny] = people[~tiny] / people[~tiny].sum() * (1 - want.sum())
    for _ in range(60):
        table *= (have / table.sum(axis=1))[:, None]
        table *= want / table.sum(axis=0)
    return table + 1e-12


def trait_values(trait: Trait, units: Units, places: Stream, stream: Stream) -> Floats:
    """A trait of everyone: standard normal over all, with parts shared inside units.

    The shared parts are centred on the people present (organisations over all, directorates in
    their organisation, teams in their directorate), so that an organisation drawn alone stands
    where the national figures stand. They last from year to year.
    """
    n = len(units.team)
    n_directorates, n_teams = len(units.directorates), len(units.teams)
    n_orgs = int(units.organisation.max(initial=0)) + 1
    org = units.organisation.astype(np.int64)
    directorate = org * n_directorates + units.directorate
    team = org * n_teams + units.team
    value = stream.normal(n, f"person {trait.id}")
    value *= np.sqrt(1 - trait.organisation - trait.directorate - trait.team)
    shared = _centred(places.normal(n_orgs, f"org {trait.id}"), trait.organisation, org, 0 * org)
    shared += _centred(
        places.normal(n_orgs * n_directorates, f"directorate {trait.id}"),
        trait.directorate,
        directorate,
        org,
    )
    shared += _centred(
        places.normal(n_orgs * n_teams, f"team {trait.id}"), trait.team, team, directorate
    )
    value += shared
    return value


def _centred(
    effect: Floats, variance: float, unit: NDArray[np.int64], above: NDArray[np.int64]
) -> Floats:
    """Effect of each respondent's unit, less its mean over the unit above."""
    mine = (effect * np.sqrt(variance))[unit]
    count = np.bincount(above)
    mean = np.bincount(above, weights=mine) / np.maximum(count, 1)
    centred: Floats = mine - mean[above]
    return centred
