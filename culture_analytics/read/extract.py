"""Reads a respondent-level extract into a `Survey`.

The steps are those of a careful person: look what the file is, find the columns, settle the year
and the organisation, read the answers, set aside what cannot be used, and write down every count.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from culture_analytics.design import Design
from culture_analytics.errors import DesignError, ExtractError
from culture_analytics.instrument import Instrument, Question, load_instrument
from culture_analytics.progress import progress
from culture_analytics.read.columns import (
    Claim,
    ColumnMap,
    ColumnPlan,
    check_year,
    claim_columns,
    column_map,
    infer_year,
    plan_columns,
    snake_case,
    year_fits,
)
from culture_analytics.read.content import looks_like_published
from culture_analytics.read.formats import read_table
from culture_analytics.read.headers import fold
from culture_analytics.read.raw import BLANK, RawColumn, RawTable
from culture_analytics.read.rules import ReadingRules, header_key, reading_rules
from culture_analytics.read.validate import (
    ITEM_COLUMNS,
    Issue,
    ValidationReport,
    count_duplicates,
    routing_counts,
)
from culture_analytics.read.values import (
    MISSING,
    NOT_SELECTED,
    SELECTED,
    AnswerBook,
    Decoded,
    answer_map,
    decode_answers,
    decode_list,
    decode_ticks,
    share_unknown,
    yes_no_as_zero_one,
)
from culture_analytics.survey import Survey, nesting_faults

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["read_extract"]

UNKNOWN_SHARE = 0.20
UNKNOWN_ROWS = 10
FREE_TEXT_DISTINCT = 100
FREE_TEXT_SHARE = 0.5


def read_extract(
    path: str | Path,
    *,
    year: int | None = None,
    org: str | None = None,
    sheet: str | int | None = None,
    columns: Mapping[str, Any] | str | Path | None = None,
    instrument: Instrument | None = None,
) -> Survey:
    """Read a respondent-level NHS Staff Survey extract.

    Parameters
    ----------
    path : str or Path
        csv, tsv or semicolon text (UTF-8 with or without BOM, Windows-1252, UTF-16), a workbook
        (xlsx, xlsm, xlsb, xls, ods), SPSS (sav, zsav) or parquet. The content decides, not the
        extension. One row is one respondent.
    year : int, optional
        Survey year. Without it, the file's year column or its question numbers must determine it.
        With it, only that year's rows of a file of several years are read.
    org : str, optional
        Organisation (ODS) code. Needed if no column says it; otherwise only that organisation's
        rows are kept.
    sheet : str or int, optional
        Worksheet by name, or by position counted from 1, if several could hold the respondents.
    columns : mapping, str or Path, optional
        Where headers are not question numbers: ``{"Local name": "hba_managers"}`` in either
        direction, with question numbers, item ids or the roles ``org``, ``org_name``, ``year``,
        ``weight``, ``id``, ``unit``, ``local``, ``ignore``. Or the path of a TOML file that a
        trust keeps::

            year = 2024
            org = "ZZ1"
            units = ["Directorate", "Team name"]
            [columns]
            "Bullied by manager" = "hba_managers"
            [labels.work_related_stress]
            "0" = "No"
            "1" = "Yes"

    instrument : Instrument, optional
        The questionnaire; default `load_instrument()`.

    Returns
    -------
    Survey
        Respondents under stable item ids, each item with the instrument's categories. What was
        found on the way is in ``survey.quality``.

    Raises
    ------
    ExtractError
        If the file cannot be opened or is not an extract, if year or organisation are unknown,
        if the year does not fit, if a column cannot be understood. No message holds a value from
        the file.
    DesignError
        If a weight column holds something other than weights.

    Notes
    -----
    Every row is kept or set aside with a reason; ``survey.quality.set_aside`` adds up. Codes are
    read by the year's own code list, answers in words by the labels of any year. Value labels in
    an SPSS file decide over codes. Tick boxes: a blank is "not selected" for someone who ticked
    another option of the question, and missing for someone who ticked none.

    Examples
    --------
    >>> from culture_analytics.resources import sample_folder
    >>> survey = read_extract(sorted(sample_folder().glob("*2024*.csv"))[0])
    >>> survey.years
    (2024,)
    """
    instrument = instrument or load_instrument()
    rules = reading_rules(instrument)
    given = column_map(columns)
    year, org = _year_argument(year, given), _org_argument(org, given)
    table = read_table(
        path,
        sheet=sheet,
        expected=[*instrument.items, *rules.roles, *given.columns, *given.columns.values()],
        inspect=_refuse_published,
        caller="read_extract",
    )
    claims = claim_columns(table.names, instrument, rules, given, table.where)
    _refuse_no_questions(table, claims, instrument)
    reader = _Reader(table, claims, instrument, rules, given)
    return reader.read(year, org)


def _year_argument(year: int | None, given: ColumnMap) -> int | None:
    if year is None:
        return given.year
    try:
        return int(year)
    except (TypeError, ValueError):
        raise ExtractError("year= must be a number such as 2024.") from None


def _org_argument(org: str | None, given: ColumnMap) -> str | None:
    text = given.org if org is None else str(org)
    return None if text is None or not text.strip() else text.strip()


def _refuse_published(name: str, tops: Mapping[str, Sequence[Sequence[str]]]) -> None:
    kind = looks_like_published(tops)
    if kind:
        raise ExtractError(
            f"{name} is a {kind}, not an extract with one row a respondent. Read it with "
            "read_published()."
        )


def _refuse_no_questions(table: RawTable, claims: Sequence[Claim], instrument: Instrument) -> None:
    if any((claim.readings or claim.item) and not claim.role for claim in claims):
        return
    example = next(q.number for q in instrument.questions if q.number[-1].isalpha())
    # The first row may be a respondent: a file without a header must not be quoted.
    raise ExtractError(
        f"None of the {len(claims):,} columns of {table.where} is a staff-survey question (header "
        f"looked for in its first 10 rows; row {table.header_row} was taken). Headers should "
        f'be question numbers such as {example}; if yours are not, give columns={{"your header": '
        f'"{example}", ...}} or a TOML file.'
    )


@dataclass(frozen=True, eq=False)
class _Reading:
    """One question read from one column, in the rows of one year."""

    year: int
    question: Question
    column: RawColumn
    decoded: Decoded
    rows: NDArray[np.intp] | slice


@dataclass
class _Findings:
    """Collects what the report will say."""

    issues: list[Issue] = field(default_factory=list)
    set_aside: Counter[str] = field(default_factory=Counter)
    readings: list[_Reading] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    uses: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, severity: str, check: str, where: str, count: int, detail: str) -> None:
        if count:
            self.issues.append(Issue(severity, check, where, count, detail))

    def sorted_issues(self) -> list[Issue]:
        return sorted(self.issues, key=lambda issue: issue.severity != "warning")


@dataclass
class _Answers:
    """Answers of the rows read so far, by item; positions in the item's categories."""

    columns: dict[str, NDArray[np.int8]]
    rows: int

    def put(self, item: str, where: NDArray[np.intp] | slice, codes: NDArray[np.int8]) -> None:
        if item not in self.columns:
            self.columns[item] = np.full(self.rows, MISSING, dtype=np.int8)
        self.columns[item][where] = codes


