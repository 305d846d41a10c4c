from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchtui.compose import load, lower
from orchtui.errors import StackFileError
from orchtui.model.spec import (
    AttachmentSpec,
    DependencySpec,
    HealthcheckSpec,
    MountSpec,
    NetworkSpec,
    PortSpec,
    ResourcesSpec,
    ServiceSpec,
    UpdateSpec,
    VolumeSpec,
)
from tests.unit.compose.stackfiles import loaded

HELLO = Path(__file__).parents[3] / "stacks" / "hello.yaml"

FULL = """
name: shop
services:
  web:
    image: i:1
    command: run --fast
    entrypoint: []
    environment: {A: 1, B: }
    labels: [x=y]
    ports: ["127.0.0.1:8080-8081:80", "53-54:53/udp", "90", "0:91"]
    volumes: ["data:/data:ro", "./src:/src", /anon, {type: bind, source: /etc, target: /etc2}]
    tmpfs: /run:size=1m,mode=1777
    networks: {front: {aliases: [www]}, default: }
    healthcheck: {test: 'true', interval: 1m30s, timeout: 500ms, retries: 2, start_period: 1s, start_interval: 2s}
    depends_on: {db: {condition: service_healthy, restart: true}}
    init: true
    stop_signal: SIGINT
    stop_grace_period: 1m
    restart: on-failure:3
    scale: 2
    cpus: 0.5
    mem_reservation: 1m
    deploy:
      resources: {limits: {memory: 2m, pids: 9}, reservations: {cpus: 0.1}}
      update_config: {order: start-first, parallelism: 0, delay: 1.5s}
    hostname: h
    user: u
    working_dir: /w
    tty: true
    stdin_open: true
    read_only: true
    x-orchtui: {ready_after: 2s}
  db:
    image: j
    healthcheck: {test: [CMD, x]}
networks:
  front: {driver: bridge, driver_opts: {m: 1}, internal: true, attachable: true, labels: {a: b}}
volumes:
  data: {name: real, external: true}
"""


def test_everything_arrives(tmp_path: Path) -> None:
    spec = lower(loaded(tmp_path, FULL).tree)
    assert spec.name == "shop"
    assert spec.services["web"] == ServiceSpec(
        name="web",
        image="i:1",
        command=("run", "--fast"),
        entrypoint=(),
        environment={"A": "1", "B": None},
        labels={"x": "y"},
        ports=(
            PortSpec(target=80, published="8080-8081", host_ip="127.0.0.1"),
            PortSpec(target=53, published="53-54", protocol="udp"),
            PortSpec(target=90),
            PortSpec(target=91),
        ),
        mounts=(
            MountSpec(kind="volume", target="/data", source="real", read_only=True, create_host_path=False),
            MountSpec(kind="bind", target="/src", source=f"{tmp_path}/src"),
            MountSpec(kind="volume", target="/anon", create_host_path=False),
            MountSpec(kind="bind", target="/etc2", source="/etc", create_host_path=False),
            MountSpec(kind="tmpfs", target="/run", tmpfs_size=1024**2, tmpfs_mode=0o1777),
        ),
        networks=(AttachmentSpec(network="default"), AttachmentSpec(network="front", aliases=("www",))),
        healthcheck=HealthcheckSpec(
            test=("CMD-SHELL", "true"), interval=90, timeout=0.5, retries=2, start_period=1, start_interval=2
        ),
        depends_on=(DependencySpec(service="db", condition="service_healthy", restart=True),),
        init=True,
        stop_signal="SIGINT",
        stop_grace_period=60,
        restart="on-failure",
        restart_max_attempts=3,
        resources=ResourcesSpec(cpus=0.5, memory=2 * 1024**2, pids=9, reserved_cpus=0.1, reserved_memory=1024**2),
        replicas=2,
        update=UpdateSpec(order="start-first", parallelism=0, delay=1.5),
        hostname="h",
        user="u",
        working_dir="/w",
        tty=True,
        stdin_open=True,
        read_only=True,
        ready_after=2.0,
    )
    assert spec.networks == {
        "default": NetworkSpec(key="default", name="shop_default"),
        "front": NetworkSpec(
            key="front",
            name="shop_front",
            driver="bridge",
            driver_opts={"m": "1"},
            internal=True,
            attachable=True,
            labels={"a": "b"},
        ),
    }
    assert spec.volumes == {"data": VolumeSpec(key="data", name="real", external=True)}


def test_what_is_not_said_is_left_to_docker(tmp_path: Path) -> None:
    spec = lower(loaded(tmp_path, "name: shop\nservices: {web: {image: i}}\n").tree)
    assert spec.services["web"] == ServiceSpec(name="web", image="i", networks=(AttachmentSpec(network="default"),))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"services": {"web": {"image": "i", "privileged": True}}}, "not supported yet"),
        ({"services": {"web": {"image": "i", "networks": {"n": None}}}}, "not defined"),
        ({"services": {"web": {"image": 5}}}, "has to be text"),
        ({"services": 5}, "has to be a mapping"),
        ({"name": 5}, "has to be text"),
        ({"networks": {"default": {}}}, "has no real name"),
        (
            {"services": {"web": {"image": "i", "scale": 2, "ports": [{"target": 80, "published": "80"}]}}},
            "cannot share the host port",
        ),
    ],
)
def test_a_tree_from_elsewhere_is_checked(change: dict[str, Any], problem: str) -> None:
    tree = {"name": "shop", "services": {"web": {"image": "i", "networks": {"default": None}}}}
    tree["networks"] = {"default": {"name": "shop_default"}}
    lower(tree)
    with pytest.raises(StackFileError) as raised:
        lower({**tree, **change})
    assert problem in raised.value.details[0]


def test_the_hello_stack() -> None:
    document = load([HELLO], environ={"ORCHTUI_DEMO_IMAGE": "demo:1"})
    assert document.warnings == ()
    spec = lower(document.tree)
    assert spec.name == "hello"
    web, worker = spec.services["web"], spec.services["worker"]
    assert (web.image, web.replicas, web.init, web.ports) == ("demo:1", 2, True, ())
    assert web.healthcheck is not None
    assert web.healthcheck.interval == 1
    assert worker.depends_on == (DependencySpec(service="web", condition="service_healthy"),)
    assert worker.command is not None
    assert "$((n + 1))" in worker.command[2]
    assert load([HELLO], environ={}).tree["services"]["web"]["image"] == "busybox:1.36"
