"""How long the whole culture diagnosis takes, and what it adds to a release.

Run: ``python benchmarks/diagnosis.py``. Prints the lines of ``docs/reference/diagnosis.md``. Times
are of the clock and, in brackets, of the processor: the second does not depend on what else runs.
"""

from __future__ import annotations

import time
import tomllib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

import culture_analytics as ca
from culture_analytics.instrument.culture import TOPICS
from culture_analytics.instrument.loader import DATA

RESPONDENTS, DIRECTORATES, TEAMS = 10_000, 30, 400


def trust(respondents: int, *, directorates: int, teams: int, year: int, seed: int) -> ca.Survey:
    """A synthetic trust with so many units of uneven size, each within one simulated directorate.

    Units of the simulation are split, so that the new ones differ as those do.
    """
    survey = ca.simulate_survey(respondents, year=year, seed=seed)
    random = np.random.default_rng(1)  # the same units in every year
    answers = survey.responses.copy()
    old = answers["directorate"].cat.codes.to_numpy()
    size = np.bincount(old, minlength=old.max() + 1)
    within = np.repeat(np.arange(len(size)), _shared(size, directorates))
    of = np.concatenate([np.arange(directorates), random.integers(0, directorates, teams)])[:teams]
    weight = random.gamma(2.0, 1.0, teams)
    team = np.empty(len(answers), dtype=int)
    for part in range(len(size)):
        chosen = np.flatnonzero(within[of] == part)
        people = np.flatnonzero(old == part)
        share = weight[chosen] / weight[chosen].sum()
        team[people] = random.choice(chosen, len(people), p=share)
    answers["directorate"] = pd.Categorical([f"Directorate {k + 1:02d}" for k in of[team]])
    answers["team"] = pd.Categorical([f"Team {k + 1:03d}" for k in team])
    return replace(survey, responses=answers)


def _shared(size: np.ndarray, total: int) -> np.ndarray:
    """Whole numbers, at least one each, about in proportion to size."""
    found = np.ones(len(size), dtype=int)
    while found.sum() < total:
        found[np.argmax(size / found)] += 1
    return found


def timed(what: str, run: Callable[[], Any]) -> Any:
    """Run once, and print how long it took."""
    clock, used = time.perf_counter(), time.process_time()
    found = run()
    print(f"{what}: {time.perf_counter() - clock:.1f} s ({time.process_time() - used:.1f} s)")
    return found


def main() -> None:
    """Print the figures."""
    ca.diagnose_culture(ca.load_sample(2024))  # imports and caches
    one = trust(RESPONDENTS, directorates=DIRECTORATES, teams=TEAMS, year=2024, seed=5)
    units = f"{RESPONDENTS:,} respondents, {DIRECTORATES} directorates, {TEAMS} teams"
    timed(f"diagnose_culture, {units}, one year", lambda: ca.diagnose_culture(one))
    two = ca.combine([one, trust(RESPONDENTS, directorates=DIRECTORATES, teams=TEAMS, year=2025,
                                 seed=6)])  # fmt: skip
    found = timed("the same, two years", lambda: ca.diagnose_culture(two))
    timed("reading it from the release", lambda: ca.diagnosis_of(found.release, by="team"))
    sample = ca.load_sample()
    with (DATA / "release.toml").open("rb") as file:
        standard = tomllib.load(file)["standard"]
    without = {**standard, "tables": [t for t in standard["tables"] if t["topic"] not in TOPICS]}
    timed(
        "build_release, sample, three years, without culture",
        lambda: ca.build_release(sample, tables=without),
    )
    timed("build_release, sample, three years", lambda: ca.build_release(sample))


if __name__ == "__main__":
    main()
