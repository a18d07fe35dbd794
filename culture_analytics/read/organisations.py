"""Which organisation each respondent works for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from culture_analytics.errors import ExtractError
from culture_analytics.read.claims import Claim, role_column
from culture_analytics.read.context import Context
from culture_analytics.read.findings import Findings
from culture_analytics.read.raw import BLANK, RawColumn, RawTable
from culture_analytics.read.rows import fill_or_set_aside, set_aside

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["organisation_names", "settle_organisations"]


def settle_organisations(
    context: Context,
    claims: Sequence[Claim],
    org: str | None,
    keep: NDArray[np.bool_],
    findings: Findings,
) -> tuple[pd.Categorical, NDArray[np.bool_]]:
    """Settle every row's organisation.

    Parameters
    ----------
    context : Context
        The file, and what it is read with.
    claims : sequence of Claim
        What each column is.
    org : str or None
        The organisation the user wants; None for all of them.
    keep : ndarray of bool, shape (rows,)
        Rows kept until now.
    findings : Findings
        Where rows set aside are counted.

    Returns
    -------
    orgs : Categorical, length rows
        Organisation codes.
    keep : ndarray of bool, shape (rows,)
        Rows still kept: those of another organisation, or of none, are not.

    Raises
    ------
    ExtractError
        If nobody says the organisation, or no row is of the one wanted.
    """
    table = context.table
    column = _organisation_column(table, claims, org)
    if column is None:
        return _one_organisation(org, table), keep
    values = [_org_code(text) for text in column.values]
    categories = list(dict.fromkeys(values))
    lookup = np.array([*(categories.index(v) for v in values), BLANK], dtype=np.int32)
    codes = lookup[column.codes]
    if org is not None:
        wanted = _wanted(categories, org, column.name, table.where)
        other = (codes != wanted) & (codes >= 0)
        keep = set_aside(keep, other, f"another organisation than {org}", findings)
    codes, keep = fill_or_set_aside(
        codes, keep, len(categories), "no organisation given", table.where, findings
    )
    if org is not None:
        categories = [org if c.casefold() == org.casefold() else c for c in categories]
    return pd.Categorical.from_codes(codes, categories=pd.Index(categories, dtype="str")), keep


def _organisation_column(
    table: RawTable, claims: Sequence[Claim], org: str | None
) -> RawColumn | None:
    """Find the column of codes, or of names where nobody gives a code; None if it is blank."""
    column = role_column(table, claims, "org")
    if column is None and org is None:
        column = role_column(table, claims, "org_name")
    return column if column is not None and column.filled else None


def _one_organisation(org: str | None, table: RawTable) -> pd.Categorical:
    if org is None:
        raise ExtractError(
            f"No column of {table.where} says which organisation the respondents work for. Give "
            'its ODS code: read_extract(..., org="RXX"), or name the column: '
            'columns={"your header": "org"}.'
        )
    codes = np.zeros(table.rows, dtype=np.int8)
    return pd.Categorical.from_codes(codes, categories=pd.Index([org], dtype="str"))


def _org_code(text: str) -> str:
    return text.upper() if re.fullmatch(r"[0-9A-Za-z]{3,6}", text) else text


def _wanted(categories: Sequence[str], org: str, header: str, where: str) -> int:
    for place, code in enumerate(categories):
        if code.casefold() == org.casefold():
            return place
    raise ExtractError(
        f"No row of {where} is of organisation {org!r}: column {header!r} holds "
        f"{len(categories):,} other organisation(s). Leave org= out to read all of them, "
        f'or give columns={{"{header}": "local"}} if that column is something else.'
    )


def organisation_names(
    table: RawTable, claims: Sequence[Claim], orgs: pd.Categorical, keep: NDArray[np.bool_]
) -> dict[str, str]:
    """Find the name of each organisation code that has one name among the rows kept."""
    column = role_column(table, claims, "org_name")
    if column is None:
        return {}
    pairs = np.unique(np.stack([orgs.codes[keep], column.codes[keep]]), axis=1).T
    named: dict[str, list[str]] = {}
    for code, name in pairs:
        if code >= 0 and name >= 0:
            named.setdefault(str(orgs.categories[code]), []).append(column.values[name])
    return {code: names[0] for code, names in named.items() if len(names) == 1}
