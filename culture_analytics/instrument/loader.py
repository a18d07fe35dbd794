"""Read the questionnaire's definition files into an `Instrument`, and check them as one.

The files stand in ``instrument/data``; a folder of the same files can be given instead.
"""

from __future__ import annotations

import csv
import hashlib
import math
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from culture_analytics.errors import InstrumentError
from culture_analytics.instrument.culture import Scored, element_scores, mapped
from culture_analytics.instrument.model import (
    Breakdown,
    Gate,
    Group,
    Instrument,
    Item,
    Measure,
    Question,
    Scale,
    Score,
)

__all__ = ["DATA", "list_measures", "load_instrument"]

DATA = Path(__file__).parent / "data"

FILES = (
    "answer_aliases.csv",
    "breakdowns.csv",
    "category_breaks.csv",
    "demographics.csv",
    "indicators.toml",
    "item_codes.csv",
    "items.csv",
    "routing.csv",
    "scales.csv",
    "scores.toml",
)


def load_instrument(path: str | Path | None = None) -> Instrument:
    """The questionnaire of 2018-2025 as data.

    Parameters
    ----------
    path
        Folder holding the same files as the package's ``instrument/data``; default: those.

    Returns
    -------
    Instrument
        Frozen and cached: the same object for the same folder.

    Raises
    ------
    InstrumentError
        Files are missing or contradict one another; all problems are listed at once.

    Examples
    --------
    >>> instrument = load_instrument()
    >>> instrument.items["work_related_stress"].reported
    ('Yes',)
    >>> instrument.question("ethnic_group", 2025).scale.codes[13]
    'Asian: Filipino'
    """
    return _load(str(Path(path).resolve()) if path is not None else str(DATA))


def list_measures(
    domain: str | None = None, *, instrument: Instrument | None = None
) -> pd.DataFrame:
    """Every measure that can be asked for, a row each.

    Parameters
    ----------
    domain
        Keep one domain or collection only; default all.
    instrument
        Default: the package's own.

    Returns
    -------
    DataFrame
        Columns ``measure, label, short, unit, better, domain, items, source``.

    Examples
    --------
    >>> list_measures("bullying")["measure"].tolist()[:2]
    ['hba_patients', 'hba_managers']
    """
    instrument = instrument or load_instrument()
    chosen = (
        tuple(instrument.measures.values())
        if domain is None
        else instrument.resolve_measures(domain)
    )
    return pd.DataFrame(
        {
            "measure": [m.id for m in chosen],
            "label": [m.label for m in chosen],
            "short": [m.short for m in chosen],
            "unit": [m.unit for m in chosen],
            "better": [m.better for m in chosen],
            "domain": [m.domain for m in chosen],
            "items": [", ".join(dict.fromkeys(i for i, _ in m.parts)) for m in chosen],
            "source": [m.source for m in chosen],
        }
    )


@lru_cache(maxsize=4)
def _load(path: str) -> Instrument:
    folder = Path(path)
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise InstrumentError(
            f"{len(missing)} definition files are missing from {folder}: {', '.join(missing)}. "
            "Copy the package's instrument/data folder and change that."
        )
    scales = _scales(folder)
    items = _items(folder, scales)
    questions = _questions(folder, scales)
    breakdowns = _breakdowns(folder)
    scores = _scores(folder)
    with (folder / "indicators.toml").open("rb") as f:
        indicators = tomllib.load(f)
    domains = {k: tuple(v["measures"]) for k, v in indicators["domains"].items()}
    collections = {k: tuple(v["measures"]) for k, v in indicators["collections"].items()}
    measures = _measures(items, scores, indicators, domains)
    culture = _culture(folder, items, measures)
    by_item_year: dict[tuple[str, int], Question] = {}
    for question in questions:
        by_item_year.setdefault((question.item, question.year), question)
    instrument = Instrument(
        items=items,
        scales=scales,
        questions=questions,
        breakdowns=breakdowns,
        scores=scores,
        measures={**measures, **culture.measures},
        domains=domains,
        collections={**collections, **culture.collections},
        labels={
            **{k: v["label"] for t in ("domains", "collections") for k, v in indicators[t].items()},
            **culture.labels,
        },
        category_breaks=pd.read_csv(folder / "category_breaks.csv", encoding="utf-8"),
        version=_version(folder),
        path=path,
        _by_item_year=by_item_year,
        culture=culture.scores,
    )
    problems = list(_contradictions(instrument))
    if problems:
        raise InstrumentError(
            f"{len(problems)} contradictions in {folder}:\n  " + "\n  ".join(problems[:40])
        )
    return instrument


def _version(folder: Path) -> str:
    """A digest of every definition file, the package's own where the folder has none."""
    found = {
        file.name: file
        for place in dict.fromkeys((DATA, folder))
        for file in place.iterdir()
        if file.suffix in (".csv", ".toml")
    }
    digest = hashlib.sha256()
    for name, file in sorted(found.items()):
        content = file.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:12]


