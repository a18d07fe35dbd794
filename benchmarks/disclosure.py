"""Protect and attack large releases: time, information kept, and nothing recoverable.

    python benchmarks/disclosure.py            # everything
    python benchmarks/disclosure.py one-way    # or: crossed, random

Targets are for two cores: one-way tables of a 10,000-row trust, all measures, in 60 s; ten measures
by eight breakdowns inside 30 directorates in 120 s; 2,000 random releases with no hidden number
recoverable and the same pattern on a second run.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import culture_analytics as ca
from culture_analytics.disclosure.audit import AuditReport, protect, unit_tree
from culture_analytics.disclosure.leaks import attack
from culture_analytics.disclosure.structure import Protection, attacker_view
from culture_analytics.disclosure.suppress import primary, suppress
from culture_analytics.simulate import simulate_survey
from culture_analytics.survey import Survey
from tests.disclosure.attackers import linear_bounds
from tests.disclosure.releases import random_release

MEASURES = [
    "work_related_stress", "hba_managers", "hba_colleagues", "hba_any", "discrimination_any",
    "burnout_burnt_out", "presenteeism", "enough_staff", "violence_any",
    "fair_career_progression",
]  # fmt: skip
BREAKDOWNS = [
    "gender", "age", "ethnicity", "sexual_orientation", "religion", "long_term_condition", "carer",
    "working_pattern",
]  # fmt: skip


def show(
    name: str, frame: pd.DataFrame, hide: np.ndarray, report: AuditReport, target: int
) -> None:
    counted = frame["status"].isin(["ok", "not_computable"]).to_numpy()
    first = counted & ~(frame["base"].to_numpy() >= report.protection.base_under)
    print(f"{name}: {report.seconds:.1f} s (target {target} s), {report.groups} groups")
    kept, before = 1 - hide[counted].mean(), 1 - first[counted].mean()
    print(f"  shown {kept:.1%}; hiding small bases alone {before:.1%}")
    print(f"  proved {report.proved:.1%}, {'ok' if report.ok else f'{len(report.table)} leaks'}")


def one_way() -> None:
    survey = simulate_survey(10_000, year=2024, seed=1)
    by = ["equality", "equality_detailed", "work", "work_detailed", "units"]
    frame = ca.calculate(survey, list(survey.instrument.measures), by=by)._frame
    tree = unit_tree(survey.units, survey.responses)
    hide, report = protect(frame, survey.instrument, units=tree)
    show("one-way tables, all measures", frame, hide, report, 60)


def crossed() -> None:
    survey = _thirty_directorates(simulate_survey(10_000, year=2024, seed=1))
    frame = ca.concat(
        [
            ca.calculate(survey, MEASURES, by=BREAKDOWNS),
            ca.calculate(survey, MEASURES, by=BREAKDOWNS, within="directorate"),
        ]
    )._frame
    hide, report = protect(frame, survey.instrument)
    show("eight breakdowns in 30 directorates", frame, hide, report, 120)


def _thirty_directorates(survey: Survey) -> Survey:
    """The same people in 30 directorates of unequal size."""
    rng = np.random.default_rng(1)
    share = np.arange(1, 31) / np.arange(1, 31).sum()
    names = pd.Categorical.from_codes(
        rng.choice(30, survey.n, p=share), [f"Directorate {i:02d}" for i in range(1, 31)]
    )
    responses = survey.responses.drop(columns=list(survey.units)).assign(directorate=names)
    return Survey(
        responses, instrument=survey.instrument, design=survey.design, units=("directorate",),
        synthetic=True,
    )  # fmt: skip


def random(releases: int = 2_000) -> None:
    rule = Protection()
    leaked, recovered, unlike, begun = 0, 0, 0, time.perf_counter()
    for seed in range(releases):
        structure, counts = random_release(np.random.default_rng(10_000 + seed))
        first = primary(structure, counts, rule, np.zeros(1, dtype=np.int64))
        leaked += bool(attack(structure, counts, first, rule)[1].any.any())
        hidden = suppress(structure, counts, rule)
        unlike += not np.array_equal(hidden, suppress(structure, counts, rule))
        view = attacker_view(structure, counts, hidden, rule)
        for cell in np.flatnonzero(hidden[0]):
            numerator, complement, base = linear_bounds(structure, view, int(cell))
            recovered += (
                base[1] - base[0] < rule.base_span - 1.001
                or numerator[1] - numerator[0] < rule.numerator_span - 1.001
                or complement[1] < 0.5
            )
    print(
        f"{releases:,} random releases: {leaked:,} leak when small bases alone are hidden; "
        f"{recovered} cells recoverable after protection; {unlike} differ between runs; "
        f"{time.perf_counter() - begun:.0f} s"
    )


if __name__ == "__main__":
    parts = {"one-way": one_way, "crossed": crossed, "random": random}
    for part in sys.argv[1:] or parts:
        parts[part]()
