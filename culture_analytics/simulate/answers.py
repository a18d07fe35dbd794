"""What the respondents answer: an ordered probit for every item, with routing and blanks.

An answer is the band of a latent value: group effects (fitted to the national results of each
group) + traits (shared by many items, and within units) + a part of its own. The traits make
answers go together; the group effects make the gaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from culture_analytics.instrument import Instrument, Item
from culture_analytics.simulate.draws import Stream, normal_probability, normal_quantile
from culture_analytics.simulate.model import Answer, HotSpot, Latent, Model, rows
from culture_analytics.simulate.people import Codes, as_asked, cumulative_table, group_codes, pick
from culture_analytics.simulate.units import Units

__all__ = ["GroupEffects", "blank", "draw_answers", "reported_chance", "tick_boxes"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Mask = NDArray[np.bool_]
BREAK_OFF = 0.5  # part of the blanks that come from stopping early, not from skipping an item

# Breakdowns looked up together: one table of all their combinations each.
TOGETHER = (
    ("occupation_detailed", "patient_contact", "working_pattern"),
    ("ethnicity_detailed", "religion", "international_recruitment"),
    ("age", "length_of_service", "gender", "gender_identity"),
    ("long_term_condition", "children", "carer", "home_working", "sexual_orientation"),
)


class GroupEffects:
    """Looks up the sum of a respondent's group effects.

    Parameters
    ----------
    people
        Codes of the background items.
    instrument
        The questionnaire.
    """

    def __init__(self, people: Mapping[str, Codes], instrument: Instrument) -> None:
        self._rows: list[NDArray[np.int32]] = []
        self._sizes: list[list[int]] = []
        for breakdowns in TOGETHER:
            sizes = [len(instrument.breakdowns[b].groups) for b in breakdowns]
            row = np.zeros(len(next(iter(people.values()))), dtype=np.int32)
            for breakdown, size in zip(breakdowns, sizes, strict=True):
                codes = people[instrument.breakdowns[breakdown].item]
                row = row * np.int32(size) + group_codes(instrument, breakdown)[codes]
            self._rows.append(row)
            self._sizes.append(sizes)

    def total(self, effects: Mapping[str, Floats], who: Indices | None = None) -> Floats:
        """Sum of the effects of each respondent's groups, of everyone or of some."""
        n = len(self._rows[0]) if who is None else len(who)
        total = np.zeros(n)
        for breakdowns, sizes, row in zip(TOGETHER, self._sizes, self._rows, strict=True):
            table = np.zeros(1)
            for breakdown, size in zip(breakdowns, sizes, strict=True):
                each = effects.get(breakdown, np.zeros(size))
                table = (table[:, None] + each[None, :]).ravel()
            total += table[row if who is None else row[who]]
        return total


def reported_chance(answer: Answer, centre: Floats, latent: Latent) -> Floats:
    """Chance of a reported answer for latent centres (everything but the item's own part)."""
    z = (centre - latent.thresholds[answer.cut_at]) / answer.residual
    return normal_probability(z if answer.cut_is_high else -z)


def tick_boxes(margin: Floats) -> NDArray[np.bool_]:
    """Boxes ticked: those with a positive margin, or else the one nearest to it.

    Parameters
    ----------
    margin
        Shape (boxes, respondents): latent value less its threshold.
    """
    ticked = margin > 0
    nearest = margin.argmax(axis=0)
    none = ~ticked.any(axis=0)
    ticked[nearest[none], np.flatnonzero(none)] = True
    return ticked


