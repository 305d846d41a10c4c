"""Everything about one stack, service or container: described in sections, or Docker's own document."""

from __future__ import annotations

from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.events import Click
from textual.widgets import Static

from orchtui.commands import Target
from orchtui.core.text import count
from orchtui.engine import Engine
from orchtui.errors import OrchtuiError
from orchtui.model.description import Description
from orchtui.tui.commandline import CommandLine
from orchtui.tui.keybar import KeyBar
from orchtui.tui.keymap import Context, bindings_for
from orchtui.tui.layout import Line, describe_lines, document_lines
from orchtui.tui.safety import plain
from orchtui.tui.screens.reader import Reader, error_lines
from orchtui.tui.textview import TextView

View = Literal["describe", "inspect"]
VIEWS: tuple[View, ...] = ("describe", "inspect")


class DescribeScreen(Reader[None]):
    """Loads `target`'s description from the engine and shows it; `view` is the tab it opens with."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("describe")
    CONTEXT: ClassVar[Context] = "describe"

    DEFAULT_CSS = """
    DescribeScreen {
        .tabs { height: 1; padding: 0 1; background: $background; }
        .tab { width: auto; padding: 0 1; color: $text-muted; }
        .tab.-on { color: $foreground; text-style: bold underline; }
        #found { width: 1fr; text-align: right; color: $text-muted; }
        TextView { height: 1fr; background: $background; padding: 1 1 0 1; }
    }
    """

    def __init__(self, engine: Engine, target: Target, *, view: View = "describe", place: str = "") -> None:
        super().__init__(place)
        self._engine = engine
        self._target = target
        self._view: View = view
        self._description: Description | None = None

    def compose(self) -> ComposeResult:
        yield self.title_line(str(self._target))
        with Horizontal(classes="tabs"):
            for view in VIEWS:
                yield Static(plain(view), id=f"tab-{view}", classes="tab")
            yield Static(id="found")
        yield TextView(_loading, id="text")
        yield CommandLine()
        yield KeyBar("describe")

    def on_mount(self) -> None:
        self._mark_tab()
        self._text.focus()

    @property
    def _text(self) -> TextView:
        return self.query_one("#text", TextView)

    async def load(self) -> None:
        self._description = await self._engine.describe(self._target)
        self.query_one("#what", Static).update(plain(self._description.title, limit=300))
        self._show(keep_place=True)

    def show_error(self, error: OrchtuiError) -> None:
        self._description = None
        self._text.show(lambda width: error_lines(error, width))

    def _show(self, *, keep_place: bool) -> None:
        description = self._description
        if description is None:
            return
        if self._view == "describe":
            self._text.show(lambda width: describe_lines(description, width), keep_place=keep_place)
        elif description.document:
            lines = document_lines(description.document)
            self._text.show(lambda width: lines, keep_place=keep_place)
        else:
            self._text.show(lambda width: _NO_DOCUMENT)

    def _mark_tab(self) -> None:
        for view in VIEWS:
            tab = self.query_one(f"#tab-{view}", Static)
            tab.set_class(view == self._view, "-on")
            # Brackets as well: underline and weight do not survive every terminal.
            tab.update(plain(f"[{view}]" if view == self._view else f" {view} "))

    def _go(self, view: View) -> None:
        if view != self._view:
            self._view = view
            self._mark_tab()
            self._show(keep_place=False)

    def action_next_tab(self) -> None:
        self._go(VIEWS[(VIEWS.index(self._view) + 1) % len(VIEWS)])

    def action_previous_tab(self) -> None:
        self._go(VIEWS[VIEWS.index(self._view) - 1])

    @on(Click, ".tab")
    def _tab_clicked(self, event: Click) -> None:
        for view in VIEWS:
            if event.widget is not None and event.widget.id == f"tab-{view}":
                self._go(view)

    def action_copy(self) -> None:
        text = self._text.unwrapped
        self.app.copy_to_clipboard(text)
        self.app.notify(f"Copied {count(text.count(chr(10)) + 1, 'line')}.", markup=False)

    # --- search

    def action_search(self) -> None:
        self.query_one(CommandLine).open("/", hint="find; n and N go on")

    def action_search_next(self) -> None:
        self._text.search_step(1)

    def action_search_previous(self) -> None:
        self._text.search_step(-1)

    @on(CommandLine.Changed)
    def _searching(self, event: CommandLine.Changed) -> None:
        self._text.search(event.text)

    @on(CommandLine.Submitted)
    def _search_kept(self) -> None:
        self._text.focus()

    @on(CommandLine.Cancelled)
    def _search_left(self) -> None:
        self._text.search("")
        self._text.focus()

    @on(TextView.Searched)
    def _found(self, event: TextView.Searched) -> None:
        self.query_one("#found", Static).update(_found_words(event))


def _found_words(event: TextView.Searched) -> Content:
    if not event.wanted:
        return plain("")
    return plain(f"{event.place} of {count(event.total, 'match', 'matches')}" if event.total else "nothing found")


def _loading(width: int) -> list[Line]:
    return [(("Loading…", "muted"),)]


_NO_DOCUMENT: list[Line] = [
    (("There is no inspect document for it: it is not one object of Docker.", "muted"),),
    (("Inspect one of its containers.", "muted"),),
]
