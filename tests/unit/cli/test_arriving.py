"""A console that is open before its engine is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from orchtui.cli.arriving import Arriving
from orchtui.docker.endpoint import Endpoint, resolve
from orchtui.engine import Engine
from orchtui.errors import EngineUnavailable
from tests.support.memory import MemoryEngine
from tests.support.rawdocker import RawDocker
from tests.support.until import until
from tests.support.worlds import shop


def nowhere(folder: Path) -> Endpoint:
    return resolve({"DOCKER_HOST": f"unix://{folder}/none.sock"})


async def test_without_a_glance_the_engine_answers_when_it_is_there(tmp_path: Path) -> None:
    real, there = MemoryEngine(shop()), asyncio.Event()

    async def start() -> Engine:
        await there.wait()
        return real

    engine = Arriving(start(), nowhere(tmp_path))
    snapshots = aiter(engine.watch())
    first = asyncio.ensure_future(anext(snapshots))
    await asyncio.sleep(0)
    assert not first.done()
    there.set()
    assert "shop" in (await first).stacks
    await engine.aclose()
    assert real.closed


async def test_an_engine_that_does_not_start_says_why(tmp_path: Path) -> None:
    async def start() -> Engine:
        raise EngineUnavailable("The lock is taken.")

    engine, calls = Arriving(start(), nowhere(tmp_path)), list[str]()
    engine.when_failed(lambda: calls.append("exit"))
    assert engine.failure is None
    await until(lambda: calls)
    assert str(engine.failure) == "The lock is taken."
    with pytest.raises(EngineUnavailable):
        await engine.history("shop")
    await engine.aclose()


async def test_a_glance_shows_containers_before_the_engine_does(
    docker_endpoint: Endpoint, sweep: RawDocker, run_id: str, image: str
) -> None:
    sweep.call("POST", "/containers/create", params={"name": run_id}, body={"Image": image, "Env": ["TOKEN=hunter2"]})
    there = asyncio.Event()

    async def start() -> Engine:
        await there.wait()
        return MemoryEngine(shop())

    engine = Arriving(start(), docker_endpoint)
    snapshots = aiter(engine.watch())
    first = await anext(snapshots)
    assert first.connection.state == "connecting"
    assert run_id in {one.name for one in first.containers.values()}
    there.set()
    assert "shop" in (await anext(snapshots)).stacks
    await engine.aclose()
