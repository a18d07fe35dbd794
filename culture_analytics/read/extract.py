"""Reads a respondent-level extract into a `Survey`.

The steps are those of a careful person: look what the file is, find the columns, settle the year
and the organisation, read the answers, set aside what cannot be used, and write down every count.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from culture_analytics.design import Design
from culture_analytics.errors import ExtractError
from culture_analytics.instrument import Instrument, load_instrument
from culture_analytics.read.answers import Answers, read_answers
from culture_analytics.read.cache import cache_entry
from culture_analytics.read.claims import Claim, claim_columns, one_column_a_role
from culture_analytics.read.column_map import ColumnMap, column_map
from culture_analytics.read.content import looks_like_published
from culture_analytics.read.context import Context
from culture_analytics.read.findings import Findings
from culture_analytics.read.formats import read_table
from culture_analytics.read.headers import fold
from culture_analytics.read.local import Use, read_local
from culture_analytics.read.organisations import organisation_names, settle_organisations
from culture_analytics.read.raw import RawTable
from culture_analytics.read.report import quality_report
from culture_analytics.read.rows import all_rows, kept_of, refuse_no_rows, set_aside_silent
from culture_analytics.read.rules import reading_rules
from culture_analytics.read.units import settle_units
from culture_analytics.read.weights import read_weights
from culture_analytics.read.years import settle_years
from culture_analytics.survey import Survey

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["read_extract"]


def read_extract(
    path: str | Path,
    *,
    year: int | None = None,
    org: str | None = None,
    sheet: str | int | None = None,
    columns: Mapping[str, Any] | str | Path | None = None,
    instrument: Instrument | None = None,
    cache: bool = True,
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
    cache : bool, default True
        Keep what was read from a file of 20 MB or more in the user's own cache folder, so that
        the same file read in the same way comes back in a second. It holds respondents' answers;
        only the user may open it. False neither looks nor keeps; so does the environment
        variable ``CULTURE_ANALYTICS_CACHE=off``. See `culture_analytics.read.cache`.

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
    given = column_map(columns)
    year, org = _year_argument(year, given), _org_argument(org, given)
    options: Any = {"year": year, "org": org, "sheet": sheet, "given": given}
    entry = cache_entry(path, instrument=instrument, **options) if cache else None
    survey = entry.load(instrument) if entry else None
    if survey is None:
        survey = _read(path, instrument, **options)
        if entry:
            entry.store(survey)
    return survey


def _read(
    path: str | Path,
    instrument: Instrument,
    *,
    year: int | None,
    org: str | None,
    sheet: str | int | None,
    given: ColumnMap,
) -> Survey:
    """Read the file itself."""
    rules = reading_rules(instrument)
    table = read_table(
        path,
        sheet=sheet,
        expected=[*instrument.items, *rules.roles, *given.columns, *given.columns.values()],
        inspect=_refuse_published,
        caller="read_extract",
    )
    claims = claim_columns(table.names, instrument, rules, given, table.where)
    _refuse_no_questions(table, claims, instrument)
    context = Context(table, instrument, rules, given)
    return _survey(context, one_column_a_role(claims), year, org)


def _survey(context: Context, claims: Sequence[Claim], year: int | None, org: str | None) -> Survey:
    """Read the rows of a table whose columns are known."""
    table, findings = context.table, Findings()
    keep = all_rows(table, findings)
    orgs, keep = settle_organisations(context, claims, org, keep, findings)
    years, keep = settle_years(context, claims, year, keep, findings)
    answers = read_answers(context, claims, years, keep, findings)
    keep = set_aside_silent(table, answers.items.values(), keep, findings)
    refuse_no_rows(table, keep, findings)
    frame, weights, uses = _frame(context, orgs, years, answers, keep, findings)
    survey = Survey(
        frame,
        instrument=context.instrument,
        design=Design(weights=weights),
        source=table.source,
        synthetic=_calls_itself_synthetic(table, answers.claims),
        names=organisation_names(table, answers.claims, orgs, keep),
    )
    units = settle_units(context, answers.claims, uses, frame, findings)
    report = quality_report(context, survey, answers, uses, keep, findings)
    survey = dataclasses.replace(survey, quality=report)
    return survey.with_units(units) if units else survey


def _frame(
    context: Context,
    orgs: pd.Categorical,
    years: NDArray[np.int16],
    answers: Answers,
    keep: NDArray[np.bool_],
    findings: Findings,
) -> tuple[pd.DataFrame, dict[str, str], dict[str, Use]]:
    """Put the respondents together; with them the weights' names and each other column's use."""
    kept_orgs = pd.Categorical.from_codes(kept_of(orgs.codes, keep), dtype=orgs.dtype)
    data: dict[str, Any] = {
        "org": kept_orgs.remove_unused_categories(),
        "year": kept_of(years, keep),
    }
    for item_id, item in context.instrument.items.items():
        if item_id in answers.items:
            codes = kept_of(answers.items[item_id], keep)
            data[item_id] = pd.Categorical.from_codes(codes, dtype=item.dtype)
    weights, weight_names = read_weights(context, answers.claims, keep, data)
    data |= weights
    local = read_local(context, answers.claims, answers.plans, keep, data, findings)
    data |= local.data
    uses = {header: Use("weight", name) for header, name in weight_names.items()}
    return pd.DataFrame(data), {name: name for name in weights}, {**uses, **local.uses}


def _year_argument(year: int | None, given: ColumnMap) -> int | None:
    if year is None:
        return given.year
    try:
        number = int(year)
        whole = not isinstance(year, bool) and float(year) == number
    except (TypeError, ValueError, OverflowError):
        whole = False
    if not whole:
        raise ExtractError("year= must be a whole number such as 2024.")
    return number


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


def _calls_itself_synthetic(table: RawTable, claims: Sequence[Claim]) -> bool:
    """Tell whether the file calls itself synthetic: in its name, a title, or a whole column."""
    said = [*table.title, table.source, table.sheet or ""]
    for claim in claims:
        if claim.role in {"org_name", "local"}:
            values = table[claim.header].values
            said += [claim.header, *(values if len(values) == 1 else ())]
    return any("synthetic" in fold(text) for text in said)
