"""Check a written report: every notebook is a page with pictures or tables, and none went wrong."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def problems(report: Path) -> list[str]:
    """What a reader of the report would miss."""
    text = report.read_text(encoding="utf-8")
    pages = dict(re.findall(r'<section class="page" id="([^"]+)"(.*?)</section>', text, re.DOTALL))
    found = []
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        name = notebook.stem[3:].replace("_", "-")
        if name not in pages:
            found.append(f"no page of {notebook.name}")
        elif "<img" not in pages[name] and "<table" not in pages[name]:
            found.append(f"nothing is shown on the page of {notebook.name}")
    if "SYNTHETIC DATA" not in text:
        found.append("the sample is not said to be synthetic")
    if "Traceback" in text:
        found.append("an error is shown")
    if not (report.parent / "tables.csv").is_file():
        found.append("no tables.csv beside it")
    return found


if __name__ == "__main__":
    report_path = Path(sys.argv[1])
    faults = problems(report_path)
    print("\n".join(faults) or f"{report_path.name}: every page is there")
    sys.exit(bool(faults))
