"""The `Survey`: one row a respondent, columns by stable item id.

Nothing here shows a row: a Survey's repr is counts. Every answer column has the instrument's
own dtype for the item, so code renumbering ends at reading and years stack without guessing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from culture_analytics.design import Design
from culture_analytics.errors import ExtractError, MeasureError
from culture_analytics.instrument import Instrument

__all__ = ["Survey", "combine"]


@dataclass(frozen=True, eq=False, repr=False)
class Survey:
    """Respondents of one or more organisations and years.

    Parameters
    ----------
    responses
        One row a respondent: ``org`` (category), ``year`` (int16), item columns of the
        instrument's dtypes, weight columns (float), local columns (category).
    instrument
        The questionnaire the columns follow.
    design
        Weights, strata, populations; default none.
    units
        Unit columns from the largest to the smallest, e.g. ``("directorate", "team")``.
    quality
        What reading found: counts only.
    source
        Name of the file read, without its folder.
    synthetic
        True for simulated respondents; carried into every output.
    names
        Organisation names by code, where known.
    """

    responses: pd.DataFrame
    instrument: Instrument
    design: Design = field(default_factory=Design)
    units: tuple[str, ...] = ()
    quality: Any = None
    source: str = ""
    synthetic: bool = False
    names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        missing = [c for c in ("org", "year") if c not in self.responses.columns]
        if missing:
            raise ExtractError(
                f"A Survey needs the columns org and year; missing: {', '.join(missing)}. "
                "read_extract(..., year=..., org=...) adds them."
            )
        wrong = [
            c
            for c in self.responses.columns
            if c in self.instrument.items
            and self.responses[c].dtype != self.instrument.items[c].dtype
        ]
        if wrong:
            raise ExtractError(
                f"{len(wrong)} columns do not have the instrument's dtype: "
                f"{', '.join(wrong[:8])}. Use read_extract, or astype(instrument.items[id].dtype)."
            )
        self.design.check(self.responses)

    def __repr__(self) -> str:
        orgs = f"{len(self.orgs)} organisation{'s' if len(self.orgs) != 1 else ''}"
        years = ", ".join(map(str, self.years))
        mark = " SYNTHETIC" if self.synthetic else ""
        units = ", ".join(f"{u} ({self.responses[u].cat.categories.size})" for u in self.units)
        return (
            f"<Survey{mark}: {self.n:,} respondents, {orgs}, {years}; {len(self.items)} items"
            + (f"; units: {units}" if units else "")
            + (f"; weights: {', '.join(self.design.weights)}" if self.design.weights else "")
            + ">"
        )

    def __reduce__(self) -> Any:
        raise TypeError(
            "A Survey holds respondents and is not pickled. Keep the extract and read it again."
        )

    @property
    def n(self) -> int:
        """Number of respondents."""
        return len(self.responses)

    @cached_property
    def years(self) -> tuple[int, ...]:
        """Survey years present, ascending."""
        return tuple(int(y) for y in np.unique(self.responses["year"].to_numpy()))

    @cached_property
    def orgs(self) -> tuple[str, ...]:
        """Organisation codes present."""
        return tuple(sorted(self.responses["org"].cat.remove_unused_categories().cat.categories))

    @cached_property
    def items(self) -> tuple[str, ...]:
        """Ids of the items present, in questionnaire order."""
        present = set(self.responses.columns)
        return tuple(i for i in self.instrument.items if i in present)

    @cached_property
    def local_columns(self) -> tuple[str, ...]:
        """The extract's own columns, such as directorate or band."""
        known = {"org", "year", *self.items, *self.design.weights.values()}
        return tuple(c for c in self.responses.columns if c not in known)

    def with_design(self, design: Design) -> Survey:
        """A Survey of the same respondents under another design.

        Raises
        ------
        DesignError
            A column is missing, or holds blank, negative or contradictory values.
        """
        return replace(self, design=design)

    def with_units(self, units: Sequence[str]) -> Survey:
        """Declare unit columns from the largest to the smallest; nesting is checked.

        Raises
        ------
        MeasureError
            A column is missing, or a smaller unit lies in more than one larger unit.
        """
        units = tuple(units)
        missing = [u for u in units if u not in self.responses.columns]
        if missing:
            raise MeasureError(
                f"No unit column {', '.join(map(repr, missing))}. "
                f"The survey's own columns are: {', '.join(self.local_columns) or 'none'}."
            )
        for above, below in pairwise(units):
            straying = nesting_faults(self.responses, above, below)
            if straying:
                raise MeasureError(
                    f"{straying} units of {below!r} lie in more than one {above!r}. "
                    "Give them names of their own, or declare the columns separately."
                )
        return replace(self, units=units)

    def filter(
        self,
        *,
        org: str | Sequence[str] | None = None,
        year: int | Sequence[int] | None = None,
        mask: np.ndarray | pd.Series | None = None,
    ) -> Survey:
        """The respondents of some organisations or years, or where `mask` is true.

        Examples
        --------
        >>> from culture_analytics import load_sample
        >>> load_sample().filter(year=2024).years
        (2024,)
        """
        keep = np.ones(self.n, dtype=bool)
        for column, wanted in (("org", org), ("year", year)):
            if wanted is not None:
                values = [wanted] if isinstance(wanted, str | int) else list(wanted)
                keep &= self.responses[column].isin(values).to_numpy()
        if mask is not None:
            keep &= np.asarray(mask, dtype=bool)
        if not keep.any():
            raise MeasureError(
                "No respondent is left by this filter. "
                f"Organisations: {', '.join(self.orgs[:10])}; years: "
                f"{', '.join(map(str, self.years))}."
            )
        return replace(self, responses=self.responses.loc[keep].reset_index(drop=True))


