"""The model of culture as data: elements, outcomes, concerns and the framework's five conditions.

It stands in ``instrument/data/culture.toml``, whose head explains the shape; a file of your own of
the same shape can be given instead. Every mapping says whether it is a proposal, and why.
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from culture_analytics.errors import InstrumentError, MeasureError
from culture_analytics.instrument import Instrument, load_instrument
from culture_analytics.instrument.culture import CULTURE, PREFIX, Mapped, element_scores
from culture_analytics.instrument.loader import DATA

__all__ = [
    "STRENGTHS",
    "Bridge",
    "Concern",
    "Condition",
    "CultureModel",
    "Element",
    "Evidence",
    "ItemSet",
    "Leaders",
    "Outcome",
    "load_culture_model",
    "usable_culture_model",
]

STRENGTHS = ("strong", "partial", "weak", "none")
"""How strongly items speak to something, strongest first."""

_SCORED = ("strong", "partial")
_STATUSES = ("proposal", "sourced")
_MOST_SHOWN = 40
_SECTIONS = {
    "model", "elements", "outcomes", "concerns", "leaders", "conditions", "bridge",
}  # fmt: skip


@dataclass(frozen=True)
class ItemSet:
    """Items that speak to one thing for one reason."""

    items: tuple[str, ...]
    reason: str
    status: str  # proposal | sourced
    counts: bool = True  # part of the score
    source: str = ""


@dataclass(frozen=True)
class Element:
    """An element of culture."""

    id: str
    label: str
    meaning: str
    sets: tuple[ItemSet, ...]

    @property
    def items(self) -> tuple[str, ...]:
        """The items of its score."""
        return tuple(i for s in self.sets if s.counts for i in s.items)

    @property
    def also(self) -> tuple[str, ...]:
        """Items that speak to it and are no part of its score."""
        return tuple(i for s in self.sets if not s.counts for i in s.items)


@dataclass(frozen=True)
class Outcome:
    """What culture is set against: a measure, and the items behind it."""

    id: str
    label: str
    measure: str
    sets: tuple[ItemSet, ...]
    set_against: bool = False  # whether importance of the elements is taken from it

    @property
    def items(self) -> tuple[str, ...]:
        """Every item named for it, part of its measure or not."""
        return tuple(dict.fromkeys(i for s in self.sets for i in s.items))


@dataclass(frozen=True)
class Concern:
    """Something the framework is worried about, or hopes for."""

    id: str
    label: str
    measures: tuple[str, ...]
    reason: str
    status: str


@dataclass(frozen=True)
class Evidence:
    """What the survey has to say on a condition, and how strongly."""

    items: tuple[str, ...]
    measures: tuple[str, ...]
    strength: str
    reason: str
    status: str
    source: str = ""


@dataclass(frozen=True)
class Condition:
    """One of the framework's conditions."""

    id: str
    number: int
    label: str
    coverage: str  # one of STRENGTHS, of the condition as a whole
    says: str
    cannot_show: str
    other_evidence: tuple[str, ...]
    evidence: tuple[Evidence, ...]

    @property
    def scored(self) -> bool:
        """Whether the survey sees enough of it for any figure to stand for it."""
        return self.coverage in _SCORED


@dataclass(frozen=True)
class Leaders:
    """The groups that come nearest to leaders, and what to look at in them."""

    label: str
    breakdown: str
    groups: tuple[str, ...]
    measures: tuple[str, ...]
    strength: str
    reason: str
    status: str


@dataclass(frozen=True)
class Bridge:
    """Items by domain of another instrument."""

    label: str
    measure: str
    domains: Mapping[str, str]  # domain -> item
    reason: str
    status: str


