"""Synthetic files in the layouts of which no whole real file may be held, with their true figures.

Every one says SYNTHETIC; organisation codes cannot exist. They are cells, as the reader gets them,
so that a test can change one and read again; `write_xlsx` and `write_xls` put them into a file.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import openpyxl

from culture_analytics.estimates import Estimates
from culture_analytics.instrument import Instrument, load_instrument
from culture_analytics.read.detect import FileKind
from culture_analytics.read.published import read_recognised
from culture_analytics.read.published.cells import Source

Sheets = dict[str, list[list[object]]]
Truth = dict[tuple[object, ...], tuple[float, float]]
ACUTE = "Acute and Acute & Community Trusts"
MENTAL_HEALTH = (
    "Mental Health & Learning Disability and Mental Health, Learning Disability & Community Trusts"
)
BASE = "Base (number of respondents)"


def read_cells(sheets: Mapping[str, list[list[object]]], *, name: str = "synthetic.xlsx",
               year: int | None = None) -> Estimates:  # fmt: skip
    """Read cells as if they stood in a workbook: short rows filled up, whole numbers as floats."""
    whole: dict[str, list[list[object]]] = {}
    for sheet, rows in sheets.items():
        width = max((len(row) for row in rows), default=0)
        whole[sheet] = [
            [float(c) if type(c) is int else ("" if c is None else c) for c in row]
            + [""] * (width - len(row))
            for row in rows
        ]
    return read_recognised(Source(FileKind(Path(name), "xlsx", 1), whole), year=year)


def write_xlsx(sheets: Mapping[str, list[list[object]]], path: Path) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def write_xls(sheets: Mapping[str, list[list[object]]], path: Path) -> Path:
    import xlwt

    book = xlwt.Workbook()
    for title, rows in sheets.items():
        sheet = book.add_sheet(title)
        for y, row in enumerate(rows):
            for x, cell in enumerate(row):
                if cell not in ("", None):
                    sheet.write(y, x, cell)
    book.save(str(path))
    return path


# -- 2018 to 2020 --------------------------------------------------------------------------


def old_detailed(year: int = 2018, *, organisations: int = 3) -> tuple[Sheets, Truth]:
    """The workbook on violence, harassment and discrimination of 2018 to 2020."""
    instrument = load_instrument()
    rng = np.random.default_rng(year)
    sources = ("patients", "managers", "colleagues", "reported")
    items = [f"{what}_{who}" for what in ("violence", "hba") for who in sources]
    items += ["fair_career_progression", "discrimination_patients", "discrimination_staff"]
    grounds = [q for q in instrument.questions
               if q.year == year and instrument.items[q.item].kind == "tick"]  # fmt: skip
    numbers = {item: str(instrument.number(item, year)) for item in items}
    top: list[list[object]] = [
        ["Data is Unweighted - SYNTHETIC, not real data", ""],
        [f"National NHS Staff Survey {year}", ""],
        ["This sheet is about violence, harassment and discrimination", ""],
        ["Note: where there were fewer than 11 responses they are not displayed", ""],
        ["", ""],
    ]
    labels: list[tuple[str, str]] = [("", "ALL TRUSTS"), ("", "ACUTE TRUSTS"),
                                     ("", "AMBULANCE TRUSTS")]  # fmt: skip
    faiths = ("Christian", "Buddhist", "Hindu", "Jewish", "Muslim", "Sikh")
    groups = ["No religion", *(f"{faith} staff" for faith in faiths)]
    groups += ["Other religion", "I would prefer not to say"]
    labels += [(" ", group) for group in groups]
    labels += [(f"ZZ{k}", f"Fictional trust ZZ{k}") for k in range(organisations)]
    people = [9000, 4000, 500, *([1000] * 8), 600, *([300] * organisations)]
    body: list[list[object]] = [list(label) for label in labels]
    truth: Truth = {}
    last = ""
    for item in items:
        number = numbers[item]
        head, letter = number.rstrip("abcdefgh").upper(), number[-1]
        scale = [a for a in instrument.question(item, year).scale.labels
                 if not a.startswith("Yes, both")]  # fmt: skip
        spelt = [{"1-2": "1 - 2", "3-5": "3 - 5", "6-10": "6 - 10", "Yes": "Yes "}.get(a, a)
                 for a in scale]  # fmt: skip
        _head(top, head if head != last else "", f"{letter}) Part" if letter.isalpha() else "Whole",
              [*spelt, BASE])  # fmt: skip
        last = head
        for line, row in enumerate(body):
            share = rng.dirichlet(np.full(len(scale), 3.0)) * 100
            if item.endswith("_reported"):
                share[0] += 2.0  # both could be ticked
            base = people[line] - len(item)
            row += [*map(float, share), float(base)]
            for answer, value in zip(scale, share, strict=True):
                truth[line, item, answer] = (float(value), float(base))
    named = {"race": "Ethnic background", "sexual_orientation": "Sexual orientation",
             "other": "Other "}  # fmt: skip
    ends = [q.item.removeprefix("discrimination_grounds_") for q in grounds]
    _head(top, "", "c) Grounds", [*(named.get(e, e.capitalize()) for e in ends), BASE])
    for line, row in enumerate(body):
        shares, base = rng.uniform(2, 60, len(grounds)), float(people[line] // 9)
        row += [*map(float, shares), base]
        for question, value in zip(grounds, shares, strict=True):
            truth[line, question.item, ""] = (float(value), base)
    first, final = (numbers[i].lstrip("q").rstrip("abc") for i in (items[0], items[-1]))
    notes: list[list[object]] = [
        [f"National NHS Staff Survey {year} - SYNTHETIC detailed spreadsheets"],
        ["Summary rows report a mean of means"],
        [f"5) Violence and Harassment (Q{first}-Q{final})"],
    ]
    return {"Notes": notes, "abuse_sheet5_mean": [*top, *body]}, truth


def _head(top: list[list[object]], number: str, part: str, options: list[str]) -> None:
    blank = [""] * (len(options) - 1)
    units = ["n" if option == BASE else "%" for option in options]
    for row, cells in zip(top, ([number, *blank], ["Stem" if number else "", *blank],
                                [part, *blank], options, units), strict=True):  # fmt: skip
        row.extend(cells)


# -- benchmark workbook --------------------------------------------------------------------

GROUP_SHEETS = {
    "Acute&Acute Community Trusts": ACUTE,
    "Acute Specialist Trusts": "Acute Specialist Trusts",
    "MH&LD, MH, LD&Community Trusts": MENTAL_HEALTH,
    "Community Trusts": "Community Trusts",
    "Ambulance Trusts": "Ambulance Trusts",
    "ICBs": "ICBs",
    "Social Enterprises Community": "Social Enterprises - Community",
}


def benchmark_measures(instrument: Instrument, year: int) -> dict[str, tuple[str, str]]:
    """Name in the workbook -> measure and statistic."""
    named = {"E": "theme_engagement", "M": "theme_morale"}
    found = {named.get(s.code, s.code): (s.id, "score") for s in instrument.scores.values()}
    found["response_rate"] = ("response_rate", "response_rate")
    for item in ("work_related_stress", "hba_patients", "hba_managers", "hba_colleagues",
                 "violence_patients", "discrimination_staff", "enough_staff",
                 "think_about_leaving"):  # fmt: skip
        found[str(instrument.number(item, year))] = (item, "percent")
    return found


def benchmark(year: int = 2024, *, each: int = 12, years: int = 3) -> tuple[Sheets, Truth]:
    """The wide workbook; truth by org, measure, year, breakdown and group, in percent or points."""
    instrument = load_instrument()
    rng = np.random.default_rng(5)
    long_term = str(instrument.number("long_term_condition", year))
    measures = benchmark_measures(instrument, year)
    discrimination = str(instrument.number("discrimination_staff", year))
    splits = [
        (f"{name}_{split}{{n}}_{code}", measure, statistic, breakdown, group)
        for name, measure, statistic, split, breakdown, groups in (
            ("equal", "fair_career_progression", "percent", "eth_summary", "ethnicity",
             ("White", "All other ethnic groups combined")),
            ("har_from_staff", "hba_staff", "percent", "eth_summary", "ethnicity",
             ("White", "All other ethnic groups combined")),
            (discrimination, "discrimination_staff", "percent", "eth_summary", "ethnicity",
             ("White", "All other ethnic groups combined")),
            ("theme_engagement", "staff_engagement", "score", long_term, "long_term_condition",
             ("With a long-term condition or illness", "Without a long-term condition or illness")),
        )
        for code, group in enumerate(groups, start=1)
    ]  # fmt: skip
    columns: list[tuple[str, str, str, int, str, str, str]] = []
    for y in range(year - years + 1, year + 1):
        for name, (measure, statistic) in measures.items():
            columns.append((f"{name}_{y}", f"{name}_n_{y}", measure, y, statistic,
                            "overall", "All staff"))  # fmt: skip
        for pattern, measure, statistic, breakdown, group in splits:
            columns.append((f"{pattern.format(n='')}_{y}", f"{pattern.format(n='_n')}_{y}",
                            measure, y, statistic, breakdown, group))  # fmt: skip
    sheets: Sheets = {
        "Notes": [["SYNTHETIC benchmark data, not real", ""],
                  ["Variable", "Description"], *([c[0], f"About {c[2]}"] for c in columns)],
        "Organisation Benchmark groups": [["org_id", "org_name", "Benchmark group"]],
    }  # fmt: skip
    truth: Truth = {}
    code = 0
    for sheet, group in GROUP_SHEETS.items():
        header: list[object] = ["org_id", "org_name", "org_type_reporting_name"]
        header += [c for column in columns for c in column[:2]]
        header.append(f"q1_{year}_sig")
        rows: list[list[object]] = [header]
        for _ in range(each):
            org = f"ZZ{code}"
            code += 1
            row: list[object] = [org, f"Fictional organisation {org}", "Any comparison group"]
            drawn = [float(rng.uniform(5, 8) if c[4] == "score" else rng.uniform(0.005, 0.9))
                     for c in columns]  # fmt: skip
            _make_means(drawn, [(c[2], c[3], c[5]) for c in columns], instrument)
            for value, (_, _, measure, y, statistic, breakdown, subgroup) in zip(
                drawn, columns, strict=True
            ):
                score = statistic == "score"
                base = int(rng.integers(50, 4000))
                row += [value, base]
                key = (org, measure, y, breakdown, subgroup)
                truth[key] = (value if score else 100 * value, float(base))
            rows.append([*row, "Not significant"])
            sheets["Organisation Benchmark groups"].append([org, f"Fictional {org}", group])
        sheets[sheet] = rows
    return sheets, truth


def _make_means(
    values: list[float], keys: list[tuple[str, int, str]], instrument: Instrument
) -> None:
    """Make elements the means of their sub-scores, as they are in every real file."""
    place = {key: k for k, key in enumerate(keys) if key[2] == "overall"}
    for (measure, year, overall), k in place.items():
        score = instrument.scores.get(measure)
        if score is not None and score.parts:
            parts = [values[place[part, year, overall]] for part in score.parts]
            values[k] = sum(parts) / len(parts)


# -- pulse ---------------------------------------------------------------------------------

PULSE_HEADINGS = ["Region Code", "Region Name", "STP Code", "STP Name", "Org Code", "Org Name",
                  "Care Setting", "Total Responses", "HSCIC Workforce Headcount",
                  "Engagement Score", "Advocacy", "Involvement", "Motivation"]  # fmt: skip


def pulse(quarter: str = "Quarter 2 2024/25", *, organisations: int = 12) -> tuple[Sheets, Truth]:
    """The pulse survey's workbook, with its hidden sheet and its summary."""
    rng = np.random.default_rng(3)
    rows: list[list[object]] = [[] for _ in range(6)]
    rows += [list(PULSE_HEADINGS), []]
    groups = [ACUTE, "Acute Specialist Trusts", MENTAL_HEALTH, "Community Trusts",
              "Ambulance Trusts", "ICBs"]  # fmt: skip
    truth: Truth = {}
    for k in range(organisations):
        parts = rng.uniform(5, 8, 3)
        responses = int(rng.integers(40, 2000))
        rows.append(["Y99", "SOUTH WEST", "QZZ", "MILL VALE", f"ZZ{k}", f"FICTIONAL TRUST ZZ{k}",
                     groups[k % len(groups)], responses, responses * 5, float(parts.mean()),
                     *map(float, parts)])  # fmt: skip
        names = ("staff_engagement", "advocacy", "involvement", "motivation")
        for name, value in zip(names, (parts.mean(), *parts), strict=True):
            truth[f"ZZ{k}", name] = (float(value), float(responses))
        truth[f"ZZ{k}", "response_rate"] = (20.0, float(responses * 5))
    notes: list[list[object]] = [["SYNTHETIC National Quarterly Pulse Survey"], [quarter]]
    summary: list[list[object]] = [["Measure", "England"], ["Engagement", 6.5]]
    hidden: list[list[object]] = [["org", "look-up"], ["ZZ0", 1]]
    return {"Notes": notes, "Summary": summary, "Engagement Score Breakdown": rows,
            "BS": hidden}, truth  # fmt: skip


