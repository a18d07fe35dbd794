"""Organisations that became others: refused or marked by name, never lost, joined or added up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from culture_analytics import plots
from culture_analytics.compare import compare_benchmark, compare_years, trend
from culture_analytics.compare.successions import Successions
from culture_analytics.errors import MeasureError, PublishedError
from culture_analytics.estimates import Estimates
from culture_analytics.read.published.successors import load_successors
from tests.compare.made import figure, published, results

STRESS, HARASSED = "work_related_stress", "hba_patients"
# ZZ1 and ZZ2 became ZZ3, new; ZZ4 went into ZZ5, which was there; ZZ3 went into ZZ6 later.
MINE = pd.DataFrame(
    [("ZZ1", "ZZ3", "2021-04-01"), ("ZZ2", "ZZ3", "2021-04-01"), ("ZZ4", "ZZ5", "2023-04-01"),
     ("ZZ3", "ZZ6", "2025-04-01")],
    columns=["old", "new", "date"], dtype="str",
)  # fmt: skip
NO_MERGER = MINE.iloc[:0]


def of(years: dict[str, tuple[int, ...]], **other: Any) -> Estimates:
    return results(
        published(year, measure, 40 + year % 10, 900, org=org, **other)
        for org, at in years.items()
        for year in at
        for measure in (STRESS, HARASSED)
    )


def stress(estimates: Estimates) -> pd.DataFrame:
    table = estimates.table
    return table[
        table["measure"].eq(STRESS) & table["statistic"].isin(("difference", "trend"))
    ].reset_index(drop=True)


def said_of(estimates: Estimates, org: str) -> list[str]:
    return [note for note in estimates.notes if "became" in note and org in note]


def test_a_new_organisation_is_refused_with_a_sentence() -> None:
    parts = of({"ZZ1": (2020,), "ZZ2": (2020,), "ZZ3": (2022,), "ZZ9": (2020, 2022)})
    found = compare_years(parts, successors=MINE)
    rows = stress(found)
    mine = rows[rows["org"].eq("ZZ3")].iloc[0]
    assert mine["status"] == "not_comparable" and mine["reference"] == "2020"
    assert np.isnan(mine[["value", "lower", "upper", "p_value", "base"]].astype(float)).all()
    (note,) = said_of(found, "ZZ3")
    assert note.startswith("Not compared, 2022 with 2020 (ZZ3, all measures)")
    assert "ZZ1 and ZZ2 became ZZ3 on 1 April 2021" in note and "not added up" in note
    # Nothing else changes, and without the list the row would be gone.
    other = rows[rows["org"].eq("ZZ9")]
    plain = stress(compare_years(parts, successors=NO_MERGER))
    pd.testing.assert_frame_equal(
        other.reset_index(drop=True), plain[plain["org"].eq("ZZ9")].reset_index(drop=True)
    )
    assert "ZZ3" not in set(plain["org"])


def test_one_that_others_joined_is_not_its_own_series() -> None:
    both = of({"ZZ4": (2022,), "ZZ5": (2022, 2024)})
    joined = compare_years(both, successors=MINE)
    assert list(stress(joined)["status"]) == ["not_comparable"]
    assert "ZZ4 became ZZ5 on 1 April 2023" in said_of(joined, "ZZ5")[0]
    assert list(stress(compare_years(both, successors=NO_MERGER))["status"]) == ["ok"]
    after = of({"ZZ5": (2023, 2024)})
    assert list(stress(compare_years(after, successors=MINE))["status"]) == ["ok"]


@pytest.mark.parametrize("source", ["published", "extract"])
def test_what_one_release_restates_is_marked_not_refused(source: str) -> None:
    release = {"release": "2024 benchmark workbook", "source": source}
    found = compare_years(of({"ZZ5": (2022, 2024)}, **release), successors=MINE)
    assert list(stress(found)["status"]) == ["ok"]
    (note,) = said_of(found, "ZZ5")
    assert note.startswith("Compare with care") and "may be of a part" in note
    # But nothing is to be marked where it has no figure of its own.
    alone = compare_years(of({"ZZ1": (2020,), "ZZ3": (2022,)}, **release), successors=MINE)
    assert list(stress(alone)["status"]) == ["not_comparable"]


def test_an_organisation_that_is_gone_is_named() -> None:
    found = compare_years(of({"ZZ4": (2022,), "ZZ9": (2022, 2024)}), successors=MINE)
    assert any("ZZ4 became ZZ5 on 1 April 2023, which has no figure of 2024" in n for n in found.notes)  # fmt: skip # noqa: E501


def test_a_line_ends_at_the_merger() -> None:
    years = {"ZZ1": (2020,), "ZZ3": (2021, 2022, 2023), "ZZ5": (2021, 2022, 2023), "ZZ9": (2021,)}
    one = {"release": "x"}
    line = trend(of(years, **one), successors=MINE)
    rows = stress(line).set_index("org")
    assert rows.loc["ZZ3", "status"] == "ok"
    assert rows.loc["ZZ3", "reference"] == "2021-2023 (3 years)"
    assert said_of(line, "ZZ3")
    # Across releases the absorbing organisation has one year left.
    cut = trend(of(years), successors=MINE)
    assert stress(cut).set_index("org").loc["ZZ5", "status"] == "not_comparable"
    assert "ZZ4 became ZZ5" in said_of(cut, "ZZ5")[0]
    short = trend(of({"ZZ1": (2019, 2020), "ZZ3": (2021, 2022)}, **one), successors=MINE)
    assert list(stress(short)["status"]) == ["not_comparable"] and said_of(short, "ZZ3")


def test_hidden_figures_stay_hidden() -> None:
    rows = [published(2022, STRESS, 40, 900, org="ZZ5"), published(2024, STRESS, 40, 5, org="ZZ5")]
    table = compare_years(results(rows), successors=MINE).table
    assert table["value"].isna().all() and table["base"].isna().all()


def test_a_place_is_of_the_organisation_asked_about() -> None:
    orgs = ["ZZ3", "ZZ7", "ZZ8", "ZZ9"]
    places = pd.DataFrame({"org": orgs, "name": orgs, "benchmark_group": ["A"] * 4})
    group = results(
        [published(2022, STRESS, 40 + k, 900, org=o) for k, o in enumerate(orgs)],
        organisations=places,
    )
    old = results([figure(2022, STRESS, 30, 300, org="ZZ1")])
    with pytest.raises(MeasureError, match="ZZ1 and ZZ2 became ZZ3 on 1 April 2021"):
        compare_benchmark(old, group, successors=MINE)
    # Asked about two, the one that is there has its place, and the other is named.
    two = results([figure(2022, STRESS, 30, 300, org=o) for o in ("ZZ1", "ZZ9")])
    found = compare_benchmark(two, group, successors=MINE)
    assert set(found.table["org"]) == {"ZZ9"}
    assert any(n.startswith("Not placed: ZZ1 and ZZ2 became ZZ3") for n in found.notes)
    # And the other way round: ZZ6 was ZZ3 in 2022.
    new = results([figure(2022, STRESS, 30, 300, org="ZZ6")])
    with pytest.raises(MeasureError, match="ZZ3 became ZZ6 on 1 April 2025"):
        compare_benchmark(new, group, successors=MINE)


def test_chart_has_a_break_mark_and_the_sentence() -> None:
    rows = [published(y, STRESS, 40, 900, org="ZZ5") for y in (2022, 2024)]
    ax = plots.trend(results(rows), successors=MINE)
    alt = plots.alt_text(ax)
    assert "2022 to 2024 not joined: the organisation changed: ZZ4 became ZZ5" in alt
    plt.close("all")
    whole = plots.alt_text(plots.trend(results(rows), successors=NO_MERGER))
    assert "became" not in whole
    plt.close("all")


def test_mergers_are_followed_in_order_of_date() -> None:
    known = Successions.of(MINE)
    assert [m.new for m in known.made("ZZ6", 2020, 2025)] == ["ZZ3", "ZZ6"]
    assert known.made("ZZ6", 2020, 2024) == () and known.made("ZZ1", 2020, 2025) == ()
    assert [m.new for m in known.became("ZZ1", 2020, 2025)] == ["ZZ3", "ZZ6"]
    # The survey of a year is of the organisations there are on its first of October.
    autumn = MINE.assign(date="2021-10-01")
    assert Successions.of(autumn).made("ZZ3", 2020, 2021)
    assert not Successions.of(autumn).made("ZZ3", 2021, 2022)


def test_the_list_that_comes_with_the_package_is_the_default() -> None:
    listed = load_successors()
    new = str(listed.loc[listed["date"].between("2020-01-01", "2020-12-31"), "new"].iloc[0])
    rows = [published(y, STRESS, 40, 900, org=new) for y in (2019, 2020)]
    found = compare_years(results(rows))
    assert list(stress(found)["status"]) == ["not_comparable"] and said_of(found, new)


def test_a_list_of_ones_own_for_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = of({"ZZ5": (2022, 2024)})
    assert list(stress(compare_years(both))["status"]) == ["ok"]
    path = tmp_path / "mine.csv"
    MINE.assign(source="made up").to_csv(path, index=False)
    monkeypatch.setenv("CULTURE_ANALYTICS_SUCCESSORS", str(path))
    assert list(stress(compare_years(both))["status"]) == ["not_comparable"]
    assert list(load_successors()["new"]) == ["ZZ3", "ZZ3", "ZZ5", "ZZ6"]
    monkeypatch.setenv("CULTURE_ANALYTICS_SUCCESSORS", str(tmp_path / "none.csv"))
    with pytest.raises(PublishedError, match="no file"):
        compare_years(both)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (MINE.drop(columns="date"), "column.s. missing: date"),
        (MINE.assign(date="soon"), "no date such as 2024-04-01"),
        (MINE.assign(new=MINE["old"]), "becomes itself"),
    ],
)
def test_a_wrong_list_is_refused(wrong: pd.DataFrame, words: str) -> None:
    with pytest.raises(PublishedError, match=words):
        compare_years(of({"ZZ5": (2022, 2024)}), successors=wrong)
