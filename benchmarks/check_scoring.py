"""Check the scoring rules: predict every published score from the published answers.

The official organisational workbook holds, for each organisation, the percentage giving each
answer and the 0-10 scores. This recomputes each score from the percentages by the rules of the
instrument (``scales.csv``, ``scores.toml``) and prints how far off it is, in points.

    python benchmarks/check_scoring.py "NSS24 detailed spreadsheets organisational results.xlsx"

What remains is item non-response: the published scores are means of respondents' scores, and a
respondent may lack an item; totals only give the mean of each item.
"""

from __future__ import annotations

import argparse
import math
import warnings
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from culture_analytics.errors import PublishedWarning
from culture_analytics.instrument import Instrument, Item, Score, load_instrument
from culture_analytics.read.published import read_published

# Largest error allowed, in points, and the wider ones with their reason.
BOUND = 0.05
BOUNDS = {
    "appraisals": 0.06,
    # Its two routed items cannot be rebuilt exactly from totals.
    "health_and_safety_climate": 0.15,
}


class Answers:
    """Shares and bases of every organisation, from the published answers.

    Parameters
    ----------
    table : DataFrame
        Published results in the result schema, one year, all staff.
    instrument : Instrument
        Points of each answer.
    points : mapping of str to tuple of float, optional
        Other points for the answers of an item, to try a rival rule; NaN is not scored.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        instrument: Instrument,
        points: Mapping[str, tuple[float, ...]] | None = None,
    ) -> None:
        rows = table.loc[
            table["answer"].ne("") & table["unit"].eq("percent") & table["status"].eq("ok")
        ]
        self.instrument = instrument
        self.points = dict(points or {})
        columns = ["measure", "answer"]
        self.shares = rows.pivot_table("value", index="org", columns=columns, aggfunc="first")
        self.bases = rows.pivot_table("base", index="org", columns="measure", aggfunc="first")

    def share(self, item: str, answer: str) -> pd.Series:
        """Percentage giving an answer."""
        return self.shares[item, answer]

    def scored(self, item: str) -> tuple[pd.Series, pd.Series]:
        """Mean points of those with a scored answer, and their share of the responses."""
        scale = self.instrument.items[item].scale
        points = dict(zip(scale.labels, self.points.get(item, scale.scores), strict=True))
        given = self.shares[item]
        valid = [a for a in given.columns if not math.isnan(points[a])]
        counted = given[valid].sum(axis=1, min_count=len(valid))
        total = sum(points[a] * given[a] for a in valid)
        return total / counted, counted / 100


def recompute(answers: Answers, score: Score) -> pd.Series:
    """A score of every organisation, from its answers and the instrument's rules."""
    instrument = answers.instrument
    if score.parts:
        parts = [recompute(answers, instrument.scores[part]) for part in score.parts]
        return sum(parts) / len(parts)
    partial = [i for i in score.items if _partial(instrument.items[i]) and score.gate is None]
    whole = [i for i in score.items if i not in partial]
    mean = sum(answers.scored(i)[0] for i in whole) / len(whole)
    if score.gate is not None:
        opened = sum(answers.share(score.gate.item, a) for a in score.gate.answers)
        closed = sum(answers.share(score.gate.item, a) for a in score.gate_zero)
        return mean * opened / (opened + closed)
    return _with_partial(answers, mean, whole, partial) if partial else mean


def _partial(item: Item) -> bool:
    """Whether only some can have points on an item: it is routed, or may not apply."""
    return bool(item.gates or item.excluded)


def _with_partial(
    answers: Answers, mean: pd.Series, whole: list[str], partial: list[str]
) -> pd.Series:
    """Add items that only some have; a respondent's score is the mean of what they have.

    Who has which of them is not published: having one is taken as independent of the others, and
    of how the rest is answered.
    """
    everyone = answers.bases[whole].max(axis=1)
    combinations = [(1.0, len(whole), len(whole) * mean)]
    for item in partial:
        points, valid = answers.scored(item)
        # No figure means that too few were asked to change the mean.
        have = (valid * answers.bases[item] / everyone).reindex(mean.index).fillna(0.0)
        points = points.reindex(mean.index).fillna(0.0)
        combinations = [
            (share * part, n + extra, total + extra * points)
            for share, n, total in combinations
            for part, extra in ((1 - have, 0), (have, 1))
        ]
    return sum(share * total / n for share, n, total in combinations)


