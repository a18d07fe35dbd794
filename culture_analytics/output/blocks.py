"""What a notebook cell may show: a picture, a table or plain sentences, each accessible as it is.

All take only protected results and words; their HTML is escaped, tables have a caption and
header cells with a scope, pictures carry their alternative text.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from PIL.Image import Image

    from culture_analytics.disclosure.release import Release

__all__ = ["ABSENT", "Block", "Picture", "Points", "Sentence", "Several", "Table", "says_embargo"]

PNG_DPI = 144  # sharper than a screen shows, and not too heavy for one file
SCREEN_DPI = 100
COLOURS = 256  # of a picture's palette
MOST_COLOURS = 8192
WORDS_EM = 8  # of a column of words, what its text is given before others
# Inline, because a notebook has no style sheet of ours.
UNDER_STYLE = "font-size:87%;font-weight:400"
MARK_STYLE = "border-left:5px solid #7a1030;padding:.5em .9em;font-weight:600"
ABSENT = "ca-note ca-absent"  # class of a sentence that stands in place of a result


@dataclass(frozen=True)
class Sentence:
    """A plain sentence, for what a picture or a table cannot say.

    Parameters
    ----------
    text
        Plain text; it is escaped.
    mark
        True for a warning, such as the mark of synthetic data.
    absent
        True if it says why there is nothing to show.
    """

    text: str
    mark: bool = False
    absent: bool = False

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        kind = "ca-mark" if self.mark else ABSENT if self.absent else "ca-note"
        style = f' style="{MARK_STYLE}"' if self.mark else ""
        return f'<p class="{kind}"{style}>{html.escape(self.text)}</p>'


@dataclass(frozen=True)
class Points:
    """A list of plain sentences.

    Parameters
    ----------
    items
        The sentences; they are escaped.
    lead
        Words before the list.
    numbered
        Whether their order matters.
    """

    items: Sequence[str]
    lead: str = ""
    numbered: bool = False

    def __repr__(self) -> str:
        marks = [f"{n}." if self.numbered else "-" for n in range(1, len(self.items) + 1)]
        lines = [f"{mark} {item}" for mark, item in zip(marks, self.items, strict=True)]
        return "\n".join([self.lead, *lines] if self.lead else lines)

    def _repr_html_(self) -> str:
        kind = "ol" if self.numbered else "ul"
        lead = f'<p class="ca-lead">{html.escape(self.lead)}</p>' if self.lead else ""
        items = "".join(f"<li>{html.escape(item)}</li>" for item in self.items)
        return f'{lead}<{kind} class="ca-points">{items}</{kind}>'


@dataclass(frozen=True)
class Table:
    """A table of words and figures already rounded.

    Parameters
    ----------
    caption
        What it shows.
    heads
        Column headings; the first column is the row's heading.
    sections
        Title of a part (empty for none) and its rows of cells. What follows a line break in a
        cell stands under its first line in small type: an interval, or the number of answers.
    notes
        Lines under the table.
    words
        Positions of the columns that hold words; the others hold figures, set to the right.
    """

    caption: str
    heads: Sequence[str]
    sections: Sequence[tuple[str, Sequence[Sequence[str]]]]
    notes: Sequence[str] = ()
    words: Sequence[int] = (0,)

    def __repr__(self) -> str:
        rows = [[_one_line(head) for head in self.heads]]
        for title, part in self.sections:
            rows += [[title]] if title else []
            rows += [[_one_line(cell) for cell in r] for r in part]
        widths = [
            max(len(str(r[c])) for r in rows if len(r) == len(self.heads))
            for c in range(len(self.heads))
        ]
        lines = [self.caption]
        lines += ["  ".join(str(v).ljust(w) for v, w in zip(r, widths, strict=False)) for r in rows]
        return "\n".join([*(line.rstrip() for line in lines), *self.notes])

    def _repr_html_(self) -> str:
        return "".join(self._parts())

    def _parts(self) -> Iterator[str]:
        caption = html.escape(self.caption)
        yield f'<div class="ca-scroll" role="region" tabindex="0" aria-label="{caption}">'
        yield f'<table class="ca-table"><caption>{caption}</caption><thead><tr>'
        for place, head in enumerate(self.heads):
            yield f'<th scope="col"{self._align(place, least=True)}>{_two_lines(head)}</th>'
        yield "</tr></thead>"
        for title, rows in self.sections:
            yield "<tbody>"
            if title:
                yield (
                    f'<tr><th scope="rowgroup" colspan="{len(self.heads)}" class="ca-part">'
                    f"{html.escape(title)}</th></tr>"
                )
            for row in rows:
                yield "<tr>" + "".join(self._cells(row)) + "</tr>"
            yield "</tbody>"
        yield "</table></div>"
        for note in self.notes:
            yield f'<p class="ca-small">{html.escape(note)}</p>'

    def _cells(self, row: Sequence[str]) -> Iterator[str]:
        for place, cell in enumerate(row):
            text = _two_lines(cell)
            if place == 0:
                yield f'<th scope="row"{self._align(place)}>{text}</th>'
            else:
                yield f"<td{self._align(place, whole=True)}>{text}</td>"

    def _align(self, place: int, *, whole: bool = False, least: bool = False) -> str:
        # Also inline: Jupyter centres and right-aligns by its own sheet.
        if place in self.words:
            width = f";min-width:{self._room(place)}em" if least else ""
            return f' style="text-align:left{width}"'
        unbroken = ";white-space:nowrap" if whole else ""
        return f' style="text-align:right{unbroken}"'

    def _room(self, place: int) -> int:
        """Least width of a column of words, so that figures do not squeeze it to a word a line."""
        longest = max(
            (
                len(line)
                for _, part in self.sections
                for r in part
                if place < len(r)
                for line in str(r[place]).split("\n")
            ),
            default=0,
        )
        return min(WORDS_EM, (longest + 1) // 2)


def _one_line(cell: object) -> str:
    return str(cell).replace("\n", " ")


def _two_lines(cell: object) -> str:
    """HTML of a cell; also styled inline, because a notebook has no style sheet of ours."""
    first, _, under = str(cell).partition("\n")
    text = html.escape(first)
    if not under:
        return text
    return f'{text}<br><span class="ca-under" style="{UNDER_STYLE}">{html.escape(under)}</span>'


@dataclass(frozen=True, eq=False)
class Picture:
    """A chart with its alternative text.

    Parameters
    ----------
    figure
        The matplotlib figure.
    alt
        What it shows, in words.
    """

    figure: Figure = field(repr=False)
    alt: str

    def __repr__(self) -> str:
        return self.alt

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        import base64

        png = _png(self.figure)
        width = int.from_bytes(png[16:20], "big") * SCREEN_DPI // PNG_DPI
        data = {"image/png": base64.b64encode(png).decode("ascii"), "text/plain": self.alt}
        return data, {"image/png": {"alt": self.alt, "width": width}}


def _png(figure: Figure) -> bytes:
    """The chart in few colours, which it has anyway: a quarter of the size of true colour."""
    import io

    from PIL import Image

    raw = io.BytesIO()
    figure.savefig(raw, format="rgba", dpi=PNG_DPI)
    width = round(figure.get_figwidth() * PNG_DPI)
    height = len(raw.getbuffer()) // (4 * width)
    picture = Image.frombuffer("RGBA", (width, height), raw.getvalue(), "raw", "RGBA", 0, 1)
    few = _in_few_colours(picture.convert("RGB"))
    file = io.BytesIO()
    few.save(file, "png")
    return file.getvalue()


def _in_few_colours(picture: Image) -> Image:
    """The picture in its most frequent colours, exactly; rare shades of edges take the nearest."""
    import numpy as np
    from PIL import Image

    counted = picture.getcolors(MOST_COLOURS)
    if counted is None:
        return picture
    counted.sort(key=lambda pair: -pair[0])
    colours = np.array([colour for _, colour in counted], dtype=np.int32)
    palette = colours[:COLOURS]
    distance = ((colours[:, None, :] - palette[None, :, :]) ** 2).sum(axis=2)
    # A table over all colours there can be: two steps a pixel instead of a search.
    place = np.zeros(1 << 24, dtype=np.uint8)
    place[_packed(colours)] = distance.argmin(axis=1)
    pixels = place[_packed(np.asarray(picture, dtype=np.int32))]
    few = Image.fromarray(pixels, mode="P")
    few.putpalette(palette.astype(np.uint8).tobytes())
    return few


def _packed(colours: NDArray[np.int32]) -> NDArray[np.int32]:
    red, green, blue = (colours[..., channel] for channel in range(3))
    packed: NDArray[np.int32] = (red << 16) | (green << 8) | blue
    return packed


Block = Sentence | Points | Table | Picture


@dataclass(frozen=True, eq=False)
class Several:
    """Blocks shown one under the other.

    Parameters
    ----------
    blocks
        In order.
    """

    blocks: Sequence[Block]

    def __repr__(self) -> str:
        return "\n\n".join(map(repr, self.blocks))

    def __iter__(self) -> Iterator[Block]:
        return iter(self.blocks)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        for block in self.blocks:
            display(block)  # type: ignore[no-untyped-call]


Shown = TypeVar("Shown", bound="Block | Several")
Given = ParamSpec("Given")


def says_embargo(
    show: Callable[Concatenate[Release, Given], Shown],
) -> Callable[Concatenate[Release, Given], Shown]:
    """Make what a function shows of a release say the embargo that the release is under.

    Pictures say it themselves. Tables and sentences are copied one by one too, so each says it.

    Parameters
    ----------
    show
        Gives a block, or several, of a release.
    """

    @wraps(show)
    def said(release: Release, /, *given: Given.args, **named: Given.kwargs) -> Shown:
        shown = show(release, *given, **named)
        embargo = release.about.get("embargo")
        return cast("Shown", _under(shown, str(embargo))) if embargo else shown

    return said


def _under(shown: Block | Several, embargo: str) -> Block | Several:
    if isinstance(shown, Several):
        return Several([cast("Block", _under(block, embargo)) for block in shown])
    if not isinstance(shown, Picture) and embargo in repr(shown):
        return shown  # shown by a function that calls another of them
    if isinstance(shown, Table):
        return replace(shown, notes=[f"{embargo}.", *shown.notes])
    if isinstance(shown, Points):
        return replace(shown, lead=" ".join(filter(None, [shown.lead, f"({embargo})"])))
    if isinstance(shown, Sentence) and not (shown.mark or shown.absent):
        return replace(shown, text=f"{shown.text} {embargo}.")
    return shown
