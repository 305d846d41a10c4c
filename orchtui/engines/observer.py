"""Keeps one Snapshot of the box up to date: lists, follows events, looks again at what they name, publishes.

Level-triggered: an event only says which container to inspect again. Everything is listed anew every 30 s and after
every gap in the stream. While Docker is away the last picture stays, marked stale, and the event stream's own back-off
(at most 5 s) brings it back.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from orchtui.core.narration import Narrator, Severity
from orchtui.core.placement import place_swarm_service
from orchtui.core.redact import mask_labels, shown
from orchtui.core.view import build
from orchtui.docker.client import DockerClient
from orchtui.docker.events import EventStream, Gap, Lost
from orchtui.errors import DockerUnreachable, OrchtuiError
from orchtui.latest import Latest
from orchtui.model.history import StackStanding
from orchtui.model.observed import Container, DockerEvent, Host, Network, SwarmService, Volume
from orchtui.model.snapshot import Connection, Event, Snapshot

COALESCE = 0.05  # seconds in which touches gather
RELIST = 30.0
SWARM_POLL = 5.0  # a manager's counts of other nodes' tasks come without events
CATCH_UP = 2.0  # how long somebody waits for the picture to show what he knows already
ANSWER = 20.0  # a daemon that has not answered a list by then hangs
RETRY_FIRST, RETRY_LAST = 0.2, 5.0
EVENTS_KEPT = 200


class Listener(Protocol):
    """Who wants to know of Docker at first hand (the reconciler, through LocalEngine)."""

    async def connected(self, host: Host) -> None:
        """The daemon answers; nothing was listed yet. An OrchtuiError raised here keeps the picture stale."""
        ...

    async def listed(self) -> None:
        """Everything was listed for the first time; the picture becomes live once this returns."""
        ...

    def gap(self) -> None:
        """Events may have been missed."""
        ...

    def event(self, event: DockerEvent, labels: Mapping[str, str]) -> None:
        """An event, with the labels of what it is about as far as they are known."""
        ...


class Observer:
    def __init__(self, client: DockerClient, listener: Listener, *, clock: Callable[[], float] = time.time) -> None:
        self.snapshots: Latest[Snapshot] = Latest()
        self._client = client
        self._listener = listener
        self._clock = clock
        self._connection = Connection(state="connecting", since=clock())
        self._host: Host | None = None
        self._containers: dict[str, Container] = {}
        self._listings: dict[str, Container] = {}  # what the last list call said, to see what changed since
        self._networks: tuple[Network, ...] = ()
        self._volumes: tuple[Volume, ...] = ()
        self._swarm: tuple[SwarmService, ...] = ()
        self._standings: Mapping[str, StackStanding] = {}
        self._store_id = ""
        self._narrator = Narrator()
        self._events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self._event_id = 0
        self._streaming = self._accepted = False
        self._resync = False
        self._dirty: dict[str, None] = {}
        self._dirty_kinds: set[str] = set()
        self._destroyed: set[str] = set()
        self._wake = asyncio.Event()
        self._looked = asyncio.Event()  # replaced by a new one after every look
        self._publish()

    @property
    def snapshot(self) -> Snapshot:
        """The newest picture; there is always one."""
        snapshot = self.snapshots.value
        assert snapshot is not None  # published in __init__
        return snapshot

    @property
    def live(self) -> bool:
        return self._connection.state == "live"

    @property
    def reachable(self) -> bool:
        """The daemon answered and the event stream stands, whether the picture is complete yet or not."""
        return self._streaming and self._accepted

    @property
    def swarm_by_key(self) -> Mapping[str, SwarmService]:
        """The Swarm services that a manager reports, by their key in the snapshot."""
        homes = {(stack.owner, stack.name): key for key, stack in self.snapshot.stacks.items()}
        found = {}
        for service in self._swarm:
            home, name = place_swarm_service(service)
            found[f"{homes.get(home, home[1])}/{name}"] = service
        return found

    async def run(self) -> None:
        """Observe until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._look())
            group.create_task(self._poll_swarm())

    def set_standings(self, standings: Mapping[str, StackStanding], store_id: str) -> None:
        """What the reconciler says of the managed stacks, and the identity that our labels carry."""
        self._standings, self._store_id = standings, store_id
        self._publish()

    async def catch_up(self, containers: Iterable[str]) -> None:
        """Inspect these containers now; return when the picture has them, or after CATCH_UP seconds."""
        self._dirty |= dict.fromkeys(containers)
        self._wake.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(CATCH_UP):
                while self._dirty:
                    await self._looked.wait()

    def tell(self, subject: str, text: str, severity: Severity = "info", actor: str = "") -> None:
        """Add a line of our own to the events."""
        self._add(self._clock(), subject, text, severity, actor)
        self._publish()

    # -- what Docker says --------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        async for item in EventStream(self._client):
            match item:
                case Gap():
                    self._streaming = self._resync = True
                    self._listener.gap()
                    self._wake.set()
                case Lost(error):
                    self._streaming = self._accepted = False
                    self._stale(error)
                case DockerEvent():
                    self._note(item)

    def _note(self, event: DockerEvent) -> None:
        labels: Mapping[str, str] = event.attributes
        match event.kind:
            case "container":
                if event.action == "destroy":
                    self._destroyed.add(event.id)
                    self._containers.pop(event.id, None)
                    self._listings.pop(event.id, None)
                    self._dirty.pop(event.id, None)
                    self._dirty_kinds.add("gone")
                else:
                    self._dirty[event.id] = None
            case "network" if event.action in ("connect", "disconnect"):
                if container := event.attributes.get("container"):
                    self._dirty[container] = None
                    labels = self._containers[container].labels if container in self._containers else {}
            case "network":
                self._dirty_kinds.add("network")
                labels = next((one.labels for one in self._networks if one.id == event.id), {})
            case "volume":
                self._dirty_kinds.add("volume")
                labels = next((one.labels for one in self._volumes if one.name == event.id), {})
            case "service" | "node":
                self._dirty_kinds.add("swarm")
        self._listener.event(event, labels)
        line = self._narrator.tell(event)
        if line is not None:
            self._add(event.at, line.subject, line.text, line.severity)
            self._dirty_kinds.add("line")
        if self._dirty or self._dirty_kinds:
            self._wake.set()

    def _add(self, at: float, subject: str, text: str, severity: Severity, actor: str = "") -> None:
        self._event_id += 1
        self._events.append(Event(id=self._event_id, at=at, subject=subject, text=text, severity=severity, actor=actor))

    # -- looking -----------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        delay = RETRY_FIRST
        while True:
            await self._due()
            try:
                async with asyncio.timeout(ANSWER):
                    if self._resync:
                        await self._look_at_all()
                    else:
                        await self._look_at_touched()
            except TimeoutError:
                self._stale(
                    DockerUnreachable(
                        f"Docker did not answer within {ANSWER:.0f} seconds.",
                        hint="dockerd may hang or be overloaded; orchtui asks again by itself.",
                    )
                )
            except OrchtuiError as error:
                self._stale(error)
            else:
                delay = RETRY_FIRST
                self._looked.set()
                self._looked = asyncio.Event()
                continue
            self._resync = True
            self._wake.set()
            await asyncio.sleep(delay)
            delay = min(delay * 2, RETRY_LAST)

    async def _due(self) -> None:
        """Return when there is something to look at and somebody to ask; after RELIST in any case."""
        while True:
            try:
                async with asyncio.timeout(RELIST if self._streaming else None):
                    await self._wake.wait()
            except TimeoutError:
                self._resync = True
            self._wake.clear()
            if self._streaming:
                break
        if not self._resync:
            await asyncio.sleep(COALESCE)

    async def _look_at_all(self) -> None:
        first = self._connection.state != "live"
        if first:
            await self._listener.connected(self._client.host)
            self._host = self._client.host
            self._accepted = True
        self._resync = False  # what happens from here on asks for it again
        self._dirty_kinds.clear()
        listed = {one.id: one for one in await self._client.list_containers()}
        changed = [id for id, one in listed.items() if first or self._listings.get(id) != one or id in self._dirty]
        for id in changed:
            self._dirty[id] = None
        self._containers = {id: self._containers.get(id) or shown(one) for id, one in listed.items()}
        self._listings = listed
        if first:
            self._publish()  # rows at once; what only inspect knows follows
        self._networks = await self._client.list_networks()
        self._volumes = await self._list_volumes()
        self._swarm = await self._client.swarm_services()
        await self._inspect()
        if first:
            self._publish()
            await self._listener.listed()
            if not self._streaming:
                return  # lost again meanwhile, and marked as such
            self._connection = Connection(state="live", since=self._clock())
        self._publish()

    async def _look_at_touched(self) -> None:
        kinds, self._dirty_kinds = self._dirty_kinds, set()
        if "network" in kinds:
            self._networks = await self._client.list_networks()
        if "volume" in kinds:
            self._volumes = await self._list_volumes()
        if "swarm" in kinds:
            self._swarm = await self._client.swarm_services()
        await self._inspect()
        self._publish()

    async def _list_volumes(self) -> tuple[Volume, ...]:
        found = await self._client.list_volumes()
        return tuple(replace(one, labels=mask_labels(one.labels), options=mask_labels(one.options)) for one in found)

    async def _inspect(self) -> None:
        """Look at every container that was touched; one that is gone by now leaves the picture."""
        touched = list(self._dirty)
        self._dirty.clear()
        self._destroyed.clear()
        found = {one.id: one for one in await self._client.inspect_containers(touched)}
        for id, one in found.items():
            if id not in self._destroyed:  # removed since Docker answered
                self._containers[id] = shown(one)
        for id in set(touched) - set(found):
            self._containers.pop(id, None)

    async def _poll_swarm(self) -> None:
        while True:
            await asyncio.sleep(SWARM_POLL)
            if self.live and self._host is not None and self._host.swarm == "manager":
                self._dirty_kinds.add("swarm")
                self._wake.set()

    # -- publishing --------------------------------------------------------------------------------------------------

    def _stale(self, error: OrchtuiError) -> None:
        before = self._connection
        since = self._clock() if before.state == "live" else before.since
        self._connection = Connection(state="stale", since=since, reason=error.message, hint=error.hint)
        self._publish()

    def _publish(self) -> None:
        old = self.snapshots.value
        new = build(
            old,
            host=self._host,
            connection=self._connection,
            containers=self._containers.values(),
            networks=self._networks,
            volumes=self._volumes,
            swarm_services=self._swarm,
            standings=self._standings,
            store_id=self._store_id,
            events=tuple(self._events),
            now=self._clock(),
        )
        if new is not old:
            self.snapshots.set(new)