def rivals(instrument: Instrument) -> list[tuple[str, Score, dict[str, tuple[float, ...]]]]:
    """Other rules that could be thought of: what is different, the score, and the points."""
    scores, nan = instrument.scores, math.nan
    negative, fairness = scores["negative_experiences"], scores["diversity_and_equality"]
    appraisals, climate = scores["appraisals"], scores["health_and_safety_climate"]
    graded = {
        i: (10, 7.5, 5, 2.5, 0) for i in negative.items if len(instrument.items[i].labels) == 5
    }
    fair = "fair_career_progression"
    asked_all = tuple(i for i in climate.items if not instrument.items[i].gates)
    return [
        ("incidents graded by number, not all or none", negative, graded),
        ("don't know about fair progression scores 0", fairness, {fair: (10, 0, 0)}),
        ("don't know about fair progression is missing", fairness, {fair: (10, 0, nan)}),
        ("no appraisal is missing, not 0", replace(appraisals, gate_zero=()), {}),
        ("reporting of incidents left out", replace(climate, items=asked_all), {}),
    ]


def try_rivals(table: pd.DataFrame, instrument: Instrument) -> pd.DataFrame:
    """How far off the published scores each rival rule is."""
    rows = []
    for rule, score, points in rivals(instrument):
        again = recompute(Answers(table, instrument, points), score)
        published = table.loc[table["measure"].eq(score.id)].set_index("org")["value"]
        error = (again.reindex(published.index) - published).dropna().to_numpy()
        rows.append(
            {
                "code": score.code,
                "rule": rule,
                "rmse": float(np.sqrt(np.mean(error**2))),
                "largest": float(np.abs(error).max()),
            }
        )
    return pd.DataFrame(rows)


def compare(table: pd.DataFrame, instrument: Instrument | None = None) -> pd.DataFrame:
    """Published and recomputed scores.

    Parameters
    ----------
    table : DataFrame
        Published organisational results in the result schema.
    instrument : Instrument, optional
        Default: the package's own.

    Returns
    -------
    DataFrame
        ``score, org, published, recomputed, error``; a row for every published score.
    """
    instrument = instrument or load_instrument()
    answers = Answers(table, instrument)
    published = table.loc[table["statistic"].eq("score") & table["status"].eq("ok")]
    found = []
    for name, rows in published.groupby("measure", sort=False):
        values = rows.set_index("org")["value"]
        again = recompute(answers, instrument.scores[str(name)]).reindex(values.index)
        found.append(
            pd.DataFrame(
                {
                    "score": name,
                    "org": values.index,
                    "published": values.to_numpy(),
                    "recomputed": again.to_numpy(),
                }
            )
        )
    result = pd.concat(found, ignore_index=True)
    result["error"] = result["recomputed"] - result["published"]
    return result


def summarise(compared: pd.DataFrame, instrument: Instrument) -> pd.DataFrame:
    """Errors of each score over organisations, with its bound."""
    rows = []
    for name, part in compared.groupby("score", sort=False):
        error = part["error"].to_numpy()
        score = instrument.scores[str(name)]
        rows.append(
            {
                "code": score.code,
                "score": name,
                "organisations": len(part),
                "rmse": float(np.sqrt(np.mean(error**2))),
                "bias": float(error.mean()),
                "largest": float(np.abs(error).max()),
                "bound": BOUNDS.get(score.id, BOUND),
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workbook", help="official organisational detailed spreadsheets")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    arguments = parser.parse_args()
    instrument = load_instrument()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PublishedWarning)
        table = read_published(arguments.workbook).table
    summary = summarise(compare(table, instrument), instrument)
    if arguments.markdown:
        print("| score | | organisations | rmse | bias | largest | bound |")
        print("|---|---|---:|---:|---:|---:|---:|")
        for r in summary.itertuples():
            print(
                f"| {r.code} | {instrument.scores[r.score].label} | {r.organisations} "
                f"| {r.rmse:.4f} | {r.bias:+.4f} | {r.largest:.4f} | {r.bound:.3f} |"
            )
    else:
        print(summary.to_string(index=False, float_format="%.4f"))
    print("\nRival rules:\n")
    print(try_rivals(table, instrument).to_string(index=False, float_format="%.3f"))


if __name__ == "__main__":
    main()
