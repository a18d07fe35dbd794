"""The `Estimates`: results in one tidy schema, with protection as a property of the result.

The full figures, with the sums they came from, are private. `.table`, the repr, the csv, a
pickle and every chart see the protected view, from which hidden numbers are gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.disclosure.populations import UnitTree, united
from culture_analytics.disclosure.precision import rounded
from culture_analytics.disclosure.rules import SYMBOLS, Rule, hidden_rows, strictest
from culture_analytics.errors import DisclosureError, MeasureError
from culture_analytics.files import replacing
from culture_analytics.instrument.loader import load_instrument

__all__ = ["KEY", "SCHEMA", "Estimates", "Origin", "concat", "words"]

# The columns of every result, in order. See docs/reference/schema.md.
SCHEMA = (
    "year", "org", "measure", "label", "answer", "breakdown", "group", "within", "within_group",
    "statistic", "unit", "value", "lower", "upper", "level", "se", "df", "p_value", "p_adjusted",
    "family", "base", "weighted_base", "effective_base", "reference", "weighting", "method",
    "status", "rule", "source", "release",
)  # fmt: skip

# What makes a row unique.
KEY = (
    "year", "org", "measure", "answer", "breakdown", "group", "within", "within_group",
    "statistic", "reference", "weighting", "source", "release",
)  # fmt: skip

_ROUNDED = 1e-3  # England's figures that come with the package are rounded to four decimals
_ADDED_UP = 1.5  # a contractor's shares, and the same added up from its table of answers

# Numbers that a hidden row loses.
NUMBERS = (
    "value", "lower", "upper", "se", "df", "p_value", "p_adjusted", "base", "weighted_base",
    "effective_base",
)  # fmt: skip

# Numbers not shown unless asked for: weighted bases give unweighted ones away.
UNRELEASED = ("weighted_base", "effective_base")

# What was done to protect respondents, in words.
AS_PUBLISHED = "As published, protected by their publisher"
# How the note of an embargo begins.
EMBARGOED = "EMBARGOED until "
CONTRACTOR = "As the survey contractor supplied them: internal use, not for publication"
PRIMARY_ONLY = "Primary suppression only: internal use, not for publication"
TOGETHER = "Small groups suppressed together with every table of this release"
UNPROTECTED = "NOT PROTECTED: not for publication"

# The private column of rows hidden so that others cannot be worked out.
HIDE = "_hide"

_TEXT = tuple(c for c in SCHEMA if c not in (*NUMBERS, "year", "level"))


@dataclass(frozen=True)
class Origin:
    """Where calculated results come from; says nothing about any respondent.

    Parameters
    ----------
    respondents
        For each (year, organisation) the sets of respondents counted: name of the file and number
        of people. More than one set means results of different extracts, or of part of one.
    units
        The unit hierarchy: ``{"team": ("directorate", {"Team 1": "Directorate A"})}``.
    """

    respondents: Mapping[tuple[int, str], frozenset[tuple[str, int]]] = field(default_factory=dict)
    units: UnitTree = field(default_factory=dict)

    @classmethod
    def of_several(cls, origins: Iterable[Origin]) -> Origin:
        """Of results put together."""
        respondents: dict[tuple[int, str], frozenset[tuple[str, int]]] = {}
        trees = []
        for origin in origins:
            for key, sets in origin.respondents.items():
                respondents[key] = respondents.get(key, frozenset()) | sets
            trees.append(origin.units)
        return cls(respondents, united(trees))


class Estimates:
    """Results of one calculation, or of one published file.

    Parameters
    ----------
    frame
        Rows with the columns of `SCHEMA`; those missing are filled with blanks. Further columns,
        named with a leading underscore, are private sums.
    rule
        The disclosure rule of the protected view.
    organisations
        Optional table ``org, name, benchmark_group, region, ics``.
    notes
        Sentences to print with the results.
    origin
        Whose answers were counted, for calculated results.
    view
        Whether `frame` is a protected view already, from which hidden numbers are gone.

    Notes
    -----
    A calculation is protected by primary suppression only: for use inside the organisation.
    What leaves it goes through a Release, or through `suppress` with everything it leaves with.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        *,
        rule: Rule,
        organisations: pd.DataFrame | None = None,
        notes: Sequence[str] = (),
        origin: Origin | None = None,
        view: bool = False,
    ) -> None:
        self._frame = _complete(frame)
        self.rule = rule
        self.organisations = organisations
        self.notes = tuple(notes)
        self._origin = origin or Origin()
        self._is_view = view

    # -- the protected view ---------------------------------------------------------------

    @cached_property
    def _hidden(self) -> np.ndarray:
        """Rows without numbers in the protected view."""
        if self._is_view:
            return self._frame["status"].eq("suppressed").to_numpy(dtype=bool)
        hidden = hidden_rows(self._frame, self.rule)
        if HIDE in self._frame.columns:
            hidden = hidden | self._frame[HIDE].to_numpy(dtype=bool)
        return hidden

    @property
    def _suppressed_together(self) -> bool:
        """Whether the tables these rows leave with were protected together."""
        return HIDE in self._frame.columns

    def _hiding(self, hide: np.ndarray) -> Estimates:
        """The same results with these rows hidden too, to protect others."""
        return self._with(self._frame.assign(**{HIDE: hide}))

    def _with(self, frame: pd.DataFrame, rule: Rule | None = None) -> Estimates:
        """Other rows of the same results."""
        return Estimates(
            frame,
            rule=rule or self.rule,
            organisations=self.organisations,
            notes=self.notes,
            origin=self._origin,
            view=self._is_view,
        )

    @cached_property
    def _protected(self) -> pd.DataFrame:
        if self._is_view:
            return self._frame.loc[:, list(SCHEMA)].copy()
        frame = rounded(self._frame, self.rule).loc[:, list(SCHEMA)]
        hidden = self._hidden
        if self.rule.base_under > 1:
            # A count of nobody is a small count too: rows without a figure lose the base.
            few = self._frame["base"].to_numpy(dtype=float) < self.rule.base_under
            hidden_base = hidden | few
            frame.loc[hidden_base, "base"] = np.nan
            frame.loc[:, list(UNRELEASED)] = np.nan
        if hidden.any():
            frame.loc[hidden, list(NUMBERS)] = np.nan
            frame.loc[hidden, "status"] = "suppressed"
            # The method says whether a hidden percentage is 0 or 100, or rests on nobody.
            frame.loc[hidden, ["method", "family"]] = ""
        frame["rule"] = words([self.rule.name], np.zeros(len(frame), dtype=np.intp))
        return frame

    @property
    def table(self) -> pd.DataFrame:
        """The protected results, a fresh DataFrame in the columns of `SCHEMA`."""
        return self._protected.copy()

    # -- choosing rows --------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._frame)

    def select(self, **keys: Any) -> Estimates:
        """The rows where each schema column given equals a value, or one of a list.

        Raises
        ------
        MeasureError
            A column is not in the schema, is a number that may be hidden, or no row is left.

        Examples
        --------
        >>> import culture_analytics as ca
        >>> stress = ca.calculate(ca.load_sample(2024), "stress", by="ethnicity")
        >>> len(stress.select(measure="work_related_stress", breakdown="ethnicity"))
        2
        """
        for column in keys:
            if column not in SCHEMA or column in NUMBERS:
                raise MeasureError(f"Rows cannot be selected by {column!r}.")
        keep = self._where(keys)
        if not keep.any():
            shown = ", ".join(f"{k}={v!r}" for k, v in keys.items())
            raise MeasureError(f"No row has {shown}.")
        return self._rows(keep)

    def _rows(self, keep: np.ndarray) -> Estimates:
        return self._with(self._frame.loc[keep].reset_index(drop=True))

    def _where(self, keys: Mapping[str, Any]) -> np.ndarray:
        """Which rows equal each value given, or one of each list; a status as it is shown."""
        keep = np.ones(len(self._frame), dtype=bool)
        for column, wanted in keys.items():
            values = [wanted] if isinstance(wanted, str | int) else list(wanted)
            seen = self._protected[column] if column == "status" else self._frame[column]
            keep &= seen.isin(values).to_numpy()
        return keep

    def _has(self, **keys: Any) -> bool:
        return bool(self._where(keys).any())

    def unique(self, column: str) -> list[Any]:
        """The values of a key column, in order of appearance."""
        if column not in SCHEMA or column in NUMBERS:
            raise MeasureError(f"{column!r} is not a key column.")
        return list(pd.unique(self._protected[column]))

    # -- showing --------------------------------------------------------------------------

    def _display(self, rows: int = 20) -> pd.DataFrame:
        """A reader's version of the protected table: few columns, rounded, symbols."""
        t = self._protected.head(rows)
        short = {i: m.short for i, m in load_instrument().measures.items()}
        columns: dict[str, Any] = {}
        for column in ("year", "org", "measure", "answer", "within_group", "breakdown", "group"):
            if column == "measure" or t[column].nunique() > 1:
                columns[column] = t[column]
        columns["measure"] = [
            short.get(m, x) for m, x in zip(t["measure"], t["label"], strict=True)
        ]
        symbols = t["status"].map(SYMBOLS)
        shown = t["status"].eq("ok")
        digits = np.where(t["unit"].eq("score"), 2, 1)
        for column in ("value", "lower", "upper"):
            text = [
                f"{v:.{d}f}" if ok and not np.isnan(v) else (s if column == "value" else "")
                for v, d, ok, s in zip(t[column], digits, shown, symbols, strict=True)
            ]
            columns[column] = text
        columns["base"] = ["" if np.isnan(b) else f"{b:,.0f}" for b in t["base"]]
        return pd.DataFrame(columns)

    def _caption(self) -> str:
        suppressed = int(self._protected["status"].eq("suppressed").sum())
        rows = f"{len(self):,} rows; {suppressed:,} suppressed"
        return f"{rows}; rule {self.rule.name} ({self.rule.label}); {self._marked()}"

    def _marked(self) -> str:
        """The embargo it is under, if any, and what may be done with it."""
        embargo = [note.rsplit(":", 1)[0] for note in self.notes if note.startswith(EMBARGOED)]
        return ". ".join([*embargo[:1], self._use()])

    def _use(self) -> str:
        """What may be done with the results, as every picture of them says."""
        held = self._frame["source"]
        if not held.eq("extract").any():
            return CONTRACTOR if held.eq("contractor").any() else AS_PUBLISHED
        if not self.rule.base_under:
            return UNPROTECTED
        return TOGETHER if self._suppressed_together else PRIMARY_ONLY

    def __repr__(self) -> str:
        shown = self._display().to_string(index=False, max_colwidth=46)
        more = f"\n... {len(self) - 20:,} more rows" if len(self) > 20 else ""
        return f"<Estimates: {self._caption()}>\n{shown}{more}"

    def _repr_html_(self) -> str:
        more = f"<p>... {len(self) - 20:,} more rows</p>" if len(self) > 20 else ""
        return (
            self._display().to_html(index=False, border=0, classes="ca-table")
            + more
            + f"<p><small>{self._caption()}</small></p>"
        )

    def to_csv(self, path: str | Path) -> Path:
        """Write the protected table as UTF-8 csv with a byte-order mark, which Excel reads.

        A last column, ``protection``, says what was done to protect respondents, and so what may
        be done with the file; and the embargo it is under, if any.

        Raises
        ------
        ReportError
            The file cannot be written; one that was there stays as it was.
        """
        path = Path(path)
        with replacing(path) as part:
            marked = self._protected.assign(protection=self._marked())
            marked.to_csv(part, index=False, encoding="utf-8-sig", lineterminator="\n")
        return path

    # -- pickling and comparing -----------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        frame = self._protected
        if self._suppressed_together:
            frame = frame.assign(**{HIDE: self._hidden})
        return {
            "_frame": frame,
            "rule": self.rule,
            "organisations": self.organisations,
            "notes": self.notes,
            "_origin": Origin(),
            "_is_view": True,
        }


