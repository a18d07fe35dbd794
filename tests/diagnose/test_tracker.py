"""The improvement tracker: bad files told in one message, actions beside protected figures."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import culture_analytics as ca
from culture_analytics import plots
from culture_analytics.cli import main
from culture_analytics.diagnose import (
    follow_up,
    read_tracker,
    tracked_figures,
    write_tracker_template,
)
from culture_analytics.diagnose.tracker import (
    NO_FIGURE,
    baseline_year,
    column_meanings,
    every_stage,
)
from culture_analytics.errors import MeasureError, TrackerError
from culture_analytics.plots.layout import root_figure
from tests.output.test_over_time import survey_of_years

STRESS = "work_related_stress"
HEAD = ",".join(name for name, _ in column_meanings())
DO = "said,doing,a role,do"


def tracker_file(folder: Path, *lines: str, head: str = HEAD, encoding: str = "utf-8") -> Path:
    file = folder / "tracker.csv"
    file.write_bytes("\r\n".join([head, *lines, ""]).encode(encoding))
    return file


@pytest.fixture(scope="module")
def release() -> ca.Release:
    tables = {
        "tables": [
            {"topic": "headline", "measures": [STRESS, "hba_managers"], "by": ["directorate"]},
            {"topic": "scores", "measures": ["staff_engagement"], "by": []},
        ]
    }
    return ca.build_release(survey_of_years(2023, 2024, 2025), tables=tables)


# -- reading ----------------------------------------------------------------------------------


def test_the_empty_form_can_be_read_and_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tracker", str(tmp_path / "new")]) == 0
    assert "Empty tracker" in capsys.readouterr().out
    found = read_tracker(tmp_path / "new" / "tracker.csv")
    assert len(found) == 2
    assert list(found.table.columns) == [name for name, _ in column_meanings()]
    assert found.table["stage"].isin(every_stage()).all()
    with pytest.raises(TrackerError, match="there already"):
        write_tracker_template(tmp_path / "new")
    assert main(["tracker", str(tmp_path / "new")]) == 2
    assert main(["tracker", str(tmp_path / "new"), "--force"]) == 0


def test_what_people_and_spreadsheets_write_is_understood(tmp_path: Path) -> None:
    """A UK date, Excel's code page and semicolons, a short name, capitals, a per cent sign."""
    line = "a;Work-related stress;;;“caf\u00e9” talk;more;Director;DO;03/04/2024;;35 %;Under way"
    file = tracker_file(tmp_path, line, ";;;;;;;;;;;", head=HEAD.replace(",", ";"),
                        encoding="cp1252")  # fmt: skip
    (action,) = read_tracker(f'"{file}"').actions()
    assert action["measure"] == STRESS
    assert action["started"] == datetime.date(2024, 4, 3)
    assert action["review"] is None
    assert (action["target"], action["stage"], action["status"]) == (35.0, "do", "under way")
    assert (action["breakdown"], action["group"]) == ("overall", "All staff")
    assert "café" in action["said"]


def test_a_workbook_is_read_too(tmp_path: Path) -> None:
    csv = pd.read_csv(write_tracker_template(tmp_path), dtype=str, encoding="utf-8-sig")
    csv["started"] = pd.to_datetime(csv["started"])
    csv.to_excel(tmp_path / "tracker.xlsx", index=False)
    actions = list(read_tracker(tmp_path / "tracker.xlsx").actions())
    assert [a["started"] for a in actions] == [datetime.date(2025, 3, 3), None]


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    file = tracker_file(
        tmp_path,
        f"a,work_related_stres,,,{DO},2024-02-30,,40,under way",
        f"a,{STRESS},directorate,,{DO},2024-05-01,2024-04-01,140,finished",
        f"b,{STRESS},,,said,,a role,dream,,,,under way",
    )
    with pytest.raises(TrackerError) as caught:
        read_tracker(file)
    message = str(caught.value)
    for said in (
        "tracker.csv: 10 things are wrong",
        "doing is empty in 1 row (4)",
        "id stands in the file twice: 'a' in 1 row (3)",
        "measure not known in 1 row (2): 'work_related_stres' (nearest: work_related_stress",
        "stage not known: 'dream' in 1 row (4). It is one of: plan, do, study, act",
        "status not known: 'finished' in 1 row (3)",
        "started is not a date: '2024-02-30' in 1 row (2). Write 2025-03-31 or 31/03/2025",
        "target is no figure of its measure: '140' in 1 row (3)",
        "only one of breakdown and group is given in 1 row (3)",
        "under way or done, but without the date it started in 1 row (4)",
        "review lies before started in 1 row (3)",
    ):
        assert said in message, said


