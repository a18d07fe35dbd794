"""Files that go wrong: seeded mutations of extracts and published workbooks, in every format.

Everything is synthetic. Each respondent carries a tag of their own in a local column, so that a
test can follow every one of them from the file to the Survey; the tags, and the strange texts that
mutations plant, all hold `CANARY`, which no message may quote.
"""

from __future__ import annotations

import functools
import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import pandas as pd

import culture_analytics as ca
from tests.read.build import ORG, as_codes, as_labels, draw, questions

Rng = np.random.Generator
Rows = list[list[Any]]
Sheets = dict[str, Rows]

CANARY = "zqxcanary"
TAG = "Row tag"
SAMPLE = Path(__file__).resolve().parents[2] / "data" / "sample"


# --- a table and the truth about it


@dataclass
class Extract:
    """A table of respondents as it will be written, and what its rows truly answered."""

    year: int
    headers: list[str]
    rows: Rows
    truth: pd.DataFrame  # tag x item: label, or None
    above: Rows = field(default_factory=list)  # written before the header
    extra: dict[str, Rows] = field(default_factory=dict)  # other sheets
    sheet: str = "Data"
    altered: set[str] = field(default_factory=set)  # tags whose answers the mutation changed
    repeated: bool = False  # rows stand twice on purpose
    options: dict[str, Any] = field(default_factory=dict)

    def grid(self) -> Rows:
        return [*self.above, self.headers, *self.rows]

    def tag(self, place: int) -> str:
        return self.truth.index[place]

    @property
    def answers(self) -> list[int]:
        """Places of the question columns."""
        return [place for place, name in enumerate(self.headers) if name.startswith("q")]


@functools.lru_cache(maxsize=32)
def _base(year: int, form: str, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]:
    instrument = ca.load_instrument()
    answers = draw(instrument, year, 60, seed)
    written = (as_codes if form == "codes" else as_labels)(answers, instrument, year)
    numbers = {question.item: question.number for question in questions(instrument, year)}
    return answers, written, numbers


def make_extract(rng: Rng, form: str | None = None) -> Extract:
    """Draw a small extract: about three dozen questions of one year, in codes or words."""
    year = int(rng.choice([2020, 2021, 2022, 2023, 2024]))
    form = form or str(rng.choice(["codes", "labels"]))
    answers, written, numbers = _base(year, form, int(rng.integers(4)))
    instrument = ca.load_instrument()
    stems = list(dict.fromkeys(n.split("_")[0] for n in numbers.values()))
    chosen = set(rng.choice(stems, min(18, len(stems)), replace=False))
    # The question that everybody answers: no row is silent.
    chosen.add(numbers["patient_contact"].split("_")[0])
    kept = [item for item, number in numbers.items() if number.split("_")[0] in chosen]
    tags = [f"{CANARY}{place:03d}" for place in range(len(answers))]
    headers = ["org_id", "year", TAG, "Directorate", "weight", *(numbers[i] for i in kept)]
    columns = [
        [ORG] * len(answers),
        [str(year)] * len(answers),
        tags,
        [f"Directorate {'ABC'[place % 3]}" for place in range(len(answers))],
        [f"{0.5 + place % 7 / 4}" for place in range(len(answers))],
        *(list(written[numbers[item]]) for item in kept),
    ]
    truth = answers[kept].set_axis(tags)
    assert set(kept) <= set(instrument.items)
    return Extract(year, headers, [list(row) for row in zip(*columns, strict=True)], truth)


# --- writing


def to_csv(
    grid: Rows, *, separator: str = ",", encoding: str = "utf-8", end: str = "\r\n"
) -> bytes:
    def cell(value: Any) -> str:
        text = "" if value is None else str(value)
        quoted = any(mark in text for mark in (separator, '"', "\n", "\r"))
        return '"' + text.replace('"', '""') + '"' if quoted else text

    text = end.join(separator.join(map(cell, row)) for row in grid) + end
    return text.encode(encoding, errors="replace")


_XML = '<?xml version="1.0" encoding="UTF-8"?>'
_OFFICE = "http://schemas.openxmlformats.org"
_MAIN = f"{_OFFICE}/spreadsheetml/2006/main"


def letters(place: int) -> str:
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(65 + rest) + name
    return name


def clean(text: str) -> str:
    """Take out what XML 1.0 cannot hold."""
    return "".join(c if c >= " " or c in "\t\n" else " " for c in text)


class Raw(str):
    """A cell given as the XML of its inside."""


def _cell(reference: str, value: Any) -> str:
    if isinstance(value, Raw):
        return f'<c r="{reference}">{value}</c>'
    if isinstance(value, float | int) and not isinstance(value, bool):
        return f'<c r="{reference}"><v>{value!r}</v></c>'
    text = escape(clean(str(value)))
    return f'<c r="{reference}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def sheet_xml(grid: Rows) -> str:
    names = [letters(place) for place in range(max(map(len, grid), default=0))]
    rows = "".join(
        f'<row r="{line}">'
        + "".join(
            _cell(f"{name}{line}", value)
            for name, value in zip(names, row, strict=False)
            if value is not None and value != ""
        )
        + "</row>"
        for line, row in enumerate(grid, start=1)
    )
    return f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'