class _Reader:
    """One file on its way to a Survey."""

    def __init__(
        self,
        table: RawTable,
        claims: Sequence[Claim],
        instrument: Instrument,
        rules: ReadingRules,
        given: ColumnMap,
    ) -> None:
        self.table = table
        self.claims = list(claims)
        self.instrument = instrument
        self.rules = rules
        self.given = given
        self.found = _Findings()
        self.by_name = {column.name: column for column in table.columns}
        if table.ragged:
            self.found.set_aside["more or fewer fields than the header"] = table.ragged

    def column(self, role: str) -> RawColumn | None:
        """Find the column of a role; a second one of the same role is kept as a local column."""
        taken = [claim for claim in self.claims if claim.role == role]
        taken.sort(key=lambda claim: not claim.mapped)
        for extra in taken[1:]:
            self.claims[self.claims.index(extra)] = dataclasses.replace(extra, role="local")
        return self.by_name[taken[0].header] if taken else None

    def read(self, year: int | None, org: str | None) -> Survey:
        rows = self.table.rows
        keep = np.ones(rows, dtype=bool)
        orgs = self._organisations(org, keep)
        years = self._years(year, keep)
        answers = _Answers({}, rows)
        plans = self._read_years(years, keep, answers)
        self._set_aside_blank(answers, keep)
        if not keep.any():
            raise ExtractError(
                f"No row of {self.table.where} can be used ({rows:,} read): "
                + "; ".join(f"{n:,} {reason}" for reason, n in self.found.set_aside.items())
                + "."
            )
        frame, weights, names = self._frame(orgs, years, answers, keep, plans)
        survey = Survey(
            frame,
            instrument=self.instrument,
            design=Design(weights=weights),
            source=self.table.source,
            synthetic=self._synthetic(),
            names=names,
        )
        units = self._units(frame, plans)
        report = self._report(survey, answers, keep, plans)
        survey = dataclasses.replace(survey, quality=report)
        return survey.with_units(units) if units else survey

    # -- organisation and year ---------------------------------------------------------------

    def _organisations(self, org: str | None, keep: NDArray[np.bool_]) -> pd.Categorical:
        column = self.column("org")
        name_column = self.column("org_name")
        if column is None and name_column is not None and org is None:
            column = name_column
        where = self.table.where
        if column is None or column.filled == 0:
            if org is None:
                raise ExtractError(
                    f"No column of {where} says which organisation the respondents work for. Give "
                    'its ODS code: read_extract(..., org="RXX"), or name the column: '
                    'columns={"your header": "org"}.'
                )
            codes = np.zeros(self.table.rows, dtype=np.int8)
            return pd.Categorical.from_codes(codes, categories=pd.Index([org], dtype="str"))
        values = [self._org_code(text) for text in column.values]
        categories = list(dict.fromkeys(values))
        lookup = np.array([*(categories.index(v) for v in values), BLANK], dtype=np.int32)
        codes = lookup[column.codes]
        if org is None:
            codes = self._fill_or_drop(codes, keep, categories, "no organisation given")
        else:
            codes = self._only_org(codes, keep, categories, org, column.name)
            categories = [org if c.casefold() == org.casefold() else c for c in categories]
        return pd.Categorical.from_codes(codes, categories=pd.Index(categories, dtype="str"))

    @staticmethod
    def _org_code(text: str) -> str:
        return text.upper() if re.fullmatch(r"[0-9A-Za-z]{3,6}", text) else text

    def _fill_or_drop(
        self,
        codes: NDArray[np.int32],
        keep: NDArray[np.bool_],
        categories: Sequence[Any],
        reason: str,
    ) -> NDArray[np.int32]:
        """Rows without a code: those of a file with one code have it, others are set aside."""
        blank = (codes < 0) & keep
        if not blank.any():
            return codes
        if len(categories) == 1:
            self.found.add(
                "note",
                reason,
                self.table.where,
                int(blank.sum()),
                "blank cells took the only value of the column",
            )
            return np.where(codes < 0, 0, codes)
        self.found.set_aside[reason] += int(blank.sum())
        keep &= ~blank
        return codes

    def _only_org(
        self,
        codes: NDArray[np.int32],
        keep: NDArray[np.bool_],
        categories: Sequence[str],
        org: str,
        header: str,
    ) -> NDArray[np.int32]:
        wanted = [n for n, code in enumerate(categories) if code.casefold() == org.casefold()]
        if not wanted:
            raise ExtractError(
                f"No row of {self.table.where} is of organisation {org!r}: column {header!r} holds "
                f"{len(categories):,} other organisation(s). Leave org= out to read all of them, "
                f'or give columns={{"{header}": "local"}} if that column is something else.'
            )
        other = (codes != wanted[0]) & (codes >= 0) & keep
        if other.any():
            self.found.set_aside[f"another organisation than {org}"] += int(other.sum())
            keep &= ~other
        if len(categories) == 1:
            return self._fill_or_drop(codes, keep, categories, "no organisation given")
        return self._fill_or_drop(codes, keep, categories, "no organisation given")

    def _years(self, year: int | None, keep: NDArray[np.bool_]) -> NDArray[np.int16]:
        rows = self.table.rows
        column = self.column("year")
        fits = year_fits(self.claims, self.instrument)
        where = self.table.where
        if column is None or column.filled == 0:
            if year is None:
                year, reason = infer_year(fits, self.table.title, where)
                self.found.add("note", "year inferred", where, 1, f"{year}: {reason}")
            check_year(year, fits, self.instrument, where)
            return np.full(rows, year, dtype=np.int16)
        lookup = np.array([*map(_year_of, column.values), BLANK], dtype=np.int16)
        codes = lookup[column.codes]
        found = sorted({int(y) for y in np.unique(codes[keep]) if y > 0})
        if year is not None and not found:
            self.found.add(
                "warning",
                "year column not understood",
                column.name,
                int(column.filled),
                f"year={year} was used for every row",
            )
            check_year(year, fits, self.instrument, where)
            return np.full(rows, year, dtype=np.int16)
        if not found:
            raise ExtractError(
                f"Column {column.name!r} of {where} holds no survey year in {column.filled:,} "
                "rows. Give year=, and columns={"
                f'"{column.name}": "local"}} if it is something else.'
            )
        if year is not None and year not in found:
            raise ExtractError(
                f"{where} holds no respondent of {year}: its column {column.name!r} says "
                f"{', '.join(map(str, found))}. Give that year, or leave year= out."
            )
        strange = sorted(set(found) - set(self.instrument.years))
        if year is None and strange and not set(found) & set(self.instrument.years):
            check_year(strange[0], fits, self.instrument, where)
        codes = self._blank_years(codes, keep, found)
        wanted = [year] if year is not None else [y for y in found if y not in strange]
        other = ~np.isin(codes, wanted) & keep
        if other.any():
            reason = f"another survey year than {', '.join(map(str, wanted))}"
            self.found.set_aside[reason] += int(other.sum())
            keep &= ~other
        if len(wanted) == 1:
            check_year(wanted[0], fits, self.instrument, where)
        return codes

    def _blank_years(
        self, codes: NDArray[np.int16], keep: NDArray[np.bool_], found: Sequence[int]
    ) -> NDArray[np.int16]:
        positions = np.where(codes < 0, -1, np.searchsorted(found, codes)).astype(np.int32)
        filled = self._fill_or_drop(positions, keep, found, "no survey year given")
        return np.where(filled < 0, -1, np.asarray(found)[filled]).astype(np.int16)

    # -- answers -----------------------------------------------------------------------------

    def _read_years(
        self, years: NDArray[np.int16], keep: NDArray[np.bool_], answers: _Answers
    ) -> dict[int, ColumnPlan]:
        wanted = sorted({int(y) for y in np.unique(years[keep])})
        plans: dict[int, ColumnPlan] = {}
        for year in wanted:
            rows: NDArray[np.intp] | slice = (
                slice(None) if len(wanted) == 1 else np.flatnonzero(years == year)
            )
            columns = self._columns_of(rows)
            claims = self._claims_with_data(columns) if len(wanted) > 1 else self.claims
            if len(wanted) > 1:
                fits = year_fits(claims, self.instrument)
                check_year(year, fits, self.instrument, f"{self.table.where}, rows of {year}")
            plans[year] = self._plan(claims, columns, year)
            self._read_answers(plans[year], columns, rows, answers)
        return plans

    def _columns_of(self, rows: NDArray[np.intp] | slice) -> dict[str, RawColumn]:
        if isinstance(rows, slice):
            return self.by_name
        return {
            name: dataclasses.replace(column, codes=column.codes[rows])
            for name, column in self.by_name.items()
        }

    def _claims_with_data(self, columns: Mapping[str, RawColumn]) -> list[Claim]:
        """In a file of several years, a column blank in one year was not part of that year."""
        return [c for c in self.claims if c.role or columns[c.header].filled]

    def _plan(
        self, claims: Sequence[Claim], columns: Mapping[str, RawColumn], year: int
    ) -> ColumnPlan:
        def strangeness(header: str, question: Question) -> float:
            book = AnswerBook(self.instrument.items[question.item], question.scale, self.rules)
            column = columns[header]
            unknown, held = share_unknown(column, decode_answers(column, book))
            return unknown / held if held else 0.0

        return plan_columns(
            claims,
            year,
            self.instrument,
            self.rules,
            where=self.table.where,
            strangeness=strangeness,
        )

    def _read_answers(
        self,
        plan: ColumnPlan,
        columns: Mapping[str, RawColumn],
        rows: NDArray[np.intp] | slice,
        answers: _Answers,
    ) -> None:
        maps = self._label_maps(plan)
        zero_one: list[tuple[str, Question]] = []
        strange: list[tuple[str, Question, int, int]] = []
        to_local: list[str] = []
        ticks: dict[str, dict[str, tuple[RawColumn, Question]]] = {}
        steps = progress(plan.items.items(), "Reading answers", len(plan.items))
        for item_id, (header, question) in steps:
            item, column = self.instrument.items[item_id], columns[header]
            if item.kind == "tick":
                stem = question.number.split("_")[0]
                ticks.setdefault(stem, {})[item_id] = (column, question)
                continue
            book = AnswerBook(item, question.scale, self.rules)
            given = maps.get(item_id, {})
            if yes_no_as_zero_one(column, book, given):
                zero_one.append((header, question))
                continue
            decoded = decode_answers(column, book, given)
            unknown, held = share_unknown(column, decoded) if decoded.unknown.any() else (0, 0)
            if _too_strange(unknown, held):
                if self._named_only(header) and item.kind == "background":
                    to_local.append(item_id)
                else:
                    strange.append((header, question, unknown, held))
                continue
            answers.put(item_id, rows, decoded.lookup[column.codes])
            self._note_item(plan.year, question, column, decoded, rows)
        for family in ticks.values():
            strange += self._read_ticks(plan, family, rows, answers)
        for header, stem in plan.lists.items():
            strange += self._read_list(plan, columns[header], stem, rows, answers)
        self._refuse_answers(zero_one, strange)
        for item_id in to_local:
            self._demote(plan, item_id)

    def _label_maps(self, plan: ColumnPlan) -> dict[str, dict[str, str]]:
        maps: dict[str, dict[str, str]] = {}
        unused: list[str] = []
        by_key = {fold(question.number): item for item, (_, question) in plan.items.items()}
        by_key |= {fold(header): item for item, (header, _) in plan.items.items()}
        by_key |= {fold(item): item for item in plan.items}
        for name, texts in self.given.labels.items():
            item = by_key.get(fold(name))
            if item is None:
                unused.append(name)
                continue
            question = plan.items[item][1]
            book = AnswerBook(self.instrument.items[item], question.scale, self.rules)
            maps[item] = answer_map(texts, book, self.given.source)
        self.found.add(
            "note",
            "labels not used",
            self.given.source,
            len(unused),
            f"no such question in the {plan.year} file: {', '.join(unused[:6])}",
        )
        return maps

    def _named_only(self, header: str) -> bool:
        claim = next(c for c in self.claims if c.header == header)
        return bool(claim.item) and not claim.mapped

    def _demote(self, plan: ColumnPlan, item_id: str) -> None:
        """Keep as local a column that shares its name with an item, such as an age in years."""
        header, _ = plan.items[item_id]
        place = next(n for n, claim in enumerate(self.claims) if claim.header == header)
        self.claims[place] = Claim(header, role="local")
        self.found.add(
            "warning",
            "column kept as local",
            header,
            1,
            f"it is named like the item {item_id}, but its values are not that item's answers; "
            f"if it is the item, give its answers under [labels.{item_id}]",
        )

    def _note_item(
        self,
        year: int,
        question: Question,
        column: RawColumn,
        decoded: Decoded,
        rows: NDArray[np.intp] | slice,
    ) -> None:
        self.found.readings.append(_Reading(year, question, column, decoded, rows))

    def _count_readings(self, keep: NDArray[np.bool_]) -> None:
        """Count unknown codes and repaired dates among the respondents kept."""
        for reading in self.found.readings:
            column, decoded, question = reading.column, reading.decoded, reading.question
            rows = np.zeros(len(column.values), dtype=np.int64)
            if decoded.unknown.any() or decoded.repaired.any():
                codes = column.codes[keep[reading.rows]]
                rows = np.bincount(codes[codes >= 0], minlength=len(column.values))
            unknown = int(rows[decoded.unknown].sum())
            distinct = int(np.count_nonzero(decoded.unknown & (rows > 0)))
            repaired = int(rows[decoded.repaired].sum())
            self.found.items.append(
                {
                    "year": reading.year,
                    "item": question.item,
                    "number": question.number,
                    "header": column.name,
                    "unknown": unknown,
                    "unknown_codes": distinct,
                    "repaired": repaired,
                }
            )
            self.found.add(
                "warning",
                "unknown codes",
                column.name,
                unknown,
                f"{distinct:,} code(s) or label(s) that the {reading.year} scale of "
                f"{question.item} does not have; read as missing",
            )
            self.found.add(
                "note",
                "Excel dates repaired",
                column.name,
                repaired,
                "answers such as 1-2 that Excel had turned into dates were read back",
            )
            for note in decoded.notes:
                self.found.add("warning", "value labels", column.name, 1, note)

    def _read_ticks(
        self,
        plan: ColumnPlan,
        family: Mapping[str, tuple[RawColumn, Question]],
        rows: NDArray[np.intp] | slice,
        answers: _Answers,
    ) -> list[tuple[str, Question, int, int]]:
        decoded = decode_ticks(family, self.rules)
        strange = []
        ticked: dict[str, NDArray[np.int8]] = {}
        for item, (column, question) in family.items():
            unknown, held = share_unknown(column, decoded[item])
            if _too_strange(unknown, held):
                strange.append((column.name, question, unknown, held))
            ticked[item] = decoded[item].lookup[column.codes]
            self._note_item(plan.year, question, column, decoded[item], rows)
        anyone = np.logical_or.reduce([codes == SELECTED for codes in ticked.values()])
        for item, codes in ticked.items():
            empty = np.where(codes == SELECTED, SELECTED, NOT_SELECTED)
            answers.put(item, rows, np.where(anyone, empty, MISSING).astype(np.int8))
        self._note_options(plan, set(family))
        return strange

    def _note_options(self, plan: ColumnPlan, present: set[str]) -> None:
        stem = plan.items[next(iter(present))][1].number.split("_")[0]
        absent = [
            number
            for number, questions in self.instrument.numbers(plan.year).items()
            if number.startswith(f"{stem}_") and not {q.item for q in questions} & present
        ]
        self.found.add(
            "warning",
            "options missing",
            stem,
            len(absent),
            f"no column for {', '.join(absent[:10])}: someone who ticked only these counts as "
            "having ticked none",
        )

    def _read_list(
        self,
        plan: ColumnPlan,
        column: RawColumn,
        stem: str,
        rows: NDArray[np.intp] | slice,
        answers: _Answers,
    ) -> list[tuple[str, Question, int, int]]:
        questions = [
            question
            for number, found in self.instrument.numbers(plan.year).items()
            if number.startswith(f"{stem}_")
            for question in found
            if question.item not in plan.items
        ]
        decoded, unknown = decode_list(column, questions, self.rules)
        counts = column.counts()
        lost = int(counts[unknown].sum())
        if _too_strange(lost, column.filled):
            return [(column.name, questions[0], lost, column.filled)]
        for question in questions:
            mine = dataclasses.replace(decoded[question.item], unknown=unknown)
            answers.put(question.item, rows, mine.lookup[column.codes])
            self._note_item(plan.year, question, column, mine, rows)
        return []

    def _refuse_answers(
        self,
        zero_one: Sequence[tuple[str, Question]],
        strange: Sequence[tuple[str, Question, int, int]],
    ) -> None:
        problems: list[str] = []
        if zero_one:
            shown = ", ".join(repr(header[:60]) for header, _ in zero_one[:8])
            more = f" and {len(zero_one) - 8:,} more" if len(zero_one) > 8 else ""
            sections = "".join(
                f'\n    [labels.{question.number}]\n    "0" = "No"\n    "1" = "Yes"'
                for _, question in zero_one[:3]
            )
            problems.append(
                f"{len(zero_one):,} yes/no column(s) of {self.table.where} are coded 0 and 1 "
                f"without labels: {shown}{more}. The questionnaire codes 1 = Yes, 2 = No, so which "
                "of 0 and 1 means yes must be said. Put this in a file, after checking it with "
                f'whoever made the extract, and give columns="that file.toml":{sections}'
                + ("\n    (and so on)" if len(zero_one) > 3 else "")
            )
        if strange:
            lines = "".join(
                f"\n  {header[:60]!r} ({question.number}, {question.item}): {unknown:,} of "
                f"{held:,} answers are none of: {', '.join(question.scale.labels[:8])}"
                for header, question, unknown, held in strange[:8]
            )
            more = f"\n  and {len(strange) - 8:,} more" if len(strange) > 8 else ""
            first = strange[0][1]
            problems.append(
                f"{len(strange):,} column(s) of {self.table.where} hold unknown labels or codes in "
                f"more than {UNKNOWN_SHARE:.0%} of their answers:{lines}{more}\n  Check that the "
                "year is right; if the answers are worded differently, say how in a TOML file: "
                f'[labels.{first.number}] with "text in the file" = "{first.scale.labels[0]}" '
                "under it, and give columns=that file."
            )
        if problems:
            raise ExtractError("\n".join(problems))

    # -- rows, columns and the report --------------------------------------------------------

    def _set_aside_blank(self, answers: _Answers, keep: NDArray[np.bool_]) -> None:
        answered = np.zeros(self.table.rows, dtype=bool)
        for codes in answers.columns.values():
            answered |= codes >= 0
        silent = keep & ~answered
        if not silent.any():
            return
        empty = silent.copy()
        for column in self.table.columns:
            empty &= column.codes < 0
        for reason, which in (
            ("blank row", empty),
            ("no answer to any question", silent & ~empty),
        ):
            if which.any():
                self.found.set_aside[reason] += int(which.sum())
        keep &= ~silent

    def _frame(
        self,
        orgs: pd.Categorical,
        years: NDArray[np.int16],
        answers: _Answers,
        keep: NDArray[np.bool_],
        plans: Mapping[int, ColumnPlan],
    ) -> tuple[pd.DataFrame, dict[str, str], dict[str, str]]:
        every = bool(keep.all())

        def kept(codes: NDArray[Any]) -> NDArray[Any]:
            return codes if every else codes[keep]

        data: dict[str, Any] = {
            "org": pd.Categorical.from_codes(
                kept(orgs.codes), dtype=orgs.dtype
            ).remove_unused_categories(),
            "year": kept(years),
        }
        for item in self.instrument.items:
            if item in answers.columns:
                data[item] = pd.Categorical.from_codes(
                    kept(answers.columns[item]), dtype=self.instrument.items[item].dtype
                )
        weights = self._add_weights(data, kept)
        self._add_local(data, kept, plans)
        return pd.DataFrame(data), weights, self._org_names(orgs, keep)

    def _add_weights(
        self, data: dict[str, Any], kept: Callable[[NDArray[Any]], NDArray[Any]]
    ) -> dict[str, str]:
        weights: dict[str, str] = {}
        problems: list[str] = []
        for claim in self.claims:
            if claim.role != "weight":
                continue
            column = self.by_name[claim.header]
            values = np.array([*map(_number, column.values), np.nan])[kept(column.codes)]
            problem = _weight_problem(values, kept(column.codes) >= 0)
            if problem:
                problems.append(f"{claim.header!r}: {problem}")
                continue
            name = snake_case(claim.header, {*data, *self.instrument.items})
            data[name] = values
            weights[name] = name
            self.found.uses[claim.header] = ("weight", name)
        if problems:
            header = next(c.header for c in self.claims if c.role == "weight")
            raise DesignError(
                f"{len(problems):,} weight column(s) of {self.table.where} cannot be used: "
                f"{'; '.join(problems)}. Weights are positive numbers, one for every respondent. "
                f'Mend the column, or leave it out with columns={{"{header}": "ignore"}}.'
            )
        return weights

    def _add_local(
        self,
        data: dict[str, Any],
        kept: Callable[[NDArray[Any]], NDArray[Any]],
        plans: Mapping[int, ColumnPlan],
    ) -> None:
        local = {header for plan in plans.values() for header in plan.local}
        strangers = {header for plan in plans.values() for header in plan.not_asked}
        used = {header for plan in plans.values() for header, _ in plan.items.values()}
        used |= {header for plan in plans.values() for header in plan.lists}
        passed = {h: why for plan in plans.values() for h, why in plan.passed_over.items()}
        demoted = {claim.header for claim in self.claims if claim.role == "local"}
        local |= demoted
        used -= demoted
        uses = self.found.uses
        for column in self.table.columns:
            header = column.name
            role = next(claim.role for claim in self.claims if claim.header == header)
            if header in uses:
                continue
            if header in used:
                continue
            if role in {"org", "org_name", "year", "ignore"}:
                uses[header] = ({"ignore": "ignored"}.get(role, role), "")
            elif role == "id":
                uses[header] = ("respondent number, not kept", "")
            elif header in passed:
                uses[header] = (f"passed over: {passed[header]}", "")
            elif header in local or header in strangers:
                self._add_one_local(data, column, kept, stranger=header in strangers)
            else:
                uses[header] = ("no data", "")

    def _add_one_local(
        self,
        data: dict[str, Any],
        column: RawColumn,
        kept: Callable[[NDArray[Any]], NDArray[Any]],
        *,
        stranger: bool,
    ) -> None:
        distinct = len(column.values)
        if distinct > FREE_TEXT_DISTINCT and distinct > FREE_TEXT_SHARE * column.filled:
            self.found.uses[column.name] = ("not kept", "")
            self.found.add(
                "note",
                "column not kept",
                column.name,
                distinct,
                "almost every value differs: a person's number or free text, which this library "
                "does not analyse",
            )
            return
        name = snake_case(column.name, {*data, *self.instrument.items, "org", "year"})
        data[name] = _local_category(column, kept(column.codes))
        self.found.uses[column.name] = ("not asked that year" if stranger else "local column", name)

    def _org_names(self, orgs: pd.Categorical, keep: NDArray[np.bool_]) -> dict[str, str]:
        claim = next((c for c in self.claims if c.role == "org_name"), None)
        if claim is None:
            return {}
        column = self.by_name[claim.header]
        pairs = np.unique(np.stack([orgs.codes[keep], column.codes[keep]]), axis=1).T
        named: dict[str, list[str]] = {}
        for code, name in pairs:
            if code >= 0 and name >= 0:
                named.setdefault(str(orgs.categories[code]), []).append(column.values[name])
        return {code: names[0] for code, names in named.items() if len(names) == 1}

    def _synthetic(self) -> bool:
        """Tell whether the file calls itself synthetic: in its name, a title, or a whole column."""
        said = [*self.table.title, self.table.source, self.table.sheet or ""]
        for claim in self.claims:
            if claim.role in {"org_name", "local"}:
                column = self.by_name[claim.header]
                said += [claim.header, *(column.values if len(column.values) == 1 else ())]
        return any("synthetic" in fold(text) for text in said)

    def _units(self, frame: pd.DataFrame, plans: Mapping[int, ColumnPlan]) -> tuple[str, ...]:
        declared = [
            self.found.uses.get(claim.header, ("", ""))[1]
            for unit in self.given.units
            for claim in self.claims
            if claim.mapped
            and claim.role == "unit"
            and header_key(claim.header) == header_key(unit)
        ]
        if any(declared):
            return tuple(name for name in dict.fromkeys(declared) if name)
        levels = [
            (self._level(claim), self.found.uses[claim.header][1])
            for claim in self.claims
            if claim.role == "unit" and self.found.uses.get(claim.header, ("", ""))[1]
        ]
        names = [name for _, name in sorted(levels)]
        if len(names) < 2 or not self._straying(frame, names):
            return tuple(names)
        by_size = sorted(names, key=lambda name: frame[name].nunique())
        if not self._straying(frame, by_size):
            return tuple(by_size)
        above, below, count = self._straying(frame, names)[0]
        self.found.add(
            "note",
            "units do not nest",
            ", ".join(names),
            count,
            f"units of {below} lie in more than one {above}, so no hierarchy was declared; the "
            "columns are kept and can be used one by one, or declared with with_units([...])",
        )
        return ()

    def _level(self, claim: Claim) -> int:
        return self.rules.units.get(header_key(claim.header), len(self.rules.units))

    @staticmethod
    def _straying(frame: pd.DataFrame, names: Sequence[str]) -> list[tuple[str, str, int]]:
        faults = [(a, b, nesting_faults(frame, a, b)) for a, b in pairwise(names)]
        return [fault for fault in faults if fault[2]]

    def _report(
        self,
        survey: Survey,
        answers: _Answers,
        keep: NDArray[np.bool_],
        plans: Mapping[int, ColumnPlan],
    ) -> ValidationReport:
        self._count_readings(keep)
        for plan in plans.values():
            self._note_plan(plan)
        self._note_duplicates(keep)
        items = self._item_counts(survey)
        return ValidationReport(
            source=self.table.where,
            format=_format_of(self.table),
            years=survey.years,
            organisations=len(survey.orgs),
            rows_read=self.table.rows + self.table.ragged,
            rows_kept=survey.n,
            set_aside=dict(self.found.set_aside),
            items=items,
            columns=self._column_uses(plans),
            issues=self.found.sorted_issues(),
        )

    def _note_plan(self, plan: ColumnPlan) -> None:
        strangers = [h for h in plan.not_asked if self.by_name[h].filled]
        self.found.add(
            "warning",
            "items not asked that year",
            str(plan.year),
            len(strangers),
            f"columns that are no question of {plan.year}, kept as local columns: "
            f"{_listed(strangers)}",
        )
        if plan.variant:
            touched = [q for _, q in plan.items.values() if q.variant == plan.variant]
            what = {"form": "the printed form", "extract": "the data extract"}[plan.variant]
            self.found.add(
                "note",
                "numbering",
                str(plan.year),
                len(touched),
                f"the last questions are numbered as in {what}",
            )
        present = {*plan.items, *self._listed_items(plan)}
        wanted: dict[str, None] = {}
        for measures in self.instrument.domains.values():
            for measure in measures:
                parts = self.instrument.measures[measure].parts
                wanted.update((item, None) for item, _ in parts)
        absent = [
            self.instrument.number(item, plan.year) or item
            for item in wanted
            if self.instrument.asked(item, plan.year) and item not in present
        ]
        self.found.add(
            "note",
            "questions without a column",
            str(plan.year),
            len(absent),
            f"measures that need them are not available: {_listed(absent)}",
        )
        local = [
            claim.header
            for claim in self.claims
            if claim.role == "local" and not claim.mapped and claim.header in self.found.uses
        ]
        if plan.year == self._first_year:
            self.found.add(
                "note",
                "local columns",
                self.table.where,
                len(local),
                f"no question and no known role: {_listed(local)}",
            )

    @property
    def _first_year(self) -> int:
        return min((row["year"] for row in self.found.items), default=0)

    def _listed_items(self, plan: ColumnPlan) -> set[str]:
        return {
            question.item
            for stem in plan.lists.values()
            for number, questions in self.instrument.numbers(plan.year).items()
            if number.startswith(f"{stem}_")
            for question in questions
        }

    def _note_duplicates(self, keep: NDArray[np.bool_]) -> None:
        codes = [column.codes[keep] for column in self.table.columns]
        repeated = count_duplicates(codes)
        self.found.add(
            "warning" if len(codes) >= 30 else "note",
            "duplicate rows",
            self.table.where,
            repeated,
            "rows equal to another row in every column; kept, since only the data's owner can say "
            "whether somebody was entered twice",
        )
        for claim in self.claims:
            if claim.role != "id":
                continue
            column = self.by_name[claim.header].codes[keep]
            held = column[column >= 0]
            twice = len(held) - len(np.unique(held))
            self.found.add(
                "warning",
                "duplicate respondent numbers",
                claim.header,
                twice,
                "rows whose respondent number an earlier row has; kept",
            )

    def _item_counts(self, survey: Survey) -> pd.DataFrame:
        frame, instrument = survey.responses, self.instrument
        year_of = frame["year"].to_numpy()
        rows = []
        several = len(survey.years) > 1
        for year in survey.years:
            mine = np.flatnonzero(year_of == year) if several else slice(None)
            codes = {item: frame[item].cat.codes.to_numpy()[mine] for item in survey.items}
            count = survey.n if not several else len(np.flatnonzero(year_of == year))
            for record in self.found.items:
                if record["year"] != year:
                    continue
                item = instrument.items[record["item"]]
                own = codes[item.id]
                asked, contradictions = routing_counts(item, codes, instrument, count)
                answered = int(np.count_nonzero((own >= 0) & asked))
                total = int(np.count_nonzero(asked))
                rows.append(
                    {
                        **record,
                        "label": item.label,
                        "asked": total,
                        "answered": answered,
                        "missing": total - answered,
                        "contradictions": contradictions,
                    }
                )
                self.found.add(
                    "warning",
                    "routing contradictions",
                    record["header"],
                    contradictions,
                    f"answered although the earlier answers mean that {item.id} was not asked; "
                    "left out of its base",
                )
        order = {item: place for place, item in enumerate(instrument.items)}
        rows.sort(key=lambda row: (row["year"], order[row["item"]]))
        return pd.DataFrame(rows, columns=list(ITEM_COLUMNS))

    def _column_uses(self, plans: Mapping[int, ColumnPlan]) -> pd.DataFrame:
        asked = {
            header: (f"question {question.number}", item)
            for plan in plans.values()
            for item, (header, question) in plan.items.items()
        }
        asked |= {
            header: (f"question {stem} (list)", stem)
            for plan in plans.values()
            for header, stem in plan.lists.items()
        }
        rows = [(name, *(self.found.uses.get(name) or asked[name])) for name in self.table.names]
        return pd.DataFrame(rows, columns=["header", "use", "name"])


