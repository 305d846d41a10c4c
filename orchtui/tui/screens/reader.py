"""What describe and revisions share: a full screen with a title line, a loading worker, errors in words, a footer."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.binding import BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from orchtui.core.text import safe
from orchtui.errors import OrchtuiError
from orchtui.tui.keymap import Context, bindings_for
from orchtui.tui.layout import Line, hanging
from orchtui.tui.safety import plain
from orchtui.tui.screens.help import HelpScreen
from orchtui.tui.work import work

Result = TypeVar("Result")


class Reader(Screen[Result | None]):
    """`place` names host and context. Subclasses load in `load`, which raises OrchtuiError; `show_error` shows it."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("reader")
    CONTEXT: ClassVar[Context] = "reader"

    DEFAULT_CSS = """
    Reader {
        background: $background;
        .title { height: 1; background: $panel; padding: 0 1; }
        .title #what { width: 1fr; text-style: bold; text-wrap: nowrap; text-overflow: ellipsis; }
        .title #where { width: auto; max-width: 50%; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
    }
    """

    def __init__(self, place: str) -> None:
        super().__init__()
        self._place = place

    def title_line(self, what: str) -> Widget:
        return Horizontal(
            Static(plain(what, limit=300), id="what"),
            Static(plain(self._place, limit=120), id="where"),
            classes="title",
        )

    async def load(self) -> None:
        raise NotImplementedError

    def show_error(self, error: OrchtuiError) -> None:
        raise NotImplementedError

    def on_mount(self) -> None:
        self.action_reload()

    def action_reload(self) -> None:
        """Load again; a load that still runs is given up."""
        work(self, self._load, group="load")

    async def _load(self) -> None:
        try:
            await self.load()
        except OrchtuiError as error:
            self.show_error(error)

    def action_leave(self) -> None:
        self.dismiss(None)

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen(self.CONTEXT))


def error_lines(error: OrchtuiError, width: int) -> list[Line]:
    """An error in a pane: what is wrong, then what to do."""
    lines = hanging((("✖ ", "bad"),), safe(error.message), "bad", width)
    if error.hint:
        lines += hanging((("  ", ""),), safe(error.hint), "", width)
    lines += [(), (("  ctrl-r tries again, esc goes back", "muted"),)]
    return lines
