"""A pane of styled lines: scrolls, searches, and lays itself out again when its width changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.events import Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from orchtui.tui.keymap import bindings_for
from orchtui.tui.layout import Line, line_width
from orchtui.tui.theme import palette_of

Layout = Callable[[int], Sequence[Line]]


class TextView(ScrollView, can_focus=True):
    """Shows what a layout function makes of the present width. Lines must be safe already (`layout` makes them so)."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("text")

    DEFAULT_CSS = """
    TextView {
        background: $surface;
        color: $foreground;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 1;
        scrollbar-gutter: stable;
    }
    """

    class Searched(Message):
        """The place among the matches of `wanted` changed. `place` counts from 1; 0 means that nothing matches."""

        def __init__(self, wanted: str, place: int, total: int) -> None:
            super().__init__()
            self.wanted = wanted
            self.place = place
            self.total = total

    def __init__(self, layout: Layout | None = None, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._layout_of: Layout = layout or (lambda width: ())
        self._lines: Sequence[Line] = ()
        self._laid_out_for = 0
        self._needle = ""
        self._matches: list[tuple[int, int]] = []
        self._match = -1

    @property
    def text(self) -> str:
        """All of it, as it stands there."""
        return "\n".join("".join(text for text, _ in line).rstrip() for line in self._lines)

    def show(self, layout: Layout, *, keep_place: bool = False) -> None:
        """Show other lines, from the top unless `keep_place`."""
        self._layout_of = layout
        self._lay_out()
        self.refresh(layout=True)
        if not keep_place:
            self.scroll_to(0, 0, animate=False)

    def on_mount(self) -> None:
        # Colours are looked up while painting; the cached lines of the old theme must go.
        self.app.theme_changed_signal.subscribe(self, lambda theme: self.refresh())

    def on_resize(self, event: Resize) -> None:
        if self.scrollable_content_region.width != self._laid_out_for:
            self._lay_out()

    def _lay_out(self, width: int = 0) -> None:
        width = width or self.scrollable_content_region.width
        if not width:
            return
        self._laid_out_for = width
        self._lines = self._layout_of(width)
        self.virtual_size = Size(max(map(line_width, self._lines), default=0), len(self._lines))
        self._find(self._needle)
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """For `height: auto`, as in dialogs: as high as its lines."""
        return len(self._layout_of(max(1, width)))

    @property
    def unwrapped(self) -> str:
        """All of it as text for the clipboard, long values on one line."""
        return "\n".join("".join(text for text, _ in line).rstrip() for line in self._layout_of(1 << 20))

    def render_line(self, y: int) -> Strip:
        scroll_x, scroll_y = self.scroll_offset
        width = self.size.width
        number = y + scroll_y
        base = self.rich_style
        if number >= len(self._lines):
            return Strip.blank(width, base)
        palette = palette_of(self.app)
        segments = [Segment(text, base + palette[token]) for text, token in self._lines[number] if text]
        if self._needle:
            segments = self._highlighted(number, segments)
        return Strip(segments).crop_extend(scroll_x, scroll_x + width, base)

    # --- search

    def search(self, needle: str) -> None:
        """Mark every place where `needle` stands (capitals count only if it has some) and go to the first from here."""
        self._find(needle)
        self._match = -1
        if self._matches:
            here = self.scroll_offset.y
            later = [place for place, (line, _) in enumerate(self._matches) if line >= here]
            self._match = later[0] if later else 0
        self._go_to_match()

    def search_step(self, step: int) -> None:
        """Go to the next match, or back with -1; round at the ends."""
        if self._matches:
            self._match = (self._match + step) % len(self._matches)
            self._go_to_match()

    def _find(self, needle: str) -> None:
        self._needle = needle
        self._matches = []
        if not needle:
            return
        exact = needle != needle.lower()
        for number, line in enumerate(self._lines):
            text = "".join(part for part, _ in line)
            text = text if exact else text.lower()
            start = text.find(needle)
            while start >= 0:
                self._matches.append((number, start))
                start = text.find(needle, start + len(needle))

    def _go_to_match(self) -> None:
        self.refresh()
        place = self._match + 1 if self._matches else 0
        self.post_message(self.Searched(self._needle, place, len(self._matches)))
        if self._matches:
            line, start = self._matches[self._match]
            text = "".join(part for part, _ in self._lines[line])
            left = cell_len(text[:start])
            region = Region(left, line, cell_len(text[start : start + len(self._needle)]), 1)
            self.scroll_to_region(region, animate=False, force=True)

    def _highlighted(self, number: int, segments: list[Segment]) -> list[Segment]:
        starts = [(place, start) for place, (line, start) in enumerate(self._matches) if line == number]
        palette = palette_of(self.app)
        for place, start in starts:
            style = palette["match-current" if place == self._match else "match"]
            segments = _restyled(segments, start, start + len(self._needle), style)
        return segments

    # --- keys that ScrollView lacks

    def action_half_page_down(self) -> None:
        self.scroll_relative(y=max(1, self.size.height // 2), animate=False)

    def action_half_page_up(self) -> None:
        self.scroll_relative(y=-max(1, self.size.height // 2), animate=False)


def _restyled(segments: list[Segment], start: int, end: int, style: Style) -> list[Segment]:
    """`segments` with the characters from `start` to `end` in another style."""
    result: list[Segment] = []
    at = 0
    for segment in segments:
        text = segment.text
        low, high = max(0, start - at), min(len(text), end - at)
        if low >= high:
            result.append(segment)
        else:
            parts = ((text[:low], segment.style), (text[low:high], style), (text[high:], segment.style))
            result.extend(Segment(part, kept) for part, kept in parts if part)
        at += len(text)
    return result
