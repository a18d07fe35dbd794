"""What a pack says of one unit: its figures beside the organisation's, its teams, what to do next.

Everything is taken from one Release, latest year. Comparisons are made once for all units, of the
protected tables: one is hidden with any figure it is made of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from culture_analytics.compare.groups import ALL, CLEAR, TOO_FEW, compare_groups, verdict
from culture_analytics.compare.leaving import CHANGES
from culture_analytics.compare.organisations import better
from culture_analytics.diagnose.change import before_after, detectable_change
from culture_analytics.diagnose.hotspots import (
    BRIGHT,
    DIFFERENCE,
    HOT,
    LEAST,
    SMALL,
    pooled_units,
    spots,
)
from culture_analytics.diagnose.leaving import CHANGES as CULTURE_CHANGES
from culture_analytics.diagnose.leaving import CULTURE, DIFFERENCES, SPOTS
from culture_analytics.diagnose.tracker import Tracker, unit_column_of
from culture_analytics.disclosure.release import Release
from culture_analytics.errors import MeasureError
from culture_analytics.estimate.dimensions import OVERALL
from culture_analytics.estimates import Estimates, concat
from culture_analytics.instrument import load_instrument
from culture_analytics.instrument.culture import ELEMENTS, OUTCOMES
from culture_analytics.output import show
from culture_analytics.output.blocks import Block, Points, Sentence, Several, Table
from culture_analytics.output.show_diagnosis import tracker as show_tracker
from culture_analytics.output.show_trends import ALPHA, _digits, _points, _span
from culture_analytics.stats.multiplicity import adjust_p

__all__ = ["BETTER", "CULTURE", "HEADLINE", "SCORES", "WORSE", "Unit", "Units"]

HEADLINE, SCORES = "headline", "scores"
LITTLE = "clearly different, but by little"
WORSE, BETTER, UNCLEAR = "clearly worse", "clearly better", "no clear difference"
MOST_NAMED = 3  # areas to look at first, strengths to protect
MOST_IN_HEATMAP = 12  # measures

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Units:
    """The units of one column of a release, and what they have in common.

    Parameters
    ----------
    release
        The protected tables.
    column
        The unit column, such as ``"directorate"``.
    """

    release: Release
    column: str

    @cached_property
    def topics(self) -> tuple[str, ...]:
        """Topics that are told of a unit: headline measures, and elements of culture or scores."""
        wanted = (HEADLINE, CULTURE) if (CULTURE, self.column) in self.release else (
            HEADLINE, SCORES
        )  # fmt: skip
        return tuple(t for t in wanted if (t, self.column) in self.release)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The units of the latest year, in the order of the tables; also those hidden."""
        found: dict[str, None] = {}
        for figures in self.figures.values():
            table = figures._protected
            own = table[table["breakdown"].eq(self.column) & table["status"].ne("not_asked")]
            found |= dict.fromkeys(map(str, own["group"]))
        return tuple(found)

    @cached_property
    def year(self) -> int:
        """The latest survey year."""
        return self.release.years[-1]

    @cached_property
    def every_year(self) -> dict[str, Estimates]:
        """By topic: figures of everyone and of the units, in all years."""
        found = {}
        for topic in self.topics:
            held = self.release[topic]
            frame = held._protected
            keep = frame["breakdown"].isin([OVERALL, self.column])
            keep &= frame["org"].eq(self.release.about["org"])
            if topic != HEADLINE:  # what the headline has already is not told twice
                keep &= frame["measure"].isin(set(_told(topic)) - self._headline)
            if keep.any():
                found[topic] = held._rows(keep.to_numpy(dtype=bool))
        return found

    @cached_property
    def _headline(self) -> set[str]:
        held = HEADLINE in self.topics
        return set(self.release[HEADLINE].unique("measure")) if held else set()

    @cached_property
    def figures(self) -> dict[str, Estimates]:
        """By topic: figures of everyone and of the units, latest year."""
        return {
            topic: held._rows(held._frame["year"].eq(self.year).to_numpy(dtype=bool))
            for topic, held in self.every_year.items()
        }

    @cached_property
    def gaps(self) -> dict[str, pd.DataFrame]:
        """By topic: distance of each unit from the organisation, with a verdict in words."""
        found = {}
        for topic, figures in self.figures.items():
            # The diagnosis has its own, allowing for all that it compares.
            own = {"breakdown": self.column, "reference": ALL, "year": self.year,
                   "measure": figures.unique("measure")}  # fmt: skip
            if topic == CULTURE and self._holds(DIFFERENCES, **own):
                gaps = self.release[DIFFERENCES].select(**own)
            else:
                gaps = compare_groups(figures, reference=ALL, adjust="bh")
            judged = _judged(gaps.table.assign(verdict=verdict(gaps)))
            # One figure is not read in two ways: what stands out decides where it was looked at.
            judged["words"] = [
                self.stood.get((str(m), str(g)), w) if w else w
                for m, g, w in zip(judged["measure"], judged["group"], judged["words"], strict=True)
            ]
            found[topic] = judged
        return found

    def _holds(self, topic: str, **keys: Any) -> bool:
        return topic in self.release.topics and self.release[topic]._has(**keys)

    @cached_property
    def changes(self) -> pd.DataFrame:
        """Each unit's figures in the latest two years; empty with one year."""
        parts = []
        years = self.release.years[-2:]
        for figures in self.every_year.values() if len(years) > 1 else ():
            frame = figures._frame
            keep = frame["year"].isin(years) & frame["breakdown"].eq(self.column)
            if frame.loc[keep, "year"].nunique() > 1:
                parts.append(before_after(figures._rows(keep.to_numpy(dtype=bool))))
        if not parts:
            return pd.DataFrame()
        return _judged_together(pd.concat(parts, ignore_index=True), self._adjusted_changes(years))

    def _adjusted_changes(self, years: Sequence[int]) -> dict[tuple[str, str], float]:
        """Adjusted p of each measure's and unit's change, as the release's other pages have it."""
        found: dict[tuple[str, str], float] = {}
        for topic in (CULTURE_CHANGES, CHANGES):  # where both judge one, they say the same
            if topic not in self.release.topics:
                continue
            table = self.release[topic].table
            table = table[
                table["statistic"].eq("difference") & table["breakdown"].eq(self.column)
                & table["org"].eq(self.release.about["org"]) & table["year"].eq(years[-1])
                & table["reference"].eq(str(years[0])) & table["p_adjusted"].notna()
            ]  # fmt: skip
            keys = zip(table["measure"].astype(str), table["group"].astype(str), strict=True)
            found |= dict(zip(keys, table["p_adjusted"].astype(float), strict=True))
        return found

    @cached_property
    def pooled(self) -> Estimates | None:
        """What stands out, as the diagnosis has it; without one, of the headline measures."""
        if self._holds(SPOTS, breakdown=self.column):
            return self.release[SPOTS].select(breakdown=self.column)
        try:
            return pooled_units(self.figures[HEADLINE], by=self.column)
        except (MeasureError, KeyError):
            return None

    @cached_property
    def spots(self) -> pd.DataFrame:
        """What stands out, as sentences, by unit."""
        if self.pooled is None:
            return pd.DataFrame(columns=["group", "kind", "reason", "measure"])
        return spots(self.pooled)

    @cached_property
    def stood(self) -> dict[tuple[str, str], str]:
        """What was said of each unit and measure when what stands out was looked for."""
        if self.pooled is None:
            return {}
        table = self.pooled.table
        table = table[table["statistic"].eq(DIFFERENCE) & table["p_adjusted"].notna()]
        words = {HOT: WORSE, BRIGHT: BETTER, SMALL: LITTLE}
        return {
            (str(r["measure"]), str(r["group"])): words.get(str(r["method"]), UNCLEAR)
            for r in show._rows(table)
        }

    @cached_property
    def noticed(self) -> pd.DataFrame:
        """The change that each unit would notice next year."""
        parts = [detectable_change(f) for f in self.figures.values()]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["group"])

    @cached_property
    def below(self) -> str:
        """The next smaller unit column, or nothing."""
        units = self.release.units()
        place = units.index(self.column) if self.column in units else len(units)
        return units[place + 1] if place + 1 < len(units) else ""

    @property
    def word(self) -> str:
        """What one unit is called: "directorate"."""
        return show._lower(show._breakdown(self.column))

    def unit(self, name: str) -> Unit:
        """One of them."""
        return Unit(self, name)