# -- contractor ----------------------------------------------------------------------------

LOCAL = ("National Breakdown 2", ("Surgery", "Medicine"))


def positive(year: int = 2024) -> tuple[list[list[object]], Truth]:
    """A table of positive shares; truth by org, measure, breakdown and group, in percent."""
    rng = np.random.default_rng(8)
    instrument = load_instrument()
    rows: list[list[object]] = [
        ["Year", "QuestionNumber", "QuestionText", "DimName", "DimValue", "BaseSize", "Score"]
    ]
    truth: Truth = {}
    asked = {"work_related_stress": "work_related_stress_positive",
             "hba_managers": "hba_managers_positive", "enough_staff": "enough_staff",
             "fair_career_progression": "fair_career_progression"}  # fmt: skip
    for item, measure in asked.items():
        number = str(instrument.number(item, year)).lstrip("q")
        for place in dimensions():
            share, base = round(float(rng.uniform(0.1, 0.9)), 4), int(rng.integers(20, 900))
            text = f"SYNTHETIC wording\r\nof {item} "
            rows.append([year, number, text, *place[3:], base, share])
            truth[place[0], measure, place[1], place[2]] = (100 * share, float(base))
            if measure != item:  # everybody else gave the answer that is reported
                truth[place[0], item, place[1], place[2]] = (100 - 100 * share, float(base))
    return rows, truth


