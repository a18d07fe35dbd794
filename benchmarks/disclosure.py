"""Protect and attack large releases: time, information kept, and nothing recoverable.

    python benchmarks/disclosure.py            # everything
    python benchmarks/disclosure.py one-way    # or: sample, teams, crossed, rounded, random

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
from tests.disclosure.attackers import linear_bounds, trust_bounds
from tests.disclosure.releases import random_release, random_trust

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
    print(
        f"{name}: {report.seconds:.1f} s (target {target} s), {report.groups} groups; "
        f"{time.process_time():.0f} s of processor so far"
    )
    kept, before = 1 - hide[counted].mean(), 1 - first[counted].mean()
    print(f"  shown {kept:.1%}; hiding small bases alone {before:.1%}")
    if report.most_shown is not None:
        print(
            f"  of the groups lined up {report.shown:.1%} shown; no method can show more than "
            f"{report.most_shown:.1%}: {100 * (report.most_shown - report.shown):.1f} points apart"
        )
    print(f"  proved {report.proved:.1%}, {'ok' if report.ok else f'{len(report.table)} leaks'}")


ONE_WAY = ["equality", "equality_detailed", "work", "work_detailed", "units"]


def whole(name: str, survey: Survey, target: int, rule: str = "default") -> None:
    frame = ca.calculate(survey, list(survey.instrument.measures), by=ONE_WAY)._frame
    tree = unit_tree(survey.units, survey.responses)
    hide, report = protect(
        frame, survey.instrument, units=tree, protection=ca.load_rule(rule).protection, compare=True
    )
    show(name, frame, hide, report, target)


def sample() -> None:
    whole("the sample, one-way tables, all measures", ca.load_sample(2024), 60)


def one_way() -> None:
    survey = simulate_survey(10_000, year=2024, seed=1)
    whole("10,000 people, one-way tables, all measures", survey, 60)


def rounded() -> None:
    survey = simulate_survey(10_000, year=2024, seed=1)
    whole("the same, rounded to 5", survey, 60, "rounded")
    whole("the same, strict", survey, 60, "strict")


def teams() -> None:
    whole("with 400 teams in 29 directorates", _four_hundred_teams(), 60)


def _four_hundred_teams() -> Survey:
    survey = simulate_survey(10_000, year=2024, seed=1)
    rng = np.random.default_rng(1)
    size = rng.gamma(2, 1, 400)
    team = rng.choice(400, survey.n, p=size / size.sum())
    responses = survey.responses.drop(columns=list(survey.units)).assign(
        directorate=pd.Categorical([f"Directorate {t // 14:02d}" for t in team]),
        team=pd.Categorical([f"Team {t:03d}" for t in team]),
    )
    return Survey(
        responses, instrument=survey.instrument, design=survey.design,
        units=("directorate", "team"), synthetic=True,
    )  # fmt: skip


def crossed() -> None:
    survey = _thirty_directorates(simulate_survey(10_000, year=2024, seed=1))
    frame = ca.concat(
        [
            ca.calculate(survey, MEASURES, by=BREAKDOWNS),
            ca.calculate(survey, MEASURES, by=BREAKDOWNS, within="directorate"),
        ]
    )._frame
    hide, report = protect(frame, survey.instrument, compare=True)
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


def random(releases: int = 1_700, trusts: int = 300) -> None:
    rule = Protection()
    leaked, recovered, unlike, hidden_cells = 0, 0, 0, 0
    begun = time.perf_counter()
    for seed in range(releases):
        structure, counts = random_release(np.random.default_rng(10_000 + seed))
        first = primary(structure, counts, rule, np.zeros(1, dtype=np.int64))
        leaked += bool(attack(structure, counts, first, rule)[1].any.any())
        hidden = suppress(structure, counts, rule)
        unlike += not np.array_equal(hidden, suppress(structure, counts, rule))
        view = attacker_view(structure, counts, hidden, rule)
        for cell in np.flatnonzero(hidden[0]):
            numerator, complement, base = linear_bounds(structure, view, int(cell))
            recovered += too_near(rule, base, numerator, complement)
            hidden_cells += 1
    print(
        f"{releases:,} random tables: {leaked:,} leak when small bases alone are hidden; "
        f"{recovered} of {hidden_cells:,} hidden cells recoverable after protection; "
        f"{unlike} differ between runs; {time.perf_counter() - begun:.0f} s",
        flush=True,
    )
    recovered, unlike, hidden_cells, refused, begun = 0, 0, 0, 0, time.perf_counter()
    for seed in range(trusts):
        trust = random_trust(np.random.default_rng(20_000 + seed))
        hide, report = protect(trust.frame, ca.load_instrument(), units=trust.units)
        refused += not report.ok
        if seed % 5 == 0:
            again, _ = protect(trust.frame, ca.load_instrument(), units=trust.units)
            unlike += not np.array_equal(hide, again)
        for _, base, numerator, complement in trust_bounds(trust, hide, most=4):
            recovered += report.ok and too_near(rule, base, numerator, complement)
            hidden_cells += 1
    print(
        f"{trusts:,} random trusts: {recovered} of {hidden_cells:,} hidden figures recoverable "
        f"from the people's own combinations; {refused} refused by the audit; {unlike} differ "
        f"between runs; {time.perf_counter() - begun:.0f} s"
    )


def too_near(
    rule: Protection,
    base: tuple[float, ...],
    numerator: tuple[float, ...],
    complement: tuple[float, ...],
) -> bool:
    return (
        base[1] - base[0] < rule.base_span - 1.001
        or numerator[1] - numerator[0] < rule.numerator_span - 1.001
        or complement[1] < 0.5
    )


if __name__ == "__main__":
    parts = {
        "sample": sample, "one-way": one_way, "teams": teams, "rounded": rounded,
        "crossed": crossed, "random": random,
    }  # fmt: skip
    for part in sys.argv[1:] or parts:
        parts[part]()
