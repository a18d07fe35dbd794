"""Scores of the elements of culture, as measures that can be asked for like any other.

The model itself, with its reasons, is read by `culture_analytics.diagnose.load_culture_model`; here
stands only what turns its elements into scores, and its lists of measures into collections.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from culture_analytics.instrument.model import Item, Measure, Score

__all__ = [
    "CULTURE",
    "DIAGNOSED",
    "ELEMENTS",
    "EVIDENCE",
    "LEADERS",
    "OUTCOMES",
    "PREFIX",
    "TOPICS",
    "Mapped",
    "Scored",
    "element_scores",
    "mapped",
]

PREFIX = "culture_"
"""How the id of an element's measure begins; no other measure's does."""

ELEMENTS, OUTCOMES, CULTURE = "culture_elements", "culture_outcomes", "culture"
EVIDENCE, LEADERS = "culture_evidence", "culture_leaders"

TOPICS = ("culture", "culture_leaders", "culture_items")
"""Topics of a release that hold the tables of a diagnosis, as ``release.toml`` declares them."""

DIAGNOSED = ("culture_differences", "spots", "culture_changes", "drivers", "scale_quality")
"""Topics that are made of those tables, or of respondents, when a release is built."""

_LABELS = {
    ELEMENTS: "Elements of culture",
    OUTCOMES: "What culture is set against",
    CULTURE: "Elements of culture, outcomes, concerns and stressors",
    EVIDENCE: "Items behind the elements and conditions",
    LEADERS: "Leaders as a group",
}
_SOURCE = "this project's proposal (culture.toml): mean of the points of its items, 10 always best"


class Mapped(NamedTuple):
    """What of a model of culture becomes measures and collections."""

    elements: Mapping[str, tuple[str, tuple[str, ...]]]
    """Id -> label and counted items."""
    least_answered: float
    outcomes: tuple[str, ...]
    """Measures."""
    others: tuple[str, ...]
    """Measures of the concerns and items of the bridge."""
    evidence: tuple[str, ...]
    """Items and measures behind elements, outcomes and conditions."""
    leaders: tuple[str, ...]
    """Measures."""


class Scored(NamedTuple):
    """Elements as an instrument holds them."""

    scores: dict[str, Score]
    measures: dict[str, Measure]
    collections: dict[str, tuple[str, ...]]
    labels: dict[str, str]


def mapped(raw: Mapping[str, Any]) -> Mapped:
    """From the content of a ``culture.toml`` that was found to be sound."""

    def items(part: Mapping[str, Any], *, counted: bool = False) -> list[str]:
        sets = part.get("sets", ())
        return [i for s in sets if s.get("counts", True) or not counted for i in s["items"]]

    elements, outcomes = raw["elements"], raw.get("outcomes", {})
    proof = [e for c in raw.get("conditions", {}).values() for e in c.get("evidence", ())]
    evidence = [i for part in (*elements.values(), *outcomes.values()) for i in items(part)]
    evidence += [i for e in proof for i in (*e.get("items", ()), *e.get("measures", ()))]
    concerns = [m for c in raw.get("concerns", {}).values() for m in c["measures"]]
    return Mapped(
        elements={k: (e["label"], tuple(items(e, counted=True))) for k, e in elements.items()},
        least_answered=float(raw["model"].get("least_answered", 2 / 3)),
        outcomes=tuple(dict.fromkeys(o["measure"] for o in outcomes.values())),
        others=tuple(dict.fromkeys([*concerns, *_bridge(raw.get("bridge", {}))])),
        evidence=tuple(dict.fromkeys(evidence)),
        leaders=tuple(raw.get("leaders", {}).get("measures", ())),
    )


def _bridge(bridge: Mapping[str, Any]) -> list[str]:
    if not bridge:
        return []
    return [*bridge["domains"].values(), bridge["measure"]]


def element_scores(
    model: Mapped, items: Mapping[str, Item], measures: Mapping[str, Measure]
) -> Scored:
    """Scores, measures and collections of a model, as far as the questionnaire has its items.

    Parameters
    ----------
    model
        See `mapped`.
    items, measures
        Of the questionnaire, without those of a model.
    """
    scores: dict[str, Score] = {}
    own: dict[str, Measure] = {}
    for name, (label, wanted) in model.elements.items():
        if not wanted or any(i not in items for i in wanted):
            continue
        score = Score(
            id=f"{PREFIX}{name}",
            code="",
            label=label,
            kind="element of culture",
            first_year=0,
            items=wanted,
            source=_SOURCE,
            confidence="low",
            share=model.least_answered,
        )
        scores[score.id] = score
        own[score.id] = Measure(
            id=score.id,
            label=f"{label} ({score.kind}, 0-10)",
            short=label,
            kind="element",
            unit="score",
            better="higher",
            domain="",
            score=score.id,
            source=_SOURCE,
            confidence="low",
        )

    def known(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(m for m in names if m in measures or m in own))

    found = {
        ELEMENTS: tuple(own),
        OUTCOMES: known(model.outcomes),
        CULTURE: known([*own, *model.outcomes, *model.others]),
        EVIDENCE: known(model.evidence),
        LEADERS: known([*model.leaders, *own]),
    }
    collections = {k: v for k, v in found.items() if v}
    return Scored(scores, own, collections, {k: _LABELS[k] for k in collections})
