"""What LocalEngine needs of whoever knows the managed stacks: the reconciler, or only their store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from orchtui.commands import Actor, Command, Receipt
from orchtui.docker.client import DockerClient
from orchtui.engines.looking import StoredStacks
from orchtui.engines.reconciler import Reconciler, Tell
from orchtui.latest import Latest
from orchtui.model.history import Revision, StackStanding
from orchtui.model.observed import DockerEvent
from orchtui.model.plan import Change, Plan
from orchtui.model.snapshot import Snapshot
from orchtui.store.store import Store

STORE_NAME = "state.db"


class Stacks(Protocol):
    standings: Latest[Mapping[str, StackStanding]]

    @property
    def store_id(self) -> str: ...

    async def run(self) -> None: ...

    def touch(self, stack: str | None) -> None: ...

    def note_docker_event(self, event: DockerEvent) -> None: ...

    def note_gap(self) -> None: ...

    async def plan(self, command: Command) -> Plan: ...

    async def execute(self, command: Command, actor: Actor) -> Receipt: ...

    async def history(self, stack: str) -> tuple[Revision, ...]: ...

    async def diff(self, stack: str, old: int, new: int) -> tuple[Change, ...]: ...

    def managed_count(self) -> int: ...

    async def aclose(self) -> None: ...


async def open_reconciler(
    folder: Path,
    engine_id: str,
    *,
    source: Callable[[], DockerClient | None],
    tell: Tell,
    clock: Callable[[], float],
) -> Stacks:
    """The reconciler over the store in `folder`, made if there is none. Raises EngineUnavailable."""
    store = await asyncio.to_thread(Store, folder / STORE_NAME, engine_id)
    return Reconciler(source, store, tell, clock)


async def open_stored(
    folder: Path,
    engine_id: str,
    snapshots: Latest[Snapshot],
    *,
    source: Callable[[], DockerClient | None],
    clock: Callable[[], float],
) -> StoredStacks:
    """The stacks in `folder` for looking only. Raises EngineUnavailable."""
    return await StoredStacks.open(folder / STORE_NAME, engine_id, snapshots, source=source, clock=clock)
