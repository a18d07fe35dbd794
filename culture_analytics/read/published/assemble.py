"""Questions and rows -> the result schema, one array a column.

Three kinds of rows come out: the whole distribution of a question's answers as published; the
reported measures, added up from it; and scores. A measure made of several questions is never
rebuilt from totals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.instrument import Instrument, Item
from culture_analytics.read.published.grid import STATUSES
from culture_analytics.read.published.questions import Block
from culture_analytics.read.published.rows import Rows
from culture_analytics.stats import wilson

__all__ = ["ESTIMATED", "assemble", "structural"]

LEVEL = 0.95
BASE_ONLY = "base_only"
ESTIMATED = "base_only, base estimated"
MEAN_OF_ORGANISATIONS = "mean_of_organisations"
UNAVAILABLE = STATUSES.index("unavailable")
NOT_APPLICABLE = STATUSES.index("not_applicable")
NOT_COMPUTABLE = STATUSES.index("not_computable")

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Figures:
    """One measure or answer over all rows."""

    measure: str
    label: str
    answer: str
    statistic: str
    method: str
    value: Floats
    base: Floats
    status: NDArray[np.int8]
    weighting: tuple[str, ...]
    sheet: str


def assemble(
    blocks: Sequence[Block],
    rows: Rows,
    *,
    year: int,
    release: str,
    instrument: Instrument,
    file: str = "",
) -> pd.DataFrame:
    """Put the figures into the schema.

    Parameters
    ----------
    blocks : sequence of Block
        Questions, checked, in the row order of `rows`.
    rows : Rows
        Whose figures they are.
    year : int
        Survey year.
    release : str
        Name of the release.
    instrument : Instrument
        Measures and labels.
    file : str
        Name of the file they were read from.

    Returns
    -------
    DataFrame
        Columns of the schema that published figures have, and privately file and sheet.
    """
    figures = [
        f for block in blocks for f in _figures(_refined(block, rows, instrument), instrument)
    ]
    across, down = len(figures), len(rows)
    value = np.concatenate([f.value for f in figures])
    base = np.concatenate([f.base for f in figures])
    status = np.concatenate([f.status for f in figures])
    percent = np.repeat([f.statistic == "percent" for f in figures], down)
    means = np.tile(rows.means, across) if len(rows.means) else np.zeros(across * down, dtype=bool)
    limited = percent & (status == 0) & (base > 0) & ~means
    lower, upper = np.full(len(value), np.nan), np.full(len(value), np.nan)
    low, high = wilson(np.clip(value[limited] / 100, 0, 1), base[limited], level=LEVEL)
    lower[limited], upper[limited] = 100 * low, 100 * high

    def each(texts: Sequence[str]) -> object:
        return _texts(texts, np.repeat(np.arange(across), down))

    def every(texts: Sequence[str]) -> object:
        return _texts(texts, np.tile(np.arange(down), across))

    weightings = {f.weighting: None for f in figures}
    labels = sorted({text for weighting in weightings for text in weighting})
    place = {text: number for number, text in enumerate(labels)}
    codes = {w: np.array([place[text] for text in w], dtype=np.intp) for w in weightings}
    n = len(value)
    methods = _methods(figures, down, means)
    sheets = {f.sheet: None for f in figures}
    sheet_place = {sheet: number for number, sheet in enumerate(sheets)}
    return pd.DataFrame(
        {
            "year": np.full(n, year, dtype=np.int64),
            "org": every(rows.org),
            "measure": each([f.measure for f in figures]),
            "label": each([f.label for f in figures]),
            "answer": each([f.answer for f in figures]),
            "breakdown": every(rows.breakdown),
            "group": every(rows.group),
            "within": every(rows.within),
            "within_group": every(rows.within_group),
            "statistic": each([f.statistic for f in figures]),
            "unit": each([f.statistic for f in figures]),
            "value": value,
            "lower": lower,
            "upper": upper,
            "level": np.where(percent & ~means, LEVEL, np.nan),
            "base": base,
            "weighting": _texts(labels, np.concatenate([codes[f.weighting] for f in figures])),
            "method": methods,
            "status": _texts(STATUSES, status),
            "source": _texts(["published"], np.zeros(n, dtype=np.intp)),
            "release": _texts([release], np.zeros(n, dtype=np.intp)),
            "_file": pd.Categorical.from_codes(np.zeros(n, dtype=np.int8), pd.Index([file])),
            "_sheet": pd.Categorical.from_codes(
                np.repeat(np.array([sheet_place[f.sheet] for f in figures]), down),
                pd.Index(list(sheets)),
            ),
        }
    )


def _methods(figures: Sequence[_Figures], down: int, means: NDArray[np.bool_]) -> object:
    """Say of every figure how its limits were had, or that it is a mean of organisations."""
    kinds = list(dict.fromkeys(f.method for f in figures))
    codes = np.repeat([kinds.index(f.method) for f in figures], down)
    spelt = [kind.replace(BASE_ONLY, MEAN_OF_ORGANISATIONS) for kind in kinds]
    return _texts([*kinds, *spelt], np.where(means, codes + len(kinds), codes))


def _texts(texts: Sequence[str], codes: NDArray[np.integer]) -> object:
    # Taking from a short array of texts costs far less than building one text a cell.
    return pd.Series(list(texts), dtype="str").array.take(codes)


def structural(item: Item, rows: Rows, instrument: Instrument) -> NDArray[np.bool_]:
    """Rows whose group explains why there is no figure.

    A question crossed with itself (gender by gender), or asked only of people who are not in the
    group (adjustments for a condition, of those without one).

    Parameters
    ----------
    item : Item
        The question.
    rows : Rows
        Whose figures they are.
    instrument : Instrument
        Breakdowns and routing.

    Returns
    -------
    ndarray of bool, shape (rows,)
    """
    known: dict[tuple[str, str], bool] = {}
    for breakdown, group in dict.fromkeys(zip(rows.breakdown, rows.group, strict=True)):
        known[breakdown, group] = _explains(item, breakdown, group, instrument)
    return np.array(
        [known[key] for key in zip(rows.breakdown, rows.group, strict=True)], dtype=bool
    )


def _explains(item: Item, breakdown: str, group: str, instrument: Instrument) -> bool:
    defined = instrument.breakdowns.get(breakdown)
    if defined is None:
        return False
    if defined.item == item.id:
        return True
    if not item.gates or any(gate.item != defined.item for gate in item.gates):
        return False
    answers = next((set(g.answers) for g in defined.groups if g.label == group), set())
    return bool(answers) and not any(answers & set(gate.answers) for gate in item.gates)


def _refined(block: Block, rows: Rows, instrument: Instrument) -> Block:
    """Say "not applicable" where there is neither figure nor base and the group explains it."""
    if block.kind == "score":
        return block
    explained = structural(instrument.items[block.id], rows, instrument)
    nothing = (block.status == UNAVAILABLE).all(axis=1) & np.isnan(block.base)
    status = np.where((explained & nothing)[:, None], NOT_APPLICABLE, block.status)
    return replace(block, status=status.astype(np.int8))


def _figures(block: Block, instrument: Instrument) -> Iterator[_Figures]:
    """Everything that one question gives."""
    if block.kind == "score":
        label = instrument.measures[block.id].label
        yield _column(block, 0, measure=block.id, label=label, answer="", statistic="score")
    elif block.kind == "tick":
        label = instrument.measures[block.id].label
        yield _column(block, 0, measure=block.id, label=label, answer="", statistic="percent")
    else:
        item = instrument.items[block.id]
        for place, answer in enumerate(block.answers):
            yield _column(
                block, place, measure=item.id, label=item.label, answer=answer, statistic="percent"
            )
        yield from _measures(block, item, instrument)


def _column(
    block: Block, place: int, *, measure: str, label: str, answer: str, statistic: str
) -> _Figures:
    return _Figures(
        measure=measure,
        label=label,
        answer=answer,
        statistic=statistic,
        method=BASE_ONLY if statistic == "percent" else "",
        value=block.values[:, place],
        base=block.base,
        status=block.status[:, place],
        weighting=block.weighting,
        sheet=block.sheet,
    )


def _measures(block: Block, item: Item, instrument: Instrument) -> Iterator[_Figures]:
    """Add up the measures of one question from its answers.

    Where answers are left out of the base (don't know, not applicable), the rest are brought to
    100 and their number of responses is estimated from the published shares.
    """
    excluded = _share(block, item.excluded)
    estimated = bool(set(item.excluded) & set(block.answers))
    status = block.status.max(axis=1)
    base = np.round(block.base * (100 - excluded) / 100) if estimated else block.base
    if block.overlapping:  # adding up would count people twice
        status = np.where(status == 0, UNAVAILABLE, status)
    everyone_excluded = excluded > 100 - 1e-9
    valid = np.where(everyone_excluded, np.nan, 100 - excluded)
    for measure in instrument.measures.values():
        if measure.kind != "item" or measure.parts[0][0] != item.id:
            continue
        share = _share(block, measure.parts[0][1])
        yield _Figures(
            measure=measure.id,
            label=measure.label,
            answer="",
            statistic="percent",
            method=ESTIMATED if estimated else BASE_ONLY,
            value=np.where(status == 0, np.clip(100 * share / valid, 0, 100), np.nan),
            base=base,
            status=np.where((status == 0) & everyone_excluded, NOT_COMPUTABLE, status).astype(
                np.int8
            ),
            weighting=block.weighting,
            sheet=block.sheet,
        )


def _share(block: Block, answers: Sequence[str]) -> Floats:
    """Percentage of responses that are one of `answers`."""
    places = [place for place, answer in enumerate(block.answers) if answer in answers]
    # Exactly the published figure for one answer: no rounding by a needless sum.
    return block.values[:, places[0]] if len(places) == 1 else block.values[:, places].sum(axis=1)
