"""Time that packs by unit take, on the bundled sample: ``python benchmarks/packs.py``."""

from __future__ import annotations

import time

import culture_analytics as ca
from culture_analytics.output.packs import make_packs


def main() -> None:
    release = ca.build_release(ca.load_sample())
    make_packs(release, "directorate")  # the first charts of a process are slower
    for each in ("directorate", "team"):
        clock, processor = time.perf_counter(), time.process_time()
        made = make_packs(release, each)
        clock, processor = time.perf_counter() - clock, time.process_time() - processor
        print(f"{len(made) - 1} packs by {each}: {clock:.0f} s ({processor:.0f} s of processor)")


if __name__ == "__main__":
    main()
