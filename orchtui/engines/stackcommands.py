"""Commands on managed stacks: what each would do (a plan), and how it becomes durable (a commit)."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from functools import partial
from typing import assert_never

from orchtui.commands import Act, Actor, Apply, Command, Down, Receipt, Rollback, Scale, sentence
from orchtui.core.changes import image_changes, tree_changes
from orchtui.core.desired import DesiredStack
from orchtui.core.forecast import forecast
from orchtui.core.plan import plan
from orchtui.core.rollout import refusals, strangers
from orchtui.core.world import World
from orchtui.docker.client import DockerClient
from orchtui.engines.desired import SpecCache, assemble
from orchtui.engines.reading import WorldReader
from orchtui.engines.revisions import Proposal, Revisions
from orchtui.engines.storethread import StoreThread, never_managed, no_service
from orchtui.errors import DockerUnreachable, NotFound, NotManaged, PlanRefused, Refused, UsageError
from orchtui.model.history import Revision
from orchtui.model.plan import Change, Plan
from orchtui.store.rows import StoredRevision, StoredStack


class StackCommands:
    """Apply, Scale, Rollback, Down, and Act on a managed stack or service. `source` gives None while Docker is away."""

    def __init__(
        self,
        thread: StoreThread,
        reader: WorldReader,
        specs: SpecCache,
        *,
        source: Callable[[], DockerClient | None],
        clock: Callable[[], float],
        committed: Callable[[str], Awaitable[None]],
    ) -> None:
        self._thread, self._reader, self._specs = thread, reader, specs
        self._store = thread.store
        self._source, self._clock, self._committed = source, clock, committed
        self._revisions = Revisions(thread, reader, specs, clock=clock)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def plan(self, command: Command) -> Plan:
        """What `execute` would do; raises what that raises."""
        proposal, world = await self._propose(command, Actor(name="", via=""))
        return forecast(proposal.desired, world, proposal.rollouts, self._clock(), changes=proposal.changes)

    async def execute(self, command: Command, actor: Actor) -> Receipt:
        """Durable before it returns. Raises PlanRefused, StaleBase, NotManaged, NotFound, DockerError."""
        name = await self._stack_of(command)
        async with self._locks[name]:
            proposal, _ = await self._propose(command, actor)
            serial, revision = await self._thread(proposal.commit)
        words = sentence(command)
        shown = f" (revision {revision})" if revision is not None else ""
        await self._committed(name)
        return Receipt(message=f"Accepted: {words}{shown}.", stack=name, serial=serial, revision=revision)

    async def history(self, stack: str) -> tuple[Revision, ...]:
        revisions = await self._thread(self._store.revisions, stack)
        if not revisions:
            raise never_managed(stack)
        stored = await self._thread(self._store.stack, stack)
        current = stored.revision.number if stored is not None and stored.present else None
        return tuple(one.shown(current) for one in revisions)

    async def diff(self, stack: str, old: int, new: int) -> tuple[Change, ...]:
        before, after = await self._revision(stack, old), await self._revision(stack, new)
        return tree_changes(before.tree, after.tree) + image_changes(before.images, after.images)

    # -- proposals ---------------------------------------------------------------------------------------------------

    async def _propose(self, command: Command, actor: Actor) -> tuple[Proposal, World]:
        client = self._source()
        if client is None:
            raise DockerUnreachable("Docker does not answer now.", hint="Try again when it is back.")
        match command:
            case Apply():
                proposal = await self._revisions.apply(client, command, actor)
            case Rollback():
                proposal = await self._revisions.roll_back(client, command, actor)
            case Scale():
                proposal = await self._scale(command)
            case Down():
                proposal = await self._down(command)
            case Act():
                proposal = await self._act(command)
            case _:
                assert_never(command)
        world = await self._reader.read(client, proposal.desired)
        if isinstance(command, Apply | Rollback | Scale):
            self._refuse(proposal.desired, world)
        return proposal, world

    def _refuse(self, desired: DesiredStack, world: World) -> None:
        engines, foreign = strangers(desired.name, desired.engine_id, world.containers)
        if engines:
            raise NotManaged(
                f"The stack {desired.name} is managed by another orchtui engine.",
                hint="Use that one, or take its containers down there first.",
            )
        if foreign:
            names = ", ".join(sorted(one.name for one in foreign)[:3])
            raise NotManaged(
                f"The project {desired.name} already has containers that orchtui did not make ({names}).",
                hint=f"Adopting them comes with a later version; for now take them down first: "
                f"`docker compose -p {desired.name} down`.",
            )
        if details := refusals(desired, networks=world.networks, volumes=world.volumes, images=world.images):
            raise PlanRefused(
                f"The stack {desired.name} cannot be carried out here: {details[0]}"
                + (f" (and {len(details) - 1} more)." if len(details) > 1 else "."),
                details=details,
                hint="Nothing was changed. Correct the file and try again.",
            )

    async def _scale(self, command: Scale) -> Proposal:
        name, service = await self._service_of(command.service)
        stored, desired = await self._staying(name)
        if service not in desired.services:
            raise no_service(name, service, desired.services)
        if command.replicas < 0:
            raise UsageError(f"{command.replicas} is no number of replicas.")
        spec, _ = self._specs.get(stored.revision)
        in_file = spec.services[service].replicas
        override = None if command.replicas == in_file else command.replicas
        changed = replace(desired.services[service], replicas=command.replicas)
        change = Change(
            subject=service, field="replicas", old=str(desired.services[service].replicas), new=str(command.replicas)
        )
        commit = partial(self._store.scale, name, service, override, now=self._clock())
        return Proposal(
            desired=replace(desired, services={**desired.services, service: changed}),
            commit=lambda: (commit(), None),
            rollouts=stored.rollouts,
            changes=(change,) if change.old != change.new else (),
        )

    async def _down(self, command: Down) -> Proposal:
        stored, desired = await self._present(command.stack)
        commit = partial(self._store.remove, command.stack, volumes=command.volumes, now=self._clock())
        return Proposal(
            desired=replace(desired, removing=True, remove_volumes=command.volumes),
            commit=lambda: (commit(), None),
            rollouts=stored.rollouts,
        )

    async def _act(self, command: Act) -> Proposal:
        """Stop, start and restart of a managed stack or service; other verbs do not come here."""
        name, only = command.target.key, None
        if command.target.kind == "service":
            name, only = await self._service_of(command.target.key)
        stored, desired = await self._staying(name)
        if only is not None and only not in desired.services:
            raise no_service(name, only, desired.services)
        services = tuple(desired.services) if only is None else (only,)
        now, store = self._clock(), self._store
        match command.verb:
            case "restart":
                updated = {
                    one: replace(
                        desired.services[one],
                        generation=desired.services[one].generation + 1,
                        held=frozenset(),
                        reached=frozenset(),
                    )
                    for one in services
                }
                commit = partial(store.restart, name, services, now=now)
            case "stop":
                world = await self._world(desired)
                slots = all_slots(desired, world, services)
                updated = {
                    one: replace(desired.services[one], held=slots[one], reached=frozenset()) for one in services
                }
                held = [(service, slot) for service, many in slots.items() for slot in sorted(many)]
                commit = partial(store.hold, name, held, now=now)
            case "start":
                updated = {
                    one: replace(desired.services[one], held=frozenset(), reached=frozenset()) for one in services
                }
                held = [(service, slot) for service in services for slot in sorted(desired.services[service].held)]
                commit = partial(store.release, name, held, now=now)
            case "remove":
                raise Refused(
                    f"{command.target} is managed, so what you remove would be made again.",
                    hint=f"`orchtui down {name}` removes the stack; for one service, take it out of the file and `up`.",
                )
            case "kill" | "pause" | "unpause":
                raise AssertionError("direct verbs are carried out by the reconciler")
            case _:
                assert_never(command.verb)
        return Proposal(
            desired=replace(desired, services={**desired.services, **updated}),
            commit=lambda: (commit(), None),
            rollouts=stored.rollouts,
        )

    # -- look-ups ----------------------------------------------------------------------------------------------------

    async def _world(self, desired: DesiredStack) -> World:
        client = self._source()
        if client is None:
            raise DockerUnreachable("Docker does not answer now.", hint="Try again when it is back.")
        return await self._reader.read(client, desired)

    async def _present(self, name: str) -> tuple[StoredStack, DesiredStack]:
        stored = await self._thread(self._store.stack, name)
        if stored is None or not stored.present:
            raise never_managed(name)
        return stored, assemble(stored, self._store.id, self._specs)

    async def _staying(self, name: str) -> tuple[StoredStack, DesiredStack]:
        """One that is on its way out would take a new wish along, so that must be told now."""
        stored, desired = await self._present(name)
        if stored.removing:
            raise Refused(
                f"The stack {name} is being taken down.",
                hint="`orchtui up FILE` brings it back, also while it goes.",
            )
        return stored, desired

    async def _revision(self, stack: str, number: int) -> StoredRevision:
        found = await self._thread(self._store.revision, stack, number)
        if found is None:
            if not await self._thread(self._store.revisions, stack):
                raise never_managed(stack)
            raise NotFound(f"{stack} has no revision {number}.", hint=f"`orchtui history {stack}` lists them.")
        return found

    async def _service_of(self, key: str) -> tuple[str, str]:
        """Stack and service of `stack/service`, or of a bare service name that only one managed stack has."""
        stack, _, service = key.rpartition("/")
        if stack:
            return stack, service
        homes = []
        for name in await self._thread(self._store.names):
            stored = await self._thread(self._store.stack, name)
            if stored is not None and service in self._specs.get(stored.revision)[0].services:
                homes.append(name)
        if len(homes) == 1:
            return homes[0], service
        if homes:
            raise UsageError(f"{service} is in {', '.join(homes)}.", hint=f"Name it {homes[0]}/{service}.")
        raise NotFound(f"No managed stack has a service {service}.", hint="`orchtui ls` lists what there is.")

    async def _stack_of(self, command: Command) -> str:
        match command:
            case Apply(stack=stack) | Rollback(stack=stack) | Down(stack=stack):
                return stack
            case Scale(service=service):
                return (await self._service_of(service))[0]
            case Act(target=target):
                return target.key if target.kind == "stack" else (await self._service_of(target.key))[0]
            case _:
                assert_never(command)


def all_slots(desired: DesiredStack, world: World, services: Collection[str]) -> dict[str, frozenset[int]]:
    """The slots of these services: those that have containers, and those to fill."""
    released = {
        name: replace(service, held=frozenset(), reached=frozenset()) for name, service in desired.services.items()
    }
    answer = plan(replace(desired, services=released), world, {}, 0.0)
    return {name: answer.slots.get(name, frozenset()) for name in services}