def to_xlsx(sheets: Mapping[str, Rows | str]) -> bytes:
    """Write a workbook; a sheet given as text is its XML."""
    numbers = range(1, len(sheets) + 1)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    relation = f"{_OFFICE}/officeDocument/2006/relationships"
    parts = {
        "[Content_Types].xml": f'{_XML}<Types xmlns="{_OFFICE}/package/2006/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        + "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{kind}.worksheet+xml"/>'
            for n in numbers
        )
        + "</Types>",
        "_rels/.rels": f'{_XML}<Relationships xmlns="{_OFFICE}/package/2006/relationships">'
        f'<Relationship Id="r" Type="{relation}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>",
        "xl/workbook.xml": f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{relation}"><sheets>'
        + "".join(
            f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="r{n}"/>'
            for n, name in zip(numbers, sheets, strict=True)
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _XML
        + f'<Relationships xmlns="{_OFFICE}/package/2006/relationships">'
        + "".join(
            f'<Relationship Id="r{n}" Type="{relation}/worksheet" '
            f'Target="worksheets/sheet{n}.xml"/>'
            for n in numbers
        )
        + "</Relationships>",
    }
    for n, content in zip(numbers, sheets.values(), strict=True):
        parts[f"xl/worksheets/sheet{n}.xml"] = (
            content if isinstance(content, str) else sheet_xml(content)
        )
    return zipped(parts)


def to_ods(sheets: Mapping[str, Rows | str]) -> bytes:
    space = "urn:oasis:names:tc:opendocument:xmlns"

    def cell(value: Any) -> str:
        if value is None or value == "":
            return "<table:table-cell/>"
        text = escape(clean(str(value)))
        return (
            '<table:table-cell office:value-type="string">'
            f"<text:p>{text}</text:p></table:table-cell>"
        )

    def table(name: str, rows: Rows | str) -> str:
        if not isinstance(rows, str):
            rows = "".join(
                f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows
            )
        return f"<table:table table:name={quoteattr(name)}>{rows}</table:table>"

    tables = "".join(table(name, rows) for name, rows in sheets.items())
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": f'{_XML}<manifest:manifest xmlns:manifest="{space}:manifest'
            ':1.0"/>',
            "content.xml": f'{_XML}<office:document-content xmlns:office="{space}:office:1.0" '
            f'xmlns:table="{space}:table:1.0" xmlns:text="{space}:text:1.0"><office:body>'
            f"<office:spreadsheet>{tables}</office:spreadsheet></office:body>"
            "</office:document-content>",
        }
    )


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _square(extract: Extract) -> pd.DataFrame:
    width = len(extract.headers)
    rows = [[*map(_text, row[:width]), *[""] * (width - len(row))] for row in extract.rows]
    return pd.DataFrame(rows, columns=extract.headers, dtype=object)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def to_sav(extract: Extract, path: Path) -> bytes:
    import pyreadstat

    frame = _square(extract)
    frame.columns = [
        re.sub(r"\W", "_", name.strip(), flags=re.ASCII)[:60] for name in extract.headers
    ]
    for name in frame:
        number = pd.to_numeric(frame[name], errors="coerce")
        if frame[name].ne("").any() and number.notna().equals(frame[name].ne("")):
            frame[name] = number
    pyreadstat.write_sav(frame, str(path))
    return path.read_bytes()


def to_parquet(extract: Extract) -> bytes:
    stream = io.BytesIO()
    _square(extract).replace("", None).to_parquet(stream, index=False)
    return stream.getvalue()


def to_xls(extract: Extract) -> bytes:
    import xlwt

    book = xlwt.Workbook()
    sheet = book.add_sheet("Data")
    for line, row in enumerate(extract.grid()):
        for place, value in enumerate(row[:250]):
            if value not in ("", None):
                sheet.write(line, place, str(value)[:30_000])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "utf-16")
FORMATS = ("csv", "csv", "csv", "tsv", "xlsx", "xlsx", "ods", "sav", "parquet", "xls")
GRID_FORMATS = ("csv", "csv", "tsv", "xlsx", "ods")


def write(extract: Extract, form: str, folder: Path, rng: Rng) -> Path:
    """Write an extract in a format; text in any encoding and with any line end."""
    path = folder / f"made.{form}"
    if form in {"csv", "tsv"}:
        separator = "\t" if form == "tsv" else str(rng.choice([",", ";", "|"], p=[0.7, 0.2, 0.1]))
        content = to_csv(
            extract.grid(),
            separator=separator,
            encoding=str(rng.choice(ENCODINGS)),
            end=str(rng.choice(["\r\n", "\n"])),
        )
    elif form == "xlsx":
        content = to_xlsx({extract.sheet: extract.grid(), **extract.extra})
    elif form == "ods":
        content = to_ods({extract.sheet: extract.grid(), **extract.extra})
    elif form == "sav":
        content = to_sav(extract, path)
    elif form == "xls":
        content = to_xls(extract)
    else:
        content = to_parquet(extract)
    path.write_bytes(content)
    return path


# --- cases


@dataclass(frozen=True)
class Case:
    """A file to be read.

    `extract` and `figures` are what must come out where that can be known: mutations that may
    change an answer into another answer, such as a flipped bit in a text file, have neither.
    """

    path: Path
    reader: str = "extract"
    options: Mapping[str, Any] = field(default_factory=dict)
    extract: Extract | None = None
    figures: pd.DataFrame | None = None