@dataclass(frozen=True, eq=False)
class CultureModel:
    """A whole model; use `load_culture_model`."""

    id: str
    version: str
    label: str
    note: str
    sources: tuple[str, ...]
    least_answered: float  # part of an element's items that a score needs
    elements: Mapping[str, Element]
    outcomes: Mapping[str, Outcome]
    concerns: Mapping[str, Concern]
    conditions: Mapping[str, Condition]
    leaders: Leaders | None
    bridge: Bridge | None
    digest: str = field(repr=False)  # of the file: which model a result was made with

    def __repr__(self) -> str:
        return (
            f"<CultureModel {self.id} {self.version}: {len(self.elements)} elements, "
            f"{len(self.outcomes)} outcomes, {len(self.conditions)} conditions>"
        )

    def element_items(
        self, element: str, *, year: int | None = None, against: str | None = None,
        instrument: Instrument | None = None,
    ) -> tuple[str, ...]:  # fmt: skip
        """Items of an element's score.

        Parameters
        ----------
        element
            Id of an element.
        year
            Keep only those asked that year; default all.
        against
            Id of an outcome whose items are left out: an element does not go with an outcome for
            sharing its items.
        instrument
            Default: the package's own.

        Raises
        ------
        MeasureError
            There is no such element or outcome.

        Examples
        --------
        >>> model = load_culture_model()
        >>> model.element_items("collective_leadership", against="engagement")
        ('choice_how_to_work', 'involved_in_changes', 'manager_asks_opinion')
        """
        ins = instrument or load_instrument()
        if element not in self.elements:
            raise MeasureError(f"No element {element!r}; there are: {', '.join(self.elements)}.")
        if against is not None and against not in self.outcomes:
            raise MeasureError(f"No outcome {against!r}; there are: {', '.join(self.outcomes)}.")
        left_out = set(self.outcomes[against].items) if against else set()
        return tuple(
            i
            for i in self.elements[element].items
            if i not in left_out and (year is None or ins.asked(i, year))
        )

    def extend(self, instrument: Instrument | None = None) -> Instrument:
        """The questionnaire with this model's elements as measures, in place of others.

        Parameters
        ----------
        instrument
            Default: the package's own, which has the elements of the package's model already.

        Returns
        -------
        Instrument
            With a 0-10 score ``culture_<element>`` for each element, together the collection
            ``culture_elements``. A Survey takes it by ``dataclasses.replace(survey,
            instrument=...)``.

        Examples
        --------
        >>> instrument = load_culture_model().extend()
        >>> instrument.resolve_measures("culture_elements")[0].id
        'culture_vision_and_values'
        """
        ins = instrument or load_instrument()
        official = {k: m for k, m in ins.measures.items() if m.id not in ins.culture}
        made = element_scores(self._mapped(), ins.items, official)

        def without_model(given: Mapping[str, Any]) -> dict[str, Any]:
            return {k: v for k, v in given.items() if not _of_a_model(k)}

        return replace(
            ins,
            measures={**official, **made.measures},
            collections={**without_model(ins.collections), **made.collections},
            labels={**without_model(ins.labels), **made.labels},
            culture=made.scores,
        )

    def _mapped(self) -> Mapped:
        proof = [e for c in self.conditions.values() for e in c.evidence]
        evidence = [i for e in self.elements.values() for i in (*e.items, *e.also)]
        evidence += [i for o in self.outcomes.values() for i in o.items]
        evidence += [i for e in proof for i in (*e.items, *e.measures)]
        concerns = [m for c in self.concerns.values() for m in c.measures]
        bridge = [*self.bridge.domains.values(), self.bridge.measure] if self.bridge else []
        return Mapped(
            elements={e.id: (e.label, e.items) for e in self.elements.values()},
            least_answered=self.least_answered,
            outcomes=tuple(dict.fromkeys(o.measure for o in self.outcomes.values())),
            others=tuple(dict.fromkeys([*concerns, *bridge])),
            evidence=tuple(dict.fromkeys(evidence)),
            leaders=self.leaders.measures if self.leaders else (),
        )

    @property
    def set_against(self) -> tuple[Outcome, ...]:
        """Outcomes that the elements are set against; all, where the file marks none."""
        marked = tuple(o for o in self.outcomes.values() if o.set_against)
        return marked or tuple(self.outcomes.values())

    def table(self) -> pd.DataFrame:
        """Every mapping, a row for each item or measure.

        Returns
        -------
        DataFrame
            Columns ``part, id, label, evidence, counts, strength, status, reason``: the part of the
            model, what is mapped to it, whether it is scored, and why.

        Examples
        --------
        >>> table = load_culture_model().table()
        >>> table.loc[table["part"].eq("condition"), "strength"].unique().tolist()
        ['weak', 'strong', 'partial', 'none']
        """
        rows: list[dict[str, Any]] = []

        def add(part: str, of: Any, names: Iterable[str], s: Any, **more: Any) -> None:
            common = {
                "part": part, "id": of.id, "label": of.label, "counts": False, "strength": "",
                "status": s.status, "reason": s.reason,
            }  # fmt: skip
            rows.extend({**common, "evidence": name, **more} for name in names)

        for element in self.elements.values():
            for s in element.sets:
                add("element", element, s.items, s, counts=s.counts)
        for outcome in self.outcomes.values():
            for s in outcome.sets:
                add("outcome", outcome, s.items, s, counts=s.counts)
        for concern in self.concerns.values():
            add("concern", concern, concern.measures, concern)
        for condition in self.conditions.values():
            for e in condition.evidence:
                add("condition", condition, (*e.items, *e.measures), e, strength=e.strength)
        columns = ["part", "id", "label", "evidence", "counts", "strength", "status", "reason"]
        return pd.DataFrame(rows, columns=columns)


