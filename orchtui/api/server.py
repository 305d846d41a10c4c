"""The HTTP server over any Engine, on a private unix socket.

A client that goes away ends its stream at once, but never a change that it asked for. A reader that is too slow skips
(watch, usage) or is told how much it missed (logs); it never makes the engine queue or wait.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from orchtui.api import codec, delta
from orchtui.api.backlog import Backlog
from orchtui.api.clients import Activity, Peer, listening, peer
from orchtui.api.codec import EngineInfo, EngineStopped
from orchtui.api.frames import CODE, SIZE, Frames, Kind, frame, pieces
from orchtui.commands import Actor, Command, Receipt, Target
from orchtui.engine import Engine, ExecSession, LogRequest
from orchtui.errors import EngineUnavailable, NotFound, OrchtuiError, UsageError
from orchtui.model.observed import Owner
from orchtui.model.snapshot import Snapshot

T = TypeVar("T")

PREFIX = "/engine/v1"
BODY_LIMIT = 2 << 20
_GOODBYE_SECONDS = 0.2
_FIRST_SNAPSHOT_SECONDS = 0.5

log = logging.getLogger("orchtui.api")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def serve(
    engine: Engine,
    path: Path,
    info: EngineInfo,
    *,
    stop: asyncio.Event,
    busy: Callable[[], bool],
    idle_exit: float | None,
    ready: Callable[[], None],
) -> None:
    """Serve `engine` on a socket at `path` until `stop` is set, by a client or by the caller.

    `ready` is called once it answers. With `idle_exit` it also ends after that many seconds in which nobody
    asked anything and `busy()` said no. Raises EngineUnavailable if the socket cannot be made.
    """
    with listening(path) as listener:
        async with asyncio.TaskGroup() as tasks:
            api = _Api(engine, info, tasks, stop)
            runner = web.AppRunner(api.application(), access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
            await runner.setup()
            try:
                await web.SockSite(runner, listener).start()
                ready()
                idle = None if idle_exit is None else tasks.create_task(api.activity.idle(idle_exit, busy, stop))
                await stop.wait()
                if idle is not None:
                    idle.cancel()
                await api.say_goodbye()
            finally:
                await runner.cleanup()
                api.abandon()


class _Api:
    """The routes. One instance serves one engine."""

    def __init__(self, engine: Engine, info: EngineInfo, tasks: asyncio.TaskGroup, stop: asyncio.Event) -> None:
        self.activity = Activity()
        self._engine = engine
        self._info = info
        self._tasks = tasks
        self._stop = stop
        self._stopping = False
        self._streams: set[asyncio.Task[object]] = set()
        self._changes: set[asyncio.Task[Receipt | OrchtuiError]] = set()

    def application(self) -> web.Application:
        application = web.Application(client_max_size=BODY_LIMIT, middlewares=[self._guard])
        application.router.add_get(f"{PREFIX}/info", self._get_info)
        application.router.add_get(f"{PREFIX}/watch", self._watch)
        for name, handler in (
            ("usage", self._usage),
            ("plan", self._plan),
            ("execute", self._execute),
            ("history", self._history),
            ("diff", self._diff),
            ("describe", self._describe),
            ("logs", self._logs),
            ("exec", self._exec),
            ("shutdown", self._shutdown),
        ):
            application.router.add_post(f"{PREFIX}/{name}", handler)
        return application

    async def say_goodbye(self) -> None:
        """End every stream with a line that tells a wanted stop from a crash."""
        self._stopping = True
        streams = tuple(self._streams)
        for stream in streams:
            stream.cancel()
        if streams:
            await asyncio.wait(streams, timeout=2 * _GOODBYE_SECONDS)

    def abandon(self) -> None:
        """Give up on direct verbs that still run: their containers' daemon carries them on."""
        for change in self._changes:
            change.cancel()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Count the request, and answer every refusal as problem+json."""
        try:
            with self.activity.request(_peer(request).pid):
                return await handler(request)
        except OrchtuiError as error:
            return _problem(error)
        except web.HTTPRequestEntityTooLarge:
            return _problem(UsageError(f"The request is larger than {BODY_LIMIT >> 20} MiB."), 413)
        except web.HTTPNotFound:
            return _problem(NotFound(f"There is nothing at {request.path}."))
        except web.HTTPMethodNotAllowed as error:
            allowed = " or ".join(sorted(error.allowed_methods))
            return _problem(UsageError(f"{request.path} takes {allowed}, not {request.method}."), 405)

    # Answers

    async def _get_info(self, request: web.Request) -> web.Response:
        stacks: tuple[str, ...] = ()
        with suppress(TimeoutError, OrchtuiError):
            async with asyncio.timeout(_FIRST_SNAPSHOT_SECONDS), _closing(self._engine.watch()) as snapshots:
                async for snapshot in snapshots:
                    stacks = tuple(key for key, stack in snapshot.stacks.items() if stack.owner is Owner.MANAGED)
                    break
        info = replace(
            self._info,
            capabilities=tuple(sorted(self._engine.capabilities)),
            clients=self.activity.clients(but=_peer(request).pid),
            stacks=stacks,
        )
        return _json(info)

    async def _plan(self, request: web.Request) -> web.Response:
        asked = codec.decode_request(codec.PlanRequest, await request.read())
        return _json(await self._engine.plan(codec.decode_command(asked.command)))

    async def _execute(self, request: web.Request) -> web.Response:
        asked = codec.decode_request(codec.ExecuteRequest, await request.read())
        command = codec.decode_command(asked.command)
        actor = Actor(name=_peer(request).user, via=asked.via)
        change = self._tasks.create_task(self._carry_out(command, actor))
        self._changes.add(change)
        change.add_done_callback(self._changes.discard)
        outcome = await asyncio.shield(change)  # the client may go, the change goes on
        if isinstance(outcome, OrchtuiError):
            raise outcome
        return _json(outcome)

    async def _carry_out(self, command: Command, actor: Actor) -> Receipt | OrchtuiError:
        try:
            return await self._engine.execute(command, actor)
        except OrchtuiError as error:
            return error
        except Exception:
            # The edge of a process that keeps other stacks running: one command's defect must not end it.
            log.exception("a defect in %s", type(command).__name__)
            return OrchtuiError("The engine met a defect of its own.", hint=f"Its log is in {self._info.state_dir}.")

    async def _history(self, request: web.Request) -> web.Response:
        asked = codec.decode_request(codec.HistoryRequest, await request.read())
        return _json(await self._engine.history(asked.stack))

    async def _diff(self, request: web.Request) -> web.Response:
        asked = codec.decode_request(codec.DiffRequest, await request.read())
        return _json(await self._engine.diff(asked.stack, asked.old, asked.new))

    async def _describe(self, request: web.Request) -> web.Response:
        target = codec.decode_request(Target, await request.read())
        return _json(await self._engine.describe(target))

    async def _shutdown(self, request: web.Request) -> web.Response:
        log.info("stopped by %s", _peer(request).user)
        asyncio.get_running_loop().call_soon(self._stop.set)
        return _json(self._info)

    # Streams

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        async with _closing(self._engine.watch()) as snapshots:
            return await self._stream(request, _changes(snapshots))

    async def _usage(self, request: web.Request) -> web.StreamResponse:
        asked = codec.decode_request(codec.UsageRequest, await request.read())
        async with _closing(self._engine.usage(asked.containers)) as samples:
            return await self._stream(request, _encoded(samples))

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        asked = codec.decode_request(LogRequest, await request.read())
        backlog = Backlog(live_from=time.time())
        failure: list[OrchtuiError] = []

        async def fill() -> None:
            try:
                async with _closing(self._engine.logs(asked)) as batches:
                    async for batch in batches:
                        await backlog.put(batch)
            except OrchtuiError as error:
                failure.append(error)
            finally:
                backlog.end()

        async def taken() -> AsyncIterator[bytes]:
            while (batch := await backlog.get()) is not None:
                yield codec.encode(batch)
            if failure:
                raise failure[0]

        async with asyncio.TaskGroup() as tasks:
            filling = tasks.create_task(fill())
            response = await self._stream(request, taken())
            filling.cancel()
        return response

    async def _stream(self, request: web.Request, lines: AsyncIterator[bytes]) -> web.StreamResponse:
        """Write lines as they come. An error becomes the last line, as `{"problem": …}`."""
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        async with _closing(lines):
            with self._streaming():
                return await self._write(response, lines)

    async def _write(self, response: web.StreamResponse, lines: AsyncIterator[bytes]) -> web.StreamResponse:
        try:
            async for line in lines:
                await response.write(line + b"\n")
        except OrchtuiError as error:
            await _last_words(response, error)
        except asyncio.CancelledError:
            if not self._stopping:
                raise
            await _last_words(response, _stopped())
        except ConnectionResetError:
            return response
        with suppress(ConnectionResetError):
            await response.write_eof()
        return response

    @contextmanager
    def _streaming(self) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        try:
            yield
        finally:
            self._streams.discard(task)

    # Exec

    async def _exec(self, request: web.Request) -> web.StreamResponse:
        frames = Frames()
        early: list[tuple[Kind, bytes]] = []
        while not early:
            data = await request.content.readany()
            if not data:
                raise UsageError("The exec stream ended before it began.")
            early += frames.feed(data)
        (kind, payload), *rest = early
        if kind is not Kind.OPEN:
            raise UsageError("The exec stream must begin with an OPEN frame.")
        asked = codec.decode_request(codec.ExecRequest, payload)
        session = await self._engine.open_exec(
            asked.container, asked.argv, tty=asked.tty, columns=asked.columns, rows=asked.rows
        )
        try:
            response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
            await response.prepare(request)
            with self._streaming():
                async with asyncio.TaskGroup() as tasks:
                    typing = tasks.create_task(_pass_input(request, session, frames, rest))
                    await _pass_output(response, session)
                    typing.cancel()
            return response
        finally:
            await session.aclose()


async def _pass_output(response: web.StreamResponse, session: ExecSession) -> None:
    with suppress(ConnectionResetError):
        try:
            await response.write(frame(Kind.OPEN))
            while data := await session.read():
                for piece in pieces(data):
                    await response.write(frame(Kind.OUTPUT, piece))
            await response.write(frame(Kind.EXIT, CODE.pack(await session.exit_code())))
        except OrchtuiError as error:
            await response.write(frame(Kind.PROBLEM, codec.encode_error(error)))
        await response.write_eof()


async def _pass_input(
    request: web.Request, session: ExecSession, frames: Frames, first: list[tuple[Kind, bytes]]
) -> None:
    """Until the client's end of stream. An error of the session is told by its output side."""
    pending = first
    with suppress(OrchtuiError, ConnectionError, web.RequestPayloadError):
        while True:
            for kind, payload in pending:
                if kind is Kind.INPUT:
                    await session.write(payload)
                elif kind is Kind.RESIZE and len(payload) == SIZE.size:
                    await session.resize(*SIZE.unpack(payload))
            data = await request.content.readany()
            if not data:
                return
            pending = list(frames.feed(data))


