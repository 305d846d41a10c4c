"""RemoteEngine: the Engine protocol over the background engine's socket, on the standard library and msgspec alone.

It imports neither aiohttp nor aiodocker nor textual: they would cost the console and every command 110 ms and more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from orchtui.api import codec, delta
from orchtui.api.codec import EngineInfo, EngineStopped
from orchtui.api.frames import CODE, SIZE, Frames, Kind, frame, pieces
from orchtui.api.http import Connection
from orchtui.commands import Actor, Command, Receipt, Target
from orchtui.engine import Capability, ExecSession, LogRequest
from orchtui.errors import EngineUnavailable, OrchtuiError
from orchtui.model.description import Description
from orchtui.model.history import Revision
from orchtui.model.logs import LogBatch
from orchtui.model.plan import Change, Plan
from orchtui.model.snapshot import Connection as DockerConnection
from orchtui.model.snapshot import Snapshot
from orchtui.model.usage import Usage

T = TypeVar("T")

PREFIX = "/engine/v1"
_ANSWER_SECONDS = 5.0
_RETRY_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0)
_PROBLEM_LINE = b'{"problem":'

Revive = Callable[[], Awaitable[None]]


class RemoteEngine:
    """A running engine, by its socket. Holds no connection between calls.

    `revive` is awaited when the engine process has died (not when somebody stopped it) while a `watch` is open.
    """

    def __init__(
        self,
        path: Path,
        info: EngineInfo,
        *,
        revive: Revive | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.path = path
        self.info = info
        self._revive = revive
        self._clock = clock

    @classmethod
    async def connect(cls, path: Path, *, revive: Revive | None = None) -> RemoteEngine:
        """Raises EngineUnavailable when no engine answers at `path` within 5 s."""
        return cls(path, await fetch_info(path), revive=revive)

    @property
    def capabilities(self) -> frozenset[Capability]:
        return frozenset(item for item in Capability if item in self.info.capabilities)

    async def __aenter__(self) -> RemoteEngine:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Nothing to close: every call has its own connection, and every iteration ends its own."""

    async def plan(self, command: Command) -> Plan:
        return await _call(self.path, "plan", codec.PlanRequest(command=codec.encode_command(command)), Plan)

    async def execute(self, command: Command, actor: Actor) -> Receipt:
        """As the protocol says; the engine takes the actor's name from the socket, not from us."""
        request = codec.ExecuteRequest(command=codec.encode_command(command), via=actor.via)
        return await _call(self.path, "execute", request, Receipt)

    async def history(self, stack: str) -> tuple[Revision, ...]:
        return await _call(self.path, "history", codec.HistoryRequest(stack=stack), tuple[Revision, ...])

    async def diff(self, stack: str, old: int, new: int) -> tuple[Change, ...]:
        return await _call(self.path, "diff", codec.DiffRequest(stack=stack, old=old, new=new), tuple[Change, ...])

    async def describe(self, target: Target) -> Description:
        return await _call(self.path, "describe", target, Description)

    async def watch(self) -> AsyncGenerator[Snapshot, None]:
        """As the protocol says. While the engine process is away the last snapshot comes marked as stale.

        Raises EngineUnavailable only if the first connection fails.
        """
        last: Snapshot | None = None
        attempt = 0
        wanted = False  # somebody stopped the engine on purpose
        while True:
            lost: EngineUnavailable = EngineStopped("The orchtui engine was stopped.")
            try:
                async with aclosing(self._watch_once(last)) as snapshots:
                    async for last in snapshots:
                        attempt = 0
                        yield last
            except EngineUnavailable as error:
                lost = error
            if last is None:
                raise lost
            if attempt == 0:
                wanted = isinstance(lost, EngineStopped)
                last = self._away(last, lost if wanted else _not_answering())
                yield last
            # Revived at once, then ever more rarely: an engine that cannot start must not be started all the time.
            if not wanted and self._revive is not None and attempt & (attempt + 1) == 0:
                try:
                    await self._revive()
                except OrchtuiError as error:
                    last = self._away(last, error)
                    yield last
            await asyncio.sleep(_RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)])
            attempt += 1

    def _away(self, last: Snapshot, error: OrchtuiError) -> Snapshot:
        connection = DockerConnection(state="stale", since=self._clock(), reason=error.message, hint=error.hint)
        return replace(last, connection=connection)

    async def _watch_once(self, last: Snapshot | None) -> AsyncGenerator[Snapshot, None]:
        """One connection. Applies everything that has arrived before it yields, so a slow reader skips, too."""
        async with aclosing(_lines(self.path, "GET", "watch", b"")) as arrivals:
            async for lines in arrivals:
                for line in lines:
                    last = delta.apply(last, delta.decode(line))
                if last is not None:
                    yield last

    async def usage(self, containers: frozenset[str] | None = None) -> AsyncGenerator[Mapping[str, Usage], None]:
        body = codec.encode(codec.UsageRequest(containers=containers))
        async with aclosing(_lines(self.path, "POST", "usage", body)) as arrivals:
            async for lines in arrivals:
                yield codec.decode(dict[str, Usage], lines[-1])

    async def logs(self, request: LogRequest) -> AsyncGenerator[LogBatch, None]:
        async with aclosing(_lines(self.path, "POST", "logs", codec.encode(request))) as arrivals:
            async for lines in arrivals:
                for line in lines:
                    yield codec.decode(LogBatch, line)

    async def open_exec(
        self, container: str, argv: tuple[str, ...], *, tty: bool = True, columns: int = 80, rows: int = 24
    ) -> ExecSession:
        request = codec.ExecRequest(container=container, argv=argv, tty=tty, columns=columns, rows=rows)
        return await RemoteExec.open(self.path, request)


