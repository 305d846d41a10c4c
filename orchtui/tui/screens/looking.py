"""The main screen's looking half: what the keys show, find and move. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from textual import on

from orchtui.commands import Target
from orchtui.tui import filters, keymap
from orchtui.tui.keymap import Context
from orchtui.tui.panes.pane import CONTEXTS
from orchtui.tui.panes.tables import ListPane
from orchtui.tui.present import PROBLEM
from orchtui.tui.screens.arrange import CLUSTER, CONTAINERS, LOGS, SERVICES
from orchtui.tui.screens.browse import BrowseScreen
from orchtui.tui.table import LineTable

if TYPE_CHECKING:
    from orchtui.tui.commandline import CommandLine


class LookScreen(BrowseScreen, inherit_bindings=False):
    """Keys that show, find and move. Other screens are imported when they are first opened."""

    BINDINGS = BrowseScreen.BINDINGS
    _line: CommandLine | None = None

    @property
    def context(self) -> Context:
        return CONTEXTS[self.current]

    @property
    def place(self) -> str:
        """Host and context, as dialogs and other screens name them."""
        host = None if self.snapshot is None else self.snapshot.host
        return self.title_host if host is None else f"{host.name}, context {host.context}"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key whose capability the engine lacks does not exist."""
        needed = keymap.capability_of(action)
        return needed is None or needed in self.engine.capabilities

    # --- what the verbs are about -------------------------------------------------------------------------------------

    def target(self) -> Target | None:
        """The row under the cursor; in the log pane what the logs are of."""
        if self.current == LOGS:
            return self.logs.target
        return self.target_at(self.current, self.list_pane.cursor_key)

    # --- panes --------------------------------------------------------------------------------------------------------

    def action_focus_pane(self, number: int) -> None:
        self.go_to(number)

    def action_focus_next_pane(self) -> None:
        self.go_to(self.current % LOGS + 1)

    def action_focus_previous_pane(self) -> None:
        self.go_to((self.current - 2) % LOGS + 1)

    def action_zoom(self) -> None:
        self.zoomed = not self.zoomed
        self._arrange()

    def action_back(self) -> None:
        """Undo the innermost thing: marks, filter, zoom, narrowing; then the pane before."""
        self._back()

    def action_leave(self) -> None:
        """The same; where nothing is left to undo, quit."""
        if not self._back():
            self.app.exit()

    def _back(self) -> bool:
        pane = self.list_pane
        if self.current == LOGS:
            if self.logs.filter_text:
                self.logs.filter("")
            elif self.zoomed:
                self.action_zoom()
            else:
                self.go_to(self.leading)
            return True
        if pane.marks:
            self.action_clear_marks()
        elif pane.filter_text:
            self.filter(pane, "")
        elif self.zoomed:
            self.action_zoom()
        elif self.current == CONTAINERS:
            self.go_to(SERVICES)
        elif self.service is not None and self.current == SERVICES:
            self.service = None
            self.redraw()
        elif self.current == SERVICES:
            self.go_to(CLUSTER)
        elif self.stack is not None or self.service is not None:
            self.stack = self.service = None
            self.redraw()
        else:
            return False
        return True

    # --- looking ------------------------------------------------------------------------------------------------------

    @on(LineTable.Activated)
    def _activated(self) -> None:
        self.action_drill()

    def action_drill(self) -> None:
        """Into the row: a problem is explained, a stack shows its services, a service its containers, one its logs."""
        key = self.list_pane.cursor_key
        match self.current:
            case 1 if key.startswith(PROBLEM):
                self.action_describe()
            case 1:
                if self.snapshot is not None and key:
                    self._narrow_to(key, self.snapshot)
                self.go_to(SERVICES)
            case 2:
                if key:
                    self.service = key
                    self.redraw()
                self.go_to(CONTAINERS)
            case _:
                self.action_logs()

    def action_describe(self) -> None:
        self.describe("describe", self.target())

    def action_inspect(self) -> None:
        self.describe("inspect", self.target())

    def describe(self, view: Literal["describe", "inspect"], target: Target | None) -> None:
        from orchtui.tui.screens.describe import DescribeScreen

        if target is not None:
            self.app.push_screen(DescribeScreen(self.engine, target, view=view, place=self.place))

    def action_logs(self) -> None:
        target = self.target()
        if target is not None:
            self.show_logs(target)
            self.go_to(LOGS)

    def action_copy(self) -> None:
        """The container's ID, or the name; in the log pane the lines on the screen."""
        target = self.target()
        if self.current == LOGS:
            text, what = self.logs.visible_text(), "the visible lines"
        elif target is None:
            return
        else:
            text = target.key
            what = f"the ID of {target.name}" if target.kind == "container" else target.key
        self.app.copy_to_clipboard(text)
        self.notify(f"Copied {what}.", timeout=2)

    def action_next_problem(self) -> None:
        """The next row of the problem list, round its end."""
        keys = [key for key in self.cluster.listing.keys if key.startswith(PROBLEM)]
        if not keys:
            self.notify("Nothing is wrong.", timeout=2)
            return
        here = self.cluster.cursor_key
        start = keys.index(here) + 1 if here in keys and (self.stack or self.current == CLUSTER) else 0
        self.go_to(CLUSTER)
        self.cluster.select(keys[start % len(keys)], by_person=True)

    def action_toggle_stopped(self) -> None:
        for pane in (self.services, self.containers):
            pane.view = replace(pane.view, stopped=not pane.view.stopped)
        self.redraw()

    def action_faults_only(self) -> None:
        faults = not self.list_pane.view.faults
        for pane in self._tables:
            pane.view = replace(pane.view, faults=faults)
        self.redraw()

    @on(LineTable.SortAsked)
    def _sort_asked(self, event: LineTable.SortAsked) -> None:
        if isinstance(event.table, ListPane):
            self.sort(event.table, event.column)

    def sort(self, pane: ListPane, column: str) -> None:
        """Sort by `column`; asked again, the other way round."""
        reverse = not pane.view.reverse if pane.view.sort == column else False
        pane.view = replace(pane.view, sort=column, reverse=reverse)
        self.redraw()

    def filter(self, pane: ListPane, text: str) -> None:
        pane.filter_text = text
        pane.view = replace(pane.view, filter=filters.parse(text))
        self.redraw()

    def action_sort_by(self, column: str) -> None:
        self.sort(self.list_pane, column)

    def action_mark(self) -> None:
        pane = self.list_pane
        if pane.cursor_key and pane is not self.cluster:
            pane.set_marks(pane.marks ^ {pane.cursor_key})
            pane.action_cursor_down()
            self._titles()

    def action_mark_all(self) -> None:
        if self.list_pane is not self.cluster:
            self.list_pane.set_marks(frozenset(self.list_pane.listing.keys))
            self._titles()

    def action_clear_marks(self) -> None:
        self.list_pane.set_marks(frozenset())
        self._titles()

    def action_refresh(self) -> None:
        """Ask the engine for everything again and paint every line."""
        self.follow()
        self.refresh_all()

    def action_help(self) -> None:
        from orchtui.tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen(self.context, self.engine.capabilities))

    def action_palette(self) -> None:
        from orchtui.tui.screens.palette import Entry, PaletteScreen, key_entries

        entries = key_entries(self.context, self.engine.capabilities)
        if self.snapshot is not None:
            containers = self.snapshot.containers.values()
            entries += [Entry(f"stack {key}", "stack", f"stack {key}") for key in self.snapshot.stacks if key != "-"]
            entries += [Entry(f"service {key}", "service", f"service {key}") for key in self.snapshot.services]
            entries += [Entry(f"container {one.name}", "container", f"container {one.id}") for one in containers]
        self.app.push_screen(PaletteScreen(entries), self._picked)

    async def _picked(self, value: str | None) -> None:
        match (value or "").split(" ", 1):
            case ["stack" | "service" | "container" as kind, key]:
                self.reveal(Target(kind=kind, key=key, name=key))
            case _ if value:
                await self.run_action(value)

    def reveal(self, target: Target) -> None:
        """Put the cursor on a target in its own pane, whatever narrowed the lists before."""
        self.stack = self.service = None
        for pane in self._tables:
            pane.filter_text, pane.view = "", type(pane).view
        self.redraw()
        number = {"stack": CLUSTER, "service": SERVICES, "container": CONTAINERS}[target.kind]
        self.go_to(number)
        self.list_pane.select(f"stack:{target.key}" if target.kind == "stack" else target.key, by_person=True)

    # --- the line at the bottom ---------------------------------------------------------------------------------------

    async def action_command(self) -> None:
        await self._open_line(":")

    async def action_filter(self) -> None:
        await self._open_line("/", self.list_pane.filter_text)

    async def action_log_filter(self) -> None:
        await self._open_line("/", self.logs.filter_text, hint="keep lines that match; !word hides them")

    def action_clear_filter(self) -> None:
        self.filter(self.list_pane, "")

    async def _open_line(
        self, prefix: Literal[":", "/"], text: str = "", *, hint: str = "keep rows that match"
    ) -> None:
        if self._line is None:
            from orchtui.tui.commandline import CommandLine

            self._line = CommandLine(self._names)
            await self.mount(self._line, before=self.keybar)
        self._line.open(prefix, text, hint=hint)

    def _names(self) -> Mapping[str, Sequence[str]]:
        from orchtui.tui.theme import themes
        from orchtui.tui.typed import known_names

        known = {} if self.snapshot is None else known_names(self.snapshot)
        return {**known, "theme": tuple(themes())}

    def _live(self, text: str) -> None:
        if self.current == LOGS:
            wrong = self.logs.filter(text)
            if wrong:
                self.notify(wrong, severity="warning", timeout=3)
        else:
            self.filter(self.list_pane, text)

    def run_line(self, text: str) -> None:
        """Carry out a typed command."""
        raise NotImplementedError

    def on_command_line_changed(self, event: CommandLine.Changed) -> None:
        if event.prefix == "/":
            self._live(event.text)

    def on_command_line_submitted(self, event: CommandLine.Submitted) -> None:
        self.go_to(self.current)
        if event.prefix == "/":
            self._live(event.text)
        elif event.text.strip():
            self.run_line(event.text)

    def on_command_line_cancelled(self, event: CommandLine.Cancelled) -> None:
        self.go_to(self.current)
        if event.prefix == "/":
            self._live(event.original)

    # --- logs ---------------------------------------------------------------------------------------------------------

    def action_search_next(self) -> None:
        self._search(1)

    def action_search_previous(self) -> None:
        self._search(-1)

    def _search(self, step: int) -> None:
        if self.logs.search is None and step > 0:
            self.action_next_problem()
        elif not self.logs.next_match(step):
            self.notify("No match.", timeout=2)

    def action_log_follow(self) -> None:
        self.logs.toggle_follow()

    def action_log_wrap(self) -> None:
        self.logs.toggle_wrap()
        self.logs.retitle()

    def action_log_time(self) -> None:
        self.logs.toggle_times()
        self.logs.retitle()

    def action_log_since(self, span: int) -> None:
        self.logs.choose_span(span)

    def action_log_clear(self) -> None:
        self.logs.clear(("emptied; new lines appear here", "muted"))
