"""Time `intersections` at national size: 775,000 respondents in 2,000 combinations. SYNTHETIC.

    python benchmarks/speed_intersections.py
    python benchmarks/speed_intersections.py --respondents 100000

Answers are random but for the groups' own effects, so all that is fitted has to be found. Target:
10 seconds on two cores, counting, both models with their limits, and the tables.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

import culture_analytics as ca

MEASURE, GROUPS = "discrimination_staff", (50, 40)


def respondents(n: int, seed: int = 3) -> ca.Survey:
    """Two characteristics whose effects on the log-odds add up."""
    instrument, rng = ca.load_instrument(), np.random.default_rng(seed)
    first, second = (rng.integers(0, size, n) for size in GROUPS)
    eta = -1.5 + np.linspace(0, 0.8, GROUPS[0])[first] + np.linspace(0, 0.5, GROUPS[1])[second]
    said = np.where(rng.random(n) < 1 / (1 + np.exp(-eta)), "Yes", "No")
    frame = pd.DataFrame(
        {
            "org": pd.Categorical(["ZZ1"] * n),
            "year": np.full(n, 2024, dtype="int16"),
            MEASURE: pd.Categorical(said, dtype=instrument.items[MEASURE].dtype),
            "first": pd.Categorical([f"A{k:02d}" for k in first]),
            "second": pd.Categorical([f"B{k:02d}" for k in second]),
        }
    )
    return ca.Survey(frame, instrument=instrument)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--respondents", type=int, default=775_000)
    n = parser.parse_args().respondents
    survey = respondents(n)
    start = time.perf_counter()
    found = ca.intersections(survey, MEASURE, by=["first", "second"])
    strata = len(found.strata)
    seconds = time.perf_counter() - start
    print(f"{n:,} respondents, {strata:,} combinations: {seconds:.1f} s   target 10 s")


if __name__ == "__main__":
    main()