Mutation = Callable[[Rng, Path], Case]
MUTATIONS: dict[str, Mutation] = {}
WEIGHTS: dict[str, float] = {}


def mutation(name: str, weight: float = 1.0) -> Callable[[Mutation], Mutation]:
    def add(function: Mutation) -> Mutation:
        MUTATIONS[name], WEIGHTS[name] = function, weight
        return function

    return add


def _of_table(
    change: Callable[[Extract, Rng], None], formats: tuple[str, ...] = GRID_FORMATS
) -> Mutation:
    """Make a mutation out of a change to the table."""

    def make(rng: Rng, folder: Path) -> Case:
        extract = make_extract(rng)
        change(extract, rng)
        path = write(extract, str(rng.choice(formats)), folder, rng)
        return Case(path, options=extract.options, extract=extract)

    return make


def table_mutation(
    name: str, weight: float = 1.0, formats: tuple[str, ...] = GRID_FORMATS
) -> Callable[[Callable[[Extract, Rng], None]], Callable[[Extract, Rng], None]]:
    def add(change: Callable[[Extract, Rng], None]) -> Callable[[Extract, Rng], None]:
        mutation(name, weight)(_of_table(change, formats))
        return change

    return add


# --- mutations of the table


@table_mutation("nothing wrong", 2, FORMATS)
def _nothing(extract: Extract, rng: Rng) -> None:
    order = rng.permutation(len(extract.rows))
    extract.rows = [extract.rows[place] for place in order]
    extract.truth = extract.truth.iloc[order]
    columns = rng.permutation(len(extract.headers))
    extract.headers = [extract.headers[place] for place in columns]
    extract.rows = [[row[place] for place in columns] for row in extract.rows]


@table_mutation("renamed headers", 1, FORMATS)
def _renamed(extract: Extract, rng: Rng) -> None:
    for place in rng.choice(len(extract.headers), int(rng.integers(1, 6)), replace=False):
        name = extract.headers[place]
        if name == TAG:
            continue
        new = [
            name.upper(), f" {name} ", f"{name} - a question", f"{name}_code", f"x{name}",
            f"renamed {place}", f"{name}\u200b", f"{name}zz", f"Q{name[1:]}", f"Local {place}?",
        ]  # fmt: skip
        extract.headers[place] = str(rng.choice(new))


@table_mutation("repeated headers", 1, ("csv", "tsv", "xlsx", "ods"))
def _repeated(extract: Extract, rng: Rng) -> None:
    first, second = rng.choice(len(extract.headers), 2, replace=False)
    if TAG not in (extract.headers[first], extract.headers[second]):
        extract.headers[second] = str(
            rng.choice([extract.headers[first], extract.headers[first].upper()])
        )
        # Told apart by nothing: only a refusal, or a column left out, is right.
        extract.truth = extract.truth.iloc[:, :0]


@table_mutation("header lines within")
def _headers_within(extract: Extract, rng: Rng) -> None:
    for place in sorted(rng.integers(0, len(extract.rows) + 1, rng.integers(1, 4)))[::-1]:
        extract.rows.insert(int(place), list(extract.headers))


@table_mutation("blank lines within")
def _blank_lines(extract: Extract, rng: Rng) -> None:
    for place in sorted(rng.integers(0, len(extract.rows) + 1, rng.integers(1, 12)))[::-1]:
        extract.rows.insert(int(place), [""] * len(extract.headers))


@table_mutation("lines above the header")
def _lines_above(extract: Extract, rng: Rng) -> None:
    lines = [["NHS Staff Survey"], [], ["made up", "SYNTHETIC"], [""] * 3, ["x"] * 5]
    extract.above = [list(lines[i]) for i in rng.integers(0, len(lines), rng.integers(1, 14))]


@table_mutation("rows above the header")
def _rows_above(extract: Extract, rng: Rng) -> None:
    count = int(rng.integers(1, 12))
    extract.above, extract.rows = extract.rows[:count], extract.rows[count:]


@table_mutation("no header")
def _no_header(extract: Extract, rng: Rng) -> None:
    extract.headers = extract.rows.pop(int(rng.integers(len(extract.rows))))


@table_mutation("cells shifted within rows")
def _shifted_cells(extract: Extract, rng: Rng) -> None:
    for place in rng.choice(len(extract.rows), int(rng.integers(1, 10)), replace=False):
        by = int(rng.integers(1, 4))
        extract.altered.add(extract.tag(place))
        row = extract.rows[place]
        # The person is still there, under a tag that moved.
        extract.rows[place] = [*row[:5], *[""] * by, *row[5 : len(row) - by]]


@table_mutation("columns before the table")
def _columns_before(extract: Extract, rng: Rng) -> None:
    by = int(rng.integers(1, 4))
    extract.headers = [*[""] * by, *extract.headers]
    extract.rows = [[*[""] * by, *row] for row in extract.rows]


@table_mutation("turned on its side", 0.5)
def _transposed(extract: Extract, rng: Rng) -> None:
    turned = [list(column) for column in zip(*extract.grid(), strict=True)]
    extract.headers, extract.rows = turned[0], turned[1:]