def draw_answers(
    model: Model,
    people: Mapping[str, Codes],
    traits: Mapping[str, Floats],
    units: Units,
    year: int,
    stream: Stream,
) -> dict[str, NDArray[np.int8]]:
    """Codes of every item asked in `year`: positions in the instrument's labels, -1 = blank.

    Parameters
    ----------
    model
        Parameters.
    people, traits, units
        The respondents, without blanks.
    year
        Year of the questionnaire.
    stream
        Source of random numbers.
    """
    instrument = model.instrument
    effects = GroupEffects(people, instrument)
    shown = _background(people, instrument, year, stream)
    n = len(units.team)
    lost = _losses(model, [i for i in instrument.items if instrument.asked(i, year)])
    stop = stream.uniform(n, "break off")
    given: dict[str, NDArray[np.int8]] = {}
    boxes: dict[str, Floats] = {}
    for item in instrument.items.values():
        if item.id in shown:
            skip = stream.uniform(n, f"blank {item.id}")
            given[item.id] = blank(shown[item.id], skip, stop, *lost[item.id])
            continue
        answer = model.answers.get(item.id)
        if answer is None or not instrument.asked(item.id, year) or answer.scale is None:
            continue
        asked = _asked(item, given, instrument)
        who: Indices | None = None if asked is None else np.flatnonzero(asked)
        own, skip = stream.pair(n, item.id)
        if who is not None:
            own, skip = own[who], skip[who]
        centre = effects.total(answer.scale.effects, who)
        for trait, weight in answer.loadings.items():
            centre += weight * (traits[trait] if who is None else traits[trait][who])
        for spot in model.hot_spots:
            if spot.effect == "ratio" and spot.target == item.id and spot.in_year(year):
                _raise_chance(centre, answer, spot, people, units, instrument, who)
        latent = centre + answer.residual * normal_quantile(own)
        if item.kind == "tick":
            boxes[item.id] = latent - answer.scale.thresholds[0]
            continue
        band = np.zeros(len(latent), dtype=np.int8)
        for threshold in answer.scale.thresholds:
            band += latent > threshold
        position = np.array([item.labels.index(a) for a in answer.order], dtype=np.int8)
        codes = position[band]
        if answer.off is not None:
            codes = _off_scale(codes, answer, item, effects, who, stream)
        codes = blank(codes, skip, stop if who is None else stop[who], *lost[item.id])
        given[item.id] = _spread(codes, who, n)
    if boxes:
        given.update(_ticks(model, boxes, given, stop, stream, lost))
    return {i: given[i] for i in instrument.items if i in given}


def blank(
    codes: NDArray[np.int16] | NDArray[np.int8],
    skip: Floats,
    stop: Floats,
    stopped: float,
    skipped: float,
) -> NDArray[np.int8]:
    """Codes with -1 for those who stopped before the item, or skipped it."""
    lost = (stop < stopped) | (skip < skipped)
    kept: NDArray[np.int8] = np.where(lost, -1, codes).astype(np.int8)
    return kept