def _listed(names: Sequence[str], most: int = 12) -> str:
    shown = ", ".join(name[:60] for name in names[:most])
    return shown + (f" and {len(names) - most:,} more" if len(names) > most else "")


def _format_of(table: RawTable) -> str:
    return table.format if table.encoding is None else f"{table.format}, {table.encoding}"


def _too_strange(unknown: int, held: int) -> bool:
    if not unknown or unknown <= UNKNOWN_SHARE * held:
        return False
    return unknown >= UNKNOWN_ROWS or unknown >= 0.5 * held


def _year_of(text: str) -> int:
    """Read a survey year from a cell: 2024, NSS24, 30/11/2024; -1 if there is none."""
    four = re.findall(r"(?<!\d)20\d\d(?!\d)", text)
    if four:
        return int(four[-1])
    two = re.search(r"(?<!\d)([12]\d)$", text.strip().removesuffix(".0"))
    return 2000 + int(two[1]) if two else BLANK


def _number(text: str) -> float:
    try:
        return float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except ValueError:
        return np.nan


def _weight_problem(values: NDArray[np.float64], held: NDArray[np.bool_]) -> str:
    """Say what is wrong with a weight column, in counts; empty if nothing is."""
    finite = np.isfinite(values)
    problems = [
        (int(np.count_nonzero(~finite & held)), "not a number"),
        (int(np.count_nonzero(~held)), "blank"),
        (int(np.count_nonzero(values[finite] < 0)), "negative"),
    ]
    said = [f"{count:,} {what}" for count, what in problems if count]
    if not said and not np.any(values > 0):
        said = [f"all {len(values):,} are zero"]
    return ", ".join(said)


def _local_category(column: RawColumn, codes: NDArray[Any]) -> pd.Categorical:
    """Keep a local column as words, its values in natural order."""
    shown = [column.labels.get(text, text) for text in column.values]
    categories = sorted(dict.fromkeys(shown), key=_natural)
    position = {text: place for place, text in enumerate(categories)}
    lookup = np.array([*(position[text] for text in shown), BLANK], dtype=np.int32)
    return pd.Categorical.from_codes(
        lookup[codes], categories=pd.Index(categories, dtype="str")
    ).remove_unused_categories()


def _natural(text: str) -> list[tuple[int, int | str]]:
    parts: Iterable[str] = re.split(r"(\d+)", text.casefold())
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part]
