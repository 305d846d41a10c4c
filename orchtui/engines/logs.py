"""Logs of one or many containers as one stream in the order of time.

Every container is read on its own and its lines wait in a queue. A line goes out once no other container can still
have an older one: when each has shown a younger line or ended, or, while following, when it has waited out a short
window (a silent container must not hold the others back). New replicas of a followed service join by themselves, and
a container that was started again is read on.

What was logged before the request holds its container's reader back when nobody takes the lines; what comes later is
dropped, oldest first, and counted: a log that lags is worse than one that says what it skipped.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from heapq import heapify, heappop, heapreplace
from typing import TypeAlias

from orchtui.core.exits import explain
from orchtui.core.redact import mask_known, secret_values, spellings
from orchtui.docker import logs
from orchtui.docker.client import DockerClient
from orchtui.engine import LogRequest
from orchtui.engines.acts import members
from orchtui.errors import DockerError, DockerNotFound, NotFound
from orchtui.latest import Latest
from orchtui.model.logs import LogBatch
from orchtui.model.observed import Container
from orchtui.model.snapshot import Snapshot

WINDOW = 0.25  # seconds a line waits for older ones of other containers
QUIET = 0.15  # a container that said nothing for so long has shown its backlog
PATIENCE = 2.0  # and one that cannot stop talking has shown enough of it after this
BATCH = 2_000  # lines
QUEUE = 20_000  # lines that wait for one reader, over all containers
ROUNDING = 1e-6  # seconds: a float of today's date is only this exact, and a line at `since` belongs to it
PAUSE = 0.05  # seconds between batches while following, so that a chatty container makes few big ones

Row: TypeAlias = tuple[float, bool, str, float]  # time, stderr, text, when it arrived (loop's clock)
Spawn: TypeAlias = Callable[[Coroutine[object, object, None]], asyncio.Task[None]]


class _Source:
    """One container's lines on their way."""

    def __init__(self, container: Container, *, tail: int | None, now: float) -> None:
        self.container = container
        self.rows: deque[Row] = deque(maxlen=tail)  # bounded only until the backlog is shown
        self.last = 0.0  # the newest time taken; times never go back within one container
        self.known = 0.0  # what is not newer was taken before the container was started again
        self.known_secrets: tuple[str, ...] = ()  # of its environment, in all spellings
        self.opened = self.heard = now
        self.done = False

    def take(self, lines: logs.Lines, now: float) -> None:
        for at, stderr, text in zip(lines.times, lines.stderr, lines.lines, strict=True):
            if at and at <= self.known:
                continue
            if self.known_secrets:
                text = mask_known(text, self.known_secrets)
            self.last = max(self.last, at)
            self.rows.append((self.last, stderr, text, now))
        self.heard = now

    def shown_backlog(self, tail: int, now: float) -> bool:
        quiet, patience = now - self.heard >= QUIET, now - self.opened >= PATIENCE
        return self.done or len(self.rows) >= tail or quiet or patience


