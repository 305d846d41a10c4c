"""Snapshots as a stream of changes: the first message is whole, each later one what changed since the one before.

A writer that falls behind skips snapshots and sends the change from the last one it wrote, so a reader never meets a
gap and nothing is queued for it. Objects that did not change keep their identity on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from orchtui.api import codec
from orchtui.errors import EngineUnavailable
from orchtui.model.observed import Container, Host, Network, Volume
from orchtui.model.snapshot import Connection, Event, Problem, Service, Snapshot, Stack

V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class MapDelta(Generic[V]):
    """`put` are new and changed entries, `gone` removed keys; `order` is given where new ones are not simply last."""

    put: dict[str, V]
    gone: tuple[str, ...] = ()
    order: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsDelta:
    """The new log is `before`, then the old one's `start:stop`, then `after`."""

    before: tuple[Event, ...]
    start: int
    stop: int
    after: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One line of the watch stream. With `full` nothing else counts; a None below means "as before".

    `base` is the seq of the snapshot that the change applies to. The header fields (seq, at, connection, host) are
    always there.
    """

    full: Snapshot | None = None
    base: int = 0
    seq: int = 0
    at: float = 0.0
    connection: Connection | None = None
    host: Host | None = None
    stacks: MapDelta[Stack] | None = None
    services: MapDelta[Service] | None = None
    containers: MapDelta[Container] | None = None
    networks: MapDelta[Network] | None = None
    volumes: MapDelta[Volume] | None = None
    problems: tuple[Problem, ...] | None = None
    events: EventsDelta | None = None


def encode(old: Snapshot | None, new: Snapshot) -> bytes:
    """The line (without newline) that takes a reader from `old` to `new`; whole without `old`."""
    return codec.encode(difference(old, new))


def decode(line: bytes) -> Message:
    message: Message = codec.decode(Message, line)
    return message


def difference(old: Snapshot | None, new: Snapshot) -> Message:
    """The message that `apply` turns `old` into `new` with."""
    if old is None:
        return Message(full=new)
    return Message(
        base=old.seq,
        seq=new.seq,
        at=new.at,
        connection=new.connection,
        host=new.host,
        stacks=_map_difference(old.stacks, new.stacks),
        services=_map_difference(old.services, new.services),
        containers=_map_difference(old.containers, new.containers),
        networks=_map_difference(old.networks, new.networks),
        volumes=_map_difference(old.volumes, new.volumes),
        problems=None if old.problems is new.problems or old.problems == new.problems else new.problems,
        events=_events_difference(old.events, new.events),
    )


def apply(old: Snapshot | None, message: Message) -> Snapshot:
    """The snapshot after `message`. Raises EngineUnavailable if the message does not continue `old`."""
    if message.full is not None:
        return message.full if old is None else _keep_identity(old, message.full)
    if old is None or message.base != old.seq or message.connection is None:
        raise EngineUnavailable("The orchtui engine's stream lost its place.")
    return Snapshot(
        seq=message.seq,
        at=message.at,
        connection=old.connection if old.connection == message.connection else message.connection,
        host=old.host if old.host == message.host else message.host,
        stacks=_map_apply(old.stacks, message.stacks),
        services=_map_apply(old.services, message.services),
        containers=_map_apply(old.containers, message.containers),
        networks=_map_apply(old.networks, message.networks),
        volumes=_map_apply(old.volumes, message.volumes),
        problems=old.problems if message.problems is None else message.problems,
        events=_events_apply(old.events, message.events),
    )


def _map_difference(old: Mapping[str, V], new: Mapping[str, V]) -> MapDelta[V] | None:
    if old is new:
        return None
    put = {key: item for key, item in new.items() if not _same(old.get(key), item)}
    gone = tuple(key for key in old if key not in new)
    result = list(old) if not gone else [key for key in old if key in new]
    result += [key for key in put if key not in old]
    order = list(new)
    if not put and not gone and result == order:
        return None
    return MapDelta(put=put, gone=gone, order=None if result == order else tuple(order))


def _same(old: object, new: object) -> bool:
    return old is new or old == new


def _map_apply(old: Mapping[str, V], delta: MapDelta[V] | None) -> Mapping[str, V]:
    if delta is None:
        return old
    result = dict(old)
    for key in delta.gone:
        result.pop(key, None)
    result.update(delta.put)
    if delta.order is None:
        return result
    return {key: result[key] for key in delta.order if key in result}


def _events_difference(old: tuple[Event, ...], new: tuple[Event, ...]) -> EventsDelta | None:
    """Events come at one end and leave at the other: find the run that both logs share and send the rest."""
    if old is new or old == new:
        return None
    places = {event.id: place for place, event in enumerate(old)}
    for first, event in enumerate(new):
        start = places.get(event.id)
        if start is None:
            continue
        length = 0
        for kept, candidate in zip(old[start:], new[first:], strict=False):
            if not _same(kept, candidate):
                break
            length += 1
        return EventsDelta(before=new[:first], start=start, stop=start + length, after=new[first + length :])
    return EventsDelta(before=new, start=0, stop=0, after=())


def _events_apply(old: tuple[Event, ...], delta: EventsDelta | None) -> tuple[Event, ...]:
    if delta is None:
        return old
    return (*delta.before, *old[delta.start : delta.stop], *delta.after)


def _keep_identity(old: Snapshot, new: Snapshot) -> Snapshot:
    """A whole snapshot after another one (a reconnect): what is equal is the object the reader knows already."""
    changes: dict[str, Any] = {
        name: {key: known if (known := before.get(key)) == item else item for key, item in now.items()}
        for name, before, now in (
            ("stacks", old.stacks, new.stacks),
            ("services", old.services, new.services),
            ("containers", old.containers, new.containers),
            ("networks", old.networks, new.networks),
            ("volumes", old.volumes, new.volumes),
        )
        if isinstance(before, Mapping)
    }
    return replace(new, host=old.host if old.host == new.host else new.host, **changes)
