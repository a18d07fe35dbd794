"""Time the issue's two everyday jobs: importing the library, and every measure of a large trust.

    python benchmarks/speed_calculate.py

Prints each figure beside its target. Timings depend on the machine; the targets are for two cores.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import culture_analytics as ca


def import_seconds(statement: str) -> float:
    """Median wall time of a fresh interpreter running one import."""
    runs = []
    for _ in range(7):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True)
        runs.append(time.perf_counter() - start)
    return statistics.median(runs)


def main() -> None:
    beyond = import_seconds("import culture_analytics") - import_seconds("import pandas")
    print(f"import beyond pandas         {beyond:6.2f} s   target 0.50 s")

    survey = ca.simulate_survey(10_000, year=2024, seed=1)
    measures = list(survey.instrument.measures)
    by = ["equality", "equality_detailed", "work", "work_detailed", "units"]
    runs = []
    for _ in range(5):
        start = time.perf_counter()
        rows = len(ca.calculate(survey, measures, by=by).table)
        runs.append(time.perf_counter() - start)
    print(
        f"10,000 rows, {len(measures)} measures, {rows:,} figures "
        f"{statistics.median(runs):6.2f} s   target 2.00 s"
    )


if __name__ == "__main__":
    main()
