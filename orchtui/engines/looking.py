"""The managed stacks as their store tells them, for an engine that only looks: nothing is decided, nothing written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self

from orchtui.commands import Actor, Command, Receipt
from orchtui.core.changes import image_changes, tree_changes
from orchtui.core.identity import PROJECT
from orchtui.core.plan import World, plan
from orchtui.engines.desired import SpecCache, assemble
from orchtui.engines.storethread import StoreThread, never_managed
from orchtui.errors import EngineUnavailable, NotFound, Refused, StackFileError
from orchtui.latest import Latest
from orchtui.model.history import Revision, ServiceStanding, StackStanding
from orchtui.model.observed import DockerEvent, Image
from orchtui.model.plan import Change, Plan
from orchtui.model.snapshot import Snapshot, Status
from orchtui.store.rows import StoredRevision, StoredStack
from orchtui.store.store import Store


class StoredStacks:
    """What LocalEngine wants to know of the managed stacks, read anew whenever anything on the box moves.

    The planner is asked how each service stands (done, held, taken over), but what it would do is nobody's business.
    """

    def __init__(self, thread: StoreThread, snapshots: Latest[Snapshot], clock: Callable[[], float]) -> None:
        self.standings: Latest[Mapping[str, StackStanding]] = Latest()
        self._snapshots = snapshots
        self._clock = clock
        self._thread, self._store = thread, thread.store
        self._specs = SpecCache()

    @classmethod
    async def open(cls, path: Path, snapshots: Latest[Snapshot], clock: Callable[[], float]) -> Self | None:
        """None where there is no store (yet). Raises EngineUnavailable for one that cannot be read."""
        store = await asyncio.to_thread(Store.open_readonly, path)
        return cls(StoreThread(store), snapshots, clock) if store is not None else None

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
        raise _only_looking()

    async def execute(self, command: Command, actor: Actor) -> Receipt:
        raise _only_looking()

    async def history(self, stack: str) -> tuple[Revision, ...]:
        revisions, stored = (
            await self._thread(self._store.revisions, stack),
            await self._thread(self._store.stack, stack),
        )
        if not revisions:
            raise never_managed(stack)
        current = stored.revision.number if stored is not None and stored.present else None
        return tuple(revision.shown(current) for revision in revisions)

    async def diff(self, stack: str, old: int, new: int) -> tuple[Change, ...]:
        before, after = await self._revision(stack, old), await self._revision(stack, new)
        return tree_changes(before.tree, after.tree) + image_changes(before.images, after.images)

    async def _revision(self, stack: str, number: int) -> StoredRevision:
        revision = await self._thread(self._store.revision, stack, number)
        if revision is None:
            raise NotFound(f"{stack} has no revision {number}.", hint=f"`orchtui history {stack}` lists them.")
        return revision

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


def _only_looking() -> Refused:
    return Refused("This engine only looks.", hint="Start orchtui without --look.")
