"""Nothing that came from Docker acts on the terminal: no control byte, no markup, no link.

Two lines of defence. Text is made safe where it is put on the screen (`plain`, or `core.text.safe` in line-API
widgets), so a person sees `␛` where the escape was. `SafeFilter` then examines every painted segment, whoever made it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter
from textual.notifications import SeverityLevel

from orchtui.core.text import safe
from orchtui.tui.typeahead import TypeAheadApp

Result = TypeVar("Result")

# The same set as core.text.safe: one character each, so that what is put in its place can have the same width.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


# What stands back. Textual's own `$text-muted` has no meaning inside a line of text.
MUTED = "$foreground 65%"


def plain(text: str, style: str = "", *, limit: int | None = None) -> Content:
    """`text` as it is, on one line, never read as markup. `style` may name theme tokens: `bold $text-warning`."""
    return Content.styled(safe(text, limit), style)


def safe_lines(text: str) -> str:
    """`text` with its line ends kept and every other control character shown as a picture."""
    return "\n".join(safe(line.removesuffix("\r").expandtabs(8)) for line in text.split("\n"))


class SafeFilter(LineFilter):
    """The last look at a line before it is painted: no control character and no link leaves it.

    What is replaced keeps its width in cells, so that the layout holds. Textual's own control segments pass untouched.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if all(segment.control or (segment.text.isprintable() and not _linked(segment)) for segment in segments):
            return segments
        return [segment if segment.control else _cleaned(segment) for segment in segments]


def _linked(segment: Segment) -> bool:
    return segment.style is not None and segment.style.link is not None


def _cleaned(segment: Segment) -> Segment:
    text, style = segment.text, segment.style
    if style is not None and style.link is not None:
        style = style.update_link(None)
    if not text.isprintable() and _UNSAFE.search(text):
        cleaned = _UNSAFE.sub(lambda match: "?" if cell_len(match.group()) else "", text)
        width = cell_len(text)
        text = cleaned if cell_len(cleaned) == width else set_cell_size(cleaned, width)
    return Segment(text, style)


SAFE_FILTER = SafeFilter()


class SafeApp(TypeAheadApp[Result]):
    """An App whose screen, toasts and clipboard are safe from the data they show."""

    # Textual's palette costs seconds on thousands of rows, and its ctrl-p belongs to ours.
    ENABLE_COMMAND_PALETTE = False

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [SAFE_FILTER, *super().get_line_filters()]

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """A toast of literal text; `markup` is accepted for Textual's signature and never honoured."""
        super().notify(safe_lines(message), title=safe(title), severity=severity, timeout=timeout, markup=False)

    def copy_to_clipboard(self, text: str) -> None:
        """Copy `text` with its control characters shown, not sent: it will be pasted into another terminal."""
        super().copy_to_clipboard(safe_lines(text))
