"""The same engine behind a thread: values, errors, streams and the end of it all."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import pytest

from orchtui.commands import Act, Actor, Target
from orchtui.engine import LogRequest
from orchtui.engines.threaded import ThreadedEngine
from orchtui.errors import EngineUnavailable, NotFound, Refused
from orchtui.model.logs import LogBatch
from orchtui.model.snapshot import Snapshot
from tests.support.memory import ALL, MemoryEngine
from tests.support.until import until
from tests.support.worlds import log_lines, shop

ME = Actor(name="tester", via="console")
KILL = Act(verb="kill", target=Target(kind="container", key="x"))


class Made:
    """Wraps a MemoryEngine and remembers the thread that it lived on."""

    def __init__(self, engine: MemoryEngine) -> None:
        self.engine = engine
        self.thread: threading.Thread | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self.left = False

    def __call__(self) -> Any:
        return self._entered()

    @asynccontextmanager
    async def _entered(self) -> AsyncIterator[MemoryEngine]:
        self.thread, self.loop = threading.current_thread(), asyncio.get_running_loop()
        try:
            yield self.engine
        finally:
            self.left = True


async def test_calls_cross_over_and_come_back() -> None:
    made = Made(MemoryEngine(shop()))
    async with ThreadedEngine(made) as engine:
        assert made.thread is not threading.current_thread()
        assert engine.capabilities == ALL
        await engine.execute(KILL, ME)
        assert made.engine.executed == [(KILL, ME)]
        made.engine.refusal = Refused("no", hint="never")
        with pytest.raises(Refused, match="no"):
            await engine.plan(KILL)
        session = await engine.open_exec("x", ("sh",))
        await session.write(b"ls\n")
        await session.resize(80, 24)
        assert await session.exit_code() == 0
        await session.aclose()
        assert made.engine.exec_session.written == [b"ls\n"]
    assert made.left
    assert made.thread is not None
    assert not made.thread.is_alive()
    with pytest.raises(EngineUnavailable):
        await engine.history("shop")


async def test_snapshots_are_conflated() -> None:
    made = Made(MemoryEngine(shop()))
    async with ThreadedEngine(made) as engine, aclosing(cast(Any, engine.watch())) as stream:
        first: Snapshot = await anext(stream)
        assert first is made.engine._snapshots.value
        for seq in range(2, 50):
            made.engine.show(replace(first, seq=seq))
        last = await anext(stream)
        while last.seq != 49:
            last = await anext(stream)


class Chatty(MemoryEngine):
    """Endless logs, counting how far it got."""

    def __init__(self) -> None:
        super().__init__(shop())
        self.sent = 0
        self.closed_logs = False

    async def logs(self, request: LogRequest) -> AsyncIterator[LogBatch]:
        try:
            while True:
                self.sent += 1
                yield log_lines(str(self.sent))
        finally:
            self.closed_logs = True


async def test_a_slow_reader_holds_logs_back() -> None:
    chatty = Chatty()
    async with ThreadedEngine(Made(chatty)) as engine:
        request = LogRequest(target=Target(kind="stack", key="shop"), follow=True)
        async with aclosing(cast(Any, engine.logs(request))) as stream:
            got = [(await anext(stream)).lines[0] for _ in range(50)]
            assert got == [str(number) for number in range(1, 51)]
            await until(lambda: chatty.sent >= 58)
            assert chatty.sent <= 60
        await until(lambda: chatty.closed_logs, what="the inner stream's end")


class Failing(MemoryEngine):
    async def logs(self, request: LogRequest) -> AsyncIterator[LogBatch]:
        yield log_lines("one")
        raise NotFound("gone")


async def test_a_stream_that_fails_says_so_after_what_it_had() -> None:
    async with ThreadedEngine(Made(Failing(shop()))) as engine:
        lines: list[str] = []

        async def read() -> None:
            async for batch in engine.logs(LogRequest(target=Target(kind="stack", key="shop"))):
                lines.extend(batch.lines)

        with pytest.raises(NotFound, match="gone"):
            await read()
        assert lines == ["one"]


async def test_closing_ends_streams() -> None:
    engine = ThreadedEngine(Made(MemoryEngine(shop())))
    await engine.__aenter__()
    seen: list[Snapshot] = []

    async def watch() -> None:
        async for snapshot in engine.watch():
            seen.append(snapshot)  # noqa: PERF401 (readers look while it grows)

    task = asyncio.create_task(watch())
    await until(lambda: bool(seen))
    await engine.aclose()
    await engine.aclose()
    await asyncio.wait_for(task, 5)


async def test_an_engine_that_cannot_start() -> None:
    class Broken(MemoryEngine):
        async def __aenter__(self) -> MemoryEngine:
            raise EngineUnavailable("taken", hint="attach")

        async def __aexit__(self, *exc: object) -> None:
            raise AssertionError("it never began")

    with pytest.raises(EngineUnavailable, match="taken"):
        await ThreadedEngine(Broken).__aenter__()
