"""Write the facts the simulated surveys follow: rounded percentages of the 2024 national results.

Run where the official workbook "NSS24 detailed spreadsheets national results.xlsx" is at hand::

    python benchmarks/derive_sample_targets.py PATH_TO_WORKBOOK

It writes ``targets.csv``, ``targets_groups.csv``, ``nonresponse.csv`` and
``demographic_pairs.csv`` in ``culture_analytics/simulate/data``; then
``python benchmarks/fit_sample_model.py`` fits the model's parameters to them. Only percentages
leave the workbook, rounded to one decimal (two below 1 %): no wording, no counts, no layout.
"""

from __future__ import annotations

import csv
import os
import re
import sys
from pathlib import Path

from culture_analytics.instrument import Instrument, Item, load_instrument
from culture_analytics.simulate.model import APART, DATA, Answer, load_model

YEAR = 2024
RESPONSES = 747_000  # of the 210 trusts, rounded
ROUTED_NONRESPONSE = 2.0  # where the number asked cannot be had from published figures
SOURCE = (
    "# Source: NHS Staff Survey 2024, national results of NHS trusts in England (detailed "
    "spreadsheets, nhsstaffsurveys.com),\n# percentages rounded to one decimal (two below 1 %)."
)
SAME_TICK = {"discrimination_grounds_sex": "discrimination_grounds_gender"}
ASSUMED_TICKS = {
    "discrimination_grounds_gender_reassignment": 1.2,
    "discrimination_grounds_marriage_civil_partnership": 1.5,
    "discrimination_grounds_pregnancy_maternity": 3.5,
}
OPTIONS = {  # workbook option -> instrument label, where no alias leads there
    "1 to 2": "1-2",
    "3 to 5": "3-5",
    "6 to 10": "6-10",
}


def plain(text: str) -> str:
    """Lower case, letters and digits only: spellings that differ in punctuation are one."""
    return re.sub(r"[^a-z0-9]+", "", text.lower().replace("\u2019", ""))


class Workbook:
    """The national workbook as ``percent[item][row] -> {option position: value}`` and bases."""

    def __init__(self, path: Path, instrument: Instrument) -> None:
        from python_calamine import CalamineWorkbook

        self.rows: list[tuple[str, str]] = []
        self.percent: dict[str, list[list[float | None]]] = {}
        self.options: dict[str, list[str]] = {}
        self.base: dict[str, list[float | None]] = {}
        numbers = {n: q[0].item for n, q in instrument.numbers(YEAR).items()}
        book = CalamineWorkbook.from_path(str(path))
        for name in book.sheet_names[1:]:
            grid = book.get_sheet_by_name(name).to_python()
            head, body = grid[4], [r for r in grid[5:] if any(c != "" for c in r)]
            self.rows = [(str(r[1]), str(r[2])) for r in body]
            item = None
            for j in range(4, len(head)):
                if grid[0][j] != "":
                    item = numbers.get(str(grid[0][j]).split(" - ")[0].strip().lower())
                    if item is not None:
                        self.percent[item] = [[] for _ in body]
                        self.options[item] = []
                if item is None:
                    continue
                cells = [c if isinstance(c, float | int) else None for c in (r[j] for r in body)]
                if str(head[j]).startswith("Base"):
                    self.base[item] = cells
                else:
                    self.options[item].append(str(head[j]).removeprefix("%").strip())
                    for k, cell in enumerate(cells):
                        self.percent[item][k].append(cell)

    def shares(self, item: Item, row: int) -> dict[str, float] | None:
        """Percentage of each answer; None where the workbook hides the row."""
        cells = self.percent[item.id][row]
        if any(c is None for c in cells):
            return None
        if item.kind == "tick":
            return {"Selected": float(cells[0] or 0), "Not selected": 100 - float(cells[0] or 0)}
        names = [answer(item, o, k) for k, o in enumerate(self.options[item.id])]
        return {n: float(c or 0) for n, c in zip(names, cells, strict=True)}


def answer(item: Item, option: str, position: int) -> str:
    """The instrument's label of a workbook option."""
    for label in item.labels:
        if plain(label) == plain(OPTIONS.get(option, option)):
            return label
    for alias, label in item.scale.aliases.items():
        if alias.startswith("~"):
            if plain(alias[1:]) in plain(option):
                return label
        elif plain(alias) == plain(option):
            return label
    known = load_instrument().question(item.id, YEAR)
    if known is not None and item.scale.id == "destination6":
        return known.scale.labels[position]
    ends = [x for x in item.labels if plain(option).startswith(plain(x)[:12])]
    if len(ends) == 1:
        return ends[0]
    published = {
        plain(g.published): g.label
        for b in load_instrument().breakdowns.values()
        if b.item == item.id
        for g in b.groups
    }
    if plain(option) in published:
        return published[plain(option)]
    raise SystemExit(f"{item.id}: option {option!r} is not known")


