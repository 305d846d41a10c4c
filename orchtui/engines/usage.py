"""CPU and memory about every 2 s, sampled once for everybody who wants it and not at all for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

from orchtui.docker import cgroups, stats
from orchtui.docker.client import DockerClient
from orchtui.docker.meter import CpuMeter
from orchtui.errors import DockerError
from orchtui.latest import Latest
from orchtui.model.observed import Container
from orchtui.model.snapshot import Snapshot
from orchtui.model.usage import Usage

INTERVAL = 2.0
WARM_UP = 0.5  # CPU takes two samples: the second one comes early
# Where we must ask the daemon, each call costs it: those on somebody's screen every round, of the rest one a second.
OTHERS_PER_ROUND = 2
ASKED_LIMIT = 60


class UsageSampler:
    """`run` samples while anybody iterates over `subscribe`."""

    def __init__(self, client: DockerClient, snapshot: Callable[[], Snapshot]) -> None:
        self._client = client
        self._snapshot = snapshot
        self._latest: Latest[Mapping[str, Usage]] = Latest()
        self._wanted: dict[object, frozenset[str]] = {}
        self._wake = asyncio.Event()
        self._meter = CpuMeter()
        self._turn = 0  # where the round through the others stands
        self._known: dict[str, Usage] = {}

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            await self._wake.wait()
            self._known.clear()  # old numbers are no news for a first subscriber
            interval = WARM_UP
            while self._wanted:
                started = asyncio.get_running_loop().time()
                if self._snapshot().connection.state == "live":
                    await self._round()
                spent = asyncio.get_running_loop().time() - started
                self._wake.clear()
                await self._pause(max(0.0, interval - spent))
                interval = INTERVAL
            self._wake.clear()

    async def subscribe(self, containers: frozenset[str] | None) -> AsyncIterator[Mapping[str, Usage]]:
        """Samples by container ID. `containers` are measured every round, whatever that costs (at most 60 of them)."""
        key = object()
        self._wanted[key] = containers or frozenset()
        self._wake.set()
        seen: Mapping[str, Usage] | None = self._latest.value if len(self._wanted) == 1 else None
        try:
            async for sample in self._latest:
                if sample is not seen:
                    yield sample
        finally:
            del self._wanted[key]

    def close(self) -> None:
        self._latest.close()

    async def _pause(self, seconds: float) -> None:
        """Until the next round is due. A new subscriber is served at once where nothing was known before."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self._wake.wait()
                    self._wake.clear()
                    asked = frozenset().union(*self._wanted.values())
                    if not asked <= self._known.keys():
                        return
        except TimeoutError:
            return

    async def _round(self) -> None:
        snapshot = self._snapshot()
        running = {id: one for id, one in snapshot.containers.items() if one.running}
        try:
            sample = await self._measure(snapshot, running)
        except DockerError:  # the observer says so to everybody; the next round tries again
            return
        self._meter.keep(frozenset(running))
        self._known = {id: sample.get(id) or self._known[id] for id in running if id in sample or id in self._known}
        self._latest.set(dict(self._known))

    async def _measure(self, snapshot: Snapshot, running: Mapping[str, Container]) -> Mapping[str, Usage]:
        if self._client.endpoint.socket_path is not None and snapshot.host is not None:
            found = await asyncio.to_thread(cgroups.sample, tuple(running.values()), snapshot.host, self._meter)
            if found is not None:
                missing = [id for id in running if id not in found]
                return found | await stats.sample(self._client, self._chosen(missing), self._meter)
        return await stats.sample(self._client, self._chosen(list(running)), self._meter)

    def _chosen(self, candidates: list[str]) -> list[str]:
        """Those that were asked for, and the next few of the others in turn."""
        asked = frozenset().union(*self._wanted.values())
        first = [id for id in candidates if id in asked][:ASKED_LIMIT]
        others = [id for id in candidates if id not in asked]
        if not others:
            return first
        start = self._turn % len(others)
        turn = (others[start:] + others[:start])[:OTHERS_PER_ROUND]
        self._turn = start + len(turn)
        return first + turn
