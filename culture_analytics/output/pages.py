"""Executed notebooks -> pages of HTML: markdown, pictures and tables, the code set apart.

Only what the library's own blocks put out is taken over as HTML; text is escaped, and nothing in
a page points outside it.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from culture_analytics.output.blocks import ABSENT, Picture, Points, Sentence, Several, Table

__all__ = ["Heading", "Page", "block_html", "make_page"]

# Tags of cells: about the notebook itself, left out of the report; and steps without a result.
NOTEBOOK_ONLY = "notebook"
PARAMETERS = "parameters"
SETUP = "setup"
ABSENT_MARK = f'class="{ABSENT}"'


@dataclass(frozen=True)
class Heading:
    """A heading one can go to.

    Attributes
    ----------
    id : str
        Anchor.
    text : str
        Plain text.
    """

    id: str
    text: str


@dataclass(frozen=True)
class Page:
    """One page of the report.

    Attributes
    ----------
    id, title : str
        Anchor, and the notebook's title.
    headings : tuple of Heading
        Of the second level.
    body : str
        HTML.
    code : tuple of str
        Cells of code, in order.
    """

    id: str
    title: str
    headings: tuple[Heading, ...]
    body: str = field(repr=False)
    code: tuple[str, ...] = field(repr=False)


def make_page(notebook: Any, name: str) -> Page:
    """Turn an executed notebook into a page.

    Parameters
    ----------
    notebook
        With outputs.
    name
        File name without ending: the page's anchor.

    Returns
    -------
    Page
        Cells tagged ``notebook`` are left out, the parameters cell too; of those tagged
        ``setup`` only the code is kept. Questions without any result stand at the end.
    """
    writer = _Writer(_slug(name.lstrip("0123456789")))
    parts: list[_Part] = [_Part(None)]
    code: list[str] = []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if NOTEBOOK_ONLY in tags:
            continue
        if cell.cell_type == "markdown":
            known = len(writer.headings)
            text = writer.markdown(cell.source)
            if len(writer.headings) > known:
                parts.append(_Part(writer.headings[-1]))
            parts[-1].html.append(text)
        elif cell.cell_type == "code" and PARAMETERS not in tags:
            code.append(cell.source)
            if SETUP not in tags:
                results = list(_outputs(cell.outputs))
                parts[-1].html.extend(results)
                parts[-1].results.extend(results)
    shown = [part for part in parts if not part.empty]
    closing, lacking = _lacking(writer, [part for part in parts if part.empty])
    return Page(
        id=writer.page,
        title=writer.title or name,
        headings=tuple([part.heading for part in shown if part.heading] + lacking),
        body="\n".join([*(text for part in shown for text in part.html), closing]),
        code=tuple(code),
    )


@dataclass
class _Part:
    """A question of a page with what answers it."""

    heading: Heading | None
    html: list[str] = field(default_factory=list)
    results: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether there are results and all of them say that there is none."""
        return self.heading is not None and bool(self.results) and not self.answered

    @property
    def answered(self) -> bool:
        """Whether a result is more than an excuse."""
        return any(ABSENT_MARK not in result for result in self.results)


def _lacking(writer: _Writer, parts: list[_Part]) -> tuple[str, list[Heading]]:
    """The questions that the data cannot answer, together at the end of the page."""
    if not parts:
        return "", []
    heading = Heading(f"{writer.page}-not-shown", "What these data cannot show")
    rows = "".join(
        f"<li><strong>{html.escape(part.heading.text)}</strong> {_reasons(part.results)}</li>"
        for part in parts
        if part.heading
    )
    text = f'<h3 id="{heading.id}">{heading.text}</h3>\n<ul class="lacking">{rows}</ul>'
    return text, [heading]


def _reasons(results: list[str]) -> str:
    """Sentences without their markup; still escaped."""
    said = [re.sub(r"<[^>]+>", "", result).strip() for result in results]
    return " ".join(dict.fromkeys(said))


class _Writer:
    """Markdown of one page; headings go one level down and get anchors."""

    def __init__(self, page: str) -> None:
        import mistune

        self.page = page
        self.title = ""
        self.headings: list[Heading] = []
        writer = self

        class Renderer(mistune.HTMLRenderer):
            def heading(self, text: str, level: int, **attrs: Any) -> str:
                return writer.heading(text, level)

            def image(self, text: str, url: str, title: str | None = None) -> str:
                return html.escape(text)  # nothing is loaded from anywhere

            def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
                return f'<th scope="col">{text}</th>' if head else f"<td>{text}</td>"

        self._render = mistune.create_markdown(renderer=Renderer(escape=True), plugins=["table"])

    def markdown(self, source: str) -> str:
        return str(self._render(source))

    def heading(self, text: str, level: int) -> str:
        plain = html.unescape(re.sub(r"<[^>]+>", "", text))
        if level == 1 and not self.title:
            self.title = plain
            return f'<h2 id="{self.page}-title">{text}</h2>\n'
        anchor = f"{self.page}-{_slug(plain)}"
        taken = sum(h.id == anchor or h.id.startswith(anchor + "-") for h in self.headings)
        anchor += f"-{taken + 1}" if taken else ""
        if level <= 2:
            self.headings.append(Heading(anchor, plain))
        deeper = min(level + 1, 6)
        return f'<h{deeper} id="{anchor}">{text}</h{deeper}>\n'


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "part"


def _outputs(outputs: list[Any]) -> Iterator[str]:
    for output in outputs:
        if output.output_type not in {"display_data", "execute_result"}:
            continue  # streams are progress and warnings of the run
        data, metadata = output.data, output.get("metadata", {})
        if "text/html" in data:
            yield f'<div class="ca-block">{_text(data["text/html"])}</div>'
        elif "image/png" in data:
            yield _picture(_text(data["image/png"]), metadata.get("image/png", {}))
        elif "text/plain" in data:
            yield f"<pre>{html.escape(_text(data['text/plain']))}</pre>"


def block_html(block: object) -> str:
    """A block of `culture_analytics.output.blocks` as HTML, as a page would show it.

    Parameters
    ----------
    block
        A sentence, points, table or picture, or several.

    Returns
    -------
    str
        HTML; texts are escaped, and nothing in it points outside.
    """
    if isinstance(block, Several):
        return "\n".join(block_html(b) for b in block)
    if isinstance(block, Picture):
        data, about = block._repr_mimebundle_()
        return _picture(data["image/png"], about["image/png"])
    assert isinstance(block, Sentence | Points | Table)
    return f'<div class="ca-block">{block._repr_html_()}</div>'


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)


def _picture(png: str, about: dict[str, Any]) -> str:
    compact = "".join(png.split())
    wide, high = _size(compact)
    width = int(about.get("width") or wide)
    height = round(high * width / wide) if wide else 0
    size = f' width="{width}" height="{height}"' if height else ""
    alt = html.escape(str(about.get("alt", "")), quote=True)
    return (
        f'<figure class="ca-block"><img alt="{alt}"{size} src="data:image/png;base64,{compact}">'
        "</figure>"
    )


def _size(png: str) -> tuple[int, int]:
    try:
        head = base64.b64decode(png[:64])
    except binascii.Error:
        return 0, 0
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
