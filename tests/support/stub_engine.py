"""A small Engine for tests of the wire: everything it gives is set by the test, everything it is asked is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from orchtui import __version__
from orchtui.api.client import RemoteEngine
from orchtui.api.codec import EngineInfo
from orchtui.api.server import serve
from orchtui.commands import Actor, Command, Receipt, Target, sentence
from orchtui.engine import Capability, ExecSession, LogRequest
from orchtui.errors import OrchtuiError
from orchtui.latest import Latest
from orchtui.model.description import Description
from orchtui.model.history import Revision
from orchtui.model.logs import LogBatch
from orchtui.model.observed import Container
from orchtui.model.plan import Change, Plan
from orchtui.model.snapshot import Connection, Snapshot
from orchtui.model.usage import Usage


class EchoSession:
    """Gives back what is written; `exit N` ends it with code N, `boom` with an error."""

    def __init__(self, closed: list[str]) -> None:
        self.sizes: list[tuple[int, int]] = []
        self._closed = closed
        self._output: asyncio.Queue[bytes | OrchtuiError] = asyncio.Queue()
        self._code = 0

    async def read(self) -> bytes:
        item = await self._output.get()
        if isinstance(item, OrchtuiError):
            raise item
        return item

    async def write(self, data: bytes) -> None:
        if data.startswith(b"exit "):
            self._code = int(data[5:])
            self._output.put_nowait(b"")
        elif data == b"boom":
            self._output.put_nowait(OrchtuiError("the container is gone"))
        else:
            self._output.put_nowait(data)

    async def resize(self, columns: int, rows: int) -> None:
        self.sizes.append((columns, rows))
        self._output.put_nowait(f"{columns}x{rows}".encode())

    async def exit_code(self) -> int:
        return self._code

    async def aclose(self) -> None:
        self._closed.append("exec")


class StubEngine:
    def __init__(self) -> None:
        self.snapshots: Latest[Snapshot] = Latest(
            Snapshot(seq=1, at=1.0, connection=Connection(state="live", since=1.0))
        )
        self.capabilities: frozenset[Capability] = frozenset(Capability)
        self.answer = Plan(summary="nothing to do")
        self.revisions: tuple[Revision, ...] = ()
        self.refusal: OrchtuiError | None = None
        self.batches: list[LogBatch] = []
        self.batches_end = True
        self.log_failure: OrchtuiError | None = None
        self.samples: list[Mapping[str, Usage]] = []
        self.gate: asyncio.Event | None = None  # execute waits for it
        self.entered = asyncio.Event()
        self.asked: list[object] = []
        self.executed: list[tuple[Command, Actor]] = []
        self.closed: list[str] = []  # the streams that have ended, in order
        self.given = 0  # log batches taken so far
        self.managing = False
        self.defect = False

    def show(self, seq: int, containers: Mapping[str, Container]) -> Snapshot:
        """Make a snapshot of `containers` the newest one and return it."""
        snapshot = Snapshot(
            seq=seq, at=float(seq), connection=Connection(state="live", since=1.0), containers=dict(containers)
        )
        self.snapshots.set(snapshot)
        return snapshot

    def _refuse(self) -> None:
        if self.refusal is not None:
            raise self.refusal

    async def watch(self) -> AsyncGenerator[Snapshot, None]:
        try:
            async for snapshot in self.snapshots:
                yield snapshot
        finally:
            self.closed.append("watch")

    async def usage(self, containers: frozenset[str] | None = None) -> AsyncGenerator[Mapping[str, Usage], None]:
        self.asked.append(containers)
        try:
            for sample in self.samples:
                yield sample
            await asyncio.Event().wait()
        finally:
            self.closed.append("usage")

    async def plan(self, command: Command) -> Plan:
        self.asked.append(command)
        self._refuse()
        return self.answer

    async def execute(self, command: Command, actor: Actor) -> Receipt:
        self._refuse()
        if self.defect:
            raise ZeroDivisionError
        self.entered.set()
        if self.gate is not None:
            await self.gate.wait()
        self.executed.append((command, actor))
        return Receipt(message=sentence(command), serial=len(self.executed))

    async def history(self, stack: str) -> tuple[Revision, ...]:
        self.asked.append(stack)
        self._refuse()
        return self.revisions

    async def diff(self, stack: str, old: int, new: int) -> tuple[Change, ...]:
        self._refuse()
        return (Change(subject=stack, field="revision", old=str(old), new=str(new)),)

    async def describe(self, target: Target) -> Description:
        self.asked.append(target)
        self._refuse()
        return Description(title=str(target), sections=())

    async def logs(self, request: LogRequest) -> AsyncGenerator[LogBatch, None]:
        self.asked.append(request)
        try:
            if self.log_failure is not None:
                raise self.log_failure
            for batch in self.batches:
                self.given += 1
                yield batch
            if not self.batches_end:
                await asyncio.Event().wait()
        finally:
            self.closed.append("logs")

    async def open_exec(
        self, container: str, argv: tuple[str, ...], *, tty: bool = True, columns: int = 80, rows: int = 24
    ) -> ExecSession:
        self.asked.append((container, argv, tty, columns, rows))
        self._refuse()
        return EchoSession(self.closed)

    async def aclose(self) -> None:
        self.closed.append("engine")

    def busy(self) -> bool:
        return self.managing


def info(path: Path, version: str = __version__) -> EngineInfo:
    return EngineInfo(
        version=version,
        pid=4711,
        socket=str(path),
        state_dir=str(path.parent),
        engine_id="TEST",
        endpoint="unix:///nowhere",
        context="default",
        since=1.0,
    )


@asynccontextmanager
async def served(
    engine: StubEngine,
    path: Path,
    *,
    idle_exit: float | None = None,
    stop: asyncio.Event | None = None,
    version: str = __version__,
) -> AsyncIterator[RemoteEngine]:
    """`engine` behind a socket at `path`, and a client of it."""
    stop = stop or asyncio.Event()
    ready = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            serve(engine, path, info(path, version), stop=stop, busy=engine.busy, idle_exit=idle_exit, ready=ready.set)
        )
        await ready.wait()
        try:
            yield await RemoteEngine.connect(path)
        finally:
            stop.set()