def themes(year: int = 2024) -> tuple[list[list[object]], Truth]:
    """A table of People Promise scores, some known by their code and some by their name."""
    rng = np.random.default_rng(9)
    rows: list[list[object]] = [
        ["Year", "QuestionNumber", "QuestionText", "DimName", "DimValue", "BaseSize", "Score"]
    ]
    truth: Truth = {}
    named = [("PP4_2", "SYNTHETIC Burnout", "burnout"), ("T1", "Staff Engagement",
             "staff_engagement"), ("5", "We are a team", "team")]  # fmt: skip
    for code, text, score in named:
        for place in dimensions():
            value, base = round(float(rng.uniform(4, 8)), 3), int(rng.integers(20, 900))
            rows.append([year, code, text, *place[3:], base, value])
            truth[place[0], score, place[1], place[2]] = (value, float(base))
    return rows, truth


def dimensions() -> list[tuple[str, ...]]:
    """Org, breakdown and group of the result; name and value of the dimension in the table."""
    return [
        ("OWN", "overall", "All staff", "Organisation", "Organisation"),
        ("COMPARATOR", "overall", "All staff", "Organisation", "Comparator"),
        ("OWN", "gender", "Female", "Gender", "Female"),
        ("OWN", "long_term_condition", "With a long-term condition or illness",
         "Long Term Condition", "With a long-term condition or illness"),
        ("OWN", "national_breakdown_2", "Surgery", "National Breakdown 2", "Surgery"),
    ]  # fmt: skip


