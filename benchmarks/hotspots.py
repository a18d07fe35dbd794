"""Do hot spots find what is planted, and nothing else? Simulated trusts of known truth. SYNTHETIC.

Figures of units are drawn directly, no respondents, and judged by `pooled_units`. A tenth of the
units is planted as worse by the stated number of points; the others are alike, or differ by an
ordinary spread. From the repository root:

    python benchmarks/hotspots.py             # everything: about five minutes of two cores
    python benchmarks/hotspots.py --scale 0.1 # quicker
    python benchmarks/hotspots.py --write --machine "2 cores" --date 2026-11-28

Recall of planted units by size of unit and of the excess; how often a trust without any planted
unit has a hot or bright spot, of one measure and of several; squared error of pooled figures beside
raw ones, and how often their limits hold the truth. ``--write`` puts the tables into
``docs/reference/culture_model.md`` and the curve into ``docs/images/hot_spots.png``.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from culture_analytics.diagnose.hotspots import DIFFERENCE, HOT, POOLED, pooled_units
from culture_analytics.disclosure.rules import load_rule
from culture_analytics.estimates import Estimates, concat
from culture_analytics.stats import mean_t, wilson

Floats = NDArray[np.float64]
PERCENT, SCORE = "work_related_stress", "burnout"  # lower is better; higher is better
SEVERAL = ("work_related_stress", "presenteeism", "hba_patients", "hba_managers",
           "discrimination_staff", "violence_patients", "think_about_leaving",
           "look_for_job")  # fmt: skip
PLANTED = 0.1
SD = 2.0  # of a score from 0 to 10 within units: 20 on 0 to 100
ALPHA = 0.05
TARGETS = (("10 %", 100), ("40 %", 200), ("score", 40))  # 15 points in units this large: 80 % found
SECTIONS = ("recall", "nothing planted", "pooling")
PICTURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "hot_spots.png"


@dataclass(frozen=True)
class Setting:
    """A kind of trust: its units, their size, and what is planted in some of them.

    Percentages are in points from 0 to 100; points of a score are on 0 to 100 too.
    """

    units: int
    size: int | None  # None: sizes from 11 to 400, most of them small
    rate: float | None  # None: a score
    excess: float = 0.0
    spread: float = 0.0  # standard deviation of the units' true figures, in points
    shape: str = "normal"  # distribution of true rates: of themselves, beta, or of their log-odds
    planted: float = PLANTED


@dataclass(frozen=True)
class Outcome:
    """What came of many trusts. Monte Carlo standard errors are those between trusts."""

    recall: float  # of planted units, share called hot spots
    recall_error: float
    any_spot: float  # of trusts, share with any spot
    any_spot_error: float
    false_share: float  # of spots, share that are not planted
    error_ratio: float  # squared error of pooled figures over that of raw ones
    covered: float  # of limits, share that hold the truth
    covered_error: float
    reliability: float  # median over units: true variance over all
    wrong_side: float  # of spots, share whose truth lies on the other side of the common figure


def trusts(setting: Setting, runs: int, seed: int) -> tuple[Estimates, Floats, NDArray[np.bool_]]:
    """Figures of `runs` trusts, the truth of every unit, and which units are planted."""
    rng = np.random.default_rng([seed, setting.units, setting.size or 0, round(setting.excess)])
    k = setting.units
    size = _sizes(rng, setting, runs)
    hot = np.zeros((runs, k), dtype=bool)
    if setting.excess:
        hot[:, : max(round(setting.planted * k), 1)] = True
    if setting.rate is None:
        # Worse is lower.
        truth = 5 + (rng.normal(0, setting.spread, (runs, k)) - setting.excess * hot) / 10
        mean = rng.normal(truth, SD / np.sqrt(size))
        squares = SD**2 * rng.chisquare(size - 1)
        return _estimates(size, mean, squares), truth.ravel(), hot.ravel()
    truth = np.clip(_rates(rng, setting, (runs, k)) + setting.excess * hot, 0, 99.5)
    yes = rng.binomial(size, truth / 100).astype(float)
    return _estimates(size, yes), truth.ravel(), hot.ravel()


def _sizes(rng: np.random.Generator, setting: Setting, runs: int) -> NDArray[np.int64]:
    shape = (runs, setting.units)
    if setting.size:
        return np.full(shape, setting.size)
    return np.clip(np.exp(rng.normal(3.6, 0.9, shape)), 11, 400).astype(int)


def _rates(rng: np.random.Generator, setting: Setting, shape: tuple[int, int]) -> Floats:
    """True rates of units that nothing is planted in, in points."""
    mean, spread = setting.rate or 0.0, setting.spread
    if not spread:
        return np.full(shape, mean)
    if setting.shape == "beta":
        p = mean / 100
        both = p * (1 - p) / (spread / 100) ** 2 - 1
        return 100 * rng.beta(p * both, (1 - p) * both, shape)
    if setting.shape == "log-odds":
        odds = (
            mean / (100 - mean) * np.exp(rng.normal(0, 100 * spread / mean / (100 - mean), shape))
        )
        return 100 * odds / (1 + odds)
    return np.clip(rng.normal(mean, spread, shape), 0.5, 99.5)


def _estimates(
    size: NDArray[np.int64], first: Floats, squares: Floats | None = None, measure: str = ""
) -> Estimates:
    """Rows as `calculate` would give them: counts that say yes, or means and sums of squares."""
    runs, k = size.shape
    n = np.concatenate([size.sum(axis=1)[:, None], size], axis=1).astype(float)
    if squares is None:
        value = np.concatenate([first.sum(axis=1)[:, None], first], axis=1) / n
        lower, upper = wilson(value, n)
        se = np.sqrt(value * (1 - value) / n)
        hundred, measure, unit = 100.0, measure or PERCENT, "percent"
    else:
        mean = (size * first).sum(axis=1) / n[:, 0]
        between = (size * (first - mean[:, None]) ** 2).sum(axis=1)
        value = np.concatenate([mean[:, None], first], axis=1)
        total = np.concatenate([(squares.sum(axis=1) + between)[:, None], squares], axis=1)
        se = np.sqrt(total) / n
        lower, upper = mean_t(value, se, n - 1)
        hundred, measure, unit = 1.0, measure or SCORE, "score"
    names = ["All staff", *(f"Unit {i:03d}" for i in range(k))]
    frame = pd.DataFrame(
        {
            "org": np.repeat([f"ZZ{r:04d}" for r in range(runs)], k + 1),
            "group": names * runs,
            "breakdown": ["overall", *["team"] * k] * runs,
            "value": hundred * value.ravel(), "lower": hundred * lower.ravel(),
            "upper": hundred * upper.ravel(), "se": hundred * se.ravel(),
            "base": n.ravel(), "effective_base": n.ravel(), "weighted_base": n.ravel(),
        }
    )  # fmt: skip
    frame = frame.assign(
        year=2024, measure=measure, label=measure, answer="", within="", within_group="",
        statistic=unit, unit=unit, level=0.95, df=frame["base"] - 1, weighting="unweighted",
        method="", status="ok", source="extract", release="", reference="",
    )  # fmt: skip
    return Estimates(frame, rule=load_rule("default"))


def _between(each: Floats) -> float:
    """Standard error of a mean over trusts."""
    return float(each.std(ddof=1) / np.sqrt(each.size)) if each.size > 1 else float("nan")


def judge(setting: Setting, *, runs: int, seed: int = 1) -> Outcome:
    """Judge many trusts of one kind."""
    estimates, truth, hot = trusts(setting, runs, seed)
    found = pooled_units(estimates, by="team")._frame
    pooled = found[found["statistic"].eq(POOLED)]
    told = found[found["statistic"].eq(DIFFERENCE)]
    own = estimates._frame
    own = own[own["breakdown"].eq("team")]
    called = told["method"].eq(HOT).to_numpy()
    spot = told["method"].ne("").to_numpy()
    false = (spot & ~(called & hot)).reshape(runs, -1)
    number = spot.reshape(runs, -1).sum(axis=1)
    any_spot = number > 0
    raw = own["value"].to_numpy(dtype=float)
    value, lower, upper = (pooled[c].to_numpy(dtype=float) for c in ("value", "lower", "upper"))
    between = (setting.spread / (1 if setting.rate is not None else 10)) ** 2
    size = own["base"].to_numpy(dtype=float)
    usual = 5.0 if setting.rate is None else setting.rate
    chance = SD**2 / size if setting.rate is None else usual * (100 - usual) / size
    told_up = told["value"].to_numpy(dtype=float) > 0
    wrong = (told_up != (truth > usual))[spot]
    planted = hot.reshape(runs, -1)
    recalled = (called & hot).reshape(runs, -1).sum(axis=1) / np.maximum(planted.sum(axis=1), 1)
    inside = ((lower <= truth) & (truth <= upper)).reshape(runs, -1).mean(axis=1)
    return Outcome(
        recall=float(recalled.mean()) if hot.any() else float("nan"),
        recall_error=_between(recalled),
        any_spot=float(any_spot.mean()),
        any_spot_error=float(np.sqrt(any_spot.mean() * (1 - any_spot.mean()) / runs)),
        false_share=float((false.sum(axis=1) / np.maximum(number, 1)).mean()),
        error_ratio=float(np.mean((value - truth) ** 2) / np.mean((raw - truth) ** 2)),
        covered=float(inside.mean()),
        covered_error=_between(inside),
        reliability=float(np.median(between / (between + chance))),
        wrong_side=float(wrong.mean()) if spot.any() else 0.0,
    )


def judge_several(
    setting: Setting, *, runs: int, seed: int = 1, related: float = 0.5
) -> tuple[float, float]:
    """Of trusts whose units are alike, share with any spot among several related measures.

    Every respondent answers all of them, and answers go together (normal scores correlated by
    `related`). Returned with its Monte Carlo standard error.
    """
    from scipy.special import ndtri

    rng = np.random.default_rng([seed, setting.units, 99])
    size = _sizes(rng, setting, runs)
    people = int(size.sum())
    cut = float(ndtri((setting.rate or 0.0) / 100))
    starts = np.r_[0, np.cumsum(size)[:-1]]
    shared = np.sqrt(related) * rng.standard_normal(people)
    parts = []
    for measure in SEVERAL:
        own = np.sqrt(1 - related) * rng.standard_normal(people)
        yes = np.add.reduceat((shared + own < cut).astype(float), starts)
        parts.append(_estimates(size, yes.reshape(size.shape), measure=measure))
    found = pooled_units(concat(parts), by="team")._frame
    any_spot = found[found["statistic"].eq(DIFFERENCE)].groupby("org")["method"].agg(
        lambda method: bool(method.ne("").any())
    )  # fmt: skip
    share = float(any_spot.mean())
    return share, float(np.sqrt(share * (1 - share) / runs))


Job = tuple[Setting, int]


def _judged(job: Job) -> Outcome:
    return judge(job[0], runs=job[1])


def _judged_several(job: Job) -> tuple[float, float]:
    return judge_several(job[0], runs=job[1])


def recall_jobs(scale: float, units: Iterable[int] = (30, 400)) -> list[tuple[str, Job]]:
    """Every cell of the recall curve; those with a target with five times the trusts."""
    jobs = []
    for k in units:
        for name, rate, sizes in (
            ("10 %", 10.0, (25, 50, 100, 200, 400)),
            ("40 %", 40.0, (25, 50, 100, 200, 400)),
            ("score", None, (15, 25, 40, 80, 160)),
        ):
            for excess in (5.0, 10.0, 15.0, 20.0):
                for n in sizes:
                    runs = 24 if k == 30 else 4
                    if excess == 15 and (name, n) in TARGETS:
                        runs *= 5
                    jobs.append((name, (Setting(k, n, rate, excess), max(round(runs * scale), 2))))
    return jobs


def null_jobs(scale: float) -> list[Job]:
    """Trusts whose units are all alike."""
    return [
        (Setting(k, size, rate), max(round((250 if k == 30 else 40) * scale), 10))
        for k in (30, 400)
        for rate in (10.0, 40.0, None)
        for size in (15, 40, 100, None)
    ]


def several_jobs(scale: float) -> list[Job]:
    """Trusts whose units are all alike, by several measures at once."""
    return [
        (Setting(30, size, rate), max(round(100 * scale), 10))
        for rate, size in ((10.0, None), (40.0, 40))
    ]


def pooling_jobs(scale: float) -> list[Job]:
    """Trusts whose units differ by an ordinary spread, from nothing to a large one."""
    jobs = []
    for k, runs in ((9, 80), (30, 60), (400, 20)):
        for rate, spreads in (
            (5.0, (0, 1, 2, 4)),
            (10.0, (0, 1, 2, 4, 8)),
            (40.0, (0, 2, 4, 8, 15)),
            (None, (0, 1, 3, 6, 12)),
        ):
            for spread in spreads:
                setting = Setting(k, None, rate, spread=float(spread))
                some = [setting]
                if rate is not None and spread > 1 and k > 9:
                    some += [replace(setting, shape=shape) for shape in ("beta", "log-odds")]
                if spread in (2, 3, 4) and k > 9:
                    some += [replace(setting, size=size) for size in (11, 300)]
                jobs += [(one, max(round(runs * scale), 3)) for one in some]
    return jobs


def curve_lines(curve: pd.DataFrame) -> list[str]:
    """Tables of recall, and whether the targets are met."""
    lines = [
        "Recall: share of planted units called hot spots, % (a tenth of the units planted as "
        "worse, the rest alike).",
    ]
    for names, title in (
        (("10 %", "40 %"), "Percentages (of: the usual rate)"),
        (("score",), "Scores (points of 100, standard deviation 20 within units)"),
    ):
        part = curve[curve["of"].isin(names)]
        sizes = sorted(part["n"].unique())
        lines += ["", f"{title}:", ""]
        lines += ["| units | of | excess, points | " + " | ".join(f"n {n}" for n in sizes) + " |"]
        lines += ["|---" * (3 + len(sizes)) + "|"]
        for (units, of, excess), row in part.groupby(["units", "of", "excess"], sort=False):
            recall = dict(zip(row["n"], row["recall"], strict=True))
            shown = " | ".join(f"{100 * recall[n]:.0f}" for n in sizes)
            lines += [f"| {units} | {of} | {excess:.0f} | {shown} |"]
    lines += [
        "",
        "| target: 80 % of units 15 points worse | 30 units | 400 units |",
        "|---|---|---|",
    ]
    for of, n in TARGETS:
        at = curve[curve["of"].eq(of) & curve["n"].eq(n) & curve["excess"].eq(15)]
        cells = [
            f"{100 * found:.1f} % ± {100 * error:.1f}" + ("" if found >= 0.8 else " MISSED")
            for found, error in at[["recall", "error"]].to_numpy(dtype=float)
        ]
        what = "a score" if of == "score" else f"a rate of {of}"
        lines += [f"| {what}, n {n} | " + " | ".join(cells) + " |"]
    share, error = curve["false_share"].mean(), _between(curve["false_share"].to_numpy())
    worst = curve["error"].max()
    lines += [
        "",
        f"Standard errors of the recall are at most {100 * worst:.0f} points, after ± where given. "
        f"Over all these trusts {100 * share:.1f} % ± {100 * error:.1f} of spots were not planted "
        "(or named on the wrong side).",
    ]
    return lines


def null_lines(
    jobs: list[Job], found: list[Outcome], several: list[tuple[Job, tuple[float, float]]]
) -> list[str]:
    """How often trusts without anything planted have a spot."""
    lines = ["Trusts with any hot or bright spot where all units are alike:", "",
             "| units | of | n | with a spot | at most 5 % + 2 standard errors |",
             "|---|---|---|---|---|"]  # fmt: skip
    rows = [
        (s.units, _of(s), s.size or "11 to 400", one.any_spot, one.any_spot_error)
        for (s, _), one in zip(jobs, found, strict=True)
    ]
    rows += [
        (s.units, f"{_of(s)}, {len(SEVERAL)} measures", s.size or "11 to 400", share, error)
        for (s, _), (share, error) in several
    ]
    for k, of, n, share, error in rows:
        holds = "yes" if share <= ALPHA + 2 * error else "NO"
        lines += [f"| {k} | {of} | {n} | {100 * share:.1f} % ± {100 * error:.1f} | {holds} |"]
    return lines


def _of(setting: Setting) -> str:
    return "score" if setting.rate is None else f"{setting.rate:.0f} %"


def pooling_lines(jobs: list[Job], found: list[Outcome]) -> list[str]:
    """Squared error and coverage of pooled figures."""
    lines = [
        "Pooled figures of units that differ by an ordinary spread (`normal`: the rates themselves "
        "or their log-odds; sizes 11 to 400, most under 70, unless one is given):",
        "",
        "| units | of | spread, points | normal | n | median reliability | squared error "
        "over raw | limits hold the truth | spots on the wrong side |",
        "|---" * 9 + "|",
    ]
    for (s, _), one in zip(jobs, found, strict=True):
        ok = one.error_ratio <= (0.75 if one.reliability <= 0.6 else 1.0)
        shape = {"normal": "rates", "beta": "neither (beta)"}.get(s.shape, s.shape)
        shape = shape if s.rate is not None else "scores"
        lines += [
            f"| {s.units} | {_of(s)} | {s.spread:.0f} | {shape} | {s.size or ''} | "
            f"{one.reliability:.2f} | {one.error_ratio:.2f}{'' if ok else ' MISSED'} | "
            f"{100 * one.covered:.1f} % ± {100 * one.covered_error:.1f} | "
            f"{100 * one.wrong_side:.0f} % |"
        ]
    return lines


def draw(curve: pd.DataFrame, path: Path) -> None:
    """The recall curve: a panel for each number of units and kind of figure."""
    from matplotlib.figure import Figure

    from culture_analytics.plots.style import DPI, LIGHT, SIZES, YEAR_MARKS, drawing

    names = {"10 %": "Rate of 10 %", "40 %": "Rate of 40 %", "score": "Score (SD 20 of 100)"}
    with drawing():
        figure = Figure(figsize=(10.5, 6.6), dpi=DPI)
        axes = figure.subplots(2, 3, sharey=True)
        for row, units in enumerate(sorted(curve["units"].unique())):
            for column, (of, title) in enumerate(names.items()):
                ax = axes[row, column]
                part = curve[curve["units"].eq(units) & curve["of"].eq(of)]
                sizes = sorted(part["n"].unique())
                ax.axhline(80, color=LIGHT, linewidth=1.5, zorder=0)
                for (mark, colour), (_, line) in zip(
                    YEAR_MARKS, part.groupby("excess"), strict=False
                ):
                    height = 100 * line["recall"]
                    ax.plot(line["n"], height, marker=mark, color=colour, markersize=5)
                ax.set_xscale("log")
                ax.set_xticks(sizes, [str(n) for n in sizes])
                ax.minorticks_off()
                ax.set_ylim(-4, 104)
                ax.set_yticks(
                    [0, 20, 40, 60, 80, 100], ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]
                )
                ax.set_title(f"{title}, {units} units", fontsize=SIZES["panel"], loc="left")
                ax.spines[["top", "right"]].set_visible(False)
                if row:
                    ax.set_xlabel("staff answering in a unit", fontsize=SIZES["label"])
        handles = [
            axes[0, 0].plot([], [], marker=mark, color=colour, markersize=5)[0]
            for (mark, colour), _ in zip(YEAR_MARKS, curve["excess"].unique(), strict=False)
        ]
        words = [f"{excess:.0f} points worse" for excess in sorted(curve["excess"].unique())]
        figure.legend(handles, words, loc="lower center", ncols=4, frameon=False,
                      fontsize=SIZES["label"])  # fmt: skip
        figure.suptitle("Share of planted units that are called hot spots (simulated)", x=0.07,
                        ha="left", fontsize=SIZES["title"])  # fmt: skip
        figure.subplots_adjust(
            left=0.07, right=0.985, top=0.88, bottom=0.14, hspace=0.34, wspace=0.08
        )
        path.parent.mkdir(exist_ok=True)
        figure.savefig(path, metadata={"Software": None})


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of trusts")
    parser.add_argument("--only", choices=SECTIONS, help="one part of it")
    parser.add_argument("--write", action="store_true", help="into docs")
    parser.add_argument("--machine", default="", help="named in the page")
    parser.add_argument("--date", default="", help="named in the page")
    args = parser.parse_args()
    if args.write and not (args.machine and args.date):
        parser.error("--write needs --machine and --date")
    start = time.perf_counter()
    parts = [args.only] if args.only else list(SECTIONS)
    sections: dict[str, list[str]] = {}
    curve = pd.DataFrame()
    with ProcessPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:
        if "recall" in parts:
            cells = recall_jobs(args.scale)
            recalled = list(pool.map(_judged, [job for _, job in cells]))
            curve = pd.DataFrame(
                [
                    {
                        "units": s.units, "of": of, "excess": s.excess, "n": s.size,
                        "recall": one.recall, "error": one.recall_error,
                        "false_share": one.false_share,
                    }
                    for (of, (s, _)), one in zip(cells, recalled, strict=True)
                ]
            )  # fmt: skip
            sections["recall"] = curve_lines(curve)
        if "nothing planted" in parts:
            alike, many = null_jobs(args.scale), several_jobs(args.scale)
            several = list(zip(many, pool.map(_judged_several, many), strict=True))
            sections["nothing planted"] = null_lines(alike, list(pool.map(_judged, alike)), several)
        if "pooling" in parts:
            ordinary = pooling_jobs(args.scale)
            sections["pooling"] = pooling_lines(ordinary, list(pool.map(_judged, ordinary)))
    seconds = time.perf_counter() - start
    for lines in sections.values():
        print("\n".join(lines), end="\n\n")
    print(f"{seconds:.0f} s")
    if args.write:
        from pages import replace_section

        made = (
            f"Made by `benchmarks/hotspots.py` on {args.date} ({args.machine}, "
            f"{seconds / 60:.0f} minutes); ± is one Monte Carlo standard error."
        )
        for number, (name, lines) in enumerate(sections.items()):
            replace_section(
                "culture_model.md", f"hot spot {name}", [*([] if number else [made, ""]), *lines]
            )
        if len(curve):
            draw(curve, PICTURE)


if __name__ == "__main__":
    main()