STRANGE = (
    f"{CANARY} said something", f"{CANARY}, \"quoted\"; and\tmore", f"line\n{CANARY}", "77", "-3",
    "3.5", "1e3", "TRUE", "#REF!", "02-Jan", "31/12/2023", "inf", "nan", "\u202e1", "\u0661",
    "1\u00a0", "1,0", "1.0", "01", "\x001", "0x1", "99999999999999999999", "'1", '="1"', "1;2;3",
    "\ufffd", "1-2", "Yes, mostly " + CANARY,
)  # fmt: skip


@table_mutation("strange answers", 2, FORMATS)
def _strange(extract: Extract, rng: Rng) -> None:
    for _ in range(int(rng.integers(1, 25))):
        row, place = int(rng.integers(len(extract.rows))), int(rng.choice(extract.answers))
        extract.rows[row][place] = str(rng.choice(STRANGE))
        extract.altered.add(extract.tag(row))


@table_mutation("strange years, organisations, weights", 1.5, FORMATS)
def _strange_keys(extract: Extract, rng: Rng) -> None:
    place = int(rng.choice([0, 1, 4]))
    text = ["", CANARY, "2024.0", "nss24", "0", "-1", "1e400", "\u0662\u0660\u0662\u0664", "20244"]
    rows = rng.choice(len(extract.rows), int(rng.integers(1, len(extract.rows))), replace=False)
    for row in rows:
        extract.rows[row][place] = str(rng.choice(text))
        extract.altered.add(extract.tag(row))


@table_mutation("huge cells", 0.7)
def _huge(extract: Extract, rng: Rng) -> None:
    text = CANARY + str(rng.choice(["x", "1,", "\n", '"', "a "])) * int(
        rng.choice([40_000, 400_000])
    )
    row = int(rng.integers(len(extract.rows)))
    place = int(rng.integers(3, len(extract.headers)))
    extract.rows[row][place] = text
    extract.altered.add(extract.tag(row))


@table_mutation("huge headers", 0.3)
def _huge_headers(extract: Extract, rng: Rng) -> None:
    place = int(rng.choice(extract.answers))
    filler = str(rng.choice(["x", " ", "1", "q1a ", "(", "-", "9" * 7])) * 40_000
    extract.headers[place] += " " + filler


@table_mutation("dates and numbers for answers")
def _dates(extract: Extract, rng: Rng) -> None:
    place = int(rng.choice(extract.answers))
    dates = [
        "01-Feb",
        "2024-02-01",
        "44928",
        "1/2/2024",
        "Feb-01",
        "2023-02-01 00:00:00",
        "45000.5",
    ]
    for row in rng.choice(len(extract.rows), int(rng.integers(1, 40)), replace=False):
        extract.rows[row][place] = str(rng.choice(dates))
        extract.altered.add(extract.tag(row))


@table_mutation("respondents twice", 0.5)
def _twice(extract: Extract, rng: Rng) -> None:
    extract.rows += [list(extract.rows[i]) for i in rng.integers(0, len(extract.rows), 9)]
    extract.repeated = True


@table_mutation("few rows", 0.5, FORMATS)
def _few(extract: Extract, rng: Rng) -> None:
    count = int(rng.integers(0, 3))
    extract.rows, extract.truth = extract.rows[:count], extract.truth.iloc[:count]


@table_mutation("wrong year or organisation said", 0.7, FORMATS)
def _wrong_options(extract: Extract, rng: Rng) -> None:
    extract.options = [
        {"year": 1900}, {"year": 2017}, {"year": extract.year - 1}, {"org": "ZZ9"},
        {"sheet": "none"}, {"sheet": 0}, {"columns": {"q1": "year"}}, {"columns": {TAG: "weight"}},
        {"columns": {TAG: "org"}}, {"columns": {"year": "ignore"}}, {"columns": {TAG: "year"}},
        {"columns": {TAG: "age"}},
    ][int(rng.integers(12))]  # fmt: skip


@table_mutation("swapped and renamed sheets", 1.5, ("xlsx", "ods"))
def _sheets(extract: Extract, rng: Rng) -> None:
    extract.sheet = str(rng.choice(["Data", "Tabelle 1", "a & b <c>", "'", "\u202e", "x" * 31]))
    # The sheet of respondents stands among others: notes, a codebook, an empty one, an older copy.
    names = ("Notes", "Codes", "Blank", "Copy", "Pivot")
    others: dict[str, Rows] = {
        "Notes": [["Notes of the contractor"], ["SYNTHETIC"]],
        "Codes": [["question", "code", "meaning"], *[[n, "1", "x"] for n in extract.headers[5:9]]],
        "Blank": [],
        "Copy": [extract.headers, *extract.rows[:5]],
        "Pivot": [["", *extract.headers[5:9]], ["mean", 1.0, 2.0, 3.0, 4.0]],
    }
    extract.extra = {n: others[n] for n in rng.permutation(names)[: rng.integers(1, 5)]}
    if rng.random() < 0.3:
        extract.options = {"sheet": str(rng.choice([*extract.extra, extract.sheet]))}
        if extract.options["sheet"] == "Copy":
            extract.truth = extract.truth.iloc[:5]


@table_mutation("two respondent files in one", 0.5, ("csv", "xlsx"))
def _two_tables(extract: Extract, rng: Rng) -> None:
    middle = int(rng.integers(1, len(extract.rows)))
    order = rng.permutation(len(extract.headers))
    below = [[row[place] for place in order] for row in extract.rows[middle:]]
    extract.altered |= set(extract.truth.index[middle:])
    headers = [extract.headers[place] for place in order]
    extract.rows = [*extract.rows[:middle], [""] * len(headers), headers, *below]