def options(
    year: int = 2024, *, dates: str = "", missing: str = ""
) -> tuple[list[list[object]], Truth]:
    """A table of answers; truth by org, item, answer, breakdown and group, in percent.

    ``dates``: how a spreadsheet damaged "1-2" and its like; ``missing``: whether the rows of those
    who did not answer are in ("beside") or out of ("within") the base of the others.
    """
    rng = np.random.default_rng(10)
    instrument = load_instrument()
    rows: list[list[object]] = [["Year", "QuestionNumber", "QuestionText", "OptionCode",
                                 "OptionText", "DimName", "DimValue", "BaseSize", "%"]]  # fmt: skip
    truth: Truth = {}
    for item in ("hba_managers", "work_related_stress", "hba_reported", "enough_staff"):
        question = instrument.question(item, year)
        assert question is not None
        codes = {label: code for code, label in question.scale.codes.items()}
        number = question.number.replace("q", "Q")
        for place in dimensions():
            share = rng.dirichlet(np.full(len(question.scale.labels), 4.0))
            base = int(rng.integers(200, 900))
            lost = 0.2 if missing else 0.0
            outer = 1 - lost if missing == "within" else 1.0
            lead: list[object] = [year, number, f"SYNTHETIC {item}"]
            for label, value in zip(question.scale.labels, share, strict=True):
                text = SPELT.get(dates, {}).get(label, label)
                code = codes.get(label, "")
                rows.append([*lead, code, text, *place[3:], base, float(value * outer)])
                valid = round(base * outer) if missing == "within" else base
                truth[place[0], item, label, place[1], place[2]] = (100 * float(value), valid)
            if missing:
                rows.append([*lead, 99, "Missing", *place[3:], base, lost])
    return rows, truth


def write_csv(rows: list[list[object]], path: Path, *, encoding: str = "utf-8-sig") -> Path:
    with path.open("w", encoding=encoding, newline="") as lines:
        csv.writer(lines).writerows(rows)
    return path


SPELT = {
    "text": {"1-2": "02-Jan", "3-5": "05-Mar", "6-10": "10-Jun"},
    "month first": {"1-2": "01-Feb", "3-5": "03-May", "6-10": "06-Oct"},
    "iso": {"1-2": "2024-02-01 00:00:00", "3-5": "2024-05-03", "6-10": "2024-10-06"},
}
