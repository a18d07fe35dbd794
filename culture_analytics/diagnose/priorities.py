"""What to look at first, and what to protect: importance against performance, with the doubts.

An element is worth looking at first where much of the outcomes goes with it and its own score
leaves room. Both are uncertain; elements that cannot be told apart are said to be so, and nothing
here promises that work on one moves an outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from culture_analytics.diagnose.held import Held, Row
from culture_analytics.diagnose.hotspots import BRIGHT, DIFFERENCE, HOT
from culture_analytics.diagnose.leaving import QUALITY, SPOTS
from culture_analytics.diagnose.reliability import ALPHA, READINGS
from culture_analytics.diagnose.wording import (
    BETTER,
    LITTLE,
    SAME,
    WORSE,
    and_list,
    figure,
    interval,
    judge,
    plural,
    points,
    sentence_case,
    way,
)
from culture_analytics.instrument import load_instrument
from culture_analytics.instrument.culture import OUTCOMES, PREFIX

__all__ = ["FEWEST", "FIRST", "MOST", "PRIORITIES", "PROTECT", "WATCH", "priorities"]

FIRST, PROTECT, WATCH = "look at first", "protect", "neither"
FEWEST, MOST = 3, 5
"""Areas to look at first."""

PRIORITIES = (
    "kind", "place", "area", "measure", "importance", "importance_lower", "importance_upper",
    "score", "score_lower", "score_upper", "room", "room_lower", "room_upper", "units_worse",
    "units_better", "units", "change", "change_reading", "reasons", "doubts",
)  # fmt: skip

_TOP = 10.0
_NAMED = 3  # items named
_DOUBT = (
    "Answers of the same people on the same day: what goes with an outcome need not bring it about."
)


@dataclass(frozen=True)
class _Area:
    """One element, with what speaks for looking at it and against."""

    measure: str
    label: str
    score: Row
    share: Row | None
    room: tuple[float, float, float]  # value, lower, upper
    worse: tuple[str, ...]  # units
    better: tuple[str, ...]
    units: int
    change: Row | None
    loose: bool

    @property
    def change_reading(self) -> str:
        return judge(self.change) if self.change is not None else ""


def priorities(held: Held) -> pd.DataFrame:
    """Elements of culture by what to do with them first.

    Parameters
    ----------
    held
        Figures.

    Returns
    -------
    DataFrame
        Columns `PRIORITIES`; a row an element with a score. `kind` is `FIRST` (three to five, in
        order of `room`), `PROTECT` or `WATCH`. `importance` is the element's mean share of what all
        elements explain of the outcomes, percent, with limits; `room` that share times the points
        its score lies under ten: the order is by it. `reasons` and `doubts` are sentences.

    Notes
    -----
    The three elements with most room come first; a fourth and fifth where their upper limit of room
    reaches the third's, or where they are clearly worse than the year before, and not by little.
    Protected are, among the others, those whose score is above the middle of the elements, and
    those that are clearly better than the year before.
    """
    areas = [a for a in (_area(held, m, label) for m, label in held.elements.items()) if a]
    areas.sort(key=lambda a: -a.room[0])
    first = _first(areas)
    even = 100.0 / max(len(areas), 1)
    middle = float(np.median([a.score["value"] for a in areas])) if areas else float("nan")
    rows = []
    for place, area in enumerate(areas, 1):
        kind = FIRST if area in first else _kept(area, middle)
        like = [b.label for b in areas if b is not area and _overlap(area, b)]
        rows.append(
            {
                "kind": kind,
                "place": place,
                "area": area.label,
                "measure": area.measure,
                **_limits("importance", area.share),
                **_limits("score", area.score),
                "room": area.room[0],
                "room_lower": area.room[1],
                "room_upper": area.room[2],
                "units_worse": len(area.worse),
                "units_better": len(area.better),
                "units": area.units,
                "change": np.nan if area.change is None else area.change["value"],
                "change_reading": area.change_reading,
                "reasons": " ".join(r for r in _reasons(held, area, even, kind) if r),
                "doubts": " ".join(_doubts(area, like if kind == FIRST else [])),
            }
        )
    found = pd.DataFrame(rows, columns=list(PRIORITIES))
    order = found["kind"].map({FIRST: 0, PROTECT: 1, WATCH: 2})
    return found.iloc[np.argsort(order.to_numpy(), kind="stable")].reset_index(drop=True)


def _area(held: Held, measure: str, label: str) -> _Area | None:
    score = held.figure(measure)
    if score is None:
        return None
    share = held.share(OUTCOMES, label)
    below = [_TOP - score[k] for k in ("value", "upper", "lower")]
    weight = [1.0, 1.0, 1.0]
    if share is not None:
        weight = [share["value"] / 100, share["lower"] / 100, share["upper"] / 100]
    spots = held.rows(SPOTS)
    spots = spots[
        spots["statistic"].eq(DIFFERENCE) & spots["breakdown"].eq(held.by)
        & spots["measure"].eq(measure) & spots["status"].eq("ok")
    ]  # fmt: skip
    return _Area(
        measure=measure,
        label=label,
        score=score,
        share=share,
        room=(below[0] * weight[0], below[1] * weight[1], below[2] * weight[2]),
        worse=tuple(spots.loc[spots["method"].eq(HOT), "group"]),
        better=tuple(spots.loc[spots["method"].eq(BRIGHT), "group"]),
        units=len(spots),
        change=held.change(measure),
        loose=_loose(held, measure),
    )


def _loose(held: Held, measure: str) -> bool:
    """Whether its items do not hold together well enough here to read the score by itself."""
    rows = held.rows(QUALITY)
    rows = rows[
        rows["measure"].eq(measure) & rows["statistic"].eq(ALPHA) & rows["breakdown"].eq("overall")
        & rows["year"].eq(held.year) & rows["status"].eq("ok")
    ]  # fmt: skip
    return bool(rows["method"].isin([words for _, words in READINGS[2:]]).any())


def _first(areas: Sequence[_Area]) -> list[_Area]:
    """The areas to look at first; `areas` are in order of room."""
    found = list(areas[:FEWEST])
    for area in areas[FEWEST:]:
        near = _overlap(area, found[FEWEST - 1]) or area.change_reading == WORSE
        if len(found) < min(MOST, len(areas) - 1) and near:
            found.append(area)
    return found


def _kept(area: _Area, middle: float) -> str:
    if area.score["value"] > middle or area.change_reading == BETTER:
        return PROTECT
    return WATCH


def _overlap(one: _Area, other: _Area) -> bool:
    """Whether two areas' room cannot be told apart; so too where it has no limits."""
    return not (one.room[1] > other.room[2] or other.room[1] > one.room[2])


