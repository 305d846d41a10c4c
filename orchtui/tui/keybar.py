"""The footer line: the keys of what has the focus, from the keymap, each of them clickable."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from textual.events import Click
from textual.strip import Strip
from textual.widget import Widget

from orchtui.engine import Capability
from orchtui.tui.keymap import Context, Key, footer, prefixed
from orchtui.tui.theme import palette_of


class KeyBar(Widget):
    """One line of `key label` pairs for `context`, as many as fit. A click does what the key does."""

    DEFAULT_CSS = """
    KeyBar { height: 1; dock: bottom; background: $panel; color: $foreground; }
    """

    def __init__(
        self, context: Context, capabilities: frozenset[Capability] = frozenset(Capability), *, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._context_name: Context = context
        self._capabilities = capabilities
        self._spots: list[tuple[int, int, Key]] = []

    def show(self, context: Context) -> None:
        if context != self._context_name:
            self._context_name = context
            self.refresh()

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, lambda theme: self.refresh())

    def render_line(self, y: int) -> Strip:
        palette, base = palette_of(self.app), self.rich_style
        segments = [Segment(" ", base)]
        self._spots = []
        at = 1
        for key in footer(self._context_name, self._capabilities, self.size.width - 1):
            parts = (key.display, f" {key.label}", "  ")
            segments += [
                Segment(parts[0], base + palette["key"]),
                Segment(parts[1], base + palette["text"]),
                Segment(parts[2], base),
            ]
            end = at + sum(map(cell_len, parts))
            self._spots.append((at, end - 2, key))
            at = end
        return Strip(segments).adjust_cell_length(self.size.width, base)

    async def on_click(self, event: Click) -> None:
        for start, end, key in self._spots:
            if start <= event.x < end:
                event.stop()
                await self.run_action(prefixed(key))
