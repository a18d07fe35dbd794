"""Put a script's figures between its markers in a page of docs/reference."""

from __future__ import annotations

from pathlib import Path

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"


def replace_section(page: str, name: str, lines: list[str]) -> Path:
    """Replace what stands between ``<!-- name: begin -->`` and ``<!-- name: end -->``."""
    path = REFERENCE / page
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = path.read_text(encoding="utf-8").split(begin)
    after = rest.split(end)[1]
    text = "\n".join(lines).rstrip()
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8", newline="\n")
    return path
