"""Managed stacks in the one picture: with the engine that keeps them, and for one that only looks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from orchtui.commands import Act, Actor, Apply, Down, Scale, Target
from orchtui.compose.document import load
from orchtui.docker.endpoint import Endpoint
from orchtui.engine import Capability
from orchtui.engines.local import LocalEngine
from orchtui.errors import EngineUnavailable, NotFound, PlanRefused, Refused
from orchtui.model.observed import Owner
from orchtui.model.snapshot import Snapshot, Status
from tests.support.rawdocker import RawDocker
from tests.support.until import until

ME = Actor(name="tester", via="command line")
FILE = """
name: {name}
services:
  web:
    image: {image}
    command: ["sh", "-c", "echo up; trap exit TERM; while :; do sleep 0.2; done"]
    init: true
    stop_grace_period: 1s
    environment: {{API_TOKEN: hunter22}}
    deploy: {{replicas: 2}}
"""


@pytest_asyncio.fixture
async def engine(docker_endpoint: Endpoint, sweep: RawDocker, tmp_path: Path) -> AsyncIterator[LocalEngine]:
    async with LocalEngine(docker_endpoint, tmp_path / "state", manage=True) as local:
        await until(lambda: local._observer.live)
        yield local


def picture(engine: LocalEngine) -> Snapshot:
    return engine._observer.snapshot


def apply(tmp_path: Path, name: str, image: str) -> Apply:
    path = tmp_path / "stack.yaml"
    path.write_text(FILE.format(name=name, image=image))
    document = load([path], environ={})
    return Apply(stack=document.name, tree=document.tree, working_dir=document.working_dir, config_files=document.files)


async def settled(engine: LocalEngine, name: str, serial: int) -> None:
    def done() -> bool:
        stack = picture(engine).stacks.get(name)
        return stack is not None and stack.settled >= serial

    await until(done, timeout=40, what=f"{name} at {serial}")


async def test_deploy_heal_scale_look_and_down(
    engine: LocalEngine, docker_endpoint: Endpoint, sweep: RawDocker, image: str, run_id: str, tmp_path: Path
) -> None:
    assert Capability.STACKS in engine.capabilities
    assert not engine.busy()
    receipt = await engine.execute(apply(tmp_path, run_id, image), ME)
    await settled(engine, run_id, receipt.serial)
    key = f"{run_id}/web"

    def counts() -> tuple[int | None, int, Status]:
        web = picture(engine).services[key]
        return web.desired, web.ready, web.status

    await until(lambda: counts() == (2, 2, Status.HEALTHY))
    assert engine.busy()
    stack = picture(engine).stacks[run_id]
    assert (stack.owner, stack.revision, stack.config_files) == (Owner.MANAGED, 1, (str(tmp_path / "stack.yaml"),))
    assert picture(engine).problems == () or all(run_id not in one.title for one in picture(engine).problems)

    victim = picture(engine).services[key].containers[0]
    sweep.call("POST", f"/containers/{victim}/kill")
    await until(lambda: victim not in picture(engine).containers and counts() == (2, 2, Status.HEALTHY))

    receipt = await engine.execute(Scale(service=key, replicas=3), ME)
    await settled(engine, run_id, receipt.serial)
    await until(lambda: counts() == (3, 3, Status.HEALTHY))

    with pytest.raises(Refused):
        await engine.execute(Act(verb="remove", target=Target(kind="service", key=key)), ME)
    told = await engine.describe(Target(kind="stack", key=run_id))
    assert "hunter22" not in repr(told)
    one = await engine.describe(Target(kind="container", key=picture(engine).services[key].containers[0]))
    assert "hunter22" not in repr(one)
    assert [revision.number for revision in await engine.history(run_id)] == [1]

    async with LocalEngine(docker_endpoint, tmp_path / "state", manage=False) as looking:
        await until(lambda: looking._observer.live)
        seen = picture(looking)
        assert seen.stacks[run_id].owner is Owner.MANAGED
        assert (seen.services[key].desired, seen.services[key].status) == (3, Status.HEALTHY)
        assert [revision.number for revision in await looking.history(run_id)] == [1]
        with pytest.raises(Refused, match="--look"):
            await looking.execute(Down(stack=run_id), ME)

    with pytest.raises(EngineUnavailable, match="running already"):
        await LocalEngine(docker_endpoint, tmp_path / "state", manage=True).__aenter__()

    await engine.execute(Down(stack=run_id), ME)
    await until(lambda: run_id not in picture(engine).stacks, timeout=40)
    assert not engine.busy()
    assert not [item for item in sweep.containers() if item["Labels"].get("com.docker.compose.project") == run_id]


async def test_what_runs_is_recognised_after_a_restart_of_the_engine(
    docker_endpoint: Endpoint, sweep: RawDocker, image: str, run_id: str, tmp_path: Path
) -> None:
    async with LocalEngine(docker_endpoint, tmp_path / "state", manage=True) as engine:
        await until(lambda: engine._observer.live)
        receipt = await engine.execute(apply(tmp_path, run_id, image), ME)
        await settled(engine, run_id, receipt.serial)
        before = set(picture(engine).services[f"{run_id}/web"].containers)
    async with LocalEngine(docker_endpoint, tmp_path / "state", manage=True) as engine:
        seen: list[Snapshot] = []
        async for snapshot in engine.watch():
            seen.append(snapshot)
            if snapshot.connection.state == "live":
                break
        web = seen[-1].services[f"{run_id}/web"]
        assert set(web.containers) == before
        assert (web.desired, web.owner, web.status) == (2, Owner.MANAGED, Status.HEALTHY)
        await settled(engine, run_id, receipt.serial)
        assert set(picture(engine).services[f"{run_id}/web"].containers) == before


async def test_stack_commands_need_something_to_work_on(engine: LocalEngine, run_id: str) -> None:
    with pytest.raises(NotFound):
        await engine.plan(Down(stack=run_id))
    with pytest.raises(NotFound):
        await engine.history(run_id)
    with pytest.raises((NotFound, PlanRefused)):
        await engine.plan(Scale(service=f"{run_id}/web", replicas=2))