async def _changes(snapshots: AsyncIterator[Snapshot]) -> AsyncIterator[bytes]:
    last: Snapshot | None = None
    async for snapshot in snapshots:
        yield delta.encode(last, snapshot)
        last = snapshot


async def _encoded(samples: AsyncIterator[object]) -> AsyncIterator[bytes]:
    async for sample in samples:
        yield codec.encode(sample)


def _peer(request: web.Request) -> Peer:
    transport = request.transport
    if transport is None:
        raise EngineUnavailable("The client is gone.")
    return peer(transport.get_extra_info("socket"))


@asynccontextmanager
async def _closing(iterator: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """Close an engine's stream as soon as its reader is gone, not when it is collected."""
    try:
        yield iterator
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()


async def _last_words(response: web.StreamResponse, error: OrchtuiError) -> None:
    with suppress(ConnectionResetError, TimeoutError):
        async with asyncio.timeout(_GOODBYE_SECONDS):
            await response.write(b'{"problem":' + codec.encode_error(error) + b"}\n")


def _stopped() -> EngineStopped:
    return EngineStopped("The orchtui engine was stopped.", hint="Start it again with 'orchtui engine start'.")


def _json(value: object) -> web.Response:
    return web.Response(body=codec.encode(value), content_type="application/json")


def _problem(error: OrchtuiError, status: int | None = None) -> web.Response:
    return web.Response(
        status=status or codec.http_status(error),
        body=codec.encode_error(error),
        content_type="application/problem+json",
    )
