"""The guard: whether the figures of two years are one series, and if not, why.

Everything it knows is data: ``comparability.toml``, and what ``item_codes.csv`` and
``category_breaks.csv`` say of single questions and answers.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import pandas as pd

from culture_analytics.compare.successions import Successions, said
from culture_analytics.errors import InstrumentError
from culture_analytics.instrument import Instrument, load_instrument
from culture_analytics.instrument.loader import DATA

__all__ = ["CARE", "NO", "NOTE", "Guard", "Reason", "Side", "beside"]

NO, CARE, NOTE = "no", "care", "note"
_ORDER = {NO: 0, CARE: 1, NOTE: 2}
NEW = "first offered"  # how category_breaks.csv begins the note of an answer that was not there
PUBLISHED_PLACES = ("overall", "region", "ics", "benchmark_group")


@dataclass(frozen=True)
class Reason:
    """Why two figures do not compare, or what to keep in mind: `strength` and one sentence."""

    strength: str  # no | care | note
    text: str
    org: str = ""  # where it is about one organisation and all its measures


@dataclass(frozen=True)
class Side:
    """What one of the two rows says of itself."""

    year: int
    source: str
    weighting: str
    release: str
    org: str = ""  # blank where the organisation has no figure at all, or is not asked about


@dataclass(frozen=True, eq=False)
class Guard:
    """Judges pairs of rows.

    Parameters
    ----------
    instrument
        The questionnaire of all years.
    published
        For each release the measures that it has any figure of.
    successions
        Organisations that became others.
    """

    instrument: Instrument
    published: Mapping[str, frozenset[str]] = field(default_factory=dict)
    successions: Successions = field(default_factory=lambda: Successions.of(None), repr=False)
    _seen: dict[Any, tuple[Reason, ...]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        instrument: Instrument | None = None,
        successors: pd.DataFrame | None = None,
    ) -> Guard:
        """For the rows of some results."""
        shown = frame.loc[frame["source"].eq("published") & frame["status"].eq("ok")]
        pairs = shown[["release", "measure"]].drop_duplicates()
        releases = {str(r): frozenset(g["measure"]) for r, g in pairs.groupby("release")}
        absent = {str(r): frozenset[str]() for r in pd.unique(frame["release"])}
        return cls(
            instrument or load_instrument(), {**absent, **releases}, Successions.of(successors)
        )

    def reasons(
        self, measure: str, groups: tuple[tuple[str, str], ...], earlier: Side, later: Side
    ) -> tuple[Reason, ...]:
        """All that is to be said of a pair of rows, the gravest first.

        Parameters
        ----------
        measure
            Id of the measure or item.
        groups
            The (breakdown, group) pairs of the cell.
        earlier, later
            The two rows.
        """
        found = dict.fromkeys(self._of_measure(measure, earlier, later))
        for breakdown, group in groups:
            found.update((r, None) for r in self._of_group(breakdown, group, earlier, later))
        return tuple(sorted(found, key=lambda r: _ORDER[r.strength]))

    # -- the measure ----------------------------------------------------------------------

    def _of_measure(self, measure: str, earlier: Side, later: Side) -> tuple[Reason, ...]:
        key = (measure, earlier, later)
        if key not in self._seen:
            found = [*self._organisation(earlier, later), *_labels(earlier, later)]
            found += self._breaks(measure, earlier, later)
            found += self._changes(measure, earlier, later)
            self._seen[key] = tuple(found)
        return self._seen[key]

    def _organisation(self, earlier: Side, later: Side) -> Iterator[Reason]:
        """Whether the organisation came out of a merger between the two surveys."""
        mergers = self.successions.made(later.org, earlier.year, later.year) if later.org else ()
        if not mergers:
            return
        one = earlier.release == later.release or later.source == "extract"
        restated = one and earlier.org == later.org
        entry = _data()["general"]["organisation_restated" if restated else "organisation"]
        yield Reason(entry["strength"], _says(entry, mergers=said(mergers)), later.org)

    def _breaks(self, measure: str, earlier: Side, later: Side) -> Iterator[Reason]:
        for entry in _data()["breaks"]:
            if not self._concerns(entry, measure) or not _hits(entry, earlier, later):
                continue
            first = entry.get("first_release")
            if first and any(self._is_first(first, side, entry) for side in (earlier, later)):
                yield Reason(first["strength"], first["reason"])
            else:
                yield Reason(entry["strength"], entry["reason"])

    def _concerns(self, entry: Mapping[str, Any], measure: str) -> bool:
        if "measures" in entry and measure in entry["measures"]:
            return True
        if "items" in entry:
            return bool(self._items(measure) & set(entry["items"]))
        return "measures" not in entry

    def _is_first(self, first: Mapping[str, Any], side: Side, entry: Mapping[str, Any]) -> bool:
        return (
            side.source == "published"
            and side.year == entry["only"]
            and bool(re.search(first["release"], side.release))
            and not (set(first["without"]) & self.published.get(side.release, frozenset()))
        )

    def _changes(self, measure: str, earlier: Side, later: Side) -> Iterator[Reason]:
        """Changes of its questions, as the questionnaire's files have them."""
        replaced = {
            (item, entry["only"])
            for entry in _data()["breaks"]
            if entry.get("replaces_changes")
            for item in entry["items"]
        }
        general = _data()["general"]
        whole = measure not in self.instrument.scores and measure not in self.instrument.culture
        yield from self._other_items(measure, earlier, later)
        for item in sorted(self._items(measure)):
            for year in range(earlier.year + 1, later.year + 1):
                question = self.instrument.question(item, year)
                if question is None or (item, year) in replaced:
                    continue
                strength = general["words"].get(question.comparable)
                if strength is None:
                    continue
                # A score holds several questions: one that changed does not end its series.
                text = _says(general["changed_item"], year=year, change=question.change)
                if whole:
                    text = f"the question changed in {year}: {question.change}"
                yield Reason(strength if whole else general["changed_item"]["strength"], text)

    def _other_items(self, measure: str, earlier: Side, later: Side) -> Iterator[Reason]:
        """An element of culture whose items were not the same in the two years."""
        score = self.instrument.culture.get(measure)
        if score is None:
            return
        before, after = (
            {i for i in score.items if self.instrument.asked(i, side.year)}
            for side in (earlier, later)
        )
        if before and after and before != after:
            entry = _data()["general"]["other_items"]
            counts = {"both": len(before & after), "items": len(before | after)}
            said = _says(entry, earlier=earlier.year, later=later.year, **counts)
            yield Reason(entry["strength"], said)

    def _items(self, measure: str) -> frozenset[str]:
        """Items that a measure, score or answer distribution is made of."""
        return self._members.get(measure, frozenset())

    @cached_property
    def _members(self) -> dict[str, frozenset[str]]:
        instrument = self.instrument
        found = {item: frozenset({item}) for item in instrument.items}
        for score in (*instrument.scores.values(), *instrument.culture.values()):
            inner = [instrument.scores[part].items for part in score.parts]
            found[score.id] = frozenset([*score.items, *(i for items in inner for i in items)])
        for measure in instrument.measures.values():
            if measure.parts:
                found[measure.id] = frozenset(item for item, _ in measure.parts)
        return found

    # -- the group ------------------------------------------------------------------------

    def _of_group(
        self, breakdown: str, group: str, earlier: Side, later: Side
    ) -> tuple[Reason, ...]:
        key = ("group", breakdown, group, earlier.year, later.year, later.source)
        if key not in self._seen:
            self._seen[key] = tuple(self._changed_groups(breakdown, group, earlier, later))
        return self._seen[key]

    def _changed_groups(
        self, breakdown: str, group: str, earlier: Side, later: Side
    ) -> Iterator[Reason]:
        general = _data()["general"]
        known = self.instrument.breakdowns.get(breakdown)
        if known is None:
            if later.source == "extract" and breakdown not in PUBLISHED_PLACES:
                yield Reason(
                    general["own_groups"]["strength"],
                    _says(general["own_groups"], breakdown=breakdown),
                )
            return
        answers = next((set(g.answers) for g in known.groups if g.label == group), set())
        for year, changes in self._category_breaks.get(known.item, {}).items():
            if not earlier.year < year <= later.year:
                continue
            # A group that holds an answer and the one split off from it holds the same people.
            if any(note.startswith(NEW) for label, note in changes if label in answers):
                continue
            for label, note in changes:
                if label in answers:
                    text = _says(general["changed_group"], group=group, year=year, change=note)
                    yield Reason(general["changed_group"]["strength"], text)

    @cached_property
    def _category_breaks(self) -> dict[str, dict[int, list[tuple[str, str]]]]:
        """Item -> year -> (answer, what changed)."""
        found: dict[str, dict[int, list[tuple[str, str]]]] = {}
        for row in self.instrument.category_breaks.to_dict("records"):
            of_year = found.setdefault(str(row["item"]), {}).setdefault(int(row["year"]), [])
            of_year.append((str(row["label"]), str(row["note"])))
        return found


