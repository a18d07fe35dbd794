"""Fit the simulated survey's parameters to the facts that `derive_sample_targets.py` wrote.

    python benchmarks/fit_sample_model.py

Needs nothing but the package: a reference population is drawn, and thresholds and group effects
are moved until its percentages are the published ones. Writes ``demographic_effects.csv``,
``thresholds.csv`` and ``effects.csv`` in ``culture_analytics/simulate/data``; about three minutes.
"""

from __future__ import annotations

import csv
import time
from dataclasses import replace

import numpy as np
from scipy.special import ndtr, ndtri

from culture_analytics.simulate.answers import (
    TOGETHER,
    GroupEffects,
    draw_answers,
    tick_boxes,
)
from culture_analytics.simulate.draws import Stream
from culture_analytics.simulate.model import (
    APART,
    DATA,
    MODEL_YEAR,
    Answer,
    Latent,
    Model,
    load_model,
    rows,
)
from culture_analytics.simulate.people import (
    cumulative_table,
    draw_people,
    group_codes,
    model_labels,
)
from culture_analytics.simulate.units import draw_units, trait_values

SEED = 20240401
POPULATION = 400_000
FIT = 150_000  # of them, for items asked of everyone
SWEEPS = 14
NOTE = "# Fitted to targets.csv, targets_groups.csv and demographic_pairs.csv by "
SCRIPT = "benchmarks/fit_sample_model.py.\n"


def shares(text: str) -> np.ndarray:
    """Percentages of a row -> shares that add up to 1, none of them zero."""
    found = np.maximum([float(x) for x in text.split("|")], 0.005)
    return found / found.sum()


def fit_background(model: Model) -> Model:
    """Log-linear effects of every background item, by iterative proportional fitting."""
    targets: dict[str, dict[str, float]] = {}
    for row in rows("targets.csv"):
        targets.setdefault(row["item"], {})[row["answer"]] = float(row["percent"])
    pairs = {
        (r["item"], r["breakdown"], r["group"]): shares(r["percents"])
        for r in rows("demographic_pairs.csv")
    }
    fitted: dict[str, dict[str, np.ndarray]] = {}
    for item, parents in model.parents.items():
        labels = model_labels(model.instrument, item)
        overall = shares("|".join(str(targets[item][a]) for a in labels))
        effects = {"": np.log(overall)[None, :]}
        if parents:
            before = {i: p for i, p in model.parents.items() if i in fitted}
            known = replace(model, parents=before, background=fitted)
            people = draw_people(known, POPULATION, Stream(SEED, "background"))
            effects = fit_table(model, people, parents, overall, pairs, item)
        fitted[item] = {b: np.round(np.maximum(e, -12), 3) for b, e in effects.items()}
    with (DATA / "demographic_effects.csv").open("w", encoding="utf-8", newline="") as f:
        f.write(NOTE + SCRIPT)
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["item", "breakdown", "group", "effects"])
        for item, effects in fitted.items():
            for b, table in effects.items():
                labels = [g.label for g in model.instrument.breakdowns[b].groups] if b else [""]
                for label, row in zip(labels, table, strict=True):
                    if not b or row.any():
                        out.writerow([item, b, label, "|".join(f"{x:.3f}" for x in row)])
    return replace(model, background=fitted)


def fit_table(
    model: Model,
    people: dict[str, np.ndarray],
    parents: tuple[str, ...],
    overall: np.ndarray,
    pairs: dict[tuple[str, str, str], np.ndarray],
    item: str,
) -> dict[str, np.ndarray]:
    """Effects of an item and its parents whose table has the published pairs and total."""
    groups = [model.instrument.breakdowns[b].groups for b in parents]
    sizes = [len(g) for g in groups]
    codes = [
        group_codes(model.instrument, b)[people[model.instrument.breakdowns[b].item]]
        for b in parents
    ]
    count = np.bincount(np.ravel_multi_index(codes, sizes), minlength=int(np.prod(sizes)))
    weight = count / count.sum()
    member = np.stack(np.unravel_index(np.arange(len(weight)), sizes))
    effects = {"": np.log(overall)[None, :]}
    effects |= {b: np.zeros((n, len(overall))) for b, n in zip(parents, sizes, strict=True)}
    for _ in range(60):
        for k, b in enumerate(parents):
            joint = weight[:, None] * chances(effects)
            for g, group in enumerate(groups[k]):
                wanted = pairs.get((item, b, group.label))
                mine = joint[member[k] == g].sum(axis=0)
                if wanted is not None and mine.sum() > 0:
                    effects[b][g] += np.log(wanted / (mine / mine.sum()))
        joint = weight[:, None] * chances(effects)
        effects[""] = effects[""] + np.log(overall / joint.sum(axis=0))[None, :]
    for b in parents:
        effects[b] -= effects[b].mean(axis=1, keepdims=True)
    return effects


