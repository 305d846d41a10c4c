"""What is on the box, as one Snapshot: observed containers placed into services and stacks, with what is wished.

Pure: the same input gives the same picture, and objects that did not change keep their identity (DESIGN 11).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from orchtui.core.identity import CONFIG_FILES, ENGINE, STACK, WORKING_DIR
from orchtui.core.placement import PLAIN_STACK, Placement, place, place_swarm_service, stack_keys
from orchtui.core.problems import rank
from orchtui.core.status import ready, service_state, stack_state
from orchtui.model.history import ServiceStanding, StackStanding
from orchtui.model.observed import Container, Host, Network, Owner, PortBinding, SwarmService, Volume
from orchtui.model.snapshot import Connection, Event, Rollout, Service, Snapshot, Stack

T = TypeVar("T")
Home = tuple[Owner, str]

_SWARM_ROLLOUTS = {"updating": "progressing", "rollback_started": "progressing", "paused": "paused",
                   "rollback_paused": "paused"}  # fmt: skip


@dataclass(slots=True)
class _Members:
    """What is known of one service while the picture is put together."""

    home: Home
    name: str
    containers: list[Container] = field(default_factory=list)
    standing: ServiceStanding | None = None
    swarm: SwarmService | None = None


def build(
    previous: Snapshot | None,
    *,
    host: Host | None,
    connection: Connection,
    containers: Iterable[Container],
    networks: Iterable[Network] = (),
    volumes: Iterable[Volume] = (),
    swarm_services: Iterable[SwarmService] = (),
    standings: Mapping[str, StackStanding] | None = None,
    store_id: str = "",
    events: tuple[Event, ...] = (),
    now: float,
) -> Snapshot:
    """The next snapshot; `previous` itself when nothing at all changed.

    `standings` are what the reconciler says of managed stacks by name, `store_id` the identity that our labels carry.
    """
    old = previous or Snapshot(seq=0, at=now, connection=connection)
    standings = standings or {}
    containers = tuple(containers)
    managed = set(standings)
    if store_id:
        managed.update(one.labels.get(STACK, "") for one in containers if one.labels.get(ENGINE) == store_id)
    placed = [(one, place(one, store_id=store_id, managed=managed)) for one in containers]
    swarm = [(one, *place_swarm_service(one)) for one in swarm_services]
    homes = {placement.home for _, placement in placed} | {home for _, home, _ in swarm}
    homes |= {(Owner.MANAGED, name) for name in standings}
    keys = stack_keys(homes)

    groups = _groups(placed, swarm, standings, keys)
    shown: dict[str, Container] = {}
    services: dict[str, Service] = {}
    by_stack: dict[str, list[Service]] = defaultdict(list)
    for key in sorted(groups, key=lambda key: (_stack_order(keys[groups[key].home]), groups[key].name)):
        group = groups[key]
        group.containers = [_kept(old.containers, one.id, one) for one in _marked(group.containers)]
        shown.update((one.id, one) for one in group.containers)
        services[key] = _kept(old.services, key, _service(key, keys[group.home], group, now))
        by_stack[keys[group.home]].append(services[key])
    stacks = {}
    for home in sorted(homes, key=lambda home: _stack_order(keys[home])):
        key = keys[home]
        standing = standings.get(home[1]) if home[0] is Owner.MANAGED else None
        stacks[key] = _kept(old.stacks, key, _stack(key, home, by_stack[key], standing, shown))

    problems = rank(
        connection=connection, containers=shown, services=services, stacks=stacks, previous=old.problems, now=now
    )
    new = Snapshot(
        seq=old.seq + 1,
        at=now,
        connection=old.connection if old.connection == connection else connection,
        host=old.host if old.host == host else host,
        stacks=_same(old.stacks, stacks),
        services=_same(old.services, services),
        containers=_same(old.containers, shown),
        networks=_same(old.networks, _by_key(old.networks, networks, "id")),
        volumes=_same(old.volumes, _by_key(old.volumes, volumes, "name")),
        problems=old.problems if _identical(old.problems, problems) else problems,
        events=old.events if old.events == events else events,
    )
    return previous if previous is not None and _unchanged(previous, new) else new


def _groups(
    placed: Sequence[tuple[Container, Placement]],
    swarm: Sequence[tuple[SwarmService, Home, str]],
    standings: Mapping[str, StackStanding],
    keys: Mapping[Home, str],
) -> dict[str, _Members]:
    groups: dict[str, _Members] = {}

    def group(home: Home, name: str) -> _Members:
        return groups.setdefault(f"{keys[home]}/{name}", _Members(home, name))

    for name, standing in standings.items():
        for service, wished in standing.services.items():
            group((Owner.MANAGED, name), service).standing = wished
    for reported, home, name in swarm:
        group(home, name).swarm = reported
    for one, placement in placed:
        members = group(placement.home, placement.service)
        members.containers.append(
            replace(
                one,
                owner=placement.owner,
                stack=keys[placement.home],
                service=placement.service,
                slot=placement.slot,
                revision=placement.revision,
                foreign=placement.foreign,
                previous=False,
            )
        )
    return groups


def _marked(containers: Iterable[Container]) -> list[Container]:
    """In the order of slots, with every slot's dead predecessors marked."""
    slots: dict[int, list[Container]] = defaultdict(list)
    for one in containers:
        if one.owner is Owner.MANAGED and one.slot is not None:
            slots[one.slot].append(one)
    dead: set[str] = set()
    for holders in slots.values():
        newest = max(holders, key=lambda one: (one.created_at, one.id))
        dead.update(one.id for one in holders if one is not newest and not one.running)
    marked = [replace(one, previous=True) if one.id in dead else one for one in containers]
    return sorted(marked, key=_container_order)


