"""Check a wheel's file list: every module and data file in, nothing of the workshop."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def problems(wheel: Path) -> list[str]:
    """What is missing from the wheel, and what should not be in it."""
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "culture_analytics").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    for folder, bundled in (("notebooks", "notebooks"), ("data/sample", "sample")):
        expected |= {
            f"culture_analytics/_bundled/{bundled}/{path.relative_to(ROOT / folder).as_posix()}"
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and ".ipynb_checkpoints" not in path.parts
        }
    inside = {n for n in names if ".dist-info/" not in n}
    found = [f"missing: {n}" for n in sorted(expected - inside)]
    found += [f"not expected: {n}" for n in sorted(inside - expected)]
    if not any(n.endswith("licenses/LICENSE") for n in names):
        found.append("missing: LICENSE")
    return found


if __name__ == "__main__":
    wheel_path = Path(sys.argv[1])
    faults = problems(wheel_path)
    print("\n".join(faults) or f"{wheel_path.name}: file list complete")
    sys.exit(bool(faults))