def _losses(model: Model, items: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Chances of having stopped before each item, and of skipping it.

    Whoever stops stays away, so the first rises along the questionnaire, from nobody at its
    first item; together the two make the item's published share of blanks.
    """
    order = list(items)
    total = {
        i: model.answers[i].missing if i in model.answers else model.background_missing[i]
        for i in order
    }
    ahead, found = 1.0, {}
    for place, i in reversed(list(enumerate(order))):
        if not model.instrument.items[i].gates:
            ahead = min(ahead, total[i])
        stopped = BREAK_OFF * min(ahead, total[i]) * place / len(order)
        found[i] = (stopped, 1 - (1 - total[i]) / (1 - stopped))
    return found


def _asked(
    item: Item, given: Mapping[str, NDArray[np.int8]], instrument: Instrument
) -> Mask | None:
    """Who the routing leads to the item; None for everyone."""
    if not item.gates:
        return None
    asked: Mask | None = None
    for gate in item.gates:
        labels = instrument.items[gate.item].labels
        opens = np.isin(given[gate.item], [labels.index(a) for a in gate.answers])
        asked = opens if asked is None else asked | opens
    return asked


def _spread(codes: NDArray[np.int8], who: Indices | None, n: int) -> NDArray[np.int8]:
    if who is None:
        return codes
    everyone = np.full(n, -1, dtype=np.int8)
    everyone[who] = codes
    return everyone


def _off_scale(
    codes: NDArray[np.int8],
    answer: Answer,
    item: Item,
    effects: GroupEffects,
    who: Indices | None,
    stream: Stream,
) -> NDArray[np.int8]:
    """Put don't know and not applicable in place of some answers."""
    assert answer.off is not None
    n = len(codes)
    take, which = stream.pair(n if who is None else int(who.max(initial=-1)) + 1, f"{item.id} off")
    if who is not None:
        take, which = take[who], which[who]
    chance = normal_probability(effects.total(answer.off.effects, who) - answer.off.thresholds[0])
    position = np.array([item.labels.index(a) for a in answer.apart], dtype=np.int8)
    share = np.searchsorted(np.cumsum(answer.apart_shares)[:-1], which)
    off: NDArray[np.int8] = np.where(take < chance, position[share], codes)
    return off


def _ticks(
    model: Model,
    boxes: Mapping[str, Floats],
    given: Mapping[str, NDArray[np.int8]],
    stop: Floats,
    stream: Stream,
    lost: Mapping[str, tuple[float, float]],
) -> dict[str, NDArray[np.int8]]:
    """Grounds ticked: at least one, but for the few who leave the whole list blank."""
    first = model.instrument.items[next(iter(boxes))]
    asked = _asked(first, given, model.instrument)
    assert asked is not None
    who = np.flatnonzero(asked)
    ticked = tick_boxes(np.vstack(list(boxes.values())))
    skip = stream.uniform(len(stop), "blank grounds")[who]
    labels = first.labels
    yes, no = labels.index("Selected"), labels.index("Not selected")
    found = {}
    for row, item in zip(ticked, boxes, strict=True):
        codes = np.where(row, yes, no).astype(np.int8)
        found[item] = _spread(blank(codes, skip, stop[who], *lost[first.id]), who, len(stop))
    return found


def _background(
    people: Mapping[str, Codes], instrument: Instrument, year: int, stream: Stream
) -> dict[str, Codes]:
    """Background items as that year's form has them, with the 2025 socio-economic block."""
    shown = as_asked(people, instrument, year, stream)
    n = len(next(iter(people.values())))
    for row in rows("socio_economic.csv"):
        item = row["item"]
        if not instrument.asked(item, year):
            continue
        shares = np.log([float(x) for x in row["percents"].split("|")])[None, :]
        drawn = pick(cumulative_table({"": shares}), 0, stream.uniform(n, item)).astype(np.int16)
        if row["given"]:
            above, label = row["given"].split("=")
            opens = instrument.items[above].labels.index(label)
            drawn = np.where(shown[above] == opens, drawn, np.int16(-1))
        shown[item] = drawn
    return shown


def _raise_chance(
    centre: Floats,
    answer: Answer,
    spot: HotSpot,
    people: Mapping[str, Codes],
    units: Units,
    instrument: Instrument,
    who: Indices | None,
) -> None:
    """Plant a ratio of chances in the first organisation, its overall chance unchanged."""
    of = units.organisation == 0
    if spot.breakdown:
        breakdown = instrument.breakdowns[spot.breakdown]
        group = [g.label for g in breakdown.groups].index(spot.group)
        of = of & (group_codes(instrument, spot.breakdown)[people[breakdown.item]] == group)
    inside = of & units.members(spot.unit, spot.names)
    outside = of & ~inside
    if who is not None:
        inside, outside = inside[who], outside[who]
    if not inside.any() or not outside.any():
        return
    assert answer.scale is not None
    chance = reported_chance(answer, centre[inside | outside], answer.scale)
    share = inside.sum() / (inside.sum() + outside.sum())
    elsewhere = float(chance.mean() / (1 - share + share * spot.size))
    for members, wanted in ((inside, min(spot.size * elsewhere, 0.95)), (outside, elsewhere)):
        centre[members] += _shift_to(answer, centre[members], wanted)


def _shift_to(answer: Answer, centre: Floats, wanted: float) -> float:
    """Shift of the centres at which the mean chance of a reported answer is `wanted`."""
    assert answer.scale is not None
    sign = 1.0 if answer.cut_is_high else -1.0
    low, high = -6.0, 6.0
    for _ in range(50):
        middle = (low + high) / 2
        mean = float(reported_chance(answer, centre + sign * middle, answer.scale).mean())
        low, high = (middle, high) if mean < wanted else (low, middle)
    return sign * (low + high) / 2
