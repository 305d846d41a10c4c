"""The engine of a console that is open before its engine is: first a glance at Docker, then the real thing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress

from orchtui.commands import Actor, Command, Receipt, Target
from orchtui.docker.endpoint import Endpoint
from orchtui.engine import Capability, Engine, ExecSession, LogRequest
from orchtui.errors import OrchtuiError
from orchtui.model.description import Description
from orchtui.model.history import Revision
from orchtui.model.logs import LogBatch
from orchtui.model.plan import Change, Plan
from orchtui.model.snapshot import Connection, Snapshot
from orchtui.model.usage import Usage


class Arriving:
    """Everything waits for the engine, but `watch` gives what one list call tells at once (an Engine).

    Measured: rows stand 0.3 s earlier when an engine has to be started first (docs/performance.md).
    """

    def __init__(self, engine: Awaitable[Engine], endpoint: Endpoint) -> None:
        self._engine = asyncio.ensure_future(engine)
        # Not to_thread: that would begin only when the event loop is next free, after the console's imports.
        self._glance = asyncio.get_running_loop().run_in_executor(None, _first_picture, endpoint)

    @property
    def capabilities(self) -> frozenset[Capability]:
        """A background engine is started to do everything."""
        return frozenset(Capability)

    @property
    def failure(self) -> OrchtuiError | None:
        """Why the engine did not start; None while it may, or once it did."""
        if not self._engine.done() or self._engine.cancelled():
            return None
        error = self._engine.exception()
        return error if isinstance(error, OrchtuiError) else None

    def when_failed(self, call: Callable[[], object]) -> None:
        """Call this when the engine did not start."""
        self._engine.add_done_callback(lambda _: call() if self.failure is not None else None)

    async def arrived(self) -> Engine:
        """The engine itself. Raises the reason why it did not start."""
        return await asyncio.shield(self._engine)

    async def watch(self) -> AsyncIterator[Snapshot]:
        with suppress(OrchtuiError):  # the engine meets the same trouble and has the better words
            picture = await asyncio.shield(self._glance)
            if not self._engine.done():
                yield picture
        async for snapshot in (await self.arrived()).watch():
            yield snapshot

    async def usage(self, containers: frozenset[str] | None = None) -> AsyncIterator[Mapping[str, Usage]]:
        async for usage in (await self.arrived()).usage(containers):
            yield usage

    async def plan(self, command: Command) -> Plan:
        return await (await self.arrived()).plan(command)

    async def execute(self, command: Command, actor: Actor) -> Receipt:
        return await (await self.arrived()).execute(command, actor)

    async def history(self, stack: str) -> tuple[Revision, ...]:
        return await (await self.arrived()).history(stack)

    async def diff(self, stack: str, old: int, new: int) -> tuple[Change, ...]:
        return await (await self.arrived()).diff(stack, old, new)

    async def describe(self, target: Target) -> Description:
        return await (await self.arrived()).describe(target)

    async def logs(self, request: LogRequest) -> AsyncIterator[LogBatch]:
        async for batch in (await self.arrived()).logs(request):
            yield batch

    async def open_exec(
        self, container: str, argv: tuple[str, ...], *, tty: bool = True, columns: int = 80, rows: int = 24
    ) -> ExecSession:
        return await (await self.arrived()).open_exec(container, argv, tty=tty, columns=columns, rows=rows)

    async def aclose(self) -> None:
        self._engine.cancel()
        self._glance.cancel()
        await asyncio.gather(self._engine, self._glance, return_exceptions=True)
        if not self._engine.cancelled() and self._engine.exception() is None:
            await self._engine.result().aclose()


def _first_picture(endpoint: Endpoint) -> Snapshot:
    # Imported here, on this thread: the main one has the console to import.
    from orchtui.core.redact import shown
    from orchtui.core.view import build
    from orchtui.docker.glance import glance

    now = time.time()
    containers = [shown(one) for one in glance(endpoint)]
    return build(None, host=None, connection=Connection(state="connecting", since=now), containers=containers, now=now)