def chances(effects: dict[str, np.ndarray]) -> np.ndarray:
    """Chances of the answers for each combination of parents."""
    return np.diff(cumulative_table(effects), axis=1, prepend=0.0)


class Facts:
    """Published percentages as shares: overall by answer, and of the cut by group."""

    def __init__(self) -> None:
        self.overall: dict[str, dict[str, float]] = {}
        for row in rows("targets.csv"):
            self.overall.setdefault(row["item"], {})[row["answer"]] = float(row["percent"]) / 100
        self.groups: dict[str, dict[str, dict[str, float]]] = {}
        for row in rows("targets_groups.csv"):
            for item, value in row.items():
                if item not in ("breakdown", "group") and value:
                    share = min(max(float(value) / 100, 0.0004), 0.9996)
                    self.groups.setdefault(item, {}).setdefault(row["breakdown"], {})[
                        row["group"]
                    ] = share
        sex, gender = "discrimination_grounds_sex", "discrimination_grounds_gender"
        self.groups[sex] = self.groups[gender]


class Groups:
    """Membership of the groups effects are fitted for, among some people."""

    def __init__(self, model: Model, people: dict[str, np.ndarray], who: np.ndarray) -> None:
        self.members: dict[str, np.ndarray] = {}
        self.labels: dict[str, list[str]] = {}
        for b in (b for together in TOGETHER for b in together):
            breakdown = model.instrument.breakdowns[b]
            self.members[b] = group_codes(model.instrument, b)[people[breakdown.item]][who]
            self.labels[b] = [g.label for g in breakdown.groups]

    def mean(self, b: str, values: np.ndarray) -> np.ndarray:
        """Mean of `values` in each group."""
        size = len(self.labels[b])
        total = np.bincount(self.members[b], weights=values, minlength=size)
        count = np.bincount(self.members[b], minlength=size)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    def targets(self, b: str, facts: dict[str, float], overall: float) -> np.ndarray:
        """Shares wanted in each group (NaN: unknown), brought into line with the overall share.

        England's row is weighted by occupation and its groups are not: the gap between groups is
        kept on the probit scale and the level is the overall one.
        """
        wanted = np.array([facts.get(g, np.nan) for g in self.labels[b]])
        known = ~np.isnan(wanted)
        count = np.bincount(self.members[b], minlength=len(wanted))[known]
        if not known.any() or count.sum() == 0:
            return wanted
        z, low, high = ndtri(wanted[known]), -2.0, 2.0
        for _ in range(50):
            middle = (low + high) / 2
            if (ndtr(z + middle) * count).sum() / count.sum() < overall:
                low = middle
            else:
                high = middle
        wanted[known] = ndtr(z + (low + high) / 2)
        return wanted


