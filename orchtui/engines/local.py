"""The engine of one Docker Engine: client, observer, reconciler and store under one TaskGroup."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Self

from orchtui.commands import Act, Actor, Command, Receipt, Target, sentence
from orchtui.core.identity import PROJECT, STACK
from orchtui.docker import exec as docker_exec
from orchtui.docker.client import DockerClient
from orchtui.docker.endpoint import Endpoint
from orchtui.engine import Capability, ExecSession, LogRequest
from orchtui.engines import acts
from orchtui.engines.describe import describe_container, describe_service, describe_stack
from orchtui.engines.lock import EngineLock
from orchtui.engines.logs import LogMerge
from orchtui.engines.looking import StoredStacks
from orchtui.engines.observer import Observer
from orchtui.engines.stacks import Stacks, open_reconciler, open_stored
from orchtui.engines.usage import UsageSampler
from orchtui.errors import DockerUnreachable, EngineUnavailable, NotFound, Refused
from orchtui.model.description import Description
from orchtui.model.history import Revision
from orchtui.model.logs import LogBatch
from orchtui.model.observed import DockerEvent, Host, Owner
from orchtui.model.plan import Change, Plan
from orchtui.model.snapshot import Snapshot
from orchtui.model.usage import Usage


class LocalEngine:
    """Implements orchtui.engine.Engine; `async with LocalEngine(...) as engine`.

    `folder` is the state folder of this very Docker Engine (None: nothing of ours is known). With `manage` it takes the
    lock there, keeps stacks running and may change things; entering raises EngineUnavailable while another process
    holds the lock. Without, it only looks: what is managed is recognised, and every change is refused. It works without
    Docker too, with a stale picture, and connects when it can. A Docker Engine on another machine (tcp://) is observed
    and operated directly; its stacks belong to the orchtui that runs there.
    """

    def __init__(
        self, endpoint: Endpoint, folder: Path | None, *, manage: bool, clock: Callable[[], float] = time.time
    ) -> None:
        self._endpoint = endpoint
        self._folder = folder
        self._manage = manage
        self._clock = clock
        self._here = endpoint.socket_path is not None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stacks: Stacks | None = None
        self._stored: StoredStacks | None = None  # the same, where we only look
        self._host_id = ""
        self._lock: EngineLock | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        if self._manage and self._here and self._folder is not None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = EngineLock.acquire(self._folder)
        self._client = DockerClient(self._endpoint)
        self._observer = Observer(self._client, self, clock=self._clock)
        self._sampler = UsageSampler(self._client, lambda: self._observer.snapshot)
        self._group = asyncio.TaskGroup()
        await self._group.__aenter__()
        self._spawn(self._observer.run())
        self._spawn(self._sampler.run())
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End everything we run; containers stay as they are. To be called in the task that entered."""
        if self._closed:
            return
        self._closed = True
        self._observer.snapshots.close()
        self._sampler.close()
        for task in tuple(self._tasks):
            task.cancel()
        try:
            await self._group.__aexit__(None, None, None)
        finally:
            await self._client.aclose()
            if self._stacks is not None:
                await self._stacks.aclose()
            if self._lock is not None:
                self._lock.release()

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def busy(self) -> bool:
        """Whether anything is managed, so that the engine must not end by itself."""
        return self._stacks is not None and self._stacks.managed_count() > 0

    # -- the observer's listener -------------------------------------------------------------------------------------

    async def connected(self, host: Host) -> None:
        if self._host_id and host.id != self._host_id:
            raise EngineUnavailable(
                f"Another Docker Engine answers at {self._endpoint.url} now.",
                hint="Restart orchtui to work with that one.",
            )
        self._host_id = host.id
        if self._stacks is None and self._here and self._folder is not None:
            await self._open_stacks(self._folder, host.id)

    async def _open_stacks(self, folder: Path, engine_id: str) -> None:
        """Only now is it known whose state this is. Raises EngineUnavailable."""
        observer, clock = self._observer, self._clock

        def source() -> DockerClient | None:
            return self._client if observer.reachable else None

        stacks: Stacks
        if self._manage:
            stacks = await open_reconciler(folder, engine_id, source=source, tell=observer.tell, clock=clock)
        else:
            stacks = await open_stored(folder, engine_id, observer.snapshots, source=source, clock=clock)
            self._stored = stacks
        self._stacks = stacks
        observer.set_standings(stacks.standings.value or {}, stacks.store_id)
        self._spawn(stacks.run())
        self._spawn(self._follow_standings(stacks))

    async def listed(self) -> None:
        if self._stored is not None:
            await self._stored.refresh(self._observer.snapshot)
        if self._stacks is not None:
            self._observer.set_standings(self._stacks.standings.value or {}, self._stacks.store_id)

    def gap(self) -> None:
        if self._stacks is not None:
            self._stacks.note_gap()

    def event(self, event: DockerEvent, labels: Mapping[str, str]) -> None:
        if self._stacks is not None:
            self._stacks.note_docker_event(event)
            if stack := labels.get(STACK) or labels.get(PROJECT):
                self._stacks.touch(stack)

    async def _follow_standings(self, stacks: Stacks) -> None:
        settled: dict[str, int] = {}
        async for standings in stacks.standings:
            # The reconciler saw the end of its work before the observer did: the picture never says "settled" of
            # containers that it still shows as starting.
            if ended := {name for name, one in standings.items() if one.settled > settled.get(name, 0)}:
                containers = self._observer.snapshot.containers.values()
                await self._observer.catch_up(one.id for one in containers if one.labels.get(PROJECT) in ended)
            settled = {name: one.settled for name, one in standings.items()}
            self._observer.set_standings(standings, stacks.store_id)

    # -- the protocol ------------------------------------------------------------------------------------------------

    @property
    def capabilities(self) -> frozenset[Capability]:
        if not self._manage:
            return frozenset({Capability.LOGS})
        direct = frozenset({Capability.ACT, Capability.EXEC, Capability.LOGS})
        return direct | {Capability.STACKS} if self._here and self._folder is not None else direct

    def watch(self) -> AsyncIterator[Snapshot]:
        return aiter(self._observer.snapshots)

    def usage(self, containers: frozenset[str] | None = None) -> AsyncIterator[Mapping[str, Usage]]:
        return self._sampler.subscribe(containers)

    async def plan(self, command: Command) -> Plan:
        self._answers(command)
        order = self._direct(command)
        return order.plan() if order is not None else await self._keeper().plan(command)

    async def execute(self, command: Command, actor: Actor) -> Receipt:
        self._may_change(command)
        if isinstance(command, Act):  # what a verb right before this one did may not be in the picture yet
            await self._observer.catch_up(one.id for one in acts.members(self._observer.snapshot, command.target))
        order = self._direct(command)
        if order is None:
            return await self._keeper().execute(command, actor)
        receipt = await acts.perform(self._client, order)
        self._observer.tell(str(order.act.target), sentence(order.act), actor=actor.name)
        return receipt

    async def history(self, stack: str) -> tuple[Revision, ...]:
        if self._stacks is None:
            raise NotFound(f"{stack} was never managed here.", hint="`orchtui up FILE` makes the first revision.")
        return await self._stacks.history(stack)

    async def diff(self, stack: str, old: int, new: int) -> tuple[Change, ...]:
        if self._stacks is None:
            raise NotFound(f"{stack} was never managed here.", hint="`orchtui up FILE` makes the first revision.")
        return await self._stacks.diff(stack, old, new)

    async def describe(self, target: Target) -> Description:
        snapshot, now = self._observer.snapshot, self._clock()
        acts.owner(snapshot, target)
        if target.kind == "container":
            document = await self._client.container_document(target.key)
            return describe_container(document, snapshot.containers.get(target.key), now)
        if target.kind == "service":
            return describe_service(snapshot, snapshot.services[target.key], now)
        stack = snapshot.stacks[target.key]
        standings = self._stacks.standings.value if self._stacks is not None else None
        standing = (standings or {}).get(stack.name) if stack.owner is Owner.MANAGED else None
        return describe_stack(snapshot, stack, standing, now)

    def logs(self, request: LogRequest) -> AsyncIterator[LogBatch]:
        return LogMerge(self._client, self._observer.snapshots, request, self._spawn, clock=self._clock).batches()

    async def open_exec(
        self, container: str, argv: tuple[str, ...], *, tty: bool = True, columns: int = 80, rows: int = 24
    ) -> ExecSession:
        if not self._manage:
            raise Refused("A shell can change things, and this is --look.", hint="Start orchtui without --look.")
        return await docker_exec.open_session(self._client, container, argv, tty=tty, columns=columns, rows=rows)

    # -- who does it -------------------------------------------------------------------------------------------------

    def _may_change(self, command: Command) -> None:
        if not self._manage:
            raise Refused(f"Cannot {sentence(command)}: this is --look.", hint="Start orchtui without --look.")
        self._answers(command)

    def _answers(self, command: Command) -> None:
        """Direct verbs go by the picture, so it has to be a live one."""
        connection = self._observer.snapshot.connection
        if isinstance(command, Act) and connection.state != "live":
            reason = connection.reason or "Docker has not answered yet."
            raise DockerUnreachable(f"Cannot {sentence(command)} now: {reason}", hint=connection.hint)

    def _direct(self, command: Command) -> acts.Order | None:
        """The order for a direct verb; None for what the reconciler does."""
        if not isinstance(command, Act):
            return None
        snapshot = self._observer.snapshot
        if acts.owner(snapshot, command.target) is Owner.MANAGED:
            return None
        return acts.order(snapshot, command, self._observer.swarm_by_key)

    def _keeper(self) -> Stacks:
        if not self._here:
            raise Refused(
                f"Stacks at {self._endpoint.url} belong to the orchtui engine that runs on that machine.",
                hint="Run orchtui there.",
            )
        if self._stacks is None:
            connection = self._observer.snapshot.connection
            if self._folder is None or connection.state == "live":
                raise Refused("This engine keeps no stacks.", hint="Start orchtui without --look.")
            reason = connection.reason or "Docker has not answered yet."
            raise DockerUnreachable(reason, hint=connection.hint)
        return self._stacks
