"""The loop on the real Docker Engine, without console, socket or observer: what the test_engine_* tests drive."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from orchtui.commands import Act, Actor, ActVerb, Apply, Command, Down, Receipt, Rollback, Scale, Target
from orchtui.core.identity import PROJECT, REVISION
from orchtui.docker.client import DockerClient
from orchtui.docker.events import EventStream, Gap
from orchtui.engines.reconciler import Reconciler
from orchtui.model.history import ServiceStanding, StackStanding
from orchtui.model.observed import Container, DockerEvent
from orchtui.store.store import Store
from tests.support.until import until

ME = Actor(name="tester", via="test")
SLEEP = ["sleep", "100000"]


def tree(name: str, services: Mapping[str, Mapping[str, Any]], **top: Any) -> dict[str, Any]:
    """A canonical tree on one network."""
    full = {
        service: {"command": SLEEP, "entrypoint": None, "init": True, "networks": {"default": None}, **one}
        for service, one in services.items()
    }
    return {"name": name, "networks": {"default": {"name": f"{name}_default"}}, "services": full, **top}


class Loop:
    """One reconciler at work. `clock` can be shifted; time in Docker cannot."""

    def __init__(self, docker: DockerClient, folder: Path, stack: str) -> None:
        self.docker, self.stack = docker, stack
        self.shift = 0.0
        self.lines: list[str] = []
        self.online = True
        self.reconciler = Reconciler(
            lambda: docker if self.online else None,
            Store(folder / "state.db", docker.host.id),
            self._tell,
            lambda: time.time() + self.shift,
        )
        self.events: list[DockerEvent] = []
        self.streaming = asyncio.Event()

    def _tell(self, subject: str, text: str, severity: str = "info", actor: str = "") -> None:
        self.lines.append(f"{subject}: {text}")

    async def follow(self) -> None:
        """Events to the reconciler, as the observer hands them on."""
        async for item in EventStream(self.docker):
            if isinstance(item, Gap):
                self.reconciler.note_gap()
                self.streaming.set()
            elif isinstance(item, DockerEvent):
                if item.attributes.get(PROJECT) == self.stack:
                    self.events.append(item)
                self.reconciler.note_docker_event(item)

    # commands

    async def do(self, command: Command) -> Receipt:
        return await self.reconciler.execute(command, ME)

    async def up(self, services: Mapping[str, Mapping[str, Any]], **top: Any) -> Receipt:
        return await self.do(Apply(stack=self.stack, tree=tree(self.stack, services, **top)))

    async def scale(self, service: str, replicas: int) -> Receipt:
        return await self.do(Scale(service=f"{self.stack}/{service}", replicas=replicas))

    async def act(self, verb: ActVerb, service: str) -> Receipt:
        return await self.do(Act(verb=verb, target=Target(kind="service", key=f"{self.stack}/{service}")))

    async def act_on(self, verb: ActVerb, container: Container) -> Receipt:
        return await self.do(Act(verb=verb, target=Target(kind="container", key=container.id, name=container.name)))

    async def roll_back(self, to: str, service: str | None = None) -> Receipt:
        return await self.do(Rollback(stack=self.stack, to=to, service=service))

    async def down(self, *, volumes: bool = False) -> Receipt:
        return await self.do(Down(stack=self.stack, volumes=volumes))

    # what came of it

    @property
    def standing(self) -> StackStanding | None:
        return (self.reconciler.standings.value or {}).get(self.stack)

    def service(self, name: str) -> ServiceStanding:
        assert self.standing is not None
        return self.standing.services[name]

    async def settled(self, receipt: Receipt, *, timeout: float = 30.0) -> StackStanding:
        def done() -> StackStanding | None:
            standing = self.standing
            return standing if standing is not None and standing.settled >= receipt.serial else None

        try:
            found = await until(done, timeout=timeout, what=f"{receipt.message} to settle")
        except AssertionError as error:
            raise AssertionError(f"{error}; {self.standing}; {self.lines}") from None
        assert found is not None
        return found

    async def gone(self) -> None:
        await until(lambda: self.standing is None, what="the stack to be gone")

    async def containers(self, service: str | None = None) -> list[Container]:
        """All of the stack, inspected, by name."""
        listed = await self.docker.list_containers(labels={PROJECT: self.stack})
        found = await self.docker.inspect_containers([one.id for one in listed])
        prefix = f"{self.stack}-{service}-" if service else ""
        return sorted((one for one in found if one.name.startswith(prefix)), key=lambda one: one.name)

    async def names(self) -> list[str]:
        """`service-slot` of all running containers, with the state of those that do not run."""
        return [
            one.name.removeprefix(f"{self.stack}-") + ("" if one.state == "running" else f" {one.state}")
            for one in await self.containers()
        ]

    async def revisions(self, service: str) -> set[str]:
        return {one.labels[REVISION] for one in await self.containers(service)}


@asynccontextmanager
async def running(loop: Loop) -> AsyncIterator[Loop]:
    """The loop at work until the block ends; then it is cut off like a process that is killed."""
    tasks = [asyncio.create_task(loop.reconciler.run()), asyncio.create_task(loop.follow())]
    try:
        await asyncio.wait_for(loop.streaming.wait(), 10)
        yield loop
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await loop.reconciler.aclose()
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
            raise result


Opener = Callable[[], Loop]