def nesting_faults(responses: pd.DataFrame, above: str, below: str) -> int:
    """How many units of `below` lie in more than one unit of `above` (within org and year)."""
    pairs = responses[["org", "year", above, below]].dropna().drop_duplicates()
    return int((pairs.groupby(["org", "year", below], observed=True).size() > 1).sum())


def combine(surveys: Iterable[Survey]) -> Survey:
    """Stack the respondents of several years or organisations.

    Items keep the instrument's dtype; local columns take the union of their categories. A
    column one survey lacks is blank for its respondents.

    Parameters
    ----------
    surveys
        Surveys of one instrument and one design.

    Raises
    ------
    ExtractError
        Different instruments or designs, or the same organisation and year twice.

    Examples
    --------
    >>> from culture_analytics import load_sample
    >>> combine([load_sample(2023), load_sample(2024)]).years
    (2023, 2024)
    """
    surveys = list(surveys)
    if not surveys:
        raise ExtractError("combine() was given no survey.")
    first = surveys[0]
    if any(s.instrument.version != first.instrument.version for s in surveys):
        raise ExtractError("The surveys were read with different instruments; read them again.")
    if any(s.design != first.design for s in surveys):
        raise ExtractError("The surveys have different designs; give all the same with_design().")
    seen: set[tuple[str, int]] = set()
    for survey in surveys:
        pairs = set(map(tuple, survey.responses[["org", "year"]].drop_duplicates().to_numpy()))
        if seen & pairs:
            raise ExtractError(
                f"{len(seen & pairs)} organisation-years stand in more than one survey "
                f"(first: {sorted(seen & pairs)[0][0]} {sorted(seen & pairs)[0][1]})."
            )
        seen |= pairs
    frames = [s.responses for s in surveys]
    columns = list(dict.fromkeys(c for f in frames for c in f.columns))
    stacked = {c: _stack(c, frames, first.instrument) for c in columns}
    units = first.units if all(s.units == first.units for s in surveys) else ()
    return Survey(
        pd.DataFrame(stacked),
        instrument=first.instrument,
        design=first.design,
        units=units,
        quality=[
            q for s in surveys for q in (s.quality if isinstance(s.quality, list) else [s.quality])
        ],
        source=", ".join(dict.fromkeys(s.source for s in surveys if s.source)),
        synthetic=any(s.synthetic for s in surveys),
        names={k: v for s in surveys for k, v in s.names.items()},
    )


def _stack(column: str, frames: list[pd.DataFrame], instrument: Instrument) -> pd.Series:
    """One column of the stacked frame; categoricals never fall back to strings."""
    parts = [f[column] if column in f.columns else None for f in frames]
    present = [p for p in parts if p is not None]
    if not all(isinstance(p.dtype, pd.CategoricalDtype) for p in present):
        filled = [
            p if p is not None else pd.Series(np.nan, index=f.index)
            for p, f in zip(parts, frames, strict=True)
        ]
        return pd.concat(filled, ignore_index=True)
    if column in instrument.items:
        dtype = instrument.items[column].dtype
    else:
        dtype = pd.CategoricalDtype(
            list(dict.fromkeys(c for p in present for c in p.cat.categories))
        )
    codes = [
        np.full(len(f), -1, dtype=np.int32)
        if p is None
        else p.cat.set_categories(dtype.categories).cat.codes.to_numpy()
        for p, f in zip(parts, frames, strict=True)
    ]
    return pd.Series(pd.Categorical.from_codes(np.concatenate(codes), dtype=dtype))
