"""Write the shipped figures of England from an official national workbook.

Run where the workbook "NSS24 detailed spreadsheets national results.xlsx" (or a later year's) is
at hand::

    python benchmarks/refresh_england.py PATH_TO_WORKBOOK

It replaces the workbook's year in ``culture_analytics/instrument/data/england.csv`` and keeps the
others. Only percentages, scores, bases and labels of this project leave the workbook.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

from culture_analytics.instrument.loader import DATA
from culture_analytics.read.published import read_published
from culture_analytics.read.published.england import COLUMNS, FILE, chosen_rows

SOURCE = (
    "# Source: NHS Staff Survey, national results of NHS trusts in England (detailed\n"
    "# spreadsheets, nhsstaffsurveys.com), rounded; written by benchmarks/refresh_england.py.\n"
)


def refresh(workbook: str | Path, target: Path) -> pd.DataFrame:
    """Put a workbook's figures into the file, in place of those of its year."""
    rows = chosen_rows(read_published(workbook))
    if rows["release"].str.contains("synthetic").any() and target == DATA / FILE:
        raise SystemExit("A synthetic workbook cannot become the shipped figures of England.")
    year = str(rows["year"].iloc[0])
    kept = pd.DataFrame(columns=list(COLUMNS), dtype="str")
    if target.is_file():
        kept = pd.read_csv(target, comment="#", dtype="str", keep_default_na=False)
        kept = kept[kept["year"].ne(year)]
    text = rows.assign(
        year=year,
        value=_numbers(rows["value"], 4),
        base=_numbers(rows["base"], 0),
    )
    whole = pd.concat([kept, text], ignore_index=True)
    with target.open("w", encoding="utf-8", newline="") as lines:
        lines.write(SOURCE)
        whole.to_csv(lines, index=False, lineterminator="\n")
    return rows


def _numbers(figures: pd.Series, digits: int) -> list[str]:
    texts = [f"{figure:.{digits}f}" for figure in figures]
    short = [t.rstrip("0").rstrip(".") if digits else t for t in texts]
    return [t if known else "" for t, known in zip(short, figures.notna(), strict=True)]


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    rows = refresh(sys.argv[1], DATA / FILE)
    print(f"{len(rows):,} rows of {rows['measure'].nunique()} measures written to {FILE}")


if __name__ == "__main__":
    main()
