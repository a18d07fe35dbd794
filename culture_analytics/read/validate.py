"""What reading an extract found: counts, column names and question numbers, never a value.

`ValidationReport` is what ``survey.quality`` holds. Every row of the file is in it, kept or set
aside with a reason; every column is in it, used or not.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from culture_analytics.errors import ExtractError
from culture_analytics.instrument import Instrument, Item

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NOT_OF_ANSWERS", "Issue", "ValidationReport", "count_duplicates", "routing_counts"]

SEVERITIES = ("warning", "note")

# Checks whose count is of rows of the file, whatever they hold, or of columns, codes and units.
# The count of any other check is of people who gave an answer, or whose answer is odd.
NOT_OF_ANSWERS = frozenset(
    {
        "rows read", "rows kept", "rows set aside",
        "column kept as local", "items not asked that year", "labels not used", "local columns",
        "numbering", "options missing", "questions without a column", "units do not nest",
        "value labels", "year inferred",
    }
)  # fmt: skip

ITEM_COLUMNS = (
    "year",
    "item",
    "number",
    "header",
    "label",
    "asked",
    "answered",
    "missing",
    "unknown",
    "unknown_codes",
    "repaired",
    "contradictions",
)


@dataclass(frozen=True)
class Issue:
    """One thing a person should know about a file.

    Attributes
    ----------
    severity : str
        ``warning`` (look at it before using the figures) or ``note``.
    check : str
        Kind of finding, such as ``unknown codes``.
    where : str
        Column, question or file it concerns.
    count : int
        Rows, columns or codes concerned.
    detail : str
        What was found and what was done, in a sentence.
    """

    severity: str
    check: str
    where: str
    count: int
    detail: str


@dataclass(frozen=True, eq=False, repr=False)
class ValidationReport:
    """Findings of reading one file: counts only.

    Attributes
    ----------
    source : str
        File name, and sheet.
    format : str
        Format and, for text, encoding.
    years : tuple of int
        Survey years kept.
    organisations : int
        Organisations kept.
    rows_read : int
        Rows below the header.
    rows_kept : int
        Respondents in the Survey.
    set_aside : mapping of str to int
        Reason to rows not kept. Kept and set aside add up to the rows read.
    items : DataFrame
        One row for each item and year: asked, answered, missing, unknown, repaired Excel dates,
        routing contradictions.
    columns : DataFrame
        One row for each column of the file: header, use, name in the Survey.
    issues : list of Issue
        Findings, warnings first.
    """

    source: str
    format: str
    years: tuple[int, ...]
    organisations: int
    rows_read: int
    rows_kept: int
    set_aside: Mapping[str, int]
    items: pd.DataFrame
    columns: pd.DataFrame
    issues: list[Issue] = field(default_factory=list)

    def __post_init__(self) -> None:
        lost = self.rows_read - self.rows_kept - sum(self.set_aside.values())
        if lost:
            raise ExtractError(
                f"{self.source}: {lost:,} rows are neither kept nor set aside. This is a fault of "
                "the library, not of the file; please report it."
            )

    @property
    def warnings(self) -> list[Issue]:
        """Findings to look at before using the figures."""
        return [issue for issue in self.issues if issue.severity == "warning"]

    @property
    def table(self) -> pd.DataFrame:
        """Rows accounted for and findings, in one table of counts.

        Returns
        -------
        DataFrame
            ``severity, check, where, count, detail``.
        """
        rows = [
            ("", "rows read", self.source, self.rows_read, ""),
            ("", "rows kept", self.source, self.rows_kept, ""),
            *(
                ("note", "rows set aside", self.source, count, reason)
                for reason, count in self.set_aside.items()
            ),
            *((i.severity, i.check, i.where, i.count, i.detail) for i in self.issues),
        ]
        return pd.DataFrame(rows, columns=["severity", "check", "where", "count", "detail"])

    @property
    def unknown_columns(self) -> list[str]:
        """Headers that are no question of the year and no known role."""
        local = self.columns["use"].isin(["local column", "not asked that year", "not kept"])
        return self.columns.loc[local, "header"].tolist()

    def __repr__(self) -> str:
        """Show the counts on one line."""
        return (
            f"<ValidationReport {self._ascii(self.source)}: {self.rows_kept:,} of "
            f"{self.rows_read:,} rows kept, {len(self.items):,} items, "
            f"{len(self.warnings):,} warnings>"
        )

    def __str__(self) -> str:
        """Write the report for a terminal, in ASCII."""
        return self._ascii("\n".join(self._lines()))

    @staticmethod
    def _ascii(text: str) -> str:
        return text.encode("ascii", "replace").decode("ascii")

    def _lines(self) -> Iterator[str]:
        yield f"{self.source} ({self.format})"
        yield f"  {self._kept()}"
        for reason, count in self.set_aside.items():
            yield f"    set aside: {count:>9,}  {reason}"
        yield f"  {self._items()}"
        if not self.issues:
            yield "  Nothing to report."
        for issue in self.issues:
            mark = "!" if issue.severity == "warning" else "-"
            yield f"  {mark} {issue.check} [{issue.where}] {issue.count:,}: {issue.detail}"

    def _kept(self) -> str:
        years = ", ".join(map(str, self.years)) or "no year"
        return (
            f"{self.rows_kept:,} of {self.rows_read:,} rows kept; {self.organisations:,} "
            f"organisation(s); {years}"
        )

    def _items(self) -> str:
        asked = int(self.items["asked"].sum())
        answered = int(self.items["answered"].sum())
        share = f", {100 * answered / asked:.1f}% of those asked answered" if asked else ""
        return f"{self.items['item'].nunique():,} questionnaire items found{share}"

    def _repr_html_(self) -> str:
        """Write the report for a notebook."""
        out = [
            "<div class='ca-quality'>",
            f"<p><strong>{html.escape(self.source)}</strong> ({html.escape(self.format)})<br>",
            f"{html.escape(self._kept())}<br>{html.escape(self._items())}</p>",
        ]
        if self.set_aside:
            rows = [(reason, f"{count:,}") for reason, count in self.set_aside.items()]
            out.append(_html_table(("Rows set aside because", "Rows"), rows, "Rows set aside"))
        if self.issues:
            findings = [
                (issue.severity, issue.check, issue.where, f"{issue.count:,}", issue.detail)
                for issue in self.issues
            ]
            titles = ("Severity", "Check", "Where", "Count", "What was found")
            out.append(_html_table(titles, findings, "Findings"))
        else:
            out.append("<p>Nothing to report.</p>")
        items = [
            (row.year, row.number, row.label, *(f"{n:,}" for n in row[5:9]))
            for row in self.items.itertuples(index=False)
        ]
        heads = ("Year", "Question", "Item", "Asked", "Answered", "Missing", "Unknown")
        out.append(
            f"<details><summary>Response counts of {len(items):,} items</summary>"
            f"{_html_table(heads, items, 'Response counts')}</details></div>"
        )
        return "".join(out)


def _html_table(heads: tuple[str, ...], rows: list[tuple[Any, ...]], caption: str) -> str:
    head = "".join(f"<th scope='col' style='text-align:left'>{html.escape(h)}</th>" for h in heads)
    body = "".join(
        "<tr>"
        + "".join(f"<td style='text-align:left'>{html.escape(str(cell))}</td>" for cell in row)
        + "</tr>"
        for row in rows
    )
    return (
        f"<table><caption>{html.escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def routing_counts(
    item: Item,
    answers: Mapping[str, NDArray[np.signedinteger[Any]]],
    instrument: Instrument,
    rows: int,
) -> tuple[NDArray[np.bool_], int]:
    """Find who was asked a routed item, and who answered it although not asked.

    Parameters
    ----------
    item : Item
        The item.
    answers : mapping of str to ndarray
        Item id to category positions of the respondents, -1 missing.
    instrument : Instrument
        The questionnaire.
    rows : int
        Respondents.

    Returns
    -------
    asked : ndarray of bool, shape (rows,)
        True where any gate holds, or where no gate can be told.
    contradictions : int
        Respondents with an answer that counts (not "not applicable", not an empty box) although
        every gate was answered and none holds.
    """
    gates = [gate for gate in item.gates if gate.item in answers]
    if not item.gates or not gates:
        return np.ones(rows, dtype=bool), 0
    holds = np.zeros(rows, dtype=bool)
    answered_all = np.ones(rows, dtype=bool)
    for gate in gates:
        labels = instrument.items[gate.item].labels
        opening = [labels.index(answer) for answer in gate.answers if answer in labels]
        holds |= np.isin(answers[gate.item], opening)
        answered_all &= answers[gate.item] >= 0
    own = answers.get(item.id)
    if own is None or len(gates) < len(item.gates):
        return holds, 0
    if item.kind == "tick":
        counts = own == item.labels.index("Selected")
    else:
        counts = own >= 0
        for label in item.excluded:
            counts &= own != item.labels.index(label)
    return holds, int(np.count_nonzero(counts & answered_all & ~holds))


def count_duplicates(columns: list[NDArray[np.signedinteger[Any]]]) -> int:
    """Count rows that repeat an earlier row in every column.

    Parameters
    ----------
    columns : list of ndarray of int
        Codes of each column.

    Returns
    -------
    int
        Rows beyond the first of each set of equal rows.
    """
    if not columns:
        return 0
    # A random weight for each column: two different rows agree by chance once in 10^19 pairs.
    weights = np.random.Generator(np.random.PCG64(20_240_901)).integers(
        1, 2**63, size=len(columns), dtype=np.uint64
    )
    total = np.zeros(len(columns[0]), dtype=np.uint64)
    for codes, weight in zip(columns, weights | np.uint64(1), strict=True):
        total += (codes.astype(np.int64) + 2).astype(np.uint64) * weight
    total.sort()
    return int(np.count_nonzero(total[1:] == total[:-1]))