def _limits(name: str, row: Row | None) -> dict[str, Any]:
    keys = (("value", name), ("lower", f"{name}_lower"), ("upper", f"{name}_upper"))
    return {to: np.nan if row is None else row[key] for key, to in keys}


def _reasons(held: Held, area: _Area, even: float, kind: str) -> list[str]:
    found = [f"Scores {figure(area.score)}."]
    units = plural(held.by)
    if area.share is not None:
        found.append(_importance(held, area.share, even))
    if area.change is not None and held.earlier is not None:
        found.append(_since(area.change, area.change_reading, held.earlier))
    if area.worse:
        found.append(
            f"Clearly worse in {len(area.worse)} of {area.units} {units} "
            f"({and_list(area.worse, most=_NAMED)})."
        )
    if area.better:
        found.append(
            f"Clearly better in {len(area.better)} of {area.units} {units} "
            f"({and_list(area.better, most=_NAMED)})."
        )
    named = _items(held, area.measure, best=kind == PROTECT)
    if named:
        word = "Most" if kind == PROTECT else "Least"
        found.append(f"{word} favourable answers: {'; '.join(named)}.")
    return found


def _since(change: Row, reading: str, earlier: int) -> str:
    if reading in (BETTER, WORSE):
        return f"{sentence_case(reading)} than in {earlier} ({points(change)})."
    if reading == LITTLE:
        word = "better" if change["value"] * way(change["measure"]) > 0 else "worse"
        return f"Slightly {word} than in {earlier} ({points(change)})."
    return f"{sentence_case(reading)} since {earlier}." if reading == SAME else ""


def _importance(held: Held, share: Row, even: float) -> str:
    words = "no clear difference from"
    if share["lower"] > even:
        words = "clearly more than"
    elif share["upper"] < even:
        words = "clearly less than"
    limits = "" if np.isnan(share["lower"]) else f" ({interval(share)})"
    names = [o.label.lower() for o in held.model.set_against]
    return (
        f"Of what the elements explain of {and_list(names)}, {share['value']:.0f} %{limits} goes "
        f"with it: {words} an even share ({even:.0f} %)."
    )


def _items(held: Held, measure: str, *, best: bool) -> list[str]:
    """The items of an element with the least favourable answers, or the most.

    Rare events are favourable by being rare: they are not named among the best.
    """
    element = held.model.elements[measure.removeprefix(PREFIX)]
    known = load_instrument().measures
    found: list[tuple[float, str]] = []
    for item in element.items:
        row = held.figure(item)
        better = known[item].better if item in known else "context"
        if row is None or better == "context" or (best and better == "lower"):
            continue
        good = row["value"] if better == "higher" else 100 - row["value"]
        found.append((-good if best else good, f"{held.name(item)} {row['value']:.0f} %"))
    return [text for _, text in sorted(found)[:_NAMED]]


def _doubts(area: _Area, like: Sequence[str]) -> list[str]:
    found = []
    if area.share is None:
        found.append("How much of the outcomes goes with it could not be worked out here.")
    elif np.isnan(area.share["lower"]):
        found.append("How sure its importance is could not be worked out here.")
    if like:
        found.append(f"Its place cannot be told apart from that of {and_list(list(like))}.")
    if area.loose:
        found.append("Its items hold together loosely here: read them one by one.")
    return [*found, _DOUBT] if area.share is not None else found
