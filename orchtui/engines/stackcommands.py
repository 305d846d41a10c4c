"""Commands on managed stacks: what each would do (a plan), and how it becomes durable (a commit)."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ParamSpec, TypeVar, assert_never

from orchtui.commands import Act, Actor, Apply, Command, Down, Receipt, Rollback, Scale, sentence
from orchtui.core.changes import image_changes, tree_changes
from orchtui.core.desired import DesiredService, DesiredStack
from orchtui.core.forecast import forecast
from orchtui.core.identity import canonical
from orchtui.core.plan import plan
from orchtui.core.redact import is_masked
from orchtui.core.rollout import RolloutRecord, refusals, strangers
from orchtui.core.world import World
from orchtui.docker.client import DockerClient
from orchtui.engines.desired import SpecCache, assemble, lowered
from orchtui.engines.reading import WorldReader
from orchtui.errors import DockerUnreachable, NotFound, NotManaged, PlanRefused, Refused, StaleBase, UsageError
from orchtui.model.history import Revision
from orchtui.model.plan import Change, Plan
from orchtui.store.rows import NewRevision, StoredRevision, StoredStack
from orchtui.store.store import Store

P = ParamSpec("P")
T = TypeVar("T")


class StoreThread:
    """The one thread on which a store is used."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="orchtui-store")

    async def __call__(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(call, *args, **kwargs))

    def close(self) -> None:
        """Waits for what was begun, then closes the store."""
        self._pool.submit(self.store.close)
        self._pool.shutdown(wait=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A command understood: the wish it leads to, and how to make it durable. `commit` gives serial and revision."""

    desired: DesiredStack
    commit: Callable[[], tuple[int, int | None]]
    rollouts: Mapping[str, RolloutRecord]
    changes: tuple[Change, ...] = ()


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
        await self._thread(
            self._store.add_event, at=self._clock(), subject=f"stack {name}", text=words + shown, actor=actor.name
        )
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
                proposal = await self._apply(client, command, actor)
            case Rollback():
                proposal = await self._roll_back(client, command, actor)
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

    async def _apply(self, client: DockerClient, command: Apply, actor: Actor) -> Proposal:
        name, tree = command.stack, command.tree
        if is_masked(json.dumps(tree, ensure_ascii=False)):
            raise PlanRefused(
                "The file holds masked values (••••••), which are for reading only.",
                hint="Apply the original file, not one that orchtui printed.",
            )
        if tree.get("name") != name:
            raise UsageError(f"The file is of stack {tree.get('name')}, not {name}.")
        stored = await self._thread(self._store.stack, name)
        current = stored.revision if stored is not None and stored.present else None
        if command.base is not None and command.base != (current.number if current is not None else 0):
            now_at = f"at revision {current.number}" if current is not None else "down"
            raise StaleBase(
                f"The stack {name} changed since you looked at it: it is {now_at} now.",
                hint="Look at the new plan and confirm it again.",
            )
        images, digests = await self._resolve(client, tree)
        new = NewRevision(tree=tree, images=images, digests=digests, author=actor.name, cause=f"up via {actor.via}")
        return await self._new_revision(stored, new, name, command.working_dir, command.config_files)

    async def _new_revision(
        self,
        stored: StoredStack | None,
        new: NewRevision,
        name: str,
        working_dir: str,
        config_files: tuple[str, ...],
        *,
        keep_overrides: bool = False,
    ) -> Proposal:
        spec, hashes = await asyncio.to_thread(lowered, new.tree)
        old_spec = self._specs.get(stored.revision)[0] if stored is not None and stored.present else None
        overrides = dict(stored.overrides) if stored is not None else {}
        stale = {
            service
            for service in overrides
            if service not in spec.services
            or old_spec is None
            or service not in old_spec.services
            or (not keep_overrides and old_spec.services[service].replicas != spec.services[service].replicas)
        }
        number = await self._thread(self._store.next_revision, name, new)
        serial = (stored.serial if stored is not None else 0) + 1
        generations = stored.generations if stored is not None else {}
        services = {
            service: DesiredService(
                spec=one,
                spec_hash=hashes[service],
                replicas=one.replicas if service in stale else overrides.get(service, one.replicas),
                revision=number,
                generation=generations.get(service, 0),
                image_id=new.images.get(service, ""),
                digest=new.digests.get(service, ""),
            )
            for service, one in spec.services.items()
        }
        desired = DesiredStack(
            name=name, engine_id=self._store.id, revision=number, serial=serial, applied=serial, services=services,
            networks=spec.networks, volumes=spec.volumes, working_dir=working_dir, config_files=config_files,
        )  # fmt: skip
        old = stored.revision if stored is not None and stored.present else None
        changes = tree_changes(old.tree if old is not None else {}, new.tree)
        if old is not None:
            changes += image_changes(old.images, new.images)
        commit = partial(
            self._store.apply, name, new, now=self._clock(), working_dir=working_dir, config_files=config_files,
            clear_overrides=stale,
        )  # fmt: skip
        return Proposal(
            desired=desired, commit=commit, rollouts=stored.rollouts if stored is not None else {}, changes=changes
        )

    async def _resolve(self, client: DockerClient, tree: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
        """Image IDs and digests by service; an image that is not here yet is resolved when it was pulled."""
        spec, _ = await asyncio.to_thread(lowered, tree)
        images, digests = {}, {}
        for service, one in spec.services.items():
            image = await self._reader.image(client, one.image)
            images[service] = image.id if image is not None else ""
            if image is not None and image.digests:
                digests[service] = image.digests[0]
        return images, digests

    async def _roll_back(self, client: DockerClient, command: Rollback, actor: Actor) -> Proposal:
        name = command.stack
        stored = await self._thread(self._store.stack, name)
        if stored is None:
            raise never_managed(name)
        wanted = await self._rollback_target(stored, command.to)
        tree, images, digests = wanted.tree, dict(wanted.images), dict(wanted.digests)
        if command.service is not None:
            tree, images, digests = _one_service(stored.revision, wanted, command.service)
        if stored.present and canonical(tree) == canonical(stored.revision.tree) and images == stored.revision.images:
            raise Refused(
                f"{name} already is what revision {wanted.number} says.", hint="There is nothing to roll back."
            )
        for service, image in images.items():
            if image and service not in digests and await self._reader.image(client, image) is None:
                raise PlanRefused(
                    f"Revision {wanted.number} cannot come back: the image {image[:19]} of {service} is gone.",
                    hint="Load or build that image again, or roll back to another revision.",
                )
        what = f"{name}/{command.service}" if command.service else name
        new = NewRevision(
            tree=tree, images=images, digests=digests, author=actor.name,
            cause=f"rollback of {what} to {wanted.number}", rollback_of=wanted.number,
        )  # fmt: skip
        kept = replace(stored, overrides={}) if command.replicas else stored
        proposal = await self._new_revision(
            kept, new, name, stored.working_dir, stored.config_files, keep_overrides=not command.replicas
        )
        if not command.replicas:
            return proposal
        commit = partial(
            self._store.apply, name, new, now=self._clock(), working_dir=stored.working_dir,
            config_files=stored.config_files, clear_overrides=tuple(stored.overrides),
        )  # fmt: skip
        return replace(proposal, commit=commit)

    async def _rollback_target(self, stored: StoredStack, to: str) -> StoredRevision:
        revisions = await self._thread(self._store.revisions, stored.name)
        current = stored.revision.number
        found: StoredRevision | None
        if to == "previous":
            found = next((one for one in revisions if one.number < current), None)
        elif to == "stable":
            found = next((one for one in revisions if one.stable and one.number < current), None)
        elif to.isdecimal():
            found = next((one for one in revisions if one.number == int(to)), None)
        else:
            raise UsageError(f"{to} is no revision.", hint="Give a number, `previous` or `stable`.")
        if found is None:
            known = ", ".join(str(one.number) for one in revisions)
            raise NotFound(f"{stored.name} has no {_ordinal(to)}.", hint=f"It has revisions {known}.")
        return found

    async def _scale(self, command: Scale) -> Proposal:
        name, service = await self._service_of(command.service)
        stored, desired = await self._present(name)
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
        stored, desired = await self._present(name)
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


def _one_service(
    current: StoredRevision, wanted: StoredRevision, service: str
) -> tuple[dict[str, Any], dict[str, str], dict[str, str]]:
    """The current tree with `service`, and the networks and volumes it lacks, from another revision."""
    if service not in wanted.tree["services"]:
        raise NotFound(
            f"Revision {wanted.number} of {wanted.stack} has no service {service}.",
            hint=f"It has {', '.join(sorted(wanted.tree['services']))}.",
        )
    tree: dict[str, Any] = dict(current.tree)
    tree["services"] = {**current.tree["services"], service: wanted.tree["services"][service]}
    for kind in ("networks", "volumes"):
        if kind in wanted.tree or kind in current.tree:
            tree[kind] = {**(wanted.tree.get(kind) or {}), **(current.tree.get(kind) or {})}
    images = {**current.images, service: wanted.images.get(service, "")}
    digests = {name: one for name, one in current.digests.items() if name != service}
    if service in wanted.digests:
        digests[service] = wanted.digests[service]
    return tree, images, digests


def never_managed(stack: str) -> NotFound:
    return NotFound(
        f"The stack {stack} is not managed here.", hint="`orchtui ls` lists the stacks, `up FILE` makes one."
    )


def no_service(stack: str, service: str, known: Collection[str]) -> NotFound:
    return NotFound(f"The stack {stack} has no service {service}.", hint=f"It has {', '.join(sorted(known))}.")


def _ordinal(to: str) -> str:
    return f"revision {to}" if to.isdecimal() else f"{to} revision to go back to"
