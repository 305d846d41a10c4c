"""What only Engine 26.1 (API 1.45) can do; all that older ones can as well runs on both in test_docker_*.py."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orchtui.docker.client import DockerClient
from orchtui.errors import DockerConflict
from orchtui.model.observed import Container
from orchtui.model.spec import AttachmentSpec, HealthcheckSpec, NetworkSpec, ServiceSpec
from tests.support.engines import on_engines
from tests.support.rawdocker import RawDocker
from tests.support.until import until

pytestmark = [pytest.mark.docker, on_engines("26.1")]


async def test_the_newest_api_that_both_speak(docker: DockerClient) -> None:
    assert docker.host.engine_version.startswith("26.1.")
    assert (docker.host.api_version, docker.api) == ("1.45", (1, 45))


async def test_several_networks_come_with_the_creation(
    docker: DockerClient, image: str, run_id: str, sweep: RawDocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [NetworkSpec(key=key, name=f"{run_id}_{key}") for key in ("back", "front")]
    for place in places:
        await docker.create_network(place, {})
    calls: list[str] = []
    call = docker.call

    async def recorded(path: str, *args: Any, **options: Any) -> Any:
        calls.append(path)
        return await call(path, *args, **options)

    monkeypatch.setattr(docker, "call", recorded)
    identity = await docker.create_container(
        name=f"{run_id}-web-1",
        spec=ServiceSpec(name="web", image=image, networks=tuple(AttachmentSpec(network=p.key) for p in places)),
        image=image,
        labels={},
        networks={place.key: place.name for place in places},
        aliases=["web"],
    )
    assert calls == ["containers/create"]
    ends = sweep.inspect(identity)["NetworkSettings"]["Networks"]
    assert {name: "web" in end["Aliases"] for name, end in ends.items()} == {place.name: True for place in places}


async def test_a_short_start_interval_makes_it_healthy_early(docker: DockerClient, image: str, run_id: str) -> None:
    check = HealthcheckSpec(test=("CMD", "true"), interval=3600, timeout=5, start_period=3600, start_interval=0.2)
    identity = await docker.create_container(
        name=f"{run_id}-web-1",
        spec=ServiceSpec(name="web", image=image, command=("sleep", "600"), init=True, healthcheck=check),
        image=image,
        labels={},
        networks={},
    )
    await docker.start(identity)

    async def healthy() -> Container | None:
        found = await docker.inspect_container(identity)
        return found if found.health == "healthy" else None

    await until(healthy, what="health long before the interval")


async def test_of_many_that_create_a_network_at_once_one_succeeds(docker: DockerClient, run_id: str) -> None:
    spec = NetworkSpec(key="front", name=f"{run_id}_front")

    async def made() -> bool:
        try:
            await docker.create_network(spec, {"orchtui.test": run_id})
        except DockerConflict:
            return False
        return True

    assert sorted(await asyncio.gather(*(made() for _ in range(8)))) == [False] * 7 + [True]
    assert len(await docker.list_networks({"orchtui.test": run_id})) == 1
