"""A history in braille: two samples a cell, four levels a line, painted by line."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from orchtui.tui.columns import Cell
from orchtui.tui.paint import flow
from orchtui.tui.theme import palette_of

# The dots of a braille cell from the bottom up, in its left and its right half.
_LEFT = (0x40, 0x04, 0x02, 0x01)
_RIGHT = (0x80, 0x20, 0x10, 0x08)


def braille(values: Sequence[float], width: int, height: int, top: float) -> list[str]:
    """`values` (oldest first) as filled columns in `height` lines of `width` cells, the newest at the right.

    `top` is the value of the full height; what exceeds it is cut. A value above zero shows at least one dot.
    """
    shown = list(values)[-2 * width :]
    shown = [0.0] * (2 * width - len(shown)) + shown
    levels = 4 * height
    heights = [_level(value, levels, top) for value in shown]
    lines = []
    for line in range(height - 1, -1, -1):
        cells = []
        for cell in range(width):
            dots = sum(_LEFT[dot] for dot in range(4) if heights[2 * cell] > 4 * line + dot)
            dots += sum(_RIGHT[dot] for dot in range(4) if heights[2 * cell + 1] > 4 * line + dot)
            cells.append(chr(0x2800 + dots) if dots else " ")
        lines.append("".join(cells))
    return lines


def _level(value: float, levels: int, top: float) -> int:
    if value <= 0 or top <= 0:
        return 0
    return min(levels, max(1, round(levels * value / top)))


class Plot(Widget):
    """A title line and the history of one measure under it."""

    DEFAULT_CSS = "Plot { width: 1fr; height: 1fr; min-height: 2; }"

    def __init__(self, token: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._token = token
        self._title: tuple[Cell, ...] = ()
        self._lines: list[str] = []
        self._values: tuple[float, ...] = ()
        self._top = 0.0

    def show(self, title: tuple[Cell, ...], values: Sequence[float], top: float) -> None:
        """Draw `values`; `top` is the value of the full height."""
        shown = tuple(values)
        if (title, shown, top) != (self._title, self._values, self._top):
            self._title, self._values, self._top = title, shown, top
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        palette = palette_of(self.app)
        base = self.rich_style
        if y == 0:
            return Strip(flow(self._title, width, palette, base)).adjust_cell_length(width, base)
        if y == 1 or not self._lines:
            self._lines = braille(self._values, width, max(1, height - 1), self._top)
        text = self._lines[y - 1] if y - 1 < len(self._lines) else ""
        return Strip([Segment(text, base + palette[self._token])]).adjust_cell_length(width, base)