def _judged_together(changes: pd.DataFrame, told: Mapping[tuple[str, str], float]) -> pd.DataFrame:
    """A change that is clear by itself, but not among all that were compared, is perhaps so.

    One that another page judges is judged as there; the rest are a family of their own.
    """
    keys = zip(changes["measure"].astype(str), changes["group"].astype(str), strict=True)
    p = np.array([told.get(key, np.nan) for key in keys], dtype=float)
    alone = changes["p_value"].to_numpy(dtype=float)
    rest = np.where(np.isnan(p), alone, np.nan)
    found = changes.assign(p_adjusted=np.where(np.isnan(p), adjust_p(rest, method="bh"), p))
    for way in ("better", "worse"):
        weak = found["reading"].isin((way, f"{way}_within")) & ~(found["p_adjusted"] < ALPHA)
        found.loc[weak, ["reading", "words"]] = ["perhaps", f"perhaps {way}"]
    return found


def _judged(gaps: pd.DataFrame) -> pd.DataFrame:
    """With plain words: better, worse, different, no clear difference, too few."""
    way = better(gaps["measure"]) * np.sign(gaps["value"].to_numpy(dtype=float))
    clear = gaps["verdict"].eq(CLEAR).to_numpy(dtype=bool)
    words = np.select(
        [clear & (way > 0), clear & (way < 0), clear, gaps["verdict"].eq(TOO_FEW).to_numpy()],
        [BETTER, WORSE, "clearly different", "too few to judge"],
        np.where(gaps["status"].eq("ok"), UNCLEAR, ""),
    )
    return gaps.assign(words=words)


