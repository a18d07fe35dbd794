"""Reads a report as a browser would, as far as the tests need."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"img", "meta", "br", "hr", "link", "input", "source", "col"}


@dataclass
class Node:
    tag: str
    attrs: dict[str, str]
    children: list[Node] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    parent: Node | None = None

    @property
    def text(self) -> str:
        """All text under it."""
        return " ".join(" ".join(self._pieces()).split())

    def _pieces(self) -> list[str]:
        return (
            self.texts if self.tag == "#text" else [p for c in self.children for p in c._pieces()]
        )

    def all(self, tag: str | None = None, **attrs: str) -> list[Node]:
        """Descendants of a tag with attributes."""
        found = []
        for child in self.children:
            fits = tag in (None, child.tag) and all(
                child.attrs.get(k.rstrip("_")) == v for k, v in attrs.items()
            )
            if fits and child.tag != "#text":
                found.append(child)
            found += child.all(tag, **attrs)
        return found


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("#root", {})
        self.at = self.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {k: v or "" for k, v in attrs}, parent=self.at)
        self.at.children.append(node)
        if tag not in VOID:
            self.at = node

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        at = self.at
        while at.tag != tag:
            assert at.parent is not None, f"</{tag}> without its beginning"
            # Only these may be left open in HTML.
            assert at.tag in {"p", "li", "td", "th", "tr"}, f"<{at.tag}> closed by </{tag}>"
            at = at.parent
        assert at.parent is not None
        self.at = at.parent

    def handle_data(self, data: str) -> None:
        self.at.children.append(Node("#text", {}, texts=[data], parent=self.at))


def parse(text: str) -> Node:
    """Tree of a document; unbalanced tags fail."""
    builder = _Builder()
    builder.feed(text)
    builder.close()
    assert builder.at is builder.root, f"<{builder.at.tag}> is never closed"
    return builder.root
