"""From what a person types to one stack, service or container of a snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchtui.commands import Target, TargetKind
from orchtui.core.text import safe
from orchtui.errors import NotFound, UsageError
from orchtui.model.observed import Container
from orchtui.model.snapshot import Service, Snapshot, Stack

EVERY_KIND: tuple[TargetKind, ...] = ("stack", "service", "container")
_ID_PREFIX = 4  # shorter beginnings of an ID say too little
_SHOWN = 8


def resolve(snapshot: Snapshot, name: str, kinds: Sequence[TargetKind] = EVERY_KIND) -> Target:
    """The one thing that `name` means among `kinds`.

    `stack:X`, `service:X` and `container:X` settle the kind. Raises UsageError with the candidates where the name means
    several things, NotFound with the nearest name where it means nothing.
    """
    kind, _, rest = name.partition(":")
    wanted = kinds
    if rest and kind in EVERY_KIND:
        wanted = tuple(each for each in kinds if each == kind)
        if not wanted:
            raise UsageError(f"This command takes a {_either(kinds)}, not a {kind}.")
        name = rest
    found = _exact(snapshot, name, wanted)
    if len(found) > 1:
        found = _one_plain(snapshot, found)
    if not found and "container" in wanted:
        found = _by_id(snapshot, name)
    if len(found) == 1:
        return found[0]
    if found:
        raise _ambiguous(name, found)
    raise _unknown(snapshot, name, wanted)


def stack_of(snapshot: Snapshot, name: str) -> Stack:
    return snapshot.stacks[resolve(snapshot, name, ("stack",)).key]


def service_of(snapshot: Snapshot, name: str) -> Service:
    return snapshot.services[resolve(snapshot, name, ("service",)).key]


def containers_of(snapshot: Snapshot, target: Target) -> tuple[Container, ...]:
    """The containers of a target, by stack, service, slot and name."""
    match target.kind:
        case "container":
            keys: Iterable[str] = (target.key,)
        case "service":
            keys = snapshot.services[target.key].containers
        case "stack":
            stack = snapshot.stacks[target.key]
            keys = (key for service in stack.services for key in snapshot.services[service].containers)
    return in_order(snapshot.containers[key] for key in keys if key in snapshot.containers)


def in_order(containers: Iterable[Container]) -> tuple[Container, ...]:
    return tuple(sorted(containers, key=lambda each: (each.stack, each.service, each.slot or 0, each.name)))


def _exact(snapshot: Snapshot, name: str, kinds: Sequence[TargetKind]) -> list[Target]:
    found: list[Target] = []
    if "stack" in kinds:
        stacks = snapshot.stacks
        keys = [name] if name in stacks else [key for key, stack in stacks.items() if stack.name == name]
        found += [Target(kind="stack", key=key, name=key) for key in keys]
    if "service" in kinds:
        services = snapshot.services
        keys = [name] if name in services else [key for key, service in services.items() if service.name == name]
        found += [Target(kind="service", key=key, name=key) for key in keys]
    if "container" in kinds:
        found += [_container(each) for each in snapshot.containers.values() if name in (each.name, each.id)]
    return found


def _one_plain(snapshot: Snapshot, found: list[Target]) -> list[Target]:
    """A plain container is a service of its own: both names mean the container."""
    containers = [target for target in found if target.kind == "container"]
    if len(containers) == 1 and all(
        target.kind == "container"
        or (target.kind == "service" and snapshot.services[target.key].containers == (containers[0].key,))
        for target in found
    ):
        return containers
    return found


def _by_id(snapshot: Snapshot, name: str) -> list[Target]:
    if len(name) < _ID_PREFIX:
        return []
    return [_container(each) for each in snapshot.containers.values() if each.id.startswith(name.lower())]


def _container(container: Container) -> Target:
    return Target(kind="container", key=container.id, name=container.name)


def _either(kinds: Sequence[TargetKind]) -> str:
    return " or ".join(kinds) if len(kinds) < 3 else "stack, service or container"


def _ambiguous(name: str, found: Sequence[Target]) -> UsageError:
    words = [_full(target) for target in found]
    shown = ", ".join(safe(word) for word in words[:_SHOWN]) + (" …" if len(words) > _SHOWN else "")
    return UsageError(f"`{safe(name)}` could be {shown}.", hint=f"Write one of them in full, such as {safe(words[0])}.")


def _full(target: Target) -> str:
    name = target.name or target.key
    if target.kind == "service" and "/" in name:
        return name
    return f"{target.kind}:{name}"


def _unknown(snapshot: Snapshot, name: str, kinds: Sequence[TargetKind]) -> NotFound:
    from difflib import get_close_matches

    names: set[str] = set()
    if "stack" in kinds:
        names.update(snapshot.stacks)
    if "service" in kinds:
        names.update(snapshot.services)
        names.update(service.name for service in snapshot.services.values())
    if "container" in kinds:
        names.update(container.name for container in snapshot.containers.values())
    close = get_close_matches(name, sorted(names), n=3, cutoff=0.6)
    if close:
        hint = f"Did you mean {' or '.join(safe(each) for each in close)}?"
    else:
        hint = "`orchtui ls` lists the stacks." if tuple(kinds) == ("stack",) else "`orchtui ps` lists what there is."
    return NotFound(f"There is no {_either(kinds)} named `{safe(name)}`.", hint=hint)
