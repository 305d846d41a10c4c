"""What is on a real box, and how fast a change shows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from orchtui.commands import Act, Actor, ActVerb, Target
from orchtui.docker.endpoint import Endpoint
from orchtui.engine import Capability
from orchtui.engines.local import LocalEngine
from orchtui.errors import NotFound, PlanRefused, Refused
from orchtui.model.observed import Container, Owner
from orchtui.model.snapshot import Snapshot, Status
from tests.support.rawdocker import RawDocker
from tests.support.until import until

ME = Actor(name="tester", via="command line")
FOREVER = ["sh", "-c", "trap exit TERM; while :; do sleep 1 & wait; done"]


def config(image: str, *argv: str, **fields: Any) -> dict[str, Any]:
    return {"Image": image, "Cmd": list(argv) or FOREVER, "HostConfig": {"Init": True}} | fields


class Watcher:
    """The newest snapshot of an engine."""

    def __init__(self, engine: LocalEngine) -> None:
        self.engine = engine
        self.seen: list[Snapshot] = []

    @property
    def now(self) -> Snapshot:
        return self.seen[-1]

    async def run(self) -> None:
        async for snapshot in self.engine.watch():
            self.seen.append(snapshot)

    def container(self, name: str) -> Container | None:
        return next((one for one in self.now.containers.values() if one.name == name), None)

    async def live(self) -> None:
        await until(lambda: bool(self.seen) and self.now.connection.state == "live", what="a live picture")

    async def act(self, verb: ActVerb, target: Target, **fields: Any) -> str:
        act = Act(verb=verb, target=target, **fields)
        await self.engine.plan(act)
        return (await self.engine.execute(act, ME)).message


@pytest_asyncio.fixture
async def box(docker_endpoint: Endpoint, sweep: RawDocker) -> AsyncIterator[Watcher]:
    async with LocalEngine(docker_endpoint, None, manage=True) as engine:
        watcher = Watcher(engine)
        task = asyncio.create_task(watcher.run())
        try:
            await watcher.live()
            yield watcher
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def test_owners_from_labels(box: Watcher, sweep: RawDocker, image: str, run_id: str) -> None:
    sweep.run(f"{run_id}-plain", config(image))
    project = {"com.docker.compose.project": run_id, "com.docker.compose.service": "web"}
    sweep.run(f"{run_id}-web-1", config(image, Labels=project))
    sweep.run(f"{run_id}-web-2", config(image, "false", Labels=project))
    task = {
        "com.docker.stack.namespace": f"{run_id}s",
        "com.docker.swarm.service.name": f"{run_id}s_api",
        "com.docker.swarm.task.name": f"{run_id}s_api.3.abc",
    }
    sweep.run(f"{run_id}s_api.3.abc", config(image, Labels=task))
    sweep.run(f"{run_id}-other", config(image, Labels={"orchtui.engine": "x", "orchtui.stack": f"{run_id}o"}))

    def complete() -> bool:
        services, stacks = box.now.services, box.now.stacks
        assert {f"-/{run_id}-plain", f"{run_id}/web", f"{run_id}s/api"} <= services.keys()
        assert f"{run_id}o" in stacks
        assert services[f"-/{run_id}-plain"].status is Status.HEALTHY
        web = services[f"{run_id}/web"]
        assert (web.running, web.desired, web.owner) == (1, None, Owner.COMPOSE)
        assert services[f"{run_id}s/api"].owner is Owner.SWARM
        assert stacks[f"{run_id}o"].owner is Owner.OTHER_ENGINE
        ended = box.container(f"{run_id}-web-2")
        assert ended is not None
        assert (ended.exit_code, ended.inspected) == (1, True)
        return True

    await until(complete, what="every container in its place")
    mine = [problem for problem in box.now.problems if run_id in problem.title]
    assert mine == []


async def test_the_first_rows_come_before_the_inspections(
    docker_endpoint: Endpoint, sweep: RawDocker, image: str, run_id: str
) -> None:
    identity = sweep.run(f"{run_id}-a", config(image))
    async with LocalEngine(docker_endpoint, None, manage=False) as engine:
        seen: list[Snapshot] = []
        async for snapshot in engine.watch():
            seen.append(snapshot)
            if snapshot.connection.state == "live":
                break
    live = seen[-1]
    assert live.containers[identity].inspected
    assert live.host is not None
    assert live.host.endpoint == docker_endpoint.url


async def test_a_death_shows_with_its_cause(box: Watcher, sweep: RawDocker, image: str, run_id: str) -> None:
    identity = sweep.run(f"{run_id}-a", config(image))
    other = sweep.run(f"{run_id}-b", config(image))
    await until(lambda: identity in box.now.containers and box.now.containers[identity].state == "running")
    await until(lambda: other in box.now.containers and box.now.containers[other].inspected)
    before = box.now.containers[other]
    assert await box.act("kill", Target(kind="container", key=identity)) == f"killed {run_id}-a"
    await until(lambda: box.now.containers[identity].exit_code == 137, what="the death")
    assert box.now.containers[other] is before
    lines = await until(
        lambda: [line for line in box.now.events if line.subject == f"{run_id}-a" and "exit 137" in line.text]
    )
    assert lines[0].text == "ended with exit 137: killed by SIGKILL"
    ids = [line.id for line in box.now.events]
    assert ids == sorted(set(ids))


async def test_health_and_its_problem(box: Watcher, sweep: RawDocker, image: str, run_id: str) -> None:
    probe = {"Test": ["CMD-SHELL", "test ! -e /tmp/sick"], "Interval": 10**9, "Timeout": 10**9, "Retries": 1}
    identity = sweep.run(f"{run_id}-a", config(image, Healthcheck=probe, Env=["API_TOKEN=hunter22"]))
    await until(lambda: identity in box.now.containers and box.now.containers[identity].health == "healthy")
    made = sweep.call("POST", f"/containers/{identity}/exec", body={"Cmd": ["touch", "/tmp/sick"]})
    sweep.call("POST", f"/exec/{made['Id']}/start", body={"Detach": True})
    await until(lambda: [problem for problem in box.now.problems if problem.target == f"container:{identity}"])
    service = box.now.services[f"-/{run_id}-a"]
    assert (service.status, service.unhealthy) == (Status.DEGRADED, 1)
    told = await box.engine.describe(Target(kind="container", key=identity))
    sections = {section.title: section for section in told.sections}
    assert any(field.tone == "bad" and "exit 1" in field.value for field in sections["Health"].fields)
    assert "hunter22" not in repr(told)
    assert "API_TOKEN" in {field.name for field in sections["Environment"].fields}


async def test_direct_verbs(box: Watcher, sweep: RawDocker, image: str, run_id: str) -> None:
    labels = {"com.docker.compose.project": run_id, "com.docker.compose.service": "web"}
    one = sweep.run(f"{run_id}-web-1", config(image, Labels=labels))
    two = sweep.run(f"{run_id}-web-2", config(image, Labels=labels))
    service = Target(kind="service", key=f"{run_id}/web")

    def states() -> set[str]:
        return {box.now.containers[id].state for id in (one, two) if id in box.now.containers}

    await until(lambda: {one, two} <= box.now.containers.keys())
    await until(lambda: states() == {"running"})
    with pytest.raises(PlanRefused, match="still running"):
        await box.act("remove", service)
    assert await box.act("pause", service) == "paused 2 containers"
    await until(lambda: states() == {"paused"})
    assert await box.act("unpause", service) == "unpaused 2 containers"
    await until(lambda: states() == {"running"})
    assert await box.act("stop", Target(kind="stack", key=run_id)) == "stopped 2 containers"
    await until(lambda: states() == {"exited"})
    assert (await box.engine.plan(Act(verb="stop", target=service))).empty
    assert await box.act("start", Target(kind="container", key=one)) == f"started {run_id}-web-1"
    await until(lambda: states() == {"exited", "running"})
    assert await box.act("remove", service, force=True) == "removed 2 containers"
    await until(lambda: f"{run_id}" not in box.now.stacks)
    with pytest.raises(NotFound):
        await box.act("start", service)


async def test_what_swarm_and_other_engines_keep_is_refused(
    box: Watcher, sweep: RawDocker, image: str, run_id: str
) -> None:
    task = {"com.docker.swarm.service.name": f"{run_id}_api", "com.docker.stack.namespace": run_id}
    identity = sweep.run(f"{run_id}_api.1.x", config(image, Labels=task))
    other = sweep.run(f"{run_id}-o", config(image, Labels={"orchtui.engine": "x", "orchtui.stack": f"{run_id}o"}))
    await until(lambda: {identity, other} <= box.now.containers.keys())
    with pytest.raises(Refused, match="another task in its place"):
        await box.act("stop", Target(kind="container", key=identity))
    with pytest.raises(Refused, match="have no `restart`"):
        await box.act("restart", Target(kind="service", key=f"{run_id}/api"))
    with pytest.raises(Refused, match="another orchtui engine"):
        await box.act("stop", Target(kind="container", key=other))


async def test_looking_changes_nothing(docker_endpoint: Endpoint, sweep: RawDocker, image: str, run_id: str) -> None:
    identity = sweep.run(f"{run_id}-a", config(image))
    async with LocalEngine(docker_endpoint, None, manage=False) as engine:
        assert engine.capabilities == {Capability.LOGS}
        async for snapshot in engine.watch():
            if identity in snapshot.containers:
                break
        with pytest.raises(Refused, match="--look"):
            await engine.execute(Act(verb="kill", target=Target(kind="container", key=identity)), ME)
        with pytest.raises(Refused, match="--look"):
            await engine.open_exec(identity, ("sh",))
    assert sweep.inspect(identity)["State"]["Running"]


async def test_usage_of_a_busy_loop(box: Watcher, sweep: RawDocker, image: str, run_id: str) -> None:
    identity = sweep.run(f"{run_id}-a", config(image, "sh", "-c", "while :; do :; done"))
    await until(lambda: identity in box.now.containers and box.now.containers[identity].pid)

    async def busy() -> float:
        async for sample in box.engine.usage(frozenset({identity})):
            if identity in sample and sample[identity].cpu:
                assert sample[identity].memory > 0
                return sample[identity].cpu or 0.0
        raise AssertionError("the samples ended")

    assert await asyncio.wait_for(busy(), 20) > 0.05
    assert not box.engine._sampler._wanted


async def test_a_shell(box: Watcher, sweep: RawDocker, image: str, run_id: str) -> None:
    identity = sweep.run(f"{run_id}-a", config(image))
    session = await box.engine.open_exec(identity, ("sh", "-c", "echo hello; exit 3"), tty=False)
    output = b""
    while data := await session.read():
        output += data
    assert output == b"hello\n"
    assert await session.exit_code() == 3
    await session.aclose()