# --- mutations of text


def _text_mutation(
    name: str, weight: float = 1.0
) -> Callable[[Callable[[Extract, Rng], tuple[bytes, Extract | None]]], None]:
    def add(change: Callable[[Extract, Rng], tuple[bytes, Extract | None]]) -> None:
        def make(rng: Rng, folder: Path) -> Case:
            content, truth = change(make_extract(rng), rng)
            path = folder / "made.csv"
            path.write_bytes(content)
            return Case(path, extract=truth)

        mutation(name, weight)(make)

    return add


@_text_mutation("ragged rows", 1.5)
def _ragged(extract: Extract, rng: Rng) -> tuple[bytes, Extract | None]:
    share = rng.choice([1, 2, 3, 30])
    for place in rng.choice(len(extract.rows), int(share), replace=False):
        row = extract.rows[place]
        if rng.random() < 0.5:
            extract.rows[place] = row[: int(rng.integers(1, len(row)))]
        else:
            row += [CANARY] * int(rng.integers(1, 4))
    return to_csv(extract.grid()), extract


@_text_mutation("wrong separators", 1.5)
def _separators(extract: Extract, rng: Rng) -> tuple[bytes, Extract | None]:
    first, second = map(str, rng.choice([",", ";", "\t", "|"], 2, replace=False))
    if rng.random() < 0.3:  # the header one way, the rows another
        head = to_csv([extract.headers], separator=first)
        return head + to_csv(extract.rows, separator=second), extract
    middle = int(rng.integers(1, len(extract.rows)))
    head = to_csv([extract.headers, *extract.rows[:middle]], separator=first)
    said = f"sep={rng.choice([first, second])}\r\n".encode() if rng.random() < 0.3 else b""
    return said + head + to_csv(extract.rows[middle:], separator=second), extract