def concat(estimates: Iterable[Estimates]) -> Estimates:
    """Several results as one.

    Published results whose publishers had different limits come under the strictest of them:
    those up to 2020 show nothing on fewer than 11 responses, later ones nothing on fewer than 10.
    A published figure that stands in several of them, as of a workbook read twice, is kept once.

    Raises
    ------
    MeasureError
        There are none, or two give different published figures under the same keys, as the first
        and the corrected release of a year do.
    DisclosureError
        Results of respondents were protected by different rules, or only some were suppressed
        with others.
    """
    estimates = list(estimates)
    if not estimates:
        raise MeasureError("concat() was given no Estimates.")
    rules = {e.rule for e in estimates}
    if len(rules) > 1 and not any(e._frame["source"].eq("extract").any() for e in estimates):
        limit = strictest(rules)
        estimates, rules = [e._with(e._frame, limit) for e in estimates], {limit}
    if len(rules) > 1:
        named = ", ".join(sorted(f"{r.name} (base under {r.base_under})" for r in rules))
        raise DisclosureError(f"Results protected by different rules cannot be mixed: {named}.")
    if (
        len({e._suppressed_together for e in estimates if e._frame["source"].eq("extract").any()})
        > 1
    ):
        raise DisclosureError(
            "Some of these results were suppressed together with others and some were not. Put "
            "the unsuppressed ones together and suppress the whole."
        )
    organisations = [e.organisations for e in estimates if e.organisations is not None]
    frame = pd.concat([e._frame for e in estimates], ignore_index=True)
    if len(estimates) > 1:
        frame = _published_once(frame)
    if HIDE in frame.columns:  # published rows are not among those suppressed together
        frame[HIDE] = frame[HIDE].eq(True).to_numpy(dtype=bool)
    return Estimates(
        frame,
        rule=estimates[0].rule,
        organisations=(
            pd.concat(organisations, ignore_index=True).drop_duplicates(ignore_index=True)
            if organisations
            else None
        ),
        notes=tuple(dict.fromkeys(n for e in estimates for n in e.notes)),
        origin=Origin.of_several(e._origin for e in estimates),
        view=all(e._is_view for e in estimates),
    )