def number(value: float) -> str:
    """One decimal; two below 1 %."""
    return f"{value:.2f}" if value < 1 else f"{value:.1f}"


def write(name: str, head: list[str], rows: list[list[str]], note: str = "") -> None:
    """One csv with its source line."""
    with (DATA / name).open("w", encoding="utf-8", newline="") as f:
        f.write(SOURCE + ("\n# " + note if note else "") + "\n")
        out = csv.writer(f, lineterminator="\n")
        out.writerow(head)
        out.writerows(rows)


def overall(book: Workbook, item: Item) -> tuple[dict[str, float], str]:
    """England's percentages of an item, or what is assumed in their place, and which of the two."""
    if item.id in ASSUMED_TICKS:
        ticked = ASSUMED_TICKS[item.id]
        return {"Selected": ticked, "Not selected": 100 - ticked}, "assumed"
    like = SAME_TICK.get(item.id)
    shares = book.shares(load_instrument().items[like or item.id], 0)
    assert shares is not None
    return shares, f"assumed as {like}" if like else "published"


def blanks(book: Workbook, item: Item) -> tuple[float, str]:
    """Percentage of those asked who left an item blank, and where it comes from."""

    def base(i: str) -> float:
        return float(book.base[i][0] or 0)

    if item.id in book.base and not item.gates:
        return 100 * (1 - base(item.id) / RESPONSES), "published bases"
    if item.id in book.base and len(item.gates) == 1:
        gate = item.gates[0]
        opening = book.shares(load_instrument().items[gate.item], 0) or {}
        asked = sum(opening[a] for a in gate.answers) / 100 * base(gate.item)
        return 100 * (1 - base(item.id) / asked), "published bases"
    return ROUTED_NONRESPONSE, "assumed"


def cut_percent(book: Workbook, spec: Answer, row: int) -> tuple[str, str]:
    """In one row: the reported percentage on the scale, and the percentage off it."""
    shares = book.shares(load_instrument().items[spec.item], row)
    if shares is None:
        return "", ""
    apart = sum(shares[a] for a in spec.apart)
    return number(100 * sum(shares[a] for a in spec.cut) / (100 - apart)), number(apart)


def main(path: Path) -> None:
    """Write the four files of facts."""
    instrument = load_instrument()
    book = Workbook(path, instrument)
    model = load_model(fitted=False)
    background = [
        i for i, x in instrument.items.items() if x.kind == "background" and i in book.percent
    ]
    targets, missing = [], []
    for item in (instrument.items[i] for i in [*model.answers, *background]):
        shares, source = overall(book, item)
        targets += [[item.id, label, number(p), source] for label, p in shares.items()]
        lost, source = blanks(book, item)
        missing.append([item.id, f"{max(lost, 0.3):.1f}", source])
    write("targets.csv", ["item", "answer", "percent", "source"], targets)
    note = f"Share of those asked who left it blank: from its base and {RESPONSES:,} responses."
    write("nonresponse.csv", ["item", "percent", "source"], missing, note)

    groups = {
        (plain(b.published), plain(g.published)): (b.id, g.label)
        for b in instrument.breakdowns.values()
        if b.published
        for g in b.groups
    }
    at = {
        row: groups[names]
        for row, names in enumerate((plain(b), plain(g)) for b, g in book.rows)
        if names in groups
    }
    columns = {
        name: (spec, k)
        for i, spec in model.answers.items()
        if i in book.percent
        for k, name in enumerate([i, i + APART] if spec.apart else [i])
    }
    cuts = [
        [*group, *(cut_percent(book, spec, row)[k] for spec, k in columns.values())]
        for row, group in at.items()
    ]
    note = (
        "Percentage giving the reported answers, of those with an answer on the scale; "
        "'~apart': don't know or not applicable, of all answers. Blank = not published."
    )
    write("targets_groups.csv", ["breakdown", "group", *columns], cuts, note)

    pairs = []
    for row, (breakdown, group) in at.items():
        for i in background:
            found = book.shares(instrument.items[i], row)
            if found and breakdown in model.parents[i]:
                pairs.append([breakdown, group, i, "|".join(number(p) for p in found.values())])
    note = "Distribution of one background item in the groups of another; answers in 2024's order."
    write("demographic_pairs.csv", ["breakdown", "group", "item", "percents"], pairs, note)


if __name__ == "__main__":
    default = Path(__file__).resolve().parents[1].parent / "shared/data/real"
    folder = Path(os.environ.get("CULTURE_ANALYTICS_REAL_DATA", default)) / "nss24_official"
    given = sys.argv[1:] or [str(folder / "NSS24 detailed spreadsheets national results.xlsx")]
    main(Path(given[0]))