def _of_a_model(name: str) -> bool:
    """Whether a collection is made from a model of culture."""
    return name == CULTURE or name.startswith(PREFIX)


def load_culture_model(
    path: str | Path | None = None, *, instrument: Instrument | None = None
) -> CultureModel:
    """The model of culture, checked against the questionnaire.

    Parameters
    ----------
    path
        A TOML file of the shape of the package's ``instrument/data/culture.toml``, or a folder that
        holds a ``culture.toml``; default: the package's own.
    instrument
        The questionnaire its items belong to; default: the package's own.

    Returns
    -------
    CultureModel
        Frozen; cached for the same file while it does not change.

    Raises
    ------
    InstrumentError
        The file is missing, is no TOML, or names items, measures, groups or words that do not
        exist; all problems are listed at once.

    Examples
    --------
    >>> model = load_culture_model()
    >>> [c.coverage for c in model.conditions.values()]
    ['weak', 'partial', 'weak', 'partial', 'none']
    """
    file = _file(path)
    return _load(file, file.read_bytes(), instrument or load_instrument())


def usable_culture_model(
    path: str | Path, *, instrument: Instrument | None = None
) -> tuple[CultureModel, tuple[str, ...]]:
    """A model of one's own without what the questionnaire does not have, and what was left out.

    Parameters
    ----------
    path, instrument
        As `load_culture_model`.

    Returns
    -------
    CultureModel, tuple of str
        Without unknown items and measures, and without parts of which nothing is left; a sentence
        for each of these. A sound file is given back whole.

    Raises
    ------
    InstrumentError
        The file is missing, is no TOML, or is faulty in other ways.
    """
    ins = instrument or load_instrument()
    file = _file(path)
    content = file.read_bytes()
    raw = _raw(file, content)
    digest = hashlib.sha256(content).hexdigest()[:12]
    if list(_shape_faults(raw)):
        return load_culture_model(path, instrument=ins), ()  # says what is wrong
    left_out = tuple(_name_faults(_model(raw, digest), ins))
    if not left_out:
        return load_culture_model(path, instrument=ins), ()
    model = _model(_known_only(raw, ins), digest)
    _raise_faults(file.name, list(_faults(model, ins)))
    return model, tuple(f"{file.name}: {fault}; left out." for fault in left_out)