def _rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split("|")) if text else ()


def _scales(folder: Path) -> dict[str, Scale]:
    rows: dict[str, list[dict[str, str]]] = {}
    for row in _rows(folder, "scales.csv"):
        rows.setdefault(row["scale"], []).append(row)
    aliases: dict[str, dict[str, str]] = {}
    for row in _rows(folder, "answer_aliases.csv"):
        aliases.setdefault(row["scale"], {})[row["alias"]] = row["label"]
    found = {}
    for scale, answers in rows.items():
        answers.sort(key=lambda r: int(r["position"]))
        found[scale] = Scale(
            id=scale,
            labels=tuple(dict.fromkeys(r["label"] for r in answers)),
            codes={int(r["code"]): r["label"] for r in answers},
            scores=tuple(float(r["score"]) if r["score"] else math.nan for r in answers),
            aliases=aliases.get(scale, {}),
        )
    return found


def _items(folder: Path, scales: dict[str, Scale]) -> dict[str, Item]:
    gates: dict[str, list[Gate]] = {}
    for row in _rows(folder, "routing.csv"):
        gates.setdefault(row["item"], []).append(Gate(row["gate"], _split(row["answers"])))
    return {
        r["id"]: Item(
            id=r["id"],
            label=r["label"],
            kind=r["kind"],
            scale=scales[r["scale"]],
            reported=_split(r["reported"]),
            reported_label=r["reported_label"],
            better=r["better"],
            positive=_split(r["positive"]),
            positive_label=r["positive_label"],
            excluded=_split(r["excluded"]),
            gates=tuple(gates.get(r["id"], ())),
            source=r["source"],
            confidence=r["confidence"],
            notes=r["notes"],
        )
        for r in _rows(folder, "items.csv")
    }


def _questions(folder: Path, scales: dict[str, Scale]) -> tuple[Question, ...]:
    return tuple(
        Question(
            item=r["item"],
            year=int(r["year"]),
            number=r["number"],
            scale=scales[r["scale"]],
            variant=r["variant"],
            comparable=r["comparable"],
            change=r["change"],
            confidence=r["confidence"],
        )
        for r in _rows(folder, "item_codes.csv")
    )


def _breakdowns(folder: Path) -> dict[str, Breakdown]:
    groups: dict[str, list[Group]] = {}
    for r in sorted(_rows(folder, "demographics.csv"), key=lambda r: int(r["position"])):
        groups.setdefault(r["breakdown"], []).append(
            Group(
                label=r["group"],
                answers=_split(r["answers"]),
                reference=r["reference"] == "1",
                contrast=r["contrast"] == "1",
                published=r["published"],
            )
        )
    return {
        r["breakdown"]: Breakdown(
            id=r["breakdown"],
            label=r["label"],
            item=r["item"],
            characteristic=r["characteristic"],
            sets=_split(r["sets"]),
            published=r["published"],
            note=r["note"],
            groups=tuple(groups.get(r["breakdown"], ())),
        )
        for r in _rows(folder, "breakdowns.csv")
    }


def _scores(folder: Path) -> dict[str, Score]:
    with (folder / "scores.toml").open("rb") as f:
        raw = tomllib.load(f)
    found = {}
    for name, s in raw.items():
        gate = s.get("gate")
        found[name] = Score(
            id=name,
            code=s["code"],
            label=s["label"],
            kind=s["kind"],
            first_year=int(s["from"]),
            items=tuple(s.get("items", ())),
            min_items=int(s.get("min_items", 1)),
            parts=tuple(s.get("parts", ())),
            min_parts=int(s.get("min_parts", 1)),
            gate=Gate(gate["item"], tuple(gate["open"])) if gate else None,
            gate_zero=tuple(gate["zero"]) if gate else (),
            source=s["source"],
            confidence=s["confidence"],
        )
    return found


