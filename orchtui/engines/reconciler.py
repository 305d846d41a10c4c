"""The loop: one stack at a time, different stacks in parallel, looking again after every change (DESIGN 2, 4).

Operations run beside the passes, so a slow stop never delays the replacement of a container that died. What an
operation is about (its lane) is left alone while it runs, and until a look at the world that began after it ended.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf, isinf
from typing import Any, Literal, Protocol

from orchtui.commands import Act, Actor, Command, Receipt
from orchtui.core.desired import DesiredStack
from orchtui.core.identity import SERVICE, SLOT, SPEC, SPEC_VERSION
from orchtui.core.operations import Create, Operation, Stop
from orchtui.core.plan import Pass, World, plan
from orchtui.docker.client import DockerClient
from orchtui.engines.desired import SpecCache, assemble
from orchtui.engines.executor import Executor
from orchtui.engines.intent import Intent
from orchtui.engines.lanes import Desk, Failure, attended, backoff, failed_services, with_refusals
from orchtui.engines.managedacts import ManagedActs
from orchtui.engines.reading import WorldReader
from orchtui.engines.stackcommands import StackCommands
from orchtui.engines.standings import stack_standing
from orchtui.engines.storethread import StoreThread
from orchtui.errors import DockerConflict, DockerError, DockerRefused, OrchtuiError, StackFileError
from orchtui.latest import Latest
from orchtui.model.history import Revision, StackStanding
from orchtui.model.observed import DockerEvent
from orchtui.model.plan import Change, Plan
from orchtui.model.snapshot import Status
from orchtui.store.rows import StoredStack
from orchtui.store.store import Store

WORKERS = 4
RELIST = 30.0  # seconds between looks at everything, whatever the events said
AWAY = 0.2  # seconds between looks for a Docker that is not there
PAUSE = 0.02  # seconds between two passes over one stack, in which touches gather

Severity = Literal["info", "warning", "error"]


class Tell(Protocol):
    def __call__(self, subject: str, text: str, severity: Severity = "info", actor: str = "") -> None: ...


class Reconciler:
    """Keeps the stacks of one store as they are wished. `run` is the loop; everything else belongs to its event loop.

    `source` gives the client, None while Docker is away. `tell` takes lines for people. `clock` is in seconds since the
    epoch and has to agree with the daemon's.
    """

    def __init__(
        self, source: Callable[[], DockerClient | None], store: Store, tell: Tell, clock: Callable[[], float]
    ) -> None:
        self._source, self._listener, self._clock = source, tell, clock
        self._lines: list[dict[str, Any]] = []  # told, and not written down yet
        self._thread = StoreThread(store)
        self._store = store
        self._reader, self._executor, self._specs = WorldReader(), Executor(), SpecCache()
        self._intent = Intent(store.id, clock)
        self._commands = StackCommands(
            self._thread, self._reader, self._specs, source=source, clock=clock, committed=self._committed
        )
        self._acts = ManagedActs(self._thread, self._intent, source=source, clock=clock, touch=self.touch)
        self._desks: dict[str, Desk] = {name: Desk() for name in store.names()}
        self._group: asyncio.TaskGroup | None = None
        self._passes = asyncio.Semaphore(WORKERS)
        self.standings: Latest[Mapping[str, StackStanding]] = Latest(self._first_standings())

    def _first_standings(self) -> Mapping[str, StackStanding]:
        """What the store alone says, so that the first picture already knows what is managed."""
        found = {}
        for name in self._desks:
            stored = self._store.stack(name)
            if stored is not None:
                found[name] = self._first_standing(stored)
        return found

    def _first_standing(self, stored: StoredStack) -> StackStanding:
        try:
            return stack_standing(stored, assemble(stored, self._store.id, self._specs), None)
        except StackFileError as error:  # kept by an orchtui that knew more than this one: the others go on
            return StackStanding(
                name=stored.name, revision=stored.revision.number, serial=stored.serial, settled=stored.settled,
                status=Status.FAILED, reason=str(error),
            )  # fmt: skip

    @property
    def store_id(self) -> str:
        """The value of orchtui.engine on everything that is ours."""
        return self._store.id

    def managed_count(self) -> int:
        return len(self._desks)

    async def aclose(self) -> None:
        """To be called once `run` has ended."""
        self.standings.close()
        await asyncio.to_thread(self._thread.close)

    # -- what others say ---------------------------------------------------------------------------------------------

    def touch(self, stack: str | None) -> None:
        """Look at this stack again; None means at all of them. Unknown names are ignored."""
        for name in self._desks if stack is None else (stack,):
            if (desk := self._desks.get(name)) is not None:
                desk.wake.set()

    def note_docker_event(self, event: DockerEvent) -> None:
        """Every event of the daemon, in order."""
        self._reader.forget(event.kind, event.id)
        if event.kind == "network" and (container := event.attributes.get("container")):
            self._reader.forget("container", container)
        self.touch(self._intent.note(event) or "")

    def note_gap(self) -> None:
        """Events may have been missed."""
        self._intent.gap()
        self._reader.forget()
        self.touch(None)

    async def plan(self, command: Command) -> Plan:
        if isinstance(command, Act) and self._acts.direct(command):
            return await self._acts.plan(command)
        return await self._commands.plan(command)

    async def execute(self, command: Command, actor: Actor) -> Receipt:
        """Stack commands are durable when this returns; direct verbs are carried out."""
        if isinstance(command, Act) and self._acts.direct(command):
            receipt = await self._acts.execute(command)
            self._tell(str(command.target), receipt.message, actor=actor.name)
            return receipt
        receipt = await self._commands.execute(command, actor)
        self._tell(f"stack {receipt.stack}", receipt.message, actor=actor.name)
        return receipt

    async def history(self, stack: str) -> tuple[Revision, ...]:
        """Revisions, newest first. Raises NotFound."""
        return await self._commands.history(stack)

    async def diff(self, stack: str, old: int, new: int) -> tuple[Change, ...]:
        return await self._commands.diff(stack, old, new)

    async def _committed(self, name: str) -> None:
        """A command on `name` is durable: show its serial at once, and look."""
        stored = await self._thread(self._store.stack, name)
        if stored is None:
            return
        known = self.standings.value or {}
        if name in known:
            shown = replace(known[name], serial=stored.serial, revision=stored.revision.number)
        else:
            shown = self._first_standing(stored)
        self._show(name, shown)
        desk = self._add(name)
        desk.failures.clear()
        desk.wake.set()

    def _add(self, name: str) -> Desk:
        desk = self._desks.get(name)
        if desk is None:
            self._desks[name] = desk = Desk()
            self._spawn_keeper(name)
        return desk

    # -- the loop ----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled. What was begun in Docker is left as it is: the next start goes on from there."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for name in self._desks:
                self._spawn_keeper(name)
            while True:
                await asyncio.sleep(RELIST)
                self._reader.forget()
                self.touch(None)

    def _spawn_keeper(self, name: str) -> None:
        if self._group is not None:
            self._group.create_task(self._keep(name, self._desks[name]), name=f"keep {name}")

    async def _keep(self, name: str, desk: Desk) -> None:
        errors, delay = 0, 0.0
        while True:
            await _wake_or(desk.wake, delay)
            desk.wake.clear()
            async with self._passes:
                try:
                    answer = await self._pass(name, desk)
                    errors = 0
                except OrchtuiError as error:  # Docker is away or refuses to list; the disk is full
                    errors += 1
                    delay = backoff(errors)
                    self._tell_once(desk, "pass", f"stack {name}", f"cannot look after it: {error}", "warning")
                    continue
            if answer is None:
                if name in await self._thread(self._store.names):  # applied again while it went away
                    self._add(name)
                return
            desk.told.pop("pass", None)
            delay = answer
            await asyncio.sleep(PAUSE)

    async def _pass(self, name: str, desk: Desk) -> float | None:
        """One look and what follows from it. Seconds until the next one, None once the stack is gone."""
        client = self._source()
        if client is None:
            return AWAY
        stored = await self._thread(self._store.stack, name)
        if stored is None or not stored.present:
            self._drop(name)
            return None
        desk.ended.clear()
        busy = set(desk.busy)
        desk.making = {lane: slot for lane, slot in desk.making.items() if lane in busy}
        desired = assemble(stored, self._store.id, self._specs)
        world = await self._reader.read(client, desired)
        stored, desired = await self._settle_facts(stored, desired, world)
        pending = {**self._intent.pending(name), **dict.fromkeys(desk.making.values(), inf)}
        world = replace(world, pending=pending, signalled=self._intent.signalled(), killed=self._intent.killed())
        now = self._clock()
        rollouts = attended(with_refusals(stored.rollouts, desk.refused), desk.looked, now)
        answer = plan(desired, world, rollouts, now)
        desk.refused.clear()
        desk.looked = now
        await self._remember(stored, answer, desk)
        if answer.gone and not (busy or desk.busy or desk.ended) and await self._thread(self._store.removed, name):
            self._tell(f"stack {name}", "is gone; its revisions are kept")
            self._drop(name)
            return None
        self._begin(name, desk, client, answer, busy)
        settled = await self._conclude(stored, answer, desk)
        failed = failed_services(answer, desk.failures)
        self._show(name, stack_standing(replace(stored, settled=settled), desired, answer, failed))
        await self._write_lines()
        return self._next_look(answer, desk)

    def _next_look(self, answer: Pass, desk: Desk) -> float:
        # A lane that is at work again wakes us by itself when it ends.
        ticks = asyncio.get_running_loop().time()
        delays = [failure.until - ticks for failure in desk.failures.values() if failure.until > ticks]
        if answer.requeue_after is not None and not isinf(answer.requeue_after):
            delays.append(answer.requeue_after)
        return max(0.0, min(delays, default=RELIST))

    def _drop(self, name: str) -> None:
        self._desks.pop(name, None)
        self.standings.set({key: one for key, one in (self.standings.value or {}).items() if key != name})

    def _show(self, name: str, standing: StackStanding) -> None:
        known = self.standings.value or {}
        if known.get(name) != standing:
            self.standings.set({**known, name: standing})

    async def _settle_facts(
        self, stored: StoredStack, desired: DesiredStack, world: World
    ) -> tuple[StoredStack, DesiredStack]:
        """Write down what was learnt by looking: images that have arrived, and stops that turned out to be meant."""
        name, number = stored.name, stored.revision.number
        found = {
            service: world.images[one.spec.image]
            for service, one in desired.services.items()
            if not one.image_id and one.spec.image in world.images
        }
        due = [slot for slot in self._intent.due(name, self._clock()) if not _runs(world, slot)]
        old = any(not one.labels.get(SPEC, SPEC_VERSION).startswith(SPEC_VERSION) for one in world.containers)
        if not found and not due and not old:
            return stored, desired
        if found:
            images = {**stored.revision.images, **{service: image.id for service, image in found.items()}}
            digests = {service: image.digests[0] for service, image in found.items() if image.digests}
            await self._thread(self._store.set_images, name, number, images, {**stored.revision.digests, **digests})
        if due:
            await self._thread(self._store.hold, name, due, now=self._clock())
            for service, slot in due:
                text = f"slot {slot} was stopped by somebody else and is held"
                self._tell(f"service {name}/{service}", text, "warning")
        fresh = await self._thread(self._store.stack, name) or stored
        earlier = await self._thread(self._store.revisions, name) if old else ()
        return fresh, assemble(fresh, self._store.id, self._specs, earlier=earlier)

    async def _remember(self, stored: StoredStack, answer: Pass, desk: Desk) -> None:
        """Rollouts and holds survive us; their turns are told."""
        if stored.removing:
            return
        holds = {service: dict(slots) for service, slots in answer.holds.items()}
        if answer.rollouts != stored.rollouts or holds != {key: dict(value) for key, value in stored.holds.items()}:
            await self._thread(
                self._store.set_progress, stored.name, rollouts=answer.rollouts, holds=holds, serial=stored.serial
            )
        for service, record in answer.rollouts.items():
            before = stored.rollouts.get(service)
            subject = f"service {stored.name}/{service}"
            if record.state == "paused" and (before is None or before.state != "paused"):
                self._tell(subject, f"rollout paused: {record.message}", "error")
            elif record.state == "completed" and record.update and before is not None and before.state != "completed":
                self._tell(subject, f"revision {record.revision} is rolled out")
        for service, standing in answer.standings.items():
            text = standing.reason if standing.status in ("failed", "degraded", "taken_over") else ""
            self._tell_once(desk, service, f"service {stored.name}/{service}", text, "error")

    def _tell(self, subject: str, text: str, severity: Severity = "info", actor: str = "") -> None:
        self._listener(subject, text, severity, actor)
        self._lines.append(
            {"at": self._clock(), "subject": subject, "text": text, "severity": severity, "actor": actor}
        )

    async def _write_lines(self) -> None:
        lines, self._lines = self._lines, []
        for line in lines:
            await self._thread(self._store.add_event, **line)

    def _tell_once(self, desk: Desk, key: str, subject: str, text: str, severity: Severity) -> None:
        if text and desk.told.get(key) != text:
            self._tell(subject, text, severity)
        desk.told[key] = text

    async def _conclude(self, stored: StoredStack, answer: Pass, desk: Desk) -> int:
        """Advance `settled` when there is nothing left to wait for; what is settled after this pass."""
        stuck = bool(answer.operations) and all(desk.gave_up(one.lane) for one in answer.operations)
        if stored.removing or not (answer.settled or stuck):
            return stored.settled
        number, outcome = stored.revision.number, stored.revision.outcome
        if answer.converged and outcome in ("pending", "failed"):
            await self._thread(self._store.finish, stored.name, number, "completed", now=self._clock())
        elif not answer.converged and outcome == "pending":
            await self._thread(self._store.finish, stored.name, number, "failed", now=self._clock())
        if stored.settled < stored.serial:
            await self._thread(self._store.settle, stored.name, stored.serial)
        return stored.serial

    # -- operations --------------------------------------------------------------------------------------------------

    def _begin(self, name: str, desk: Desk, client: DockerClient, answer: Pass, busy: set[str]) -> None:
        """Start what is allowed, but for lanes that were at work since before the look, or that failed lately."""
        lanes: defaultdict[str, list[Operation]] = defaultdict(list)
        for operation in answer.operations:
            lanes[operation.lane].append(operation)
        for lane in set(desk.failures) - set(lanes):
            del desk.failures[lane]
        assert self._group is not None
        ticks = asyncio.get_running_loop().time()
        for lane, operations in lanes.items():
            failure = desk.failures.get(lane)
            failed = failure is not None and failure.until > ticks
            if failed or lane in busy or lane in desk.busy or lane in desk.ended:
                continue
            desk.busy.add(lane)
            last = operations[-1]
            if isinstance(last, Create) and len(last.networks) > 1:
                desk.making[lane] = (last.service, last.slot)
            self._group.create_task(self._carry_out(name, desk, client, lane, operations), name=f"{name} {lane}")

    async def _carry_out(
        self, name: str, desk: Desk, client: DockerClient, lane: str, operations: list[Operation]
    ) -> None:
        try:
            for operation in operations:
                self._announce(name, operation)
                try:
                    await self._executor.run(client, operation)
                except DockerError as error:
                    self._note_failure(name, desk, operation, error)
                    return
            desk.failures.pop(lane, None)
        finally:
            desk.busy.discard(lane)
            desk.ended.add(lane)
            self._reader.forget("network")
            self._reader.forget("volume")
            for operation in operations:
                self._reader.forget("container", getattr(operation, "id", ""))
            desk.wake.set()

    def _announce(self, name: str, operation: Operation) -> None:
        if isinstance(operation, Stop):
            self._intent.expect_stop(operation.id)
        if isinstance(operation, Create) and operation.lane.startswith("container "):
            text = f"slot {operation.slot} is replaced: {operation.cause}"
            self._tell(f"service {name}/{operation.service}", text, "warning")

    def _note_failure(self, name: str, desk: Desk, operation: Operation, error: DockerError) -> None:
        before = desk.failures.get(operation.lane)
        count = before.count + 1 if before is not None else 1
        refused = isinstance(error, DockerRefused)
        if isinstance(operation, Create) and operation.replaces and refused and not isinstance(error, DockerConflict):
            desk.refused[operation.service] = f"{operation.name} could not be created: {error.message}"
        desk.failures[operation.lane] = Failure(
            message=str(error),
            service=operation.service,
            count=count,
            until=asyncio.get_running_loop().time() + backoff(count),
            refused=refused,
        )
        if before is None or before.message != str(error):
            subject = f"service {name}/{operation.service}" if operation.service else f"stack {name}"
            self._tell(subject, f"{operation.verb} {operation.subject} failed: {error}", "error")


async def _wake_or(wake: asyncio.Event, delay: float) -> None:
    try:
        async with asyncio.timeout(delay):
            await wake.wait()
    except TimeoutError:
        return


def _runs(world: World, slot: tuple[str, int]) -> bool:
    service, number = slot
    return any(
        one.running and one.labels.get(SERVICE) == service and one.labels.get(SLOT) == str(number)
        for one in world.containers
    )
