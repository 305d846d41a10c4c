"""An Engine in memory for tests of the console: a hand-set snapshot out, recorded commands in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from orchtui.commands import Actor, Command, Receipt, Target, sentence
from orchtui.engine import Capability, ExecSession, LogRequest
from orchtui.errors import NotFound, OrchtuiError
from orchtui.latest import Latest
from orchtui.model.description import Description, Field, Section
from orchtui.model.history import Revision
from orchtui.model.logs import LogBatch
from orchtui.model.plan import Change, Plan, Step
from orchtui.model.snapshot import Snapshot
from orchtui.model.usage import Usage

ALL = frozenset(Capability)
LOOK = frozenset({Capability.LOGS})


class MemoryExec:
    """A scripted ExecSession: gives `output` once, records what is written, ends with `code`."""

    def __init__(self, output: bytes = b"", code: int = 0) -> None:
        self.written: list[bytes] = []
        self.sizes: list[tuple[int, int]] = []
        self.closed = False
        self._output = output
        self._code = code

    async def read(self) -> bytes:
        data, self._output = self._output, b""
        return data

    async def write(self, data: bytes) -> None:
        self.written.append(data)

    async def resize(self, columns: int, rows: int) -> None:
        self.sizes.append((columns, rows))

    async def exit_code(self) -> int:
        return self._code

    async def aclose(self) -> None:
        self.closed = True


class MemoryEngine:
    """The Engine protocol over values that a test sets.

    `planned` and `executed` record commands in order; `log_requests`, `usage_requests` and `exec_requests` record
    what was asked for. `refusal` is raised by plan and execute while it is set; `plan_answer`, `revisions`, `changes`,
    `descriptions` and `exec_session` are what the matching calls return.
    """

    def __init__(self, snapshot: Snapshot | None = None, *, capabilities: frozenset[Capability] = ALL) -> None:
        self._capabilities = capabilities
        self._snapshots: Latest[Snapshot] = Latest(snapshot)
        self._usage: Latest[Mapping[str, Usage]] = Latest()
        self._log_readers: list[tuple[LogRequest, asyncio.Queue[LogBatch | None]]] = []
        self.backlog: dict[str, tuple[LogBatch, ...]] = {}
        self.planned: list[Command] = []
        self.executed: list[tuple[Command, Actor]] = []
        self.log_requests: list[LogRequest] = []
        self.usage_requests: list[frozenset[str] | None] = []
        self.exec_requests: list[tuple[str, tuple[str, ...]]] = []
        self.refusal: OrchtuiError | None = None
        self.plan_answer: Plan | None = None
        self.revisions: dict[str, tuple[Revision, ...]] = {}
        self.changes: tuple[Change, ...] = ()
        self.descriptions: dict[str, Description] = {}
        self.exec_session = MemoryExec()
        self.closed = False

    # What a test does to it.

    def show(self, snapshot: Snapshot) -> None:
        """Publish `snapshot` to every watcher."""
        self._snapshots.set(snapshot)

    def update(self, **changes: object) -> None:
        """Publish the newest snapshot with some of its fields replaced and the next sequence number."""
        current = self._snapshots.value
        assert current is not None
        self.show(replace(current, seq=current.seq + 1, **changes))  # type: ignore[arg-type]

    def emit_usage(self, usage: Mapping[str, Usage]) -> None:
        self._usage.set(usage)

    def emit_logs(self, batch: LogBatch) -> None:
        """Deliver `batch` to every open log stream."""
        for _, queue in self._log_readers:
            queue.put_nowait(batch)

    def end_logs(self) -> None:
        """End every open log stream, as a container's end does."""
        for _, queue in self._log_readers:
            queue.put_nowait(None)

    @property
    def open_logs(self) -> tuple[LogRequest, ...]:
        return tuple(request for request, _ in self._log_readers)

    # The protocol.

    @property
    def capabilities(self) -> frozenset[Capability]:
        return self._capabilities

    async def watch(self) -> AsyncIterator[Snapshot]:
        async for snapshot in self._snapshots:
            yield snapshot

    async def usage(self, containers: frozenset[str] | None = None) -> AsyncIterator[Mapping[str, Usage]]:
        self.usage_requests.append(containers)
        async for usage in self._usage:
            yield usage

    async def plan(self, command: Command) -> Plan:
        self.planned.append(command)
        if self.refusal is not None:
            raise self.refusal
        if self.plan_answer is not None:
            return self.plan_answer
        return Plan(summary=sentence(command), steps=(Step(verb="restart", subject="web-1", cause="asked"),))

    async def execute(self, command: Command, actor: Actor) -> Receipt:
        if self.refusal is not None:
            raise self.refusal
        self.executed.append((command, actor))
        return Receipt(message=f"{sentence(command)}: accepted")

    async def history(self, stack: str) -> tuple[Revision, ...]:
        try:
            return self.revisions[stack]
        except KeyError:
            raise NotFound(f"No revisions of {stack}.", hint="Only stacks that orchtui deployed have them.") from None

    async def diff(self, stack: str, old: int, new: int) -> tuple[Change, ...]:
        return self.changes

    async def describe(self, target: Target) -> Description:
        answer = self.descriptions.get(target.key)
        return answer or Description(
            title=str(target),
            sections=(Section(title="State", fields=(Field(name="state", value="running", tone="good"),)),),
            document='{\n  "Id": "' + target.key + '"\n}',
        )

    async def logs(self, request: LogRequest) -> AsyncIterator[LogBatch]:
        self.log_requests.append(request)
        queue: asyncio.Queue[LogBatch | None] = asyncio.Queue()
        reader = (request, queue)
        self._log_readers.append(reader)
        try:
            for batch in self.backlog.get(request.target.key, ()):
                yield batch
            while request.follow and (received := await queue.get()) is not None:
                yield received
        finally:
            self._log_readers.remove(reader)

    async def open_exec(
        self, container: str, argv: tuple[str, ...], *, tty: bool = True, columns: int = 80, rows: int = 24
    ) -> ExecSession:
        self.exec_requests.append((container, argv))
        return self.exec_session

    async def aclose(self) -> None:
        self.closed = True
        self._snapshots.close()
        self._usage.close()
