"""Descriptions: what they say, and that they reach files and notebooks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest

from culture_analytics import plots
from culture_analytics.errors import MeasureError
from culture_analytics.plots.alt import _WithAlt
from tests.plots.made import answers, by_groups, estimates


def test_groups_are_described() -> None:
    names = [f"Group {c}" for c in "ABCDEFGH"]
    data = by_groups(names, breakdown="team", hidden=["Group C"])
    said = plots.alt_text(plots.groups(data))
    shown = data.table.query("breakdown == 'team' and status == 'ok'").sort_values("value")
    low, high = shown.iloc[0], shown.iloc[-1]
    assert said.startswith(
        "Dot and interval chart: Felt unwell from work related stress, last 12 months, by team, "
        "Nowhere NHS Trust, 2024. 8 groups, of which 1 without a figure"
    )
    for words, row in (("Highest", high), ("Lowest", low)):
        assert (
            f"{words}: {row.group} {row.value:.1f}% (interval {row.lower:.1f}% to "
            f"{row.upper:.1f}%, n = {row.base:,.0f})" in said
        )
    assert "All staff: 41.0%." in said and "Lower is better." in said
    assert "Group C" not in said


def test_few_groups_are_all_listed() -> None:
    said = plots.alt_text(plots.groups(by_groups(["A", "B", "C"])))
    assert "Highest first: B 57.0%" in said
    assert said.index("B 57.0%") < said.index("C 41.0%") < said.index("A 20.0%")


def test_the_latest_year_is_described() -> None:
    said = plots.alt_text(plots.groups(by_groups(["A", "B"], years=(2023, 2024))))
    assert "Highest first in 2024: B 62.0%" in said and "57.0%" not in said


def test_each_panel_is_described_and_the_figure_joins_them() -> None:
    ax = plots.groups(by_groups(["A", "B"], measures=["presenteeism", "morale"]))
    both = plots.alt_text(ax.figure)
    parts = [plots.alt_text(panel) for panel in ax.figure.axes]
    assert both == " ".join(parts)
    assert "Came to work when not well enough" in parts[0] and "Morale" in parts[1]


def test_measures_are_described() -> None:
    data = by_groups([], measures=["work_related_stress", "presenteeism"])
    england = estimates([{"org": "ENG", "value": 41.6}])
    said = plots.alt_text(plots.measures(data, reference=england))
    assert "Work-related stress 41.0% (n = 4,000), England 41.6%" in said
    assert "Came to work unwell 42.0% (n = 4,000)" in said


def test_answers_are_described() -> None:
    data = answers(["enough_staff", "hba_managers"])
    said = plots.alt_text(plots.likert(data))
    for item in ("enough_staff", "hba_managers"):
        table = data.table.query(f"measure == '{item}'")
        most = table.loc[table["value"].idxmax()]
        assert f"{most.label}: {most.answer}, {most.value:.1f}% (n = 50)" in said
    hidden = answers(["enough_staff"], groups=["A", "B"], hidden=["B"])
    assert "2 bars, of which 1 without figures ([c] hidden to protect people)" in plots.alt_text(
        plots.likert(hidden)
    )


def test_heat_map_is_described() -> None:
    data = by_groups(["A", "B", "C"], measures=["presenteeism", "enough_staff"], hidden=["C"])
    said = plots.alt_text(plots.heatmap(data))
    assert "3 groups by 2 measures; 2 of 6 cells have no figure" in said
    # Figures: A 20 and 31, B 57 and 68; everyone 41 and 42; fewer came to work unwell is better.
    assert "worse side: B on Came to work unwell, 57.0% against 41.0% for All staff" in said
    assert "better side: B on Enough staff, 68.0% against 42.0% for All staff" in said


def test_charts_of_others_have_no_description() -> None:
    from matplotlib import pyplot as plt

    figure, ax = plt.subplots()
    assert plots.alt_text(figure) == "" and plots.alt_text(ax) == ""


def test_files_hold_the_description_and_are_the_same_every_time(tmp_path: Path) -> None:
    import matplotlib.image

    for kind in (".png", ".svg", ".pdf"):
        made = []
        for number in range(2):
            ax = plots.groups(by_groups(["A", "B"]))
            path = plots.save(ax, tmp_path / f"{number}{kind}")
            made.append(path.read_bytes())
        assert made[0] == made[1], kind
    text = (tmp_path / "0.svg").read_text(encoding="utf-8")
    assert "Dot and interval chart: Felt unwell" in text
    assert b"Dot and interval chart: Felt unwell" in (tmp_path / "0.png").read_bytes()
    picture = matplotlib.image.imread(tmp_path / "0.png")
    assert picture.shape[1] == 1296  # 9 inches at 144 dpi
    with pytest.raises(MeasureError, match="png, .svg or .pdf"):
        plots.save(ax, tmp_path / "chart.doc")


def test_formatter_adds_the_description_to_any_result() -> None:
    figure = plots.groups(by_groups(["A"])).figure
    said = plots.alt_text(figure)
    assert _WithAlt(lambda _: b"png")(figure) == (b"png", {"alt": said})
    both = _WithAlt(lambda _: (b"png", {"width": 9}))(figure)
    assert both == (b"png", {"width": 9, "alt": said})
    assert _WithAlt(lambda _: None)(figure) is None
    from matplotlib import pyplot as plt

    assert _WithAlt(lambda _: b"png")(plt.figure()) == b"png"


def test_notebook_outputs_carry_the_description(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real kernel: the chart's output has its description, another library's figure none."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    # This interpreter's kernel, whatever kernels the machine has.
    spec = tmp_path / "kernels" / "here"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "here", "language": "python"}), encoding="utf-8"
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.delenv("MPLBACKEND", raising=False)
    cells = [
        "import matplotlib.pyplot as plt\n"
        "from culture_analytics import plots\n"
        "import pandas as pd, culture_analytics as ca\n"
        "rows = [dict(year=2024, org='ZZ1', measure='presenteeism', label='Came in unwell',\n"
        "             breakdown='team', group=g, statistic='percent', unit='percent',\n"
        "             value=40.0, lower=30.0, upper=50.0, level=.95, base=90.0, status='ok',\n"
        "             weighting='unweighted', source='extract') for g in 'AB']\n"
        "data = ca.Estimates(pd.DataFrame(rows), rule=ca.load_rule('default'))",
        "ax = plots.groups(data)",
        "plots.groups(data).figure",
        "figure, ax = plt.subplots(); ax.plot([1, 2]);",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="here", resources={"metadata": {"path": tmp_path}}
    ).execute()
    pictures = [
        [o["metadata"].get("image/png", {}) for o in c["outputs"] if "image/png" in o["data"]]
        for c in notebook.cells[1:]
        if c["outputs"]
    ]
    assert [bool(p) for p in pictures] == [True, True, True]
    for metadata in (*pictures[0], *pictures[1]):
        assert metadata["alt"].startswith("Dot and interval chart: Came in unwell, by team")
    assert all("alt" not in metadata for metadata in pictures[2])


def test_drawing_modules_load_only_when_a_chart_is_drawn() -> None:
    code = (
        "import sys, json; from culture_analytics import plots; "
        "print(json.dumps([m for m in ('matplotlib', 'seaborn', 'scipy.stats', 'IPython') "
        "if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_agg_is_enough() -> None:
    plots.groups(by_groups(["A"]))
    assert matplotlib.get_backend().lower() == "agg"