class RemoteExec:
    """An exec session over one connection of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._frames = Frames()
        self._pending: list[tuple[Kind, bytes]] = []
        self._code: int | None = None
        self._closed = False

    @classmethod
    async def open(cls, path: Path, request: codec.ExecRequest) -> RemoteExec:
        """Raises what `open_exec` of the engine raises."""
        connection = Connection(path)
        await connection.__aenter__()
        session = cls(connection)
        try:
            await connection.send("POST", f"{PREFIX}/exec", None)
            await connection.send_chunk(frame(Kind.OPEN, codec.encode(request)))
            await connection.read_head()
            if connection.status != 200:
                raise _refusal(connection, await connection.read_all())
        except BaseException:
            await session.aclose()
            raise
        return session

    async def read(self) -> bytes:
        while self._code is None:
            output = bytearray()
            while self._pending:
                kind, payload = self._pending.pop(0)
                if kind is Kind.OUTPUT:
                    output += payload
                elif output:
                    self._pending.insert(0, (kind, payload))
                    break
                elif kind is Kind.EXIT:
                    (self._code,) = CODE.unpack(payload)
                elif kind is Kind.PROBLEM:
                    raise codec.decode_error(payload)
            if output:
                return bytes(output)
            if self._code is None:
                data = await self._connection.read()
                if not data:
                    raise EngineUnavailable("The exec session ended without its exit code.")
                self._pending += self._frames.feed(data)
        return b""

    async def write(self, data: bytes) -> None:
        for piece in pieces(data):
            await self._send(frame(Kind.INPUT, piece))

    async def resize(self, columns: int, rows: int) -> None:
        await self._send(frame(Kind.RESIZE, SIZE.pack(min(columns, 0xFFFF), min(rows, 0xFFFF))))

    async def _send(self, data: bytes) -> None:
        """Typing into a process that has just ended is no error: `read` says how it ended."""
        with suppress(EngineUnavailable):
            await self._connection.send_chunk(data)

    async def exit_code(self) -> int:
        while self._code is None:
            await self.read()
        return self._code

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            await self._connection.__aexit__(None, None, None)


async def fetch_info(path: Path) -> EngineInfo:
    """Who answers at `path`. Raises EngineUnavailable."""
    return await _answer(path, "GET", "info", b"", EngineInfo)


async def shut_down(path: Path) -> EngineInfo:
    """Ask the engine to end; it answers before it does. Raises EngineUnavailable."""
    return await _answer(path, "POST", "shutdown", b"", EngineInfo)


async def _answer(path: Path, method: str, name: str, body: bytes, kind: type[T]) -> T:
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            return await _exchange(path, method, name, body, kind)
    except TimeoutError as error:
        raise EngineUnavailable(
            f"The orchtui engine at {path} does not answer.",
            hint="Look at its log in the state folder; 'orchtui engine stop' ends it.",
        ) from error


async def _call(path: Path, name: str, request: object, kind: type[T]) -> T:
    return await _exchange(path, "POST", name, codec.encode(request), kind)


async def _exchange(path: Path, method: str, name: str, body: bytes, kind: type[T]) -> T:
    async with Connection(path) as connection:
        await connection.send(method, f"{PREFIX}/{name}", body)
        await connection.read_head()
        data = await connection.read_all()
        if connection.status != 200:
            raise _refusal(connection, data)
        return codec.decode(kind, data)


async def _lines(path: Path, method: str, name: str, body: bytes) -> AsyncGenerator[list[bytes], None]:
    """The lines of a stream, all that have arrived at a time. Raises the error that the engine ends it with."""
    async with Connection(path) as connection:
        await connection.send(method, f"{PREFIX}/{name}", body)
        await connection.read_head()
        if connection.status != 200:
            raise _refusal(connection, await connection.read_all())
        rest: list[bytes] = []
        while data := await connection.read():
            *lines, tail = data.split(b"\n")
            if lines:
                lines[0] = b"".join((*rest, lines[0]))
                rest = []
            rest.append(tail)
            problem = lines.pop() if lines and lines[-1].startswith(_PROBLEM_LINE) else None
            if lines:
                yield lines
            if problem is not None:
                raise codec.decode_error(problem[len(_PROBLEM_LINE) : -1])


def _not_answering() -> EngineUnavailable:
    return EngineUnavailable(
        "The orchtui engine is not answering.",
        hint="Look at 'orchtui engine status' and at engine.log beside its state.",
    )


def _refusal(connection: Connection, data: bytes) -> OrchtuiError:
    if connection.content_type == "application/problem+json":
        return codec.decode_error(data)
    return OrchtuiError(
        f"The orchtui engine met a defect of its own (HTTP {connection.status}).",
        hint="Its log is engine.log in the state folder.",
    )
