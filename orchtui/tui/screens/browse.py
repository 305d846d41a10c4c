"""The main screen's ground: layout, data in, selection, focus."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.timer import Timer

from orchtui.commands import Target
from orchtui.engine import Engine
from orchtui.errors import OrchtuiError
from orchtui.model.snapshot import Snapshot
from orchtui.model.usage import Usage
from orchtui.tui import bars, present
from orchtui.tui.keybar import KeyBar
from orchtui.tui.keymap import bindings_for
from orchtui.tui.meters import Meters
from orchtui.tui.paint import Line
from orchtui.tui.panes.logs import LogsPane
from orchtui.tui.panes.pane import CONTEXTS
from orchtui.tui.panes.tables import ClusterPane, ContainersPane, ListPane, ServicesPane
from orchtui.tui.panes.usage import UsagePane
from orchtui.tui.screens.arrange import CLUSTER, CONTAINERS, CSS, LOGS, SERVICES, TALL, WIDE, panes_shown
from orchtui.tui.selection import (
    lives,
    members_of_service,
    memory_limit,
    scope_of,
    target_of_cluster_row,
    target_of_container,
)
from orchtui.tui.table import LineTable
from orchtui.tui.words import UNICODE, Glyphs
from orchtui.tui.work import work

FRAME = 0.1
SETTLE = 0.15
"""Seconds the cursor must rest before the logs follow it."""
_AGAIN = 2.0
_NAMES = {CLUSTER: "Cluster", SERVICES: "Services", CONTAINERS: "Containers", LOGS: "Logs"}


class BrowseScreen(Screen[None], inherit_bindings=False):
    """Snapshots and usage in, panes out. `stack` and `service` are what the lists are narrowed to."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("global")
    AUTO_FOCUS = "#cluster"
    # Lines are painted, not laid out as text: Textual's selection by mouse would copy nothing useful.
    ALLOW_SELECT = False
    DEFAULT_CSS = CSS

    def __init__(
        self,
        engine: Engine,
        *,
        clock: Callable[[], float],
        title_host: str,
        tag: str = "",
        glyphs: Glyphs = UNICODE,
    ) -> None:
        super().__init__()
        self.engine = engine
        self.clock = clock
        self.title_host = title_host
        self.tag = tag
        self.glyphs = glyphs
        self.snapshot: Snapshot | None = None
        self.stack: str | None = None
        self.service: str | None = None
        self.current = CLUSTER
        self.leading = CLUSTER
        self.zoomed = False
        self.meters = Meters()
        self.header = Line(id="header")
        self.alarm = Line(id="alarm")
        self.tabs = Line(id="tabs")
        self.cluster = ClusterPane(id="cluster", classes="pane")
        self.services = ServicesPane(id="services", classes="pane")
        self.containers = ContainersPane(id="containers", classes="pane")
        self.plots = UsagePane(id="plots", classes="pane")
        self.logs = LogsPane(engine.logs, clock, id="logs", classes="pane")
        self.keybar = KeyBar("cluster", engine.capabilities)
        self._settling: Timer | None = None
        self._resubscribing: Timer | None = None
        self._measured: frozenset[str] = frozenset()
        self._connected = False
        self._interrupted = False

    def compose(self) -> ComposeResult:
        yield self.header
        yield self.alarm
        yield self.tabs
        with Horizontal(id="top"):
            with Vertical(id="left"):
                yield self.cluster
                yield self.plots
            with Vertical(id="right"):
                yield self.services
                yield self.containers
        yield self.logs
        yield self.keybar

    def on_mount(self) -> None:
        for table in self._tables:
            table.glyphs = self.glyphs
            table.say((f"connecting to {self.title_host} …", "muted"))
        self.plots.show("", (), 0, None)
        self._bars()
        self._titles()
        self.app.theme_changed_signal.subscribe(self, lambda theme: self.refresh_all())
        self.set_interval(1.0, self._tick)
        self.follow()

    def refresh_all(self) -> None:
        """Paint everything again (another theme)."""
        for widget in self.query("*"):
            widget.refresh()

    # --- data in ------------------------------------------------------------------------------------------------------

    def follow(self) -> None:
        """Read snapshots from the engine, starting over if that is done already."""
        work(self, self._follow, group="snapshots")

    async def _follow(self) -> None:
        while True:
            try:
                async for snapshot in self.engine.watch():
                    self.take(snapshot)
                    await asyncio.sleep(FRAME)
            except OrchtuiError as error:
                self._lost(error)
            await asyncio.sleep(_AGAIN)

    def take(self, snapshot: Snapshot) -> None:
        """Show `snapshot`; the last world stays visible while Docker is away."""
        self.snapshot = snapshot
        if self.stack is not None and self.stack not in snapshot.stacks:
            self.stack = None
        if self.service is not None and self.service not in snapshot.services:
            self.service = None
        self.redraw()
        if snapshot.connection.state != "live":
            self._interrupted = True
            return
        if self._interrupted:
            self._interrupted = False
            self.logs.retry()
        if not self._connected:
            self._connected = True
            self.first_data()

    def first_data(self) -> None:
        """Called once, when the first live snapshot is on the screen."""

    def _lost(self, error: OrchtuiError) -> None:
        self._interrupted = True
        if self.snapshot is None:
            for table in self._tables:
                table.say((error.message, "bad"), (f"  {error.hint}", "muted"))
        else:
            self.alarm.cells = ((f" {self.glyphs.warn} {error.message} ", "alarm"), (f" {error.hint}", "warn"))
            self.alarm.display = True

    def redraw(self) -> None:
        """Bring every pane up to what is known now."""
        snapshot, now = self.snapshot, self.clock()
        self._bars()
        if snapshot is None:
            return
        waiting = bars.waiting(snapshot, self.title_host)
        if waiting:
            for table in self._tables:
                table.say(*waiting)
            return
        self.cluster.show(present.cluster(snapshot, self.cluster.view, self.glyphs), now)
        self._redraw_services()
        self._redraw_containers()
        self._titles()
        if self.logs.target is not None:
            self.logs.again(lives(self.logs.target, snapshot))
        self._settle()
        self._measure()
        self._show_usage()

    def _redraw_services(self) -> None:
        if self.snapshot is not None:
            view = replace(self.services.view, stack=self.stack)
            self.services.show(present.services(self.snapshot, self.meters.newest, view, self.glyphs), self.clock())

    def _redraw_containers(self) -> None:
        if self.snapshot is not None:
            view = replace(self.containers.view, stack=self.stack, service=self.service)
            self.containers.show(present.containers(self.snapshot, self.meters.newest, view, self.glyphs), self.clock())

    def _tick(self) -> None:
        now = self.clock()
        for table in self._tables:
            table.tick(now)
        self._measure()
        if self.snapshot is not None and self.snapshot.connection.state == "stale":
            self._bars()

    def _bars(self) -> None:
        wide = self.size.width >= WIDE
        self.header.cells, self.header.right = bars.header(
            self.snapshot, self.title_host, self.tag, self.glyphs, wide=wide
        )
        alarm = () if self.snapshot is None else bars.alarm(self.snapshot, self.clock(), self.glyphs)
        self.alarm.cells = alarm
        self.alarm.display = bool(alarm)
        self.set_class(bool(alarm), "-stale")

    def _titles(self) -> None:
        self.services.set_quiet(self.service is None)
        subject = self.subject()
        self.containers.set_quiet(subject is None or subject.key != self.containers.cursor_key)
        details = {
            CLUSTER: self.cluster.detail(),
            SERVICES: self.services.detail(self.stack or "all"),
            CONTAINERS: self.containers.detail(self.service or self.stack or "all"),
            LOGS: "" if self.logs.target is None else self.logs.target.name,
        }
        for number, table in enumerate(self._tables, 1):
            table.entitle(f"{number} {_NAMES[number]}", details[number])
        self.tabs.cells = bars.tabs(self.current, [(n, _NAMES[n], details[n]) for n in _NAMES])
        self.logs.retitle()

    # --- usage --------------------------------------------------------------------------------------------------------

    def _wanted(self) -> frozenset[str]:
        """Running containers that are on the screen, or belong to services that are."""
        if self.snapshot is None:
            return frozenset()
        keys = list(self.containers.visible_keys)
        for service in self.services.visible_keys:
            keys += members_of_service(service, self.snapshot)
        return frozenset(key for key in keys if (c := self.snapshot.containers.get(key)) and c.state == "running")

    @on(LineTable.Scrolled)
    def _measure(self) -> None:
        """Ask for the usage of what is visible, a moment after that changed."""
        wanted = self._wanted()
        if wanted and not wanted <= self._measured and self._resubscribing is None:
            self._resubscribing = self.set_timer(0.3 if self._measured else 0.01, self._subscribe)

    def _subscribe(self) -> None:
        self._resubscribing = None
        self._measured = self._wanted()
        if self._measured:
            work(self, self._follow_usage, self._measured, group="usage")

    async def _follow_usage(self, containers: frozenset[str]) -> None:
        while True:
            try:
                async for usage in self.engine.usage(containers):
                    self.take_usage(usage)
            except OrchtuiError:
                pass  # why Docker is away is said by the snapshots
            await asyncio.sleep(_AGAIN)

    def take_usage(self, usage: Mapping[str, Usage]) -> None:
        """Show new samples."""
        if self.snapshot is None:
            return
        self.meters.take(usage, self.snapshot)
        self._redraw_services()
        self._redraw_containers()
        self._show_usage()

    def _show_usage(self) -> None:
        if self.snapshot is not None:
            target = self.subject() if self.stack or self.leading != CLUSTER else None
            name = "all containers" if target is None else target.name or target.key
            limit = memory_limit(target, self.snapshot)
            self.plots.show(name, self.meters.history(target), limit, self.snapshot.host)

    # --- selection ----------------------------------------------------------------------------------------------------

    @on(LineTable.Moved)
    def _moved(self, event: LineTable.Moved) -> None:
        if event.by_person and self.snapshot is not None:
            match event.table:
                case self.cluster:
                    self.leading = CLUSTER
                    self._narrow_to(event.key, self.snapshot)
                case self.services:
                    self.leading = SERVICES
                    self.service = event.key
                    self._redraw_containers()
                case _:
                    self.leading = CONTAINERS
            self._titles()
            self._show_usage()
        self._settle()

    def _narrow_to(self, key: str, snapshot: Snapshot) -> None:
        """A row of the first pane was chosen: a stack, all of them, or a problem and what it is about."""
        target = target_of_cluster_row(key, snapshot)
        self.stack, self.service = scope_of(target, snapshot)
        self._redraw_services()
        self._redraw_containers()
        if self.service is not None:
            self.services.select(self.service)
        if target is not None and target.kind == "container":
            self.containers.select(target.key)

    def target_at(self, pane: int, key: str) -> Target | None:
        """What the row `key` of a pane stands for."""
        if not key or self.snapshot is None:
            return None
        if pane == CLUSTER:
            return target_of_cluster_row(key, self.snapshot)
        if pane == SERVICES:
            return Target(kind="service", key=key, name=key)
        return target_of_container(key, self.snapshot)

    def subject(self) -> Target | None:
        """What the logs and plots are about: the row under the cursor of the list that was used last."""
        target = self.target_at(self.leading, self._tables[self.leading - 1].cursor_key)
        return target or self.target_at(SERVICES, self.services.cursor_key)

    def _settle(self) -> None:
        """Let the logs follow the cursor once it rests."""
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(SETTLE, self._open_logs) if self.subject() != self.logs.target else None

    def _open_logs(self) -> None:
        self._settling = None
        target = self.subject()
        if target != self.logs.target:
            self.show_logs(target)

    def show_logs(self, target: Target | None, since: float | None = None) -> None:
        """Read the logs of `target`, of the last `since` seconds where given."""
        running = frozenset() if target is None or self.snapshot is None else lives(target, self.snapshot)
        self.logs.open(target, running, since=since)
        self._titles()

    # --- panes and focus ----------------------------------------------------------------------------------------------

    @property
    def _tables(self) -> tuple[ListPane, ListPane, ListPane]:
        return self.cluster, self.services, self.containers

    @property
    def list_pane(self) -> ListPane:
        """The focused list, else the one used last."""
        return self._tables[(self.current if self.current != LOGS else self.leading) - 1]

    def go_to(self, number: int) -> None:
        """Focus a pane, showing it first where only one is on the screen."""
        pane = (*self._tables, self.logs)[number - 1]
        self.current = number
        if number != LOGS:
            self.leading = number
        self._arrange(also=number)
        self.set_focus(pane)
        self._arrange()
        self.keybar.show(CONTEXTS[number])
        self._titles()
        self._settle()
        self._show_usage()
        self.call_after_refresh(self._measure)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        panes = (*self._tables, self.logs)
        # Only what has the focus still: a focus that moved on again must not be called back, to and fro without end.
        if event.widget is self.focused and event.widget in panes and panes.index(event.widget) + 1 != self.current:
            self.go_to(panes.index(event.widget) + 1)

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()
        self._bars()
        self.call_after_refresh(self._measure)

    def _arrange(self, also: int = 0) -> None:
        """Which panes are on the screen: all on a wide one, else the current one (and `also`)."""
        width, height = self.size
        alone = self.zoomed or width < WIDE
        shown = panes_shown(self.size, self.current, self.leading, zoomed=self.zoomed) | {also}
        self.set_class(width >= WIDE, "-framed")
        self.tabs.display = width < WIDE
        self.plots.display = not alone and height >= TALL
        self.query_one("#left").display = CLUSTER in shown
        self.query_one("#left").styles.width = "100%" if alone else None
        self.query_one("#left").styles.max_width = "100%" if alone else None
        self.query_one("#right").display = bool(shown & {SERVICES, CONTAINERS})
        self.services.display = SERVICES in shown
        self.containers.display = CONTAINERS in shown
        self.query_one("#top").display = bool(shown & {CLUSTER, SERVICES, CONTAINERS})
        self.logs.display = LOGS in shown