def _known_only(raw: Mapping[str, Any], ins: Instrument) -> dict[str, Any]:
    """The content of a file without items and measures that the questionnaire does not have."""

    def items(names: Iterable[str]) -> list[str]:
        return [i for i in names if i in ins.items]

    def measures(names: Iterable[str]) -> list[str]:
        return [m for m in names if m in ins.measures]

    def with_sets(part: Mapping[str, Any]) -> dict[str, Any]:
        sets = [{**s, "items": items(s["items"])} for s in part["sets"]]
        return {**part, "sets": [s for s in sets if s["items"]]}

    def counted(part: Mapping[str, Any]) -> int:
        return sum(len(s["items"]) for s in part["sets"] if s.get("counts", True))

    def with_evidence(condition: Mapping[str, Any]) -> dict[str, Any]:
        kept = [
            {**e, "items": items(e.get("items", ())), "measures": measures(e.get("measures", ()))}
            for e in condition.get("evidence", ())
        ]
        return {**condition, "evidence": [e for e in kept if e["items"] or e["measures"]]}

    found = dict(raw)
    elements = {k: with_sets(e) for k, e in raw["elements"].items()}
    found["elements"] = {k: e for k, e in elements.items() if counted(e) > 1}
    outcomes = {k: with_sets(o) for k, o in raw.get("outcomes", {}).items()}
    found["outcomes"] = {k: o for k, o in outcomes.items() if o["measure"] in ins.measures}
    concerns = {k: {**c, "measures": measures(c["measures"])} for k, c in _part(raw, "concerns")}
    found["concerns"] = {k: c for k, c in concerns.items() if c["measures"]}
    found["conditions"] = {k: with_evidence(c) for k, c in _part(raw, "conditions")}
    if raw.get("leaders"):
        found["leaders"] = {**raw["leaders"], "measures": measures(raw["leaders"]["measures"])}
    bridge = raw.get("bridge")
    if bridge:
        domains = {d: i for d, i in bridge["domains"].items() if i in ins.items}
        known = domains and bridge["measure"] in ins.measures
        found["bridge"] = {**bridge, "domains": domains} if known else None
    return found


def _part(raw: Mapping[str, Any], name: str) -> Iterable[tuple[str, Any]]:
    found: Mapping[str, Any] = raw.get(name, {})
    return found.items()


def _file(path: str | Path | None) -> Path:
    file = DATA / "culture.toml" if path is None else Path(path)
    if file.is_dir():
        file = file / "culture.toml"
    if not file.is_file():
        raise InstrumentError(
            f"No model of culture at {file}. Try: copy culture.toml from {DATA} and change that."
        )
    return file


@lru_cache(maxsize=4)
def _load(file: Path, content: bytes, instrument: Instrument) -> CultureModel:
    raw = _raw(file, content)
    _raise_faults(file.name, list(_shape_faults(raw)))
    model = _model(raw, hashlib.sha256(content).hexdigest()[:12])
    _raise_faults(file.name, list(_faults(model, instrument)))
    return model


def _raw(file: Path, content: bytes) -> dict[str, Any]:
    try:
        # Notepad begins files with a mark that TOML does not know.
        return tomllib.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise InstrumentError(f"{file.name} is no TOML file in UTF-8: {problem}.") from None


def _raise_faults(name: str, faults: Sequence[str]) -> None:
    if not faults:
        return
    more = f"\n  and {len(faults) - _MOST_SHOWN} more" if len(faults) > _MOST_SHOWN else ""
    one = len(faults) == 1
    raise InstrumentError(
        f"{len(faults)} problem{'' if one else 's'} in {name}:\n  "
        + "\n  ".join(faults[:_MOST_SHOWN])
        + more
    )


# -- shape -----------------------------------------------------------------------------------------