@dataclass(frozen=True, eq=False)
class Unit:
    """One unit, and the blocks of its pack.

    Parameters
    ----------
    units
        The units it is one of.
    name
        Its name.
    """

    units: Units = field(repr=False)
    name: str

    # -- what is held -------------------------------------------------------------------------

    @property
    def release(self) -> Release:
        """The protected tables."""
        return self.units.release

    @cached_property
    def shown(self) -> bool:
        """Whether there is any figure of this unit to show."""
        return any(bool(self._rows(topic)["status"].eq("ok").any()) for topic in self.units.figures)

    @cached_property
    def hidden(self) -> tuple[int, int]:
        """How many of its figures are hidden, and of how many."""
        rows = pd.concat([self._rows(topic) for topic in self.units.figures])
        rows = rows[rows["status"].isin(["ok", "suppressed"])]
        return int(rows["status"].eq("suppressed").sum()), len(rows)

    @cached_property
    def answers(self) -> int:
        """The most answers that any of its shown figures has; 0 without one."""
        bases = [self._rows(topic)["base"].max() for topic in self.units.figures]
        return int(np.nanmax([0.0, *bases]))

    def _rows(self, topic: str) -> pd.DataFrame:
        table = self.units.figures[topic]._protected
        return table[table["breakdown"].eq(self.units.column) & table["group"].eq(self.name)]

    def _gaps(self, topic: str) -> dict[str, Row]:
        gaps = self.units.gaps[topic]
        return {str(r["measure"]): r for r in show._rows(gaps[gaps["group"].eq(self.name)])}

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many figures read as clearly worse, clearly better, and not clearly different."""
        found = dict.fromkeys((WORSE, BETTER, UNCLEAR), 0)
        for topic in self.units.figures:
            for row in self._gaps(topic).values():
                words = UNCLEAR if row["words"] == LITTLE else row["words"]
                if words in found:
                    found[words] += 1
        return found

    @cached_property
    def worse(self) -> list[Row]:
        """Measures on which it is clearly worse by enough to matter, the furthest first."""
        return self._clear(WORSE)

    @cached_property
    def better(self) -> list[Row]:
        """Measures on which it is clearly better by enough to matter, the furthest first."""
        return self._clear(BETTER)

    def _clear(self, words: str) -> list[Row]:
        """Clear and large enough, in units of what is large enough to matter."""
        found = []
        for topic in self.units.figures:
            units = dict(zip(self._rows(topic)["measure"], self._rows(topic)["unit"], strict=True))
            for measure, row in self._gaps(topic).items():
                far = abs(row["value"]) / LEAST.get(units.get(measure, ""), np.inf)
                if row["words"] == words and far >= 1:
                    found.append({**row, "far": far, "digits": _digits(row)})
        return sorted(found, key=lambda r: -float(r["far"]))

    # -- what is said -------------------------------------------------------------------------

    def about(self) -> Sentence:
        """Which unit this is, and how many answered."""
        units = self.units
        said = f"{self.name} is one of {len(units.names)} {_plural(units.word)} in these results."
        above = self._above()
        said += f" It belongs to {above}." if above else ""
        if not self.shown:
            return Sentence(said)
        return Sentence(
            f"{said} Its figures of {units.year} rest on up to {self.answers:,} answers; how many "
            "stands beside each."
        )

    def _above(self) -> str:
        parents: Mapping[str, Any] = self.release.about.get("parents", {})
        above = [u for u in parents.get(self.units.column, {}).get(self.name, ()) if u]
        return show._either(above) if above else ""

    def too_small(self) -> Sentence:
        """In place of figures that may not be shown."""
        least = self.release.rule.base_under
        return Sentence(
            f"{self.name} cannot be shown by itself: it is too small, or showing it would give "
            f"away a unit that is. Groups of fewer than {least} answers are hidden, so that nobody "
            "can be recognised. Its people are counted in the organisation's figures. Talk "
            "with them directly: a survey is not the only way to listen.",
            mark=True,
        )

    def in_short(self) -> Points:
        """The main points, good and bad."""
        points = []
        counts = self.counts
        if sum(counts.values()):
            points.append(
                f"Of {sum(counts.values())} figures that can be judged, {counts[WORSE]} are "
                f"clearly worse than the organisation's, {counts[BETTER]} clearly better, and "
                f"{counts[UNCLEAR]} show no clear difference, or a small one."
            )
        points += [self._named("Furthest behind", self.worse)] if self.worse else []
        points += [self._named("Furthest ahead", self.better)] if self.better else []
        changes = self._changes()
        if len(changes):
            up = int(changes["reading"].isin(("better", "better_within")).sum())
            down = int(changes["reading"].isin(("worse", "worse_within")).sum())
            since = str(changes["reference"].iloc[0])
            points.append(
                f"Since {since}, of {len(changes)} figures that can be compared, {up} became "
                f"clearly better and {down} clearly worse; the others did not clearly change."
            )
        hidden, every = self.hidden
        if hidden:
            points.append(f"{hidden} of its {every} figures are hidden to protect people.")
        return Points(points)

    def _named(self, lead: str, rows: Sequence[Row]) -> str:
        named = "; ".join(
            f"{show._short(r['measure'])} ({_points(r)} points)" for r in rows[:MOST_NAMED]
        )
        return f"{lead}: {named}."

    def chart(self) -> Block:
        """Chart of its headline measures, the organisation's beside them."""
        from culture_analytics import plots

        figures = self.units.figures.get(HEADLINE) or next(iter(self.units.figures.values()))
        table = figures._protected
        own = table["group"].eq(self.name) & table["breakdown"].eq(self.units.column)
        own &= table["status"].eq("ok")  # the table says what is hidden
        everyone = table["breakdown"].eq(OVERALL)
        if not own.any() or not everyone.any():
            return show._cannot("None of its headline figures can be shown.")
        return show._picture(
            plots.measures,
            figures._rows(own.to_numpy(dtype=bool)),
            reference=figures._rows(everyone.to_numpy(dtype=bool)),
            title=f"{self.name}, {self.units.year}: headline measures",
        )

    def table(self, topic: str) -> Table:
        """Its figures of a topic beside the organisation's."""
        held = self.units.figures[topic]._protected
        whole = {r["measure"]: r for r in show._rows(held[held["breakdown"].eq(OVERALL)])}
        gaps = self._gaps(topic)
        rows, shown = [], []
        for row in show._rows(show._offered(self._rows(topic))):
            gap = gaps.get(row["measure"])
            beside = whole.get(row["measure"])
            rows.append(
                [
                    show._short(row["measure"]), show._value(row), show._interval(row),
                    show._base(row), "" if beside is None else show._value(beside),
                    "" if gap is None else _points(gap), "" if gap is None else gap["words"],
                ]
            )  # fmt: skip
            shown.append(row)
        what = {HEADLINE: "Headline measures", CULTURE: "Culture", SCORES: "Scores"}[topic]
        return Table(
            f"{what}: {self.name} beside the organisation, {self.units.year}",
            ["Measure", "Here", "95% interval", "Answers", "Organisation", "Points from it",
             "Reading"],
            [("", rows)],
            notes=[
                *show._legend(self.release, shown),
                "Readings allow for how many units and measures were compared. Clearly different "
                "is not the same as important, and says nothing about why.",
            ],
            words=(0, 6),
        )  # fmt: skip

    def stands_out(self) -> Block | Several:
        """Its hot spots and bright spots, in sentences."""
        own = self.units.spots
        own = own[own["group"].eq(self.name)]
        lists: list[Block] = [
            Points(_reasons(own[own["kind"].eq(kind)]), lead=words)
            for kind, words in ((HOT, "Worse than elsewhere"), (BRIGHT, "Better than elsewhere"))
            if own["kind"].eq(kind).any()
        ]
        if not lists:
            return Sentence(
                "Nothing stands out from the rest of the organisation beyond chance and by enough "
                "to matter, for better or worse, among the figures that can be shown."
            )
        note = Sentence(
            "These figures are drawn a little towards those of all units, so that small units do "
            "not stand out by luck alone; so they differ from the table."
        )
        return Several([*lists, note])

    def smaller(self) -> Block | Several:
        """Heat map of the units within it."""
        below = self.units.below
        if not below:
            return show._cannot(f"There are no smaller units than a {self.units.word} here.")
        parents = self.release.about.get("parents", {}).get(below)
        if parents is None:
            return show._cannot("Which smaller units belong to it is not held in these results.")
        own = [u for u, above in parents.items() if self.name in above]
        figures = self._of_smaller(below, own)
        if figures is None:
            return show._cannot("No smaller unit of it can be shown.")
        table = figures.table
        table = table[table["breakdown"].eq(below)]
        lacking = [
            g for g, part in table.groupby("group", sort=False)["status"] if not part.eq("ok").any()
        ]
        blocks: list[Block] = []
        if len(lacking) < table["group"].nunique():
            from culture_analytics import plots

            title = f"{self.name} by {show._lower(show._breakdown(below))}, {self.units.year}"
            blocks.append(show._picture(plots.heatmap, figures, title=title))
        if lacking:
            blocks.append(
                show._cannot(f"Not shown, to protect people: {', '.join(map(str, lacking))}.")
            )
        return Several(blocks)

    def _of_smaller(self, below: str, own: Sequence[str]) -> Estimates | None:
        """Figures of everyone and of the units within it, of as many measures as fit."""
        parts: list[Estimates] = []
        left = MOST_IN_HEATMAP
        for topic in reversed(self.units.topics):
            held = self.release[topic]
            frame = held._protected
            ids = [str(m) for m in pd.unique(frame["measure"])]
            ids = ids[:left] if topic == HEADLINE else [m for m in ids if m in _told(topic)]
            keep = (
                frame["year"].eq(self.units.year) & frame["measure"].isin(ids)
                & frame["org"].eq(self.release.about["org"])
                & (frame["breakdown"].eq(OVERALL)
                   | (frame["breakdown"].eq(below) & frame["group"].isin(own)))
            )  # fmt: skip
            if frame.loc[keep, "breakdown"].eq(below).any():
                parts.append(held._rows(keep.to_numpy(dtype=bool)))
                left -= len(ids)
        return concat(parts) if parts else None

    def _changes(self) -> pd.DataFrame:
        changes = self.units.changes
        if changes.empty:
            return changes
        return changes[changes["group"].eq(self.name) & changes["reading"].ne("")]

    def changed(self) -> Block:
        """Table of its figures last year and this year."""
        if len(self.release.years) < 2:
            return show._cannot("Only one year is held here, so nothing can be said about change.")
        own = self._changes()
        if own.empty:
            return show._cannot(
                "No figure of it is shown in both years, so nothing can be said about change."
            )
        rows = [
            [show._short(r["measure"]), _figure(r, "before"), _figure(r, "after"),
             f"{_points({**r, 'value': r['change']})}\n{_span(r)}", r["words"]]
            for r in show._rows(own)
        ]  # fmt: skip
        since, now = str(own["reference"].iloc[0]), str(int(own["year"].iloc[0]))
        return Table(
            f"{self.name}: from {since} to {now}",
            ["Measure", f"{since}\nanswers", f"{now}\nanswers", "Change\n95% interval", "Reading"],
            [("", rows)],
            notes=[
                f"Clearly: allowing for how many figures of {_plural(self.units.word)} were "
                "compared, so that of twenty changes called clear about one is chance. Perhaps: "
                "clear by itself, but among so many it may be chance. A unit is compared by its "
                "name: people and teams may have moved. Nothing here says what brought a change "
                "about."
            ],
            words=(0, 4),
        )

    def actions(self, tracker: Tracker | None) -> Several | None:
        """The actions of a tracker that are about this unit; None if there are none."""
        if tracker is None:
            return None
        columns = [unit_column_of(self.release, str(b)) for b in tracker.table["breakdown"]]
        own = tracker.table["group"].eq(self.name) & (np.array(columns) == self.units.column)
        if not own.any():
            return None
        table = tracker.table[own].reset_index(drop=True)
        return show_tracker(self.release, Tracker(table, tracker.source))

    def next_steps(self) -> Several:
        """What to look at first, what to protect, and what could be noticed next year."""
        blocks: list[Block] = []
        if self.worse:
            blocks.append(
                Points([self._reason(r) for r in self.worse[:MOST_NAMED]], lead="Look at first")
            )
        else:
            blocks.append(
                Sentence(
                    "Nothing is clearly worse here than in the organisation as a whole. That is no "
                    "reason to rest: the organisation's own figure may be one to work on. Ask "
                    "people here what matters most to them."
                )
            )
        if self.better:
            blocks.append(
                Points(
                    [self._reason(r) for r in self.better[:MOST_NAMED]], lead="Protect and share"
                )
            )
        steps = [
            "Share this pack with the people it is about, and ask what they think lies behind it. "
            "The survey says where, not why.",
            "Agree with them one or two things to try, what would count as better, and by when.",
            'Write them into the improvement tracker ("you said, we did"), and look again at the '
            "review date.",
        ]
        noticed = self._noticed()
        steps += [noticed] if noticed else []
        blocks.append(Points(steps, lead="How to go on", numbered=True))
        return Several(blocks)

    def _reason(self, row: Row) -> str:
        return (
            f"{show._short(row['measure'])}: {_points(row)} points from the organisation "
            f"(95% interval {_span(row)}; {show._base(row)} answers)."
        )

    def _noticed(self) -> str:
        """How large a change next year would have to be to be seen, for the first things named."""
        held = self.units.noticed
        own = held[held["group"].eq(self.name) & held["improvement"].notna()]
        wanted = [r["measure"] for r in self.worse[:MOST_NAMED]]
        own = own[own["measure"].isin(wanted)] if wanted else own[:1]
        told = [
            f"{r['improvement']:.{1 if r['unit'] == 'score' else 0}f} points in "
            f"{show._lower(show._short(r['measure']))}"
            for r in show._rows(own)
        ]
        if not told:
            return ""
        named = ", ".join(told[:-1]) + (" and " if told[1:] else "") + told[-1]
        return (
            "With as many answers next year as this year, an improvement would probably be noticed "
            f"from about {named} on. Smaller ones may be real and not show; look for other signs "
            "too."
        )

    def what_is_hidden(self) -> Sentence:
        """How much is hidden, and why."""
        hidden, every = self.hidden
        least = self.release.rule.base_under
        if not hidden:
            return Sentence(f"All {every} figures of {self.name} in this pack are shown.")
        return Sentence(
            f"{hidden} of the {every} figures of {self.name} are hidden, shown as [c]: fewer than "
            f"{least} people answered, or the figure would give away that of another group. All "
            "packs were protected together, so that one cannot be worked out from another."
        )


def _told(topic: str) -> tuple[str, ...]:
    """The measures of a topic that a pack shows: not what repeats or details the others."""
    collections = load_instrument().collections
    names = (ELEMENTS, OUTCOMES) if topic == CULTURE else ("people_promise",)
    return tuple(m for name in names for m in collections.get(name, ()))


def _reasons(found: pd.DataFrame) -> list[str]:
    """Sentences of what stands out, percent signs as everywhere on the page."""
    return [f"{str(reason).replace(' %', '%')}." for reason in found["reason"]]


def _plural(word: str) -> str:
    return word if word.endswith("s") else f"{word}s"


def _figure(row: Row, side: str) -> str:
    """Figure of a year with its answers beneath."""
    return show._with_answers({**row, "value": row[side], "base": row[f"{side}_base"]})