@_text_mutation("mixed encodings", 1.5)
def _encodings(extract: Extract, rng: Rng) -> tuple[bytes, Extract | None]:
    for row in extract.rows:
        row[3] = "Caf\u00e9 \u2013 \u20ac"
    first, second = map(str, rng.choice(["utf-8", "cp1252", "utf-16-le", "utf-16-be"], 2))
    middle = int(rng.integers(1, len(extract.rows)))
    mark = bytes(rng.choice([b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"]))
    head = to_csv([extract.headers, *extract.rows[:middle]], encoding=first)
    return mark + head + to_csv(extract.rows[middle:], encoding=second), extract


@_text_mutation("unbalanced quotes", 2)
def _quotes(extract: Extract, rng: Rng) -> tuple[bytes, Extract | None]:
    lines = to_csv(extract.grid()).split(b"\r\n")
    for place in map(int, rng.integers(0, len(lines), rng.integers(1, 4))):
        line = lines[place]
        at = int(rng.integers(0, len(line) + 1))
        if rng.random() < 0.6:  # where a field begins
            commas = [i + 1 for i, byte in enumerate(line) if byte == 44] or [0]
            at = int(rng.choice(commas))
        lines[place] = line[:at] + b'"' + line[at:]
        if place and line[:at].count(b",") <= 2 and at and line[at - 1 : at] != b",":
            extract.altered.add(extract.tag(place - 1))  # inside a code or tag, it is part of it
    return b"\r\n".join(lines), extract


@_text_mutation("null bytes", 1.5)
def _nulls(extract: Extract, rng: Rng) -> tuple[bytes, Extract | None]:
    content = bytearray(to_csv(extract.grid()))
    if rng.random() < 0.3:  # a hole, as an interrupted download leaves it
        at = int(rng.integers(0, len(content)))
        size = int(rng.integers(1, 4096))
        content[at : at + size] = bytes(min(size, len(content) - at))
        return bytes(content), None
    for at in rng.integers(0, len(content), int(rng.choice([1, 5, 300]))):
        content.insert(int(at), 0)
    return bytes(content), None


# --- mutations of bytes


def _original(rng: Rng, folder: Path) -> tuple[Path, Extract | None]:
    """A sound file of any format, made or from the sample."""
    if rng.random() < 0.1:
        return _sample(rng, folder), None
    extract = make_extract(rng)
    form = str(rng.choice(FORMATS))
    path = write(extract, form, folder, rng)
    # Only these formats hold a checksum of their content.
    return path, extract if form in {"xlsx", "ods"} else None


@functools.lru_cache(maxsize=1)
def _sample_bytes() -> dict[str, bytes]:
    csv = (SAMPLE / "synthetic_trust_2024.csv").read_bytes().split(b"\n")
    return {
        "sample.csv": b"\n".join(csv[:200]),
        "sample.sav": (SAMPLE / "synthetic_trust_2024.sav").read_bytes(),
    }


def _sample(rng: Rng, folder: Path) -> Path:
    content = _sample_bytes()
    path = folder / str(rng.choice(list(content)))
    path.write_bytes(content[path.name])
    return path


def flip(content: bytes, rng: Rng) -> bytes:
    damaged = bytearray(content)
    # The ends of a file hold what its format is made of.
    spread = int(rng.choice([64, 1024, len(damaged)]))
    for _ in range(int(rng.choice([1, 2, 8, 64]))):
        at = int(rng.integers(0, min(spread, len(damaged))))
        at = len(damaged) - 1 - at if rng.random() < 0.5 else at
        damaged[at] ^= 1 << int(rng.integers(8))
    return bytes(damaged)


@mutation("flipped bits", 4)
def _flipped(rng: Rng, folder: Path) -> Case:
    path, extract = _original(rng, folder)
    path.write_bytes(flip(path.read_bytes(), rng))
    return Case(path, extract=extract)


@mutation("cut files", 2)
def _cut(rng: Rng, folder: Path) -> Case:
    path, _ = _original(rng, folder)
    content = path.read_bytes()
    path.write_bytes(content[: int(rng.integers(0, len(content)))])
    return Case(path)


@mutation("pieces missing, doubled or zero", 2)
def _pieces(rng: Rng, folder: Path) -> Case:
    path, _ = _original(rng, folder)
    content = path.read_bytes()
    first, last = sorted(map(int, rng.integers(0, len(content), 2)))
    middle = [b"", bytes(last - first), content[first:last] * 2][int(rng.integers(3))]
    path.write_bytes(content[:first] + middle + content[last:])
    return Case(path)


@mutation("wrong extension", 1)
def _extension(rng: Rng, folder: Path) -> Case:
    extract = make_extract(rng)
    path = write(extract, str(rng.choice(FORMATS)), folder, rng)
    endings = ["csv", "txt", "xlsx", "xls", "ods", "sav", "parquet", "pdf", "", "CSV", "doc"]
    name = "made" + (f".{end}" if (end := str(rng.choice(endings))) else "")
    return Case(path.rename(folder / name), extract=extract)


@mutation("nothing, or no table", 1)
def _nothing_there(rng: Rng, folder: Path) -> Case:
    contents = [
        b"", b"\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\x00" * 5000, b" \t\r\n" * 50, b",,,,\n" * 9,
        b"PAR1", b"PAR1PAR1", b"$FL2", b"$FL3" + bytes(200), b"PK\x05\x06" + bytes(18),
        b"PK\x03\x04",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "Workbook".encode("utf-16-le") + bytes(900),
        b"org_id", b"org_id,q11c", b"org_id,q11c\n", b'"', b'"org_id', b"q11c\n" + b"1\n" * 30,
        CANARY.encode() * 30, (CANARY + "\n").encode() * 30, b"<html>" + CANARY.encode(), b"{}",
        rng.bytes(int(rng.integers(1, 5000))), b"PK\x03\x04" + rng.bytes(2000),
        b"PAR1" + rng.bytes(2000) + b"PAR1", b"$FL2" + rng.bytes(2000),
        zipped({"xl/workbook.xml": CANARY}), zipped({"x.csv": "org_id,q11c\nZZ1,1\n"}), to_xlsx({}),
        to_xlsx({"Data": []}), to_ods({}), to_ods({"Data": []}),
    ]  # fmt: skip
    path = folder / f"made.{rng.choice(['csv', 'xlsx', 'sav', 'parquet', 'xls'])}"
    path.write_bytes(contents[int(rng.integers(len(contents)))])
    reader = str(rng.choice(["extract", "published"]))
    return Case(path, reader)


# --- mutations of workbooks, from inside


@mutation("formulas", 1)
def _formulas(rng: Rng, folder: Path) -> Case:
    extract = make_extract(rng, "codes")
    inside = str(rng.choice(["none", "empty", "shared", "error", "worked out"]))
    for _ in range(int(rng.integers(1, 30))):
        row, place = int(rng.integers(len(extract.rows))), int(rng.choice(extract.answers))
        value = extract.rows[row][place]
        if isinstance(value, Raw):
            continue
        if inside == "worked out":
            extract.rows[row][place] = Raw(f"<f>A1&amp;{CANARY}</f><v>{value}</v>") if value else ""
            continue
        extract.rows[row][place] = Raw(
            {
                "none": "<f>1+1</f>",
                "empty": "<f>1+1</f><v></v>",
                "shared": '<f t="shared" si="0"/>',
                "error": "<f>1/0</f><v>#DIV/0!</v>",
            }[inside]
        )
        extract.altered.add(extract.tag(row))
    return Case(write(extract, "xlsx", folder, rng), extract=extract)


@mutation("formulas as text", 0.5)
def _formula_text(rng: Rng, folder: Path) -> Case:
    extract = make_extract(rng)
    texts = ["=1+1", "=cmd|'/c calc'!A0", f'=HYPERLINK("{CANARY}")', "@SUM(A1)", "+1", "-1"]
    for row in rng.integers(0, len(extract.rows), 8):
        extract.rows[row][int(rng.choice(extract.answers))] = str(rng.choice(texts))
        extract.altered.add(extract.tag(int(row)))
    return Case(write(extract, str(rng.choice(GRID_FORMATS)), folder, rng), extract=extract)


@mutation("far cells", 0.7)
def _far(rng: Rng, folder: Path) -> Case:
    """A stray entry far outside the table."""
    extract = make_extract(rng)
    if rng.random() < 0.3:
        rows = "".join(
            "<table:table-row>"
            + "".join(
                f'<table:table-cell office:value-type="string"><text:p>{escape(str(c))}</text:p>'
                "</table:table-cell>"
                for c in row
            )
            + "</table:table-row>"
            for row in extract.grid()
        )
        times = int(rng.choice([10**3, 10**5, 10**9]))
        rows += (
            f'<table:table-row table:number-rows-repeated="{times}"><table:table-cell '
            f'table:number-columns-repeated="{int(rng.choice([1, 16_384]))}" '
            f'office:value-type="string"><text:p>{CANARY}</text:p></table:table-cell>'
            "</table:table-row>"
        )
        path = folder / "made.ods"
        path.write_bytes(to_ods({"Data": rows}))
        return Case(path)
    where = str(rng.choice(["XFD1048576", "A1048576", "XFD2", "ZZZZZZ9", "AB99999999", "C2000"]))
    line = "".join(c for c in where if c.isdigit())
    quote = str(rng.choice(['"', "'"]))
    cell = f"<c r={quote}{where}{quote}><v>1</v></c>"
    xml = sheet_xml(extract.grid()).replace(
        "</sheetData>", f'<row r="{line}">{cell}</row></sheetData>'
    )
    path = folder / "made.xlsx"
    path.write_bytes(to_xlsx({"Data": xml}))
    return Case(path)


@mutation("zip bombs", 0.3)
def _bomb(rng: Rng, folder: Path) -> Case:
    path = folder / "made.xlsx"
    size = int(rng.choice([80, 300])) << 20
    kind = int(rng.integers(4))
    sheet = sheet_xml(make_extract(rng).grid()).encode()
    parts = to_xlsx({"Data": [["x"]]})
    with zipfile.ZipFile(io.BytesIO(parts)) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content["xl/worksheets/sheet1.xml"] = sheet
    name = ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml", "mimetype"][kind]
    content[name] = content.get(name, b"") + b" " * size
    path.write_bytes(zipped(content))
    if rng.random() < 0.4:  # and its directory lies about it
        raw = bytearray(path.read_bytes())
        true = (len(content[name])).to_bytes(4, "little")
        at = raw.rfind(true)
        raw[at : at + 4] = (1000).to_bytes(4, "little")
        path.write_bytes(bytes(raw))
    return Case(path)


@mutation("a million columns", 0.5)
def _million(rng: Rng, folder: Path) -> Case:
    count = int(rng.choice([6_000, 20_000, 1_000_000]))
    if rng.random() < 0.6:
        path = folder / "made.csv"
        name = str(rng.choice(["", "q11c", "x"]))
        head = ",".join(["org_id", "q11c", *[name] * count])
        path.write_text(head + "\nZZ1,1" + "," * count + "\n", "utf-8")
        return Case(path)
    path = folder / "made.xlsx"
    head = ["org_id", "q11c", *[f"x{place}" for place in range(min(count, 20_000))]]
    path.write_bytes(to_xlsx({"Data": [head, ["ZZ1", "1"]]}))
    return Case(path)


@mutation("many rows in a small file", 0.2)
def _many_rows(rng: Rng, folder: Path) -> Case:
    """Parquet packs a repeated value into nothing."""
    import pyarrow as pa
    from pyarrow import parquet

    rows = int(rng.choice([100_000, 1_000_000]))
    columns = {name: pa.array(["1"]).take(pa.array(np.zeros(rows, "i4"))) for name in
               ("q11c", "q11d", "q11e", "q12a")}  # fmt: skip
    table = pa.table({"org_id": pa.array(np.full(rows, ORG)), **columns})
    path = folder / "made.parquet"
    parquet.write_table(table, path, row_group_size=rows)
    return Case(path, options={"year": 2024})


@mutation("broken markup", 1.5)
def _markup(rng: Rng, folder: Path) -> Case:
    """The archive is sound, what it holds is not."""
    extract = make_extract(rng)
    form = str(rng.choice(["xlsx", "ods"]))
    path = write(extract, form, folder, rng)
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    name = str(rng.choice(list(content)))
    text = content[name]
    first, last = sorted(map(int, rng.integers(0, len(text) + 1, 2)))
    change = int(rng.integers(5))
    if change == 0:
        content[name] = text[:first]
    elif change == 1:
        content[name] = text[:first] + text[last:]
    elif change == 2:
        content[name] = text[:first] + CANARY.encode() + text[first:]
    elif change == 3:
        content[name] = flip(text, rng) if text else b"\xff"
    else:
        del content[name]
    path.write_bytes(zipped(content))
    return Case(path)


# --- mutations of published workbooks


@functools.lru_cache(maxsize=4)
def published(folder: Path) -> dict[str, tuple[bytes, Sheets, pd.DataFrame]]:
    """Small synthetic workbooks: their bytes, cells and figures."""
    import python_calamine

    from culture_analytics.simulate.workbook import write_synthetic_workbook

    made = {}
    for kind, year, breakdowns in (
        ("organisational", 2024, None),
        ("national", 2023, ["region", "ethnicity", "gender", "age", "long_term_condition"]),
    ):
        (path,) = write_synthetic_workbook(
            folder, year=year, organisations=10, seed=11, kinds=[kind],
            **({} if breakdowns is None else {"breakdowns": breakdowns}),
        )  # fmt: skip
        book = python_calamine.CalamineWorkbook.from_path(path)
        cells = {
            name: book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            for name in book.sheet_names
        }
        made[kind] = (path.read_bytes(), cells, ca.read_published(path)._frame)
    return made


def _published_mutation(
    name: str, weight: float = 1.0
) -> Callable[[Callable[[Sheets, Rng], Sheets | None]], None]:
    def add(change: Callable[[Sheets, Rng], Sheets | None]) -> None:
        def make(rng: Rng, folder: Path) -> Case:
            kinds = published(folder.parent / "published")
            _, sheets, figures = kinds[str(rng.choice(list(kinds), p=[0.75, 0.25]))]
            copied = {title: [list(row) for row in rows] for title, rows in sheets.items()}
            changed = change(copied, rng) or copied
            path = folder / "made.xlsx"
            path.write_bytes(to_xlsx(changed))
            return Case(path, "published", figures=figures)

        mutation(f"published: {name}", weight / 2)(make)

    return add


def _one_sheet(sheets: Sheets, rng: Rng) -> Rows:
    return sheets[str(rng.choice([name for name, rows in sheets.items() if len(rows) > 3]))]


@_published_mutation("swapped and renamed sheets")
def _(sheets: Sheets, rng: Rng) -> Sheets:
    names = list(rng.permutation(list(sheets)))
    return {f"Sheet {n}" if rng.random() < 0.5 else str(name): sheets[str(name)]
            for n, name in enumerate(names)}  # fmt: skip


@_published_mutation("sheets missing or doubled")
def _(sheets: Sheets, rng: Rng) -> Sheets:
    names = list(sheets)
    place = int(rng.integers(len(names)))
    if rng.random() < 0.5:
        del sheets[names[place]]
        return sheets
    return {**sheets, "Copy": sheets[names[place]]}


@_published_mutation("headings changed", 1.5)
def _(sheets: Sheets, rng: Rng) -> None:
    rows = _one_sheet(sheets, rng)
    for _ in range(int(rng.integers(1, 4))):
        row = rows[int(rng.integers(0, min(6, len(rows))))]
        place = int(rng.integers(len(row)))
        text = str(row[place])
        row[place] = str(rng.choice(["", text.upper(), text[:-2], f"strange {text}", "strange"]))


@_published_mutation("rows shifted, lost or doubled")
def _(sheets: Sheets, rng: Rng) -> None:
    for rows in [_one_sheet(sheets, rng)] if rng.random() < 0.5 else list(sheets.values()):
        place = int(rng.integers(0, len(rows)))
        change = int(rng.integers(4))
        if change == 0:
            rows[place:place] = [[""] * len(rows[0])] * int(rng.integers(1, 60))
        elif change == 1:
            del rows[place]
        elif change == 2:
            rows.insert(place, list(rows[place]))
        else:
            rows[place:] = rows[place:][::-1]


@_published_mutation("columns shifted or lost")
def _(sheets: Sheets, rng: Rng) -> None:
    rows = _one_sheet(sheets, rng)
    place = int(rng.integers(0, max(map(len, rows))))
    for row in rows:
        if place % 2:
            row.insert(place, "")
        elif place < len(row):
            del row[place]


@_published_mutation("strange cells", 1.5)
def _(sheets: Sheets, rng: Rng) -> None:
    rows = _one_sheet(sheets, rng)
    texts = [CANARY, "-", "*", "n/a", "#REF!", "12%", "", " ", "1,5", "1e400", "x" * 50_000, True]
    for _ in range(int(rng.integers(1, 9))):
        line = int(rng.integers(len(rows)))
        text = texts[int(rng.integers(len(texts)))]
        # Headings are nobody's answers, and may be quoted.
        text = "strange" if line < 8 and text == CANARY else text
        rows[line][int(rng.integers(len(rows[line])))] = text


@_published_mutation("formulas", 0.5)
def _(sheets: Sheets, rng: Rng) -> None:
    rows = _one_sheet(sheets, rng)
    for _ in range(int(rng.integers(1, 30))):
        row = rows[int(rng.integers(len(rows)))]
        row[int(rng.integers(len(row)))] = Raw("<f>1+1</f>")


@mutation("published: flipped bits and cut files", 1)
def _published_bytes(rng: Rng, folder: Path) -> Case:
    kinds = published(folder.parent / "published")
    content, _, figures = kinds[str(rng.choice(list(kinds)))]
    path = folder / "made.xlsx"
    cut = content[: int(rng.integers(0, len(content)))]
    path.write_bytes(flip(content, rng) if rng.random() < 0.7 else cut)
    return Case(path, "published", figures=figures)


@mutation("the other reader's files", 1)
def _other_reader(rng: Rng, folder: Path) -> Case:
    if rng.random() < 0.5:
        content = published(folder.parent / "published")["organisational"][0]
        path = folder / "made.xlsx"
        path.write_bytes(content)
        return Case(path, "extract")
    extract = make_extract(rng)
    return Case(write(extract, str(rng.choice(FORMATS)), folder, rng), "published")


def real_workbooks(folder: Path) -> None:
    """Add a mutation of the real official workbooks, where they are held."""
    files = sorted(folder.rglob("*.xls*"))
    if not files:
        return

    @mutation("real workbooks: flipped bits and cut files", 0.6)
    def _real(rng: Rng, place: Path) -> Case:
        content = files[int(rng.integers(len(files)))]
        path = place / f"made{content.suffix}"
        data = content.read_bytes()
        cut = data[: int(rng.integers(0, len(data)))]
        path.write_bytes(flip(data, rng) if rng.random() < 0.6 else cut)
        return Case(path, "published")
