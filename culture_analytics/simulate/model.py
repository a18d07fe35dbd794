"""The parameters of the simulated survey: facts, fitted effects and choices, all package data.

``targets*.csv``, ``nonresponse.csv`` and ``demographic_pairs.csv`` hold rounded percentages of the
2024 national results; ``thresholds.csv``, ``effects.csv`` and ``demographic_effects.csv`` were
fitted to them (``benchmarks/fit_sample_model.py``); the other files hold choices.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from culture_analytics.errors import InstrumentError
from culture_analytics.instrument import Instrument, load_instrument

__all__ = [
    "DATA",
    "MODEL_YEAR",
    "Answer",
    "HotSpot",
    "Latent",
    "Model",
    "Team",
    "Trait",
    "load_model",
    "rows",
]

DATA = Path(__file__).parent / "data"
MODEL_YEAR = 2024  # whose lists of answers and figures the parameters follow
UNIT_LEVELS = ("organisation", "directorate", "team")
APART = "~apart"  # marks the chance of a don't know or not applicable in the tables of effects
UNREPORTED = ("Selected", "Not considering leaving")  # the cut of items without a reported answer

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Latent:
    """Cut points on a normal scale, and how far each group stands from the rest."""

    thresholds: Floats
    effects: Mapping[str, Floats]  # breakdown -> one number for each of its groups


@dataclass(frozen=True)
class Answer:
    """How one item is answered."""

    item: str
    order: tuple[str, ...]  # answers from low to high
    apart: tuple[str, ...]  # answers off the scale (don't know, not applicable)
    apart_shares: Floats  # how those are shared out
    cut: tuple[str, ...]  # the reported answers: one end of `order`
    loadings: Mapping[str, float]  # trait -> weight
    missing: float  # share of those asked who leave it blank
    scale: Latent | None
    off: Latent | None  # whether the answer is one of `apart`

    @property
    def residual(self) -> float:
        """Standard deviation of what the traits leave."""
        return math.sqrt(1 - sum(x * x for x in self.loadings.values()))

    @property
    def cut_is_high(self) -> bool:
        """Whether the reported answers are the upper end of the scale."""
        return self.order[-1] in self.cut

    @property
    def cut_at(self) -> int:
        """Index of the threshold that parts the reported answers from the rest."""
        return len(self.order) - len(self.cut) - 1 if self.cut_is_high else len(self.cut) - 1


@dataclass(frozen=True)
class Trait:
    """A trait behind many answers, and the parts of its variance that lie between units."""

    id: str
    label: str
    organisation: float
    directorate: float
    team: float


@dataclass(frozen=True)
class Team:
    """A team of the fictional trust."""

    directorate: str
    name: str
    people: float
    profile: Mapping[str, float]


@dataclass(frozen=True)
class HotSpot:
    """One planted departure from the national figures."""

    id: str
    effect: str  # ratio | shift
    target: str  # item | trait
    size: float
    unit: str  # directorate | team
    names: tuple[str, ...]
    breakdown: str
    group: str
    years: tuple[int, ...]
    description: str
    seen_in: str  # an item it shows in

    def in_year(self, year: int) -> bool:
        """Whether it shows in `year`."""
        return not self.years or year in self.years


@dataclass(frozen=True)
class Model:
    """Everything that is needed to draw respondents."""

    answers: Mapping[str, Answer]
    parents: Mapping[str, tuple[str, ...]]  # background item -> breakdowns it depends on
    background: Mapping[str, Mapping[str, Floats]]  # item -> breakdown -> groups x answers
    background_missing: Mapping[str, float]
    traits: tuple[Trait, ...]
    teams: tuple[Team, ...]
    hot_spots: tuple[HotSpot, ...]
    instrument: Instrument = field(repr=False)


def rows(name: str) -> list[dict[str, str]]:
    """The rows of one data file, without its notes."""
    with (DATA / name).open(encoding="utf-8", newline="") as f:
        return list(csv.DictReader(line for line in f if not line.startswith("#")))


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split("|")) if text else ()


@lru_cache(maxsize=2)
def load_model(*, fitted: bool = True) -> Model:
    """Read the parameters.

    Parameters
    ----------
    fitted
        ``False`` leaves out what is fitted to the facts: for the scripts that make it.

    Raises
    ------
    InstrumentError
        The files name items, groups or traits the instrument does not have.
    """
    instrument = load_instrument()
    traits = tuple(
        Trait(r["trait"], r["label"], *(float(r[k]) for k in UNIT_LEVELS))
        for r in rows("traits.csv")
    )
    scales = _latents(instrument) if fitted else {}
    targets, blanks = (rows("targets.csv"), rows("nonresponse.csv")) if fitted else ([], [])
    facts = {(r["item"], r["answer"]): float(r["percent"]) for r in targets}
    missing = {r["item"]: float(r["percent"]) / 100 for r in blanks}
    answers = {}
    for row in rows("item_model.csv"):
        item = instrument.items.get(row["item"])
        if item is None:
            raise InstrumentError(f"item_model.csv: unknown item {row['item']!r}")
        order, apart = _split(row["order"]), _split(row["apart"])
        if set(order) | set(apart) != set(item.labels):
            raise InstrumentError(f"item_model.csv: {item.id}: not the instrument's answers")
        cut = tuple(a for a in order if a in (item.reported or UNREPORTED))
        shares = np.array([facts.get((item.id, a), 1.0) for a in apart])
        answers[item.id] = Answer(
            item=item.id,
            order=order,
            apart=apart,
            apart_shares=shares / shares.sum() if len(shares) else shares,
            cut=cut,
            loadings={t.id: float(row[t.id]) for t in traits if row[t.id]},
            missing=missing.get(item.id, 0.0),
            scale=scales.get(item.id),
            off=scales.get(item.id + APART),
        )
    parents = {r["item"]: _split(r["given"]) for r in rows("demographic_model.csv")}
    return Model(
        answers=answers,
        parents=parents,
        background=_background(instrument, parents) if fitted else {},
        background_missing={i: missing.get(i, 0.02) for i in instrument.items},
        traits=traits,
        teams=_teams(),
        hot_spots=_hot_spots(),
        instrument=instrument,
    )


def _latents(instrument: Instrument) -> dict[str, Latent]:
    effects: dict[str, dict[str, Floats]] = {}
    for row in rows("effects.csv"):
        groups = [g.label for g in instrument.breakdowns[row["breakdown"]].groups]
        position = groups.index(row["group"])
        for item, value in row.items():
            if item not in ("breakdown", "group") and value:
                of_item = effects.setdefault(item, {})
                of_item.setdefault(row["breakdown"], np.zeros(len(groups)))[position] = float(value)
    return {
        r["item"]: Latent(
            np.array([float(x) for x in _split(r["thresholds"])]), effects.get(r["item"], {})
        )
        for r in rows("thresholds.csv")
    }


def _background(
    instrument: Instrument, parents: Mapping[str, tuple[str, ...]]
) -> dict[str, dict[str, Floats]]:
    """Log-linear effects on the model year's answers: of an item itself (""), and its parents."""
    found: dict[str, dict[str, Floats]] = {}
    for row in rows("demographic_effects.csv"):
        values = np.array([float(x) for x in _split(row["effects"])])
        if not row["breakdown"]:
            found[row["item"]] = {"": values[None, :]}
            continue
        groups = [g.label for g in instrument.breakdowns[row["breakdown"]].groups]
        empty = np.zeros((len(groups), len(values)))
        table = found[row["item"]].setdefault(row["breakdown"], empty)
        table[groups.index(row["group"])] = values
    if set(found) != set(parents):
        raise InstrumentError("demographic_effects.csv lacks items of demographic_model.csv")
    return found


def _teams() -> tuple[Team, ...]:
    profiles: dict[str, dict[str, float]] = {}
    for row in rows("team_profiles.csv"):
        profiles.setdefault(row["profile"], {})[row["occupation"]] = float(row["weight"])
    return tuple(
        Team(r["directorate"], r["team"], float(r["people"]), profiles[r["profile"]])
        for r in rows("teams.csv")
    )


def _hot_spots() -> tuple[HotSpot, ...]:
    return tuple(
        HotSpot(
            id=r["hot_spot"],
            effect=r["effect"],
            target=r["target"],
            size=float(r["size"]),
            unit=r["unit"],
            names=_split(r["names"]),
            breakdown=r["breakdown"],
            group=r["group"],
            years=tuple(int(y) for y in _split(r["years"])),
            description=r["description"],
            seen_in=r["seen_in"],
        )
        for r in rows("hot_spots.csv")
    )
