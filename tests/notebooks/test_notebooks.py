"""The notebooks as files: clean, the same shape, and without logic of their own."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import nbformat
import pytest

from culture_analytics import show
from culture_analytics.resources import notebooks_folder

FILES = sorted(notebooks_folder().glob("*.ipynb"))
NAMES = ["extract", "year", "org", "columns", "published", "embargo"]
OWN = {"04_inclusion_breakdowns": ["staff"], "06_culture_diagnosis": ["tracker"]}  # what one notebook asks for besides


def read(file: Path) -> nbformat.NotebookNode:
    return nbformat.read(file, as_version=4)


def code(file: Path) -> list[nbformat.NotebookNode]:
    return [c for c in read(file).cells if c.cell_type == "code"]


def test_all_are_there() -> None:
    assert [f.stem for f in FILES] == [
        "00_start_here", "01_stress_and_burnout", "02_bullying_and_harassment", "03_discrimination",
        "04_inclusion_breakdowns", "05_wres_wdes", "06_culture_diagnosis",
        "07_trends_and_benchmarks", "08_board_summary",
    ]  # fmt: skip


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_valid_and_stripped(file: Path) -> None:
    raw = json.loads(file.read_text(encoding="utf-8"))
    nbformat.validate(raw)
    for cell in raw["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
        assert set(cell["metadata"]) <= {"tags"}
    assert set(raw["metadata"]) <= {"kernelspec", "language_info"}
    assert raw["metadata"]["language_info"] == {"name": "python"}
    again = json.dumps(raw, indent=1, ensure_ascii=False) + "\n"
    assert file.read_text(encoding="utf-8") == again


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_one_parameters_cell_of_plain_values_comes_first(file: Path) -> None:
    cells = code(file)
    tagged = [c for c in cells if "parameters" in c.metadata.get("tags", [])]
    assert tagged == [cells[0]]
    body = ast.parse(cells[0].source).body
    names = NAMES + OWN.get(file.stem, [])
    assert [t.id for n in body for t in n.targets] == names  # type: ignore[attr-defined]
    values = {}
    exec(cells[0].source, {}, values)
    assert values == {"extract": "sample", **dict.fromkeys(names[1:])}


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_cells_are_short_and_hold_no_logic(file: Path) -> None:
    logic = (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.If, ast.For, ast.While, ast.Try)
    for cell in code(file):
        assert len(cell.source.splitlines()) <= 8, cell.source
        held = [type(n).__name__ for n in ast.walk(ast.parse(cell.source)) if isinstance(n, logic)]
        assert held == []


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_every_figure_stands_between_a_question_and_what_it_does_not_tell(file: Path) -> None:
    sections: list[tuple[str, list[str]]] = []
    for cell in read(file).cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            sections.append((cell.source.splitlines()[0][3:], []))
        if sections:
            sections[-1][1].append(cell.cell_type + ":" + cell.source)
    charts = (
        "headline", "years", "answers", "groups", "heatmap", "standing_apart", "unit_table",
        "trends", "changes", "movers", "unit_changes", "steady", "england", "position",
        "top_and_bottom", "local_differences", "funnels", "system", "pulse",
        "adjusted", "clear_gaps", "coverage", "detailed", "edi", "elsewhere", "gap_chart",
        "gap_years", "gaps", "grounds_by_group", "intersections", "ladder", "leaders", "medical",
        "not_said", "ratio_chart", "reconcile", "wdes", "wres",
        "elements", "concerns", "spots", "pooled", "falling", "drivers", "priorities",
        "culture_leaders", "stressors", "conditions", "scale_quality", "tracker", "findings",
        "who_answered",
    )  # fmt: skip
    drawn = 0
    for title, cells in sections:
        shown = [i for i, c in enumerate(cells) if any(f"ca.show.{f}(" in c for f in charts)]
        if shown:
            drawn += 1
            assert title.endswith("?"), title
            told = [i for i, c in enumerate(cells) if "What this does and does not tell you" in c]
            assert told, title
            assert told[-1] > shown[-1], title
    # The two pages for a board have no room to say it each time: their last question is just that.
    assert drawn >= 4 or sections[-1][0] == "How sure are we?"


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_only_helpers_that_exist_and_the_one_release_are_used(file: Path) -> None:
    for cell in code(file):
        for node in ast.walk(ast.parse(cell.source)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Attribute)
            ):
                assert node.func.value.attr == "show"
                assert node.func.attr in show.__all__
                assert isinstance(node.args[0], ast.Name)
                assert node.args[0].id == "release"


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_plain_english(file: Path) -> None:
    words = " ".join(c.source for c in read(file).cells if c.cell_type == "markdown").lower()
    for jargon in ("p-value", "dataframe", "statistically significant", "wilson", "ethnic minorit",
                   "bame", "suppress", "kish", "organization", "behavior "):  # fmt: skip
        assert jargon not in words, jargon