def beside(weighting: str, other: str) -> bool:
    """Whether one organisation's figure may be set beside a figure of several."""
    return weighting == other or other in _data()["beside"].get(weighting, ())


def _labels(earlier: Side, later: Side) -> Iterator[Reason]:
    """What the labels of the two rows say: source, weighting, release."""
    general = _data()["general"]
    if earlier.source != later.source:
        yield Reason(general["source"]["strength"], general["source"]["reason"])
        return
    if earlier.weighting != later.weighting:
        same = _scheme(earlier.weighting) == _scheme(later.weighting)
        entry = general["renamed_weighting" if same else "weighting"]
        said = _says(entry, earlier=earlier.weighting, later=later.weighting)
        yield Reason(entry["strength"], said)
    if earlier.release != later.release:
        yield Reason(general["release"]["strength"], general["release"]["reason"])


def _scheme(weighting: str) -> str:
    """A weighting under the name it has now."""
    return str(_data()["renamed_weightings"].get(weighting, weighting))


def _hits(entry: Mapping[str, Any], earlier: Side, later: Side) -> bool:
    if "sources" in entry and later.source not in entry["sources"]:
        return False
    if entry.get("one_release") and earlier.release == later.release:
        return False
    if "only" in entry:
        return bool(entry["only"] in (earlier.year, later.year))
    return bool(earlier.year < entry["from"] <= later.year)


def _says(entry: Mapping[str, Any], **words: object) -> str:
    return str(entry["reason"]).format(**words)


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    with (DATA / "comparability.toml").open("rb") as f:
        data = tomllib.load(f)
    wrong = [
        entry["id"]
        for entry in data["breaks"]
        if entry["strength"] not in _ORDER or ("from" in entry) == ("only" in entry)
    ]
    if wrong:
        raise InstrumentError(
            f"comparability.toml: {len(wrong)} break(s) need a strength and either 'from' or "
            f"'only': {', '.join(wrong)}."
        )
    return data