def fit_scale(
    groups: Groups,
    facts: dict[str, dict[str, float]],
    overall: float,
    high: bool,
    rest: np.ndarray,
    sd: float,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Group effects at which each group's share of the cut is the published one.

    Returns the effects and the sum of effects and `rest` of each person.
    """
    sign = 1.0 if high else -1.0
    cut = -sd * ndtri(overall)
    effects = {b: np.zeros(len(groups.labels[b])) for b in groups.members if b in facts}
    wanted = {b: groups.targets(b, facts[b], overall) for b in effects}
    centre = sign * rest.copy()  # turned so that the cut is the upper end
    for _ in range(SWEEPS):
        for b, mine in effects.items():
            z = (centre - cut) / sd
            share, slope = groups.mean(b, ndtr(z)), groups.mean(b, np.exp(-z * z / 2))
            slope = np.maximum(slope / (np.sqrt(2 * np.pi) * sd), 0.004)
            step = np.clip((wanted[b] - share) / slope, -0.4, 0.4)
            step = np.where(np.isnan(step), 0.0, step)
            # No group may run away where the others' effects already overshoot.
            step = np.clip(mine + step, -2.5, 2.5) - mine
            mine[:] += step
            centre += step[groups.members[b]]
    return {b: np.round(sign * e, 3) for b, e in effects.items()}, sign * centre


def fit_thresholds(centre: np.ndarray, sd: float, cumulated: np.ndarray) -> np.ndarray:
    """Cut points at which the shares below them are the published ones."""
    found = []
    for share in cumulated:
        at = float(np.mean(centre)) + np.sqrt(sd**2 + np.var(centre)) * ndtri(share)
        for _ in range(12):
            z = (at - centre) / sd
            slope = float(np.exp(-z * z / 2).mean()) / (np.sqrt(2 * np.pi) * sd)
            at += float(np.clip((share - float(ndtr(z).mean())) / max(slope, 1e-5), -0.5, 0.5))
        found.append(at)
    return np.round(np.array(found), 4)


def cumulated_shares(order: tuple[str, ...], facts: dict[str, float]) -> np.ndarray:
    """Share at or below each answer but the last, of those on the scale."""
    each = np.array([max(facts[a], 1e-5) for a in order])
    return np.cumsum(each / each.sum())[:-1]


class Fit:
    """Parameters on their way: the answers fitted so far, and whom they are fitted to."""

    def __init__(self, model: Model) -> None:
        stream = Stream(SEED, "fit")
        self.model, self.stream, self.facts = model, stream, Facts()
        self.people = draw_people(model, POPULATION, stream.child("background"))
        self.units = draw_units(model, self.people, 100, stream, stream)
        self.traits = {t.id: trait_values(t, self.units, stream, stream) for t in model.traits}
        self.effects = GroupEffects(self.people, model.instrument)
        self.answers = dict(model.answers)

    def fit(self, i: str, who: np.ndarray, rest: np.ndarray | None) -> None:
        """One item, among `who`; `rest`: the traits' part, None where they stay random."""
        answer, overall = self.answers[i], self.facts.overall[i]
        off, on = None, np.arange(len(who))
        if answer.apart:  # the scale is fitted to those who answer on it
            share = sum(overall[a] for a in answer.apart)
            groups = Groups(self.model, self.people, who)
            aside = self.facts.groups.get(i + APART, {})
            found, centre = fit_scale(groups, aside, share, True, np.zeros(len(who)), 1.0)
            off = Latent(fit_thresholds(centre, 1.0, np.array([1 - share])), found)
            draw = self.stream.uniform(len(who), f"{i} on scale")
            on = np.flatnonzero(draw >= ndtr(self.effects.total(found, who) - off.thresholds[0]))
        sd = 1.0 if rest is None else answer.residual
        rest = np.zeros(len(on)) if rest is None else rest[on]
        share = sum(overall[a] for a in answer.cut) / sum(overall[a] for a in answer.order)
        groups = Groups(self.model, self.people, who[on])
        wanted = self.facts.groups.get(i, {})
        found, centre = fit_scale(groups, wanted, share, answer.cut_is_high, rest, sd)
        at = fit_thresholds(centre, sd, cumulated_shares(answer.order, overall))
        self.answers[i] = replace(answer, scale=Latent(at, found), off=off)

    def traits_of(self, i: str, who: np.ndarray) -> np.ndarray:
        """The traits' part of an item's latent value."""
        rest = np.zeros(len(who))
        for trait, weight in self.answers[i].loadings.items():
            rest += weight * self.traits[trait][who]
        return rest

    def draw(self) -> dict[str, np.ndarray]:
        """Answers to the items fitted so far."""
        fitted = {i: a for i, a in self.answers.items() if a.scale}
        return draw_answers(
            replace(self.model, answers=fitted, hot_spots=()),
            self.people,
            self.traits,
            self.units,
            MODEL_YEAR,
            self.stream.child("answers"),
        )


def main() -> None:
    """Fit and write."""
    start = time.perf_counter()
    fit = Fit(fit_background(load_model(fitted=False)))
    model = fit.model
    print(f"background items: {time.perf_counter() - start:.0f} s", flush=True)
    routed = [i for i in fit.answers if model.instrument.items[i].gates]
    for i in fit.answers:
        if i not in routed:
            fit.fit(i, np.arange(FIT), None)
    print(f"items asked of everyone: {time.perf_counter() - start:.0f} s", flush=True)

    # Routed items: fitted among those whom the answers drawn so far lead to them.
    given = fit.draw()
    ticks = [i for i in routed if model.instrument.items[i].kind == "tick"]
    for i in routed:
        who = asked(i, given, model)
        print(f"  {i}: {100 * len(who) / POPULATION:.1f} % asked", flush=True)
        if i not in ticks:
            fit.fit(i, who, fit.traits_of(i, who))
    who = asked(ticks[0], given, model)
    groups = Groups(model, fit.people, who)
    for i, latent in fit_ticks(model, ticks, fit.facts, groups, fit.stream, who).items():
        fit.answers[i] = replace(fit.answers[i], scale=latent)
    write(model, fit.answers)
    print(f"all: {time.perf_counter() - start:.0f} s")


def asked(i: str, given: dict[str, np.ndarray], model: Model) -> np.ndarray:
    """Respondents whom the routing leads to an item."""
    mask = np.zeros(POPULATION, dtype=bool)
    for gate in model.instrument.items[i].gates:
        labels = model.instrument.items[gate.item].labels
        mask |= np.isin(given[gate.item], [labels.index(a) for a in gate.answers])
    return np.flatnonzero(mask)


def fit_ticks(
    model: Model, ticks: list[str], facts: Facts, groups: Groups, stream: Stream, who: np.ndarray
) -> dict[str, Latent]:
    """Grounds: moved until the boxes of those who tick at least one are the published ones.

    Each year's list is fitted by itself: a shorter list leaves more on every other ground. The
    grounds of both lists take the later fit for those only it has.
    """
    found: dict[str, Latent] = {}
    for year in (2025, MODEL_YEAR):
        listed = [i for i in ticks if model.instrument.asked(i, year)]
        found |= _fit_list(listed, facts, groups, stream, who)
    return found


def _fit_list(
    listed: list[str], facts: Facts, groups: Groups, stream: Stream, who: np.ndarray
) -> dict[str, Latent]:
    own = {i: ndtri(stream.uniform(len(who), f"tick {i}")) for i in listed}
    share = {i: facts.overall[i]["Selected"] for i in listed}
    wanted = {
        i: {b: groups.targets(b, facts.groups[i][b], share[i]) for b in groups.members}
        if i in facts.groups
        else {}
        for i in listed
    }
    effects = {i: {b: np.zeros(len(groups.labels[b])) for b in wanted[i]} for i in listed}
    cut = {i: -float(ndtri(share[i])) for i in listed}

    def boxes() -> np.ndarray:
        return tick_boxes(np.vstack([own[i] + _sum(effects[i], groups) - cut[i] for i in listed]))

    for sweep in range(24):
        step_size = 0.8 if sweep < 12 else 0.5
        for b in groups.members:
            for row, i in zip(boxes(), listed, strict=True):
                if b not in wanted[i]:
                    continue
                now = np.clip(groups.mean(b, row.astype(float)), 0.0004, 0.9996)
                count = np.bincount(groups.members[b], minlength=len(now))
                trust = count / (count + 60)  # small groups move little on chance
                step = np.clip(ndtri(wanted[i][b]) - ndtri(now), -0.5, 0.5) * step_size * trust
                step = np.where(np.isnan(step), 0.0, step)
                effects[i][b] = np.clip(effects[i][b] + step, -2.5, 2.5)
        for row, i in zip(boxes(), listed, strict=True):
            now = float(np.clip(row.mean(), 1e-4, 1 - 1e-4))
            cut[i] -= 0.8 * float(ndtri(share[i]) - ndtri(now))
    return {
        i: Latent(np.round([cut[i]], 4), {b: np.round(e, 3) for b, e in effects[i].items()})
        for i in listed
    }


def _sum(effects: dict[str, np.ndarray], groups: Groups) -> np.ndarray:
    total = np.zeros(len(next(iter(groups.members.values()))))
    for b, each in effects.items():
        total += each[groups.members[b]]
    return total


def write(model: Model, answers: dict[str, Answer]) -> None:
    """Thresholds and effects, one row an item or a group."""
    latents = {}
    for i, answer in answers.items():
        latents[i] = answer.scale
        if answer.off is not None:
            latents[i + APART] = answer.off
    with (DATA / "thresholds.csv").open("w", encoding="utf-8", newline="") as f:
        f.write(NOTE + SCRIPT)
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["item", "thresholds"])
        for i, latent in latents.items():
            out.writerow([i, "|".join(f"{x:.4f}" for x in latent.thresholds)])
    with (DATA / "effects.csv").open("w", encoding="utf-8", newline="") as f:
        f.write(NOTE + SCRIPT)
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["breakdown", "group", *latents])
        for b in (b for together in TOGETHER for b in together):
            for g, group in enumerate(model.instrument.breakdowns[b].groups):
                each = [x.effects[b][g] if b in x.effects else 0.0 for x in latents.values()]
                if any(each):
                    out.writerow([b, group.label, *(f"{x:.3f}" if x else "" for x in each)])


if __name__ == "__main__":
    main()
