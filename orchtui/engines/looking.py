"""The managed stacks as their store tells them, for an engine that only looks: nothing is decided, nothing written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self

from orchtui.commands import Actor, Command, Receipt
from orchtui.core.identity import PROJECT
from orchtui.core.plan import World, plan
from orchtui.docker.client import DockerClient
from orchtui.engines.desired import SpecCache, assemble
from orchtui.engines.reading import WorldReader
from orchtui.engines.stackcommands import StackCommands
from orchtui.engines.storethread import StoreThread
from orchtui.errors import EngineUnavailable, Refused, StackFileError
from orchtui.latest import Latest
from orchtui.model.history import Revision, ServiceStanding, StackStanding
from orchtui.model.observed import DockerEvent, Image
from orchtui.model.plan import Change, Plan
from orchtui.model.snapshot import Snapshot, Status
from orchtui.store.rows import StoredStack
from orchtui.store.store import Store


class StoredStacks:
    """What LocalEngine wants to know of the managed stacks, read anew whenever anything on the box moves.

    The planner is asked how each service stands (done, held, taken over) and what a command would do; nothing is done.
    """

    def __init__(
        self,
        store: Store,
        snapshots: Latest[Snapshot],
        *,
        source: Callable[[], DockerClient | None],
        clock: Callable[[], float],
    ) -> None:
        self.standings: Latest[Mapping[str, StackStanding]] = Latest()
        self._snapshots, self._source, self._clock = snapshots, source, clock
        self._thread, self._store = StoreThread(store), store
        self._specs = SpecCache()

    @classmethod
    async def open(
        cls,
        path: Path,
        engine_id: str,
        snapshots: Latest[Snapshot],
        *,
        source: Callable[[], DockerClient | None],
        clock: Callable[[], float],
    ) -> Self:
        """The stacks in the store at `path`; none where there is no store yet. Raises EngineUnavailable."""
        store = await asyncio.to_thread(Store.open_readonly, path)
        if store is None:
            store = await asyncio.to_thread(Store.in_memory, engine_id)
        return cls(store, snapshots, source=source, clock=clock)

    @property
    def store_id(self) -> str:
        return self._store.id

    async def aclose(self) -> None:
        await asyncio.to_thread(self._thread.close)

    async def run(self) -> None:
        """Keep `standings` up to date until cancelled."""
        async for snapshot in self._snapshots:
            await self.refresh(snapshot)

    async def refresh(self, snapshot: Snapshot) -> None:
        """Bring `standings` up to date with one picture."""
        try:
            stacks = await self._thread(self._read)
            found = {stack.name: self._standing(stack, snapshot) for stack in stacks}
        except (EngineUnavailable, StackFileError):
            return  # busy, or written by a newer orchtui meanwhile: what was read last stays
        if found != self.standings.value:
            self.standings.set(found)

    def touch(self, stack: str | None) -> None:
        """Every new picture is looked at anyway."""

    def note_gap(self) -> None:
        """After it, everything is listed, which makes a new picture."""

    def note_docker_event(self, event: DockerEvent) -> None:
        """Nothing here depends on a single event."""

    def managed_count(self) -> int:
        return 0

    async def plan(self, command: Command) -> Plan:
        return await self._commands().plan(command)

    async def execute(self, command: Command, actor: Actor) -> Receipt:
        raise Refused("This engine only looks.", hint="Start orchtui without --look.")

    async def history(self, stack: str) -> tuple[Revision, ...]:
        return await self._commands().history(stack)

    async def diff(self, stack: str, old: int, new: int) -> tuple[Change, ...]:
        return await self._commands().diff(stack, old, new)

    def _commands(self) -> StackCommands:
        """With a reader of its own: nobody tells it what changed since the last time."""
        return StackCommands(
            self._thread, WorldReader(), self._specs, source=self._source, clock=self._clock, committed=_never
        )

    def _read(self) -> tuple[StoredStack, ...]:
        found = (self._store.stack(name) for name in self._store.names())
        return tuple(stack for stack in found if stack is not None)

    def _standing(self, stored: StoredStack, snapshot: Snapshot) -> StackStanding:
        desired = assemble(stored, self._store.id, self._specs)
        world = World(
            containers=tuple(one for one in snapshot.containers.values() if one.labels.get(PROJECT) == stored.name),
            networks=tuple(snapshot.networks.values()),
            volumes=tuple(snapshot.volumes.values()),
            images={service.image_id: Image(id=service.image_id) for service in desired.services.values()},
        )
        services = plan(desired, world, stored.rollouts, self._clock()).standings
        return StackStanding(
            name=stored.name,
            revision=stored.revision.number,
            serial=stored.serial,
            settled=stored.settled,
            status=Status.REMOVING if stored.removing else None,
            services={name: _at_rest(services[name]) for name in desired.services if name in services},
            config_files=stored.config_files,
            working_dir=stored.working_dir,
            created_at=stored.created_at,
            updated_at=stored.updated_at,
        )


def _at_rest(standing: ServiceStanding) -> ServiceStanding:
    """Without what an engine would be doing: none need be running. Then core.view goes by the counts."""
    if standing.status in (Status.COMPLETED, Status.STOPPED, Status.TAKEN_OVER):
        return standing
    rollout = standing.rollout if standing.rollout is not None and standing.rollout.state == "paused" else None
    return replace(standing, status=None, reason="", rollout=rollout)


async def _never(stack: str) -> None:
    raise AssertionError(f"{stack} was committed by an engine that only looks")
