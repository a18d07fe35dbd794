"""``python -m culture_analytics.simulate --out data/sample``: make the sample again."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from culture_analytics.errors import CultureAnalyticsError
from culture_analytics.simulate.sample_files import write_sample


def main(argv: Sequence[str] | None = None) -> int:
    """Write the sample's files and say so."""
    parser = argparse.ArgumentParser(
        prog="python -m culture_analytics.simulate", description="Write the SYNTHETIC sample."
    )
    parser.add_argument("--out", type=Path, default=Path("data/sample"), help="folder to write to")
    folder: Path = parser.parse_args(argv).out
    try:
        write_sample(folder)
    except CultureAnalyticsError as error:
        print(f"Error: {error}".encode("ascii", "replace").decode("ascii"), file=sys.stderr)
        return 2
    print(f"SYNTHETIC sample written to {folder}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
