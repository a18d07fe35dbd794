"""Time `read_extract` on a national-size csv: 750,000 respondents, 120 columns.

Writes a synthetic file to a temporary folder, reads it in a fresh process, prints the time and
the peak memory beside the target; then the same with the cache, which is in the temporary folder
too: once to keep what was read, once to get it back.
Run: ``python benchmarks/read_csv.py [rows] [columns]``.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from culture_analytics.instrument import load_instrument

TARGET_SECONDS = 30.0
YEAR = 2024

READ = """
import json, sys, time
from pathlib import Path
from culture_analytics.read import cache, read_extract
cache.cache_folder = lambda: Path(sys.argv[3])
start = time.perf_counter()
survey = read_extract(sys.argv[1], year=int(sys.argv[2]), cache=sys.argv[4] == "cache")
seconds = time.perf_counter() - start
cpu = time.process_time()
status = Path("/proc/self/status")  # the high-water mark of this process alone; Linux only
lines = status.read_text().splitlines() if status.exists() else []
peak = next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), None)
counts = {"n": survey.n, "items": len(survey.items)}
print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_mb": peak, **counts}))
"""


def write(path: Path, rows: int, columns: int) -> None:
    """Write a synthetic extract: codes for most questions, labels for one in five."""
    rng = np.random.default_rng(2024)
    instrument = load_instrument()
    numbers = instrument.numbers(YEAR)
    fields: list[tuple[str, np.ndarray]] = [
        ("respondent_id", np.arange(rows).astype(str)),
        ("org_id", rng.choice([f"ZZ{i:02d}" for i in range(90)], rows)),
        ("directorate", rng.choice([f"Directorate {i}" for i in range(12)], rows)),
    ]
    for place, (number, questions) in enumerate(numbers.items()):
        scale = questions[0].scale
        answers = [*map(str, scale.codes)] if place % 5 else [*scale.labels]
        fields.append((number, rng.choice([*answers, ""], rows)))
    while len(fields) < columns:
        fields.append((f"local {len(fields)}", rng.choice(["a", "b", "c"], rows)))
    fields = fields[:columns]
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow([name for name, _ in fields])
        for start in range(0, rows, 50_000):
            writer.writerows(
                zip(*(values[start : start + 50_000] for _, values in fields), strict=True)
            )


def read(path: Path, how: str) -> dict[str, float | None]:
    """Read in a fresh process: ``how`` is ``"plain"`` or ``"cache"``."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path), str(YEAR), str(path.parent / "cache"), how],
        check=True,
        capture_output=True,
        text=True,
    )
    result: dict[str, float | None] = json.loads(done.stdout)
    return result


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 750_000
    columns = int(sys.argv[2]) if len(sys.argv) > 2 else 120
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "synthetic_2024.csv"
        start = time.perf_counter()
        write(path, rows, columns)
        size = path.stat().st_size / 1e6
        print(
            f"wrote {rows:,} x {columns:,} ({size:,.0f} MB) in {time.perf_counter() - start:.0f} s"
        )
        result = read(path, "plain")
        kept, again = read(path, "cache"), read(path, "cache")
        cached = sum(f.stat().st_size for f in (path.parent / "cache").glob("*")) / 1e6
    verdict = "met" if result["seconds"] < TARGET_SECONDS else "MISSED"
    if rows < 750_000 or columns < 120:
        verdict = "not judged at this size"
    peak = "not measured" if result["peak_mb"] is None else f"{result['peak_mb']:,.0f} MB"
    print(
        f"read_extract: {result['seconds']:.1f} s ({result['cpu']:.1f} s of processor), "
        f"peak memory {peak}, "
        f"{result['n']:,} respondents, {result['items']:,} items "
        f"(target under {TARGET_SECONDS:.0f} s at 750,000 x 120: {verdict})"
    )
    if not cached:
        print("with the cache: nothing is kept of a file of this size")
        return
    print(f"read and kept: {kept['seconds']:.1f} s, {cached:,.0f} MB in the cache")
    print(f"read again from the cache: {again['seconds']:.1f} s")


if __name__ == "__main__":
    main()