def test_files_that_are_no_trackers(tmp_path: Path) -> None:
    with pytest.raises(TrackerError, match=r"There is no file named nowhere\.csv"):
        read_tracker(tmp_path / "nowhere.csv")
    with pytest.raises(TrackerError, match="2 of its 12 columns are missing: review, status"):
        read_tracker(
            tracker_file(tmp_path, head=HEAD.replace("review", "when").replace("status", "how"))
        )
    with pytest.raises(TrackerError, match="no action in it"):
        read_tracker(tracker_file(tmp_path))
    (tmp_path / "tracker.xlsx").write_bytes(b"PARnothing\x00\x01" * 9)
    with pytest.raises(TrackerError, match="tracker.xlsx (cannot be read as|is not a file)"):
        read_tracker(tmp_path / "tracker.xlsx")


# -- beside the figures -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "year"), [("2025-01-02", 2024), ("2024-10-15", 2023), ("2024-12-01", 2024)]
)
def test_the_survey_before_an_action(day: str, year: int) -> None:
    assert baseline_year(datetime.date.fromisoformat(day)) == year


def test_actions_stand_beside_the_figures_of_the_release(
    tmp_path: Path, release: ca.Release
) -> None:
    file = tracker_file(
        tmp_path,
        f"all,{STRESS},,,{DO},2024-03-01,2025-01-01,1,under way",
        f"unit,hba_managers,directorate,Directorate A,{DO},2024-12-05,,99,done",
        f"tiny,{STRESS},directorate,Tiny,{DO},2025-03-01,,,under way",
        "plan,staff_engagement,,,said,doing,,plan,,,,planned",
        f"old,{STRESS},,,{DO},2022-01-01,,,done",
        f"new,{STRESS},,,{DO},2026-03-01,,,done",
        f"moon,{STRESS},directorate,Moon,{DO},2024-03-01,,,done",
    )
    tracker = read_tracker(file)
    found = follow_up(tracker, release, today=datetime.date(2025, 6, 1)).set_index("id")
    stress = release["headline", "overall"].table.query("measure == @STRESS")
    stress = stress.set_index("year")
    row = found.loc["all"]
    assert (row["began"], row["now"]) == (2023, 2025)
    assert row["before"] == stress.loc[2023, "value"]
    assert row["after"] == stress.loc[2025, "value"]
    assert row["change"] == pytest.approx(row["after"] - row["before"])
    assert row["lower"] < row["change"] < row["upper"]
    assert row["words"] and row["reached"] == "no" and row["overdue"]
    assert (found.loc["unit", "began"], found.loc["unit", "reached"]) == (2024, "yes")
    assert not found.loc["unit", "overdue"]
    reasons = {"plan": "planned", "old": "no_before", "new": "no_after", "moon": "absent",
               "tiny": "hidden"}  # fmt: skip
    for action, why in reasons.items():
        assert found.loc[action, "why"] == NO_FIGURE[why], action
        assert np.isnan(found.loc[action, "change"])
    assert found.loc["plan", "now"] == 2025
    assert found.loc["new", "after"] == stress.loc[2025, "value"]


def test_hidden_figures_leave_no_trace(tmp_path: Path, release: ca.Release) -> None:
    line = f"tiny,{STRESS},directorate,Tiny,{DO},2024-03-01,,,under way"
    tracker = read_tracker(tracker_file(tmp_path, line))
    held = tracked_figures(tracker, release)
    assert held is not None
    hidden = held._frame["base"] < 11
    assert hidden.any()
    table = follow_up(tracker, release)
    for number in held._frame.loc[hidden, "value"].dropna():
        assert not table.select_dtypes("number").isin([number]).any().any()
    with pytest.raises(MeasureError, match="none of these figures is of an action"):
        plots.tracker(held, tracker)


def test_the_chart_marks_start_and_target(tmp_path: Path, release: ca.Release) -> None:
    tracker = read_tracker(
        tracker_file(
            tmp_path,
            f"all,{STRESS},,,{DO},2024-06-01,,20,under way",
            f"unit,hba_managers,directorate,Directorate A,{DO},2010-12-05,,,done",
            f"moon,{STRESS},directorate,Moon,{DO},2024-03-01,,,done",
        )
    )
    held = tracked_figures(tracker, release)
    assert held is not None
    ax = plots.tracker(held, tracker)
    (start,) = [line for line in ax.lines if line.get_gid() == "start"]
    assert 2023.5 < start.get_xdata()[0] < 2023.7  # type: ignore[index]
    (target,) = [line for line in ax.lines if line.get_gid() == "target"]
    assert target.get_ydata()[0] == 20  # type: ignore[index]
    low, high = ax.get_ylim()
    assert low < 20 < high
    texts = " ".join(t.get_text() for t in root_figure(ax).texts)
    assert "Not drawn: moon" in texts
    assert "Began before the first survey shown: unit" in texts
    assert "did not therefore move because of it" in texts
    assert "began in Jun 2024" in plots.alt_text(ax)
    with pytest.raises(MeasureError, match="draws a Tracker"):
        plots.tracker(held, None)  # type: ignore[arg-type]