class LogMerge:
    """One reader's logs; use `batches` once. `spawn` starts a task in a group that outlives the reader."""

    def __init__(
        self,
        client: DockerClient,
        snapshots: Latest[Snapshot],
        request: LogRequest,
        spawn: Spawn,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._snapshots = snapshots
        self._request = request
        self._spawn = spawn
        self._sources: dict[str, _Source] = {}
        self._notes: deque[tuple[_Source, str]] = deque(maxlen=64)
        self._skipped = 0
        self._began = clock()
        self._in_backlog = bool(request.tail)
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()
        self._changed = asyncio.Event()
        self._failure: DockerError | None = None
        self._finished = False

    async def batches(self) -> AsyncIterator[LogBatch]:
        """Raises NotFound for an unknown target, DockerError when no log at all could be read."""
        members(self._snapshot(), self._request.target)
        reading = self._spawn(self._read())
        try:
            while True:
                batch = self._next()
                if batch is not None:
                    self._taken.set()
                    yield batch
                    if self._request.follow and len(batch.lines) < BATCH:
                        await asyncio.sleep(PAUSE)
                elif self._finished and not self._waiting():
                    break
                else:
                    await self._wait()
        finally:
            reading.cancel()
            await asyncio.wait({reading})
        if self._failure is not None:
            raise self._failure

    # -- reading -----------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        """Read all containers of the target, and those that join it; never fails but by `_failure`."""
        try:
            async with asyncio.TaskGroup() as group:
                for container in members(self._snapshot(), self._request.target):
                    source = self._sources[container.id] = self._source(container, joined=False)
                    group.create_task(self._pump(source, since=self._request.since, tail=self._request.tail))
                if self._request.follow:
                    await self._keep_up(group)
        finally:
            self._finished = True
            self._arrived.set()

    def _source(self, container: Container, *, joined: bool) -> _Source:
        tail = self._request.tail if self._in_backlog and not joined else None
        return _Source(container, tail=tail, now=_now())

    async def _pump(self, source: _Source, *, since: float | None, tail: int | None) -> None:
        container = source.container
        try:
            document = await self._client.container_document(container.id)
            source.known_secrets = spellings(secret_values(document.env))
            if not container.inspected:
                container = source.container = document.container
            lines = logs.read(
                self._client,
                container.id,
                tty=container.tty,
                follow=self._request.follow,
                since=since - ROUNDING if since else None,
                tail=tail,
            )
            async with _closing(lines):
                async for batch in lines:
                    source.take(batch, _now())
                    if batch.note:
                        self._notes.append((source, f"{container.name}: {batch.note}"))
                    self._arrived.set()
                    await self._make_room(source)
        except DockerNotFound:
            self._notes.append((source, f"{container.name} was removed"))
        except DockerError as error:
            if self._request.target.kind == "container":
                self._failure = error
            self._notes.append((source, f"{container.name}: {error.message}"))
        finally:
            source.done = True
            self._arrived.set()
            self._changed.set()

    async def _make_room(self, source: _Source) -> None:
        """Wait or drop while too much is queued. A source of which nothing waits may always go on: others need it."""
        if self._in_backlog:
            return
        live = self._request.follow and source.last >= self._began
        while len(source.rows) > 1 and (waiting := self._waiting()) >= QUEUE:
            if live:
                longest = max(self._sources.values(), key=lambda one: len(one.rows))
                drop = min(waiting - QUEUE + BATCH, len(longest.rows))
                for _ in range(drop):
                    longest.rows.popleft()
                self._skipped += drop
            else:
                self._taken.clear()
                await self._taken.wait()

    def _waiting(self) -> int:
        return sum(len(source.rows) for source in self._sources.values())

    async def _keep_up(self, group: asyncio.TaskGroup) -> None:
        """Follow who joins, comes back and ends, until there is nothing left to follow."""
        watching = group.create_task(self._watch())
        told: set[tuple[str, float | None]] = set()
        while not self._over():
            for container in self._found():
                source = self._sources.get(container.id)
                if source is None:
                    source = self._sources[container.id] = self._source(container, joined=True)
                    group.create_task(self._pump(source, since=None, tail=None))
                elif not source.done:
                    continue
                elif container.running and (container.started_at or 0) > (source.container.started_at or 0):
                    source.container, source.done, source.known = container, False, source.last
                    group.create_task(self._pump(source, since=source.last or None, tail=None))
                elif source.container.running and container.state != "running":
                    end = (container.id, container.finished_at)
                    if end not in told:
                        self._notes.append((source, f"{container.name}: {explain(container)}"))
                        self._arrived.set()
                    told.add(end)
            await self._changed.wait()
            self._changed.clear()
        watching.cancel()

    async def _watch(self) -> None:
        async for _ in self._snapshots:
            self._changed.set()

    def _found(self) -> tuple[Container, ...]:
        try:
            return members(self._snapshot(), self._request.target)
        except NotFound:
            return ()

    def _over(self) -> bool:
        """Whether the target is gone, or is one container that has ended for good."""
        found, snapshot = self._found(), self._snapshot()
        if not all(source.done for source in self._sources.values()):
            return False
        if self._request.target.kind == "container":
            ended = found and not found[0].running and found[0].finished_at is not None
            return bool(ended) or (not found and snapshot.connection.state == "live")
        return not found and snapshot.connection.state == "live"

    # -- merging -----------------------------------------------------------------------------------------------------

    async def _wait(self) -> None:
        """Until something arrives, or what waits has waited long enough."""
        self._arrived.clear()
        waits = self._in_backlog or (self._request.follow and self._waiting())
        with suppress(TimeoutError):
            async with asyncio.timeout(PAUSE if waits else None):
                await self._arrived.wait()

    def _next(self) -> LogBatch | None:
        """The next batch that may go out."""
        if self._in_backlog and not self._end_backlog():
            return None
        # Notes first, once their source's lines are out: another source that never pauses must not hold them back.
        if self._notes and not self._notes[0][0].rows:
            return LogBatch(names=(), times=(), source=(), stderr=(), lines=(), note=self._notes.popleft()[1])
        rows = self._ordered()
        return self._batch(rows) if rows or self._skipped else None

    def _end_backlog(self) -> bool:
        """Whether every container has shown what it had; then the last `tail` lines of all of them are kept."""
        tail, now = self._request.tail, _now()
        assert tail is not None  # there is no backlog phase without
        sources = list(self._sources.values())
        if self._request.follow:
            complete = bool(sources or self._finished) and all(one.shown_backlog(tail, now) for one in sources)
        else:
            complete = self._finished
        if not complete:
            return False
        self._in_backlog = False
        times = sorted((row[0], index) for index, one in enumerate(sources) for row in one.rows)
        kept = Counter(index for _, index in times[-tail:])
        for index, one in enumerate(sources):
            one.rows = deque(list(one.rows)[len(one.rows) - kept[index] :])
        return True

    def _ordered(self) -> list[tuple[_Source, Row]]:
        """Up to BATCH rows, oldest first, of which no older one can come any more (or only too late)."""
        sources = list(self._sources.values())
        heap = [(one.rows[0][0], index) for index, one in enumerate(sources) if one.rows]
        heapify(heap)
        silent = sum(1 for one in sources if not one.rows and not one.done)
        horizon = _now() - WINDOW
        rows: list[tuple[_Source, Row]] = []
        while heap and len(rows) < BATCH:
            source = sources[heap[0][1]]
            row = source.rows[0]
            if silent and not (self._request.follow and row[3] <= horizon):
                break
            rows.append((source, source.rows.popleft()))
            if source.rows:
                heapreplace(heap, (source.rows[0][0], heap[0][1]))
            else:
                heappop(heap)
                silent += not source.done
        return rows

    def _batch(self, rows: list[tuple[_Source, Row]]) -> LogBatch:
        index: dict[str, int] = {}
        for source, _ in rows:
            index.setdefault(source.container.name, len(index))
        skipped, self._skipped = self._skipped, 0
        return LogBatch(
            names=tuple(index),
            times=tuple(row[0] for _, row in rows),
            source=tuple(index[source.container.name] for source, _ in rows),
            stderr=tuple(row[1] for _, row in rows),
            lines=tuple(row[2] for _, row in rows),
            skipped=skipped,
        )

    def _snapshot(self) -> Snapshot:
        snapshot = self._snapshots.value
        assert snapshot is not None  # the observer publishes before anybody can ask
        return snapshot


@asynccontextmanager
async def _closing(stream: AsyncIterator[logs.Lines]) -> AsyncIterator[None]:
    """Close a stream, and with it its connection, when its reader leaves."""
    try:
        yield
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()


def _now() -> float:
    return asyncio.get_running_loop().time()