# What a table must and may have, and of what kind.
_TEXT, _LIST, _TABLES = "text", "a list of text", "tables"
_FLAG, _NUMBER = "true or false", "a number"
_Shape = dict[str, str]
_SET: tuple[_Shape, _Shape] = (
    {"items": _LIST, "status": _TEXT, "reason": _TEXT},
    {"counts": _FLAG, "source": _TEXT},
)
_SHAPES: dict[str, tuple[_Shape, _Shape]] = {
    "model": (
        {"id": _TEXT, "version": _TEXT, "label": _TEXT},
        {"note": _TEXT, "least_answered": _NUMBER, "sources": _LIST},
    ),
    "elements": ({"label": _TEXT, "sets": _TABLES}, {"meaning": _TEXT}),
    "outcomes": ({"label": _TEXT, "measure": _TEXT, "sets": _TABLES}, {"set_against": _FLAG}),
    "concerns": ({"label": _TEXT, "measures": _LIST, "status": _TEXT, "reason": _TEXT}, {}),
    "conditions": (
        {
            "number": _NUMBER, "label": _TEXT, "coverage": _TEXT, "says": _TEXT,
            "cannot_show": _TEXT, "other_evidence": _LIST,
        },
        {"evidence": _TABLES},
    ),
    "evidence": (
        {"strength": _TEXT, "status": _TEXT, "reason": _TEXT},
        {"items": _LIST, "measures": _LIST, "source": _TEXT},
    ),
    "leaders": (
        {
            "label": _TEXT, "breakdown": _TEXT, "groups": _LIST, "measures": _LIST,
            "strength": _TEXT, "status": _TEXT, "reason": _TEXT,
        },
        {},
    ),
    "bridge": (
        {"label": _TEXT, "measure": _TEXT, "status": _TEXT, "reason": _TEXT, "domains": "a table"},
        {},
    ),
}  # fmt: skip


def _is(value: Any, kind: str) -> bool:
    if kind == _TEXT:
        return isinstance(value, str)
    if kind == _FLAG:
        return isinstance(value, bool)
    if kind == _NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == _LIST:
        return isinstance(value, list) and all(isinstance(v, str) for v in value)
    if kind == _TABLES:
        return isinstance(value, list) and all(isinstance(v, dict) for v in value)
    return isinstance(value, dict) and all(isinstance(v, str) for v in value.values())


def _of_shape(where: str, table: Any, shape: tuple[_Shape, _Shape]) -> Iterator[str]:
    if not isinstance(table, dict):
        yield f"{where}: a table is needed"
        return
    must, may = shape
    for key in must:
        if key not in table:
            yield f"{where}: {key!r} is missing"
    for key, value in table.items():
        kind = must.get(key) or may.get(key)
        if kind is None:
            known = ", ".join([*must, *may])
            yield f"{where}: {key!r} is not known here; there are: {known}"
        elif not _is(value, kind):
            yield f"{where}: {key!r} must be {kind}"


def _shape_faults(raw: Mapping[str, Any]) -> Iterator[str]:
    for section in sorted(set(raw) - _SECTIONS):
        yield f"[{section}] is not known; there are: {', '.join(sorted(_SECTIONS))}"
    if "model" not in raw:
        yield "[model] is missing"
    if not raw.get("elements"):
        yield "[elements] is missing: at least one element is needed"
    for section in ("model", "leaders", "bridge"):
        if section in raw:
            yield from _of_shape(section, raw[section], _SHAPES[section])
    for section in ("elements", "outcomes", "concerns", "conditions"):
        tables = raw.get(section, {})
        if not isinstance(tables, dict):
            yield f"[{section}]: a table is needed"
            continue
        for name, table in tables.items():
            where = f"{section}.{name}"
            faults = list(_of_shape(where, table, _SHAPES[section]))
            yield from faults
            for inner, shape in (("sets", _SET), ("evidence", _SHAPES["evidence"])):
                if not faults:
                    for at, one in enumerate(table.get(inner, ()), 1):
                        yield from _of_shape(f"{where}.{inner} {at}", one, shape)


# -- from tables to nouns --------------------------------------------------------------------------


