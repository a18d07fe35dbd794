"""Executed notebooks as pages, on small notebooks of their own."""

from __future__ import annotations

import base64
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from culture_analytics.output.blocks import Sentence, Table
from culture_analytics.output.pages import make_page
from tests.output.html import parse

PNG = base64.b64encode(
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (800).to_bytes(4, "big") + (400).to_bytes(4, "big")
).decode()


def cell(*outputs: nbformat.NotebookNode, tags: tuple[str, ...] = ()) -> nbformat.NotebookNode:
    return new_code_cell("show()", outputs=list(outputs), metadata={"tags": list(tags)})


def shown(data: dict[str, Any], **metadata: Any) -> nbformat.NotebookNode:
    return new_output("display_data", data=data, metadata=metadata)


def html(block: Sentence | Table) -> nbformat.NotebookNode:
    return shown({"text/html": block._repr_html_(), "text/plain": repr(block)})


def test_headings_get_anchors_of_their_own_and_markup_is_escaped() -> None:
    book = new_notebook(
        cells=[
            new_markdown_cell("# A *title* & more"),
            new_markdown_cell("## Why?\n\n<script>alert(1)</script> ![x](http://a/b.png)"),
            new_markdown_cell("## Why?"),
            new_markdown_cell("### Deeper"),
        ]
    )
    page = make_page(book, "01_some_page")
    tree = parse(page.body)
    assert page.id == "some-page"
    assert page.title == "A title & more"
    assert [h.id for h in page.headings] == ["some-page-why", "some-page-why-2"]
    assert [h.tag for h in tree.all() if h.tag.startswith("h")] == ["h2", "h3", "h3", "h4"]
    assert not tree.all("script")
    assert not tree.all("img")


def test_pictures_keep_description_and_shape() -> None:
    book = new_notebook(
        cells=[cell(shown({"image/png": PNG}, **{"image/png": {"alt": 'a "b" <c>', "width": 400}}))]
    )
    (picture,) = parse(make_page(book, "x").body).all("img")
    assert picture.attrs["alt"] == 'a "b" <c>'
    assert (picture.attrs["width"], picture.attrs["height"]) == ("400", "200")


def test_streams_and_setup_and_notebook_cells_are_left_out() -> None:
    noise = new_output("stream", name="stderr", text="progress 50%")
    book = new_notebook(
        cells=[
            cell(html(Sentence("of the set-up")), tags=("setup",)),
            cell(html(Sentence("of the parameters")), tags=("parameters",)),
            new_markdown_cell("only here", metadata={"tags": ["notebook"]}),
            cell(noise, html(Sentence("a result"))),
        ]
    )
    page = make_page(book, "x")
    assert parse(page.body).text == "a result"
    assert page.code == ("show()", "show()")


def test_plain_text_is_escaped() -> None:
    book = new_notebook(cells=[cell(shown({"text/plain": "<Release>"}))])
    assert parse(make_page(book, "x").body).all("pre")[0].text == "<Release>"


def test_questions_without_an_answer_stand_at_the_end() -> None:
    table = Table("T", ["A", "B"], [("", [["x", "1"]])])
    none = html(Sentence("Not <held> here.", absent=True))
    book = new_notebook(
        cells=[
            new_markdown_cell("# Page"),
            new_markdown_cell("## First?"),
            cell(none),
            new_markdown_cell("**What this tells you.** The chart shows it."),
            new_markdown_cell("## Second?"),
            cell(none),
            cell(html(table)),
            new_markdown_cell("## Third"),
            new_markdown_cell("Words only."),
        ]
    )
    page = make_page(book, "x")
    tree = parse(page.body)
    assert [h.text for h in page.headings] == ["Second?", "Third", "What these data cannot show"]
    assert [h.text for h in tree.all("h3")] == [h.text for h in page.headings]
    assert "The chart shows it" not in tree.text
    assert tree.all("li")[0].text == "First? Not <held> here."
    assert "Not <held> here." in [p.text for p in tree.all("p")]  # beside the table


def test_tables_escape_and_align() -> None:
    table = Table("C & D", ["A", "B"], [("Part <1>", [["<i>", "1.5"]])], notes=["n < 11"])
    tree = parse(table._repr_html_())
    assert not tree.all("i")
    assert tree.all("caption")[0].text == "C & D"
    assert [h.attrs["scope"] for h in tree.all("th")] == ["col", "col", "rowgroup", "row"]
    assert "right" in tree.all("td")[0].attrs["style"]
    assert "Part <1>" in repr(table)
