"""One engine, twice: in this process on a thread of its own, and as the real background process behind its socket."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from orchtui.cli.attach import attach, in_process
from orchtui.cli.session import closing
from orchtui.commands import Act, Actor, Apply, Command, Down, Receipt, Target
from orchtui.compose import load
from orchtui.config import Settings
from orchtui.docker.endpoint import Endpoint
from orchtui.engine import Engine
from orchtui.errors import OrchtuiError
from orchtui.model.observed import Container
from orchtui.model.snapshot import Snapshot
from tests.support.background import end_engine
from tests.support.rawdocker import RawDocker

ACTOR = Actor(name="tester", via="contract")
SETTLE_SECONDS = 60.0


@pytest.fixture(scope="session")
def background_state(docker_endpoint: Endpoint) -> Iterator[Path]:
    """The state folder of this run's background engine, which is ended with it."""
    folder = Path(tempfile.mkdtemp(prefix="orchtui-contract-"))
    yield folder
    end_engine(Settings.read(os.environ, state_dir=folder))
    shutil.rmtree(folder)


@pytest_asyncio.fixture(params=["in-process", "socket"])
async def engine(
    request: pytest.FixtureRequest, docker_endpoint: Endpoint, background_state: Path, tmp_path: Path
) -> AsyncIterator[Engine]:
    if request.param == "socket":
        async with await attach(Settings.read(os.environ, state_dir=background_state), start=True) as remote:
            yield remote
    else:
        async with in_process(Settings.read(os.environ, state_dir=tmp_path / "state")) as local:
            yield local


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A stack of this test's own on `engine`."""

    engine: Engine
    name: str
    image: str
    folder: Path
    raw: RawDocker

    def tree(self, services: str) -> Apply:
        """The command for `services`: the YAML below `services:`, with IMAGE for the test image."""
        path = self.folder / "compose.yaml"
        path.write_text(f"name: {self.name}\nservices:\n{services.replace('IMAGE', self.image)}")
        document = load([path], environ={})
        return Apply(
            stack=document.name,
            tree=document.tree,
            working_dir=document.working_dir,
            config_files=document.files,
        )

    async def apply(self, services: str) -> Receipt:
        """Apply `services`; returns once that has settled."""
        return await self.execute(self.tree(services))

    async def execute(self, command: Command) -> Receipt:
        receipt = await self.engine.execute(command, ACTOR)
        await self.settled(receipt)
        return receipt

    async def settled(self, receipt: Receipt) -> Snapshot:
        """The snapshot in which the work of `receipt` is finished."""

        def finished(snapshot: Snapshot) -> bool:
            stack = snapshot.stacks.get(self.name)
            return stack is None or stack.settled >= receipt.serial

        return await self.seen(finished, what="the command settled")

    async def seen(self, condition: Callable[[Snapshot], bool], *, what: str) -> Snapshot:
        """The first snapshot for which `condition` holds."""
        last: Snapshot | None = None
        try:
            async with asyncio.timeout(SETTLE_SECONDS), closing(self.engine.watch()) as snapshots:
                async for last in snapshots:
                    if condition(last):
                        return last
        except TimeoutError:
            pass
        raise AssertionError(f"not seen in {SETTLE_SECONDS:g} s: {what}; last: {last!r}")

    async def containers(self, service: str = "web") -> tuple[Container, ...]:
        """The service's running containers now, by name."""
        return self.running(await self.seen(lambda _: True, what="a snapshot"), service)

    def running(self, snapshot: Snapshot, service: str = "web") -> tuple[Container, ...]:
        found = (item for item in snapshot.containers.values() if (item.stack, item.service) == (self.name, service))
        return tuple(sorted((item for item in found if item.state == "running"), key=lambda item: item.name))

    def on_docker(self, kind: str = "containers") -> list[str]:
        """What Docker itself has of the project: containers or networks."""
        label = [f"com.docker.compose.project={self.name}"]
        path, names = {"containers": ("/containers/json", "Names"), "networks": ("/networks", "Name")}[kind]
        found = self.raw.call("GET", path, params={"all": True, "filters": {"label": label}})
        return [str(item[names]) for item in found]


@pytest_asyncio.fixture
async def project(engine: Engine, sweep: RawDocker, run_id: str, image: str, tmp_path: Path) -> AsyncIterator[Project]:
    """Taken down after the test: what is only swept away, an engine brings back."""
    project = Project(engine=engine, name=run_id, image=image, folder=tmp_path, raw=sweep)
    await project.seen(lambda snapshot: snapshot.connection.state == "live", what="Docker")
    try:
        yield project
    finally:
        try:
            await project.execute(Down(stack=run_id, volumes=True))
        except OrchtuiError as error:
            print(f"nothing taken down: {error}")


def service(stack: str, name: str = "web") -> Target:
    return Target(kind="service", key=f"{stack}/{name}", name=f"{stack}/{name}")


def container(item: Container) -> Target:
    return Target(kind="container", key=item.id, name=item.name)


def restart(target: Target) -> Act:
    return Act(verb="restart", target=target)
