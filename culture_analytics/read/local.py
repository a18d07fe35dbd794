"""The trust's own columns, and what became of every column that is no question."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from culture_analytics.read.claims import Claim
from culture_analytics.read.context import Context
from culture_analytics.read.findings import Findings
from culture_analytics.read.headers import snake_case
from culture_analytics.read.plan import ColumnPlan
from culture_analytics.read.raw import BLANK, RawColumn
from culture_analytics.read.rows import kept_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LocalColumns", "Use", "read_local"]

FREE_TEXT_DISTINCT = 100
FREE_TEXT_SHARE = 0.5


@dataclass(frozen=True)
class Use:
    """What a column of the file was used for.

    Attributes
    ----------
    use : str
        In words, for the report.
    name : str
        Name in the Survey; empty if it is not there.
    """

    use: str
    name: str = ""


@dataclass(frozen=True, eq=False)
class LocalColumns:
    """Local columns of the rows kept.

    Attributes
    ----------
    data : mapping of str to Categorical, length rows kept
        Name in the Survey to values, in words.
    uses : mapping of str to Use
        Header to use, for every column that is neither a question nor a weight.
    """

    data: Mapping[str, pd.Categorical]
    uses: Mapping[str, Use]


def read_local(
    context: Context,
    claims: Sequence[Claim],
    plans: Sequence[ColumnPlan],
    keep: NDArray[np.bool_],
    taken: Collection[str],
    findings: Findings,
) -> LocalColumns:
    """Read the local columns of the rows kept.

    Parameters
    ----------
    context : Context
        The file, and what it is read with.
    claims : sequence of Claim
        What each column is.
    plans : sequence of ColumnPlan
        What each column was, by year.
    keep : ndarray of bool, shape (rows,)
        Rows kept.
    taken : collection of str
        Names that the Survey has already.
    findings : Findings
        Where columns of free text are noted.

    Returns
    -------
    LocalColumns
        Columns of words; free text and respondent numbers are left out.
    """
    roles = {claim.header: claim.role for claim in claims}
    wanted = _kept_headers(plans, roles)
    asked = _asked_headers(plans, roles)
    passed = {header: why for plan in plans for header, why in plan.passed_over.items()}
    reserved = {*taken, *context.instrument.items, "org", "year"}
    data: dict[str, pd.Categorical] = {}
    uses: dict[str, Use] = {}
    for column in context.table.columns:
        header, role = column.name, roles[column.name]
        if header in asked or role == "weight":
            continue
        elsewhere = _use_elsewhere(header, role, passed)
        if elsewhere is not None:
            uses[header] = elsewhere
        elif header not in wanted:
            uses[header] = Use("no data")
        elif _is_free_text(column, findings):
            uses[header] = Use("not kept")
        else:
            name = snake_case(header, {*reserved, *data})
            data[name] = _in_words(column, kept_of(column.codes, keep))
            uses[header] = Use(wanted[header], name)
    return LocalColumns(data, uses)


def _kept_headers(plans: Sequence[ColumnPlan], roles: Mapping[str, str]) -> dict[str, str]:
    """Say of every column to be kept what it is."""
    local = {header for plan in plans for header in plan.local}
    local |= {header for header, role in roles.items() if role == "local"}
    return dict.fromkeys(local, "local column") | {
        header: "not asked that year" for plan in plans for header in plan.not_asked
    }


def _asked_headers(plans: Sequence[ColumnPlan], roles: Mapping[str, str]) -> set[str]:
    """Headers of questions, those of another year or only named like an item left out."""
    asked = {header for plan in plans for header, _ in plan.items.values()}
    asked |= {header for plan in plans for header in plan.lists}
    return {header for header in asked if roles[header] != "local"}


def _use_elsewhere(header: str, role: str, passed: Mapping[str, str]) -> Use | None:
    if role in {"org", "org_name", "year"}:
        return Use(role)
    if role == "ignore":
        return Use("ignored")
    if role == "id":
        return Use("respondent number, not kept")
    return Use(f"passed over: {passed[header]}") if header in passed else None


def _is_free_text(column: RawColumn, findings: Findings) -> bool:
    distinct = len(column.values)
    if distinct <= FREE_TEXT_DISTINCT or distinct <= FREE_TEXT_SHARE * column.filled:
        return False
    findings.add(
        "note",
        "column not kept",
        column.name,
        distinct,
        "almost every value differs: a person's number or free text, which this library "
        "does not analyse",
    )
    return True


def _in_words(column: RawColumn, codes: NDArray[Any]) -> pd.Categorical:
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
