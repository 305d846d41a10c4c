"""The log pane: the stream of what is selected, reopened when a container comes back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from typing import ClassVar

from textual.binding import BindingType

from orchtui.commands import Target
from orchtui.engine import LogRequest
from orchtui.errors import OrchtuiError
from orchtui.model.logs import LogBatch
from orchtui.tui.keymap import Context, bindings_for
from orchtui.tui.logring import parse_search
from orchtui.tui.logview import LogView
from orchtui.tui.panes.pane import Framed
from orchtui.tui.selection import Lives
from orchtui.tui.work import work

TAIL = 500
# The presets of keys 0 to 6: how far back in seconds; None with a tail, or from the first line.
SPANS: tuple[float | None, ...] = (None, None, 60, 300, 900, 1800, 3600)
SPAN_NAMES = ("tail", "head", "1m", "5m", "15m", "30m", "1h")
QUIET = 1.0
"""Seconds without a line after which the pane says that there is none, not that it is waiting."""


class LogsPane(LogView, Framed):
    CONTEXT: ClassVar[Context] = "logs"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("logs"), *bindings_for("text")]

    def __init__(
        self,
        source: Callable[[LogRequest], AsyncIterator[LogBatch]],
        clock: Callable[[], float],
        *,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._source = source
        self._clock = clock
        self.target: Target | None = None
        self.span = 0
        self.filter_text = ""
        self._lives: Lives = frozenset()
        self._ended, self._failed = True, False
        self._newest = 0.0

    # --- which stream -------------------------------------------------------------------------------------------------

    def open(self, target: Target | None, running: Lives = frozenset(), *, since: float | None = None) -> None:
        """Show `target`'s logs from their tail, or of the last `since` seconds. None shows nothing.

        `running` are its running containers: when others run after the stream ended, it is opened again.
        """
        self._newest = 0.0
        self.target, self._lives = target, running
        if target is None:
            self.workers.cancel_node(self)
            self.clear(("select a service or a container to see its logs", "muted"))
        else:
            self.clear(("waiting for logs of ", "muted"), (target.name or target.key, "muted"), (" …", "muted"))
            self._start(self._request(target, since))
        self.retitle()

    def again(self, running: Lives) -> None:
        """The target's running containers are these now: where its stream ended and one came back, go on reading."""
        if self.target is not None and self._ended and running - self._lives:
            self._lives = running
            self._resume(self.target)

    def retry(self) -> None:
        """Docker is back: go on reading where the stream broke off."""
        if self.target is not None and self._failed:
            self._resume(self.target)

    def _resume(self, target: Target) -> None:
        if not self._newest:
            self._start(LogRequest(target=target, follow=True, tail=TAIL))
            return
        # `since` includes its own moment, and that line is here already.
        self._start(LogRequest(target=target, follow=True, since=self._newest + 2e-6, tail=None))

    def choose_span(self, span: int) -> None:
        """0 the tail, 1 from the first line, 2 to 6 the last minutes."""
        self.span = span
        if self.target is not None:
            self.open(self.target, self._lives)

    def _request(self, target: Target, since: float | None) -> LogRequest:
        back = since if since is not None else SPANS[self.span]
        if back is not None:
            return LogRequest(target=target, follow=True, since=self._clock() - back, tail=None)
        return LogRequest(target=target, follow=True, tail=None if self.span == 1 else TAIL)

    def _start(self, request: LogRequest) -> None:
        self._ended = self._failed = False
        work(self, self._read, request, group="logs")

    async def _read(self, request: LogRequest) -> None:
        got = False
        quiet = self.set_timer(QUIET, lambda: self.say(("no lines so far; new ones appear here", "muted")))
        try:
            async for batch in self._source(request):
                got = True
                if batch.times:
                    self._newest = max(self._newest, batch.times[-1])
                self.append(batch)
        except OrchtuiError as error:
            self._failed = True
            self.say((error.message, "bad"), ("  " + error.hint, "muted"))
            if len(self.ring):
                self.note(f"-- {error}")
        else:
            self.say(("nothing was logged", "muted"))
            if got:
                self.note("-- end of the log")
        finally:
            quiet.stop()
        self._ended = True

    # --- what a person sets -------------------------------------------------------------------------------------------

    def filter(self, text: str) -> str:
        """Keep lines that match; returns what is wrong with the text ("" nothing)."""
        self.filter_text = text
        try:
            self.find(parse_search(text))
        except re.error as error:
            return f"not a regular expression: {error}"
        self.retitle()
        return ""

    def retitle(self) -> None:
        name = "" if self.target is None else self.target.name or self.target.key
        marks = [SPAN_NAMES[self.span]] if self.span else []
        marks += ["wrap"] if self.wrap else []
        marks += ["UTC"] if self.times else []
        marks += [f"/{self.filter_text}"] if self.filter_text else []
        self.entitle("4 Logs", " · ".join([name, *marks]) if name else "")