def _service(key: str, stack: str, group: _Members, now: float) -> Service:
    counted = [one for one in group.containers if not one.foreign and not one.previous]
    swarm, standing = group.swarm, group.standing
    running = sum(one.state == "running" for one in counted)
    able = sum(ready(one) for one in counted)
    desired = standing.desired if standing is not None else swarm.desired if swarm is not None else None
    if swarm is not None:
        # The manager counts tasks on every node, we only see this one's containers.
        running, able = max(swarm.running, running), max(0, max(swarm.running, running) - (running - able))
    status, reason = service_state(counted, standing=standing, desired=desired, running=running, ready=able, now=now)
    newest = max(counted or group.containers, key=lambda one: one.created_at, default=None)
    revisions = [one.revision for one in counted if one.revision is not None]
    return Service(
        key=key,
        stack=stack,
        name=group.name,
        owner=group.home[0],
        image=newest.image if newest is not None else swarm.image if swarm is not None else "",
        status=status,
        reason=reason,
        desired=desired,
        running=running,
        ready=able,
        unhealthy=sum(one.state == "running" and one.health == "unhealthy" for one in counted),
        containers=tuple(one.id for one in group.containers),
        ports=_ports(group.containers, swarm),
        revision=max(revisions, default=None),
        rollout=standing.rollout if standing is not None else _swarm_rollout(swarm),
        created_at=_earliest(group),
        updated_at=max(
            swarm.updated_at if swarm is not None else 0.0, newest.created_at if newest is not None else 0.0
        ),
    )


def _earliest(group: _Members) -> float:
    if group.swarm is not None:
        return group.swarm.created_at
    return min((one.created_at for one in group.containers), default=0.0)


def _swarm_rollout(swarm: SwarmService | None) -> Rollout | None:
    if swarm is None or swarm.update_state not in _SWARM_ROLLOUTS:
        return None
    state = _SWARM_ROLLOUTS[swarm.update_state]
    return Rollout(
        state="paused" if state == "paused" else "progressing",
        revision=0,
        started_at=swarm.updated_at,
        ready=swarm.running,
        total=swarm.desired or 0,
        message=swarm.update_message,
    )


def _ports(containers: Iterable[Container], swarm: SwarmService | None) -> tuple[PortBinding, ...]:
    ports = {port for one in containers if one.running and not one.foreign for port in one.ports}
    if swarm is not None:
        ports.update(swarm.ports)
    return tuple(
        sorted(ports, key=lambda port: (port.host_port or 0, port.container_port, port.protocol, port.host_ip or ""))
    )


def _stack(
    key: str,
    home: Home,
    services: Sequence[Service],
    standing: StackStanding | None,
    containers: Mapping[str, Container],
) -> Stack:
    owner, name = home
    status, reason = stack_state(services, standing)
    labels: Mapping[str, str] = {}
    if standing is None and owner is not Owner.PLAIN:
        labels = next((containers[id].labels for service in services for id in service.containers), {})
    files = tuple(part for part in labels.get(CONFIG_FILES, "").split(",") if part)
    return Stack(
        key=key,
        name=name,
        owner=owner,
        status=status,
        reason=reason,
        services=tuple(service.key for service in services),
        revision=standing.revision if standing is not None else None,
        serial=standing.serial if standing is not None else 0,
        settled=standing.settled if standing is not None else 0,
        config_files=standing.config_files if standing is not None else files,
        working_dir=standing.working_dir if standing is not None else labels.get(WORKING_DIR, ""),
    )


def _stack_order(key: str) -> tuple[bool, str]:
    """By name, plain containers last."""
    return key == PLAIN_STACK, key


def _container_order(one: Container) -> tuple[bool, int, str, float, str]:
    return one.foreign, one.slot if one.slot is not None else 0, one.name, one.created_at, one.id


def _kept(old: Mapping[str, T], key: str, new: T) -> T:
    """The old object where the new one says the same."""
    before = old.get(key)
    return before if before is not None and before == new else new


def _by_key(old: Mapping[str, T], values: Iterable[T], attribute: str) -> dict[str, T]:
    found = {str(getattr(value, attribute)): value for value in values}
    order = sorted(found, key=lambda key: (str(getattr(found[key], "name", "")), key))
    return {key: _kept(old, key, found[key]) for key in order}


def _same(old: Mapping[str, T], new: Mapping[str, T]) -> Mapping[str, T]:
    """The old mapping where keys, order and every object are the old ones."""
    return old if list(old) == list(new) and all(old[key] is value for key, value in new.items()) else new


def _identical(old: Sequence[object], new: Sequence[object]) -> bool:
    return len(old) == len(new) and all(a is b for a, b in zip(old, new, strict=True))


def _unchanged(old: Snapshot, new: Snapshot) -> bool:
    return all(
        getattr(old, name) is getattr(new, name)
        for name in (
            "connection",
            "host",
            "stacks",
            "services",
            "containers",
            "networks",
            "volumes",
            "problems",
            "events",
        )
    )