def _published_once(frame: pd.DataFrame) -> pd.DataFrame:
    """Without published figures that stand there twice: an organisation would count twice."""
    outside = np.flatnonzero(~frame["source"].isin(("extract", "")).to_numpy(dtype=bool))
    keys = frame.iloc[outside][list(KEY)]
    again = keys.duplicated().to_numpy(dtype=bool)
    if not again.any():
        return frame
    number = keys.groupby(list(KEY), sort=False, observed=True, dropna=False).ngroup().to_numpy()
    first = np.unique(number, return_index=True)[1]
    here, there = outside[again], outside[first[number[again]]]
    same = np.ones(len(here), dtype=bool)
    for column in ("value", "base"):
        a, b = (frame[column].to_numpy(dtype=float)[at] for at in (here, there))
        apart = np.where(frame["source"].iloc[here].eq("contractor"), _ADDED_UP, _ROUNDED)
        same &= (np.abs(a - b) < apart) | (np.isnan(a) & np.isnan(b))
    if not same.all():
        releases = ", ".join(map(str, pd.unique(frame["release"].iloc[here[~same]])[:4]))
        raise MeasureError(
            f"concat(): {int((~same).sum()):,} published figures stand there twice and differ "
            f"({releases}). Give one workbook of each release: the latest, corrected one."
        )
    kept = np.ones(len(frame), dtype=bool)
    kept[here] = False
    return frame.loc[kept].reset_index(drop=True)


def words(values: Sequence[str], place: NDArray[np.integer[Any]]) -> Any:
    """A text column of few different words, from the place of each row's word among them."""
    return pd.Series(list(values)).array.take(place)


def _complete(frame: pd.DataFrame) -> pd.DataFrame:
    """The schema's columns in order and of their types, then private ones."""
    blank = words([""], np.zeros(len(frame), dtype=np.intp))
    columns: dict[str, Any] = {
        c: frame[c] if c in frame.columns else (blank if c in _TEXT else np.nan) for c in SCHEMA
    }
    private = {c: frame[c] for c in frame.columns if str(c).startswith("_")}
    return pd.DataFrame({**columns, **private}, index=frame.index)
