"""An engine on a thread and an event loop of its own, behind the same protocol.

For `--in-process`: a slow terminal stalls Textual's loop for a second at a time and must never stall the engine
(research/feasibility.md 3.6). Values cross as they are, they never change; snapshots and usage are conflated, logs wait
in a short queue that holds their reader back.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, Self, TypeVar

from orchtui.commands import Actor, Command, Receipt, Target
from orchtui.engine import Capability, Engine, ExecSession, LogRequest
from orchtui.errors import EngineUnavailable, OrchtuiError
from orchtui.latest import Latest
from orchtui.model.description import Description
from orchtui.model.history import Revision
from orchtui.model.logs import LogBatch
from orchtui.model.plan import Change, Plan
from orchtui.model.snapshot import Snapshot
from orchtui.model.usage import Usage

T = TypeVar("T")

_LOG_BATCHES = 8


class _Call(Protocol):
    async def __call__(self, work: Callable[[Engine], Coroutine[Any, Any, T]]) -> T: ...


class ThreadedEngine:
    """`async with ThreadedEngine(factory) as engine`; `factory` makes the engine, in its thread, as a context manager.

    Entering raises what entering the wrapped engine raises. Use it from one event loop, that of the entering task.
    """

    def __init__(self, factory: Callable[[], AbstractAsyncContextManager[Engine]]) -> None:
        self._factory = factory
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._engine: Engine | None = None
        self._streams: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        started: asyncio.Future[None] = loop.create_future()

        def report(error: BaseException | None) -> None:
            if started.done():
                return
            if error is None:
                started.set_result(None)
            else:
                started.set_exception(error)

        def run() -> None:
            try:
                asyncio.run(self._serve(lambda: loop.call_soon_threadsafe(report, None)))
            except (OrchtuiError, BaseExceptionGroup, OSError) as error:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(report, error)

        self._thread = threading.Thread(target=run, name="orchtui engine", daemon=True)
        self._thread.start()
        await started
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def _serve(self, started: Callable[[], object]) -> None:
        """The thread's whole life."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with self._factory() as engine:
                self._engine = engine
                started()
                await self._stop.wait()
                for task in tuple(self._streams):
                    task.cancel()
                await asyncio.gather(*self._streams, return_exceptions=True)
        finally:
            self._engine = None

    async def aclose(self) -> None:
        thread, loop, stop = self._thread, self._loop, self._stop
        if thread is None:
            return
        self._thread = None
        if loop is not None and stop is not None and thread.is_alive():
            loop.call_soon_threadsafe(stop.set)
        await asyncio.to_thread(thread.join)

    # -- crossing over -----------------------------------------------------------------------------------------------

    def _inner(self) -> tuple[Engine, asyncio.AbstractEventLoop]:
        engine, loop = self._engine, self._loop
        if engine is None or loop is None:
            raise EngineUnavailable("The engine in this process has ended.", hint="Start orchtui again.")
        return engine, loop

    async def _call(self, work: Callable[[Engine], Coroutine[Any, Any, T]]) -> T:
        """Run a call in the engine's loop; cancelling it here cancels it there."""
        engine, loop = self._inner()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(engine), loop))

    async def _stream(
        self, work: Callable[[Engine], AsyncIterator[T]], put: Callable[[T], Coroutine[Any, Any, None]]
    ) -> None:
        """In the engine's loop: hand over all of a stream, until it ends or its reader cancels."""
        task = asyncio.current_task()
        assert task is not None  # run_coroutine_threadsafe made one
        self._streams.add(task)
        try:
            engine, _ = self._inner()
            stream = work(engine)
            try:
                async for item in stream:
                    await put(item)
            finally:
                close = getattr(stream, "aclose", None)
                if close is not None:
                    await close()
        finally:
            self._streams.discard(task)

    async def _conflated(self, work: Callable[[Engine], AsyncIterator[T]]) -> AsyncIterator[T]:
        _, loop = self._inner()
        latest: Latest[T] = Latest()

        async def put(item: T) -> None:
            latest.set(item)

        pump = asyncio.run_coroutine_threadsafe(self._stream(work, put), loop)
        pump.add_done_callback(lambda _: latest.close())
        try:
            async for item in latest:
                yield item
        finally:
            pump.cancel()
        if not pump.cancelled():
            pump.result()

    async def _queued(self, work: Callable[[Engine], AsyncIterator[T]]) -> AsyncIterator[T]:
        _, loop = self._inner()
        here = asyncio.get_running_loop()
        items: deque[T] = deque()
        arrived, room = asyncio.Event(), asyncio.Semaphore(_LOG_BATCHES)
        ended = False

        def arrive(item: T) -> None:
            items.append(item)
            arrived.set()

        def end() -> None:
            nonlocal ended
            ended = True
            arrived.set()

        async def put(item: T) -> None:
            await room.acquire()  # used in the engine's loop alone
            here.call_soon_threadsafe(arrive, item)

        pump = asyncio.run_coroutine_threadsafe(self._stream(work, put), loop)
        pump.add_done_callback(lambda _: None if here.is_closed() else here.call_soon_threadsafe(end))
        try:
            while items or not ended:
                if items:
                    item = items.popleft()
                    loop.call_soon_threadsafe(room.release)
                    yield item
                else:
                    arrived.clear()
                    await arrived.wait()
        finally:
            pump.cancel()
        if not pump.cancelled():
            pump.result()

    # -- the protocol ------------------------------------------------------------------------------------------------

    @property
    def capabilities(self) -> frozenset[Capability]:
        return self._inner()[0].capabilities

    def watch(self) -> AsyncIterator[Snapshot]:
        return self._conflated(lambda engine: engine.watch())

    def usage(self, containers: frozenset[str] | None = None) -> AsyncIterator[Mapping[str, Usage]]:
        return self._conflated(lambda engine: engine.usage(containers))

    def logs(self, request: LogRequest) -> AsyncIterator[LogBatch]:
        return self._queued(lambda engine: engine.logs(request))

    async def plan(self, command: Command) -> Plan:
        return await self._call(lambda engine: engine.plan(command))

    async def execute(self, command: Command, actor: Actor) -> Receipt:
        return await self._call(lambda engine: engine.execute(command, actor))

    async def history(self, stack: str) -> tuple[Revision, ...]:
        return await self._call(lambda engine: engine.history(stack))

    async def diff(self, stack: str, old: int, new: int) -> tuple[Change, ...]:
        return await self._call(lambda engine: engine.diff(stack, old, new))

    async def describe(self, target: Target) -> Description:
        return await self._call(lambda engine: engine.describe(target))

    async def open_exec(
        self, container: str, argv: tuple[str, ...], *, tty: bool = True, columns: int = 80, rows: int = 24
    ) -> ExecSession:
        session = await self._call(
            lambda engine: engine.open_exec(container, argv, tty=tty, columns=columns, rows=rows)
        )
        return _ThreadedExec(self._call, session)


class _ThreadedExec:
    """An ExecSession that lives in the engine's loop."""

    def __init__(self, call: _Call, session: ExecSession) -> None:
        self._call = call
        self._session = session

    async def read(self) -> bytes:
        return await self._call(lambda _: self._session.read())

    async def write(self, data: bytes) -> None:
        await self._call(lambda _: self._session.write(data))

    async def resize(self, columns: int, rows: int) -> None:
        await self._call(lambda _: self._session.resize(columns, rows))

    async def exit_code(self) -> int:
        return await self._call(lambda _: self._session.exit_code())

    async def aclose(self) -> None:
        await self._call(lambda _: self._session.aclose())
