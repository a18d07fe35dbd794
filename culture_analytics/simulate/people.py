"""Who the respondents are: background items drawn one after another, jointly plausible.

Each item is drawn from a log-linear table of its parents: the table agrees with the national
results of every pair (occupation by gender, ethnicity by religion ...) and has no three-way terms.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from culture_analytics.instrument import Instrument
from culture_analytics.simulate.draws import Stream
from culture_analytics.simulate.model import MODEL_YEAR, Model, rows

__all__ = ["as_asked", "draw_people", "group_codes", "model_labels"]

Codes = NDArray[np.int16]
Floats = NDArray[np.float64]


def model_labels(instrument: Instrument, item: str) -> tuple[str, ...]:
    """The answers of a background item in the year the model follows."""
    question = instrument.question(item, MODEL_YEAR)
    return question.scale.labels if question else instrument.items[item].labels


def group_codes(instrument: Instrument, breakdown: str) -> Codes:
    """Position of the group each answer of the breakdown's item belongs to."""
    groups = instrument.breakdowns[breakdown].groups
    labels = instrument.items[instrument.breakdowns[breakdown].item].labels
    of_answer = {a: k for k, g in enumerate(groups) for a in g.answers}
    return np.array([of_answer[a] for a in labels], dtype=np.int16)


def cumulative_table(effects: Mapping[str, Floats]) -> Floats:
    """Cumulated chances of the answers, a row for each combination of parents.

    Parameters
    ----------
    effects
        Log-linear effects: ``""`` of shape (1, answers), parents of shape (groups, answers).

    Returns
    -------
    ndarray
        Shape (combinations in the order of the parents, answers); the last column is 1.
    """
    logits = effects[""]
    for table in (t for b, t in effects.items() if b):
        logits = (logits[:, None, :] + table[None, :, :]).reshape(-1, table.shape[1])
    chances = np.exp(logits - logits.max(axis=1, keepdims=True))
    total = np.cumsum(chances, axis=1)
    total /= total[:, -1:]
    total[:, -1] = 1.0
    return total


def pick(cumulated: Floats, row: NDArray[np.int64] | int, uniform: Floats) -> NDArray[np.int64]:
    """Column drawn from each respondent's row of cumulated chances."""
    offset = np.arange(len(cumulated), dtype=np.float64)[:, None]
    flat = (cumulated + offset).ravel()
    found = np.searchsorted(flat, uniform + row, side="right")
    # Rounding in `uniform + row` may step over the end of a row: stay in it.
    column = found - np.asarray(row) * cumulated.shape[1]
    inside: NDArray[np.int64] = np.clip(column, 0, cumulated.shape[1] - 1)
    return inside


def draw_people(model: Model, n: int, stream: Stream) -> dict[str, Codes]:
    """Codes of every background item, as positions in the instrument's labels.

    Parameters
    ----------
    model
        Parameters.
    n
        Number of respondents.
    stream
        Source of random numbers.

    Returns
    -------
    dict of ndarray
        One code for each respondent; nobody is missing yet, and the answers are those of the
        model year (see `as_asked`).
    """
    people: dict[str, Codes] = {}
    for item, parents in model.parents.items():
        effects = model.background[item]
        row: NDArray[np.int64] = np.zeros(n, dtype=np.int64)
        for breakdown in parents:
            group = group_codes(model.instrument, breakdown)
            parent = people[model.instrument.breakdowns[breakdown].item]
            row = row * len(effects[breakdown]) + group[parent]
        ordered = {"": effects[""], **{b: effects[b] for b in parents}}
        column = pick(cumulative_table(ordered), row, stream.uniform(n, item))
        position = {a: k for k, a in enumerate(model.instrument.items[item].labels)}
        labels = model_labels(model.instrument, item)
        people[item] = np.array([position[a] for a in labels], dtype=np.int16)[column]
    return people


def as_asked(
    people: Mapping[str, Codes], instrument: Instrument, year: int, stream: Stream
) -> dict[str, Codes]:
    """The same people with that year's answers: Filipino from 2025, two occupations from 2023."""
    shown = {i: c for i, c in people.items() if instrument.asked(i, year)}
    for row in rows("year_answers.csv"):
        item = row["item"]
        if item not in shown:
            continue
        labels = instrument.items[item].labels
        listed = instrument.question(item, year)
        answer, otherwise = labels.index(row["answer"]), labels.index(row["otherwise"])
        codes = shown[item]
        if listed is None or row["answer"] not in listed.scale.labels:
            shown[item] = np.where(codes == answer, np.int16(otherwise), codes)
        elif row["share"]:
            gives = stream.uniform(len(codes), f"{item} {row['answer']}") < float(row["share"])
            shown[item] = np.where((codes == otherwise) & gives, np.int16(answer), codes)
    return shown