def _sets(raw: Mapping[str, Any]) -> tuple[ItemSet, ...]:
    return tuple(
        ItemSet(
            items=tuple(s["items"]),
            reason=s["reason"],
            status=s["status"],
            counts=s.get("counts", True),
            source=s.get("source", ""),
        )
        for s in raw["sets"]
    )


def _evidence(raw: Mapping[str, Any]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            items=tuple(e.get("items", ())),
            measures=tuple(e.get("measures", ())),
            strength=e["strength"],
            reason=e["reason"],
            status=e["status"],
            source=e.get("source", ""),
        )
        for e in raw.get("evidence", ())
    )


def _model(raw: Mapping[str, Any], digest: str) -> CultureModel:
    head = raw["model"]
    leaders, bridge = raw.get("leaders"), raw.get("bridge")
    return CultureModel(
        id=head["id"],
        version=head["version"],
        label=head["label"],
        note=head.get("note", ""),
        sources=tuple(head.get("sources", ())),
        least_answered=float(head.get("least_answered", 2 / 3)),
        elements={
            name: Element(name, e["label"], e.get("meaning", ""), _sets(e))
            for name, e in raw["elements"].items()
        },
        outcomes={
            name: Outcome(name, o["label"], o["measure"], _sets(o), o.get("set_against", False))
            for name, o in raw.get("outcomes", {}).items()
        },
        concerns={
            name: Concern(name, c["label"], tuple(c["measures"]), c["reason"], c["status"])
            for name, c in raw.get("concerns", {}).items()
        },
        conditions={
            name: Condition(
                id=name,
                number=int(c["number"]),
                label=c["label"],
                coverage=c["coverage"],
                says=c["says"],
                cannot_show=c["cannot_show"],
                other_evidence=tuple(c["other_evidence"]),
                evidence=_evidence(c),
            )
            for name, c in raw.get("conditions", {}).items()
        },
        leaders=(
            Leaders(
                label=leaders["label"],
                breakdown=leaders["breakdown"],
                groups=tuple(leaders["groups"]),
                measures=tuple(leaders["measures"]),
                strength=leaders["strength"],
                reason=leaders["reason"],
                status=leaders["status"],
            )
            if leaders
            else None
        ),
        bridge=(
            Bridge(
                label=bridge["label"],
                measure=bridge["measure"],
                domains=dict(bridge["domains"]),
                reason=bridge["reason"],
                status=bridge["status"],
            )
            if bridge
            else None
        ),
        digest=digest,
    )


# -- what cannot be true ---------------------------------------------------------------------------


def _faults(model: CultureModel, ins: Instrument) -> Iterator[str]:
    if not 0 < model.least_answered <= 1:
        yield "model: least_answered must lie above 0 and up to 1"
    yield from _name_faults(model, ins)
    yield from _reason_faults(model)
    yield from _element_faults(model, ins)
    yield from _condition_faults(model)
    if model.leaders:
        yield from _leader_faults(model.leaders, ins)


def _near(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, list(known), n=2)
    return f" (nearest: {', '.join(near)})" if near else ""


def _name_faults(model: CultureModel, ins: Instrument) -> Iterator[str]:
    """Items and measures that the questionnaire does not have."""
    items: list[tuple[str, str]] = []
    measures: list[tuple[str, str]] = []
    for part, of in (("elements", model.elements), ("outcomes", model.outcomes)):
        for name, one in of.items():
            items += [(f"{part}.{name}", i) for s in one.sets for i in s.items]
    measures += [(f"outcomes.{o.id}", o.measure) for o in model.outcomes.values()]
    measures += [(f"concerns.{c.id}", m) for c in model.concerns.values() for m in c.measures]
    for condition in model.conditions.values():
        for e in condition.evidence:
            items += [(f"conditions.{condition.id}", i) for i in e.items]
            measures += [(f"conditions.{condition.id}", m) for m in e.measures]
    if model.leaders:
        measures += [("leaders", m) for m in model.leaders.measures]
    if model.bridge:
        items += [("bridge.domains", i) for i in model.bridge.domains.values()]
        measures += [("bridge", model.bridge.measure)]
    for where, item in items:
        if item not in ins.items:
            yield f"{where}: unknown item {item!r}{_near(item, ins.items)}"
    for where, measure in measures:
        if measure not in ins.measures:
            yield f"{where}: unknown measure {measure!r}{_near(measure, ins.measures)}"


