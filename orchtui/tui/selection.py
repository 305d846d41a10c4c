"""What a row stands for, and what belongs to it: pure questions to a snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from orchtui.commands import Target
from orchtui.model.observed import Container
from orchtui.model.snapshot import Snapshot
from orchtui.tui.present import PROBLEM, STACK, problem_key


def target_of_problem(name: str, snapshot: Snapshot) -> Target | None:
    """`container:<id>`, `service:<key>` or `stack:<key>`, as problems name their targets."""
    kind, _, key = name.partition(":")
    match kind:
        case "container" if key in snapshot.containers:
            return Target(kind="container", key=key, name=snapshot.containers[key].name)
        case "service":
            return Target(kind="service", key=key, name=key)
        case "stack":
            return Target(kind="stack", key=key, name=key)
    return None


def target_of_cluster_row(key: str, snapshot: Snapshot) -> Target | None:
    """What a row of the first pane stands for; None for all stacks."""
    if key.startswith(STACK):
        return Target(kind="stack", key=key[len(STACK) :], name=key[len(STACK) :])
    if key.startswith(PROBLEM):
        found = next((problem for problem in snapshot.problems if problem_key(problem) == key), None)
        return None if found is None else target_of_problem(found.target, snapshot)
    return None


def target_of_container(key: str, snapshot: Snapshot) -> Target | None:
    container = snapshot.containers.get(key)
    return None if container is None else Target(kind="container", key=key, name=container.name)


def scope_of(target: Target | None, snapshot: Snapshot) -> tuple[str | None, str | None]:
    """The stack and the service that the lists show when `target` is chosen; None for all."""
    stack = service = None
    if target is not None:
        if target.kind == "container" and (one := snapshot.containers.get(target.key)) is not None:
            stack, service = one.stack, f"{one.stack}/{one.service}"
        elif target.kind == "service":
            stack, service = target.key.rpartition("/")[0], target.key
        elif target.kind == "stack":
            stack = target.key
    return (stack if stack in snapshot.stacks else None), (service if service in snapshot.services else None)


def containers_of(target: Target, snapshot: Snapshot) -> Iterator[Container]:
    """The containers of a target, as far as they are known."""
    keys: tuple[str, ...] = (target.key,)
    if target.kind == "service":
        keys = members_of_service(target.key, snapshot)
    elif target.kind == "stack":
        keys = members_of_stack(target.key, snapshot)
    yield from (one for key in keys if (one := snapshot.containers.get(key)) is not None)


def memory_limit(target: Target | None, snapshot: Snapshot) -> int:
    """What the target's running containers may use together, in bytes: the host's memory where one has no limit."""
    members = () if target is None else containers_of(target, snapshot)
    limits = [one.memory_limit for one in members if one.running]
    host = 0 if snapshot.host is None else snapshot.host.memory
    return sum(limits) if limits and all(limits) else host


def members_of_service(key: str, snapshot: Snapshot) -> tuple[str, ...]:
    service = snapshot.services.get(key)
    return () if service is None else service.containers


def members_of_stack(key: str, snapshot: Snapshot) -> tuple[str, ...]:
    stack = snapshot.stacks.get(key)
    names = () if stack is None else stack.services
    return tuple(container for name in names for container in members_of_service(name, snapshot))


Lives: TypeAlias = frozenset[tuple[str, float]]


def lives(target: Target, snapshot: Snapshot) -> Lives:
    """Which of the target's containers run, and since when: another value means that one came or came back."""
    return frozenset((one.id, one.started_at or 0.0) for one in containers_of(target, snapshot) if one.running)
