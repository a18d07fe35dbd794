"""What a user, or a trust's own TOML file, says about the columns of an extract."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from culture_analytics.errors import ExtractError
from culture_analytics.read.detect import clean_path

__all__ = ["ColumnMap", "column_map"]


@dataclass(frozen=True)
class ColumnMap:
    """What a user or a trust's own file says about the columns.

    Attributes
    ----------
    columns : mapping of str to str
        Header and question number, item id or role, in either direction.
    labels : mapping of str to mapping of str to str
        Question number or item id, then text in the file to answer label or code.
    year : int or None
        Survey year.
    org : str or None
        Organisation code.
    units : tuple of str
        Headers of organisation-structure columns, from the largest unit to the smallest.
    source : str
        Where it came from, for messages.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    year: int | None = None
    org: str | None = None
    units: tuple[str, ...] = ()
    source: str = "columns="


_SECTIONS = frozenset({"columns", "labels", "year", "org", "units"})


def column_map(columns: Mapping[str, Any] | str | Path | None) -> ColumnMap:
    """Read the ``columns=`` argument.

    Parameters
    ----------
    columns : mapping, str, Path or None
        A mapping between headers and question numbers, item ids or roles, in either direction; or
        the path of a TOML file with ``[columns]``, ``[labels.<item>]``, ``year``, ``org`` and
        ``units``; or a mapping of the same shape as that file.

    Returns
    -------
    ColumnMap
        The same, in one form.

    Raises
    ------
    ExtractError
        If the file does not exist, is not TOML or has a part that is not known.
    """
    if columns is None:
        return ColumnMap()
    if isinstance(columns, Mapping):
        nested = set(columns) <= _SECTIONS and any(
            isinstance(value, Mapping | list | tuple | int) for value in columns.values()
        )
        return _from_sections(columns, "columns=") if nested else _from_flat(columns)
    file = clean_path(columns)
    if not file.is_file():
        raise ExtractError(
            f"There is no column file {file}. columns= takes a mapping such as "
            '{"Local name": "hba_managers"}, or the path of a TOML file.'
        )
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ExtractError(
            f"{file.name} is not a TOML file in UTF-8: {problem}. Write names and answers in "
            'quotation marks: "Local name" = "hba_managers".'
        ) from None
    return _from_sections(raw, file.name)


def _from_flat(columns: Mapping[str, Any]) -> ColumnMap:
    wrong = [str(key) for key, value in columns.items() if not isinstance(value, str)]
    if wrong:
        raise ExtractError(
            f"columns= holds {len(wrong):,} entry(ies) that are not text to text: "
            f"{', '.join(wrong[:5])}. Write {{'Local name': 'hba_managers'}}."
        )
    return ColumnMap(columns={str(key): str(value) for key, value in columns.items()})


def _from_sections(raw: Mapping[str, Any], source: str) -> ColumnMap:
    unknown = sorted(set(raw) - _SECTIONS)
    if unknown:
        raise ExtractError(
            f"{source} has {len(unknown):,} part(s) that are not known: {', '.join(unknown)}. "
            f"Known: {', '.join(sorted(_SECTIONS))}. Names of columns go under [columns]."
        )
    labels: dict[str, dict[str, str]] = {}
    for item, answers in raw.get("labels", {}).items():
        if not isinstance(answers, Mapping):
            raise ExtractError(
                f"{source}: labels of {item} must be a table, for example [labels.{item}] with "
                '"1" = "Yes" under it.'
            )
        labels[str(item)] = {str(text): str(answer) for text, answer in answers.items()}
    year = raw.get("year")
    if year is not None and (isinstance(year, bool) or not str(year).strip().isdigit()):
        raise ExtractError(f"{source}: year must be a number such as 2024.")
    units = raw.get("units", ())
    return ColumnMap(
        columns={str(key): str(value) for key, value in raw.get("columns", {}).items()},
        labels=labels,
        year=None if year is None else int(year),
        org=None if raw.get("org") is None else str(raw["org"]),
        units=(str(units),) if isinstance(units, str) else tuple(map(str, units)),
        source=source,
    )