def _measures(
    items: dict[str, Item],
    scores: dict[str, Score],
    indicators: dict[str, Any],
    domains: dict[str, tuple[str, ...]],
) -> dict[str, Measure]:
    domain_of = {m: d for d, ids in reversed(domains.items()) for m in ids}
    short = indicators.get("short", {})
    found: dict[str, Measure] = {}

    def add(measure: Measure) -> None:
        if measure.id in found:
            raise InstrumentError(f"Measure {measure.id!r} is defined twice.")
        found[measure.id] = measure

    for item in items.values():
        if not item.reported:
            continue
        name = short.get(item.id, item.label)
        common = {
            "kind": "item",
            "unit": "percent",
            "domain": domain_of.get(item.id, ""),
            "source": item.source,
            "confidence": item.confidence,
        }
        add(
            Measure(
                id=item.id,
                label=item.reported_label,
                short=name,
                better=item.better,
                parts=((item.id, item.reported),),
                **common,
            )
        )
        if item.positive and set(item.positive) != set(item.reported):
            add(
                Measure(
                    id=f"{item.id}_positive",
                    label=item.positive_label,
                    short=f"{name} (positive score)",
                    better="higher",
                    parts=((item.id, item.positive),),
                    **common,
                )
            )
    for name, spec in indicators["measures"].items():
        if "any" in spec:
            parts = tuple((i, items[i].reported) for i in spec["any"])
        else:
            parts = ((spec["item"], tuple(spec["answers"])),)
        add(
            Measure(
                id=name,
                label=spec["label"],
                short=spec.get("short", spec["label"]),
                kind="any" if "any" in spec else "item",
                unit="percent",
                better=spec["better"],
                domain=domain_of.get(name, ""),
                parts=parts,
                source=spec["source"],
                confidence=spec["confidence"],
            )
        )
    for score in scores.values():
        add(
            Measure(
                id=score.id,
                label=f"{score.label} ({score.kind}, 0-10)",
                short=score.label,
                kind="score",
                unit="score",
                better="higher",
                domain=domain_of.get(score.id, ""),
                score=score.id,
                source=score.source,
                confidence=score.confidence,
            )
        )
    return found


def _culture(folder: Path, items: dict[str, Item], measures: dict[str, Measure]) -> Scored:
    """Scores of the model of culture; `load_culture_model` says what is wrong with a file."""
    file = folder / "culture.toml"
    try:
        raw = tomllib.loads((file if file.is_file() else DATA / file.name).read_text("utf-8-sig"))
        return element_scores(mapped(raw), items, measures)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, AttributeError, KeyError, TypeError):
        raise InstrumentError(
            f"{file} cannot be read. Try: load_culture_model({str(folder)!r}), which says why."
        ) from None


def _contradictions(ins: Instrument) -> Iterator[str]:
    """Everything in the files that cannot be true together."""
    yield from _item_faults(ins)
    yield from _number_faults(ins)
    yield from _breakdown_faults(ins)
    yield from _score_faults(ins)
    yield from _name_faults(ins)


def _item_faults(ins: Instrument) -> Iterator[str]:
    for item in ins.items.values():
        for name in ("reported", "positive", "excluded"):
            for label in set(getattr(item, name)) - set(item.labels):
                yield f"items.csv: {item.id}: {name} answer {label!r} is not on its scale"
        for gate in item.gates:
            if gate.item not in ins.items:
                yield f"routing.csv: {item.id}: unknown gate item {gate.item}"
            elif set(gate.answers) - set(ins.items[gate.item].labels):
                yield f"routing.csv: {item.id}: gate answers not on the scale of {gate.item}"


def _number_faults(ins: Instrument) -> Iterator[str]:
    for q in ins.questions:
        if q.item not in ins.items:
            yield f"item_codes.csv: unknown item {q.item}"
        elif set(q.scale.labels) - set(ins.items[q.item].labels):
            yield f"item_codes.csv: {q.item} {q.year}: {q.scale.id} has answers the item lacks"
    for year in ins.years:
        for number, asked in ins.numbers(year).items():
            if len({(q.item, q.variant) for q in asked}) != len(asked):
                yield f"item_codes.csv: {year}: {number} stands twice for one item"
            if len(asked) > 1 and any(q.variant not in ("form", "extract") for q in asked):
                yield f"item_codes.csv: {year}: {number} stands for {len(asked)} items"


def _breakdown_faults(ins: Instrument) -> Iterator[str]:
    for b in ins.breakdowns.values():
        if b.item not in ins.items:
            yield f"breakdowns.csv: {b.id}: unknown item {b.item}"
            continue
        used = [a for g in b.groups for a in g.answers]
        if len(used) != len(set(used)):
            yield f"demographics.csv: {b.id}: an answer stands in two groups"
        if set(used) != set(ins.items[b.item].labels):
            yield f"demographics.csv: {b.id}: groups do not cover the answers of {b.item} exactly"


def _score_faults(ins: Instrument) -> Iterator[str]:
    for s in ins.scores.values():
        for i in s.items:
            if i not in ins.items:
                yield f"scores.toml: {s.id}: unknown item {i}"
            elif all(math.isnan(x) for x in ins.items[i].scale.scores):
                yield f"scores.toml: {s.id}: item {i} has no points in scales.csv"
        for p in set(s.parts) - set(ins.scores):
            yield f"scores.toml: {s.id}: unknown sub-score {p}"
        if s.min_items > max(1, len(s.items)) or s.min_parts > max(1, len(s.parts)):
            yield f"scores.toml: {s.id}: more parts needed than it has"


def _name_faults(ins: Instrument) -> Iterator[str]:
    names = [*ins.measures, *ins.domains, *ins.collections]
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield f"indicators.toml: {name} is a measure, domain or collection twice over"
    for group in (ins.domains, ins.collections):
        for name, ids in group.items():
            for i in set(ids) - set(ins.measures):
                yield f"indicators.toml: {name}: unknown measure {i}"
