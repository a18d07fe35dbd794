"""The engine at national size: three jobs, the first beside other tools.

    python benchmarks/national.py                            # every job, 775,000 respondents
    python benchmarks/national.py --job groups --respondents 100000
    python benchmarks/national.py --write --machine "2 cores, ..." --date 2026-01-31

Jobs, each weighted, stratified by organisation, to the finished table with limits:

groups
    60 items x (212 organisations x 7 ethnic groups, 212 organisations, 7 groups, everyone), and
    the same job through numpy (the counting only), pandas, polars, duckdb, svy and R's survey.
    Target: 1.5 s and 500 MB.
equality
    60 items x 212 organisations x each of eight equality characteristics. Target: 8 s and 1 GB.
cells
    60 items x 212 organisations, then ten times and a hundred times the cells. Target: ten times
    the cells adds less than half.

Peers are timed for estimates and standard errors only, which must agree with ours to 1e-9; ours
include limits, statuses and the table. ``--write`` fills docs/reference/speed.md.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import threading
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from national_peers import GROUPS, ORGANISATIONS, WHOLE, Job, Result, Timing, numpy_floor, scaled_up
from pages import replace_section

import culture_analytics as ca

ITEMS = 60
SIZES = {"ten": 9, "hundred": 99}  # groups; with everyone, ten and a hundred cells
YEAR = 2024
EIGHT = (
    "age", "gender", "gender_identity", "ethnicity_detailed", "sexual_orientation", "religion",
    "long_term_condition", "carer",
)  # fmt: skip
LIBRARY = "culture_analytics"
OPEN = ca.Rule.none(reason="comparing figures in a benchmark")
T = TypeVar("T")


# -- respondents ------------------------------------------------------------------------------


def chosen_items() -> list[str]:
    """The first sixty questions that everyone is asked."""
    instrument = ca.load_instrument()
    return [
        i.id
        for i in instrument.items.values()
        if i.kind == "answer" and i.reported and not i.gates and instrument.asked(i.id, YEAR)
    ][:ITEMS]


def respondents(n: int, seed: int = 1) -> ca.Survey:
    """Random answers: what is timed does not depend on what people said."""
    rng = np.random.default_rng(seed)
    instrument = ca.load_instrument()
    orgs = [f"Z{k:03d}" for k in range(ORGANISATIONS)]
    org = rng.choice(ORGANISATIONS, n, p=rng.dirichlet(np.full(ORGANISATIONS, 20.0)))
    data: dict[str, object] = {
        "org": pd.Categorical.from_codes(org, pd.Index(orgs)),
        "year": np.full(n, YEAR, dtype="int16"),
    }
    characteristics = (instrument.breakdowns[b].item for b in EIGHT)
    for name in dict.fromkeys([*chosen_items(), *characteristics]):
        item = instrument.items[name]
        codes = rng.integers(-1, len(item.labels), n).astype(np.int8)
        data[name] = pd.Categorical.from_codes(codes, dtype=item.dtype)
    data["stratum"] = data["org"]
    for column, groups in {"ethnic": GROUPS, **SIZES}.items():
        data[column] = pd.Categorical.from_codes(
            rng.integers(0, groups, n), pd.Index([f"g{k}" for k in range(groups)])
        )
    data["w"] = rng.uniform(0.3, 4.0, n)
    design = ca.Design(weights={"w": "w"}, strata="stratum")
    return ca.Survey(pd.DataFrame(data), instrument=instrument, design=design)


# -- measuring --------------------------------------------------------------------------------


def best_of(runs: int, function: Callable[[], T]) -> tuple[T, float]:
    """Result and shortest of some runs: noise only ever adds."""
    shortest = np.inf
    for _ in range(runs):
        gc.collect()
        start = time.perf_counter()
        result = function()
        shortest = min(shortest, time.perf_counter() - start)
    return result, shortest


def memory_added(function: Callable[[], object]) -> float:
    """Most memory held during a run, beyond what was held before it, in MB; NaN off Linux."""
    status = Path("/proc/self/statm")
    if not status.exists():
        return np.nan
    page = os.sysconf("SC_PAGE_SIZE") / 1e6
    done = threading.Event()
    gc.collect()
    before = highest = int(status.read_text(encoding="ascii").split()[1])

    def watch() -> None:
        nonlocal highest
        while not done.wait(0.002):
            highest = max(highest, int(status.read_text(encoding="ascii").split()[1]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        function()
    finally:
        done.set()
        watcher.join()
    return (highest - before) * page


def calculate(survey: ca.Survey, by: Sequence[str]) -> pd.DataFrame:
    """Ours, to the finished table."""
    return ca.calculate(survey, chosen_items(), by=by, weight="w", rule=OPEN).table


def as_result(table: pd.DataFrame) -> Result:
    """The table's numbers in the order of the peers'."""
    found = []
    for column in ("value", "se"):
        wide = []
        for breakdown in ("ethnic", "overall"):
            for together in (False, True):
                rows = table[
                    (table["breakdown"] == breakdown) & ((table["org"] == "all") == together)
                ]
                wide.append(rows[column].to_numpy().reshape(ITEMS, -1) / 100)
        found.append(np.concatenate(wide, axis=1))
    return Result(*found)


def met(value: float, target: float) -> str:
    """Whether a figure is at most its target, in words."""
    return "met" if value <= target else "MISSED"


# -- the three jobs ---------------------------------------------------------------------------


def groups_job(survey: ca.Survey, runs: int) -> list[str]:
    """The first job and its peers."""
    table, seconds = best_of(runs, lambda: calculate(survey, ["ethnic"]))
    added = memory_added(lambda: calculate(survey, ["ethnic"]))
    ours = as_result(table)
    job = Job(survey, chosen_items())
    _, floor = best_of(runs, lambda: numpy_floor(job))
    timings = [
        Timing(LIBRARY, seconds, "with limits, statuses and the table"),
        Timing("numpy, the counting only", floor, "no result: the floor"),
    ]
    for tool, (module, function) in WHOLE.items():
        if find_spec(module) is None:
            continue
        theirs, taken = best_of(1 if module == "pandas" else runs, lambda f=function: f(job))  # type: ignore[misc]
        ours.check(theirs)
        timings.append(Timing(tool, taken, "agrees to 1e-9"))
    timings += scaled_up(job, ours)
    lines = [
        f"{ours.p.size:,} estimates: {seconds:.2f} s (target 1.5 s: {met(seconds, 1.5)}), "
        f"{added:.0f} MB added (target 500 MB: {met(added, 500)}).",
        "",
        "| tool | seconds | times ours | |",
        "|---|---:|---:|---|",
    ]
    lines += [
        f"| {t.tool} | {t.seconds:,.2f} | {t.seconds / seconds:,.1f} | {t.note} |" for t in timings
    ]
    return lines


def equality_job(survey: ca.Survey, runs: int) -> list[str]:
    """Eight equality characteristics."""
    table, seconds = best_of(runs, lambda: calculate(survey, EIGHT))
    rows = len(table)
    del table
    added = memory_added(lambda: calculate(survey, EIGHT))
    return [
        f"{rows:,} estimates by {', '.join(EIGHT)}: {seconds:.2f} s (target 8 s: "
        f"{met(seconds, 8)}), {added:.0f} MB added (target 1 GB: {met(added, 1000)}).",
    ]


def cells_job(survey: ca.Survey, runs: int) -> list[str]:
    """Ten and a hundred times the cells."""
    lines = ["| cells an item | estimates | seconds | more |", "|---:|---:|---:|---|"]
    before = np.nan
    for by in ([], *([name] for name in SIZES)):
        rows, seconds = best_of(runs, lambda by=by: len(calculate(survey, by)))  # type: ignore[misc]
        more = 100 * (seconds / before - 1)
        verdict = "" if np.isnan(more) else f"{more:+.0f} % (target under +50 %: {met(more, 50)})"
        lines.append(f"| {rows // ITEMS:,} | {rows:,} | {seconds:.2f} | {verdict} |")
        before = seconds
    return lines


JOBS = {"groups": groups_job, "equality": equality_job, "cells": cells_job}


def versions() -> str:
    """What the figures depend on besides the machine."""
    return f"Python {platform.python_version()}, numpy {np.__version__}, pandas {pd.__version__}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--job", choices=[*JOBS, "all"], default="all")
    parser.add_argument("--respondents", type=int, default=775_000)
    parser.add_argument("--runs", type=int, default=3, help="the shortest counts")
    parser.add_argument("--write", action="store_true", help="into docs/reference/speed.md")
    parser.add_argument("--machine", default="", help="named in the page")
    parser.add_argument("--date", default="", help="named in the page")
    args = parser.parse_args()
    if args.write and not (args.machine and args.date):
        parser.error("--write needs --machine and --date")

    survey = respondents(args.respondents)
    for name in JOBS if args.job == "all" else [args.job]:
        lines = JOBS[name](survey, args.runs)
        print(f"\n{name}: {args.respondents:,} respondents, {versions()}\n")
        print("\n".join(lines), flush=True)
        if args.write:
            made = (
                f"{args.respondents:,} respondents, {args.machine}, {versions()}, {args.date}; "
                f"`benchmarks/national.py --job {name}`."
            )
            replace_section("speed.md", f"national {name}", [made, "", *lines])


if __name__ == "__main__":
    main()
