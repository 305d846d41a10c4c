"""Lines out of cells: text made safe, cut to its width in terminal cells, styled by token."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.events import Resize
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from orchtui.core.text import safe
from orchtui.tui.columns import Cell
from orchtui.tui.theme import Palette, palette_of

# No cell is wider than a terminal; what lies beyond is never looked at.
_LONGEST = 512


def cut(text: str, width: int, *, right: bool = False) -> str:
    """`text` made safe in exactly `width` cells, ending in `…` where it was longer."""
    text = safe(text, _LONGEST)
    long = len(text) if text.isascii() else cell_len(text)
    if long > width:
        return set_cell_size(text, width - 1) + "…" if width > 0 else ""
    blank = " " * (width - long)
    return blank + text if right else text + blank


def flow(cells: Sequence[Cell], width: int, palette: Palette, base: Style) -> list[Segment]:
    """Cells from the left, the last one at the right edge; the cell before it gives way when space is short."""
    if len(cells) < 2:
        return [Segment(cut(text, width), base + palette[token]) for text, token in cells]
    *left, (last, last_token) = cells
    last = safe(last, _LONGEST)
    room = max(0, width - (cell_len(last) + 1 if last else 0))
    segments = []
    for text, token in left:
        text = safe(text, _LONGEST)
        text = text if cell_len(text) <= room else cut(text, room)
        room -= cell_len(text)
        segments.append(Segment(text, base + palette[token]))
    if last:
        segments.append(Segment(" " * room + " ", base))
        segments.append(Segment(cut(last, min(width, cell_len(last))), base + palette[last_token]))
    return segments


class Line(Widget):
    """One line of cells: left ones, then right-aligned ones. Painted only when what it says changes."""

    DEFAULT_CSS = "Line { height: 1; }"

    cells: reactive[tuple[Cell, ...]] = reactive((), layout=False)
    right: reactive[tuple[Cell, ...]] = reactive((), layout=False)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        palette = palette_of(self.app)
        base = self.rich_style
        right = joined(self.right, palette, base)
        tail = sum(segment.cell_length for segment in right)
        left = joined(self.cells, palette, base)
        strip = Strip(left)
        room = max(0, width - tail - (1 if tail else 0))
        if strip.cell_length > room:
            strip = strip.crop(0, max(0, room - 1))
            strip = Strip([*strip, Segment("…", base)])
        strip = strip.adjust_cell_length(width - tail, base)
        return Strip([*strip, *right]).adjust_cell_length(width, base)

    def on_resize(self, event: Resize) -> None:
        self.refresh()


def joined(cells: Iterable[Cell], palette: Palette, base: Style) -> list[Segment]:
    """Cells one after the other, without gaps."""
    return [Segment(safe(text, _LONGEST), base + palette[token]) for text, token in cells]
