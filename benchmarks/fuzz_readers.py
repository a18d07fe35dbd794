"""Read ten thousand files that went wrong; the table of docs/reference/reading.md.

    python benchmarks/fuzz_readers.py                              # print, about a quarter hour
    python benchmarks/fuzz_readers.py --count 1000
    python benchmarks/fuzz_readers.py --only "flipped bits" --seed 17      # one input again
    python benchmarks/fuzz_readers.py --write --machine "2 cores, ..." --date 2026-01-31

Every input must end in the library's own error, which quotes no cell, or in a Survey (Estimates)
with every row kept or counted and no wrong answer, within 20 seconds and 800 MB. Each is read in
a process apart, so that a crash is a finding and not the end.
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.conftest import REAL_DATA
from tests.read import fuzz
from tests.read.fuzz import Outcome, plan, run
from tests.read.mutations import MUTATIONS, real_workbooks

os.environ["CULTURE_ANALYTICS_CACHE"] = "off"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "reading.md"
HUNG_AFTER = 6 * fuzz.LIMIT_SECONDS
BEGIN, END = "<!-- fuzz: begin -->", "<!-- fuzz: end -->"


def _work(connection: Connection, folder: Path) -> None:
    real_workbooks(REAL_DATA)
    while True:
        job = connection.recv()
        if job is None:
            return
        connection.send(run(*job, folder))


class Worker:
    """A process that reads; a new one takes its place if it dies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._start()

    def _start(self) -> None:
        self._ours, theirs = mp.Pipe()
        self._process = mp.get_context("spawn").Process(
            target=_work, args=(theirs, self._folder), daemon=True
        )
        self._process.start()
        theirs.close()

    def run(self, mutation: str, seed: int) -> Outcome:
        """Have one input read; a process that hangs or dies is a fault of that input."""
        start = time.perf_counter()
        self._ours.send((mutation, seed))
        try:
            if self._ours.poll(HUNG_AFTER):
                return self._ours.recv()
            fault = "hung"
        except EOFError:
            fault = "crashed"
        self._process.kill()
        self._process.join()
        self._start()
        return Outcome(mutation, seed, fault, time.perf_counter() - start, 0.0, (fault,))

    def close(self) -> None:
        """Let the process end."""
        self._ours.send(None)
        self._process.join(10)


def _share(jobs: list[tuple[str, int]], folder: Path, until: float) -> list[Outcome]:
    """Read a share of the inputs in a process of their own, naming faults as they are found."""
    folder.mkdir()
    worker = Worker(folder)
    outcomes = []
    for number, job in enumerate(jobs, start=1):
        if time.monotonic() > until:
            break
        outcome = worker.run(*job)
        outcomes.append(outcome)
        if outcome.faults:
            print(f"{outcome.name}: {'; '.join(outcome.faults)}", flush=True)
        if number % 500 == 0:
            print(f"{number:,} of {len(jobs):,}", file=sys.stderr, flush=True)
    worker.close()
    return outcomes


def table(outcomes: list[Outcome]) -> str:
    """Write the table of mutations and what came of them."""
    lines = [
        "| mutation | inputs | read | refused | faults | most seconds | most MB |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    rows = [(name, [o for o in outcomes if o.mutation == name]) for name in MUTATIONS]
    for name, mine in [*rows, ("**all**", outcomes)]:
        if not mine:
            continue
        counts = Counter(o.result for o in mine)
        lines.append(
            f"| {name} | {len(mine):,} | {counts['read']:,} | {counts['refused']:,} "
            f"| {sum(bool(o.faults) for o in mine):,} | {max(o.seconds for o in mine):.1f} "
            f"| {max(o.megabytes for o in mine):,.0f} |"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--only", help="mutations whose name holds this")
    parser.add_argument("--seed", type=int, help="one input of --only")
    parser.add_argument("--workers", type=int, default=1, help="processes that read")
    parser.add_argument("--minutes", type=float, default=120, help="stop after")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--machine", default="this machine")
    parser.add_argument("--date", default=time.strftime("%Y-%m-%d"))
    given = parser.parse_args()
    real_workbooks(REAL_DATA)
    jobs = plan(given.count)
    if given.only:
        jobs = [job for job in jobs if given.only in job[0]]
        if given.seed is not None:
            jobs = [(given.only, given.seed)]
    start = time.perf_counter()
    until = time.monotonic() + 60 * given.minutes
    with tempfile.TemporaryDirectory() as folder:
        shares = [jobs[place :: given.workers] for place in range(given.workers)]
        with ThreadPoolExecutor(given.workers) as pool:
            folders = [Path(folder) / str(n) for n in range(given.workers)]
            done = pool.map(_share, shares, folders, [until] * given.workers)
            outcomes = [outcome for share in done for outcome in share]
    minutes = (time.perf_counter() - start) / 60
    text = table(outcomes)
    print(text)
    said = f"{len(outcomes):,} inputs in {minutes:.0f} minutes; {given.machine}; {given.date}."
    print(said)
    if given.write:
        page = PAGE.read_text(encoding="utf-8")
        before, rest = page.split(BEGIN)
        after = rest.split(END)[1]
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n\n{said}\n{END}{after}", encoding="utf-8")
    return int(any(o.faults for o in outcomes))


if __name__ == "__main__":
    sys.exit(main())
