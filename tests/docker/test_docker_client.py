"""The verbs on a real engine, checked through a second, independent client."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from orchtui.config import engine_dir
from orchtui.docker import compile as compiled
from orchtui.docker.client import DockerClient
from orchtui.docker.connection import api_number
from orchtui.docker.endpoint import Endpoint
from orchtui.docker.identify import engine_id
from orchtui.errors import DockerConflict, DockerNotFound, DockerRefused
from orchtui.model.observed import Attachment, Container
from orchtui.model.spec import (
    AttachmentSpec,
    HealthcheckSpec,
    MountSpec,
    NetworkSpec,
    PortSpec,
    ResourcesSpec,
    ServiceSpec,
    VolumeSpec,
)
from tests.support.engines import BOTH
from tests.support.rawdocker import RawDocker
from tests.support.until import until

pytestmark = [pytest.mark.docker, BOTH]

SLEEP = ServiceSpec(name="web", image="", command=("sleep", "600"), init=True, stop_grace_period=2)


async def create(
    docker: DockerClient, name: str, image: str, spec: ServiceSpec = SLEEP, labels: dict[str, str] | None = None
) -> str:
    return await docker.create_container(name=name, spec=spec, image=image, labels=labels or {}, networks={})


async def test_host_and_version(docker: DockerClient, docker_endpoint: Endpoint, tmp_path: Path) -> None:
    assert docker.host.id == await asyncio.to_thread(engine_id, docker_endpoint)
    assert engine_dir(tmp_path, docker.host.id).parent == tmp_path
    assert (1, 41) <= api_number(docker.host.api_version) <= (1, 45)
    assert docker.host.cpus > 0
    assert docker.host.memory > 0
    assert docker.daemon_nano > 0


async def test_a_containers_life(docker: DockerClient, image: str, run_id: str, sweep: RawDocker) -> None:
    name = f"{run_id}-web-1"
    identity = await create(docker, name, image, labels={"orchtui.test": run_id})
    created = await docker.inspect_container(identity)
    assert (created.name, created.state, created.exit_code) == (name, "created", None)

    await docker.start(identity)
    await docker.start(identity)  # Docker says 304
    running = await docker.inspect_container(name)
    assert running.running
    assert running.pid > 0
    assert running.started_at is not None

    listed = await docker.list_containers(labels={"orchtui.test": run_id})
    assert [(item.id, item.state, item.inspected) for item in listed] == [(identity, "running", False)]
    assert await docker.list_containers(labels={"orchtui.test": "other"}) == ()
    assert [item.id for item in await docker.list_containers(labels={"orchtui.test": run_id, "orchtui-test": None})]

    await docker.pause(identity)
    assert (await docker.inspect_container(identity)).state == "paused"
    await docker.unpause(identity)
    await docker.restart(identity, grace=1)
    assert (await docker.inspect_container(identity)).pid != running.pid

    await docker.rename(identity, f"{run_id}-renamed")
    await docker.rename(identity, f"{run_id}-renamed")
    assert sweep.inspect(identity)["Name"] == f"/{run_id}-renamed"

    await docker.stop(identity)
    await docker.stop(identity)
    stopped = await docker.inspect_container(identity)
    assert (stopped.state, stopped.exit_code) == ("exited", 143)
    assert stopped.finished_at is not None
    with pytest.raises(DockerConflict):
        await docker.kill(identity)

    await docker.start(identity)
    await docker.kill(identity)
    await until(lambda: exit_code(docker, identity, 137), what="the kill")
    listed = await docker.list_containers(labels={"orchtui.test": run_id})
    assert [(item.state, item.exit_code) for item in listed] == [("exited", 137)]

    await docker.remove(identity)
    with pytest.raises(DockerNotFound):
        await docker.inspect_container(identity)
    with pytest.raises(DockerNotFound):
        await docker.remove(identity)


async def exit_code(docker: DockerClient, identity: str, code: int) -> bool:
    return (await docker.inspect_container(identity)).exit_code == code


async def test_a_name_is_a_lock(docker: DockerClient, image: str, run_id: str) -> None:
    name = f"{run_id}-one"
    await create(docker, name, image)
    with pytest.raises(DockerConflict) as caught:
        await create(docker, name, image)
    assert name in caught.value.message
    assert "another name" in caught.value.hint
    other = await create(docker, f"{run_id}-two", image)
    with pytest.raises(DockerConflict):
        await docker.rename(other, name)


async def test_what_was_wished_is_what_docker_made(
    docker: DockerClient, image: str, run_id: str, sweep: RawDocker, tmp_path: Path
) -> None:
    front = NetworkSpec(key="front", name=f"{run_id}_front")
    back = NetworkSpec(key="back", name=f"{run_id}_back", internal=True)
    data = VolumeSpec(key="data", name=f"{run_id}_data")
    for network in (front, back):
        await docker.create_network(network, {"orchtui.test": run_id})
    volume = await docker.create_volume(data, {"orchtui.test": run_id})
    assert volume.name == f"{run_id}_data"
    spec = ServiceSpec(
        name="web",
        image=image,
        command=("/bin/sleep", "600"),
        environment={"A": "1", "PATH": None},
        init=True,
        ports=(PortSpec(target=8080), PortSpec(target=53, protocol="udp", host_ip="127.0.0.1")),
        mounts=(
            MountSpec(kind="volume", source=data.name, target="/data"),
            MountSpec(kind="bind", source=str(tmp_path / "made"), target="/host", read_only=True),
            MountSpec(kind="tmpfs", target="/scratch", tmpfs_size=1 << 20),
        ),
        networks=(AttachmentSpec(network="front", aliases=("www",)), AttachmentSpec(network="back")),
        healthcheck=HealthcheckSpec(test=("CMD", "/bin/true"), interval=0.5, timeout=2, retries=2),
        resources=ResourcesSpec(cpus=0.5, memory=64 << 20, pids=40),
        stop_signal="SIGINT",
        stop_grace_period=7,
        hostname="box",
    )
    identity = await docker.create_container(
        name=f"{run_id}-web-1",
        spec=spec,
        image=image,
        labels={"orchtui.test": run_id},
        networks={"front": front.name, "back": back.name},
        aliases=["web"],
        restart="on-failure",
        restart_max=4,
    )
    await docker.start(identity)
    found = await until(lambda: healthy(docker, identity), what="healthy")
    raw = sweep.inspect(identity)
    assert raw["HostConfig"]["Init"] is True
    assert raw["HostConfig"]["NanoCpus"] == 500_000_000
    assert raw["HostConfig"]["PidsLimit"] == 40
    assert raw["HostConfig"]["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 4}
    assert (raw["Config"]["StopSignal"], raw["Config"]["StopTimeout"]) == ("SIGINT", 7)
    assert "A=1" in raw["Config"]["Env"]
    assert not any(item.startswith("PATH=") for item in raw["Config"]["Env"])
    assert (found.memory_limit, found.cpu_limit, found.restart_policy) == (64 << 20, 0.5, "on-failure")
    assert {port.container_port for port in found.ports} == {8080, 53}
    assert all(port.host_port for port in found.ports)
    assert {(mount.kind, mount.target, mount.read_only) for mount in found.mounts} >= {
        ("volume", "/data", False),
        ("bind", "/host", True),
    }
    assert (tmp_path / "made").is_dir()  # every engine sees our tmp_path at the same place
    assert [end.network for end in found.networks] == [back.name, front.name]
    assert all(end.ip for end in found.networks)
    aliases = {end.network: set(end.aliases) for end in found.networks}
    assert aliases[front.name] >= {"web", "www"}
    assert aliases[back.name] >= {"web"}
    listed = (await docker.list_containers(labels={"orchtui.test": run_id}))[0]
    assert listed.health == "healthy"
    assert all(isinstance(end, Attachment) and end.ip for end in listed.networks)

    document = await docker.container_document(identity)
    assert document.probes[0].exit_code == 0
    assert document.command == ("/bin/sleep", "600")
    assert document.stop_timeout == 7
    assert document.raw["Id"] == identity

    with pytest.raises(DockerConflict):
        await docker.remove_volume(data.name)
    with pytest.raises(DockerConflict):
        await docker.remove_network(front.name)
    await docker.remove(identity, force=True, volumes=True)
    await docker.remove_volume(data.name)
    for network in (front, back):
        await docker.remove_network(network.name)
    assert await docker.list_networks({"orchtui.test": run_id}) == ()
    assert await docker.list_volumes({"orchtui.test": run_id}) == ()


async def healthy(docker: DockerClient, identity: str) -> Container | None:
    found = await docker.inspect_container(identity)
    return found if found.health == "healthy" else None


async def test_a_container_that_cannot_join_all_its_networks_is_not_left_behind(
    docker: DockerClient, image: str, run_id: str, sweep: RawDocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "MANY_NETWORKS", (9, 9))  # join one by one, as on old engines
    front = NetworkSpec(key="front", name=f"{run_id}_front")
    await docker.create_network(front, {})
    spec = replace(SLEEP, networks=(AttachmentSpec(network="front"), AttachmentSpec(network="host")))
    with pytest.raises(DockerRefused, match="connect container"):
        await docker.create_container(
            name=f"{run_id}-web-1",
            spec=spec,
            image=image,
            labels={},
            networks={"front": front.name, "host": "host"},
        )
    assert not [item for item in sweep.containers() if f"/{run_id}-web-1" in item["Names"]]


@pytest.mark.parametrize("missing", ["front", "back"])
async def test_a_network_that_is_gone_is_not_a_container_that_is_gone(
    docker: DockerClient, image: str, run_id: str, missing: str
) -> None:
    names = {key: f"{run_id}_{key}" for key in ("front", "back")}
    for key, name in names.items():
        await docker.create_network(NetworkSpec(key=key, name=name), {})
    spec = replace(SLEEP, networks=tuple(AttachmentSpec(network=key) for key in names))
    identity = await docker.create_container(name=f"{run_id}-web-1", spec=spec, image=image, labels={}, networks=names)
    await docker.remove_network(names[missing])
    with pytest.raises(DockerRefused, match=f"{names[missing]} not found") as caught:
        await docker.start(identity)
    assert not isinstance(caught.value, DockerNotFound)
    assert "Create that network" in caught.value.hint
    assert not (await docker.inspect_container(identity)).running
    with pytest.raises(DockerNotFound):
        await docker.start(f"{run_id}-none")


async def test_a_network_of_that_name_is_a_conflict(docker: DockerClient, run_id: str) -> None:
    front = NetworkSpec(key="front", name=f"{run_id}_front")
    made = await docker.create_network(front, {"orchtui.test": run_id})
    with pytest.raises(DockerConflict, match="already exists") as caught:
        await docker.create_network(front, {"orchtui.test": run_id})
    assert "another name" in caught.value.hint
    assert [network.id for network in await docker.list_networks({"orchtui.test": run_id})] == [made]


async def test_volumes_keep_their_first_labels(docker: DockerClient, run_id: str) -> None:
    spec = VolumeSpec(key="data", name=f"{run_id}_data")
    await docker.create_volume(spec, {"a": "1"})
    again = await docker.create_volume(spec, {"a": "2"})
    assert again.labels == {"a": "1"}


async def test_a_start_that_fails_says_why(docker: DockerClient, image: str, run_id: str) -> None:
    spec = ServiceSpec(name="web", image=image, command=("/no/such/program",))
    identity = await create(docker, f"{run_id}-bad", image, spec)
    with pytest.raises(DockerRefused) as caught:
        await docker.start(identity)
    assert "no such" in caught.value.message
    found = await docker.inspect_container(identity)
    assert (found.state, found.exit_code) == ("created", 127)
    assert found.error


async def test_a_port_that_is_taken_says_what_to_do(docker: DockerClient, image: str, run_id: str) -> None:
    first = await create(
        docker,
        f"{run_id}-1",
        image,
        ServiceSpec(name="a", image=image, command=("sleep", "60"), ports=(PortSpec(target=80),)),
    )
    await docker.start(first)
    port = next(p.host_port for p in (await docker.inspect_container(first)).ports if p.host_port)
    second = await create(
        docker,
        f"{run_id}-2",
        image,
        ServiceSpec(name="b", image=image, ports=(PortSpec(target=80, published=str(port)),)),
    )
    with pytest.raises(DockerRefused, match=r"already allocated|already in use") as caught:
        await docker.start(second)
    assert "publish another" in caught.value.hint


async def test_the_restart_policy_can_change_while_it_runs(
    docker: DockerClient, image: str, run_id: str, sweep: RawDocker
) -> None:
    identity = await create(docker, f"{run_id}-web", image)
    await docker.start(identity)
    await docker.set_restart(identity, "on-failure", 3)
    assert sweep.inspect(identity)["HostConfig"]["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 3}
    await docker.set_restart(identity, "no")
    assert (await docker.inspect_container(identity)).restart_policy == "no"


async def test_many_inspects_leave_out_what_vanished(docker: DockerClient, image: str, run_id: str) -> None:
    ids = [await create(docker, f"{run_id}-{n}", image) for n in range(20)]
    await docker.remove(ids[3])
    found = await docker.inspect_containers(ids)
    assert [item.id for item in found] == [identity for identity in ids if identity != ids[3]]


async def test_images(docker: DockerClient, image: str) -> None:
    found = await docker.image(image)
    assert found is not None
    assert image in found.tags
    assert await docker.image(found.id) == found
    assert await docker.image("orchtui-test/none:0") is None


async def test_a_pull_without_a_registry_is_one_sentence(docker: DockerClient) -> None:
    with pytest.raises(DockerRefused) as caught:
        await docker.pull("registry.invalid/orchtui-test/none:0")
    assert "pull image registry.invalid/orchtui-test/none:0" in caught.value.message
    assert "\n" not in caught.value.message


async def test_swarm_services_without_a_swarm(docker: DockerClient) -> None:
    if docker.host.swarm != "manager":
        assert await docker.swarm_services() == ()
