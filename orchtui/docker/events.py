"""The daemon's events, without an end: they come back after every loss, and say where something may have been missed.

aiodocker's own subscription dies with the connection and queues without bound (research/feasibility.md 1.3). Events are
a hint: dockerd keeps 256, forgets them when it restarts, and drops some for a slow reader. So after each Gap the reader
lists everything again; in between, events tell it what to look at.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from orchtui.docker import parse
from orchtui.docker.connection import Chunks, Connection
from orchtui.docker.resources import json_lines
from orchtui.errors import DockerError, DockerUnreachable
from orchtui.model.observed import DockerEvent

BACKOFF_FIRST = 0.1  # seconds
BACKOFF_LAST = 5.0
SETTLED = 2.0  # a stream that lived this long was no flapping: start over at the first back-off
OVERLAP = 1_000_000_000  # nanoseconds asked for twice after a loss: events are not strictly in order of time
REMEMBERED = 1024  # events that a repetition is recognised among; dockerd itself replays at most 256
IDLE = 15.0  # seconds of silence after which we ask whether anybody is still there

# Health checks alone make three exec events each, and `top`, `attach` and the like change nothing. dockerd compares by
# prefix as soon as health_status is among the names (moby daemon/events/filter.go), which suits all of them.
ACTIONS = (
    *("create", "start", "restart", "stop", "kill", "die", "oom", "pause", "unpause", "rename", "update", "destroy"),
    *("health_status", "connect", "disconnect", "remove", "pull", "import", "load", "tag", "untag", "delete", "reload"),
)


@dataclass(frozen=True, slots=True)
class Gap:
    """The stream stands (again). Anything may have happened before: list everything now. `first` on the first one."""

    reason: str
    first: bool = False


@dataclass(frozen=True, slots=True)
class Lost:
    """The stream broke, or could not be opened; the next try follows by itself. Repeated only when `error` changes."""

    error: DockerError


EventItem = DockerEvent | Gap | Lost


class EventStream:
    """`async for item in EventStream(client)`: DockerEvent, Gap or Lost, for ever; one reader at a time.

    Nothing is queued here: a slow reader lets the socket fill up. `sleep` and `clock` (seconds) can be injected.
    """

    def __init__(
        self,
        client: Connection,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        idle: float = IDLE,
    ) -> None:
        self._client = client
        self._sleep = sleep
        self._clock = clock
        self._idle = idle
        self._cursor = 0
        self._seen: OrderedDict[tuple[int, str, str, str], None] = OrderedDict()

    @property
    def cursor(self) -> int:
        """The daemon's time of the newest event seen, in nanoseconds; before any, when the stream first stood."""
        return self._cursor

    async def __aiter__(self) -> AsyncIterator[EventItem]:
        delay = BACKOFF_FIRST
        first, reason = True, "connected"
        said: tuple[type, str] | None = None
        while True:
            stood_at: float | None = None
            try:
                # Also negotiates anew: what comes back after a loss may be another version.
                await self._client.refresh_host()
                if not self._cursor:
                    self._cursor = self._client.daemon_nano
                async with self._client.stream("events", doing="send events", params=self._params()) as chunks:
                    stood_at = self._clock()
                    said = None
                    yield Gap(reason, first)
                    first = False
                    async for item in json_lines(_Watched(chunks, self._client, self._idle)):
                        event = self._fresh(parse.event(item))
                        if event is not None:
                            yield event
                error: DockerError = DockerUnreachable(
                    "Docker ended its event stream.", hint="dockerd is probably stopping; orchtui reconnects by itself."
                )
            except DockerError as caught:
                error = caught
            if said != (type(error), error.message):
                said = (type(error), error.message)
                yield Lost(error)
            reason = error.message
            if stood_at is not None and self._clock() - stood_at >= SETTLED:
                delay = BACKOFF_FIRST
            await self._sleep(delay)
            delay = min(delay * 2, BACKOFF_LAST)

    def _params(self) -> dict[str, str]:
        since = max(self._cursor - (OVERLAP if self._seen else 0), 0)
        params = {"filters": json.dumps({"event": list(ACTIONS)})}
        if since:
            params["since"] = f"{since // 1_000_000_000}.{since % 1_000_000_000:09d}"
        return params

    def _fresh(self, event: DockerEvent | None) -> DockerEvent | None:
        """The event, unless it is of no interest or was seen before."""
        if event is None or not event.action.startswith(ACTIONS):
            return None
        key = (event.nano, event.kind, event.action, event.id)
        if key in self._seen:
            return None
        self._seen[key] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        self._cursor = max(self._cursor, event.nano)
        return event


class _Watched:
    """Chunks that notice a dead peer: after `idle` seconds of silence the daemon must answer a ping."""

    def __init__(self, chunks: Chunks, client: Connection, idle: float) -> None:
        self._chunks = chunks
        self._client = client
        self._idle = idle

    def __aiter__(self) -> _Watched:
        return self

    async def __anext__(self) -> bytes:
        while True:
            try:
                async with asyncio.timeout(self._idle):
                    return await anext(self._chunks)
            except TimeoutError:
                await self._client.ping()
