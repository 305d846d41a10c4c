"""Where a container belongs, from its labels alone (DESIGN 11, One Snapshot)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from orchtui.core import identity
from orchtui.core.identity import number
from orchtui.model.observed import Container, Owner, SwarmService

SWARM_SERVICE, SWARM_STACK = "com.docker.swarm.service.name", "com.docker.stack.namespace"
SWARM_TASK = "com.docker.swarm.task.name"

PLAIN_STACK = "-"  # plain containers, and with its class before it Swarm services that belong to no stack

_PREFIX = {Owner.OTHER_ENGINE: "other", Owner.SWARM: "swarm", Owner.COMPOSE: "compose"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """`home` is the stack's owner class and name; it differs from the container's own `owner` where it is foreign."""

    owner: Owner
    home: tuple[Owner, str]
    service: str
    slot: int | None = None
    revision: int | None = None
    foreign: bool = False


def place(container: Container, *, store_id: str, managed: Collection[str]) -> Placement:
    """The first of managed, other engine, Swarm, Compose, plain that the labels say.

    `store_id` is ours ("" while unknown: then whatever an orchtui made is another engine's), `managed` the names of
    the stacks that we manage: a Compose container of one of those without our label is foreign.
    """
    labels = container.labels
    project = labels.get(identity.PROJECT)
    engine = labels.get(identity.ENGINE)
    # Our label on another image was copied: `docker compose up` recreated the container (DESIGN 11, Other hands).
    if engine and (engine != store_id or not project or identity.is_ours(container, store_id)):
        owner = Owner.MANAGED if engine == store_id else Owner.OTHER_ENGINE
        return Placement(
            owner=owner,
            home=(owner, labels.get(identity.STACK) or project or PLAIN_STACK),
            service=labels.get(identity.SERVICE) or labels.get(identity.COMPOSE_SERVICE) or container.name,
            slot=number(labels.get(identity.SLOT) or labels.get(identity.NUMBER)),
            revision=number(labels.get(identity.REVISION)),
        )
    if name := labels.get(SWARM_SERVICE):
        home, service = _swarm_home(name, labels)
        return Placement(owner=Owner.SWARM, home=home, service=service, slot=_task_slot(labels.get(SWARM_TASK), name))
    if project:
        foreign = project in managed
        return Placement(
            owner=Owner.COMPOSE,
            home=(Owner.MANAGED if foreign else Owner.COMPOSE, project),
            service=labels.get(identity.COMPOSE_SERVICE) or container.name,
            slot=number(labels.get(identity.NUMBER)),
            foreign=foreign,
        )
    return Placement(owner=Owner.PLAIN, home=(Owner.PLAIN, PLAIN_STACK), service=container.name)


def place_swarm_service(service: SwarmService) -> tuple[tuple[Owner, str], str]:
    """The home and the bare name of a Swarm service."""
    return _swarm_home(service.name, service.labels)


def stack_keys(homes: Collection[tuple[Owner, str]]) -> dict[tuple[Owner, str], str]:
    """The key of every stack: its name, or `swarm:name` where classes share it (a managed one keeps its bare name)."""
    shared: dict[str, int] = {}
    for _, name in set(homes):
        shared[name] = shared.get(name, 0) + 1
    keys = {}
    for owner, name in homes:
        prefix = _PREFIX.get(owner)
        bare = prefix is None or (shared[name] == 1 and name != PLAIN_STACK)
        keys[owner, name] = name if bare else f"{prefix}:{name}"
    return keys


def _swarm_home(name: str, labels: Mapping[str, str]) -> tuple[tuple[Owner, str], str]:
    stack = labels.get(SWARM_STACK)
    if not stack:
        return (Owner.SWARM, PLAIN_STACK), name
    return (Owner.SWARM, stack), name.removeprefix(f"{stack}_")


def _task_slot(task: str | None, service: str) -> int | None:
    """A replicated task is called `service.slot.id`, a global one `service.node.id`."""
    return number((task or "").removeprefix(f"{service}.").partition(".")[0])