def _reason_faults(model: CultureModel) -> Iterator[str]:
    """Mappings that do not say what they rest on."""
    found: list[tuple[str, Any]] = []
    for part, of in (("elements", model.elements), ("outcomes", model.outcomes)):
        for name, one in of.items():
            found += [(f"{part}.{name}.sets {at}", s) for at, s in enumerate(one.sets, 1)]
    found += [(f"concerns.{c.id}", c) for c in model.concerns.values()]
    for c in model.conditions.values():
        found += [(f"conditions.{c.id}.evidence {at}", e) for at, e in enumerate(c.evidence, 1)]
    found += [(n, one) for n, one in (("leaders", model.leaders), ("bridge", model.bridge)) if one]
    for where, one in found:
        if not one.reason.strip():
            yield f"{where}: the reason is empty"
        if one.status not in _STATUSES:
            yield f"{where}: status {one.status!r}; there are: {', '.join(_STATUSES)}"
        elif one.status == "sourced" and not getattr(one, "source", "").strip():
            yield f"{where}: status 'sourced' needs a source"


def _element_faults(model: CultureModel, ins: Instrument) -> Iterator[str]:
    counted: dict[str, str] = {}
    for element in model.elements.values():
        where = f"elements.{element.id}"
        if len(element.items) < 2:
            yield f"{where}: {len(element.items)} items count in its score; 2 are needed"
        for item in element.items:
            if item in counted:
                yield (
                    f"{where}: item {item!r} counts in {counted[item]} already. "
                    "Try: counts = false in one of the two"
                )
            counted.setdefault(item, element.id)
            known = ins.items.get(item)
            if known is not None and all(math.isnan(x) for x in known.scale.scores):
                yield f"{where}: item {item!r} has no points. Try: counts = false"


def _condition_faults(model: CultureModel) -> Iterator[str]:
    numbers = [c.number for c in model.conditions.values()]
    for number in sorted({n for n in numbers if numbers.count(n) > 1}):
        yield f"conditions: number {number} stands {numbers.count(number)} times"
    for c in model.conditions.values():
        where = f"conditions.{c.id}"
        for e in c.evidence:
            if e.strength not in STRENGTHS:
                yield f"{where}: strength {e.strength!r}; there are: {', '.join(STRENGTHS)}"
            if not e.items and not e.measures:
                yield f"{where}: evidence without items or measures"
        if c.coverage not in STRENGTHS:
            yield f"{where}: coverage {c.coverage!r}; there are: {', '.join(STRENGTHS)}"
            continue
        places = [STRENGTHS.index(e.strength) for e in c.evidence if e.strength in STRENGTHS]
        if STRENGTHS.index(c.coverage) < min(places, default=len(STRENGTHS) - 1):
            yield f"{where}: coverage {c.coverage!r} is stronger than any of its evidence"
        if not c.scored and not c.other_evidence:
            yield f"{where}: the survey cannot see it; say what other evidence to collect"


def _leader_faults(leaders: Leaders, ins: Instrument) -> Iterator[str]:
    if leaders.strength not in STRENGTHS:
        yield f"leaders: strength {leaders.strength!r}; there are: {', '.join(STRENGTHS)}"
    breakdown = ins.breakdowns.get(leaders.breakdown)
    if breakdown is None:
        yield f"leaders: unknown breakdown {leaders.breakdown!r}" + _near(
            leaders.breakdown, ins.breakdowns
        )
        return
    known = [g.label for g in breakdown.groups]
    for group in leaders.groups:
        if group not in known:
            yield f"leaders: {leaders.breakdown} has no group {group!r}{_near(group, known)}"
