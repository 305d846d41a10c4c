"""Docker going away and coming back, in every way we can make it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from orchtui.commands import Act, Actor, Down, Target
from orchtui.docker.endpoint import Endpoint
from orchtui.engine import Capability, Engine
from orchtui.engines import observer
from orchtui.engines.local import LocalEngine
from orchtui.engines.threaded import ThreadedEngine
from orchtui.errors import DockerUnreachable, Refused
from orchtui.model.snapshot import Snapshot
from tests.support.proxy import SocketProxy
from tests.support.rawdocker import RawDocker
from tests.support.until import until

ME = Actor(name="tester", via="command line")


@asynccontextmanager
async def watching(engine: Engine) -> AsyncIterator[list[Snapshot]]:
    seen: list[Snapshot] = []

    async def watch() -> None:
        async for snapshot in engine.watch():
            seen.append(snapshot)  # noqa: PERF401 (readers look while it grows)

    task = asyncio.create_task(watch())
    try:
        await until(lambda: bool(seen), what="a first picture")
        yield seen
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def state(seen: list[Snapshot]) -> str:
    return seen[-1].connection.state


async def test_docker_is_away_at_the_start_and_comes(proxy: SocketProxy) -> None:
    await proxy.cut()
    async with LocalEngine(proxy.endpoint, None, manage=True) as engine, watching(engine) as seen:
        await until(lambda: state(seen) == "stale", what="a stale picture")
        connection = seen[-1].connection
        assert "no Docker socket" in connection.reason
        assert connection.hint
        assert [problem.target for problem in seen[-1].problems] == ["docker:"]
        with pytest.raises(DockerUnreachable, match="no Docker socket"):
            await engine.execute(Act(verb="kill", target=Target(kind="container", key="x")), ME)
        await proxy.restore()
        await until(lambda: state(seen) == "live", what="a live picture")
        assert seen[-1].host is not None
        assert "docker:" not in {problem.target for problem in seen[-1].problems}


@pytest.mark.parametrize("how", ["cut", "drop"])
async def test_a_loss_keeps_the_picture_and_catches_up(
    how: str, proxy: SocketProxy, sweep: RawDocker, image: str, run_id: str
) -> None:
    identity = sweep.run(f"{run_id}-a", {"Image": image, "Cmd": ["sleep", "1000"]})
    async with LocalEngine(proxy.endpoint, None, manage=True) as engine, watching(engine) as seen:
        await until(lambda: state(seen) == "live" and identity in seen[-1].containers)
        if how == "cut":
            await proxy.cut()
            await until(lambda: state(seen) == "stale", what="a stale picture")
            assert seen[-1].containers[identity].state == "running"
        else:
            proxy.drop()
            await until(lambda: any(one.connection.state == "stale" for one in seen), what="a stale picture")
        sweep.call("POST", f"/containers/{identity}/kill")
        await proxy.restore()
        await until(lambda: state(seen) == "live" and seen[-1].containers[identity].state == "exited")
        assert seen[-1].containers[identity].exit_code == 137


async def test_a_daemon_that_hangs_makes_the_picture_stale(proxy: SocketProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observer, "ANSWER", 0.3)
    async with LocalEngine(proxy.endpoint, None, manage=True) as engine, watching(engine) as seen:
        await until(lambda: state(seen) == "live")
        proxy.stall()
        engine._observer._resync = True
        engine._observer._wake.set()
        await until(lambda: state(seen) == "stale", what="a stale picture")
        assert "did not answer" in seen[-1].connection.reason
        proxy.resume()
        await until(lambda: state(seen) == "live", what="a live picture")


async def test_nothing_is_asked_while_nothing_happens(proxy: SocketProxy) -> None:
    async with LocalEngine(proxy.endpoint, None, manage=True) as engine, watching(engine) as seen:
        await until(lambda: state(seen) == "live")
        observer = engine._observer
        await until(lambda: not observer._wake.is_set() and not observer._resync)
        before = len(seen)
        engine._observer._publish()  # what a reconciler's repeated word comes to
        assert len(seen) == before
        assert engine._observer.snapshot is seen[-1]


async def test_another_machine_is_observed_and_operated_but_has_no_stacks(sweep: RawDocker, tmp_path: Path) -> None:
    endpoint = Endpoint(url="tcp://127.0.0.1:9")
    async with LocalEngine(endpoint, tmp_path, manage=True) as engine, watching(engine) as seen:
        assert Capability.STACKS not in engine.capabilities
        assert Capability.ACT in engine.capabilities
        await until(lambda: state(seen) == "stale")
        with pytest.raises(Refused, match="on that machine"):
            await engine.plan(Down(stack="shop"))
    assert not os.listdir(tmp_path)


async def test_on_a_thread_of_its_own(docker_endpoint: Endpoint, sweep: RawDocker, image: str, run_id: str) -> None:
    identity = sweep.run(f"{run_id}-a", {"Image": image, "Cmd": ["sleep", "1000"]})
    async with (
        ThreadedEngine(lambda: LocalEngine(docker_endpoint, None, manage=True)) as engine,
        watching(engine) as seen,
    ):
        await until(lambda: state(seen) == "live" and identity in seen[-1].containers)
        receipt = await engine.execute(Act(verb="kill", target=Target(kind="container", key=identity)), ME)
        assert receipt.message == f"killed {run_id}-a"
        await until(lambda: seen[-1].containers[identity].state == "exited")
