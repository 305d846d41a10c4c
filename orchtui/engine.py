"""The one protocol that the console, the command line and the API see: snapshots out, commands in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from orchtui.commands import Actor, Command, Receipt, Target
from orchtui.model.description import Description
from orchtui.model.history import Revision
from orchtui.model.logs import LogBatch
from orchtui.model.plan import Change, Plan
from orchtui.model.snapshot import Snapshot
from orchtui.model.usage import Usage


class Capability(StrEnum):
    """What an engine can do. A key whose capability is missing does not exist in the console."""

    STACKS = "stacks"  # Apply, Scale, Rollback, Down and revisions
    ACT = "act"  # direct verbs
    EXEC = "exec"
    LOGS = "logs"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRequest:
    """Logs of a container, a service or a stack. `since` is seconds since the epoch; `tail` None means everything."""

    target: Target
    follow: bool = False
    since: float | None = None
    tail: int | None = 500


class ExecSession(Protocol):
    """A process in a container. With a TTY its output is one stream of terminal bytes."""

    async def read(self) -> bytes:
        """The next bytes; b"" at the end."""
        ...

    async def write(self, data: bytes) -> None: ...

    async def resize(self, columns: int, rows: int) -> None: ...

    async def exit_code(self) -> int:
        """The exit code, once `read` has returned b""."""
        ...

    async def aclose(self) -> None: ...


class Engine(Protocol):
    """One Docker Engine and what we keep running on it. Every method raises errors.OrchtuiError subclasses only."""

    @property
    def capabilities(self) -> frozenset[Capability]: ...

    def watch(self) -> AsyncIterator[Snapshot]:
        """Snapshots, newest only, the first at once. Does not end while Docker is away: `connection` says so."""
        ...

    def usage(self, containers: frozenset[str] | None = None) -> AsyncIterator[Mapping[str, Usage]]:
        """Usage by container ID about every 2 s, of `containers` at least (None: of what is cheap to read)."""
        ...

    async def plan(self, command: Command) -> Plan:
        """What `execute` would do now. Raises PlanRefused, NotFound, NotManaged, StaleBase."""
        ...

    async def execute(self, command: Command, actor: Actor) -> Receipt:
        """Make the command durable (stack commands) or carry it out (direct verbs); raises what `plan` raises."""
        ...

    async def history(self, stack: str) -> tuple[Revision, ...]:
        """Revisions, newest first. Raises NotFound for a stack that was never managed."""
        ...

    async def diff(self, stack: str, old: int, new: int) -> tuple[Change, ...]:
        """What changed between two revisions, field by field, masked."""
        ...

    async def describe(self, target: Target) -> Description: ...

    def logs(self, request: LogRequest) -> AsyncIterator[LogBatch]: ...

    async def open_exec(
        self, container: str, argv: tuple[str, ...], *, tty: bool = True, columns: int = 80, rows: int = 24
    ) -> ExecSession: ...

    async def aclose(self) -> None: ...
