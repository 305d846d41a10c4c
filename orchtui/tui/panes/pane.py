"""What the panes of the main screen share: a frame with a title, and which keys hold in it."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from orchtui.tui.keymap import Context
from orchtui.tui.safety import plain

NUMBERS: dict[Context, int] = {"cluster": 1, "services": 2, "containers": 3, "logs": 4}
CONTEXTS: dict[int, Context] = {number: context for context, number in NUMBERS.items()}


class Framed(Widget):
    """Sets its border titles only when they change: each setting paints the whole pane."""

    _titles: tuple[str, str, str] = ("", "", "")

    def entitle(self, title: str, detail: str = "", under: str = "") -> None:
        """`title` bold, `detail` beside it; `under` goes into the lower border."""
        if self._titles != (title, detail, under):
            self._titles = (title, detail, under)
            beside = plain(f" {detail}", limit=80) if detail else ""
            self.border_title = Content.assemble(plain(title, "bold", limit=60), beside)
            self.border_subtitle = plain(under, limit=80) if under else None
